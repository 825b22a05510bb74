"""Everything asked for of one image, from one read of it; bad data gives a reason instead of an error."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from ..errors import UnreadableMediaError
from ..labels import ImageMetadata, Metadata
from ..types import RGBImage
from . import hashing, quality
from .image import DecodedImage, ImageFile, open_image
from .renditions import Renditions
from .thumbnails import make_thumbnail, thumbnail_from
from .video import check_video, decode_frames, read_video

SMALLEST = 128
"""The shorter side from which the looks of an image are taken: a JPEG is decoded to no less."""


@dataclass(frozen=True)
class Wanted:
    """What is to be found out.

    Attributes:
        metadata: kind, size, orientation, time and place.
        quality: Lightly's figures.
        hashes: of the content and of the looks.
        content_hash: of the content alone.
        pixels: the image itself.
        shortest: where a smaller image will do, how long its shorter side must be at least; None wants all pixels.
        thumbnail: its longest side, in pixels; None makes none.
        check: decode the file even if nothing that was asked for needs it, to know whether it is whole. Without, only
            the header and the container are looked at where metadata alone is wanted.
    """

    metadata: bool = False
    quality: bool = False
    hashes: bool = False
    content_hash: bool = False
    pixels: bool = False
    shortest: int | None = None
    thumbnail: int | None = None
    check: bool = True

    def __or__(self, other: "Wanted") -> "Wanted":
        """What either of the two wants; of two sizes of thumbnails, the larger."""
        sides = [side for side in (self.thumbnail, other.thumbnail) if side is not None]
        return Wanted(
            metadata=self.metadata or other.metadata, quality=self.quality or other.quality,
            hashes=self.hashes or other.hashes, content_hash=self.content_hash or other.content_hash,
            pixels=self.pixels or other.pixels, shortest=_larger(self, other),
            thumbnail=max(sides, default=None), check=self.check or other.check,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was found out; what was not asked for is None.

    Attributes:
        metadata: kind, size, orientation, time and place; of a damaged file too, if its header can be read.
        quality: Lightly's figures by their names, without "lightly.".
        content_hash: 32 hexadecimal digits; of a damaged file too.
        perceptual_hash: 16 hexadecimal digits.
        thumbnail: a WebP file.
        pixels: (height, width, 3) uint8.
        error: why the file is no image or damaged; None if it is whole.
    """

    metadata: Metadata | None = None
    quality: dict[str, Any] | None = None
    content_hash: str | None = None
    perceptual_hash: str | None = None
    thumbnail: bytes | None = None
    pixels: RGBImage | None = None
    error: str | None = None


def inspect_image(data: bytes, wanted: Wanted) -> Inspection:
    """Find out what is wanted of an image file. Nothing is raised for bad data; the reason is in `error`.

    Figures come from all pixels. What needs fewer, such as the perceptual hash, comes from a JPEG that is decoded to a
    smaller size, whether or not it is decoded in full as well: so no number depends on what else was asked for. Only a
    thumbnail, which is for the eye, is made of what there is. Several threads may call this; decoding and most figures
    run side by side.
    """
    digest = hashing.content_hash(data) if wanted.hashes or wanted.content_hash else None
    metadata = None
    try:
        file = open_image(data)
        metadata = file.metadata if wanted.metadata else None
        needs = wanted.check or wanted.quality or wanted.hashes or wanted.pixels or wanted.thumbnail is not None
        if not needs:
            return Inspection(metadata=metadata, content_hash=digest, error=file.defect())
        return _found(_Decodes(file), wanted, metadata, digest, len(data))
    except UnreadableMediaError as error:
        return Inspection(metadata=metadata, content_hash=digest, error=str(error))


def inspect_pixels(pixels: RGBImage, wanted: Wanted) -> Inspection:
    """Find out what is wanted of an image that is no file of its own, as a frame of a video.

    The content hash is that of the pixels and their shape; `sizeInBytes` and the kind of file are left out.

    Args:
        pixels: (height, width, 3) uint8.
        wanted: what is to be found out.
    """
    metadata = ImageMetadata(width=pixels.shape[1], height=pixels.shape[0], num_channels=3)
    digest = hashing.pixels_hash(pixels) if wanted.hashes or wanted.content_hash else None
    decoded = DecodedImage(pixels, pixels, metadata)
    return _found(lambda _shortest: decoded, wanted, metadata if wanted.metadata else None, digest, None)


def inspect_video(file: BinaryIO, wanted: Wanted) -> Inspection:
    """Find out what is wanted of a video as a whole: metadata, the hash of its bytes, and how its first frame looks.

    Whether it is whole is known after a decode of all its frames. It has no figures and no pixels: its frames have.

    Args:
        file: seekable.
        wanted: what is to be found out.
    """
    size_bytes = file.seek(0, io.SEEK_END)
    digest = hashing.file_hash(file) if wanted.hashes or wanted.content_hash else None
    metadata = None
    first = Inspection()
    try:
        if wanted.metadata:
            metadata = read_video(file, size_bytes)
        if wanted.hashes or wanted.thumbnail is not None:
            for _, pixels in decode_frames(file, [1]):
                if isinstance(pixels, UnreadableMediaError):
                    raise pixels
                first = inspect_pixels(pixels, replace(wanted, quality=False, metadata=False, pixels=False))
        error = check_video(file) if wanted.check else None
    except UnreadableMediaError as failure:
        error = str(failure)
    return replace(first, metadata=metadata, content_hash=digest, error=error)


class _Decodes:
    """Decodes an image, each size once."""

    def __init__(self, file: ImageFile) -> None:
        self._file = file
        self._done: dict[int, DecodedImage] = {}

    def __call__(self, shortest: int | None) -> DecodedImage:
        divisor = self._file.divisor(shortest)
        if divisor not in self._done:
            self._done[divisor] = self._file.decode(shortest)
        return self._done[divisor]


def _found(
    decode: Callable[[int | None], DecodedImage], wanted: Wanted, metadata: ImageMetadata | None, digest: str | None,
    size_bytes: int | None,
) -> Inspection:  # fmt: skip
    figures = looks = thumbnail = image = None
    if wanted.quality:
        decoded = decode(None)
        image = Renditions(decoded.pixels)
        figures = quality.figures(image, decoded.native, size_bytes)
    if wanted.hashes:
        looks = hashing.perceptual_hash(decode(SMALLEST).pixels)
    elif wanted.check:
        decode(SMALLEST)
    if wanted.thumbnail is not None and image is not None:
        thumbnail = thumbnail_from(image, wanted.thumbnail)
    elif wanted.thumbnail is not None:
        thumbnail = make_thumbnail(decode(2 * wanted.thumbnail).pixels, wanted.thumbnail)
    pixels = decode(wanted.shortest).pixels if wanted.pixels else None
    return Inspection(metadata, figures, digest, looks, thumbnail, pixels)


def _larger(one: Wanted, other: Wanted) -> int | None:
    """The shorter side that serves both; None where one wants all pixels."""
    sides = [wanted.shortest for wanted in (one, other) if wanted.pixels]
    return None if None in sides else max((side for side in sides if side is not None), default=None)
