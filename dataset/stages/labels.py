"""Stages that keep some of the labels: filter_labels, limit_labels; and where the labels of a field lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import ViewError
from ..expressions import NOTHING, Node, to_aggregation
from ..expressions.typed import EMPTY, NULL, is_present, when
from ..schema import EmbeddedDocumentField, ListField, Schema
from ..schema.documents import attributes
from ..types import Bson
from .base import Stage, whole
from .matching import condition


@dataclass(frozen=True)
class LabelField:
    """Where labels lie.

    Attributes:
        path: the field that holds a label or a list of labels.
        attribute: of a list of labels, the attribute with the list; None for a single label.
    """

    path: str
    attribute: str | None

    @property
    def root_path(self) -> str:
        """The path of the single labels."""
        return f"{self.path}.{self.attribute}" if self.attribute else self.path


def label_field(schema: Schema, path: str) -> LabelField:
    """Find the labels in the field `path`.

    Raises:
        FieldNotFoundError: if there is no such field.
        ViewError: if the field holds no labels.
    """
    resolved = schema.resolve(path)
    field = resolved.field
    found = _labels_in(field, resolved.db_path) if not resolved.list_parts else None
    if found is not None:
        return found
    parent = path.rpartition(".")[0]
    better = f" Use {parent!r}." if parent and isinstance(field, ListField) else ""
    having = f" Fields with labels: {', '.join(sorted(label_fields(schema))) or 'none'}."
    raise ViewError(f"{path!r} holds no labels; it is a {field or 'value of unknown kind'}.{better or having}")


def _labels_in(field: Any, db_path: str) -> LabelField | None:
    if not isinstance(field, EmbeddedDocumentField):
        return None
    known = attributes(field.document_type) or {}
    for name, attribute in known.items():
        if isinstance(attribute, ListField) and isinstance(attribute.subfield, EmbeddedDocumentField):
            return LabelField(db_path, name)
    return LabelField(db_path, None) if "id" in known else None


def label_fields(schema: Schema) -> list[str]:
    """Give the names of all fields that hold labels."""
    return [name for name in schema if _labels_in(schema[name], name) is not None]


def keeping(labels: LabelField, schema: Schema, holds: Node) -> list[Bson]:
    """Give the steps that keep the labels for which a condition holds, of a list or of a single one."""
    field = f"${labels.path}"
    if labels.attribute is None:
        test = {"$and": [is_present(field), to_aggregation(holds, schema, field, labels.root_path)]}
        return [{"$set": {labels.path: when(test, field, NULL)}}]
    given = {"$ifNull": [f"${labels.root_path}", []]}
    test = to_aggregation(holds, schema, "$$this", labels.root_path)
    return _with_list(labels, {"$filter": {"input": given, "as": "this", "cond": test}})


def _with_list(labels: LabelField, code: Any) -> list[Bson]:
    field = f"${labels.path}"
    # A sample without the field must not get one.
    return [
        {"$set": {labels.path: when(is_present(field), {"$mergeObjects": [field, {labels.attribute: code}]}, field)}}
    ]


def with_any_label(fields: Iterable[LabelField]) -> Bson:
    """Give the query for samples that have at least one label in any of some fields."""
    found = [
        {f"{labels.root_path}.0": {"$exists": True}} if labels.attribute else {labels.path: {"$ne": None}}
        for labels in fields
    ]
    return {"$or": found} if len(found) > 1 else found[0] if found else NOTHING


@dataclass(frozen=True)
class FilterLabels(Stage):
    """Keep the labels for which a condition holds.

    Of a list of labels, the others are left out; a single label becomes None.

    Args:
        field: the field of labels, such as "predictions".
        filter: the condition, in which names are looked up in the label; "$" before a name means a field of the sample.
        only_matches: whether to leave out the samples that keep no label.

    Example:
        >>> from ..expressions import F
        >>> print(FilterLabels("predictions", F("confidence") > 0.5))
        filter_labels("predictions", F("confidence") > 0.5)
    """

    name = "filter_labels"
    shapes_documents = True

    field: str
    filter: Any
    only_matches: bool = True

    def __post_init__(self) -> None:
        self._settle(
            filter=condition(self.filter, 'F("confidence") > 0.5'),
            only_matches=bool(self.only_matches),
        )

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        labels = label_field(schema, self.field)
        if labels.attribute:
            matches = [{"$match": with_any_label([labels])}] if self.only_matches else []
            return [*keeping(labels, schema, self.filter), *matches]
        if not self.only_matches:
            return keeping(labels, schema, self.filter)
        field = f"${labels.path}"
        holds = [is_present(field), to_aggregation(self.filter, schema, field, labels.root_path)]
        return [{"$match": {"$expr": {"$and": holds}}}]

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the path of the labels that leave in part."""
        return (label_field(schema, self.field).root_path,)


@dataclass(frozen=True)
class LimitLabels(Stage):
    """Keep the first labels of each list.

    Args:
        field: the field with a list of labels, such as "predictions".
        limit: how many labels of each sample; none if it is not positive.

    Example:
        >>> print(LimitLabels("predictions", 3))
        limit_labels("predictions", 3)
    """

    name = "limit_labels"
    shapes_documents = True

    field: str
    limit: int

    def __post_init__(self) -> None:
        self._settle(limit=whole(self.limit, "limit"))

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        labels = label_field(schema, self.field)
        if labels.attribute is None:
            raise ViewError(
                f"limit_labels() was given {self.field!r}, which holds a single {_type_of(schema, self.field)} for "
                "each sample. It works on lists of labels."
            )
        first = {"$slice": [{"$ifNull": [f"${labels.root_path}", []]}, self.limit]} if self.limit > 0 else EMPTY
        return _with_list(labels, first)

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the path of the labels that leave in part."""
        return (label_field(schema, self.field).root_path,)


def _type_of(schema: Schema, path: str) -> str:
    field = schema.resolve(path).field
    return field.document_type if isinstance(field, EmbeddedDocumentField) else "label"
