"""What a view shows, made what the dataset holds: its values saved, or its samples or fields alone kept."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from . import bulk, journal, moving
from .collection import SampleCollection
from .errors import FieldKindError, FieldNotFoundError
from .fitting import widened, with_attributes
from .labels import Document, document_types
from .schema import SAMPLE_FIELDS, Field, Schema, VectorField
from .stages import Concat, Mongo, SelectLabels, Stage, chain
from .store import actions, codec, samples
from .types import SampleId

_BATCH = 1_000


class Keeping(SampleCollection):
    """The part of a view that writes what it shows to its dataset."""

    def save(self, fields: str | Iterable[str] | None = None) -> None:
        """Write the values that the view's stages changed: those of `set_field` and `map_labels`, labels left out.

        Samples that the view does not show stay as they are, and so do fields that it leaves out.

        Args:
            fields: write only these of the fields; None writes all that changed.

        Writes:
            The values of the changed fields, in one action.

        Raises:
            FieldNotFoundError: if a named field is not in the view.
            FieldKindError: if a value does not fit its field. Nothing is written then.
        """
        root, schema = self._root, self._schema()
        named = [fields] if isinstance(fields, str) else fields
        wanted = set(schema) if named is None else set(named)
        for name in wanted - set(schema):
            raise FieldNotFoundError.among(name, schema.names(), self._title())
        tops = sorted(_changed_fields(self._stages, root._current_schema()) & wanted - {"id"})
        changes = self._changes(tops) if tops else []
        if not changes:
            return
        fitting = _Fitting(root._current_schema(), schema)
        for _, columns in changes:
            for top, values in columns.items():
                fitting.widen(top, values)
        declare = {path: fitting.schema[path] for path in fitting.schema.paths() if path.split(".")[0] in tops}
        with journal.action(root._id, "save_view", tops, declare=declare) as action:
            for ids, columns in self._changes(tops):
                fitted = {top: [fitting.fitted(top, value) for value in values] for top, values in columns.items()}
                action.set(ids, fitted)

    def _changes(self, tops: Sequence[str]) -> list[tuple[list[SampleId], dict[str, list[Any]]]]:
        """The samples whose values differ from those that are stored, with what is shown instead."""
        found: list[tuple[list[SampleId], dict[str, list[Any]]]] = []
        shown = self._documents([{"$project": dict.fromkeys(tops, 1)}], ordered=False)
        while batch := list(islice(shown, _BATCH)):
            by_id = {str(document["_id"]): document for document in batch}
            ids: list[SampleId] = []
            (stored,) = actions.read_raw(self._root._id, list(by_id), tops)
            for (sample_id, new), old in zip(by_id.items(), stored, strict=True):
                if old is not None and any(_differs(old, new, top) for top in tops):
                    ids.append(sample_id)
            if ids:
                found.append((ids, {top: [by_id[one].get(top, actions.ABSENT) for one in ids] for top in tops}))
        return found

    def keep(self) -> None:
        """Delete all samples of the dataset that are not in the view.

        Writes:
            The dataset's samples, in one action.
        """
        root = self._root
        with journal.action(root._id, "keep", None) as action:
            kept = set(self._ids())
            action.delete([sample_id for sample_id in samples.sample_ids(root._id, []) if sample_id not in kept])

    def clear(self) -> None:
        """Delete the samples that the view shows.

        Writes:
            The dataset's samples, in one action.
        """
        bulk.delete_samples(self._root, list(dict.fromkeys(self._ids())))

    def clear_sample_field(self, field_name: str) -> None:
        """Remove a field's values from the samples that the view shows."""
        self._root._own(field_name)
        moving.empty_field(self._root, "clear_sample_field", field_name, remove=False, among=self._ids())

    def clear_sample_fields(self, field_names: str | Sequence[str]) -> None:
        """Remove the values of several fields from the samples that the view shows."""
        for field_name in [field_names] if isinstance(field_names, str) else field_names:
            self.clear_sample_field(field_name)

    def clone_sample_field(self, field_name: str, new_field_name: str) -> None:
        """Copy a field of the samples that the view shows, as it is stored, under another name."""
        self._root._own(field_name)
        moving.move_field(
            self._root, "clone_sample_field", field_name, new_field_name, keep=True, among=self._ids()
        )  # fmt: skip

    def clone_sample_fields(self, field_mapping: Mapping[str, str]) -> None:
        """Copy several fields of the samples that the view shows, one after the other."""
        for field_name, new_field_name in field_mapping.items():
            self.clone_sample_field(field_name, new_field_name)

    def keep_fields(self) -> None:
        """Delete all fields of the dataset that are not in the view, with their values.

        Writes:
            The dataset's samples and schema, in one action.
        """
        root = self._root
        shown = self._schema()
        hidden = [name for name in root._current_schema() if name not in shown and name not in SAMPLE_FIELDS]
        if not hidden:
            return
        with journal.action(root._id, "keep_fields", hidden, remove=hidden) as action:
            for name in hidden:
                ids = samples.sample_ids(root._id, [{"$match": {name: {"$exists": True}}}])
                action.set(ids, {name: [actions.ABSENT] * len(ids)})


