"""Masks of objects: how the pixels of two objects overlap, where each mask covers the box of its object.

Masks may have any number of pixels: a mask is a picture of its box, each pixel a small rectangle in the image.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, Overlaps

Mask: TypeAlias = NDArray[Any] | None
"""(height, width), not 0 where the object is; None for an object that fills its box."""

_FULL = np.ones((1, 1))


def mask_iou(
    first_box: NDArray[np.float64], first_mask: Mask, second_box: NDArray[np.float64], second_mask: Mask, /
) -> float:
    """Compute the intersection over union of two objects, exactly: no mask is drawn at the size of another.

    Args:
        first_box: (4,) left, top, right, bottom.
        first_mask: of the first object.
        second_box: (4,) in the same unit.
        second_mask: of the second object.

    Returns:
        In [0, 1]; 0 if an object has no pixel.

    Source:
        The area of the second object left of and above a point is linear in both coordinates between the lines of its
        pixels, so its share in each pixel of the first is read from summed areas (Crow, 1984).

    Example:
        The left half and the upper half of the same square share a quarter of it and cover three.

        >>> box = np.array([0.0, 0.0, 1.0, 1.0])
        >>> round(mask_iou(box, np.array([[1, 0]]), box, np.array([[1], [0]])), 3)
        0.333
        >>> mask_iou(box, None, np.array([0.5, 0.0, 1.5, 1.0]), np.array([[1, 0, 0, 0]]))
        0.25
    """
    first, second = _plain(first_mask), _plain(second_mask)
    unit, other_unit = _pixel(first_box, first), _pixel(second_box, second)
    if first.sum() * unit.prod() <= 0 or second.sum() * other_unit.prod() <= 0:
        return 0.0
    summed = np.zeros((second.shape[0] + 1, second.shape[1] + 1))
    np.cumsum(np.cumsum(second, axis=0), axis=1, out=summed[1:, 1:])
    for axis in (0, 1):
        lines = first_box[1 - axis] + unit[axis] * np.arange(first.shape[axis] + 1)
        summed = _read_at(summed, (lines - second_box[1 - axis]) / other_unit[axis], axis)
    within = np.diff(np.diff(summed, axis=0), axis=1) * other_unit.prod()
    shared = float((first * within).sum())
    union = float(first.sum() * unit.prod() + second.sum() * other_unit.prod()) - shared
    return min(max(shared / union, 0.0), 1.0)


def mask_overlaps(
    pairs: Overlaps, first: Boxes, second: Boxes, first_masks: Sequence[Mask], second_masks: Sequence[Mask],
    starts: tuple[int, int] = (0, 0),
) -> NDArray[np.float64]:  # fmt: skip
    """Compute the IoU of the masks of pairs of objects.

    Args:
        pairs: objects whose boxes overlap; the masks of others do not.
        first: the boxes of the first objects.
        second: the boxes of the second objects.
        first_masks: their masks, or those of one image.
        second_masks: likewise.
        starts: which boxes the first of the masks belong to.

    Returns:
        (p,) float64 in [0, 1].

    Example:
        >>> from .boxes import boxes_of, overlaps
        >>> one = boxes_of([0], [[0, 0, 1, 1]], [0])
        >>> mask_overlaps(overlaps(one, one), one, one, [np.array([[1, 0]])], [None])
        array([0.5])
    """
    found = [
        mask_iou(first.corners[i], first_masks[i - starts[0]], second.corners[j], second_masks[j - starts[1]])
        for i, j in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    ]
    return np.array(found, dtype=np.float64)


def _plain(mask: Mask) -> NDArray[np.float64]:
    return _FULL if mask is None else (np.asarray(mask) != 0).astype(np.float64)


def _pixel(box: NDArray[np.float64], mask: NDArray[np.float64]) -> NDArray[np.float64]:
    """The height and width of a pixel; 0 for a mask without pixels."""
    sides = np.array([box[3] - box[1], box[2] - box[0]])
    shape = np.array(mask.shape)
    pixel: NDArray[np.float64] = np.divide(sides, shape, out=np.zeros(2), where=shape > 0)
    return pixel


def _read_at(summed: NDArray[np.float64], places: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Summed areas at places between the lines of pixels, and beyond them as at the border."""
    last = summed.shape[axis] - 1
    inside = np.clip(places, 0, last)
    before = np.minimum(inside.astype(np.int64), last - 1)
    share = np.expand_dims(inside - before, 1 - axis)
    low, high = np.take(summed, before, axis=axis), np.take(summed, before + 1, axis=axis)
    between: NDArray[np.float64] = low * (1 - share) + high * share
    return between
