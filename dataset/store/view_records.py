"""Records of saved views, as mongoengine documents, with the functions that change them."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from mongoengine import DateTimeField, Document, DynamicField, ListField, ObjectIdField, StringField

from ..types import Bson
from .calls import collection, resilient
from .catalog import now
from .connection import connect_mongoengine
from .writable import writes


class ViewRecord(Document):  # type: ignore[misc]  # mongoengine is untyped
    """One saved view: its stages under a name."""

    meta = {
        "collection": "views",
        "db_alias": "saccade",
        "strict": False,
        "indexes": [{"fields": ["dataset", "name"], "unique": True}],
    }

    dataset = ObjectIdField(required=True)
    name = StringField(required=True, max_length=200)
    description = StringField()
    color = StringField()
    stages = ListField(DynamicField())  # a DictField would refuse keys that begin with a dollar
    created_at = DateTimeField(required=True)
    last_modified_at = DateTimeField(required=True)
    last_loaded_at = DateTimeField()


@writes
def add_view(dataset_id: str, values: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Write a view's record under its name; False if the name is taken and `overwrite` is not set."""
    moment = now()
    identity = {"dataset": ObjectId(dataset_id), "name": values["name"]}

    def write() -> bool:
        connect_mongoengine()
        ViewRecord.ensure_indexes()
        record = ViewRecord(dataset=identity["dataset"], created_at=moment, last_modified_at=moment, **values)
        record.validate()
        stored = record.to_mongo().to_dict()
        stored.pop("_id", None)
        if overwrite:
            collection("views").replace_one(identity, stored, upsert=True)
            return True
        found = collection("views").find_one_and_update(identity, {"$setOnInsert": stored}, upsert=True)
        return found is None or found["created_at"] == moment  # an earlier try got through

    return resilient(write)


def read_views(dataset_id: str, **query: Any) -> list[Bson]:
    """The records of a dataset's saved views, by name; `query` filters by entries of the record."""
    wanted = {"dataset": ObjectId(dataset_id), **query}
    return resilient(lambda: list(collection("views").find(wanted).sort("name", 1)))


@writes
def change_view(dataset_id: str, name: str, changes: Mapping[str, Any]) -> None:
    """Set entries of one view's record."""
    identity = {"dataset": ObjectId(dataset_id), "name": name}
    resilient(lambda: collection("views").update_one(identity, {"$set": dict(changes)}))


@writes
def remove_views(dataset_id: str, **query: Any) -> int:
    """Delete the records that `query` matches, all of them without one; returns how many."""
    wanted = {"dataset": ObjectId(dataset_id), **query}
    return resilient(lambda: collection("views").delete_many(wanted).deleted_count)
