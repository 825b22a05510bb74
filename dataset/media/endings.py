"""Which files are images and which are videos, by the endings of their names."""

import re

IMAGE_ENDINGS = (
    "avif", "bmp", "gif", "heic", "heif", "jfif", "jp2", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "tif",
    "tiff", "webp",
)  # fmt: skip
"""What files of images end with, without the dot."""
VIDEO_ENDINGS = ("3gp", "avi", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "ts", "webm", "wmv")
"""What files of videos end with, without the dot."""

_NAME = r"(?:.*/)?(?![./])[^/]+\.(?:{})"
_IMAGE = re.compile(_NAME.format("|".join(IMAGE_ENDINGS)), re.IGNORECASE | re.DOTALL)
_VIDEO = re.compile(_NAME.format("|".join(VIDEO_ENDINGS)), re.IGNORECASE | re.DOTALL)
_QUERY = re.compile(r"[?#].*", re.DOTALL)


def is_image(name: str) -> bool:
    """Whether a file name, path or URL is that of an image, by its ending; hidden files are not.

    Example:
        >>> is_image("Photo.JPG"), is_image("notes.txt"), is_image("._Photo.JPG")
        (True, False, False)
    """
    return _IMAGE.fullmatch(_without_query(name)) is not None


def is_video(name: str) -> bool:
    """Whether a file name, path or URL is that of a video, by its ending; hidden files are not.

    Of URLs of web servers, the query does not count; the names of objects in buckets may have question marks in them.

    Example:
        >>> is_video("s3://bucket/Trip.MP4"), is_video("https://host/a.webm?key=1"), is_video("notes.txt")
        (True, True, False)
        >>> is_video("photo.jpg"), is_video("._trip.mp4"), is_video("mp4")
        (False, False, False)
    """
    return _VIDEO.fullmatch(_without_query(name)) is not None


def _without_query(name: str) -> str:
    return _QUERY.sub("", name) if name.startswith(("http://", "https://")) else name
