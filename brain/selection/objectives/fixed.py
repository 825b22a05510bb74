"""WEIGHTS, SIMILARITY, TYPICALITY and RANDOM: objectives whose value of a sample does not depend on what was picked."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ....dataset.errors import SelectionError
from ....dataset.types import BoolArray, FloatArray, IntArray, Metric
from ...kernels.neighbors import nearest_neighbors
from .parts import Parts, Past, Problem, Scores


class _Fixed(ABC):
    """What these objectives share."""

    def parts(self, problem: Problem) -> Parts:
        """Give the addends."""
        return Parts(fixed=self.log_phi(problem.candidates))

    @abstractmethod
    def log_phi(self, candidates: BoolArray, /) -> Scores:
        """Strength · log φ of each row."""

    def history(self, rows: IntArray, past: Past) -> Scores:
        """Strength · log φ of rows before each pick, (k, len(rows))."""
        return past.constant(self.log_phi(past.candidates), rows)

    def history_of_picks(self, past: Past) -> Scores:
        """Strength · log φ of each pick before that pick, (k,)."""
        return self.log_phi(past.candidates)[past.picks]


@dataclass(frozen=True, eq=False)
class WeightsObjective(_Fixed):
    """Prefer rows with high values.

    Attributes:
        values: (n,) float64; NaN only for rows that are no candidates.
        strength: the exponent; negative prefers low values.
        scale: "rank": φ = exp(-0.6 / (r + 0.4)) with r the rank among the candidates, from 0 for the lowest to 1 for
            the highest, equal values sharing theirs. So it does not matter in what unit the values are; the best row
            counts 2.9 times the worst. "raw": φ is the value itself, which must not be negative.
        label: what it is called in explanations.
    """

    values: NDArray[np.float64]
    strength: float = 1.0
    scale: str = "rank"
    label: str = "WEIGHTS"
    name = "WEIGHTS"

    def log_phi(self, candidates: BoolArray) -> Scores:
        """Strength · log φ of each row."""
        if self.scale == "raw":
            values = np.where(candidates, self.values, 1.0)
            if (values < 0).any():
                raise SelectionError(
                    f"{self.label}: the value {values.min():g} is negative, which scale='raw' cannot weigh. "
                    "Use scale='rank'."
                )
            return self.strength * np.log(np.maximum(values, np.finfo(np.float64).tiny))
        return abs(self.strength) * weight_of(ranks(self.values, candidates, falling=self.strength < 0))


def weight_of(rank: NDArray[np.float64]) -> Scores:
    """Log φ of WEIGHTS by rank: steep among the low ranks, so that low values are avoided first."""
    return -0.6 / (rank + 0.4)


def ranks(values: NDArray[np.float64], candidates: BoolArray, *, falling: bool = False) -> NDArray[np.float64]:
    """The rank of each row among the candidates, 0 for the lowest value to 1 for the highest; 0.5 if all are equal.

    Example:
        >>> ranks(np.array([5.0, 1.0, 5.0, 9.0]), np.ones(4, dtype=bool))
        array([0.5, 0. , 0.5, 1. ])
    """
    found = np.zeros(len(values))
    among = np.where(candidates)[0]
    if len(among) == 1:
        found[among] = 0.5
    elif len(among):
        found[among] = (rankdata(-values[among] if falling else values[among]) - 1) / (len(among) - 1)
    return found


@dataclass(frozen=True, eq=False)
class SimilarityObjective(_Fixed):
    """Prefer rows near to one of some queries: φ = exp(-0.5 / (r + 0.05)), r the rank of the similarity.

    Attributes:
        vectors: (n, d), or (m, d) objects.
        queries: (q, d).
        strength: the exponent; negative prefers what is far from all queries.
        normalize: whether only the direction of a vector matters.
        offsets: (n + 1,) if the vectors are those of objects; a row counts by its object nearest to a query.
        label: what it is called in explanations.
    """

    vectors: FloatArray
    queries: FloatArray
    strength: float = 1.0
    normalize: bool = True
    offsets: IntArray | None = None
    label: str = "SIMILARITY"
    name = "SIMILARITY"

    def log_phi(self, candidates: BoolArray) -> Scores:
        """Strength · log φ of each row."""
        return abs(self.strength) * -0.5 / (ranks(-self.distances(), candidates, falling=self.strength < 0) + 0.05)

    def distances(self) -> NDArray[np.float64]:
        """The distance of each row to the nearest query, (n,); infinite for a row without objects."""
        found = self._of_vectors
        return found if self.offsets is None else _per_row(np.minimum, found, self.offsets, np.inf)

    def similarity(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The similarity of each row in 0..1, exp(-d / mean d), of objects the highest; and the sum of a row's objects.

        1 where all distances are 0; 0 for a row without objects.
        """
        found = self._of_vectors
        mean = found.mean() if len(found) else 0.0
        similar = np.exp(-found / mean) if mean > 0 else np.ones(len(found))
        if self.offsets is None:
            return similar, similar
        return _per_row(np.maximum, similar, self.offsets, 0.0), _per_row(np.add, similar, self.offsets, 0.0)

    @cached_property
    def _of_vectors(self) -> NDArray[np.float64]:
        """The distance of each vector to the nearest query."""
        return _neighbor_distances(self.queries, 1, normalize=self.normalize, queries=self.vectors)[:, 0]


