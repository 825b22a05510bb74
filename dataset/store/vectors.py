"""Vectors: one immutable document each, beside the samples, and the cached matrix they are read through.

A vector's `_id` is the binary of action number (8 bytes), sample id (12) and, for a label's vector, label id (12).
The sample holds the action number at the field's own path. Vectors are inserted first, markers after; so a marker that
can be read always has its vector, and nothing is ever changed in place.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bson import Int64, ObjectId

from ..errors import StoreError
from ..types import FloatArray, SampleId
from .answers import alike
from .calls import Guard, collection, in_parallel, resilient, write_packed
from .codec import decode_float32
from .packing import Layout
from .writable import writes

_INSERT_BYTES = _READ_BYTES = 1_000_000
_READ_KEYS = 2_000
_WRITERS, _READERS = 3, 2
_DUPLICATE_KEY = 11000

VectorKey = bytes
"""Number, sample id and, for a label's vector, label id: 20 or 32 bytes."""


def vectors_name(dataset_id: str) -> str:
    """The name of the collection that holds a dataset's vectors."""
    return f"vectors.{dataset_id}"


def vector_key(number: int, sample_id: SampleId, label_id: str | None = None) -> VectorKey:
    """The key of one vector."""
    return number.to_bytes(8, "big") + bytes.fromhex(sample_id) + (bytes.fromhex(label_id) if label_id else b"")


def sample_keys(number: int, ids: Sequence[SampleId]) -> list[VectorKey]:
    """The keys of the vectors of samples under one number."""
    head, packed = number.to_bytes(8, "big"), bytes.fromhex("".join(ids))
    return [head + packed[at : at + 12] for at in range(0, len(packed), 12)]


def vector_keys(
    numbers: Sequence[int], ids: np.ndarray[Any, Any], holders: Sequence[ObjectId] | None = None
) -> np.ndarray[Any, Any]:
    """The keys of many vectors of samples or labels.

    Args:
        numbers: the numbers of the actions that stored them.
        ids: (n, 12) uint8, the ids of the samples or labels.
        holders: the ids of the samples that hold the labels; None for vectors of samples.

    Returns:
        (n, 20) uint8, of labels (n, 32).
    """
    parts = [np.asarray(numbers, dtype=">i8").view(np.uint8).reshape(-1, 8), ids]
    if holders is not None:
        packed = b"".join(holder.binary for holder in holders)
        parts.insert(1, np.frombuffer(packed, dtype=np.uint8).reshape(-1, 12))
    return np.concatenate(parts, axis=1)


