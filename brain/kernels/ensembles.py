"""Several detectors as one: which of their boxes are of the same object, and how far that object is to be trusted.

Arrays in, arrays out.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, Overlaps, Pairings, checked_confidences, match, pairings
from .fitting import logistic
from .object_mistakenness import ObjectMistakenness, object_mistakenness
from .reliability import copies, log_odds, reliability

Scalar = TypeVar("Scalar", bound=np.generic)


class Joined(NamedTuple):
    """The boxes of several detectors in one set.

    Attributes:
        boxes: of all, by images.
        confidences: (p,) float64.
        models: (p,) int64, the number of the detector of each.
        order: (p,) int64, where each stood when the boxes of the detectors stood one after another.
        counts: how many boxes each detector has.
    """

    boxes: Boxes
    confidences: NDArray[np.float64]
    models: NDArray[np.int64]
    order: NDArray[np.int64]
    counts: list[int]

    def split(self, values: NDArray[Scalar]) -> list[NDArray[Scalar]]:
        """Values of the joined boxes as one array for each detector, in its own order."""
        placed = np.empty_like(values)
        placed[self.order] = values
        return np.split(placed, np.cumsum(self.counts)[:-1])


class Ensemble(NamedTuple):
    """One detector out of several.

    Attributes:
        chosen: (o,) int64, for each object the joined box that stands for it, ascending.
        confidences: (o,) float64 in [0, 1], how reliable the object is by all detectors.
        objects: (p,) int64, the object that each joined box is of.
        pairs: how the chosen boxes overlap.
    """

    chosen: NDArray[np.int64]
    confidences: NDArray[np.float64]
    objects: NDArray[np.int64]
    pairs: Pairings


def joined(predicted: Sequence[Boxes], confidences: Sequence[NDArray[np.float64]], /) -> Joined:
    """Put the boxes of several detectors into one set.

    Example:
        >>> from .boxes import boxes_of
        >>> one, other = boxes_of([0, 1], [[0, 0, 1, 1]] * 2, [0, 0]), boxes_of([0], [[0, 0, 1, 1]], [0])
        >>> both = joined([one, other], [np.array([0.9, 0.8]), np.array([0.7])])
        >>> both.models, both.confidences
        (array([0, 1, 0]), array([0.9, 0.7, 0.8]))
        >>> both.split(both.confidences)
        [array([0.9, 0.8]), array([0.7])]
    """
    images = np.concatenate([boxes.images for boxes in predicted])
    order = np.argsort(images, kind="stable")
    corners = np.concatenate([boxes.corners for boxes in predicted])
    classes = np.concatenate([boxes.classes for boxes in predicted])
    counts = [len(boxes.images) for boxes in predicted]
    models = np.repeat(np.arange(len(predicted)), counts)
    sure = np.concatenate(confidences)
    return Joined(Boxes(images[order], corners[order], classes[order]), sure[order], models[order], order, counts)


def ensemble_mistakenness(
    given: Boxes, all_boxes: Joined, images: int, classes: int, /, *, iou: float = 0.5, pairs: Pairings | None = None
) -> tuple[ObjectMistakenness, NDArray[np.bool_]]:
    """Score given boxes, predicted boxes and images by what one or several detectors say of them.

    Several are made one by `ensemble`, and that one is judged as `object_mistakenness` judges any.

    Args:
        given: the boxes in question.
        all_boxes: the boxes of the detectors, which should not have been trained on these images.
        images: how many images there are.
        classes: how many classes there are.
        iou: from which overlap on two boxes belong together, in (0, 1).
        pairs: how the boxes overlap where that is not a matter of the boxes alone.

    Returns:
        The scores, those of boxes left out for all joined boxes; and (p,) booleans, which of these stand for their
        object, so that each object is counted once.

    Raises:
        ValueError: if shapes do not fit, or a number is out of its range.

    Example:
        Two detectors that see the same in ten images; in the last, no box was given.

        >>> from .boxes import boxes_of
        >>> box = [[0.1, 0.1, 0.4, 0.4]]
        >>> given, seen = boxes_of(range(9), box * 9, [0] * 9), boxes_of(range(10), box * 10, [0] * 10)
        >>> both = joined([seen, seen], [np.full(10, 0.9)] * 2)
        >>> found, is_chosen = ensemble_mistakenness(given, both, 10, 1)
        >>> int(is_chosen.sum()), int(found.images.argmax())
        (10, 9)
    """
    sure = checked_confidences(all_boxes.boxes, all_boxes.confidences, images, classes)
    if len(all_boxes.counts) == 1:
        alone = object_mistakenness(given, all_boxes.boxes, sure, images, classes, iou=iou, pairs=pairs)
        return alone, np.ones(len(sure), dtype=bool)
    overlap = pairings(given, all_boxes.boxes) if pairs is None else pairs
    one = ensemble(given, all_boxes, overlap, classes, iou)
    boxes = some(all_boxes.boxes, one.chosen)
    found = object_mistakenness(given, boxes, one.confidences, images, classes, iou=iou, pairs=one.pairs)
    is_chosen = np.zeros(len(sure), dtype=bool)
    is_chosen[one.chosen] = True
    return found._replace(missing=found.missing[one.objects]), is_chosen


def ensemble(given: Boxes, all_boxes: Joined, pairs: Pairings, classes: int, iou: float, /) -> Ensemble:
    """Make one detector out of several.

    Boxes of one class that different detectors put onto the same place are one object, the closest first. Each detector
    is measured on the given boxes on its own: how reliable a box like this one is, r, and how many of the objects it
    overlooks, q. One that sees the object speaks for it with ln(r / (1 - r)), one that does not against it with ln(q),
    and the mean of these over all detectors is the object's evidence.

    Args:
        given: the given boxes.
        all_boxes: the predicted boxes.
        pairs: how they overlap.
        classes: how many classes there are.
        iou: from which overlap on two boxes are of the same object.

    Returns:
        Its objects, each with the box of the detector that is most reliable there. The confidence, 1 / (1 + exp of
        minus the evidence), is no probability yet: agreement is worth what the given boxes say, as with any detector.

    Source:
        Ours. The sum of the terms is Bayes' rule for independent detectors; the mean has the same order.

    Example:
        Twenty images with an object in each. One detector finds all of them, the other all but the last.

        >>> from .boxes import boxes_of, pairings
        >>> box = [[0.1, 0.1, 0.4, 0.4]]
        >>> first, second = (boxes_of(range(n), box * n, [0] * n) for n in (20, 19))
        >>> both = joined([first, second], [np.full(20, 0.9), np.full(19, 0.9)])
        >>> found = ensemble(first, both, pairings(first, both.boxes), 1, 0.5)
        >>> len(found.chosen), bool(found.confidences[0] > found.confidences[19])
        (20, True)
    """
    objects = _objects(all_boxes, pairs.predicted, iou)
    trust = np.empty(len(objects))
    silence = np.empty(len(all_boxes.counts))
    for model in range(len(all_boxes.counts)):
        own = np.flatnonzero(all_boxes.models == model)
        trust[own], silence[model] = _alone(given, all_boxes, pairs, own, classes, iou)
    chosen, objects = _represented(objects, trust)
    evidence = np.full(len(chosen), silence.sum())
    evidence += np.bincount(objects, weights=log_odds(trust) - silence[all_boxes.models], minlength=len(chosen))
    numbers = np.full(len(objects), -1, dtype=np.int64)
    numbers[chosen] = np.arange(len(chosen))
    across = pairs.across.renumbered(numbers, np.arange(len(given.classes)))
    kept = Pairings(across, pairs.given, pairs.predicted.renumbered(numbers, numbers))
    return Ensemble(chosen, logistic(evidence / len(silence)), objects, kept)


def some(boxes: Boxes, chosen: NDArray[np.int64], /) -> Boxes:
    """Some of the boxes, by ascending number."""
    return Boxes(boxes.images[chosen], boxes.corners[chosen], boxes.classes[chosen])


def _objects(all_boxes: Joined, near: Overlaps, iou: float) -> NDArray[np.int64]:
    """The number of the object of each box: detector after detector, its boxes join the objects there are."""
    objects = np.arange(len(all_boxes.confidences))
    kinds = all_boxes.boxes.classes
    near = near.where((kinds[near.left] == kinds[near.right]) & (near.iou >= iou))
    for model in range(1, len(all_boxes.counts)):
        new = near.where((all_boxes.models[near.left] == model) & (all_boxes.models[near.right] < model))
        new = Overlaps(new.left, objects[new.right], new.iou)
        new = new.where(match(new, new.iou))
        objects[new.left] = new.right
    return objects


def _represented(objects: NDArray[np.int64], trust: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The most trusted box of each object, ascending, and the objects numbered in that order."""
    best = np.lexsort((np.arange(len(objects)), -trust, objects))
    firsts = best[np.diff(objects[best], prepend=-1) > 0]
    chosen = np.sort(firsts)
    number_of = np.empty(len(objects), dtype=np.int64)
    number_of[objects[chosen]] = np.arange(len(chosen))
    return chosen, number_of[objects]


def _alone(
    given: Boxes, all_boxes: Joined, pairs: Pairings, own: NDArray[np.int64], classes: int, iou: float
) -> tuple[NDArray[np.float64], float]:
    """How reliable each box of one detector is, and what its silence says: the logarithm of how much it overlooks."""
    numbers = np.full(len(all_boxes.models), -1, dtype=np.int64)
    numbers[own] = np.arange(len(own))
    sure = all_boxes.confidences[own]
    is_copy = copies(sure, pairs.predicted.renumbered(numbers, numbers), 1.2 * iou)
    across = pairs.across.renumbered(numbers, np.arange(len(given.classes)))
    _, trust = reliability(given, some(all_boxes.boxes, own), sure, across, ~is_copy, classes, iou)
    overlooked = len(given.classes) - len(np.unique(across.right[across.iou > iou]))
    # Half an object is added on each side, or one that overlooked none would be infinitely sure.
    return trust, float(np.log((overlooked + 0.5) / (len(given.classes) + 1)))
