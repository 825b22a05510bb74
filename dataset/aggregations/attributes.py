"""What attributes documents have, and of which kinds: Schema."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import FieldKindError
from ..expressions.typed import literal
from ..schema import (
    ArrayField,
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
    VectorField,
    field_from_dict,
    merge,
    schema,
)
from ..schema.documents import attributes
from ..types import Bson
from .base import Aggregation

_KINDS: Mapping[str, Field] = {
    "bool": BooleanField(), "int": IntField(), "long": IntField(), "double": FloatField(), "string": StringField(),
    "date": DateTimeField(), "objectId": ObjectIdField(), "binData": VectorField(), "object": DictField(),
    "array": ListField(),
}  # fmt: skip
"""What a type of the database is as a field."""


@dataclass(frozen=True, repr=False)
class Schema(Aggregation):
    """Find the attributes that labels or other documents have, with their kinds, those included that nobody declared.

    The result is a dict from attribute to field, in the order of the names; to a list of fields where values of kinds
    that do not go together were found. Attributes that are None everywhere are left out.

    Args:
        field_or_expr: a field that holds documents, such as "predictions.detections".
        expr: an expression to compute from each document first, which gives documents.
        dynamic_only: whether to leave out the attributes that their class has or that are declared.

    Example:
        >>> Schema("predictions.detections", dynamic_only=True)
        Schema("predictions.detections", dynamic_only=True)
    """

    dynamic_only: bool = False

    kinds = frozenset({"document"})

    def to_mongo(self, schema: schema.Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        steps, typed = self._singles(schema)
        kind = {"$type": "$pair.v"}
        inside = {"$setUnion": [{"$map": {"input": "$pair.v", "in": {"$type": "$$this"}}}]}
        found = {
            "name": "$pair.k", "kind": kind,
            "inside": {"$cond": [{"$eq": [kind, "array"]}, inside, None]},
            "document": {"$cond": [{"$eq": [kind, "object"]}, {"$ifNull": ["$pair.v._cls", None]}, None]},
            "array": {"$cond": [{"$eq": [kind, "object"]}, {"$ne": [{"$type": "$pair.v._array"}, "missing"]}, False]},
        }  # fmt: skip
        return [
            *steps,
            {"$match": {"$expr": {"$eq": [{"$type": typed.code}, "object"]}}},
            {"$project": {"_id": 0, "pair": {"$objectToArray": typed.code}}},
            {"$unwind": "$pair"},
            {"$match": {"pair.k": {"$ne": "_cls"}, "$expr": {"$ne": ["$pair.v", None]}}},
            {"$group": {"_id": found}},
            {"$sort": {"_id.name": 1, "_id.kind": 1}},
            {"$set": {"declared": literal(self._declared(schema))}},
        ]

    def _declared(self, schema: schema.Schema) -> Bson:
        """Give the attributes that need not be looked at, by name."""
        path = self._path()
        if path is None or self.expr is not None:
            return {}
        resolved = schema.resolve(path)
        field = resolved.field
        while isinstance(field, ListField):
            field = field.subfield
        known = dict(attributes(field.document_type) or {}) if isinstance(field, EmbeddedDocumentField) else {}
        below = (other for other in schema.paths() if other.rpartition(".")[0] == resolved.path)
        known |= {other.rpartition(".")[2]: schema[other] for other in below}
        return {name: field.to_dict() for name, field in known.items()}

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> dict[str, Any]:  # noqa: ARG002  # kinds are no stored values
        """Give the fields by attribute."""
        found: dict[str, list[Field]] = {}
        for document in documents:
            described = document["_id"]
            name = "id" if described["name"] == "_id" else described["name"]
            declared = document["declared"].get(name)
            if declared is not None and self.dynamic_only:
                continue
            field = field_from_dict(declared) if declared is not None else _field(described)
            _include(found.setdefault(name, []), field)
        return {name: fields[0] if len(fields) == 1 else fields for name, fields in sorted(found.items())}


def _field(described: Mapping[str, Any]) -> Field:
    if described.get("document"):
        return EmbeddedDocumentField(described["document"])
    if described.get("array"):
        return ArrayField()
    if described["kind"] != "array":
        return _KINDS.get(described["kind"], Field())
    inside: list[Field] = []
    for kind in described.get("inside") or []:
        if kind != "null":
            _include(inside, _KINDS.get(kind, Field()))
    return ListField(inside[0]) if len(inside) == 1 else ListField()


def _include(fields: list[Field], field: Field) -> None:
    """Add a field to those that were found, or widen one of them by it."""
    for position, known in enumerate(fields):
        try:
            fields[position] = merge(known, field, "")
        except FieldKindError:
            continue
        return
    fields.append(field)
