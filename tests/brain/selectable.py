"""A small dataset that has something for every strategy of a selection, and what is known about it."""

from datetime import UTC, datetime, timedelta

import numpy as np

import saccade as sc

COUNT = 48
CLASSES = ["car", "bus", "bike"]
WEATHER = ["sunny"] * 5 + ["rain"] * 2 + ["fog"]
"""The weather of each eight samples."""
START = datetime(2024, 5, 1, tzinfo=UTC)


def numbered(name="street", count=COUNT):
    """Sample i has the number i in many forms; vectors lie on a circle in the order of the numbers."""
    dataset = sc.Dataset(name)
    dataset.default_classes = CLASSES
    dataset.add_samples([sc.Sample(**fields(number, count)) for number in range(count)], dynamic=True)
    return dataset


def fields(number, count=COUNT):
    angle = 2 * np.pi * number / count
    kind = number % 3
    logits = np.log(np.full(3, 0.1) + 0.7 * (np.arange(3) == kind))
    boxes = [box(kind, angle + 0.01 * turn) for turn in range(number % 4)]
    return {
        "filepath": f"/street/{number:03}.png",
        "embedding": np.array([np.cos(angle), np.sin(angle), 0.0]),
        "weather": WEATHER[number % 8],
        "is_night": number % 4 == 0,
        "number": number,
        "brightness": float(number),
        "taken": START + timedelta(seconds=10 * number),
        "video": f"v{number % 6}",
        "cost": float(1 + number % 5),
        "guess": sc.Classification(label=CLASSES[kind], logits=logits),
        "guess_uncertainty_margin": number / count,
        "truth": sc.Classification(label=CLASSES[kind]),
        "several": sc.Classifications(classifications=[sc.Classification(label=CLASSES[k]) for k in {0, kind}]),
        "boxes": sc.Detections(detections=boxes),
    }


def box(kind, angle):
    return sc.Detection(
        label=CLASSES[kind], bounding_box=[0.1, 0.1, 0.3, 0.3], confidence=0.9,
        probabilities=[0.8 if k == kind else 0.1 for k in range(3)], embedding=np.array([np.cos(angle), np.sin(angle)]),
    )  # fmt: skip


def numbers_of(selection):
    """The numbers of the picks, in order."""
    number_of = dict(zip(*selection.run.dataset.values(["id", "number"]), strict=True))
    return [number_of[one] for one in selection.ids]


def gaps(numbers, count=COUNT):
    """How far apart neighbours on the circle are, in numbers."""
    ordered = sorted(numbers)
    return [(after - before) % count for before, after in zip(ordered, [*ordered[1:], ordered[0] + count], strict=True)]


def pair(source, kind, /, **options):
    return {"input": source, "strategy": {"type": kind, **options}}
