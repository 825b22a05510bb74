"""The checks of label attributes that are more than a kind of field: boxes, masks, points, ranges of frames."""

import math
from typing import Any

import numpy as np

from ..errors import FieldKindError
from ..schema.values import array, elements, float32_vector, integer, number, shown, text


def tags(value: Any) -> list[str]:
    """Give tags as a new list of text."""
    if isinstance(value, str):
        raise FieldKindError(f"expected a list of tags; got {shown(value)}. Write [{value!r}].")
    items = elements(value)
    if items is None:
        raise FieldKindError(f"expected a list of tags; got {shown(value)}")
    return [text(item) for item in items]


def bounding_box(value: Any) -> list[float]:
    """Give a box as [top-left-x, top-left-y, width, height]: four finite numbers."""
    box = value if type(value) is list or type(value) is tuple else elements(value)
    if box is None or len(box) != 4:
        raise FieldKindError(
            f"expected [top-left-x, top-left-y, width, height], relative to the image; got {shown(value)}"
        )
    x, y, width, height = box
    # One subtraction finds NaN and infinity: both differ from zero then. Sums of plain floats are the usual case.
    if type(x) is type(y) is type(width) is type(height) is float:
        total = x + y + width + height
        if total - total == 0:
            return [x, y, width, height]
    return [_finite(item, value) for item in box]


def _finite(item: Any, whole: Any) -> float:
    result = number(item)
    if not math.isfinite(result):
        raise FieldKindError(f"expected finite numbers; got {shown(whole)}")
    return result


def mask(value: Any) -> np.ndarray[Any, Any]:
    """Give a mask as (height, width) booleans or integers."""
    result = array(value)
    if result.ndim != 2 or result.dtype.kind not in "biu":
        raise FieldKindError(f"expected a mask (height, width) of booleans or integers; got {shown(result)}")
    return result


def image_mask(value: Any) -> np.ndarray[Any, Any]:
    """Give the mask of a whole image: (height, width) class numbers, or (height, width, 3) colours."""
    result = array(value)
    is_image = result.ndim == 2 or (result.ndim == 3 and result.shape[2] == 3)
    if not is_image or result.dtype.kind not in "biu":
        raise FieldKindError(
            f"expected a mask (height, width) or (height, width, 3) of booleans or integers; got {shown(result)}"
        )
    return result


def logits(value: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Give logits as (classes,) float32 without NaN; minus infinity is the log of zero and allowed."""
    return float32_vector(value)


def keypoints(value: Any) -> list[list[float]]:
    """Give points as a list of [x, y]; NaN marks a point that was not found."""
    items = elements(value)
    if items is None:
        raise FieldKindError(f"expected a list of (x, y) points; got {shown(value)}")
    return [_point(item) for item in items]


def polyline_points(value: Any) -> list[list[list[float]]]:
    """Give the shapes of a polyline: a list of lists of [x, y], all finite."""
    shapes = elements(value)
    if shapes is None:
        raise FieldKindError(f"expected a list of lists of (x, y) points; got {shown(value)}")
    return [[[_finite(item, point) for item in _point(point)] for point in _points(shape)] for shape in shapes]


def _points(shape: Any) -> list[Any]:
    points = elements(shape)
    if points is None or (points and elements(points[0]) is None):
        raise FieldKindError(f"expected lists of (x, y) points inside the list of shapes; got {shown(shape)}")
    return points


def _point(value: Any) -> list[float]:
    pair = elements(value)
    if pair is None or len(pair) != 2:
        raise FieldKindError(f"expected an (x, y) point; got {shown(value)}")
    return [number(pair[0]), number(pair[1])]


def support(value: Any) -> list[int]:
    """Give a range of frames as [first, last], counted from 1, both included."""
    pair = elements(value)
    if pair is None or len(pair) != 2:
        raise FieldKindError(f"expected [first frame, last frame]; got {shown(value)}")
    first, last = integer(pair[0]), integer(pair[1])
    if not 1 <= first <= last:
        raise FieldKindError(f"expected [first frame, last frame], counted from 1; got [{first}, {last}]")
    return [first, last]
