"""Image files of every kind, made in memory, and ways to damage them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.media.photos import photo


def encoded(image, kind, **options):
    """The bytes of a file."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo_file(kind, *, seed=1, width=150, height=110, **options):
    return encoded(photo(seed, width, height), kind, **options)


def with_exif(pixels, kind="JPEG", *, entries=(), gps=(), times=(), **options):
    exif = Image.Exif()
    exif.update(dict(entries))
    if gps:
        exif.get_ifd(0x8825).update(dict(gps))
    if times:
        exif.get_ifd(0x8769).update(dict(times))
    return encoded(pixels, kind, exif=exif if kind == "TIFF" else exif.tobytes(), **options)


def png(width, height, rows, *, depth=8, colour=2):
    """A PNG written by hand: what its header claims need not be what its rows hold."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def garbled(data, *, at=0.6, count=64, seed=0):
    """The file with random bytes in place of some."""
    start = int(len(data) * at)
    noise = np.random.default_rng(seed).integers(0, 256, count).astype(np.uint8).tobytes()
    return data[:start] + noise + data[start + count :]


def turned_by_hand(pixels, orientation):
    """What EXIF's table says: where the first row and the first column of the stored image are seen."""
    rows = {1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left"}
    columns = {5: "left top", 6: "right top", 7: "right bottom", 8: "left bottom"}
    if orientation in columns:
        pixels = pixels.transpose(1, 0, 2)
        side, start = columns[orientation].split()
        pixels = pixels if side == "left" else pixels[:, ::-1]
        return pixels if start == "top" else pixels[::-1]
    side, start = rows[orientation].split()
    pixels = pixels if side == "top" else pixels[::-1]
    return pixels if start == "left" else pixels[:, ::-1]
