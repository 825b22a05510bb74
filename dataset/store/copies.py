"""Copies of what belongs to a dataset, made on the server: for clones. Each step can be repeated."""

from collections.abc import Mapping, Sequence

from bson import ObjectId
from pymongo import ReplaceOne

from ..types import Bson
from .actions import RAW
from .calls import collection, resilient
from .codec import to_bson_query
from .samples import addressed, create_index, list_indexes, samples_name
from .vectors import VectorKey, vectors_name

_WITHOUT_IDS = {"_id": 0}
_VECTORS = 1_000
"""Vectors that are copied at once."""


def copy_samples(source: str, target: str, pipeline: Sequence[Bson]) -> None:
    """Fill a dataset that nobody sees yet with what a pipeline gives, with the same ids; of doubles the first stays."""
    store = {"$merge": {"into": samples_name(target), "whenMatched": "keepExisting"}}
    steps = [*addressed(to_bson_query(list(pipeline)), samples_name(source)), store]

    def copy() -> None:
        collection(samples_name(target)).delete_many({})
        collection(samples_name(source)).aggregate(steps, allowDiskUse=True)

    resilient(copy)


def copy_all(source: str, target: str) -> None:
    """Copy all samples and vectors, the samples first: a vector is stored before its marker."""
    for name in (samples_name, vectors_name):
        resilient(lambda name=name: collection(name(source)).aggregate([{"$out": name(target)}]))  # type: ignore[misc]  # bound on purpose


def copy_vectors(source: str, target: str, keys: Sequence[VectorKey]) -> None:
    """Copy the vectors that are stored under some keys."""
    for start in range(0, len(keys), _VECTORS):
        wanted = {"_id": {"$in": [bytes(key) for key in keys[start : start + _VECTORS]]}}

        def copy(wanted: Bson = wanted) -> None:
            raw = collection(vectors_name(source)).with_options(codec_options=RAW)
            requests: list[ReplaceOne[Bson]] = [
                ReplaceOne({"_id": vector["_id"]}, vector, upsert=True) for vector in raw.find(wanted)
            ]
            if requests:
                collection(vectors_name(target)).bulk_write(requests, ordered=False)

        resilient(copy)


def copy_fields(source: str, target: str, fields: Mapping[str, Bson]) -> None:
    """Give a dataset these fields: for each path what differs from the record of the dataset they come from."""
    known = {r["path"]: r for r in resilient(lambda: list(collection("fields").find({"dataset": ObjectId(source)})))}
    fresh = {"revision": 0, "edits": 0, "model": {}}
    copies = [
        {**fresh, **known.get(path, {}), **changes, "_id": f"{target}/{path}", "path": path,
         "dataset": ObjectId(target), "order": position}
        for position, (path, changes) in enumerate(fields.items())
    ]  # fmt: skip
    _replace("fields", target, copies)
    places = {"$max": {"fields": len(copies)}}
    resilient(lambda: collection("counters").update_one({"_id": ObjectId(target)}, places))


def copy_actions(source: str, target: str, *, with_runs: bool) -> None:
    """Copy the lines of the history; their images stay behind.

    Their numbers are those of the vectors, so the copy goes on counting after the last one.
    """
    found = resilient(lambda: list(collection("actions").find({"dataset": ObjectId(source), "live": False})))
    copies = [
        {**record, "_id": f"{target}/{record['number']}", "dataset": ObjectId(target), "bytes": 0,
         **({} if with_runs else {"run": None})}
        for record in found
    ]  # fmt: skip
    _replace("actions", target, copies)
    counter = resilient(lambda: collection("counters").find_one({"_id": ObjectId(source)})) or {}
    after = {"actions": int(counter.get("actions", 0)), "seconds": int(counter.get("seconds", 0)) + 1}
    resilient(lambda: collection("counters").update_one({"_id": ObjectId(target)}, {"$max": after}))


def copy_records(name: str, source: str, target: str) -> None:
    """Copy the runs or the saved views; a run that is under way becomes an interrupted one."""
    found = resilient(lambda: list(collection(name).find({"dataset": ObjectId(source)}, _WITHOUT_IDS)))
    for record in found:
        record["dataset"] = ObjectId(target)
        if record.get("state") == "running":
            record["state"] = "interrupted"

    def write() -> None:
        collection(name).delete_many({"dataset": ObjectId(target)})
        if found:
            collection(name).insert_many([dict(record) for record in found])

    resilient(write)


def copy_indexes(source: str, target: str, names: Sequence[str], fields: Sequence[str]) -> None:
    """Make indexes of a dataset on another one too, by name, where it has all their top-level fields."""
    for name, index in list_indexes(source).items():
        keys = [(path, direction) for path, direction in index["key"]]
        if name in names and all(path.split(".")[0] in {"_id", *fields} for path, _ in keys):
            create_index(target, keys, unique=bool(index.get("unique")))


def _replace(name: str, target: str, records: Sequence[Bson]) -> None:
    """Let these be the records of a dataset, by their own ids."""

    def write() -> None:
        collection(name).delete_many({"dataset": ObjectId(target)})
        if records:
            collection(name).bulk_write([ReplaceOne({"_id": r["_id"]}, r, upsert=True) for r in records])

    resilient(write)
