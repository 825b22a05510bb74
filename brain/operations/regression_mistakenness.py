"""Mistakenness of numbers, for `compute_mistakenness`. The arithmetic is `kernels.regression_mistakenness`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import runs
from ...dataset.errors import FieldKindError, SchemaError
from ...dataset.schema import Field, FloatField
from ...dataset.types import IntArray, Progress, SampleId
from ..kernels.evidence import NEIGHBORS
from ..kernels.regression_mistakenness import regression_mistakenness
from .inputs import ARRAY
from .neighborhood import embeddings_used, neighbors_of
from .predictions import read_columns
from .scoring import summary_of, write_scores

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def judge_values(
    samples: "SampleCollection", pred_fields: Sequence[str], label_field: str, name: str, method: str,
    embeddings: str | ArrayLike | None, progress: Progress, *, verb: str,
) -> runs.Run:  # fmt: skip
    """Score the numbers of a Regression field, write the scores, and record the run.

    Args:
        samples: the dataset or view.
        pred_fields: one or several Regression fields with predictions.
        label_field: the Regression field in question.
        name: the field to write.
        method: "evidence".
        embeddings: where neighbours come from.
        progress: as everywhere.
        verb: what the history shows.

    Writes:
        `name`, `<name>_suggestion` and `<name>_probability`, in one action; None without a label or a prediction.

    Raises:
        SchemaError: if another method is asked for.
        FieldKindError: if a number is NaN or infinite, naming the sample.
    """
    if method != "evidence":
        raise SchemaError(f"method={method!r} has no formula for Regression labels. Use method='evidence'.")
    used = embeddings_used(samples, embeddings)
    fields = _fields(name, label_field, pred_fields)
    params = {"pred_field": list(pred_fields), "label_field": label_field, "method": method, "embeddings": used}
    with runs.record(
        samples, "mistakenness", key=name, params=params, writes=list(fields), one_action=True,
        reads=[*pred_fields, label_field, *(one for one in (used,) if one not in (None, ARRAY))],
    ) as run:  # fmt: skip
        ids, rows, values = _numbers(samples, [label_field, *pred_fields])
        near = neighbors_of(samples, embeddings, [ids[row] for row in rows.tolist()], NEIGHBORS, progress)
        found = regression_mistakenness(values[1:], values[0], **near)
        run.facts = {**summary_of(found.scores, len(ids)), "doubted": int((found.scores > 0.5).sum())}
        columns = [found.scores.tolist(), found.suggestions.tolist(), found.probabilities.tolist()]
        write_scores(samples, ids, rows, dict(zip(fields, columns, strict=True)), fields, verb=verb)
    return run


def _fields(name: str, label: str, predictions: Sequence[str]) -> dict[str, Field]:
    by = " and ".join(map(repr, predictions))
    return {
        name: FloatField(description=f"how likely the number in {label!r} is wrong, 0 to 1, by what {by} says"),
        f"{name}_suggestion": FloatField(description=f"the number that is believed in place of {label!r}"),
        f"{name}_probability": FloatField(
            description=f"how probable it is that {name}_suggestion is nearer to what is right than {label!r}, 0 to 1"
        ),
    }


def _numbers(
    samples: "SampleCollection", fields: Sequence[str]
) -> tuple[list[SampleId], IntArray, NDArray[np.float64]]:
    """All ids, the rows that have a number in every field, and these numbers, (fields, rows).

    Raises:
        FieldKindError: if one is NaN or infinite.
    """
    ids, columns = read_columns(samples, [f"{field}.value" for field in fields])
    chosen = [row for row, one in enumerate(zip(*columns.values(), strict=True)) if None not in one]
    values = np.array([[column[row] for row in chosen] for column in columns.values()], dtype=np.float64)
    for field, given in zip(fields, values, strict=True):
        bad = np.flatnonzero(~np.isfinite(given))
        if len(bad):
            raise FieldKindError(
                f"{field!r} of sample {ids[chosen[bad[0]]]} has the value {given[bad[0]]}. Correct it, or leave the "
                "sample out."
            )
    return ids, np.array(chosen, dtype=np.int64), values
