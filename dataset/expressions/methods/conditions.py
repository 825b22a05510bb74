"""Tests, choices and conversions, for values of any kind."""

# ruff: noqa: A002, FBT001, FBT002  # FiftyOne's names and signatures are kept

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import ExpressionError
from ..nodes import Apply, Bound, Choice, Compare, Constant, Let, Node, Path, replaced
from .base import Expression, as_list, as_node

if TYPE_CHECKING:
    from ..field import ViewExpression


class ConditionMethods(Expression):
    """Tests and choices."""

    __slots__ = ()

    def is_in(self, values: Any) -> "ViewExpression":
        """Test whether the value equals one of `values`.

        None among them stands for missing or None, as in `== None`. NaN equals nothing.

        Args:
            values: a value, several values, or an expression that gives a list.

        Example: `F("ground_truth.label").is_in(["cat", "dog"])`
        """
        return self._call("is_in", as_list(values))

    def exists(self, bool: bool | None = None) -> "ViewExpression":
        """Test whether there is a value: neither missing nor None. The same as `!= None`; an empty list is a value.

        Args:
            bool: False tests that there is none.

        Example: `F("embedding").exists()`
        """
        return self._new(Compare("eq" if bool is False else "ne", self._node, Constant(None)))

    def is_null(self) -> "ViewExpression":
        """Test whether the value is missing or None. The same as `== None`.

        Example: `F("uniqueness").is_null()`
        """
        return self._new(Compare("eq", self._node, Constant(None)))

    def is_missing(self) -> "ViewExpression":
        """Test whether the field was never set; False where it was set to None.

        Example: `F("uniqueness").is_missing()`
        """
        return self._call("is_missing")

    def is_number(self) -> "ViewExpression":
        """Test whether the value is a number; NaN is one, True is not.

        Example: `F("notes.length").is_number()`
        """
        return self._call("is_number")

    def is_string(self) -> "ViewExpression":
        """Test whether the value is text.

        Example: `F("notes.author").is_string()`
        """
        return self._call("is_string")

    def is_array(self) -> "ViewExpression":
        """Test whether the value is a list.

        Example: `F("notes.words").is_array()`
        """
        return self._call("is_array")

    def type(self) -> "ViewExpression":
        """Give the name of the value's type in the database, such as "double", "string", "null" or "missing".

        Example: `F("notes.length").type() == "double"`
        """
        return self._call("type")

    def if_else(self, true_expr: Any, false_expr: Any) -> "ViewExpression":
        """Choose by this condition. Missing, None, False and 0 count as false.

        Args:
            true_expr: the value, or expression, where it holds.
            false_expr: the value, or expression, where it does not.

        Example: `(F("confidence") > 0.5).if_else("sure", "unsure")`
        """
        return self._new(Choice(((self._node, as_node(true_expr)),), as_node(false_expr)))

    def cases(self, mapping: Mapping[Any, Any], default: Any = None) -> "ViewExpression":
        """Give the value whose key equals this one.

        Args:
            mapping: values, or expressions, by the values, or expressions, that they are for. The first that fits wins.
            default: what to give where none fits.

        Example: `F("weather").cases({"rain": 1, "snow": 2}, default=0)`
        """
        branches = [(Compare("eq", self._node, as_node(key)), as_node(then)) for key, then in mapping.items()]
        return self._choice(branches, default)

    def switch(self, mapping: Mapping[Any, Any], default: Any = None) -> "ViewExpression":
        """Give the value of the first condition that holds for this value.

        Args:
            mapping: values, or expressions, by conditions in which `F()` stands for this value.
            default: what to give where no condition holds.

        Example: `F("uniqueness").switch({F() < 0.2: "low", F() < 0.8: "medium"}, default="high")`
        """
        branches = [(Apply(self._node, as_node(key)), as_node(then)) for key, then in mapping.items()]
        return self._choice(branches, default)

    def _choice(self, branches: list[tuple[Any, Node]], default: Any) -> "ViewExpression":
        return self._new(Choice(tuple(branches), as_node(default)) if branches else as_node(default))

    def map_values(self, mapping: Mapping[Any, Any]) -> "ViewExpression":
        """Replace the values that are keys of `mapping`; leave all others.

        Args:
            mapping: constants by constants. The key None stands for missing or None.

        Example: `F("label").map_values({"kitten": "cat", "puppy": "dog"})`
        """
        keys, values = as_node(list(mapping)), as_node(list(mapping.values()))
        if not isinstance(keys, Constant) or not isinstance(values, Constant):
            raise ExpressionError("map_values() takes constants. Use cases() for expressions.")
        return self._call("map_values", keys, values)

    def set_field(self, field: str, value_or_expr: Any, relative: bool = True) -> "ViewExpression":
        """Give this label or dict with one attribute set.

        Args:
            field: the attribute, or `attribute.within`.
            value_or_expr: the value, or an expression.
            relative: whether names in the expression are looked up in this label (True) or around it (False).

        Example: `F("detections").map(F().set_field("label", F("label").upper()))`
        """
        if not field or any(not part or part.startswith("$") for part in field.split(".")):
            raise ExpressionError(f"set_field() was given the name {field!r}. Give the name of an attribute.")
        node = as_node(value_or_expr)
        within = relative and isinstance(value_or_expr, Expression)
        return self._call("set_field", field, Apply(self._node, node) if within else node)

    def apply(self, expr: Any) -> "ViewExpression":
        """Compute an expression in which `F()` stands for this value.

        Args:
            expr: the expression.

        Example: `F("uniqueness").apply((F() > 0.25) & (F() < 0.75))`
        """
        return self._new(Apply(self._node, as_node(expr)))

    def let_in(self, expr: Any) -> "ViewExpression":
        """Give `expr`, computing this expression once although it occurs there several times.

        Args:
            expr: an expression that contains this one.

        Example: `area.let_in((area > 0.1) & (area < 0.5))` with `area = F("bounding_box")[2] * F("bounding_box")[3]`
        """
        body = as_node(expr)
        if isinstance(self._node, Path | Constant):
            return self._new(body)
        name = f"let{_nesting(body) + 1}"
        return self._new(
            Let(name, self._node, replaced(body, lambda node: Bound(name) if node == self._node else None))
        )

    def to_bool(self) -> "ViewExpression":
        """Convert to a boolean: 0 is False, other numbers and all text are True; None where that is impossible.

        Example: `F("count").to_bool()`
        """
        return self._call("to_bool")

    def to_int(self) -> "ViewExpression":
        """Convert numbers, booleans and text to an integer, cutting off decimals; None where that is impossible.

        Example: `(10 * F("uniqueness")).to_int()`
        """
        return self._call("to_int")

    def to_double(self) -> "ViewExpression":
        """Convert numbers, booleans and text to a float; None where that is impossible.

        Example: `F("notes.length").to_double()`
        """
        return self._call("to_double")

    def to_string(self) -> "ViewExpression":
        """Convert to text; None where that is impossible.

        Example: `F("index").to_string()`
        """
        return self._call("to_string")

    def to_date(self) -> "ViewExpression":
        """Convert milliseconds since 1970, or text such as "2024-05-01", to a date; None where that is impossible.

        Example: `F("notes.day").to_date() > datetime(2024, 5, 1)`
        """
        return self._call("to_date")


def _nesting(node: Node) -> int:
    """Count the `Let` nodes inside, so that each name is given once."""
    return isinstance(node, Let) + sum(_nesting(child) for child in node.children())
