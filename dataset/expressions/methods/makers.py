"""Expressions that begin with no field: `F.literal(...)`, `F.any([...])`, `F.rand()`."""

import math
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..nodes import Call, Constant, Logic, Path
from .base import Expression, as_list, as_node, whole

if TYPE_CHECKING:
    from ..field import ViewExpression


class Makers(Expression):
    """Functions on the class that make expressions."""

    __slots__ = ()

    @classmethod
    def literal(cls, value: Any) -> "ViewExpression":
        """Give an expression with the same value for every sample.

        Args:
            value: None, bool, int, float, str, a date, a list or a dict.

        Example: `F("tags").append(F.literal("checked"))`
        """
        return cls._result._wrapping(as_node(value))

    @classmethod
    def any(cls, exprs: Any) -> "ViewExpression":
        """Test whether any of several conditions holds; False for none.

        Args:
            exprs: the conditions.

        Example: `F.any([F("label") == "cat", F("confidence") > 0.9])`
        """
        return cls._combined("or", exprs)

    @classmethod
    def all(cls, exprs: Any) -> "ViewExpression":
        """Test whether all of several conditions hold; True for none.

        Args:
            exprs: the conditions.

        Example: `F.all([F("label") == "cat", F("confidence") > 0.9])`
        """
        return cls._combined("and", exprs)

    @classmethod
    def _combined(cls, op: Any, exprs: Any) -> "ViewExpression":
        nodes = tuple(as_node(expr) for expr in ([exprs] if isinstance(exprs, Expression) else exprs))
        if not nodes:
            return cls.literal(op == "and")
        return cls._result._wrapping(nodes[0] if len(nodes) == 1 else Logic(op, nodes))

    @classmethod
    def range(cls, start: Any, stop: Any = None) -> "ViewExpression":
        """Give the list of the integers from `start` up to, but without, `stop`.

        Args:
            start: the first integer, or the stop if that is not given, and then the first is 0.
            stop: where to end.

        Example: `F.range(F("tags").length())`
        """
        first, last = (0, start) if stop is None else (start, stop)
        return cls._result._wrapping(Call("range", (as_node(first), as_node(last))))

    @classmethod
    def enumerate(cls, array: Any, start: int = 0) -> "ViewExpression":
        """Give the list of `[position, element]` pairs of a list.

        Args:
            array: the list, or an expression that gives one.
            start: the first position.

        Example: `F.enumerate(F("tags")).filter(F()[0] > 2)`
        """
        listed = cls._result._wrapping(as_list(array))
        first = whole(start, "start")
        return cls.zip(cls.range(first, listed.length() + first), listed)

    @classmethod
    def zip(cls, *args: Any, use_longest: bool = False, defaults: Iterable[Any] | None = None) -> "ViewExpression":
        """Give the list of lists of the first, second, … elements of several lists.

        Args:
            *args: lists, or expressions that give lists.
            use_longest: whether to go on to the end of the longest list instead of the shortest.
            defaults: with `use_longest`, what stands for the elements that a list lacks: one constant for each list.

        Example: `F.zip(F("tags"), F.range(3))`
        """
        nodes = tuple(as_list(argument) for argument in args)
        if not use_longest:
            return cls._result._wrapping(Call("zip", nodes))
        filled = as_node([None] * len(nodes) if defaults is None else list(defaults))
        return cls._result._wrapping(Call("zip_longest", (filled, *nodes)))

    @classmethod
    def rand(cls, seed: int | None = None) -> "ViewExpression":
        """Give a random number in [0, 1) that depends only on the seed and the sample, or the element.

        So a view that uses it shows the same samples each time it is read.

        Args:
            seed: an integer; None draws one now.

        Example: `dataset.match(F.rand(51) < 0.1)`
        """
        chosen = secrets.randbelow(2**31) if seed is None else whole(seed, "seed")
        return cls._result._wrapping(Call("uniform", (Constant(chosen), Path(""))))

    @classmethod
    def randn(cls, seed: int | None = None) -> "ViewExpression":
        """Give a normally distributed random number that depends only on the seed and the sample, or the element.

        Args:
            seed: an integer; None draws one now.

        Source:
            Box and Muller, 1958.

        Example: `F("uniqueness") + 0.01 * F.randn(51)`
        """
        chosen = secrets.randbelow(2**31) if seed is None else whole(seed, "seed")
        radius = (-2.0 * (1.0 - cls.rand(chosen)).ln()).sqrt()
        return radius * (2.0 * math.pi * cls.rand(chosen + 2**31)).cos()
