"""What the greedy selection asks of an objective: one of three kinds of addends to a candidate's score.

A candidate's score is a sum over the objectives. What never changes is one array; what depends on a group that the
candidate belongs to is one number per group; and what has to be measured is bounded from above, and measured for the
few candidates that may win.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ....dataset.types import BoolArray, IntArray
from ...kernels.products import Products

if TYPE_CHECKING:
    from .distances import Distances

Rule: TypeAlias = Literal["ranked", "accumulated"]
"""How the objectives are put together: see `greedy.pick`."""

Scores: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """What is given beside the objectives.

    Attributes:
        candidates: (n,) which rows may be picked.
        preselected: rows that count as picked before.
        rule: "ranked" or "accumulated".
        products: what screens distances.
        threads: how many blocks may be computed at once.
        between_blocks: called now and then while many vectors are read.
    """

    candidates: BoolArray
    preselected: IntArray
    rule: Rule
    products: Products
    threads: int
    between_blocks: Callable[[], None] | None = None


@dataclass(frozen=True)
class Past:
    """A selection that is over.

    Attributes:
        picks: (k,) in order.
        preselected: rows that counted as picked before.
        candidates: (n,) which rows could be picked.
    """

    picks: IntArray
    preselected: IntArray
    candidates: BoolArray

    def constant(self, addends: Scores, rows: IntArray) -> Scores:
        """The history of what never changes: (k, len(rows))."""
        return np.broadcast_to(addends[rows], (len(self.picks), len(rows)))


class Grouped(Protocol):
    """An addend that all rows of a group share.

    Attributes:
        groups: (n,) the group of each row.
    """

    groups: IntArray

    def values(self) -> Scores:
        """The addend of each group now."""
        ...

    def add(self, row: int) -> None:
        """Count a row as picked."""
        ...


class Measured(Protocol):
    """An addend that has to be measured.

    Attributes:
        rises: whether values may rise as rows are picked, so that no bound holds for long.
    """

    rises: bool

    @property
    def distances(self) -> "Sequence[Distances]":
        """The distances it measures, which minimum distances hold for."""
        ...

    def upper(self) -> Scores:
        """Give upper bounds of all rows, (n,)."""
        ...

    def fresh(self, rows: IntArray) -> BoolArray:
        """Tell which rows have bounds that `refresh` would not make tighter."""
        ...

    def refresh(self, rows: IntArray) -> None:
        """Make the bounds of these rows tighter."""
        ...

    def hold(self, rows: IntArray) -> None:
        """Let the bounds of these rows, which are fresh, follow each pick from now on."""
        ...

    def held(self) -> Scores:
        """Give upper bounds of the held rows now."""
        ...

    def tighten(self, positions: IntArray, /) -> bool:
        """Make the bounds of some of the held rows tighter; tell whether any was not tight."""
        ...

    def exact(self, positions: IntArray) -> Scores:
        """Measure some of the held rows: the same numbers, whatever was asked before."""
        ...

    def risen(self) -> float:
        """How much the value of a row may have risen since `upper` was last asked."""
        ...

    def add(self, row: int) -> None:
        """Count a row as picked."""
        ...


@dataclass(frozen=True)
class Parts:
    """The addends of one objective.

    Attributes:
        fixed: (n,) what never changes.
        grouped: what a group shares.
        measured: what has to be measured.
    """

    fixed: Scores | None = None
    grouped: Grouped | None = None
    measured: Measured | None = None
