"""Near-duplicates and leaks: which samples are so near to another that they show the same.

Vectors in, positions out. Copies of files are `operations.exact_duplicates`, which compares the files themselves.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import BoolArray, FloatArray, IntArray, Metric
from .neighbors import Pairs, Search, first_identical, nearest_neighbors
from .vectors import checked

NEIGHBORS = 12
"""How many neighbours tell the scale around a sample."""

COPIES = 3
"""The nearest of them that do not: so many near-copies of an image leave its scale as it is."""

SHARE = 0.375
"""A near-duplicate is at most this part of the scale away."""

_ROUNDING = 1e-12  # vectors of one direction may lie this far apart, in cosine distance


@dataclass(frozen=True)
class Duplicates:
    """What is kept, and what repeats it.

    Attributes:
        of: (n,) the kept row that each row repeats; a kept row repeats itself.
        distances: (n,) the distance to it.
        radius: (n,) up to what distance another counts as the same, for each row.
    """

    of: NDArray[np.int64]
    distances: NDArray[np.float64]
    radius: NDArray[np.float64]


@dataclass(frozen=True)
class Leaks:
    """What is in more than one split.

    Attributes:
        counts: (n,) how many rows of other splits show the same.
        nearest: (n,) the nearest of them, -1 for none. A row that is in several splits itself is its own.
        distances: (n,) the distance to it, infinite for none.
        radius: (n,) up to what distance another counts as the same, for each row.
    """

    counts: NDArray[np.int64]
    nearest: NDArray[np.int64]
    distances: NDArray[np.float64]
    radius: NDArray[np.float64]


def duplicate_radius(
    vectors: ArrayLike,
    threshold: float | None = None,
    *,
    metric: Metric = "cosine",
    advance: Callable[[int], None] | None = None,
) -> NDArray[np.float64]:
    """Compute up to what distance another row counts as the same: two do up to the geometric mean of their radii.

    Without a threshold it is 3/8 of the scale around the row, the geometric mean of the distances to the 4th to 12th
    nearest *different* row. Around a sample of a smooth distribution with q independent directions, the number of
    others grows with the q-th power of the distance, and 7.6 lie within the scale: (4 * 5 * ... * 12)^(1/9). So within
    3/8 of it there are 7.6 * 0.375^q by chance: 0.06 at q = 5, 0.003 at q = 8. One that is there has another reason.
    The rule has no unit, holds in dense and in thin regions, and asks nobody.

    Args:
        vectors: (n, d) numbers, one row per sample.
        threshold: the same distance for all rows.
        metric: "cosine" or "euclidean". Cosine distances grow with the square of small angles, so there it is
            (3/8)^2 of the scale.
        advance: called with the number of rows just finished.

    Returns:
        (n,) float64 in the metric. With fewer than 12 different others, these give the scale, with fewer than 4 the
        farthest.

    Raises:
        ValueError: as `nearest_neighbors`; or if the threshold is negative or NaN.

    Source:
        Ours. The mean of logarithms is the estimate of scale that follows from that law of powers. The product of the
        scales of both ends is the self-tuning of Zelnik-Manor and Perona (2004).

    Example:
        >>> duplicate_radius([[0.0], [1.0], [9.0]], metric="euclidean")
        array([3.375, 3.   , 3.375])
    """
    rows = checked(vectors)
    if threshold is not None:
        if not threshold >= 0:
            raise ValueError(f"threshold={threshold} must be a distance, 0 or more")
        return np.full(len(rows), float(threshold))
    first = first_identical(rows)
    different = np.flatnonzero(first == np.arange(len(rows)))
    distances, _ = nearest_neighbors(rows[different], NEIGHBORS, metric=metric, distinct=True, advance=advance)
    radius = np.zeros(len(rows))
    radius[different] = _local_radius(distances, metric)
    return radius[first]


def _local_radius(distances: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Give the radius of different rows from the distances to their nearest ones."""
    width = distances.shape[1]
    if not width:
        return np.zeros(len(distances))
    # Directions may be one though the rows differ, and have no logarithm then.
    scale = np.exp(np.log(np.maximum(distances[:, min(COPIES, width - 1) :], _ROUNDING)).mean(axis=1))
    radius: NDArray[np.float64] = scale * (SHARE**2 if metric == "cosine" else SHARE)
    return np.maximum(radius, _ROUNDING) if metric == "cosine" else radius


