"""Action records, and the writes of actions: what `dataset.journal` needs of the server, but for the images.

An action's record lies in `actions`; while it is live a unique index over its claims keeps others off its fields. While
it is live its `state` is open, recovering (somebody looks whether its writer is gone) or undoing; at last it is closed,
rolled_back, or withdrawn before it began.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import bson
import numpy as np
from bson import CodecOptions, ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError
from xxhash import xxh3_64_digest, xxh3_64_intdigest

from ..errors import DatasetNotFoundError
from ..types import Bson, SampleId
from .by_id import read_by_id
from .calls import Guard, collection, resilient
from .catalog import now
from .connection import app_name, database
from .samples import samples_name
from .writable import writes

CLAIMS = 256
"""Fields are claimed by the hash of their name modulo this; an action on whole samples claims all of them."""

WINDOW = 64
"""How far an action's number may lie below the last one when it is opened."""

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_READ_CHUNK = 1_000
_LARGEST_CHUNK = 20_000
_READ_BYTES = 1_000_000
_READ_WHOLE_CHUNK = 100
_QUIET_SECONDS = 0.02


class _Absent:
    """Stands for 'no value at this path': the write unsets it."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()


class Hold(NamedTuple):
    """What a write of an action carries: whose it is, and what is asked before it."""

    dataset_id: str
    number: int
    guard: Guard

    @property
    def mark(self) -> str:
        """The comment by which the server shows that it is at work for this action."""
        return f"{self.dataset_id}/{self.number}"


def claims_of(fields: Sequence[str] | None) -> list[int]:
    """The claim numbers of top-level fields; None claims everything."""
    if fields is None:
        return list(range(CLAIMS))
    return sorted({xxh3_64_intdigest(field.split(".")[0].encode()) % CLAIMS for field in fields})


# --- records --------------------------------------------------------------------------------------------------------


@writes
def next_number(dataset_id: str) -> int:
    """Issue the next action number of a dataset; numbers are never used twice.

    Raises:
        DatasetNotFoundError: if the dataset was deleted.
    """
    counter = resilient(
        lambda: collection("counters").find_one_and_update(
            {"_id": ObjectId(dataset_id)}, {"$inc": {"actions": 1}}, return_document=ReturnDocument.AFTER
        )
    )
    if counter is None:
        raise DatasetNotFoundError("this dataset was deleted; nothing can be written to it.")
    return int(counter["actions"])


def last_number(dataset_id: str) -> int:
    """The highest action number issued so far."""
    counter = resilient(lambda: collection("counters").find_one({"_id": ObjectId(dataset_id)}, {"actions": 1}))
    return int(counter["actions"]) if counter else 0


@writes
def open_action(dataset_id: str, number: int, record: Mapping[str, Any], claims: Sequence[int]) -> bool:
    """Insert an action's record with its claims; False if another live action holds one of them.

    Without claims it gets one of its own, since the index would count two empty lists as the same.
    """
    document = {
        "_id": f"{dataset_id}/{number}", "dataset": ObjectId(dataset_id), "number": number, "state": "open",
        "live": True, "claims": list(claims) or [-number], "writer": app_name(), "started": now(), "finished": None,
        "bytes": 0, **record,
    }  # fmt: skip

    def write() -> bool:
        try:
            collection("actions").insert_one(document, comment=document["_id"])
        except DuplicateKeyError:
            return collection("actions").count_documents({"_id": document["_id"]}) == 1  # an earlier try got through
        return True

    return resilient(write)


def ensure_indexes() -> None:
    """Make the index that keeps claims apart; called when a dataset is made."""
    resilient(_make_indexes)


def _make_indexes() -> None:
    actions = collection("actions")
    actions.create_index(
        [("dataset", 1), ("claims", 1)], unique=True, name="claims", partialFilterExpression={"live": True}
    )
    actions.create_index([("dataset", 1), ("number", 1)], name="number")
    is_undo = {"undoes": {"$exists": True}}
    actions.create_index([("dataset", 1), ("undoes", 1)], name="undoes", partialFilterExpression=is_undo)


def read_action(dataset_id: str, number: int) -> Bson | None:
    """The record of one action."""
    return resilient(lambda: collection("actions").find_one({"_id": f"{dataset_id}/{number}"}))


def live_actions(dataset_id: str, claims: Sequence[int] | None = None) -> list[Bson]:
    """The live actions of a dataset that hold any of `claims` (all live ones for None), oldest first."""
    query: Bson = {"dataset": ObjectId(dataset_id), "live": True}
    if claims is not None:
        query["claims"] = {"$in": list(claims)}
    return resilient(lambda: list(collection("actions").find(query, {"claims": 0}).sort("number", 1)))


def newest_actions(dataset_id: str, number: int, claims: Sequence[int]) -> list[tuple[int, bool]]:
    """The actions on any of `claims` that are live or have a higher number: number, and whether it is live.

    Actions are not opened in the order of their numbers, but none is opened under a number that lies `WINDOW` or more
    below the last one. So two answers for the same `number`, which was that far below, are equal and without live ones
    only if no action ran between them.
    """
    held = {"dataset": ObjectId(dataset_id), "claims": {"$in": list(claims)}}
    # Written out for both, so that each finds its index and the whole history is not looked at.
    query = {"$or": [{**held, "live": True}, {**held, "number": {"$gt": number}}]}
    found = resilient(lambda: list(collection("actions").find(query, {"number": 1, "live": 1}).sort("number", 1)))
    return [(int(record["number"]), bool(record["live"])) for record in found]


def list_actions(dataset_id: str, query: Bson | None = None, *, newest: int | None = None) -> list[Bson]:
    """Records of a dataset's actions, oldest first; or the `newest` ones (0: all), newest first."""
    wanted = {"dataset": ObjectId(dataset_id), **(query or {})}
    order, limit = (1, 0) if newest is None else (-1, newest)
    return resilient(lambda: list(collection("actions").find(wanted, {"claims": 0}).sort("number", order).limit(limit)))


