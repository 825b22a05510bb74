"""Why each sample was picked: what each strategy found better in it than in the other candidates of that turn.

Arrays only, and after the picks are made, so it does not matter how they were found. How well they stand for all
candidates is `selection.curves`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray
from .curves import hashed
from .objectives.fixed import ranks
from .objectives.parts import Past

REFERENCES = 256
_CELLS = 1 << 22
_FEWEST = 16
_LARGEST = float(np.log(1000.0))
"""How much one candidate can speak for a pick: where an objective is zero, its logarithm has no end."""
_SMALLEST_SHARE = 0.05


class Remembered(Protocol):
    """An objective that can tell what it added to the scores at each turn of a selection that is over.

    Attributes:
        name: the type of the strategy, such as "DIVERSITY".
        label: the name with what it works on, such as "DIVERSITY embedding".
        strength: the exponent of its values.
    """

    name: str
    label: str
    strength: float

    def history(self, rows: IntArray, past: Past, /) -> FloatArray:
        """Give strength · log φ of each row before each pick: (k, len(rows))."""

    def history_of_picks(self, past: Past, /) -> FloatArray:
        """Give strength · log φ of each pick before that pick: (k,)."""


@dataclass(frozen=True)
class Explanation:
    """What decided.

    Attributes:
        names: what the o objectives are called in the reasons.
        shares: (k, o) how much of a pick's lead each objective gave, 0 to 1; rows add up to 1, or are 0 where no
            objective speaks for the pick.
        standing: (k, o) the share of the candidates left that the pick beats in this objective, 0 to 1, ties
            counted half; NaN where none was left.
    """

    names: tuple[str, ...]
    shares: NDArray[np.float64]
    standing: NDArray[np.float64]

    @property
    def reasons(self) -> list[str]:
        """The objectives that decided about each pick, with their shares, the largest first."""
        return [reason(self.names, row, is_first=not at) for at, row in enumerate(self.shares)]


def explain(
    objectives: Sequence[Remembered], picks: ArrayLike, candidates: NDArray[np.bool_], *,
    preselected: ArrayLike = (), seed: int = 0,
) -> Explanation:  # fmt: skip
    """Find out what decided about each pick.

    For each objective what it adds to the score, strength · log φ, is compared between the pick and candidates that
    were not picked by then: the mean lead is what the objective has to say for the pick. Of the leads, shares are made;
    where an objective speaks against the pick it has none.

    Args:
        objectives: those that the picks were made by.
        picks: (k,) rows in the order of picking.
        candidates: (n,) which rows could be picked.
        preselected: rows that counted as picked before.
        seed: of the hash that draws at most 256 candidates to compare with.

    Example:
        An objective whose φ of row i is i + 1, whatever was picked before: row 3 has 4, the others 1, 2 and 3.

        >>> class Size:
        ...     name = label = "SIZE"
        ...     strength = 1.0
        ...     def history(self, rows, past): return np.log(np.tile(rows + 1.0, (len(past.picks), 1)))
        ...     def history_of_picks(self, past): return np.log(past.picks + 1.0)
        >>> explain([Size()], [3], np.ones(4, dtype=bool)).reasons
        ['SIZE 100 %']
    """
    rows = np.asarray(picks, dtype=np.int64)
    drawn = hashed(candidates, min(REFERENCES, max(_FEWEST, _CELLS // max(1, len(rows)))), seed)
    left = _still_there(drawn, rows, len(candidates))
    leads = np.zeros((len(rows), len(objectives)))
    standing = np.full(leads.shape, np.nan)
    past = Past(rows, np.asarray(preselected, dtype=np.int64), candidates)
    for column, objective in enumerate(objectives if len(rows) else ()):
        of_picks = np.asarray(objective.history_of_picks(past), dtype=np.float64)
        of_others = np.asarray(objective.history(drawn, past), dtype=np.float64)
        leads[:, column], standing[:, column] = _compared(of_picks, of_others, left, objective.strength)
    for_it = np.maximum(leads, 0.0)
    for_it[for_it < 1e-9] = 0.0  # what rounding leaves of a difference of equals
    sums = for_it.sum(axis=1, keepdims=True)
    shares = np.divide(for_it, sums, out=np.zeros_like(for_it), where=sums > 0)
    return Explanation(_names(objectives), shares, standing)


def _still_there(drawn: IntArray, picks: IntArray, n: int) -> NDArray[np.bool_]:
    """Which of the drawn rows are candidates at each turn, (k, drawn): not the pick itself and none before it."""
    turns = np.full(n, len(picks))
    turns[picks] = np.arange(len(picks))
    still: NDArray[np.bool_] = turns[drawn] > np.arange(len(picks))[:, None]
    return still


def _compared(
    of_picks: NDArray[np.float64], of_others: NDArray[np.float64], left: NDArray[np.bool_], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean lead of each pick over the candidates left, and the share of them that it beats."""
    counts = left.sum(axis=1)
    with np.errstate(invalid="ignore"):  # two infinite ones are equal, and stay so
        leads = np.where(of_picks[:, None] == of_others, 0.0, of_picks[:, None] - of_others)
    largest = _LARGEST * abs(strength)
    leads = np.where(left, np.clip(np.nan_to_num(leads, nan=0.0), -largest, largest), 0.0)
    beaten = (((leads > 0) + 0.5 * (leads == 0)) * left).sum(axis=1)
    means = leads.sum(axis=1) / np.maximum(counts, 1)
    return means, np.where(counts > 0, beaten / np.maximum(counts, 1), np.nan)


