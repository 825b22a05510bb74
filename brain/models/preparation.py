"""From a decoded image to the small square a network looks at: what every network's `prepare` does.

What is prepared stays uint8 and is made numbers in the batch: it waits in a quarter of the memory, and the arithmetic
is done where the network is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...dataset.errors import ModelError
from ...dataset.types import RGBImage

Resize = Literal["squeeze", "crop"]


def checked_image(image: Any) -> RGBImage:
    """Give an image back that is one.

    Raises:
        ModelError: if it is not (height, width, 3) uint8 with at least one pixel.
    """
    if not isinstance(image, np.ndarray):
        raise ModelError(f"an image is a {type(image).__name__}; expected an array (height, width, 3) uint8")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ModelError(f"an image has shape {image.shape} and dtype {image.dtype}; expected (height, width, 3) uint8")
    return image


def squeezed(image: RGBImage, size: int) -> NDArray[np.uint8]:
    """Bring an image to a square, whatever its proportions: nothing is cut off. It is smoothed where it shrinks.

    Raises:
        ModelError: if the image is not (height, width, 3) uint8 with at least one pixel.
    """
    picture = Image.fromarray(checked_image(image))
    return np.array(picture.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=2.0), dtype=np.uint8)


@dataclass(frozen=True)
class Preparation:
    """How images are brought to the size and range that a network was trained on.

    Attributes:
        height: rows of what is prepared.
        width: columns of it.
        shortest_side: None squeezes the image, whatever its proportions; a number resizes it, with its proportions,
            until its shorter side has this many pixels, and cuts (height, width) out of the middle.
        resample: Pillow's filter; all of them smooth where they shrink.
        is_grey: whether the network sees one channel, the luma, instead of red, green and blue.
        scale: what the values 0..255 are multiplied by.
        mean: what is subtracted from each channel after that.
        std: what each channel is divided by at the end.
    """

    height: int
    width: int
    shortest_side: int | None = None
    resample: Image.Resampling = Image.Resampling.BICUBIC
    is_grey: bool = False
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ModelError: if a size is no number of pixels, or mean and std do not fit the channels.
        """
        for name in ("height", "width", "shortest_side"):
            size = getattr(self, name)
            if not (size is None and name == "shortest_side") and (not isinstance(size, int) or size < 1):
                raise ModelError(f"{name}={size!r} is no number of pixels. Use 1 or more.")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if len(values) not in {1, self.channels} or not np.isfinite(values).all():
                raise ModelError(f"{name}={values!r} has to be one number, or {self.channels}: one per channel.")
        if 0 in self.std:
            raise ModelError(f"std={self.std!r} would divide by zero.")

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self.is_grey else 3

    def prepare(self, image: RGBImage) -> NDArray[np.uint8]:
        """Bring one image to (height, width, channels) uint8.

        Raises:
            ModelError: if the image is not (height, width, 3) uint8 with at least one pixel.
        """
        picture = Image.fromarray(checked_image(image))
        if self.is_grey:
            picture = picture.convert("L")
        if self.shortest_side is None:
            small = picture.resize((self.width, self.height), self.resample)
        else:
            small = self._cropped(picture, self.shortest_side)
        return np.array(small, dtype=np.uint8).reshape(self.height, self.width, self.channels)

    def _cropped(self, picture: Image.Image, shortest_side: int) -> Image.Image:
        short, long = sorted(picture.size)
        resized = (shortest_side, int(shortest_side * long / short))  # rounded down, as transformers does
        width, height = resized if picture.width <= picture.height else resized[::-1]
        small = picture.resize((width, height), self.resample)
        left, top = (width - self.width) // 2, (height - self.height) // 2
        return small.crop((left, top, left + self.width, top + self.height))  # what lies outside is black

    def numbers(self, prepared: NDArray[np.uint8], *, channels_first: bool) -> NDArray[np.float32]:
        """Give a batch the range that the network expects.

        Args:
            prepared: (n, height, width, channels), what `prepare` gave, stacked.
            channels_first: whether the network wants (n, channels, height, width).

        Returns:
            The batch as contiguous float32.
        """
        factor, offset = self.factor_and_offset()
        values = prepared.astype(np.float32)
        values *= factor
        values += offset
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2)) if channels_first else values

    def factor_and_offset(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What pixels are multiplied by, and what is added then, (channels,) each: (x * scale - mean) / std."""
        mean, std = (np.resize(values, self.channels).astype(np.float64) for values in (self.mean, self.std))
        return (self.scale / std).astype(np.float32), (-mean / std).astype(np.float32)


def preparation_of(
    image_size: int | tuple[int, int], resize: Resize, *, is_grey: bool = False, scale: float = 1 / 255,
    mean: float | Sequence[float] = 0.0, std: float | Sequence[float] = 1.0,
) -> Preparation:  # fmt: skip
    """Make a preparation of the options that networks take.

    Args:
        image_size: pixels of each side, or (height, width).
        resize: "squeeze" to that size whatever the proportions; "crop" resizes the shorter side and cuts out the
            middle.
        is_grey: one channel instead of three.
        scale: what the values 0..255 are multiplied by.
        mean: of each channel, or of all.
        std: of each channel, or of all.

    Raises:
        ModelError: if one of them cannot be meant.

    Example:
        >>> preparation_of(224, "crop").shortest_side
        224
    """
    if resize not in ("squeeze", "crop"):
        raise ModelError(f"resize={resize!r} is unknown. Use 'squeeze' or 'crop'.")
    height, width = (image_size, image_size) if isinstance(image_size, int) else checked_sides(image_size)
    return Preparation(
        height, width, max(height, width) if resize == "crop" else None, is_grey=is_grey, scale=float(scale),
        mean=per_channel("mean", mean), std=per_channel("std", std),
    )  # fmt: skip


def checked_sides(image_size: Any) -> tuple[Any, Any]:
    """Give (height, width) back if there are two.

    Raises:
        ModelError: if there are not.
    """
    if not isinstance(image_size, tuple | list) or len(image_size) != 2:
        raise ModelError(f"image_size={image_size!r} is no size. Give pixels of each side, or (height, width).")
    height, width = image_size
    return height, width


def per_channel(name: str, values: float | Sequence[float]) -> tuple[float, ...]:
    """Give one number, or one per channel, as a tuple.

    Raises:
        ModelError: if it is neither.
    """
    try:
        return tuple(float(value) for value in np.atleast_1d(np.asarray(values, dtype=np.float64)))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{name}={values!r} has to be one number, or one per channel.") from error
