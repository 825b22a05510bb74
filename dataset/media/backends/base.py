"""What every backend can do."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from ..patience import Failure

PAGE = 1_000
"""Files that are listed at once."""


class Entry(NamedTuple):
    """One object of a listing.

    Attributes:
        key: its path below the root of the backend.
        size: its bytes.
        modified: when it was last changed, in UTC; None where the backend does not know.
    """

    key: str
    size: int
    modified: datetime | None


class Backend(Protocol):
    """The objects below a root. Its methods are called by many threads at once, and raise whatever they raise."""

    def read(self, key: str) -> bytes:
        """Read a whole object in one request."""
        ...

    def read_range(self, key: str, start: int, end: int) -> tuple[bytes, int]:
        """Read the bytes from `start` up to and without `end`, which may be beyond the object.

        Returns:
            The bytes, and the size of the whole object.
        """
        ...

    def pages(self, folder: str, after: str) -> Iterator[list[Entry]]:
        """List the objects below a folder, with those in the folders inside.

        Args:
            folder: a key without the slash at its end; empty for all.
            after: only keys that come after this one.

        Yields:
            Some at a time, in the order of the code points of their keys.
        """
        ...

    def sign(self, key: str, seconds: int) -> str:
        """A URL by which anybody can read the object for a while.

        Raises:
            DatasourceError: if the backend has no such URLs.
        """
        ...

    def explain(self, error: BaseException) -> Failure:
        """Say what an exception of the other methods means, without credentials."""
        ...
