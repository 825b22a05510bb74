"""Columns out of raw BSON, without a Python object for each document.

Answers of the server are documents one after another: those of one layout are read with numpy, others one by one. Or
they are one document of long arrays.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import bson
import numpy as np
from bson import ObjectId

from ..errors import ViewError
from .codec import OPTIONS, VECTOR_SUBTYPE

Array = np.ndarray[Any, Any]

Read: TypeAlias = tuple[Array, list[list[Any]]]
"""Ids, (n, 12) uint8, and columns of n values each; (0, 12) where the ids were not asked for."""

NO_IDS: Array = np.empty((0, 12), dtype=np.uint8)

_PIECE = 250
_LENGTH = struct.Struct("<i")
_ID_LENGTH = 17
"""Of an id in a document: kind, name, value."""

ID_END = 4 + _ID_LENGTH
"""Where the id of a document ends, which comes first."""

_DOUBLE, _TEXT, _DOCUMENT, _ARRAY, _BINARY, _ID, _BOOL, _DATE, _NULL = 1, 2, 3, 4, 5, 7, 8, 9, 10
_INT32, _TIMESTAMP, _INT64, _DECIMAL = 16, 17, 18, 19
_FLOAT32_VECTOR = bytes([VECTOR_SUBTYPE]) + b"\x27\0"
_SIZES = {_DOUBLE: 8, _ID: 12, _BOOL: 1, _DATE: 8, _NULL: 0, _INT32: 4, _TIMESTAMP: 8, _INT64: 8, _DECIMAL: 16}
_ADDED = {_TEXT: 4, _DOCUMENT: 0, _ARRAY: 0, _BINARY: 5}
"""By how much what has a length of its own is longer than that."""

_NUMBERS = {_DOUBLE: "<f8", _BOOL: "?", _INT32: "<i4", _INT64: "<i8"}


def read_documents(batch: bytes, count: int, *, has_ids: bool) -> Read:
    """Read documents with their `_id`, if wanted, and the values `v0`, `v1`, ..., None where one is missing.

    Raises:
        ViewError: if one lacks its id.
    """
    return _read_alike(batch, count, has_ids=has_ids) or _read_each(batch, count, has_ids=has_ids)


def read_arrays(document: bytes, count: int, *, has_ids: bool) -> Read:
    """Read one document with the arrays `ids`, if wanted, and `v0`, `v1`, ..."""
    arrays = {name: document[start:stop] for name, _, start, stop in _elements_of(document)}
    kind, ids = (_alike(arrays["ids"]) if has_ids else None) or (_ID, NO_IDS)
    assert kind == _ID, "samples have ids"
    return ids, [_values_in(arrays[f"v{position}"]) for position in range(count)]


# --- documents ------------------------------------------------------------------------------------------------------


def _read_each(batch: bytes, count: int, *, has_ids: bool) -> Read:
    """Read documents of any form."""
    starts = starts_of(batch)
    ids = ids_of(batch, starts) if has_ids else NO_IDS
    if count == 1 and (not has_ids or batch[4:9] == b"\x07_id\0"):
        texts = _texts(batch, starts, _ID_LENGTH if has_ids else 0)
        if texts is not None:
            return ids, [texts]
    columns: list[list[Any]] = [[] for _ in range(count)]
    for first in range(0, len(starts) - 1, _PIECE):  # so few that the collector of garbage meets none of them twice
        last = min(first + _PIECE, len(starts) - 1)
        documents = bson.decode_all(batch[starts[first] : starts[last]], OPTIONS)
        for position, column in enumerate(columns):
            column += [document.get(f"v{position}") for document in documents]
    return ids, columns


def starts_of(batch: bytes) -> list[int]:
    """Where each document begins, and where the last one ends."""
    length_at = _LENGTH.unpack_from
    starts = [0]
    while starts[-1] < len(batch):
        starts.append(starts[-1] + length_at(batch, starts[-1])[0])
    return starts


def ids_of(batch: bytes, starts: list[int]) -> Array:
    """The ids, which come first in nearly every document.

    Raises:
        ViewError: if a document has no id, or something else in its place.
    """
    begins = np.array(starts[:-1], dtype=np.int64)
    if len(begins) == 0:
        return NO_IDS
    places = np.minimum(begins[:, None] + np.arange(4, 4 + _ID_LENGTH), len(batch) - 1)
    found: Array = np.frombuffer(batch, dtype=np.uint8)[places]
    for row in np.flatnonzero((found[:, :5] != np.frombuffer(b"\x07_id\0", dtype=np.uint8)).any(axis=1)):
        given = bson.decode(batch[starts[row] : starts[row + 1]]).get("_id")
        if not isinstance(given, ObjectId):
            raise ViewError(f"a step of mongo() in this view gives {given!r} as a sample's '_id'. Keep its own.")
        found[row, 5:] = np.frombuffer(given.binary, dtype=np.uint8)
    return found[:, 5:]


def _texts(batch: bytes, starts: list[int], before: int) -> list[Any] | None:
    """The one value of each document if it is text or missing; None where it is something else."""
    values: list[Any] = []
    kind_at = 4 + before
    for start, stop in pairwise(starts):
        kind = batch[start + kind_at]
        if kind == _TEXT:  # kind, name, length; and at the end two zeros
            values.append(batch[start + kind_at + 8 : stop - 2].decode())
        elif kind in {0, _NULL}:
            values.append(None)
        else:
            return None
    return values


class _Part(NamedTuple):
    """Where a value lies in a document."""

    kind: int
    start: int
    stop: int


def _read_alike(batch: bytes, count: int, *, has_ids: bool) -> Read | None:
    """Read documents that differ in nothing but their numbers; None if these do, or hold something else."""
    length = int.from_bytes(batch[:4], "little")
    if len(batch) % length:
        return None
    layout = _layout(batch[:length])
    if layout is None or ("_id" in layout) != has_ids or len(layout) != count + has_ids:
        return None
    rows = np.frombuffer(batch, dtype=np.uint8).reshape(-1, length)
    same = np.ones(length, dtype=bool)
    for part in layout.values():
        same[part.start : part.stop] = False
    if not (rows[:, same] == rows[0, same]).all():
        return None
    ids = rows[:, layout["_id"].start : layout["_id"].stop].copy() if has_ids else NO_IDS
    return ids, [_values(rows, layout[f"v{position}"]) for position in range(count)]


def _values(rows: Array, part: _Part) -> list[Any]:
    if part.kind == _NULL:
        return [None] * len(rows)
    held = rows[:, part.start : part.stop].copy()
    if part.kind == _BINARY:
        return list(held.view("<f4").astype(np.float32, copy=False))
    return list(held.view(_NUMBERS[part.kind]).ravel().tolist())


def _layout(document: bytes) -> dict[str, _Part] | None:
    """Where the values lie in a document; None if it holds something else than numbers, None, vectors and its id."""
    parts = {}
    for name, kind, start, stop in _elements_of(document):
        skipped = 0
        if kind == _BINARY:
            if document[start + 4 : start + 7] != _FLOAT32_VECTOR:
                return None
            skipped = 7
        elif kind not in (_ID, _NULL, *_NUMBERS) or (kind == _ID) != (name == "_id"):
            return None
        parts[name] = _Part(kind, start + skipped, stop)
    return parts


def _elements_of(document: bytes, at: int = 0) -> Iterator[tuple[str, int, int, int]]:
    """The names, kinds and places of what lies in a document, or in the one that begins at `at` inside of it."""
    at += 4
    while document[at]:
        kind, start = document[at], document.index(0, at + 1) + 1
        stop = start + (_SIZES[kind] if kind in _SIZES else _ADDED[kind] + _LENGTH.unpack_from(document, start)[0])
        yield document[at + 1 : start - 1].decode(), kind, start, stop
        at = stop


# --- arrays ---------------------------------------------------------------------------------------------------------


def batch_of(reply: bytes) -> tuple[memoryview, int]:
    """The array of documents in the answer to a command with a cursor; and the cursor's number, 0 at the end."""
    found = {}
    for name, _, start, _ in _elements_of(reply):
        if name == "cursor":
            found = {part: slice(begin, end) for part, _, begin, end in _elements_of(reply, start)}
    documents = found["firstBatch"] if "firstBatch" in found else found["nextBatch"]
    return memoryview(reply)[documents], int.from_bytes(reply[found["id"]], "little")


