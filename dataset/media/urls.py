"""URLs of media: a scheme, a bucket or host, and a key that is written as it is.

As in other tools for buckets, keys are not percent-encoded: `s3://photos/50%.jpg` is the object `50%.jpg`. Only
`file://` URLs are, because those come from programs that encode them.
"""

import re
from typing import NamedTuple
from urllib.request import url2pathname

from ..errors import DatasourceError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


class Location(NamedTuple):
    """Where an object is.

    Attributes:
        root: scheme and bucket or host, such as `s3://photos`.
        key: what comes after the next slash, such as `street/1.jpg`; empty for the root itself.
    """

    root: str
    key: str


def is_url(path: str) -> bool:
    """Whether a path has a scheme; a local path has none.

    Example:
        >>> is_url("s3://photos/1.jpg"), is_url("file:///photos/1.jpg"), is_url("/photos/1.jpg")
        (True, True, False)
    """
    return _SCHEME.match(path) is not None


def scheme_of(url: str) -> str:
    """The scheme of a URL in lower case; "file" for a local path."""
    found = _SCHEME.match(url)
    return "file" if found is None else found[1].lower()


def split(url: str) -> Location:
    """Take a URL apart.

    Example:
        >>> split("s3://photos/street/1.jpg")
        Location(root='s3://photos', key='street/1.jpg')
    """
    found = _SCHEME.match(url)
    if found is None:
        raise DatasourceError(f"{url!r} is no URL: it has no scheme such as s3://.")
    host, _, key = url[found.end() :].partition("/")
    return Location(f"{found[1].lower()}://{host}", key)


def join(folder: str, key: str) -> str:
    """Put a relative key after a folder.

    Example:
        >>> join("s3://photos", "1.jpg"), join("", "1.jpg"), join("/", "1.jpg")
        ('s3://photos/1.jpg', '1.jpg', '/1.jpg')
    """
    return f"{folder}{'' if not folder or folder.endswith('/') else '/'}{key}"


def local_path(url: str) -> str:
    """The path that a `file://` URL means.

    Example:
        >>> local_path("file:///photos/a%20b.jpg")
        '/photos/a b.jpg'
    """
    rest = url[len("file://") :]
    return url2pathname(rest.removeprefix("localhost") if rest.startswith("localhost/") else rest)
