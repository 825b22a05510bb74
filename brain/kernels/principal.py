"""Principal components: the few directions along which rows vary most."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .neighbors import one_blas_thread_each
from .vectors import checked, range_factor

_ROWS = 4096


def principal_components(vectors: ArrayLike, count: int = 2) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place rows by their coordinates along the directions in which they vary most.

    The sign of each direction is chosen so that its largest entry is positive, so the same rows always give the same
    picture. Where rows vary along fewer directions than are asked for, the other coordinates are 0.

    Args:
        vectors: (n, d) numbers, one row per sample.
        count: how many coordinates.

    Returns:
        The coordinates, (n, count) float64, in the unit of the vectors, with mean 0; and the share of all variance
        along each, (count,), descending.

    Raises:
        ValueError: if `vectors` is not (n, d) or holds NaN or infinity, or `count` is below 1.

    Source:
        Pearson, 1901. The covariance is added up in blocks of a fixed size, on one thread, in float64.

    Example:
        >>> points, shares = principal_components([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]], count=1)
        >>> points.round(6).ravel() + 0.0, shares.round(6)
        (array([-5.,  0.,  5.]), array([1.]))
    """
    rows = checked(vectors)
    if count < 1:
        raise ValueError(f"count={count} must be at least 1")
    n, d = rows.shape
    found = min(count, d)
    points, shares = np.zeros((n, count)), np.zeros(count)
    if n == 0 or d == 0:
        return points, shares
    scale = range_factor(rows)
    blocks = [slice(start, start + _ROWS) for start in range(0, n, _ROWS)]
    with one_blas_thread_each():
        center = np.zeros(d)
        for block in blocks:
            center += (rows[block] * scale).sum(axis=0, dtype=np.float64) / n
        covariance = np.zeros((d, d))
        for block in blocks:
            shifted = rows[block] * scale - center
            covariance += shifted.T @ shifted / n
        variances, directions = np.linalg.eigh(covariance)
        variances, directions = np.maximum(variances[::-1], 0), directions[:, ::-1][:, :found]
        largest = np.abs(directions).argmax(axis=0)
        directions = directions * np.where(directions[largest, np.arange(found)] < 0, -1.0, 1.0)
        for block in blocks:
            points[block, :found] = (rows[block] * scale - center) @ directions / scale
    total = variances.sum()
    if total > 0:
        shares[:found] = variances[:found] / total
    return points, shares
