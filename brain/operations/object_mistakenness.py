"""Mistakenness of detections, for `compute_mistakenness`. The arithmetic is `kernels.object_mistakenness`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dataset.labels import Detection
from ...dataset.schema import BooleanField, Field, FloatField, IntField, StringField
from ...dataset.store import codec
from ...dataset.types import Bson
from ..kernels.boxes import Boxes
from ..kernels.object_mistakenness import object_confidence_mistakenness, object_mistakenness
from .objects import Objects, classes_in, object_paths, read_objects, rows_with
from .predictions import read_columns
from .scoring import ObjectScores, summary_of, write_object_scores

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


class Names(NamedTuple):
    """Under which names scores are written."""

    score: str
    missing: str
    spurious: str


class Asked(NamedTuple):
    """How objects are judged."""

    method: str
    iou: float
    missing_confidence: float
    copy_missing: bool


def fields_of(names: Names, given: str, predicted: str, method: str) -> dict[str, Field]:
    """What is written, by path: first the score of samples."""
    labels, predictions = f"{given}.detections", f"{predicted}.detections"
    found: dict[str, Field] = {
        names.score: FloatField(description=f"how likely something is wrong with {given!r}, 0 to 1, by {predicted!r}"),
        names.missing: IntField(description=f"how many objects are probably missing in {given!r}"),
        names.spurious: IntField(description=f"how many objects in {given!r} are probably none"),
        f"{labels}.{names.score}": FloatField(description="how likely the class is wrong, 0 to 1"),
        f"{labels}.{names.score}_loc": FloatField(description="how likely the box lies wrongly, 0 to 1"),
        f"{labels}.{names.spurious}": BooleanField(description="whether there is probably no object"),
        f"{predictions}.{names.missing}": BooleanField(description=f"whether it is probably missing in {given!r}"),
        f"{labels}.{names.missing}": BooleanField(description="whether it was added, since it was missing"),
    }
    if method == "evidence":
        found |= {
            f"{labels}.{names.score}_spurious": FloatField(description="how likely there is no object, 0 to 1"),
            f"{labels}.{names.score}_suggestion": StringField(description="the class that the model sees instead"),
            f"{predictions}.{names.score}_missing": FloatField(description="how likely it was left out, 0 to 1"),
        }
    return found


def judge_objects(
    samples: "SampleCollection", given: str, predicted: str, names: Names, asked: Asked, verb: str
) -> dict[str, Any]:
    """Score objects and samples, write the scores, and give the facts about them."""
    ids, columns = read_columns(samples, [*object_paths(given), *object_paths(predicted)])
    rows = rows_with((given, predicted), columns)
    classes = classes_in((given, predicted), columns, rows)
    ours = read_objects(given, ids, columns, rows, classes, with_confidence=False)
    theirs = read_objects(predicted, ids, columns, rows, classes, with_confidence=True)
    on_given: dict[str, Sequence[Any]]
    if asked.method == "evidence":
        found = object_mistakenness(
            ours.boxes, theirs.boxes, theirs.confidences, len(rows), max(len(classes), 1), iou=asked.iou
        )
        image, missing, spurious = found.images, found.missing > 0.5, found.spurious > 0.5
        on_given = {
            names.score: found.swapped.tolist(), f"{names.score}_loc": found.misplaced.tolist(),
            f"{names.score}_spurious": found.spurious.tolist(),
            f"{names.score}_suggestion": [classes[k] if k >= 0 else None for k in found.suggestions.tolist()],
        }  # fmt: skip
        on_predicted: dict[str, Sequence[Any]] = {f"{names.score}_missing": found.missing.tolist()}
    else:
        plain = object_confidence_mistakenness(
            ours.boxes, theirs.boxes, theirs.confidences, iou=asked.iou, missing_confidence=asked.missing_confidence
        )
        image, missing, spurious = np.full(len(rows), np.nan), plain.missing, plain.spurious
        np.fmax.at(image, ours.boxes.images, plain.classes)
        on_given = {names.score: _or_none(plain.classes), f"{names.score}_loc": _or_none(plain.places)}
        on_predicted = {}
    has_objects = np.bincount(np.r_[ours.boxes.images, theirs.boxes.images], minlength=len(rows)) > 0
    scores: list[Any] = [None] * len(ids)
    for row, value, some in zip(rows, _or_none(image), has_objects.tolist(), strict=True):
        scores[row] = value if some else None  # where there is no box there is nothing to score
    on_given = {**on_given, names.spurious: [True if one else None for one in spurious.tolist()]}
    on_predicted = {**on_predicted, names.missing: [True if one else None for one in missing.tolist()]}
    scalars = {
        names.score: scores,
        names.missing: _counts(len(ids), rows, theirs.boxes, missing),
        names.spurious: _counts(len(ids), rows, ours.boxes, spurious),
    }
    added = _added(theirs, missing, names.missing) if asked.copy_missing else {}
    objects = {
        side.path: ObjectScores(side.ids, {name: side.spread(values) for name, values in attributes.items()}, new)
        for side, attributes, new in ((ours, on_given, added), (theirs, on_predicted, {}))
    }
    known = [score for score in scores if score is not None]
    facts = {**summary_of(known, len(ids)), names.missing: int(missing.sum()), names.spurious: int(spurious.sum())}
    write_object_scores(samples, ids, scalars, objects, fields_of(names, given, predicted, asked.method), verb=verb)
    return facts


def _or_none(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _counts(count: int, rows: list[int], boxes: Boxes, chosen: NDArray[np.bool_]) -> list[int | None]:
    """How many chosen objects each sample has; None for samples that are not scored."""
    column: list[int | None] = [None] * count
    for row, number in zip(rows, np.bincount(boxes.images[chosen], minlength=len(rows)).tolist(), strict=True):
        column[row] = number
    return column


def _added(theirs: Objects, missing: NDArray[np.bool_], name: str) -> dict[int, list[Bson]]:
    """Documents of labels for the missing objects, by sample."""
    found: dict[int, list[Bson]] = {}
    for position in np.flatnonzero(missing).tolist():
        left, top, right, bottom = theirs.boxes.corners[position].tolist()
        label = Detection(
            label=theirs.labels[position], bounding_box=[left, top, right - left, bottom - top],
            confidence=float(theirs.confidences[position]), **{name: True},
        )  # fmt: skip
        row = theirs.rows[int(theirs.boxes.images[position])]
        found.setdefault(row, []).append(codec.encode(label, theirs.path))
    return found
