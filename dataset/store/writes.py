"""The writes of many values by id, each in the way that costs the server least.

Each asks its hold before, and again before it is repeated on a new connection: the action may have been undone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import bson
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from ..errors import StoreError
from ..types import Bson, SampleId
from .actions import ABSENT, Hold, bulk_update, pack_ids
from .calls import in_parallel, resilient, write_packed
from .samples import list_indexes, samples_name

_CHUNK = 5_000
_WRITERS = 3


def set_values(hold: Hold, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]]) -> None:
    """Write encoded values at their paths by id, never inserting; ABSENT unsets. Safe to repeat.

    Raises:
        StoreError: if the server refuses a value.
    """
    if not ids or not columns:
        return
    threads = 1 if _is_unique(hold.dataset_id, columns) else _WRITERS  # there one write can stand in another's way

    def write(start: int) -> None:
        part = slice(start, start + _CHUNK)
        _write(hold, ids[part], {path: values[part] for path, values in columns.items()})

    in_parallel(write, range(0, len(ids), _CHUNK), threads)


def _is_unique(dataset_id: str, columns: Mapping[str, Any]) -> bool:
    tops = {path.split(".")[0] for path in columns}
    unique = [index for index in list_indexes(dataset_id).values() if index.get("unique")]
    return any(key.split(".")[0] in tops for index in unique for key, _ in index["key"])


def _write(hold: Hold, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]]) -> None:
    if all(value is values[0] for values in columns.values() for value in values):
        failures = _write_same(hold, ids, {path: values[0] for path, values in columns.items()})
    elif all(set(map(type, values)) == {float} for values in columns.values()):
        failures = _write_floats(hold, ids, columns)
    else:
        failures = _write_each(hold, ids, columns)
    if failures:
        raise StoreError(f"the database refused a value: {failures[0].get('errmsg')}")


def _write_same(hold: Hold, ids: Sequence[SampleId], values: Mapping[str, Any]) -> list[Bson]:
    """Write the same to all."""
    query = {"_id": {"$in": [ObjectId(sample_id) for sample_id in ids]}}
    return _send(hold, bson.encode({"q": query, "u": _update(values), "multi": True}))


def _write_floats(hold: Hold, ids: Sequence[SampleId], columns: Mapping[str, Sequence[float]]) -> list[Bson]:
    """Write numbers: statements that differ in nothing but ids and numbers are made with numpy."""
    zeros: Bson = {"q": {"_id": ObjectId(bytes(12))}, "u": {"$set": dict.fromkeys(columns, 0.0)}}
    template = bson.encode(zeros)
    rows = np.tile(np.frombuffer(template, dtype=np.uint8), (len(ids), 1))
    at = template.index(b"\x07_id\0") + 5
    rows[:, at : at + 12] = np.frombuffer(pack_ids(ids), dtype=np.uint8).reshape(-1, 12)
    at = template.index(b"\x03$set\0") + 6 + 4
    for path, values in columns.items():
        at += len(path.encode()) + 2
        rows[:, at : at + 8] = np.array(values, dtype="<f8").view(np.uint8).reshape(-1, 8)
        at += 8
    return _send(hold, rows.tobytes())


def _send(hold: Hold, packed: bytes) -> list[Bson]:
    """Send statements that fit into one message; give what the server said of those that it refused."""
    name = samples_name(hold.dataset_id)
    return resilient(lambda: write_packed("update", name, packed, comment=hold.mark), hold.guard)


def _write_each(hold: Hold, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]]) -> list[Bson]:
    requests = []
    for row, sample_id in enumerate(ids):
        update = _update({path: values[row] for path, values in columns.items()})
        requests.append(UpdateOne({"_id": ObjectId(sample_id)}, update))
    return bulk_update(hold, requests)


def _update(values: Mapping[str, Any]) -> Bson:
    update: Bson = {}
    for path, value in values.items():
        if value is ABSENT:
            update.setdefault("$unset", {})[path] = ""
        else:
            update.setdefault("$set", {})[path] = value
    return update
