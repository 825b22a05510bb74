"""The kinds of fields: what each holds, and how a value is brought into its form.

A field is a value: two fields are equal when they hold the same kind of values; descriptions do not count. The names
are FiftyOne's. How values look in the database is the store's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, ClassVar

import numpy as np

from ..errors import FieldKindError
from ..types import Oid, is_id
from .documents import extends
from .values import (
    array,
    elements,
    float32_vector,
    integer,
    is_document,
    is_object_id,
    key,
    moment,
    number,
    plain,
    scalar,
    shown,
    text,
)


@dataclass(frozen=True, repr=False)
class Field:
    """A field of any kind; the base of all others.

    Attributes:
        description: what the field means, for people.
        info: anything else worth keeping about the field.
    """

    name: ClassVar[str] = "any"
    """The short name under which this kind of field is stored."""

    description: str | None = field(default=None, compare=False, kw_only=True)
    info: dict[str, Any] | None = field(default=None, compare=False, kw_only=True)

    def coerce(self, value: Any) -> Any:
        """Give `value` in the field's form; None stays None.

        Raises:
            FieldKindError: if the field cannot hold the value, saying what was expected and what was given.
        """
        return plain(value)

    def to_dict(self) -> dict[str, Any]:
        """Give the field as JSON-able values."""
        described = {"description": self.description, "info": self.info}
        return (
            {"type": self.name}
            | self._parts()
            | {name: value for name, value in described.items() if value is not None}
        )

    def _parts(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> "Field":
        """Read a field of any kind, as `field_from_dict` does."""
        return field_from_dict(document)

    @classmethod
    def _read(cls, document: Mapping[str, Any], described: dict[str, Any]) -> "Field":  # noqa: ARG003  # for subclasses
        return cls(**described)

    def __str__(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        return str(self)


class BooleanField(Field):
    """True or False."""

    name = "bool"

    def coerce(self, value: Any) -> bool | None:
        """Give `value` as bool; numbers are refused."""
        if value is None or value is True or value is False:
            return value
        value = scalar(value)
        if not isinstance(value, bool):
            raise FieldKindError(f"expected True or False; got {shown(value)}")
        return value


class IntField(Field):
    """An integer of at most 64 bits."""

    name = "int"

    def coerce(self, value: Any) -> int | None:
        """Give `value` as int; booleans and floats are refused."""
        return None if value is None else integer(value)


class FloatField(Field):
    """A number; NaN and infinity are numbers too."""

    name = "float"

    def coerce(self, value: Any) -> float | None:
        """Give `value` as float; integers are widened, booleans refused."""
        if type(value) is float or value is None:
            return value
        return number(value)


class StringField(Field):
    """Text."""

    name = "str"

    def coerce(self, value: Any) -> str | None:
        """Give `value` as str; paths are accepted."""
        if type(value) is str and value.isascii():
            return value
        return None if value is None else text(value)


class DateField(Field):
    """A day."""

    name = "date"

    def coerce(self, value: Any) -> date | None:
        """Give `value` as date; a time is accepted only at midnight."""
        value = scalar(value)
        if isinstance(value, datetime):
            exact = moment(value)
            if exact is not None and exact.time() != time():
                raise FieldKindError(f"expected a date; got {shown(value)}. Use .date(), or a field of times.")
            return None if exact is None else exact.date()
        if value is None or isinstance(value, date):
            return value
        raise FieldKindError(f"expected a date; got {shown(value)}")


class DateTimeField(Field):
    """A moment in time, in UTC, to the millisecond."""

    name = "datetime"

    def coerce(self, value: Any) -> datetime | None:
        """Give `value` in UTC; a time without a zone counts as UTC, a date as its midnight."""
        value = scalar(value)
        if isinstance(value, datetime):
            return moment(value)
        if isinstance(value, date):
            return moment(datetime.combine(value, time()))
        if value is None:
            return None
        raise FieldKindError(f"expected a datetime; got {shown(value)}")


class ObjectIdField(Field):
    """An id: 24 hexadecimal digits."""

    name = "id"

    def coerce(self, value: Any) -> Oid | None:
        """Give `value` as `types.Oid`, a str."""
        if value is None or type(value) is Oid:
            return value
        if is_object_id(value) or (isinstance(value, str) and is_id(value.lower())):
            return Oid(str(value).lower())
        raise FieldKindError(f"expected an id of 24 hexadecimal digits; got {shown(value)}")


class VectorField(Field):
    """A one-dimensional array of float32, such as an embedding."""

    name = "vector"

    def coerce(self, value: Any) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        """Give `value` as (d,) float32; NaN, infinity and an empty vector are refused."""
        if value is None:
            return None
        vector = float32_vector(value)
        if vector.size == 0:
            raise FieldKindError("expected a vector; got an empty one. Leave the value None instead.")
        if not np.isfinite(vector).all():
            raise FieldKindError(f"infinite number (in float32) at position {int(np.isinf(vector).argmax())}")
        return vector


class ArrayField(Field):
    """An array of booleans, integers or floats, of any shape."""

    name = "array"

    def coerce(self, value: Any) -> np.ndarray[Any, Any] | None:
        """Give `value` as an array."""
        return None if value is None else array(value)


@dataclass(frozen=True, repr=False, init=False)
class _ContainerField(Field):
    """A field that holds several values of one kind.

    Attributes:
        subfield: the kind of each value; None allows any.
    """

    subfield: Field | None = None

    def __init__(
        self,
        subfield: Field | type[Field] | None = None,
        *,
        description: str | None = None,
        info: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(description=description, info=info)
        object.__setattr__(self, "subfield", subfield() if isinstance(subfield, type) else subfield)

    def _parts(self) -> dict[str, Any]:
        return {} if self.subfield is None else {"subfield": self.subfield.to_dict()}

    @classmethod
    def _read(cls, document: Mapping[str, Any], described: dict[str, Any]) -> "Field":
        inner = document.get("subfield")
        return cls(None if inner is None else field_from_dict(inner), **described)

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.subfield})" if self.subfield else type(self).__name__


class ListField(_ContainerField):
    """A list; `subfield` is the kind of its elements, None allows any."""

    name = "list"

    def coerce(self, value: Any) -> list[Any] | None:
        """Give `value` as a new list; tuples, sets and arrays are accepted, and elements may be None."""
        if value is None:
            return None
        items = elements(value)
        if items is None:
            raise FieldKindError(f"expected a list; got {shown(value)}")
        coerce = plain if self.subfield is None else self.subfield.coerce
        result = []
        for position, item in enumerate(items):
            try:
                result.append(coerce(item))
            except FieldKindError as error:
                raise FieldKindError(f"element {position}: {error}") from None
        return result


class DictField(_ContainerField):
    """A dict with text as keys; `subfield` is the kind of its values, None allows any."""

    name = "dict"

    def coerce(self, value: Any) -> dict[str, Any] | None:
        """Give `value` as a new dict."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise FieldKindError(f"expected a dict; got {shown(value)}")
        coerce = plain if self.subfield is None else self.subfield.coerce
        result = {}
        for name, item in value.items():
            try:
                result[key(name)] = coerce(item)
            except FieldKindError as error:
                raise FieldKindError(f"entry {name!r}: {error}") from None
        return result


