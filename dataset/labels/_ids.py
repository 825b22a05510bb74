"""Ids for labels: 24 hexadecimal digits in the form of MongoDB's own, unique over processes and machines."""

import os
from itertools import count
from time import time

_COUNTER_END = 1 << 24


class _Source:
    """Four bytes of time, five that are random per process, three that count.

    Time never runs backwards here, so an id could come again only after 16 million others within one second.
    """

    __slots__ = ("_count", "_process", "_seconds")

    def __init__(self) -> None:
        self.reseed()

    def reseed(self) -> None:
        """Begin anew, as in a forked child, which must not share its parent's ids."""
        self._process = os.urandom(5).hex()
        self._count = count()
        self._seconds = 0

    def next(self) -> str:
        """Give an id that was never given before."""
        seconds = int(time())
        if seconds < self._seconds:
            seconds = self._seconds
        else:
            self._seconds = seconds
        return f"{seconds:08x}{self._process}{next(self._count) % _COUNTER_END:06x}"


_source = _Source()
new_id = _source.next
"""Give a new id."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_source.reseed)