def near_duplicates(
    vectors: ArrayLike,
    threshold: float | None = None,
    *,
    metric: Metric = "cosine",
    advance: Callable[[int], None] | None = None,
) -> Duplicates:
    """Keep the rows one after another that are no near-duplicate of one kept before, and attach the others to those.

    Args:
        vectors: (n, d) numbers, one row per sample.
        threshold: up to what distance two rows are the same; None for `duplicate_radius`.
        metric: "cosine" or "euclidean".
        advance: called with the number of rows just finished.

    Returns:
        For each row the kept one it repeats, the nearest if there are several, the first of equally near ones.
        Identical rows always repeat the first of them.

    Raises:
        ValueError: as `duplicate_radius`.

    Source:
        The walk is that of FiftyOne's Brain; the radius is ours.

    Example:
        >>> near_duplicates([[0.0], [1.0], [0.1], [0.0]], threshold=0.2, metric="euclidean").of
        array([0, 1, 0, 0])
    """
    rows, done = checked(vectors), advance or _nothing
    first = first_identical(rows)
    different = np.flatnonzero(first == np.arange(len(rows)))
    done(len(rows) - len(different))
    radius, pairs = _radius_and_pairs(rows[different], threshold, metric, done)
    of, to_kept = np.arange(len(different)), np.zeros(len(different))
    kept = np.ones(len(different), dtype=bool)
    for block in pairs:
        for row, others, apart in _earlier(block):
            stays = kept[others]
            kept[row] = not stays.any()  # the pairs come in the order of their left rows: all before are settled
            if kept[row]:
                # It may be nearer to some of those that were attached to an earlier one.
                closer = ~stays & (apart < to_kept[others])
                of[others[closer]], to_kept[others[closer]] = row, apart[closer]
            else:
                nearest = np.flatnonzero(stays)[apart[stays].argmin()]
                of[row], to_kept[row] = others[nearest], apart[nearest]
    found, back = different[of], np.searchsorted(different, first)
    return Duplicates(found[back], to_kept[back], radius[back])


def _earlier(pairs: Pairs) -> Iterator[Pairs]:
    """For each left row that has right ones before it: the row, these in their order, and their distances."""
    left, right, apart = pairs
    earlier = np.flatnonzero(right < left)
    earlier = earlier[np.lexsort((right[earlier], left[earlier]))]
    rows, starts = np.unique(left[earlier], return_index=True)
    for row, group in zip(rows.tolist(), np.split(earlier, starts[1:]), strict=True) if len(rows) else ():
        yield row, right[group], apart[group]


