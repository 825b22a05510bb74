"""One attribute of documents in lists, such as the labels of boxes: a list per sample, out of raw BSON.

The server takes half as long to leave everything else out as to compute lists of the attribute. What is left is read
with numpy: the first document of every list, the second of every list, and so on.
"""

from typing import Any, NamedTuple, TypeAlias

import bson
import numpy as np

from .codec import OPTIONS
from .raw import Array

_DOUBLE, _TEXT, _DOCUMENT = 1, 2, 3
_FEW, _MANY = 16, 100
_LONG = 64

_NONE: Array = np.empty(0, dtype=np.int64)

_Element: TypeAlias = tuple[Array, Array, Array, Array]
"""Of the first, second, ... in all lists: which documents have one, and kind (0 if missing), place and length of it."""


class Listed(NamedTuple):
    """An attribute of the documents in a list."""

    path: str
    attribute: str

    def shown(self) -> dict[str, int]:
        """What the server is to leave in the samples."""
        return {f"{self.path}.{self.attribute}": 1}

    def code(self) -> Any:
        """The expression of the server that gives the values, for use beside others."""
        return {"$map": {"input": f"${self.path}", "in": {"$ifNull": [f"$$this.{self.attribute}", None]}}}

    def of(self, document: Any) -> list[Any] | None:
        """The values in a document that holds nothing else."""
        for name in self.path.split("."):
            document = document.get(name) if isinstance(document, dict) else None
        return [each.get(self.attribute) for each in document] if isinstance(document, list) else None


def read_lists(batch: bytes, starts: list[int], listed: Listed, *, before: int) -> list[Any]:
    """Read documents of which `listed` left what it shows.

    Args:
        batch: the documents, one after another.
        starts: where each begins, and where the last one ends.
        listed: what is read.
        before: how many bytes there are in each before the list: its length, and its id if it has one.
    """
    values: list[Any] = [None] * (len(starts) - 1)
    begins = np.array(starts[:-1], dtype=np.int64) + before
    padded = batch + bytes(6 * len(listed.path) + len(listed.attribute) + 64)  # so that no look leads outside
    first = _first_elements(padded, begins, listed)
    walked = None if first is None else _walk(padded, first, listed.attribute)
    odd = list(range(len(values)))
    if first is not None and walked is not None:
        elements, left = walked
        odd = left.tolist()
        lists = np.flatnonzero(first >= 0)
        for row, held in zip(lists.tolist(), _split(padded, elements, len(values), lists), strict=True):
            values[row] = held
    for row in odd:
        values[row] = listed.of(bson.decode(batch[starts[row] : starts[row + 1]], OPTIONS))
    return values


def _first_elements(batch: bytes, begins: Array, listed: Listed) -> Array | None:
    """Where the elements of each list begin, -1 where there is no list; None if a document is of another form."""
    names = [name.encode() for name in listed.path.split(".")]
    head = b"".join(b"\x03" + name + bytes(5) for name in names[:-1]) + b"\x04" + names[-1] + bytes(5)
    is_length = np.zeros(len(head), dtype=bool)
    at = 0
    for name in names:
        at += len(name) + 6
        is_length[at - 4 : at] = True
    found = _at(batch, f"V{len(head)}", begins).view(np.uint8).reshape(-1, len(head))
    expected = np.frombuffer(head, dtype=np.uint8)[~is_length]
    is_list = (found[:, ~is_length] == expected).all(axis=1)
    is_bare = np.frombuffer(batch, dtype=np.uint8)[begins] == 0
    return np.where(is_list, begins + len(head), -1) if (is_list | is_bare).all() else None


def _walk(batch: bytes, first: Array, attribute: str) -> tuple[list[_Element], Array] | None:
    """Go through all lists at once; None if an element is of another form.

    Returns:
        The elements, and the documents that were left because few have so many.
    """
    packed = np.frombuffer(batch, dtype=np.uint8)
    name = np.frombuffer(attribute.encode() + b"\0", dtype=np.uint8)
    rows = np.flatnonzero(first >= 0)
    at, elements = first[rows], list[_Element]()
    while True:
        goes_on = packed[at] != 0
        rows, at = rows[goes_on], at[goes_on]
        if len(rows) == 0 or (len(elements) > _MANY and len(rows) < _FEW):
            return elements, rows
        inner = at + 2 + len(str(len(elements)))
        size = _at(batch, "<i4", inner)
        value = inner + 5 + len(name)
        found = _at(batch, f"V{len(name)}", inner + 5).view(np.uint8).reshape(-1, len(name))
        kind = np.where(size == 5, 0, packed[inner + 4])
        length = np.where(kind == _TEXT, _at(batch, "<i4", value) + 4, np.where(kind == _DOUBLE, 8, 0))
        is_known = (kind == 0) | ((length > 0) & (found == name).all(axis=1) & (size == 6 + len(name) + length))
        if not (is_known & (packed[at] == _DOCUMENT) & (packed[inner - 1] == 0)).all():
            return None
        elements.append((rows, kind, value, length))
        at = inner + size


def _split(batch: bytes, elements: list[_Element], count: int, lists: Array) -> list[list[Any]]:
    """The values of each list."""
    counts = np.zeros(count, dtype=np.int64)
    for rows, *_ in elements:
        counts[rows] += 1
    ends = np.cumsum(counts)
    begins = ends - counts
    places = np.concatenate([begins[rows] + turn for turn, (rows, *_) in enumerate(elements)] or [_NONE])
    kinds, values, lengths = (np.concatenate([element[part] for element in elements] or [_NONE]) for part in (1, 2, 3))
    flat = np.empty(len(places), dtype=object)
    is_number = kinds == _DOUBLE
    flat[places[is_number]] = _at(batch, "<f8", values[is_number]).tolist()
    for length in np.unique(lengths[kinds == _TEXT]).tolist():
        chosen = (kinds == _TEXT) & (lengths == length)
        flat[places[chosen]] = _texts(batch, values[chosen] + 4, length - 5)
    held = flat.tolist()
    return [held[begin:end] for begin, end in zip(begins[lists].tolist(), ends[lists].tolist(), strict=True)]


def _texts(batch: bytes, starts: Array, length: int) -> list[str]:
    """Texts of one length."""
    if 0 < length < _LONG:
        found = _at(batch, f"S{length}", starts)
        characters = found.view(np.uint8).reshape(-1, length)
        if characters.max() < 128 and characters[:, -1].all():  # numpy drops zeros from the end
            wide = np.ascontiguousarray(characters, dtype=np.uint32)
            return list(wide.view(f"U{length}").ravel().tolist())
    return [batch[start : start + length].decode() for start in starts.tolist()]


def _at(batch: bytes, kind: str, places: Array) -> Array:
    """Values of one kind at any places."""
    everywhere: Array = np.ndarray((len(batch) - np.dtype(kind).itemsize + 1,), kind, batch, strides=(1,))
    return everywhere[places]
