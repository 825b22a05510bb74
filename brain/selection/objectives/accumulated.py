"""The accumulated rule: objectives of the whole selection, as LightlyOne describes and LightlyStudio computes them.

A candidate's score is the sum of strength · log(objective of all picks and the candidate), in float32. Sums over all
picks stand in it, so from some hundred picks on many candidates score the same; then the lowest row is picked.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ....dataset.errors import SelectionError
from ....dataset.types import BoolArray, IntArray
from .balance import BalanceObjective, grouped
from .distances import Owners
from .diversity import DiversityObjective
from .fixed import RandomObjective, SimilarityObjective, TypicalityObjective, WeightsObjective
from .parts import Parts, Problem, Scores

if TYPE_CHECKING:
    from . import Objective

_SMALLEST = np.float32(1e-8)
_NOTHING = np.float32(2e8)  # the squared distance to a pick before there is one
_TINY = np.float32(1e-10)

Single = NDArray[np.float32]


def accumulated(objectives: Sequence["Objective"], problem: Problem) -> Parts:
    """Put all objectives together into one addend."""
    if len(objectives) == 1 and isinstance(objectives[0], BalanceObjective):
        return Parts(grouped=_ClassesAlone(objectives[0]))
    sums = [_sum_of(objective, problem) for objective in objectives]
    return Parts(measured=Accumulated(sums, problem)) if sums else Parts()


def _sum_of(objective: "Objective", problem: Problem) -> "_Sum":
    strength = objective.strength
    if isinstance(objective, DiversityObjective):
        return _Spread(objective, problem)
    if isinstance(objective, BalanceObjective):
        return _Classes(objective)
    if isinstance(objective, WeightsObjective):
        return _Values(np.nan_to_num(objective.values), strength)
    if isinstance(objective, SimilarityObjective):
        values, added = objective.similarity()
        return _Values(values, strength, added, objective.offsets)
    if isinstance(objective, TypicalityObjective):
        values, added = objective.typicalities()
        return _Values(values, strength, added, objective.offsets)
    if isinstance(objective, RandomObjective):
        return _Values(objective.numbers, strength)
    raise SelectionError(f"rule='accumulated' knows no {objective.name}. Use rule='ranked'.")


class _Sum(Protocol):
    """An objective of the whole selection; for a row without objects it is 0 in objectives on objects.

    Attributes:
        strength: the exponent.
        floor: what is below counts as this.
    """

    strength: np.float32
    floor: np.float32

    def values(self, rows: IntArray | None, *, is_exact: bool) -> Single:
        """The objective with each of some rows, or all of them, or its upper bound."""
        ...

    def mark(self) -> None:
        """Remember how things are."""
        ...

    def risen(self) -> float:
        """How much strength · log of the objective with any row may have risen since `mark`."""
        ...

    def add(self, row: int) -> None:
        """Count a row as picked."""
        ...


class _Values:
    """The sum of values of all picks."""

    floor = _SMALLEST

    def __init__(
        self, values: Scores, strength: float, added: Scores | None = None, offsets: IntArray | None = None
    ) -> None:
        """Take the values of rows, and what each adds to the sum if that is something else."""
        self.strength = np.float32(strength)
        self._values = values.astype(np.float32)
        self._added = self._values if added is None else added.astype(np.float32)
        self._is_empty = None if offsets is None else np.diff(offsets) == 0
        self._ends = [float(self._values.min(initial=0.0)), float(self._values.max(initial=0.0))]
        self._total = self._before = np.float32(0)

    def values(self, rows: IntArray | None, *, is_exact: bool) -> Single:
        del is_exact
        whole = slice(None) if rows is None else rows
        found: Single = self._total + self._values[whole]
        return found if self._is_empty is None else np.where(self._is_empty[whole], np.float32(0), found)

    def mark(self) -> None:
        self._before = self._total

    def risen(self) -> float:
        return _rise(float(self.strength), float(self._before), float(self._total), self._ends)

    def add(self, row: int) -> None:
        self._total = np.float32(self._total + self._added[row])


class _Spread:
    """The sum of squared distances of all picks to their nearest other pick."""

    floor = 2 * _SMALLEST

    def __init__(self, objective: DiversityObjective, problem: Problem) -> None:
        self.strength = np.float32(objective.strength)
        self.distances = objective.distances(problem)
        self._owners, self._unit = Owners(objective.offsets), objective.scale**2
        self._own = np.empty(64, dtype=np.float32)
        self._count = 0
        self._total = self._before = np.float32(0)

    def values(self, rows: IntArray | None, *, is_exact: bool) -> Single:
        whole = np.arange(self.distances.size) if rows is None else rows
        if self._count:
            squared = self.distances.squared(whole) if is_exact else self.distances.bounds(rows)
            found: Single = self._total + (squared / self._unit).astype(np.float32)
        else:
            found = np.full(len(whole), _NOTHING)
        if self._owners.is_identity:
            return found
        return np.where(self._owners.lengths(whole) > 0, found, np.float32(0))

    def mark(self) -> None:
        self._before = self._total

    def risen(self) -> float:
        farthest = self.distances.farthest_bound() / self._unit
        return _rise(float(self.strength), float(self._before), float(self._total), [0.0, farthest])

    def add(self, row: int) -> None:
        for vector in self._owners.of(np.array([row])):
            self._add(int(vector))
        self._total = np.cumsum(self._own[: self._count], dtype=np.float32)[-1] if self._count else np.float32(0)

    def _add(self, vector: int) -> None:
        nearest, new = self.distances.nearest, np.array([vector])
        if self._count == len(self._own):
            self._own = np.resize(self._own, 2 * self._count)
        own = self._own[: self._count + 1]
        own[-1] = 0
        if self._count:
            nearest.refresh(new)
            own[-1] = np.float32(nearest.measure(new)[0] / self._unit)
            limits = own[:-1].astype(np.float64) * self._unit
            places, squared = nearest.nearer_picks(vector, limits if self._count > 1 else np.full(1, np.inf))
            own[places] = (squared / self._unit).astype(np.float32)
        nearest.add(new)
        self._count += 1


class _Classes:
    """How near the classes of all picks are to the target: one by the cross entropy of the target to them."""

    floor = _SMALLEST

    def __init__(self, objective: BalanceObjective) -> None:
        self.strength = np.float32(objective.strength)
        self.groups, shares = grouped(objective.shares)
        self._shares = shares.astype(np.float32)
        self._target = objective.wanted.astype(np.float32)
        self._counts = np.zeros(len(self._target), dtype=np.float32)
        self._before = self._of_groups()

    def _of_groups(self) -> Single:
        counts = self._counts + self._shares
        parts = counts / (counts.sum(axis=1, keepdims=True) + _TINY)
        logs = np.log((parts + _TINY).astype(np.float64)).astype(np.float32)
        entropy = -(self._target * logs).sum(axis=1, dtype=np.float32)
        found: Single = 1 / np.maximum(entropy, _SMALLEST)
        return found

    def values(self, rows: IntArray | None = None, *, is_exact: bool = True) -> Single:
        del is_exact
        return self._of_groups()[self.groups if rows is None else self.groups[rows]]

    def mark(self) -> None:
        self._before = self._of_groups()

    def risen(self) -> float:
        return float((self.strength * (_log(self._of_groups()) - _log(self._before))).max())

    def add(self, row: int) -> None:
        self._counts += self._shares[self.groups[row]]


class _ClassesAlone(_Classes):
    """The classes as the only objective: one addend for each group."""

    def values(self, rows: IntArray | None = None, *, is_exact: bool = True) -> Scores:  # type: ignore[override]  # of each group, not each row
        del rows, is_exact
        return (self.strength * _log(self._of_groups())).astype(np.float64)


def _log(values: Single, floor: np.float32 = _SMALLEST) -> Single:
    """The logarithm, rounded correctly from float64."""
    found: Single = np.log(np.maximum(values, floor).astype(np.float64)).astype(np.float32)
    return found


def _rise(strength: float, before: float, now: float, ends: Sequence[float]) -> float:
    """The largest change of strength · log(sum + x) for x between two ends, as the sum changes."""
    changes = [
        0.0 if np.isinf(end) else strength * (np.log(max(now + end, 1e-8)) - np.log(max(before + end, 1e-8)))
        for end in ends
    ]
    return float(max(changes))


class Accumulated:
    """All objectives as one addend.

    Attributes:
        rises: whether a candidate's score may rise without bound as rows are picked.
        distances: the distances that are measured for it.
    """

    def __init__(self, sums: Sequence[_Sum], problem: Problem) -> None:
        """Begin with nothing picked."""
        self._sums = sums
        self._n = len(problem.candidates)
        self.distances = tuple(one.distances for one in sums if isinstance(one, _Spread))
        self.rises = any(isinstance(one, _Spread) and one.strength < 0 for one in sums)
        self._slack = 5e-6 * sum(abs(float(one.strength)) for one in sums)  # of float32, with logarithms up to 20
        self._has_added = False
        self._held: IntArray = np.empty(0, dtype=np.int64)

    def _ranks(self, rows: IntArray | None, *, is_exact: bool) -> Scores:
        total: Single = np.zeros(self._n if rows is None else len(rows), dtype=np.float32)
        for one in self._sums:
            if one.strength:
                total += one.strength * _log(one.values(rows, is_exact=is_exact), one.floor)
        return total.astype(np.float64)

    def upper(self) -> Scores:
        """Give upper bounds of all rows."""
        self._has_added = False
        for one in self._sums:
            one.mark()
        return np.zeros(self._n) if self.rises and self._is_begun else self._ranks(None, is_exact=False)

    @property
    def _is_begun(self) -> bool:
        return any(len(distances.nearest.picks) for distances in self.distances)

    def fresh(self, rows: IntArray) -> BoolArray:
        """Tell which rows were compared with all picks."""
        fresh: BoolArray = np.all(
            [distances.fresh(rows) for distances in self.distances] or [np.ones(len(rows), bool)], axis=0
        )
        return fresh

    def refresh(self, rows: IntArray) -> None:
        """Compare rows with the picks that they have not met."""
        for distances in self.distances:
            distances.refresh(rows)

    def hold(self, rows: IntArray) -> None:
        """Let rows follow each pick."""
        self._held = rows
        for distances in self.distances:
            distances.hold(rows)

    def held(self) -> Scores:
        """Give upper bounds of the held rows."""
        return self._ranks(self._held, is_exact=self.rises)

    def tighten(self, _positions: IntArray, /) -> bool:
        """Do nothing: bounds of held rows are tight."""
        return False

    def exact(self, positions: IntArray) -> Scores:
        """Measure some of the held rows."""
        return self._ranks(self._held[positions], is_exact=True)

    def risen(self) -> float:
        """How much the score of a row may have risen since `upper` was last asked."""
        return sum(one.risen() for one in self._sums) + self._slack if self._has_added else 0.0

    def add(self, row: int) -> None:
        """Count a row as picked."""
        self._has_added = True
        for one in self._sums:
            one.add(row)
