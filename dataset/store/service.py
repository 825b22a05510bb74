"""The embedded MongoDB server: one per data folder, started at first use, shared by all processes of the user.

A client holds a lock while it lives; a supervisor process starts the server and stops it when nobody holds one. The
server listens on a unix socket in a private folder only. What it takes to talk to it is `connection`.

There is no embedded server on Windows, which has none of the locks and sockets this rests on.
"""

import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ServerStartError, StoreError
from ..settings import Settings
from . import locks, supervisor
from .binary import find
from .failures import Attempt, explain, is_held_by_another
from .places import Places, cannot_write, choose_socket, socket_uri
from .record import Record

START_TIMEOUT = 180.0
"""Seconds that a server may take to start; after a crash it first replays its journal."""

ANSWER_TIMEOUT = 30.0
"""Seconds that a running server may leave a ping unanswered."""

HELD_TIMEOUT = 10.0
"""Seconds to wait for the record of a server that has the data folder open already."""

_LARGEST_LOG = 10_000_000


class _Process:
    """What this process knows; a forked child begins anew."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.guard = threading.RLock()
        self.servers: dict[Path, Record] = {}  # by data folder


_this = _Process()


@dataclass(frozen=True)
class ServerStatus:
    """What `server_status` found.

    Attributes:
        is_running: whether the embedded server answers.
        data: its data folder.
        log: its log file.
        pid: its process, if it runs.
        version: of mongod, if it runs.
        socket: where it listens, if it runs.
        clients: processes that use it.
        is_kept: whether it stays without clients.
    """

    is_running: bool
    data: Path
    log: Path
    pid: int | None = None
    version: str | None = None
    socket: str | None = None
    clients: tuple[int, ...] = ()
    is_kept: bool = False


def ensure_server(settings: Settings) -> str:
    """Make sure that a server runs, and that it stays while this process lives.

    Costs microseconds when this process already uses it, so that it may be called before every operation.

    Args:
        settings: `database_uri`, if set, is returned as it is.

    Returns:
        The MongoDB URI of the server.

    Raises:
        ServerStartError: if the server cannot be started; the message says why and what to do.
    """
    return settings.database_uri or socket_uri(join(settings).socket)


def join(settings: Settings, *, is_doubtful: bool = False) -> Record:
    """Do what `ensure_server` does for the embedded server, and say which one it is.

    Args:
        settings: name the data folder.
        is_doubtful: whether the server must be asked although its process seems to live; one that is just dying does.
    """
    _refuse_windows()
    places = Places.of(settings)
    known = _this.servers.get(places.data)
    if not is_doubtful and known is not None and known.seems_alive() and locks.holds_as_client(places):
        return known
    with _this.guard:
        places.make()
        try:
            with locks.starting(places, START_TIMEOUT):
                locks.hold_as_client(places)
                record = _join_or_start(settings, places)
        except OSError as error:
            raise ServerStartError(cannot_write(places, error)) from error
        _this.servers[places.data] = record
    return record


def server_status(settings: Settings) -> ServerStatus:
    """Look at the embedded server without starting or keeping it."""
    places = Places.of(settings)
    record = Record.read(places.record)
    if sys.platform == "win32" or record is None or not record.is_alive() or not record.answers():
        return ServerStatus(False, places.data, places.log)
    clients = tuple(int(path.name.split("-")[0]) for path in supervisor.clients_in(places.clients))
    return ServerStatus(
        True, places.data, places.log, record.pid, record.version, record.socket, clients, places.kept.exists()
    )


def stop_server(settings: Settings) -> bool:
    """Stop the embedded server cleanly, even if it is in use; the next call of a client starts it again.

    Returns:
        Whether one was running.

    Raises:
        StoreError: if it does not stop.
    """
    _refuse_windows()
    places = Places.of(settings)
    if not places.record.exists():
        return False
    with locks.starting(places, START_TIMEOUT):
        record = Record.read(places.record)
        if record is None or not record.is_alive():
            return False
        places.kept.unlink(missing_ok=True)
        _stop(record)
        return True


def keep_server(settings: Settings) -> None:
    """Let the running server stay without clients until `stop_server`, or until the machine ends it."""
    Places.of(settings).kept.touch()


def server_path(settings: Settings) -> Path:
    """The folder that holds the embedded server's data, log and record."""
    return settings.data_dir


