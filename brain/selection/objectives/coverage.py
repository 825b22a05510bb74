"""COVERAGE: samples that stand for many others which are not yet covered."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ....dataset.errors import SelectionError
from ....dataset.types import BoolArray, FloatArray, IntArray
from ...kernels.coverage import REFERENCE_ROWS, CoveredSamples, demand, median_bandwidth
from .diversity import scaled
from .parts import Parts, Past, Problem, Scores

_SMALLEST = 1e-12
_AT_ONCE = 32  # rows whose gains are computed together
_REMEMBERED, _BLOCK = 1024, 256


@dataclass(frozen=True, eq=False)
class CoverageObjective:
    """Prefer rows that many candidates are near to and no pick is: φ = gain / total weight.

    Facility location under a wide kernel: each candidate is covered by its nearest pick as exp(-d² / median d²), and
    the gain of a row is what it adds to the sum. For few labels, and for sets that stand for the whole: unlike
    DIVERSITY, it takes no outliers. Of more than 20,000 candidates, so many stand for all, evenly over the rows.

    Attributes:
        vectors: (n, d).
        strength: the exponent, not negative.
        weights: (n,) how much each row wants to be covered, finite and not negative; all the same by default.
        weights_scale: "raw", the weights as they are; or "uncertainty", those of a model, 0..1, which count the more,
            the surer it is on the whole: `kernels.coverage.demand`.
        normalize: whether only the direction of a vector matters.
        label: what it is called in explanations.
    """

    vectors: FloatArray
    strength: float = 1.0
    weights: NDArray[np.float64] | None = None
    weights_scale: str = "raw"
    normalize: bool = True
    label: str = "COVERAGE"
    factors: NDArray[np.float64] = field(init=False, repr=False)
    name = "COVERAGE"

    def __post_init__(self) -> None:
        """Check the vectors, the weights and the strength."""
        rows, factors, _ = scaled(self.vectors, normalize=self.normalize)
        object.__setattr__(self, "vectors", rows)
        object.__setattr__(self, "factors", factors)
        if self.strength < 0:
            raise SelectionError(
                f"{self.label}: strength={self.strength:g} is negative, and what is covered worst cannot be preferred. "
                "For outliers, use TYPICALITY with a negative strength."
            )
        if self.weights is not None and not (np.isfinite(self.weights).all() and (self.weights >= 0).all()):
            raise SelectionError(f"{self.label}: its weights must be finite and not negative.")

    def parts(self, problem: Problem) -> Parts:
        """Give the addends."""
        return Parts(measured=Gains(self, self.covered(problem.candidates)))

    def covered(self, candidates: BoolArray) -> CoveredSamples:
        """Begin to follow what is covered."""
        reference = _evenly(np.flatnonzero(candidates), REFERENCE_ROWS)
        return CoveredSamples(self.vectors, self.factors, reference=reference, weights=self.weights_of(reference))

    def weights_of(self, rows: IntArray) -> NDArray[np.float64]:
        """How much some rows want to be covered; all the same where none does."""
        weights = np.ones(len(rows)) if self.weights is None else self.weights[rows]
        if self.weights_scale == "uncertainty":
            if not ((weights >= 0) & (weights <= 1)).all():
                raise SelectionError(
                    f"{self.label}: its weights lie in {weights.min():g}..{weights.max():g}; those of "
                    "weights_scale='uncertainty' lie in 0..1. Use 'raw' for others."
                )
            return demand(weights)
        return weights if weights.any() else np.ones(len(rows))

    def score(self, gains: NDArray[np.float64], total: float) -> Scores:
        """Strength · log φ."""
        if not self.strength:
            return np.zeros(gains.shape)
        with np.errstate(over="ignore"):
            scores: Scores = self.strength * np.log(np.maximum(gains / max(total, _SMALLEST), _SMALLEST))
        return scores

    def history(self, rows: IntArray, past: Past) -> Scores:
        """Strength · log φ of rows before each pick, (k, len(rows)), by at most 1024 of the candidates."""
        return self._remembered(rows, past)[0]

    def history_of_picks(self, past: Past) -> Scores:
        """Strength · log φ of each pick before that pick, (k,), by at most 1024 of the candidates."""
        return self._remembered(np.empty(0, dtype=np.int64), past)[1]

    def _remembered(self, rows: IntArray, past: Past) -> tuple[Scores, Scores]:
        everything = np.flatnonzero(past.candidates)
        reference = _evenly(everything, _REMEMBERED)
        weights = self.weights_of(reference)
        bandwidth = median_bandwidth(self.vectors, self.factors, _evenly(everything, REFERENCE_ROWS))
        kernel = self._kernel(rows, reference, bandwidth)
        cover = np.zeros(len(reference))
        for start in range(0, len(past.preselected), _BLOCK):
            earlier = self._kernel(past.preselected[start : start + _BLOCK], reference, bandwidth)
            cover = np.maximum(cover, earlier.max(axis=0))
        of_rows, of_picks = np.empty((len(past.picks), len(rows))), np.empty(len(past.picks))
        for start in range(0, len(past.picks), _BLOCK):
            for turn, own in enumerate(self._kernel(past.picks[start : start + _BLOCK], reference, bandwidth), start):
                of_picks[turn] = np.maximum(own - cover, 0.0) @ weights
                of_rows[turn] = np.maximum(kernel - cover, 0.0) @ weights
                cover = np.maximum(cover, own)
        total = float(weights.sum())
        return self.score(of_rows, total), self.score(of_picks, total)

    def _kernel(self, rows: IntArray, reference: IntArray, bandwidth: float) -> NDArray[np.float64]:
        one, other = (self.vectors[side] * self.factors[side, None] for side in (rows, reference))
        squared = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1) - 2 * one @ other.T
        kernel: NDArray[np.float64] = np.exp(-np.maximum(squared, 0.0) / bandwidth)
        return kernel


class Gains:
    """What each row adds to the cover, as an addend: computed for those alone that may win.

    Attributes:
        rises: never: a gain only falls.
        distances: none.
    """

    rises = False
    distances = ()

    def __init__(self, objective: CoverageObjective, covered: CoveredSamples) -> None:
        """Begin with nothing picked."""
        self._objective, self._covered = objective, covered
        n = len(objective.vectors)
        self._everything = np.arange(n)
        self._total = covered.total_weight
        self._tight_at = np.full(n, -1)
        self._count = 0
        self._held: IntArray = np.empty(0, dtype=np.int64)

    def upper(self) -> Scores:
        """Give upper bounds of all rows."""
        return self._of(self._everything)

    def _of(self, rows: IntArray) -> Scores:
        return self._objective.score(self._covered.upper(rows), self._total)

    def fresh(self, rows: IntArray) -> BoolArray:
        """Tell which rows have a bound; it is made tighter where it matters."""
        return np.isfinite(self._covered.upper(rows))

    def refresh(self, rows: IntArray) -> None:
        """Compute the gains of rows that have no bound."""
        self._compute(rows[~self.fresh(rows)])

    def _compute(self, rows: IntArray) -> None:
        if len(rows):
            self._covered.gains(rows)
            self._tight_at[rows] = self._count

    def hold(self, rows: IntArray) -> None:
        """Remember which rows are asked for."""
        self._held = rows

    def held(self) -> Scores:
        """Give upper bounds of the held rows."""
        return self._of(self._held)

    def tighten(self, positions: IntArray, /) -> bool:
        """Compute the gains of some held rows anew, together with those that may be asked for next."""
        if (self._tight_at[self._held[positions]] == self._count).all():
            return False
        loose = np.flatnonzero(self._tight_at[self._held] < self._count)
        first = np.argsort(-self._covered.upper(self._held[loose]), kind="stable")[:_AT_ONCE]
        asked = np.union1d(positions[self._tight_at[self._held[positions]] < self._count], loose[first])
        self._compute(self._held[asked])
        return True

    def exact(self, positions: IntArray) -> Scores:
        """Measure some of the held rows."""
        gains = np.array([self._covered.exact_gain(int(row)) for row in self._held[positions]])
        return self._objective.score(gains, self._total)

    def risen(self) -> float:
        """Nothing rises."""
        return 0.0

    def add(self, row: int) -> None:
        """Count a row as picked."""
        self._covered.add(row)
        self._count += 1


def _evenly(rows: IntArray, count: int) -> IntArray:
    """At most so many of some rows, spread evenly."""
    return rows if len(rows) <= count else rows[np.arange(count) * len(rows) // count]
