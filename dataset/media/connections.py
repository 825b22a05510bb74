"""Open backends, one per bucket and options: so all threads share its connections and its patience."""

import os
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import DatasourceError
from .backends import Backend, open_backend
from .backends.local import LocalFolder
from .patience import RETRIES, Patience
from .urls import split

_lock = threading.Lock()
_open: dict[Any, "Connection"] = {}
_MOST = 64


class Connection(NamedTuple):
    """A backend, and what is tried again with it."""

    backend: Backend
    patience: Patience


def connect(url: str, options: Mapping[str, Any]) -> Connection:
    """The connection for what lies at a URL.

    Args:
        url: any URL below the root; a local path has a backend too.
        options: of the backend; and `retries`, how often a failure that may pass is tried again.

    Raises:
        DatasourceError: if the options cannot be used.
        MissingExtraError: if a package is not installed.
    """
    root = split(url).root if "://" in url else ""
    key = (root, _frozen(options))
    found = _open.get(key)
    if found is not None:
        return found
    with _lock:
        if key not in _open:
            while len(_open) >= _MOST:
                del _open[next(iter(_open))]
            _open[key] = _connect(root, options)
        return _open[key]


def _connect(root: str, options: Mapping[str, Any]) -> Connection:
    given = dict(options)
    retries = given.pop("retries", RETRIES)
    if not isinstance(retries, int) or retries < 0:
        raise DatasourceError(f"the option retries of {root} is no number. Give 0 or more.")
    backend: Backend = open_backend(root, given) if root else LocalFolder()
    return Connection(backend, Patience(root or "the folder", retries))


def _frozen(value: Any) -> Any:
    """A value that can be a key, of nested options."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), _frozen(inside)) for name, inside in value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return value if isinstance(value, str | int | float | bool | bytes | None) else id(value)


def _forget() -> None:
    """A forked child has the parent's sockets, which two must not use, and maybe a lock that is held for ever."""
    global _lock  # noqa: PLW0603  # a new lock cannot be had otherwise
    _lock = threading.Lock()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
