"""Representativeness: how many others a sample stands for, by how densely it is surrounded.

Distances in, scores out. Finding the neighbours is `kernels.neighbors`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .uniqueness import robust_deviations

NEIGHBORS = 20
"""Over how many neighbours the density is taken."""


def representativeness(distances: ArrayLike, /) -> NDArray[np.float64]:
    """Score how typical each sample is: towards 1 in the middle of many, 0.5 is usual, towards 0 far from all.

    The mean distance to the nearest others says how empty it is around a sample. Its logarithm, in robust deviations
    from the median, z = (x - median) / (1.4826 MAD), gives the score 1 / (1 + exp(z)). So the score has no unit, and
    means the same in a set of any size.

    Args:
        distances: (n, k) distances to the k nearest *other* samples, ascending; `NEIGHBORS` of them are meant.

    Returns:
        (n,) float64 in [0, 1]; 1 for a sample all of whose neighbours are copies, and for one that is alone.

    Raises:
        ValueError: if `distances` is not two-dimensional, or holds NaN, infinity or a negative value.

    Source:
        Density by nearest neighbours (Loftsgaarden and Quesenberry, 1965). FiftyOne's Brain measures the distance to
        the centre of a k-means cluster, and gives the centre 0.

    Example:
        Mean distances 1, 2 and 4: the sample at 2 is usual.

        >>> representativeness([[1.0], [2.0], [4.0]]).round(3)
        array([0.663, 0.5  , 0.337])
    """
    values = np.asarray(distances, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"distances, of shape {values.shape}, must be (n, k), finite and not negative")
    scores = np.ones(len(values))
    mean = values.mean(axis=1) if values.shape[1] else np.zeros(len(values))
    apart = mean > 0
    deviation, _, _ = robust_deviations(np.log(mean[apart]))
    scores[apart] = 1 / (1 + np.exp(np.clip(deviation, -700, 700)))
    return scores
