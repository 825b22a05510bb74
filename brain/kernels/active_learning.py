"""Active-learning scores by Lightly's names: how unsure a model is of a sample, and how much there is to see.

Arrays in, arrays out. Reading predictions and writing fields is `operations.active_learning`.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .probabilities import checked_probabilities


def uncertainty_least_confidence(probabilities: ArrayLike, /) -> NDArray[np.float64]:
    """Score rows by how little the most probable class has: 0 sure, 1 all classes alike.

    Args:
        probabilities: (n, c); a single column is the probability of one class against its opposite.

    Returns:
        (n,) float64 in [0, 1]: (1 - max p) / (1 - 1/c).

    Raises:
        ValueError: if a row is not one of probabilities.

    Source:
        Lightly's scorers, as are the others here; the measure is that of Lewis and Gale (1994).

    Example:
        >>> uncertainty_least_confidence([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
        array([0.75, 0.  ])
    """
    given = _of_classes(probabilities)
    raw: NDArray[np.float64] = (1 - given.max(axis=1, initial=0.0)) / (1 - 1 / given.shape[1])
    return np.clip(raw, 0, 1)


def uncertainty_margin(probabilities: ArrayLike, /) -> NDArray[np.float64]:
    """Score rows by how close the second class is to the first: 1 - (p1 - p2).

    Arguments, range and errors are those of `uncertainty_least_confidence`.

    Example:
        >>> uncertainty_margin([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
        array([0.75, 0.  ])
    """
    given = _of_classes(probabilities)
    two = np.partition(given, given.shape[1] - 2, axis=1)[:, -2:]
    return np.clip(1 - np.diff(two, axis=1)[:, 0], 0, 1)


def uncertainty_entropy(probabilities: ArrayLike, /) -> NDArray[np.float64]:
    """Score rows by their entropy, as a share of that of classes all alike.

    Arguments, range and errors are those of `uncertainty_least_confidence`.

    Example:
        >>> uncertainty_entropy([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
        array([0.5, 1. ])
    """
    given = _of_classes(probabilities)
    bits = np.log2(given, out=np.zeros_like(given), where=given > 0)
    bits *= given
    raw: NDArray[np.float64] = -bits.sum(axis=1) / np.log2(given.shape[1])
    return np.clip(raw, 0, 1)


UNCERTAINTIES: Mapping[str, Callable[[ArrayLike], NDArray[np.float64]]] = MappingProxyType({
    "uncertainty_least_confidence": uncertainty_least_confidence,
    "uncertainty_margin": uncertainty_margin,
    "uncertainty_entropy": uncertainty_entropy,
})  # fmt: skip
"""The scores of one set of probabilities, by name."""


def _of_classes(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of two classes at least."""
    given = np.asarray(probabilities, dtype=np.float64)
    if given.ndim == 2 and given.shape[1] == 1:
        given = np.concatenate([given, 1 - given], axis=1)
    return checked_probabilities(given) if given.shape != (0, 0) else np.empty((0, 2))


def object_frequency(
    images: ArrayLike, classes: ArrayLike, count: int, /, *, frequency_penalty: float = 0.25, min_score: float = 0.9
) -> NDArray[np.float64]:
    """Score images by how many objects and how many kinds of them they show, from `min_score` to 1.

    A class counts 1 for its first object in the image and `frequency_penalty` for each further one. The counts are then
    stretched to [min_score, 1] between the least and the most of these images, so a score means something beside those
    of the same call only. If all counts are alike, all score 1.

    Args:
        images: (m,) the image of each object, from 0 to count - 1.
        classes: (m,) the class of each object.
        count: how many images there are.
        frequency_penalty: in [0, 1].
        min_score: in [0, 1].

    Returns:
        (count,) float64.

    Raises:
        ValueError: if the arrays differ in length, an image is none, or a parameter is outside [0, 1].

    Example:
        Two objects of one class count 1.25; two of different classes count 2; the last image shows nothing.

        >>> object_frequency([0, 0, 1, 1], [7, 7, 7, 8], 3)
        array([0.9625, 1.    , 0.9   ])
    """
    for name, value in (("frequency_penalty", frequency_penalty), ("min_score", min_score)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}={value} must lie in [0, 1]")
    rows, kinds = _checked_objects(images, classes, count)
    pairs, numbers = np.unique(np.stack([rows, kinds], axis=1), axis=0, return_counts=True)
    counted = np.bincount(pairs[:, 0].astype(np.int64), weights=1 + (numbers - 1) * frequency_penalty, minlength=count)
    if count == 0 or counted.min() == counted.max():
        return np.ones(count)
    lowest, highest = counted.min(), counted.max()
    scores: NDArray[np.float64] = min_score + (1 - min_score) * (counted - lowest) / (highest - lowest)
    return scores


def objectness_least_confidence(images: ArrayLike, scores: ArrayLike, count: int, /) -> NDArray[np.float64]:
    """Score images by one minus the mean score of their objects; 0 without objects.

    Args:
        images: (m,) the image of each object, from 0 to count - 1.
        scores: (m,) in [0, 1].
        count: how many images there are.

    Raises:
        ValueError: if the arrays differ in length, an image is none, or a score is outside [0, 1].

    Example:
        >>> objectness_least_confidence([0, 0], [0.5, 1.0], 2)
        array([0.25, 0.  ])
    """
    rows, sure = _checked_objects(images, scores, count)
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError(f"scores, of shape {sure.shape}, must lie in [0, 1]")
    numbers = np.bincount(rows, minlength=count)
    total = np.bincount(rows, weights=sure, minlength=count)
    return np.where(numbers > 0, 1 - total / np.maximum(numbers, 1), 0.0)


def largest_per_image(images: ArrayLike, scores: ArrayLike, count: int, /) -> NDArray[np.float64]:
    """Give each image the largest score of its objects; 0 without objects.

    Example:
        >>> largest_per_image([0, 0, 2], [0.25, 0.5, 1.0], 3)
        array([0.5, 0. , 1. ])
    """
    rows, given = _checked_objects(images, scores, count)
    found = np.zeros(count)
    np.maximum.at(found, rows, given)
    return found


def mean_uncertainty(images: ArrayLike, confidences: Iterable[ArrayLike], count: int, /) -> NDArray[np.float64]:
    """Score images by one minus the mean confidence of their keypoints, each object counting alike; 0 without objects.

    Args:
        images: (m,) the image of each object, from 0 to count - 1.
        confidences: of each object those of its points, in [0, 1].
        count: how many images there are.

    Raises:
        ValueError: if the arrays differ in length, an image is none, or a confidence is outside [0, 1] or missing.

    Example:
        >>> mean_uncertainty([0, 0], [[1.0, 0.5], [0.25]], 2)
        array([0.5, 0. ])
    """
    points = [np.asarray(one, dtype=np.float64) for one in confidences]
    if any(one.size == 0 for one in points):
        raise ValueError("an object has no confidence of any point")
    return objectness_least_confidence(images, [one.mean() for one in points], count)


def pixel_means(blocks: Iterable[NDArray[np.floating]], names: Iterable[str], /) -> dict[str, float]:
    """Average scores of `UNCERTAINTIES` over the pixels of one image, which may come in blocks.

    Args:
        blocks: (rows, width, c) probabilities each.
        names: which scores.

    Raises:
        ValueError: if a pixel's values are no probabilities, or there is no pixel.

    Example:
        >>> pixel_means([np.array([[[0.5, 0.5], [1.0, 0.0]]])], ["uncertainty_margin"])
        {'uncertainty_margin': 0.5}
    """
    totals = dict.fromkeys(names, 0.0)
    pixels = 0
    for block in blocks:
        if block.ndim != 3:
            raise ValueError(f"probabilities of pixels have shape {block.shape}; expected (height, width, c)")
        rows = block.reshape(-1, block.shape[2])
        pixels += len(rows)
        for name in totals:
            totals[name] += float(UNCERTAINTIES[name](rows).sum())
    if pixels == 0:
        raise ValueError("there is no pixel")
    return {name: total / pixels for name, total in totals.items()}


def _checked_objects(images: ArrayLike, values: ArrayLike, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows, given = np.asarray(images), np.asarray(values, dtype=np.float64)
    if rows.ndim != 1 or rows.shape != given.shape:
        raise ValueError(f"images has shape {rows.shape} and the values {given.shape}; expected both (objects,)")
    if rows.size and (rows.min() < 0 or rows.max() >= count):
        raise ValueError(f"images holds {rows.min()} to {rows.max()}; expected 0 to {count - 1}")
    return rows.astype(np.int64), given
