"""From samples and strategies to the arrays that are picked from.

What is read is `selection_inputs` and `selection_classes`; how rows are picked is `selection.greedy`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...dataset.errors import SelectionError
from ...dataset.types import BoolArray, IntArray, SampleId
from ..selection import constraints
from ..selection.inputs import Embeddings, Metadata, Predictions, RandomNumbers, Scores
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
    AnyStrategy,
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
from .selection_classes import Shares, read_shares, target_of
from .selection_inputs import (
    Numbers,
    ObjectVectors,
    Vectors,
    read_groups,
    read_numbers,
    read_positions,
    read_queries,
    read_vectors_of,
    reads_of,
)
from .selection_universe import Universe
from .sequences import Units, cut_clips

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "SMALLER": np.less, "SMALLER_EQUAL": np.less_equal, "BIGGER": np.greater, "BIGGER_EQUAL": np.greater_equal,
}  # fmt: skip


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
    constraints: list[constraints.Constraint] = field(default_factory=list)
    available: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def samples_of(self, row: int) -> list[SampleId]:
        """The samples that a row stands for."""
        return [self.ids[position] for position in self.units.of(row).tolist()]


def fields_read(samples: "SampleCollection", strategies: Sequence[AnyStrategy], length: int) -> list[str]:
    """The fields of the dataset that the strategies read."""
    found: list[str] = []
    for strategy in strategies:
        found += reads_of(samples, strategy.input)
        if isinstance(strategy, TimeGap) and strategy.group is not None:
            found.append(strategy.group)
        if isinstance(strategy, Coverage) and strategy.weights is not None:
            found += reads_of(samples, strategy.weights)
    return list(dict.fromkeys([*found, *(["filepath"] if length > 1 else [])]))


def label_of(strategy: AnyStrategy) -> str:
    """What a strategy is called in reports: its type, and what it reads.

    Example:
        >>> label_of(Weights("uncertainty"))
        'WEIGHTS uncertainty'
    """
    name = _name_of(strategy.input)
    if isinstance(strategy, Threshold):
        return f"{strategy.type} {name} {strategy.operation} {strategy.threshold:g}"
    return strategy.type if name == strategy.type else f"{strategy.type} {name}"


def _name_of(source: Any) -> str:
    match source:
        case Embeddings():
            own = source.key if source.task is None else f"{source.task}.{source.key}"
            return own if source.tag_name is None else f"{own} to {source.tag_name!r}"
        case Scores():
            return f"{source.task}_{source.score}"
        case Predictions():
            return f"{source.task} {', '.join(source.categories)}" if source.categories else source.task
        case Metadata():
            return source.key
    return "RANDOM"


class Reading:
    """The strategies of a selection, with what each reads of the samples."""

    def __init__(self, universe: Universe, strategies: Sequence[AnyStrategy], seed: int) -> None:
        """Read everything. What several strategies read is read once."""
        self._universe, self._seed = universe, seed
        self._known: dict[Any, Any] = {}
        self.given = [(strategy, label_of(strategy), self._read(strategy)) for strategy in strategies]

    def _once(self, key: Any, read: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = read()
        return self._known[key]

    def _numbers(self, source: Any) -> Numbers:
        found: Numbers = self._once(source, lambda: read_numbers(self._universe, source, self._seed))
        return found

    def _read(self, strategy: AnyStrategy) -> list[Any]:
        universe = self._universe
        match strategy:
            case GroupCap():
                return [read_groups(universe, strategy.input.key)]
            case TimeGap():
                return [read_positions(universe, strategy.input.key), read_groups(universe, strategy.group)]
            case Balance():
                named = list(strategy.target) if strategy.target is not None else None
                return [read_shares(universe, strategy.input, named)]
            case Coverage():
                found = [self._vectors(strategy.input)]
                return found if strategy.weights is None else [*found, self._numbers(strategy.weights)]
            case Similarity():
                return [self._vectors(strategy.input), read_queries(universe, strategy.input)]
            case Diversity() | Typicality():
                return [self._vectors(strategy.input)]
        return [self._numbers(strategy.input)]

    def _vectors(self, source: Embeddings) -> Vectors | ObjectVectors:
        key = ("vectors", source.key, source.task)
        found: Vectors | ObjectVectors = self._once(key, lambda: read_vectors_of(self._universe, source))
        return found


def build(
    universe: Universe, strategies: Sequence[AnyStrategy], seed: int, length: int = 1
) -> Problem:  # fmt: skip
    """Read what the strategies need, apply the thresholds, and give the rest as arrays.

    A sample is a candidate if it has every vector and number that the strategies read. What was preselected may lack
    numbers; without a vector that is needed it does not count.

    Args:
        universe: the samples.
        strategies: what decides.
        seed: of random numbers.
        length: how many consecutive frames are picked together.
    """
    given = Reading(universe, strategies, seed).given
    earlier = int(universe.is_preselected.sum())
    facts: dict[str, Any] = {"preselected": earlier} if earlier else {}
    notes: list[str] = []
    has, counts = _having(universe, given)
    if counts:
        facts["without_input"] = counts
    free = ~universe.is_preselected
    units = _units(universe, free, length, notes)
    is_eligible = units.whole(free & has)
    available = int(units.lengths[is_eligible].sum())
    is_eligible &= _thresholds(given, units, is_eligible, facts)
    has_vectors = np.ones(len(free), dtype=bool)
    for _, _, read in given:
        for one in read:
            has_vectors &= one.has if isinstance(one, Vectors) else True
    counted = units.whole(~free & has_vectors)
    if missing := int((~free).sum() - counted.sum()):
        facts["preselected_without_vector"] = missing
    kept = units.taken(is_eligible | counted)
    is_candidate = is_eligible[is_eligible | counted]
    problem = Problem(
        universe.ids, kept, is_candidate, np.flatnonzero(~is_candidate), available=available, facts=facts,
        notes=notes,
    )  # fmt: skip
    for strategy, label, read in given if is_candidate.any() else ():
        _add(problem, strategy, label, read, kept)
    return problem


def _having(universe: Universe, given: Sequence[Any]) -> tuple[BoolArray, dict[str, int]]:
    """Which samples have all that is read of them; and, by strategy, how many that could be picked have not."""
    has = np.ones(len(universe.ids), dtype=bool)
    counts = {}
    for _, label, read in given:
        own = np.ones(len(has), dtype=bool)
        for one in read:
            if isinstance(one, Vectors | ObjectVectors | Numbers):
                own &= one.has
        has &= own
        if missing := int((~own & ~universe.is_preselected).sum()):
            counts[label] = missing
    return has, counts


def _units(universe: Universe, free: BoolArray, length: int, notes: list[str]) -> Units:
    """Samples, or clips of frames; what was preselected is by itself."""
    if length == 1:
        return Units.single(np.arange(len(free)))
    known = universe.samples._schema()
    paths = ["filepath", *(["frame_number"] if "frame_number" in known else [])]
    columns = universe.columns(paths)
    clips, left = cut_clips(
        columns["filepath"], columns.get("frame_number", [None] * len(free)), free, length
    )  # fmt: skip
    if left:
        notes.append(f"{left} samples are in no clip of {length}: they are the rest of their videos or folders")
    return Units.joined([*([row] for row in np.flatnonzero(~free).tolist()), *clips])


def _thresholds(given: Sequence[Any], units: Units, is_eligible: BoolArray, facts: dict[str, Any]) -> BoolArray:
    """Which units pass all thresholds; the facts get how many are left after each."""
    passed = np.ones(len(units), dtype=bool)
    left: dict[str, int] = {}
    for strategy, label, read in given:
        if isinstance(strategy, Threshold):
            passed &= _OPERATIONS[strategy.operation](read[0].of(units), strategy.threshold)
            left[label] = int(units.lengths[is_eligible & passed].sum())
    if left:
        facts["thresholds"] = left
    return passed


def _add(problem: Problem, strategy: AnyStrategy, label: str, read: list[Any], units: Units) -> None:
    """Add what a strategy is to the picking: an objective, a constraint, or both."""
    match strategy:
        case GroupCap():
            problem.constraints.append(constraints.GroupCap(units.first(read[0]), strategy.at_most))
        case TimeGap():
            problem.constraints.append(
                constraints.MinimumGap(read[0].of(units), units.first(read[1]), strategy.at_least)
            )
        case Budget():
            problem.constraints.append(constraints.Budget(units.total(read[0].values), strategy.at_most))
        case Balance():
            problem.objectives.append(_balance(problem, strategy, label, read[0], units))
        case Weights():
            _add_weights(problem, strategy, label, read[0], units)
        case Random():
            problem.objectives.append(RandomObjective(read[0].of(units), strength=strategy.strength, label=label))
        case Threshold():
            pass
        case _:
            problem.objectives.append(_of_vectors(strategy, label, read, units))


def _of_vectors(strategy: Any, label: str, read: list[Any], units: Units) -> Objective:
    vectors, offsets = read[0].of(units)
    options = {"strength": strategy.strength, "normalize": strategy.normalize, "label": label}
    match strategy:
        case Diversity():
            return DiversityObjective(vectors, offsets=offsets, minimum_distance=strategy.minimum_distance, **options)
        case Similarity():
            queries = read[1]
            if len(vectors) and vectors.shape[1] != queries.shape[1]:
                raise SelectionError(
                    f"{label}: the samples' vectors have {vectors.shape[1]} numbers and those with the tag have "
                    f"{queries.shape[1]}. Compute both with the same model."
                )
            return SimilarityObjective(vectors, queries, offsets=offsets, **options)
        case Typicality():
            return TypicalityObjective(
                vectors, offsets=offsets, num_nearest_neighbors=strategy.num_nearest_neighbors,
                minimum_typicality=strategy.minimum_typicality, **options,
            )  # fmt: skip
    weights = None if len(read) == 1 else np.nan_to_num(read[1].of(units))
    return CoverageObjective(vectors, weights=weights, **options)


def _add_weights(problem: Problem, strategy: Any, label: str, numbers: Numbers, units: Units) -> None:
    if isinstance(strategy.input, RandomNumbers):
        problem.objectives.append(RandomObjective(numbers.of(units), strength=strategy.strength, label=label))
    else:
        values = numbers.of(units)
        problem.objectives.append(
            WeightsObjective(values, strength=strategy.strength, scale=strategy.scale, label=label)
        )
    sums = units.total(numbers.values)
    if strategy.max_sum is not None:
        problem.constraints.append(constraints.MaximumSum(sums, strategy.max_sum))
    if strategy.target_range is not None:
        problem.constraints.append(constraints.SumRange(sums, problem.candidates, *strategy.target_range))


def _balance(problem: Problem, strategy: Any, label: str, shares: Shares, units: Units) -> Objective:
    found = Shares(units.total(shares.values), shares.classes)
    target = target_of(found, strategy.target, strategy.distribution, problem.candidates)
    there = found.values[problem.candidates]
    absent = [name for name, share, total in zip(found.classes, target, there.sum(axis=0), strict=True)
              if share > 0 and not total]  # fmt: skip
    if absent:
        problem.facts.setdefault("classes_without_candidates", {})[label] = absent
    if without := int((there.sum(axis=1) == 0).sum()):
        problem.facts.setdefault("without_class", {})[label] = without
    objective = BalanceObjective(
        found.values, target, strength=strategy.strength, strict=strategy.strict, label=label
    )  # fmt: skip
    object.__setattr__(objective, "classes", found.classes)  # for the report
    return objective
