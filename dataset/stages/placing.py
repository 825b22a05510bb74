"""Where stages put computed values: at a path of the sample, inside dicts, labels and lists of labels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import FieldNotFoundError, ViewError
from ..expressions import Node
from ..expressions.kinds import ANY, Kind, element_at, follow
from ..expressions.nodes import Constant
from ..expressions.translate import value
from ..expressions.typed import Scope, Typed, joined, literal, when
from ..schema import (
    ArrayField,
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    ListField,
    ObjectIdField,
    Schema,
    StringField,
    VectorField,
    check_field_name,
)
from ..types import Bson

Code = Callable[[str], Any]
"""Gives the code of a new value for what it lies in: "$" for the sample, or a variable such as "$$at1"."""


@dataclass(frozen=True)
class Place:
    """A path at which a stage puts values.

    Attributes:
        schema: the fields of the samples.
        path: as users write it.
        field: the field there; None for an attribute of labels that is new, or where anything may lie.
        is_new: whether it is an attribute of labels that nobody declared.
    """

    schema: Schema
    path: str
    field: Field | None
    is_new: bool

    @property
    def parent(self) -> str:
        """The path of what it lies in; empty for the sample."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def around(self) -> Kind:
        """The kind of what it lies in: of the sample, or of a single label or dict."""
        return element_at(self.schema, self.parent)

    @property
    def kind(self) -> Kind:
        """The kind of the value there, as seen from what it lies in."""
        return ANY if self.is_new else follow(self.schema, self.around, self.name).kind

    def compiled(self, node: Node, prefix: str) -> Typed:
        """Compile an expression that is seen from what the value lies in."""
        return value(node, Scope(self.schema, code=prefix, kind=self.around))

    def code(self, prefix: str) -> str:
        """Give the code of the present value."""
        return joined(prefix, follow(self.schema, self.around, self.name).db_path)

    def set(self, new: Code) -> list[Bson]:
        """Give the step that puts a new value at the path of each sample.

        Where the label, list or dict in which it lies is missing, nothing is put. Inside labels, None leaves the
        attribute out, as it is stored.
        """
        top, *rest = self.path.split(".")
        return [{"$set": {top: self._inside(top, f"${top}", rest, new, depth=1) if rest else new("$")}}]

    def _inside(self, path: str, code: str, rest: list[str], new: Code, depth: int) -> Any:
        field = self.schema.resolve(path).field
        return self._below(field, path, code, rest, new, depth)

    def _below(self, field: Field | None, path: str, code: str, rest: list[str], new: Code, depth: int) -> Any:
        if isinstance(field, ListField):
            name = f"at{depth}"  # never a name that expressions use
            each = self._below(field.subfield, path, f"$${name}", rest, new, depth + 1)
            return when({"$isArray": [code]}, {"$map": {"input": code, "as": name, "in": each}}, code)
        first, *more = rest
        inner = self._inside(f"{path}.{first}", f"{code}.{first}", more, new, depth) if more else new(code)
        if isinstance(field, EmbeddedDocumentField):
            inner = {"$ifNull": [inner, "$$REMOVE"]}
        changed = {"$setField": {"field": literal(first), "input": code, "value": inner}}
        return when({"$eq": [{"$type": code}, "object"]}, changed, code)

    def lists(self) -> tuple[str, ...]:
        """Give the paths of the labels and lists at, around and below it, which must not be saved as wholes.

        Tags of labels can be: they are saved one by one.
        """
        around = () if self.is_new else self.schema.resolve(self.path).list_parts
        if self.is_new:
            parent = self.schema.resolve(self.parent)
            around = (*parent.list_parts, *((self.parent,) if isinstance(parent.field, ListField) else ()))
        below = [
            path for path, field in self.schema.flat().items()
            if isinstance(field, ListField) and (path == self.path or path.startswith(f"{self.path}."))
            and not path.endswith(".tags")
        ]  # fmt: skip
        document = (self.path,) if isinstance(self.field, EmbeddedDocumentField) else ()
        return (*around, *below, *document)


def place(schema: Schema, path: str, stage: str, *, may_be_new: bool = False) -> Place:
    """Find the path at which a stage puts values.

    Args:
        schema: the fields of the samples.
        path: the field, or an attribute of labels.
        stage: who asks, for messages.
        may_be_new: whether an attribute of labels that nobody declared is accepted.

    Raises:
        FieldNotFoundError: if there is no such field.
        ViewError: if it tells samples or labels apart, or holds vectors or arrays.
    """
    if path.rpartition(".")[2] in {"id", "_id", "_cls"}:
        raise ViewError(f"{stage}() was given {path!r}, which tells samples or labels apart and cannot be changed.")
    try:
        resolved = schema.resolve(path)
    except FieldNotFoundError:
        if not (may_be_new and _is_in_document(schema, path)):
            raise
        check_field_name(path.rpartition(".")[2])
        return Place(schema, path, None, is_new=True)
    if isinstance(resolved.field, VectorField | ArrayField):
        raise ViewError(
            f"{stage}() was given {path!r}, a {resolved.field}, which the database cannot compute. Read it with "
            "values(), or write it with set_values()."
        )
    return Place(schema, resolved.path, resolved.field, is_new=False)


def _is_in_document(schema: Schema, path: str) -> bool:
    """Whether the parent of a path is a label or another document, or a list of them."""
    parent = path.rpartition(".")[0]
    if not parent:
        return False
    field = schema.resolve(parent).field
    while isinstance(field, ListField):
        field = field.subfield
    return isinstance(field, EmbeddedDocumentField)


def holds(there: Kind, kind: Kind) -> bool | None:
    """Tell whether values of `kind` belong into a field of the kind `there`; None where that is not known."""
    if there.name == "any":
        return True
    if kind.name == "any":
        return None
    if there.name != kind.name:
        return False
    return holds(there.element or ANY, kind.element or ANY) if there.name == "list" else True


def field_of(kind: Kind) -> Field:
    """Give a field that holds values of `kind`."""
    simple: dict[str, Field] = {
        "number": FloatField(),
        "text": StringField(),
        "boolean": BooleanField(),
        "date": DateTimeField(),
        "id": ObjectIdField(),
    }
    if kind.name == "list":
        element = field_of(kind.element or ANY)
        return ListField(None if type(element) is Field else element)
    return simple.get(kind.name) or (DictField() if kind.name == "document" else Field())


def is_none(node: Node) -> bool:
    """Whether an expression is the constant None, which every field holds."""
    return isinstance(node, Constant) and node.value is None
