"""Boxes of many images at once: how they overlap, and which belong together.

All boxes lie in flat arrays, with the number of the image of each. Only pairs that overlap are ever held.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import BoolArray


class Boxes(NamedTuple):
    """Boxes in images.

    Attributes:
        images: (m,) int64, the image of each box, ascending.
        corners: (m, 4) float64, left, top, right, bottom, in any unit.
        classes: (m,) int64.
    """

    images: NDArray[np.int64]
    corners: NDArray[np.float64]
    classes: NDArray[np.int64]

    @property
    def areas(self) -> NDArray[np.float64]:
        """(m,) float64."""
        left, top, right, bottom = self.corners.T
        area: NDArray[np.float64] = (right - left) * (bottom - top)
        return area


class Overlaps(NamedTuple):
    """Pairs of boxes of the same image that overlap.

    Attributes:
        left: (p,) int64, positions in the first set of boxes.
        right: (p,) int64, positions in the second.
        iou: (p,) float64 in (0, 1], intersection over union.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    iou: NDArray[np.float64]

    def where(self, chosen: BoolArray) -> "Overlaps":
        """Some of the pairs."""
        return Overlaps(self.left[chosen], self.right[chosen], self.iou[chosen])

    def renumbered(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> "Overlaps":
        """The pairs between some of the boxes, by the new numbers of all boxes, which are -1 for those left out."""
        kept = (left[self.left] >= 0) & (right[self.right] >= 0)
        return Overlaps(left[self.left[kept]], right[self.right[kept]], self.iou[kept])


class Pairings(NamedTuple):
    """How given and predicted boxes overlap.

    Attributes:
        across: predicted boxes (left) with given ones (right).
        given: given boxes with each other, each with itself too.
        predicted: predicted boxes with each other, each with itself too.
    """

    across: Overlaps
    given: Overlaps
    predicted: Overlaps


def boxes_of(images: ArrayLike, bounding_boxes: ArrayLike, classes: ArrayLike, /) -> Boxes:
    """Check boxes given as left, top, width and height.

    Args:
        images: (m,) the image of each box, ascending.
        bounding_boxes: (m, 4), as `Detection.bounding_box` has them.
        classes: (m,) class numbers.

    Raises:
        ValueError: if shapes do not fit, images descend, or a box is not finite or has a negative side.

    Example:
        >>> boxes_of([0], [[0.25, 0.25, 0.5, 0.25]], [3]).corners
        array([[0.25, 0.25, 0.75, 0.5 ]])
    """
    rows, kinds = np.asarray(images, dtype=np.int64), np.asarray(classes, dtype=np.int64)
    given = (
        np.asarray(bounding_boxes, dtype=np.float64).reshape(-1, 4) if rows.size == 0 else np.asarray(bounding_boxes)
    )
    if given.shape != (len(rows), 4) or kinds.shape != rows.shape:
        raise ValueError(
            f"boxes have shape {given.shape}, images {rows.shape}, classes {kinds.shape}; expected (m, 4), (m,)"
        )
    if (np.diff(rows) < 0).any():
        raise ValueError("images must ascend")
    given = given.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(given).all(axis=1) & (given[:, 2:] >= 0).all(axis=1)))
    if len(bad):
        raise ValueError(f"box {bad[0]} is {given[bad[0]].tolist()}; expected finite numbers, no side below 0")
    return Boxes(rows, np.concatenate([given[:, :2], given[:, :2] + given[:, 2:]], axis=1), kinds)


def checked_confidences(boxes: Boxes, confidences: ArrayLike, images: int, classes: int, /) -> NDArray[np.float64]:
    """Check that predicted boxes, their confidences and the numbers of images and classes fit together.

    Raises:
        ValueError: if confidences are not (m,) in [0, 1], or a box is of an image or class that there is not.

    Example:
        >>> checked_confidences(boxes_of([0], [[0, 0, 1, 1]], [0]), [1], 1, 1)
        array([1.])
    """
    sure = np.asarray(confidences, dtype=np.float64)
    if sure.shape != boxes.images.shape or not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError(f"confidences has shape {sure.shape}; expected {boxes.images.shape}, in [0, 1]")
    if boxes.images.max(initial=-1) >= images or boxes.classes.max(initial=-1) >= classes:
        raise ValueError(f"a box is of an image or class beyond the {images} images and {classes} classes")
    return sure


