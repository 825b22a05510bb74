"""Metadata: what was read from a media file."""

from datetime import datetime
from typing import ClassVar

from ..schema import DateTimeField, FloatField, IntField, StringField
from ._document import Document, Fields


class Metadata(Document):
    """What any file has.

    Attributes:
        size_bytes: the size of the file, in bytes.
        mime_type: the kind of the file, such as "image/png", by its content and not by its name.
    """

    size_bytes: int | None = None
    mime_type: str | None = None

    _fields: ClassVar[Fields] = {"size_bytes": IntField(), "mime_type": StringField()}


class ImageMetadata(Metadata):
    """What an image has.

    Attributes:
        width: in pixels, as displayed: after the orientation is applied.
        height: in pixels, as displayed.
        num_channels: as stored: 1 for grey and for a palette, 2 for grey with transparency, 3 for colour, 4 with
            transparency or for print.
        orientation: EXIF's: 1 as stored, 3 upside down, 6 to be turned right, 8 to be turned left, the others mirrored;
            None where the file does not say.
        taken_at: when the picture was taken. Where the file names no offset from UTC, the camera's clock is taken as
            UTC.
        latitude: degrees, north positive, -90..90.
        longitude: degrees, east positive, -180..180.
    """

    width: int | None = None
    height: int | None = None
    num_channels: int | None = None
    orientation: int | None = None
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None

    _fields: ClassVar[Fields] = {
        "width": IntField(),
        "height": IntField(),
        "num_channels": IntField(),
        "orientation": IntField(),
        "taken_at": DateTimeField(),
        "latitude": FloatField(),
        "longitude": FloatField(),
    }


class VideoMetadata(Metadata):
    """What a video has.

    Attributes:
        frame_width: in pixels.
        frame_height: in pixels.
        frame_rate: frames for each second.
        total_frame_count: the number of frames.
        duration: in seconds.
        encoding_str: the name of the encoding, such as "avc1".
    """

    frame_width: int | None = None
    frame_height: int | None = None
    frame_rate: float | None = None
    total_frame_count: int | None = None
    duration: float | None = None
    encoding_str: str | None = None

    _fields: ClassVar[Fields] = {
        "frame_width": IntField(),
        "frame_height": IntField(),
        "frame_rate": FloatField(),
        "total_frame_count": IntField(),
        "duration": FloatField(),
        "encoding_str": StringField(),
    }
