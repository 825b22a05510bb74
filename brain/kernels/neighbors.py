"""Exact nearest neighbours among the rows of a matrix, or of other rows in it.

Short float32 products bound every distance from below; what they cannot rule out is measured in float64. So the
answer is the same for every block size, thread count and choice of products, and memory grows with n, never with n * n.
"""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeAlias, TypeVar

import numpy as np
import xxhash
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray, Metric
from .screening import LowerBounds, lower_bounds_for
from .vectors import checked, range_factor, squared_distances, unit_factors

_CELLS = 1 << 24  # entries of the products one thread holds
_BLOCK, _TILE = 256, 4096  # a product of this size is still in the processor's cache when it is looked at
_GROUP = 16

Pairs: TypeAlias = tuple[IntArray, IntArray, NDArray[np.float64]]
"""Two rows and their distance, (pairs,) each."""

_Found = TypeVar("_Found")


def nearest_neighbors(
    vectors: ArrayLike,
    k: int,
    *,
    metric: Metric = "euclidean",
    queries: ArrayLike | None = None,
    excluding: IntArray | None = None,
    distinct: bool = False,
    block_rows: int | None = None,
    advance: Callable[[int], None] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the k nearest *other* rows of every row, or the k nearest rows of every query.

    Of rows at the same distance, the one with the lower index comes first. With fewer than k others, all of them
    are returned.

    Args:
        vectors: (n, d) numbers, one row per sample.
        k: neighbours wanted per row, at least 1.
        metric: "euclidean", the length of the difference; or "cosine", one minus the cosine of the angle, from 0
            (same direction) to 2. A row of zeros has no direction and counts as cosine distance 0.5 from every
            other row.
        queries: (m, d) the rows whose neighbours are wanted; by default those of `vectors`, each without itself.
        excluding: (m,) the row of `vectors` that each query is, which is then no neighbour of it; -1 for none.
        distinct: whether all rows are known to differ, which saves looking for copies. It never changes the result.
        block_rows: rows screened at once. It changes memory and time, never the result.
        advance: called with the number of rows just finished.

    Returns:
        Distances, (m, min(k, n - 1)) float64, ascending in each row, and the indices of the neighbours, alike. The
        width is min(k, n) for queries of which none is excluded.

    Raises:
        ValueError: if `vectors` or `queries` is not (n, d), of one d, or holds NaN or infinity, or `k` or `block_rows`
            is below 1.

    Example:
        >>> distances, indices = nearest_neighbors([[0.0], [1.0], [3.0]], k=1)
        >>> distances.ravel(), indices.ravel()
        (array([1., 1., 2.]), array([1, 0, 1]))
        >>> nearest_neighbors([[0.0], [1.0], [3.0]], k=1, queries=[[2.5]])
        (array([[0.5]]), array([[2]]))
    """
    rows = checked(vectors)
    asked = rows if queries is None else checked(queries)
    if k < 1 or (block_rows is not None and block_rows < 1):
        raise ValueError(f"k={k} and block_rows={block_rows} must be at least 1")
    if metric not in ("euclidean", "cosine"):
        raise ValueError(f"metric={metric!r} is unknown; expected 'euclidean' or 'cosine'")
    if len(asked) and len(rows) and asked.shape[1] != rows.shape[1]:
        raise ValueError(f"queries has shape {asked.shape} and vectors {rows.shape}; expected the same width")
    own = np.arange(len(rows)) if queries is None else np.full(len(asked), -1) if excluding is None else excluding
    k = min(k, max(len(rows) - bool((own >= 0).any()), 0))
    if k == 0 or len(asked) == 0:
        return np.empty((len(asked), k)), np.empty((len(asked), k), dtype=np.int64)
    search = Search(rows, asked, metric, keep_copies=None if distinct else k + 1, k=k, own=np.asarray(own))
    distances, indices = np.empty((len(asked), k)), np.empty((len(asked), k), dtype=np.int64)
    with closing(search.run(lambda block: search.nearest(block, k), block_rows)) as done:
        for block, (squared, found) in done:
            distances[block], indices[block] = squared, found
            if advance is not None:
                advance(len(block))
    return search.in_metric(distances), indices


@contextmanager
def one_blas_thread_each() -> Iterator[int]:
    """Let BLAS use one thread, and give how many it was allowed: a block of rows for each is quicker than sharing one.

    Threads that share one small product wait for each other, which on a busy machine takes longer than the product.
    """
    from threadpoolctl import ThreadpoolController

    pools = ThreadpoolController().select(user_api="blas")
    allowed = max((library["num_threads"] for library in pools.info()), default=1)
    with pools.limit(limits=1):
        yield allowed


class Search:
    """A search among rows for what is near to others: what is prepared once, and the work on one block.

    Attributes:
        columns: the rows that are looked at, ascending.
    """

    def __init__(
        self, rows: FloatArray, asked: FloatArray, metric: Metric, *, keep_copies: int | None, k: int, own: IntArray
    ) -> None:
        """Prepare a search.

        Args:
            rows: (n, d) where neighbours are looked for, as `checked` gives them.
            asked: (m, d) whose neighbours are looked for; `rows` itself, or others.
            metric: "euclidean" or "cosine".
            keep_copies: of identical rows, how many are looked at, the first ones; None for all.
            k: about how many neighbours of a row are of interest.
            own: (m,) the row that each of `asked` is, -1 for none.
        """
        self._rows, self._asked, self._own, self._metric = rows, asked, own, metric
        self._scale = min(range_factor(rows), range_factor(asked)) if metric == "euclidean" else 1.0
        self._factors = np.full(len(rows), self._scale) if metric == "euclidean" else unit_factors(rows)
        self._asked_factors = self._factors
        if asked is not rows:
            self._asked_factors = np.full(len(asked), self._scale) if metric == "euclidean" else unit_factors(asked)
        self.columns = np.arange(len(rows)) if keep_copies is None else _first_of_identical(rows, keep_copies)
        # Few columns make each a group of its own, else there might be fewer groups than neighbours wanted.
        self._group = _GROUP if len(self.columns) >= 4 * _GROUP * k else 1
        self._bounds = lower_bounds_for(rows, self._factors, asked, self._asked_factors, k)
        self._right = self._padded_right(self._bounds)

    def in_metric(self, squared: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn squared distances between the rows as they are searched into the metric."""
        return squared / 2 if self._metric == "cosine" else np.sqrt(squared) / self._scale

    def squared(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn distances in the metric into squared distances between the rows as they are searched."""
        return distances * 2 if self._metric == "cosine" else np.square(distances * self._scale)

    def run(
        self, work: Callable[[IntArray], _Found], block_rows: int | None = None
    ) -> Generator[tuple[IntArray, _Found]]:
        """Do some work on all rows asked for, block by block, and yield the results in order."""
        count = len(self._asked)
        step = block_rows or min(count, max(64, _CELLS // len(self.columns)), _BLOCK)
        blocks = [np.arange(start, min(start + step, count)) for start in range(0, count, step)]
        with one_blas_thread_each() as threads, ThreadPoolExecutor(threads) as pool:
            try:
                yield from zip(blocks, pool.map(work, blocks), strict=True)
            finally:
                pool.shutdown(cancel_futures=True)

    def _padded_right(self, bounds: LowerBounds) -> NDArray[np.float32]:
        """Give the columns as whole tiles, (tiles, tile, width): what fills the last one is infinitely far away."""
        count = len(self.columns)
        self._tile = min(_TILE, -(-count // _GROUP) * _GROUP)
        tiles = -(-count // self._tile)
        right = np.zeros((tiles * self._tile, bounds.width + 2), dtype=np.float32)
        for start in range(0, count, _TILE):
            part = self.columns[start : start + _TILE]
            right[start : start + len(part)] = bounds.right(self._rows[part], self._factors[part])
        right[count:, -1] = np.inf
        return right.reshape(tiles, self._tile, -1)

    def nearest(self, block: IntArray, k: int) -> tuple[NDArray[np.float64], IntArray]:
        """Find the k nearest of each row of the block: squared distances and indices, (rows, k)."""
        products, smallest = self._products(block)
        # k groups hold a bound this small, so k pairs do. Measured, they tell how far away a neighbour can be.
        enough = np.partition(smallest, k - 1, axis=1)[:, k - 1]
        nothing = np.full(len(block), -np.inf, dtype=np.float32)
        left, right = self._pairs(products, smallest, nothing, enough)
        squared = self._measured(block, left, right)
        reach = _rounded_up(squared[_first_per_row(left, squared, right, k)[:, -1]])
        more_left, more_right = self._pairs(products, smallest, enough, np.maximum(reach, enough))
        if len(more_left):
            squared = np.concatenate([squared, self._measured(block, more_left, more_right)])
            left, right = np.concatenate([left, more_left]), np.concatenate([right, more_right])
        kept = _first_per_row(left, squared, right, k)
        return squared[kept], right[kept]

    def within(self, block: IntArray, squared_radius: NDArray[np.float64]) -> Pairs:
        """Find all that lies within a radius of each row of the block.

        Args:
            block: rows asked for.
            squared_radius: (len(block),) squared distances between the rows as they are searched.

        Returns:
            The row asked for, the row found and their squared distance, (pairs,) each.
        """
        products, smallest = self._products(block)
        nothing = np.full(len(block), -np.inf, dtype=np.float32)
        left, right = self._pairs(products, smallest, nothing, _rounded_up(squared_radius))
        squared = self._measured(block, left, right)
        near = squared <= squared_radius[left]
        return block[left[near]], right[near], squared[near]

    def _products(self, block: IntArray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compute the lower bounds of a block, (tiles, rows, members, groups); a row's own is infinite.

        And the smallest of each group, (rows, tiles * groups).
        """
        if self._asked is self._rows and len(self.columns) == len(self._rows):
            left = self._bounds.turned(self._right.reshape(-1, self._right.shape[2])[block])
        else:
            left = self._bounds.left(self._asked[block], self._asked_factors[block])
        products = np.empty((len(self._right), len(block), self._group, self._tile // self._group), dtype=np.float32)
        smallest = np.empty((len(block), len(self._right), products.shape[3]), dtype=np.float32)
        own = self._own[block]
        place = np.minimum(np.searchsorted(self.columns, own), len(self.columns) - 1)
        own_tile = np.where(self.columns[place] == own, place // self._tile, -1)
        for tile, right in enumerate(self._right):
            product = products[tile].reshape(len(block), self._tile)
            np.matmul(left, right.T, out=product)
            rows = np.flatnonzero(own_tile == tile)
            product[rows, place[rows] % self._tile] = np.inf
            np.minimum.reduce(products[tile], axis=1, out=smallest[:, tile])
        return products, smallest.reshape(len(block), -1)

    def _pairs(
        self,
        products: NDArray[np.float32],
        smallest: NDArray[np.float32],
        above: NDArray[np.float32],
        up_to: NDArray[np.float32],
    ) -> tuple[IntArray, IntArray]:
        """Pair the rows of a block with the columns whose bound is `above < bound <= up_to`."""
        row, group = np.nonzero(smallest <= up_to[:, None])
        tile, group = np.divmod(group, products.shape[3])
        members = products[tile, row, :, group]
        pair, member = np.nonzero((members <= up_to[row, None]) & (members > above[row, None]))
        column = tile[pair] * self._tile + member * products.shape[3] + group[pair]
        return row[pair], self.columns[column]

    def _measured(self, block: IntArray, left: IntArray, right: IntArray) -> NDArray[np.float64]:
        # Brought to their scale once, since each of them comes up some dozen times.
        asked = self._asked[block] * self._asked_factors[block, None]
        return squared_distances(self._rows, self._factors, right, left, others=(asked, None))


def _rounded_up(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give float32 numbers that are not smaller."""
    return np.nextafter(values.astype(np.float32), np.float32(np.inf))


def first_identical(rows: FloatArray, /) -> IntArray:
    """Give for each row the first one that is identical, which may be itself.

    Example:
        >>> first_identical(np.array([[1.0], [2.0], [1.0]]))
        array([0, 1, 0])
    """
    seen: dict[bytes, int] = {}
    digest = xxhash.xxh3_128_digest
    return np.fromiter(
        (seen.setdefault(digest(row), index) for index, row in enumerate(np.ascontiguousarray(rows))),
        dtype=np.int64,
        count=len(rows),
    )


def _first_of_identical(rows: FloatArray, count: int) -> IntArray:
    """Leave out all but the first of identical rows: beyond k + 1 they lose every tie, so nobody's neighbour is lost.

    Without it, a data set with many copies of one image would have all of them measured against each other.
    """
    first = first_identical(rows)
    order = np.argsort(first, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(first[order]) > 0])
    earlier = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    return np.sort(order[earlier < count])


def _first_per_row(left: IntArray, squared: NDArray[np.float64], right: IntArray, k: int) -> IntArray:
    """Give the positions of each row's k smallest pairs, (rows, k), ties to the lower index."""
    order = np.lexsort((right, squared, left))
    starts = np.flatnonzero(np.r_[True, np.diff(left[order]) > 0])
    return np.take(order, starts[:, None] + np.arange(k))
