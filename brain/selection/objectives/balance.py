"""BALANCE: classes in the proportions of a target."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....dataset.errors import SelectionError
from ....dataset.types import BoolArray, IntArray
from ...kernels.neighbors import first_identical
from ..constraints import GroupCap
from .parts import Parts, Past, Problem, Scores

_HALF, _EXPONENT = 0.5, 2.5
SMALLEST = 1e-12
"""Averages below this count as this: what has no wanted class is the last choice, but still a choice."""


@dataclass(frozen=True, eq=False)
class BalanceObjective:
    """Prefer rows of the classes that lag behind their target: φ = (Σ_c p_c t_c / (N_c + 1/2) / Σ_c p_c)^2.5.

    p are the row's shares of the classes, t the target and N what was picked so far. That is a method of highest
    averages, by which seats go to parties, with the divisors of Webster (1832) and Sainte-Laguë (1910): for rows of one
    class each it comes as near to the target as whole rows can. A class that has run out drops out by itself.

    Attributes:
        shares: (n, C) how much of each class a row has, not negative: of one class, a 1; or probabilities, or counts.
            A row of zeros has no class and comes last.
        target: (C,) not negative, not all zero.
        strength: the exponent; negative prefers the classes that are ahead.
        strict: reach the target to the rounding of one row, as far as there are rows of each class; for rows of one
            class each.
        label: what it is called in explanations.
        classes: the names of the classes.
    """

    shares: NDArray[np.float64]
    target: NDArray[np.float64]
    strength: float = 1.0
    strict: bool = False
    label: str = "BALANCE"
    classes: tuple[str, ...] | None = None
    name = "BALANCE"

    def parts(self, _problem: Problem, /) -> Parts:
        """Give the addends."""
        return Parts(grouped=HighestAverages(self))

    def history(self, rows: IntArray, past: Past) -> Scores:
        """Strength · log φ of rows before each pick, (k, len(rows))."""
        return self._scores(self._prices(past) @ _of_one(self.shares[rows]).T)

    def history_of_picks(self, past: Past) -> Scores:
        """Strength · log φ of each pick before that pick, (k,)."""
        return self._scores(np.einsum("ij,ij->i", self._prices(past), _of_one(self.shares[past.picks])))

    def _prices(self, past: Past) -> NDArray[np.float64]:
        """What a share of each class counts before each pick, (k, C)."""
        before = np.cumsum(self.shares[past.picks], axis=0) - self.shares[past.picks]
        prices: NDArray[np.float64] = self.wanted / (self.shares[past.preselected].sum(axis=0) + before + _HALF)
        return prices

    def _scores(self, averages: NDArray[np.float64]) -> Scores:
        scores: Scores = _EXPONENT * self.strength * np.log(np.maximum(averages, SMALLEST))
        return scores

    @property
    def wanted(self) -> NDArray[np.float64]:
        """The target, adding up to one."""
        wanted: NDArray[np.float64] = self.target / self.target.sum()
        return wanted

    def caps(self, count: int, past: Past) -> GroupCap:
        """How many rows of each class there may be at most, so that `count` new ones reach the target.

        Quotas by largest remainders; what a class cannot fill, since it has too few rows, goes to the others.

        Raises:
            SelectionError: if a row has shares of several classes.
        """
        classes = self.shares.argmax(axis=1)
        if (np.count_nonzero(self.shares, axis=1) > 1).any():
            raise SelectionError(
                f"{self.label}: strict=True is for samples of one class each, and some have several. "
                "Leave strict out, and give the strategy more strength instead."
            )
        has_class: BoolArray = np.count_nonzero(self.shares, axis=1) > 0
        width = self.shares.shape[1]
        before = np.bincount(classes[past.preselected[has_class[past.preselected]]], minlength=width)
        is_left = past.candidates & has_class
        is_left[past.preselected] = False
        supply = np.bincount(classes[is_left], minlength=width)
        quotas = quotas_of(self.wanted, count, before, supply)
        groups = np.where(has_class, classes, width)
        rest = max(0, count - int(quotas.sum()))  # rows without a class, where no others are left
        return GroupCap(groups, np.append(quotas + before, rest + np.count_nonzero(~has_class[past.preselected])))


class HighestAverages:
    """The addend of rows with the same shares.

    Attributes:
        groups: (n,) which rows have the same shares.
        shares: (groups, C) these.
        counts: (C,) how much of each class is picked.
    """

    def __init__(self, objective: BalanceObjective) -> None:
        """Begin with nothing picked."""
        self.groups, self.shares = grouped(objective.shares)
        self._mixes = _of_one(self.shares)
        self._target = objective.wanted
        self._strength = objective.strength
        self.counts = np.zeros(len(self._target))

    def values(self) -> Scores:
        """The addend of each group now."""
        averages = (self._mixes * (self._target / (self.counts + _HALF))).sum(axis=1)
        scores: Scores = _EXPONENT * self._strength * np.log(np.maximum(averages, SMALLEST))
        return scores

    def add(self, row: int) -> None:
        """Count a row as picked."""
        self.counts += self.shares[self.groups[row]]


def _of_one(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of each row that add up to one, or to zero: or rows with many objects would be preferred to others."""
    sums = shares.sum(axis=1, keepdims=True)
    mixes: NDArray[np.float64] = np.divide(shares, sums, out=np.zeros(shares.shape), where=sums > 0)
    return mixes


