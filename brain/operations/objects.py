"""What the verbs on Detections read: the objects of a field as flat arrays, with the samples they belong to."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import FieldKindError
from ...dataset.types import SampleId
from ..kernels.boxes import Boxes, boxes_of
from ..kernels.probabilities import first_invalid_row, softmax
from .predictions import checked_confidence

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


class Objects(NamedTuple):
    """The objects of one field, of those samples that are scored.

    Attributes:
        path: of the list of labels, such as "predictions.detections".
        ids: for each sample the ids of its labels; None where it has no list.
        rows: the positions of the samples that are scored.
        lengths: how many objects each of these has.
        owners: of each object the sample.
        labels: of each object the class's name.
        boxes: of all objects; their images are positions in `rows`.
        confidences: of all objects; empty where they were not asked for.
    """

    path: str
    ids: list[list[str] | None]
    rows: list[int]
    lengths: list[int]
    owners: list[SampleId]
    labels: list[Any]
    boxes: Boxes
    confidences: NDArray[np.float64]

    def spread(self, values: Sequence[Any]) -> list[list[Any] | None]:
        """A value of each object as a list for each sample; None for samples that are not scored."""
        column: list[list[Any] | None] = [None] * len(self.ids)
        at = 0
        for row, length in zip(self.rows, self.lengths, strict=True):
            column[row] = list(values[at : at + length])
            at += length
        return column


def object_paths(field: str) -> list[str]:
    """The paths that `read_objects` looks at."""
    return [f"{field}.detections.{name}" for name in ("label", "bounding_box", "confidence", "id")]


def rows_with(fields: Sequence[str], columns: Mapping[str, list[Any]]) -> list[int]:
    """The positions of the samples that have a list of objects, though an empty one, in each of some fields."""
    labels = [columns[object_paths(field)[0]] for field in fields]
    return [row for row, lists in enumerate(zip(*labels, strict=True)) if all(one is not None for one in lists)]


def classes_in(fields: Sequence[str], columns: Mapping[str, list[Any]], rows: Sequence[int]) -> list[Any]:
    """The names of the classes of objects, in the order of their first use."""
    return list(dict.fromkeys(name for f in fields for row in rows for name in columns[object_paths(f)[0]][row]))


def read_objects(
    field: str, ids: Sequence[SampleId], columns: Mapping[str, list[Any]], rows: list[int], classes: Sequence[Any],
    *, with_confidence: bool,
) -> Objects:  # fmt: skip
    """The objects of a field as arrays.

    Args:
        field: a field of Detections.
        ids: all samples.
        columns: at least the paths that `object_paths` names.
        rows: the positions of the samples that are scored.
        classes: the names of the classes.
        with_confidence: whether each object must have a confidence.

    Raises:
        FieldKindError: if a box or a needed confidence is missing or cannot be, naming the sample.
    """
    labels, boxes, confidences, label_ids = (columns[path] for path in object_paths(field))
    lengths = [len(labels[row]) for row in rows]
    owners = [ids[row] for row in rows for _ in labels[row]]
    flat = [box for row in rows for box in boxes[row]]
    has_four = [box is not None and len(box) == 4 for box in flat]
    corners = np.array(
        [box if fine else [np.nan] * 4 for box, fine in zip(flat, has_four, strict=True)], dtype=np.float64
    )
    corners = corners.reshape(-1, 4)
    bad = np.flatnonzero(~(np.isfinite(corners).all(axis=1) & (corners[:, 2:] >= 0).all(axis=1)))
    if len(bad):
        raise FieldKindError(
            f"an object in {field!r} of sample {owners[bad[0]]} has the box {flat[bad[0]]}. Correct or remove it."
        )
    position_of = {name: k for k, name in enumerate(classes)}
    flat_labels = [name for row in rows for name in labels[row]]
    kinds = [position_of[name] for name in flat_labels]
    images = np.repeat(np.arange(len(rows)), lengths)
    sure: list[float] = []
    if with_confidence:
        given = [confidence for row in rows for confidence in confidences[row]]
        sure = [checked_confidence(field, owner, c) for owner, c in zip(owners, given, strict=True)]
    return Objects(
        f"{field}.detections", label_ids, rows, lengths, owners, flat_labels, boxes_of(images, corners, kinds),
        np.array(sure),
    )  # fmt: skip


def probability_paths(samples: "SampleCollection", field: str) -> list[str]:
    """The paths of attributes with the probabilities of an object's classes that there are, the preferred one first."""
    known = samples._schema().paths()
    return [path for name in ("probabilities", "logits") if (path := f"{field}.detections.{name}") in known]


def object_probabilities(objects: Objects, paths: Sequence[str], columns: Mapping[str, list[Any]]) -> Any:
    """The probabilities of the classes of all objects as (objects, classes), or None if no object has any.

    Raises:
        FieldKindError: if some objects have none, or another number, or they are none, naming the sample.
    """
    for path in paths:
        values = [value for row in objects.rows for value in columns[path][row]]
        if all(value is None for value in values):
            continue
        width = next(len(value) for value in values if value is not None)
        for owner, value in zip(objects.owners, values, strict=True):
            if value is None or len(value) != width or width == 0:
                told = "none" if value is None else len(value)
                raise FieldKindError(
                    f"an object in {path!r} of sample {owner} has {told} numbers and another has {width}; expected one "
                    "for each class on every object, or on none."
                )
        matrix = np.array([np.asarray(value) for value in values], dtype=np.float64)
        is_logits = path.endswith(".logits")
        bad = first_invalid_row(matrix) if not is_logits else _first_without_maximum(matrix)
        if bad is not None:
            expected = "numbers without NaN" if is_logits else "none below 0 and a sum of 1"
            raise FieldKindError(
                f"{path!r} of an object of sample {objects.owners[bad]} is {matrix[bad].tolist()}; expected {expected}."
            )
        return softmax(matrix) if is_logits else matrix
    return None


def _first_without_maximum(matrix: NDArray[np.float64]) -> int | None:
    bad = np.flatnonzero(~np.isfinite(matrix.max(axis=1)))  # the maximum of a row with NaN is NaN
    return int(bad[0]) if len(bad) else None
