"""Pieces of aggregation language with what is known about them, and the small forms that guard them.

MongoDB's own rules differ from ours: its comparisons order missing values and values of other types, and many of its
operators fail on them. Every guard lives here, so that a function only states its formula.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..schema import Schema
from .kinds import ANY, ROOT, Kind

UNKNOWN: Any = object()
"""Stands for the constant of what is not a constant."""

NAN = {"$literal": float("nan")}
NULL = {"$literal": None}
EMPTY: dict[str, Any] = {"$literal": []}
FALSE = {"$literal": False}
LOWEST = {"$literal": float("-inf")}
HIGHEST = {"$literal": float("inf")}

_BSON_TYPES = {"text": "string", "boolean": "bool", "date": "date", "id": "objectId"}


@dataclass(frozen=True)
class Typed:
    """A piece of aggregation language.

    Attributes:
        code: the piece.
        kind: the kind of its value.
        constant: its value if it is a constant, else UNKNOWN.
        shown: how it reads in the expression, for messages.
    """

    code: Any
    kind: Kind = ANY
    constant: Any = UNKNOWN
    shown: str = ""

    @property
    def is_constant(self) -> bool:
        """Whether the value is the same for every sample."""
        return self.constant is not UNKNOWN


class Names:
    """Gives each variable of one compiled expression a name of its own."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count(1)

    def new(self) -> str:
        """Give a name that was not given before."""
        return f"v{next(self._numbers)}"

    def bind(self, code: Any, body: Callable[[Any], Any]) -> Any:
        """Use `code` several times in `body` and compute it once."""
        if isinstance(code, str) or (isinstance(code, dict) and "$literal" in code):
            return body(code)
        name = self.new()
        return {"$let": {"vars": {name: code}, "in": body(f"$${name}")}}


@dataclass(frozen=True)
class Scope:
    """Where names are looked up.

    Attributes:
        schema: the fields that exist.
        code: how the current element is written.
        kind: what the current element is.
        root: how the sample is written.
        value: the kind of what a reduction has reached, inside one.
        bound: the values that `Let` has named.
        names: source of variable names.
    """

    schema: Schema
    code: str = "$"
    kind: Kind = ROOT
    root: str = "$"
    value: Kind | None = None
    bound: Mapping[str, Typed] = field(default_factory=dict)
    names: Names = field(default_factory=Names)


def literal(value: Any) -> dict[str, Any]:
    """Protect a constant from being read as a field path or an operator."""
    return {"$literal": value}


def joined(base: str, path: str) -> str:
    """Write `path` below `base`.

    Example:
        >>> joined("$", "a.b"), joined("$$this", "a"), joined("$", ""), joined("$$this", "")
        ('$a.b', '$$this.a', '$$ROOT', '$$this')
    """
    if base == "$":
        return f"${path}" if path else "$$ROOT"
    return f"{base}.{path}" if path else base


def is_present(code: Any) -> dict[str, Any]:
    """Test that a value is neither missing nor None."""
    return {"$gt": [code, NULL]}  # missing and None are the lowest of all values


def is_absent(code: Any) -> dict[str, Any]:
    """Test that a value is missing or None."""
    return {"$lte": [code, NULL]}


def is_not_nan(code: Any) -> dict[str, Any]:
    """Test that a value is not NaN."""
    return {"$ne": [code, NAN]}


def has_type(code: Any, kind: str) -> dict[str, Any]:
    """Test that a value is of the scalar `kind`."""
    return {"$isNumber": code} if kind == "number" else {"$eq": [{"$type": code}, _BSON_TYPES[kind]]}


def has_same_type(left: Any, right: Any) -> dict[str, Any]:
    """Test that two values are both numbers, or both texts, booleans, dates or ids."""
    numbers = {"$and": [{"$isNumber": left}, {"$isNumber": right}]}
    others = {
        "$and": [{"$eq": [{"$type": left}, {"$type": right}]}, {"$in": [{"$type": left}, sorted(_BSON_TYPES.values())]}]
    }
    return {"$or": [numbers, others]}


def when(condition: Any, then: Any, otherwise: Any = NULL) -> dict[str, Any]:
    """Choose by a condition.

    The server computes constant branches in advance, taken or not: what could fail there must be guarded inside.
    """
    return {"$cond": [condition, then, otherwise]}


def scalar(value: Typed, kind: str, names: Names) -> Any:
    """Give a value if it is of the scalar `kind`, else None."""
    if value.kind.name == kind:
        return value.code
    if value.kind.name == "id" and kind == "text":
        return {"$toString": value.code}
    return names.bind(value.code, lambda code: when(has_type(code, kind), code))


def number(value: Typed, names: Names) -> Any:
    """Give a value if it is a number, else None."""
    return scalar(value, "number", names)


def text(value: Typed, names: Names) -> Any:
    """Give a value if it is a text, else None; an id counts as its digits."""
    return scalar(value, "text", names)


def listing(value: Typed, names: Names) -> Any:
    """Give a value if it is a list, else None."""
    if value.kind.name == "list":
        return value.code
    return names.bind(value.code, lambda code: when({"$isArray": [code]}, code))


def elements(value: Typed, names: Names) -> Any:
    """Give a value if it is a list, else the empty list."""
    return {"$ifNull": [listing(value, names), EMPTY]}
