"""Hardness from the history of a training: what the model said of its training samples after each epoch.

Arrays in, arrays out; one epoch at a time is in use. Reading labels and writing scores is `operations.histories`.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .fitting import logistic
from .probabilities import against, checked_labels, first_invalid_row, softmax


def area_under_margin(history: Iterable[ArrayLike], labels: ArrayLike, /) -> NDArray[np.float64]:
    """Compute the mean over training of how far the label's logit is above the largest other one.

    Low and negative for labels that training works against: hard samples and wrong labels.

    Args:
        history: (epochs, n, c) logits (or probabilities) on the training samples after each epoch, or a sequence of
            (n, c).
        labels: (n,) class numbers.

    Returns:
        (n,) float64 without bounds, of probabilities in [-1, 1]; higher is easier; infinity if there is but one class.

    Raises:
        ValueError: if shapes do not fit, there is no epoch, or a value is NaN.

    Source:
        Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin Ranking" (2020), equation 1.

    Example:
        Two epochs of one sample: first behind by 1, then ahead by 4.

        >>> area_under_margin([[[1.0, 2.0]], [[5.0, 1.0]]], [0])
        array([1.5])
    """
    epochs, given = _checked(history, labels)
    margins = np.zeros(len(given))
    for epoch in epochs:
        margins -= against(epoch.astype(np.float64), given)
    return margins / len(epochs)


def margin_hardness(history: Iterable[ArrayLike], labels: ArrayLike, /) -> NDArray[np.float64]:
    """Turn the area under the margin into hardness in [0, 1]: 0.5 where label and best other class are level.

    The order is that of the area, upside down: 1 / (1 + exp(area)) of logits, (1 - area) / 2 of probabilities. The
    first is the odds of the best other class against the label, averaged over training as logarithms.

    Args:
        history: (epochs, n, c) logits or probabilities, or a sequence of (n, c). They are taken for probabilities if no
            value is negative and each row sums to 1 within 0.01.
        labels: (n,) class numbers.

    Returns:
        (n,) float64 in [0, 1], higher is harder; 0 for all if there is but one class.

    Raises:
        ValueError: if shapes do not fit, there is no epoch, or a value is NaN.

    Source:
        Pleiss et al. (2020), as for `area_under_margin`; the bounds are ours.

    Example:
        Logits that are level on average; probabilities that begin behind and end ahead.

        >>> margin_hardness([[[1.0, 3.0]], [[4.0, 2.0]]], [0])
        array([0.5])
        >>> margin_hardness([[[0.4, 0.6]], [[0.9, 0.1]]], [0])
        array([0.35])
    """
    epochs = checked_epochs(history)
    area = area_under_margin(epochs, labels)
    if epochs[0].shape[1] == 1:
        return np.zeros(len(area))
    return (1 - area) / 2 if are_probabilities(epochs) else logistic(-area)


def forgetting(history: Iterable[ArrayLike], labels: ArrayLike, /, *, never: float = np.inf) -> NDArray[np.float64]:
    """Count how often training forgets a sample: it was classified right after one epoch and wrong after the next.

    Args:
        history: (epochs, n, c) logits or probabilities on the training samples after each epoch, or a sequence of
            (n, c).
        labels: (n,) class numbers.
        never: what a sample has that was never right.

    Returns:
        (n,) float64: the number of times, at most half the number of epochs, or `never`.

    Raises:
        ValueError: if shapes do not fit, there is no epoch, or a value is NaN.

    Source:
        Toneva et al., "An Empirical Study of Example Forgetting during Deep Neural Network Learning" (2019),
        definitions in section 3. A tie between the label and another class counts as wrong.

    Example:
        Right, wrong, right, wrong; and never right.

        >>> forgetting([[[2, 1], [0, 1]], [[0, 1], [0, 1]], [[2, 1], [0, 1]], [[0, 1], [0, 1]]], [0, 0])
        array([ 2., inf])
    """
    epochs, given = _checked(history, labels)
    is_right = np.stack([against(epoch.astype(np.float64), given) < 0 for epoch in epochs])
    times: NDArray[np.float64] = (is_right[:-1] & ~is_right[1:]).sum(axis=0).astype(np.float64)
    times[~is_right.any(axis=0)] = never
    return times


def mean_probabilities(history: Iterable[ArrayLike], /) -> NDArray[np.float64]:
    """Average the probabilities of a history over its epochs.

    Args:
        history: (epochs, n, c) logits or probabilities, or a sequence of (n, c); which of them is told as for
            `margin_hardness`.

    Returns:
        (n, c) float64; each row sums to 1.

    Raises:
        ValueError: if shapes do not fit, there is no epoch, or a value is NaN.

    Example:
        >>> mean_probabilities([[[0.4, 0.6]], [[0.8, 0.2]]])
        array([[0.6, 0.4]])
    """
    epochs = checked_epochs(history)
    are_given = are_probabilities(epochs)
    total: NDArray[np.float64] = np.zeros(epochs[0].shape)
    for epoch in epochs:
        total += epoch if are_given else softmax(epoch)
    total /= total.sum(axis=1, keepdims=True)
    return total


def pooled(probabilities: NDArray[np.float64], early: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Average a model's probabilities with those of a training: two opinions, each counting half.

    Args:
        probabilities: (n, c).
        early: (n, d) with d at most c, such as `mean_probabilities`; it says 0 of the other classes.

    Source:
        The linear opinion pool (Stone, 1961).

    Example:
        >>> pooled(np.array([[1.0, 0.0, 0.0]]), np.array([[0.5, 0.5]]))
        array([[0.75, 0.25, 0.  ]])
    """
    both: NDArray[np.float64] = probabilities / 2
    both[:, : early.shape[1]] += early / 2
    return both


def are_probabilities(epochs: Iterable[NDArray[Any]], /) -> bool:
    """Tell probabilities from logits: none is negative, and each row sums to 1 within 0.01.

    Example:
        >>> are_probabilities([np.array([[0.5, 0.5]])]), are_probabilities([np.array([[0.5, 0.9]])])
        (True, False)
    """
    return all(first_invalid_row(epoch.astype(np.float64)) is None for epoch in epochs)


def checked_epochs(history: Iterable[ArrayLike], /) -> list[NDArray[Any]]:
    """Give a history as a list of (n, c) arrays, which are those given where they were arrays.

    Raises:
        ValueError: if there is no epoch, epochs have different shapes or are no (n, c) with a class, or a value is NaN.

    Example:
        >>> [epoch.shape for epoch in checked_epochs([[[0.4, 0.6]], [[0.8, 0.2]]])]
        [(1, 2), (1, 2)]
    """
    epochs = [np.asarray(epoch) for epoch in history]
    shapes = list(dict.fromkeys(epoch.shape for epoch in epochs))
    if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][1] == 0:
        told = " and ".join(map(str, shapes[:2])) or "none"
        raise ValueError(f"history has {len(epochs)} epochs of shape {told}; expected (n, c) for each, with a class")
    for number, epoch in enumerate(epochs):
        if epoch.dtype.kind not in "fiu" or np.isnan(epoch).any():
            raise ValueError(f"history holds in epoch {number} NaN, or no numbers; its dtype is {epoch.dtype}")
    return epochs


def _checked(history: Iterable[ArrayLike], labels: ArrayLike) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    epochs = checked_epochs(history)
    return epochs, checked_labels(labels, *epochs[0].shape)
