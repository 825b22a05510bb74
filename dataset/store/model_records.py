"""Records of trained models, as mongoengine documents, with the functions that change them.

Models belong to no dataset: they outlive the one that they were trained on. The weights lie in a file beside the
database; a record names it.
"""

from collections.abc import Mapping
from typing import Any

from mongoengine import DateTimeField, Document, DynamicField, IntField, StringField

from ..types import Bson
from .calls import collection, resilient
from .catalog import now
from .connection import connect_mongoengine


class ModelRecord(Document):  # type: ignore[misc]  # mongoengine is untyped
    """One trained model: what it is, where its weights are, and what it was trained on."""

    meta = {
        "collection": "models",
        "db_alias": "saccade",
        "strict": False,
        "indexes": [{"fields": ["name"], "unique": True}],
    }

    name = StringField(required=True, max_length=200)
    version = StringField(required=True)
    backbone = StringField(required=True)
    dimension = IntField(required=True)
    image_size = IntField(required=True)
    file = StringField(required=True)
    method = StringField(required=True)
    dataset_name = StringField()
    params = DynamicField()
    curve = DynamicField()
    best_epoch = IntField(required=True)
    fingerprint = StringField(required=True)
    library_version = StringField()
    created_at = DateTimeField(required=True)


def save_model(values: Mapping[str, Any]) -> Bson | None:
    """Write a model's record under its name; returns the record that it replaced."""

    def write() -> Bson | None:
        connect_mongoengine()
        ModelRecord.ensure_indexes()
        record = ModelRecord(created_at=now(), **values)
        record.validate()
        stored = record.to_mongo().to_dict()
        stored.pop("_id", None)
        return collection("models").find_one_and_replace({"name": values["name"]}, stored, upsert=True)

    return resilient(write)


def find_model(name: str) -> Bson | None:
    """The record of the model called `name`, if there is one."""
    return resilient(lambda: collection("models").find_one({"name": name}))


def model_records() -> list[Bson]:
    """The records of all trained models, by name, without their curves."""
    return resilient(lambda: list(collection("models").find({}, {"curve": 0}).sort("name", 1)))


def is_file_used(file: str) -> bool:
    """Whether a record names this file of weights."""
    return resilient(lambda: collection("models").find_one({"file": file}, {"_id": 1})) is not None


def remove_model(name: str) -> Bson | None:
    """Delete a model's record; returns it if there was one."""
    return resilient(lambda: collection("models").find_one_and_delete({"name": name}))
