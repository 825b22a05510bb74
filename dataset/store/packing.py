"""Many BSON documents at once: in one piece of a message, and those of vectors, which all have the same layout."""

from collections.abc import Iterator, Sequence
from typing import Any

import bson
import numpy as np
from bson.raw_bson import RawBSONDocument

from ..types import FloatArray
from .codec import encode_float32

Array = np.ndarray[Any, Any]

MESSAGE_BYTES = 8_000_000
"""How much is put into one message, but for a single document that is larger."""


class Packed(RawBSONDocument):
    """Documents one after another, in the place of a single one in what a command inserts or updates.

    A message holds them one after another as well, and the driver writes what is raw as it is; so nothing is made or
    copied for each of them.
    """

    __slots__ = ("_documents",)

    def __init__(self, documents: bytes) -> None:
        """Take documents; nothing is checked."""
        self._documents = documents

    @property
    def raw(self) -> bytes:
        """The documents."""
        return self._documents


def messages(documents: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Split documents into as many as go into a message at once."""
    first, size = 0, 0
    for position, document in enumerate(documents):
        if size and size + len(document) > MESSAGE_BYTES:
            yield documents[first:position]
            first, size = position, 0
        size += len(document)
    if size:
        yield documents[first:]


def array_of(documents: Sequence[bytes | None]) -> bytes:
    """Documents as a BSON array, with null for None."""
    elements = [
        b"\x0a%d\0" % position if document is None else b"\x03%d\0%b" % (position, document)
        for position, document in enumerate(documents)
    ]
    size = 5 + sum(map(len, elements))
    return b"".join([size.to_bytes(4, "little"), *elements, b"\0"])


def with_array(document: bytes, name: str, array: bytes) -> bytes:
    """A BSON document with one more value, an array."""
    parts = document[4:-1], b"\x04", name.encode(), b"\0", array, b"\0"
    return b"".join([(4 + sum(map(len, parts))).to_bytes(4, "little"), *parts])


class Layout:
    """Where key and numbers lie in the document of a vector.

    Args:
        key: how many bytes a key has.
        dimension: how many numbers a vector has.
    """

    def __init__(self, key: int, dimension: int) -> None:
        """Look at the document of a vector of zeros."""
        document = bson.encode({"_id": bytes(key), "v": encode_float32(np.zeros(dimension, dtype=np.float32))})
        self._template = np.frombuffer(document, dtype=np.uint8)
        self.length = len(document)
        start = document.index(b"_id\0") + 4 + 5  # after the name: length and subtype
        self._key = slice(start, start + key)
        self._numbers = slice(self.length - 1 - 4 * dimension, self.length - 1)
        self._same = np.ones(self.length, dtype=bool)
        self._same[self._key] = self._same[self._numbers] = False

    def pack(self, keys: Array, matrix: FloatArray) -> bytes:
        """Give the documents of vectors, one after another.

        Args:
            keys: (n, bytes of a key) uint8.
            matrix: (n, d).
        """
        rows = np.tile(self._template, (len(keys), 1))
        rows[:, self._key] = keys
        rows[:, self._numbers] = np.ascontiguousarray(matrix, dtype="<f4").view(np.uint8)
        return rows.tobytes()

    def unpack(self, rows: Array) -> tuple[Array, FloatArray] | None:
        """Give the keys and numbers of documents, (n, bytes) uint8; None if one of them has another layout."""
        if rows.shape[1] != self.length or not (rows[:, self._same] == self._template[self._same]).all():
            return None
        return rows[:, self._key], rows[:, self._numbers].view("<f4")
