"""A datasource: a folder or bucket with the options that reading it needs, and which of its files count.

Datasets and samples keep URLs and names alone; the options, with the credentials among them, stay in the process or in
the config file. `known_sources` finds the datasource of a sample's URL.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from ..errors import DatasourceError
from .connections import Connection, connect
from .endings import is_image, is_video
from .listing import MediaFile, list_keys
from .patterns import RelevantFiles
from .urls import is_url, join, local_path, scheme_of, split

_LONGEST_SIGNATURE = 7 * 24 * 3600  # seconds; what S3 allows
_SIGNATURE = re.compile(r"[?&](sig|signature|x-amz-signature|x-goog-signature|token|access_token)=", re.IGNORECASE)
_ACCEPTS = {"image": is_image, "video": is_video, "media": lambda name: is_image(name) or is_video(name)}


@dataclass(frozen=True, init=False, repr=False)
class Datasource:
    """A folder or bucket with media.

    Args:
        url: a local folder; or the URL of one: `s3://bucket/folder`, `gs://`, `az://container/folder`,
            `abfss://container@account.dfs.core.windows.net/folder`, or what fsspec knows.
        name: under which datasets remember it.
        relevant_files: which files count, as lines in Lightly's notation, or the path of a file that holds such lines;
            nothing means all. See `docs/datasources.md`.
        **options: what the backend takes (`endpoint`, `region`, keys, `skip_signature`, `client_options`, …), and
            `timeout` (seconds without an answer), `retries`, `backend`. They are never shown. What is left out comes
            from where the backend looks for it, such as environment variables.

    Raises:
        DatasourceError: if the URL holds a password or a signature, or the relevant files cannot be understood.

    Example:
        >>> Datasource("s3://photos/street", name="street", endpoint="https://minio.example.com", secret_access_key="x")
        Datasource('s3://photos/street', name='street', endpoint=***, secret_access_key=***)
    """

    url: str
    name: str | None
    options: Mapping[str, Any] = field(hash=False)
    relevant_files: tuple[str, ...]

    def __init__(
        self,
        url: str | os.PathLike[str],
        *,
        name: str | None = None,
        relevant_files: str | os.PathLike[str] | Iterable[str] = (),
        **options: Any,
    ) -> None:
        """Describe a datasource; nothing is opened."""
        relevant = RelevantFiles.of(_lines(relevant_files))
        for key, value in (
            ("url", _checked_url(url)), ("name", _checked_name(name)), ("options", options),
            ("relevant_files", relevant.lines), ("_relevant", relevant),
        ):  # fmt: skip
            object.__setattr__(self, key, value)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return not is_url(self.url)

    def files(
        self, media: Literal["image", "video", "media"] = "media", *, start_after: str | None = None
    ) -> Iterator[MediaFile]:
        """List the files that count, by their endings; hidden files and folders are left out.

        Args:
            media: images, videos, or both.
            start_after: the path of a file, in full or below the datasource: list only what comes after it. So a
                listing that was interrupted can go on.

        Yields:
            The files in the order of the code points of their paths.

        Raises:
            SourceUnavailableError: if the datasource cannot be listed.
            MissingExtraError: if a package is not installed.
        """
        connection, folder = self._connected()
        root = "" if self.is_local else split(self.url).root
        after = "" if start_after is None else self._below(start_after)
        for entry in list_keys(connection, folder, self._relevant, _ACCEPTS[media], after):
            yield MediaFile(f"{root}/{entry.key}" if root else entry.key, entry.size, entry.modified)

    def signed_url(self, path: str, expires: float | timedelta = 3600) -> str:
        """A URL by which a browser can read a file without credentials.

        Args:
            path: the file, in full or below the datasource.
            expires: for how long, in seconds; a week at most.

        Raises:
            DatasourceError: if the backend has no such URLs, as local folders have none, or `expires` is out of range.
            SourceUnavailableError: if there are no credentials to sign with.
        """
        seconds = int(expires.total_seconds() if isinstance(expires, timedelta) else expires)
        if not 1 <= seconds <= _LONGEST_SIGNATURE:
            raise DatasourceError(f"expires={seconds} is out of range. Give 1 to {_LONGEST_SIGNATURE} seconds.")
        connection, folder = self._connected()
        key = join(folder, self._below(path))
        if self.is_local:
            return connection.backend.sign(key, seconds)
        signed = connection.patience.call(
            lambda: _signed(connection, key, seconds), connection.backend.explain, whole=True
        )
        if isinstance(signed, DatasourceError):
            raise signed
        return signed

    def _connected(self) -> tuple[Connection, str]:
        """The connection and the folder in it; whoever uses a datasource makes it known to those that read URLs."""
        from .known_sources import register

        register(self)
        return connect(self.url, self.options), self.url if self.is_local else split(self.url).key

    def _below(self, path: str) -> str:
        """The path of a file below the datasource."""
        full = local_path(path) if scheme_of(path) == "file" and is_url(path) else path
        inside = join(self.url, "")
        if full.startswith(inside):
            return full[len(inside) :]
        if is_url(full) or full.startswith(os.sep):
            raise DatasourceError(f"{path!r} does not lie below {self.url}.")
        return full

    def __repr__(self) -> str:
        """URL, name, relevant files, and the names of the options."""
        shown = [repr(self.url)]
        if self.name is not None:
            shown.append(f"name={self.name!r}")
        if self.relevant_files:
            lines = self.relevant_files
            shown.append(
                f"relevant_files={list(lines)!r}" if len(lines) <= 3 else f"relevant_files=({len(lines)} lines)"
            )
        return f"Datasource({', '.join([*shown, *(f'{option}=***' for option in sorted(self.options))])})"

    _relevant: RelevantFiles = field(init=False, repr=False, compare=False)


def _signed(connection: Connection, key: str, seconds: int) -> str | DatasourceError:
    try:
        return connection.backend.sign(key, seconds)
    except DatasourceError as error:
        return error


def _checked_url(url: str | os.PathLike[str]) -> str:
    """A URL without a slash at its end, or an absolute path.

    Raises:
        DatasourceError: if it holds a password or signature, or is empty.
    """
    text = os.fspath(url) if isinstance(url, str | os.PathLike) else ""
    if not isinstance(text, str) or not text:
        raise DatasourceError("a datasource needs the path of a folder, or a URL such as s3://bucket/folder.")
    if not is_url(text):
        return os.path.abspath(os.path.expanduser(text))
    if scheme_of(text) == "file":
        return os.path.abspath(local_path(text))
    root, key = split(text)
    user, at, host = root.partition("://")[2].rpartition("@")
    if at and ":" in user:
        raise DatasourceError(
            f"the URL of a datasource at {host} holds a password, and URLs are kept in datasets. Give it without, and "
            "the password as an option."
        )
    if _SIGNATURE.search(key):
        raise DatasourceError(
            f"the URL of a datasource at {host} holds a signature or token, and URLs are kept in datasets. Give it "
            "without, and the rest as an option, such as sas_token."
        )
    return f"{root}/{key.strip('/')}".rstrip("/") if key.strip("/") else root


def _checked_name(name: str | None) -> str | None:
    if name is None or (isinstance(name, str) and name.strip() and name.isprintable() and "/" not in name):
        return name
    raise DatasourceError(f"{name!r} cannot be the name of a datasource. Give printable text without slashes.")


def _lines(given: str | os.PathLike[str] | Iterable[str]) -> list[str]:
    if not isinstance(given, str | os.PathLike):
        return [str(line) for line in given]
    try:
        return Path(given).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise DatasourceError(
            f"the file of relevant files {os.fspath(given)!r} cannot be read: {reason}. Lines can be given as well."
        ) from error
