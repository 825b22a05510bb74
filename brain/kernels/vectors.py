"""What the distance kernels share: checked rows, unit length, and distances that do not depend on who asks.

A fast float32 product only screens. Whatever is decided or returned comes from `squared_distances`, which adds the
same numbers in the same order for every block size, so equal vectors are at distance zero, not at 1e-8.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray

_ROWS = 256
_PAIRS = 256  # with some hundreds of numbers each, both ends stay in the processor's cache
_LARGEST_POWER = 1023  # of two in float64


def checked(vectors: ArrayLike, /) -> FloatArray:
    """Give `vectors` as a two-dimensional float array, without copying where it is one.

    Raises:
        ValueError: if the shape is not (n, d) with d > 0, the entries are not numbers, or one is NaN or infinite.
    """
    array: NDArray[Any] = np.asarray(vectors)
    if array.ndim != 2 or (array.shape[1] == 0 and len(array) > 0):
        raise ValueError(f"vectors has shape {array.shape}; expected (n, d), one row per sample")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"vectors has dtype {array.dtype}; expected numbers")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    row = first_nonfinite_row(array)
    if row is not None:
        raise ValueError(f"vectors, of shape {array.shape}, holds NaN or infinity in row {row}")
    return array


def first_nonfinite_row(vectors: FloatArray, /) -> int | None:
    """Find the first row that holds NaN or infinity.

    Example:
        >>> first_nonfinite_row(np.array([[0.0, 1.0], [np.nan, 0.0]]))
        1
    """
    for start in range(0, len(vectors), _ROWS):
        bad = np.flatnonzero(~np.isfinite(vectors[start : start + _ROWS]).all(axis=1))
        if len(bad):
            return start + int(bad[0])
    return None


def unit_factors(vectors: FloatArray, /) -> NDArray[np.float64]:
    """Compute the factor that brings each row to length one.

    A row of zeros, or of numbers below the smallest normal one, has no direction; it keeps the factor 1 and so stays at
    the origin.

    Returns:
        (n,) float64, larger than zero.

    Example:
        >>> unit_factors(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([0.2, 1. ])
    """
    factors = np.ones(len(vectors))
    for start in range(0, len(vectors), _ROWS):
        rows = vectors[start : start + _ROWS].astype(np.float64)
        largest = np.abs(rows).max(axis=1, initial=0.0)
        largest[largest < np.finfo(np.float64).tiny] = 1.0
        # Divided by the largest entry first, or the squares of very large and very small vectors leave float64.
        lengths = largest * np.sqrt(np.square(rows / largest[:, None]).sum(axis=1))
        factors[start : start + _ROWS] = 1.0 / np.where(lengths > 0, lengths, 1.0)
    return factors


def range_factor(vectors: FloatArray, /) -> float:
    """Find the power of two that brings the largest entry into [0.5, 1), so that squares stay in range.

    Multiplying by a power of two rounds nothing. Of entries below the smallest normal number it is the largest power.

    Example:
        >>> range_factor(np.array([[3.0, -5.0]]))
        0.125
    """
    largest = max((float(np.abs(vectors[i : i + _ROWS]).max()) for i in range(0, len(vectors), _ROWS)), default=0.0)
    return float(2.0 ** min(-int(np.frexp(largest)[1]), _LARGEST_POWER))


def squared_distances(
    vectors: FloatArray,
    factors: NDArray[np.float64],
    left: IntArray,
    right: IntArray,
    *,
    others: tuple[FloatArray, NDArray[np.float64] | None] | None = None,
) -> NDArray[np.float64]:
    """Compute the squared distance of pairs of rows, in float64 and always in the same order.

    Args:
        vectors: (n, d) rows.
        factors: (n,) what each row is multiplied by first.
        left: (m,) row of one end of each pair.
        right: (m,) row of the other end.
        others: the rows that `right` counts, if they are not the same, with their factors; without, they are taken as
            they are.

    Returns:
        (m,) float64; exactly zero for equal rows with equal factors.

    Example:
        >>> rows = np.array([[0.0, 0.0], [3.0, 4.0]])
        >>> squared_distances(rows, np.ones(2), np.array([0, 1]), np.array([1, 1]))
        array([25.,  0.])
    """
    result = np.empty(len(left))
    far, far_factors = (vectors, factors) if others is None else others
    for start in range(0, len(left), _PAIRS):
        one, other = left[start : start + _PAIRS], right[start : start + _PAIRS]
        difference = vectors[one] * factors[one, None]
        difference -= far[other] if far_factors is None else far[other] * far_factors[other, None]
        np.einsum("ij,ij->i", difference, difference, out=result[start : start + _PAIRS])
    return result
