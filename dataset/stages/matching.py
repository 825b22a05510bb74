"""Stages that keep samples by what they hold: match, match_tags, exists."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import ViewError
from ..expressions import F, Node, ViewExpression, to_query
from ..schema import Schema
from ..types import Bson
from .base import Stage, names_of

Flag: TypeAlias = bool  # an attribute called bool hides the type


def condition(given: Any, example: str) -> Node:
    """Give the node of a condition.

    Raises:
        ViewError: if what was given is no expression.
    """
    if isinstance(given, ViewExpression):
        return given.node
    if isinstance(given, Node):
        return given
    raise ViewError(f"{given!r} is no expression. Write the condition with F, such as {example}.")


@dataclass(frozen=True)
class Match(Stage):
    """Keep the samples for which a condition holds.

    Where a field of the condition is missing, None or NaN, comparisons do not hold.

    Args:
        filter: the condition.

    Example:
        >>> print(Match(F("uniqueness") > 0.5))
        match(F("uniqueness") > 0.5)
    """

    name = "match"

    filter: Any

    def __post_init__(self) -> None:
        self._settle(filter=condition(self.filter, 'F("uniqueness") > 0.5'))

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        return [{"$match": to_query(self.filter, schema)}]


@dataclass(frozen=True)
class MatchTags(Stage):
    """Keep the samples that have, or do not have, tags.

    Args:
        tags: a tag or several.
        bool: None or True keeps the samples that have them, False those that do not.
        all: whether all of the tags must be there (or with `bool=False` must not all be there) instead of any.

    Example:
        >>> print(MatchTags(["train", "day"], all=True))
        match_tags(["train", "day"], all=True)
    """

    name = "match_tags"

    tags: str | Iterable[str]
    bool: "Flag | None" = None
    all: "Flag" = False

    def __post_init__(self) -> None:
        self._settle(tags=names_of(self.tags, "a tag"))

    def to_mongo(self, schema: Schema) -> list[Bson]:  # noqa: ARG002  # every sample has tags
        """Give the steps of the pipeline."""
        tags = list(self.tags)
        if self.all and not tags:
            found: Bson = {}  # of no tags, every sample has all
        else:
            found = {"tags": {"$all" if self.all else "$in": tags}}
        return [{"$match": {"$nor": [found]} if self.bool is False else found}]


@dataclass(frozen=True)
class Exists(Stage):
    """Keep the samples that have a value in a field: one that is neither missing nor None.

    For an attribute of labels in a list, one label with a value suffices.

    Args:
        field: the field.
        bool: None or True keeps the samples with a value, False those without.

    Example:
        >>> print(Exists("embedding"))
        exists("embedding")
    """

    name = "exists"

    field: str
    bool: "Flag | None" = None

    def __post_init__(self) -> None:
        if not isinstance(self.field, str):
            raise ViewError(f"exists() was given {self.field!r}. Give the name of a field.")

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        in_lists = bool(schema.resolve(self.field).list_parts)
        value = F(self.field)
        found = value.filter(F().exists()).length() > 0 if in_lists else value.exists()
        return [{"$match": to_query((~found if self.bool is False else found).node, schema)}]
