"""What the label-related kernels share: probabilities out of logits, checked probabilities, checked labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUM_TOLERANCE = 0.01
"""How far a row of probabilities may be from a sum of 1: what float16 leaves of it."""

_CELLS = 1 << 16  # half a megabyte


def softmax(logits: ArrayLike, /) -> NDArray[np.float64]:
    """Turn logits of single-label classes into probabilities.

    Logarithms of probabilities, minus infinity among them, give back these probabilities.

    Args:
        logits: (n, c), one row per sample.

    Returns:
        (n, c) float64; each row sums to 1.

    Raises:
        ValueError: if `logits` is not (n, c), or a row holds NaN, plus infinity or nothing but minus infinity.

    Example:
        >>> softmax([[0.0, 0.0], [1000.0, -1000.0]])
        array([[0.5, 0.5], [1. , 0. ]])
    """
    values = np.array(logits, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"logits has shape {values.shape}; expected (n, c), one row per sample")
    if values.shape[1] == 0:
        if len(values):
            raise ValueError(f"logits has shape {values.shape}; expected at least one class")
        return values
    bad = np.flatnonzero(~np.isfinite(values.max(axis=1)))  # the maximum of a row with NaN is NaN
    if len(bad):
        raise ValueError(f"logits, of shape {values.shape}, has NaN or no finite maximum in row {bad[0]}")
    return normalized_exponentials(values)


def normalized_exponentials(values: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Turn rows of finite logits into probabilities, in place.

    Example:
        >>> normalized_exponentials(np.array([[0.0, 0.0]]))
        array([[0.5, 0.5]])
    """
    values -= values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values


def sigmoid(logits: ArrayLike, /) -> NDArray[np.float64]:
    """Turn logits of multi-label classes into probabilities, each class by itself.

    Raises:
        ValueError: if `logits` is not (n, c) or holds NaN.

    Example:
        >>> sigmoid([[0.0, 1000.0, -1000.0]])
        array([[0.5, 1. , 0. ]])
    """
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"logits has shape {values.shape}; expected (n, c), one row per sample")
    bad = np.flatnonzero(np.isnan(values).any(axis=1))
    if len(bad):
        raise ValueError(f"logits, of shape {values.shape}, holds NaN in row {bad[0]}")
    small = np.exp(-np.abs(values))  # never overflows
    result: NDArray[np.float64] = np.where(values >= 0, 1.0, small) / (1.0 + small)
    return result


def checked_probabilities(probabilities: ArrayLike, /, *, normalize: bool = False) -> NDArray[np.float64]:
    """Give probabilities as float64, each row summing to 1.

    Args:
        probabilities: (n, c) with c > 0.
        normalize: accept rows with any sum: NaN counts as 0, rows are divided by their sum, and a row of zeros becomes
            uniform.

    Returns:
        (n, c) float64.

    Raises:
        ValueError: if the shape is another, a value is negative, or, without `normalize`, is NaN, or a row does not sum
            to 1 within 0.01.

    Example:
        >>> checked_probabilities([[1.0, 3.0], [0.0, 0.0]], normalize=True)
        array([[0.25, 0.75], [0.5 , 0.5 ]])
    """
    values: NDArray[Any] = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or (values.shape[1] == 0 and len(values)):
        raise ValueError(f"probabilities has shape {values.shape}; expected (n, c), one row per sample, c > 0")
    if normalize:
        values = np.nan_to_num(values, nan=0.0, posinf=np.inf)
    row = first_invalid_row(values, any_sum=normalize)
    if row is not None:
        raise ValueError(
            f"probabilities, of shape {values.shape}, has in row {row} values that are negative or NaN, or a sum of "
            f"{values[row].sum():.4g}; expected 1"
        )
    totals = values.sum(axis=1, keepdims=True)
    uniform = 1.0 / max(values.shape[1], 1)
    result: NDArray[np.float64] = np.where(totals > 0, values / np.where(totals > 0, totals, 1.0), uniform)
    return result


def checked_shares(probabilities: ArrayLike, /) -> NDArray[np.float64]:
    """Give probabilities of classes that do not exclude each other as float64.

    Raises:
        ValueError: if the shape is not (n, c), or a value is outside [0, 1].
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"probabilities has shape {values.shape}; expected (n, c)")
    bad = np.flatnonzero(~((values >= 0) & (values <= 1)).all(axis=1))
    if len(bad):
        raise ValueError(f"probabilities, of shape {values.shape}, leaves [0, 1] in row {bad[0]}")
    return values


def first_invalid_row(values: NDArray[np.float64], /, *, any_sum: bool = False) -> int | None:
    """Find the first row that holds no probabilities.

    Example:
        >>> first_invalid_row(np.array([[0.5, 0.5], [0.5, 0.6]]))
        1
    """
    totals = values.sum(axis=1)
    is_fine = (values >= 0).all(axis=1) & (np.isfinite(totals) if any_sum else np.abs(totals - 1) <= SUM_TOLERANCE)
    bad = np.flatnonzero(~is_fine)
    return int(bad[0]) if len(bad) else None


def row_blocks(values: NDArray[Any], /) -> Iterator[slice]:
    """Go through a matrix by pieces that stay in the processor's cache while several things are done to each.

    Example:
        >>> list(row_blocks(np.empty((100_000, 1))))
        [slice(0, 65536, None), slice(65536, 131072, None)]
    """
    step = max(1, _CELLS // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        yield slice(start, start + step)


def checked_labels(labels: ArrayLike, rows: int, classes: int, /) -> NDArray[np.int64]:
    """Give class numbers as integers.

    Raises:
        ValueError: if they are not (rows,) integers from 0 to classes - 1.
    """
    given: NDArray[Any] = np.asarray(labels)
    if given.shape != (rows,):
        raise ValueError(f"labels has shape {given.shape}; expected ({rows},), one class number per row")
    if given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.dtype.kind not in "iu":
        raise ValueError(f"labels has dtype {given.dtype}; expected class numbers")
    if given.min() < 0 or given.max() >= classes:
        raise ValueError(f"labels holds {given.min()} to {given.max()}; expected class numbers from 0 to {classes - 1}")
    return given.astype(np.int64)


def against(scores: NDArray[np.float64], labels: NDArray[np.int64], /) -> NDArray[np.float64]:
    """Compute by how much the best other class is ahead of each row's label.

    Args:
        scores: (n, c), c > 1.
        labels: (n,) class numbers.

    Example:
        >>> against(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]), np.array([0, 1]))
        array([-0.2, 0.5])
    """
    rows = np.arange(len(labels))
    others = scores.copy()
    others[rows, labels] = -np.inf
    lead: NDArray[np.float64] = others.max(axis=1, initial=-np.inf) - scores[rows, labels]
    return lead
