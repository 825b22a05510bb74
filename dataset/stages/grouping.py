"""The stage that keeps samples with the same value together: group_by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ExpressionError, ViewError
from ..expressions import Node, ViewExpression
from ..expressions.describe import briefly
from ..expressions.kinds import ROOT, Kind
from ..expressions.nodes import Each, Path, replaced
from ..expressions.translate import value
from ..expressions.typed import NULL, Names, Scope, Typed, literal, when
from ..schema import Schema
from ..types import OWN_SAMPLES, Bson
from .base import Stage
from .ordering import KEYS, has_no_order, sort_order, sort_value

_LISTED = Kind("list", element=ROOT, shown="list of the samples of a group")


@dataclass(frozen=True)
class GroupBy(Stage):
    """Put samples with the same value one after another.

    Groups come in ascending order of their values, the samples without a value last. Inside a group, samples come in
    the order of `order_by`, else of their ids; an order that they had before is lost.

    Args:
        field_or_expr: a field, an expression, or a list of these, which then must agree in all.
        order_by: a field or expression by which samples are sorted inside each group.
        reverse: whether `order_by` and `sort_expr` sort in descending order.
        flat: True; groups as containers of samples are not supported.
        match_expr: a condition; the samples of groups for which it does not hold are left out. `F()` is the list of the
            group's samples and `F("name")` the list of their values in a field.
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
                "group_by(flat=False) gives groups as containers of samples, which are not supported. Leave flat=True: "
                "the samples of each group then follow one another."
            )
        given = self.field_or_expr
        self._settle(
            field_or_expr=tuple(map(_key, given)) if isinstance(given, list | tuple) and given else _key(given),
            order_by=None if self.order_by is None else _key(self.order_by),
            reverse=bool(self.reverse),
            flat=True,
            match_expr=_of_group(self.match_expr, "match_expr"),
            sort_expr=_of_group(self.sort_expr, "sort_expr"),
        )

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline, as they are where the stage is the first."""
        return self.following(schema, (), ordered=True)

    def following(self, schema: Schema, before: Sequence[Bson], *, ordered: bool) -> list[Bson]:  # noqa: ARG002  # it sets it
        """Give the steps of the pipeline; they apply `before` once more where groups are judged by expressions."""
        direction = -1 if self.reverse else 1
        computed, within = sort_order([] if self.order_by is None else [(self.order_by, direction)], schema)
        within.setdefault("_id", 1)
        steps: list[Bson] = [{"$set": {KEYS: {**computed, "group": self._group(schema)}}}]
        order: dict[str, int] = {}
        if self.match_expr is not None or self.sort_expr is not None:
            steps += self._judged(schema, [*before, *steps], within)
        if self.sort_expr is not None:
            order = {f"{KEYS}.absent": 1, f"{KEYS}.value": direction}
        return [*steps, {"$sort": {**order, f"{KEYS}.group": 1, **within}}, {"$unset": KEYS}]

    def _group(self, schema: Schema) -> Bson:
        """Give the code of what the samples of a group have in common, in a form that sorts as groups do."""
        keys = self.field_or_expr if isinstance(self.field_or_expr, tuple) else (self.field_or_expr,)
        names, common = Names(), {}
        for position, key in enumerate(keys):
            _, code = sort_value(key, schema)
            common[f"absent{position}"] = has_no_order(code)
            common[f"key{position}"] = names.bind(code, lambda code: when(has_no_order(code), NULL, code))
        return common

    def _judged(self, schema: Schema, before: list[Bson], within: dict[str, int]) -> list[Bson]:
        """Give the steps that compute the expressions for each group and put the results on all its samples.

        They bring in one document for each group, made of those fields alone that the expressions name: the samples
        themselves, collected, could be larger than a document may be.
        """
        asked = {"keep": self.match_expr, "value": self.sort_expr}
        nodes = {name: node for name, node in asked.items() if node is not None}
        needed = {path.path.partition(".")[0] for node in nodes.values() for path in _paths(node) if path.path}
        slim = {"_id": "$_id", **{name: f"${name}" for name in sorted(needed - {"id", "_id"})}}
        results = {name: self._compiled(node, schema).code for name, node in nodes.items()}
        groups = [
            *before,
            {"$project": dict.fromkeys([KEYS, *slim, *(path.partition(".")[0] for path in within)], 1)},
            {"$sort": within},
            {"$group": {"_id": f"${KEYS}.group", "samples": {"$push": slim}}},
            {"$project": {"_id": 0, KEYS: {"group": "$_id", "is_group": literal(True), **results}}},
        ]
        # The document of a group comes before its samples, so the largest value so far is the group's.
        seen = {"documents": ["unbounded", "current"]}
        spread = {f"{KEYS}.{name}": {"$max": f"${KEYS}.{name}", "window": seen} for name in nodes}
        first = {f"{KEYS}.is_group": -1}
        steps: list[Bson] = [
            {"$unionWith": {"coll": OWN_SAMPLES, "pipeline": groups}},
            {"$setWindowFields": {"partitionBy": f"${KEYS}.group", "sortBy": first, "output": spread}},
            {"$match": {f"{KEYS}.is_group": {"$exists": False}}},
        ]
        if "keep" in nodes:
            steps.append({"$match": {"$expr": f"${KEYS}.keep"}})
        if "value" in nodes:
            steps.append({"$set": {f"{KEYS}.absent": has_no_order(f"${KEYS}.value")}})
        return steps

    def _compiled(self, node: Node, schema: Schema) -> Typed:
        typed = value(_on_lists(node), Scope(schema, code="$samples", kind=_LISTED))
        if node is self.sort_expr and not typed.kind.is_scalar and typed.kind.name != "any":
            raise ExpressionError(
                f"group_by() was given sort_expr={briefly(node)}, a {typed.kind}. Groups are sorted by one value each, "
                'such as F().length() or F("uniqueness").mean().'
            )
        return typed


def _key(given: Any) -> str | Node:
    if isinstance(given, ViewExpression):
        return given.node
    if isinstance(given, str | Node):
        return given
    raise ViewError(f"group_by() was given {given!r}. Give a field, an expression, or a list of these.")


def _of_group(given: Any, argument: str) -> Node | None:
    """Give the node of an expression on the samples of a group."""
    if given is None:
        return None
    node = given.node if isinstance(given, ViewExpression) else given
    if not isinstance(node, Node):
        raise ViewError(f"group_by() was given {argument}={given!r}, which is no expression. Write it with F.")
    if any(path.base == "root" for path in _paths(node)):
        raise ViewError(
            f'group_by() was given {argument}={briefly(node)}. "$" stands for one sample, and a group has several: '
            "F() is the list of them."
        )
    return node


def _on_lists(node: Node) -> Node:
    """Let `F("name")` be the list of the samples' values."""

    def change(part: Node) -> Node | None:
        if isinstance(part, Path) and part.base == "here" and part.path:
            return Each("map", Path(""), Path(part.path))
        return None

    return replaced(node, change)


def _paths(node: Node) -> Iterator[Path]:
    if isinstance(node, Path):
        yield node
    for child in node.children():
        yield from _paths(child)
