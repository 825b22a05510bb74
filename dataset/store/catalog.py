"""The catalogue: datasets, fields and runs as mongoengine documents, with the functions that change them.

Everything here changes slowly and wants validation; samples are `samples.py`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    DynamicField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)
from mongoengine.errors import NotUniqueError

from ..errors import DatasetExistsError, DatasetNotFoundError, hint
from ..schema import SAMPLE_FIELDS, Field, Schema, field_from_dict, merge
from ..types import Bson
from .calls import collection, resilient
from .connection import app_name, connect_mongoengine
from .liveness import announce, is_alive

FORMAT_VERSION = 1
"""Version of the stored form of a dataset; a newer one is refused."""


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
    order = FloatField(required=True)
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
        first = {"samples": 0, "actions": 0, "seconds": 0, "salt": int.from_bytes(identity.binary[9:], "big")}
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


def touch(dataset_id: str) -> None:
    """Note that the dataset was modified now."""
    resilient(
        lambda: collection("datasets").update_one({"_id": ObjectId(dataset_id)}, {"$max": {"last_modified_at": now()}})
    )


def open_dataset(dataset_id: str) -> None:
    """Add this process to a dataset's owners: one that is not persistent is removed when all of them are gone."""
    announce()
    resilient(
        lambda: collection("datasets").update_one({"_id": ObjectId(dataset_id)}, {"$addToSet": {"owners": app_name()}})
    )


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


# --- fields ---------------------------------------------------------------------------------------------------------


def read_schema(dataset_id: str) -> Schema:
    """Read the declared fields of a dataset, in the order they were declared."""
    records = resilient(
        lambda: list(collection("fields").find({"dataset": ObjectId(dataset_id)}).sort([("order", 1), ("_id", 1)]))
    )
    return Schema({**SAMPLE_FIELDS, **{record["path"]: field_from_dict(record["field"]) for record in records}})


def field_records(dataset_id: str) -> dict[str, Bson]:
    """The stored records of the declared fields, by path."""
    found = resilient(lambda: list(collection("fields").find({"dataset": ObjectId(dataset_id)})))
    return {record["path"]: record for record in found}


def declare_fields(dataset_id: str, declared: Mapping[str, Field], created: list[str] | None = None) -> None:
    """Create fields, or widen existing ones; each is one atomic step.

    Args:
        dataset_id: the dataset.
        declared: the fields by path.
        created: gets the paths that did not exist, also if an error ends the call.

    Raises:
        FieldKindError: if a field exists with another kind.
    """
    changed = False
    made: list[str] = [] if created is None else created
    try:
        for path, field in declared.items():
            if path not in SAMPLE_FIELDS:
                changed |= _declare(dataset_id, path, field, made)
    finally:
        if changed:
            _revise(dataset_id)


def _declare(dataset_id: str, path: str, field: Field, created: list[str]) -> bool:
    key = f"{dataset_id}/{path}"
    while True:
        record = resilient(
            lambda: collection("fields").find_one_and_update(
                {"_id": key},
                {"$setOnInsert": {
                    "dataset": ObjectId(dataset_id), "path": path, "field": field.to_dict(),
                    "order": now().timestamp(), "revision": 0, "edits": 0,
                }},
                upsert=True,
            )
        )  # fmt: skip
        if record is None:
            created.append(path)
            return True
        merged = merge(field_from_dict(record["field"]), field, path).to_dict()
        if merged == record["field"]:
            return False
        widened = resilient(
            lambda record=record, merged=merged: collection("fields").update_one(  # type: ignore[misc]  # bound on purpose
                {"_id": key, "field": record["field"]}, {"$set": {"field": merged}}
            )
        )
        if widened.modified_count:
            return True


def remove_unused(dataset_id: str, paths: Iterable[str]) -> None:
    """Remove those declarations that no sample has a value for."""
    remove_fields(dataset_id, [path for path in paths if not _is_used(dataset_id, path)])


def _is_used(dataset_id: str, path: str) -> bool:
    query = {path: {"$exists": True}}
    return resilient(lambda: collection(f"samples.{dataset_id}").find_one(query, {"_id": 1})) is not None


def narrow_field(dataset_id: str, path: str, before: Field, after: Field) -> None:
    """Give a field that was widened from `before` to `after` its former kind back, if no stored value forbids it."""
    held = resilient(lambda: collection(f"samples.{dataset_id}").find_one({path: {"$type": "double"}}, {"_id": 1}))
    if held is None:
        resilient(
            lambda: collection("fields").update_one(
                {"_id": f"{dataset_id}/{path}", "field": after.to_dict()}, {"$set": {"field": before.to_dict()}}
            )
        )
        _revise(dataset_id)


def remove_fields(dataset_id: str, paths: Iterable[str]) -> list[Bson]:
    """Remove declarations (with those nested below) and return their records.

    Whoever adds samples with such a field meanwhile looks at the schema after inserting, and we look at the samples
    after removing: one of the two puts the declaration back.
    """
    gone = tuple(paths)
    removed = [
        record for path, record in field_records(dataset_id).items()
        if any(path == one or path.startswith(one + ".") for one in gone)
    ]  # fmt: skip
    if not removed:
        return []
    keys = [record["_id"] for record in removed]
    resilient(lambda: collection("fields").delete_many({"_id": {"$in": keys}}))
    _revise(dataset_id)
    back = [record for record in removed if _is_used(dataset_id, record["path"])]
    if back:
        restore_fields(dataset_id, back)
    return [record for record in removed if record not in back]


def restore_fields(dataset_id: str, records: Iterable[Bson]) -> None:
    """Put removed declarations back, unless the path was declared again."""
    for record in records:
        content = {key: value for key, value in record.items() if key != "_id"}
        resilient(
            lambda record=record, content=content: collection("fields").update_one(  # type: ignore[misc]  # bound on purpose
                {"_id": record["_id"]}, {"$setOnInsert": content}, upsert=True
            )
        )
    _revise(dataset_id)


def change_field(dataset_id: str, path: str, **changes: Any) -> None:
    """Set entries of one field's record."""
    resilient(lambda: collection("fields").update_one({"_id": f"{dataset_id}/{path}"}, {"$set": changes}))


def change_model(dataset_id: str, path: str, expected: Mapping[str, Any] | None, model: Mapping[str, Any]) -> bool:
    """Set what a field's vectors are, if the record still says `expected`; empty and missing are the same."""
    query = {"_id": f"{dataset_id}/{path}", "model": expected or {"$in": [None, {}]}}
    return bool(
        resilient(lambda: collection("fields").update_one(query, {"$set": {"model": dict(model)}})).matched_count
    )


def stamp_fields(dataset_id: str, names: Iterable[str], *, action: int | None = None) -> None:
    """Move the revision of fields: to `action`, or by one single edit (advisory, so not journaled)."""
    change: Bson = {"$max": {"revision": action}} if action is not None else {"$inc": {"edits": 1}}
    keys = [f"{dataset_id}/{name}" for name in names]
    resilient(lambda: collection("fields").update_many({"_id": {"$in": keys}}, change))


def _revise(dataset_id: str) -> None:
    resilient(
        lambda: collection("datasets").update_one(
            {"_id": ObjectId(dataset_id)}, {"$inc": {"schema_revision": 1}, "$max": {"last_modified_at": now()}}
        )
    )
