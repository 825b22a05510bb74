"""Distances to the nearest pick as an addend, of rows with one vector or with those of several objects."""

import numpy as np
from numpy.typing import NDArray

from ....dataset.types import BoolArray, FloatArray, IntArray
from ...kernels.nearest_pick import NearestPick
from .central import most_central
from .parts import Problem, Scores

_SOME = 1024
SMALLEST = 1e-30
"""Squared distances below this count as this: copies of a pick are the last choice, but still a choice. It is what
rounding leaves of equal directions, relative to the largest entry; all that float64 can tell apart lies above."""
_ANY = 1e300  # more than any score can rise, and finite, so that nothing plus this is still nothing


class Distances:
    """The distances of rows to their nearest pick, as an addend.

    Attributes:
        rises: whether it prefers what is near.
        nearest: the distances of the vectors.
    """

    def __init__(
        self, vectors: FloatArray, factors: NDArray[np.float64], problem: Problem, *, strength: float, scale: float,
        offsets: IntArray | None, minimum_distance: float | None,
    ) -> None:  # fmt: skip
        """Begin with nothing picked; the arguments are attributes of `DiversityObjective`."""
        self._strength, self._scale, self._minimum_distance = strength, scale, minimum_distance
        self.rises = strength < 0
        self.vectors, self.factors = vectors, factors
        self.nearest = NearestPick(
            vectors, factors, products=problem.products, threads=problem.threads, between_blocks=problem.between_blocks
        )
        self._own = Owners(offsets)
        self._upper = np.zeros(len(problem.candidates))
        self._outdated: IntArray | None = None  # all
        self._error = 0.0
        self._knew_none = True
        self._held: IntArray = np.empty(0, dtype=np.int64)
        self._minimum = 0.0 if minimum_distance is None else (minimum_distance * scale) ** 2 * (1 - 1e-9)

    def upper(self) -> Scores:
        """Give upper bounds of all rows; where values rise, no order, since all rows have to be held."""
        self._knew_none = not len(self.nearest.picks)
        if self.rises or self._knew_none:
            return np.zeros(len(self._upper))
        if self._outdated is None or self.nearest.error > self._error:
            self._error = self.nearest.error
            self._upper = self._score(self._own.means(self.nearest.near), self._error)
        else:
            rows = self._outdated
            self._upper[rows] = self._score(self._bounds(rows), self._error)
        self._outdated = self._held
        return self._upper

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._upper)

    def bounds(self, rows: IntArray | None) -> FloatArray:
        """Upper bounds of the squared distances of some rows, or of all."""
        screened = self._own.means(self.nearest.near) if rows is None else self._bounds(rows)
        return screened.astype(np.float64) + self.nearest.error

    def farthest_bound(self) -> float:
        """No row that was compared with a pick is farther, by the squared distance; or infinite."""
        return float(self.nearest.near.max(initial=0.0)) + self.nearest.error

    def _bounds(self, rows: IntArray) -> FloatArray:
        """The screened squared distances of some rows."""
        own = self._own.of(rows)
        return self._own.means_of(self.nearest.near[own], rows)

    def _score(self, squared: FloatArray, error: float = 0.0) -> Scores:
        """The addend of squared distances, or its upper bound."""
        if not self._strength:
            return np.zeros(len(squared))
        error = -error if self.rises else error
        with np.errstate(invalid="ignore"):
            bounded = np.maximum(squared.astype(np.float64) + error, SMALLEST)
        return 0.5 * self._strength * np.log(bounded)

    def fresh(self, rows: IntArray) -> BoolArray:
        """Tell which rows were compared with all picks."""
        return self._own.all_of(self.nearest.fresh(self._own.of(rows)), rows)

    def refresh(self, rows: IntArray) -> None:
        """Compare rows with the picks that they have not met."""
        self.nearest.refresh(self._own.of(rows))
        self._outdated = None if self._outdated is None else np.concatenate([self._outdated, rows])

    def hold(self, rows: IntArray) -> None:
        """Let rows follow each pick."""
        self._held = rows
        self.nearest.hold(self._own.of(rows))

    def held(self) -> Scores:
        """Give upper bounds of the held rows."""
        if not len(self.nearest.picks):
            return np.zeros(len(self._held))
        return self._score(self._bounds(self._held), self.nearest.error)

    def tighten(self, _positions: IntArray, /) -> bool:
        """Do nothing: bounds of held rows are tight."""
        return False

    def exact(self, positions: IntArray) -> Scores:
        """Measure some of the held rows."""
        if not len(self.nearest.picks):
            return np.zeros(len(positions))
        return self._score(self.squared(self._held[positions]))

    def squared(self, rows: IntArray) -> NDArray[np.float64]:
        """Measure the squared distances of fresh rows, scaled as the vectors are."""
        return self._own.means_of(self.nearest.measure(self._own.of(rows)), rows).astype(np.float64, copy=False)

    def distance(self, row: int) -> float:
        """The distance of a fresh row to the nearest pick; infinite before there is one."""
        if not len(self.nearest.picks):
            return float("inf")
        return float(np.sqrt(self.squared(np.array([row]))[0]) / self._scale)

    def farthest(self, rows: IntArray) -> float:
        """The distance of that one of some rows that is farthest from its nearest pick; 0 if there are no rows."""
        while len(rows):
            bounds = self._bounds(rows).astype(np.float64)
            top = rows[np.argpartition(bounds, -min(len(rows), _SOME))[-_SOME:]]
            if not self.fresh(top).all():
                self.refresh(top)
                continue
            farthest = rows[bounds >= bounds.max() - 2 * self.nearest.error]
            if self.fresh(farthest).all():
                return float(np.sqrt(self.squared(farthest).max()) / self._scale)
            self.refresh(farthest)
        return 0.0

    @property
    def has_minimum(self) -> bool:
        """Whether rows may be too near to a pick."""
        return self._minimum_distance is not None

    def too_near(self, rows: IntArray | None = None) -> BoolArray:
        """Tell which rows, of all or some, are certainly nearer to a pick than is allowed."""
        if not len(self.nearest.picks):
            return np.zeros(len(self._upper) if rows is None else len(rows), dtype=bool)
        near: BoolArray = self.bounds(rows) < self._minimum
        return near

    def refuses(self, row: int) -> bool:
        """Tell whether a fresh row is nearer to a pick than is allowed."""
        if self._minimum_distance is None or not len(self.nearest.picks):
            return False
        return self.distance(row) < self._minimum_distance

    def central(self, rows: IntArray) -> int:
        """The row nearest to the mean of some rows; of rows with objects, by the mean of these."""
        if self._own.is_identity:
            return most_central(self.vectors, self.factors, rows)
        having = rows[self._own.lengths(rows) > 0]
        if not len(having):
            return int(rows[0])
        own = self._own.of(having)
        places = np.repeat(np.arange(len(having)), self._own.lengths(having))
        means = np.zeros((len(having), self.vectors.shape[1]))
        np.add.at(means, places, self.vectors[own] * self.factors[own, None])
        means /= self._own.lengths(having)[:, None]
        return int(having[most_central(means, np.ones(len(having)), np.arange(len(having)))])

    @property
    def distances(self) -> "tuple[Distances, ...]":
        """Itself."""
        return (self,)

    def risen(self) -> float:
        """Nothing rises, but with the first pick."""
        return _ANY if self._knew_none and len(self.nearest.picks) else 0.0

    def add(self, row: int) -> None:
        """Count a row as picked."""
        self.nearest.add(self._own.of(np.array([row])))


