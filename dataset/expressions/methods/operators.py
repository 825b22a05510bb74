"""Comparison, logic and arithmetic, as operators."""

from typing import TYPE_CHECKING, Any

from ...errors import ExpressionError
from ..nodes import Call, Compare, Comparison, Constant, Logic, Node
from .base import Expression, as_node

if TYPE_CHECKING:
    from ..field import ViewExpression


class Operators(Expression):
    """Operators of expressions.

    A comparison is False where a side is missing, None or NaN; comparing with None asks whether a value is missing or
    None. Values of different types are different, and neither is below the other. `~` turns the outcome round, so
    `~(F("x") < 5)` also holds where `x` is missing. Arithmetic with a missing side gives None.
    """

    __slots__ = ()
    __hash__ = Expression.__hash__  # by identity, so that switch() takes conditions as keys

    def __eq__(self, other: object) -> "ViewExpression":  # type: ignore[override]  # builds an expression
        return self._compare("eq", other)

    def __ne__(self, other: object) -> "ViewExpression":  # type: ignore[override]  # builds an expression
        return self._compare("ne", other)

    def __lt__(self, other: Any) -> "ViewExpression":
        return self._compare("lt", other)

    def __le__(self, other: Any) -> "ViewExpression":
        return self._compare("le", other)

    def __gt__(self, other: Any) -> "ViewExpression":
        return self._compare("gt", other)

    def __ge__(self, other: Any) -> "ViewExpression":
        return self._compare("ge", other)

    def _compare(self, op: Comparison, other: Any) -> "ViewExpression":
        node = as_node(other)
        if isinstance(node, Constant) and op not in {"eq", "ne"}:
            _refuse_without_order(node.value)
        return self._new(Compare(op, self._node, node))

    def __and__(self, other: Any) -> "ViewExpression":
        return self._new(_joined("and", self, other))

    def __rand__(self, other: Any) -> "ViewExpression":
        return self._new(_joined("and", other, self))

    def __or__(self, other: Any) -> "ViewExpression":
        return self._new(_joined("or", self, other))

    def __ror__(self, other: Any) -> "ViewExpression":
        return self._new(_joined("or", other, self))

    def __invert__(self) -> "ViewExpression":
        return self._new(Logic("not", (self._node,)))

    def __add__(self, other: Any) -> "ViewExpression":
        return self._call("add", _summand(other))

    def __radd__(self, other: Any) -> "ViewExpression":
        return self._reversed("add", _summand(other))

    def __sub__(self, other: Any) -> "ViewExpression":
        return self._call("subtract", other)

    def __rsub__(self, other: Any) -> "ViewExpression":
        return self._reversed("subtract", other)

    def __mul__(self, other: Any) -> "ViewExpression":
        return self._call("multiply", other)

    def __rmul__(self, other: Any) -> "ViewExpression":
        return self._reversed("multiply", other)

    def __truediv__(self, other: Any) -> "ViewExpression":
        return self._call("divide", other)

    def __rtruediv__(self, other: Any) -> "ViewExpression":
        return self._reversed("divide", other)

    def __floordiv__(self, other: Any) -> "ViewExpression":
        return self._call("floor_divide", other)

    def __rfloordiv__(self, other: Any) -> "ViewExpression":
        return self._reversed("floor_divide", other)

    def __mod__(self, other: Any) -> "ViewExpression":
        return self._call("mod", other)

    def __rmod__(self, other: Any) -> "ViewExpression":
        return self._reversed("mod", other)

    def __pow__(self, power: Any) -> "ViewExpression":
        return self._call("pow", power)

    def __rpow__(self, base: Any) -> "ViewExpression":
        return self._reversed("pow", base)

    def __neg__(self) -> "ViewExpression":
        return self._call("multiply", -1)

    def __abs__(self) -> "ViewExpression":
        return self._call("abs")

    def __ceil__(self) -> "ViewExpression":
        return self._call("ceil")

    def __floor__(self) -> "ViewExpression":
        return self._call("floor")

    def __trunc__(self) -> "ViewExpression":
        return self._call("trunc", 0)

    def __round__(self, place: int = 0) -> "ViewExpression":
        return self._call("round", place)

    def _reversed(self, function: str, left: Any) -> "ViewExpression":
        return self._new(Call(function, (as_node(left), self._node)))


def _joined(op: Any, *operands: Any) -> Logic:
    flat: list[Node] = []
    for operand in operands:
        node = as_node(operand)
        flat += node.operands if isinstance(node, Logic) and node.op == op else [node]
    return Logic(op, tuple(flat))


def _summand(value: Any) -> Any:
    if isinstance(value, str):
        raise ExpressionError(f"+ adds numbers; {value!r} is text. Use .concat({value!r}).")
    return value


def _refuse_without_order(value: Any) -> None:
    if value is None or isinstance(value, list | dict):
        raise ExpressionError(
            f"nothing is below or above {value!r}. Only numbers, texts, dates, booleans and ids have an order; use == "
            "or != None for missing values."
        )
