"""Figures of how good an image is, by Lightly's names: pure functions on pixels.

Sums are whole numbers until the last step, so a figure is the same on every machine. "Grey" is that of `Renditions`.
"""

from functools import cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..types import RGBImage
from .renditions import PIECE, Renditions, Sums, moments

_TALLEST = 400  # Lightly's, of the image whose rows are looked at
_FLAT = 5  # of 255; Lightly's
_PARTS = 1 << 32  # of one unit of lightness: whole, so sums do not depend on their order
_FLAT_SHARE = 0.97  # of a row's pixels; Lightly's


def quality(pixels: RGBImage, native: NDArray[Any] | None = None, size_bytes: int | None = None) -> dict[str, Any]:
    """All figures of an image.

    Args:
        pixels: the image as meant to be seen.
        native: the values as stored, for `snr`; `pixels` if None.
        size_bytes: the size of the file; None leaves `sizeInBytes` out.

    Returns:
        By Lightly's names without "lightly.": `snr`, `sharpness`, `sizeInBytes`, `width`, `height`, `shape`, `mean`,
        `std`, `sumOfValues`, `sumOfSquares`, `meanRed`, `meanGreen`, `meanBlue`, `uniformRowRatio`, `luminance`,
        `contrast`.
    """
    return figures(Renditions(pixels), pixels if native is None else native, size_bytes)


def figures(image: Renditions, native: NDArray[Any], size_bytes: int | None = None) -> dict[str, Any]:
    """As `quality`, of an image whose forms others use too."""
    height, width = image.pixels.shape[:2]
    red, green, blue = channels = image.moments
    size = {} if size_bytes is None else {"sizeInBytes": size_bytes}
    mean = [channel.mean / 255 for channel in channels]
    return {
        "snr": (red + green + blue).ratio if native is image.pixels else signal_to_noise(native),
        "sharpness": sharpness(image.grey_pixels),
        **size,
        "width": width,
        "height": height,
        "shape": [height, width, 3],
        "mean": mean,
        "std": [channel.deviation / 255 for channel in channels],
        "sumOfValues": [channel.total / 255 for channel in channels],
        "sumOfSquares": [channel.squares / 65025 for channel in channels],
        "meanRed": mean[0],
        "meanGreen": mean[1],
        "meanBlue": mean[2],
        "uniformRowRatio": _uniform_rows(image.grey),
        "luminance": _lightness(image.smaller),
        "contrast": moments(image.grey_pixels)[0].deviation,
    }


def signal_to_noise(values: NDArray[Any]) -> float:
    """The mean of all values divided by their population standard deviation; 0 where that is 0.

    Args:
        values: of any shape and number type; what is not finite is left out.
    """
    if values.dtype == np.uint8:
        return moments(values)[0].ratio
    finite = values[np.isfinite(values)].astype(np.float64)
    deviation = float(finite.std()) if finite.size else 0.0
    return float(finite.mean()) / deviation if deviation else 0.0


