"""What all expressions share: they wrap a node, build others, and refuse what Python would take for granted."""

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ...errors import ExpressionError
from .. import constants
from ..describe import briefly
from ..nodes import Call, Constant, Node

if TYPE_CHECKING:
    from ..field import ViewExpression


class Expression:
    """Something to be computed for each sample, label or element."""

    __slots__ = ("_node",)

    __array_ufunc__ = None  # so that `np.float64(0.5) < F("x")` is left to the expression

    _result: ClassVar[type["ViewExpression"]]

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def node(self) -> Node:
        """The immutable node that says what is computed."""
        return self._node

    def __repr__(self) -> str:
        return briefly(self._node)

    def __hash__(self) -> int:
        return object.__hash__(self)

    def _new(self, node: Node) -> "ViewExpression":
        return self._result._wrapping(node)

    def _call(self, function: str, *arguments: Any) -> "ViewExpression":
        return self._new(Call(function, (self._node, *(as_node(argument) for argument in arguments))))

    def __bool__(self) -> NoReturn:
        raise ExpressionError(
            f"{self!r} has no truth value until it meets samples. Combine conditions with & | ~ instead of and, or, "
            "not, and write (a < x) & (x < b) instead of a < x < b."
        )

    def __contains__(self, item: object) -> NoReturn:
        raise ExpressionError(f"`in` does not work on {self!r}. Use .contains(...) or .is_in([...]).")

    def __iter__(self) -> NoReturn:
        raise ExpressionError(f"{self!r} cannot be looped over. Use .map(...), .filter(...) or .reduce(...).")

    def __len__(self) -> NoReturn:
        raise ExpressionError(f"{self!r} has no length until it meets samples. Use .length() or .strlen().")


def as_node(value: Any) -> Node:
    """Give the node of an expression, or a constant; a list may mix both.

    Raises:
        ExpressionError: if the value cannot be part of an expression.
    """
    if isinstance(value, Expression):
        return value.node
    if isinstance(value, Node):
        return value
    if isinstance(value, list | tuple) and any(isinstance(item, Expression) for item in value):
        return Call("array", tuple(as_node(item) for item in value))
    return Constant(constants.normal(value))


def as_list(values: Any) -> Node:
    """Give the node of a list, a lone value being a list of one.

    Raises:
        ExpressionError: if the value cannot be part of an expression.
    """
    if isinstance(values, Expression):
        return values.node
    if isinstance(values, str | bytes | dict) or not hasattr(values, "__iter__"):
        values = [values]
    return as_node(list(values))


def whole(value: Any, what: str) -> int:
    """Check that `value` is an integer.

    Raises:
        ExpressionError: if it is not, naming `what` it is for.
    """
    found = constants.normal(value)
    if isinstance(found, bool) or not isinstance(found, int):
        raise ExpressionError(f"{what} is {value!r}; expected an integer.")
    return found