class Owners:
    """Which vectors belong to a row: its own one, or those of its objects."""

    def __init__(self, offsets: IntArray | None) -> None:
        """Remember where the vectors of each row begin; without, every row has one."""
        self._offsets = offsets

    def of(self, rows: IntArray) -> IntArray:
        """The vectors of some rows."""
        if self._offsets is None:
            return rows
        lengths = self.lengths(rows)
        ends = np.cumsum(lengths)
        starts = self._offsets[rows] - (ends - lengths)
        return np.repeat(starts, lengths) + np.arange(ends[-1] if len(ends) else 0)

    @property
    def is_identity(self) -> bool:
        """Whether every row has one vector, its own."""
        return self._offsets is None

    def lengths(self, rows: IntArray) -> IntArray:
        """How many vectors each of some rows has."""
        assert self._offsets is not None
        return self._offsets[rows + 1] - self._offsets[rows]

    def means(self, values: FloatArray) -> FloatArray:
        """The mean of each row's values, of all rows; 0 for a row without vectors."""
        return values if self._offsets is None else _means(values, np.diff(self._offsets))

    def means_of(self, values: FloatArray, rows: IntArray) -> FloatArray:
        """The mean of the values of each of some rows, given for `of(rows)`."""
        return values if self._offsets is None else _means(values, self.lengths(rows))

    def all_of(self, flags: BoolArray, rows: IntArray) -> BoolArray:
        """Whether the flags, given for `of(rows)`, are all set, for each row."""
        if self._offsets is None:
            return flags
        every: BoolArray = _means(flags.astype(np.float64), self.lengths(rows)) == (self.lengths(rows) > 0)
        return every


def _means(values: FloatArray, lengths: IntArray) -> NDArray[np.float64]:
    """Means of consecutive values, each added up in its own order; 0 of none."""
    result = np.zeros(len(lengths))
    some = lengths > 0
    starts = np.cumsum(lengths) - lengths
    if some.any():
        result[some] = np.add.reduceat(values.astype(np.float64), starts[some]) / lengths[some]
    return result
