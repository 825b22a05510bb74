"""Reading media from any path or URL, in many threads at once.

A local file is opened by its path; what lies in a bucket is read with the options of its datasource. An error says why
in words, never with credentials or signed URLs: `UnreadableMediaError` if it is this one file, `SourceUnavailableError`
if nothing can be read from where it lies.
"""

from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedIOBase, UnsupportedOperation
from typing import TYPE_CHECKING, BinaryIO, cast

from ..errors import DatasourceError, UnreadableMediaError
from .backends.local import open_file, read_file
from .connections import Connection, connect
from .known_sources import source_of
from .traffic import Traffic, count, counting
from .urls import is_url, local_path, scheme_of, split

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["Traffic", "counting", "is_url", "open_media", "read_media"]

BLOCK = 1 << 21
"""Bytes of a range that is read at once: at 20 ms for an answer, 2 MB waste little time."""
_KEPT = 8  # blocks


def read_media(path: str) -> bytes:
    """Read a whole file, in one request if it has a URL.

    Failures that may pass are tried again: no answer in time, a dropped connection, 5xx, 429.

    Raises:
        UnreadableMediaError: if the file cannot be read. The message is the reason alone.
        SourceUnavailableError: if no file can be read from where it lies: no server, bucket or valid credentials.
        DatasourceError: if the options of its datasource cannot be used.
        MissingExtraError: if a package is not installed.
    """
    if not is_url(path):
        return read_file(path)
    if scheme_of(path) == "file":
        return read_file(local_path(path))
    connection, key = _located(path)
    data = connection.patience.call(lambda: connection.backend.read(key), connection.backend.explain)
    count(num_bytes=len(data))
    return data


def open_media(path: str) -> BinaryIO:
    """Open a file for reading and seeking; close it afterwards.

    Of a file with a URL, blocks are read as they are needed and a few of them are kept: reading in order reads every
    byte once, and memory is bounded however large the file is.

    Raises:
        UnreadableMediaError: if the file cannot be opened; reading raises it too. The message is the reason alone.
        SourceUnavailableError: if no file can be read from where it lies.
    """
    if not is_url(path):
        return open_file(path)
    if scheme_of(path) == "file":
        return open_file(local_path(path))
    return cast("BinaryIO", _Remote(*_located(path)))


def signed_url(path: str, expires: float = 3600) -> str:
    """A URL by which a browser can read what lies at a URL; see `Datasource.signed_url`.

    Raises:
        DatasourceError: if the backend has no such URLs; local files have none.
    """
    if not is_url(path) or scheme_of(path) == "file":
        raise DatasourceError(f"{path} is a local file, and a local file has no signed URL. Open it by its path.")
    return source_of(path).signed_url(path, expires)


def _located(url: str) -> tuple[Connection, str]:
    location = split(url)
    if not location.key:
        raise UnreadableMediaError("the URL names no file")
    return connect(location.root, source_of(url).options), location.key


class _Remote(BufferedIOBase):
    """An object that is read in blocks. Its size comes with the first one, so opening costs no request of its own."""

    def __init__(self, connection: Connection, key: str) -> None:
        self._connection = connection
        self._key = key
        self._position = 0
        self._blocks: dict[int, bytes] = {}
        self._size = 0
        self._block(0)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks[number] = self._blocks.pop(number)  # the one that was used last is dropped last
            return self._blocks[number]
        backend = self._connection.backend
        start = number * BLOCK
        data, self._size = self._connection.patience.call(
            lambda: backend.read_range(self._key, start, start + BLOCK), backend.explain
        )
        count(num_bytes=len(data))
        while len(self._blocks) >= _KEPT:
            del self._blocks[next(iter(self._blocks))]
        self._blocks[number] = data
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes; all that are left if it is negative or None."""
        self._require_open()
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        pieces = []
        while wanted > 0:
            number, offset = divmod(self._position, BLOCK)
            piece = self._block(number)[offset : offset + wanted]
            if not piece:
                raise UnreadableMediaError("the file became shorter while it was read")
            pieces.append(piece)
            self._position += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    read1 = read

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read as many bytes as the buffer holds."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    readinto1 = readinto

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        """Go to a position; nothing is read."""
        self._require_open()
        origin = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError(f"position {origin + offset} is before the beginning of the file")
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:  # noqa: ARG002  # the interface's argument
        """It cannot be written."""
        raise UnsupportedOperation("media are read only")

    def close(self) -> None:
        """Let go of the blocks."""
        self._blocks.clear()
        super().close()

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("the file is closed")
