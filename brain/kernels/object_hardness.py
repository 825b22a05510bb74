"""Hardness of images with objects in boxes: how much of what a detector says there is expected to be wrong.

Arrays in, arrays out. Reading detections and writing scores is `operations.object_hardness`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .boxes import Boxes, by_confidence, checked_confidences, match, overlaps
from .hardness import hardness
from .reliability import copies, reliability

_KEPT = 0.5
"""From which confidence on a box is taken for an object: where an object is more probable than none."""

_AGREED = 0.5
"""Half a box on which all agree is added to each image, so that one faint box in an empty image says little."""


class ObjectHardness(NamedTuple):
    """How hard images and their predicted boxes are.

    Attributes:
        images: (n,) float64 in [0, 1), the share of mistakes that is expected; 0 without boxes.
        objects: (p,) float64 in [0, 1], 0 is sure and 1 undecided; with given boxes, how probable a mistake is.
    """

    images: NDArray[np.float64]
    objects: NDArray[np.float64]


def object_hardness(
    predicted: Boxes, confidences: ArrayLike, images: int, classes: int, /,
    given: Boxes | None = None, *, probabilities: ArrayLike | None = None, iou: float = 0.5,
) -> ObjectHardness:  # fmt: skip
    """Score images by the share of mistakes that is to be expected: one minus the F1 of expected counts.

    Each box is an object with the probability that is its confidence c. Boxes from 0.5 on are kept: TP = sum of their
    c, FP = sum of their 1 - c. Of the others, FN = sum of c. A box on a surer one is no second object: its c is 0. With
    half a box on which all agree, hardness = (FP + FN) / (2 TP + FP + FN + 0.5).

    With given boxes, confidence gives way to the reliability r that is measured on them. A given box is found with the
    r of the box matched with it, one to one and of the same class: TP = sum of matched r, FN = sum of 1 - r over the
    given boxes, 1 where none is matched, and FP = sum of r without a match.

    An object's score is 1 - |2 c - 1|, or with probabilities of its classes one minus the lead of the first; and with
    given boxes 1 - r if it is matched, else r.

    Args:
        predicted: a model's boxes, of images that it was not trained on.
        confidences: (p,) in [0, 1].
        images: how many images there are.
        classes: how many classes there are.
        given: the boxes of the labels, if known.
        probabilities: (p, c) of the classes of each predicted box, if known; for the scores of objects without labels.
        iou: from which overlap on a prediction lies on a given box, in (0, 1).

    Raises:
        ValueError: if shapes do not fit, or a number is out of its range.

    Source:
        Ours. F1 of expected counts is the soft Dice coefficient (Milletari, Navab and Ahmadi, 2016).

    Example:
        A sure box; a box as probable as not; no box; and a faint one.

        >>> from .boxes import boxes_of
        >>> found = object_hardness(boxes_of([0, 1, 3], [[0, 0, 1, 1]] * 3, [0] * 3), [1.0, 0.5, 0.1], 4, 1)
        >>> found.images.round(3), found.objects
        (array([0.   , 0.25 , 0.   , 0.167]), array([0. , 1. , 0.2]))
    """
    if not 0 < iou < 1:
        raise ValueError(f"iou={iou} must lie between 0 and 1")
    sure = checked_confidences(predicted, confidences, images, classes)
    if given is not None:
        return _with_labels(predicted, sure, images, classes, given, iou)
    is_copy = copies(sure, overlaps(predicted, predicted), 1.2 * iou)
    chance, kept = np.where(is_copy, 0.0, sure), sure >= _KEPT

    scores = _share_of_mistakes(
        *(_sums(predicted, values, images) for values in (chance * kept, (1 - chance) * kept, chance * ~kept))
    )
    if probabilities is None:
        return ObjectHardness(scores, 1 - np.abs(2 * sure - 1))
    margins = hardness(probabilities)
    if margins.shape != sure.shape:
        raise ValueError(f"probabilities has {len(margins)} rows; expected one for each of {len(sure)} predicted boxes")
    return ObjectHardness(scores, margins)


def _with_labels(
    predicted: Boxes, sure: NDArray[np.float64], images: int, classes: int, given: Boxes, iou: float
) -> ObjectHardness:
    checked_confidences(given, np.ones(len(given.classes)), images, classes)
    pairs = overlaps(predicted, given)
    is_copy = copies(sure, overlaps(predicted, predicted), 1.2 * iou)
    _, right = reliability(given, predicted, sure, pairs, ~is_copy, classes, iou)
    pairs = pairs.where((predicted.classes[pairs.left] == given.classes[pairs.right]) & (pairs.iou >= iou))
    pairs = pairs.where(match(pairs, by_confidence(pairs, sure)))
    is_matched = np.zeros(len(sure), dtype=bool)
    is_matched[pairs.left] = True
    hits = _sums(predicted, right * is_matched, images)
    extra = _sums(predicted, right * ~is_matched, images)
    lost = _sums(given, np.ones(len(given.classes)), images) - hits
    return ObjectHardness(_share_of_mistakes(hits, extra, lost), np.where(is_matched, 1 - right, right))


def _sums(boxes: Boxes, values: NDArray[np.float64], images: int) -> NDArray[np.float64]:
    """The sum of the boxes' values in each image."""
    sums = np.bincount(boxes.images, weights=values, minlength=images)
    return sums.astype(np.float64, copy=False)  # of no boxes it counts integers


def _share_of_mistakes(
    hits: NDArray[np.float64], extra: NDArray[np.float64], lost: NDArray[np.float64]
) -> NDArray[np.float64]:
    """One minus F1, with a little that all agree on."""
    wrong: NDArray[np.float64] = np.maximum(extra + lost, 0.0)
    return wrong / (2 * hits + wrong + _AGREED)
