"""The journal: every bulk write is an action that can be rolled back, by its writer or by whoever finds it dead.

The order of steps is what makes it safe; it is described in `docs/decisions/0004-actions.md`. Values are computed
first. Then the action takes a number, claims its fields, stores what it is about to change, writes, and closes.

This package holds the protocol; what it asks of the server is `store/actions.py` and `store/images.py`.
"""

from .beside import stable_read, write_beside
from .migrating import migrate
from .recovery import recover_dead, wait_for
from .retention import KEEP_BYTES, KEEP_DAYS, forget, sweep, trim
from .undoing import SHOWN, last_migration, obstacle, undo
from .writing import Action, action, current_run, unclaimed

__all__ = [
    "KEEP_BYTES",
    "KEEP_DAYS",
    "SHOWN",
    "Action",
    "action",
    "current_run",
    "forget",
    "last_migration",
    "migrate",
    "obstacle",
    "recover_dead",
    "stable_read",
    "sweep",
    "trim",
    "unclaimed",
    "undo",
    "wait_for",
    "write_beside",
]
