"""How values are distributed: HistogramValues."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ViewError
from ..expressions.constants import normal
from ..expressions.typed import Names, literal, number, when
from ..schema import Schema
from ..types import Bson
from .base import Aggregation

Edges: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT_BINS = 10


@dataclass(frozen=True, repr=False)
class HistogramValues(Aggregation):
    """Count how many values lie in each of several bins.

    The result is `(counts, edges, other)`: `counts[i]` values are at least `edges[i]` and below `edges[i + 1]`, in the
    last bin also equal to it; `other` values lie in no bin, NaN and infinity among them. None does not count.

    Args:
        field_or_expr: a field or an expression, of numbers or dates.
        expr: an expression to compute from each value of the field first.
        bins: the number of bins, 10 if not given, or their edges in ascending order.
        range: the lowest and the highest edge; not given, the smallest and the largest value.
        auto: whether to choose the number of bins from the values, as `numpy.histogram_bin_edges` does.

    Example:
        >>> HistogramValues("uniqueness", bins=20, range=(0, 1))
        HistogramValues("uniqueness", bins=20, range=(0, 1))
    """

    kinds = frozenset({"number", "date"})

    bins: int | Sequence[Any] | None = None
    range: tuple[Any, Any] | None = None
    auto: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.bins, int | np.integer) and self.bins < 1:
            raise ViewError(f"bins is {self.bins}. Give at least one bin, or the edges.")
        if self.range is not None and (len(self.range) != 2 or not _number(self.range[0]) < _number(self.range[1])):
            raise ViewError(f"range is {self.range!r}. Give the lowest and the highest edge.")
        if not isinstance(self.bins, int | np.integer | None):
            edges = np.asarray([_number(edge) for edge in self.bins])
            if edges.size < 2 or not (np.diff(edges) > 0).all():
                raise ViewError(f"bins is {self.bins!r}. Give a number of bins, or at least two edges, ascending.")

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline: bins counted by the database where it can, else the values."""
        steps, typed = self._singles(schema)
        edges = self._even_edges()
        code = typed.code if typed.kind.name == "date" else number(typed, Names())
        if edges is not None and typed.kind.name == "date":
            code = {"$toLong": code}
        steps = [*steps, {"$project": {"_id": 0, "value": code}}, {"$match": {"value": {"$ne": None}}}]
        return steps if edges is None else [*steps, {"$group": {"_id": _bin(edges), "count": {"$sum": 1}}}]

    def _even_edges(self) -> Edges | None:
        """Give the edges if they are known before any value is read, and all equally far apart."""
        if self.range is None or self.auto or not isinstance(self.bins, int | np.integer | None):
            return None
        low, high = _number(self.range[0]), _number(self.range[1])
        return np.linspace(low, high, int(self.bins or _DEFAULT_BINS) + 1)

    def parse(
        self,
        documents: Iterable[Bson],
        decode: Callable[[Any], Any] | None = None,  # noqa: ARG002  # edges are no stored values
    ) -> tuple[list[int], list[Any], int]:
        """Give `(counts, edges, other)`."""
        edges = self._even_edges()
        if edges is None:
            return self._counted([document["value"] for document in documents])
        counts, other = [0] * (len(edges) - 1), 0
        for document in documents:
            if document["_id"] is None:
                other = document["count"]
            else:
                counts[int(document["_id"])] = document["count"]
        assert self.range is not None
        return counts, _shown(edges, of_dates=isinstance(self.range[0], date)), other

    def _counted(self, found: list[Any]) -> tuple[list[int], list[Any], int]:
        of_dates = bool(found) and isinstance(found[0], datetime)
        values = np.array([_number(moment) for moment in found] if of_dates else found, dtype=np.float64)
        finite = values[np.isfinite(values)]
        limits = None if self.range is None else (_number(self.range[0]), _number(self.range[1]))
        bins: Any = "auto" if self.auto else self.bins or _DEFAULT_BINS
        if isinstance(bins, Sequence) and not isinstance(bins, str):
            bins = [_number(edge) for edge in bins]
        elif not finite.size and limits is None:
            return [], [], len(values)
        if limits is None and isinstance(bins, int | np.integer):
            limits = limits_of(finite, int(bins))
        counts, edges = np.histogram(finite, bins=bins, range=limits)
        return counts.tolist(), _shown(edges, of_dates=of_dates), len(values) - int(counts.sum())


def limits_of(values: NDArray[np.float64], bins: int) -> tuple[float, float] | None:
    """The lowest and the highest edge for values that differ by no more than rounding, which leaves no room for bins.

    They lie around the values; None where the values themselves can be the limits.

    Example:
        >>> limits_of(np.array([1.0, np.nextafter(1.0, 2.0)]), 10)
        (0.5, 1.5000000000000002)
        >>> limits_of(np.array([1.0, 2.0]), 10)
    """
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    smallest = bins * float(np.spacing(max(abs(low), abs(high))))
    if high - low > smallest:
        return None
    around = max(0.5, smallest)
    return low - around, high + around


def _number(edge: Any) -> float:
    """Give an edge as a number; dates as milliseconds since 1970."""
    settled = normal(edge)
    if isinstance(settled, datetime):
        return (settled - _EPOCH) / timedelta(milliseconds=1)
    if isinstance(settled, bool) or not isinstance(settled, int | float) or not np.isfinite(settled):
        raise ViewError(f"{edge!r} cannot be the edge of a bin. Give finite numbers or dates.")
    return float(settled)


def _shown(edges: Edges, *, of_dates: bool) -> list[Any]:
    if not of_dates:
        return list(edges.tolist())
    return [_EPOCH + timedelta(milliseconds=edge) for edge in edges.tolist()]


def _bin(edges: Edges) -> Any:
    """Find the bin by arithmetic, and move to the neighbour where rounding put a value beside its edge."""
    low, high, last = float(edges[0]), float(edges[-1]), len(edges) - 2
    listed = literal(edges.tolist())
    guess = {"$floor": {"$multiply": [{"$divide": [{"$subtract": ["$value", low]}, high - low]}, last + 1]}}
    inside = {"$toInt": {"$min": [guess, last]}}
    above = {"$gte": ["$value", {"$arrayElemAt": [listed, {"$add": ["$$at", 1]}]}]}
    moved = {
        "$switch": {
            "branches": [
                {"case": {"$lt": ["$value", {"$arrayElemAt": [listed, "$$at"]}]}, "then": {"$add": ["$$at", -1]}},
                {"case": {"$and": [{"$lt": ["$$at", last]}, above]}, "then": {"$add": ["$$at", 1]}},
            ],
            "default": "$$at",
        }
    }
    found = {"$let": {"vars": {"at": inside}, "in": moved}}
    return when({"$and": [{"$gte": ["$value", low]}, {"$lte": ["$value", high]}]}, found)
