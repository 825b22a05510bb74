"""Exact nearest neighbours among the rows of a matrix, or of other rows in it.

Short float32 products bound every distance from below; what they cannot rule out is measured in float64. So the
answer is the same for every block size, thread count and choice of products, and memory grows with n, never with n * n.
"""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
import xxhash
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray, Metric
from .screening import LowerBounds, lower_bounds_for
from .vectors import checked, range_factor, squared_distances, unit_factors

_BLOCK, _TILE = 256, 4096  # a product of this size is still in the processor's cache when it is looked at
_GROUP = 16
_TILES = 4  # whose products a thread holds at once

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
        if advance is not None:
            advance(len(asked))
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
        columns: the rows that are looked at, in the order in which they are.
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
        columns: IntArray = np.arange(len(rows)) if keep_copies is None else _first_of_identical(rows, keep_copies)
        # Shuffled, so that what is looked at first is like the rest, however the rows are sorted. Then it tells how far
        # away a neighbour can be, and hardly anything that comes later is nearer.
        self.columns = np.random.default_rng(0).permutation(columns) if len(columns) > _TILES * _TILE else columns
        self._place: IntArray = np.full(len(rows), -1)
        self._place[self.columns] = np.arange(len(self.columns))
        self._tiles = max(_TILES, -(-4 * k // _TILE))
        # Few columns make each a group of its own, else there might be fewer groups than neighbours wanted.
        self._group = _GROUP if min(len(self.columns), self._tiles * _TILE) >= 4 * _GROUP * k else 1
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
        step = block_rows or min(count, _BLOCK)
        blocks = [np.arange(start, min(start + step, count)) for start in range(0, count, step)]
        with one_blas_thread_each() as threads, ThreadPoolExecutor(threads) as pool:
            try:
                yield from zip(blocks, pool.map(work, blocks), strict=True)
            finally:
                pool.shutdown(cancel_futures=True)

    def _padded_right(self, bounds: LowerBounds) -> NDArray[np.float32]:
        """Give the columns as whole tiles, (tiles, tile, width): what fills the last one is infinitely far away."""
        count = len(self.columns)
        tiles = -(-count // _TILE)
        self._tile = -(-count // (tiles * _GROUP)) * _GROUP
        right = np.zeros((tiles * self._tile, bounds.width + 2), dtype=np.float32)
        for start in range(0, count, _TILE):
            part = self.columns[start : start + _TILE]
            right[start : start + len(part)] = bounds.right(self._rows[part], self._factors[part])
        right[count:, -1] = np.inf
        return right.reshape(tiles, self._tile, -1)

    def nearest(self, block: IntArray, k: int) -> tuple[NDArray[np.float64], IntArray]:
        """Find the k nearest of each row of the block: squared distances and indices, (rows, k)."""
        nothing = np.full(len(block), -np.inf, dtype=np.float32)
        products = self._products(block)
        first = next(products)
        # k groups hold a bound this small, so k pairs do. Measured, they tell how far away a neighbour can be.
        above = np.partition(first.smallest, k - 1, axis=1)[:, k - 1]
        found = self._measured(block, *first.pairs(nothing, above)[:2]).first_per_row(k)
        reach = np.maximum(found.reach(k), above)
        rest = [first.pairs(above, reach), *(more.pairs(nothing, reach) for more in products)]
        left, right, bounds = (np.concatenate(part) for part in zip(*rest, strict=True))
        # The more columns there were behind the first ones, the more of what is left is not as near as it could be.
        soonest = _rank_in_row(left, bounds) < k
        found = found.with_more(self._measured(block, left[soonest], right[soonest])).first_per_row(k)
        may_be = ~soonest & (bounds <= found.reach(k)[left])
        found = found.with_more(self._measured(block, left[may_be], right[may_be])).first_per_row(k)
        return found.squared.reshape(-1, k), found.right.reshape(-1, k)

    def within(self, block: IntArray, squared_radius: NDArray[np.float64]) -> Pairs:
        """Find all that lies within a radius of each row of the block.

        Args:
            block: rows asked for.
            squared_radius: (len(block),) squared distances between the rows as they are searched.

        Returns:
            The row asked for, the row found and their squared distance, (pairs,) each, in the order of the former.
        """
        nothing, up_to = np.full(len(block), -np.inf, dtype=np.float32), _rounded_up(squared_radius)
        parts = [products.pairs(nothing, up_to)[:2] for products in self._products(block)]
        left, right = (np.concatenate(side) for side in zip(*parts, strict=True))
        squared = self._measured(block, left, right).squared
        near = np.flatnonzero(squared <= squared_radius[left])
        near = near[np.argsort(left[near], kind="stable")]
        return block[left[near]], right[near], squared[near]

    def _products(self, block: IntArray) -> Iterator["_Products"]:
        """Compute the lower bounds of a block, some tiles at a time; a row's own is infinite."""
        flat = self._right.reshape(-1, self._right.shape[2])
        if self._asked is self._rows and len(self.columns) == len(self._rows):
            left = self._bounds.turned(flat[self._place[block]])
        else:
            left = self._bounds.left(self._asked[block], self._asked_factors[block])
        own = self._own[block]
        own_place = np.where(own >= 0, self._place[own], -1)
        # Many at first, so that they tell much; then one by one, which stay in the cache.
        for first in (0, *range(self._tiles, len(self._right))):
            tiles = self._right[first : first + (1 if first else self._tiles)]
            bounds = np.empty((len(tiles), len(block), self._group, self._tile // self._group), dtype=np.float32)
            smallest = np.empty((len(block), len(tiles), bounds.shape[3]), dtype=np.float32)
            for tile, right in enumerate(tiles):
                product = bounds[tile].reshape(len(block), self._tile)
                np.matmul(left, right.T, out=product)
                rows = np.flatnonzero((own_place >= 0) & (own_place // self._tile == first + tile))
                product[rows, own_place[rows] % self._tile] = np.inf
                np.minimum.reduce(bounds[tile], axis=1, out=smallest[:, tile])
            columns = self.columns[first * self._tile :]
            yield _Products(bounds, smallest.reshape(len(block), -1), columns)

    def _measured(self, block: IntArray, left: IntArray, right: IntArray) -> "_Measured":
        # Brought to their scale once, since each of them comes up some dozen times.
        asked = self._asked[block] * self._asked_factors[block, None]
        return _Measured(left, right, squared_distances(self._rows, self._factors, right, left, others=(asked, None)))


class _Products(NamedTuple):
    """Lower bounds of a block of rows against some tiles of columns.

    Attributes:
        bounds: (tiles, rows, members, groups).
        smallest: (rows, tiles * groups), of each group.
        columns: what the columns are, from the first on.
    """

    bounds: NDArray[np.float32]
    smallest: NDArray[np.float32]
    columns: IntArray

    def pairs(
        self, above: NDArray[np.float32], up_to: NDArray[np.float32]
    ) -> tuple[IntArray, IntArray, NDArray[np.float32]]:
        """Pair the rows of the block with the columns whose bound is `above < bound <= up_to`; and give that."""
        width, groups = self.bounds.shape[2] * self.bounds.shape[3], self.bounds.shape[3]
        row, group = np.divmod(np.flatnonzero(self.smallest <= up_to[:, None]), self.smallest.shape[1])
        tile, group = np.divmod(group, groups)
        members = self.bounds[tile, row, :, group]
        pair, member = np.nonzero((members <= up_to[row, None]) & (members > above[row, None]))
        column = tile[pair] * width + member * groups + group[pair]
        return row[pair], self.columns[column], members[pair, member]


class _Measured(NamedTuple):
    """Pairs of a row of a block and a row that was found, with their squared distance, (pairs,) each."""

    left: IntArray
    right: IntArray
    squared: NDArray[np.float64]

    def with_more(self, more: "_Measured") -> "_Measured":
        """These pairs and others."""
        return _Measured(*(np.concatenate(both) for both in zip(self, more, strict=True)))

    def first_per_row(self, k: int) -> "_Measured":
        """The k nearest pairs of each row, in order, ties to the lower index; every row has as many."""
        order = np.lexsort((self.right, self.squared, self.left))
        starts = np.flatnonzero(np.r_[True, np.diff(self.left[order]) > 0])
        kept = order[(starts[:, None] + np.arange(k)).reshape(-1)]
        return _Measured(self.left[kept], self.right[kept], self.squared[kept])

    def reach(self, k: int) -> NDArray[np.float32]:
        """Of k pairs of each row, the distance of the last, not rounded down."""
        return _rounded_up(self.squared[k - 1 :: k])


def _rank_in_row(left: IntArray, values: NDArray[np.float32]) -> IntArray:
    """Count for each pair how many of the same row have a smaller value, or the same and come earlier."""
    order = np.lexsort((values, left))
    starts = np.flatnonzero(np.r_[True, np.diff(left[order]) > 0])
    rank = np.empty(len(left), dtype=np.int64)
    rank[order] = np.arange(len(left)) - np.repeat(starts, np.diff(np.r_[starts, len(left)]))[: len(left)]
    return rank


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
