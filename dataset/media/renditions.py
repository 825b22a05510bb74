"""An image in the forms from which figures, hashes and thumbnails are made; each is made once, when it is first used."""

from functools import cached_property

from PIL import Image

from ..types import RGBImage

SMALL = 512
"""The longest side of the small image is at least this, and less than twice this, where the image is large enough."""


class Renditions:
    """One image in several forms.

    Args:
        pixels: (height, width, 3) uint8.
    """

    def __init__(self, pixels: RGBImage) -> None:
        self.pixels = pixels

    @cached_property
    def rgb(self) -> Image.Image:
        """The image as Pillow holds it."""
        return Image.fromarray(self.pixels)

    @cached_property
    def grey(self) -> Image.Image:
        """ITU-R 601 as Pillow computes it: (19595 R + 38470 G + 7471 B + 32768) // 65536, 0..255."""
        return self.rgb.convert("L")

    @cached_property
    def small(self) -> Image.Image:
        """Squares of n×n pixels averaged, n = longest side // 512; smaller ones at the right and lower border."""
        return self.rgb.reduce(max(1, max(self.rgb.size) // SMALL))
