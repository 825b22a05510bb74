"""Hardness: how probable it is that a model gets a sample wrong.

Arrays in, arrays out. Reading predictions and writing scores is `operations.hardness`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .evidence import checked_neighbors, neighbor_votes
from .probabilities import against, checked_labels, checked_probabilities, checked_shares

NEIGHBORS = 10
"""How many neighbours are asked by default: near enough to be of the same kind."""


def hardness(
    probabilities: ArrayLike,
    labels: ArrayLike | None = None,
    /,
    *,
    distances: ArrayLike | None = None,
    indices: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Score how hard each sample is: 0 is easy, 1 as hard as can be, whatever the number of classes.

    The probabilities of the sample are averaged with what its neighbours say: a model trained once more is another
    model, and it will answer as this one does near by. Without labels, neighbours answer with the mean of their own
    probabilities, and the score is one minus the lead of the most probable class over the second. With labels, they
    vote with these, and the score is (1 + p(best other class) - p(label)) / 2.

    Args:
        probabilities: (n, c), the model's, of samples it was not trained on.
        labels: (n,) class numbers, if known. A wrong label makes a sample hard: see `mistakenness`.
        distances: (n, k) distances to the nearest *other* samples, ascending; infinity where there is no neighbour.
        indices: (n, k) rows of these.

    Returns:
        (n,) float64 in [0, 1]; 0 for all if there is but one class.

    Raises:
        ValueError: if shapes do not fit, a row is not one of probabilities, or a label is no class.

    Source:
        Ours. The average of several models' answers is the linear opinion pool (Stone, 1961). The margin is that of
        Scheffer, Decomain and Wrobel (2001), and with labels that of confident learning.

    Example:
        >>> hardness([[1.0, 0.0, 0.0], [0.5, 0.4, 0.1], [0.5, 0.5, 0.0]])
        array([0. , 0.9, 1. ])
        >>> hardness([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], [0, 0, 0])
        array([0. , 0.5, 1. ])
    """
    own = checked_probabilities(probabilities)
    n, classes = own.shape
    given = None if labels is None else checked_labels(labels, n, classes)
    if n == 0 or classes == 1:
        return np.zeros(n)
    if distances is not None and indices is not None:
        weights, rows = checked_neighbors(distances, indices, n)
        near = neighbor_means(own, rows, weights) if given is None else neighbor_votes(rows, weights, given, classes)
        own = (own + near) / 2.0
    if given is not None:
        return (1.0 + against(own, given)) / 2.0
    two = np.partition(own, classes - 2, axis=1)[:, -2:]
    return 1.0 - np.diff(two, axis=1)[:, 0]


def multilabel_hardness(
    probabilities: ArrayLike,
    labels: ArrayLike | None = None,
    /,
    *,
    distances: ArrayLike | None = None,
    indices: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Score samples of several classes each by the hardest of their classes, each a question of two answers.

    Args:
        probabilities: (n, c) in [0, 1], each class by itself.
        labels: (n, c) booleans, whether the class is given, if known.
        distances: (n, k), as for `hardness`.
        indices: (n, k), as for `hardness`.

    Returns:
        (n,) float64 in [0, 1]; 0 if there is no class.

    Raises:
        ValueError: if shapes do not fit or a probability is outside [0, 1].

    Example:
        >>> multilabel_hardness([[0.0, 1.0], [0.5, 1.0], [0.1, 0.2]])
        array([0. , 1. , 0.4])
    """
    given = checked_shares(probabilities)
    named = None if labels is None else np.asarray(labels).astype(np.int64)
    if named is not None and named.shape != given.shape:
        raise ValueError(f"probabilities has shape {given.shape} and labels {named.shape}; expected both (n, c)")
    scores = np.zeros(len(given))
    for k in range(given.shape[1]):
        both = np.stack([1 - given[:, k], given[:, k]], axis=1)
        of_class = hardness(both, None if named is None else named[:, k], distances=distances, indices=indices)
        np.maximum(scores, of_class, out=scores)
    return scores


def neighbor_means(
    probabilities: NDArray[np.float64], indices: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the probabilities of each row's neighbours, every one alike; a row without any keeps its own.

    Args:
        probabilities: (n, c).
        indices: (n, k) rows of the neighbours.
        weights: (n, k); 0 where there is no neighbour.

    Example:
        >>> neighbor_means(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1], [0]]), np.array([[1.0], [0.0]]))
        array([[0., 1.], [0., 1.]])
    """
    is_there = weights > 0
    counts = is_there.sum(axis=1)
    total = np.zeros_like(probabilities)
    for column in range(indices.shape[1]):  # one neighbour at a time: (n, k, c) would be k times the memory
        total += probabilities[indices[:, column]] * is_there[:, column, None]
    return np.where(counts[:, None] > 0, total / np.maximum(counts, 1)[:, None], probabilities)


def entropy(probabilities: ArrayLike, /) -> NDArray[np.float64]:
    """Compute the entropy of each row in nats: from 0, all on one class, to ln c, all classes alike.

    Raises:
        ValueError: if a row is not one of probabilities.

    Source:
        Shannon (1948); FiftyOne's hardness. Its range grows with the number of classes.

    Example:
        >>> entropy([[1.0, 0.0], [0.5, 0.5]]).round(4)
        array([0.    , 0.6931])
    """
    given = checked_probabilities(probabilities)
    terms = np.log(given, out=np.zeros_like(given), where=given > 0)
    terms *= given
    total: NDArray[np.float64] = terms.sum(axis=1)
    return 0.0 - total
