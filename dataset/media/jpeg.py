"""JPEG: what the markers of a file say, and its pixels by simplejpeg where it is installed.

simplejpeg and Pillow both decode by libjpeg-turbo. simplejpeg is asked only for kinds of files where both give the same
pixels bit by bit; for all others, and without simplejpeg, `decode` says None and Pillow does the work.
"""

import struct
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

START = b"\xff\xd8\xff"
END = b"\xff\xd9"

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15; three numbers mean other things
_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_LEAST = ("min_width", "min_height")
_LONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_SCAN = 0xDA
_SAMPLINGS = frozenset({(0x11, 0x11, 0x11), (0x21, 0x11, 0x11), (0x22, 0x11, 0x11)})  # 4:4:4, 4:2:2, 4:2:0

# What libjpeg warns of although the pixels are whole.
_HARMLESS = ("Invalid SOS parameters", "unknown JFIF revision", "Unknown Adobe color transform")


@dataclass(frozen=True)
class JpegHeader:
    """What stands before the pixels.

    Attributes:
        width: in pixels, as stored.
        height: in pixels, as stored.
        channels: 1 grey, 3 colour, 4 for print.
        plain: whether simplejpeg and Pillow decode it alike.
        exif: the EXIF block, a TIFF file of its own, if there is one.
        xmp: the XMP packet, if there is one.
        scan: where the first scan begins.
    """

    width: int
    height: int
    channels: int
    plain: bool
    exif: bytes
    xmp: bytes
    scan: int


def read_header(data: bytes) -> JpegHeader | None:
    """Read the markers up to the first scan, or give None where they cannot be followed that far."""
    frame: tuple[int, bytes] | None = None
    exif = xmp = b""
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # fill bytes
            position += 1
            continue
        if marker in _LONE:
            position += 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        body = data[position + 4 : position + 2 + length]
        position += 2 + length
        if marker == _SCAN:
            return None if frame is None else _header(*frame, exif, xmp, position)
        if marker in _FRAMES:
            frame = marker, body
        elif marker == 0xE1 and body.startswith(_EXIF):
            exif += body[len(_EXIF) :]  # a block above 64 kB lies in several segments
        elif marker == 0xE1 and body.startswith(_XMP):
            xmp = body[len(_XMP) :]
    return None


def _header(marker: int, frame: bytes, exif: bytes, xmp: bytes, scan: int) -> JpegHeader | None:
    if len(frame) < 6 or len(frame) < 6 + 3 * frame[5]:
        return None
    precision, height, width, channels = struct.unpack_from(">BHHB", frame)
    sampling = tuple(frame[7 : 7 + 3 * channels : 3])
    plain = marker in _HUFFMAN and precision == 8 and (channels == 1 or sampling in _SAMPLINGS)
    return JpegHeader(width, height, channels, plain, exif, xmp, scan)


def decode(data: bytes, header: JpegHeader, divisor: int = 1) -> NDArray[Any] | None:
    """Decode the pixels strictly, or give None where Pillow has to.

    Args:
        data: the file.
        header: what `read_header` found in it.
        divisor: by how much width and height are divided: 1, 2, 4 or 8; less is decoded then, from fewer frequencies.

    Returns:
        (height, width, 3) uint8, or (height, width) for grey; as stored, not turned.

    Raises:
        ValueError: if anything in the data is wrong; the message is libjpeg's.
    """
    simplejpeg = _simplejpeg()
    if simplejpeg is None or not header.plain:
        return None
    space = "GRAY" if header.channels == 1 else "RGB"
    try:
        least = (-(-side // divisor) if divisor > 1 else 0 for side in (header.width, header.height))
        pixels: NDArray[Any] = simplejpeg.decode_jpeg(data, space, **dict(zip(_LEAST, least, strict=True)))
    except ValueError as error:
        if any(harmless in str(error) for harmless in _HARMLESS):
            return None
        raise
    return np.ascontiguousarray(pixels[:, :, 0]) if header.channels == 1 else pixels


@cache
def _simplejpeg() -> ModuleType | None:
    try:
        return import_module("simplejpeg")
    except ImportError:
        return None
