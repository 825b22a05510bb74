"""An image in the forms from which figures, hashes and thumbnails are made; each is made once, at its first use.

The forms are made strip by strip: what is read from a strip a second and third time is still in the processor's cache,
and no second image of full size is held in memory. That takes half the time of whole images.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..types import RGBImage

SMALL = 512
"""The longest side of the small image is at least this, and less than twice this, where the image is large enough."""

_STRIP = 1 << 17  # pixels, about


class _Forms(NamedTuple):
    counts: NDArray[np.int64]
    grey_counts: NDArray[np.int64]
    grey: NDArray[np.uint8]
    small: RGBImage


class Renditions:
    """One image in several forms.

    Args:
        pixels: (height, width, 3) uint8.
    """

    def __init__(self, pixels: RGBImage) -> None:
        self.pixels = pixels

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many pixels have each value of red, green and blue: (3, 256)."""
        return self._forms.counts

    @property
    def grey_counts(self) -> NDArray[np.int64]:
        """How many pixels have each grey: (256,)."""
        return self._forms.grey_counts

    @property
    def grey_pixels(self) -> NDArray[np.uint8]:
        """(height, width): ITU-R 601, (19595 R + 38470 G + 7471 B + 32768) // 65536, as Pillow computes it."""
        return self._forms.grey

    @cached_property
    def grey(self) -> Image.Image:
        """`grey_pixels` as Pillow holds them."""
        return Image.fromarray(self.grey_pixels)

    @cached_property
    def small(self) -> Image.Image:
        """Squares of n×n pixels averaged, n = longest side // 512; smaller ones at the right and lower border."""
        return Image.fromarray(self._forms.small)

    @cached_property
    def rgb(self) -> Image.Image:
        """The whole image as Pillow holds it."""
        return Image.fromarray(self.pixels)

    @cached_property
    def _forms(self) -> _Forms:
        height, width = self.pixels.shape[:2]
        factor = max(1, max(height, width) // SMALL)
        rows = factor * max(1, _STRIP // (width * factor))
        counts, grey_counts = np.zeros(768, dtype=np.int64), np.zeros(256, dtype=np.int64)
        grey = np.empty((height, width), dtype=np.uint8)
        small = np.empty((-(-height // factor), -(-width // factor), 3), dtype=np.uint8)
        for top in range(0, height, rows):
            strip = Image.fromarray(self.pixels[top : top + rows])
            in_grey = strip.convert("L")
            counts += strip.histogram()
            grey_counts += in_grey.histogram()
            grey[top : top + rows] = np.asarray(in_grey)
            small[top // factor : (top + rows) // factor] = np.asarray(strip.reduce(factor))
        return _Forms(counts.reshape(3, 256), grey_counts, grey, small)
