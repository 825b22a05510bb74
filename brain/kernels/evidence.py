"""Evidence about the label of a sample: what its neighbours' labels say, and several sources as one.

A *source* is one probability per class for every sample. Here a source is brought to the certainty it deserves, and
sources are put together in proportion to what they know.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .probabilities import SUM_TOLERANCE, checked_probabilities, row_blocks

NEIGHBORS = 15
"""How many neighbours vote by default: enough that one wrong label among them does not decide."""

FLOOR = 1e-4
"""No source may be surer than this that a class is out of the question."""

PRIOR = 0.05
"""How many of a hundred labels are taken to be wrong, in each way, before anything is seen: five."""

_PRIOR_VOTES = 0.5
_FITTED_ROWS = 10_000
_STEEPEST = 2.5  # of the logarithm of the exponent: a factor of 12 either way
_STEPS, _CLOSE = 50, 1e-6


def neighbor_weights(distances: ArrayLike, /) -> NDArray[np.float64]:
    """Weigh neighbours by their distance, relative to that of the middle one: exp(-(d / d_middle)^2).

    Args:
        distances: (n, k), ascending in each row; infinity where there is no neighbour.

    Returns:
        (n, k) float64 in [0, 1]; 0 where there is no neighbour.

    Raises:
        ValueError: if `distances` is not (n, k), holds NaN or a negative value, or is not ascending.

    Source:
        The self-tuning kernel of Zelnik-Manor and Perona (2004), whose scale is the sample's own.

    Example:
        >>> neighbor_weights([[0.0, 1.0, 2.0]]).round(4)
        array([[1.    , 0.3679, 0.0183]])
    """
    values = np.asarray(distances, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"distances has shape {values.shape}; expected (n, k)")
    before, after = values[:, :-1], values[:, 1:]
    if np.isnan(values).any() or (values < 0).any() or (after < before).any():
        raise ValueError(f"distances, of shape {values.shape}, must be ascending in each row, not negative and not NaN")
    counts = np.isfinite(values).sum(axis=1)
    if values.shape[1] == 0:
        return np.empty(values.shape)
    scale = values[np.arange(len(values)), np.maximum(np.minimum(counts // 2, counts - 1), 0)]
    relative = np.where(values == 0, 0.0, np.inf)
    positive = np.isfinite(values) & (scale > 0)[:, None]
    np.divide(values, scale[:, None], out=relative, where=positive)
    return np.exp(-np.square(relative))


def neighbor_votes(
    indices: NDArray[np.int64], weights: NDArray[np.float64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Let neighbours vote with their labels; half a vote is shared among the classes by their frequency.

    Args:
        indices: (n, k) rows of the neighbours.
        weights: (n, k) weight of each vote.
        labels: (n,) class numbers.
        classes: how many classes there are.

    Returns:
        (n, c) float64; each row sums to 1. Without votes it is the frequency of the classes.

    Example:
        Both neighbours of each of three samples, with labels 0, 0 and 1.

        >>> neighbor_votes(np.array([[1, 2], [0, 2], [0, 1]]), np.ones((3, 2)), np.array([0, 0, 1]), 2)
        array([[0.52, 0.48],
               [0.52, 0.48],
               [0.92, 0.08]])
    """
    n = len(indices)
    cells = np.arange(n)[:, None] * classes + labels[indices]
    counted = np.bincount(cells.ravel(), weights=weights.ravel(), minlength=n * classes)
    votes: NDArray[np.float64] = counted.astype(np.float64, copy=False).reshape(n, classes)  # of no votes: integers
    votes += _PRIOR_VOTES * frequencies(labels, classes)
    votes /= votes.sum(axis=1, keepdims=True)
    return votes