def _refuse_windows() -> None:
    if sys.platform == "win32":
        raise ServerStartError(
            "there is no embedded database server on Windows. Install MongoDB 6.0 or later, or run it in a container, "
            "and name it with SACCADE_DATABASE_URI, for example mongodb://localhost:27017."
        )


def _join_or_start(settings: Settings, places: Places) -> Record:
    """Join the server that runs, or start one. Call inside `locks.starting`."""
    begin = time.monotonic()
    while True:
        waited = time.monotonic() - begin
        record = Record.read(places.record)
        is_watched = supervisor.is_held(places.supervisor_lock)
        if record is not None and record.is_alive():
            if record.answers():
                if not is_watched:
                    _supervise(settings, places, {"pid": record.pid, "started": record.started})
                return record
            if not Path(record.socket).exists():
                _stop(record)  # someone removed the socket's folder: nobody can reach this server any more
            elif waited > ANSWER_TIMEOUT:
                raise ServerStartError(
                    f"the server of {places.data.parent} (pid {record.pid}) runs but did not answer for "
                    f"{ANSWER_TIMEOUT:.0f} seconds. Stop it with `saccade db stop`, and see {places.log}."
                )
        elif not is_watched:
            _start(settings, places, record)
        elif waited > START_TIMEOUT:
            raise ServerStartError(_too_slow(places))
        time.sleep(0.05)  # a server is starting or ending under a supervisor whose client is gone


def _start(settings: Settings, places: Places, last: Record | None) -> None:
    """Start a server, unless the supervisor of a client that died meanwhile is just doing so."""
    socket = choose_socket(settings, places, last.socket if last else None)
    binary = find(settings)
    places.kept.unlink(missing_ok=True)  # it was said of a server that is gone
    _shorten(places.log)
    begin = places.log.stat().st_size if places.log.exists() else 0
    folder = str(Path(socket).parent)
    command = [
        str(binary.path),
        *("--dbpath", str(places.data)),
        # Both: without the prefix mongod also opens a socket in the shared temporary folder.
        *("--bind_ip", socket, "--unixSocketPrefix", folder, "--port", "27017"),
        *("--wiredTigerCacheSizeGB", f"{max(settings.server_cache_gb, 0.25):.2f}"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--slowms", "2000"),
    ]
    report = _supervise(settings, places, {"socket": socket, "version": binary.version}, command)
    if "ready" in report or "busy" in report:
        return
    log = _read_from(places.log, begin)
    if is_held_by_another(log) and _appears(places):
        return
    if "error" in report:
        log += f"\n{report['error']}"
    raise ServerStartError(
        explain(Attempt(places, binary.version, last.version if last else None, report.get("exit"), log))
    )


def _supervise(
    settings: Settings, places: Places, record: dict[str, Any], command: list[str] | None = None
) -> dict[str, Any]:
    """Run a supervisor and wait until it says how the start went."""
    task = {"folder": str(places.server), "linger": settings.server_linger, "record": record, "command": command}
    with places.log.open("ab") as log:
        first = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(task)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    with first:
        assert first.stdout is not None
        if not select.select([first.stdout], [], [], START_TIMEOUT)[0]:
            raise ServerStartError(_too_slow(places))
        said = first.stdout.readline()
    return dict(json.loads(said)) if said else {}


def _appears(places: Places) -> bool:
    """Wait a while for the record of the server that has the data folder open; False if it is none of ours."""
    deadline = time.monotonic() + HELD_TIMEOUT
    while time.monotonic() < deadline:
        record = Record.read(places.record)
        if record is not None and record.is_alive():
            return True
        time.sleep(0.1)
    return False


def _too_slow(places: Places) -> str:
    return (
        f"the server of {places.data.parent} has been starting for more than {START_TIMEOUT:.0f} seconds. "
        f"It may be repairing its files: see {places.log}, and try again."
    )


def _stop(record: Record) -> None:
    supervisor.Server(record.pid, record.started).stop()
    if record.is_alive():
        raise StoreError(
            f"the server (pid {record.pid}) does not stop within {supervisor.STOP_TIMEOUT:.0f} seconds; it may still "
            "be writing. Wait and try again."
        )


def _shorten(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_name(f"{log.name}.old"))


def _read_from(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        return file.read().decode("utf-8", errors="replace")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_this.begin)
