"""The built-in descriptor: 352 numbers that say how an image looks, with nothing to download and nothing to fit.

It knows shapes, layout, texture and colour, not objects. An image's vector depends on that image alone, so vectors of
different datasets may be compared, and equal pixels give equal vectors, bit by bit.

The image is squeezed to 64 x 64 pixels (bicubic, anti-aliased); Y is its luma, Cb and Cr its colour differences
(BT.601), all in 0..1. Four blocks follow, each brought to length one (a flat block to less: see `_unit`) and weighted;
the whole vector has length one.

==========  =========  ======  ==============================================================================
columns     block      weight  meaning
==========  =========  ======  ==============================================================================
0 .. 127    gradients  1       strength of edges in 8 directions (0 to 157.5 degrees) in each of 4 x 4 cells,
                               square root; column = direction * 16 + cell, cells row by row
128 .. 191  layout     1       the 64 lowest frequencies of Y's cosine transform but the mean: light and dark
                               areas; by rising vertical + horizontal frequency, lower vertical first
192 .. 223  texture    0.5     logarithm of Y's spectral power in 4 rings (octaves from 2 to 32 periods per image)
                               times 8 directions; column = ring * 8 + direction
224 .. 351  colour     0.5     how much of each quarter of the image has a luma near 0, 1/6, ..., 1 (28 columns)
                               and a (Cb, Cr) near each point of a 5 x 5 grid (100 columns), square root
==========  =========  ======  ==============================================================================

Source: ours, from known parts: histograms of oriented gradients (Dalal and Triggs, 2005), the spectral envelope of a
scene (Oliva and Torralba, 2001), colour histograms (Swain and Ballard, 1991), and the square root that makes Euclidean
distances of histograms Hellinger distances.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import FloatArray, RGBImage
from .preparation import squeezed

_SIZE = 64
_DIRECTIONS = 8
_WEIGHTS = (1.0, 1.0, 0.5, 0.5)


class BuiltinModel:
    """The download-free descriptor of colour, gradients and frequency."""

    name = "builtin"
    version = "2"
    dim = 352
    shortest_side = 128

    def prepare(self, image: RGBImage) -> NDArray[np.uint8]:
        """Squeeze one image of any size to (64, 64, 3) uint8.

        Raises:
            ModelError: if the image is not (height, width, 3) uint8 with at least one pixel.
        """
        return squeezed(image, _SIZE)

    def embed_prepared(self, prepared: Sequence[NDArray[Any]]) -> FloatArray:
        """Describe what `prepare` gave.

        Returns:
            (len(prepared), 352) float32, each row of length one.
        """
        vectors = np.empty((len(prepared), self.dim), dtype=np.float32)
        for index, small in enumerate(prepared):
            # One by one: a product over the whole batch may round differently with the size of the batch.
            vectors[index] = _described(small)
        return vectors

    def embed(self, images: Sequence[RGBImage]) -> FloatArray:
        """Describe images of any size.

        Returns:
            (len(images), 352) float32, each row of length one.

        Raises:
            ModelError: if an image is not (height, width, 3) uint8 with at least one pixel.
        """
        return self.embed_prepared([self.prepare(image) for image in images])


def describe(image: RGBImage) -> NDArray[np.float64]:
    """Describe one image; the module's text says what each of the 352 numbers means.

    Raises:
        ModelError: if the image is not (height, width, 3) uint8 with at least one pixel.

    Example:
        Two flat images differ in colour alone.

        >>> black, white = np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)
        >>> round(float(describe(black) @ describe(black)), 6), round(float(describe(black) @ describe(white)), 6)
        (1.0, 0.5)
    """
    return _described(squeezed(image, _SIZE))


def _described(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    red, green, blue = np.moveaxis(np.asarray(small, dtype=np.float64) / 255, 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    blocks = (_gradients(luma), _layout(luma), _texture(luma), _colour(luma, blue, red))
    vector: NDArray[np.float64] = np.concatenate(
        [weight * block for weight, block in zip(_WEIGHTS, blocks, strict=True)]
    )
    vector /= np.sqrt(np.square(vector).sum())
    return vector


def _gradients(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    down, right = np.zeros_like(luma), np.zeros_like(luma)
    down[1:-1] = (luma[2:] - luma[:-2]) / 2
    right[:, 1:-1] = (luma[:, 2:] - luma[:, :-2]) / 2
    strength = np.hypot(down, right)
    angle = np.arctan2(down, right)
    angle += (angle < 0) * np.pi  # an edge has no sign
    direction = angle / np.pi * _DIRECTIONS
    # Each edge counts for the two directions that it lies between, the more for the nearer.
    lower = direction.astype(np.intp)
    upper = lower + 1
    around = _DIRECTIONS - 1  # as a mask of bits: after the last direction comes the first
    shares = np.zeros(_DIRECTIONS * _SIZE**2)
    shares[(lower & around) * _SIZE**2 + _PIXELS] = strength * (1 - (direction - lower))
    shares[(upper & around) * _SIZE**2 + _PIXELS] = strength * (1 - (upper - direction))
    cells = _CELLS @ shares.reshape(_DIRECTIONS, _SIZE, _SIZE) @ _CELLS.T
    return _unit(np.sqrt(cells), flat=0.05)


def _layout(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    frequencies = _COSINES @ luma @ _COSINES.T / _SIZE
    return _unit(frequencies[_LOWEST], flat=0.02)


def _texture(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    power = np.square(np.abs(np.fft.rfft2((luma - luma.mean()) * _FADE)))
    bins = np.bincount(_SPECTRUM_BIN.ravel(), weights=power.ravel(), minlength=33)[:32] / _SPECTRUM_SIZE
    return _unit(np.log1p(bins), flat=0.1)


def _colour(luma: NDArray[np.float64], blue: NDArray[np.float64], red: NDArray[np.float64]) -> NDArray[np.float64]:
    luma, blue, red = (_half(channel) for channel in (luma, blue, red))
    blueness, redness = 0.5 + 0.564 * (blue - luma), 0.5 + 0.713 * (red - luma)
    lightness = _shares(luma, _LIGHTNESSES)
    hues = _shares(blueness, _HUES)[:, None] * _shares(redness, _HUES)
    parts = [_QUARTERS @ part @ _QUARTERS.T for part in (lightness, hues.reshape(25, *luma.shape))]
    # Shares of four quarters add up to 4 for luma and 4 for colour: eight in all.
    return np.sqrt(np.concatenate([part.ravel() for part in parts]) / 8)


def _unit(block: NDArray[np.float64], flat: float) -> NDArray[np.float64]:
    """Bring a block to length one; one much shorter than `flat` stays short, or noise would count as structure."""
    block = block.ravel()
    length: float = np.sqrt(np.square(block).sum() + flat * flat)
    return block / length


def _half(channel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.25 * (channel[::2, ::2] + channel[::2, 1::2] + channel[1::2, ::2] + channel[1::2, 1::2])


def _shares(values: NDArray[np.float64], centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share each value between the two nearest of evenly spaced centres."""
    inside = np.minimum(np.maximum(values, centers[0]), centers[-1])
    shares: NDArray[np.float64] = np.abs(inside - centers[:, None, None])
    shares /= centers[1] - centers[0]
    np.subtract(1, shares, out=shares)
    return np.maximum(shares, 0, out=shares)


