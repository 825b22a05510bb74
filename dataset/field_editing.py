"""Declaring, renaming, copying, clearing and deleting the fields of a dataset, and indexes on them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import fitting, journal, moving
from .collection import SampleCollection
from .errors import FieldNotFoundError, SchemaError
from .labels import Document
from .schema import SAMPLE_FIELDS, EmbeddedDocumentField, Field, ListField, Schema, VectorField, field_types
from .store import field_records, samples

if TYPE_CHECKING:
    from .dataset import Dataset


class FieldEditing(SampleCollection):
    """The part of a dataset that changes its schema. Changes of values are actions: whole, or not at all."""

    _id: str

    def add_sample_field(
        self,
        field_name: str,
        ftype: type[Field] | Field,
        embedded_doc_type: type[Document] | None = None,
        subfield: type[Field] | Field | None = None,
        description: str | None = None,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        """Declare a field, or widen one that exists.

        Args:
            field_name: its name, or a dotted path for an attribute of labels.
            ftype: a field class, such as `FloatField`, or an instance.
            embedded_doc_type: the class of the documents, for `EmbeddedDocumentField`.
            subfield: the kind of the elements, for `ListField` and `DictField`.
            description: one line about the field.
            info: further facts about it.

        Raises:
            FieldKindError: if the field exists with another kind.
            SchemaError: if the name cannot be used, or arguments do not go together.
        """
        field = _field(ftype, embedded_doc_type, subfield, description, info)
        if field_name in SAMPLE_FIELDS:
            raise SchemaError(f"every sample has the field {field_name!r}; it cannot be declared.")
        schema = self._schema()
        if field_name not in schema:
            schema.with_field(field_name, field)
        journal.write_beside(
            self._id, [field_name], lambda: field_records.declare_fields(self._id, {field_name: field})
        )

    def add_dynamic_sample_fields(self, fields: str | Sequence[str] | None = None) -> None:
        """Declare the attributes that labels have beyond their classes'.

        Args:
            fields: look only into these fields; None looks into all that hold documents.

        Raises:
            FieldKindError: if an attribute has values of kinds that do not go together.
        """
        schema = self._schema()
        chosen = [fields] if isinstance(fields, str) else list(fields or schema.names())
        for name in chosen:
            if name not in schema:
                raise FieldNotFoundError.among(name, schema.names(), self._title())
        holding = [n for n in chosen if isinstance(schema[n], EmbeddedDocumentField) and n not in SAMPLE_FIELDS]
        found: Schema = schema
        for sample in (
            self.exists(holding[0]).select_fields(holding) if len(holding) == 1 else self.select_fields(holding)
        ):
            for name in holding:
                document = sample[name]
                if isinstance(document, Document):
                    found = fitting.with_attributes(found, name, document, everything=True)
        new = {path: found[path] for path in found.paths() if found.get(path) != schema.get(path)}
        journal.write_beside(self._id, holding, lambda: field_records.declare_fields(self._id, new))

    def rename_sample_field(self, field_name: str, new_field_name: str) -> None:
        """Give a field another name.

        Raises:
            FieldNotFoundError: if it does not exist.
            SchemaError: if the new name is taken or cannot be used, or the field is one that every sample has.
        """
        self._own(field_name)
        moving.move_field(self._as_dataset(), "rename_sample_field", field_name, new_field_name, keep=False)

    def rename_sample_fields(self, field_mapping: Mapping[str, str]) -> None:
        """Rename several fields, one after the other."""
        for field_name, new_field_name in field_mapping.items():
            self.rename_sample_field(field_name, new_field_name)

    def clone_sample_field(self, field_name: str, new_field_name: str) -> None:
        """Copy a field with all its values under another name."""
        self._own(field_name)
        moving.move_field(self._as_dataset(), "clone_sample_field", field_name, new_field_name, keep=True)

    def clone_sample_fields(self, field_mapping: Mapping[str, str]) -> None:
        """Copy several fields, one after the other."""
        for field_name, new_field_name in field_mapping.items():
            self.clone_sample_field(field_name, new_field_name)

    def clear_sample_field(self, field_name: str) -> None:
        """Remove a field's values from all samples; the field stays declared."""
        self._own(field_name)
        moving.empty_field(self._as_dataset(), "clear_sample_field", field_name, remove=False)

    def clear_sample_fields(self, field_names: str | Sequence[str]) -> None:
        """Remove the values of several fields."""
        for field_name in [field_names] if isinstance(field_names, str) else field_names:
            self.clear_sample_field(field_name)

    def delete_sample_field(self, field_name: str, error_level: int = 0) -> None:
        """Delete a field with all its values.

        Args:
            field_name: the field, or the dotted path of a declared attribute.
            error_level: 0 raises if the field does not exist; above, nothing happens then.
        """
        if error_level > 0 and not self.has_field(field_name):
            return
        self._own(field_name)
        moving.empty_field(self._as_dataset(), "delete_sample_field", field_name, remove=True)

    def delete_sample_fields(self, field_names: str | Sequence[str], error_level: int = 0) -> None:
        """Delete several fields with all their values."""
        for field_name in [field_names] if isinstance(field_names, str) else field_names:
            self.delete_sample_field(field_name, error_level)

    def create_index(self, field_or_spec: str | Sequence[tuple[str, int]], unique: bool = False) -> str:
        """Create an index, so that matching and sorting by a field need not look at every sample.

        Args:
            field_or_spec: a path, or pairs of path and 1 or -1.
            unique: whether to refuse samples that repeat a value.

        Returns:
            The index's name.

        Raises:
            FieldNotFoundError: if a field does not exist.
            FieldKindError: if it is a vector field.
            StoreError: if `unique` is set and values repeat.
        """
        spec = [(field_or_spec, 1)] if isinstance(field_or_spec, str) else list(field_or_spec)
        schema, keys = self._schema(), []
        for path, direction in spec:
            resolved = schema.resolve(path, self._title())
            if isinstance(resolved.field, VectorField):
                raise SchemaError(f"{path!r} holds vectors, which an index cannot order.")
            keys.append((resolved.db_path, direction))
        return samples.create_index(self._id, keys, unique=unique)

    def list_indexes(self) -> list[str]:
        """The names of the indexes."""
        return sorted(samples.list_indexes(self._id))

    def get_index_information(self) -> dict[str, Any]:
        """The indexes with their keys, by name."""
        return samples.list_indexes(self._id)

    def drop_index(self, field_or_name: str) -> None:
        """Drop an index by its name or its field.

        Raises:
            SchemaError: if there is no such index, or it is one that every dataset needs.
        """
        known = samples.list_indexes(self._id)
        name = field_or_name if field_or_name in known else f"{field_or_name}_1"
        if name not in known or name in {"_id_", "filepath_1"}:
            dropped = [other for other in known if other not in {"_id_", "filepath_1"}]
            raise SchemaError(
                f"no index {field_or_name!r} that can be dropped. Indexes: {', '.join(sorted(dropped)) or 'none'}."
            )
        samples.drop_index(self._id, name)

    def _own(self, field_name: str) -> None:
        """Refuse default fields and those that are not declared."""
        schema = self._schema()
        if field_name in SAMPLE_FIELDS:
            raise SchemaError(
                f"every sample has the field {field_name!r}; it cannot be renamed, copied, cleared or deleted."
            )
        if field_name not in schema:
            schema.resolve(field_name, self._title())
            raise SchemaError(
                f"{field_name!r} is part of its class and not a field of its own; use set_values() on it."
            )

    def _as_dataset(self) -> "Dataset":
        return self._root


