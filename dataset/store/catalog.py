"""The catalogue: datasets and fields as mongoengine documents, with the functions that change a dataset's record.

Everything here changes slowly and wants validation. The fields' records are `field_records.py`, samples `samples.py`.
"""

from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    DynamicField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)
from mongoengine.errors import NotUniqueError

from ..errors import DatasetExistsError, DatasetNotFoundError, hint
from ..types import Bson
from .calls import collection, resilient
from .connection import app_name, connect_mongoengine
from .liveness import announce, is_alive
from .writable import writes

FORMAT_VERSION = 2
"""Version of the stored form of a dataset: `migrations` brings older ones to it, newer ones can only be read."""


class DatasetRecord(Document):  # type: ignore[misc]  # mongoengine is untyped
    """One dataset. `state` is creating, ready or deleting; only ready ones are visible."""

    meta = {
        "collection": "datasets",
        "db_alias": "saccade",
        "strict": False,
        "indexes": [{"fields": ["name"], "unique": True}],
    }

    name = StringField(required=True, max_length=200)
    state = StringField(required=True, choices=("creating", "ready", "deleting"))
    owners = ListField(StringField())
    persistent = BooleanField(required=True)
    media_type = StringField()
    description = StringField()
    tags = ListField(StringField())
    details = DynamicField(db_field="info")  # a DictField would turn the bytes of arrays into lists
    classes = DictField()
    default_classes = ListField(DynamicField())
    mask_targets = DynamicField()
    default_mask_targets = DynamicField()
    skeletons = DynamicField()
    default_skeleton = DynamicField()
    datasources = ListField(DictField())  # name and URL of each, never an option: options may be credentials
    created_at = DateTimeField(required=True)
    last_modified_at = DateTimeField(required=True)
    schema_revision = IntField(required=True, default=0)
    format_version = IntField(required=True, default=FORMAT_VERSION)
    library_version = StringField()


class FieldRecord(Document):  # type: ignore[misc]  # mongoengine is untyped
    """One declared field. `revision` is the number of its last action, `edits` counts single edits, `model` embeds."""

    meta = {"collection": "fields", "db_alias": "saccade", "strict": False, "indexes": ["dataset"]}

    key = StringField(primary_key=True)
    dataset = ObjectIdField(required=True)
    path = StringField(required=True)
    field = DictField(required=True)
    order = IntField(required=True)
    revision = IntField(required=True, default=0)
    edits = IntField(required=True, default=0)
    model = DictField()


