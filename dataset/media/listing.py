"""Which media files a datasource has: listed page by page, in the order of their keys, with bounded memory."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from .backends import Entry
from .connections import Connection
from .patterns import RelevantFiles, Span
from .urls import join


class MediaFile(NamedTuple):
    """A file of a datasource.

    Attributes:
        path: its URL, or its absolute path in a local folder.
        size: its bytes.
        modified: when it was last changed, in UTC; None where the backend does not know.
    """

    path: str
    size: int
    modified: datetime | None


def list_keys(
    connection: Connection, folder: str, relevant: RelevantFiles, accepts: Callable[[str], bool], after: str = ""
) -> Iterator[Entry]:
    """List relevant files below a folder.

    Only what the prefixes of the relevant files leave over is asked for. A listing that breaks off goes on after the
    last key.

    Args:
        connection: where to list.
        folder: the key of the folder.
        relevant: which files count, by their paths below the folder.
        accepts: whether a name is wanted, such as `endings.is_image`.
        after: only files whose paths below the folder come after this one, in the order of code points.

    Yields:
        The entries with their full keys, in that order.

    Raises:
        SourceUnavailableError: if the folder cannot be listed.
    """
    base = join(folder, "") if folder else ""
    for span in relevant.spans:
        if after and span.is_beyond(after):
            continue
        for entry in _list_span(connection, base, span, after):
            below = entry.key[len(base) :]
            name = below.rpartition("/")[2]
            if accepts(name) and not _is_hidden(below) and relevant.match(below):
                yield entry


def _list_span(connection: Connection, base: str, span: Span, after: str) -> Iterator[Entry]:
    folder = _common_folder(span)
    start = max(after, _just_before(span.first, folder))
    for page in _pages(connection, (base + folder).rstrip("/") or base, base + start if start else ""):
        for entry in page:
            below = entry.key[len(base) :]
            if below <= after or below < span.first:
                continue
            if span.is_beyond(below):
                return
            yield entry


def _common_folder(span: Span) -> str:
    """The innermost folder that holds all of a span."""
    if span.last.startswith(span.first):
        return span.first.rpartition("/")[0]
    common = 0
    while common < min(len(span.first), len(span.last)) and span.first[common] == span.last[common]:
        common += 1
    return span.first[:common].rpartition("/")[0]


def _just_before(first: str, folder: str) -> str:
    """A key shortly before the first of a span, to begin after; empty if the folder's beginning is as good."""
    rest = first[len(folder) :].lstrip("/")
    if not rest:
        return ""
    before = chr(ord(rest[-1]) - 1)
    # Only such keys as every backend takes: one that ends in a slash or a control character is none.
    if before.isascii() and before.isalnum():
        return first[:-1] + before + "~"
    return first[:-1] if len(rest) > 1 and rest[-2].isalnum() else ""


def _pages(connection: Connection, folder: str, after: str) -> Iterator[list[Entry]]:
    """The pages of a listing, taken up again after the last key where it breaks off."""
    pages: Iterator[list[Entry]] | None = None

    def advance() -> list[Entry] | None:
        nonlocal pages
        try:
            if pages is None:
                pages = connection.backend.pages(folder, after)
            return next(pages, None)
        except BaseException:
            pages = None  # a generator that raised is at its end
            raise

    while (page := connection.patience.call(advance, connection.backend.explain, whole=True)) is not None:
        if page:
            after = page[-1].key
        yield page


def _is_hidden(below: str) -> bool:
    return below.startswith(".") or "/." in below
