"""The cases on which both compilers must agree with plain Python: documents × expressions.

A `World` is a schema with two fields, the values that each of them may have there, and the documents with every pair of
those values.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from saccade.dataset import schema
from saccade.dataset.expressions import F, ViewExpression
from saccade.dataset.types import Oid
from tests.expressions.evaluator import MISSING

NAN, INF = float("nan"), float("inf")
NUMBERS = [0, -0.0, 1, 1.0, -2.5, 3, 2**53, float(2**53), 2**53 + 1, 2**63 - 1, -(2**63), INF, -INF, 5e-324]
TEXTS = ["", "a", "A", "ab", "b", "1", "$x", "$$ROOT", "é", "a.b", "a\n", "{}"]
DATES = [datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)]
IDS = [Oid("64b7f0c2a1d3e4f5a6b7c8d9"), Oid("0123456789abcdef01234567")]
CONTAINERS = [
    [], [1], [1, 2], [1.0, 2], [5], ["a"], [None], [NAN], [[1]], [{"a": 1}],
    {}, {"a": 1}, {"a": 1.0}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": None},
]  # fmt: skip
ABSENT = [MISSING, None]
ANYTHING = [*ABSENT, NAN, True, False, *NUMBERS[:8], *TEXTS[:6], *DATES, *CONTAINERS]


@dataclass(frozen=True, eq=False)
class World:
    """Documents of one kind.

    Attributes:
        name: for the test's id.
        schema: their fields.
        left: the path of the one field.
        right: the path of the other.
        values: what both may hold.
        wrap: builds the stored document.
    """

    name: str
    schema: schema.Schema
    left: str
    right: str
    values: list[Any]
    wrap: Callable[[Any, Any], dict[str, Any]]

    def documents(self) -> list[dict[str, Any]]:
        pairs = [(left, right) for left in self.values for right in self.values]
        extra = self.extra()
        return [{"_id": number} | document for number, document in enumerate([self.wrap(*p) for p in pairs] + extra)]

    def extra(self) -> list[dict[str, Any]]:
        top = self.left.partition(".")[0]
        return [{}, {top: None}, {top: 1}] if "." in self.left else [{}]

    def expressions(self) -> Iterator[ViewExpression]:
        yield from table(F(self.left), F(self.right), CONSTANTS if self.name != "ids" else IDS_AND_NONE)
        yield from table(F(f"${self.left}"), F(f"${self.right}"), [1, "a"] if self.name != "ids" else IDS_AND_NONE)


CONSTANTS = [
    NAN, True, False, 0, 1, 1.0, -2.5, 2**53, float(2**53), 2**53 + 1, INF, -INF, "", "a", "$x", "$$ROOT", "{}",
    *DATES, date(2024, 5, 1), [], [1], [1.0, 2], {}, {"a": 1}, {"b": 2, "a": 1},
]  # fmt: skip
IDS_AND_NONE = [*IDS, str(IDS[0]), str(IDS[1]).upper()]


def table(x: ViewExpression, y: ViewExpression, constants: list[Any]) -> Iterator[ViewExpression]:
    """Every comparison, with constants and between fields; membership, existence, negation, and combinations."""
    compared: list[ViewExpression] = [x == None, x != None, None == y]  # noqa: E711, SIM300  # builds expressions
    for constant in constants:
        compared += [x == constant, x != constant]
        if isinstance(constant, list | dict):
            continue
        compared += [x < constant, x <= constant, x > constant, x >= constant, constant > y]
    compared += [x == y, x != y, x < y, x <= y, x > y, x >= y]
    yield from compared
    for expression in compared:
        yield ~expression
    members = [
        x.is_in(chosen) for chosen in ([], constants[:1], constants, [None], [None, *constants[:12]], [NAN, None])
    ]
    tests = [x.exists(), x.exists(False), x.is_null(), x.is_missing(), x.is_number(), x.is_string(), x.is_array()]
    yield from [*members, *tests, *(~expression for expression in (*members, *tests))]
    for first, second in zip(compared[::3], [*members, *tests, *compared[10:]], strict=False):
        yield first & second
        yield first | ~second
        yield ~(first & ~second & (x == y))
        yield (first | second | (x < y)).if_else(second, x == y)
    yield from [x & y, x | y, ~x, ~(x | y), (x == y) == (y == x), (x < y) == True]  # noqa: E712  # builds expressions


def _typed(name: str, field: schema.Field, values: list[Any]) -> World:
    fields = schema.Schema({**schema.SAMPLE_FIELDS, "x": field, "y": field})
    return World(name, fields, "x", "y", [*ABSENT, *values], lambda x, y: _present({"x": x, "y": y}))


def _present(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not MISSING}


def _with_labels(x: Any, y: Any) -> dict[str, Any]:
    return {name: _present({"_cls": "Classification", "confidence": value}) for name, value in (("g", x), ("h", y))}


def worlds() -> list[World]:
    """Values of any kind inside a dict, and values of each kind in a field of that kind."""
    any_kind = schema.Schema({**schema.SAMPLE_FIELDS, "d": schema.DictField()})
    classification = schema.EmbeddedDocumentField("Classification")
    label = schema.Schema({**schema.SAMPLE_FIELDS, "g": classification, "h": classification})
    return [
        World("anything", any_kind, "d.x", "d.y", ANYTHING, lambda x, y: {"d": _present({"x": x, "y": y})}),
        _typed("floats", schema.FloatField(), [NAN, *NUMBERS]),
        _typed("integers", schema.IntField(), [value for value in NUMBERS if isinstance(value, int)]),
        _typed("texts", schema.StringField(), TEXTS),
        _typed("booleans", schema.BooleanField(), [True, False]),
        _typed("dates", schema.DateTimeField(), DATES),
        _typed("days", schema.DateField(), DATES[1:]),
        _typed("ids", schema.ObjectIdField(), IDS),
        World("labels", label, "g.confidence", "h.confidence", [*ABSENT, NAN, 0.5, 1.0], _with_labels),
    ]
