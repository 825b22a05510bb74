"""The report of a selection: all that is worth knowing about it and small enough to keep with its run.

Arrays in, plain values out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray
from .curves import Evaluation, Places, hashed_order, lower_bound, separation, significant
from .explanation import Explanation, class_shares, evenness, explain, mean_rank

_BY_PRECEDENCE = ("DIVERSITY", "COVERAGE", "TYPICALITY", "SIMILARITY")
_DRAWN = 4096
_DRAWS = 8
_ROUNDED = 1e-9


class Picked(Protocol):
    """What picking gives: rows in order, why it ended, and distances to the nearest earlier pick."""

    @property
    def rows(self) -> IntArray:
        """(k,) the picks in order."""

    @property
    def stopped(self) -> str:
        """Why it ended."""

    @property
    def distances(self) -> FloatArray:
        """(k,) distance of each pick to the nearest earlier one, NaN where no objective knows distances."""

    @property
    def next_distance(self) -> float:
        """Distance of the farthest candidate to the nearest pick; NaN where no objective knows distances."""


def report_of(
    objectives: Sequence[Any],
    picks: Picked,
    *,
    candidates: NDArray[np.bool_],
    preselected: ArrayLike = (),
    seed: int = 0,
) -> tuple[dict[str, Any], list[str]]:
    """Say how good a selection is, and why each sample was picked.

    Args:
        objectives: those that the picks were made by.
        picks: what picking them gave.
        candidates: (n,) which rows could be picked.
        preselected: rows that counted as picked before.
        seed: of the hashes that draw what is measured.

    Returns:
        The report and the reasons, (k,). In the report, where it applies:

        * `selected`, `candidates`, `preselected`: how many; `stopped`: why it ended.
        * `smallest_distance`: of a pick to an earlier one or a preselected row. `radius`: from the farthest candidate
          to its nearest pick. `radius_bound`: no equally large set of picks has a smaller radius than that; not of
          objects, since a mean over those of a row is no distance between two rows.
        * `curve`: lists over some numbers of `picks`: `mean_distance`, `largest_distance`, `coverage`, and
          `random_coverage`; see `selection.curves`. `evaluated`: on how many candidates they are measured.
        * `objectives`: of each its `label`, `strength`, `share` in the reasons, `standing` (what part of the candidates
          a pick beats in it, on average), and of WEIGHTS `rank` (mean rank among the candidates; at random 0.5).
        * `classes`: of each BALANCE its `label`, and lists over the `classes`: `target`, `selected` (with what was
          preselected), `candidates`; and `error`: half the sum of the differences to the target.
        * `comparison`: `diversity` (mean distance of a pick to the nearest other one), `coverage`, of the
          classes `target_error` (half the sum of the differences to the target) or, where all are wanted alike,
          `balance` (evenness, 0 to 1), each of the `picks` and of as many drawn at `random`.
    """
    rows, earlier = np.asarray(picks.rows, dtype=np.int64), np.asarray(preselected, dtype=np.int64)
    free = candidates.copy()
    free[earlier] = False
    explanation = explain(objectives, rows, free, preselected=earlier, seed=seed)
    report: dict[str, Any] = {
        "selected": len(rows), "candidates": int(np.count_nonzero(free)), "stopped": picks.stopped,
    }  # fmt: skip
    if len(earlier):
        report["preselected"] = len(earlier)
    report |= _certificate(objectives, picks) | {"objectives": _objectives(objectives, explanation, free, rows)}
    drawn = _random_picks(free, len(rows), len(earlier), seed)
    comparison: dict[str, Any] = {}
    places = _places(objectives)
    if places is not None and len(rows):
        report |= _curves(places, free, earlier, rows, drawn, seed, comparison)
    balances = [o for o in objectives if o.name == "BALANCE"] if len(rows) else []
    if balances:
        report["classes"] = [_classes(objective, rows, earlier, free) for objective in balances]
        comparison |= _balance(balances[0], [np.concatenate([earlier, found]) for found in (rows, *drawn)], free)
    return report | ({"comparison": comparison} if comparison else {}), explanation.reasons


def _certificate(objectives: Sequence[Any], picks: Picked) -> dict[str, float]:
    known = np.asarray(picks.distances, dtype=np.float64)
    known = known[np.isfinite(known)]
    found = {"smallest_distance": float(known.min())} if len(known) else {}
    if len(known) and np.isfinite(picks.next_distance):
        found["radius"] = float(picks.next_distance)
        measured = next((o for o in objectives if o.name == "DIVERSITY"), None)
        if getattr(measured, "offsets", None) is None:
            found["radius_bound"] = lower_bound(known, found["radius"])
    return found


def _objectives(
    objectives: Sequence[Any], explanation: Explanation, candidates: NDArray[np.bool_], rows: IntArray
) -> list[dict[str, Any]]:
    described = []
    decided = max(1, int(np.count_nonzero(explanation.shares.any(axis=1))))  # of others, none has a share
    for column, objective in enumerate(objectives):
        entry = {"label": objective.label, "strength": float(objective.strength)}
        if len(rows):
            entry["share"] = round(float(explanation.shares[:, column].sum()) / decided, 4)
            entry["standing"] = _mean(explanation.standing[:, column])
        if objective.name == "WEIGHTS" and len(rows):
            entry["rank"] = _plain(mean_rank(objective.values, candidates, rows))
        described.append(entry)
    return described


def _mean(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), 4) if len(known) else None


def _places(objectives: Sequence[Any]) -> Places | None:
    """Where the rows lie for the objective that has most to do with distances."""
    having = [o for o in objectives if getattr(o, "vectors", None) is not None]
    for name in _BY_PRECEDENCE:
        for objective in having:
            if objective.name == name:
                return Places(objective.vectors, bool(objective.normalize), getattr(objective, "offsets", None))
    return None


def _random_picks(
    candidates: NDArray[np.bool_], count: int, preselected: int, seed: int
) -> list[NDArray[np.int64]]:  # fmt: skip
    """As many rows drawn at random as were picked: several times if they are few, or one draw would say little."""
    rows = np.flatnonzero(candidates)
    draws = max(1, min(_DRAWS, _DRAWN // max(1, count + preselected)))
    return [hashed_order(rows, seed + 1 + draw)[:count] for draw in range(draws)]


def _curves(
    places: Places, candidates: NDArray[np.bool_], preselected: IntArray, rows: IntArray,
    drawn: Sequence[IntArray], seed: int, comparison: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The curve of the picks, with that of random ones; what can be compared goes into `comparison`."""
    evaluation = Evaluation(places, candidates, preselected, seed)
    if not len(evaluation):
        return {}
    own = evaluation.curve(rows)
    others = [evaluation.curve(one, own.picks) for one in drawn]
    at_random = evaluation.coverage(np.mean([one.mean_distance for one in others], axis=0))
    comparison["diversity"] = _pair(*(separation(places, found, preselected, seed) for found in (rows, *drawn)))
    comparison["coverage"] = {"picks": _plain(own.coverage[-1]), "random": _plain(at_random[-1])}
    curve = {
        "picks": own.picks, "mean_distance": own.mean_distance, "largest_distance": own.largest_distance,
        "coverage": own.coverage, "random_coverage": at_random,
    }  # fmt: skip
    return {
        "curve": {name: [_plain(value) for value in values.tolist()] for name, values in curve.items()},
        "evaluated": len(evaluation),
    }


