"""The most central of some rows: what a selection begins with when nothing else decides."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ....dataset.types import FloatArray, IntArray
from ...kernels.vectors import squared_distances

_ROWS = 512
_ROUNDING = 2.0**-48  # what may be wrong with the mean; of two rows, both are equally near to it


def most_central(vectors: FloatArray, factors: NDArray[np.float64], rows: IntArray) -> int:
    """Find the row nearest to the mean of some rows, the lowest among equals.

    Args:
        vectors: (n, d).
        factors: (n,) what each row is multiplied by first.
        rows: some of them, ascending.
    """
    center = np.zeros(vectors.shape[1])
    squares: list[NDArray[np.float64]] = []
    for block, scales in _blocks(vectors, factors, rows):
        whole = block.astype(np.float64)
        center += scales @ whole
        squares.append(np.einsum("ij,ij->i", whole, whole) * np.square(scales))
    center /= max(len(rows), 1)
    lengths = np.concatenate(squares)
    narrow = center.astype(vectors.dtype)
    along = np.concatenate([(block @ narrow) * scales for block, scales in _blocks(vectors, factors, rows)])
    about = lengths - 2 * along + center @ center
    longest = np.sqrt(lengths.max())
    error = (len(center) + 8) * float(np.finfo(vectors.dtype).eps) * longest * (longest + np.sqrt(center @ center))
    near = rows[about <= about.min() + 2 * error]
    to_center = np.zeros(len(near), dtype=np.int64)
    exact = squared_distances(vectors, factors, near, to_center, others=(center[None], None))
    away = np.sqrt(exact)
    return int(near[away <= away.min() + _ROUNDING * longest][0])


def _blocks(
    vectors: FloatArray, factors: NDArray[np.float64], rows: IntArray
) -> Iterator[tuple[FloatArray, NDArray[np.float64]]]:
    is_all = len(rows) == len(vectors)
    for start in range(0, len(rows), _ROWS):
        block = slice(start, start + _ROWS) if is_all else rows[start : start + _ROWS]
        scales = factors[block]
        if scales.min() > 1e-30 and scales.max() < 1e30:
            yield vectors[block], scales
        else:  # squares of such numbers may leave the range of floats
            yield vectors[block] * scales[:, None], np.ones(len(scales))
