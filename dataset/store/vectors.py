"""Vectors: one immutable document each, beside the samples, and the cached matrix they are read through.

A vector's `_id` is the binary of action number (8 bytes), sample id (12) and, for a label's vector, label id (12).
The sample holds the action number at the field's own path. Vectors are inserted first, markers after; so a marker that
can be read always has its vector, and nothing is ever changed in place.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bson import Int64
from pymongo.errors import BulkWriteError

from ..errors import StoreError
from ..types import FloatArray, SampleId
from .calls import Guard, collection, resilient
from .codec import decode_float32, encode_float32
from .samples import aggregate

_INSERT_BYTES = 4_000_000
_READ_KEYS = 2_000

VectorKey = bytes
"""Number, sample id and, for a label's vector, label id: 20 or 32 bytes."""


def vectors_name(dataset_id: str) -> str:
    """The name of the collection that holds a dataset's vectors."""
    return f"vectors.{dataset_id}"


def vector_key(number: int, sample_id: SampleId, label_id: str | None = None) -> VectorKey:
    """The key of one vector."""
    return number.to_bytes(8, "big") + bytes.fromhex(sample_id) + (bytes.fromhex(label_id) if label_id else b"")


def vector_keys(numbers: Sequence[int], ids: Sequence[SampleId]) -> np.ndarray[Any, Any]:
    """The keys of many sample vectors.

    Returns:
        (n, 20) uint8.
    """
    keys = np.empty((len(ids), 20), dtype=np.uint8)
    keys[:, :8] = np.asarray(numbers, dtype=">i8").view(np.uint8).reshape(-1, 8)
    keys[:, 8:] = np.frombuffer(bytes.fromhex("".join(ids)), dtype=np.uint8).reshape(-1, 12)
    return keys


def insert_vectors(
    dataset_id: str, keys: Sequence[VectorKey], matrix: Sequence[FloatArray] | FloatArray, guard: Guard | None = None
) -> None:
    """Store vectors under their keys. Safe to repeat."""
    if len(keys) == 0:
        return
    step = max(1, _INSERT_BYTES // (4 * max(1, len(matrix[0])) + 64))
    for start in range(0, len(keys), step):
        documents = [
            {"_id": bytes(key), "v": encode_float32(vector)}
            for key, vector in zip(keys[start : start + step], matrix[start : start + step], strict=True)
        ]

        def write(documents: list[dict[str, Any]] = documents) -> None:
            try:
                collection(vectors_name(dataset_id)).insert_many(documents, ordered=False)
            except BulkWriteError as error:
                others = [f for f in error.details.get("writeErrors", []) if f.get("code") != 11000]
                if others:
                    raise StoreError(f"vectors could not be stored: {others[0].get('errmsg')}") from error

        resilient(write, guard)


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
    for start in range(0, len(rows), _READ_KEYS):
        chunk = rows[start : start + _READ_KEYS]
        found = fetch_vectors(dataset_id, [keys[row].tobytes() for row in chunk])
        for row in chunk:
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


def read_markers(dataset_id: str, pipeline: Sequence[Mapping[str, Any]], path: str) -> tuple[list[SampleId], list[int]]:
    """The ids and markers of the samples that have a vector at `path`, in the pipeline's order."""
    ids, numbers = [], []
    for document in aggregate(dataset_id, [*map(dict, pipeline), {"$project": {"marker": f"${path}"}}]):
        marker = document.get("marker")
        if isinstance(marker, int) and not isinstance(marker, bool):
            ids.append(str(document["_id"]))
            numbers.append(int(marker))
    return ids, numbers


def all_keys(dataset_id: str) -> list[VectorKey]:
    """Every stored key, ascending."""
    source = resilient(lambda: list(collection(vectors_name(dataset_id)).find({}, {"_id": 1}).sort("_id", 1)))
    return [document["_id"] for document in source]


def delete_vectors(dataset_id: str, keys: Sequence[VectorKey], guard: Guard) -> None:
    """Delete vectors by key; only the sweep calls this. Safe to repeat."""
    for start in range(0, len(keys), _READ_KEYS):
        chunk = [bytes(key) for key in keys[start : start + _READ_KEYS]]
        resilient(lambda chunk=chunk: collection(vectors_name(dataset_id)).delete_many({"_id": {"$in": chunk}}), guard)  # type: ignore[misc]  # bound on purpose


def marker(number: int) -> Int64:
    """The value that stands for a vector in a sample: the number of the action that stored it."""
    return Int64(number)
