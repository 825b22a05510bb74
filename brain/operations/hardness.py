"""`compute_hardness`: how probable it is that a model gets a sample wrong. The arithmetic is `kernels.hardness`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import runs
from ...dataset.errors import SchemaError
from ...dataset.progress import shown
from ...dataset.schema import FloatField
from ...dataset.types import IntArray, Progress, SampleId
from ..kernels.hardness import NEIGHBORS, entropy, hardness, multilabel_hardness
from ..kernels.histories import mean_probabilities, pooled
from ..kernels.probabilities import softmax
from .histories import SCORES, History, checked_history, history_scores
from .inputs import ARRAY
from .neighborhood import embeddings_used, neighbors_of
from .object_hardness import hardness_of_objects
from .predictions import (
    answers_of,
    attributes_of,
    class_names,
    kind_of,
    names_in,
    numbered,
    read_columns,
    stacked_logits,
)
from .scoring import summary_of, write_scores

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_VERB = "compute_hardness"
_KINDS = ("Classification", "Classifications", "Detections")
_MEANS = {
    "evidence": "how hard the sample is, 0 to 1, by what {label!r} says of it{labels}",
    "entropy": "entropy of the probabilities in {label!r}, 0 to ln(classes)",
    "aum": "how far training was from the label, 0 to 1, 0.5 is level: area under the margin{labels}",
    "forgetting": "how often training forgot the sample; the number of epochs if it never learned it{labels}",
}


def compute_hardness(
    samples: "SampleCollection",
    label_field: str,
    hardness_field: str = "hardness",
    progress: Progress = None,
    *,
    ground_truth_field: str | None = None,
    method: Literal["evidence", "entropy", "aum", "forgetting"] = "evidence",
    embeddings: "str | ArrayLike | None" = None,
    history: "History | None" = None,
) -> runs.Run:
    """Score how hard each sample is to get right.

    The range does not depend on the number of classes. Predictions should be of a model that was not trained on the
    samples that it judges, such as by cross-validation.

    Args:
        samples: a dataset or view.
        label_field: a Classification, Classifications or Detections field with predictions; of classes best with
            logits.
        hardness_field: the field to write.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).
        ground_truth_field: a field with labels of the same kind. Then a sample is hard as far as its label is
            improbable; wrong labels make samples hard, see `compute_mistakenness`. Of Detections, the detector's
            reliability is measured on these boxes.
        method: "evidence" averages the model's answer with that of the neighbourhood; "entropy" is FiftyOne's formula,
            softmax also for several classes per sample, and not for Detections; "aum", the area under the margin, and
            "forgetting" judge by the history and the labels alone.
        embeddings: where neighbours come from, for "evidence": a vector field; an (n, d) array, one row per sample in
            their order; None for the field "embedding" where it exists; False for none.
        history: of Classification, what a model said of the samples after each epoch of its training on them: an
            (epochs, n, c) array of logits or probabilities, or a sequence of (n, c); a row for each sample in their
            order, a column for each of the dataset's classes. With "evidence", the sample's probabilities are averaged
            with the mean over the epochs.

    Returns:
        The run; its `view()` begins with the hardest sample.

    Writes:
        `hardness_field`, float, in one action: in [0, 1] with "evidence", in [0, ln(classes)] with "entropy"; None for
        samples without a prediction, or without a label where there is a `ground_truth_field`. With "aum" in [0, 1],
        0.5 where the label was level with the best other class over the training; with "forgetting" how often the
        sample was right and then wrong, at most half the number of epochs, or that number if it was never right.

        Of Detections, the share of mistakes that is expected in the sample, in [0, 1), 0 where there is no box; and on
        each predicted object, under the same name: 0 if it is sure, 1 if undecided, by its attribute `probabilities`
        or its logits if it has them, else by its confidence; with labels how probable a mistake is.

    Raises:
        FieldNotFoundError: if a field does not exist.
        FieldKindError: if a field is of another kind; or logits hold NaN or are missing, or a box or its confidence
            cannot be, or the history holds NaN or infinity, naming the sample.
        SchemaError: if, with labels or a history, it is not told which class is which; if the history has another
            shape, or a method does without what it needs; or of Detections, another method or embeddings are asked for.

    Example:
        ```python
        scb.compute_hardness(dataset, "predictions").view().head()
        ```
    """
    kind = kind_of(samples, label_field, _KINDS, verb=_VERB)
    _check_asked(kind, method, ground_truth_field, embeddings, history)
    if ground_truth_field is not None:
        kind_of(samples, ground_truth_field, [kind], verb=f"{_VERB} with the {kind} field {label_field!r}")
    if kind == "Detections":
        return hardness_of_objects(samples, label_field, ground_truth_field, hardness_field, progress, _VERB)
    used = embeddings_used(samples, embeddings) if method == "evidence" else None
    params = {
        "label_field": label_field,
        "ground_truth_field": ground_truth_field,
        "method": method,
        "embeddings": used,
        "history": None if history is None else ARRAY,
    }
    labels = f" and the labels in {ground_truth_field!r}" if ground_truth_field else ""
    field = FloatField(description=_MEANS[method].format(label=label_field, labels=labels))
    predicted = None if method in SCORES else label_field
    reads = [name for name in (predicted, ground_truth_field, used) if name not in (None, ARRAY)]
    with runs.record(
        samples, "hardness", key=hardness_field, reads=reads, writes=[hardness_field], params=params, one_action=True
    ) as run:
        truth = [] if ground_truth_field is None else [attributes_of(ground_truth_field, kind)[0]]
        ids, columns = read_columns(samples, [*truth, *attributes_of(label_field, kind)])
        given = columns[truth[0]] if truth else None
        epochs = None if history is None else checked_history(samples, label_field, ids, history)
        if method == "evidence":
            rows, p, labelled = _evidence(samples, label_field, kind, ids, columns, given, epochs)
            near = neighbors_of(samples, embeddings, [ids[row] for row in rows.tolist()], NEIGHBORS, progress)
            scores = (hardness if kind == "Classification" else multilabel_hardness)(p, labelled, **near)
        else:
            with shown(len(ids), progress) as advance:
                if epochs is not None and given is not None:
                    rows, scores = history_scores(method, epochs, class_names(samples, label_field), ids, given)
                else:
                    rows, scores = _entropies(label_field, kind, ids, columns)
                advance(len(ids))
        run.facts = summary_of(scores, len(ids))
        write_scores(samples, ids, rows, {hardness_field: scores.tolist()}, {hardness_field: field}, verb=_VERB)
    return run


def _check_asked(kind: str, method: str, truth: str | None, embeddings: Any, history: Any) -> None:
    """Refuse what does not go together.

    Raises:
        SchemaError: saying what was asked and what to do.
    """
    asked = f"method={method!r} with ground_truth_field={truth!r}"
    if method not in _MEANS or (method == "entropy" and truth is not None):
        raise SchemaError(
            f"{asked}: expected 'evidence'; 'entropy' without labels; or 'aum' or 'forgetting' with labels."
        )
    if kind == "Detections" and (method != "evidence" or not (embeddings is None or embeddings is False)):
        raise SchemaError(f"of Detections, hardness has method='evidence' and no embeddings; got {method!r}.")
    if method in SCORES and (truth is None or history is None):
        raise SchemaError(f"{asked}: it needs history=, an (epochs, n, c) array, and ground_truth_field=.")
    if history is not None and (kind != "Classification" or method == "entropy"):
        raise SchemaError(f"history= is for Classification with another method than 'entropy'; got {kind}, {method!r}.")


def _evidence(
    samples: "SampleCollection", field: str, kind: str, ids: Sequence[SampleId],
    columns: Mapping[str, list[Any]], given: Sequence[Any] | None, epochs: Sequence[Any] | None,
) -> tuple[IntArray, NDArray[np.float64], Any]:  # fmt: skip
    """The rows to score, their probabilities, and their labels as the kernel takes them."""
    if given is None:
        found = answers_of(samples, field, kind, ids, columns, named=epochs is not None)
        rows, p, labelled = found.rows, found.probabilities, None
    else:
        found = answers_of(samples, field, kind, ids, columns, known=names_in(given, kind))
        kept = np.array([given[row] is not None for row in found.rows.tolist()], dtype=bool)
        rows, p = found.rows[kept], found.probabilities[kept]
        labelled = numbered([given[row] for row in rows.tolist()], kind, found.classes)
    return rows, p if epochs is None else pooled(p, mean_probabilities(epochs)[rows]), labelled


def _entropies(
    field: str, kind: str, ids: Sequence[SampleId], columns: Mapping[str, list[Any]]
) -> tuple[IntArray, NDArray[np.float64]]:
    labels, _, logits = (columns[path] for path in attributes_of(field, kind))
    rows = [i for i, label in enumerate(labels) if label is not None or logits[i] is not None]
    matrix = stacked_logits(field, ids, logits, rows)
    return np.array(rows, dtype=np.int64), entropy(softmax(matrix)) if rows else np.empty(0)
