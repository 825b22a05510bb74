"""Aggregations as methods. What each means is documented on its class in `dataset.aggregations`."""

from collections.abc import Sequence
from typing import Any

from .. import aggregations
from ..aggregations import Aggregation
from ..columns import read_vectors
from ..errors import ExpressionError
from ..expressions import ViewExpression
from ..schema import ArrayField, Resolved, VectorField
from ..store import codec
from ..types import FloatArray
from .base import Base

FieldOrExpression = str | ViewExpression


class Aggregating(Base):
    """Methods that give numbers, counts and columns."""

    def aggregate(self, aggregations: "Aggregation | Sequence[Aggregation]") -> Any:
        """The result of an aggregation, or the list of results of several.

        Raises:
            FieldNotFoundError: if a field does not exist.
        """
        if isinstance(aggregations, Sequence):
            return [self._aggregate(one) for one in aggregations]
        return self._aggregate(aggregations)

    def _aggregate(self, aggregation: Aggregation) -> Any:
        schema = self._schema()
        documents = self._documents(aggregation.to_mongo(schema), ordered=aggregation.needs_order)
        return aggregation.parse(documents, codec.decoder(aggregation.leaf_field(schema)))

    def count(self, field_or_expr: FieldOrExpression | None = None) -> int:
        """The number of samples, or of values of a field; see `aggregations.Count`."""
        if field_or_expr is None and not self._stages:
            return self._root._count()
        return int(self._aggregate(aggregations.Count(field_or_expr)))

    def count_values(self, field_or_expr: FieldOrExpression) -> dict[Any, int]:
        """How often each value occurs; see `aggregations.CountValues`."""
        return dict(self._aggregate(aggregations.CountValues(field_or_expr)))

    def distinct(self, field_or_expr: FieldOrExpression) -> list[Any]:
        """The different values, sorted; see `aggregations.Distinct`."""
        return list(self._aggregate(aggregations.Distinct(field_or_expr)))

    def bounds(self, field_or_expr: FieldOrExpression) -> tuple[Any, Any]:
        """The smallest and largest value; see `aggregations.Bounds`."""
        low, high = self._aggregate(aggregations.Bounds(field_or_expr))
        return low, high

    def min(self, field_or_expr: FieldOrExpression) -> Any:
        """The smallest value; see `aggregations.Min`."""
        return self._aggregate(aggregations.Min(field_or_expr))

    def max(self, field_or_expr: FieldOrExpression) -> Any:
        """The largest value; see `aggregations.Max`."""
        return self._aggregate(aggregations.Max(field_or_expr))

    def mean(self, field_or_expr: FieldOrExpression) -> float | None:
        """The mean; see `aggregations.Mean`."""
        return self._aggregate(aggregations.Mean(field_or_expr))  # type: ignore[no-any-return]  # parse is untyped

    def std(self, field_or_expr: FieldOrExpression, *, sample: bool = False) -> float | None:
        """The standard deviation; see `aggregations.Std`."""
        return self._aggregate(aggregations.Std(field_or_expr, sample=sample))  # type: ignore[no-any-return]  # parse is untyped

    def sum(self, field_or_expr: FieldOrExpression) -> Any:
        """The sum; see `aggregations.Sum`."""
        return self._aggregate(aggregations.Sum(field_or_expr))

    def quantiles(self, field_or_expr: FieldOrExpression, quantiles: float | Sequence[float]) -> Any:
        """Quantiles; see `aggregations.Quantiles`."""
        return self._aggregate(aggregations.Quantiles(field_or_expr, quantiles))

    def histogram_values(
        self, field_or_expr: FieldOrExpression, *, bins: int | Sequence[float] | None = None,
        range: tuple[float, float] | None = None, auto: bool = False,
    ) -> Any:  # fmt: skip
        """Counts, edges and the number of other values; see `aggregations.HistogramValues`."""
        return self._aggregate(aggregations.HistogramValues(field_or_expr, bins=bins, range=range, auto=auto))

    def schema(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, dynamic_only: bool = False
    ) -> dict[str, Any]:
        """The attributes that documents have, with their kinds; see `aggregations.Schema`."""
        return dict(self._aggregate(aggregations.Schema(field_or_expr, expr, dynamic_only)))

    def values(
        self,
        field_or_expr: FieldOrExpression | Sequence[FieldOrExpression],
        *,
        missing_value: Any = None,
        unwind: bool = False,
    ) -> list[Any]:
        """The values of a field or expression, one per sample in order; for several, one list each.

        See `aggregations.Values`. Vectors come as arrays; `columns.read_vectors` gives them as one matrix.
        """
        if isinstance(field_or_expr, Sequence) and not isinstance(field_or_expr, str):
            return [self.values(one, missing_value=missing_value, unwind=unwind) for one in field_or_expr]
        if isinstance(field_or_expr, str):
            resolved = self._schema().resolve(field_or_expr, self._title())
            if isinstance(resolved.field, VectorField):
                return self._vectors(field_or_expr, missing_value)
            if isinstance(resolved.field, ArrayField):
                return self._arrays(resolved, missing_value)
            if self._holds_vectors(field_or_expr):
                return self._labels(field_or_expr, missing_value, unwind=unwind)
        return list(self._aggregate(aggregations.Values(field_or_expr, missing_value=missing_value, unwind=unwind)))

    def _arrays(self, resolved: Resolved, missing_value: Any) -> list[Any]:
        """Logits and other arrays, which no expression can look into, as they are stored."""
        code: Any = f"${resolved.db_path}"
        if resolved.list_parts:
            (held,) = resolved.list_parts
            attribute = resolved.db_path[len(held) + 1 :]
            code = {"$map": {"input": f"${held}", "in": {"$ifNull": [f"$$this.{attribute}", None]}}}
        found = (codec.decode(d.get("value")) for d in self._documents([{"$project": {"_id": 0, "value": code}}]))
        return [missing_value if value is None else value for value in found]

    def _holds_vectors(self, path: str) -> bool:
        schema = self._schema()
        return any(isinstance(schema[p], VectorField) for p in schema.paths() if p.startswith(f"{path}."))

    def _labels(self, path: str, missing_value: Any, *, unwind: bool) -> list[Any]:
        """Labels with vectors, which samples fetch."""
        found = [sample.get_field(path) for sample in self]  # type: ignore[attr-defined]  # Reading supplies it
        if not unwind:
            return [missing_value if value is None else value for value in found]
        lists = (value if isinstance(value, list) else [value] for value in found if value is not None)
        return [value for one in lists for value in one]

    def _vectors(self, field: str, missing_value: Any) -> list[FloatArray | Any]:
        if "." in field:
            raise ExpressionError(f"{field!r} holds vectors of labels; read them from the labels of a sample.")
        ids, matrix = read_vectors(self, field)  # type: ignore[arg-type]  # every collection is a SampleCollection
        rows = dict(zip(ids, matrix, strict=True))
        return [rows.get(sample_id, missing_value) for sample_id in self._ids()]  # type: ignore[attr-defined]  # Reading supplies it
