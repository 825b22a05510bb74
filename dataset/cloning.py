"""Clones: a dataset with the same samples, under the same ids, that goes its own way from then on."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from . import annotating, journal
from .collection import SampleCollection
from .creation import make_dataset
from .errors import DatasetError, SchemaError, hint
from .held_vectors import stored_keys
from .schema import SAMPLE_FIELDS, Field, FloatField, IntField, ListField, Schema, VectorField
from .stages import chain
from .store import catalog, copies, field_records, samples

if TYPE_CHECKING:
    from .dataset import Dataset


class Cloning(SampleCollection):
    """The part of datasets and views that copies them."""

    def clone(
        self, name: str | None = None, persistent: bool = True, include_indexes: bool | Collection[str] = True
    ) -> "Dataset":
        """Make a dataset of what this one, or this view, shows now.

        Samples and labels keep their ids, and so their order: a view's own order does not last. The clone of a whole
        dataset also has its runs, its saved views and the lines of its history; that of a view has not. What was done
        before cannot be undone in the clone. It waits for bulk writes that are under way.

        Args:
            name: its name; None chooses one from the time.
            persistent: whether it outlives the processes that use it.
            include_indexes: whether to make the same indexes; or the names of those to make.

        Writes:
            A new dataset, which nobody sees before it is complete.

        Raises:
            DatasetExistsError: if the name is taken.
            SchemaError: if an index is named that does not exist.
        """
        indexes = _chosen_indexes(self._root, include_indexes)
        _check_form(self._root)

        def fill(dataset: "Dataset") -> None:
            journal.stable_read(self._root._id, None, lambda: _copy(self, dataset._id))
            _describe(self, dataset)
            copies.copy_indexes(self._root._id, dataset._id, indexes, self._schema().names())

        return make_dataset(fill, name, persistent=persistent, overwrite=False)


def _check_form(root: "Dataset") -> None:
    """Refuse what was loaded to be read only in another form than this version writes: what is copied is the form."""
    record = catalog.get_dataset(root._id)
    if record["format_version"] != catalog.FORMAT_VERSION:
        raise DatasetError(
            f"dataset {root.name!r} is stored in form {record['format_version']}, and copies are made in form "
            f"{catalog.FORMAT_VERSION}. Load it without read_only first, which brings an older form up to date."
        )


def _chosen_indexes(root: "Dataset", wanted: bool | Collection[str]) -> list[str]:
    known = [name for name in samples.list_indexes(root._id) if name not in {"_id_", "filepath_1"}]
    if isinstance(wanted, bool):
        return known if wanted else []
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise SchemaError(f"no index {name!r} on dataset {root.name!r}. {hint(name, known, 'Indexes')}")
    return names


def _copy(collection: SampleCollection, target: str) -> None:
    """Copy what is stored. The order matters: whoever adds meanwhile stores vectors and fields before samples."""
    source = collection._root._id
    if collection._stages:
        schema = collection._schema()
        shown = {"$project": dict.fromkeys((name for name in schema if name != "id"), 1)}
        copies.copy_samples(source, target, [*collection._pipeline(), shown])
        schema = _as_computed(collection, target, schema)
        paths = [path for path in schema.paths() if isinstance(schema[path], VectorField)]
        tops = {"$project": dict.fromkeys((path.split(".")[0] for path in paths), 1)}
        documents = samples.aggregate(target, [tops]) if paths else []
        copies.copy_vectors(source, target, [key for one in documents for key in stored_keys(one, paths)])
    else:
        copies.copy_all(source, target)
        schema = field_records.read_schema(source)
    declared = {path: {"field": schema[path].to_dict()} for path in schema.paths() if path not in SAMPLE_FIELDS}
    copies.copy_fields(source, target, declared)
    copies.copy_actions(source, target, with_runs=not collection._stages)
    if not collection._stages:
        copies.copy_records("runs", source, target)
        copies.copy_records("views", source, target)
    catalog.get_dataset(source)  # if it was deleted meanwhile, this is half of it


def _as_computed(collection: SampleCollection, target: str, schema: Schema) -> Schema:
    """The schema of a view as its values are: a stage may have computed floats for a field of integers."""
    if not chain.shapes_documents(collection._stages):
        return schema
    for path in schema.paths():
        wider = _with_floats(schema[path])
        if wider is not None and samples.find_one(target, {path: {"$type": "double"}}) is not None:
            schema = schema.with_field(path, wider)
    return schema


def _with_floats(field: Field) -> Field | None:
    if isinstance(field, IntField):
        return FloatField(description=field.description, info=field.info)
    if isinstance(field, ListField) and isinstance(field.subfield, IntField):
        return ListField(FloatField(), description=field.description, info=field.info)
    return None


def _describe(collection: SampleCollection, dataset: "Dataset") -> None:
    record = catalog.get_dataset(collection._root._id)
    names = set(collection._schema())
    kept: dict[str, Any] = {
        key: record[key] for key in ("description", "tags", "default_classes", "datasources") if key in record
    }
    kept["classes"] = {field: found for field, found in (record.get("classes") or {}).items() if field in names}
    for name in annotating.ENTRIES:
        said = record.get(name)
        is_by_field = not name.startswith("default_")
        kept[name] = {field: entry for field, entry in (said or {}).items() if field in names} if is_by_field else said
    if record.get("info"):
        kept["details"] = record["info"]
    if samples.count(dataset._id):
        kept["media_type"] = record.get("media_type")
    dataset._change(**{key: value for key, value in kept.items() if value is not None})
