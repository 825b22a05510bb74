"""The scores of all rows, as far as is needed to know the best: bounds for all, a pool of rows that is up to date."""

from collections.abc import Sequence

import numpy as np

from ...dataset.types import IntArray
from .constraints import members_of
from .objectives import Objective
from .objectives.accumulated import accumulated
from .objectives.parts import Grouped, Measured, Problem, Scores

_TRIED = 64  # rows measured at once
_FEWEST_TURNS, _MOST_TURNS = 4, 1024
_FEW_GROUPS = 64  # with no more, the pool holds rows of each


class Scoring:
    """The sum of the objectives' addends for every row that may still be picked.

    Attributes:
        measured: the addends that have to be measured.
        distances: the distances to picks that are among them.
        skips_near: whether rows that are too near to a pick are left out.
        left_out_near: whether rows were left out since they are too near to a pick.
    """

    def __init__(self, objectives: Sequence[Objective], problem: Problem, pool_rows: int, *, skip_near: bool) -> None:
        """Prepare the addends; nothing is picked yet."""
        n = len(problem.candidates)
        self._fixed = np.where(problem.candidates, 0.0, -np.inf)
        self.measured: list[Measured] = []
        grouped: list[Grouped] = []
        is_accumulated = problem.rule == "accumulated"
        of_each = (objective.parts(problem) for objective in objectives)
        for parts in [accumulated(objectives, problem)] if is_accumulated else of_each:
            if parts.fixed is not None:
                self._fixed += parts.fixed
            if parts.grouped is not None:
                grouped.append(parts.grouped)
            if parts.measured is not None:
                self.measured.append(parts.measured)
        self._groups = _Groups(grouped, n)
        self.distances = [distances for part in self.measured for distances in part.distances]
        self.skips_near = skip_near
        self._near = [part for part in self.distances if skip_near and part.has_minimum]
        self.left_out_near = False
        everything = any(part.rises for part in self.measured)
        self._least = self._size = n if everything else min(n, pool_rows)
        self._patience, self._wait = _FEWEST_TURNS, 0
        self._wider = self._size  # how many rows are brought up to date at once
        self._pool: IntArray = np.empty(0, dtype=np.int64)
        self._place = np.full(n, -1)
        self._pool_fixed = np.empty(0)
        self._outside = _Outside(np.full(1, np.inf), np.zeros(1, dtype=np.int64))

    def add(self, row: int) -> None:
        """Count a row as picked, and let it be picked no more."""
        self._groups.add(row)
        for part in self.measured:
            part.add(row)
        self.close(np.array([row]))

    def close(self, rows: IntArray) -> None:
        """Let rows not be picked any more."""
        self._fixed[rows] = -np.inf
        places = self._place[rows]
        self._pool_fixed[places[places >= 0]] = -np.inf

    def leave_out(self, row: int) -> None:
        """Leave out a row that is too near to a pick."""
        self.left_out_near = True
        self.close(np.array([row]))

    def equally_good(self) -> IntArray:
        """The rows with the highest score, where there is no distance to a pick yet and nothing else is measured."""
        totals = self._fixed
        for part in self.measured:
            totals = totals + part.upper()
        totals = totals + self._groups.of_rows()
        highest = totals.max(initial=-np.inf)
        return np.flatnonzero(totals == highest) if np.isfinite(highest) else np.empty(0, dtype=np.int64)

    def best(self) -> int | None:
        """Find the row with the highest score, the lowest one among equals; None if no row may be picked."""
        has_renewed = self._has_waited() and not self._renew()
        while True:
            if len(self._pool):
                found = self._best_of_pool()
                if found is not None and self._outside.allows(*found, self._groups.values, self._risen()):
                    return found[1]
            if has_renewed:
                if self._size == len(self._fixed):
                    return None
                self._size = min(4 * self._size, len(self._fixed))  # many equals: all of them have to be looked at
                self._wait = self._patience = min(2 * self._patience, _MOST_TURNS)
            if not self._renew():
                return None
            has_renewed = True

    def _has_waited(self) -> bool:
        """Whether a pool that had to be large can be tried small again: at first soon, then less and less often."""
        self._wait -= 1
        if self._wait != 0 or len(self._pool) <= self._least:
            return False
        self._size = self._least
        return True

    def _risen(self) -> float:
        return sum(part.risen() for part in self.measured)

    def _best_of_pool(self) -> tuple[float, int] | None:
        """The exact score and the row of the best one in the pool."""
        bounds = self._bounds_of_pool()
        if not self.measured:
            at = int(bounds.argmax())  # the pool is in the order of the rows: of equals it is the lowest
            return None if bounds[at] == -np.inf else (float(bounds[at]), int(self._pool[at]))
        best: tuple[float, int] | None = None
        measured = np.zeros(len(bounds), dtype=bool)
        while True:
            least = -np.inf if best is None else best[0]
            open_ = np.flatnonzero((bounds >= least) & ~measured & (bounds > -np.inf))
            if not len(open_):
                return best
            if best is None:
                open_ = open_[bounds[open_] == bounds[open_].max()]
            if len(open_) > _TRIED:
                order = np.lexsort((self._pool[open_], -bounds[open_]))
                open_ = open_[order[:_TRIED]]
            tightened = [part.tighten(open_) for part in self.measured]
            if any(tightened):
                bounds = self._bounds_of_pool()
                continue
            measured[open_] = True
            exact = self._pool_fixed[open_]
            for part in self.measured:
                exact = exact + part.exact(open_)
            exact = exact + self._groups.values[self._groups.rows[self._pool[open_]]]
            highest = exact.max()
            row = int(self._pool[open_[exact == highest]].min())
            if best is None or (highest, -row) > (best[0], -best[1]):
                best = (float(highest), row)

    def _bounds_of_pool(self) -> Scores:
        # Scores and bounds are added up in one order, here and outside: then rounding keeps bounds above scores.
        bounds = self._pool_fixed
        for part in self.measured:
            bounds = bounds + part.held()
        bounds = bounds + self._groups.values[self._groups.rows[self._pool]]
        for distances in self._near:
            near = self._pool[distances.too_near(self._pool) & (bounds > -np.inf)]
            if len(near):
                self.left_out_near = True
                self.close(near)
                bounds[self._place[near]] = -np.inf
        return bounds

    def _renew(self) -> bool:
        """Choose the pool anew; tell whether there is any row left."""
        size = self._wider
        while True:
            bounds = self._fixed.copy()
            with np.errstate(invalid="ignore"):
                for part in self.measured:
                    bounds += part.upper()
            bounds[self._fixed == -np.inf] = -np.inf
            for distances in self._near:
                near = distances.too_near() & (self._fixed > -np.inf)
                self.left_out_near |= bool(near.any())
                self._fixed[near] = bounds[near] = -np.inf
            pool = self._chosen(bounds, self._size)
            if all(part.fresh(pool).all() for part in self.measured):
                break
            wider = self._chosen(bounds, len(bounds) if np.isposinf(bounds[pool]).any() else size)
            for part in self.measured:
                part.refresh(wider)
            size *= 2
        self._wider = max(self._size, size // 4)
        self._size = max(self._least, self._size // 2)
        self._place[self._pool] = -1
        self._pool, self._place[pool] = pool, np.arange(len(pool))
        self._pool_fixed = self._fixed[pool]
        for part in self.measured:
            part.hold(pool)
        self._outside = self._groups.outside(bounds, pool)
        return bool(len(pool))

    def _chosen(self, bounds: Scores, size: int) -> IntArray:
        """The rows with the highest bounds, about so many; of few groups, some of each."""
        if size >= len(bounds) or not 1 < self._groups.count <= _FEW_GROUPS:
            return _highest(bounds + self._groups.of_rows(), size)
        share = -(-size // self._groups.count)
        parts = [members[_highest(bounds[members], share)] for members in self._groups.members()]
        return np.sort(np.concatenate(parts))


def _highest(values: Scores, size: int) -> IntArray:
    """The positions of the `size` highest values above -inf, of equal ones the first."""
    if size >= len(values):
        return np.flatnonzero(values > -np.inf)
    least = np.partition(values, len(values) - size)[len(values) - size]
    if least == -np.inf:
        return np.flatnonzero(values > -np.inf)
    above = np.flatnonzero(values > least)
    return np.sort(np.concatenate([above, np.flatnonzero(values == least)[: size - len(above)]]))


class _Groups:
    """What rows of a group share, of all objectives together."""

    def __init__(self, parts: Sequence[Grouped], n: int) -> None:
        self._parts = parts
        self.rows: IntArray = np.zeros(n, dtype=np.int64)
        """The group of each row."""
        for part in parts:
            joint = self.rows * (int(part.groups.max(initial=0)) + 1) + part.groups
            self.rows = np.unique(joint, return_inverse=True)[1]
        self.count = int(self.rows.max(initial=0)) + 1
        first = np.unique(self.rows, return_index=True)[1] if n else np.zeros(1, dtype=np.int64)
        self._of_part = [part.groups[first] for part in parts] if n else []
        self._members: list[IntArray] | None = None
        self.values = np.zeros(self.count)
        self._sum_up()

    def _sum_up(self) -> None:
        if self._of_part:
            self.values = sum((p.values()[of] for p, of in zip(self._parts, self._of_part, strict=True)), np.zeros(1))

    def add(self, row: int) -> None:
        for part in self._parts:
            part.add(row)
        self._sum_up()

    def of_rows(self) -> Scores | float:
        return self.values[self.rows] if self._parts else 0.0

    def members(self) -> list[IntArray]:
        """The rows of each group."""
        if self._members is None:
            self._members = members_of(self.rows, self.count)
        return self._members

    def outside(self, bounds: Scores, pool: IntArray) -> "_Outside":
        """What is known of the rows outside a pool."""
        rest = bounds.copy()
        rest[pool] = -np.inf
        if self.count == 1:
            at = int(rest.argmax()) if len(rest) else 0
            highest = rest[at : at + 1] if len(rest) else np.full(1, -np.inf)
            return _Outside(highest, np.array([at]))
        highest, lowest_row = np.full(self.count, -np.inf), np.full(self.count, len(rest))
        np.maximum.at(highest, self.rows, rest)
        at_top = np.flatnonzero((rest == highest[self.rows]) & (rest > -np.inf))
        np.minimum.at(lowest_row, self.rows[at_top], at_top)
        return _Outside(highest, lowest_row)


class _Outside:
    """The highest bound of the rows outside the pool, in each group, and the lowest row that has it."""

    def __init__(self, highest: Scores, rows: IntArray) -> None:
        self._highest, self._rows = highest, rows

    def allows(self, score: float, row: int, group_values: Scores, risen: float) -> bool:
        """Whether a row of this score comes before all rows outside."""
        bounds = self._highest + group_values + risen
        highest = bounds.max()
        return bool(score > highest or (score == highest and row < self._rows[bounds == highest].min()))
