"""Mistakenness of class labels: how probable it is that another label is right.

Arrays in, arrays out. Reading predictions and writing scores is `operations.mistakenness`; objects in boxes are
`kernels.object_mistakenness`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .evidence import calibration, checked_neighbors, logarithms, neighbor_votes, pool_weights
from .probabilities import checked_labels, checked_shares, normalized_exponentials, row_blocks

_ROUNDS = 5
_EACH_MIX_UP = 10.0


class Mistakenness(NamedTuple):
    """What is known about given labels.

    Attributes:
        scores: (n,) float64 in [0, 1].
        suggestions: (n,) int64, the most probable class; it may be the label itself.
        probabilities: (n,) float64, how probable that class is.
    """

    scores: NDArray[np.float64]
    suggestions: NDArray[np.int64]
    probabilities: NDArray[np.float64]


def mistakenness(
    probabilities: ArrayLike,
    labels: ArrayLike,
    /,
    *,
    distances: ArrayLike | None = None,
    indices: ArrayLike | None = None,
) -> Mistakenness:
    """Score how likely each label is wrong: 0 is beyond doubt, 0.5 undecided, 1 is surely another class.

    The score is (1 + p(best other class) - p(label)) / 2, where p puts together

    * the model's probabilities, and with neighbours the labels of these, each neighbour's vote being worth what its own
      label is trusted. Each of the two is calibrated on the labels, and the product of their powers is weighted by how
      much information each has about them: where the embedding is poor, the model decides, and the other way round;
    * how often the label is given to samples of each other class, counted on the same data: classes that are often
      mixed up need less evidence.

    Args:
        probabilities: (n, c), the model's, of samples it was not trained on.
        labels: (n,) class numbers.
        distances: (n, k) distances to the nearest *other* samples, ascending; infinity where there is no neighbour.
        indices: (n, k) rows of these.

    Returns:
        Scores, suggested classes and their probabilities.

    Raises:
        ValueError: if shapes do not fit, a row is not one of probabilities, or a label is no class.

    Source:
        Ours. Of its parts, temperature scaling is Guo et al. (2017); counting mix-ups with the soft answers of a model
        follows confident learning (Northcutt, Jiang and Chuang, 2021) and, before it, Dawid and Skene (1979); the
        margin is that paper's ranking by normalised margin; trusting neighbours by their own labels is in the line of
        SimiFeat (Zhu et al., 2022).

    Example:
        Three samples of class 0 and two of class 1, each sure of itself; then one of class 1 that has label 0.

        >>> p = [[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 3
        >>> found = mistakenness(p, [0, 0, 0, 1, 1, 0])
        >>> int(found.scores.argmax()), found.suggestions
        (5, array([0, 0, 0, 1, 1, 1]))
    """
    model = logarithms(probabilities)
    n, classes = model.shape
    labels = checked_labels(labels, n, classes)
    if n == 0 or classes == 1:
        return Mistakenness(np.zeros(n), np.zeros(n, dtype=np.int64), np.ones(n))
    if distances is None or indices is None:
        return _judged(model, labels, calibration(model, labels)[0])
    return _judged(_pooled_with_neighbors(model, labels, *checked_neighbors(distances, indices, n)), labels)


def _judged(pooled: NDArray[np.float64], labels: NDArray[np.int64], exponent: float = 1.0) -> Mistakenness:
    """Weigh the labels by logarithms of a posterior, each row of which may have something added to it.

    Args:
        pooled: (n, c); it is used up.
        labels: (n,) class numbers.
        exponent: what the logarithms are multiplied by.
    """
    totals = np.empty(len(labels))
    for block in row_blocks(pooled):
        rows = pooled[block]
        rows *= exponent
        np.exp(rows, out=rows)
        totals[block] = rows.sum(axis=1)
    rows_of_label = _mix_ups(pooled, 1 / totals, labels)
    found = Mistakenness(np.empty(len(labels)), np.empty(len(labels), dtype=np.int64), np.empty(len(labels)))
    for block in row_blocks(pooled):
        posterior, given = pooled[block], labels[block]
        at = np.arange(len(given))
        posterior *= rows_of_label[given]
        total = posterior.sum(axis=1)
        likeliest = posterior.argmax(axis=1)
        found.suggestions[block], found.probabilities[block] = likeliest, posterior[at, likeliest] / total
        of_label = posterior[at, given]
        posterior[at, given] = -np.inf
        found.scores[block] = (1 + (posterior.max(axis=1) - of_label) / total) / 2
    return found


def _pooled_with_neighbors(
    model: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64], indices: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Multiply powers of both sources, five times over: labels that the product does not believe lose their vote."""
    rows, classes = np.arange(len(labels)), model.shape[1]
    of_model = calibration(model, labels)
    votes = logarithms(neighbor_votes(indices, weights, labels, classes))
    # Calibrated before trust comes in: from then on a vote has heard of the label that it is asked about.
    for_model, for_votes = pool_weights([of_model, calibration(votes, labels)])
    for _ in range(_ROUNDS - 1):
        trust = normalized_exponentials(for_model * model + for_votes * votes)[rows, labels]
        votes = logarithms(neighbor_votes(indices, weights * trust[indices], labels, classes))
    return for_model * model + for_votes * votes


def _mix_ups(
    posterior: NDArray[np.float64], factors: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.float64]:  # fmt: skip
    """How often a label is given to samples of a class: (label, class); each column sums to 1.

    Ten samples' worth of every mix-up are added, so that a few samples cannot make a rule.

    Args:
        posterior: (n, c).
        factors: (n,) what makes each row sum to 1.
        labels: (n,) class numbers.
    """
    from scipy.sparse import csc_array

    n, classes = posterior.shape
    of_label = csc_array((factors, labels, np.arange(n + 1)), shape=(classes, n))
    counted: NDArray[np.float64] = np.asarray(of_label @ posterior)
    counted += _EACH_MIX_UP
    counted /= counted.sum(axis=0)
    return counted


def multilabel_mistakenness(
    probabilities: ArrayLike,
    labels: ArrayLike,
    /,
    *,
    distances: ArrayLike | None = None,
    indices: ArrayLike | None = None,
) -> Mistakenness:
    """Score how likely a *set* of labels is wrong, by its most doubtful class.

    Whether a class is given is a question of two answers, scored as `mistakenness` does; a sample has the score of the
    class for which it is highest.

    Args:
        probabilities: (n, c) in [0, 1], each class by itself.
        labels: (n, c) booleans, whether the class is given.
        distances: (n, k), as for `mistakenness`.
        indices: (n, k), as for `mistakenness`.

    Returns:
        Scores; of `suggestions`, the class in doubt; and how probable it is that this class is given wrongly, or
        wrongly not.

    Raises:
        ValueError: if shapes do not fit or a probability is outside [0, 1].

    Example:
        >>> p = [[0.9, 0.1], [0.9, 0.2], [0.1, 0.9], [0.9, 0.1]]
        >>> int(multilabel_mistakenness(p, [[1, 0], [1, 0], [0, 1], [1, 1]]).suggestions[3])
        1
    """
    given, named = checked_shares(probabilities), np.asarray(labels).astype(bool)
    if named.shape != given.shape:
        raise ValueError(f"probabilities has shape {given.shape} and labels {named.shape}; expected both (n, c)")
    n, classes = given.shape
    scores, doubts = np.zeros((n, classes)), np.zeros((n, classes))
    for k in range(classes):
        both = np.stack([1 - given[:, k], given[:, k]], axis=1)
        found = mistakenness(both, named[:, k].astype(np.int64), distances=distances, indices=indices)
        scores[:, k] = found.scores
        changed = found.suggestions != named[:, k]
        doubts[:, k] = np.where(changed, found.probabilities, 1 - found.probabilities)
    if classes == 0:
        return Mistakenness(np.zeros(n), np.zeros(n, dtype=np.int64), np.zeros(n))
    worst = scores.argmax(axis=1)
    rows = np.arange(n)
    return Mistakenness(scores[rows, worst], worst, doubts[rows, worst])


def confidence_mistakenness(agrees: ArrayLike, confidences: ArrayLike, /) -> NDArray[np.float64]:
    """Score labels by the model's confidence alone: 0 where it surely agrees, 0.5 unsure, 1 where it surely disagrees.

    Args:
        agrees: (n,) booleans, whether the prediction is the label.
        confidences: (n,) in [0, 1].

    Returns:
        (n,) float64 in [0, 1]: (1 - c) / 2 where they agree, (1 + c) / 2 where not.

    Raises:
        ValueError: if the shapes differ or a confidence is outside [0, 1].

    Source:
        The published formula of FiftyOne's Brain. It does not look at the label's own probability, so all sure
        disagreements are alike; `mistakenness` tells them apart.

    Example:
        >>> confidence_mistakenness([True, False], [0.8, 0.8])
        array([0.1, 0.9])
    """
    sure, same = np.asarray(confidences, dtype=np.float64), np.asarray(agrees, dtype=bool)
    if sure.ndim != 1 or sure.shape != same.shape:
        raise ValueError(f"agrees has shape {same.shape} and confidences {sure.shape}; expected both (n,)")
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError(f"confidences, of shape {sure.shape}, must lie in [0, 1]")
    return (1.0 + np.where(same, -sure, sure)) / 2.0
