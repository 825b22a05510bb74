"""An image in the forms from which figures, hashes and thumbnails are made; each is made once, at its first use.

What Pillow makes is made strip by strip: what is read from a strip a second and third time is still in the processor's
cache, and no second image of full size is held in memory. That takes two thirds of the time of whole images.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..types import RGBImage

SMALL = 512
"""The longest side of the small image is at least this, and less than twice this, where the image is large enough."""

_STRIP = 1 << 17  # pixels, about
_RUN = 3072  # values side by side in sums: whole pixels
_GROUP = 3  # so many squares of -128..127 can be added in 16 bits
PIECE = 22 * _GROUP * _RUN
"""So many values should be summed at a time: they stay in the processor's cache."""


@dataclass(frozen=True)
class Moments:
    """How many values of 0..255 there are, their sum and the sum of their squares: whole, so exact."""

    number: int
    total: int
    squares: int

    def __add__(self, other: "Moments") -> "Moments":
        """Those of both together."""
        return Moments(self.number + other.number, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """0..255."""
        return self.total / self.number

    @property
    def deviation(self) -> float:
        """Population standard deviation, 0..127.5; exact but for the last division."""
        return sqrt(self.number * self.squares - self.total * self.total) / self.number

    @property
    def ratio(self) -> float:
        """The mean divided by the standard deviation; 0 where that is 0."""
        deviation = self.deviation
        return self.mean / deviation if deviation else 0.0


class Sums:
    """Adds up values of 0..255 and their squares, less 128 each: so small that 16 bits hold them.

    A histogram would do the same; this takes half its time, and threads run side by side in nearly all of it.

    Args:
        most: how many values are added at a time, at most.

    Attributes:
        room: int16, at least `most` values; where the values are put, less 128, before they are added.
    """

    def __init__(self, most: int) -> None:
        self.room = np.empty(_whole(most), dtype=np.int16)
        self._number = 0
        self._totals, self._squares = (np.zeros(_RUN, dtype=np.int64) for _ in range(2))

    def add(self, number: int) -> None:
        """Add the first values in `room`, which are lost by this."""
        self._number += number
        values = self.room[: _whole(number)]
        values[number:] = 0
        runs = values.reshape(-1, _RUN)
        self._totals += np.add.reduce(runs, axis=0, dtype=np.int16 if len(runs) <= 256 else np.int64)
        np.multiply(values, values, out=values)
        groups = values.view(np.uint16).reshape(_GROUP, -1)
        for other in groups[1:]:
            np.add(groups[0], other, out=groups[0])
        self._squares += np.add.reduce(groups[0].reshape(-1, _RUN), axis=0, dtype=np.uint32)

    def moments(self, channels: int = 1) -> list[Moments]:
        """Of each channel, where the values of a pixel follow each other."""
        number, found = self._number // channels, []
        for channel in range(channels):
            total, squares = int(self._totals[channel::channels].sum()), int(self._squares[channel::channels].sum())
            found.append(Moments(number, total + 128 * number, squares + 256 * total + 16384 * number))
        return found


def moments(values: NDArray[np.uint8], channels: int = 1) -> list[Moments]:
    """Of each channel; the last axis is that of the channels where there are several."""
    flat = np.ascontiguousarray(values).reshape(-1)
    sums = Sums(min(PIECE, flat.size))
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE]
        sums.room[: piece.size] = (piece ^ 128).view(np.int8)  # taken as signed, this is the value less 128
        sums.add(piece.size)
    return sums.moments(channels)


class Renditions:
    """One image in several forms.

    Args:
        pixels: (height, width, 3) uint8.
    """

    def __init__(self, pixels: RGBImage) -> None:
        self.pixels = pixels

    @cached_property
    def moments(self) -> list[Moments]:
        """Of red, green and blue."""
        return moments(self.pixels, 3)

    @property
    def grey_pixels(self) -> NDArray[np.uint8]:
        """(height, width): ITU-R 601, (19595 R + 38470 G + 7471 B + 32768) // 65536, as Pillow computes it."""
        return self._forms[0]

    @cached_property
    def grey(self) -> Image.Image:
        """`grey_pixels` as Pillow holds them."""
        return Image.fromarray(self.grey_pixels)

    @property
    def small(self) -> Image.Image:
        """Squares of n×n pixels averaged, n = longest side // 512; smaller ones at the right and lower border."""
        return self._forms[1]

    @cached_property
    def smaller(self) -> Image.Image:
        """`small`, halved."""
        return halved(self.small)

    @cached_property
    def rgb(self) -> Image.Image:
        """The whole image as Pillow holds it."""
        return Image.fromarray(self.pixels)

    @cached_property
    def _forms(self) -> tuple[NDArray[np.uint8], Image.Image]:
        height, width = self.pixels.shape[:2]
        factor = shrinking(width, height)
        rows = factor * max(1, _STRIP // (width * factor))
        grey = np.empty((height, width), dtype=np.uint8)
        small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
        pixels = np.ascontiguousarray(self.pixels)
        strip = Image.new("RGB", (width, min(rows, height)))
        for top in range(0, height, rows):
            part = pixels[top : top + rows]
            if len(part) < strip.height:
                strip = Image.new("RGB", (width, len(part)))
            # Into the same memory, and out of it by its bytes: new images and arrays take longer for the same.
            strip.frombytes(part.data)
            grey[top : top + rows].reshape(-1)[...] = np.frombuffer(strip.convert("L").tobytes(), dtype=np.uint8)
            small.paste(strip.reduce(factor), (0, top // factor))
        return grey, small


def shrinking(width: int, height: int) -> int:
    """How many pixels of an image lie side by side in one of its small image."""
    return max(1, max(width, height) // SMALL)


def halved(small: Image.Image) -> Image.Image:
    """The small image with squares of 2×2 pixels averaged; as it is where that would leave less than 256 pixels."""
    return small.reduce(2) if max(small.size) >= SMALL else small


def _whole(number: int) -> int:
    return -(-number // (_GROUP * _RUN)) * _GROUP * _RUN
