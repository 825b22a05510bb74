"""Buckets of S3, Google Cloud Storage and Azure, by obstore: connections are pooled, and no lock is held meanwhile."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ...errors import DatasourceError, MissingExtraError
from ..patience import Failure
from .azure_signing import signed_blob
from .base import PAGE, Entry
from .failures import FORKED, explain_text, is_range_error

SCHEMES = {
    "s3": "S3Store", "s3a": "S3Store", "gs": "GCSStore", "gcs": "GCSStore", "az": "AzureStore", "azure": "AzureStore",
    "adl": "AzureStore", "abfs": "AzureStore", "abfss": "AzureStore",
}  # fmt: skip
"""The schemes that obstore knows, with the stores that read them."""

_STALL = 30.0  # seconds without a byte
_WHOLE = "2h"  # of one request, however large the file is

_first_user: int | None = None
"""The process that started obstore's threads. They do not survive a fork: the child would wait for them for ever."""


class ForkedError(Exception):
    """This process is a fork of one that had used obstore."""


class Bucket:
    """The backend of a bucket or container.

    Args:
        root: the scheme and the bucket.
        options: what the store's class takes, and `timeout` (seconds without an answer) and `profile` (of AWS).
    """

    def __init__(self, root: str, options: Mapping[str, Any]) -> None:
        """Make the store; it connects at first use.

        Raises:
            DatasourceError: if an option is unknown or has a value that cannot be used.
        """
        self._root = root
        import obstore

        self._obstore = obstore
        self._store = _store(root, options)

    def read(self, key: str) -> bytes:
        """Read a whole object in one request."""
        _require_own_threads()
        data: bytes = self._obstore.get(self._store, key).bytes().to_bytes()
        return data

    def read_range(self, key: str, start: int, end: int) -> tuple[bytes, int]:
        """Read some of an object; the answer says how large it is."""
        _require_own_threads()
        try:
            answer = self._obstore.get(self._store, key, options={"range": (start, end)})
            return answer.bytes().to_bytes(), int(answer.meta["size"])
        except Exception as error:  # no class of its own
            if not is_range_error(error):
                raise
        size = int(self._obstore.head(self._store, key)["size"])  # an empty object has no range at all
        return b"", size

    def pages(self, folder: str, after: str) -> Iterator[list[Entry]]:
        """List the objects below a folder."""
        _require_own_threads()
        found = self._obstore.list(self._store, folder or None, offset=after or None, chunk_size=PAGE)
        for page in found:
            yield [Entry(one["path"], one["size"], one["last_modified"]) for one in page]

    def sign(self, key: str, seconds: int) -> str:
        """A signed URL."""
        _require_own_threads()
        if SCHEMES[self._root.partition("://")[0]] == "AzureStore":
            config = self._store.config
            signed = signed_blob(config, str(config["container_name"]), key, seconds)
            if signed is not None:
                return signed
        return str(self._obstore.sign(self._store, "GET", key, timedelta(seconds=seconds)))

    def explain(self, error: BaseException) -> Failure:
        """Say what an exception means."""
        if isinstance(error, ForkedError):
            return FORKED
        return explain_text(type(error).__name__, str(error))


def _require_own_threads() -> None:
    global _first_user  # noqa: PLW0603  # a fact about the process
    if _first_user is None:
        _first_user = os.getpid()
    elif _first_user != os.getpid():
        raise ForkedError


def _store(root: str, options: Mapping[str, Any]) -> Any:
    import obstore.store

    given = dict(options)
    for name, value in given.items():
        # The value could be anything, a key in the wrong place too: it is not shown.
        if "endpoint" in name and not re.match(r"https?://[^\s/@]+", str(value)):
            raise DatasourceError(f"the option {name} of {root} is no URL. Give one such as https://minio.example.com.")
    kind = getattr(obstore.store, SCHEMES[root.partition("://")[0]])
    given["client_options"] = _client_options(root, given)
    # What is tried again is settled by `patience` for all backends: repetitions of repetitions would be a storm.
    given.setdefault("retry_config", {"max_retries": 0, "retry_timeout": timedelta(minutes=5)})
    profile = given.pop("profile", None)
    if profile is not None:
        given["credential_provider"] = _of_profile(str(profile))
    problem: DatasourceError
    try:
        return kind.from_url(root.replace("gcs://", "gs://", 1), **given)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  # its message may show a value; obstore's panics are no Exception
        unknown = re.search(r"[Kk]ey: '?(\w+)", str(error))
        failure = explain_text(type(error).__name__, str(error))
        named = unknown[1] if unknown is not None and unknown[1] in options else None
        if named is not None:
            said = f"{root} has no option {named!r}. obstore's documentation of {kind.__name__} lists them."
        elif failure.kind == "source":
            said = f"{root} cannot be opened: {failure.reason}. {failure.remedy}"
        else:
            said = (
                f"the options of {root} cannot be used: {', '.join(sorted(options)) or 'none'}. One of them has a "
                f"value that {kind.__name__} does not understand, or one is missing."
            )
        problem = DatasourceError(said)
    raise problem


def _client_options(root: str, given: dict[str, Any]) -> dict[str, Any]:
    """Time limits, and HTTP without encryption where the endpoint says so."""
    seconds = given.pop("timeout", _STALL)
    if not isinstance(seconds, int | float) or seconds <= 0:
        raise DatasourceError(f"the option timeout of {root} is no number of seconds. Give one such as 30.")
    stall = timedelta(seconds=seconds)
    client = {"connect_timeout": min(stall, timedelta(seconds=5)), "read_timeout": stall, "timeout": _WHOLE}
    if any("endpoint" in name and str(value).startswith("http://") for name, value in given.items()):
        client["allow_http"] = True
    return {**client, **given.get("client_options", {})}


def _of_profile(profile: str) -> Any:
    try:
        from boto3 import Session
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        raise MissingExtraError("the option profile needs boto3, which is not installed: pip install boto3") from error
    return Boto3CredentialProvider(Session(profile_name=profile))
