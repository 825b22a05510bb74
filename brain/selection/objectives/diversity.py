"""DIVERSITY: samples far from all that were picked before."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....dataset.types import FloatArray, IntArray
from ...kernels.vectors import checked, range_factor, unit_factors
from .distances import SMALLEST, Distances
from .history import squared_before, squared_of_picks
from .parts import Parts, Past, Problem, Scores


@dataclass(frozen=True, eq=False)
class DiversityObjective:
    """Prefer rows by their distance d to the nearest pick: the score is strength · log d.

    Alone it is greedy k-center: the first picks cover the data with at most twice the radius of the best possible
    choice (Gonzalez, 1985). With a negative strength, rows near to what was picked are preferred.

    Attributes:
        vectors: (n, d), or (m, d) objects.
        strength: the exponent of the distance.
        normalize: whether only the direction of a vector matters; then distances lie in 0..2.
        offsets: (n + 1,) if the vectors are those of objects: row i owns `vectors[offsets[i]:offsets[i + 1]]`. Its
            distance is the root of the mean of squared distances of its objects to the nearest object picked.
        minimum_distance: rows nearer to a pick than this are not picked.
        label: what it is called in explanations.
    """

    vectors: FloatArray
    strength: float = 1.0
    normalize: bool = True
    offsets: IntArray | None = None
    minimum_distance: float | None = None
    label: str = "DIVERSITY"
    factors: NDArray[np.float64] = field(init=False, repr=False)
    scale: float = field(init=False, repr=False)
    name = "DIVERSITY"

    def __post_init__(self) -> None:
        """Check the vectors and find their lengths."""
        rows, factors, scale = scaled(self.vectors, normalize=self.normalize)
        for name, value in (("vectors", rows), ("factors", factors), ("scale", scale)):
            object.__setattr__(self, name, value)

    def parts(self, problem: Problem) -> Parts:
        """Give the addends."""
        return Parts(measured=self.distances(problem))

    def distances(self, problem: Problem) -> Distances:
        """Begin to follow how far rows are from their nearest pick."""
        return Distances(
            self.vectors, self.factors, problem, strength=self.strength, scale=self.scale, offsets=self.offsets,
            minimum_distance=self.minimum_distance,
        )  # fmt: skip

    def history(self, rows: IntArray, past: Past) -> Scores:
        """Strength · log d of rows before each pick, (k, len(rows)); 0 where nothing was picked."""
        return self._scores(squared_before(self, rows, past))

    def history_of_picks(self, past: Past) -> Scores:
        """Strength · log d of each pick before that pick, (k,); 0 where nothing was picked."""
        return self._scores(squared_of_picks(self, past))

    def _scores(self, squared: NDArray[np.float64]) -> Scores:
        with np.errstate(invalid="ignore"):
            scores = 0.5 * self.strength * np.log(np.maximum(squared, SMALLEST))
        return np.where(np.isfinite(squared), scores, 0.0)


def scaled(vectors: ArrayLike, *, normalize: bool) -> tuple[FloatArray, NDArray[np.float64], float]:
    """Check vectors; give them, what each is multiplied by, and what distances are multiplied by thereby."""
    rows = checked(vectors)
    scale = 1.0 if normalize else range_factor(rows)
    return rows, unit_factors(rows) if normalize else np.full(len(rows), scale), scale
