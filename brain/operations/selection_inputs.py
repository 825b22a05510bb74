"""From a strategy's input to arrays: vectors, numbers, shares of classes, groups. What is made of them is elsewhere.

Every reader gives a value for each sample of the universe, and says which samples have one.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from ...dataset.errors import FieldNotFoundError, SelectionError, hint
from ...dataset.types import BoolArray, FloatArray, IntArray
from ..selection.inputs import Embeddings, Metadata, Predictions, RandomNumbers, Scores
from ..selection.objectives.distances import Owners
from .selection_classes import category_counts
from .selection_fields import GROUPS, NUMBERS, POSITIONS, Kinds, needs, require_kind, shown
from .selection_universe import Universe, stored_name
from .sequences import Units

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

NumberInput: TypeAlias = Scores | Predictions | Metadata | RandomNumbers
"""Inputs of one number per sample."""


class Numbers(NamedTuple):
    """A number of each sample.

    Attributes:
        values: (n,) float64, NaN where there is none.
        is_random: whether they are drawn at random, and a clip has that of its first frame.
    """

    values: NDArray[np.float64]
    is_random: bool = False

    @property
    def has(self) -> BoolArray:
        """(n,) which samples have one."""
        return ~np.isnan(self.values)

    def of(self, units: Units) -> NDArray[np.float64]:
        """The number of each unit: the mean of its rows."""
        return units.first(self.values) if self.is_random else units.mean(self.values)


class Groups(NamedTuple):
    """The number of each sample's group.

    Attributes:
        numbers: (n,) those.
        has: (n,) which samples have a value that names it; the others are groups of their own.
    """

    numbers: IntArray
    has: BoolArray

    def of(self, units: Units) -> IntArray:
        """The group of each unit: that of its first row."""
        return units.first(self.numbers)


class Vectors(NamedTuple):
    """A vector of each sample: row `rows[i]` of the matrix, or none where that is -1."""

    rows: IntArray
    matrix: FloatArray

    @property
    def has(self) -> BoolArray:
        """(n,) which samples have one."""
        return self.rows >= 0

    def of(self, units: Units) -> tuple[FloatArray, None]:
        """The vector of each unit, the mean of its rows; no copy where the units are the rows of the matrix."""
        if not units.are_single:
            return units.mean(self.matrix[self.rows]), None
        wanted = self.rows[units.rows]
        if len(wanted) == len(self.matrix) and np.array_equal(wanted, np.arange(len(wanted))):
            return self.matrix, None
        return self.matrix[wanted], None


class ObjectVectors(NamedTuple):
    """The vectors of each sample's objects: sample i owns `matrix[offsets[i]:offsets[i + 1]]`, which may be nothing."""

    offsets: IntArray
    matrix: FloatArray

    @property
    def has(self) -> BoolArray:
        """(n,) all: without objects, a sample can be picked as well."""
        return np.ones(len(self.offsets) - 1, dtype=bool)

    def of(self, units: Units) -> tuple[FloatArray, IntArray]:
        """The vectors of the objects of each unit, and where those of each begin."""
        own = Owners(self.offsets)
        places, ends = own.of(units.rows), np.concatenate([[0], np.cumsum(own.lengths(units.rows))])
        is_all = len(places) == len(self.matrix) and np.array_equal(places, np.arange(len(places)))
        return self.matrix if is_all else self.matrix[places], ends[np.append(units.starts, len(units.rows))]


def reads_of(samples: "SampleCollection", source: Any) -> list[str]:
    """The fields of the dataset that an input is read from."""
    match source:
        case Embeddings():
            return [stored_name(samples, source.task or source.key)]
        case Scores():
            return [stored_name(samples, f"{source.task}_{source.score}")]
        case Predictions():
            return [stored_name(samples, source.task)]
        case Metadata():
            return [source.key]
    return []


def read_vectors_of(universe: Universe, source: Embeddings) -> Vectors | ObjectVectors:
    """Read the vectors of the samples, or of their objects.

    Raises:
        FieldNotFoundError, FieldKindError, SchemaError: if there are no such vectors.
    """
    if source.task is None:
        return Vectors(*universe.vectors(source.key))
    return ObjectVectors(*universe.object_vectors(stored_name(universe.samples, source.task), source.key))


