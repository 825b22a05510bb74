"""`compute_active_learning_scores`: Lightly's scores as fields. The arithmetic is `kernels.active_learning`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...dataset import runs
from ...dataset.errors import FieldKindError, FieldNotFoundError, SchemaError, hint
from ...dataset.progress import shown
from ...dataset.schema import Field, FloatField
from ...dataset.types import IntArray, Progress, SampleId
from ..kernels.active_learning import (
    UNCERTAINTIES,
    largest_per_image,
    mean_uncertainty,
    object_frequency,
    objectness_least_confidence,
    pixel_means,
)
from ..kernels.probabilities import checked_probabilities, first_invalid_row
from .pixels import open_probabilities, read_rows
from .predictions import answers_of, attributes_of, checked_confidence, class_names, kind_of, read_columns
from .scoring import summary_of, write_scores

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_VERB = "compute_active_learning_scores"
_MEANS = {
    "uncertainty_least_confidence": "1 - the probability of the first class, 0 to 1",
    "uncertainty_margin": "1 - the lead of the first class over the second, 0 to 1",
    "uncertainty_entropy": "entropy of the classes, 0 to 1",
    "objectness_least_confidence": "1 - the mean confidence of the objects, 0 to 1; 0 without objects",
    "object_frequency": "how many objects and classes there are; RELATIVE to the samples scored in the same call",
    "mean_uncertainty": "1 - the mean confidence of the keypoints, 0 to 1; 0 without objects",
}
_NAMES = {
    "Classification": list(UNCERTAINTIES),
    "Detections": ["object_frequency", "objectness_least_confidence", *UNCERTAINTIES],
    "Segmentation": list(UNCERTAINTIES),
    "Keypoints": ["mean_uncertainty"],
}


def compute_active_learning_scores(
    samples: "SampleCollection",
    pred_field: str,
    scores: str | Sequence[str] | None = None,
    prefix: str | None = None,
    *,
    normalize: bool = False,
    frequency_penalty: float = 0.25,
    min_score: float = 0.9,
    progress: Progress = None,
) -> runs.Run:
    """Score samples by how unsure a model is of them, or how much it sees in them, by Lightly's names and formulas.

    * Classification: `uncertainty_least_confidence`, `uncertainty_margin`, `uncertainty_entropy`.
    * Detections: `object_frequency`, `objectness_least_confidence`, and the three above as the largest of any object.
    * Segmentation, with files of probabilities: the three as means over the pixels.
    * Keypoints: `mean_uncertainty`.

    Args:
        samples: a dataset or view.
        pred_field: the field with predictions. Probabilities come from the labels' attribute `probabilities`, a list,
            where there is one, else from the logits of a Classification, else from the confidence, the other classes
            sharing the rest. Those of a Segmentation come from a .npy file of (height, width, classes) that its
            attribute `probabilities_path` names.
        scores: one or some of the names; all that the field allows by default. "classification_scores" stands for the
            three of the classes.
        prefix: fields are named `<prefix>_<score>`; the field's name by default.
        normalize: divide probabilities by their sum, with NaN as 0, instead of refusing them if that is not 1.
        frequency_penalty: of `object_frequency`: what each further object of a class counts.
        min_score: of `object_frequency`: the score of the image with the fewest objects.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run; its `view()` begins with the highest first score.

    Writes:
        One float field for each score, in one action, higher is more worth labelling; None for samples without a
        prediction. `object_frequency` is relative to the samples of the call.

    Raises:
        FieldNotFoundError: if the field does not exist, or a score has none of the names.
        FieldKindError: if the field is of another kind, or probabilities are negative, NaN or do not sum to 1, naming
            the sample.
        SchemaError: if a parameter is outside [0, 1].
        UnreadableMediaError: if a file of probabilities cannot be read, naming it.

    Example:
        ```python
        scb.compute_active_learning_scores(dataset, "predictions", prefix="al")
        scb.select(dataset.sort_by("al_uncertainty_margin", reverse=True).limit(1000), n_samples=100)
        ```
    """
    kind = kind_of(samples, pred_field, list(_NAMES), verb=_VERB)
    asked = _NAMES[kind] if scores is None else [scores] if isinstance(scores, str) else scores
    whole = [name for one in asked for name in (UNCERTAINTIES if one == "classification_scores" else [one])]
    names = list(dict.fromkeys(whole))
    for name in names:
        if name not in _NAMES[kind]:
            raise FieldNotFoundError(f"there is no score {name!r} for {kind}. {hint(name, _NAMES[kind], 'Scores')}")
    if not all(isinstance(one, Real) and 0 <= one <= 1 for one in (frequency_penalty, min_score)):
        raise SchemaError(f"frequency_penalty={frequency_penalty!r} and min_score={min_score!r} must lie in [0, 1].")
    prefix = pred_field if prefix is None else prefix
    fields: dict[str, Field] = {f"{prefix}_{name}": FloatField(description=_MEANS[name]) for name in names}
    params = {"pred_field": pred_field, "scores": names, "normalize": normalize,
              "frequency_penalty": frequency_penalty, "min_score": min_score}  # fmt: skip
    with runs.record(
        samples, "active_learning_scores", key=f"{prefix}_active_learning", reads=[pred_field], writes=list(fields),
        params=params, one_action=True,
    ) as run:  # fmt: skip
        options = {"frequency_penalty": frequency_penalty, "min_score": min_score}
        with shown(samples.count(), progress) as advance:
            ids, rows, found = _SCORERS[kind](_Asked(samples, pred_field, names, normalize, options, advance))
        columns = {f"{prefix}_{name}": found[name] for name in names}
        run.facts = {path: summary_of(values, len(ids)) for path, values in columns.items()}
        write_scores(samples, ids, rows, {path: v.tolist() for path, v in columns.items()}, fields, verb=_VERB)
    return run


class _Asked(NamedTuple):
    """What is to be scored, and how."""

    samples: "SampleCollection"
    field: str
    names: list[str]
    normalize: bool
    options: dict[str, float]
    advance: Callable[[int], None]

    def has(self, path: str) -> bool:
        """Whether labels have an attribute."""
        return path in self.samples._schema().paths()


_Scored: TypeAlias = tuple[list[SampleId], IntArray, dict[str, NDArray[np.float64]]]
"""All ids, the rows that have scores, and these."""


def _of_classes(asked: _Asked) -> _Scored:
    path = f"{asked.field}.probabilities"
    given = [path] if asked.has(path) else []
    ids, columns = read_columns(asked.samples, [*attributes_of(asked.field, "Classification"), *given])
    listed = columns[path] if given else []
    rows: IntArray = np.array([row for row, one in enumerate(listed) if one is not None], dtype=np.int64)
    if len(rows):
        p = _checked(asked, path, [ids[row] for row in rows.tolist()], [listed[row] for row in rows.tolist()])
    else:
        found = answers_of(asked.samples, asked.field, "Classification", ids, columns, named=False)
        rows, p = found.rows, found.probabilities
    asked.advance(len(ids))
    return ids, rows, {name: UNCERTAINTIES[name](p) for name in asked.names}


def _of_detections(asked: _Asked) -> _Scored:
    inner = f"{asked.field}.detections"
    parts = {name: f"{inner}.{name}" for name in ("label", "confidence", "probabilities")}
    paths = [path for name, path in parts.items() if name in ("label", "confidence") or asked.has(path)]
    ids, columns = read_columns(asked.samples, paths)
    rows = [row for row, labels in enumerate(columns[parts["label"]]) if labels is not None]
    images = np.repeat(np.arange(len(rows)), [len(columns[parts["label"]][row]) for row in rows])
    flat = {path: [value for row in rows for value in columns[path][row]] for path in paths}
    labels, owners = flat[parts["label"]], [ids[rows[image]] for image in images.tolist()]
    sure = [checked_confidence(inner, owner, c) for owner, c in zip(owners, flat[parts["confidence"]], strict=True)]
    classes = list(dict.fromkeys([*class_names(asked.samples, asked.field), *labels]))
    found: dict[str, NDArray[np.float64]] = {}
    if set(asked.names) & set(UNCERTAINTIES):
        p = _of_objects(asked, owners, flat, parts, classes, sure)
        found = {name: largest_per_image(images, score(p), len(rows)) for name, score in UNCERTAINTIES.items()}
    position_of = {name: k for k, name in enumerate(classes)}
    numbers = [position_of[label] for label in labels]
    found["object_frequency"] = object_frequency(images, numbers, len(rows), **asked.options)
    found["objectness_least_confidence"] = objectness_least_confidence(images, sure, len(rows))
    asked.advance(len(ids))
    return ids, np.array(rows, dtype=np.int64), {name: found[name] for name in asked.names}


def _of_objects(
    asked: _Asked, owners: list[SampleId], flat: Mapping[str, list[Any]], parts: Mapping[str, str],
    classes: list[str], sure: Sequence[float],
) -> NDArray[np.float64]:  # fmt: skip
    """The probabilities of every object: as given, or its class having its confidence and the others the rest."""
    given = flat.get(parts["probabilities"], [])
    if any(one is not None for one in given):
        return _checked(asked, parts["probabilities"], owners, given)
    if len(classes) < 2:
        return np.array(sure, dtype=np.float64)[:, None]
    position_of = {name: k for k, name in enumerate(classes)}
    chosen = [position_of[label] for label in flat[parts["label"]]]
    p = np.repeat((1 - np.array(sure, dtype=np.float64))[:, None] / (len(classes) - 1), len(classes), axis=1)
    p[np.arange(len(sure)), chosen] = sure
    return p


def _of_pixels(asked: _Asked) -> _Scored:
    path = f"{asked.field}.probabilities_path"
    if not asked.has(path):
        raise FieldNotFoundError(
            f"labels in {asked.field!r} have no attribute 'probabilities_path'. "
            "Save the probabilities of each image as a .npy file of (height, width, classes), and name it there."
        )
    ids, columns = read_columns(asked.samples, [path])
    rows = [row for row, file in enumerate(columns[path]) if file is not None]
    found = {name: np.zeros(len(rows)) for name in asked.names}
    for position, row in enumerate(rows):
        for name, value in _of_file(asked, ids[row], columns[path][row]).items():
            found[name][position] = value
        asked.advance(1)
    asked.advance(len(ids) - len(rows))
    return ids, np.array(rows, dtype=np.int64), found


def _of_file(asked: _Asked, sample_id: SampleId, path: str) -> dict[str, float]:
    """The means over the pixels of one file, which is never in memory as a whole."""
    image = open_probabilities(path, sample_id)

    def blocks() -> Iterator[NDArray[np.float64]]:
        for block in read_rows(image):
            flat = block.reshape(-1, block.shape[2])
            yield _checked(asked, path, [sample_id] * len(flat), flat).reshape(block.shape)

    return pixel_means(blocks(), asked.names)


def _of_keypoints(asked: _Asked) -> _Scored:
    path = f"{asked.field}.keypoints.confidence"
    ids, columns = read_columns(asked.samples, [path])
    rows = [row for row, objects in enumerate(columns[path]) if objects is not None]
    images = np.repeat(np.arange(len(rows)), [len(columns[path][row]) for row in rows])
    objects = [one for row in rows for one in columns[path][row]]
    for image, one in zip(images.tolist(), objects, strict=True):
        for confidence in one or [None]:
            checked_confidence(path, ids[rows[image]], confidence)
    asked.advance(len(ids))
    scores = mean_uncertainty(images, objects, len(rows))
    return ids, np.array(rows, dtype=np.int64), dict.fromkeys(asked.names, scores)


_SCORERS: dict[str, Callable[[_Asked], _Scored]] = {
    "Classification": _of_classes,
    "Detections": _of_detections,
    "Segmentation": _of_pixels,
    "Keypoints": _of_keypoints,
}


def _checked(asked: _Asked, path: str, owners: Sequence[SampleId], values: Any) -> NDArray[np.float64]:
    """Probabilities, or an error that names the sample they belong to."""
    p = _stacked(path, owners, values)
    row = first_invalid_row(np.nan_to_num(p, nan=0.0, posinf=np.inf) if asked.normalize else p, any_sum=asked.normalize)
    if row is not None:
        remedy = f"Correct what {asked.field!r} holds{'' if asked.normalize else ', or pass normalize=True'}."
        raise FieldKindError(
            f"{path!r} of sample {owners[row]} are no probabilities: smallest {p[row].min():.4g}, sum "
            f"{p[row].sum():.4g}; expected none below 0 and a sum of 1. {remedy}"
        )
    return checked_probabilities(p, normalize=asked.normalize)


def _stacked(path: str, owners: Sequence[SampleId], values: Any) -> NDArray[np.float64]:
    """One row per value, or an error that names the sample whose value has another length."""
    if isinstance(values, np.ndarray):
        return values
    width = len(values[0]) if values and values[0] is not None else 0
    for owner, value in zip(owners, values, strict=True):
        if value is None or len(value) != width or width == 0:
            raise FieldKindError(f"{path!r} of sample {owner} is {value!r}; expected {width or 'some'} numbers.")
    return np.array(values, dtype=np.float64).reshape(len(values), width)