def frequencies(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Compute the share of each class, as if each had occurred once more.

    Example:
        >>> frequencies(np.array([0, 0]), 2)
        array([0.75, 0.25])
    """
    counted = np.bincount(labels, minlength=classes) + 1.0
    share: NDArray[np.float64] = counted / counted.sum()
    return share


def logarithms(probabilities: ArrayLike, /) -> NDArray[np.float64]:
    """Take logarithms of probabilities, none below that of `FLOOR`.

    Args:
        probabilities: (n, c); where a row sums to a little more or less than 1, so much is added to its logarithms.

    Raises:
        ValueError: if a row is not one of probabilities.

    Example:
        >>> logarithms([[1.0, 0.0]]).round(4) + 0.0
        array([[ 0.    , -9.2103]])
    """
    given: NDArray[Any] = np.asarray(probabilities)
    if given.ndim != 2 or given.shape[1] == 0 or given.dtype.kind not in "fiub":
        given = checked_probabilities(given)
    result = np.empty(given.shape)
    for block in row_blocks(given):
        rows = given[block].astype(np.float64, copy=False)
        totals = rows.sum(axis=1)
        if not (rows.min() >= 0 and np.abs(totals - 1).max() <= SUM_TOLERANCE):
            checked_probabilities(given)  # it names the row
        np.maximum(rows, (FLOOR * totals)[:, None], out=result[block])
        np.log(result[block], out=result[block])
    return result


def calibration(source: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Find the exponent that makes a source the best predictor of the labels, and what it then tells about them.

    Args:
        source: (n, c) logarithms of probabilities that did not see the sample's own label, as `logarithms` gives them.
        labels: (n,) class numbers.

    Returns:
        The exponent, from 1/12 to 12 (below 1 the source was too sure of itself), and the information about one label
        in nats: how much less its surprise is than by the frequency of its class alone, not below 0.

    Source:
        Temperature scaling: Guo et al. (2017), section 4.2, the exponent being 1 / temperature. One observation's worth
        of belief holds it at 1, so that few samples cannot drive it to an end. At most 10 000 rows, evenly spaced, are
        looked at. The best exponent is found by Newton's method.
    """
    step = -(-len(labels) // _FITTED_ROWS)
    rows, given = source[::step], labels[::step]
    told = rows[np.arange(len(given)), given]
    # The surprise falls up to the best steepness and rises behind it: what is known to hold it is halved where
    # Newton's step leaves that.
    low, high, steepness = -_STEEPEST, _STEEPEST, 0.0
    for _ in range(_STEPS):
        slope, bend, _surprise = _surprise_at(rows, told, steepness)
        low, high = (steepness, high) if slope > 0 else (low, steepness)
        better = steepness + slope / bend if bend > 0 else np.copysign(np.inf, slope)
        better = float(np.clip(better, -_STEEPEST, _STEEPEST))
        if low == high or abs(better - steepness) < _CLOSE:
            break
        steepness = better if low < better < high or abs(better) == _STEEPEST else (low + high) / 2
    share = frequencies(given, source.shape[1])
    surprise = _surprise_at(rows, told, steepness)[2]
    return float(np.exp(steepness)), max(float(-np.log(share[given]).mean() - surprise), 0.0)


def _surprise_at(
    rows: NDArray[np.float64], told: NDArray[np.float64], steepness: float
) -> tuple[float, float, float]:  # fmt: skip
    """How the surprise falls with the steepness, how that changes, and what it is on average.

    Args:
        rows: (n, c) logarithms.
        told: (n,) those of the labels.
        steepness: the logarithm of the exponent.
    """
    exponent = np.exp(steepness)
    means, spreads, surprise = 0.0, 0.0, 0.0
    for block in row_blocks(rows):
        part = rows[block]
        weights = np.exp(exponent * part)  # no logarithm of a probability is far enough below 0 for this to vanish
        totals = weights.sum(axis=1)
        surprise += float((np.log(totals) - exponent * told[block]).sum())
        weights *= part
        mean = weights.sum(axis=1) / totals
        weights *= part
        means += float(mean.sum())
        spreads += float((weights.sum(axis=1) / totals - np.square(mean)).sum())
    slope = float(exponent * (told.sum() - means))
    return slope - steepness, float(exponent**2 * spreads) - slope + 1.0, surprise / max(len(told), 1)


def pool_weights(calibrations: list[tuple[float, float]]) -> list[float]:
    """Weigh sources for a product of powers: each calibrated, and in proportion to its information.

    Args:
        calibrations: exponent and information of each source.

    Example:
        The first tells nothing beyond the frequencies.

        >>> pool_weights([(0.5, 0.0), (2.0, 1.2)])
        [0.0, 2.0]
    """
    total = sum(information for _, information in calibrations)
    if total <= 0:
        return [exponent / len(calibrations) for exponent, _ in calibrations]
    return [exponent * information / total for exponent, information in calibrations]


def checked_neighbors(
    distances: ArrayLike, indices: ArrayLike, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the weights and rows of neighbours.

    Raises:
        ValueError: if the shapes differ, or an index is no row.
    """
    weights = neighbor_weights(distances)
    found = np.asarray(indices, dtype=np.int64)
    if found.shape != weights.shape or len(found) != rows:
        raise ValueError(f"distances has shape {weights.shape} and indices {found.shape}; expected both ({rows}, k)")
    if found.size and (found.min() < 0 or found.max() >= rows):
        raise ValueError(f"indices holds {found.min()} to {found.max()}; expected rows from 0 to {rows - 1}")
    return weights, found