def _differs(old: Mapping[str, Any], new: Mapping[str, Any], top: str) -> bool:
    before, after = actions.value_at(old, top), new.get(top, actions.ABSENT)
    if (before is actions.ABSENT or before is None) and (after is actions.ABSENT or after is None):
        return False
    return actions.hash_value(before) != actions.hash_value(after)


def _changed_fields(stages: Iterable[Stage], dataset: Schema) -> set[str]:
    """The top-level fields whose values some stages may change."""
    found: set[str] = set()
    for stage, schema in chain.walk(stages, dataset):
        field = getattr(stage, "field", None)
        if isinstance(stage, Concat):
            found |= _changed_fields(stage.samples, dataset)
        elif not stage.shapes_documents:
            continue
        elif isinstance(field, str):
            found.add(field.split(".")[0])
        elif isinstance(stage, SelectLabels):  # the labels of other fields are left out of the view, not changed
            found |= {name for name, _ in stage._choice.places(schema)}
        elif isinstance(stage, Mongo) or hasattr(stage, "_choice"):
            found |= {name for name in schema if not isinstance(schema[name], VectorField)}
    return found


class _Fitting:
    """Computed values in the form that their fields hold."""

    def __init__(self, dataset: Schema, view: Schema) -> None:
        """Begin with the fields as they are declared; the view may name further attributes of labels."""
        self.schema = dataset
        self._further = {path.split(".")[0] for path in view.paths() if path not in dataset}

    def widen(self, top: str, values: Iterable[Any]) -> None:
        """Let a field hold some values.

        Raises:
            FieldKindError: if it cannot.
        """
        for stored in values:
            field, value = self.schema.get(top), None if stored is actions.ABSENT else codec.decode(stored)
            if isinstance(value, Document):
                _forget_vectors(value, top, self.schema)
                self.schema = with_attributes(self.schema, top, value, everything=top in self._further)
            elif field is not None and isinstance(value, bool | int | float | str):
                self.schema = widened(self.schema, top, value, field)

    def fitted(self, top: str, value: Any) -> Any:
        """One value in its stored form.

        Raises:
            FieldKindError: if its field cannot hold it.
        """
        if value is actions.ABSENT or value is None:
            return actions.ABSENT
        field = self.schema.get(top)
        return self._stored(value, top, None if field is None else field.coerce)

    def _stored(self, value: Any, path: str, coerce: Any) -> Any:
        if isinstance(value, Mapping):
            kind = document_types.get(value.get("_cls", ""))
            if kind is None:
                return value
            checks = {name: kind._coercions.get(name) or _coercion(self.schema.get(f"{path}.{name}")) for name in value}
            return {
                name: self._stored(item, f"{path}.{name}", checks[name])
                for name, item in value.items() if item is not None
            }  # fmt: skip
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            return [self._stored(item, path, None) for item in value]
        if coerce is None or not _is_plain(value):
            return value
        try:
            return codec.encode(coerce(codec.decode(value)), path)
        except FieldKindError as error:
            raise FieldKindError(f"{path!r} cannot be saved: {error}") from error


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, list) else isinstance(value, bool | int | float | str)


def _forget_vectors(document: Document, path: str, schema: Schema) -> None:
    """Leave out the attributes that hold markers of vectors, which no stage changes."""
    attributes = document._attributes()
    for name in list(attributes):
        if isinstance(schema.get(f"{path}.{name}"), VectorField):
            del attributes[name]
        elif isinstance(attributes[name], list):
            for item in attributes[name]:
                if isinstance(item, Document):
                    _forget_vectors(item, f"{path}.{name}", schema)


def _coercion(field: Field | None) -> Any:
    return None if field is None or isinstance(field, VectorField) else field.coerce
