"""Functions of lists. A missing list gives None, but has no length and contains nothing."""

from typing import Any

from ..compare import same_language
from ..kinds import ANY, BOOLEAN, LIST, NUMBER, TEXT, Kind, common, list_of
from ..typed import (
    EMPTY,
    NULL,
    Names,
    Typed,
    elements,
    has_type,
    is_not_nan,
    is_present,
    listing,
    literal,
    number,
    text,
    when,
)
from .registry import function


def _same(arguments: list[Typed]) -> Kind:
    return arguments[0].kind if arguments[0].kind.name == "list" else LIST


def _element(arguments: list[Typed]) -> Kind:
    return arguments[0].kind.element or ANY


def _joined(arguments: list[Typed]) -> Kind:
    return common([_same([argument]) for argument in arguments]) if arguments else LIST


@function("array", "any", gives=lambda arguments: list_of(common([a.kind for a in arguments])) if arguments else LIST)
def _array(names: Names, *values: Typed) -> Any:  # noqa: ARG001  # one signature for all functions
    return [value.code for value in values]


@function("length", "list", gives=NUMBER)
def _length(names: Names, value: Typed) -> Any:
    return {"$size": elements(value, names)}


@function("index", "list", "number", gives=_element)
def _index(names: Names, value: Typed, position: Typed) -> Any:
    at = position.code if position.is_constant else {"$toInt": {"$floor": number(position, names)}}
    return {"$arrayElemAt": [listing(value, names), at]}


@function("slice", "list", "number", gives=_same)
def _slice(names: Names, value: Typed, start: Typed, stop: Typed) -> Any:
    def limit(given: Typed, default: Any, size: Any) -> Any:
        """Count from the end if negative, and stay inside the list."""
        if given.constant is None:
            return default
        at = given.code if given.is_constant else {"$toInt": {"$floor": number(given, names)}}
        return names.bind(
            {"$ifNull": [at, default]},
            lambda n: {"$max": [0, {"$min": [size, when({"$lt": [n, 0]}, {"$add": [size, n]}, n)]}]},
        )

    def cut(given: Any, size: Any) -> Any:
        return names.bind(
            limit(start, 0, size),
            lambda first: names.bind({"$subtract": [limit(stop, size, size), first]}, lambda n: some(given, first, n)),
        )

    def some(given: Any, first: Any, n: Any) -> Any:
        part = {"$slice": [given, first, {"$max": [n, 1]}]}
        return when(is_present(given), when({"$gt": [n, 0]}, part, EMPTY))

    return names.bind(
        listing(value, names), lambda given: names.bind({"$size": {"$ifNull": [given, EMPTY]}}, lambda n: cut(given, n))
    )


def _candidates(value: Typed, wanted: Typed, names: Names) -> tuple[Any, Any]:
    """Give the list and the wanted values as a list, ids in one form."""
    element = Typed(None, value.kind.element or ANY, shown=value.shown)
    wanted = same_language(wanted, element)
    if wanted.kind.name == "list":
        return elements(value, names), wanted.code
    single = names.bind(wanted.code, lambda code: when(is_present(code), [code]))
    if wanted.kind.name == "any":
        single = names.bind(wanted.code, lambda code: when({"$isArray": [code]}, code, when(is_present(code), [code])))
    return elements(value, names), single


@function("contains_any", "list", "any", gives=BOOLEAN)
def _contains_any(names: Names, value: Typed, wanted: Typed) -> Any:
    given, values = _candidates(value, wanted, names)
    if wanted.is_constant and isinstance(wanted.constant, list) and len(wanted.constant) == 1:
        return {"$in": [{"$arrayElemAt": [values, 0]}, given]}
    return {"$gt": [{"$size": {"$setIntersection": [given, {"$ifNull": [values, EMPTY]}]}}, 0]}


@function("contains_all", "list", "any", gives=BOOLEAN)
def _contains_all(names: Names, value: Typed, wanted: Typed) -> Any:
    given, values = _candidates(value, wanted, names)
    return names.bind(
        values, lambda code: {"$and": [is_present(code), {"$setIsSubset": [{"$ifNull": [code, EMPTY]}, given]}]}
    )


