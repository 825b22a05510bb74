"""Reads and single edits beside the actions of others."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..errors import ConnectionFailedError, SaccadeError
from ..store import actions, field_records
from .recovery import wait_for

T = TypeVar("T")


def stable_read(dataset_id: str, fields: Sequence[str] | None, read: Callable[[], T]) -> T:
    """Call `read` while no action is open on `fields` (None: on any field); again if one opened meanwhile."""
    return _between_actions(dataset_id, fields, read)


def write_beside(dataset_id: str, fields: Sequence[str], write: Callable[[], None]) -> None:
    """Make a single edit that survives bulk writes: write while no action is open on its fields, look, write again.

    An action that began before the edit and ended after it may have put back what it had read before.
    """
    _between_actions(dataset_id, fields, write)
    field_records.stamp_fields(dataset_id, {field.split(".")[0] for field in fields})


def _between_actions(dataset_id: str, fields: Sequence[str] | None, work: Callable[[], T]) -> T:
    """Do something again until no action on `fields` ran meanwhile; give the last result, or raise the last error."""
    claims = actions.claims_of(fields)
    while True:
        low = actions.last_number(dataset_id) - actions.WINDOW
        before = actions.newest_actions(dataset_id, low, claims)
        if any(live for _, live in before):
            wait_for(dataset_id, fields)
            continue
        problem: SaccadeError | None = None
        try:
            result = work()
        except ConnectionFailedError:
            raise
        except SaccadeError as error:  # it may have met something half done
            problem = error
        if actions.newest_actions(dataset_id, low, claims) != before:
            continue
        if problem is not None:
            raise problem
        return result
