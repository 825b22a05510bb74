"""Folders of this machine."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader, FileIO
from typing import BinaryIO, cast

from ...errors import DatasourceError, UnreadableMediaError
from ..patience import Failure
from ..traffic import count
from .base import Entry
from .walking import Child, walk


def read_file(path: str) -> bytes:
    """Read a file.

    Raises:
        UnreadableMediaError: if it cannot be read. The message is the reason alone.
    """
    try:
        _require_file(path)
        with FileIO(path) as file:
            data = file.readall()
    except (OSError, ValueError) as error:
        if isinstance(error, UnreadableMediaError):
            raise
        raise UnreadableMediaError(_reason(error)) from error
    count(num_bytes=len(data), requests=1)
    return data


def open_file(path: str) -> BinaryIO:
    """Open a file for reading; what is read is counted.

    Raises:
        UnreadableMediaError: if it cannot be opened. The message is the reason alone.
    """
    try:
        _require_file(path)
        file = _CountedFile(path)
    except (OSError, ValueError) as error:
        if isinstance(error, UnreadableMediaError):
            raise
        raise UnreadableMediaError(_reason(error)) from error
    count(requests=1)
    return cast("BinaryIO", BufferedReader(file, buffer_size=1 << 18))


class _CountedFile(FileIO):
    def readinto(self, buffer: "bytearray | memoryview") -> int | None:  # type: ignore[override]  # any writable buffer
        read = super().readinto(buffer)
        count(num_bytes=read or 0)
        return read

    def readall(self) -> bytes:
        data = super().readall()
        count(num_bytes=len(data or b""))
        return data or b""


def _require_file(path: str) -> None:
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise UnreadableMediaError("the path is a folder")
    if not stat.S_ISREG(mode):  # reading a pipe might never end
        raise UnreadableMediaError("the path is neither a file nor a folder")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "the file does not exist"
    if isinstance(error, IsADirectoryError):
        return "the path is a folder"
    if isinstance(error, PermissionError):
        return "the file may not be read (permission denied)"
    if isinstance(error, OSError):
        return f"the file cannot be read: {error.strerror or type(error).__name__}"
    return "the path is not one that a file can have"


class LocalFolder:
    """The backend of a folder; keys are absolute paths."""

    def read(self, key: str) -> bytes:
        """Read a whole file."""
        return read_file(key)

    def read_range(self, key: str, start: int, end: int) -> tuple[bytes, int]:
        """Read some of a file."""
        with open_file(key) as file:
            file.seek(start)
            return file.read(end - start), os.stat(key).st_size

    def pages(self, folder: str, after: str) -> Iterator[list[Entry]]:
        """List the files below a folder; links are followed, but not in circles."""
        seen: set[tuple[int, int]] = set()
        return walk(lambda inside: _children(inside, seen), folder or os.sep, after)

    def sign(self, key: str, seconds: int) -> str:  # noqa: ARG002  # the protocol's arguments
        """Local files have no such URLs."""
        raise DatasourceError(
            f"{key} is a local file, and a local file has no signed URL. Open it by its path, or put it into a bucket."
        )

    def explain(self, error: BaseException) -> Failure:
        """Say what an exception means."""
        if isinstance(error, UnreadableMediaError | DatasourceError):
            return Failure("file", str(error))
        if isinstance(error, OSError | ValueError):
            return Failure("file", _reason(error).replace("the file", "the folder"), "Check the path and its rights.")
        return Failure("file", f"the folder cannot be read: {type(error).__name__}")


def _children(folder: str, seen: set[tuple[int, int]]) -> list[Child]:
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) in seen:  # a link back to where we have been
        return []
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        return [child for child in map(_child, entries) if child is not None]


def _child(entry: "os.DirEntry[str]") -> Child | None:
    if entry.is_dir():
        return Child(entry.name, is_folder=True, size=0, modified=None)
    try:
        status = entry.stat()
    except FileNotFoundError:  # a link that leads nowhere, or a file that has just gone
        return None
    try:
        entry.path.encode()
    except UnicodeEncodeError:
        raise DatasourceError(
            f"the file name {os.fsencode(entry.path)!r} is not valid UTF-8 and cannot be stored"
        ) from None
    return Child(
        entry.name, is_folder=False, size=status.st_size, modified=datetime.fromtimestamp(status.st_mtime, UTC)
    )
