"""Sample documents: insert, read, count, and the writes of single edits. Bulk writes are `actions.py`.

One collection per dataset, named by the dataset's id. Ids are issued by the dataset's counter, strictly ascending:
4 bytes of seconds that never go back, 3 bytes of the dataset, 5 bytes of sequence.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

from ..errors import (
    ConflictError,
    DatasetNotFoundError,
    SaccadeError,
    SampleNotFoundError,
    SchemaError,
    StoreError,
    ViewError,
)
from ..types import OWN_SAMPLES, Bson, SampleId
from . import counting
from .calls import collection, resilient, translated, write_packed
from .codec import to_bson_query
from .connection import database
from .packing import messages
from .writable import writes

READ_BATCH = 5_000
"""Documents asked for at once when reading by id."""


def samples_name(dataset_id: str) -> str:
    """The name of the collection that holds a dataset's samples."""
    return f"samples.{dataset_id}"


@writes
def create_collection(dataset_id: str) -> None:
    """Make the collection with the index on filepath."""
    resilient(lambda: collection(samples_name(dataset_id)).create_index("filepath"))


@writes
def reserve_ids(dataset_id: str, count: int) -> list[SampleId]:
    """Issue `count` ids, larger than every id issued before by any process.

    Raises:
        DatasetNotFoundError: if the dataset was deleted.
    """
    step = [
        {
            "$set": {
                "samples": {"$add": ["$samples", count]},
                "seconds": {"$max": ["$seconds", int(time.time())]},
            }
        }
    ]
    counter = resilient(
        lambda: collection("counters").find_one_and_update(
            {"_id": ObjectId(dataset_id)}, step, return_document=ReturnDocument.AFTER
        )
    )
    if counter is None:
        raise _gone()
    head = f"{int(counter['seconds']):08x}{int(counter['salt']):06x}"
    last = int(counter["samples"])
    return [f"{head}{number:010x}" for number in range(last - count + 1, last + 1)]


@writes
def admit_ids(dataset_id: str, ids: Sequence[SampleId]) -> None:
    """Let ids that another dataset issued be used in this one: those that it issues later will be larger."""
    latest = max(int(sample_id[:8], 16) for sample_id in ids)
    step = {"$max": {"seconds": latest + 1}}
    if not resilient(lambda: collection("counters").update_one({"_id": ObjectId(dataset_id)}, step)).matched_count:
        raise _gone()


@writes
def insert(dataset_id: str, documents: Sequence[bytes]) -> int:
    """Insert documents, as BSON, that carry their ids, and return the schema revision seen after it.

    Raises:
        DatasetNotFoundError: if the dataset was deleted meanwhile; nothing stays behind.
    """
    for some in messages(documents):
        insert_some = partial(write_packed, "insert", samples_name(dataset_id), b"".join(some))
        _raise_unless_repeated(resilient(insert_some))
    record = resilient(
        lambda: collection("datasets").find_one(
            {"_id": ObjectId(dataset_id), "state": {"$ne": "deleting"}}, {"schema_revision": 1}
        )
    )
    if record is None:
        resilient(lambda: collection(samples_name(dataset_id)).drop())  # the insert brought the collection back
        raise _gone()
    return int(record["schema_revision"])


def _raise_unless_repeated(failures: Sequence[Bson]) -> None:
    """Pass over duplicates of our own fresh ids: an earlier try got through before its connection broke."""
    for failure in failures:
        repeated = failure.get("code") == 11000
        if repeated and "_id" not in failure.get("keyPattern", {}):
            raise SchemaError(
                f"a sample repeats the value {failure.get('keyValue')} of a unique index. "
                "Leave it out, or drop_index()."
            )
        if not repeated:
            raise StoreError(f"the database refused a sample: {failure.get('errmsg')}")


def _gone() -> DatasetNotFoundError:
    return DatasetNotFoundError("this dataset was deleted while it was being written to. Nothing was added.")


def aggregate(dataset_id: str, pipeline: Sequence[Bson]) -> Iterator[Bson]:
    """Run a pipeline over a dataset's samples and yield its documents; `OWN_SAMPLES` in it means these samples."""
    steps = to_bson_query(addressed(pipeline, samples_name(dataset_id)))
    cursor = resilient(
        lambda: collection(samples_name(dataset_id)).aggregate(steps, allowDiskUse=True, batchSize=READ_BATCH)
    )
    with translated():  # no second try: a broken cursor would end early instead of failing
        yield from cursor


