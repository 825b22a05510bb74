"""The stage that keeps samples with the same value together: group_by."""

from dataclasses import dataclass
from typing import Any

from ..errors import ExpressionError, ViewError
from ..expressions import Node, ViewExpression
from ..expressions.kinds import ROOT, Kind
from ..expressions.nodes import Each, Path, replaced
from ..expressions.translate import value
from ..expressions.typed import NULL, Names, Scope, is_absent, is_not_nan, is_present, when
from ..schema import Schema
from ..types import Bson
from .base import Stage
from .ordering import KEYS, Order, key_of, sort_order

_SAMPLES = Kind("list", element=ROOT, shown="list of the samples of a group")
_WHOLE = {"documents": ["unbounded", "unbounded"]}


@dataclass(frozen=True)
class GroupBy(Stage):
    """Put samples with the same value one after another.

    Groups come in ascending order of their values, the samples without a value last. Inside a group, samples come in
    the order of `order_by`, else of their ids; an order that they had before is lost.

    Args:
        field_or_expr: a field, an expression, or a list of these, which then agree as a whole.
        order_by: a field or expression by which samples are sorted inside each group.
        reverse: whether `order_by` and `sort_expr` sort in descending order.
        flat: True; groups as things of their own are not supported.
        match_expr: a condition that a group must meet, else its samples are left out. `F()` is the list of the group's
            samples and `F("name")` the list of their values in a field.
        sort_expr: an expression, of the same form, by which the groups are sorted.

    Example:
        >>> from ..expressions import F
        >>> print(GroupBy("ground_truth.label", sort_expr=F().length(), reverse=True))
        group_by("ground_truth.label", reverse=True, sort_expr=F().length())
    """

    name = "group_by"
    sets_order = True

    field_or_expr: Any
    order_by: Any = None
    reverse: bool = False
    flat: bool = True
    match_expr: Any = None
    sort_expr: Any = None

    def __post_init__(self) -> None:
        if not self.flat:
            raise ViewError(
                "group_by(flat=False) gives groups, which are not supported. Leave flat=True: the samples of a group "
                "then follow each other."
            )
        given = self.field_or_expr
        keys = tuple(map(key_of, given)) if isinstance(given, list | tuple) else key_of(given)
        by = None if self.order_by is None else key_of(self.order_by)
        if not self._keys(keys) or None in (*self._keys(keys), by if self.order_by is not None else ""):
            raise ViewError(
                f"group_by() was given {given!r}{'' if by else f' and order_by={self.order_by!r}'}. "
                "Give a field, an expression, or a list of these."
            )
        self._settle(
            field_or_expr=keys,
            order_by=by,
            reverse=bool(self.reverse),
            flat=True,
            match_expr=_of_group(self.match_expr, "match_expr"),
            sort_expr=_of_group(self.sort_expr, "sort_expr"),
        )

    @staticmethod
    def _keys(given: Any) -> tuple[Any, ...]:
        return given if isinstance(given, tuple) else (given,)

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        direction = -1 if self.reverse else 1
        groups = sort_order([(key, 1) for key in self._keys(self.field_or_expr)], schema, "group")
        within = sort_order([] if self.order_by is None else [(self.order_by, direction)], schema, "within")
        within.by.setdefault("_id", 1)
        same = {
            f"key{number}": _key(code) for number, code in enumerate(groups.values)
        }
        computed = {**groups.computed, **within.computed, "same": same}
        steps: list[Bson] = [{"$set": {KEYS: computed}}]
        order: dict[str, int] = {}
        if self.match_expr is not None or self.sort_expr is not None:
            steps += self._judged(schema, within)
            if self.sort_expr is not None:
                order = {f"{KEYS}.absent": 1, f"{KEYS}.value": direction}
        return [*steps, {"$sort": {**order, **groups.by, **within.by}}, {"$unset": KEYS}]
