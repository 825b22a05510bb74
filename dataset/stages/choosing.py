"""Stages that choose labels by id, tag or condition, in one field or in all: match_, select_ and exclude_labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import FieldNotFoundError, ViewError
from ..expressions import NOTHING, Node, check, to_query
from ..expressions.nodes import Apply, Call, Compare, Constant, Each, Logic, Path
from ..schema import Schema
from ..types import Bson, Oid
from .base import Stage, names_of
from .labels import LabelField, keeping, label_field, label_fields, with_any_label
from .matching import Flag, condition
from .patches import is_of_patches
from .picking import MOST_IDS, ids_of


@dataclass(frozen=True)
class LabelChoice:
    """Which labels are meant: those that meet every criterion.

    Attributes:
        labels: `(sample id, field, label id)` of single labels, or None.
        ids: ids of labels, or None.
        tags: tags of which a label must have one, or None.
        filter: a condition on labels, or None.
        fields: the fields to look in; None means all that hold labels.
    """

    labels: Any
    ids: Any
    tags: Any
    filter: Any
    fields: Any

    @property
    def has_criteria(self) -> bool:
        """Whether anything is asked of the labels."""
        return any(given is not None for given in (self.labels, self.ids, self.tags, self.filter))

    def places(self, schema: Schema) -> list[tuple[str, LabelField]]:
        """Give the names and places of the fields in which labels may be meant.

        Raises:
            FieldNotFoundError: if a named field does not exist, or if the condition names attributes that the labels of
                a named field, or of all fields, do not have.
            ViewError: if a named field holds no labels.
        """
        named = self.fields is not None or self.labels is not None
        names = list(self.fields) if self.fields is not None else label_fields(schema)
        if self.labels is not None:
            holding = dict.fromkeys(field for _, field, _ in self.labels)
            names = [name for name in holding if self.fields is None or name in self.fields]
        found = [(name, label_field(schema, name)) for name in names]
        if self.filter is None:
            return found
        fitting, failures = [], []
        for name, labels in found:
            try:
                check(self.filter, schema, labels.root_path)
                fitting.append((name, labels))
            except FieldNotFoundError as error:
                failures.append(error)
        if failures and (named or not fitting):
            raise failures[0]
        return fitting

    def condition(self, name: str) -> Node:
        """Give the condition on a label of the field `name`."""
        ids = self._ids_in(name)
        parts: list[Node] = []
        if ids is not None:
            parts.append(Call("is_in", (Path("id"), Constant(ids))))
        if self.tags is not None:
            parts.append(Call("contains_any", (Path("tags"), Constant(list(self.tags)))))
        if self.filter is not None:
            parts.append(self.filter)
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))

    def query(self, schema: Schema) -> Bson:
        """Give the query for samples that have a label that is meant."""
        found = [self._query(name, labels, schema) for name, labels in self.places(schema)] if self.has_criteria else []
        return {"$or": found} if found else NOTHING

    def _query(self, name: str, labels: LabelField, schema: Schema) -> Bson:
        simple: Bson = {}
        ids = self._ids_in(name)
        if ids is not None:
            simple["_id"] = {"$in": [Oid(label_id) for label_id in ids]}
        if self.tags is not None:
            simple["tags"] = {"$in": list(self.tags)}
        parts: list[Bson] = []
        if self.labels is not None:
            holder = "sample_id" if is_of_patches(schema) else "_id"
            parts.append(
                {holder: {"$in": [Oid(sample) for sample, field, _ in self.labels if field == name and sample]}}
            )
        if simple and labels.attribute:
            parts.append({labels.root_path: {"$elemMatch": simple}})
        elif simple:
            parts.append({f"{labels.path}.{key}": test for key, test in simple.items()})
        if self.filter is not None:
            parts.append(to_query(self._on_sample(name, labels), schema))
        return {"$and": parts}

    def _on_sample(self, name: str, labels: LabelField) -> Node:
        """Give the condition that a sample has a label that is meant in one field."""
        holds = self.condition(name)
        if labels.attribute:
            chosen = Each("filter", Path(labels.root_path), holds)
            return Compare("gt", Call("length", (chosen,)), Constant(0))
        field = Path(labels.path)
        return Logic("and", (Compare("ne", field, Constant(None)), Apply(field, holds)))

    def _ids_in(self, name: str) -> list[str] | None:
        if self.labels is None:
            return None if self.ids is None else list(self.ids)
        named = [label_id for _, field, label_id in self.labels if field == name]
        return named if self.ids is None else [label_id for label_id in named if label_id in set(self.ids)]


def settled(
    stage: str, *, labels: Any, ids: Any, tags: Any, fields: Any, filter: Any = None  # noqa: A002  # FiftyOne's name
) -> dict[str, Any]:  # fmt: skip
    """Give the criteria in their normal form.

    Raises:
        ViewError: if one is not what is expected.
    """
    return {
        "labels": None if labels is None else _single_labels(labels, stage),
        "ids": None if ids is None else ids_of(ids, stage, "label"),
        "tags": None if tags is None else names_of(tags, "a tag"),
        "fields": None if fields is None else names_of(fields, "the name of a field"),
        "filter": None if filter is None else condition(filter, 'F("confidence") > 0.5'),
    }


def _single_labels(given: Any, stage: str) -> tuple[tuple[str, str, str], ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ViewError(f"{stage}() was given labels={given!r}. {_EXPECTED}")
    found = dict.fromkeys(_single_label(item, stage) for item in given)
    if len(found) > MOST_IDS:
        raise ViewError(f"{stage}() was given {len(found)} labels; a view takes {MOST_IDS}. Tag them and use the tag.")
    return tuple(found)


_EXPECTED = 'Give a list of dicts such as {"sample_id": …, "field": "predictions", "label_id": …}.'


def _single_label(item: Any, stage: str) -> tuple[str, str, str]:
    parts = [item.get(key) for key in ("sample_id", "field", "label_id")] if isinstance(item, Mapping) else item
    if not isinstance(parts, list | tuple) or len(parts) != 3 or not isinstance(parts[1], str):
        raise ViewError(f"{stage}() was given {item!r} as a label. {_EXPECTED}")
    sample_id, field, label_id = parts
    (checked_sample,) = ids_of(sample_id, stage)
    (checked_label,) = ids_of(label_id, stage, "label")
    return checked_sample, field, checked_label


@dataclass(frozen=True)
class MatchLabels(Stage):
    """Keep the samples that have, or do not have, at least one label that meets every criterion.

    The labels themselves stay as they are. Without any criterion, no label is meant.

    Args:
        labels: single labels, as dicts with "sample_id", "field" and "label_id".
        ids: a label's id, or several.
        tags: a tag or several, of which a label has at least one.
        filter: a condition, in which names are looked up in the label; "$" before a name means a field of the sample.
        fields: the field or fields to look in. None looks in all that hold labels, and passes over those whose labels
            lack an attribute that the condition names.
        bool: None or True keeps the samples with such a label, False those without.

    Example:
        >>> from ..expressions import F
        >>> print(MatchLabels(filter=F("confidence") > 0.9, fields="predictions"))
        match_labels(filter=F("confidence") > 0.9, fields=["predictions"])
    """

    name = "match_labels"

    labels: Any = None
    ids: Any = None
    tags: Any = None
    filter: Any = None
    fields: Any = None
    bool: "Flag | None" = None

    def __post_init__(self) -> None:
        self._settle(
            **settled(
                self.name, labels=self.labels, ids=self.ids, tags=self.tags, fields=self.fields, filter=self.filter
            )
        )

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        found = LabelChoice(self.labels, self.ids, self.tags, self.filter, self.fields).query(schema)
        return [{"$match": {"$nor": [found]} if self.bool is False else found}]


@dataclass(frozen=True)
class SelectLabels(Stage):
    """Keep only the labels that meet every criterion; all other labels, also those of other fields, are left out.

    Args:
        labels: single labels, as dicts with "sample_id", "field" and "label_id".
        ids: a label's id, or several.
        tags: a tag or several, of which a label has at least one.
        fields: the field or fields whose labels are kept; None means all that hold labels.
        omit_empty: whether to leave out the samples that keep no label.

    Example:
        >>> print(SelectLabels(tags="mistake", fields="predictions"))
        select_labels(tags=["mistake"], fields=["predictions"])
    """

    name = "select_labels"
    shapes_documents = True

    labels: Any = None
    ids: Any = None
    tags: Any = None
    fields: Any = None
    omit_empty: bool = True

    def __post_init__(self) -> None:
        given = settled(self.name, labels=self.labels, ids=self.ids, tags=self.tags, fields=self.fields)
        del given["filter"]
        self._settle(**given, omit_empty=bool(self.omit_empty))

    @property
    def _choice(self) -> LabelChoice:
        return LabelChoice(self.labels, self.ids, self.tags, None, self.fields)

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        choice = self._choice
        places = dict(choice.places(schema))
        steps: list[Bson] = []
        if self.omit_empty:
            # First, so that samples without such a label are not taken apart.
            steps.append({"$match": choice.query(schema) if choice.has_criteria else with_any_label(places.values())})
        emptied = [name for name in label_fields(schema) if name not in places]
        if emptied:
            steps.append({"$unset": emptied})
        if choice.has_criteria:
            for name, labels in places.items():
                steps += keeping(labels, schema, choice.condition(name))
        return steps

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the paths of the labels that leave in part."""
        whole = set() if self._choice.has_criteria else {name for name, _ in self._choice.places(schema)}
        return _roots([name for name in label_fields(schema) if name not in whole], schema)


