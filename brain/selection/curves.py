"""How well the first picks stand for all candidates, for every number of picks: measured afterwards, on a sample.

Arrays only. What decided about single picks is `selection.explanation`; what becomes of both is `selection.report`.

A row is one point or, with offsets, several: its objects. Then the objects are what is covered, and an object is as far
from the picks as from the nearest object of one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray
from ..kernels.vectors import unit_factors
from .objectives.distances import Owners

EVALUATED = 4096
"""How many candidates, or objects of them, are measured at most."""
_SEPARATED = 2048
_FEWEST = 256
_MANY = 1 << 14
"""Of more rows than that on the other side, fewer are measured: the work stays the same, down to 256 of them."""
_CELLS = 1 << 21
_STEPS_PER_OCTAVE = 16
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Places:
    """Where rows lie.

    Attributes:
        vectors: (m, d) points.
        normalize: whether each point is brought to length one first.
        offsets: (n + 1,) row i has the points offsets[i] to offsets[i + 1]; None where each row is one point.
    """

    vectors: FloatArray
    normalize: bool = True
    offsets: IntArray | None = None

    def points(self, rows: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the points of rows, and for each point the position of its row in `rows`."""
        asked = np.asarray(rows, dtype=np.int64)
        if self.offsets is None:
            return asked, np.arange(len(asked))
        own = Owners(np.asarray(self.offsets, dtype=np.int64))
        return np.asarray(own.of(asked)), np.repeat(np.arange(len(asked)), own.lengths(asked))

    def read(self, points: IntArray) -> NDArray[np.float64]:
        """Give points in float64, scaled as wished."""
        found = self.vectors[points].astype(np.float64)
        return found * unit_factors(found)[:, None] if self.normalize else found


@dataclass(frozen=True)
class Curve:
    """How far the candidates are from the nearest pick, for some numbers of picks.

    Attributes:
        picks: (p,) numbers of picks, ascending; those preselected are not counted, but they are there from the start.
        mean_distance: (p,) mean distance to the nearest pick, never rising.
        largest_distance: (p,) the largest, never rising.
        coverage: (p,) 1 - mean distance / mean distance to the most central candidate, 0 to 1, never falling.
    """

    picks: NDArray[np.int64]
    mean_distance: NDArray[np.float64]
    largest_distance: NDArray[np.float64]
    coverage: NDArray[np.float64]


