"""Regions of an image: boxes relative to it, the pixels they hold, and one vector for several of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray

_UNIT = 1e-3
"""How far from one a length may be to count as one: half precision gives three digits."""


def box_around(points: ArrayLike) -> NDArray[np.float64]:
    """The smallest box that holds all points.

    Args:
        points: (n, 2) x and y, n at least 1.

    Returns:
        (4,) left, top, width, height.

    Example:
        >>> box_around([[0.25, 0.5], [0.75, 1.0], [0.5, 0.0]])
        array([0.25, 0.  , 0.5 , 1.  ])
    """
    given = np.asarray(points, dtype=np.float64)
    low = given.min(axis=0)
    return np.concatenate([low, given.max(axis=0) - low])


def grown_boxes(boxes: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """Grow boxes about their centres by a fraction of their width and height, or shrink them.

    Args:
        boxes: (k, 4) left, top, width, height.
        alpha: above -1: 0.1 makes them a tenth wider and higher, -0.5 halves both.

    Returns:
        (k, 4) the boxes.

    Source:
        FiftyOne's `alpha`.

    Example:
        >>> grown_boxes([[0.25, 0.25, 0.5, 0.25]], 1.0)
        array([[0.   , 0.125, 1.   , 0.5  ]])
    """
    given = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    place, size = given[:, :2], given[:, 2:]
    return np.concatenate([place - size * alpha / 2, size * (1 + alpha)], axis=1)


def boxes_inside(boxes: ArrayLike) -> NDArray[np.bool_]:
    """Tell which boxes share something with the image, from 0 to 1 in both directions.

    A box that only touches the image from outside does not; one without width or height does, where it lies. A width or
    height below 0 is that of no box.

    Args:
        boxes: (k, 4) left, top, width, height.

    Returns:
        (k,) booleans.

    Example:
        >>> boxes_inside([[-0.5, 0.0, 1.0, 0.5], [1.0, 0.0, 0.5, 0.5], [1.0, 1.0, 0.0, 0.0]])
        array([ True, False,  True])
    """
    given = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    low, size = given[:, :2], given[:, 2:]
    high = low + size
    overlaps = (low < 1) & (high > 0) & (size > 0)
    lies_in = (size == 0) & (low >= 0) & (low <= 1)
    inside: NDArray[np.bool_] = (overlaps | lies_in).all(axis=1)
    return inside


def pixel_boxes(boxes: ArrayLike, width: int, height: int, *, force_square: bool = False) -> NDArray[np.int64]:
    """The pixels that boxes hold.

    Edges are moved to the nearest edge between pixels and into the image. A box that would hold no pixel then holds the
    one in which its middle lies.

    Args:
        boxes: (k, 4) left, top, width, height, relative to the image; each as `boxes_inside` accepts it.
        width: of the image, in pixels.
        height: of the image, in pixels.
        force_square: make the boxes squares: the shorter side grows to the longer about its middle, and is moved where
            the image ends. Where the image is too small for that, the longer side shrinks to what there is.

    Returns:
        (k, 4) left, top, right, bottom in pixels, right and bottom not included.

    Example:
        >>> pixel_boxes([[0.5, 0.0, 0.5, 1.0], [1.0, 0.25, 0.0, 0.0]], 8, 4).tolist()
        [[4, 0, 8, 4], [7, 1, 8, 2]]
        >>> pixel_boxes([[0.5, 0.0, 0.125, 1.0]], 8, 4, force_square=True).tolist()
        [[3, 0, 7, 4]]
    """
    given = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    whole = np.array([width, height])
    from_, to = given[:, :2].clip(0, 1) * whole, (given[:, :2] + given[:, 2:]).clip(0, 1) * whole
    # A half goes up, not to the even number: then equal boxes at different places hold equally many pixels.
    low, high = np.floor(from_ + 0.5), np.floor(to + 0.5)
    low = np.where(high > low, low, np.floor((from_ + to) / 2).clip(0, whole - 1))
    high = np.maximum(high, low + 1)
    if force_square:
        side = np.minimum((high - low).max(axis=1, keepdims=True), whole.min())
        low = np.floor((low + high - side + 1) / 2).clip(0, whole - side)
        high = low + side
    return np.concatenate([low, high], axis=1).astype(np.int64)


def mean_vector(vectors: FloatArray) -> NDArray[np.float32]:
    """One vector for several: their mean.

    Where all have length one, as those of most models, the mean is brought to length one too. Otherwise the vector of
    an image would be the shorter, and so the nearer to all others, the more its regions differ. Vectors that cancel out
    keep the mean 0.

    Args:
        vectors: (k, d), k at least 1.

    Returns:
        (d,) float32; the vector itself where there is one.

    Source:
        FiftyOne's mean over patches; the length is ours.

    Example:
        >>> mean_vector(np.array([[2.0, 0.0], [0.0, 4.0]]))
        array([1., 2.], dtype=float32)
        >>> mean_vector(np.array([[1.0, 0.0], [0.0, 1.0]]))
        array([0.70710677, 0.70710677], dtype=float32)
    """
    given = np.asarray(vectors, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # of infinities, the mean may be NaN
        mean: NDArray[np.float64] = given.mean(axis=0)
        length = float(np.sqrt(np.square(mean).sum()))
        are_units = np.abs(np.sqrt(np.square(given).sum(axis=1)) - 1).max() < _UNIT
    if len(given) > 1 and are_units and length > _UNIT:
        mean /= length
    return mean.astype(np.float32)