def leaks(
    vectors: ArrayLike,
    member: BoolArray,
    threshold: float | None = None,
    *,
    metric: Metric = "cosine",
    advance: Callable[[int], None] | None = None,
) -> Leaks:
    """Find the rows of which another split holds a near-duplicate: every pair counts, not just those of kept rows.

    Args:
        vectors: (n, d) numbers, one row per sample.
        member: (n, s) which splits each row is in.
        threshold: up to what distance two rows are the same; None for `duplicate_radius`.
        metric: "cosine" or "euclidean".
        advance: called with the number of rows just finished.

    Raises:
        ValueError: as `duplicate_radius`; or if `member` is not (n, s).

    Example:
        >>> found = leaks([[0.0], [5.0], [0.0]], np.array([[True, False], [True, False], [False, True]]), 0.1)
        >>> found.counts, found.nearest
        (array([1, 0, 1]), array([ 2, -1,  0]))
    """
    rows, done = checked(vectors), advance or _nothing
    if member.ndim != 2 or len(member) != len(rows):
        raise ValueError(f"member has shape {member.shape}; expected ({len(rows)}, s), one column per split")
    # Identical rows of the same splits are one: so a thousand copies are no million of pairs.
    first = first_identical(rows)
    different, row = np.unique(first, return_inverse=True)
    pattern = np.unique(member, axis=0, return_inverse=True)[1].reshape(-1)
    _, ones, alike = np.unique(np.c_[row, pattern], axis=0, return_index=True, return_inverse=True)
    alike = alike.reshape(-1)
    size = np.bincount(alike)
    done(len(rows) - len(different))
    radius, pairs = _radius_and_pairs(rows[different], threshold, metric, done)
    same = np.arange(len(different))
    several = member[ones].sum(axis=1) > 1
    counts = np.where(several, size, 0)
    nearest, distances = np.where(several, ones, -1), np.where(several, 0.0, np.inf)
    for found in ((same, same, np.zeros(len(same))), *pairs) if len(ones) else ():
        left, right, distance = _expanded(found, np.searchsorted(row[ones], np.arange(len(different) + 1)))
        union = member[ones[left]] | member[ones[right]]
        both = member[ones[left]].any(axis=1) & member[ones[right]].any(axis=1)
        crossing = both & (union.sum(axis=1) > 1) & (left != right)
        left, right, distance = left[crossing], right[crossing], distance[crossing]
        np.add.at(counts, left, size[right])
        order = np.lexsort((ones[right], distance, left))
        unit, place = np.unique(left[order], return_index=True)
        closer = distance[order][place] < distances[unit]
        nearest[unit[closer]] = ones[right[order][place]][closer]
        distances[unit[closer]] = distance[order][place][closer]
    return Leaks(counts[alike], nearest[alike], distances[alike], radius[row])


def _expanded(pairs: Pairs, starts: IntArray) -> Pairs:
    """Pair everything that lies between starts[i] and starts[i + 1] with all between starts[j] and starts[j + 1]."""
    left, right, distance = pairs
    across = starts[right + 1] - starts[right]
    total = (starts[left + 1] - starts[left]) * across
    which = np.repeat(np.arange(len(left)), total)
    offset = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
    down, over = np.divmod(offset, across[which])
    return starts[left[which]] + down, starts[right[which]] + over, distance[which]


def _radius_and_pairs(
    rows: FloatArray, threshold: float | None, metric: Metric, advance: Callable[[int], None]
) -> tuple[NDArray[np.float64], Iterable[Pairs]]:
    """Give the radius of different rows, and the pairs within the radius of both in the order of their left rows."""
    if threshold is not None:
        radius = duplicate_radius(rows, threshold)
        return radius, _near_pairs(rows, radius, metric, advance)
    distances, indices = nearest_neighbors(rows, NEIGHBORS, metric=metric, distinct=True, advance=advance)
    radius = _local_radius(distances, metric)
    if distances.shape[1] < len(rows) - 1 and (distances[:, -1] <= radius).any():
        # More vectors of one direction than are listed.
        return radius, _near_pairs(rows, radius, metric, _nothing)
    # A pair lies within the larger of its two radii, hence is listed by the row that has that one.
    left, place = np.nonzero(distances <= radius[:, None])
    right, apart = indices[left, place], distances[left, place]
    near = np.square(apart) <= radius[left] * radius[right]
    left, right, apart = left[near], right[near], apart[near]
    both = np.r_[left * len(rows) + right, right * len(rows) + left]
    pair, first = np.unique(both, return_index=True)
    return radius, [(pair // len(rows), pair % len(rows), np.r_[apart, apart][first])]


def _near_pairs(
    rows: FloatArray, radius: NDArray[np.float64], metric: Metric, advance: Callable[[int], None]
) -> Iterator[Pairs]:
    """Yield the pairs of different rows up to the mean of their radii, in the order of the left row."""
    if len(rows) < 2:
        advance(len(rows))
        return
    search = Search(rows, rows, metric, keep_copies=None, k=NEIGHBORS, own=np.arange(len(rows)))
    reach = search.squared(np.sqrt(radius * radius.max()))

    def within(block: IntArray) -> Pairs:
        return search.within(block, reach[block])

    with closing(search.run(within)) as done:
        for block, (left, right, squared) in done:
            apart = search.in_metric(squared)
            near = np.square(apart) <= radius[left] * radius[right]
            yield left[near], right[near], apart[near]
            advance(len(block))


def _nothing(_done: int) -> None:
    """Take a report that nobody asked for."""
