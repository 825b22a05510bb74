"""What is measured of the verbs that judge labels: each beside FiftyOne's. `data_layer.py --list label_operations`."""

from typing import Any

import numpy as np
import shapes
from brain_operations import brain_of
from operations import Bench, Operation, Timed

SHARE = 50


def _add_classes(bench: Bench) -> Timed:
    bench.dataset = bench.new_dataset("classes")
    bench.dataset.default_classes = bench.photos.names
    columns = {"filepath": bench.photos.filepaths, **bench.labels()}
    if bench.is_ours:
        return lambda: len(bench.dataset.add_columns(columns))
    samples = [
        bench.library.Sample(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    ]
    return lambda: len(bench.dataset.add_samples(samples))


def _hardness(bench: Bench) -> Timed:
    return lambda: brain_of(bench).compute_hardness(bench.dataset, "predictions") and None


def _mistakenness(bench: Bench, **options: Any) -> Timed:
    def timed() -> None:
        brain_of(bench).compute_mistakenness(bench.dataset, "predictions", "ground_truth", **options)

    return timed


def _by_logits(bench: Bench) -> Timed:
    return _mistakenness(bench, **({} if bench.is_ours else {"use_logits": True}))


def _by_confidence(bench: Bench) -> Timed:
    return _mistakenness(bench, **({"method": "confidence"} if bench.is_ours else {}))


def _add_boxes(bench: Bench) -> Timed:
    """As many boxes are predicted as given: most of them a little off, a tenth of them elsewhere."""
    count, random = bench.samples // SHARE, np.random.default_rng(4)
    places, classes, confidences = shapes.boxes(count)
    elsewhere = random.random(classes.shape) < 0.1
    predicted = np.where(elsewhere[..., None], shapes.boxes(count)[0][::-1], places)
    predicted = predicted + 0.02 * random.standard_normal(places.shape) * predicted[..., [2, 3, 2, 3]]
    sides = {"ground_truth": (places, None), "predictions": (predicted, 0.5 + confidences / 2)}
    columns = {
        name: [
            bench.library.Detections(
                detections=[
                    bench.library.Detection(
                        label=bench.photos.names[classes[row, box]],
                        bounding_box=given[row, box].tolist(),
                        **({} if sure is None else {"confidence": float(sure[row, box])}),
                    )
                    for box in range(shapes.BOXES)
                ]
            )
            for row in range(count)
        ]
        for name, (given, sure) in sides.items()
    }
    bench.detections = bench.new_dataset("boxes")
    paths = bench.photos.filepaths[:count]
    samples = [
        bench.library.Sample(filepath=path, ground_truth=given, predictions=seen)
        for path, given, seen in zip(paths, columns["ground_truth"], columns["predictions"], strict=True)
    ]
    return lambda: len(bench.detections.add_samples(samples))


def _mistaken_boxes(bench: Bench) -> Timed:
    def timed() -> None:
        brain_of(bench).compute_mistakenness(bench.detections, "predictions", "ground_truth")

    return timed


_ALL = (
    Operation("add classes", _add_classes),
    Operation("hardness", _hardness, 50, needs="add classes"),
    Operation("mistakenness, evidence / logits", _by_logits, 50, needs="add classes"),
    Operation("mistakenness, confidence", _by_confidence, 50, needs="add classes"),
    Operation("add boxes", _add_boxes, share=SHARE),
    Operation("mistakenness of boxes", _mistaken_boxes, 50, needs="add boxes", share=SHARE),
)
OPERATIONS = {operation.name: operation for operation in _ALL}
