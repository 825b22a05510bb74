"""Mistakenness of detections, for `compute_mistakenness`. The arithmetic is `kernels.object_mistakenness`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dataset.labels import Detection
from ...dataset.schema import BooleanField, Field, FloatField, IntField, StringField
from ...dataset.store import codec
from ...dataset.types import Bson, SampleId
from ..kernels.boxes import Boxes
from ..kernels.ensembles import Joined, ensemble_mistakenness, joined
from ..kernels.object_mistakenness import object_confidence_mistakenness
from .masks import overlaps_with_masks
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


def fields_of(names: Names, given: str, predicted: Sequence[str], method: str) -> dict[str, Field]:
    """What is written, by path: first the score of samples."""
    labels, by = f"{given}.detections", " and ".join(map(repr, predicted))
    found: dict[str, Field] = {
        names.score: FloatField(description=f"how likely something is wrong with {given!r}, 0 to 1, by {by}"),
        names.missing: IntField(description=f"how many objects are probably missing in {given!r}"),
        names.spurious: IntField(description=f"how many objects in {given!r} are probably none"),
        f"{labels}.{names.score}": FloatField(description="how likely the class is wrong, 0 to 1"),
        f"{labels}.{names.score}_loc": FloatField(description="how likely the box lies wrongly, 0 to 1"),
        f"{labels}.{names.spurious}": BooleanField(description="whether there is probably no object"),
        **{
            f"{one}.detections.{names.missing}": BooleanField(
                description=f"whether it is probably missing in {given!r}"
            )
            for one in predicted
        },
        f"{labels}.{names.missing}": BooleanField(description="whether it was added, since it was missing"),
    }
    if method == "evidence":
        found |= {
            f"{labels}.{names.score}_spurious": FloatField(description="how likely there is no object, 0 to 1"),
            f"{labels}.{names.score}_suggestion": StringField(description="the class that the model sees instead"),
            **{
                f"{one}.detections.{names.score}_missing": FloatField(description="how likely it was left out, 0 to 1")
                for one in predicted
            },
        }
    return found


def judge_objects(
    samples: "SampleCollection", given: str, predicted: Sequence[str], names: Names, asked: Asked, verb: str
) -> dict[str, Any]:
    """Score objects and samples, write the scores, and give the facts about them."""
    fields = [given, *predicted]
    ids, columns = read_columns(samples, [path for field in fields for path in object_paths(field)])
    rows = rows_with(fields, columns)
    classes = classes_in(fields, columns, rows)
    ours = read_objects(given, ids, columns, rows, classes, with_confidence=False)
    theirs = [read_objects(field, ids, columns, rows, classes, with_confidence=True) for field in predicted]
    both = joined([side.boxes for side in theirs], [side.confidences for side in theirs])
    judged = (_by_evidence if asked.method == "evidence" else _by_confidence)(
        samples, ids, ours, theirs, both, classes, names, asked
    )
    missing = judged.missing & judged.is_chosen
    has_objects = np.bincount(np.r_[ours.boxes.images, both.boxes.images], minlength=len(rows)) > 0
    scores: list[Any] = [None] * len(ids)
    for row, value, some in zip(rows, _or_none(judged.images), has_objects.tolist(), strict=True):
        scores[row] = value if some else None  # where there is no box there is nothing to score
    scalars = {
        names.score: scores,
        names.missing: _counts(len(ids), rows, both.boxes, missing),
        names.spurious: _counts(len(ids), rows, ours.boxes, judged.spurious),
    }
    marks = {names.spurious: [True if one else None for one in judged.spurious.tolist()]}
    on_given = {name: ours.spread(values) for name, values in {**judged.on_given, **marks}.items()}
    added: dict[int, list[Bson]] = {}
    objects: dict[str, ObjectScores] = {}
    for side, left_out, counted, likely in zip(
        theirs, both.split(judged.missing), both.split(missing), judged.on_predicted, strict=True
    ):
        values = {**likely, names.missing: [True if one else None for one in left_out.tolist()]}
        objects[side.path] = ObjectScores(side.ids, {name: side.spread(v) for name, v in values.items()}, {})
        if asked.copy_missing:
            _add(added, side, counted, names.missing)
    objects[ours.path] = ObjectScores(ours.ids, on_given, added)
    known = [score for score in scores if score is not None]
    facts = {
        **summary_of(known, len(ids)),
        names.missing: int(missing.sum()),
        names.spurious: int(judged.spurious.sum()),
    }
    write_object_scores(samples, ids, scalars, objects, fields_of(names, given, predicted, asked.method), verb=verb)
    return facts


class _Judged(NamedTuple):
    """What was found: of images, of given boxes and of all predicted ones, and what each object gets beside marks."""

    images: NDArray[np.float64]
    spurious: NDArray[np.bool_]
    missing: NDArray[np.bool_]
    is_chosen: NDArray[np.bool_]
    on_given: dict[str, Sequence[Any]]
    on_predicted: list[dict[str, Sequence[Any]]]


def _by_evidence(
    samples: "SampleCollection", ids: Sequence[SampleId], ours: Objects, theirs: Sequence[Objects], both: Joined,
    classes: Sequence[Any], names: Names, asked: Asked,
) -> _Judged:  # fmt: skip
    pairs = overlaps_with_masks(samples, ids, ours, theirs, both)
    found, is_chosen = ensemble_mistakenness(
        ours.boxes, both, len(ours.rows), max(len(classes), 1), iou=asked.iou, pairs=pairs
    )
    on_given: dict[str, Sequence[Any]] = {
        names.score: found.swapped.tolist(), f"{names.score}_loc": found.misplaced.tolist(),
        f"{names.score}_spurious": found.spurious.tolist(),
        f"{names.score}_suggestion": [classes[k] if k >= 0 else None for k in found.suggestions.tolist()],
    }  # fmt: skip
    likely: list[dict[str, Sequence[Any]]] = [
        {f"{names.score}_missing": values.tolist()} for values in both.split(found.missing)
    ]
    return _Judged(found.images, found.spurious > 0.5, found.missing > 0.5, is_chosen, on_given, likely)


def _by_confidence(
    _samples: "SampleCollection", _ids: Sequence[SampleId], ours: Objects, theirs: Sequence[Objects], both: Joined,
    _classes: Sequence[Any], names: Names, asked: Asked,
) -> _Judged:  # fmt: skip
    plain = object_confidence_mistakenness(
        ours.boxes, both.boxes, both.confidences, iou=asked.iou, missing_confidence=asked.missing_confidence
    )
    images = np.full(len(ours.rows), np.nan)
    np.fmax.at(images, ours.boxes.images, plain.classes)
    on_given: dict[str, Sequence[Any]] = {
        names.score: _or_none(plain.classes),
        f"{names.score}_loc": _or_none(plain.places),
    }
    every = np.ones(len(both.models), dtype=bool)
    return _Judged(images, plain.spurious, plain.missing, every, on_given, [{} for _ in theirs])


def _or_none(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _counts(count: int, rows: list[int], boxes: Boxes, chosen: NDArray[np.bool_]) -> list[int | None]:
    """How many chosen objects each sample has; None for samples that are not scored."""
    column: list[int | None] = [None] * count
    for row, number in zip(rows, np.bincount(boxes.images[chosen], minlength=len(rows)).tolist(), strict=True):
        column[row] = number
    return column


def _add(found: dict[int, list[Bson]], theirs: Objects, missing: NDArray[np.bool_], name: str) -> None:
    """Put documents of labels for the missing objects of a field under the position of their sample."""
    for position in np.flatnonzero(missing).tolist():
        left, top, right, bottom = theirs.boxes.corners[position].tolist()
        label = Detection(
            label=theirs.labels[position], bounding_box=[left, top, right - left, bottom - top],
            confidence=float(theirs.confidences[position]), **{name: True},
        )  # fmt: skip
        row = theirs.rows[int(theirs.boxes.images[position])]
        found.setdefault(row, []).append(codec.encode(label, theirs.path))