def documents_in(array: memoryview) -> bytes:
    """The documents in an array one after another, without their names, which are their positions in digits."""
    rows = rows_in(array)
    if rows is not None:
        return b"".join(block.tobytes() for block in rows)
    packed = bytes(array)
    return b"".join(packed[start:stop] for _, _, start, stop in _elements_of(packed))


def rows_in(array: memoryview) -> list[Array] | None:
    """The documents in an array, where all have one length, as blocks of (n, length) uint8; no copies."""
    if len(array) == 5:
        return []
    (length,) = _LENGTH.unpack_from(array, 7)
    packed = np.frombuffer(array, dtype=np.uint8)
    at, blocks = 4, []
    for digits, count in _positions(len(array) - 5, length):
        rows = packed[at : at + count * (2 + digits + length)].reshape(count, -1)[:, 2 + digits :]
        if not (rows[:, :4] == packed[7:11]).all():
            return None
        blocks.append(rows)
        at += count * (2 + digits + length)
    return blocks if at == len(array) - 1 else None


def _positions(size: int, length: int) -> list[tuple[int, int]]:
    """How many elements of a length have names of one digit, of two, ... in an array; [] if these do not fill it."""
    found = []
    digits = 1
    while size > 0:
        count = min(10 if digits == 1 else 9 * 10 ** (digits - 1), size // (2 + digits + length))
        if count == 0:
            return []
        found.append((digits, count))
        size -= count * (2 + digits + length)
        digits += 1
    return found


def _values_in(array: bytes) -> list[Any]:
    alike = _alike(array)
    if alike is None or alike[0] not in _NUMBERS:
        return list(bson.decode(_LENGTH.pack(len(array) + 8) + b"\x04v\0" + array + b"\0")["v"])
    kind, held = alike
    return list(held.view(_NUMBERS[kind]).ravel().tolist())


def _alike(array: bytes) -> tuple[int, Array] | None:
    """Read an array of elements of one kind and size."""
    kind = array[4]
    size = _SIZES.get(kind)
    if size is None:
        return None
    packed = np.frombuffer(array, dtype=np.uint8)
    at, parts = 4, []
    for digits, count in _positions(len(array) - 5, size):
        rows = packed[at : at + count * (2 + digits + size)].reshape(count, -1)
        if not (rows[:, 0] == kind).all():
            return None
        parts.append(rows[:, 2 + digits :])
        at += count * (2 + digits + size)
    return (kind, np.concatenate(parts)) if parts else None
