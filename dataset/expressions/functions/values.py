"""Functions of values of any kind: membership, replacement, tests and conversions."""

from typing import Any

from .. import constants
from ..compare import same_language
from ..kinds import BOOLEAN, DATE, NUMBER, TEXT, Kind, common, of_constant
from ..typed import EMPTY, NULL, Names, Typed, has_type, is_absent, is_not_nan, is_present, listing, literal, when
from .registry import function

_FEW = 16


@function("is_in", "any", gives=BOOLEAN)
def _is_in(names: Names, value: Typed, choices: Typed) -> Any:
    choices = same_language(choices, value)
    if not choices.is_constant:
        given = {"$ifNull": [listing(choices, names), EMPTY]}
        return names.bind(
            value.code, lambda code: {"$and": [is_present(code), is_not_nan(code), {"$in": [code, given]}]}
        )
    wanted, with_absent = usable(choices.constant)
    if not with_absent:
        return _among(value.code, wanted)
    return names.bind(value.code, lambda code: {"$or": [is_absent(code), _among(code, wanted)]})


def _among(code: Any, wanted: list[Any]) -> dict[str, Any]:
    if len(wanted) <= _FEW:
        return {"$in": [code, literal(wanted)]}
    # The server looks a value up in a constant list where it seeks the place, and goes through the list otherwise.
    return {"$gte": [{"$indexOfArray": [literal(wanted), {"$ifNull": [code, NULL]}]}, 0]}


def usable(choices: list[Any]) -> tuple[list[Any], bool]:
    """Split choices into those that a value can equal, and whether None is among them; NaN equals nothing."""
    wanted = [choice for choice in choices if choice is not None and not constants.is_nan(choice)]
    return wanted, None in choices


def _mapped(arguments: list[Typed]) -> Kind:
    return common([arguments[0].kind, *(of_constant(item) for item in arguments[2].constant if item is not None)])


@function("map_values", "any", gives=_mapped)
def _map_values(names: Names, value: Typed, keys: Typed, values: Typed) -> Any:
    pairs = [pair for pair in zip(keys.constant, values.constant, strict=True) if not constants.is_nan(pair[0])]
    sought = same_language(Typed(None, constant=[key for key, _ in pairs], shown=keys.shown), value)
    found = literal([replacement for _, replacement in pairs])

    def replaced(code: Any) -> Any:
        place = {"$indexOfArray": [literal(sought.constant), {"$ifNull": [code, NULL]}]}
        return names.bind(
            place, lambda at: when({"$gte": [at, 0]}, {"$arrayElemAt": [found, at]}, {"$ifNull": [code, NULL]})
        )

    return names.bind(value.code, replaced) if pairs else value.code


@function("set_field", "document", "any", gives=Kind("document", shown="document"))
def _set_field(names: Names, value: Typed, path: Typed, new: Typed) -> Any:
    def inside(document: Any, parts: list[str]) -> Any:
        first, *rest = parts
        if not rest:
            return {"$setField": {"field": literal(first), "input": document, "value": new.code}}
        below = {"$ifNull": [{"$getField": {"field": literal(first), "input": document}}, literal({})]}
        return names.bind(
            below, lambda code: {"$setField": {"field": literal(first), "input": document, "value": inside(code, rest)}}
        )

    def changed(code: Any) -> Any:
        return inside(when({"$eq": [{"$type": code}, "object"]}, code), path.constant.split("."))

    return names.bind(value.code, changed)


@function("type", "any", gives=TEXT)
def _type(names: Names, value: Typed) -> Any:  # noqa: ARG001  # one signature for all functions
    return {"$type": value.code}


@function("is_missing", "any", gives=BOOLEAN)
def _is_missing(names: Names, value: Typed) -> Any:  # noqa: ARG001  # one signature for all functions
    return {"$eq": [{"$type": value.code}, "missing"]}


@function("is_number", "any", gives=BOOLEAN)
def _is_number(names: Names, value: Typed) -> Any:  # noqa: ARG001  # one signature for all functions
    return has_type(value.code, "number")


@function("is_string", "any", gives=BOOLEAN)
def _is_string(names: Names, value: Typed) -> Any:  # noqa: ARG001  # one signature for all functions
    return is_present(value.code) if value.kind.name == "id" else has_type(value.code, "text")


@function("is_array", "any", gives=BOOLEAN)
def _is_array(names: Names, value: Typed) -> Any:  # noqa: ARG001  # one signature for all functions
    return {"$isArray": [value.code]}


def _converted(code: Any, target: str) -> Any:
    return {"$convert": {"input": code, "to": target, "onError": NULL, "onNull": NULL}}


def _register_conversions() -> None:
    for name, target, kind in (
        ("to_bool", "bool", BOOLEAN),
        ("to_int", "long", NUMBER),
        ("to_double", "double", NUMBER),
        ("to_string", "string", TEXT),
    ):
        function(name, "any", gives=kind)(
            lambda names, value, target=target: _converted(value.code, target)  # noqa: ARG005  # one signature for all
        )


_register_conversions()


@function("to_date", "any", gives=DATE)
def _to_date(names: Names, value: Typed) -> Any:
    def converted(code: Any) -> Any:
        # Only long integers become dates, so short ones and floats must become long first.
        return _converted(when({"$isNumber": code}, _converted(code, "long"), code), "date")

    return names.bind(value.code, converted)