def undoers(dataset_id: str) -> dict[int, int]:
    """The numbers of the actions that were undone, each with the number of the one that undid it."""
    query = {"dataset": ObjectId(dataset_id), "undoes": {"$gt": 0}, "state": "closed"}
    found = resilient(lambda: list(collection("actions").find(query, {"undoes": 1, "number": 1})))
    return {int(record["undoes"]): int(record["number"]) for record in found}


def undoing(number: int, undone: Mapping[int, int]) -> tuple[int, bool]:
    """Follow an action through what undid it, what undid that, and so on.

    Args:
        number: the action.
        undone: what `undoers` gave.

    Returns:
        The last one of them, and whether the action is undone by it: after an odd number of steps.

    Example:
        >>> undoing(3, {3: 5}), undoing(3, {3: 5, 5: 8}), undoing(3, {})
        ((5, True), (8, False), (3, False))
    """
    steps = 0
    while number in undone:
        number, steps = undone[number], steps + 1
    return number, steps % 2 == 1


@writes
def move_to_run(dataset_id: str, keys: Sequence[str], new_key: str) -> None:
    """Let the actions of runs be those of another key."""
    query = {"dataset": ObjectId(dataset_id), "run": {"$in": list(keys)}}
    resilient(lambda: collection("actions").update_many(query, {"$set": {"run": new_key}}))


@writes
def change_state(dataset_id: str, number: int, expected: Mapping[str, Any], **changes: Any) -> bool:
    """Compare-and-set on an action's record; True also when an earlier try had already done it."""
    return _compare_and_set(dataset_id, number, expected, changes, {})


@writes
def end_action(dataset_id: str, number: int, expected: Mapping[str, Any], **changes: Any) -> bool:
    """Compare-and-set by which an action ends, at a time that the server takes; what it claimed is free then."""
    return _compare_and_set(
        dataset_id, number, expected, {"live": False, **changes}, {"$currentDate": {"finished": True}}
    )


def _compare_and_set(
    dataset_id: str, number: int, expected: Mapping[str, Any], changes: Mapping[str, Any], also: Bson
) -> bool:
    identity = {"_id": f"{dataset_id}/{number}"}

    def write() -> bool:
        done = collection("actions").update_one({**identity, **expected}, {"$set": changes, **also})
        return bool(done.matched_count) or collection("actions").count_documents({**identity, **changes}) == 1

    return resilient(write)


def settle(dataset_id: str, number: int) -> None:
    """Wait until the server has finished what it still does for an action whose connection broke or was dropped."""
    pipeline: list[Bson] = [
        {"$currentOp": {"allUsers": False}},
        {"$match": {"command.comment": f"{dataset_id}/{number}"}},
        {"$limit": 1},
    ]
    quiet = 0
    while quiet < 2:  # twice, since the first look may come before the server has begun
        busy = resilient(lambda: list(database().client.admin.aggregate(pipeline)))
        quiet = 0 if busy else quiet + 1
        time.sleep(_QUIET_SECONDS)


def server_time() -> datetime:
    """The time in UTC by the server's clock."""
    found: datetime = resilient(lambda: database().command("hello")["localTime"])
    return found.replace(tzinfo=UTC)


# --- reading --------------------------------------------------------------------------------------------------------


