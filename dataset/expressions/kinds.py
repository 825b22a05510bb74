"""What is known about a value before any sample is read: its kind, found from the schema.

Kinds decide how a value is guarded, and let a wrong expression fail where it is written.
"""

from dataclasses import dataclass
from typing import Any

from ..errors import ExpressionError
from ..schema import (
    ArrayField,
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    Schema,
    StringField,
    VectorField,
)
from ..types import Oid


@dataclass(frozen=True)
class Kind:
    """The kind of a value.

    Attributes:
        name: any, number, text, boolean, date, id, list, document, vector or array. A value of any kind may also be
            None or missing.
        element: the kind of a list's elements.
        path: of a document that the schema describes, where it lies; None if nothing is known of its contents.
        depth: how many lists were entered to reach the document at `path`.
        shown: how the kind is called in messages.
    """

    name: str
    element: "Kind | None" = None
    path: str | None = None
    depth: int = 0
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or self.name

    @property
    def is_scalar(self) -> bool:
        """Whether values have an order: numbers, texts, booleans, dates and ids."""
        return self.name in SCALARS


ANY = Kind("any", shown="value of unknown kind")
NUMBER = Kind("number")
TEXT = Kind("text")
BOOLEAN = Kind("boolean")
DATE = Kind("date")
ID = Kind("id")
LIST = Kind("list", element=ANY)
DOCUMENT = Kind("document")
ROOT = Kind("document", path="", shown="sample")
SCALARS = frozenset({"number", "text", "boolean", "date", "id"})

_BY_FIELD: dict[type[Field], str] = {
    BooleanField: "boolean",
    IntField: "number",
    FloatField: "number",
    StringField: "text",
    DateField: "date",
    DateTimeField: "date",
    ObjectIdField: "id",
    VectorField: "vector",
    ArrayField: "array",
}


def list_of(element: Kind) -> Kind:
    """Give the kind of lists of `element`."""
    return Kind("list", element=element, shown=f"list of {element}" if element.name != "any" else "list")


def of_field(field: Field | None, path: str, depth: int) -> Kind:
    """Give the kind of what a field holds.

    Args:
        field: the field; None for anything.
        path: where it lies.
        depth: how many lists were entered to reach it.
    """
    if isinstance(field, ListField):
        return Kind("list", element=of_field(field.subfield, path, depth + 1), shown=str(field))
    if isinstance(field, EmbeddedDocumentField):
        return Kind("document", path=path, depth=depth, shown=field.document_type)
    if isinstance(field, DictField):
        return Kind("document", path=path, depth=depth, shown="dict")
    name = _BY_FIELD.get(type(field), "any") if field is not None else "any"
    return ANY if name == "any" else Kind(name, shown=str(field))


def of_constant(value: Any) -> Kind:
    """Give the kind of a constant."""
    if isinstance(value, Oid):
        return ID
    for types, kind in ((bool, BOOLEAN), ((int, float), NUMBER), (str, TEXT), (dict, DOCUMENT)):
        if isinstance(value, types):
            return kind
    if isinstance(value, list):
        kinds = {of_constant(item) for item in value if item is not None}
        return list_of(kinds.pop()) if len(kinds) == 1 else LIST
    return ANY if value is None else DATE


def common(kinds: list[Kind]) -> Kind:
    """Give the kind that covers all of `kinds`."""
    first = kinds[0]
    if all(kind == first for kind in kinds):
        return first
    return Kind(first.name) if first.is_scalar and all(kind.name == first.name for kind in kinds) else ANY


@dataclass(frozen=True)
class Step:
    """Where a path leads.

    Attributes:
        db_path: the stored path, from the element at which it begins.
        kind: the kind of the value there.
    """

    db_path: str
    kind: Kind


def follow(schema: Schema, start: Kind, path: str) -> Step:
    """Follow `path` from a value of kind `start`.

    Raises:
        FieldNotFoundError: if the schema knows no such field.
        ExpressionError: if the value has nothing inside.
    """
    if not path:
        return Step("", start)
    if start.name == "any" or (start.name == "document" and start.path is None):
        return Step(path, ANY)
    if start.path is None:
        raise ExpressionError(
            f'F("{path}") looks for {path!r} inside a {start}, which has nothing inside. Use F() for the value itself, '
            f'or F("${path}") for a field of the sample.'
        )
    resolved = schema.resolve(f"{start.path}.{path}" if start.path else path)
    kind = of_field(resolved.field, resolved.path, len(resolved.list_parts))
    for _ in resolved.list_parts[start.depth :]:
        kind = list_of(kind)
    return Step(resolved.db_path[len(start.path) + 1 :] if start.path else resolved.db_path, kind)


def element_at(schema: Schema, path: str) -> Kind:
    """Give the kind of the single values at `path`: of the elements, where lists lie there or are crossed.

    Raises:
        FieldNotFoundError: if the schema knows no such field.
    """
    if not path:
        return ROOT
    kind = follow(schema, ROOT, path).kind
    while kind.name == "list":
        kind = kind.element or ANY
    return kind
