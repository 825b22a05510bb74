"""Aggregations as methods. What each means is documented on its class in `dataset.aggregations`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .. import aggregations
from ..aggregations import Aggregation
from ..aggregations.values import mapped
from ..columns import read_vectors
from ..errors import ConnectionFailedError, ExpressionError, SaccadeError, ViewError
from ..expressions import ViewExpression
from ..schema import ArrayField, BooleanField, FloatField, IntField, StringField, VectorField
from ..store import codec
from ..store.listed import Listed
from ..types import FloatArray
from .base import Base

FieldOrExpression = str | ViewExpression


@dataclass(frozen=True)
class _Column:
    """What is read for one field or expression: its values, their code, and how each is decoded."""

    values: aggregations.Values
    code: Any
    decode: Callable[[Any], Any] | None
    is_number: bool = False


class Aggregating(Base):
    """Methods that give numbers, counts and columns."""

    def aggregate(self, aggregations: "Aggregation | Sequence[Aggregation]") -> Any:
        """The result of an aggregation, or the list of results of several.

        Raises:
            FieldNotFoundError: if a field does not exist.
        """
        if isinstance(aggregations, Sequence) and not isinstance(aggregations, str):
            return [self._aggregate(one) for one in aggregations]
        return self._aggregate(aggregations)

    def _aggregate(self, aggregation: Aggregation) -> Any:
        """Ask once, with the schema as it was read last, which the same call proves; where that fails, from scratch."""
        if not isinstance(aggregation, Aggregation):
            raise ViewError(
                f"aggregate() was given {aggregation!r}, which is no aggregation. Make one, such as Count()."
            )
        revision, schema = self._root._known_schema(ask=False)
        try:
            with self._root._holding_schema(schema):
                return self._aggregated(aggregation, revision)
        except ConnectionFailedError:
            raise
        except SaccadeError:  # perhaps for the age of the schema
            with self._root._holding_schema():
                return self._aggregated(aggregation)

    def _aggregated(self, aggregation: Aggregation, revision: int | None = None) -> Any:
        schema = self._schema()
        decode = codec.decoder(aggregation.leaf_field(schema))
        hopeful = aggregation.to_mongo_without_nan(schema)
        if hopeful is not None:
            found = list(self._documents(hopeful, ordered=False, revision=revision))
            if not any(value != value for document in found for value in document.values()):  # noqa: PLR0124  # NaN
                return aggregation.parse(found, decode)
        documents = self._documents(aggregation.to_mongo(schema), ordered=aggregation.needs_order, revision=revision)
        result = aggregation.parse(documents, decode)
        for _ in documents:  # to the end, where the revision is
            pass
        return result

    def count(
        self, field_or_expr: FieldOrExpression | None = None, expr: ViewExpression | None = None, safe: bool = False
    ) -> int:
        """The number of samples, or of values of a field; see `aggregations.Count`."""
        if field_or_expr is None and not self._stages:
            return self._root._count()
        return int(self._aggregate(aggregations.Count(field_or_expr, expr, safe)))

    def count_values(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False
    ) -> dict[Any, int]:
        """How often each value occurs; see `aggregations.CountValues`."""
        return dict(self._aggregate(aggregations.CountValues(field_or_expr, expr, safe)))

    def distinct(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False
    ) -> list[Any]:
        """The different values, sorted; see `aggregations.Distinct`."""
        return list(self._aggregate(aggregations.Distinct(field_or_expr, expr, safe)))

    def bounds(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False
    ) -> tuple[Any, Any]:
        """The smallest and largest value; see `aggregations.Bounds`."""
        low, high = self._aggregate(aggregations.Bounds(field_or_expr, expr, safe))
        return low, high

    def min(self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False) -> Any:
        """The smallest value; see `aggregations.Min`."""
        return self._aggregate(aggregations.Min(field_or_expr, expr, safe))

    def max(self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False) -> Any:
        """The largest value; see `aggregations.Max`."""
        return self._aggregate(aggregations.Max(field_or_expr, expr, safe))

    def mean(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False
    ) -> float | None:
        """The mean; see `aggregations.Mean`."""
        return self._aggregate(aggregations.Mean(field_or_expr, expr, safe))  # type: ignore[no-any-return]  # parse is untyped

    def std(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False,
        sample: bool = False,
    ) -> float | None:  # fmt: skip
        """The standard deviation; see `aggregations.Std`."""
        return self._aggregate(aggregations.Std(field_or_expr, expr, safe, sample))  # type: ignore[no-any-return]  # parse is untyped

    def sum(self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, safe: bool = False) -> Any:
        """The sum; see `aggregations.Sum`."""
        return self._aggregate(aggregations.Sum(field_or_expr, expr, safe))

    def quantiles(
        self, field_or_expr: FieldOrExpression, quantiles: float | Sequence[float],
        expr: ViewExpression | None = None, safe: bool = False,
    ) -> Any:  # fmt: skip
        """Quantiles; see `aggregations.Quantiles`."""
        return self._aggregate(aggregations.Quantiles(field_or_expr, quantiles, expr, safe))

    def histogram_values(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None,
        bins: int | Sequence[float] | None = None, range: tuple[float, float] | None = None, auto: bool = False,
    ) -> Any:  # fmt: skip
        """Counts, edges and the number of other values; see `aggregations.HistogramValues`."""
        return self._aggregate(aggregations.HistogramValues(field_or_expr, expr, bins, range, auto))

    def schema(
        self, field_or_expr: FieldOrExpression, expr: ViewExpression | None = None, dynamic_only: bool = False
    ) -> dict[str, Any]:
        """The attributes that documents have, with their kinds; see `aggregations.Schema`."""
        return dict(self._aggregate(aggregations.Schema(field_or_expr, expr, dynamic_only)))

    def values(
        self,
        field_or_expr: FieldOrExpression | Sequence[FieldOrExpression],
        expr: ViewExpression | None = None,
        missing_value: Any = None,
        unwind: bool | Literal[-1] = False,
        *,
        transform: Callable[[Any], Any] | None = None,
    ) -> list[Any]:
        """The values of a field or expression, one per sample in order; for several, one list each.

        See `aggregations.Values`. Vectors come as arrays; `columns.read_vectors` gives them as one matrix.

        Args:
            field_or_expr: a field or an expression, or several.
            expr: an expression to compute from each value of the field first.
            missing_value: what to give instead of None.
            unwind: whether to give one flat list; -1 gives one for each sample.
            transform: a Python function of each value, as they come; not called for None. Values inside lists of
                labels stay in their lists, and a list that is itself the value, such as `tags`, is given whole.
        """
        several = isinstance(field_or_expr, Sequence) and not isinstance(field_or_expr, str)
        wanted = list(field_or_expr) if several else [field_or_expr]
        form = aggregations.Values("id", expr, missing_value, unwind)
        with self._root._holding_schema():
            found = self._read(wanted, form) if transform is None else self._transformed(wanted, form, transform)
        return found if several else found[0]

    def _read(self, wanted: Sequence[Any], form: aggregations.Values) -> list[list[Any]]:
        """The values of several fields or expressions; `form` says how they are given."""
        results: dict[int, list[Any]] = {}
        together: dict[int, _Column] = {}
        for position, one in enumerate(wanted):
            values = replace(form, field_or_expr=one)
            is_field = isinstance(one, str) and form.expr is None
            apart = self._read_apart(one, form.missing_value, unwind=bool(form.unwind)) if is_field else None
            if apart is None:
                together[position] = self._column(values)
            else:
                results[position] = apart
        results |= dict(zip(together, self._read_together(list(together.values())), strict=True))
        return [results[position] for position in range(len(wanted))]

    def _transformed(
        self, wanted: Sequence[Any], form: aggregations.Values, transform: Callable[[Any], Any]
    ) -> list[list[Any]]:
        """The values after a function of each."""
        schema, results = self._schema(), []
        for one, column in zip(wanted, self._read(wanted, aggregations.Values("id", form.expr)), strict=True):
            resolved = schema.resolve(one) if isinstance(one, str) else None
            around = [] if resolved is None else [part for part in resolved.list_parts if part != resolved.path]
            results.append(form.finished(mapped(column, transform, len(around))))
        return results

    def _read_together(self, columns: "Sequence[_Column]") -> list[list[Any]]:
        """The values of several fields or expressions in one pass."""
        if not columns:
            return []
        codes = [column.code for column in columns]
        found = self._columns(codes, with_ids=False, are_numbers=all(column.is_number for column in columns))
        return [column.values.finished(read, column.decode) for column, read in zip(columns, found.values, strict=True)]

    def _column(self, values: aggregations.Values) -> "_Column":
        schema = self._schema()
        given = values.field_or_expr
        is_field = isinstance(given, str) and values.expr is None
        resolved = schema.resolve(given, self._title()) if is_field else None
        if resolved is not None and isinstance(resolved.field, ArrayField):
            # Logits and other arrays, which no expression can look into, as they are stored.
            code: Any = f"${resolved.db_path}"
            if resolved.list_parts:
                (held,) = resolved.list_parts
                code = Listed(held, resolved.db_path[len(held) + 1 :]).code()
            return _Column(replace(values, unwind=False), code, codec.decode)
        if resolved is not None and isinstance(resolved.field, StringField | FloatField):
            attribute = resolved.db_path[len(resolved.list_parts[0]) + 1 :] if len(resolved.list_parts) == 1 else ""
            if attribute and "." not in attribute and all(map(str.isidentifier, resolved.db_path.split("."))):
                decode = None if isinstance(resolved.field, StringField) else codec.decoder(resolved.field)
                return _Column(values, Listed(resolved.list_parts[0], attribute), decode)
        is_number = resolved is not None and isinstance(resolved.field, FloatField | IntField | BooleanField)
        return _Column(
            values, values.projection(schema), codec.decoder(values.leaf_field(schema)),
            is_number=is_number and resolved is not None and not resolved.list_parts,
        )  # fmt: skip

    def _read_apart(self, path: str, missing_value: Any, *, unwind: bool) -> list[Any] | None:
        """The values of a field that does not lie in the samples as it is; None if it does."""
        if isinstance(self._schema().resolve(path, self._title()).field, VectorField):
            return self._vectors(path, missing_value)
        return self._labels(path, missing_value, unwind=unwind) if self._holds_vectors(path) else None

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
