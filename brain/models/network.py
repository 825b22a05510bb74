"""What networks of all libraries share: images are prepared one by one, batches go through, outputs become vectors."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from ...dataset.errors import ModelError
from ...dataset.types import FloatArray, RGBImage
from .pooling import Pooling, checked_pooling, pooled
from .preparation import Preparation

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What most networks for photos expect pixels in 0..1 to be normalised by."""


class Network(ABC):
    """A network as an embedding model; a library's own class says how a batch goes through.

    Attributes:
        name: kept with the vectors.
        preparation: how images become what the network looks at.
        dim: length of a vector; None before the first batch.
    """

    channels_first = True

    def __init__(self, name: str, preparation: Preparation, pooling: Pooling = None) -> None:
        self.name = name
        self.preparation = preparation
        self.dim: int | None = None
        self._pooling = checked_pooling(pooling)

    def __repr__(self) -> str:
        """Show the name and version that are kept with the vectors."""
        return f"{type(self).__name__}(name={self.name!r}, version={self.version!r})"

    @property
    def version(self) -> str:
        """What the weights are, a "+", and a hash of how images are prepared and outputs pooled."""
        return f"{self._weights()}+{_settings(self.preparation, self._pooling)}"

    @property
    def shortest_side(self) -> int:
        """Twice what the network looks at."""
        seen = self.preparation
        return 2 * max(seen.height, seen.width, seen.shortest_side or 0)

    def prepare(self, image: RGBImage) -> NDArray[np.uint8]:
        """Bring one image to (height, width, channels) uint8, the size the network looks at.

        Raises:
            ModelError: if the image is not (height, width, 3) uint8 with at least one pixel.
        """
        return self.preparation.prepare(image)

    def embed_prepared(self, prepared: Sequence[NDArray[Any]]) -> FloatArray:
        """Embed what `prepare` gave.

        Returns:
            (len(prepared), dim) float32.

        Raises:
            WrongOutputShapeError: if no vector per image can be made of what the network returns.
            ModelError: if the network fails on the batch.
        """
        if not len(prepared):
            return np.empty((0, self.dim or 0), dtype=np.float32)
        batch = np.stack(prepared)
        try:
            output = self._forward(batch)
        except ModelError:
            raise
        except Exception as error:  # each library has errors of its own for what does not fit
            raise ModelError(self._failure(batch, error)) from error
        flat = pooled(output, self._pooling, count=len(batch), channels_first=self.channels_first, name=self.name)
        vectors = self._array(flat)
        self.dim = vectors.shape[1]
        return vectors

    def embed(self, images: Sequence[RGBImage]) -> FloatArray:
        """Embed images of any size.

        Returns:
            (len(images), dim) float32.

        Raises:
            WrongOutputShapeError, ModelError: as `prepare` and `embed_prepared`.
        """
        return self.embed_prepared([self.prepare(image) for image in images])

    @abstractmethod
    def _weights(self) -> str:
        """A short text that changes with the weights."""

    @abstractmethod
    def _forward(self, batch: NDArray[np.uint8]) -> Any:
        """Send (n, height, width, channels) through; gives an array or tensor with n rows."""

    def _array(self, output: Any) -> NDArray[np.float32]:
        return np.asarray(output, dtype=np.float32)

    def _failure(self, batch: NDArray[np.uint8], error: Exception) -> str:
        reason = str(error).strip() or type(error).__name__
        if "memory" in reason.lower():
            remedy = "Use a smaller batch_size or image_size."
        else:
            remedy = "Pass the size and channels that it takes: image_size=, grey=."
        height, width, channels = batch.shape[1:]
        return (
            f"model {self.name!r} failed on {len(batch)} images of {height} x {width} pixels in {channels} channels: "
            f"{reason[:600]}. {remedy}"
        )


def weights_hash(arrays: Iterable[tuple[str, NDArray[Any]]]) -> str:
    """12 hexadecimal digits that change with any name, shape, type or number among arrays.

    Example:
        >>> weights_hash([("a", np.zeros(3))]) == weights_hash([("a", np.zeros((3, 1)))])
        False
    """
    digest = xxhash.xxh3_128()
    for name, array in arrays:
        digest.update(f"{name} {array.shape} {array.dtype.str};".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:12]


def _settings(preparation: Preparation, pooling: Pooling) -> str:
    """Six hexadecimal digits for everything beside the weights that makes an image's vector what it is."""
    chosen = {
        field.name: getattr(preparation, field.name)
        for field in fields(preparation)
        if getattr(preparation, field.name) != field.default  # so that a new setting leaves old versions alone
    }
    chosen["pooling"] = getattr(pooling, "__qualname__", "function") if callable(pooling) else pooling
    return xxhash.xxh3_64_hexdigest(json.dumps(chosen, sort_keys=True).encode())[:6]