def _alike(value: Typed, *others: Typed) -> list[Typed]:
    """Bring constants into the form of the elements of the first list: ids, if they are."""
    element = Typed(None, value.kind.element or ANY, shown=value.shown)
    return [value, *(same_language(other, element) for other in others)]


@function("is_subset", "list", gives=BOOLEAN)
def _is_subset(names: Names, value: Typed, other: Typed) -> Any:
    return _of_lists(names, _alike(value, other), lambda codes: {"$setIsSubset": codes})


@function("set_equals", "list", gives=BOOLEAN)
def _set_equals(names: Names, *values: Typed) -> Any:
    return _of_lists(names, _alike(*values), lambda codes: {"$setEquals": codes})


def _of_lists(names: Names, values: list[Typed], test: Any) -> Any:
    return {"$and": [*({"$isArray": [value.code]} for value in values), test([elements(v, names) for v in values])]}


@function("union", "list", gives=_joined)
def _union(names: Names, *values: Typed) -> Any:
    return {"$setUnion": [listing(value, names) for value in _alike(*values)]}


@function("intersection", "list", gives=_same)
def _intersection(names: Names, *values: Typed) -> Any:
    return {"$setIntersection": [listing(value, names) for value in _alike(*values)]}


@function("difference", "list", gives=_same)
def _difference(names: Names, value: Typed, other: Typed) -> Any:
    return {"$setDifference": [listing(one, names) for one in _alike(value, other)]}


@function("reverse", "list", gives=_same)
def _reverse(names: Names, value: Typed) -> Any:
    return {"$reverseArray": listing(value, names)}


@function("extend", "list", gives=_joined)
def _extend(names: Names, *values: Typed) -> Any:
    return {"$concatArrays": [listing(value, names) for value in values]}


def _numbers(value: Typed, names: Names) -> Any:
    """Give the elements that count: the operators skip None and other types, NaN must go first."""
    name = names.new()
    return {"$filter": {"input": elements(value, names), "as": name, "cond": is_not_nan(f"$${name}")}}


def _register_summaries() -> None:
    summaries = {"mean": "$avg", "std": "$stdDevPop", "std_sample": "$stdDevSamp", "sum": "$sum"}
    for name, operator in summaries.items():
        function(name, "list", gives=NUMBER)(lambda names, value, operator=operator: {operator: _numbers(value, names)})
    for name, operator in {"min": "$min", "max": "$max"}.items():
        function(name, "list", gives=_element)(
            lambda names, value, operator=operator: {operator: _numbers(value, names)}
        )


_register_summaries()


@function("join", "list", "text", gives=TEXT)
def _join(names: Names, value: Typed, delimiter: Typed) -> Any:
    between = text(delimiter, names)
    element = when(has_type("$$this", "text"), "$$this", literal(""))
    reached = {"$concat": ["$$value", between, element]}
    code = {"$reduce": {"input": "", "initialValue": NULL, "in": when(is_present("$$value"), reached, element)}}

    def written(given: Any) -> Any:
        code["$reduce"]["input"] = given
        return when(is_present(given), {"$ifNull": [code, literal("")]})

    return names.bind(listing(value, names), written)


@function("range", "number", gives=list_of(NUMBER))
def _range(names: Names, start: Typed, stop: Typed) -> Any:
    def whole(value: Typed) -> Any:
        return {"$toInt": {"$floor": number(value, names)}}

    def numbers(first: Any, last: Any) -> Any:
        both = {"$and": [is_present(first), is_present(last)]}
        return when(both, {"$range": [{"$ifNull": [first, 0]}, {"$ifNull": [last, 0]}]})

    return names.bind(whole(start), lambda first: names.bind(whole(stop), lambda last: numbers(first, last)))


@function("zip", "list", gives=list_of(LIST))
def _zip(names: Names, *values: Typed) -> Any:
    return {"$zip": {"inputs": [listing(value, names) for value in values]}}


@function("zip_longest", "list", gives=list_of(LIST))
def _zip_longest(names: Names, defaults: Typed, *values: Typed) -> Any:
    inputs = [listing(value, names) for value in values]
    return {
        "$zip": {
            "inputs": inputs,
            "useLongestLength": True,
            "defaults": [literal(default) for default in defaults.constant],
        }
    }
