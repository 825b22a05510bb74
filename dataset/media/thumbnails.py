"""Thumbnails: small WebP images, kept in the cache folder under the hash of the file that they show.

They can be made again at any time. So the folder has no bound while thumbnails are written (about 10 kB each at 256
pixels: 100,000 are 1 GB), and `prune_thumbnails` brings it back to one, least recently used first.
"""

import contextlib
import os
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from .. import settings
from ..types import RGBImage
from .image import open_image
from .renditions import SMALL, Renditions, halved, shrinking

QUALITY = 80
SIZE = 256
"""The longest side of a thumbnail where nobody says otherwise, in pixels."""
THUMBNAIL_BYTES = 10 * 10**9
"""What `prune_thumbnails` leaves, in bytes."""


def make_thumbnail(image: RGBImage | Image.Image, size: int) -> bytes:
    """Shrink an image to a WebP whose longest side is `size` pixels; one that is smaller keeps its size."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    sides = picture.size
    if 2 * size <= SMALL:
        picture = halved(picture.reduce(shrinking(*sides)))
    return _written(picture, sides, size)


def thumbnail_from(image: Renditions, size: int) -> bytes:
    """As `make_thumbnail`, of an image whose forms others use too."""
    sides = image.pixels.shape[1], image.pixels.shape[0]
    return _written(image.smaller if 2 * size <= SMALL else image.rgb, sides, size)


def _written(picture: Image.Image, sides: tuple[int, int], size: int) -> bytes:
    factor = min(1.0, size / max(sides))
    width, height = (max(1, round(side * factor)) for side in sides)
    small = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    written = BytesIO()
    # Method 0 takes a third of the time of the default (4) and gives files a quarter larger, as good to look at.
    small.save(written, "WEBP", quality=QUALITY, method=0)
    return written.getvalue()


def thumbnail_of(data: bytes, size: int) -> bytes:
    """Make the thumbnail of an image file.

    Raises:
        UnreadableMediaError: if the file is no image, or a damaged one. The message is the reason alone.
    """
    return make_thumbnail(open_image(data).decode(2 * size).pixels, size)


def thumbnail_path(content_hash: str, size: int) -> Path:
    """Where the thumbnail of the file with this hash lies, whether or not it exists."""
    return _folder() / str(size) / content_hash[:2] / f"{content_hash}.webp"


def read_thumbnail(content_hash: str, size: int) -> bytes | None:
    """Read a kept thumbnail, or give None if there is none."""
    path = thumbnail_path(content_hash, size)
    try:
        thumbnail = path.read_bytes()
        os.utime(path)  # used now, says `prune_thumbnails`
    except OSError:
        return None
    return thumbnail


def keep_thumbnail(content_hash: str, size: int, thumbnail: bytes) -> Path:
    """Keep a thumbnail. It is seen whole or not at all, also when several processes keep the same one.

    Writes:
        One file under the cache folder.
    """
    path = thumbnail_path(content_hash, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(thumbnail)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return path


def prune_thumbnails(most: int = THUMBNAIL_BYTES) -> int:
    """Remove the least recently used thumbnails until those left have at most `most` bytes.

    Returns:
        How many bytes were removed.
    """
    found = []
    for path in _folder().glob("*/*/*.webp"):
        with contextlib.suppress(OSError):  # another process removes them as well
            facts = path.stat()
            found.append((facts.st_mtime_ns, facts.st_size, path))
    over = sum(size for _, size, _ in found) - most
    removed = 0
    for _, size, path in sorted(found):
        if removed >= over:
            break
        path.unlink(missing_ok=True)
        removed += size
    return removed


def _folder() -> Path:
    return settings.current().cache_dir / "thumbnails"
