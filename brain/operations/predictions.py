"""What the label-related verbs read: labels and predictions as columns, with the names of the classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset import journal
from ...dataset.errors import FieldKindError, SchemaError
from ...dataset.schema import EmbeddedDocumentField, VectorField
from ...dataset.schema.documents import extends
from ...dataset.types import BoolArray, IntArray, SampleId
from ..kernels.probabilities import sigmoid, softmax

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

Array = NDArray[Any]


def kind_of(samples: "SampleCollection", field: str, accepted: Sequence[str], *, verb: str) -> str:
    """Which of the accepted kinds of labels a field holds.

    Raises:
        FieldNotFoundError: if there is no such field.
        FieldKindError: if it holds something else.
    """
    found = samples._schema().resolve(field, samples._title()).field
    if isinstance(found, EmbeddedDocumentField):
        for kind in accepted:
            if extends(found.document_type, kind):
                return kind
    raise FieldKindError(f"field {field!r} holds {found}; {verb} works on {', '.join(accepted)}.")


def read_columns(samples: "SampleCollection", paths: Sequence[str]) -> tuple[list[SampleId], dict[str, list[Any]]]:
    """Read paths of all samples in one pass, lists of labels among them; None where something is missing."""
    tops = list(dict.fromkeys(path.split(".")[0] for path in paths))
    ids, *found = journal.stable_read(samples._root._id, tops, lambda: samples.values(["id", *paths]))
    return ids, dict(zip(paths, found, strict=True))


@dataclass(frozen=True)
class Answers:
    """What a model says about those samples for which it says anything.

    Attributes:
        rows: (m,) positions of these samples.
        probabilities: (m, c) float64. Of multi-label predictions each class by itself, else each row sums to 1.
        labels: what it predicts, as stored; of multi-label predictions a list.
        classes: the c names.
    """

    rows: IntArray
    probabilities: NDArray[np.float64]
    labels: list[Any]
    classes: list[str]


def class_names(samples: "SampleCollection", field: str) -> list[str]:
    """The names of a label field's classes: those of the field, else the default ones, else none."""
    root = samples._root
    return list(root.classes.get(field) or root.default_classes)


def attributes_of(field: str, kind: str) -> list[str]:
    """The paths that `answers_of` looks at."""
    inner = f"{field}.classifications" if kind == "Classifications" else field
    return [f"{inner}.label", f"{inner}.confidence", f"{field}.logits"]


def answers_of(
    samples: "SampleCollection", field: str, kind: str, ids: Sequence[SampleId],
    columns: Mapping[str, list[Any]], *, known: Sequence[str] = (), named: bool = True,
) -> Answers:  # fmt: skip
    """Turn predictions into probabilities.

    Logits go through softmax; those of several classes each through sigmoid. A prediction without them is taken at its
    word: its class has its confidence, and the others share the rest; or, of several classes each, those predicted have
    their confidence and the others 0.

    Args:
        samples: the dataset or view.
        field: a field of `kind`.
        kind: "Classification" or "Classifications".
        ids: the samples.
        columns: at least the paths that `attributes_of` names.
        known: names of classes that must be among those of the result, such as those of given labels.
        named: whether the names matter. If not, logits need none.

    Raises:
        SchemaError: if logits cannot be told which class is which.
        FieldKindError: if logits have different lengths, hold NaN, or are missing together with the confidence.
    """
    labels, confidences, logits = (columns[path] for path in attributes_of(field, kind))
    rows = [i for i, label in enumerate(labels) if label is not None or logits[i] is not None]
    having = [position for position, row in enumerate(rows) if logits[row] is not None]
    matrix = stacked_logits(field, ids, logits, [rows[position] for position in having])
    several = kind == "Classifications"
    told = [labels[row] or [] if several else [labels[row]] for row in rows]
    if having and not named:
        classes = [str(k) for k in range(matrix.shape[1])]
    else:
        names = class_names(samples, field)
        if having:
            check_width(samples, field, matrix.shape[1], names)
        classes = list(dict.fromkeys([*names, *known, *(name for one in told for name in one if name is not None)]))
    probabilities = np.zeros((len(rows), len(classes)))
    if having:
        probabilities[having, : matrix.shape[1]] = (sigmoid if several else softmax)(matrix)
    position_of = {name: k for k, name in enumerate(classes)}
    for position in sorted(set(range(len(rows))) - set(having)):
        row = rows[position]
        if having and not named:
            raise FieldKindError(f"{field!r} on sample {ids[row]} has no logits, though others have. Add them.")
        sure = confidences[row] if several else [confidences[row]]
        for name, confidence in zip(told[position], sure, strict=True):
            given = checked_confidence(field, ids[row], confidence)
            if not several:
                probabilities[position] = (1 - given) / max(len(classes) - 1, 1)
            probabilities[position, position_of[name]] = given if several or len(classes) > 1 else 1.0
    return Answers(np.array(rows, dtype=np.int64), probabilities, [labels[row] for row in rows], classes)


