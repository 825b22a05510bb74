"""Uniqueness: how far a sample lies from its nearest neighbours, measured against what is usual in its set.

Distances in, scores out. Finding the neighbours is `kernels.neighbors`; reading vectors and writing scores is
`operations.uniqueness`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEIGHTS = (0.6, 0.3, 0.1)
"""How much the first, second and third neighbour count."""

NEIGHBORS = 20
"""How many neighbours tell what is usual around a sample: more than the copies of one image that a set may hold."""

_SAME = 0.01  # logarithms of distances that differ by less than one percent tell nothing
_EVIDENT = 3.0  # Hampel's rule: within three robust deviations of the median, nothing is unusual
_DEVIATION = 1.4826  # median absolute deviations to one standard deviation of a normal distribution


@dataclass(frozen=True)
class Calibration:
    """What is usual in a set: medians, and deviations of the size of a standard deviation, of two logarithms.

    Attributes:
        isolation: the median of the logarithm of the distance to the nearest others.
        isolation_deviation: its robust deviation, at least 0.01.
        excess: the median of the logarithm of a sample's reach over that of its neighbours.
        excess_deviation: its robust deviation, at least 0.01.
    """

    isolation: float
    isolation_deviation: float
    excess: float
    excess_deviation: float


def uniqueness(
    distances: ArrayLike, neighbor_reach: ArrayLike, /, calibration: Calibration | None = None
) -> tuple[NDArray[np.float64], Calibration]:
    """Score how isolated each sample is: 0 has an exact copy, 0.5 is usual for its set, towards 1 stands alone.

    Two things are measured, as logarithms, so that factors count and units do not:

    * isolation, a = 0.6 log d1 + 0.3 log d2 + 0.1 log d3, with d1 <= d2 <= d3 the distances to the three nearest
      others: how far the next sample is;
    * excess, b = log(r / m), with r the sample's reach, the distance to its last column, and m the median reach of
      its neighbours: how much emptier it is around the sample than around those nearest to it.

    Both become robust deviations from what is usual, z = (x - median) / (1.4826 MAD). The score is
    1 / (1 + exp(-(z_a + max(0, z_b - 3)))): isolation decides, and a sample that is out of place in its own
    neighbourhood beyond doubt gains what is beyond doubt.

    Medians and their deviations hardly change when samples are added or left out, so neither do the scores: one far
    outlier moves nobody, and a score means the same in a half, in the whole and in another set.

    Args:
        distances: (n, k) distances to the k nearest *other* samples, ascending; `NEIGHBORS` of them are meant.
        neighbor_reach: (n, k) the last distance of each of those neighbours.
        calibration: what is usual, from an earlier set; by default it is taken from these samples.

    Returns:
        (n,) float64 in [0, 1], and the calibration. A sample without any other scores 1.

    Raises:
        ValueError: if the shapes differ, `distances` is not two-dimensional or not ascending, or a number is negative,
            NaN or infinite.

    Source:
        Ours. Three neighbours with weights 0.6, 0.3 and 0.1 are from the published formula (`nearest_uniqueness`); the
        mean is geometric, because an arithmetic one gives a copy in a thin region a higher score than a lone sample in
        a dense one. Excess is the idea of the local outlier factor (Breunig et al., 2000). Its value for an ordinary
        sample is chance, which is why only what is beyond Hampel's three deviations counts.

    Example:
        The next samples are at 1, 2 and 4, and nobody reaches further than its neighbour. The middle one is usual; the
        others lie log 2 off, which is the MAD, hence 1 / 1.4826 deviations.

        >>> scores, usual = uniqueness([[1.0], [2.0], [4.0]], [[1.0], [2.0], [4.0]])
        >>> scores.round(3), round(usual.isolation, 3)
        (array([0.337, 0.5  , 0.663]), 0.693)
    """
    values, reach = _checked(distances), _checked(neighbor_reach, ascending=False)
    if values.shape != reach.shape:
        raise ValueError(f"distances has shape {values.shape} and neighbor_reach {reach.shape}; expected the same")
    if values.shape[1] == 0:
        return np.ones(len(values)), calibration or Calibration(0.0, _SAME, 0.0, _SAME)
    single = values[:, 0] > 0
    isolation = (np.log(values[single, : len(WEIGHTS)]) * _weights(values.shape[1])).sum(axis=1)
    excess = _excess(values[single, -1], reach[single])
    if calibration is None:
        calibration = Calibration(*_usual(isolation), *_usual(excess))
    scores = np.zeros(len(values))
    deviation = (isolation - calibration.isolation) / calibration.isolation_deviation
    deviation += np.maximum((excess - calibration.excess) / calibration.excess_deviation - _EVIDENT, 0)
    scores[single] = 1 / (1 + np.exp(-np.clip(deviation, -700, 700)))
    return scores, calibration


def nearest_uniqueness(distances: ArrayLike, /) -> NDArray[np.float64]:
    """Score by the published formula: the weighted distance to the three nearest others, over the largest of all.

    s = 0.6 d1 + 0.3 d2 + 0.1 d3, divided by the maximum over the set: so the most isolated sample has exactly 1, and
    one outlier presses all others towards 0. With one or two others, the weights of those there are count alone.
    Identical samples have 0, and a sample without any other has 1.

    Args:
        distances: (n, k) distances to the k nearest *other* samples, ascending. Columns after the third are ignored.

    Returns:
        (n,) float64 in [0, 1].

    Raises:
        ValueError: if `distances` is not two-dimensional, not ascending, or holds NaN, infinity or a negative value.

    Source:
        FiftyOne's Brain, as published; its release of 2024 leaves the nearest neighbour out.

    Example:
        >>> nearest_uniqueness([[1.0, 2.0, 2.0], [1.0, 1.0, 1.0], [10.0, 10.0, 10.0]])
        array([0.14, 0.1 , 1.  ])
    """
    values = _checked(distances)[:, : len(WEIGHTS)]
    if values.shape[1] == 0:
        return np.ones(len(values))
    scores: NDArray[np.float64] = (values * _weights(values.shape[1])).sum(axis=1)
    largest = scores.max(initial=0.0)
    return scores / largest if largest > 0 else scores


def _checked(distances: ArrayLike, *, ascending: bool = True) -> NDArray[np.float64]:
    values = np.asarray(distances, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"distances has shape {values.shape}; expected (n, k)")
    if not np.isfinite(values).all() or (values < 0).any() or (ascending and (np.diff(values, axis=1) < 0).any()):
        raise ValueError(f"distances, of shape {values.shape}, must be finite, not negative and ascending in each row")
    return values


def _weights(columns: int) -> NDArray[np.float64]:
    weights = np.array(WEIGHTS[:columns], dtype=np.float64)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _excess(own: NDArray[np.float64], neighbors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare a sample's reach with its neighbours': 0 where these are all copies of one image and have none."""
    usual = np.median(neighbors, axis=1)
    known = usual > 0
    excess = np.zeros(len(own))
    excess[known] = np.log(own[known]) - np.log(usual[known])
    return excess


def robust_deviations(values: NDArray[np.float64], /) -> tuple[NDArray[np.float64], float, float]:
    """Measure each value by its distance from the median, in deviations that few far values cannot change.

    Returns:
        The deviations, the median, and the deviation of half of the values from it on the scale of a standard
        deviation, at least 0.01.

    Example:
        >>> robust_deviations(np.array([0.0, 1.0, 99.0]))[0].round(3)
        array([-0.674,  0.   , 66.1  ])
    """
    median, deviation = _usual(values)
    return (values - median) / deviation, median, deviation


def _usual(values: NDArray[np.float64]) -> tuple[float, float]:
    """Give the median, and the deviation of half of the values from it on the scale of a standard deviation."""
    if not len(values):
        return 0.0, _SAME
    median = float(np.median(values))
    return median, max(_DEVIATION * float(np.median(np.abs(values - median))), _SAME)
