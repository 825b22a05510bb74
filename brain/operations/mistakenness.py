"""`compute_mistakenness`: how probable it is that a label is wrong. The arithmetic is `kernels.mistakenness`.

Objects, numbers and masks have modules of their own: `object_mistakenness`, `regression_mistakenness` and
`segmentation_mistakenness`.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ...dataset import runs
from ...dataset.errors import SchemaError
from ...dataset.progress import shown
from ...dataset.schema import Field, FloatField, StringField
from ...dataset.types import Progress, SampleId
from ..kernels.evidence import NEIGHBORS
from ..kernels.hardness import entropy
from ..kernels.mistakenness import confidence_mistakenness, mistakenness, multilabel_mistakenness
from ..kernels.probabilities import softmax
from .inputs import ARRAY
from .neighborhood import embeddings_used, neighbors_of
from .object_mistakenness import Asked, Names, fields_of, judge_objects
from .predictions import (
    Answers,
    answers_of,
    attributes_of,
    checked_confidence,
    kind_of,
    mean_answers,
    names_in,
    numbered,
    read_columns,
    stacked_logits,
)
from .regression_mistakenness import judge_values
from .scoring import summary_of, write_scores
from .segmentation_mistakenness import judge_masks

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_VERB = "compute_mistakenness"
_KINDS = ("Classification", "Classifications", "Detections", "Regression", "Segmentation")
_SCORE = "how likely the label in {label!r} is wrong, 0 to 1, by what {pred} says; 0.5 is undecided"


def compute_mistakenness(
    samples: "SampleCollection",
    pred_field: str | Sequence[str],
    label_field: str,
    mistakenness_field: str = "mistakenness",
    missing_field: str = "possible_missing",
    spurious_field: str = "possible_spurious",
    use_logits: bool = False,
    copy_missing: bool = False,
    progress: Progress = None,
    *,
    method: Literal["evidence", "confidence"] = "evidence",
    embeddings: "str | ArrayLike | None" = None,
    iou: float = 0.5,
    missing_confidence: float = 0.95,
) -> runs.Run:
    """Score how likely each label is wrong.

    Above 0.5, something else is more probable than the label, so that no threshold has to be found. Predictions should
    be of a model that was not trained on the samples that it judges, such as by cross-validation.

    Args:
        samples: a dataset or view. It is judged by itself: its labels show how far the model is to be trusted.
        pred_field: a Classification, Classifications, Detections, Regression or Segmentation field with predictions; or
            several. Classes and pixels are averaged, numbers put together by what each is worth, and several detectors
            are made one.
        label_field: the field with the labels in question, of the same kind. Where objects of both fields have masks,
            these overlap and not the boxes; an object without one fills its box.
        mistakenness_field: the field to write.
        missing_field: of detections, the field for the number of missing objects, and their mark among the predictions.
        spurious_field: of detections, the field for the number of boxes without an object, and their mark.
        use_logits: with method="confidence", take the certainty from the logits, exp(-entropy), not the confidence.
        copy_missing: of detections, add the missing objects to the labels. A second call adds none.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).
        method: "evidence" weighs the predicted probabilities, the neighbours' labels and the usual mix-ups;
            "confidence" is FiftyOne's formula, which there is not for numbers and masks.
        embeddings: where neighbours come from, for classes and numbers by "evidence": a vector field; an (n, d) array,
            one row per sample in their order; None for the field "embedding" where it exists; False for none.
        iou: of detections, from which overlap on two boxes belong together.
        missing_confidence: of detections with method="confidence", above which confidence a prediction is missing.

    Returns:
        The run; its `view()` begins with the most doubtful sample.

    Writes:
        In one action, None for samples without a label or a prediction: `mistakenness_field`, float in [0, 1]. With
        "evidence" also `<mistakenness_field>_suggestion`, the most probable class (of several classes per sample, the
        one in doubt, with "+" if it should be added and "-" if it should go), and `<mistakenness_field>_probability`,
        how probable that is.

        Of detections, the score is that anything in the sample is wrong; None where there is no box. Each label gets
        `<mistakenness_field>`, that its class is wrong; `…_loc`, that its box lies wrongly; with "evidence" also
        `…_spurious`, that there is no object, and `…_suggestion`, the class that the model sees instead; and each
        prediction `…_missing`, that it was left out. What is above 0.5 is marked True under `missing_field` and
        `spurious_field`, and counted on the sample. With "confidence", the score of a sample is the largest of its
        labels'.

        Of numbers, the suggestion is the number that is believed instead, and the probability that it is nearer to
        what is right than the label. Of masks, the score is that a part of the mask has the wrong class; the suggestion
        names the class in the most doubtful patch and the one believed there, as in "road -> sidewalk", and the
        probability is that of the latter there.

    Raises:
        FieldNotFoundError: if a field does not exist.
        FieldKindError: if a field is of another kind; or logits or numbers are NaN, confidences are missing, or masks
            differ in size, naming the sample.
        SchemaError: if logits are not told which class is which, by the dataset's `classes` or `default_classes`.
        UnreadableMediaError: if the file of a mask or of its probabilities cannot be read, naming it and the sample.

    Example:
        ```python
        run = scb.compute_mistakenness(dataset, "predictions", "ground_truth")
        suspects = run.view().match(F("mistakenness") > 0.5)
        ```
    """
    pred_fields = [pred_field] if isinstance(pred_field, str) else list(pred_field)
    if method not in ("evidence", "confidence") or not pred_fields:
        raise SchemaError(
            f"method={method!r}, pred_field={pred_field!r}: expected 'evidence' or 'confidence', a field."
        )
    is_number = isinstance(iou, Real) and isinstance(missing_confidence, Real)
    if not (is_number and 0 < iou < 1 and 0 <= missing_confidence <= 1):
        raise SchemaError(f"iou={iou!r} and missing_confidence={missing_confidence!r} must lie between 0 and 1.")
    kind = kind_of(samples, label_field, _KINDS, verb=_VERB)
    for field in pred_fields:
        kind_of(samples, field, [kind], verb=f"{_VERB} with the {kind} field {label_field!r}")
    if kind == "Detections":
        if len(set(pred_fields)) < len(pred_fields) or (len(pred_fields) > 1 and method == "confidence"):
            raise SchemaError(f"pred_field={pred_fields} with method={method!r}: each once, and with 'evidence'.")
        names = Names(mistakenness_field, missing_field, spurious_field)
        asked = Asked(method, iou, missing_confidence, copy_missing)
        return _of_objects(samples, pred_fields, label_field, names, asked, progress)
    if kind == "Regression":
        return judge_values(
            samples, pred_fields, label_field, mistakenness_field, method, embeddings, progress, verb=_VERB
        )
    if kind == "Segmentation":
        return judge_masks(samples, pred_fields, label_field, mistakenness_field, method, progress, verb=_VERB)
    return _of_classes(
        samples, kind, pred_fields, label_field, mistakenness_field, method, embeddings, progress, use_logits=use_logits
    )


def _of_classes(
    samples: "SampleCollection", kind: str, pred_fields: list[str], label_field: str, name: str, method: str,
    embeddings: str | ArrayLike | None, progress: Progress, *, use_logits: bool,
) -> runs.Run:  # fmt: skip
    """Score the labels of one or several classes per sample, write the scores, and record the run."""
    used = embeddings_used(samples, embeddings) if method == "evidence" else None
    fields = _fields(name, label_field, pred_fields, method)
    params = {"pred_field": pred_fields, "label_field": label_field, "method": method, "use_logits": use_logits,
              "embeddings": used}  # fmt: skip
    with runs.record(
        samples, "mistakenness", key=name, params=params, writes=list(fields), one_action=True,
        reads=[*pred_fields, label_field, *(one for one in (used,) if one not in (None, ARRAY))],
    ) as run:  # fmt: skip
        given = attributes_of(label_field, kind)[0]
        ids, columns = read_columns(samples, [given, *(p for f in pred_fields for p in attributes_of(f, kind))])
        if method == "confidence":
            with shown(len(ids), progress) as advance:
                rows, values = _by_confidence(pred_fields, kind, ids, columns, columns[given], use_logits=use_logits)
                advance(len(ids))
            written: list[list[Any]] = [values.tolist()]
        else:
            known = names_in(columns[given], kind)
            answers = [answers_of(samples, field, kind, ids, columns, known=known) for field in pred_fields]
            rows, p, classes = _answered(answers, columns[given])
            labels = [columns[given][row] for row in rows.tolist()]
            near = neighbors_of(samples, embeddings, [ids[row] for row in rows.tolist()], NEIGHBORS, progress)
            values, *more = _judged(kind, p, classes, labels, near)
            written = [values.tolist(), *more]
        run.facts = {**summary_of(values, len(ids)), "doubted": int((values > 0.5).sum())}
        write_scores(samples, ids, rows, dict(zip(fields, written, strict=True)), fields, verb=_VERB)
    return run


def _of_objects(
    samples: "SampleCollection",
    pred_fields: Sequence[str],
    label_field: str,
    names: Names,
    asked: Asked,
    progress: Progress,
) -> runs.Run:
    with runs.record(
        samples, "mistakenness", key=names.score, reads=[*pred_fields, label_field], one_action=True,
        writes=list(fields_of(names, label_field, pred_fields, asked.method)),
        params={"pred_field": list(pred_fields), "label_field": label_field, **asked._asdict()},
    ) as run, shown(samples.count(), progress) as advance:  # fmt: skip
        run.facts = judge_objects(samples, label_field, pred_fields, names, asked, _VERB)
        advance(samples.count())
    return run


def _fields(name: str, label: str, predictions: Sequence[str], method: str) -> dict[str, Field]:
    """The fields that are written, first the score."""
    by = " and ".join(map(repr, predictions))
    written: dict[str, Field] = {name: FloatField(description=_SCORE.format(label=label, pred=by))}
    if method == "evidence":
        written[f"{name}_suggestion"] = StringField(description=f"the most probable class in place of {label!r}")
        written[f"{name}_probability"] = FloatField(description=f"how probable {name}_suggestion is, 0 to 1")
    return written


def _answered(answers: Sequence[Answers], given: Sequence[Any]) -> tuple[Any, Any, list[str]]:
    """The rows with a label and an answer of every model, the mean probabilities there, and the classes."""
    answered, p, classes = mean_answers(answers, len(given))
    is_labelled = np.array([label is not None for label in given], dtype=bool)
    return np.flatnonzero(answered & is_labelled), p[is_labelled[answered]], classes


def _judged(kind: str, p: Any, classes: list[str], labels: Sequence[Any], near: Mapping[str, Any]) -> tuple[Any, ...]:
    """Scores, suggestions and their probabilities."""
    given = numbered(labels, kind, classes)
    if kind == "Classification":
        found = mistakenness(p, given, **near)
        return found.scores, [classes[k] for k in found.suggestions.tolist()], found.probabilities.tolist()
    found = multilabel_mistakenness(p, given, **near)
    if not classes:
        return found.scores, [None] * len(labels), found.probabilities.tolist()
    is_there = given[np.arange(len(labels)), found.suggestions].tolist()
    doubts = zip(found.suggestions.tolist(), is_there, strict=True)
    return found.scores, [f"{'-' if there else '+'}{classes[k]}" for k, there in doubts], found.probabilities.tolist()


def _by_confidence(
    fields: Sequence[str], kind: str, ids: Sequence[SampleId], columns: Mapping[str, list[Any]],
    given: Sequence[Any], *, use_logits: bool,
) -> tuple[Any, Any]:  # fmt: skip
    """FiftyOne's formula."""
    if len(fields) > 1:
        raise SchemaError(f"method='confidence' takes one pred_field; got {len(fields)}. Use method='evidence'.")
    if kind == "Classifications" and not use_logits:
        raise SchemaError("method='confidence' needs use_logits=True for several classes per sample.")
    predicted, confidences, logits = (columns[path] for path in attributes_of(fields[0], kind))
    rows = [i for i, label in enumerate(given) if label is not None and predicted[i] is not None]
    if use_logits:
        sure = np.exp(-entropy(softmax(stacked_logits(fields[0], ids, logits, rows)))) if rows else np.empty(0)
    else:
        sure = np.array([checked_confidence(fields[0], ids[i], confidences[i]) for i in rows])
    several = kind == "Classifications"
    agrees = [set(given[i]) == set(predicted[i]) if several else given[i] == predicted[i] for i in rows]
    return np.array(rows, dtype=np.int64), confidence_mistakenness(agrees, sure)
