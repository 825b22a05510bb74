"""Exact nearest neighbours among the rows of one matrix.

Blocks of float32 products screen; what passes is measured again in float64. So the answer is the same for every block
size and thread count, and memory grows with n, never with n * n.
"""

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray, Metric
from .vectors import Screen, checked, range_factor, squared_distances, unit_factors


def nearest_neighbors(
    vectors: ArrayLike,
    k: int,
    *,
    metric: Metric = "euclidean",
    block_rows: int | None = None,
    advance: Callable[[int], None] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the k nearest *other* rows of every row.

    Of rows at the same distance, the one with the lower index comes first. With fewer than k others, all of them
    are returned.

    Args:
        vectors: (n, d) numbers, one row per sample.
        k: neighbours wanted per row, at least 1.
        metric: "euclidean", the length of the difference; or "cosine", one minus the cosine of the angle, from 0
            (same direction) to 2. A row of zeros has no direction and counts as cosine distance 0.5 from every
            other row.
        block_rows: rows screened at once. It changes memory and time, never the result.
        advance: called with the number of rows just finished.

    Returns:
        Distances, (n, min(k, n - 1)) float64, ascending in each row, and the indices of the neighbours, alike.

    Raises:
        ValueError: if `vectors` is not (n, d), holds NaN or infinity, or `k` or `block_rows` is below 1.

    Example:
        >>> distances, indices = nearest_neighbors([[0.0], [1.0], [3.0]], k=1)
        >>> distances.ravel(), indices.ravel()
        (array([1., 1., 2.]), array([1, 0, 1]))
    """
    rows = checked(vectors)
    n = len(rows)
    if k < 1 or (block_rows is not None and block_rows < 1):
        raise ValueError(f"k={k} and block_rows={block_rows} must be at least 1")
    if metric not in ("euclidean", "cosine"):
        raise ValueError(f"metric={metric!r} is unknown; expected 'euclidean' or 'cosine'")
    k = min(k, max(n - 1, 0))
    distances, indices = np.empty((n, k)), np.empty((n, k), dtype=np.int64)
    if k == 0:
        return distances, indices
    scale = range_factor(rows) if metric == "euclidean" else 1.0
    factors = np.full(n, scale) if metric == "euclidean" else unit_factors(rows)
    screen = Screen(rows, factors)
    columns = _columns_worth_looking_at(rows, k)
    others = screen.rows if len(columns) == n else screen.rows[columns]
    step = block_rows or min(n, max(64, (1 << 24) // len(columns)))
    for start in range(0, n, step):
        block = np.arange(start, min(start + step, n))
        left, right = _candidates(screen, block, columns, others, k)
        squared = squared_distances(rows, factors, left, right)
        kept = _first_per_row(left, squared, right, k)
        distances[block], indices[block] = squared[kept], right[kept]
        if advance is not None:
            advance(len(block))
    return (distances / 2 if metric == "cosine" else np.sqrt(distances) / scale), indices


def _columns_worth_looking_at(rows: FloatArray, k: int) -> IntArray:
    """Leave out all but the first k + 1 of identical rows: the others lose every tie, so nobody's neighbour is lost.

    Without it, a data set with many copies of one image would have all of them measured against each other.
    """
    copies: dict[bytes, int] = {}
    keep = np.empty(len(rows), dtype=bool)
    for index, row in enumerate(rows):
        key = hashlib.blake2b(row.tobytes(), digest_size=16).digest()
        copies[key] = copies.get(key, 0) + 1
        keep[index] = copies[key] <= k + 1
    return np.flatnonzero(keep)


def _candidates(
    screen: Screen, block: IntArray, columns: IntArray, others: FloatArray, k: int
) -> tuple[IntArray, IntArray]:
    """Pair each row of the block with every column that may be among its k nearest; `others` holds the columns."""
    screened = screen.rows[block] @ others.T
    screened *= -2
    screened += screen.squares[columns]
    place = np.minimum(np.searchsorted(columns, block), len(columns) - 1)
    own = np.flatnonzero(columns[place] == block)
    screened[own, place[own]] = np.inf
    bound = np.partition(screened, k - 1, axis=1)[:, k - 1] + 2 * screen.error(screen.lengths[block])
    position, column = np.nonzero(screened <= bound[:, None])
    return block[position], columns[column]


def _first_per_row(left: IntArray, squared: NDArray[np.float64], right: IntArray, k: int) -> IntArray:
    """Give the positions of each row's k smallest pairs, (rows, k), ties to the lower index."""
    order = np.lexsort((right, squared, left))
    starts = np.flatnonzero(np.r_[True, np.diff(left[order]) > 0])
    return np.take(order, starts[:, None] + np.arange(k))