@dataclass(frozen=True, repr=False, init=False)
class EmbeddedDocumentField(Field):
    """A label or another embedded document.

    Attributes:
        document_type: the name of its type; the class itself is accepted too.
    """

    name = "document"

    document_type: str

    def __init__(
        self, document_type: str | type, *, description: str | None = None, info: dict[str, Any] | None = None
    ) -> None:
        super().__init__(description=description, info=info)
        name = document_type if isinstance(document_type, str) else document_type.__name__
        object.__setattr__(self, "document_type", name)

    def coerce(self, value: Any) -> Any:
        """Give `value` unchanged, if it is of the type or extends it."""
        if value is None or (is_document(value) and extends(type(value).__name__, self.document_type)):
            return value
        raise FieldKindError(f"expected a {self.document_type}; got {shown(value)}")

    def _parts(self) -> dict[str, Any]:
        return {"document_type": self.document_type}

    @classmethod
    def _read(cls, document: Mapping[str, Any], described: dict[str, Any]) -> "Field":
        return cls(document["document_type"], **described)

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.document_type})"


@dataclass(frozen=True, repr=False)
class UnknownField(Field):
    """A field of a kind that this version does not know: readable as it is, not writable.

    Attributes:
        stored: what was read, to be written back unchanged.
    """

    name = "unknown"

    stored: dict[str, Any] = field(default_factory=dict, hash=False)

    def coerce(self, value: Any) -> Any:
        """Refuse any value but None."""
        if value is None:
            return None
        raise FieldKindError(f"fields of kind {self.stored['type']!r} need a newer version of Saccade to be written")

    def to_dict(self) -> dict[str, Any]:
        """Give back what was read."""
        return dict(self.stored)

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.stored.get('type')})"


field_types: dict[str, type[Field]] = {
    kind.name: kind
    for kind in (
        Field,
        BooleanField,
        IntField,
        FloatField,
        StringField,
        DateField,
        DateTimeField,
        ObjectIdField,
        VectorField,
        ArrayField,
        ListField,
        DictField,
        EmbeddedDocumentField,
    )
}
"""Short name → field class, as stored."""


def field_from_dict(document: Mapping[str, Any]) -> Field:
    """Read a field written by `Field.to_dict`, of this or another version.

    Entries that are not known are passed over; a kind that is not known becomes an `UnknownField`.

    Example:
        >>> field_from_dict({"type": "list", "subfield": {"type": "float"}})
        ListField(FloatField)
    """
    kind = field_types.get(document["type"])
    if kind is None:
        return UnknownField(stored=dict(document))
    return kind._read(document, {"description": document.get("description"), "info": document.get("info")})
