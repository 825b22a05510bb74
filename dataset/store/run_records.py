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
from . import actions
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
    former_writes = ListField(StringField())  # what earlier runs under this key wrote and this one does not
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
    settled = [_settled(record, noting=not isinstance(dataset_id, ReadOnlyId)) for record in found]
    undone = actions.undoers(dataset_id)
    for record in settled if undone else []:
        _note_undone(dataset_id, record, undone)
    return settled


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


def _note_undone(dataset_id: str, record: Bson, undone: Mapping[int, int]) -> None:
    """Add to a record how many of the run's actions are undone, and of how many: it is told anew at each reading."""
    query = {"run": record["key"], "state": "closed", "started": {"$gte": record["started"]}}
    written = actions.list_actions(dataset_id, query)
    gone = [one for one in written if actions.undoing(one["number"], undone)[1]]
    if gone:
        record["undone"] = [len(gone), len(written)]


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


@writes
def drop_run(dataset_id: str, noted: Mapping[str, Any]) -> None:
    """Delete the record of a run whose actions are those of no run any more. Safe to repeat.

    Args:
        dataset_id: the dataset.
        noted: `record`, the run's record, and `actions`, the numbers of its actions.
    """
    _attach(dataset_id, noted, None)
    query = {"dataset": ObjectId(dataset_id), "key": noted["record"]["key"], "started": noted["record"]["started"]}
    resilient(lambda: collection("runs").delete_one(query))


@writes
def restore_run(dataset_id: str, noted: Mapping[str, Any]) -> None:
    """Put back what `drop_run` deleted, unless there is another run of this key. Safe to repeat."""
    content = {
        name: value for name, value in noted["record"].items() if name not in {"_id", "dataset", "key", "undone"}
    }
    query = {"dataset": ObjectId(dataset_id), "key": noted["record"]["key"]}
    resilient(lambda: collection("runs").update_one(query, {"$setOnInsert": content}, upsert=True))
    there = resilient(lambda: collection("runs").find_one(query, {"started": 1}))
    if there is not None and there["started"] == noted["record"]["started"]:
        _attach(dataset_id, noted, noted["record"]["key"])


def _attach(dataset_id: str, noted: Mapping[str, Any], key: str | None) -> None:
    query = {"dataset": ObjectId(dataset_id), "number": {"$in": list(noted["actions"])}}
    resilient(lambda: collection("actions").update_many(query, {"$set": {"run": key}}))
