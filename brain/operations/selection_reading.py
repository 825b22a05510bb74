"""The strategies of a selection with what each reads: which fields, what it is called, and the values.

How a value is read is `selection_inputs` and `selection_classes`; what becomes of it is `selection_problem`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...dataset.errors import SaccadeError, SelectionError
from ...dataset.types import FloatArray
from ..selection.inputs import Embeddings, Metadata, Predictions, Scores
from ..selection.strategies import (
    AnyStrategy,
    Balance,
    Budget,
    Coverage,
    Diversity,
    GroupCap,
    Similarity,
    Threshold,
    TimeGap,
    Typicality,
    Weights,
)
from .selection_classes import Shares, read_shares
from .selection_examples import read_queries
from .selection_fields import maker_of
from .selection_inputs import (
    Groups,
    Numbers,
    ObjectVectors,
    Vectors,
    read_groups,
    read_numbers,
    read_positions,
    read_vectors_of,
    reads_of,
)
from .selection_universe import Universe

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


class Read(NamedTuple):
    """A strategy and what it read.

    Attributes:
        strategy: the strategy.
        label: what it is called in reports.
        values: what was read of the samples for it, in the order that the strategy has use for.
    """

    strategy: AnyStrategy
    label: str
    values: list[Any]


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
        >>> label_of(Threshold("lightly.sharpness", "BIGGER", 10))
        'THRESHOLD lightly.sharpness BIGGER 10'
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


def read_all(universe: Universe, strategies: Sequence[AnyStrategy], seed: int) -> list[Read]:
    """Read what the strategies need; vectors and numbers that several need are read once, and are the same object.

    Args:
        universe: the samples.
        strategies: what decides.
        seed: of random numbers that have none of their own.
    """
    reading = _Reading(universe, seed)
    labels = [label_of(strategy) for strategy in strategies]
    found = []
    for place, (strategy, label) in enumerate(zip(strategies, labels, strict=True)):
        number = f" ({labels[: place + 1].count(label)})" if labels.count(label) > 1 else ""
        found.append(Read(strategy, label + number, reading.of(strategy)))
        _require_some(universe, found[-1])
    return found


def check_fields(samples: "SampleCollection", strategies: Sequence[AnyStrategy]) -> None:
    """Refuse what shows without looking at any sample: fields that are missing or of the wrong kind, unknown tags.

    Raises:
        SaccadeError: what reading them would raise.
    """
    nothing = Universe.empty(samples)
    try:
        read_all(nothing, strategies, 0)
    except SaccadeError as error:
        said = str(error).replace(nothing.samples._title(), samples._title())
        raise type(error)(said) from None


def _require_some(universe: Universe, read: Read) -> None:
    """Refuse to pick by what no sample has.

    Raises:
        SelectionError: naming what computes it.
    """
    free = ~universe.is_preselected
    strategy = read.strategy
    others = (getattr(strategy, "weights", None), getattr(strategy, "group", None))
    sources = [strategy.input, *(one for one in others if one is not None)]
    for value, source in zip(read.values, sources, strict=False):
        if not isinstance(value, Vectors | ObjectVectors | Numbers | Shares | Groups):
            continue
        if free.any() and not value.has[free].any():
            read_from = Metadata(source) if isinstance(source, str) else source
            maker = maker_of(read_from) or "Set it, or leave the strategy out."
            raise SelectionError(
                f"{read.label}: none of the {free.sum()} samples has a value in {_name_of(read_from)!r}. {maker}"
            )


def limits_of(readings: Sequence[Read]) -> list[str]:
    """What keeps samples from being picked together, in words."""
    found = []
    for strategy, label, _ in readings:
        match strategy:
            case GroupCap():
                found.append(f"{label} (at most {strategy.at_most} each)")
            case TimeGap():
                found.append(f"{label} (at least {strategy.at_least:g} apart)")
            case Budget():
                found.append(f"{label} (at most {strategy.at_most:g})")
            case Typicality() if strategy.minimum_typicality is not None:
                found.append(f"{label} (at least {strategy.minimum_typicality:g})")
            case Weights() if strategy.target_range is not None:
                found.append("{} (a sum of {:g} to {:g})".format(label, *strategy.target_range))
            case Balance() if strategy.strict:
                found.append(f"{label} (strict)")
    return found


class _Reading:
    """What was read already."""

    def __init__(self, universe: Universe, seed: int) -> None:
        self._universe, self._seed = universe, seed
        self._known: dict[Any, Any] = {}

    def _once(self, key: Any, read: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = read()
        return self._known[key]

    def _numbers(self, source: Any, strategy: str) -> Numbers:
        found: Numbers = self._once(source, lambda: read_numbers(self._universe, source, self._seed, strategy))
        return found

    def of(self, strategy: AnyStrategy) -> list[Any]:
        universe = self._universe
        match strategy:
            case GroupCap():
                return [read_groups(universe, strategy.input.key, strategy.type)]
            case TimeGap():
                return [
                    read_positions(universe, strategy.input.key),
                    read_groups(universe, strategy.group, strategy.type),
                ]
            case Balance():
                named = list(strategy.target) if strategy.target is not None else None
                return [read_shares(universe, strategy.input, named)]
            case Coverage():
                found = [self._vectors(strategy.input)]
                return found if strategy.weights is None else [*found, self._numbers(strategy.weights, strategy.type)]
            case Similarity():
                return [self._vectors(strategy.input), read_queries(universe, strategy.input)]
            case Diversity() | Typicality():
                return [self._vectors(strategy.input)]
        return [self._numbers(strategy.input, strategy.type)]

    def _vectors(self, source: Embeddings) -> Vectors | ObjectVectors:
        key = ("vectors", source.key, source.task)
        found: Vectors | ObjectVectors = self._once(key, lambda: read_vectors_of(self._universe, source))
        return found


def matrices_of(readings: Sequence[Read]) -> list[FloatArray]:
    """The matrices of vectors among what was read."""
    return [value.matrix for read in readings for value in read.values if isinstance(value, Vectors | ObjectVectors)]
