"""Validation without labels: do the same images stay neighbours, whichever view of them is looked at?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels.neighbors import nearest_neighbors

NEIGHBORS = 5

COLLAPSED = 1e-4
"""A spread below this means that all images have the same vector."""


def neighbor_agreement(one: ArrayLike, other: ArrayLike, neighbors: int = NEIGHBORS) -> float:
    """How many of an image's nearest neighbours stay the same when all images are replaced by other views of them.

    Args:
        one: (n, d) vectors of a view of each image, n above `neighbors`.
        other: (n, d) vectors of another view of each.
        neighbors: how many are looked at.

    Returns:
        The mean share of common neighbours, from 0 to 1. By chance it is neighbors / (n - 1). It is 0 where all vectors
        of a view are the same, which have no neighbours to agree on.

    Source: ours, after the neighbourhood preservation of maps (Venna and Kaski, 2001).

    Example:
        >>> neighbor_agreement([[0.0], [1.0], [3.0]], [[0.0], [1.0], [1.5]], neighbors=1)
        0.6666666666666666
    """
    if min(np.ptp(np.asarray(views), axis=0).max() for views in (one, other)) == 0:
        return 0.0
    first, second = (nearest_neighbors(views, neighbors)[1] for views in (one, other))
    common = (first[:, :, None] == second[:, None, :]).sum(axis=(1, 2))
    return float(common.mean() / first.shape[1])


def neighbor_accuracy(
    queries: ArrayLike, truth: Sequence[str], vectors: ArrayLike | None = None, labels: Sequence[str] | None = None,
    neighbors: int = NEIGHBORS,
) -> float:  # fmt: skip
    """How many labels are foretold by the most frequent label among the nearest neighbours.

    Args:
        queries: (m, d) vectors, m at least 2.
        truth: their labels.
        vectors: (n, d) where neighbours are looked for; by default the other queries.
        labels: the labels of `vectors`.
        neighbors: how many are asked. Of labels named as often, the one with the nearer neighbour wins.

    Returns:
        A share from 0 to 1.

    Example:
        >>> neighbor_accuracy([[0.0], [0.2], [5.0], [5.1]], ["a", "a", "b", "c"], neighbors=1)
        0.5
    """
    known = np.asarray(truth if labels is None else labels)
    if vectors is None:
        found = nearest_neighbors(queries, neighbors)[1]
    else:
        found = nearest_neighbors(vectors, neighbors, queries=queries)[1]
    named = known[found]
    votes = (named[:, :, None] == named[:, None, :]).sum(axis=2)  # argmax takes the first, that is the nearest
    foretold = named[np.arange(len(named)), votes.argmax(axis=1)]
    return float((foretold == np.asarray(truth)).mean())


def spread(vectors: NDArray[np.float32]) -> float:
    """How far vectors of length one differ: 1 minus the squared length of their mean, 0 if all are the same.

    Example:
        >>> spread(np.eye(2, dtype=np.float32))
        0.5
    """
    return float(1 - np.square(vectors.mean(axis=0, dtype=np.float64)).sum())
