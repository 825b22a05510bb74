"""Diversity: pick samples one by one, each as far as possible from all picked before.

Arrays only. Which samples take part, how many, and where the picks are written is `operations.select`.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray
from .vectors import Screen, checked, range_factor, squared_distances, unit_factors

_CELLS = 1 << 22


def farthest_first(
    vectors: ArrayLike,
    count: int,
    *,
    preselected: Sequence[int] | IntArray = (),
    normalize: bool = False,
    advance: Callable[[int], None] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pick `count` rows, each the farthest from its nearest earlier pick: greedy k-center.

    The first pick is the most central row, the one nearest to the mean of all, so it does not depend on the order of
    the rows; with preselected rows it is the one farthest from them. Equal candidates: the lowest index. The first j
    picks are the same for every `count` >= j.

    Args:
        vectors: (n, d) numbers, one row per sample.
        count: rows to pick; with fewer left, all that are left are picked.
        preselected: rows that count as picked already. They are not returned.
        normalize: bring every row to length one first, so that only its direction matters and distances lie in 0..2.
            A row of zeros stays at the origin.
        advance: called with 1 after each pick.

    Returns:
        The picks in order, (count,) int64, and each pick's distance to the nearest earlier one, (count,) float64,
        never increasing; infinite for a first pick that has no earlier one.

    Raises:
        ValueError: if `vectors` is not (n, d) or holds NaN or infinity, `count` is negative, or `preselected` names a
            row twice or one that is not there.

    Source:
        Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985: no set of the same size covers
        the data with less than half of this one's radius.

    Example:
        >>> farthest_first([[0.0], [1.0], [2.0], [6.0]], count=3)
        (array([2, 3, 0]), array([inf,  4.,  2.]))
    """
    rows = checked(vectors)
    earlier = _checked_preselected(preselected, len(rows))
    if count < 0:
        raise ValueError(f"count={count} is negative")
    count = min(count, len(rows) - len(earlier))
    scale = 1.0 if normalize else range_factor(rows)
    factors = unit_factors(rows) if normalize else np.full(len(rows), scale)
    nearest = _NearestPick(rows, factors)
    nearest.add(earlier)
    picks, squared = np.empty(count, dtype=np.int64), np.empty(count)
    for position in range(count):
        if position == 0 and len(earlier) == 0:
            picks[0], squared[0] = _most_central(rows, factors), np.inf
        else:
            picks[position], squared[position] = nearest.farthest()
        nearest.add(picks[position : position + 1])
        if advance is not None:
            advance(1)
    return picks, np.sqrt(squared) / scale


def _most_central(rows: FloatArray, factors: NDArray[np.float64]) -> int:
    """Find the row nearest to the mean of all, the lowest index among equals.

    The mean is added up in whole numbers, so the order of the rows cannot change its last digit.
    """
    n = len(rows)
    unit = 2.0 ** (62 - n.bit_length())  # the entries lie in [-1, 1]: n of them add up to less than 2**62 units
    blocks = [slice(start, start + 4096) for start in range(0, n, 4096)]
    total = np.zeros(rows.shape[1], dtype=np.int64)
    for block in blocks:
        total += np.rint(rows[block] * factors[block, None] * unit).astype(np.int64).sum(axis=0)
    center = total / (unit * n)
    squared = [np.square(rows[block] * factors[block, None] - center).sum(axis=1) for block in blocks]
    return int(np.argmin(np.concatenate(squared)))


class _NearestPick:
    """The squared distance of every row to its nearest pick: screened for all, exact for those that matter."""

    def __init__(self, rows: FloatArray, factors: NDArray[np.float64]) -> None:
        n = len(rows)
        self._rows, self._factors = rows, factors
        self._screen = Screen(rows, factors)
        self._error = float(self._screen.error(self._screen.lengths).max(initial=0.0))
        self._screened = np.full(n, np.inf, dtype=np.float32)  # -1 once picked
        self._exact = np.full(n, np.inf)
        self._seen = np.zeros(n, dtype=np.int64)  # how many picks `_exact` has been compared with
        self._picks = np.empty(0, dtype=np.int64)

    def add(self, picks: IntArray) -> None:
        """Let more rows count as picked."""
        if not len(picks):
            return
        step = max(1, _CELLS // len(picks))
        rows, squares = self._screen.rows, self._screen.squares
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            screened = rows[block] @ rows[picks].T
            screened *= -2
            screened += squares[picks]
            closest = np.maximum(screened.min(axis=1) + squares[block], 0)
            self._screened[block] = np.minimum(self._screened[block], closest)
        self._screened[picks] = -1
        self._picks = np.concatenate([self._picks, picks])

    def farthest(self) -> tuple[int, float]:
        """Find the row farthest from its nearest pick, and that squared distance."""
        candidates = np.flatnonzero(self._screened >= max(float(self._screened.max()) - 2 * self._error, 0.0))
        self._measure(candidates)
        best = candidates[np.argmax(self._exact[candidates])]
        return int(best), float(self._exact[best])

    def _measure(self, candidates: IntArray) -> None:
        """Bring the exact distances of the candidates up to date with the picks they have not met."""
        stale = candidates[self._seen[candidates] < len(self._picks)]
        step = max(1, _CELLS // max(1, len(self._picks)))
        for start in range(0, len(stale), step):
            rows = stale[start : start + step]
            missing = len(self._picks) - self._seen[rows]
            ends = np.cumsum(missing)
            left = np.repeat(rows, missing)
            offset = np.arange(ends[-1]) - np.repeat(ends - missing, missing)
            squared = squared_distances(self._rows, self._factors, left, self._picks[self._seen[left] + offset])
            self._exact[rows] = np.minimum(self._exact[rows], np.minimum.reduceat(squared, ends - missing))
        self._seen[stale] = len(self._picks)


def _checked_preselected(preselected: Sequence[int] | IntArray, n: int) -> NDArray[np.int64]:
    rows = np.asarray(preselected, dtype=np.int64).reshape(-1)
    if len(rows) and (rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) < len(rows)):
        raise ValueError(f"preselected must name different rows between 0 and {n - 1}; got {rows[:10].tolist()}")
    return rows
