"""The records of declared fields: reading, declaring, widening, removing them. Each change is one atomic step.

The document class is `catalog.FieldRecord`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument

from ..errors import DatasetNotFoundError
from ..schema import (
    SAMPLE_FIELDS,
    DictField,
    EmbeddedDocumentField,
    Field,
    ListField,
    Schema,
    field_from_dict,
    merge,
)
from ..types import Bson
from .calls import collection, resilient
from .catalog import now
from .writable import writes


def read_schema(dataset_id: str) -> Schema:
    """Read the declared fields of a dataset, in the order they were declared."""
    records = resilient(
        lambda: list(collection("fields").find({"dataset": ObjectId(dataset_id)}).sort([("order", 1), ("_id", 1)]))
    )
    return Schema({**SAMPLE_FIELDS, **{record["path"]: field_from_dict(record["field"]) for record in records}})


def by_path(dataset_id: str) -> dict[str, Bson]:
    """The stored records of the declared fields, by path."""
    found = resilient(lambda: list(collection("fields").find({"dataset": ObjectId(dataset_id)})))
    return {record["path"]: record for record in found}


@writes
def declare_fields(dataset_id: str, declared: Mapping[str, Field], created: list[str] | None = None) -> None:
    """Create fields, or widen existing ones; each is one atomic step.

    Args:
        dataset_id: the dataset.
        declared: the fields by path.
        created: gets the paths that did not exist, also if an error ends the call.

    Raises:
        FieldKindError: if a field exists with another kind.
        DatasetNotFoundError: if the dataset was deleted.
    """
    changed = False
    made: list[str] = [] if created is None else created
    try:
        own = {path: field for path, field in declared.items() if path not in SAMPLE_FIELDS}
        for order, (path, field) in enumerate(own.items(), _reserve_places(dataset_id, len(own))):
            changed |= _declare(dataset_id, path, field, order, made)
    finally:
        if changed:
            _revise(dataset_id)


def _reserve_places(dataset_id: str, count: int) -> int:
    """Issue `count` places in the order of fields, after all that were issued before; returns the first.

    A clock would not do: two fields of one millisecond, or of two machines, would change places.
    """
    counter = resilient(
        lambda: collection("counters").find_one_and_update(
            {"_id": ObjectId(dataset_id)}, {"$inc": {"fields": count}}, return_document=ReturnDocument.AFTER
        )
    )
    if counter is None:
        raise DatasetNotFoundError("this dataset was deleted; no field can be declared on it.")
    return int(counter["fields"]) - count


def _declare(dataset_id: str, path: str, field: Field, order: int, created: list[str]) -> bool:
    key = f"{dataset_id}/{path}"
    while True:
        record = resilient(
            lambda: collection("fields").find_one_and_update(
                {"_id": key},
                {"$setOnInsert": {
                    "dataset": ObjectId(dataset_id), "path": path, "field": field.to_dict(),
                    "order": order, "revision": 0, "edits": 0,
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


@writes
def remove_unused(dataset_id: str, paths: Iterable[str]) -> None:
    """Remove those declarations that no sample has a value for."""
    remove_fields(dataset_id, [path for path in paths if not is_used(dataset_id, path)])


def is_used(dataset_id: str, path: str) -> bool:
    """Whether a sample has a value at a path, be it None."""
    query = {path: {"$exists": True}}
    return resilient(lambda: collection(f"samples.{dataset_id}").find_one(query, {"_id": 1})) is not None


@writes
def narrow_field(dataset_id: str, path: str, before: Field, after: Field) -> None:
    """Give a field that was widened from `before` to `after` its former kind back, if no stored value forbids it."""
    query: Bson = {path: {"$type": "double"}}
    if isinstance(before, EmbeddedDocumentField):
        query = {f"{path}._cls": {"$exists": True, "$ne": before.document_type}}
    elif isinstance(before, ListField | DictField) and before.subfield is None:
        query = {path: {"$nin": [None, [], {}]}}
    if resilient(lambda: collection(f"samples.{dataset_id}").find_one(query, {"_id": 1})) is None:
        resilient(
            lambda: collection("fields").update_one(
                {"_id": f"{dataset_id}/{path}", "field": after.to_dict()}, {"$set": {"field": before.to_dict()}}
            )
        )
        _revise(dataset_id)


@writes
def remove_fields(dataset_id: str, paths: Iterable[str]) -> list[Bson]:
    """Remove declarations (with those nested below) and return their records.

    Whoever adds samples with such a field meanwhile looks at the schema after inserting, and we look at the samples
    after removing: one of the two puts the declaration back.
    """
    gone = tuple(paths)
    removed = [
        record for path, record in by_path(dataset_id).items()
        if any(path == one or path.startswith(one + ".") for one in gone)
    ]  # fmt: skip
    if not removed:
        return []
    keys = [record["_id"] for record in removed]
    resilient(lambda: collection("fields").delete_many({"_id": {"$in": keys}}))
    _revise(dataset_id)
    back = [record for record in removed if is_used(dataset_id, record["path"])]
    if back:
        restore_fields(dataset_id, back)
    return [record for record in removed if record not in back]


@writes
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


@writes
def change_field(dataset_id: str, path: str, **changes: Any) -> None:
    """Set entries of one field's record."""
    resilient(lambda: collection("fields").update_one({"_id": f"{dataset_id}/{path}"}, {"$set": changes}))


@writes
def change_model(dataset_id: str, path: str, expected: Mapping[str, Any] | None, model: Mapping[str, Any]) -> bool:
    """Set what a field's vectors are, if the record still says `expected`; empty and missing are the same."""
    query = {"_id": f"{dataset_id}/{path}", "model": expected or {"$in": [None, {}]}}
    return bool(
        resilient(lambda: collection("fields").update_one(query, {"$set": {"model": dict(model)}})).matched_count
    )


@writes
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