def _windows(cells: int, size: int) -> NDArray[np.float64]:
    """Weigh `size` pixels for each of `cells` overlapping cells; the weights of a cell add up to one."""
    centers = (np.arange(cells) + 0.5) * size / cells
    weights: NDArray[np.float64] = np.clip(1 - np.abs(np.arange(size) + 0.5 - centers[:, None]) * cells / size, 0, None)
    weights /= weights.sum(axis=0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _cosines(count: int) -> NDArray[np.float64]:
    """The first rows of the orthonormal cosine transform."""
    angles = np.pi * np.arange(count)[:, None] * (np.arange(_SIZE) + 0.5) / _SIZE
    rows: NDArray[np.float64] = np.cos(angles) * np.sqrt(2 / _SIZE)
    rows[0] = np.sqrt(1 / _SIZE)
    return rows


def _lowest(count: int) -> tuple[list[int], list[int]]:
    """The `count` lowest frequencies after the mean, as rows and columns of the cosine transform."""
    pairs = sorted(((v, h) for v in range(count) for h in range(count)), key=lambda pair: (sum(pair), pair))
    return [v for v, _ in pairs[1 : count + 1]], [h for _, h in pairs[1 : count + 1]]


def _spectrum_bins() -> NDArray[np.intp]:
    """The ring and direction of each frequency of `rfft2`; 32 for those in no ring."""
    vertical, horizontal = np.fft.fftfreq(_SIZE)[:, None] * _SIZE, np.fft.rfftfreq(_SIZE)[None] * _SIZE
    ring = np.floor(np.log2(np.maximum(np.hypot(vertical, horizontal), 0.5))).astype(np.intp) - 1
    direction = np.floor(np.arctan2(vertical, horizontal) % np.pi / np.pi * 8).astype(np.intp) % 8
    return np.where((ring >= 0) & (ring < 4), ring * 8 + direction, 32)


_PIXELS = np.arange(_SIZE**2).reshape(_SIZE, _SIZE)
_LIGHTNESSES, _HUES = np.linspace(0, 1, 7), np.linspace(0.1, 0.9, 5)
_CELLS = _windows(4, _SIZE)
_QUARTERS = _windows(2, _SIZE // 2)
_LOWEST = _lowest(64)
_COSINES = _cosines(max(_LOWEST[0] + _LOWEST[1]) + 1)
_FADE = np.outer(np.hanning(_SIZE + 2)[1:-1], np.hanning(_SIZE + 2)[1:-1])
_SPECTRUM_BIN = _spectrum_bins()
_SPECTRUM_SIZE = np.bincount(_SPECTRUM_BIN.ravel(), minlength=33)[:32]
