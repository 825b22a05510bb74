"""Pick rows one by one, each the one with the highest score among all that may still be picked: exact, and lazily.

Scores only fall as rows are picked, so a score that was true once bounds all later ones. A pool of the most promising
rows is kept up to date; as long as its best row beats the highest bound outside, no other row has to be looked at.
Otherwise bounds are renewed, in blocks, for those rows alone that might win. What is compared in the end does not
depend on the pool, the blocks, the threads or what computed the products.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import SelectionError
from ...dataset.types import BoolArray, IntArray
from ..kernels.neighbors import one_blas_thread_each
from ..kernels.products import NumpyProducts, Products
from .constraints import Constraint, SumRange
from .objectives import Objective
from .objectives.balance import BalanceObjective
from .objectives.parts import Past, Problem, Rule
from .scoring import Scoring


@dataclass(frozen=True)
class Picks:
    """Rows that were picked, in order.

    Attributes:
        rows: (k,) int64.
        distances: (k,) float64, of each pick to the nearest earlier one, by the first DIVERSITY objective: infinite for
            a first pick that has no earlier one, NaN without such an objective.
        next_distance: of the farthest candidate to its nearest pick, by that objective: the radius of the cover; NaN
            without one, or with nothing picked.
        stopped: why there are no more: "n_samples", "no candidates left", "minimum distance", "maximum sum" or
            "interrupted".
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    stopped: str
    next_distance: float = float("nan")


def pick(
    objectives: Sequence[Objective],
    count: int,
    *,
    candidates: BoolArray,
    preselected: IntArray | Sequence[int] = (),
    prefix: IntArray | Sequence[int] = (),
    constraints: Sequence[Constraint] = (),
    rule: str = "ranked",
    first: str = "central",
    on_too_near: str = "skip",
    products: Products | None = None,
    between_blocks: Callable[[], None] | None = None,
    pool_rows: int = 1024,
    keep_interrupted: bool = False,
    advance: Callable[[int, float], None] | None = None,
) -> Picks:
    """Pick up to `count` rows, one after the other, each with the highest score at its turn; ties to the lowest row.

    The score of a row is the sum over the objectives of strength · log φ.

    * "ranked": φ says how good the row is by this objective, from 0 to about 1, and falls as rows are picked. So
      strengths mean the same for every input, and the first j picks are the same for every count.
    * "accumulated": φ is what the objective of the whole selection would be with this row, as LightlyOne describes it;
      sums over all picks, so that the weight of a single one decreases.

    Args:
        objectives: over the same n rows.
        count: rows to pick.
        candidates: (n,) which rows may be picked.
        preselected: rows that count as picked before; never picked.
        prefix: the first picks, if they are known: picking goes on from there. They are not returned.
        constraints: what else keeps rows from being picked.
        rule: how a row is scored.
        first: with nothing preselected, distances say nothing about a first pick; where all else is equal take the
            row nearest to the mean of all, "central", or the lowest, "index".
        on_too_near: with a minimum distance: "skip" leaves out what is too near, "stop" ends where the best row is.
        products: what computes products; it changes how long it takes, never what is picked.
        between_blocks: called now and then while many vectors are read.
        pool_rows: how many rows are kept up to date; the same holds.
        keep_interrupted: give what was picked before KeyboardInterrupt, instead of letting it through.
        advance: called with 1 and the distance after each pick.

    Raises:
        SelectionError: if an option has no such value, or preselected rows are not there.
    """
    _check(candidates, preselected, prefix, first, on_too_near, rule)
    for name, number, least in (("count", count, 0), ("pool_rows", pool_rows, 1)):
        if number < least:
            raise SelectionError(f"{name}={number} is too small. Give at least {least}.")
    with one_blas_thread_each() as threads:
        earlier = np.concatenate([np.asarray(preselected, dtype=np.int64), np.asarray(prefix, dtype=np.int64)])
        problem = Problem(candidates, earlier, cast(Rule, rule), products or NumpyProducts(), threads, between_blocks)
        past = Past(np.empty(0, dtype=np.int64), earlier, candidates)
        strict = [o.caps(count, past) for o in objectives if isinstance(o, BalanceObjective) and o.strict]
        scoring = Scoring(objectives, problem, pool_rows, skip_near=on_too_near == "skip")
        picking = _Picking(scoring, problem, [*constraints, *strict], is_central=first == "central")
        with np.errstate(divide="ignore"):
            return picking.run(count, advance or (lambda _, __: None), keep_interrupted=keep_interrupted)


