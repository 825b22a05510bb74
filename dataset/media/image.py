"""From bytes to pixels as they are meant to be seen.

JPEG files of the common kinds are decoded by simplejpeg where it is installed, all else by Pillow; the pixels are the
same with and without simplejpeg. Nothing is changed for the rest of the process but what Pillow says while it decodes.

A file whose header claims more than twice `PIL.Image.MAX_IMAGE_PIXELS` pixels (179 million, unless that is changed) is
refused before anything is decoded: it may be a decompression bomb. This is Pillow's own limit and rule.
"""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import UnreadableMediaError
from ..labels import ImageMetadata
from ..types import RGBImage
from . import jpeg, probe
from .exif import Taken, read_exif, taken, turned
from .reading import read_media

# EPS would start another program; the others are no images or have nothing by which to know them.
_REFUSED = {"BUFR", "EPS", "GRIB", "HDF5", "IM", "IMT", "IPTC", "MPEG", "PCD", "SPIDER", "WMF"}
_MIME_TYPES = {
    "MPO": "image/jpeg",
    "DIB": "image/bmp",
    "CUR": "image/x-icon",
    "QOI": "image/qoi",
    "DDS": "image/vnd.ms-dds",
}


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image, decoded.

    Attributes:
        pixels: (height, width, 3) uint8, as meant to be seen.
        native: the values as stored, before colours, depth and transparency were brought to those of `pixels`: (h, w)
            or (h, w, channels) of any number type. Of a palette image the colours that it shows. Not turned; may be
            `pixels` itself.
        metadata: what the file says.
    """

    pixels: RGBImage
    native: NDArray[Any]
    metadata: ImageMetadata


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An image file whose header was read; its pixels are decoded by `decode`.

    Attributes:
        metadata: what the header says, width and height as displayed.
    """

    metadata: ImageMetadata
    _data: bytes
    _jpeg: jpeg.JpegHeader | None
    _image: Image.Image | None

    def decode(self, shortest: int | None = None) -> DecodedImage:
        """Decode the first, or only, image of the file.

        Args:
            shortest: where a smaller image will do, how long its shorter side must be at least; a JPEG is then decoded
                at a half, a quarter or an eighth of its size, from fewer frequencies. None decodes all pixels.

        Raises:
            UnreadableMediaError: if anything is wrong with it. The message is the reason alone.
        """
        defect = self.defect()
        if defect is not None:
            raise UnreadableMediaError(defect)
        try:
            return self._decode(self.divisor(shortest))
        except UnreadableMediaError:
            raise
        except Exception as error:  # a decoder fed with garbage raises whatever its parser stumbles over
            known = self._jpeg is not None and self._jpeg.plain
            raise UnreadableMediaError(_reason(error, known=known)) from error

    def defect(self) -> str | None:
        """Why the file cannot be whole, as far as that is seen without decoding; None if nothing is seen."""
        return probe.container_defect(self._data)

    def divisor(self, shortest: int | None) -> int:
        """By how much the sides of the image are divided when it is decoded for a shorter side of so many pixels."""
        if shortest is None or self._jpeg is None:
            return 1
        side = min(self._jpeg.width, self._jpeg.height)
        return next((divisor for divisor in (8, 4, 2) if side // divisor >= shortest), 1)

    def _decode(self, divisor: int) -> DecodedImage:
        native = None if self._jpeg is None else jpeg.decode(self._data, self._jpeg, divisor)
        if native is not None:
            pixels = native if native.ndim == 3 else np.repeat(native[:, :, None], 3, axis=2)
            orientation = self.metadata.orientation
        else:
            with _quiet():
                image = self._image or _open(self._data)
                defect = probe.strips_defect(image, len(self._data))
                if defect is not None:
                    raise UnreadableMediaError(defect)
                if divisor > 1:  # rounded down, or Pillow would take the next larger size
                    image.draft(None, (image.width // divisor, image.height // divisor))
                image.load()
                pixels, native = _to_rgb(image)
            # Pillow turns TIFF files itself, and no others.
            orientation = None if image.format == "TIFF" else self.metadata.orientation
        if probe.ends_in_grey(pixels):
            raise UnreadableMediaError(probe.GREY_END)
        seen = turned(pixels, orientation)
        return DecodedImage(seen, seen if native is pixels else native, self.metadata)


def decode(data: bytes) -> DecodedImage:
    """Decode an image file as it is meant to be seen.

    The EXIF orientation is applied. Grey, palette, CMYK and other colour spaces become RGB; transparent parts show
    white, as in a browser; 16-bit grey is divided by 257; floats are taken as 0..1, or as 0..255 if one is larger
    than 1; NaN is black. Of an animation, the first frame is decoded. Colour profiles are not applied.

    Args:
        data: the bytes of the file.

    Raises:
        UnreadableMediaError: if it is no image, or a damaged one. The message is the reason alone.
    """
    return open_image(data).decode()


def decode_image(path: str) -> RGBImage:
    """Read and decode one image file, by path or URL; see `decode`.

    Returns:
        (height, width, 3) uint8.

    Raises:
        UnreadableMediaError: if the file cannot be read or decoded. The message is the reason alone.
        SourceUnavailableError: if no file can be read from where it lies; see `reading.read_media`.
    """
    return decode(read_media(os.fspath(path))).pixels


def open_image(data: bytes) -> ImageFile:
    """Read the header of an image file.

    Raises:
        UnreadableMediaError: if it is no image, has no pixels or more than the limit. The message is the reason alone.
    """
    header = jpeg.read_header(data) if data.startswith(jpeg.START) else None
    if header is not None:
        with _quiet():
            said = read_exif(header.exif, header.xmp)
        metadata = _metadata((header.width, header.height), header.channels, len(data), "image/jpeg", said)
        return ImageFile(_checked(metadata), data, header, None)
    try:
        with _quiet():
            image = _open(data)
            said = _taken(image, data)
            metadata = _metadata(_stored_size(image), len(image.getbands()), len(data), _mime_type(image), said)
    except UnidentifiedImageError as error:
        raise UnreadableMediaError(probe.refuse_kind(data)) from error
    except Image.DecompressionBombError as error:
        raise UnreadableMediaError(_too_large()) from error
    except Exception as error:  # as in `ImageFile.decode`
        raise UnreadableMediaError(probe.container_defect(data) or _reason(error)) from error
    return ImageFile(_checked(metadata), data, None, image)


def pixel_limit() -> float:
    """The most pixels that an image may have to be decoded."""
    return float("inf") if Image.MAX_IMAGE_PIXELS is None else 2 * Image.MAX_IMAGE_PIXELS


def _checked(metadata: ImageMetadata) -> ImageMetadata:
    assert metadata.width is not None
    assert metadata.height is not None
    if metadata.width == 0 or metadata.height == 0:
        raise UnreadableMediaError(probe.NO_PIXELS)
    if metadata.width * metadata.height > pixel_limit():
        raise UnreadableMediaError(_too_large())
    return metadata


def _too_large() -> str:
    return f"the image has more than {pixel_limit():,.0f} pixels, the limit"


def _metadata(size: tuple[int, int], channels: int, size_bytes: int, mime_type: str, said: Taken) -> ImageMetadata:
    width, height = reversed(size) if (said.orientation or 1) > 4 else size
    return ImageMetadata(
        size_bytes=size_bytes,
        mime_type=mime_type,
        width=width,
        height=height,
        num_channels=channels,
        orientation=said.orientation,
        taken_at=said.taken_at,
        latitude=said.latitude,
        longitude=said.longitude,
    )


def _open(data: bytes) -> Image.Image:
    Image.init()
    formats = [name for name in Image.OPEN if name not in _REFUSED]
    return Image.open(BytesIO(data), formats=formats)


def _mime_type(image: Image.Image) -> str:
    name = image.format or ""
    return _MIME_TYPES.get(name) or Image.MIME.get(name) or f"image/x-{name.lower()}"


def _stored_size(image: Image.Image) -> tuple[int, int]:
    if image.format == "TIFF":  # Pillow gives the size as displayed
        tags = image.tag_v2  # type: ignore[attr-defined]  # only TIFF files have it
        return tags[256], tags[257]
    return image.size


def _taken(image: Image.Image, data: bytes) -> Taken:
    if image.format == "PNG" and "exif" not in image.info:  # it may lie behind the pixels
        for name, start, length in probe.png_chunks(data):
            if name == b"eXIf":
                image.info["exif"] = b"Exif\0\0" + data[start : start + length]
    try:
        return taken(Image.Image.getexif(image))  # PNG's own would decode the file
    except Exception:  # noqa: BLE001  # a damaged block raises whatever its parser stumbles over
        return Taken()


def _to_rgb(image: Image.Image) -> tuple[RGBImage, NDArray[Any]]:
    if image.mode.startswith("I") or image.mode == "F":
        native = np.asarray(image)
        return np.repeat(_to_eight_bits(native)[:, :, None], 3, axis=2), native
    shown = image
    if image.has_transparency_data:
        over = image.convert("RGBA")
        shown = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    pixels = np.array(shown.convert("RGB"), dtype=np.uint8)
    if image.mode == "1":
        return pixels, pixels[:, :, 0]
    return pixels, pixels if image.mode in {"P", "PA", "RGB", "RGBX"} else np.asarray(image)


def _to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    grey = np.nan_to_num(values.astype(np.float64))
    largest = grey.max(initial=0.0)
    if values.dtype.kind == "f":
        grey = grey * 255 if largest <= 1 else grey
    elif largest > 255:
        grey = grey / 257
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _reason(error: Exception, *, known: bool = False) -> str:
    """Word an error of a decoder; `known` says that it supports this kind of file, whatever it says."""
    text = str(error)
    if "truncated" in text.lower() or "remature end" in text:
        return probe.TRUNCATED
    if isinstance(error, Image.DecompressionBombError):
        return _too_large()
    if isinstance(error, MemoryError) or (not known and (isinstance(error, NotImplementedError) or "upported" in text)):
        return f"the image cannot be decoded: {text or type(error).__name__}"
    return probe.GARBLED


_waiting = threading.Lock()
_inside = 0
_filters: list[Any] = []
_entry: Any = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow from warning of odd metadata and large sizes: what cannot be decoded, it raises.

    The filters belong to the process, so there is one entry, for Pillow's modules alone, from the first thread that
    comes in until the last is out; the entries of others stay as they are.
    """
    global _inside, _filters, _entry  # noqa: PLW0603  # what belongs to the process is counted for the process
    with _waiting:
        _inside += 1
        if _inside == 1:
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _filters, _entry = warnings.filters, warnings.filters[0]  # type: ignore[assignment]  # a list, whatever its stub says
    try:
        yield
    finally:
        with _waiting:
            _inside -= 1
            if _inside == 0 and _entry in _filters:
                _filters.remove(_entry)


def _begin_anew() -> None:
    """In a forked child none of the parent's threads is inside, and their lock may be held for ever."""
    global _waiting, _inside  # what belongs to the process is counted for the process
    _waiting, _inside = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
