"""Records of runs, as mongoengine documents, with the functions that change them."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    DictField,
    Document,
    DynamicField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from ..types import Bson, ReadOnlyId
from .calls import collection, resilient
from .connection import connect_mongoengine
from .liveness import announce, is_alive
from .writable import writes


class RunRecord(Document):  # type: ignore[misc]  # mongoengine is untyped
    """One run of a verb: what computed which field, from what, when, and how it ended."""

    meta = {
        "collection": "runs",
        "db_alias": "saccade",
        "strict": False,
        "indexes": [{"fields": ["dataset", "key"], "unique": True}],
    }

    dataset = ObjectIdField(required=True)
    key = StringField(required=True)
    operation = StringField(required=True)
    version = IntField(required=True)
    params = DynamicField()  # a DictField would refuse some keys
    reads = ListField(StringField())
    writes = ListField(StringField())
    view = ListField(DictField())
    revisions = DictField()
    state = StringField(required=True, choices=("running", "completed", "failed", "interrupted"))
    message = StringField()
    summary = DynamicField()
    writer = StringField(required=True)
    after = IntField()
    library_version = StringField()
    started = DateTimeField(required=True)
    finished = DateTimeField()


@writes
def save_run(dataset_id: str, values: Mapping[str, Any]) -> None:
    """Write a run's record under its key, replacing an earlier one."""
    announce()

    def write() -> None:
        connect_mongoengine()
        RunRecord.ensure_indexes()
        record = RunRecord(dataset=ObjectId(dataset_id), **values)
        record.validate()
        stored = record.to_mongo().to_dict()
        stored.pop("_id", None)
        collection("runs").replace_one({"dataset": ObjectId(dataset_id), "key": values["key"]}, stored, upsert=True)

    resilient(write)


def read_runs(dataset_id: str, **query: Any) -> list[Bson]:
    """The records of a dataset's runs, oldest first; `query` filters by entries of the record."""
    found = resilient(
        lambda: list(
            collection("runs").find({"dataset": ObjectId(dataset_id), **query}).sort([("started", 1), ("key", 1)])
        )
    )
    return [_settled(record, noting=not isinstance(dataset_id, ReadOnlyId)) for record in found]


def _settled(record: Bson, *, noting: bool) -> Bson:
    """The record of a run; of one whose process is gone, how it ended, which is written down if `noting`."""
    if record["state"] != "running" or is_alive(record["writer"]):
        return record
    ended = written(record) or {"state": "interrupted"}
    if not noting:
        return {**record, **ended}

    def write() -> Bson | None:
        collection("runs").update_one({"_id": record["_id"], "state": "running"}, {"$set": ended})
        return collection("runs").find_one({"_id": record["_id"]})  # which its process may just have written itself

    return resilient(write) or {**record, **ended}


def written(record: Mapping[str, Any]) -> Bson | None:
    """What is to be noted of a run that was stopped after all that it writes was written; None if it was not.

    That is known of runs that write in one action only: they note the last action `after` which theirs came.
    """
    if record.get("after") is None:
        return None
    query = {
        "dataset": ObjectId(record["dataset"]), "number": {"$gt": record["after"]}, "run": record["key"],
        "writer": record["writer"], "state": "closed",
    }  # fmt: skip
    action = resilient(lambda: collection("actions").find_one(query, {"finished": 1}))
    if action is None:
        return None
    return {"state": "completed", "finished": action["finished"], "message": "stopped after everything was written"}


@writes
def put_back(dataset_id: str, record: Bson) -> None:
    """Let an earlier record stand again where a later one replaced it."""
    identity = {"_id": record["_id"], "dataset": ObjectId(dataset_id)}
    resilient(lambda: collection("runs").replace_one(identity, record))


@writes
def change_run(dataset_id: str, key: str, changes: Mapping[str, Any]) -> None:
    """Set entries of one run's record."""
    resilient(lambda: collection("runs").update_one({"dataset": ObjectId(dataset_id), "key": key}, {"$set": changes}))


@writes
def remove_run(dataset_id: str, key: str) -> None:
    """Delete one run's record."""
    resilient(lambda: collection("runs").delete_one({"dataset": ObjectId(dataset_id), "key": key}))
