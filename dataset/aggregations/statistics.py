"""What numbers amount to: Bounds, Min, Max, Mean, Std, Sum, Quantiles. None and NaN do not count."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ViewError
from ..expressions.typed import Names, number
from ..schema import Schema
from ..types import Bson
from .base import Aggregation, counted, first_value


@dataclass(frozen=True, repr=False)
class _Summary(Aggregation):
    """One value from all values, by an accumulator of the database.

    Args:
        field_or_expr: a field or an expression.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.
    """

    accumulator: ClassVar[str]

    safe: bool = False

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        steps, typed = self._singles(schema)
        tests, code = counted(typed, safe=self.safe)
        return [*steps, *tests, {"$group": {"_id": None, **self._accumulated(code)}}]

    def to_mongo_without_nan(self, schema: Schema) -> list[Bson] | None:
        """Give the pipeline that does not look for NaN, which would make the outcome NaN; None if it has to look."""
        steps, typed = self._singles(schema)
        if self.safe or typed.kind.name != "number" or not isinstance(typed.code, str):
            return None
        return [*steps, {"$group": {"_id": None, **self._accumulated(typed.code)}}]

    def _accumulated(self, code: Any) -> Bson:
        return {"value": {self.accumulator: code}}

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> Any:
        """Give the value; None if there was nothing to count."""
        return _decoded(first_value(documents), decode)


def _decoded(found: Any, decode: Callable[[Any], Any] | None) -> Any:
    return found if found is None or decode is None else decode(found)


@dataclass(frozen=True, repr=False)
class Bounds(_Summary):
    """Give the smallest and the largest value; `(None, None)` if there is none.

    Args:
        field_or_expr: a field or an expression, of numbers, dates, text, booleans or ids.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.

    Example:
        >>> Bounds("uniqueness")
        Bounds("uniqueness")
    """

    def _accumulated(self, code: Any) -> Bson:
        return {"low": {"$min": code}, "high": {"$max": code}}

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> tuple[Any, Any]:
        """Give the two bounds."""
        found = next(iter(documents), {})
        return _decoded(found.get("low"), decode), _decoded(found.get("high"), decode)


@dataclass(frozen=True, repr=False)
class Min(_Summary):
    """Give the smallest value; None if there is none.

    Args:
        field_or_expr: a field or an expression, of numbers, dates, text, booleans or ids.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.
    """

    accumulator = "$min"


@dataclass(frozen=True, repr=False)
class Max(_Summary):
    """Give the largest value; None if there is none.

    Args:
        field_or_expr: a field or an expression, of numbers, dates, text, booleans or ids.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.
    """

    accumulator = "$max"


@dataclass(frozen=True, repr=False)
class Mean(_Summary):
    """Give the mean; None if there is no number.

    Args:
        field_or_expr: a field or an expression, of numbers.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.
    """

    accumulator = "$avg"
    kinds = frozenset({"number"})


@dataclass(frozen=True, repr=False)
class Sum(_Summary):
    """Give the sum; 0 if there is no number.

    Args:
        field_or_expr: a field or an expression, of numbers.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.
    """

    accumulator = "$sum"
    kinds = frozenset({"number"})

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> Any:
        """Give the sum."""
        return super().parse(documents, decode) or 0


@dataclass(frozen=True, repr=False)
class Std(_Summary):
    """Give the standard deviation; None if there are too few numbers.

    Args:
        field_or_expr: a field or an expression, of numbers.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.
        sample: whether to divide by n - 1 instead of n.
    """

    kinds = frozenset({"number"})

    sample: bool = False

    def _accumulated(self, code: Any) -> Bson:
        return {"value": {"$stdDevSamp" if self.sample else "$stdDevPop": code}}


@dataclass(frozen=True, repr=False)
class Quantiles(Aggregation):
    """Give quantiles: the values below which given fractions of all values lie.

    Between two values it interpolates, as `numpy.quantile` does.

    Args:
        field_or_expr: a field or an expression, of numbers.
        quantiles: a fraction in [0, 1], or several.
        expr: an expression to compute from each value of the field first.
        safe: whether infinity does not count either.

    Example:
        >>> Quantiles("uniqueness", [0.25, 0.5, 0.75])
        Quantiles("uniqueness", quantiles=[0.25, 0.5, 0.75])
    """

    kinds = frozenset({"number"})

    quantiles: float | Sequence[float] = 0.5
    safe: bool = False

    def __init__(
        self,
        field_or_expr: Any,
        quantiles: float | Sequence[float],
        expr: Any = None,
        safe: bool = False,  # noqa: FBT001, FBT002  # FiftyOne's signature
    ) -> None:
        fractions = np.asarray(quantiles, dtype=float)
        if fractions.ndim > 1 or not ((fractions >= 0) & (fractions <= 1)).all():
            raise ViewError(f"quantiles is {quantiles!r}. Give a fraction between 0 and 1, or several.")
        given = {"field_or_expr": field_or_expr, "quantiles": fractions.tolist(), "expr": expr, "safe": safe}
        for name, argument in given.items():
            object.__setattr__(self, name, argument)
        self.__post_init__()

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        steps, typed = self._singles(schema)
        test = {"$gt": float("-inf"), "$lt": float("inf")} if self.safe else {"$gte": float("-inf")}
        return [*steps, {"$project": {"_id": 0, "value": number(typed, Names())}}, {"$match": {"value": test}}]

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> Any:  # noqa: ARG002  # numbers need none
        """Give the quantiles, as many as were asked for; None for each if there is no number."""
        found = np.fromiter((document["value"] for document in documents), dtype=np.float64)
        if not found.size:
            return [None] * len(self.quantiles) if isinstance(self.quantiles, list) else None
        return np.quantile(found, self.quantiles).tolist()
