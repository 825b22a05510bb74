"""Fast products of rows that only screen: whatever computes them says how far off a product may be.

The backends differ in speed, never in what is selected: a caller takes a product as a bound and measures again, in a
fixed order and in float64, whatever is close.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import FloatArray, IntArray

_SINGLE = 2.0**-24  # the largest relative error of one float32 operation

Two = tuple[NDArray[np.float32], IntArray, NDArray[np.float32]]
"""Of each row the smallest value, where it is, and the second smallest."""


class Products(Protocol):
    """How squared distances between blocks of rows are screened."""

    def error(self, width: int) -> float:
        """Bound the error of a screened squared distance, as a share of the square of both rows' lengths together."""
        ...

    def nearest_two(
        self, left: NDArray[np.float32], left_squares: FloatArray, right: NDArray[np.float32], right_squares: FloatArray
    ) -> Two:
        """Find for each row of `left` the two nearest rows of `right`, by screened squared distance."""
        ...


class NumpyProducts:
    """Products by BLAS in float32."""

    def error(self, width: int) -> float:
        """A product of d terms is off by at most d roundings, in whatever order they are added; 6 more for the rest."""
        return (0.6 * width + 6.0) * _SINGLE

    def nearest_two(
        self, left: NDArray[np.float32], left_squares: FloatArray, right: NDArray[np.float32], right_squares: FloatArray
    ) -> Two:
        """Find the two nearest by one product."""
        product = left @ right.T
        product *= -2
        product += right_squares.astype(np.float32)
        return smallest_two(product, left_squares)


def smallest_two(screened: NDArray[np.float32], left_squares: FloatArray) -> Two:
    """Find the two smallest of each row; `left_squares` are added to them. Changes `screened`."""
    rows = np.arange(len(screened))
    nearest = screened.argmin(axis=1)
    first = screened[rows, nearest]
    screened[rows, nearest] = np.inf
    lengths = left_squares.astype(np.float32)
    return first + lengths, nearest, screened.min(axis=1) + lengths
