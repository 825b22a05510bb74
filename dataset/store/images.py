"""Before-images: what an action changes, stored before it is changed, and put back if the action fails.

They lie in `images.<dataset id>`, one document of about a megabyte per part:

    {_id: {action, part}, op: "set", ids: 12 bytes each, paths: [...], old: [projected documents],
     new: [8 bytes each, one run of them per path]}
    {_id: {action, part}, op: "tag", tag, ids: 12 bytes each of those that will get it}
    {_id: {action, part}, op: "untag", tag, ids: 12 bytes each of those that will lose it, old: [their tags]}
    {_id: {action, part}, op: "delete", old: [whole documents]}
    {_id: {action, part}, op: "insert", ids: 12 bytes each of those that will be there again, new: 8 bytes each}

`old[i]` lacks what the sample lacked; it is null where the sample itself is gone. A part that is larger than a document
may be is stored in pieces: {_id: {action, part, piece}, of: how many, data}.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from ..types import Bson, SampleId
from .actions import (
    ABSENT,
    RAW,
    Hold,
    absent_prefix,
    bulk_update,
    change_tag,
    delete,
    hash_values,
    pack_ids,
    projection,
    unpack_ids,
    value_at,
)
from .by_id import read_by_id
from .calls import collection, in_parallel, resilient
from .packing import array_of, with_array
from .samples import samples_name
from .writable import writes

PART_BYTES = 1_000_000
"""A part is closed when it has grown to this."""

_FIRST_COUNT, _LARGEST_COUNT = 200, 20_000
_WRITERS = 2
_LARGEST_PART = 15_000_000
_PIECE_BYTES = 12_000_000
_DUPLICATE_KEY, _PATH_NOT_VIABLE = 11000, 28

_log = logging.getLogger("saccade")


def _images(dataset_id: str) -> Collection[Any]:
    return collection(f"images.{dataset_id}").with_options(codec_options=RAW)


def add_images(hold: Hold, part: int, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]]) -> list[int]:
    """Store what is at the paths of `columns`, and hashes of the values that are about to be written there.

    Returns:
        The sizes of the parts, which are numbered from `part`.
    """
    steps = projection(list(columns))

    def add(number: int, start: int, stop: int) -> int:
        some = ids[start:stop]
        (old,) = read_by_id(hold.dataset_id, some, steps, size=len(some))
        new = [hash_values(values[start:stop]) for values in columns.values()]
        content: Bson = {"op": "set", "ids": pack_ids(some), "paths": list(columns), "new": new}
        return add_image(hold, number, content, array_of(old))

    if not ids:
        return []
    first = min(_FIRST_COUNT, len(ids))
    sizes = [add(part, 0, first)]  # which tells how many go into the others
    step = max(1, min(_LARGEST_COUNT, PART_BYTES * first // sizes[0]))
    starts = range(first, len(ids), step)
    parts = [(part + position, start, start + step) for position, start in enumerate(starts, 1)]
    return sizes + in_parallel(lambda one: add(*one), parts, _WRITERS)


def add_image(hold: Hold, part: int, content: Bson, old: bytes | None = None) -> int:
    """Store one part of an action's images, with `old` as an array of BSON; returns its size in bytes."""
    key = {"action": hold.number, "part": part}
    encoded = bson.encode({"_id": key, **content})
    if old is not None:
        encoded = with_array(encoded, "old", old)
    documents: dict[int, Any] = {-1: RawBSONDocument(encoded)}
    if len(encoded) > _LARGEST_PART:
        starts = range(0, len(encoded), _PIECE_BYTES)
        documents = {
            piece: {"_id": {**key, "piece": piece}, "of": len(starts), "data": encoded[start : start + _PIECE_BYTES]}
            for piece, start in enumerate(starts)
        }
    for document in documents.values():
        identity = {"_id": document["_id"]}
        resilient(
            lambda identity=identity, document=document: _images(hold.dataset_id).replace_one(  # type: ignore[misc]  # bound on purpose
                identity, document, upsert=True, comment=hold.mark
            ),
            hold.guard,
        )
    return len(encoded)