def overlaps(first: Boxes, second: Boxes, /) -> Overlaps:
    """Find all pairs of boxes that overlap, ordered by the first box, then by the second.

    Example:
        Of two boxes of one image, each two units wide, one begins in the middle of the other.

        >>> one = boxes_of([0], [[0, 0, 2, 1]], [0])
        >>> other = boxes_of([0, 1], [[1, 0, 2, 1], [0, 0, 2, 1]], [0, 0])
        >>> overlaps(one, other).iou.round(3)
        array([0.333])
    """
    highest = int(max(first.images.max(initial=-1), second.images.max(initial=-1))) + 1
    counts = np.bincount(second.images, minlength=highest)
    begins = np.cumsum(counts) - counts
    repeats = counts[first.images]
    left = np.repeat(np.arange(len(first.images)), repeats)
    within = np.arange(len(left)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    right = begins[first.images][left] + within
    low = np.maximum(first.corners[left, :2], second.corners[right, :2])
    high = np.minimum(first.corners[left, 2:], second.corners[right, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=1)
    union = first.areas[left] + second.areas[right] - shared
    iou = np.divide(shared, union, out=np.zeros(len(left)), where=union > 0)
    return Overlaps(left, right, iou).where(iou > 0)


def pairings(given: Boxes, predicted: Boxes, /) -> Pairings:
    """Find all pairs of boxes that overlap, by their boxes.

    Example:
        >>> one = boxes_of([0], [[0, 0, 2, 1]], [0])
        >>> pairings(one, one).across.iou
        array([1.])
    """
    return Pairings(overlaps(predicted, given), overlaps(given, given), overlaps(predicted, predicted))


def match(pairs: Overlaps, priority: ArrayLike, /) -> BoolArray:
    """Match boxes one to one, greedily: the pair of highest priority first, then the next of which both are free.

    With the confidence of the left box as priority and, among its pairs, the IoU (`by_confidence`), that is how
    detections are evaluated; with the IoU alone, the closest boxes belong together.

    Args:
        pairs: candidates.
        priority: (p,) numbers, larger goes first; of equal ones the earlier pair.

    Returns:
        (p,) booleans, which pairs belong together.

    Example:
        Box 0 would take 5, but 1 is closer to it.

        >>> pairs = Overlaps(np.array([0, 0, 1]), np.array([5, 6, 5]), np.array([0.6, 0.5, 0.9]))
        >>> match(pairs, pairs.iou)
        array([False,  True,  True])
    """
    order = np.argsort(-np.asarray(priority, dtype=np.float64), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    kept = np.zeros(len(order), dtype=bool)
    open_pairs = np.arange(len(order))
    best_left = np.empty(int(pairs.left.max(initial=-1)) + 1, dtype=np.int64)
    best_right = np.empty(int(pairs.right.max(initial=-1)) + 1, dtype=np.int64)
    # In each round, whoever is each other's best is matched: the same pairs as one by one, in few rounds.
    while len(open_pairs):
        left, right, place = pairs.left[open_pairs], pairs.right[open_pairs], rank[open_pairs]
        best_left[left] = best_right[right] = len(order)
        np.minimum.at(best_left, left, place)
        np.minimum.at(best_right, right, place)
        chosen = (best_left[left] == place) & (best_right[right] == place)
        kept[open_pairs[chosen]] = True
        best_left[left[chosen]] = best_right[right[chosen]] = -1
        open_pairs = open_pairs[(best_left[left] >= 0) & (best_right[right] >= 0)]
    return kept


def by_confidence(pairs: Overlaps, confidences: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Priorities for `match`: the surer left box chooses first, and takes the right one with the largest IoU."""
    rank = np.empty(len(confidences))
    rank[np.argsort(-confidences, kind="stable")] = np.arange(len(confidences), 0, -1)
    priority: NDArray[np.float64] = 2 * rank[pairs.left] + pairs.iou
    return priority