def read_numbers(universe: Universe, source: NumberInput, seed: int, strategy: str) -> Numbers:
    """Read a number of each sample.

    Args:
        universe: the samples.
        source: an input of numbers.
        seed: of random numbers that have none of their own.
        strategy: the type of the one that needs them.

    Raises:
        FieldNotFoundError: if there is no such field, saying what computes it.
        SelectionError: if its values are no numbers, or there are no such categories.
    """
    match source:
        case RandomNumbers():
            return Numbers(random_numbers(universe.ids, seed if source.random_seed is None else source.random_seed),
                           is_random=True)  # fmt: skip
        case Scores():
            return Numbers(_score(universe, source, strategy))
        case Predictions():
            return Numbers(category_counts(universe, source))
    return Numbers(_plain_numbers(universe, source.key, strategy))


def random_numbers(ids: Sequence[str], seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each id, which depends on it and the seed alone.

    Example:
        >>> random_numbers(["64b7f0c2a1d3e4f5a6b7c8d9"], 0) == random_numbers(["64b7f0c2a1d3e4f5a6b7c8d9"], 1)
        array([False])
    """
    start = seed % (1 << 64)
    drawn = np.fromiter((xxh3_64_intdigest(one.encode(), start) for one in ids), dtype=np.uint64, count=len(ids))
    return (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _score(universe: Universe, source: Scores, strategy: str) -> NDArray[np.float64]:
    path = stored_name(universe.samples, f"{source.task}_{source.score}")
    known = universe.samples._schema().names()
    if path not in known:
        raise FieldNotFoundError(
            f"no field {path!r} on {universe.samples._title()}: the score {source.score!r} of {source.task!r} was not "
            f"computed. compute_active_learning_scores(samples, {source.task!r}) makes it. "
            f"{hint(path, known, 'Fields')}"
        )
    return _plain_numbers(universe, path, strategy)


def _plain_numbers(universe: Universe, path: str, strategy: str, kinds: Kinds = NUMBERS) -> NDArray[np.float64]:
    require_kind(universe.samples, path, kinds, strategy)
    values = universe.column(path)
    if not {type(value) for value in values} <= {int, float, type(None)}:
        row = next(i for i, value in enumerate(values) if not isinstance(value, int | float | None)
                   or isinstance(value, bool))  # fmt: skip
        raise SelectionError(
            f"{path!r} is {shown(values[row])} on sample {universe.ids[row]}; {needs(strategy, kinds)} "
            "On categories there are BALANCE and GROUP_CAP."
        )
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if np.isinf(numbers).any():
        row = int(np.argmax(np.isinf(numbers)))
        raise SelectionError(
            f"{path!r} is infinite on sample {universe.ids[row]}. Correct it, or leave that sample out."
        )
    return numbers


def read_positions(universe: Universe, path: str) -> Numbers:
    """Read numbers, or times as seconds.

    Raises:
        FieldNotFoundError: if there is no such field.
        SelectionError: if its values are neither.
    """
    require_kind(universe.samples, path, POSITIONS, "TIME_GAP")
    values = universe.column(path)
    if any(isinstance(value, date) for value in values):
        return Numbers(np.array([_seconds(path, value) for value in values], dtype=np.float64))
    return Numbers(_plain_numbers(universe, path, "TIME_GAP", POSITIONS))


def _seconds(path: str, value: Any) -> float:
    if value is None:
        return np.nan
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    raise SelectionError(f"{path!r} holds times and also {shown(value)}; expected one of them on all samples.")


def read_groups(universe: Universe, path: str | None, strategy: str) -> Groups:
    """Number the values of a field; a sample without one is a group of its own. Without a path all are one group.

    Raises:
        FieldNotFoundError: if there is no such field.
        SelectionError: if its values are lists.
    """
    has = np.ones(len(universe.ids), dtype=bool)
    if path is None:
        return Groups(np.zeros(len(universe.ids), dtype=np.int64), has)
    require_kind(universe.samples, path, GROUPS, strategy)
    numbers: dict[Any, int] = {}
    groups = np.empty(len(universe.ids), dtype=np.int64)
    for row, value in enumerate(universe.column(path)):
        if isinstance(value, list | dict):
            raise SelectionError(f"{path!r} is {shown(value)} on sample {universe.ids[row]}; {needs(strategy, GROUPS)}")
        has[row] = value is not None
        name = (row,) if value is None else value
        groups[row] = numbers.setdefault(name, len(numbers))
    return Groups(groups, has)