def now() -> datetime:
    """The time in UTC, to the millisecond that BSON keeps."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


# --- datasets -------------------------------------------------------------------------------------------------------


def create_dataset(name: str, *, persistent: bool, library_version: str) -> str:
    """Make an invisible dataset (state creating) and return its id.

    Raises:
        DatasetExistsError: if the name is taken.
    """

    def make() -> str:
        connect_mongoengine()
        for kind in (DatasetRecord, FieldRecord):
            kind.ensure_indexes()
        record = DatasetRecord(
            id=identity, name=name, state="creating", owners=[app_name()], persistent=persistent,
            created_at=now(), last_modified_at=now(), library_version=library_version,
        )  # fmt: skip
        try:
            record.save(force_insert=True)
        except NotUniqueError:
            if DatasetRecord.objects(id=identity, name=name).first() is None:
                raise
        first = {
            "samples": 0,
            "actions": 0,
            "fields": 0,
            "seconds": 0,
            "salt": int.from_bytes(identity.binary[9:], "big"),
        }
        collection("counters").update_one({"_id": identity}, {"$setOnInsert": first}, upsert=True)
        return str(identity)

    identity = ObjectId()
    tidy()
    announce()
    try:
        return resilient(make)
    except NotUniqueError as error:
        raise DatasetExistsError(
            f"a dataset named {name!r} exists already. "
            f"Load it with load_dataset({name!r}), pass overwrite=True, or choose another name."
        ) from error


def find_dataset(name: str) -> Bson:
    """Read the record of the visible dataset called `name`.

    Raises:
        DatasetNotFoundError: if there is none.
    """
    found = resilient(lambda: collection("datasets").find_one({"name": name, "state": "ready"}))
    if found is None:
        raise DatasetNotFoundError(f"no dataset named {name!r}. {hint(name, dataset_names(), 'Datasets')}")
    return found


def get_dataset(dataset_id: str) -> Bson:
    """Read a dataset's record by id, also while it is being created.

    Raises:
        DatasetNotFoundError: if it was deleted.
    """
    query = {"_id": ObjectId(dataset_id), "state": {"$ne": "deleting"}}
    found = resilient(lambda: collection("datasets").find_one(query))
    if found is None:
        raise DatasetNotFoundError("this dataset was deleted. Load or create another one.")
    return found


def dataset_names() -> list[str]:
    """The names of all visible datasets, sorted."""
    records = resilient(lambda: list(collection("datasets").find({"state": "ready"}, {"name": 1})))
    return sorted(record["name"] for record in records)


def dataset_records() -> list[Bson]:
    """The records of all visible datasets, by name."""
    return resilient(lambda: list(collection("datasets").find({"state": "ready"}).sort("name", 1)))


@writes
def update_dataset(dataset_id: str, **changes: Any) -> None:
    """Change entries of a dataset's record, checked by its document class.

    Raises:
        DatasetExistsError: if `name` is changed to one that is taken.
        DatasetNotFoundError: if the dataset was deleted.
    """

    def change() -> bool:
        connect_mongoengine()
        sets = {f"set__{name}": value for name, value in {"last_modified_at": now(), **changes}.items()}
        return bool(DatasetRecord.objects(id=ObjectId(dataset_id), state__ne="deleting").update_one(**sets) is not None)

    try:
        resilient(change)
    except NotUniqueError as error:
        raise DatasetExistsError(
            f"a dataset named {changes.get('name')!r} exists already. Choose another name."
        ) from error
    get_dataset(dataset_id)


@writes
def note_datasource(dataset_id: str, name: str | None, url: str) -> None:
    """Note that samples come from a datasource, once."""
    change = {"$addToSet": {"datasources": {"name": name, "url": url}}}
    resilient(lambda: collection("datasets").update_one({"_id": ObjectId(dataset_id)}, change))


@writes
def replace_dataset(dataset_id: str, name: str) -> str | None:
    """Make a dataset visible under `name`, and delete the one that had it; returns the deleted one's id.

    Killed between the steps, the other one is still there under an odd name.
    """
    query = {"name": name, "state": "ready", "_id": {"$ne": ObjectId(dataset_id)}}
    found = resilient(lambda: collection("datasets").find_one(query, {"_id": 1}))
    replaced = None if found is None else str(found["_id"])
    if replaced is not None:
        update_dataset(replaced, name=f"(replaced by {dataset_id}) {name}"[:200])
    update_dataset(dataset_id, name=name, state="ready")
    if replaced is not None:
        drop_dataset(replaced)
    return replaced


@writes
def touch(dataset_id: str) -> None:
    """Note that the dataset was modified now."""
    resilient(
        lambda: collection("datasets").update_one({"_id": ObjectId(dataset_id)}, {"$max": {"last_modified_at": now()}})
    )


@writes
def open_dataset(dataset_id: str) -> None:
    """Add this process to a dataset's owners: one that is not persistent is removed when all of them are gone."""
    announce()
    resilient(
        lambda: collection("datasets").update_one({"_id": ObjectId(dataset_id)}, {"$addToSet": {"owners": app_name()}})
    )


@writes
def drop_dataset(dataset_id: str) -> None:
    """Delete a dataset and all that belongs to it; can be interrupted and repeated."""
    identity = ObjectId(dataset_id)

    def drop() -> None:
        collection("datasets").update_one(
            {"_id": identity}, {"$set": {"state": "deleting", "name": f"(deleting) {dataset_id}"}}
        )
        for kind in ("samples", "vectors", "images"):
            collection(f"{kind}.{dataset_id}").drop()
        for name in ("fields", "runs", "actions", "views"):
            collection(name).delete_many({"dataset": identity})
        collection("counters").delete_one({"_id": identity})
        collection("datasets").delete_one({"_id": identity})

    resilient(drop)


@writes
def drop_remains(dataset_id: str) -> None:
    """If the dataset was deleted, drop the collections that a late write brought back."""
    query = {"_id": ObjectId(dataset_id), "state": {"$ne": "deleting"}}
    if resilient(lambda: collection("datasets").find_one(query, {"_id": 1})) is None:
        for kind in ("samples", "vectors", "images"):
            resilient(lambda kind=kind: collection(f"{kind}.{dataset_id}").drop())  # type: ignore[misc]  # bound on purpose


def tidy() -> None:
    """Remove what dead processes left: half-made and half-deleted datasets, and those that were not persistent."""
    query = {"$or": [{"state": {"$in": ["creating", "deleting"]}}, {"persistent": False}]}
    for record in resilient(lambda: list(collection("datasets").find(query, {"state": 1, "owners": 1}))):
        owned = record["state"] != "deleting" and any(is_alive(owner) for owner in record.get("owners", []))
        if not owned:
            drop_dataset(str(record["_id"]))