def addressed(pipeline: Sequence[Bson], name: str) -> list[Bson]:
    """Put the name of a collection in place of `OWN_SAMPLES`, also in pipelines inside of steps."""
    return [{key: _addressed(key, given, name) for key, given in step.items()} for step in pipeline]


def _addressed(step: str, given: Any, name: str) -> Any:
    if step == "$unionWith" and given == OWN_SAMPLES:
        return name
    if not isinstance(given, Mapping) or step not in {"$facet", "$graphLookup", "$lookup", "$unionWith"}:
        return given
    if step == "$facet":
        return {key: addressed(inner, name) for key, inner in given.items()}
    found = {key: name if value == OWN_SAMPLES else value for key, value in given.items() if key in {"coll", "from"}}
    if "pipeline" in given:
        found["pipeline"] = addressed(given["pipeline"], name)
    return {**given, **found}


def aggregate_at(dataset_id: str, pipeline: Sequence[Bson], revision: int) -> Iterator[Bson]:
    """Run a pipeline as `aggregate` does, and see in the same call that the schema is still what the pipeline assumes.

    Raises:
        ConflictError: at the end, if the schema has another revision or the dataset is gone.
    """
    record = {"_id": ObjectId(dataset_id), "state": {"$ne": "deleting"}}
    shown: list[Bson] = [{"$match": record}, {"$project": {"_id": 0, "schema": "$schema_revision"}}]
    last: Bson | None = None
    for document in aggregate(dataset_id, [*pipeline, {"$unionWith": {"coll": "datasets", "pipeline": shown}}]):
        if last is not None:
            yield last
        last = document
    if last != {"schema": revision}:
        raise ConflictError("the fields of this dataset changed meanwhile. Ask again.")


def count(dataset_id: str) -> int:
    """Count a dataset's samples exactly."""
    return counting.count(samples_name(dataset_id))


def sample_ids(dataset_id: str, pipeline: Sequence[Bson]) -> list[SampleId]:
    """The ids that a pipeline gives, in its order.

    Raises:
        ViewError: if it gives what are no samples.
    """
    found = [document.get("_id") for document in aggregate(dataset_id, [*pipeline, {"$project": {"_id": 1}}])]
    for sample_id in found:
        if not isinstance(sample_id, ObjectId):
            raise ViewError(f"a step of mongo() in this view gives {sample_id!r} as a sample's '_id'. Keep its own.")
    return [str(sample_id) for sample_id in found]


def find_one(dataset_id: str, query: Bson) -> Bson | None:
    """Read the first document, in id order, that a query matches."""
    return resilient(lambda: collection(samples_name(dataset_id)).find_one(to_bson_query(query), sort=[("_id", 1)]))


def existing(dataset_id: str, ids: Iterable[SampleId]) -> set[SampleId]:
    """Those of `ids` that the dataset holds."""
    listed = list(ids)
    found: set[SampleId] = set()
    for start in range(0, len(listed), READ_BATCH):
        query = {"_id": {"$in": [ObjectId(sample_id) for sample_id in listed[start : start + READ_BATCH]]}}
        found |= {str(document["_id"]) for document in resilient(partial(_find_ids, dataset_id, query))}
    return found


def existing_paths(dataset_id: str, paths: Sequence[str]) -> set[str]:
    """Those of some filepaths that samples of the dataset have."""
    groups: list[Bson] = [{"$match": {"filepath": {"$in": list(paths)}}}, {"$group": {"_id": "$filepath"}}]
    return {str(one["_id"]) for one in resilient(lambda: list(collection(samples_name(dataset_id)).aggregate(groups)))}


def _find_ids(dataset_id: str, query: Bson) -> list[Bson]:
    return list(collection(samples_name(dataset_id)).find(query, {"_id": 1}))


@writes
def remove_unacknowledged(dataset_id: str, ids: Sequence[SampleId]) -> None:
    """Take back samples of an `add_samples` call that is about to fail."""
    for start in range(0, len(ids), READ_BATCH):
        chunk = [ObjectId(sample_id) for sample_id in ids[start : start + READ_BATCH]]
        resilient(lambda chunk=chunk: collection(samples_name(dataset_id)).delete_many({"_id": {"$in": chunk}}))  # type: ignore[misc]  # bound on purpose


def object_ids(ids: Iterable[SampleId]) -> list[ObjectId]:
    """Ids in the database's own form, for queries."""
    return [ObjectId(sample_id) for sample_id in ids]


