"""What a report says in words: why there are fewer picks than were asked for, and in which order they are."""

from collections.abc import Sequence

from ..selection.config import SelectionConfig
from ..selection.greedy import Picks
from .selection_problem import Problem

_JOINTS = {"no candidates left": " within "}
"""What stands between why a selection ended and its limits."""


def notes_on(
    config: SelectionConfig, problem: Problem, picks: Picks, asked: int, limits: Sequence[str], *, is_by_index: bool
) -> list[str]:
    """What is worth saying of a selection in words.

    Args:
        config: what was wanted.
        problem: what was picked from.
        picks: what was picked.
        asked: how many rows were wanted, though there may be fewer.
        limits: what keeps samples from being picked together.
        is_by_index: whether samples are gone through in the order of the view.
    """
    notes = [] if (why := _why_fewer(config, problem, picks, asked, limits)) is None else [why]
    if not any(one.strength for one in problem.objectives) and 0 < len(picks.rows) < problem.candidates.sum():
        order = "of the view" if is_by_index else "of their ids"
        notes.append(f"no strategy prefers one sample to another: they were picked in the order {order}")
    unkept = [note for constraint in problem.constraints for note in getattr(constraint, "notes", ())]
    return [*notes, *unkept, *problem.notes, *config.notes]


def _why_fewer(
    config: SelectionConfig, problem: Problem, picks: Picks, asked: int, limits: Sequence[str]
) -> str | None:
    """Why fewer were picked than were asked for, if so."""
    length, preselected = config.selected_sequence_length, problem.facts.get("preselected", 0)
    there = int(problem.units.lengths[problem.candidates].sum())
    if picks.stopped == "interrupted":
        return f"interrupted after {len(picks.rows)} of {asked} picks; resume=True goes on"
    if not there:
        return "there are no candidates" + _why_none(problem)
    if not asked or len(picks.rows) * length == there:
        note = config.size_note(there, preselected)
        is_less = len(picks.rows) < asked and config.proportion_samples != 1  # of which nobody expects more
        return note or (f"{asked * length} samples were asked for; all {there} were selected" if is_less else None)
    if len(picks.rows) == asked or config.proportion_samples == 1:
        return None
    within = f"{_JOINTS.get(picks.stopped, ', with ')}{', '.join(limits)}" if limits else ""
    return f"{asked * length} samples were asked for; {len(picks.rows) * length} were selected: {picks.stopped}{within}"


def _why_none(problem: Problem) -> str:
    """What left no candidates."""
    causes = [f"{count} samples lack what {label} reads" for label, count in
              problem.facts.get("without_input", {}).items()]  # fmt: skip
    if problem.ids and problem.facts.get("preselected") == len(problem.ids):
        causes.append(f"all {len(problem.ids)} samples were picked before")
    if not problem.ids:
        causes.append("there are no samples")
    causes += [f"{label} leaves {count}" for label, count in problem.facts.get("thresholds", {}).items()]
    return f": {', '.join(causes)}" if causes else ""
