"""What a detector is worth, measured on given boxes, most of which are right.

How often a prediction lies on an object, and how often an object is found: nothing is taken at its word, since 0.9 of
one detector is 0.5 of another.
"""

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, Overlaps
from .fitting import logistic, logistic_fit


def reliability(
    given: Boxes, predicted: Boxes, sure: NDArray[np.float64], pairs: Overlaps, first: NDArray[np.bool_],
    classes: int, iou: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Measure how often a prediction like each lies on a given box of its class.

    Args:
        given: the given boxes.
        predicted: a detector's boxes.
        sure: (p,) its confidences in [0, 1].
        pairs: how predicted boxes (left) and given ones (right) overlap.
        first: (p,) the predictions to learn from: those that are no `copies`.
        classes: how many classes there are.
        iou: from which overlap on a prediction lies on a box.

    Returns:
        Two of (p,) float64 in [0, 1]: by confidence alone, and by confidence, class and size.

    Source:
        Logistic regression, as of Platt (1999); the classes are held at 0 by one observation each.

    Example:
        Of ten sure predictions nine lie on a box, of ten doubtful ones one does.

        >>> from .boxes import boxes_of, overlaps
        >>> places, boxes = range(20), [[0, 0, 1, 1]] * 20
        >>> given = boxes_of([*range(9), 19], boxes[:10], [0] * 10)
        >>> predicted, sure = boxes_of(places, boxes, [0] * 20), np.repeat([0.9, 0.2], 10)
        >>> pairs = overlaps(predicted, given)
        >>> plain, _ = reliability(given, predicted, sure, pairs, np.ones(20, dtype=bool), 1, 0.5)
        >>> plain[[0, 19]].round(3)
        array([0.9, 0.1])
    """
    same = predicted.classes[pairs.left] == given.classes[pairs.right]
    hits = np.zeros(len(sure), dtype=bool)
    hits[pairs.left[same & (pairs.iou > iou)]] = True
    by_sureness = np.stack([np.ones(len(sure)), log_odds(sure)], axis=1)
    by_all = np.column_stack([by_sureness, sizes(predicted, given), np.eye(classes)[predicted.classes]])
    free, held = np.zeros(3), np.ones(classes)
    plain = logistic(by_sureness @ logistic_fit(by_sureness[first], hits[first], free[:2]))
    return plain, logistic(by_all @ logistic_fit(by_all[first], hits[first], np.r_[free, held]))


def recall(given: Boxes, pairs: Overlaps, near: Overlaps, classes: int, iou: float) -> NDArray[np.float64]:
    """Measure how often a given box like each is found: by class, size, and how close its neighbours stand.

    Args:
        given: the given boxes.
        pairs: how predicted boxes (left) and given ones (right) overlap.
        near: how the given boxes overlap each other.
        classes: how many classes there are.
        iou: from which overlap on a box is found.

    Returns:
        (g,) float64 in [0, 1].

    Example:
        Three of four equal boxes are found.

        >>> from .boxes import boxes_of, overlaps
        >>> given = boxes_of(range(4), [[0, 0, 1, 1]] * 4, [0] * 4)
        >>> predicted = boxes_of(range(3), [[0, 0, 1, 1]] * 3, [0] * 3)
        >>> recall(given, overlaps(predicted, given), overlaps(given, given), 1, 0.5).round(2)
        array([0.75, 0.75, 0.75, 0.75])
    """
    found = np.zeros(len(given.classes), dtype=bool)
    found[pairs.right[pairs.iou > iou]] = True
    size = sizes(given, given)
    others = near.left != near.right
    crowding = largest(near.left[others], near.iou[others], len(found))
    features = np.column_stack([np.ones(len(found)), size, size**2, crowding, np.eye(classes)[given.classes]])
    return logistic(features @ logistic_fit(features, found, np.r_[0.0, 0.0, 1.0, 1.0, np.ones(classes)]))


def copies(sure: NDArray[np.float64], near: Overlaps, nearer_than: float) -> NDArray[np.bool_]:
    """Find the predictions that lie on a surer one: a second box on the same object says nothing new.

    Args:
        sure: (p,) confidences.
        near: how the predicted boxes overlap each other.
        nearer_than: from which overlap on two boxes are of the same object.

    Example:
        >>> from .boxes import boxes_of, overlaps
        >>> two = boxes_of([0, 0], [[0, 0, 1, 1], [0, 0, 1, 0.9]], [0, 0])
        >>> copies(np.array([0.4, 0.9]), overlaps(two, two), 0.6)
        array([ True, False])
    """
    rank = np.empty(len(sure), dtype=np.int64)
    rank[np.argsort(-sure, kind="stable")] = np.arange(len(sure))
    weaker = near.right[(near.iou > nearer_than) & (rank[near.left] < rank[near.right])]
    found = np.zeros(len(sure), dtype=bool)
    found[weaker] = True
    return found


def ramp(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Give 0 up to `low`, 1 from `high` on, and a straight line between.

    Example:
        >>> ramp(np.array([0.1, 0.3, 0.9]), 0.2, 0.4).round(2)
        array([0. , 0.5, 1. ])
    """
    share: NDArray[np.float64] = (values - low) / (high - low)
    return np.clip(share, 0.0, 1.0)


def largest(places: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Find the largest value at each place; 0 where there is none.

    Example:
        >>> largest(np.array([0, 2, 0]), np.array([0.5, 0.1, 0.7]), 3)
        array([0.7, 0. , 0.1])
    """
    found = np.zeros(count)
    np.maximum.at(found, places, values)
    return found


def log_odds(sure: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute ln(p / (1 - p)), with p no nearer than 0.001 to 0 and 1.

    Example:
        >>> log_odds(np.array([0.5, 1.0])).round(3)
        array([0.   , 6.907])
    """
    inner = np.clip(sure, 1e-3, 1 - 1e-3)
    odds: NDArray[np.float64] = np.log(inner / (1 - inner))
    return odds


def sizes(boxes: Boxes, among: Boxes) -> NDArray[np.float64]:
    """Compute logarithms of the sides of boxes, centred and scaled as those of `among` are.

    Example:
        >>> from .boxes import boxes_of
        >>> some = boxes_of([0, 0], [[0, 0, 1, 1], [0, 0, 2, 2]], [0, 0])
        >>> sizes(some, some).round(3)
        array([-1.,  1.])
    """

    def logarithms(some: Boxes) -> NDArray[np.float64]:
        sides: NDArray[np.float64] = np.log(np.maximum(some.areas, 1e-12)) / 2
        return sides

    usual = logarithms(among) if len(among.classes) else np.zeros(1)
    scaled: NDArray[np.float64] = (logarithms(boxes) - usual.mean()) / (usual.std() + 1e-9)
    return scaled