class Edit:
    """The changes of one sample: an update, and what must still hold for it (compare-and-set)."""

    __slots__ = ("expected", "sample_id", "update", "array_filters", "fields")

    def __init__(self, sample_id: SampleId, fields: Iterable[str]) -> None:
        """Begin an empty edit that touches `fields` (top-level names)."""
        self.sample_id = sample_id
        self.fields = frozenset(fields)
        self.expected: Bson = {}
        self.update: Bson = {}
        self.array_filters: list[Mapping[str, Any]] = []

    def add(self, operator: str, path: str, value: Any) -> None:
        """Add one change, for example `add("$set", "label.confidence", 0.5)`."""
        self.update.setdefault(operator, {})[path] = value


@writes
def apply_edits(dataset_id: str, edits: Sequence[Edit]) -> None:
    """Write single edits, one update each. If some fail, the others are written all the same.

    Raises:
        ConflictError: if another writer changed a list first, or removed what is edited.
        SampleNotFoundError: if a sample was deleted.
    """
    if len(edits) > 1 and _applied_together(dataset_id, edits):
        return
    failures: list[SaccadeError] = []
    for edit in edits:
        try:
            _apply_one(dataset_id, edit)  # safe also for those that went through just now
        except (ConflictError, SampleNotFoundError) as error:
            failures.append(error)
    if failures:
        if len(edits) > 1:
            failures[0].add_note(f"{len(failures)} of {len(edits)} samples could not be saved; the others were.")
        raise failures[0]


def _applied_together(dataset_id: str, edits: Sequence[Edit]) -> bool:
    """Send all edits at once; whether every one found its sample as expected."""
    requests = [
        UpdateOne(
            {"_id": ObjectId(edit.sample_id), **edit.expected}, edit.update, array_filters=edit.array_filters or None
        )
        for edit in edits
    ]

    def write() -> bool:
        try:
            done = collection(samples_name(dataset_id)).bulk_write(requests, ordered=False)
        except BulkWriteError:
            return False
        return done.matched_count == len(requests)

    return resilient(write)


def _apply_one(dataset_id: str, edit: Edit) -> None:
    identity = ObjectId(edit.sample_id)
    try:
        result = resilient(
            lambda: collection(samples_name(dataset_id)).update_one(
                {"_id": identity, **edit.expected}, edit.update, array_filters=edit.array_filters or None
            )
        )
    except StoreError as error:
        cause = error.__cause__
        if isinstance(cause, OperationFailure) and cause.code == 28:
            raise _conflict(edit) from error
        raise
    if result.matched_count:
        return
    stored = find_one(dataset_id, {"_id": identity})
    if stored is None:
        raise _deleted(edit.sample_id)
    raise _conflict(edit)


def _deleted(sample_id: SampleId) -> SampleNotFoundError:
    return SampleNotFoundError(f"sample {sample_id} was deleted; its changes cannot be saved.")


def _conflict(edit: Edit) -> ConflictError:
    return ConflictError(
        f"sample {edit.sample_id}: another writer changed {', '.join(sorted(edit.fields))} first. "
        "Nothing was written; reload() the sample, make the change again and save."
    )


# --- indexes --------------------------------------------------------------------------------------------------------


@writes
def create_index(dataset_id: str, keys: Sequence[tuple[str, int]], *, unique: bool) -> str:
    """Create an index and return its name.

    Raises:
        StoreError: if a unique index is asked for and values repeat.
    """
    try:
        return resilient(lambda: collection(samples_name(dataset_id)).create_index(list(keys), unique=unique))
    except StoreError as error:
        if isinstance(error.__cause__, DuplicateKeyError):
            raise StoreError(
                f"a unique index on {[name for name, _ in keys]} is not possible: values repeat. Leave unique=False."
            ) from error
        raise


def list_indexes(dataset_id: str) -> dict[str, Bson]:
    """The indexes of the samples, by name, with their keys."""
    return resilient(lambda: dict(collection(samples_name(dataset_id)).index_information()))


@writes
def drop_index(dataset_id: str, name: str) -> None:
    """Drop an index by name."""
    resilient(lambda: collection(samples_name(dataset_id)).drop_index(name))


def storage_sizes(dataset_id: str) -> dict[str, int]:
    """Bytes of a dataset's collections: samples, vectors and journal images."""
    sizes = {}
    for kind in ("samples", "vectors", "images"):
        found = resilient(lambda kind=kind: database().command("collStats", f"{kind}.{dataset_id}"))  # type: ignore[misc]  # bound on purpose
        sizes[kind] = int(found.get("size", 0))  # a collection that was never written to has size 0
    return sizes
