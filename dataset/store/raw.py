"""Columns out of raw BSON, without a Python object for each document.

Answers of the server are documents one after another: those of one layout are read with numpy, others one by one. Or
they are one document of long arrays.
"""

import struct
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import bson
import numpy as np
from bson import CodecOptions

from ..errors import ViewError
from ..types import Bson
from .codec import VECTOR_SUBTYPE

Array = np.ndarray[Any, Any]

Read: TypeAlias = tuple[Array, list[list[Any]]]
"""Ids, (n, 12) uint8, and columns of n values each; (0, 12) where the ids were not asked for."""

NO_IDS: Array = np.empty((0, 12), dtype=np.uint8)

_OPTIONS: CodecOptions[Bson] = CodecOptions(tz_aware=True)
_PIECE = 250
_LENGTH = struct.Struct("<i")
_ID_LENGTH = 17
"""Of an id in a document: kind, name, value."""

_DOUBLE, _TEXT, _ARRAY, _BINARY, _ID, _BOOL, _NULL, _INT32, _INT64 = 1, 2, 4, 5, 7, 8, 10, 16, 18
_SIZES = {_DOUBLE: 8, _ID: 12, _BOOL: 1, _NULL: 0, _INT32: 4, _INT64: 8}
_NUMBERS = {_DOUBLE: "<f8", _BOOL: "?", _INT32: "<i4", _INT64: "<i8"}


def read_documents(batch: bytes, count: int, *, has_ids: bool) -> Read:
    """Read documents with their `_id`, if wanted, and the values `v0`, `v1`, ..., None where one is missing.

    Raises:
        ViewError: if one lacks its id.
    """
    return _read_alike(batch, count, has_ids=has_ids) or _read_each(batch, count, has_ids=has_ids)


def read_arrays(document: bytes, count: int, *, has_ids: bool) -> Read:
    """Read one document with the arrays `ids`, if wanted, and `v0`, `v1`, ...

    Raises:
        ViewError: if something else lies among the ids.
    """
    arrays = _arrays(document)
    return _array_of_ids(arrays["ids"]) if has_ids else NO_IDS, [_elements(arrays[f"v{n}"]) for n in range(count)]


# --- documents ------------------------------------------------------------------------------------------------------


def _read_each(batch: bytes, count: int, *, has_ids: bool) -> Read:
    """Read documents of any form."""
    starts = _starts(batch)
    ids = _ids(batch, starts[:-1]) if has_ids else NO_IDS
    if count == 1:
        texts = _texts(batch, starts, _ID_LENGTH if has_ids else 0)
        if texts is not None:
            return ids, [texts]
    columns: list[list[Any]] = [[] for _ in range(count)]
    for first in range(0, len(starts) - 1, _PIECE):  # so few that the collector of garbage meets none of them twice
        last = min(first + _PIECE, len(starts) - 1)
        documents = bson.decode_all(batch[starts[first] : starts[last]], _OPTIONS)
        for position, column in enumerate(columns):
            column += [document.get(f"v{position}") for document in documents]
    return ids, columns


def _starts(batch: bytes) -> list[int]:
    """Where each document begins, and where the last one ends."""
    length_at = _LENGTH.unpack_from
    starts = [0]
    while starts[-1] < len(batch):
        starts.append(starts[-1] + length_at(batch, starts[-1])[0])
    return starts


def _ids(batch: bytes, starts: list[int]) -> Array:
    """The ids, which come first in their documents."""
    places = np.array(starts)[:, None] + np.arange(4, 4 + _ID_LENGTH)
    found = np.frombuffer(batch, dtype=np.uint8)[np.minimum(places, len(batch) - 1)]
    if not (found[:, :5] == np.frombuffer(b"\x07_id\0", dtype=np.uint8)).all():
        raise ViewError("a step of mongo() in this view gives samples without their own '_id'. Keep it.")
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

    name: str
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
    at = 4
    while document[at]:
        kind = document[at]
        start = document.index(0, at + 1) + 1
        name = document[at + 1 : start - 1].decode()
        if kind == _BINARY:
            stop = start + 5 + int.from_bytes(document[start : start + 4], "little")
            if document[start + 4] != VECTOR_SUBTYPE or document[start + 5 : start + 7] != b"\x27\x00":
                return None
            parts[name] = _Part(name, kind, start + 7, stop)
        elif kind in _SIZES and (kind == _ID) == (name == "_id"):
            stop = start + _SIZES[kind]
            parts[name] = _Part(name, kind, start, stop)
        else:
            return None
        at = stop
    return parts


# --- arrays ---------------------------------------------------------------------------------------------------------


def _arrays(document: bytes) -> dict[str, bytes]:
    """The arrays in a document that holds nothing else but None."""
    found = {}
    at = 4
    while document[at]:
        start = document.index(0, at + 1) + 1
        stop = start + int.from_bytes(document[start : start + 4], "little") if document[at] == _ARRAY else start
        found[document[at + 1 : start - 1].decode()] = document[start:stop]
        at = stop
    return found


def _elements(array: bytes) -> list[Any]:
    alike = _alike(array)
    if alike is None or alike[0] not in _NUMBERS:
        return list(bson.decode(_LENGTH.pack(len(array) + 8) + b"\x04v\0" + array + b"\0")["v"])
    kind, held = alike
    return list(held.view(_NUMBERS[kind]).ravel().tolist())


def _alike(array: bytes) -> tuple[int, Array] | None:
    """Read an array of elements of one kind and size; the name of each is its position in digits."""
    kind = array[4]
    size = _SIZES.get(kind)
    if size is None:
        return None
    lengths: list[Array] = []
    left, digits = len(array) - 5, 1
    while left > 0:
        length = 2 + digits + size
        count = min(10 if digits == 1 else 9 * 10 ** (digits - 1), left // length)
        if count == 0:
            return None
        lengths.append(np.full(count, length))
        left -= count * length
        digits += 1
    if not lengths:
        return None
    ends = 4 + np.cumsum(np.concatenate(lengths))
    packed = np.frombuffer(array, dtype=np.uint8)
    if not (packed[ends - np.concatenate(lengths)] == kind).all():
        return None
    return kind, packed[ends[:, None] + np.arange(-size, 0)]


def _array_of_ids(array: bytes) -> Array:
    kind, ids = _alike(array) or (0, NO_IDS)
    if kind != _ID:
        raise ViewError("a step of mongo() in this view gives samples without their own '_id'. Keep it.")
    return ids
