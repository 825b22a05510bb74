"""How scores go onto samples: a column of each for all samples, None where there was nothing to score."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...dataset.columns import write_scalars
from ...dataset.schema import Field
from ...dataset.types import IntArray, SampleId

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def write_scores(
    samples: "SampleCollection", ids: Sequence[SampleId], rows: IntArray,
    columns: Mapping[str, Sequence[Any]], fields: Mapping[str, Field], *, verb: str,
) -> None:  # fmt: skip
    """Write columns in one action, None for the samples that have no value.

    Args:
        samples: the dataset or view.
        ids: all its samples.
        rows: positions of those that have values.
        columns: for each field the values of these, as plain Python values.
        fields: what each field is, for where it is new.
        verb: what the history shows.
    """
    if ids:
        whole = {path: column_of(len(ids), rows, values) for path, values in columns.items()}
        write_scalars(samples, whole, ids, fields=fields, verb=verb)


def column_of(count: int, rows: IntArray, values: Sequence[Any]) -> list[Any]:
    """Values in their places among all samples."""
    if len(rows) == count:
        return list(values)
    column: list[Any] = [None] * count
    for row, value in zip(rows.tolist(), values, strict=True):
        column[row] = value
    return column


def summary_of(scores: ArrayLike, count: int) -> dict[str, Any]:
    """What a run keeps of scores: how many of how many samples, and the quartiles."""
    given = np.asarray(scores, dtype=np.float64)
    counts: dict[str, Any] = {"scored": len(given), "without_score": count - len(given)}
    return {**counts, "quartiles": np.quantile(given, [0, 0.25, 0.5, 0.75, 1]).tolist()} if len(given) else counts