@dataclass(frozen=True)
class ExcludeLabels(Stage):
    """Leave out the labels that meet every criterion. Without any criterion, none is left out.

    Args:
        labels: single labels, as dicts with "sample_id", "field" and "label_id".
        ids: a label's id, or several.
        tags: a tag or several, of which a label has at least one.
        fields: the field or fields whose labels may be left out; None means all that hold labels.
        omit_empty: whether to leave out the samples that have no label then, in any field.

    Example:
        >>> print(ExcludeLabels(tags=["mistake", "unsure"]))
        exclude_labels(tags=["mistake", "unsure"])
    """

    name = "exclude_labels"
    shapes_documents = True

    labels: Any = None
    ids: Any = None
    tags: Any = None
    fields: Any = None
    omit_empty: bool = True

    def __post_init__(self) -> None:
        given = settled(self.name, labels=self.labels, ids=self.ids, tags=self.tags, fields=self.fields)
        del given["filter"]
        self._settle(**given, omit_empty=bool(self.omit_empty))

    @property
    def _choice(self) -> LabelChoice:
        return LabelChoice(self.labels, self.ids, self.tags, None, self.fields)

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        choice = self._choice
        steps: list[Bson] = []
        places = choice.places(schema)
        if choice.has_criteria:
            for name, labels in places:
                steps += keeping(labels, schema, Logic("not", (choice.condition(name),)))
        if self.omit_empty:
            steps.append({"$match": with_any_label(label_field(schema, name) for name in label_fields(schema))})
        return steps

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the paths of the labels that leave in part."""
        choice = self._choice
        return _roots([name for name, _ in choice.places(schema)], schema) if choice.has_criteria else ()


def _roots(names: Iterable[str], schema: Schema) -> tuple[str, ...]:
    return tuple(label_field(schema, name).root_path for name in names)
