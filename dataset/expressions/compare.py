"""Comparisons in the aggregation language.

The rules: nothing is equal to, different from, below or above a missing value, None or NaN; `== None` and `!= None` ask
for missing or None. Numbers compare across int and float, True is no number. Values of different types are different,
and neither is below the other. Only numbers, texts, dates, booleans and ids have an order.
"""

from typing import Any

from ..errors import ExpressionError
from ..types import Oid, is_id
from . import constants
from .describe import SYMBOLS
from .kinds import SCALARS
from .nodes import Comparison
from .typed import (
    FALSE,
    HIGHEST,
    LOWEST,
    Names,
    Typed,
    has_same_type,
    has_type,
    is_absent,
    is_not_nan,
    is_present,
    literal,
)

_OPERATORS = {"eq": "$eq", "ne": "$ne", "lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte"}
_MIRRORED: dict[Comparison, Comparison] = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def compare(op: Comparison, left: Typed, right: Typed, names: Names) -> Any:
    """Write `left <op> right`."""
    if left.is_constant and not right.is_constant:
        return compare(_MIRRORED[op], right, left, names)
    if right.is_constant and right.constant is None:
        return is_absent(left.code) if op == "eq" else is_present(left.code)
    left, right = same_language(left, right), same_language(right, left)
    _refuse_hopeless(op, left, right)
    if right.is_constant:
        return _with_constant(op, left, right, names)
    if op in {"eq", "ne"}:
        return names.bind(left.code, lambda a: names.bind(right.code, lambda b: _equality(op, a, b)))
    if left.kind.is_scalar and right.kind.is_scalar and left.kind.name != right.kind.name:
        return FALSE
    known = left.kind.name if left.kind.is_scalar and right.kind.is_scalar else None
    return names.bind(left.code, lambda a: names.bind(right.code, lambda b: _order(op, a, b, known)))


def same_language(value: Typed, other: Typed) -> Typed:
    """Bring `value` into the form in which it can meet `other`, where one of them is an id.

    A constant becomes an id; an id that meets anything but ids becomes its digits.

    Raises:
        ExpressionError: if a constant cannot be an id.
    """
    if other.kind.name == "id" and value.is_constant:
        return _as_ids(value, other)
    if value.kind.name == "id" and other.kind.name not in {"id", "list"} and not other.is_constant:
        return Typed({"$toString": value.code}, shown=value.shown)
    return value


def _as_ids(value: Typed, other: Typed) -> Typed:
    found = as_id(value.constant, other.shown)
    return Typed(literal(found), other.kind if isinstance(found, Oid) else value.kind, found, value.shown)


def as_id(constant: Any, shown: str) -> Any:
    """Turn text, or a list of texts, into ids; leave what is no text.

    Raises:
        ExpressionError: if a text has not the form of an id.
    """
    if isinstance(constant, list):
        return [as_id(item, shown) for item in constant]
    if not isinstance(constant, str):
        return constant
    if not is_id(constant.lower()):
        raise ExpressionError(f"{shown} is an id; {constant!r} cannot be one. Ids have 24 hexadecimal digits.")
    return Oid(constant.lower())


def _refuse_hopeless(op: Comparison, left: Typed, right: Typed) -> None:
    """Refuse to compare a list or a label with a single value, which can never hold and is easily written."""
    for value, other in ((left, right), (right, left)):
        single = other.kind.is_scalar and not value.is_constant
        if value.kind.name == "list" and single:
            raise ExpressionError(
                f"{value.shown} is a list; {value.shown} {SYMBOLS[op]} {other.shown} never holds. Use "
                f"{value.shown}.contains({other.shown}), .length(), .max(), or filter_labels() to keep some labels."
            )
        if value.kind.name == "document" and value.kind.path and single:
            raise ExpressionError(
                f"{value.shown} is a {value.kind}; {value.shown} {SYMBOLS[op]} {other.shown} never holds. "
                "Compare one of its attributes."
            )


def _with_constant(op: Comparison, left: Typed, right: Typed, names: Names) -> Any:
    if constants.is_nan(right.constant):
        return FALSE
    code = {_OPERATORS[op]: [left.code, right.code]}
    if op == "eq":
        return code
    if op == "ne":
        return names.bind(left.code, lambda a: {"$and": [{"$ne": [a, right.code]}, is_present(a), is_not_nan(a)]})
    kind = right.kind.name
    if kind not in SCALARS or (left.kind.is_scalar and left.kind.name != kind):
        return FALSE
    return names.bind(left.code, lambda a: {"$and": [{_OPERATORS[op]: [a, right.code]}, _within(op, a, kind)]})


def _within(op: Comparison, code: Any, kind: str) -> dict[str, Any]:
    if kind != "number":
        return has_type(code, kind)
    # Missing, None and NaN lie below all numbers, every other type above them.
    return {"$gte": [code, LOWEST]} if op in {"lt", "le"} else {"$lte": [code, HIGHEST]}


def _equality(op: Comparison, a: Any, b: Any) -> dict[str, Any]:
    if op == "eq":
        return {"$and": [{"$eq": [a, b]}, is_present(a), is_not_nan(a)]}
    return {"$and": [{"$ne": [a, b]}, is_present(a), is_not_nan(a), is_present(b), is_not_nan(b)]}


def _order(op: Comparison, a: Any, b: Any, known: str | None) -> dict[str, Any]:
    holds = {_OPERATORS[op]: [a, b]}
    if known == "number":
        return {"$and": [holds, {"$gte": [a, LOWEST]}, {"$gte": [b, LOWEST]}]}
    if known:
        return {"$and": [holds, is_present(a), is_present(b)]}
    return {"$and": [holds, is_not_nan(a), is_not_nan(b), has_same_type(a, b)]}
