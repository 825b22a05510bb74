"""Whether a process that writes is still there. Asked of the kernel and of the server, never guessed from time.

A writer holds a lock on a file named after it, so that one on this machine counts as alive even while its connections
are broken; and the server lists its connections, so that a killed one counts as alive until the server has finished its
last batch. A suspended process is alive both ways. Into its file a living writer writes what it had to leave half-done.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from pymongo.errors import OperationFailure

from ..settings import current
from ..types import Bson
from .calls import resilient
from .connection import app_name, database
from .supervisor import is_held

if sys.platform != "win32":
    import fcntl

_UNAUTHORIZED = 13

_KEPT_SECONDS = 86_400
"""The file of a dead writer stays this long: it shows that what the server still does for it will end soon."""

_guard = threading.Lock()
_held: dict[Path, int] = {}


def announce() -> None:
    """Hold the file that says that this process lives; called before anything that others may take for abandoned."""
    path = _file_of(app_name())
    if path in _held or sys.platform == "win32":
        return
    # Where no file can be made, such as beside a server elsewhere, the list of connections has to do.
    with _guard, suppress(OSError):
        if path in _held:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in path.parent.glob("*.lock"):
            if not is_held(other) and _age(other) > _KEPT_SECONDS:
                other.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _held[path] = descriptor
        except BaseException:  # a second try would wait for this lock for ever
            _held.pop(path, None)
            os.close(descriptor)
            raise


def give_up(work: str) -> None:
    """Say that this process, though alive, will not finish `work`; others on this machine may then take it over."""
    descriptor = _held.get(_file_of(app_name()))
    if descriptor is not None:
        with suppress(OSError):
            os.write(descriptor, f"{work}\n".encode())


def has_given_up(writer: str, work: str) -> bool:
    """Whether `writer` said that it will not finish `work`."""
    try:
        return work in _file_of(writer).read_text(encoding="utf-8").splitlines()
    except OSError:
        return False


def is_alive(writer: str) -> bool:
    """Whether the process whose connections are named `writer` lives, or the server still works for it."""
    if writer == app_name():
        return True
    path = _file_of(writer)
    if sys.platform != "win32" and path.exists() and is_held(path):
        return True
    return bool(resilient(lambda: _connections(writer)))


def is_ending(writer: str) -> bool:
    """Whether the process is known to be dead, so that it counts as alive only until its last batch is finished."""
    path = _file_of(writer)
    return sys.platform != "win32" and writer != app_name() and path.exists() and not is_held(path)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _connections(writer: str) -> list[Bson]:
    def listed(*, everybody: bool) -> list[Bson]:
        look = {"$currentOp": {"allUsers": everybody, "idleConnections": True}}
        return list(database().client.admin.aggregate([look, {"$match": {"appName": writer}}, {"$limit": 1}]))

    try:
        return listed(everybody=True)
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        return listed(everybody=False)  # without the right to see all: those who log in as the same user


def _file_of(writer: str) -> Path:
    return current().data_dir / "writers" / f"{writer}.lock"


def _forget_after_fork() -> None:
    global _guard  # noqa: PLW0603  # another thread may have held it while this process was forked
    _guard = threading.Lock()
    for descriptor in _held.values():
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
