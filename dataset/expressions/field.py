"""What users write expressions with: `F("uniqueness") > 0.5`."""

from typing import Any

from ..errors import ExpressionError
from .methods import (
    ConditionMethods,
    DateMethods,
    Expression,
    ListMethods,
    Makers,
    NumberMethods,
    Operators,
    TextMethods,
    as_node,
)
from .nodes import Node, Path


class ViewExpression(
    Operators, ConditionMethods, NumberMethods, ListMethods, TextMethods, DateMethods, Makers, Expression
):
    """Something to be computed for each sample, label or element, such as `F("uniqueness") > 0.5`.

    Nothing is computed until it meets samples, in `dataset.match(...)` and its like. The rules for missing values stand
    in `Operators`.

    Args:
        expr: a constant, or another expression.

    Example:
        >>> (ViewField("uniqueness") > 0.5) & ViewField("tags").contains("train")
        (F("uniqueness") > 0.5) & F("tags").contains(["train"])
    """

    __slots__ = ()
    __hash__ = Expression.__hash__  # by identity, so that switch() takes conditions as keys

    def __init__(self, expr: Any) -> None:
        super().__init__(as_node(expr))

    @classmethod
    def _wrapping(cls, node: Node) -> "ViewExpression":
        return ViewExpression(node)


class ViewField(ViewExpression):
    """A field of the sample, or an attribute of the label or element that an expression is computed for.

    Args:
        name: names joined by dots, such as "predictions.detections.label". With "$" before it, a field of the sample,
            also inside of `filter` and its like; None is the current element itself.

    Example:
        >>> ViewField("ground_truth.label") == "cat"
        F("ground_truth.label") == "cat"
    """

    __slots__ = ()
    __hash__ = Expression.__hash__

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise ExpressionError(f"F() takes the name of a field; got {name!r}. Use F.literal(...) for a constant.")
        path = name or ""
        parts = path.removeprefix("$").split(".")
        if path not in {"", "$"} and any(not part or part.startswith("$") for part in parts):
            raise ExpressionError(f"F({name!r}) is not the name of a field. Join names with dots, such as F('a.b').")
        Expression.__init__(self, Path(path.removeprefix("$"), "root" if path.startswith("$") else "here"))


Expression._result = ViewExpression

F = ViewField

VALUE = ViewExpression(Path("", "value"))
"""Inside `reduce`, the value that has been reached."""