@writes
def insert_vectors(
    dataset_id: str, keys: Sequence[VectorKey], matrix: Sequence[FloatArray] | FloatArray, guard: Guard | None = None
) -> None:
    """Store vectors under their keys, which all have the same length, as the vectors have. Safe to repeat."""
    if len(keys) == 0:
        return
    layout = Layout(len(keys[0]), len(matrix[0]))
    step = max(1, _INSERT_BYTES // layout.length)

    def write(start: int) -> None:
        packed = np.frombuffer(b"".join(keys[start : start + step]), dtype=np.uint8).reshape(-1, len(keys[0]))
        documents = layout.pack(packed, np.asarray(matrix[start : start + step], dtype=np.float32))
        failures = resilient(lambda: write_packed("insert", vectors_name(dataset_id), documents), guard)
        others = [failure for failure in failures if failure.get("code") != _DUPLICATE_KEY]
        if others:
            raise StoreError(f"vectors could not be stored: {others[0].get('errmsg')}")

    in_parallel(write, range(0, len(keys), step), _WRITERS)


def fetch_vectors(dataset_id: str, keys: Sequence[VectorKey]) -> dict[VectorKey, FloatArray]:
    """Read vectors by key."""
    found: dict[VectorKey, FloatArray] = {}
    for start in range(0, len(keys), _READ_KEYS):
        chunk = [bytes(key) for key in keys[start : start + _READ_KEYS]]

        def read(chunk: list[bytes] = chunk) -> list[dict[str, Any]]:
            return list(collection(vectors_name(dataset_id)).find({"_id": {"$in": chunk}}))

        for document in resilient(read):
            found[document["_id"]] = decode_float32(document["v"])
    return found


def fill_rows(dataset_id: str, keys: np.ndarray[Any, Any], matrix: FloatArray, rows: np.ndarray[Any, Any]) -> None:
    """Read the vectors of `keys[rows]` into `matrix[rows]`.

    Raises:
        StoreError: if a vector is missing or has another length than the matrix has columns.
    """
    if len(rows) == 0:
        return
    layout = Layout(keys.shape[1], matrix.shape[1])
    ordered = rows[np.argsort(_sortable(keys[rows]), kind="stable")]
    step = max(1, _READ_BYTES // layout.length)
    chunks = [ordered[start : start + step] for start in range(0, len(ordered), step)]

    def fill(chunk: np.ndarray[Any, Any]) -> None:
        missing = _fill_between(dataset_id, layout, keys, matrix, chunk)
        if len(missing):
            _fill_each(dataset_id, keys, matrix, missing)

    in_parallel(fill, chunks, _READERS)


def _sortable(keys: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(keys).view(f"S{keys.shape[1]}").ravel()


def _fill_between(
    dataset_id: str, layout: Layout, keys: np.ndarray[Any, Any], matrix: FloatArray, rows: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Read what lies between the first and the last key, which is faster than to ask for each; give the rows left.

    Args:
        dataset_id: the dataset.
        layout: that of the vectors.
        keys: the keys.
        matrix: where vectors are put.
        rows: the wanted rows, in the order of their keys.
    """
    query = {"_id": {"$gte": keys[rows[0]].tobytes(), "$lte": keys[rows[-1]].tobytes()}}
    limit = 2 * len(rows)  # where most of what lies there is not wanted, the rest is asked for one by one
    name = vectors_name(dataset_id)
    blocks = alike(name, {"find": name, "filter": query, "sort": {"_id": 1}, "limit": limit})
    parts = [layout.unpack(block) for block in blocks or ()]
    read = [part for part in parts if part is not None]
    if not read or len(read) < len(parts):
        return rows
    found, wanted = np.concatenate([part[0] for part in read]), keys[rows]
    if len(found) == len(wanted) and (found == wanted).all():
        is_together, at = (np.diff(rows) == 1).all(), 0
        for _, vectors in read:
            last = at + len(vectors)
            matrix[slice(rows[at], rows[last - 1] + 1) if is_together else rows[at:last]] = vectors
            at = last
        return rows[:0]
    vectors = np.concatenate([part[1] for part in read])
    places = np.minimum(np.searchsorted(_sortable(found), _sortable(wanted)), len(found) - 1)
    is_there = (found[places] == wanted).all(axis=1)
    matrix[rows[is_there]] = vectors[places[is_there]]
    left: np.ndarray[Any, Any] = rows[~is_there]
    return left


def _fill_each(dataset_id: str, keys: np.ndarray[Any, Any], matrix: FloatArray, rows: np.ndarray[Any, Any]) -> None:
    found = fetch_vectors(dataset_id, [keys[row].tobytes() for row in rows])
    for row in rows:
        vector = found.get(keys[row].tobytes())
        if vector is None or len(vector) != matrix.shape[1]:
            sample_id = keys[row, 8:20].tobytes().hex()
            state = "is missing" if vector is None else f"has {len(vector)} numbers, not {matrix.shape[1]}"
            raise StoreError(f"the vector of sample {sample_id} {state}. Compute the field again.")
        matrix[row] = vector


def vector_length(dataset_id: str, key: VectorKey) -> int:
    """How many numbers one stored vector has."""
    found = fetch_vectors(dataset_id, [key])
    if not found:
        raise StoreError(f"the vector of sample {key[8:20].hex()} is missing. Compute the field again.")
    return len(found[key])


def all_keys(dataset_id: str) -> list[VectorKey]:
    """Every stored key, ascending."""
    source = resilient(lambda: list(collection(vectors_name(dataset_id)).find({}, {"_id": 1}).sort("_id", 1)))
    return [document["_id"] for document in source]


@writes
def delete_vectors(dataset_id: str, keys: Sequence[VectorKey], guard: Guard) -> None:
    """Delete vectors by key; only the sweep calls this. Safe to repeat."""
    for start in range(0, len(keys), _READ_KEYS):
        chunk = [bytes(key) for key in keys[start : start + _READ_KEYS]]
        resilient(lambda chunk=chunk: collection(vectors_name(dataset_id)).delete_many({"_id": {"$in": chunk}}), guard)  # type: ignore[misc]  # bound on purpose


def marker(number: int) -> Int64:
    """The value that stands for a vector in a sample: the number of the action that stored it."""
    return Int64(number)
