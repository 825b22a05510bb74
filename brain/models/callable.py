"""Any function, or any fitted scikit-learn transformer, as an embedding model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import ModelError, WrongOutputShapeError
from ...dataset.types import FloatArray, RGBImage


class CallableModel:
    """Embeds with a function of a list of images, or with an object that has `transform`.

    A function gets the list of (height, width, 3) uint8 images and returns (n, d) numbers. A transformer gets one
    row per image: the pixels divided by 255, row by row, red, green and blue beside each other; or the grey values
    alone (the mean of the three channels) when it was fitted on a third as many columns.
    """

    def __init__(self, function: Any, *, name: str | None = None, version: str = "1") -> None:
        """Wrap `function`.

        Args:
            function: a function of a list of images, or a fitted transformer.
            name: kept with the vectors; by default the name of the function or of the transformer's class.
            version: change it when the function changes, so that old vectors are not taken for new ones.

        Raises:
            ModelError: if `function` can neither be called nor has `transform`.
        """
        transform = getattr(function, "transform", None)
        if not callable(transform) and not callable(function):
            raise ModelError(
                f"model={function!r:.200} cannot embed images. Pass a name such as 'builtin', an object with `embed`, "
                "a function of a list of images, or a fitted transformer."
            )
        self._columns: int | None = getattr(function, "n_features_in_", None) if callable(transform) else None
        self._function: Callable[[Any], Any] = transform if callable(transform) else function
        self._is_transformer = callable(transform)
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.version = version
        self.dim: int | None = None

    def __repr__(self) -> str:
        """Show the name and version that are kept with the vectors."""
        return f"CallableModel(name={self.name!r}, version={self.version!r})"

    def embed(self, images: Sequence[RGBImage]) -> FloatArray:
        """Embed images with the function.

        Raises:
            ModelError: if a transformer gets images of different sizes, or of a size it was not fitted on.
            WrongOutputShapeError: if what the function returns is no matrix of numbers.
        """
        given = self._pixel_rows(images) if self._is_transformer else list(images)
        returned = self._function(given)
        try:
            vectors: NDArray[np.float32] = np.asarray(returned, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise WrongOutputShapeError(
                f"model {self.name!r} returned a {type(returned).__name__} that is no matrix of numbers ({error}). "
                "Return one flat row per image, all of one length."
            ) from error
        if vectors.ndim == 2:
            self.dim = vectors.shape[1]
        return vectors

    def _pixel_rows(self, images: Sequence[RGBImage]) -> NDArray[np.float64]:
        sizes = sorted({image.shape[:2] for image in images})
        if len(sizes) != 1:
            raise ModelError(
                f"model {self.name!r} needs images of one size; among these are {sizes[0]} and {sizes[-1]} "
                "(height, width). Pass a function that brings them to one size first."
            )
        pixels = np.stack(images) / 255
        rows: NDArray[np.float64] = pixels.reshape(len(images), -1)
        if self._columns is not None and self._columns * 3 == rows.shape[1]:
            rows = pixels.mean(axis=3).reshape(len(images), -1)
        if self._columns is not None and self._columns != rows.shape[1]:
            height, width = sizes[0]
            raise ModelError(
                f"model {self.name!r} was fitted on {self._columns} columns; images of {height} x {width} pixels have "
                f"{height * width} grey values or {height * width * 3} colour values. Pass images of the fitted size."
            )
        return rows
