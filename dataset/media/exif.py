"""EXIF: how an image is to be turned, and when and where it was taken.

Cameras and editors write odd values here. What cannot be understood is left out; it never fails the image.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_ORIENTATION = 0x0112
_EXIF, _GPS = 0x8769, 0x8825
_TIMES = ((0x9003, 0x9011, 0x9291), (0x9004, 0x9012, 0x9292))  # taken, then digitized: time, offset, fraction
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


@dataclass(frozen=True)
class Taken:
    """How, when and where.

    Attributes:
        orientation: 1 to 8; None where the file does not say.
        taken_at: by the camera's clock; with its offset from UTC where the file has one.
        latitude: degrees, north positive, -90..90.
        longitude: degrees, east positive, -180..180.
    """

    orientation: int | None = None
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None


def read_exif(block: bytes, xmp: bytes = b"") -> Taken:
    """Read an EXIF block; what is damaged or absent stays None.

    Args:
        block: the block, with or without its "Exif" mark.
        xmp: the file's XMP packet, which is asked for the orientation where EXIF has none.
    """
    exif = Image.Exif()
    try:
        exif.load(block)
    except Exception:  # noqa: BLE001  # a damaged block raises whatever its parser stumbles over
        exif = Image.Exif()
    return taken(exif, xmp)


def taken(exif: Image.Exif, xmp: bytes = b"") -> Taken:
    """Read what Pillow took from the file."""
    orientation = _entry(exif, _ORIENTATION)
    if orientation is None and (found := _XMP_ORIENTATION.search(xmp)):
        orientation = int(found[1])
    latitude, longitude = _place(_part(exif, _GPS))
    known = isinstance(orientation, int) and 1 <= orientation <= 8
    return Taken(orientation if known else None, _time(_part(exif, _EXIF)), latitude, longitude)


def turned(pixels: NDArray[Any], orientation: int | None) -> NDArray[Any]:
    """Turn pixels as stored to how they are meant to be seen, by EXIF's orientation 1 to 8."""
    if orientation is None or orientation == 1:
        return pixels
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    # After the swap: 5 as it is, 6 mirrored left to right, 7 both, 8 upside down.
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _entry(exif: Image.Exif, tag: int) -> Any:
    try:
        return exif.get(tag)
    except Exception:  # noqa: BLE001  # as above: values are parsed when they are asked for
        return None


def _part(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(tag)
    except Exception:  # noqa: BLE001  # as above
        return {}


def _time(part: Mapping[int, Any]) -> datetime | None:
    for time, offset, fraction in _TIMES:
        try:
            moment = datetime.strptime(_text(part.get(time)), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  # the zone comes next, if any
        except ValueError:
            continue
        digits = _text(part.get(fraction))
        if digits.isascii() and digits.isdigit():
            moment = moment.replace(microsecond=int(digits[:6].ljust(6, "0")))
        try:
            zone = datetime.strptime(_text(part.get(offset)), "%z").tzinfo
            moment.replace(tzinfo=zone).astimezone(UTC)  # on the first and last day of the calendar there may be none
        except (ValueError, OverflowError):
            zone = None
        return moment.replace(tzinfo=zone)
    return None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip(" \0") if isinstance(value, str) else ""


def _place(part: Mapping[int, Any]) -> tuple[float | None, float | None]:
    latitude = _degrees(part.get(2), part.get(1), "N", "S", 90)
    longitude = _degrees(part.get(4), part.get(3), "E", "W", 180)
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _degrees(parts: Any, side: Any, positive: str, negative: str, most: int) -> float | None:
    try:
        values = [float(part) for part in parts]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    letter = _text(side).upper()
    if len(values) != 3 or letter not in {positive, negative}:
        return None
    degrees = values[0] + values[1] / 60 + values[2] / 3600
    if not math.isfinite(degrees) or min(values) < 0 or degrees > most:
        return None
    return degrees if letter == positive else -degrees
