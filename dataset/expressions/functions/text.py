"""Functions of text. A missing text gives None, but has no length and matches nothing."""

import re
from typing import Any

from ..kinds import BOOLEAN, NUMBER, TEXT, list_of
from ..typed import Names, Typed, is_present, literal, text, when
from .registry import function

PATTERNS = {"starts_with": "^(?:{})", "ends_with": r"(?:{})\z", "contains_str": "(?:{})", "matches_str": r"^(?:{})\z"}
"""Function name → the regular expression around the texts it looks for."""


def pattern(name: str, words: list[str]) -> str:
    """Give the regular expression with which the function `name` looks for any of `words`."""
    return (
        PATTERNS[name].format("|".join(re.escape(word).replace("\0", r"\x00") for word in words)) if words else "(?!)"
    )


def options(case_sensitive: bool) -> str:  # noqa: FBT001  # a value of the expression, not a switch of this function
    """Give the options of a regular expression."""
    return "" if case_sensitive else "i"


def _register_patterns() -> None:
    for name in PATTERNS:

        def write(names: Names, value: Typed, words: Typed, case_sensitive: Typed, name: str = name) -> Any:
            regex, flags = literal(pattern(name, words.constant)), literal(options(case_sensitive.constant))
            return {"$regexMatch": {"input": text(value, names), "regex": regex, "options": flags}}

        function(name, "text", "any", gives=BOOLEAN)(write)


_register_patterns()


@function("re_match", "text", gives=BOOLEAN)
def _re_match(names: Names, value: Typed, regex: Typed, flags: Typed) -> Any:
    return {"$regexMatch": {"input": text(value, names), "regex": regex.code, "options": flags.code}}


def _changed(names: Names, value: Typed, change: Any) -> Any:
    """Apply an operator that takes missing text for the empty one."""
    return names.bind(text(value, names), lambda code: when(is_present(code), change(code)))


@function("lower", "text", gives=TEXT)
def _lower(names: Names, value: Typed) -> Any:
    return _changed(names, value, lambda code: {"$toLower": code})


@function("upper", "text", gives=TEXT)
def _upper(names: Names, value: Typed) -> Any:
    return _changed(names, value, lambda code: {"$toUpper": code})


@function("strlen", "text", gives=NUMBER)
def _strlen(names: Names, value: Typed) -> Any:
    return {"$strLenCP": {"$ifNull": [text(value, names), literal("")]}}


@function("concat", "text", gives=TEXT)
def _concat(names: Names, *values: Typed) -> Any:
    return {"$concat": [text(value, names) for value in values]}


@function("replace", "text", gives=TEXT)
def _replace(names: Names, value: Typed, old: Typed, new: Typed) -> Any:
    return {"$replaceAll": {"input": text(value, names), "find": text(old, names), "replacement": text(new, names)}}


def _register_strips() -> None:
    for name, operator in {"strip": "$trim", "lstrip": "$ltrim", "rstrip": "$rtrim"}.items():

        def write(names: Names, value: Typed, chars: Typed, operator: str = operator) -> Any:
            trimmed = {"input": text(value, names)}
            return {operator: trimmed if chars.constant is None else trimmed | {"chars": text(chars, names)}}

        function(name, "text", gives=TEXT)(write)


_register_strips()


@function("split", "text", gives=list_of(TEXT))
def _split(names: Names, value: Typed, delimiter: Typed) -> Any:
    return {
        "$split": [
            text(value, names),
            names.bind(
                text(delimiter, names),
                lambda code: when({"$ne": [code, literal("")]}, code),
            ),
        ]
    }


@function("substr", "text", "number", gives=TEXT)
def _substr(names: Names, value: Typed, start: Typed, stop: Typed) -> Any:
    def limit(given: int | None, default: Any, size: Any) -> Any:
        if given is None:
            return default
        return given if given >= 0 else {"$max": [0, {"$add": [size, given]}]}

    def cut(code: Any, size: Any) -> Any:
        first = limit(start.constant, 0, size)
        last = limit(stop.constant, size, size)
        count = {"$max": [0, {"$subtract": [last, first]}]}
        return {"$substrCP": [code, first, count]}

    return _changed(
        names, value, lambda code: names.bind({"$strLenCP": {"$ifNull": [code, ""]}}, lambda size: cut(code, size))
    )
