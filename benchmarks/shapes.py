"""The data that is measured: as arrays, the same for every library. Needs numpy alone."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

CLASSES = 10
BOXES = 10

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Photos:
    """Photos with a true label, a predicted one with its logits, and three numbers.

    Attributes:
        count: how many.
    """

    count: int

    @cached_property
    def names(self) -> list[str]:
        """The names of the classes."""
        return [f"class_{number:03d}" for number in range(CLASSES)]

    @cached_property
    def truth(self) -> Array:
        """(n,) class numbers."""
        return np.random.default_rng(0).integers(0, CLASSES, self.count)

    @cached_property
    def logits(self) -> Array:
        """(n, classes) float32, the true class raised."""
        values = np.random.default_rng(1).standard_normal((self.count, CLASSES)).astype(np.float32)
        values[np.arange(self.count), self.truth] += 3
        return values

    @cached_property
    def predicted(self) -> Array:
        """(n,) class numbers."""
        return np.argmax(self.logits, axis=1)

    @cached_property
    def probabilities(self) -> Array:
        """(n, classes) that sum to 1."""
        raised = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    @cached_property
    def confidences(self) -> list[float]:
        """The probability of the predicted class."""
        return list(self.probabilities[np.arange(self.count), self.predicted].astype(float).tolist())

    @cached_property
    def filepaths(self) -> list[str]:
        """Paths of files that do not exist."""
        return [f"/data/images/{number:08d}.jpg" for number in range(self.count)]

    @cached_property
    def numbers(self) -> dict[str, list[float]]:
        """Three columns of numbers."""
        return {
            "f0": np.arange(self.count, dtype=float).tolist(),
            "f1": self.probabilities[:, 0].astype(float).tolist(),
            "f2": self.logits[:, 0].astype(float).tolist(),
        }


def scores(count: int, seed: int) -> list[float]:
    """Random numbers from 0 to 1."""
    return list(np.random.default_rng(seed).random(count).tolist())


def vectors(count: int, dimension: int) -> Array:
    """(n, d) float32 of unit length."""
    rows = np.random.default_rng(2).standard_normal((count, dimension), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def boxes(count: int) -> tuple[Array, Array, Array]:
    """(n, boxes, 4) boxes inside their images, (n, boxes) class numbers and (n, boxes) confidences."""
    random = np.random.default_rng(3)
    sizes = random.random((count, BOXES, 2)) * 0.5
    corners = random.random((count, BOXES, 2)) * (1 - sizes)
    classes = random.integers(0, CLASSES, (count, BOXES))
    return np.concatenate([corners, sizes], axis=2), classes, random.random((count, BOXES))