def _names(objectives: Sequence[Any]) -> tuple[str, ...]:
    """The names, or the labels where several have the same name."""
    names = [objective.name for objective in objectives]
    return tuple(o.label if names.count(o.name) > 1 else o.name for o in objectives)


def reason(names: Sequence[str], shares: Sequence[float] | FloatArray, *, is_first: bool = False) -> str:
    """Say what decided: whole percents, the largest first, without what gave less than 5 %.

    Example:
        >>> reason(["DIVERSITY", "WEIGHTS", "RANDOM"], [0.28, 0.717, 0.003])
        'WEIGHTS 72 %, DIVERSITY 28 %'
    """
    said = [at for at in np.argsort(-np.asarray(shares), kind="stable") if shares[at] >= _SMALLEST_SHARE]
    if said:
        return ", ".join(f"{names[at]} {round(100 * shares[at])} %" for at in said)
    return "first pick" if is_first else "no strategy prefers it"


def class_shares(shares: FloatArray, rows: ArrayLike) -> NDArray[np.float64]:
    """Add up the classes of rows, and give them as shares that add up to 1; zeros where no row has a class.

    Example:
        >>> class_shares(np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 0.0]]), [0, 1, 2])
        array([0.75, 0.25])
    """
    # A product, since a copy of the rows may not fit in memory.
    counts = np.bincount(np.asarray(rows, dtype=np.int64), minlength=len(shares)).astype(np.float64)
    total: NDArray[np.float64] = np.asarray(counts @ shares, dtype=np.float64)
    return np.asarray(total / total.sum()) if total.sum() > 0 else total


def evenness(shares: FloatArray) -> float:
    """Say how even shares are: their entropy, as a part of the largest there can be. 1 is even, 0 is one class alone.

    Example:
        >>> evenness(np.array([0.5, 0.5])), evenness(np.array([1.0, 0.0]))
        (1.0, 0.0)
    """
    if len(shares) < 2:
        return 1.0
    there = shares[shares > 0]
    return float(abs(-(there * np.log(there)).sum() / np.log(len(shares))))


def mean_rank(values: FloatArray, candidates: NDArray[np.bool_], picks: ArrayLike) -> float:
    """Give the mean rank of picks among the candidates, from 0, the lowest, to 1, the highest; ties share theirs.

    A random pick has about 0.5.

    Example:
        >>> mean_rank(np.array([1.0, 2.0, 3.0]), np.ones(3, dtype=bool), [2, 1])
        0.75
    """
    chosen = np.asarray(picks, dtype=np.int64)
    if np.count_nonzero(candidates) < 2 or not len(chosen):
        return float("nan")
    return float(np.mean(ranks(np.asarray(values, dtype=np.float64), candidates)[chosen]))
