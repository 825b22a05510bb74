"""Mistakenness of numbers: how probable it is that a label of a regression is wrong.

Arrays in, arrays out. Reading predictions and writing scores is `operations.regression_mistakenness`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .evidence import PRIOR, checked_neighbors
from .fitting import robust_fit

_FREEDOM = 8.0
"""Degrees of freedom of the errors of right labels: nearly normal, but more are far off, as errors of models are."""

_FINEST = 1e-3  # of the range of the labels: who is off by less is not off
_BINS = 10
_SMALLEST_BIN = 20
_DOUBTS = 2


class RegressionMistakenness(NamedTuple):
    """What is known about given numbers.

    Attributes:
        scores: (n,) float64 in [0, 1], how probable it is that the label is wrong.
        suggestions: (n,) float64, the value that is believed instead.
        probabilities: (n,) float64 in [0, 1], how probable it is that the right value is nearer to the suggestion than
            to the label.
        spreads: (n,) float64, how far right labels usually are from the suggestion: two of three are nearer.
    """

    scores: NDArray[np.float64]
    suggestions: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    spreads: NDArray[np.float64]


def regression_mistakenness(
    predictions: ArrayLike,
    labels: ArrayLike,
    /,
    *,
    distances: ArrayLike | None = None,
    indices: ArrayLike | None = None,
) -> RegressionMistakenness:
    """Score how likely each number is wrong: above 0.5 it is more probably wrong than right.

    * What is believed instead is a robust linear fit of the labels on all that speaks about them: the predictions and,
      with neighbours, the weighted median of their labels, and the first belief put right by how far off it is for
      them. So a source that reaches too low is stretched, and one that tells nothing gets no weight.
    * How far a right label usually is from that is fitted in the same way: by how far labels of about the same believed
      value are, by how far the neighbours' are, and by how much the sources differ.
    * The score is Bayes' rule: five labels in a hundred are wrong, and then any value within the range of the labels
      is as likely as any other; the others lie around what is believed, by Student's t with 8 degrees of freedom.

    Args:
        predictions: (n,) or, of several models, (models, n), for samples they were not trained on.
        labels: (n,) the numbers in question.
        distances: (n, k) distances to the nearest *other* samples, ascending; infinity where there is no neighbour.
        indices: (n, k) rows of these.

    Returns:
        Scores, believed values, how probable these are the better ones, and the usual spread around them. Where all
        labels are the same number, nothing speaks against any, and the scores are 0.

    Raises:
        ValueError: if shapes do not fit, or a number is NaN or infinite.

    Source:
        Ours. The fits are Huber's (1964); pooling predictors by a linear fit is Wolpert's stacking (1992); Student's t
        for errors that are a little too often large is in Lange, Little and Taylor (1989).

    Example:
        A model that is off by one at most, and a label that is off by 9.

        >>> truth = np.arange(20.0)
        >>> labels = np.where(truth == 4, 13.0, truth)
        >>> found = regression_mistakenness(truth + np.tile([1.0, -1.0, 0.0, 0.5], 5), labels)
        >>> int(found.scores.argmax()), bool(abs(found.suggestions[4] - 5) < 0.5), int((found.scores > 0.5).sum())
        (4, True, 1)
    """
    given, sources = _checked(predictions, labels)
    n, scale = len(given), float(np.ptp(given)) if len(given) else 0.0
    weights, near = (
        checked_neighbors(distances, indices, n)
        if distances is not None and indices is not None
        else (np.zeros((n, 0)), np.zeros((n, 0), dtype=np.int64))
    )
    if scale == 0:
        return RegressionMistakenness(np.zeros(n), given.copy(), np.zeros(n), np.zeros(n))
    middle = float(np.median(given))
    usual = float(np.median(np.abs(given - middle))) or scale
    given, sources, widest = (given - middle) / usual, (sources - middle) / usual, scale / usual
    finest = _FINEST * widest
    has_neighbors = weights.sum(axis=1) > 0
    if has_neighbors.any():
        sources = _with_neighbors(sources, given, weights, near, has_neighbors)
    believed = _fitted(sources, given)
    off = np.abs(given - believed)
    signs = [_usual_size(believed, off, finest)]
    if has_neighbors.any():
        signs.append(np.where(has_neighbors, _weighted_medians(off[near], weights), signs[0]))
    if sources.shape[1] > 1:
        signs.append(sources.std(axis=1))
    spreads = np.maximum(_spreads(np.log(np.maximum(np.stack(signs, axis=1), finest)), off, finest), finest)
    scores = doubts(off, spreads, widest)
    nearer = scores * _share_below(off / (2 * spreads))
    return RegressionMistakenness(scores, believed * usual + middle, nearer, spreads * usual)


def _checked(predictions: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels, (n,), and predictions, (n, models)."""
    given, predicted = np.asarray(labels, dtype=np.float64), np.asarray(predictions, dtype=np.float64)
    sources = predicted[None] if predicted.ndim == 1 else predicted
    if given.ndim != 1 or sources.ndim != 2 or sources.shape[1] != len(given) or len(sources) == 0:
        raise ValueError(
            f"predictions has shape {predicted.shape} and labels {given.shape}; expected (n,) or (models, n), and (n,)"
        )
    for name, values in (("labels", given), ("predictions", sources)):
        if not np.isfinite(values).all():
            bad = np.argwhere(~np.isfinite(values))[0][-1]
            raise ValueError(f"{name}, of shape {values.shape}, holds NaN or infinity for row {bad}")
    return given, np.ascontiguousarray(sources.T)