def grouped(shares: NDArray[np.float64]) -> tuple[IntArray, NDArray[np.float64]]:
    """Put rows with the same shares into groups: the group of each row, and the shares of each group.

    Example:
        >>> grouped(np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))[0]
        array([1, 0, 1])
    """
    is_one = shares == 1
    classes = is_one.argmax(axis=1) if shares.shape[1] else np.zeros(len(shares), dtype=np.int64)
    if len(shares) and (is_one.any(axis=1) & (np.count_nonzero(shares, axis=1) == 1)).all():
        used, groups = np.unique(classes, return_inverse=True)
        return groups, np.eye(shares.shape[1])[used]
    first, groups = np.unique(first_identical(shares), return_inverse=True)
    return groups, shares[first]


def quotas_of(target: NDArray[np.float64], count: int, before: IntArray, supply: IntArray) -> IntArray:
    """Share out `count` new rows so that all, with those before, come as near to the target as they can.

    Example:
        >>> quotas_of(np.array([0.5, 0.3, 0.2]), 10, np.zeros(3, dtype=int), np.array([100, 1, 100]))
        array([6, 1, 3])
    """
    quotas = np.zeros(len(target), dtype=np.int64)
    open_ = (target > 0) & (supply > 0)
    fixed = np.zeros(len(target), dtype=bool)  # classes that are full, or that had more than their share before
    while (rest := min(count, int(supply.sum())) - int(quotas[fixed].sum())) > 0 and (open_ & ~fixed).any():
        free = open_ & ~fixed
        exact = np.where(free, target / target[free].sum() * (rest + before[free].sum()) - before, 0.0)
        out = free & ((exact > supply) | (exact < 0))
        if out.any():
            over = free & (exact > supply) if (free & (exact > supply)).any() else out
            quotas[over] = np.where(exact[over] < 0, 0, supply[over])
            fixed |= over
            continue
        quotas[free] = np.floor(exact[free]).astype(np.int64)
        left = rest - int(quotas[free].sum())
        order = np.lexsort((np.arange(len(target)), -np.where(free & (quotas < supply), exact - quotas, -1.0)))
        quotas[order[:left]] += 1
        break
    missing = min(count, int(supply.sum())) - int(quotas.sum())
    for group in np.flatnonzero(~open_ | fixed):  # classes that are not wanted, where the others are used up
        more = min(missing, int(supply[group] - quotas[group]))
        quotas[group] += more
        missing -= more
    return quotas
