"""From samples and strategies to the arrays that are picked from.

What was read is `selection_reading`; how rows are picked is `selection.greedy`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import SelectionError, hint
from ...dataset.types import BoolArray, FloatArray, IntArray, SampleId
from ..selection import constraints
from ..selection.constraints import Constraint
from ..selection.inputs import RandomNumbers
from ..selection.objectives import (
    BalanceObjective,
    CoverageObjective,
    DiversityObjective,
    Objective,
    RandomObjective,
    SimilarityObjective,
    TypicalityObjective,
    WeightsObjective,
)
from ..selection.strategies import (
    Balance,
    Budget,
    Coverage,
    Diversity,
    GroupCap,
    Random,
    Similarity,
    Threshold,
    TimeGap,
    Typicality,
    Weights,
)
from .selection_classes import Shares, target_of
from .selection_inputs import Numbers, ObjectVectors, Vectors
from .selection_reading import Read
from .selection_universe import Universe
from .sequences import Units, cut_clips

_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "SMALLER": np.less, "SMALLER_EQUAL": np.less_equal, "BIGGER": np.greater, "BIGGER_EQUAL": np.greater_equal,
}  # fmt: skip
_ROUNDED = 1e-6
"""What rounding may leave to 1 of the shares of a target."""


@dataclass
class Problem:
    """What is picked from, as `selection.greedy.pick` takes it; a row is a sample, or a clip of several.

    Attributes:
        ids: all samples.
        units: of each row, the positions in `ids` of those it stands for.
        candidates: (n,) which rows may be picked.
        preselected: rows that count as picked before.
        objectives: what makes a row good.
        constraints: what else keeps a row from being picked.
        available: how many samples could be picked if there were no thresholds.
        facts: what the report says about the samples and what was read.
        notes: what the report says in words.
    """

    ids: list[SampleId]
    units: Units
    candidates: BoolArray
    preselected: IntArray
    objectives: list[Objective] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    available: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def samples_of(self, row: int) -> list[SampleId]:
        """The samples that a row stands for."""
        return [self.ids[position] for position in self.units.of(row).tolist()]


def build(universe: Universe, given: Sequence[Read], length: int = 1) -> Problem:
    """Apply the thresholds to what was read, and give the rest as arrays.

    A sample is a candidate if it has every vector and number that the strategies read. What was preselected may lack
    numbers; without a vector that is needed it does not count.

    Args:
        universe: the samples.
        given: the strategies with what they read.
        length: how many consecutive frames are picked together.
    """
    free = ~universe.is_preselected
    facts: dict[str, Any] = {} if free.all() else {"preselected": int((~free).sum())}
    notes: list[str] = []
    units = _units(universe, free, length, notes)
    is_eligible = units.whole(free & _having(given, free, facts))
    available = int(units.lengths[is_eligible].sum())
    is_eligible &= _passing(given, units, is_eligible, facts)
    has_vectors = np.ones(len(free), dtype=bool)
    for one in (value for read in given for value in read.values if isinstance(value, Vectors)):
        has_vectors &= one.has
    is_counted = units.whole(~free & has_vectors)
    if missing := int((~free).sum() - is_counted.sum()):
        facts["preselected_without_vector"] = missing
    kept = is_eligible | is_counted
    is_candidate = is_eligible[kept]
    problem = Problem(
        universe.ids, units.taken(kept), is_candidate, np.flatnonzero(~is_candidate), available=available, facts=facts,
        notes=notes,
    )  # fmt: skip
    if is_candidate.any():
        building = _Building(problem)
        for read in given:
            building.add(read)
    return problem


def _having(given: Sequence[Read], free: BoolArray, facts: dict[str, Any]) -> BoolArray:
    """Which samples have all that is read of them; the facts get how many that could be picked have not."""
    has = np.ones(len(free), dtype=bool)
    counts = {}
    for read in given:
        own = np.ones(len(free), dtype=bool)
        for value in read.values:
            if isinstance(value, Vectors | ObjectVectors | Numbers):
                own &= value.has
        has &= own
        if missing := int((free & ~own).sum()):
            counts[read.label] = missing
    if counts:
        facts["without_input"] = counts
    return has


def _units(universe: Universe, free: BoolArray, length: int, notes: list[str]) -> Units:
    """Samples, or clips of frames; what was preselected is by itself."""
    if length == 1:
        return Units.single(np.arange(len(free)))
    is_video = "frame_number" in universe.samples._schema()
    columns = universe.columns(["filepath", "frame_number"] if is_video else ["filepath"])
    frames = columns.get("frame_number", [None] * len(free))
    clips, left = cut_clips(columns["filepath"], frames, free, length)
    if left:
        notes.append(f"{left} samples are in no clip of {length}: they are the rest of their videos or folders")
    return Units.joined([*([row] for row in np.flatnonzero(~free).tolist()), *clips])


def _passing(given: Sequence[Read], units: Units, is_eligible: BoolArray, facts: dict[str, Any]) -> BoolArray:
    """Which units pass all thresholds; the facts get how many samples are left after each."""
    passed = np.ones(len(units), dtype=bool)
    left: dict[str, int] = {}
    for strategy, label, values in given:
        if isinstance(strategy, Threshold):
            passed &= _OPERATIONS[strategy.operation](values[0].of(units), strategy.threshold)
            left[label] = int(units.lengths[is_eligible & passed].sum())
    if left:
        facts["thresholds"] = left
    return passed


class _Building:
    """Adds to a problem what its strategies are to the picking: objectives, limits, or both."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._units = problem, problem.units
        self._vectors: dict[int, Any] = {}

    def add(self, read: Read) -> None:
        """Add one strategy."""
        units, (strategy, label, values) = self._units, read
        match strategy:
            case Threshold():
                return
            case GroupCap():
                self._limit(constraints.GroupCap(values[0].of(units), strategy.at_most))
            case TimeGap():
                self._limit(constraints.MinimumGap(values[0].of(units), values[1].of(units), strategy.at_least))
            case Budget():
                self._limit(constraints.Budget(_costs(label, units.total(values[0].values)), strategy.at_most))
            case Balance():
                self._want(self._balance(strategy, label, values[0]))
            case Random():
                self._want(RandomObjective(values[0].of(units), strength=strategy.strength, label=label))
            case Weights():
                self._weigh(strategy, label, values[0])
            case _:
                self._want(self._of_vectors(strategy, label, values))

    def _limit(self, constraint: Constraint) -> None:
        self._problem.constraints.append(constraint)

    def _want(self, objective: Objective) -> None:
        self._problem.objectives.append(objective)

    def _of_vectors(
        self, strategy: Diversity | Similarity | Typicality | Coverage, label: str, values: Sequence[Any]
    ) -> Objective:
        if id(values[0]) not in self._vectors:  # strategies on the same vectors share one matrix
            self._vectors[id(values[0])] = values[0].of(self._units)
        vectors, offsets = self._vectors[id(values[0])]
        options: dict[str, Any] = {"strength": strategy.strength, "normalize": strategy.normalize, "label": label}
        match strategy:
            case Diversity():
                minimum = strategy.minimum_distance
                return DiversityObjective(vectors, offsets=offsets, minimum_distance=minimum, **options)
            case Similarity():
                _check_lengths(label, vectors, values[1])
                return SimilarityObjective(vectors, values[1], offsets=offsets, **options)
            case Typicality():
                return TypicalityObjective(
                    vectors, offsets=offsets, num_nearest_neighbors=strategy.num_nearest_neighbors,
                    minimum_typicality=strategy.minimum_typicality, **options,
                )  # fmt: skip
        weights = np.nan_to_num(values[1].of(self._units)) if len(values) > 1 else None
        return CoverageObjective(vectors, weights=weights, weights_scale=strategy.weights_scale, **options)

    def _weigh(self, strategy: Weights, label: str, numbers: Numbers) -> None:
        values = numbers.of(self._units)
        if isinstance(strategy.input, RandomNumbers):
            self._want(RandomObjective(values, strength=strategy.strength, label=label))
        else:
            self._want(WeightsObjective(values, strength=strategy.strength, scale=strategy.scale, label=label))
        sums = self._units.total(numbers.values)
        if strategy.max_sum is not None:
            self._limit(constraints.MaximumSum(sums, strategy.max_sum))
        if strategy.target_range is not None:
            self._limit(constraints.SumRange(sums, self._problem.candidates, *strategy.target_range))

    def _balance(self, strategy: Balance, label: str, shares: Shares) -> Objective:
        problem, names = self._problem, shares.classes
        found = Shares(self._units.total(shares.values), names, shares.known)
        target = target_of(found, strategy.target, strategy.distribution, problem.candidates)
        there = found.values[problem.candidates]
        sums = there.sum(axis=0).tolist()
        wanted = [(name, total) for name, share, total in zip(names, target, sums, strict=True) if share > _ROUNDED]
        if absent := [name for name, total in wanted if not total]:
            problem.facts.setdefault("classes_without_candidates", {})[label] = absent
        problem.notes += _unknown_classes(label, strategy, found, absent)
        if without := int((there.sum(axis=1) == 0).sum()):
            problem.facts.setdefault("without_class", {})[label] = without
        return BalanceObjective(
            found.values, target, strength=strategy.strength, strict=strategy.strict, label=label, classes=tuple(names)
        )


def _unknown_classes(label: str, strategy: Balance, shares: Shares, absent: Sequence[str]) -> list[str]:
    """Say which classes of a target no candidate has, and which there are."""
    notes = []
    for name in strategy.target or ():
        if name not in shares.known:
            notes.append(f"{label}: there is no class {name!r}. {hint(name, shares.known, 'Classes')}")
        elif name in absent:
            notes.append(f"{label}: no candidate has the class {name!r}")
    return notes


def _costs(label: str, costs: NDArray[np.float64]) -> NDArray[np.float64]:
    if (costs < 0).any():
        raise SelectionError(f"{label}: a sample costs {np.nanmin(costs):g}; expected numbers that are not negative.")
    return costs


def _check_lengths(label: str, vectors: FloatArray, queries: FloatArray) -> None:
    if vectors.shape[1] != queries.shape[1]:
        raise SelectionError(
            f"{label}: the samples' vectors have {vectors.shape[1]} numbers and those with the tag have "
            f"{queries.shape[1]}. Compute both with the same model."
        )
