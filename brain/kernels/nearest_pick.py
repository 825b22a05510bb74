"""How far rows are from the nearest of those picked so far, known as well as is needed and no better.

Of each row there is a bound that holds for as long as picks are added: distances only shrink. Rows that matter are
brought up to date in blocks, by one product with all the picks that they have not met; the few that are held follow
each pick. What is compared in the end is measured in float64, pair by pair, so it is the same whatever came before.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import BoolArray, FloatArray, IntArray
from .products import NumpyProducts, Products
from .vectors import squared_distances

_ROWS = 512  # a block of rows with some hundred columns stays in the processor's cache
_SOME = 1024
_AT_ONCE = 16
_VANISHED = 1e-34  # what products of very small numbers may lose below the smallest float32


class NearestPick:
    """The squared distance of every row to its nearest pick.

    Attributes:
        near: (n,) float32 screened squared distances, at most `error` away from the truth at the time of `seen`.
        seen: (n,) how many picks each row was compared with.
        picks: the rows picked, in order.
    """

    def __init__(
        self, vectors: FloatArray, factors: NDArray[np.float64], *, products: Products | None = None, threads: int = 1,
        between_blocks: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Begin without picks.

        Args:
            vectors: (n, d) rows, as `vectors.checked` gives them.
            factors: (n,) what each row is multiplied by first.
            products: what computes the products; BLAS by default.
            threads: how many blocks of rows are compared at once.
            between_blocks: called after each block.
        """
        n, d = vectors.shape
        self._between_blocks = between_blocks or (lambda: None)
        self._vectors, self._factors, self._products = vectors, factors, products or NumpyProducts()
        self._threads = threads
        in_range = n == 0 or (factors.min() > 1e-30 and factors.max() < 1e30)
        self._in_single = vectors.dtype == np.float32 and in_range
        some = np.arange(0, n, max(1, n // _SOME))
        center = (vectors[some] * factors[some, None]).mean(axis=0) if n else np.zeros(d)
        self._center = np.asarray(center, dtype=np.float32)
        self._shift = 4 * 2.0**-24 * float(np.abs(center).max(initial=0.0)) * np.sqrt(d)
        self._share = self._products.error(d)
        self._squares = np.full(n, np.nan)  # of the prepared rows, once they were
        self._longest = 0.0
        self.near = np.full(n, np.inf, dtype=np.float32)
        self._second = np.full(n, np.inf, dtype=np.float32)
        self._nearest = np.full(n, -1, dtype=np.int32)
        self.seen = np.zeros(n, dtype=np.int32)
        self._measured, self._measured_at = np.full(n, np.inf), np.zeros(n, dtype=np.int32)
        self._count = 0
        self._picks = np.empty(64, dtype=np.int64)
        self._rows = np.empty((64, d), dtype=np.float32)  # the picks, prepared
        self._row_squares = np.empty(64)
        self._held: IntArray = np.empty(0, dtype=np.int64)
        self._held_rows = np.empty((0, d), dtype=np.float32)

    @property
    def picks(self) -> IntArray:
        """The rows picked so far."""
        return self._picks[: self._count]

    @property
    def error(self) -> float:
        """How far a screened squared distance may be from the truth; it may grow as rows are looked at."""
        reach = 2 * self._longest
        shift = self._shift + 4 * 2.0**-24 * self._longest
        return float(self._share * reach**2 + 4 * shift * reach + 4 * shift**2) + _VANISHED

    def fresh(self, rows: IntArray) -> BoolArray:
        """Tell which rows were compared with all picks."""
        fresh: BoolArray = self.seen[rows] == self._count
        return fresh

    def refresh(self, rows: IntArray) -> None:
        """Compare rows with the picks that they have not met."""
        stale = rows[self.seen[rows] < self._count]
        stale = stale[np.argsort(self.seen[stale], kind="stable")]
        blocks = [stale[start : start + _ROWS] for start in range(0, len(stale), _ROWS)]
        for block, found in self._in_threads(self._compared, blocks):
            self._merge(block, *found)
            self._between_blocks()

    def _in_threads(self, work: Callable[[IntArray], Any], blocks: list[IntArray]) -> Iterator[tuple[IntArray, Any]]:
        if len(blocks) < 2 or self._threads == 1:
            yield from ((block, work(block)) for block in blocks)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            for start in range(0, len(blocks), _AT_ONCE):
                some = blocks[start : start + _AT_ONCE]  # or what is read would run ahead of what is done with it
                yield from zip(some, pool.map(work, some), strict=True)

    def _compared(self, block: IntArray) -> tuple[NDArray[np.float32], IntArray, NDArray[np.float32], FloatArray]:
        """The two nearest of the picks that a block of rows has not met, and the rows' squared lengths."""
        start = int(self.seen[block].min())
        left, squares = self._prepared(block)
        first, nearest, second = self._products.nearest_two(
            left, squares, self._rows[start : self._count], self._row_squares[start : self._count]
        )
        # A pick that some of the rows had met already may come back as the second nearest; that costs them a
        # measurement, and never more.
        return first, nearest + start, second, squares

    def _prepared(self, rows: IntArray) -> tuple[NDArray[np.float32], FloatArray]:
        """Rows in float32, scaled and shifted, with their squared lengths."""
        factors = self._factors[rows, None]
        prepared = self._vectors[rows]
        if self._in_single:
            prepared *= factors.astype(np.float32)
        else:
            prepared = (prepared * factors).astype(np.float32)
        prepared -= self._center
        squares = self._squares[rows]
        new = np.isnan(squares)
        if new.any():
            squares[new] = np.square(prepared[new], dtype=np.float64).sum(axis=1)
        return prepared, squares

    def _remember(self, rows: IntArray, squares: FloatArray) -> None:
        """Keep the squared lengths of prepared rows, and the greatest length, which the error grows with."""
        self._squares[rows] = squares
        self._longest = max(self._longest, float(np.sqrt(squares.max(initial=0.0))))

    def _merge(
        self, rows: IntArray, first: NDArray[np.float32], nearest: IntArray, second: NDArray[np.float32],
        squares: FloatArray,
    ) -> None:  # fmt: skip
        self._remember(rows, squares)
        near, known = self.near[rows], self._nearest[rows]
        again = nearest == known  # a pick met before is not another one
        closer = (first < near) & ~again
        runner = np.where(again, self._second[rows], np.where(closer, near, np.minimum(first, self._second[rows])))
        self._second[rows] = np.minimum(runner, second)
        self._nearest[rows] = np.where(closer, nearest, known)
        self.near[rows] = np.where(closer, first, near)
        self.seen[rows] = self._count

    def hold(self, rows: IntArray) -> None:
        """Let these rows follow each pick from now on. They must be fresh."""
        self._held = rows
        self._held_rows, squares = self._prepared(rows)
        self._remember(rows, squares)
        self._held_squares = squares.astype(np.float32)

    def add(self, rows: IntArray) -> None:
        """Count rows as picked."""
        while self._count + len(rows) > len(self._picks):
            self._picks = np.resize(self._picks, 2 * len(self._picks))
            self._row_squares = np.resize(self._row_squares, len(self._picks))
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        prepared, squares = self._prepared(rows)
        new = slice(self._count, self._count + len(rows))
        self._picks[new], self._rows[new], self._row_squares[new] = rows, prepared, squares
        self._remember(rows, squares)
        for position in range(self._count, self._count + len(rows)):
            self._follow(position)
        self._count += len(rows)
        self.seen[self._held] = self._count

    def _follow(self, position: int) -> None:
        """Compare the held rows with one pick."""
        if not len(self._held):
            return
        screened = self._held_rows @ self._rows[position]
        screened *= -2
        screened += self._held_squares
        screened += np.float32(self._row_squares[position])
        near = self.near[self._held]
        closer = screened < near
        second = np.where(closer, near, np.minimum(screened, self._second[self._held]))
        self._second[self._held] = second
        changed = self._held[closer]
        self._nearest[changed] = position
        self.near[changed] = screened[closer]

    def measure(self, rows: IntArray) -> NDArray[np.float64]:
        """Measure the squared distance of fresh rows to their nearest pick; infinite without picks."""
        if not self._count:
            return np.full(len(rows), np.inf)
        open_ = rows[(self._measured_at[rows] < self._count) & (self._measured[rows] > 0)]
        if len(open_):
            clear = self._second[open_] - self.near[open_] > 2 * self.error
            sure = open_[clear]
            self._measured[sure] = self._pairs(sure, self._picks[self._nearest[sure]])
            for row in open_[~clear]:
                self._measured[row] = self._among_all(row)
            self._measured_at[open_] = self._count
        return self._measured[rows]

    def _among_all(self, row: int) -> float:
        """Measure a row that has several picks about equally near: all of those, of the ones not measured yet."""
        start = self._measured_at[row]
        prepared, squares = self._prepared(np.array([row]))
        screened = self._row_squares[start : self._count] - 2 * (self._rows[start : self._count] @ prepared[0])
        bound = min(float(screened.min()) + float(squares[0]), float(self._measured[row])) + 2 * self.error
        close = self._picks[start : self._count][screened + squares[0] <= bound]
        return float(self._pairs(np.full(len(close), row), close).min(initial=float(self._measured[row])))

    def nearer_picks(self, row: int, limits: NDArray[np.float64]) -> tuple[IntArray, NDArray[np.float64]]:
        """Find the picks that are nearer to a row than their limits, (count,): which, and the squared distances."""
        prepared, squares = self._prepared(np.array([row]))
        self._longest = max(self._longest, float(np.sqrt(squares[0])))
        screened = self._row_squares[: self._count] - 2 * (self._rows[: self._count] @ prepared[0]) + squares[0]
        places = np.flatnonzero(screened - self.error < limits)
        squared = self._pairs(np.full(len(places), row), self._picks[places])
        nearer = squared < limits[places]
        return places[nearer], squared[nearer]

    def _pairs(self, left: IntArray, right: IntArray) -> NDArray[np.float64]:
        return squared_distances(self._vectors, self._factors, left, right)