def _check(
    candidates: BoolArray, preselected: IntArray | Sequence[int], prefix: IntArray | Sequence[int], first: str,
    on_too_near: str, rule: str,
) -> None:  # fmt: skip
    for name, value, known in (
        ("first", first, ("central", "index")),
        ("on_too_near", on_too_near, ("skip", "stop")),
        ("rule", rule, ("ranked", "accumulated")),
    ):
        if value not in known:
            raise SelectionError(f"{name}={value!r} is not supported. Give one of {', '.join(map(repr, known))}.")
    rows = np.concatenate([np.asarray(preselected, dtype=np.int64), np.asarray(prefix, dtype=np.int64)])
    n = len(candidates)
    if len(rows) and (rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) < len(rows)):
        raise SelectionError(f"preselected rows must be different ones between 0 and {n - 1}; got {rows[:10].tolist()}")


class _Picking:
    """One run of the selection."""

    def __init__(
        self, scoring: Scoring, problem: Problem, constraints: Sequence[Constraint], *, is_central: bool
    ) -> None:
        self._scoring, self._constraints, self._candidates = scoring, constraints, problem.candidates
        self._distances = scoring.distances
        only_distances = all(part.distances for part in scoring.measured)
        self._begins_central = is_central and only_distances and not len(problem.preselected)
        for row in problem.preselected:
            self._count(int(row))

    def _count(self, row: int) -> None:
        """Let a row count as picked."""
        self._scoring.add(row)
        self._leave_out(lambda constraint: constraint.add(row))

    def _leave_out(self, ask: Callable[[Constraint], IntArray]) -> None:
        """Leave out what the constraints leave out; ranges of sums last, so that they know of all else."""
        ranges = [constraint for constraint in self._constraints if isinstance(constraint, SumRange)]
        for constraint in [c for c in self._constraints if not isinstance(c, SumRange)] + ranges:
            rows = ask(constraint)
            self._scoring.close(rows)
            for one in ranges:
                one.leave_out(rows)

    def run(self, count: int, advance: Callable[[int, float], None], *, keep_interrupted: bool) -> Picks:
        """Pick."""
        rows: list[int] = []
        distances: list[float] = []
        stopped = "n_samples"
        try:
            self._leave_out(lambda constraint: constraint.begin(count))
            while len(rows) < count:
                row, stopped = self._next()
                if row is None:
                    break
                distance = self._distances[0].distance(row) if self._distances else np.nan
                self._count(row)
                distances.append(distance)
                rows.append(row)
                advance(1, distance)
        except KeyboardInterrupt:
            if not keep_interrupted:
                raise
            stopped = "interrupted"
        return Picks(np.array(rows, dtype=np.int64), np.array(distances[: len(rows)]), stopped, self._radius())

    def _radius(self) -> float:
        """How far the farthest candidate is from its nearest pick."""
        if not self._distances or not len(self._distances[0].nearest.picks):
            return float("nan")
        return self._distances[0].farthest(np.flatnonzero(self._candidates))

    def _next(self) -> tuple[int | None, str]:
        """The next row to pick; or none, and why."""
        if any(constraint.is_reached() for constraint in self._constraints):
            return None, "maximum sum"
        if self._begins_central and self._distances:
            self._begins_central = False
            equals = self._scoring.equally_good()
            if len(equals):
                return self._distances[0].central(equals), "n_samples"
        while True:
            row = self._scoring.best()
            if row is None:
                return None, "minimum distance" if self._scoring.left_out_near else "no candidates left"
            if not any(part.refuses(row) for part in self._distances):
                return row, "n_samples"
            if not self._scoring.skips_near:
                return None, "minimum distance"
            self._scoring.leave_out(row)