def _field(
    ftype: type[Field] | Field, embedded_doc_type: type[Document] | None, subfield: type[Field] | Field | None,
    description: str | None, info: Mapping[str, Any] | None,
) -> Field:  # fmt: skip
    options: dict[str, Any] = {"description": description, "info": dict(info) if info else None}
    if isinstance(ftype, Field):
        return ftype
    if not (isinstance(ftype, type) and issubclass(ftype, Field)):
        raise SchemaError(
            f"ftype is {ftype!r}; expected a field class such as FloatField. Classes: {', '.join(sorted(field_types))}."
        )
    if issubclass(ftype, EmbeddedDocumentField):
        if embedded_doc_type is None:
            raise SchemaError("EmbeddedDocumentField needs embedded_doc_type, such as Classification.")
        return ftype(embedded_doc_type, **options)
    if embedded_doc_type is not None:
        raise SchemaError(f"embedded_doc_type goes with EmbeddedDocumentField, not with {ftype.__name__}.")
    if subfield is not None:
        if not issubclass(ftype, ListField) and ftype.__name__ != "DictField":
            raise SchemaError(f"subfield goes with ListField and DictField, not with {ftype.__name__}.")
        return ftype(subfield=subfield, **options)  # type: ignore[call-arg]  # list and dict fields have it
    return ftype(**options)
