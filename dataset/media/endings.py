"""Which files are videos, by their endings: the one place that says so."""

import re

VIDEO_ENDINGS = ("3gp", "avi", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "ts", "webm", "wmv")
"""What files of videos end with, without the dot."""

_VIDEO = re.compile(rf"(?:.*/)?(?![./])[^/]+\.(?:{'|'.join(VIDEO_ENDINGS)})", re.IGNORECASE | re.DOTALL)
_QUERY = re.compile(r"[?#].*", re.DOTALL)


def is_video(name: str) -> bool:
    """Whether a file name, path or URL is that of a video, by its ending; hidden files are not.

    Example:
        >>> is_video("s3://bucket/Trip.MP4"), is_video("https://host/a.webm?key=1"), is_video("notes.txt")
        (True, True, False)
        >>> is_video("photo.jpg"), is_video("._trip.mp4"), is_video("mp4")
        (False, False, False)
    """
    return _VIDEO.fullmatch(_QUERY.sub("", name) if "://" in name else name) is not None
