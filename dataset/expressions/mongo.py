"""Expressions in the two languages of MongoDB: as a query for `$match`, and as an aggregation expression.

A query uses indexes, but its comparisons look into lists and cannot compare fields with each other. So it takes the
conditions that compare a constant with a scalar field outside of lists; all others become `$expr`. Both follow the
rules in `compare`, and one table of cases in the tests holds for both.
"""

from typing import Any

from ..schema import Schema
from ..types import Bson
from . import constants, kinds
from .compare import as_id
from .functions import text
from .functions.values import usable
from .kinds import ROOT, Step
from .nodes import Call, Compare, Constant, Logic, Node, Path
from .translate import value
from .typed import Scope

NOTHING: Bson = {"$expr": {"$literal": False}}
"""The query that no sample meets."""

_OPERATORS = {"eq": "$eq", "lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte"}
_QUERIED = frozenset({"is_in", "re_match", "contains_any", "contains_all", *text.PATTERNS})


def to_aggregation(node: Node, schema: Schema, prefix: str = "$", root_path: str = "") -> Any:
    """Write an expression in the aggregation language.

    Args:
        node: the expression.
        schema: the fields that there are.
        prefix: how the current element is written: "$" for the sample, or a variable such as "$$this".
        root_path: what the current element is: empty for the sample, or the path of the label or labels in the schema.

    Raises:
        FieldNotFoundError: if a field does not exist.
        ExpressionError: if a part can never work.
    """
    return value(node, Scope(schema, code=prefix, kind=kinds.element_at(schema, root_path))).code


def to_query(node: Node, schema: Schema) -> Bson:
    """Write a condition on samples as the query of a `$match`.

    Raises:
        FieldNotFoundError: if a field does not exist.
        ExpressionError: if a part can never work.
    """
    query = _query(node, schema)
    return {"$expr": to_aggregation(node, schema)} if query is None else query


def _query(node: Node, schema: Schema) -> Bson | None:
    if isinstance(node, Logic):
        operands = [to_query(operand, schema) for operand in node.operands]
        return {"$nor": operands} if node.op == "not" else {f"${node.op}": operands}
    if isinstance(node, Constant):
        return {} if node.value not in (None, False, 0) else NOTHING
    if isinstance(node, Path):
        step = _sample_field(node, schema)
        return {step.db_path: True} if step and step.kind.name == "boolean" else None
    if isinstance(node, Compare) and isinstance(node.right, Constant):
        step = _sample_field(node.left, schema)
        return _comparison(node, node.right.value, step) if step else None
    if isinstance(node, Call) and node.function in _QUERIED:
        step = _sample_field(node.arguments[0], schema)
        if step and all(isinstance(argument, Constant) for argument in node.arguments[1:]):
            return _call(node.function, [argument.value for argument in node.arguments[1:]], step)  # type: ignore[attr-defined]  # constants, as just seen
    return None


def _sample_field(node: Node, schema: Schema) -> Step | None:
    """Find the field of the sample that `node` names, if it names one."""
    if not isinstance(node, Path) or node.base == "value" or not node.path:
        return None
    return kinds.follow(schema, ROOT, node.path)


def _comparison(node: Compare, constant: Any, step: Step) -> Bson | None:
    if constant is None and node.op in {"eq", "ne"}:
        # A query for None would also find None inside a list.
        return None if step.kind.name in {"list", "any"} else {step.db_path: {f"${node.op}": None}}
    if not step.kind.is_scalar or isinstance(constant, list | dict):
        return None
    if constants.is_nan(constant):
        return NOTHING
    if step.kind.name == "id":
        constant = as_id(constant, f'F("{node.left.path}")')  # type: ignore[attr-defined]  # a path, as just seen
    if node.op == "ne":
        return {step.db_path: {"$nin": [constant, None, float("nan")]}}
    return {step.db_path: {_OPERATORS[node.op]: constant}}


def _call(function: str, arguments: list[Any], step: Step) -> Bson | None:
    if function == "is_in":
        return _is_in(arguments[0], step)
    if function in {"contains_any", "contains_all"}:
        return _contains(function, arguments[0], step)
    if step.kind.name != "text":
        return None
    if function == "re_match":
        return {step.db_path: {"$regex": arguments[0], "$options": arguments[1]}}
    words, case_sensitive = arguments
    return {step.db_path: {"$regex": text.pattern(function, words), "$options": text.options(case_sensitive)}}


def _is_in(choices: list[Any], step: Step) -> Bson | None:
    if not step.kind.is_scalar or any(isinstance(choice, list | dict) for choice in choices):
        return None
    wanted, with_absent = usable(choices)
    if step.kind.name == "id":
        wanted = as_id(wanted, f"{step.db_path!r}")
    return {step.db_path: {"$in": [*wanted, None] if with_absent else wanted}}


def _contains(function: str, wanted: Any, step: Step) -> Bson | None:
    element = step.kind.element
    if element is None or not element.is_scalar or not isinstance(wanted, list) or not wanted:
        return None
    if any(item is None or constants.is_nan(item) or isinstance(item, list | dict) for item in wanted):
        return None
    if element.name == "id":
        wanted = as_id(wanted, f"{step.db_path!r}")
    return {step.db_path: {"$in" if function == "contains_any" else "$all": wanted}}
