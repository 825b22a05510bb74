"""One real server for the whole run, started by the library itself, far from the user's own data."""

import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import hypothesis
import pytest

KEPT = {"SACCADE_MONGOD"}
"""The only setting of the caller that tests obey: which server program to start."""

ROOT = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Point the library, and every process that a test starts, at a home that is removed at the end.

    This is a hook and not a fixture, so that it also holds for doctests and for code that runs while tests are
    collected.
    """
    # The same examples every time, however long the machine takes for one.
    hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
    hypothesis.settings.load_profile("repeatable")
    for name in [name for name in os.environ if name.startswith("SACCADE_") and name not in KEPT]:
        del os.environ[name]
    # Below /tmp, because the path of a socket may have 107 bytes at most.
    root = Path(tempfile.mkdtemp(prefix="saccade-test-", dir="/tmp" if os.name == "posix" else None))
    config.stash[ROOT] = root
    _live_in(root / "home", os.environ)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove all that the run left."""
    root = config.stash.get(ROOT, None)
    if root is None:
        return
    _stop_server()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> None:
    """The server of the run. If it does not start, hundreds of failures would hide the message that says why."""
    from saccade.dataset.errors import ServerStartError
    from saccade.dataset.store import connection

    try:
        connection.database()
    except ServerStartError as error:
        pytest.exit(f"the database server does not start: {error}", returncode=3)


@pytest.fixture
def database(server: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """An empty database of its own on the shared server, as the library's own connection sees it.

    The name is given by the environment, so that threads and child processes use the same database.
    """
    from saccade.dataset.store import connection

    monkeypatch.setenv("SACCADE_DATABASE_NAME", f"test_{uuid.uuid4().hex[:16]}")
    opened = connection.database()
    yield opened
    connection.database().client.drop_database(opened.name)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, with no server yet; one that the test starts is stopped."""
    place = Path(tempfile.mkdtemp(prefix="home-", dir=os.environ["SACCADE_RUNTIME_DIR"]))
    changed: dict[str, str] = {}
    _live_in(place, changed)
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    yield place
    _stop_server()
    shutil.rmtree(place, ignore_errors=True)


def _live_in(home: Path, environment: MutableMapping[str, str]) -> None:
    runtime = home / "run"
    runtime.mkdir(parents=True, mode=0o700)
    environment["SACCADE_HOME"] = str(home)
    environment["SACCADE_RUNTIME_DIR"] = str(runtime)
    environment["SACCADE_CONFIG"] = str(home / "config.toml")
    environment["SACCADE_SHOW_PROGRESS"] = "false"


def _stop_server() -> None:
    """Stop the server of the current home, if there is one, after letting go of it."""
    if "saccade.dataset.store.connection" not in sys.modules:
        return
    from saccade.dataset import settings
    from saccade.dataset.store import connection, service

    connection.close()
    service.stop_server(settings.current())
