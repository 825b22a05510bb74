"""Stages that keep samples by the values of one field: select_by, exclude_by."""

from dataclasses import dataclass
from typing import Any

from ..errors import ExpressionError, ViewError
from ..expressions import constants, to_query
from ..expressions.compare import as_id
from ..expressions.functions.values import usable
from ..expressions.kinds import ROOT, Kind, follow
from ..expressions.nodes import Call, Constant, Path
from ..expressions.typed import NULL, literal
from ..schema import Schema
from ..schema.values import elements
from ..types import Bson
from .base import Stage
from .ordering import by_id

MOST_BYTES = 12_000_000
"""Values that take more than this do not fit into one command to the database."""


@dataclass(frozen=True)
class SelectBy(Stage):
    """Keep the samples whose value in a field is among the given ones.

    Of a list, or of an attribute of labels in a list, one element suffices. None among the values stands for missing or
    None, except in lists. Values that no sample has are passed over.

    Args:
        field: the field.
        values: a value or several.
        ordered: whether the samples come in the order of the values.

    Example:
        >>> print(SelectBy("weather", ["rain", "snow"]))
        select_by("weather", ["rain", "snow"])
    """

    name = "select_by"

    field: str
    values: Any
    ordered: bool = False

    def __post_init__(self) -> None:
        values = settled(self.field, self.values, self.name, times=2 if self.ordered else 1)
        self._settle(values=values, ordered=bool(self.ordered))

    @property
    def sets_order(self) -> bool:  # type: ignore[override]  # constant for most other stages
        """Whether it determines the order in which samples leave."""
        return self.ordered

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        steps: list[Bson] = [{"$match": among(self.field, self.values, schema)}]
        if not self.ordered:
            return steps
        step = follow(schema, ROOT, self.field)
        if step.kind.name == "list":
            raise ViewError(
                f"select_by(ordered=True) was given {self.field!r}, which is a list: several of its elements may be "
                "among the values. Leave ordered=False, or use sort_by()."
            )
        values = self.values.value
        sought = as_id(values, repr(self.field)) if step.kind.name == "id" else values
        place = {"$indexOfArray": [literal(sought), {"$ifNull": [f"${step.db_path}", NULL]}]}
        return [*steps, {"$set": {"_sort": place}}, {"$sort": {"_sort": 1, **by_id(schema)}}, {"$unset": "_sort"}]


@dataclass(frozen=True)
class ExcludeBy(Stage):
    """Leave out the samples whose value in a field is among the given ones.

    Of a list, or of an attribute of labels in a list, one element suffices. Samples without a value stay, unless None
    is among the values.

    Args:
        field: the field.
        values: a value or several.

    Example:
        >>> print(ExcludeBy("weather", "fog"))
        exclude_by("weather", ["fog"])
    """

    name = "exclude_by"

    field: str
    values: Any

    def __post_init__(self) -> None:
        self._settle(values=settled(self.field, self.values, self.name))

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        return [{"$match": {"$nor": [among(self.field, self.values, schema)]}}]


def settled(field: Any, values: Any, stage: str, times: int = 1) -> Constant:
    """Give values as the constant of a list, each once.

    Args:
        field: the field that they belong to.
        values: a value or several.
        stage: who asks, for messages.
        times: how often they occur in the command.

    Raises:
        ViewError: if they are too many for one command, or the field is no name.
        ExpressionError: if a value cannot be compared with.
    """
    if not isinstance(field, str):
        raise ViewError(f"{stage}() was given {field!r}. Give the name of a field.")
    if isinstance(values, Constant):
        return values
    several = elements(values)
    if several is None:
        several = list(values) if hasattr(values, "__iter__") and not isinstance(values, str | dict) else [values]
    listed = constants.normal(several)
    distinct = {constants.identity(value): value for value in listed}
    size = times * sum(len(text) + 14 for text in distinct)  # with its place in the list
    if size > MOST_BYTES:
        raise ViewError(
            f"{stage}() was given {len(distinct)} values of about {size // 1_000_000} MB; a view takes "
            f"{MOST_BYTES // 1_000_000} MB. Tag the samples and use match_tags()."
        )
    return Constant(list(distinct.values()))


def among(field: str, values: Constant, schema: Schema) -> Bson:
    """Give the query for samples whose value in a field, or an element of it, is among some values.

    Raises:
        FieldNotFoundError: if there is no such field.
        ExpressionError: if the field holds values that cannot be compared.
    """
    step = follow(schema, ROOT, field)
    leaf = _leaf(step.kind)
    if not leaf.is_scalar and leaf.name != "any":
        raise ExpressionError(
            f"{field!r} holds values of the kind {leaf}; samples are chosen by numbers, text, dates, booleans or ids."
        )
    if step.kind.name != "list":
        return to_query(Call("is_in", (Path(field), values)), schema)
    wanted, _ = usable(values.value)
    return {step.db_path: {"$in": as_id(wanted, repr(field)) if leaf.name == "id" else wanted}}


def _leaf(kind: Kind) -> Kind:
    while kind.name == "list" and kind.element is not None:
        kind = kind.element
    return kind
