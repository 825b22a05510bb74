"""Which actions this process runs or undoes, and in which thread. A forked child runs none."""

import os
import threading
from typing import NamedTuple


class _Work(NamedTuple):
    thread: int


# No lock guards it: an interrupt at the wrong moment would leave the lock closed. `setdefault` is atomic.
_running: dict[tuple[str, int], _Work] = {}


def begin(dataset_id: str, number: int) -> bool:
    """Note that this thread works on an action; False if a thread of this process does already."""
    work = _Work(threading.get_ident())
    return _running.setdefault((dataset_id, number), work) is work


def end(dataset_id: str, number: int) -> None:
    """Note that no thread of this process works on an action any more."""
    _running.pop((dataset_id, number), None)


def thread_of(dataset_id: str, number: int) -> int | None:
    """The thread of this process that works on an action, if one does."""
    work = _running.get((dataset_id, number))
    return None if work is None else work.thread


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)
