"""Mistakenness of objects in boxes: wrong class, wrong place, no object there, object left out.

Arrays in, arrays out. Reading detections and writing scores is `operations.object_mistakenness`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .boxes import Boxes, Overlaps, Pairings, by_confidence, checked_confidences, match, overlaps, pairings
from .evidence import PRIOR
from .fitting import robust_fit
from .reliability import copies, largest, log_odds, ramp, recall, reliability, sizes


class ObjectMistakenness(NamedTuple):
    """How probable each mistake is, float64 in [0, 1].

    Attributes:
        images: (n,) that something is wrong in the image.
        swapped: (g,) that the given box has the wrong class.
        misplaced: (g,) that it lies wrongly.
        spurious: (g,) that there is no object.
        missing: (p,) that the predicted box is an object that was left out.
        suggestions: (g,) int64, the predicted class that speaks most against the given one; -1 if none does.
    """

    images: NDArray[np.float64]
    swapped: NDArray[np.float64]
    misplaced: NDArray[np.float64]
    spurious: NDArray[np.float64]
    missing: NDArray[np.float64]
    suggestions: NDArray[np.int64]


def object_mistakenness(
    given: Boxes, predicted: Boxes, confidences: ArrayLike, images: int, classes: int, /, *, iou: float = 0.5,
    pairs: Pairings | None = None,
) -> ObjectMistakenness:  # fmt: skip
    """Score given boxes, predicted boxes and images by how probable each kind of mistake is.

    What the detector is worth is measured on the given boxes, most of which are right: how often a prediction of this
    confidence, class and size lies on a given box of its class; how often a given box of this class and size, standing
    as free as this one, is found; and how far off a prediction usually is. Each score is then a probability by Bayes'
    rule, with five in a hundred as what is expected before looking:

    * swapped: a trusted prediction of another class lies there, and none of the same class does;
    * misplaced: the trusted prediction of the same class is farther off than such predictions are;
    * spurious: nothing was found here, though the detector finds most objects like it;
    * missing: a trusted prediction lies where no box was given, and is no second box on the same object.

    An image is wrong unless everything in it is right: 1 - product of (1 - score).

    Args:
        given: the boxes in question.
        predicted: a model's boxes. It should not have been trained on these images.
        confidences: (p,) in [0, 1], of the predicted boxes.
        images: how many images there are.
        classes: how many classes there are.
        iou: from which overlap on a prediction lies on a box, in (0, 1).
        pairs: how the boxes overlap where that is not a matter of the boxes alone, such as by `masks.mask_iou`.

    Raises:
        ValueError: if shapes do not fit, or a number is out of its range.

    Source:
        Ours. The kinds of mistakes are those of ObjectLab (Tkachenko, Thyagarajan and Mueller, 2023), which has fixed
        thresholds of confidence where this measures.

    Example:
        Twenty images of one object each, found every time; in the last one, the model sees another class.

        >>> from .boxes import boxes_of
        >>> boxes, places = [[0.1, 0.1, 0.4, 0.4]] * 20, list(range(20))
        >>> given = boxes_of(places, boxes, [0] * 10 + [1] * 10)
        >>> predicted = boxes_of(places, boxes, [0] * 10 + [1] * 9 + [0])
        >>> found = object_mistakenness(given, predicted, [0.9] * 20, 20, 2)
        >>> int(found.images.argmax()), int(found.suggestions[-1])
        (19, 0)
    """
    sure = checked_confidences(predicted, confidences, images, classes)
    checked_confidences(given, np.ones(len(given.classes)), images, classes)
    if not 0 < iou < 1:
        raise ValueError(f"iou={iou} must lie between 0 and 1")
    across, among_given, among_predicted = pairings(given, predicted) if pairs is None else pairs
    same = predicted.classes[across.left] == given.classes[across.right]
    is_copy = copies(sure, among_predicted, 1.2 * iou)
    plain, full = reliability(given, predicted, sure, across, ~is_copy, classes, iou)
    covered = largest(across.left, across.iou, len(sure))
    missing = _posterior(full) * (1 - ramp(covered, 0.0, iou)) * ~is_copy
    seen = largest(across.right, ramp(across.iou, 0.2 * iou, 0.6 * iou), len(given.classes))
    found = recall(given, across, among_given, classes, iou)
    spurious = PRIOR / (PRIOR + (1 - PRIOR) * (1 - found)) * (1 - seen)
    swapped, suggestions = _swapped(given, predicted, plain, across, same, iou)
    misplaced = _misplaced(given, predicted, sure, full, across.where(same), classes)
    innocent = np.zeros(images)
    of_given = np.log1p(-np.minimum(1 - (1 - swapped) * (1 - misplaced) * (1 - spurious), 1 - 1e-9))
    innocent += np.bincount(given.images, weights=of_given, minlength=images)
    innocent += np.bincount(predicted.images, weights=np.log1p(-np.minimum(missing, 1 - 1e-9)), minlength=images)
    return ObjectMistakenness(0.0 - np.expm1(innocent), swapped, misplaced, spurious, missing, suggestions)


def _swapped(
    given: Boxes, predicted: Boxes, trust: NDArray[np.float64], pairs: Overlaps, same: NDArray[np.bool_], iou: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """That another class is right, and which."""
    # A prediction speaks of the box that it covers best, and of others as far as it covers them nearly as well.
    claim = np.square(pairs.iou / largest(pairs.left, pairs.iou, len(trust))[pairs.left])
    against = trust[pairs.left] * ramp(pairs.iou, 0.6 * iou, 1.2 * iou) * claim * ~same
    agreeing = largest(pairs.right, trust[pairs.left] * same * ramp(pairs.iou, 0.0, iou), len(given.classes))
    order = np.flatnonzero(against > 0)
    order = order[np.argsort(against[order], kind="stable")]
    suggestions = np.full(len(given.classes), -1, dtype=np.int64)
    suggestions[pairs.right[order]] = predicted.classes[pairs.left[order]]
    return _posterior(largest(pairs.right, against, len(given.classes))) * (1 - agreeing), suggestions


def _misplaced(
    given: Boxes, predicted: Boxes, sure: NDArray[np.float64], trust: NDArray[np.float64], pairs: Overlaps, classes: int
) -> NDArray[np.float64]:
    """That a box lies wrongly, by how far off the trusted prediction of its class is: pairs are of the same class."""
    best = pairs.where(pairs.iou > 0.15)
    order = np.argsort(trust[best.left] * best.iou, kind="stable")
    chosen = np.full(len(given.classes), -1, dtype=np.int64)
    chosen[best.right[order]] = order
    chosen = chosen[chosen >= 0]
    off, at, by = 1 - best.iou[chosen], best.right[chosen], best.left[chosen]
    scores = np.zeros(len(given.classes))
    if len(chosen):
        log_off = np.log(np.maximum(off, 1e-3))
        size = sizes(given, given)[at]
        features = np.column_stack([np.ones(len(at)), log_odds(sure)[by], size, np.eye(classes)[predicted.classes[by]]])
        weights, spread = robust_fit(features, log_off, np.r_[0.0, 0.0, 0.0, np.ones(classes)])
        far = (log_off - features @ weights) / spread
        usual = np.exp(-np.square(far) / 2) / (spread * np.sqrt(2 * np.pi))
        # Of misplaced boxes every IoU is as probable as every other, hence `off` as the density of its logarithm.
        doubt = PRIOR * off / (PRIOR * off + (1 - PRIOR) * usual)
        is_best = best.iou[chosen] >= largest(pairs.left, pairs.iou, len(sure))[by]
        scores[at] = doubt * (far > 0) * trust[by] * is_best
    return scores


def _posterior(trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """That the label is wrong where a prediction speaks against it which is right with probability `trust`."""
    posterior: NDArray[np.float64] = PRIOR * trust / (PRIOR * trust + (1 - trust))
    return posterior


class ConfidenceMistakenness(NamedTuple):
    """FiftyOne's scores of objects, NaN where there is none.

    Attributes:
        classes: (g,) float64 in [0, 1], of the class; NaN for boxes without a match.
        places: (g,) float64 in [0, 1], of the location; NaN for boxes without a match.
        spurious: (g,) bool, boxes without a match.
        missing: (p,) bool, sure predictions without a match.
    """

    classes: NDArray[np.float64]
    places: NDArray[np.float64]
    spurious: NDArray[np.bool_]
    missing: NDArray[np.bool_]


def object_confidence_mistakenness(
    given: Boxes, predicted: Boxes, confidences: ArrayLike, /, *, iou: float = 0.5, missing_confidence: float = 0.95
) -> ConfidenceMistakenness:
    """Score given boxes by the confidence of the prediction that is matched with them.

    Args:
        given: the boxes in question.
        predicted: a model's boxes.
        confidences: (p,) in [0, 1].
        iou: the smallest overlap of a match, whatever the classes.
        missing_confidence: a prediction without a match is missing if its confidence is above this.

    Source:
        The published formulas of FiftyOne's Brain: with c the confidence and i = 2 (1 - IoU), the class has
        (1 + c) / 2 if it differs and (1 - c) / 2 if not, the location (c (2 i - 1) + 1) / 2.

    Example:
        >>> from .boxes import boxes_of
        >>> one = boxes_of([0], [[0, 0, 1, 1]], [0])
        >>> found = object_confidence_mistakenness(one, one, [0.8])
        >>> found.classes.round(3), found.places.round(3)
        (array([0.1]), array([0.1]))
    """
    sure = np.asarray(confidences, dtype=np.float64)
    pairs = overlaps(predicted, given)
    pairs = pairs.where(pairs.iou >= iou)
    pairs = pairs.where(match(pairs, by_confidence(pairs, sure)))
    scores = np.full((2, len(given.classes)), np.nan)
    c = sure[pairs.left]
    differs = predicted.classes[pairs.left] != given.classes[pairs.right]
    scores[0, pairs.right] = (1 + np.where(differs, c, -c)) / 2
    scores[1, pairs.right] = np.clip((c * (4 * (1 - pairs.iou) - 1) + 1) / 2, 0.0, 1.0)
    unmatched = np.ones(len(sure), dtype=bool)
    unmatched[pairs.left] = False
    return ConfidenceMistakenness(scores[0], scores[1], np.isnan(scores[0]), unmatched & (sure > missing_confidence))
