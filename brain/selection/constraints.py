"""Constraints: what keeps samples from being picked, whatever their score. What is left out once stays left out."""

from bisect import bisect_right
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import IntArray

_SOME = 1024
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


def members_of(groups: IntArray, count: int) -> list[IntArray]:
    """Give the rows of each of `count` groups, ascending."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.cumsum(np.bincount(groups, minlength=count))[:-1])


class GroupCap:
    """At most so many rows of each group."""

    def __init__(self, groups: IntArray, at_most: int | IntArray) -> None:
        """Take the group of each row, (n,), and how many are allowed, of all groups or (groups,) of each."""
        self._groups = groups
        count = max(int(groups.max(initial=-1)) + 1, np.size(at_most) if np.ndim(at_most) else 0)
        self._left = np.broadcast_to(np.asarray(at_most, dtype=np.int64), (count,)).copy()
        self._members = members_of(groups, count)

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
        own = self._sorted[start:end]
        # A little more than what is near, since rounding may put a difference on the other side; it is compared below.
        reach = self._gap + 2.0**-50 * (abs(place) + self._gap)
        begin, stop = np.searchsorted(own, [place - reach, place + reach])
        near = np.abs(own[begin : stop + 1] - place) < self._gap
        left_out: IntArray = self._order[start + begin : start + stop + 1][: len(near)][near]
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
        self._costs, self._left = costs, at_most + 1e-12 * abs(at_most)  # or 0.1 would not fit into 0.3 three times
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
    """The sum of the values of all picks lies in a range, if that can be; NaN counts as 0.

    A row is left out as soon as the range could not be kept with it, by the best of what is left for the other picks.
    One limit is always kept where that is possible. Two are where the values lie close together; which sums can be
    reached exactly is not searched for. A limit that cannot be kept is left alone; `notes` tells.
    """

    def __init__(
        self, values: NDArray[np.float64], candidates: NDArray[np.bool_], minimum: float | None, maximum: float | None
    ) -> None:
        """Take the value of each row, (n,), which rows may be picked, (n,), and the range."""
        self._values, self._is_open = np.nan_to_num(values), candidates.copy()
        self._left, self._total = 0, 0.0
        sides = ((minimum, 1.0, "least"), (maximum, -1.0, "most"))
        self._limits = [(limit, sign, name) for limit, sign, name in sides if limit is not None]
        self._sides = [_AtLeast(sign * self._values, sign * limit) for limit, sign, _ in self._limits]

    @property
    def notes(self) -> list[str]:
        """What was not kept, once all is picked."""
        return [
            f"the sum of the values is {self._total:g}; at {name} {limit:g} was wanted"
            for limit, sign, name in self._limits
            if sign * (limit - self._total) > 1e-9 * abs(limit)
        ]

    def begin(self, count: int, /) -> IntArray:
        """Leave out what cannot be part of any such selection."""
        self._left = count
        return self._out()

    def add(self, row: int) -> IntArray:
        """Leave out what would leave the range."""
        self._total += float(self._values[row])
        for side in self._sides:
            side.add(row)
        self._is_open[row] = False
        self._left -= bool(self._left)  # nothing is left to come while those preselected are counted
        return self._out()

    def leave_out(self, rows: IntArray) -> None:
        """Take note of what another constraint left out."""
        self._is_open[rows] = False

    def is_reached(self) -> bool:
        """Never."""
        return False

    def _out(self) -> IntArray:
        """What each side leaves out, again until neither does, since that leaves less to the other."""
        is_open, found = self._is_open.copy(), [_NONE]
        self._sides = [side for side in self._sides if not self._left or side.can_be_kept(is_open, self._left)]
        while self._left:
            out = np.concatenate([_NONE, *(side.out(is_open, self._left) for side in self._sides)])
            if not len(out):
                break
            is_open[out] = False
            found.append(out)
            enough = min(self._left, int(self._is_open.sum()))
            if is_open.sum() < enough or not all(side.can_be_kept(is_open, self._left) for side in self._sides):
                self._sides = []
                return _NONE
        self._is_open = is_open
        return np.concatenate(found)


class _AtLeast:
    """One side of a range: with the highest values that are left, the sum still reaches the minimum.

    With m picks to come, a row is out if its value and the m - 1 highest others do not suffice. What is out stays out,
    so a pick costs about m steps, not n.
    """

    def __init__(self, values: NDArray[np.float64], minimum: float) -> None:
        self._values, self._missing, self._size = values, minimum, abs(minimum)
        self._order: IntArray = np.argsort(-values, kind="stable")

    def add(self, row: int) -> None:
        self._missing -= float(self._values[row])

    def can_be_kept(self, is_open: NDArray[np.bool_], left: int) -> bool:
        return self._needed(is_open, left) <= 0

    def out(self, is_open: NDArray[np.bool_], left: int) -> IntArray:
        """The rows that are out; none of the m highest is, while the minimum can be kept."""
        needed = self._needed(is_open, left - 1)
        end = bisect_right(self._order, -needed, key=lambda row: -self._values[row])
        rest, self._order = self._order[end:], self._order[:end]
        out: IntArray = rest[is_open[rest]]
        return out

    def _needed(self, is_open: NDArray[np.bool_], count: int) -> float:
        """What is missing beside the highest values of so many rows, but for what rounding may do to a sum."""
        size = 2 * count + _SOME
        highest = self._order[:size][is_open[self._order[:size]]]
        if len(highest) < count and size < len(self._order):
            self._order = highest = self._order[is_open[self._order]]
        values = self._values[highest[:count]]
        return self._missing - float(values.sum()) - 1e-12 * (self._size + float(np.abs(values).sum()))
