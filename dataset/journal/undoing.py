"""Undoing a closed action by an action of its own: whether it can be, and which one is meant.

What is put back is `restoring`; whether its fields still are what they were is `undone_fields`.
"""

from collections.abc import Mapping

from ..errors import UndoError
from ..store import actions
from ..types import Bson
from .recovery import recover_dead
from .restoring import Outcome, Restoring
from .retention import KEEP_BYTES, KEEP_DAYS
from .undone_fields import refuse
from .writing import action

SHOWN = {"fields": {"$ne": []}, "verb": {"$nin": ["migrate", "sweep"]}, "state": {"$ne": "withdrawn"}}
"""Which actions people see: not those of the store, nor those that only number vectors of samples that are added."""


def last_migration(dataset_id: str) -> int:
    """The number of the action that gave the dataset its stored form; 0 if it was made in this form."""
    found = actions.list_actions(dataset_id, {"verb": "migrate", "state": "closed"}, newest=1)
    return found[0]["number"] if found else 0


def obstacle(record: Bson, undone: Mapping[int, int], migration: int) -> str | None:
    """Why an action cannot be undone, as the end of a sentence; None if it can."""
    last, is_undone = actions.undoing(record["number"], undone)
    if record["live"]:
        return f"it is still under way, by {record['who']}; wait until it has ended"
    if record["state"] != "closed":
        return "it was rolled back, so nothing of it is there"
    if is_undone:
        return f"action {last} has undone it; undo({last}) does it again"
    if record["verb"] == "clear":
        return "clear() keeps nothing of the samples that it deletes; add them again"
    if record.get("is_forgotten") and last == record["number"]:
        return (
            f"what it overwrote is kept for {KEEP_DAYS} days, and {KEEP_BYTES / 1e9:.0f} GB of it at most, and is gone"
        )
    if last < migration:
        return "what it overwrote is in the form of an older version of Saccade, which had the dataset then"
    return None


def undo(dataset_id: str, number: int | None) -> Outcome:
    """Undo an action by its number, or the last one that is no undo and is not undone.

    Raises:
        UndoError: if it cannot be undone. Nothing is changed then.
    """
    recover_dead(dataset_id)
    undone, migration = actions.undoers(dataset_id), last_migration(dataset_id)
    asked = _last(dataset_id, undone) if number is None else _numbered(dataset_id, number)
    _check(asked, undone, migration)
    last, _ = actions.undoing(asked["number"], undone)
    record = asked if last == asked["number"] else _numbered(dataset_id, last)  # it was done again: undo that
    _check(record, undone, migration)
    with action(dataset_id, "undo", record["fields"], undoes=last) as work:
        undone, migration = actions.undoers(dataset_id), last_migration(dataset_id)  # now nobody else can change that
        _check(record, undone, migration)
        outcome = Restoring(work, record, asked, undone).run()
        work.samples = len(outcome.restored)
    return outcome


def _numbered(dataset_id: str, number: int) -> Bson:
    for record in actions.list_actions(dataset_id, {"number": number, **SHOWN}):
        return record
    raise UndoError(f"there is no action {number!r} to undo. history() lists those there are.")


def _last(dataset_id: str, undone: Mapping[int, int]) -> Bson:
    query = {**SHOWN, "state": "closed", "undoes": {"$exists": False}}
    for record in actions.list_actions(dataset_id, query, newest=1 + len(undone)):
        if not actions.undoing(record["number"], undone)[1]:
            return record
    raise UndoError(
        "there is nothing to undo: no bulk write is known that was not undone already. "
        "Samples that were added are taken away with delete_samples(); single saves are not kept."
    )


def _check(record: Bson, undone: Mapping[int, int], migration: int) -> None:
    reason = obstacle(record, undone, migration)
    if reason is not None:
        refuse(record, reason)