def read_raw(
    dataset_id: str, ids: Sequence[SampleId], paths: Sequence[str] | None
) -> Iterator[list[RawBSONDocument | None]]:
    """Read documents as raw BSON, projected to `paths` (whole for None), in the order of `ids`, in chunks."""
    steps = [] if paths is None else projection(paths)
    start, size = 0, _READ_WHOLE_CHUNK if paths is None else _READ_CHUNK
    while start < len(ids):
        (found,) = read_by_id(dataset_id, ids[start : start + size], steps, size=size)
        yield [None if document is None else RawBSONDocument(document, RAW) for document in found]
        start += size
        if paths is not None:  # small documents many at once
            size = max(_READ_CHUNK, min(_LARGEST_CHUNK, _READ_BYTES * size // (1 + sum(map(len, filter(None, found))))))


def projection(paths: Sequence[str]) -> list[Bson]:
    """The step of a pipeline that leaves nothing but ids and the values at some paths."""
    # "a" together with "a.b" would be refused as a collision, and "a" holds "a.b" anyway
    shortest = [path for path in paths if not any(path.startswith(other + ".") for other in paths)]
    return [{"$project": {"_id": 1, **dict.fromkeys(shortest, 1)}}]


def with_null(dataset_id: str, ids: Sequence[SampleId], path: str) -> list[SampleId]:
    """Those of `ids` whose value at `path` is null, inside which nothing can be set."""
    found: list[SampleId] = []
    for start in range(0, len(ids), _READ_CHUNK):
        chunk = [ObjectId(sample_id) for sample_id in ids[start : start + _READ_CHUNK]]
        query = {"_id": {"$in": chunk}, path: {"$type": "null"}}
        documents = resilient(lambda query=query: list(collection(samples_name(dataset_id)).find(query, {"_id": 1})))  # type: ignore[misc]  # bound on purpose
        found += [str(document["_id"]) for document in documents]
    return found


def pack_ids(ids: Sequence[SampleId]) -> bytes:
    """Pack ids as 12 bytes each."""
    return bytes.fromhex("".join(ids))


def unpack_ids(packed: bytes) -> list[SampleId]:
    """Unpack what `pack_ids` packed."""
    text = bytes(packed).hex()
    return [text[start : start + 24] for start in range(0, len(text), 24)]


def hash_value(value: Any) -> bytes:
    """8 bytes that tell whether a stored value is still the one that was written; zeros for no value.

    The order of a document's entries does not count: undoing may put one back behind the others.
    """
    if value is ABSENT:
        return bytes(8)
    return xxh3_64_digest(bson.encode({"v": _ordered(value)}))


def _ordered(value: Any) -> Any:
    return {key: _ordered(value[key]) for key in sorted(value)} if isinstance(value, Mapping) else value


def hash_values(values: Sequence[Any]) -> bytes:
    """The hashes of many values, one after another."""
    if not values:
        return b""
    first = values[0]
    if all(value is first for value in values):
        return hash_value(first) * len(values)
    if set(map(type, values)) != {float}:
        return b"".join(map(hash_value, values))
    rows = np.tile(np.frombuffer(bson.encode({"v": 0.0}), dtype=np.uint8), (len(values), 1))
    rows[:, 7:15] = np.array(values, dtype="<f8").view(np.uint8).reshape(-1, 8)
    packed = rows.tobytes()
    return b"".join([xxh3_64_digest(packed[at : at + 16]) for at in range(0, len(packed), 16)])


# --- values in raw documents ----------------------------------------------------------------------------------------


def value_at(document: Mapping[str, Any] | None, path: str) -> Any:
    """The value at a dotted path of a document, or ABSENT."""
    value: Any = document
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return ABSENT
        value = value[key]
    return value


def absent_prefix(document: Mapping[str, Any], path: str) -> str:
    """The shortest prefix of an absent path that is absent as well: what a write would bring into being."""
    keys = path.split(".")
    for depth in range(1, len(keys)):
        prefix = ".".join(keys[:depth])
        if value_at(document, prefix) is ABSENT:
            return prefix
    return path


# --- writes ---------------------------------------------------------------------------------------------------------


# Each asks its hold before, and again before it is repeated on a new connection: the action may have been undone.


def change_tag(hold: Hold, ids: Sequence[SampleId], tag: str, *, add: bool) -> None:
    """Add or remove one tag on samples by id. Safe to repeat."""
    query = {"_id": {"$in": [ObjectId(sample_id) for sample_id in ids]}}
    update = {"$addToSet" if add else "$pull": {"tags": tag}}
    name = samples_name(hold.dataset_id)
    resilient(lambda: collection(name).update_many(query, update, comment=hold.mark), hold.guard)


def delete(hold: Hold, ids: Sequence[SampleId]) -> None:
    """Delete samples by id. Safe to repeat."""
    query = {"_id": {"$in": [ObjectId(sample_id) for sample_id in ids]}}
    name = samples_name(hold.dataset_id)
    resilient(lambda: collection(name).delete_many(query, comment=hold.mark), hold.guard)


def bulk_update(hold: Hold, requests: Sequence[UpdateOne]) -> list[Bson]:
    """Send updates, each in its turn, and return what the server said of those that it refused."""

    def write() -> list[Bson]:
        try:
            collection(samples_name(hold.dataset_id)).bulk_write(requests, ordered=False, comment=hold.mark)
        except BulkWriteError as error:
            return list(error.details.get("writeErrors", []))
        return []

    return resilient(write, hold.guard) if requests else []
