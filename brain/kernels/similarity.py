"""Similarity: the order of rows by their distance to one vector."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import Metric
from .vectors import checked, range_factor, squared_distances, unit_factors


def similarity_order(
    vectors: ArrayLike, query: ArrayLike, *, metric: Metric = "cosine", reverse: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sort rows by their distance to a query.

    Args:
        vectors: (n, d) numbers, one row per sample.
        query: (d,) numbers.
        metric: "cosine", one minus the cosine of the angle, from 0 to 2; or "euclidean". A vector of zeros counts as
            cosine distance 0.5 from all others.
        reverse: whether the farthest come first.

    Returns:
        The rows, nearest first, equal ones in their order, (n,) int64, and the distance of each, (n,) float64.

    Raises:
        ValueError: if the shapes do not fit, or a number is NaN or infinite.

    Example:
        >>> similarity_order([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]], [1.0, 0.0])
        (array([1, 2, 0]), array([0.        , 0.29289322, 1.        ]))
    """
    rows = checked(vectors)
    asked = checked(np.asarray(query, dtype=np.float64).reshape(1, -1))
    if len(rows) and asked.shape[1] != rows.shape[1]:
        raise ValueError(f"query has length {asked.shape[1]}; the vectors have length {rows.shape[1]}")
    scale = min(range_factor(rows), range_factor(asked)) if metric == "euclidean" else 1.0
    factors = np.full(len(rows), scale) if metric == "euclidean" else unit_factors(rows)
    own = np.full(1, scale) if metric == "euclidean" else unit_factors(asked)
    n = len(rows)
    squared = squared_distances(rows, factors, np.arange(n), np.zeros(n, dtype=np.int64), others=(asked, own))
    distances = squared / 2 if metric == "cosine" else np.sqrt(squared) / scale
    order = np.argsort(-distances if reverse else distances, kind="stable")
    return order, distances[order]
