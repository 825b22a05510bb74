"""Uniqueness: how far a sample lies from its nearest neighbours, measured against what is usual in its set.

Distances in, scores out. Finding the neighbours is `kernels.neighbors`; reading vectors and writing scores is
`operations.uniqueness`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEIGHTS = (0.6, 0.3, 0.1)
"""How much the first, second and third neighbour count."""


def uniqueness(distances: ArrayLike, /) -> NDArray[np.float64]:
    """Score how isolated each sample is: 0 has an exact copy, 0.5 is usual for its set, towards 1 stands alone.

    With d1 <= d2 <= d3 the distances to the three nearest others, the isolation of a sample is
    s = d1^0.6 * d2^0.3 * d3^0.1 and its score is s / (s + m), where m is the median of all s above zero. With one or
    two others, the weights of those there are count alone. A sample without any other scores 1.

    The score has no unit: multiplying all distances by a number changes nothing, and one far outlier moves the
    median, hence the others' scores, next to not at all.

    Args:
        distances: (n, k) distances to the k nearest *other* samples, ascending. Columns after the third are ignored.

    Returns:
        (n,) float64 in [0, 1].

    Raises:
        ValueError: if `distances` is not two-dimensional, not ascending, or holds NaN, infinity or a negative value.

    Source:
        Three neighbours with weights 0.6, 0.3 and 0.1 are the published formula of FiftyOne's Brain. We depart in two
        points: the mean is geometric, because an arithmetic one gives an exact copy in a thin region a higher score
        than a lone sample in a dense one; and the scale is the set's median, because dividing by the maximum lets one
        outlier move every score.

    Example:
        Three samples; the first two are copies of each other.

        >>> uniqueness([[0.0, 2.0], [0.0, 2.0], [2.0, 2.0]])
        array([0. , 0. , 0.5])
    """
    values = np.asarray(distances, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"distances has shape {values.shape}; expected (n, k)")
    if not np.isfinite(values).all() or (values < 0).any() or (np.diff(values, axis=1) < 0).any():
        raise ValueError(f"distances, of shape {values.shape}, must be finite, not negative and ascending in each row")
    values = values[:, : len(WEIGHTS)]
    if values.shape[1] == 0:
        return np.ones(len(values))
    weights = np.array(WEIGHTS[: values.shape[1]])
    positive = values[:, 0] > 0
    isolation = np.zeros(len(values))
    logarithms = (np.log(values[positive]) * (weights / weights.sum())).sum(axis=1)
    if len(logarithms):
        # The median is taken out before exp, so that no scale of distances can overflow.
        isolation[positive] = np.exp(np.clip(logarithms - np.median(logarithms), -600.0, 600.0))
    return isolation / (isolation + 1.0)
