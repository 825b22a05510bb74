"""Lower bounds on many distances at once, from one float32 product of few columns.

A search for neighbours looks at n * n pairs to keep a few of each row. Here a pair costs one short product, whose
value never exceeds the pair's true squared distance. So whatever lies beyond a known distance is left out for good,
and only the rest is measured, by `vectors.squared_distances`.
"""

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import FloatArray

_ROWS = 4096
_PREPARED = 256  # rows that are made short at once: they stay in the processor's cache
_SOME = 1024  # rows by which a choice is made
_SINGLE, _DOUBLE = 2.0**-24, 2.0**-53  # the largest relative error of one operation
_MEASURING = 100  # what a measured term costs, in terms of a product: one is float64 and gathered, the other is BLAS
_PASSES = 15  # what looking at a product costs beside its terms


class LowerBounds:
    """Rows made short, so that products of them bound squared distances from below.

    A row keeps its coordinates along a few directions in which the rows vary most, and the length of what is left as
    one coordinate more. Dropping coordinates only brings rows closer, and so does replacing what is left by its length
    (the triangle inequality), so a distance between short rows is at most the true one. The rounding is bounded too
    and taken off.

    Attributes:
        width: how many columns a short row has, without the two that carry its squared length.
    """

    def __init__(self, center: NDArray[np.float64], directions: NDArray[np.float64] | None = None) -> None:
        """Remember how rows are made short.

        Args:
            center: (d,) what rows are shifted by; the nearer it is to their mean, the smaller the rounding.
            directions: (d, m) orthonormal columns; None keeps all coordinates.
        """
        self._directions = directions
        self._center = center
        d = len(center)
        self.width = d if directions is None else directions.shape[1] + 1
        # A product of m terms is off by at most m roundings of the sum of their sizes, whatever the order they are
        # added in; 10 more cover the shift, the rounded rows and their squares. The length of what is left comes from
        # a difference of squares: its error is the root of theirs.
        left_over = 0.0 if directions is None else 4 * np.sqrt(4 * d * np.sqrt(self.width) * _DOUBLE)
        self._slack = 2 * ((self.width + 12) * _SINGLE + left_over)

    def left(self, rows: FloatArray, factors: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give the rows as the left factor, (n, width + 2): `left @ right.T` holds the bounds."""
        short, squares = self._short(rows, factors)
        short[:, -2], short[:, -1] = squares, 1.0
        return short

    def right(self, rows: FloatArray, factors: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give the rows as the right factor, (n, width + 2)."""
        short, squares = self._short(rows, factors)
        short *= -2
        short[:, -2], short[:, -1] = 1.0, squares
        return short

    def turned(self, right: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give rows that are a right factor as the left one, with the numbers that `left` would give."""
        left = right * np.float32(-0.5)
        left[:, -2], left[:, -1] = right[:, -1], 1.0
        return left

    def _short(self, rows: FloatArray, factors: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Give the short rows, with two columns to fill, and their squared lengths less the rounding error."""
        short = np.zeros((len(rows), self.width + 2), dtype=np.float32)
        squares = np.empty(len(rows))
        for start in range(0, len(rows), _PREPARED):
            part = slice(start, start + _PREPARED)
            shifted = rows[part] * factors[part, None] - self._center
            whole = np.square(shifted).sum(axis=1)
            if self._directions is None:
                short[part, : self.width] = shifted
            else:
                along = shifted @ self._directions
                short[part, : self.width - 1] = along
                short[part, self.width - 1] = np.sqrt(np.maximum(whole - np.square(along).sum(axis=1), 0))
            exact = np.square(short[part, : self.width], dtype=np.float64).sum(axis=1)
            squares[part] = exact - self._slack * np.maximum(exact, whole)
        return short, squares


def lower_bounds_for(
    rows: FloatArray, factors: NDArray[np.float64], queries: FloatArray, query_factors: NDArray[np.float64], k: int
) -> LowerBounds:
    """Choose how short the rows may be, by what a few of the queries would cost.

    The choice changes how long a search takes, never what it finds. Learned embeddings vary along few directions, so
    rows of 16 to 128 columns mostly leave little more than the neighbours; where they do not, all columns are kept.
    """
    n, d = rows.shape
    center = np.zeros(d)
    for start in range(0, n, _ROWS):
        part = slice(start, start + _ROWS)
        center += (rows[part] * factors[part, None]).sum(axis=0) / n
    whole = LowerBounds(center)
    if min(n, len(queries)) < _ROWS or d < 64:
        return whole
    pilot = np.arange(0, len(queries), len(queries) // 32)[:32]
    asked = queries[pilot], query_factors[pilot]
    reach = _kth_bound(whole.left(*asked), whole, rows, factors, k + 1)  # one more, for a row that finds itself
    directions = _main_directions(rows, factors, min(128, d // 4))
    some = np.arange(0, n, max(1, n // _SOME))
    best, best_cost = whole, float(n * (d + _PASSES))
    for width in (16, 32, 64, 128):
        bounds = LowerBounds(center, directions[:, :width])
        product = bounds.left(*asked) @ bounds.right(rows[some], factors[some]).T
        passing = np.count_nonzero(product <= reach[:, None]) / len(pilot) * n / len(some)
        cost = n * (bounds.width + _PASSES) + _MEASURING * d * max(passing - k, 0.0)
        if cost < best_cost:
            best, best_cost = bounds, cost
    return best


def _main_directions(rows: FloatArray, factors: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Find about the `count` directions in which the rows vary most, (d, count), the strongest first.

    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011, on every so many-th row.
    """
    some = np.arange(0, len(rows), max(1, len(rows) // _SOME))
    sample = rows[some] * factors[some, None]
    sample -= sample.mean(axis=0)
    probes = np.random.default_rng(0).standard_normal((sample.shape[1], count))
    basis = np.linalg.qr(sample.T @ (sample @ probes))[0]
    basis = np.linalg.qr(sample.T @ (sample @ basis))[0]
    turned = np.linalg.eigh(np.cov(sample @ basis, rowvar=False))[1][:, ::-1]
    found: NDArray[np.float64] = basis @ turned
    return found


def _kth_bound(
    left: NDArray[np.float32], bounds: LowerBounds, rows: FloatArray, factors: NDArray[np.float64], k: int
) -> NDArray[np.float32]:
    """Find about the k-th smallest squared distance of each row of `left`."""
    smallest = np.full((len(left), k), np.inf, dtype=np.float32)
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        product = left @ bounds.right(rows[part], factors[part]).T
        smallest = np.partition(np.c_[smallest, product], k - 1, axis=1)[:, :k]
    kth: NDArray[np.float32] = smallest.max(axis=1)
    return kth
