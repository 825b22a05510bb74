"""The paths and URLs of samples' media."""

import mimetypes
import os

from .errors import SchemaError
from .media.endings import is_image, is_video


def normal_path(filepath: str | os.PathLike[str]) -> str:
    """An absolute path, or a URL as it is.

    Raises:
        SchemaError: if it is empty.
    """
    text = os.fspath(filepath) if isinstance(filepath, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        raise SchemaError(f"filepath is {filepath!r}; a sample needs the path or URL of its media.")
    return text if "://" in text or _is_normal(text) else os.path.abspath(os.path.expanduser(text))


def _is_normal(path: str) -> bool:
    """Whether nothing in a path can be shortened: the usual case, found out faster than the long way takes."""
    return path[0] == os.sep == "/" and path[-1] != "/" and "//" not in path and "/." not in path


def media_type_of(filepath: str) -> str:
    """Image, video or unknown, by the ending."""
    name = filepath.rpartition("/")[2]  # the names of objects may hold ? and #, and are then no URLs for mimetypes
    if is_image(name):
        return "image"
    if is_video(name):
        return "video"
    kind = (mimetypes.guess_type(filepath)[0] or "").split("/")[0]
    return kind if kind in {"image", "video"} else "unknown"