def sharpness(grey: NDArray[np.uint8]) -> float:
    """How much edges stand out, 0..127.5.

    The population standard deviation of the grey image under the 3×3 filter with 8 in the middle and -1 around it,
    clipped to 0..255. The pixels at the border stay as they are, so a small light image of one colour is not at 0.

    Args:
        grey: (height, width) uint8.
    """
    height, width = grey.shape
    if height < 3 or width < 3:
        return moments(grey)[0].deviation
    rows = max(1, min(PIECE // width, height - 2))
    sums = Sums(rows * width)
    # Made once: new memory for every strip would cost more than the sums.
    room = np.empty((2, (rows + 2) * width), dtype=np.int16)
    for top in range(1, height - 1, rows):
        strip = np.ascontiguousarray(grey[top - 1 : top + rows + 1])
        size = strip.size - 2 * width
        _edges(strip, room[0], room[1], sums.room[:size])
        sums.add(size)
    return (sums.moments()[0] + moments(grey[:: height - 1])[0]).deviation


def _edges(
    strip: NDArray[np.uint8], values: NDArray[np.int16], sums: NDArray[np.int16], edges: NDArray[np.int16]
) -> None:
    """Filter all rows of a strip but the first and the last, and take 128 off, as `Sums` wants it."""
    _filter(strip, values, sums, edges)
    np.subtract(edges, 128, out=edges)
    np.clip(edges, -128, 127, out=edges)
    filtered, kept = edges.reshape(-1, strip.shape[1]), strip[1:-1]
    for border in (0, -1):
        np.subtract(kept[:, border], 128, out=filtered[:, border], dtype=np.int16)


def _filter(
    strip: NDArray[np.uint8], values: NDArray[np.int16], sums: NDArray[np.int16], filtered: NDArray[np.int16]
) -> None:
    """Of all rows but the first and the last, nine times the middle less the sum of all nine; the border means nothing.

    The rows are handled as one long row, so the processor always has long runs; what is computed across the ends of two
    rows lands on the border.
    """
    width, size = strip.shape[1], filtered.size
    values, sums = values[: strip.size], sums[:size]
    values[...] = strip.reshape(-1)
    np.add(values[:size], values[width : width + size], out=sums)
    np.add(sums, values[2 * width :], out=sums)
    filtered[0] = filtered[-1] = 0
    inside = filtered[1:-1]
    np.multiply(values[width + 1 : width + size - 1], 9, out=inside)
    for column in range(3):
        np.subtract(inside, sums[column : column + size - 2], out=inside)


def uniform_row_ratio(pixels: RGBImage) -> float:
    """The share of rows in which nothing changes, 0..1: high in frames of video that broke.

    The grey image, divided by 255, is shrunk to at most 400 rows by averaging n×n pixels, n = ⌈height / 400⌉ (fewer
    columns where less than 3 would be left). Of each
    pixel inside the border the filter with 8 in the middle and -1 around it is taken. A row is uniform if more than
    97 % of its pixels are within ±5/255; 0 for images under 3 pixels in either direction. Lightly advises to keep what
    is below 0.025.
    """
    return _uniform_rows(Renditions(pixels).grey)


def _uniform_rows(grey: Image.Image) -> float:
    width, height = grey.size
    if min(width, height) < 3:
        return 0.0
    factor = ceil(height / _TALLEST)
    small = np.asarray(grey.reduce((min(factor, width // 3), factor)))
    values, sums = np.empty((2, small.size), dtype=np.int16)
    filtered = np.empty((small.shape[0] - 2, small.shape[1]), dtype=np.int16)
    _filter(small, values, sums, filtered.reshape(-1))
    filtered += _FLAT
    flat = filtered.view(np.uint16) <= 2 * _FLAT  # negative is very large when taken unsigned
    counts = np.add.reduce(flat[:, 1:-1], axis=1, dtype=np.int32)
    return float(np.mean(counts > _FLAT_SHARE * (small.shape[1] - 2)))


def luminance(pixels: RGBImage) -> float:
    """How light the image looks, 0 black to 100 white: the mean of CIELAB's L* over its pixels.

    sRGB values are made linear, Y = 0.2126 R + 0.7152 G + 0.0722 B, L* = 116 ∛Y - 16 (903.3 Y below 0.008856). Where a
    side has 512 pixels or more, squares of n×n pixels are averaged first, n = longest side // 512, then squares of 2×2.

    The mean of the lightness, not the lightness of the mean light: a few lamps do not make a night bright.

    Source: IEC 61966-2-1 (sRGB), CIE 15 (L*).
    """
    return _lightness(Renditions(pixels).smaller)


def _lightness(small: Image.Image) -> float:
    pixels = np.asarray(small)
    # "clip" clips nothing here, and is the fast way.
    light, green, blue = (np.take(_light()[c], pixels[:, :, c], mode="clip") for c in range(3))
    light += green
    light += blue
    lightness = np.take(_lightness_of_light(), light, mode="clip")
    return int(lightness.sum()) / _PARTS / light.size


@cache
def _light() -> NDArray[np.uint16]:
    """The light of each channel's values, in parts of 65535: whole, so sums do not depend on their order."""
    values = np.arange(256) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    red, green, blue = (weight * linear * 65535 for weight in (0.2126, 0.7152, 0.0722))
    # Green is rounded down, or white would be 65536.
    light: NDArray[np.uint16] = np.stack([np.rint(red), np.floor(green), np.rint(blue)]).astype(np.uint16)
    return light


@cache
def _lightness_of_light() -> NDArray[np.int64]:
    light = np.arange(1 << 16) / 65535
    lightness = np.where(light <= 216 / 24389, light * 24389 / 27, 116 * np.cbrt(light) - 16)
    parts: NDArray[np.int64] = np.rint(lightness * _PARTS).astype(np.int64)
    return parts


def contrast(pixels: RGBImage) -> float:
    """The population standard deviation of the grey image, 0..127.5."""
    return moments(Renditions(pixels).grey_pixels)[0].deviation
