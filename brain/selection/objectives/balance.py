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
_ROUNDING = 1e-9
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
                f"{self.label}: strict=True is for samples of one class each, and some have several, or probabilities "
                "of several. Balance the label alone, METADATA with a key such as '<field>.label', or leave strict "
                "out, and give the strategy more strength instead."
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
    is_wanted = (target > 0) & (supply > 0)
    total = min(count, int(supply[is_wanted].sum()))
    exact = np.zeros(len(target))
    exact[is_wanted] = _levelled(target[is_wanted], total, before[is_wanted], supply[is_wanted])
    quotas = np.floor(exact + _ROUNDING).astype(np.int64)
    remainders = np.where(is_wanted & (quotas < supply), (exact - quotas).round(9), -1.0)
    quotas[np.argsort(-remainders, kind="stable")[: total - int(quotas.sum())]] += 1
    missing = min(count, int(supply.sum())) - total
    for group in np.flatnonzero(~is_wanted):  # classes that are not wanted, where the others are used up
        quotas[group] = min(missing, int(supply[group]))
        missing -= int(quotas[group])
    return quotas


def _levelled(target: NDArray[np.float64], total: int, before: IntArray, supply: IntArray) -> NDArray[np.float64]:
    """Raise all classes to one level of their targets, as far as each has rows, and none below what it had before.

    Example:
        >>> _levelled(np.array([0.5, 0.5]), 4, np.array([5, 1]), np.array([50, 50]))
        array([0., 4.])
    """
    levels = np.unique(np.concatenate([before / target, (before + supply) / target]))
    sums = np.clip(levels[:, None] * target - before, 0, supply).sum(axis=1)
    above = int(np.searchsorted(sums, total + _ROUNDING, side="right"))
    level = levels[-1] if len(levels) else 0.0
    if above < len(levels):  # between two levels, the sum rises evenly
        share = (total - sums[above - 1]) / (sums[above] - sums[above - 1])
        level = levels[above - 1] + share * (levels[above] - levels[above - 1])
    levelled: NDArray[np.float64] = np.clip(level * target - before, 0, supply)
    return levelled
