"""Counting what is read from files and servers."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_lock = threading.Lock()
_counting: list["Traffic"] = []


@dataclass(eq=False)
class Traffic:
    """What was read while it was counted.

    Attributes:
        bytes: how many bytes of files came in.
        requests: how often a server was asked for them, repeated requests included; a local file counts once.
    """

    bytes: int = 0
    requests: int = 0


@contextmanager
def counting() -> Iterator[Traffic]:
    """Count what this process reads inside a `with` block, in all its threads."""
    traffic = Traffic()
    with _lock:
        _counting.append(traffic)
    try:
        yield traffic
    finally:
        with _lock:
            _counting.remove(traffic)


def count(*, num_bytes: int = 0, requests: int = 0) -> None:
    """Add to all that count."""
    if _counting:
        with _lock:
            for traffic in _counting:
                traffic.bytes += num_bytes
                traffic.requests += requests


def _forget() -> None:
    """In a forked child nobody waits for what the parent's threads count, and their lock may be held for ever."""
    global _lock  # noqa: PLW0603  # a new lock cannot be had otherwise
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