def _classes(
    objective: Any, rows: IntArray, preselected: IntArray, candidates: NDArray[np.bool_]
) -> dict[str, Any]:  # fmt: skip
    selected = class_shares(objective.shares, np.concatenate([preselected, rows]))
    target = _target(objective)
    there = class_shares(objective.shares, np.flatnonzero(candidates))
    names = getattr(objective, "classes", None) or [str(column) for column in range(len(target))]
    kept = np.flatnonzero((target > 0) | (selected > 0) | (there > 0)).tolist()
    columns: Mapping[str, FloatArray] = {"target": target, "selected": selected, "candidates": there}
    return {
        "label": objective.label, "classes": [str(names[column]) for column in kept],
        **{name: np.round(shares[kept], 6).tolist() for name, shares in columns.items()},
        "error": _error(selected, target),
    }  # fmt: skip


def _target(objective: Any) -> NDArray[np.float64]:
    wished = np.asarray(objective.target, dtype=np.float64)
    return wished / wished.sum() if wished.sum() > 0 else wished


def _error(shares: FloatArray, target: FloatArray) -> float:
    """The part of the shares that is in the wrong class."""
    return round(float(np.abs(shares - target).sum() / 2), 6)


def _balance(
    objective: Any, sets: Sequence[IntArray], candidates: NDArray[np.bool_]
) -> dict[str, dict[str, float | None]]:
    """How near the classes of the picks and of random ones are to the target; where it is even, how even they are."""
    target = _target(objective)
    shares = [class_shares(objective.shares, found) for found in (np.flatnonzero(candidates), *sets)]
    kept = np.any([found > 0 for found in (target, *shares)], axis=0)
    if np.ptp(target[kept]) > _ROUNDED:
        return {"target_error": _pair(*(_error(found, target) for found in shares[1:]))}
    return {"balance": _pair(*(evenness(found[kept]) for found in shares[1:]))}


def _pair(of_picks: float, *at_random: float) -> dict[str, float | None]:
    return {"picks": _plain(of_picks), "random": _plain(float(np.mean(at_random)))}


def _plain(value: float) -> float | int | None:
    """A value that JSON can hold."""
    if isinstance(value, int):
        return value
    return float(significant(value)) if np.isfinite(value) else None
