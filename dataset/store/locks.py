"""This process's locks on an embedded server: the short one while it starts, the long one that says "I use it".

The kernel drops both when the process dies, however it dies. A forked child lets go of what it inherited at once; it
takes a lock of its own when it first uses the database.
"""

import atexit
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import ServerStartError
from .places import Places
from .supervisor import is_held

if sys.platform != "win32":
    import fcntl

_open_descriptors: set[int] = set()
_held: dict[Path, tuple[Path, int]] = {}  # clients folder -> this process's file in it


@contextmanager
def starting(places: Places, timeout: float) -> Iterator[None]:
    """Be the only process that starts or stops this server.

    Raises:
        ServerStartError: if another process keeps the lock longer than `timeout` seconds; it is named.
    """
    descriptor = _open(places.start_lock)
    try:
        deadline = time.monotonic() + timeout
        while not _try_exclusive(descriptor):
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 100, 0).decode(errors="replace").strip() or "unknown"
                raise ServerStartError(
                    f"another process (pid {holder}) has been starting or stopping the server of {places.data.parent} "
                    f"for more than {timeout:.0f} seconds. Wait for it, or end it and try again."
                )
            time.sleep(0.02)
        with suppress(OSError):  # the name in the file is a courtesy; a full disk must be reported by who needs room
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        # Explicitly: a child forked meanwhile shares the open file and would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        _close(descriptor)


def hold_as_client(places: Places) -> None:
    """Say that this process uses the server, until it ends or lets go. Call inside `starting`."""
    if places.clients in _held:
        return
    for path in places.clients.glob("*.lock"):
        if not is_held(path):
            path.unlink(missing_ok=True)
    # Not the pid alone: processes in two containers may have the same.
    path = places.clients / f"{os.getpid()}-{secrets.token_hex(4)}.lock"
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    _held[places.clients] = (path, descriptor)


def holds_as_client(places: Places) -> bool:
    """Whether this process has said that it uses the server."""
    return places.clients in _held


def release_all() -> None:
    """Say that this process uses no server any more."""
    while _held:
        path, descriptor = _held.popitem()[1]
        path.unlink(missing_ok=True)
        _close(descriptor)


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    _open_descriptors.add(descriptor)
    return descriptor


def _close(descriptor: int) -> None:
    _open_descriptors.discard(descriptor)
    os.close(descriptor)


def _try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _forget_after_fork() -> None:
    for descriptor in _open_descriptors:
        with suppress(OSError):
            os.close(descriptor)
    _open_descriptors.clear()
    _held.clear()


atexit.register(release_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
