"""What is measured: each operation on a library that has FiftyOne's words.

A function prepares, which is not timed, and returns what is timed. What that returns is compared between the libraries.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import shapes

OURS = "saccade"


class Bench:
    """One library, its dataset of photos, and the data that goes in."""

    def __init__(self, library: str, samples: int, dimension: int, cache: Path) -> None:
        """Import the library; nothing is stored yet."""
        self.is_ours = library == OURS
        self.library: Any = import_module(library)
        if not self.is_ours:
            self.library.config.show_progress_bars = False
        self.samples = samples
        self.dimension = dimension
        self.cache = cache
        self.photos = shapes.Photos(samples)
        self.dataset: Any = None
        self.detections: Any = None

    def new_dataset(self, name: str) -> Any:
        """An empty dataset in place of the one of this name."""
        if self.library.dataset_exists(name):
            self.library.delete_dataset(name)
        return self.library.Dataset(name, persistent=True)

    def labels(self) -> dict[str, list[Any]]:
        """The labels of the photos, as objects of the library."""
        make, photos = self.library.Classification, self.photos
        return {
            "ground_truth": [make(label=photos.names[number]) for number in photos.truth],
            "predictions": [
                make(label=photos.names[number], confidence=confidence, logits=logits)
                for number, confidence, logits in zip(photos.predicted, photos.confidences, photos.logits, strict=True)
            ],
        }

    def columns(self) -> dict[str, list[Any]]:
        """All fields of the photos."""
        return {"filepath": self.photos.filepaths, **self.labels(), **self.photos.numbers}

    def sample_objects(self) -> list[Any]:
        """The photos as samples of the library."""
        columns = self.columns()
        rows = zip(*columns.values(), strict=True)
        return [self.library.Sample(**dict(zip(columns, row, strict=True))) for row in rows]

    def field(self, path: str) -> Any:
        """An expression that reads a field."""
        return self.library.ViewField(path)

    def tenth(self) -> Any:
        """A view of a tenth of the photos."""
        return self.dataset.limit(self.samples // 10)


Timed = Callable[[], Any]


@dataclass(frozen=True)
class Operation:
    """Something to measure.

    Attributes:
        name: what the table calls it.
        prepare: makes what is timed.
        goal: how many times faster than the peer it shall be.
        needs: the operation whose result it uses.
        versus: the peer's operation to compare with, where it has none of its own.
        share: it handles one in so many samples.
    """

    name: str
    prepare: Callable[[Bench], Timed]
    goal: float | None = None
    needs: str | None = None
    versus: str | None = None
    share: int = 1


OPERATIONS: dict[str, Operation] = {}


def operation(name: str, goal: float | None = None, **more: Any) -> Callable[[Callable[[Bench], Timed]], Timed]:
    """Enter a function into the list."""

    def enter(prepare: Callable[[Bench], Timed]) -> Any:
        OPERATIONS[name] = Operation(name, prepare, goal, **more)
        return prepare

    return enter


# --- samples in and out ---------------------------------------------------------------------------------------------


@operation("build Sample objects")
def _build(bench: Bench) -> Timed:
    return lambda: len(bench.sample_objects())


@operation("add_samples", 20)
def _add_samples(bench: Bench) -> Timed:
    samples = bench.sample_objects()
    bench.dataset = bench.new_dataset("photos")
    return lambda: len(bench.dataset.add_samples(samples))


@operation("add_columns", 40, versus="add_samples")
def _add_columns(bench: Bench) -> Timed:
    columns = bench.columns()
    dataset = bench.new_dataset("columns")
    return lambda: len(dataset.add_columns(columns))


@operation("iter_samples", 8, needs="add_samples")
def _iter_samples(bench: Bench) -> Timed:
    return lambda: sum(sample.f1 for sample in bench.dataset.iter_samples())


@operation("iter_batches", 30, needs="add_samples", versus="iter_samples")
def _iter_batches(bench: Bench) -> Timed:
    return lambda: sum(sum(batch["f1"]) for batch in bench.dataset.iter_batches("f1"))


@operation("iter_samples, autosave a tenth", 1, needs="add_samples", share=10)
def _autosave(bench: Bench) -> Timed:
    view, more = bench.tenth(), float(np.random.default_rng().random())

    def change_each() -> None:
        for sample in view.iter_samples(autosave=True):
            sample["changed"] = sample.f1 + more

    return change_each


# --- columns --------------------------------------------------------------------------------------------------------


@operation("values, float", 4, needs="add_samples")
def _values_float(bench: Bench) -> Timed:
    return lambda: bench.dataset.values("f1")


@operation("values, three floats", needs="add_samples")
def _values_three(bench: Bench) -> Timed:
    return lambda: bench.dataset.values(["f0", "f1", "f2"])


@operation("values, label", needs="add_samples")
def _values_label(bench: Bench) -> Timed:
    return lambda: bench.dataset.values("predictions.label")


@operation("values, logits", 12, needs="add_samples")
def _values_logits(bench: Bench) -> Timed:
    return lambda: bench.dataset.values("predictions.logits")


@operation("set_values, new field", 2.5, needs="add_samples")
def _set_new(bench: Bench) -> Timed:
    values = shapes.scores(bench.samples, 4)
    if bench.dataset.has_sample_field("score"):
        bench.dataset.delete_sample_field("score")
    return lambda: bench.dataset.set_values("score", values)


@operation("set_values, old field", 2.5, needs="add_samples")
def _set_old(bench: Bench) -> Timed:
    values = shapes.scores(bench.samples, 5)
    return lambda: bench.dataset.set_values("score", values)


@operation("set three fields at once", 6, needs="add_samples")
def _set_three(bench: Bench) -> Timed:
    columns = {f"score_{seed}": shapes.scores(bench.samples, seed) for seed in (6, 7, 8)}
    if not bench.is_ours:

        def write_each() -> None:
            for name, values in columns.items():
                bench.dataset.set_values(name, values)

        return write_each
    from saccade.dataset.columns import read_ids, write_scalars

    return lambda: write_scalars(bench.dataset, columns, read_ids(bench.dataset))


# --- questions ------------------------------------------------------------------------------------------------------


@operation("histogram_values, 50 bins", 8, needs="add_samples")
def _histogram(bench: Bench) -> Timed:
    return lambda: sum(bench.dataset.histogram_values("f2", bins=50)[0])


@operation("count", 1, needs="add_samples")
def _count(bench: Bench) -> Timed:
    return bench.dataset.count


@operation("match, count", 1, needs="add_samples")
def _match(bench: Bench) -> Timed:
    view = bench.dataset.match(bench.field("f1") > 0.5)
    return view.count


@operation("match, sort_by, 100 samples", 1, needs="add_samples")
def _sort(bench: Bench) -> Timed:
    view = bench.dataset.match(bench.field("f1") > 0.2).sort_by("f2", reverse=True).limit(100)
    return lambda: [sample.filepath for sample in view]


@operation("count_values", 1, needs="add_samples")
def _count_values(bench: Bench) -> Timed:
    return lambda: sorted(bench.dataset.count_values("ground_truth.label").items())


@operation("distinct", 1, needs="add_samples")
def _distinct(bench: Bench) -> Timed:
    return lambda: bench.dataset.distinct("predictions.label")


@operation("bounds", 1, needs="add_samples")
def _bounds(bench: Bench) -> Timed:
    return lambda: list(bench.dataset.bounds("f2"))


@operation("mean", 1, needs="add_samples")
def _mean(bench: Bench) -> Timed:
    return lambda: bench.dataset.mean("f2")


@operation("tag, untag a tenth", 1, needs="add_samples")
def _tags(bench: Bench) -> Timed:
    view = bench.tenth()

    def tag_and_untag() -> None:
        view.tag_samples("marked")
        view.untag_samples("marked")

    return tag_and_untag


# --- vectors --------------------------------------------------------------------------------------------------------


@operation("store vectors", 6, needs="add_samples")
def _store_vectors(bench: Bench) -> Timed:
    matrix = shapes.vectors(bench.samples, bench.dimension)
    if bench.dataset.has_sample_field("embedding"):
        bench.dataset.delete_sample_field("embedding")
    return lambda: bench.dataset.set_values("embedding", matrix)


@operation("load vectors, first time", 8, needs="store vectors")
def _load_vectors(bench: Bench) -> Timed:
    shutil.rmtree(bench.cache, ignore_errors=True)
    return _loading(bench)


@operation("load vectors, again", 25, needs="store vectors", versus="load vectors, first time")
def _load_again(bench: Bench) -> Timed:
    return _loading(bench)


def _loading(bench: Bench) -> Timed:
    if bench.is_ours:
        from saccade.dataset.columns import read_vectors

        return lambda: read_vectors(bench.dataset, "embedding")[1]
    return lambda: np.array(bench.dataset.values("embedding"), dtype=np.float32)


# --- detections -----------------------------------------------------------------------------------------------------


@operation("10 boxes: add_samples", 5, share=20)
def _add_boxes(bench: Bench) -> Timed:
    library, photos = bench.library, bench.photos
    count = bench.samples // 20
    places, classes, confidences = (array.tolist() for array in shapes.boxes(count))
    samples = [
        library.Sample(
            filepath=photos.filepaths[row],
            boxes=library.Detections(
                detections=[
                    library.Detection(label=photos.names[number], bounding_box=box, confidence=confidence)
                    for box, number, confidence in zip(places[row], classes[row], confidences[row], strict=True)
                ]
            ),
        )
        for row in range(count)
    ]
    bench.detections = bench.new_dataset("boxes")
    return lambda: len(bench.detections.add_samples(samples))


@operation("10 boxes: values, label", 5, needs="10 boxes: add_samples", share=20)
def _values_boxes(bench: Bench) -> Timed:
    return lambda: bench.detections.values("boxes.detections.label")


@operation("10 boxes: filter_labels, read", 5, needs="10 boxes: add_samples", share=20)
def _filter_boxes(bench: Bench) -> Timed:
    view = bench.detections.filter_labels("boxes", bench.field("confidence") > 0.5)
    return lambda: sum(len(sample.boxes.detections) for sample in view)


@operation("10 boxes: filter_labels, count", 1, needs="10 boxes: add_samples", share=20)
def _count_boxes(bench: Bench) -> Timed:
    view = bench.detections.filter_labels("boxes", bench.field("confidence") > 0.5)
    return lambda: view.count("boxes.detections")
