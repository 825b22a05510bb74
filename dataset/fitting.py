"""Values and fields of samples on their way in: which fields values need, and the form in which they are stored."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from .bulk import checked_tags
from .errors import FieldKindError, FieldNotFoundError
from .labels import Document
from .schema import (
    SAMPLE_FIELDS,
    BooleanField,
    DateTimeField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    IntField,
    ListField,
    Schema,
    StringField,
    VectorField,
    check_field_name,
    infer,
    infer_attribute,
    merge,
)
from .store import codec
from .store.elements import Elements, elements, label_elements, null, spread
from .types import Bson

_HELD_AS_THEY_ARE: dict[type[Field], type] = {
    BooleanField: bool,
    DateTimeField: datetime,
    FloatField: float,
    IntField: int,
    StringField: str,
}
"""What values of samples, which were checked when they were set, a field holds without a change."""

_ALIKE: frozenset[type] = frozenset({*_HELD_AS_THEY_ARE.values(), type(None)})
"""Of these types one value tells what all of them need."""


class Widening:
    """A schema that grows with the samples that it has to hold.

    Args:
        schema: the fields as they are.
        refusing: how messages call the dataset whose fields may not grow; None where new fields are allowed.
        dynamic: whether dynamic attributes of labels are declared.
    """

    def __init__(self, schema: Schema, *, refusing: str | None = None, dynamic: bool = False) -> None:
        """Begin with the fields as they are."""
        self.schema = schema
        self._refusing = refusing
        self._dynamic = dynamic
        self._fits: set[tuple[str, type]] = set()

    def hold(self, values: Mapping[str, Any]) -> None:
        """Let the schema hold a sample's values.

        Raises:
            FieldNotFoundError: if a field is new and the schema may not grow.
            FieldKindError: if a value does not fit.
        """
        for name, value in values.items():
            self._hold(name, value)

    def hold_all(self, values: Sequence[Mapping[str, Any]]) -> None:
        """Let the schema hold the values of some samples; raises what `hold` raises."""
        for name, column in columns_of(values):
            self.hold_column(name, column)

    def hold_column(self, name: str, values: Sequence[Any]) -> None:
        """Let the schema hold the values of a field; raises what `hold` raises."""
        one_of_each = {type(value): value for value in values}
        kinds = one_of_each.keys() - {type(None)}
        labels = [value for value in values if value is not None]
        if len(kinds) == 1 and isinstance(labels[0], Document):
            self._hold(name, labels[0])
            if (name, type(labels[0])) in self._fits and not have_more_attributes(labels):
                return
        for value in one_of_each.values() if kinds <= _ALIKE else values:
            self._hold(name, value)

    def _hold(self, name: str, value: Any) -> None:
        if value is None or (name == "tags" and value == []):
            return
        if (name, type(value)) not in self._fits:
            self._widen(name, value)
        elif isinstance(value, Document) and has_more_attributes(value):
            self._hold_attributes(name, value)

    def _widen(self, name: str, value: Any) -> None:
        known = self.schema.get(name)
        if known is None and self._refusing is not None:
            raise FieldNotFoundError.among(name, self.schema.names(), self._refusing)
        self._become(widened(self.schema, name, value, known))
        field = self.schema.get(name)
        if isinstance(value, Document):
            self._hold_attributes(name, value)
        if field is not None and plainly_fits(field, value):
            self._fits.add((name, type(value)))

    def _hold_attributes(self, name: str, value: Document) -> None:
        self._become(with_attributes(self.schema, name, value, everything=self._dynamic))

    def _become(self, schema: Schema) -> None:
        if schema is not self.schema:
            self.schema = schema
            self._fits.clear()


def columns_of(values: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """The values of some samples a field at a time, None where one has no value."""
    for name in dict.fromkeys(name for held in values for name in held):
        yield name, [held.get(name) for held in values]


def widened(schema: Schema, name: str, value: Any, known: Field | None) -> Schema:
    """The schema with a field that also holds `value`."""
    if known is not None and plainly_fits(known, value):
        return schema
    inferred = infer(value)
    if inferred is None:
        return schema
    if known is not None and name in SAMPLE_FIELDS:
        known.coerce(value)
        return schema
    try:
        field = inferred if known is None else merge(known, inferred, name)
    except FieldKindError:
        assert known is not None
        try:
            known.coerce(value)  # what is written another way may still fit, such as text for an id
        except FieldKindError as error:
            raise FieldKindError(
                f"field {name!r} is a {known}: {error}. Convert the value, or use another field."
            ) from None
        return schema
    return schema if field == known else schema.with_field(name, field)


def fitted(name: str, value: Any, declared: Field | None) -> Any:
    """The form in which a sample in hand holds a value of a field; of a new one without `declared`.

    Raises:
        SchemaError: if the name cannot be used.
        FieldKindError: if the value does not fit the field.
    """
    if declared is None:
        check_field_name(name)
    elif value is None:
        return None
    try:
        if declared is not None:
            return declared.coerce(value)
        inferred = infer(value)
        return value if inferred is None else inferred.coerce(value)
    except FieldKindError as error:
        refusal = FieldKindError(f"field {name!r}: {error}")
    inferred = None if declared is None or name in SAMPLE_FIELDS else infer(value)
    if declared is None or inferred is None:
        raise refusal
    merge(declared, inferred, name)  # an int field widens to float when the sample is saved
    return inferred.coerce(value)


def plainly_fits(field: Field, value: Any) -> bool:
    """Whether a field holds a value as it is, and so any other of that type."""
    if isinstance(value, Document):
        return isinstance(field, EmbeddedDocumentField) and field.document_type == type(value).__name__
    return _HELD_AS_THEY_ARE.get(type(field)) is type(value)


def with_attributes(schema: Schema, path: str, document: Document, *, everything: bool) -> Schema:
    """The schema with the dynamic attributes of a document: all of them, or only vectors and those declared already."""
    if not has_more_attributes(document):
        return schema
    for name, value in document._attributes().items():
        below = f"{path}.{name}"
        if isinstance(value, list) and value and isinstance(value[0], Document):
            for item in value:
                schema = with_attributes(schema, below, item, everything=everything)
        elif name not in document._fields and value is not None:
            inferred, known = infer_attribute(name, value), schema.get(below)
            is_known = everything or known or isinstance(inferred, VectorField) or name == "logits"
            if inferred is None or not is_known:
                continue
            field = inferred if known is None else merge(known, inferred, below)
            if field != known:
                schema = schema.with_field(below, field)
    return schema


def has_more_attributes(document: Document) -> bool:
    """Whether a document, or one of a list in it, has attributes that its class does not declare."""
    attributes = document._attributes()
    names, lists = _declared_of(type(document))
    if not attributes.keys() <= names:
        return True
    for name in lists:
        items = attributes.get(name)
        if items and any(isinstance(item, Document) and has_more_attributes(item) for item in items):
            return True
    return False


def have_more_attributes(documents: Sequence[Document]) -> bool:
    """Whether any of some documents of one class has attributes that its class does not declare."""
    names, lists = _declared_of(type(documents[0]))
    if not set().union(*[document._attributes() for document in documents]) <= names:
        return True
    return bool(lists) and any(map(has_more_attributes, documents))


def _declared_of(kind: type[Document]) -> tuple[frozenset[str], tuple[str, ...]]:
    declared = _declared.get(kind)
    if declared is None:
        declared = _declared[kind] = _declared_by(kind)
    return declared


_declared: dict[type, tuple[frozenset[str], tuple[str, ...]]] = {}
"""Of a class of documents the declared attributes, and which of them may hold lists of documents."""


def _declared_by(kind: type[Document]) -> tuple[frozenset[str], tuple[str, ...]]:
    lists = [
        name
        for name, field in kind._fields.items()
        if isinstance(field, ListField) and isinstance(field.subfield, EmbeddedDocumentField | None)
    ]
    return frozenset(kind._fields), tuple(lists)


class Encoding:
    """Gives samples their stored form, by the fields of a schema."""

    def __init__(self, schema: Schema) -> None:
        """Begin with a schema that holds the values of the samples."""
        self._schema = schema
        self._as_they_are: set[tuple[str, type]] = set()

    def document(self, values: Mapping[str, Any], sink: codec.VectorSink) -> Bson:
        """A sample's document without its id; fields that are None are left out.

        Raises:
            FieldKindError: if a value does not fit.
        """
        document: Bson = {}
        for name, value in values.items():
            if value is None:
                if name == "metadata":
                    document[name] = None
            elif (name, type(value)) in self._as_they_are:
                document[name] = value
            else:
                try:
                    document[name] = self.encoded(name, value, sink)
                except FieldKindError as error:
                    raise FieldKindError(f"field {name!r} of {values.get('filepath')!r}: {error}") from error
        return document

    def column(self, name: str, values: Sequence[Any]) -> Elements | None:
        """The values of a field as BSON; None if they must be looked at one by one.

        Raises:
            SchemaError: if a tag is none, or a value cannot be stored.
        """
        if name == "tags":
            return elements(name, [checked_tags(tags) if tags else [] for tags in values])
        kinds = set(map(type, values))
        if type(None) in kinds:
            made = self.column(name, [value for value in values if value is not None])
            return None if made is None else spread(made, values, null(name) if name == "metadata" else b"")
        if not kinds:
            return []
        field, kind = self._schema.get(name), kinds.pop()
        if field is None or kinds:
            return None
        if _HELD_AS_THEY_ARE.get(type(field)) is kind:
            return elements(name, values)
        if isinstance(field, EmbeddedDocumentField) and field.document_type == kind.__name__:
            return label_elements(name, values)
        return None

    def encoded(self, name: str, value: Any, sink: codec.VectorSink) -> Any:
        """The stored form of one value that is not None.

        Raises:
            FieldKindError: if it does not fit.
        """
        if name == "tags":
            return checked_tags(value) if value else []  # they may have been changed in place
        field = self._schema.get(name)
        if isinstance(value, Document):
            return codec.encode(value if field is None else field.coerce(value), name, sink)
        if field is not None and plainly_fits(field, value):
            self._as_they_are.add((name, type(value)))
            return value
        return codec.encode(value if field is None else field.coerce(value), name, sink)