def _with_neighbors(
    sources: NDArray[np.float64], given: NDArray[np.float64], weights: NDArray[np.float64], near: NDArray[np.int64],
    has_neighbors: NDArray[np.bool_],
) -> NDArray[np.float64]:  # fmt: skip
    """Add two sources: what the neighbours' labels are, and the prediction put right by how far off it is for them.

    Where there is no neighbour both say what the prediction says.
    """
    predicted = _fitted(sources, given)
    told = _weighted_medians(given[near], weights)
    corrected = predicted + _weighted_medians((given - predicted)[near], weights)
    return np.column_stack([sources, *(np.where(has_neighbors, one, predicted) for one in (told, corrected))])


def _fitted(sources: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the sources together say: a linear fit that wrong labels cannot bend.

    One sample's worth of belief holds it at their mean, so that few samples are not followed wherever they go.
    """
    mean = sources.mean(axis=1)
    centred = sources - np.median(sources, axis=0)
    size = np.median(np.abs(centred), axis=0)
    features = np.column_stack([np.ones(len(given)), centred / np.where(size > 0, size, 1.0)])
    weights, _ = robust_fit(features, given - mean, np.ones(features.shape[1]))
    believed: NDArray[np.float64] = mean + features @ weights
    return believed


def _usual_size(places: NDArray[np.float64], sizes: NDArray[np.float64], finest: float) -> NDArray[np.float64]:
    """The median size near each place: of up to 10 bins of equally many, and straight between their middles."""
    order = np.lexsort((sizes, places))
    bins = np.array_split(order, min(max(len(places) // _SMALLEST_BIN, 1), _BINS))
    middles = [float(np.median(places[one])) for one in bins]
    medians = [max(float(np.median(sizes[one])), finest) for one in bins]
    return np.interp(places, middles, medians)


def _spreads(signs: NDArray[np.float64], off: NDArray[np.float64], finest: float) -> NDArray[np.float64]:
    """How far right labels usually are off, by logarithms of what speaks about it.

    The level is that of the median, with two more labels that are off by as much as labels are from each other: else
    of three right labels one would often be far off for chance.
    """
    from scipy.special import stdtrit

    features = np.column_stack([np.ones(len(off)), signs - signs.mean(axis=0)])
    weights, _ = robust_fit(features, np.log(np.maximum(off, finest)), np.r_[0.0, np.ones(signs.shape[1])])
    relative = np.exp(features[:, 1:] @ weights[1:])
    level = np.median(np.r_[off / relative, np.ones(_DOUBTS)]) / float(stdtrit(_FREEDOM, 0.75))
    spreads: NDArray[np.float64] = level * relative
    return spreads


def _weighted_medians(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted median of each row; any value where all weights are 0."""
    order = np.argsort(values, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    middle = (sums >= sums[:, -1:] / 2).argmax(axis=1)
    return np.take_along_axis(values, np.take_along_axis(order, middle[:, None], axis=1), axis=1)[:, 0]


def doubts(off: NDArray[np.float64], spreads: ArrayLike, widest: float, /) -> NDArray[np.float64]:
    """Compute how probable it is that values are wrong: uniform over a range, not Student's t around what is believed.

    Args:
        off: (n,) how far each value is from what is believed, not negative.
        spreads: (n,) or one, how far right values usually are.
        widest: the range that wrong values are spread over.

    Returns:
        (n,) float64 in (0, 1), by Bayes' rule with five wrong values in a hundred.

    Example:
        >>> doubts(np.array([0.0, 2.0, 8.0]), 1.0, 10.0).round(2)
        array([0.01, 0.08, 1.  ])
    """
    from scipy.special import gammaln

    scale = np.asarray(spreads, dtype=np.float64)
    peak = float(np.exp(gammaln((_FREEDOM + 1) / 2) - gammaln(_FREEDOM / 2)) / np.sqrt(_FREEDOM * np.pi))
    right = (1 - PRIOR) * peak * (1 + np.square(off / scale) / _FREEDOM) ** (-(_FREEDOM + 1) / 2) / scale
    wrong = PRIOR / widest
    probability: NDArray[np.float64] = wrong / (wrong + right)
    return probability


def _share_below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the distribution of right values lies below each."""
    from scipy.special import stdtr

    return np.asarray(stdtr(_FREEDOM, values), dtype=np.float64)
