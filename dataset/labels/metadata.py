"""Metadata: what was read from a media file."""

from typing import ClassVar

from ..schema import FloatField, IntField, StringField
from ._document import Document, Fields


class Metadata(Document):
    """What any file has.

    Attributes:
        size_bytes: the size of the file, in bytes.
        mime_type: the kind of the file, such as "image/png".
    """

    size_bytes: int | None = None
    mime_type: str | None = None

    _fields: ClassVar[Fields] = {"size_bytes": IntField(), "mime_type": StringField()}


class ImageMetadata(Metadata):
    """What an image has.

    Attributes:
        width: in pixels.
        height: in pixels.
        num_channels: 1 for grey, 3 for colour, 4 with transparency.
    """

    width: int | None = None
    height: int | None = None
    num_channels: int | None = None

    _fields: ClassVar[Fields] = {"width": IntField(), "height": IntField(), "num_channels": IntField()}


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