def read_images(dataset_id: str, number: int, *, newest_first: bool = False) -> Iterator[Mapping[str, Any]]:
    """The stored parts of an action's images, in the order of its writes or against it."""
    query = _of_action(number)
    listed = resilient(lambda: list(_images(dataset_id).find(query, {"_id": 1, "of": 1})))
    parts: defaultdict[int, list[Any]] = defaultdict(list)
    for found in listed:
        parts[int(found["_id"]["part"])].append(found)
    for part in sorted(parts, reverse=newest_first):
        pieces = sorted(parts[part], key=lambda found: int(found["_id"].get("piece", 0)))
        if len(pieces) < pieces[0].get("of", 1):
            continue  # its writer did not get to the end of it, and so wrote nothing of what it describes
        stored = [_read(dataset_id, piece["_id"]) for piece in pieces]
        if "of" in stored[0]:
            yield RawBSONDocument(b"".join(piece["data"] for piece in stored), codec_options=RAW)
        else:
            yield stored[0]


def _read(dataset_id: str, identity: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = resilient(lambda: _images(dataset_id).find_one({"_id": identity}))
    return found if found is not None else {"op": "set", "ids": b"", "paths": [], "old": [], "new": []}


def size_of(part: Mapping[str, Any]) -> int:
    """The bytes of a part as `add_image` gave them; 0 for one that was dropped while the others were read."""
    return len(part.raw) if isinstance(part, RawBSONDocument) else 0


@writes
def drop_images(dataset_id: str, number: int) -> None:
    """Delete an action's images."""
    resilient(lambda: _images(dataset_id).delete_many(_of_action(number)))


def _of_action(number: int) -> Bson:
    return {"_id": {"$gte": {"action": number}, "$lt": {"action": number + 1}}}


# --- putting back ---------------------------------------------------------------------------------------------------


def restore_part(hold: Hold, part: Mapping[str, Any]) -> None:
    """Put back what one part of an action changed. Safe to repeat.

    What cannot be put back because of what others wrote since (a unique index, a path that is none any more) is left
    as it is, with a warning: a rollback that stops half-way would help nobody.
    """
    if part["op"] == "delete":
        _restore_documents(hold, part["old"])
    elif part["op"] == "tag":
        change_tag(hold, unpack_ids(part["ids"]), part["tag"], add=False)
    elif part["op"] == "insert":
        delete(hold, unpack_ids(part["ids"]))
    else:
        _restore_values(hold, part["old"], ["tags"] if part["op"] == "untag" else part["paths"])


def _restore_values(hold: Hold, documents: Sequence[Mapping[str, Any] | None], paths: Sequence[str]) -> None:
    # Against the order of the writes, so that under a unique index each finds its old value free again.
    requests = [request for old in reversed(documents) if old is not None for request in _restoring(old, paths)]
    while requests:
        failures = [f for f in bulk_update(hold, requests) if f.get("code") != _PATH_NOT_VIABLE]
        if len(failures) == len(requests):
            _warn(hold, failures)
            return
        requests = [requests[failure["index"]] for failure in failures]


def _restoring(old: Mapping[str, Any], paths: Sequence[str]) -> Iterator[UpdateOne]:
    update: Bson = {}
    emptied: dict[str, None] = {}
    for path in paths:
        value = value_at(old, path)
        if value is not ABSENT:
            update.setdefault("$set", {})[path] = value
            continue
        update.setdefault("$unset", {})[path] = ""
        parent, prefix = path.rpartition(".")[0], absent_prefix(old, path)
        while parent and len(parent) >= len(prefix):
            emptied[parent] = None
            parent = parent.rpartition(".")[0]
    if update:
        yield UpdateOne({"_id": old["_id"]}, update)
    # What the write brought into being around its value goes too, unless somebody put something there.
    for path in sorted(emptied, key=len, reverse=True):
        yield UpdateOne({"_id": old["_id"], path: {}}, {"$unset": {path: ""}})


def _restore_documents(hold: Hold, documents: Sequence[RawBSONDocument]) -> None:
    refused = insert_documents(hold, documents)
    if refused:
        _warn(hold, refused)


def insert_documents(hold: Hold, documents: Sequence[RawBSONDocument]) -> list[Bson]:
    """Insert whole samples, but for those that are there; gives what the server said of those that it refused."""

    def write() -> list[Bson]:
        try:
            collection(samples_name(hold.dataset_id)).insert_many(documents, ordered=False, comment=hold.mark)
        except BulkWriteError as error:
            return list(error.details.get("writeErrors", []))
        return []

    failures = resilient(write, hold.guard) if documents else []
    return [f for f in failures if f.get("code") != _DUPLICATE_KEY or "_id" not in f.get("keyPattern", {})]


def _warn(hold: Hold, failures: Sequence[Mapping[str, Any]]) -> None:
    _log.warning(
        "%d samples could not be put back as they were before action %d: %s",
        len(failures), hold.number, failures[0].get("errmsg"),
    )  # fmt: skip
