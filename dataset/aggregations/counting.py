"""How many, which, and how many of which: Count, CountValues, Distinct."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isinf
from typing import Any

from ..errors import ExpressionError
from ..expressions.constants import is_nan
from ..expressions.translate import translate
from ..expressions.typed import EMPTY, Scope, is_present
from ..schema import Schema
from ..types import Bson
from .base import Aggregation, first_value


@dataclass(frozen=True, repr=False)
class Count(Aggregation):
    """Count the values that are not None, or the samples.

    Args:
        field_or_expr: a field or an expression; None counts the samples.
        expr: an expression to compute from each value of the field first.
        safe: whether NaN and infinity do not count.

    Example:
        >>> Count("predictions.detections")
        Count("predictions.detections")
    """

    field_or_expr: Any = None
    expr: Any = None
    safe: bool = False

    kinds = Aggregation.kinds | {"document", "vector", "array"}

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        if self.field_or_expr is None:
            return [{"$count": "value"}]
        found = translate(self._node(schema), Scope(schema))
        is_field = isinstance(found.code, str) and not found.code.startswith("$$")
        if is_field and found.kind.name not in {"list", "any"} and not self.safe:
            return [{"$match": {found.code.removeprefix("$"): {"$ne": None}}}, {"$count": "value"}]
        element = found.kind.element
        if element is not None and element.name not in {"list", "any"} and not self.safe:
            present = {"$filter": {"input": {"$ifNull": [found.code, EMPTY]}, "as": "one", "cond": is_present("$$one")}}
            return [{"$group": {"_id": None, "value": {"$sum": {"$size": present}}}}]
        steps, typed = self._singles(schema)
        if self.safe and typed.kind.name in {"number", "any"}:
            bounds = {"$and": [{"$ne": [typed.code, bad]} for bad in (float("nan"), float("inf"), float("-inf"))]}
            steps.append({"$match": {"$expr": bounds}})
        return [*steps, {"$match": {"$expr": is_present(typed.code)}}, {"$count": "value"}]

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> int:  # noqa: ARG002  # a count is no stored value
        """Give the count."""
        return int(first_value(documents) or 0)


@dataclass(frozen=True, repr=False)
class _Grouping(Aggregation):
    """Puts equal values together."""

    safe: bool = False

    def _groups(self, schema: Schema, *, order: Bson) -> list[Bson]:
        steps, typed = self._singles(schema)
        group = {"$group": {"_id": typed.code, "count": {"$sum": 1}}}
        return [*steps, group, {"$sort": order}]

    def _found(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None) -> Iterable[tuple[Any, int]]:
        for document in documents:
            found = document.get("_id")
            if found is None or is_nan(found) or (self.safe and isinstance(found, float) and isinf(found)):
                continue
            if isinstance(found, dict | list):
                raise ExpressionError(
                    f"{found!r} cannot be told apart from others by its value. Count or list single values, such as an "
                    "attribute of a label."
                )
            yield (found if decode is None else decode(found)), document["count"]


@dataclass(frozen=True, repr=False)
class CountValues(_Grouping):
    """Count how often each value occurs; None and NaN do not count.

    The result is a dict from value to count, the most frequent first, equally frequent ones in their order.

    Args:
        field_or_expr: a field or an expression.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.

    Example:
        >>> CountValues("ground_truth.label")
        CountValues("ground_truth.label")
    """

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        return self._groups(schema, order={"count": -1, "_id": 1})

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> dict[Any, int]:
        """Give the counts by value."""
        counts: dict[Any, int] = {}
        for found, count in self._found(documents, decode):
            counts[found] = counts.get(found, 0) + count  # 1 and True are one key
        return counts


@dataclass(frozen=True, repr=False)
class Distinct(_Grouping):
    """List the different values, in ascending order; None and NaN do not count.

    Args:
        field_or_expr: a field or an expression.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.

    Example:
        >>> Distinct("tags")
        Distinct("tags")
    """

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        return self._groups(schema, order={"_id": 1})

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> list[Any]:
        """Give the values."""
        return [found for found, _ in self._found(documents, decode)]