class Evaluation:
    """A sample of the candidates, to measure sets of picks on.

    Distances are float64 products, in which rounding leaves 13 digits; results are given with 6, so that they do not
    depend on the sizes of blocks.
    """

    def __init__(
        self, places: Places, candidates: NDArray[np.bool_], preselected: ArrayLike = (), seed: int = 0
    ) -> None:
        """Draw the sample, and measure how far it is from what is preselected."""
        self._places = places
        earlier, _ = places.points(preselected)
        most = _measured(EVALUATED, len(earlier))
        points, _ = places.points(hashed(candidates, most, seed))
        if len(points) > most:
            points = points[hashed(np.ones(len(points), dtype=np.bool_), most, seed)]
        rows = places.read(points)
        self._center = rows.mean(axis=0) if len(rows) else np.zeros(places.vectors.shape[1])
        self._rows = rows - self._center  # far from the origin, products would lose digits
        self._squares = np.einsum("ij,ij->i", self._rows, self._rows)
        self._start = np.full(len(rows), np.inf)
        self._approach(self._start, earlier)
        self.base = self._mean_to_most_central()

    def __len__(self) -> int:
        """How many points are measured."""
        return len(self._rows)

    def curve(self, picks: ArrayLike, lengths: ArrayLike | None = None) -> Curve:
        """Measure the first picks, for each of some numbers of them.

        Args:
            picks: (k,) rows in the order of picking.
            lengths: (p,) ascending numbers of picks from 0 to k; `prefix_lengths(k)` by default.
        """
        rows = np.asarray(picks, dtype=np.int64)
        wanted = prefix_lengths(len(rows)) if lengths is None else np.asarray(lengths, dtype=np.int64)
        points, owners = self._places.points(rows)
        nearest, done = self._start.copy(), 0
        means, largest = np.full(len(wanted), np.nan), np.full(len(wanted), np.nan)
        for position, length in enumerate(wanted if len(self) else ()):
            end = int(np.searchsorted(owners, length))
            self._approach(nearest, points[done:end])
            distances, done = np.sqrt(nearest), end
            means[position], largest[position] = distances.mean(), distances.max()
        return Curve(wanted, significant(means), significant(largest), self.coverage(means))

    def coverage(self, mean_distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give mean distances as shares of what the most central candidate leaves: 1 - distance / base, from 0 to 1."""
        with np.errstate(invalid="ignore"):
            shares = 1.0 - mean_distances / self.base if self.base > 0 else np.where(mean_distances > 0, 0.0, 1.0)
        within = np.where(np.isnan(mean_distances), np.nan, np.clip(shares, 0.0, 1.0))
        return np.asarray(np.round(within, 6), dtype=np.float64)

    def _mean_to_most_central(self) -> float:
        if not len(self):
            return 0.0
        # The rows are shifted to their mean; equal rows must not differ by rounding, so the first of the near ones.
        central = int(np.argmax(self._squares <= self._squares.min() * (1 + 1e-12)))
        distances = np.full(len(self), np.inf)
        self._nearer(distances, self._rows[central : central + 1])
        return float(np.sqrt(distances).mean())

    def _approach(self, nearest: NDArray[np.float64], points: IntArray) -> None:
        """Bring squared distances to the nearest pick up to date with further points."""
        step = max(1, _CELLS // max(1, len(self), self._rows.shape[1]))
        for start in range(0, len(points) if len(self) else 0, step):
            self._nearer(nearest, self._places.read(points[start : start + step]) - self._center)

    def _nearer(self, nearest: NDArray[np.float64], others: NDArray[np.float64]) -> None:
        np.minimum(nearest, _squared(self._rows, self._squares, others).min(axis=1), out=nearest)


def _squared(
    rows: NDArray[np.float64], squares: NDArray[np.float64], others: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute all squared distances by a product; what is within rounding of zero is zero."""
    sums = squares[:, None] + np.einsum("ij,ij->i", others, others)
    found: NDArray[np.float64] = sums - 2.0 * (rows @ others.T)
    found[found < sums * (2.0**-51 * (rows.shape[1] + 4))] = 0.0
    return found


def separation(places: Places, picks: ArrayLike, others: ArrayLike = (), seed: int = 0) -> float:
    """Measure how far picks are from each other: the mean distance of a pick to the nearest other one.

    Args:
        places: where rows lie.
        picks: (k,) rows; of many, some drawn by a hash are measured against all.
        others: rows that count as further picks, but are not measured.
        seed: of the hash.

    Returns:
        The mean, with 6 digits; NaN for fewer than two.

    Example:
        >>> separation(Places(np.array([[0.0], [1.0], [3.0]]), normalize=False), [0, 1, 2])
        1.33333
    """
    chosen, further = np.asarray(picks, dtype=np.int64), np.asarray(others, dtype=np.int64)
    points, owners = places.points(np.concatenate([chosen, further]))
    measured = hashed(owners < len(chosen), _measured(_SEPARATED, len(points)), seed)
    if not len(measured) or len(np.unique(owners)) < 2:
        return float("nan")
    rows = places.read(points[measured])
    center = rows.mean(axis=0)
    rows -= center
    squares = np.einsum("ij,ij->i", rows, rows)
    nearest = np.full(len(rows), np.inf)
    step = max(1, _CELLS // max(len(rows), rows.shape[1]))
    for start in range(0, len(points), step):
        block = slice(start, start + step)
        found = _squared(rows, squares, places.read(points[block]) - center)
        found[owners[measured][:, None] == owners[block]] = np.inf
        np.minimum(nearest, found.min(axis=1), out=nearest)
    return float(significant(np.sqrt(nearest).mean()))


def _measured(most: int, others: int) -> int:
    """How many rows are measured against so many others."""
    return most if others <= _MANY else min(most, max(_FEWEST, most * _MANY // others))


def prefix_lengths(count: int) -> NDArray[np.int64]:
    """Give the numbers of picks at which a curve is kept: all small ones, then 16 to each doubling, and the last one.

    They are the same whatever the number of picks, so the curve of the first picks is the beginning of the whole one.

    Example:
        >>> prefix_lengths(60)[25:]
        array([26, 27, 28, 29, 31, 32, 33, 35, 36, 38, 40, 41, 43, 45, 47, 49, 52,
               54, 56, 59, 60])
    """
    steps = np.arange(_STEPS_PER_OCTAVE * max(1, count).bit_length() + 1)
    lengths = np.unique(np.rint(2.0 ** (steps / _STEPS_PER_OCTAVE)).astype(np.int64))
    return np.unique(np.append(lengths[lengths <= count], count)) if count else np.empty(0, dtype=np.int64)


def suggest_n(picks: Sequence[int] | IntArray, coverages: Sequence[float] | FloatArray, coverage: float) -> int | None:
    """Find the smallest number of picks whose coverage reaches a wish; None if none does.

    Example:
        >>> suggest_n([1, 2, 3], [0.0, 0.6, 0.9], 0.5)
        2
    """
    reached = np.flatnonzero(np.asarray(coverages, dtype=np.float64) >= coverage)
    return int(picks[reached[0]]) if len(reached) else None


def lower_bound(distances: ArrayLike, radius: float) -> float:
    """Bound from below how far the farthest candidate must be from any equally large set of picks.

    The picks and the farthest candidate are one point more than there are picks, and no two of them are nearer to each
    other, or to what is preselected, than the smallest of these distances. Two of them share their nearest pick,
    whichever picks these are, or one has a preselected one: so one of them is half that distance away or more.

    Args:
        distances: (k,) each pick's distance to the nearest earlier one; what is not finite is passed over.
        radius: distance of the farthest candidate to the nearest pick.

    Returns:
        The bound. The largest distance of an optimal cover lies between it and `radius`.

    Source:
        Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.

    Example:
        >>> lower_bound([np.inf, 4.0, 3.0], 2.0)
        1.0
    """
    known = np.asarray(distances, dtype=np.float64)
    return float(min(known[np.isfinite(known)].min(initial=np.inf), radius)) / 2


def hashed(mask: NDArray[np.bool_], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Draw rows by a hash of their numbers: the same for the same seed, and fewer are among more.

    Args:
        mask: (n,) which rows may be drawn.
        count: how many at most.
        seed: of the hash.

    Returns:
        The rows, ascending.

    Example:
        >>> hashed(np.array([True, False, True]), 5)
        array([0, 2])
    """
    rows = np.flatnonzero(mask)
    return rows if len(rows) <= count else np.sort(hashed_order(rows, seed)[:count])


def hashed_order(rows: IntArray, seed: int = 0) -> NDArray[np.int64]:
    """Put rows into an order that a hash of their numbers gives.

    Source:
        The last step of SplitMix64 (Steele, Lea and Flood, 2014), which gives no two numbers the same hash.
    """
    mixed = np.asarray(rows, dtype=np.uint64) + np.uint64((seed * _GOLDEN + _GOLDEN) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    ordered: NDArray[np.int64] = np.asarray(rows, dtype=np.int64)[np.argsort(mixed ^ (mixed >> np.uint64(31)))]
    return ordered


def significant(values: ArrayLike) -> NDArray[np.float64]:
    """Round to 6 significant digits.

    Example:
        >>> significant([0.123456789, 1234567.0, 0.0])
        array([1.23457e-01, 1.23457e+06, 0.00000e+00])
    """
    given = np.asarray(values, dtype=np.float64)
    return np.array([float(f"{value:.6g}") for value in given.ravel().tolist()]).reshape(given.shape)
