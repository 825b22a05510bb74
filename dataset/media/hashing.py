"""Hashes: of a file's bytes, and of what an image looks like."""

from functools import cache
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from xxhash import xxh3_128, xxh3_128_hexdigest

from ..types import RGBImage

_PIECE = 1 << 20
_SIDE = 32  # of the image whose frequencies are taken
_KEPT = 8  # lowest frequencies in each direction


def content_hash(data: bytes) -> str:
    """The xxh3-128 of the bytes of a file, as 32 hexadecimal digits.

    It is fast, not secret: it names files that nobody forged. Two files of 10 billion have the same by chance with a
    probability below 2e-19.

    Example:
        >>> content_hash(b"saccade")
        '4bf74962036d717d781e3e01f2e2623f'
    """
    return xxh3_128_hexdigest(data)


def file_hash(file: BinaryIO) -> str:
    """The same of a file that is read in pieces, from its beginning."""
    file.seek(0)
    state = xxh3_128()
    while piece := file.read(_PIECE):
        state.update(piece)
    return state.hexdigest()


def pixels_hash(pixels: RGBImage) -> str:
    """The xxh3-128 of the shape and the pixels, as 32 hexadecimal digits: for what is no file, as a video's frame."""
    state = xxh3_128(np.array(pixels.shape, dtype="<i8").tobytes())
    state.update(np.ascontiguousarray(pixels).data)
    return state.hexdigest()


def perceptual_hash(pixels: RGBImage) -> str:
    """A hash of what an image looks like, as 16 hexadecimal digits: alike images have few different bits.

    The grey image is shrunk to 32×32, ignoring its shape. Of its discrete cosine transform the 64 frequencies with 1
    to 8 half waves in each direction are kept; a bit is 1 where the coefficient is above the median of the 64. The
    first bit is the lowest frequency, and rows go downwards. Size, JPEG and brightness change few bits; turning,
    mirroring and cropping change many. An image of one colour has all bits 0.

    Source: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, 3.2.1 (pHash).
    """
    return hash_of_grey(Image.fromarray(pixels).convert("L"))


def hash_of_grey(grey: Image.Image) -> str:
    """As `perceptual_hash`, of an image that is grey already."""
    small = grey.resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    waves = _waves()
    values = waves @ np.asarray(small, dtype=np.float64) @ waves.T
    # Rounded: what is zero but for the last bits of a float is zero on every machine.
    values = np.round(values, 6)
    return np.packbits(values.ravel() > np.median(values)).tobytes().hex()


def hash_distance(first: str, second: str) -> int:
    """The number of bits in which two hashes of the same length differ, 0..64 for perceptual hashes.

    Unrelated images differ in about 32 of 64 bits; copies that were scaled, compressed or brightened in less than 10.

    Example:
        >>> hash_distance("00000000000000ff", "000000000000000f")
        4
    """
    if len(first) != len(second):
        raise ValueError(f"hashes of {len(first)} and {len(second)} digits cannot be compared. Use two of one kind.")
    return (int(first, 16) ^ int(second, 16)).bit_count()


@cache
def _waves() -> NDArray[np.float64]:
    frequencies, places = np.arange(1, _KEPT + 1)[:, None], np.arange(_SIDE)[None, :]
    waves: NDArray[np.float64] = np.cos(np.pi / _SIDE * (places + 0.5) * frequencies)
    return waves
