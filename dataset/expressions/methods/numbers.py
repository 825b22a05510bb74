"""Functions of numbers. A missing operand, or a number for which the function is undefined, gives None."""

from typing import TYPE_CHECKING, Any

from .base import Expression, whole

if TYPE_CHECKING:
    from ..field import ViewExpression


class NumberMethods(Expression):
    """What can be computed from numbers."""

    __slots__ = ()

    def abs(self) -> "ViewExpression":
        """Give the absolute value.

        Example: `F("error").abs() > 0.1`
        """
        return self._call("abs")

    def ceil(self) -> "ViewExpression":
        """Round up to an integer.

        Example: `F("seconds").ceil()`
        """
        return self._call("ceil")

    def floor(self) -> "ViewExpression":
        """Round down to an integer.

        Example: `(10 * F("uniqueness")).floor()`
        """
        return self._call("floor")

    def round(self, place: int = 0) -> "ViewExpression":
        """Round to the nearest number, halves to the even one, as Python does.

        Args:
            place: decimal places to keep; negative ones round to tens, hundreds, …

        Example: `F("confidence").round(2)`
        """
        return self._call("round", _place(place))

    def trunc(self, place: int = 0) -> "ViewExpression":
        """Cut off digits, towards zero.

        Args:
            place: decimal places to keep; negative ones cut to tens, hundreds, …

        Example: `F("confidence").trunc(1)`
        """
        return self._call("trunc", _place(place))

    def exp(self) -> "ViewExpression":
        """Give e to the power of the number.

        Example: `F("log_probability").exp()`
        """
        return self._call("exp")

    def ln(self) -> "ViewExpression":
        """Give the natural logarithm; None for numbers that are not positive.

        Example: `F("area").ln()`
        """
        return self._call("ln")

    def log(self, base: Any) -> "ViewExpression":
        """Give the logarithm to a base; None for numbers that are not positive.

        Args:
            base: a positive number other than 1, or an expression.

        Example: `F("count").log(2)`
        """
        return self._call("log", base)

    def log10(self) -> "ViewExpression":
        """Give the logarithm to base 10; None for numbers that are not positive.

        Example: `F("metadata.size_bytes").log10()`
        """
        return self._call("log10")

    def pow(self, power: Any) -> "ViewExpression":
        """Give the number to a power; None for zero to a negative power.

        Args:
            power: a number or an expression.

        Example: `F("distance").pow(2)`
        """
        return self._call("pow", power)

    def sqrt(self) -> "ViewExpression":
        """Give the square root; None for negative numbers.

        Example: `F("area").sqrt()`
        """
        return self._call("sqrt")

    def cos(self) -> "ViewExpression":
        """Give the cosine of an angle in radians.

        Example: `F("heading").cos()`
        """
        return self._call("cos")

    def sin(self) -> "ViewExpression":
        """Give the sine of an angle in radians.

        Example: `F("heading").sin()`
        """
        return self._call("sin")

    def tan(self) -> "ViewExpression":
        """Give the tangent of an angle in radians.

        Example: `F("slope").tan()`
        """
        return self._call("tan")

    def cosh(self) -> "ViewExpression":
        """Give the hyperbolic cosine.

        Example: `F("x").cosh()`
        """
        return self._call("cosh")

    def sinh(self) -> "ViewExpression":
        """Give the hyperbolic sine.

        Example: `F("x").sinh()`
        """
        return self._call("sinh")

    def tanh(self) -> "ViewExpression":
        """Give the hyperbolic tangent.

        Example: `F("activation").tanh()`
        """
        return self._call("tanh")

    def arccos(self) -> "ViewExpression":
        """Give the angle in radians whose cosine is the number; None outside [-1, 1].

        Example: `F("cosine").arccos()`
        """
        return self._call("arccos")

    def arcsin(self) -> "ViewExpression":
        """Give the angle in radians whose sine is the number; None outside [-1, 1].

        Example: `F("sine").arcsin()`
        """
        return self._call("arcsin")

    def arctan(self) -> "ViewExpression":
        """Give the angle in radians whose tangent is the number.

        Example: `(F("dy") / F("dx")).arctan()`
        """
        return self._call("arctan")

    def arccosh(self) -> "ViewExpression":
        """Give the number whose hyperbolic cosine this is; None below 1.

        Example: `F("x").arccosh()`
        """
        return self._call("arccosh")

    def arcsinh(self) -> "ViewExpression":
        """Give the number whose hyperbolic sine this is.

        Example: `F("x").arcsinh()`
        """
        return self._call("arcsinh")

    def arctanh(self) -> "ViewExpression":
        """Give the number whose hyperbolic tangent this is; None outside (-1, 1).

        Example: `F("x").arctanh()`
        """
        return self._call("arctanh")


def _place(place: Any) -> int:
    return whole(place, "place")
