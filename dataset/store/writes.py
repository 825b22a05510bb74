"""The writes of many values by id, each in the way that costs the server least.

Each asks its hold before, and again before it is repeated on a new connection: the action may have been undone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import bson
import numpy as np
from bson import ObjectId

from ..errors import StoreError
from ..types import Bson, SampleId
from .actions import ABSENT, Hold, pack_ids
from .calls import in_parallel, resilient, write_packed
from .codec import to_raw
from .packing import messages
from .samples import list_indexes, samples_name

_CHUNK = 5_000
_ALIKE = 50
_FEW_VALUED = frozenset({bool, int, str, type(None), type(ABSENT)})
_WRITERS = 3


def set_values(hold: Hold, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]]) -> None:
    """Write encoded values at their paths by id, never inserting; ABSENT unsets. Safe to repeat.

    Raises:
        StoreError: if the server refuses a value.
    """
    if not ids or not columns:
        return
    is_unique = _is_unique(hold.dataset_id, columns)  # then one write can stand in another's way

    def write(start: int) -> None:
        part = slice(start, start + _CHUNK)
        _write(hold, ids[part], {path: values[part] for path, values in columns.items()}, is_each=is_unique)

    in_parallel(write, range(0, len(ids), _CHUNK), 1 if is_unique else _WRITERS)


def _is_unique(dataset_id: str, columns: Mapping[str, Any]) -> bool:
    tops = {path.split(".")[0] for path in columns}
    unique = [index for index in list_indexes(dataset_id).values() if index.get("unique")]
    return any(key.split(".")[0] in tops for index in unique for key, _ in index["key"])


def _write(hold: Hold, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]], *, is_each: bool) -> None:
    alike = {} if is_each else _alike(columns, len(ids))
    if alike:
        statements = [_for_all([ids[row] for row in rows], _at(columns, rows[0])) for rows in alike.values()]
        failures = _send(hold, statements)
    elif all(set(map(type, values)) == {float} for values in columns.values()):
        failures = _send(hold, [_floats(ids, columns)])
    else:
        failures = _send(hold, [_for_one(sample_id, _at(columns, row)) for row, sample_id in enumerate(ids)])
    if failures:
        raise StoreError(f"the database refused a value: {failures[0].get('errmsg')}")


def _alike(columns: Mapping[str, Sequence[Any]], count: int) -> Mapping[Any, Sequence[int]]:
    """The rows of each of the values, where there are few: the server writes them to many samples in one go."""
    if all(value is values[0] for values in columns.values() for value in values):
        return {None: range(count)}
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    for row, values in enumerate(zip(*columns.values(), strict=True)):
        kinds = tuple(map(type, values))  # 1, 1.0 and True are equal
        if not _FEW_VALUED.issuperset(kinds):
            return {}
        groups[kinds, values].append(row)
        if len(groups) * _ALIKE > count:
            return {}
    return groups


def _at(columns: Mapping[str, Sequence[Any]], row: int) -> dict[str, Any]:
    return {path: values[row] for path, values in columns.items()}


def _for_one(sample_id: SampleId, values: Mapping[str, Any]) -> bytes:
    return to_raw({"q": {"_id": ObjectId(sample_id)}, "u": _update(values)})


def _for_all(ids: Sequence[SampleId], values: Mapping[str, Any]) -> bytes:
    query = {"_id": {"$in": [ObjectId(sample_id) for sample_id in ids]}}
    return to_raw({"q": query, "u": _update(values), "multi": True})


def _floats(ids: Sequence[SampleId], columns: Mapping[str, Sequence[float]]) -> bytes:
    """Statements that differ in nothing but ids and numbers, one after another: they are made with numpy."""
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
    return rows.tobytes()


def _send(hold: Hold, statements: Sequence[bytes]) -> list[Bson]:
    """Send update statements; give what the server said of those that it refused."""
    name = samples_name(hold.dataset_id)
    failures: list[Bson] = []
    for some in messages(statements):
        send = partial(write_packed, "update", name, b"".join(some), comment=hold.mark)
        failures += resilient(send, hold.guard)
    return failures


def _update(values: Mapping[str, Any]) -> Bson:
    update: Bson = {}
    for path, value in values.items():
        if value is ABSENT:
            update.setdefault("$unset", {})[path] = ""
        else:
            update.setdefault("$set", {})[path] = value
    return update
