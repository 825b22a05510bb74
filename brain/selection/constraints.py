"""Constraints: what keeps samples from being picked, whatever their score. What is left out once stays left out."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import IntArray

_NONE: IntArray = np.empty(0, dtype=np.int64)


class Constraint(Protocol):
    """Tells which rows can be picked no more."""

    def add(self, row: int) -> IntArray:
        """Count a row as picked, and tell which rows are left out from now on."""
        ...

    def begin(self, count: int, /) -> IntArray:
        """Tell which rows are left out before the first of `count` picks; those preselected were counted."""
        ...

    def is_reached(self) -> bool:
        """Tell whether nothing more is to be picked at all."""
        ...


class GroupCap:
    """At most so many rows of each group."""

    def __init__(self, groups: IntArray, at_most: int | IntArray) -> None:
        """Take the group of each row, (n,), and how many are allowed, of all groups or (groups,) of each."""
        self._groups = groups
        count = int(groups.max(initial=-1)) + 1
        self._left = np.broadcast_to(np.asarray(at_most, dtype=np.int64), (count,)).copy()
        order = np.argsort(groups, kind="stable")
        self._members = np.split(order, np.cumsum(np.bincount(groups, minlength=count))[:-1])

    def add(self, row: int) -> IntArray:
        """Leave out the row's group once it is full."""
        group = self._groups[row]
        self._left[group] -= 1
        return self._members[group] if self._left[group] == 0 else _NONE

    def begin(self, _count: int, /) -> IntArray:
        """Leave out groups of which nothing is allowed."""
        full = np.flatnonzero(self._left <= 0)
        return np.concatenate([_NONE, *(self._members[group] for group in full)])

    def is_reached(self) -> bool:
        """Never: other groups may have room."""
        return False


class MinimumGap:
    """Rows of the same group lie at least so far apart, such as frames of a video in seconds."""

    def __init__(self, positions: NDArray[np.float64], groups: IntArray, gap: float) -> None:
        """Take the place of each row on a line, (n,), its group, (n,), and the least distance between two picks."""
        self._groups, self._positions, self._gap = groups, positions, gap
        self._order = np.lexsort((positions, groups))
        self._starts = np.searchsorted(groups[self._order], np.arange(int(groups.max(initial=-1)) + 2))
        self._sorted = positions[self._order]

    def add(self, row: int) -> IntArray:
        """Leave out what is too near to the row."""
        start, end = (int(at) for at in self._starts[self._groups[row] :][:2])
        place = self._positions[row]
        if np.isnan(place):
            return _NONE
        near = np.abs(self._sorted[start:end] - place) < self._gap
        left_out: IntArray = self._order[start:end][near]
        return left_out

    def begin(self, _count: int, /) -> IntArray:
        """Leave out nothing."""
        return _NONE

    def is_reached(self) -> bool:
        """Never: elsewhere there may be room."""
        return False


class Budget:
    """The sum of the costs of all picks is never above a budget."""

    def __init__(self, costs: NDArray[np.float64], at_most: float) -> None:
        """Take the cost of each row, (n,), not negative, and the budget."""
        self._costs, self._left = costs, at_most
        self._dearest_first = np.argsort(-costs, kind="stable")
        self._done = 0

    def add(self, row: int) -> IntArray:
        """Leave out what costs more than is left."""
        if not np.isnan(self._costs[row]):
            self._left -= self._costs[row]
        return self._too_dear()

    def _too_dear(self) -> IntArray:
        start = self._done
        costs = self._costs[self._dearest_first[start:]]
        self._done = start + int(np.searchsorted(-costs, -self._left, side="left"))
        return self._dearest_first[start : self._done]

    def begin(self, _count: int, /) -> IntArray:
        """Leave out what costs more than there is."""
        return self._too_dear()

    def is_reached(self) -> bool:
        """Never: what costs nothing may still be picked."""
        return False


class MaximumSum:
    """Nothing more is picked once the sum of the values has reached a limit."""

    def __init__(self, values: NDArray[np.float64], limit: float) -> None:
        """Take the value of each row, (n,), and the limit."""
        self._values, self._left = values, limit

    def add(self, row: int) -> IntArray:
        """Count a row; NaN counts as 0."""
        value = self._values[row]
        self._left -= 0.0 if np.isnan(value) else value
        return _NONE

    def begin(self, _count: int, /) -> IntArray:
        """Leave out nothing."""
        return _NONE

    def is_reached(self) -> bool:
        """Whether the limit is reached."""
        return self._left <= 0


class SumRange:
    """The sum of the values of all picks lies in a range, if that can be.

    A row is left out as soon as the range could not be kept with it, by the best of what is left for the other picks.
    Where the range cannot be kept at all, the side that cannot is left alone; `notes` tells.
    """

    def __init__(
        self, values: NDArray[np.float64], candidates: NDArray[np.bool_], minimum: float | None, maximum: float | None
    ) -> None:
        """Take the value of each row, (n,), which rows may be picked, (n,), and the range."""
        sides = [(values, minimum, 1.0), (values, maximum, -1.0)]
        self._sides = [_AtLeast(sign * v, candidates, sign * limit) for v, limit, sign in sides if limit is not None]

    @property
    def notes(self) -> list[str]:
        """What could not be kept."""
        return [side.note for side in self._sides if side.note]

    def add(self, row: int) -> IntArray:
        """Leave out what would leave the range."""
        return self._of_all(lambda side: side.add(row))

    def begin(self, count: int, /) -> IntArray:
        """Leave out what cannot be part of any such selection."""
        return self._of_all(lambda side: side.begin(count))

    def _of_all(self, ask: Callable[["_AtLeast"], IntArray]) -> IntArray:
        return np.concatenate([_NONE, *(ask(side) for side in self._sides)])

    def is_reached(self) -> bool:
        """Never."""
        return False


class _AtLeast:
    """One side of a range: with the highest values that are left, the sum still reaches the minimum.

    With m picks to come, a row that is not among the m highest is out if its value and the m - 1 highest do not
    suffice. The threshold this gives never falls as rows are picked.
    """

    note = ""

    def __init__(self, values: NDArray[np.float64], candidates: NDArray[np.bool_], minimum: float) -> None:
        self._values, self._missing = values, minimum
        usable = np.flatnonzero(candidates & ~np.isnan(values))
        self._order = usable[np.argsort(-values[usable], kind="stable")]
        self._left = 0
        self._is_off = False
        self._is_open = np.zeros(len(values), dtype=bool)
        self._is_open[usable] = True

    def begin(self, count: int, /) -> IntArray:
        self._left = count
        reachable = self._values[self._order[:count]].sum()
        if reachable < self._missing - 1e-9 * abs(self._missing):
            self._is_off = True
            self.note = f"the sum can be at most {abs(reachable):g}; {abs(self._missing):g} were wanted"
        return self._out()

    def add(self, row: int) -> IntArray:
        if not np.isnan(self._values[row]):
            self._missing -= self._values[row]
        self._is_open[row] = False
        if not self._left:  # preselected
            return _NONE
        self._left -= 1
        return self._out()

    def _out(self) -> IntArray:
        if self._is_off or self._left < 1:
            return _NONE
        self._order = self._order[self._is_open[self._order]]
        needed = self._missing - self._values[self._order[: self._left - 1]].sum()
        rest = self._order[self._left :]
        keep = int(np.searchsorted(-self._values[rest], -(needed - 1e-12 * abs(needed)), side="right"))
        out = rest[keep:]
        self._is_open[out] = False
        return out
