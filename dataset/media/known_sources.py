"""The datasources that this process knows: those it has used, and those of the config file."""

import os
import threading
from pathlib import Path
from typing import Any

from .. import settings
from ..errors import DatasourceError, hint
from .datasource import Datasource

_lock = threading.Lock()
_used: dict[str, Datasource] = {}
_configured: tuple[object, dict[str, Datasource]] = (None, {})


def register(source: Datasource) -> None:
    """Let URLs below a datasource be read with its options from now on; the latest one of a URL counts."""
    if _used.get(source.url) is not source and not source.is_local:
        with _lock:
            _used[source.url] = source


def source_named(name: str) -> Datasource | None:
    """The datasource of this name, of those that were used or else of the config file."""
    for source in reversed(list(_used.values())):
        if source.name == name:
            return source
    return next((source for source in _of_config().values() if source.name == name), None)


def names() -> list[str]:
    """The names of all datasources, sorted."""
    return sorted({source.name for source in [*_used.values(), *_of_config().values()] if source.name is not None})


def source_of(url: str) -> Datasource:
    """The datasource with the longest URL that a URL lies below; one with default options if there is none.

    Of two with the same URL, that which was used in this process counts.
    """
    configured = _of_config()
    end = len(url)
    least = url.index("://") + 3
    while end > least:
        found = _used.get(url[:end]) or configured.get(url[:end])
        if found is not None:
            return found
        end = url.rfind("/", least, end)
    return Datasource(url[: url.find("/", least)] if "/" in url[least:] else url)


def as_source(source: "Datasource | str | os.PathLike[str]") -> Datasource:
    """A datasource as it is, or by its name, or by its URL or folder.

    Raises:
        DatasourceError: if it is none of them.
    """
    if isinstance(source, Datasource):
        return source
    text = os.fspath(source)
    named = source_named(text) if isinstance(source, str) else None
    if named is not None:
        return named
    if "://" not in text and not Path(text).expanduser().is_dir():
        raise DatasourceError(
            f"{text!r} is neither a folder nor the name of a datasource. {hint(text, names(), 'Datasources')} "
            "Give a URL such as s3://bucket/folder, or write [datasources.NAME] into the config file."
        )
    if "://" not in text:
        return Datasource(text)
    plain = Datasource(text)
    if plain.is_local:
        return plain
    near = source_of(plain.url)
    return near if near.url == plain.url else Datasource(plain.url, **near.options)


def _of_config() -> dict[str, Datasource]:
    """The datasources of the config file by their URLs."""
    global _configured  # noqa: PLW0603  # kept until the file changes
    stamp = settings.datasources_stamp()
    kept = _configured
    if kept[0] == stamp:
        return kept[1]
    found = {}
    for name, table in settings.current().datasources.items():
        source = _configured_source(name, dict(table))
        found[source.url] = source
    _configured = (stamp, found)
    return found


def _configured_source(name: str, table: dict[str, Any]) -> Datasource:
    url, relevant = table.pop("url"), table.pop("relevant_files", ())
    table.pop("name", None)
    return Datasource(url, name=name, relevant_files=relevant, **table)


def _forget_lock() -> None:
    global _lock  # noqa: PLW0603  # the parent's may be held for ever in a forked child
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)
