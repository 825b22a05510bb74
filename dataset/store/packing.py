"""Vectors as BSON documents and back, many at once: every document of some vectors has the same layout."""

from typing import Any

import bson
import numpy as np
from bson.raw_bson import RawBSONDocument

from ..types import FloatArray
from .codec import encode_float32

Array = np.ndarray[Any, Any]


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

    def pack(self, keys: Array, matrix: FloatArray) -> list[RawBSONDocument]:
        """Give the documents of vectors.

        Args:
            keys: (n, bytes of a key) uint8.
            matrix: (n, d).
        """
        rows = np.tile(self._template, (len(keys), 1))
        rows[:, self._key] = keys
        rows[:, self._numbers] = np.ascontiguousarray(matrix, dtype="<f4").view(np.uint8)
        packed = rows.tobytes()
        return [RawBSONDocument(packed[at : at + self.length]) for at in range(0, len(packed), self.length)]

    def unpack(self, rows: Array) -> tuple[Array, FloatArray] | None:
        """Give the keys and numbers of documents, (n, bytes) uint8; None if one of them has another layout."""
        if rows.shape[1] != self.length or not (rows[:, self._same] == self._template[self._same]).all():
            return None
        return rows[:, self._key], rows[:, self._numbers].view("<f4")
