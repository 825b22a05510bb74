"""Functions of numbers. What is undefined (a missing operand, division by zero, the root of -1) gives None."""

from typing import Any

from ..kinds import ANY, DATE, NUMBER, Kind
from ..typed import NULL, Names, Typed, has_type, is_not_nan, joined, literal, number, scalar, when
from .registry import function

_UNARY = {"abs": "$abs", "ceil": "$ceil", "floor": "$floor", "exp": "$exp"}
_DOMAINS: dict[str, tuple[str, dict[str, float]]] = {
    "sqrt": ("$sqrt", {"$gte": 0}),
    "ln": ("$ln", {"$gt": 0}),
    "log10": ("$log10", {"$gt": 0}),
    "arccosh": ("$acosh", {"$gte": 1}),
    "arccos": ("$acos", {"$gte": -1, "$lte": 1}),
    "arcsin": ("$asin", {"$gte": -1, "$lte": 1}),
    "arctanh": ("$atanh", {"$gt": -1, "$lt": 1}),
    "cos": ("$cos", {"$gt": float("-inf"), "$lt": float("inf")}),
    "sin": ("$sin", {"$gt": float("-inf"), "$lt": float("inf")}),
    "tan": ("$tan", {"$gt": float("-inf"), "$lt": float("inf")}),
}
_EVERYWHERE = {"arcsinh": "$asinh", "arctan": "$atan", "cosh": "$cosh", "sinh": "$sinh", "tanh": "$tanh"}


def _register_unary() -> None:
    for name, operator in (_UNARY | _EVERYWHERE).items():
        function(name, "number", gives=NUMBER)(lambda names, value, operator=operator: {operator: number(value, names)})
    for name, (operator, bounds) in _DOMAINS.items():
        function(name, "number", gives=NUMBER)(
            lambda names, value, operator=operator, bounds=bounds: {operator: _within(value, bounds, names)}
        )


def _within(value: Typed, bounds: dict[str, float], names: Names) -> Any:
    """Give a number if it lies in the domain of the function, else None."""
    return names.bind(
        number(value, names),
        lambda code: when({"$and": [{operator: [code, literal(bound)]} for operator, bound in bounds.items()]}, code),
    )


_register_unary()


def _sum_kind(arguments: list[Typed]) -> Kind:
    found = [argument.kind.name for argument in arguments]
    return DATE if "date" in found else NUMBER


def _difference_kind(arguments: list[Typed]) -> Kind:
    found = [argument.kind.name for argument in arguments]
    if found == ["date", "number"]:
        return DATE
    return NUMBER if found != ["date", "any"] else ANY


@function("add", "number|date", gives=_sum_kind)
def _add(names: Names, left: Typed, right: Typed) -> Any:
    if left.kind.name == right.kind.name == "date":
        return NULL  # two dates have no sum
    return {"$add": [_addend(left, names), _addend(right, names)]}


def _addend(value: Typed, names: Names) -> Any:
    return value.code if value.kind.name == "date" else number(value, names)


@function("subtract", "number|date", gives=_difference_kind)
def _subtract(names: Names, left: Typed, right: Typed) -> Any:
    kinds = (left.kind.name, right.kind.name)
    if kinds == ("number", "date"):
        return NULL
    if kinds == ("any", "date"):
        return {"$subtract": [scalar(left, "date", names), right.code]}
    if kinds == ("date", "any"):
        return {"$subtract": [left.code, names.bind(right.code, _number_or_date)]}
    return {"$subtract": [_addend(left, names), _addend(right, names)]}


def _number_or_date(code: Any) -> Any:
    return when({"$or": [has_type(code, "number"), has_type(code, "date")]}, code)


@function("multiply", "number", gives=NUMBER)
def _multiply(names: Names, left: Typed, right: Typed) -> Any:
    return {"$multiply": [number(left, names), number(right, names)]}


def _not_zero(value: Typed, names: Names) -> Any:
    if value.is_constant:
        return value.code if value.constant else NULL
    return names.bind(number(value, names), lambda code: when({"$ne": [code, literal(0)]}, code))


@function("divide", "number", gives=NUMBER)
def _divide(names: Names, left: Typed, right: Typed) -> Any:
    return {"$divide": [number(left, names), _not_zero(right, names)]}


@function("floor_divide", "number", gives=NUMBER)
def _floor_divide(names: Names, left: Typed, right: Typed) -> Any:
    return {"$floor": _divide(names, left, right)}


@function("mod", "number", gives=NUMBER)
def _mod(names: Names, left: Typed, right: Typed) -> Any:
    return {"$mod": [number(left, names), _not_zero(right, names)]}


@function("pow", "number", gives=NUMBER)
def _pow(names: Names, base: Typed, exponent: Typed) -> Any:
    def power(b: Any, e: Any) -> Any:
        undefined = {"$and": [{"$eq": [b, literal(0)]}, {"$lt": [e, literal(0)]}]}
        return {"$pow": [when(undefined, NULL, b), e]}

    return names.bind(number(base, names), lambda b: names.bind(number(exponent, names), lambda e: power(b, e)))


@function("log", "number", gives=NUMBER)
def _log(names: Names, value: Typed, base: Typed) -> Any:
    def usable(code: Any) -> Any:
        return when({"$and": [{"$gt": [code, literal(0)]}, {"$ne": [code, literal(1)]}]}, code)

    return {"$log": [_within(value, {"$gt": 0}, names), names.bind(number(base, names), usable)]}


@function("round", "number", gives=NUMBER)
def _round(names: Names, value: Typed, place: Typed) -> Any:
    return {"$round": [number(value, names), place.code]}


@function("trunc", "number", gives=NUMBER)
def _trunc(names: Names, value: Typed, place: Typed) -> Any:
    return {"$trunc": [number(value, names), place.code]}


def _extreme(operator: str, names: Names, values: tuple[Typed, ...]) -> Any:
    name = names.new()
    candidates = [value.code for value in values]
    return {operator: {"$filter": {"input": candidates, "as": name, "cond": is_not_nan(f"$${name}")}}}


@function("least", "number|date|text", gives=lambda arguments: arguments[0].kind)
def _least(names: Names, *values: Typed) -> Any:
    return _extreme("$min", names, values)


@function("greatest", "number|date|text", gives=lambda arguments: arguments[0].kind)
def _greatest(names: Names, *values: Typed) -> Any:
    return _extreme("$max", names, values)


@function("uniform", "any", gives=NUMBER)
def _uniform(names: Names, seed: Typed, element: Typed) -> Any:  # noqa: ARG001  # one signature for all functions
    """Hash seed and sample to a number in [0, 1): 53 bits of the 64-bit hash, moved from (-0.5, 0.5)."""
    seen = {"seed": seed.code, "id": "$_id"}
    if element.code != "$$ROOT":
        # By its id, if it is a label, so that editing the label leaves the number as it is.
        seen["element"] = joined(element.code, "_id") if element.kind.name == "document" else element.code
    return {"$add": [{"$divide": [{"$mod": [{"$toHashedIndexKey": seen}, 2**52]}, float(2**53)]}, 0.5]}