def stacked_logits(field: str, ids: Sequence[SampleId], logits: Sequence[Any], rows: Sequence[int]) -> Array:
    """The logits of some rows as one matrix.

    Raises:
        FieldKindError: if some are missing or of another length, or a row holds NaN or no finite maximum.
    """
    if not rows:
        return np.empty((0, 0))
    chosen = [logits[row] for row in rows]
    without = next((row for row, one in zip(rows, chosen, strict=True) if one is None), None)
    if without is not None:
        raise FieldKindError(f"{field!r} on sample {ids[without]} has no logits. Add them, or leave the sample out.")
    lengths = dict(zip(map(len, chosen), rows, strict=True))
    if len(lengths) > 1 or 0 in lengths:
        told = " and ".join(f"{length} on sample {ids[row]}" for length, row in list(lengths.items())[:2])
        raise FieldKindError(f"the logits in field {field!r} have different lengths, or none: {told}.")
    matrix = np.stack(chosen)
    bad = np.flatnonzero(~np.isfinite(matrix.max(axis=1)))
    if len(bad):
        raise FieldKindError(
            f"the logits in field {field!r} of sample {ids[rows[bad[0]]]} hold NaN, infinity, or no finite number. "
            "Correct them, or leave the sample out."
        )
    return matrix


def check_width(samples: "SampleCollection", field: str, width: int, names: Sequence[str]) -> None:
    """Refuse logits that do not have one number per class."""
    if width != len(names):
        source = f"classes[{field!r}]" if samples._root.classes.get(field) else "default_classes"
        raise SchemaError(
            f"the logits in field {field!r} have {width} numbers, but the dataset's {source} has {len(names)} names. "
            f"Set dataset.classes = {{{field!r}: [...]}} or dataset.default_classes, in the order of the logits."
        )


def checked_confidence(field: str, sample_id: SampleId, confidence: Any) -> float:
    """A confidence in [0, 1].

    Raises:
        FieldKindError: if there is none, or it is another number.
    """
    if confidence is None or not 0 <= confidence <= 1:
        raise FieldKindError(
            f"{field!r} on sample {sample_id} has no logits and the confidence {confidence}; expected logits, or a "
            "confidence in [0, 1]. Is it the field with the predictions?"
        )
    return float(confidence)


def mean_answers(found: Sequence[Answers], count: int) -> tuple[BoolArray, NDArray[np.float64], list[str]]:
    """Average the answers of several models, for the samples that all of them answer.

    Args:
        found: of each model.
        count: how many samples there are.

    Returns:
        Which samples have answers of all, (count,); the mean probabilities of these; and the classes.
    """
    answered = np.ones(count, dtype=bool)
    for one in found:
        has = np.zeros(count, dtype=bool)
        has[one.rows] = True
        answered &= has
    classes = list(dict.fromkeys(name for one in found for name in one.classes))
    total = np.zeros((int(answered.sum()), len(classes)))
    for one in found:
        kept = answered[one.rows]
        total[:, [classes.index(name) for name in one.classes]] += one.probabilities[kept]
    return answered, total / len(found), classes


def names_in(labels: Sequence[Any], kind: str) -> list[str]:
    """The classes that labels name, in the order of their first use."""
    return list(dict.fromkeys(name for label in labels if label is not None for name in listed(label, kind)))


def listed(label: Any, kind: str) -> list[str]:
    """The classes that one sample's label names."""
    return [name for name in label if name is not None] if kind == "Classifications" else [label]


def numbered(labels: Sequence[Any], kind: str, classes: Sequence[str]) -> Array:
    """Labels as class numbers, (n,); or, of several classes each, as booleans, (n, c)."""
    position_of = {name: k for k, name in enumerate(classes)}
    if kind == "Classification":
        return np.array([position_of[label] for label in labels], dtype=np.int64)
    is_given = np.zeros((len(labels), len(classes)), dtype=bool)
    for row, label in enumerate(labels):
        is_given[row, [position_of[name] for name in listed(label, kind)]] = True
    return is_given


def has_vectors(samples: "SampleCollection", field: str) -> bool:
    """Whether there is such a vector field."""
    schema = samples._schema()
    return field in schema and isinstance(schema[field], VectorField)