@dataclass(frozen=True, eq=False)
class TypicalityObjective(_Fixed):
    """Prefer rows with near neighbours: φ = exp(-(0.02 / (r + 0.001))²), r the rank by the mean distance to them.

    At strength s the sparsest 2 % · √s of the rows are left out, and all others are about as good as each other.

    Attributes:
        vectors: (n, d), or (m, d) objects.
        strength: the exponent; negative prefers what has no near neighbours, by the φ of WEIGHTS.
        num_nearest_neighbors: how many neighbours count; with fewer others, all.
        minimum_typicality: rows below are not picked.
        normalize: whether only the direction of a vector matters.
        offsets: (n + 1,) if the vectors are those of objects; a row counts by the mean of its objects.
        label: what it is called in explanations.
    """

    vectors: FloatArray
    strength: float = 1.0
    num_nearest_neighbors: int = 20
    minimum_typicality: float | None = None
    normalize: bool = True
    offsets: IntArray | None = None
    label: str = "TYPICALITY"
    name = "TYPICALITY"

    def parts(self, problem: Problem) -> Parts:
        """Give the addends."""
        fixed = self.log_phi(problem.candidates)
        if self.minimum_typicality is not None:
            fixed[self.typicality() < self.minimum_typicality] = -np.inf
        return Parts(fixed=fixed)

    def log_phi(self, candidates: BoolArray) -> Scores:
        """Strength · log φ of each row."""
        means = self._distances.mean(axis=1) if self._distances.shape[1] else np.zeros(len(self._distances))
        means = means if self.offsets is None else _per_row(np.add, means, self.offsets, np.inf, is_mean=True)
        rank = ranks(-means, candidates, falling=self.strength < 0)
        if self.strength < 0:
            return -self.strength * weight_of(rank)
        return -self.strength * np.square(0.02 / (rank + 0.001))

    def typicality(self) -> NDArray[np.float64]:
        """The typicality of each row, (n,) in 0..1: the mean of exp(-d / s) over its nearest neighbours.

        d is the distance to a neighbour and s the mean of all these distances. 1 where all are 0; 0 for a row that has
        no objects.
        """
        mean = self._distances.mean() if self._distances.size else 0.0
        found = np.ones(len(self._distances))
        if mean > 0:
            found = np.exp(-self._distances / mean).mean(axis=1)
        return found if self.offsets is None else _per_row(np.add, found, self.offsets, 0.0, is_mean=True)

    def typicalities(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The typicality of each row, and the sum of those of its objects."""
        means = self.typicality()
        return means, means if self.offsets is None else means * np.diff(self.offsets)

    @cached_property
    def _distances(self) -> NDArray[np.float64]:
        """The distances of each vector to its nearest neighbours, (n, k)."""
        return _neighbor_distances(self.vectors, self.num_nearest_neighbors, normalize=self.normalize)


@dataclass(frozen=True, eq=False)
class RandomObjective(_Fixed):
    """Prefer rows by numbers drawn at random: alone, a random selection.

    Attributes:
        numbers: (n,) in [0, 1), evenly distributed.
        strength: the exponent.
        label: what it is called in explanations.
    """

    numbers: NDArray[np.float64]
    strength: float = 1.0
    label: str = "RANDOM"
    name = "RANDOM"

    def log_phi(self, _candidates: BoolArray) -> Scores:
        """Strength · log φ of each row."""
        numbers = 1 - self.numbers if self.strength < 0 else self.numbers
        scores: Scores = abs(self.strength) * np.log(np.maximum(numbers, 2.0**-60))
        return scores


def _neighbor_distances(
    vectors: FloatArray, k: int, *, normalize: bool, queries: FloatArray | None = None
) -> NDArray[np.float64]:
    """Euclidean distances to the nearest neighbours, between unit vectors if only the direction matters."""
    metric: Metric = "cosine" if normalize else "euclidean"
    found = nearest_neighbors(vectors, k, metric=metric, queries=queries)[0]
    return np.sqrt(2 * found) if normalize else found


def _per_row(
    fold: np.ufunc, values: NDArray[np.float64], offsets: IntArray, empty: float, *, is_mean: bool = False
) -> NDArray[np.float64]:
    """One value for each row from those of its objects."""
    lengths = np.diff(offsets)
    found = np.full(len(lengths), empty)
    some = lengths > 0
    if some.any():
        found[some] = fold.reduceat(values, offsets[:-1][some])
        if is_mean:
            found[some] /= lengths[some]
    return found
