"""`compute_hardness`: how probable it is that a model gets a sample wrong. The arithmetic is `kernels.hardness`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import runs
from ...dataset.errors import SchemaError
from ...dataset.schema import FloatField
from ...dataset.types import IntArray, Progress, SampleId
from ..kernels.hardness import NEIGHBORS, entropy, hardness, multilabel_hardness
from ..kernels.probabilities import softmax
from .neighborhood import ARRAY, embeddings_used, neighbors_of
from .object_hardness import hardness_of_objects
from .predictions import answers_of, attributes_of, kind_of, names_in, numbered, read_columns, stacked_logits
from .scoring import summary_of, write_scores

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_VERB = "compute_hardness"
_KINDS = ("Classification", "Classifications", "Detections")
_MEANS = {
    "evidence": "how hard the sample is, 0 to 1, by what {label!r} says of it{labels}",
    "entropy": "entropy of the probabilities in {label!r}, 0 to ln(classes)",
}


def compute_hardness(
    samples: "SampleCollection",
    label_field: str,
    hardness_field: str = "hardness",
    *,
    ground_truth_field: str | None = None,
    method: Literal["evidence", "entropy"] = "evidence",
    embeddings: str | ArrayLike | None = None,
    progress: Progress = None,
) -> runs.Run:
    """Score how hard each sample is to get right.

    The range does not depend on the number of classes. Predictions should be of a model that was not trained on the
    samples that it judges, such as by cross-validation. Histories of a training are a matter for
    `saccade.brain.kernels.hardness`: `area_under_margin` and `forgetting` take them as arrays.

    Args:
        samples: a dataset or view.
        label_field: a Classification, Classifications or Detections field with predictions; of classes best with
            logits.
        hardness_field: the field to write.
        ground_truth_field: a field with labels of the same kind. Then a sample is hard as far as its label is
            improbable; wrong labels make samples hard, see `compute_mistakenness`. Of Detections, the detector's
            reliability is measured on these boxes.
        method: "evidence" averages the model's answer with that of the neighbourhood; "entropy" is FiftyOne's formula,
            softmax also for several classes per sample, and not for Detections.
        embeddings: where neighbours come from, for "evidence": a vector field; an (n, d) array, one row per sample in
            their order; None for the field "embedding" where it exists; False for none.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run; its `view()` begins with the hardest sample.

    Writes:
        `hardness_field`, float, in one action: in [0, 1] with "evidence", in [0, ln(classes)] with "entropy"; None for
        samples without a prediction, or without a label where there is a `ground_truth_field`.

        Of Detections, the share of mistakes that is expected in the sample, in [0, 1), 0 where there is no box; and on
        each predicted object, under the same name: 0 if it is sure, 1 if undecided, by its attribute `probabilities`
        or its logits if it has them, else by its confidence; with labels how probable a mistake is.

    Raises:
        FieldNotFoundError: if a field does not exist.
        FieldKindError: if a field is of another kind; or logits hold NaN or are missing, or a box or its confidence
            cannot be, naming the sample.
        SchemaError: if, with labels, logits are not told which class is which; or of Detections, another method or
            embeddings are asked for.

    Example:
        ```python
        scb.compute_hardness(dataset, "predictions").view().head()
        ```
    """
    if method not in _MEANS or (method == "entropy" and ground_truth_field is not None):
        raise SchemaError(
            f"method={method!r} with ground_truth_field={ground_truth_field!r}: expected 'evidence', "
            "or 'entropy' without labels."
        )
    kind = kind_of(samples, label_field, _KINDS, verb=_VERB)
    if ground_truth_field is not None:
        kind_of(samples, ground_truth_field, [kind], verb=f"{_VERB} with the {kind} field {label_field!r}")
    if kind == "Detections":
        if method != "evidence" or (embeddings is not None and embeddings is not False):
            raise SchemaError(f"of Detections, hardness has method='evidence' and no embeddings; got {method!r}.")
        return hardness_of_objects(samples, label_field, ground_truth_field, hardness_field, progress, _VERB)
    used = embeddings_used(samples, embeddings) if method == "evidence" else None
    params = {
        "label_field": label_field,
        "ground_truth_field": ground_truth_field,
        "method": method,
        "embeddings": used,
    }
    labels = f" and the labels in {ground_truth_field!r}" if ground_truth_field else ""
    field = FloatField(description=_MEANS[method].format(label=label_field, labels=labels))
    reads = [name for name in (label_field, ground_truth_field, used) if name not in (None, ARRAY)]
    with runs.record(
        samples, "hardness", key=hardness_field, reads=reads, writes=[hardness_field], params=params, one_action=True
    ) as run:
        truth = [] if ground_truth_field is None else [attributes_of(ground_truth_field, kind)[0]]
        ids, columns = read_columns(samples, [*truth, *attributes_of(label_field, kind)])
        if method == "entropy":
            rows, scores = _entropies(label_field, kind, ids, columns)
        else:
            given = columns[truth[0]] if truth else None
            rows, p, labelled = _evidence(samples, label_field, kind, ids, columns, given)
            near = neighbors_of(samples, embeddings, [ids[row] for row in rows.tolist()], NEIGHBORS, progress)
            scores = (hardness if kind == "Classification" else multilabel_hardness)(p, labelled, **near)
        run.summary = summary_of(scores, len(ids))
        write_scores(samples, ids, rows, {hardness_field: scores.tolist()}, {hardness_field: field}, verb=_VERB)
    return run


def _evidence(
    samples: "SampleCollection", field: str, kind: str, ids: Sequence[SampleId],
    columns: Mapping[str, list[Any]], given: Sequence[Any] | None,
) -> tuple[IntArray, NDArray[np.float64], Any]:  # fmt: skip
    """The rows to score, their probabilities, and their labels as the kernel takes them."""
    if given is None:
        found = answers_of(samples, field, kind, ids, columns, named=False)
        return found.rows, found.probabilities, None
    found = answers_of(samples, field, kind, ids, columns, known=names_in(given, kind))
    kept = np.array([given[row] is not None for row in found.rows.tolist()], dtype=bool)
    labels = [given[row] for row in found.rows[kept].tolist()]
    return found.rows[kept], found.probabilities[kept], numbered(labels, kind, found.classes)


def _entropies(
    field: str, kind: str, ids: Sequence[SampleId], columns: Mapping[str, list[Any]]
) -> tuple[IntArray, NDArray[np.float64]]:
    labels, _, logits = (columns[path] for path in attributes_of(field, kind))
    rows = [i for i, label in enumerate(labels) if label is not None or logits[i] is not None]
    matrix = stacked_logits(field, ids, logits, rows)
    return np.array(rows, dtype=np.int64), entropy(softmax(matrix)) if rows else np.empty(0)
