"""Anything that fsspec knows: memory, FTP, SFTP, HTTP, and the buckets where obstore is not installed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ...errors import DatasourceError, MissingExtraError
from ..patience import Failure
from .base import Entry
from .walking import Child, walk

_MODIFIED = ("modified", "mtime", "LastModified", "last_modified", "updated", "created")


class FileSystem:
    """The backend of an fsspec file system.

    Args:
        root: the scheme, and the host or bucket.
        options: what the file system's class takes.
    """

    def __init__(self, root: str, options: Mapping[str, Any]) -> None:
        """Open it; most file systems connect at first use.

        Raises:
            DatasourceError: if nothing knows the scheme, or the options do not fit.
            MissingExtraError: if the package that knows the scheme is not installed.
        """
        from fsspec.core import url_to_fs

        scheme = root.partition("://")[0]
        problem: DatasourceError | MissingExtraError | None = None
        try:
            self._system, _ = url_to_fs(root, **options)
        except ImportError as error:
            problem = MissingExtraError(f"{scheme}:// needs a package that is not installed. {_installing(error)}")
        except ValueError as error:
            known = "not known" not in str(error)
            problem = _refused(root, options) if known else DatasourceError(
                f"no file system is known for {scheme}:// . Known are local folders, s3://, gs://, az:// and those of "
                "fsspec; more come with packages of theirs."
            )  # fmt: skip
        except Exception:  # noqa: BLE001  # a constructor may raise anything, and its message may show an option
            problem = _refused(root, options)
        if problem is not None:
            raise problem
        self._root = root

    def _path(self, key: str) -> str:
        return str(self._system._strip_protocol(f"{self._root}/{key}" if key else self._root))

    def read(self, key: str) -> bytes:
        """Read a whole file."""
        return bytes(self._system.cat_file(self._path(key)))

    def read_range(self, key: str, start: int, end: int) -> tuple[bytes, int]:
        """Read some of a file."""
        path = self._path(key)
        size = int(self._system.info(path)["size"])
        return (bytes(self._system.cat_file(path, start, min(end, size))) if start < size else b""), size

    def pages(self, folder: str, after: str) -> Iterator[list[Entry]]:
        """List the files below a folder, one folder after the other."""
        return walk(self._children, folder, after)

    def _children(self, folder: str) -> list[Child]:
        # Not from the cache of listings: the source may have grown.
        found = self._system.ls(self._path(folder), detail=True, refresh=True)
        own = self._path(folder).rstrip("/")
        return [
            Child(
                str(one["name"]).rstrip("/").rpartition("/")[2],
                one["type"] == "directory",
                one["size"] or 0,
                _time(one),
            )
            for one in found
            if str(one["name"]).rstrip("/") != own  # some list the folder itself, as an empty object
        ]

    def sign(self, key: str, seconds: int) -> str:
        """A signed URL where the file system has them."""
        try:
            return str(self._system.sign(self._path(key), expiration=seconds))
        except NotImplementedError:
            pass
        scheme = self._root.partition("://")[0]
        raise DatasourceError(f"{scheme}:// has no signed URLs. S3, Google Cloud Storage and Azure have.")

    def explain(self, error: BaseException) -> Failure:
        """Say what an exception means. The messages of other packages are not shown: they may hold anything."""
        status = getattr(error, "status", None)
        if isinstance(error, MissingExtraError | DatasourceError):
            return Failure("source", str(error))
        if isinstance(error, ImportError):
            return Failure("source", "a package is missing", _installing(error))
        if isinstance(error, FileNotFoundError) or status == 404:
            return Failure("file", "the file does not exist")
        if isinstance(error, IsADirectoryError):
            return Failure("file", "the path is a folder")
        if "Credential" in type(error).__name__ or status == 401:
            return Failure("source", "no valid credentials", "Give them as options, or as the backend's own variables.")
        if isinstance(error, PermissionError) or status == 403:
            return Failure("denied", "the file may not be read (access denied)")
        if isinstance(error, TimeoutError):
            return Failure("passing", "the server did not answer in time")
        if isinstance(status, int) and (status >= 500 or status in {408, 429}):
            return Failure("passing", f"the server answered {status}")
        if isinstance(error, ConnectionError):
            return Failure("unreachable", "the server cannot be reached", "Check its name and the network.")
        return Failure("file", f"the file cannot be read ({type(error).__name__})")


def _time(found: Mapping[str, Any]) -> datetime | None:
    for name in _MODIFIED:
        value = found.get(name)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


def _installing(error: ImportError) -> str:
    """What fsspec advises; its registry's messages name the package."""
    cloud = " For S3, Google Cloud Storage and Azure: pip install 'saccade[cloud]'."
    return (f"{error.msg.rstrip('.')}." if error.msg else "") + cloud


def _refused(root: str, options: Mapping[str, Any]) -> DatasourceError:
    return DatasourceError(
        f"the options of {root} cannot be used: {', '.join(sorted(options)) or 'none'}. See fsspec's documentation of "
        f"{root.partition('://')[0]} for their names and values."
    )
