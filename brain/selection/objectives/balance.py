"""BALANCE: classes in the proportions of a target."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....dataset.types import IntArray
from ...kernels.neighbors import first_identical
from .parts import Parts, Problem, Scores


@dataclass(frozen=True, eq=False)
class BalanceObjective:
    """Prefer rows of the classes that lag behind their target: φ = (Σ_c p_c t_c / (N_c + 1))².

    p are the row's shares of the classes, t the target and N what was picked so far. That is the method of highest
    averages (Jefferson, 1792), by which seats go to parties; for rows of one class each it reaches the target to the
    rounding of one seat. A class that has run out drops out by itself.

    Attributes:
        shares: (n, C) how much of each class a row has, not negative: of one class, a 1; or probabilities, or counts.
            A row of zeros has no class and comes last.
        target: (C,) not negative, not all zero.
        strength: the exponent; negative prefers the classes that are ahead.
        label: what it is called in explanations.
    """

    shares: NDArray[np.float64]
    target: NDArray[np.float64]
    strength: float = 1.0
    label: str = "BALANCE"
    name = "BALANCE"

    def parts(self, _problem: Problem, /) -> Parts:
        """Give the addends."""
        return Parts(grouped=HighestAverages(self))


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
        self._target = objective.target / objective.target.sum()
        self._strength = objective.strength
        self.counts = np.zeros(len(self._target))

    def values(self) -> Scores:
        """The addend of each group now."""
        averages = (self.shares * (self._target / (self.counts + 1))).sum(axis=1)
        scores: Scores = 2 * self._strength * np.log(np.maximum(averages, 1e-12))
        return scores

    def add(self, row: int) -> None:
        """Count a row as picked."""
        self.counts += self.shares[self.groups[row]]


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
