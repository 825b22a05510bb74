"""The small process that owns the embedded server: starts it, records it, and stops it after its last client.

Run by file path with an isolated interpreter, so it imports nothing but a few modules of the standard library. The
functions about locks and processes are shared with `locks` and `record`, which import them from here.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import fcntl

STOP_TIMEOUT = 60.0
"""Seconds that a server may take to write its last data before a stop counts as failed."""

_POLL = 0.5
PROC = Path("/proc")
"""What Linux tells about processes; not there on macOS."""


def process_start(pid: int) -> str | None:
    """When process `pid` began, in the system's own notation; None if there is no such living process."""
    if PROC.is_dir():
        try:
            # The name, in parentheses, may itself hold blanks and parentheses.
            fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in {"Z", "X"} else fields[19]
    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    state, _, began = shown.stdout.strip().partition(" ")
    return began.strip() if began and not state.startswith("Z") else None


def answers(socket_path: str, timeout: float = 2.0) -> bool:
    """Whether a MongoDB server answers a ping on this unix socket."""
    body = b"\x10ping\x00" + struct.pack("<i", 1) + b"\x02$db\x00" + struct.pack("<i", 6) + b"admin\x00" + b"\x00"
    message = struct.pack("<ib", 0, 0) + struct.pack("<i", len(body) + 4) + body
    header = struct.pack("<iiii", 16 + len(message), 1, 0, 2013)
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(socket_path)
        connection.sendall(header + message)
        return b"\x01ok\x00" + struct.pack("<d", 1.0) in connection.recv(4096)
    return False


def is_held(path: Path) -> bool:
    """Whether another process holds the lock on the file `path`."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look at once do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def clients_in(folder: Path) -> list[Path]:
    """The lock files of the clients that are alive."""
    return [path for path in sorted(folder.glob("*.lock")) if is_held(path)]


def write_atomically(path: Path, text: str) -> None:
    """Write a file that is seen whole or not at all, also after a power cut."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextlib.contextmanager
def try_lock(path: Path, timeout: float = 0.0) -> Iterator[bool]:
    """Hold the lock on `path` inside the block, if it comes free within `timeout` seconds: the block is told."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _lock(descriptor, timeout)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True


class Server:
    """A running mongod: our child, or one that outlived the supervisor before us."""

    def __init__(self, pid: int, started: str, child: "subprocess.Popen[bytes] | None" = None) -> None:
        self.pid = pid
        self.started = started
        self.child = child

    @classmethod
    def launch(cls, command: list[str], folder: Path) -> "Server":
        """Start mongod with as many open files as the system allows: it holds two per collection."""
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with contextlib.suppress(ValueError, OSError):  # macOS refuses "unlimited"
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with (folder / "mongod.log").open("ab") as output:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        return cls(child.pid, process_start(child.pid) or "", child)

    def exit_code(self) -> int | None:
        """The exit code once the server has ended (0 where it is not our child), else None."""
        if self.child is not None:
            return self.child.poll()
        return None if process_start(self.pid) == self.started else 0

    def stop(self) -> None:
        """Ask the server to write everything and end, and wait until it has."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        while self.exit_code() is None and time.monotonic() < deadline:
            time.sleep(0.02)


def _wake_on_child() -> int:
    """A descriptor that becomes readable when a child ends, so that its end is noticed at once."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def _pause(wake: int, seconds: float) -> None:
    if select.select([wake], [], [], seconds)[0]:
        os.read(wake, 512)


def _until_ready(server: Server, socket_path: str, wake: int) -> int | None:
    """Wait until the server answers (None) or has ended (its exit code)."""
    while True:
        code = server.exit_code()
        if code is not None:
            return code
        if Path(socket_path).exists() and answers(socket_path):
            return None
        _pause(wake, 0.02)


def _watch(server: Server, folder: Path, linger: float, wake: int) -> None:
    """Stay until the server ends, or stop it when it was not needed for `linger` seconds."""
    idle_since: float | None = None
    while server.exit_code() is None:
        if _is_needed(folder):
            idle_since = None
        elif idle_since is None:
            idle_since = time.monotonic()
        if idle_since is not None and time.monotonic() - idle_since >= linger:
            # Clients come only under this lock: none can arrive between the second look and the stop.
            with try_lock(folder / "start.lock") as locked:
                if locked and not _is_needed(folder):
                    server.stop()
                    return
        _pause(wake, min(_POLL, max(linger / 4, 0.05)))


def _is_needed(folder: Path) -> bool:
    return (folder / "kept").exists() or bool(clients_in(folder / "clients"))


def _say(report: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # whoever asked may be gone; the server is there for the others
        os.write(1, json.dumps(report).encode() + b"\n")


def main(task: dict[str, Any]) -> None:
    """Start or adopt the server described by `task` and look after it until it ends."""
    # A second process: the caller's child ends at once and needs no waiting for.
    if os.fork():
        os._exit(0)
    folder = Path(task["folder"])
    with try_lock(folder / "supervisor.lock", timeout=1.0) as alone:
        if not alone:
            _say({"busy": True})
            return
        wake = _wake_on_child()
        server = _begin(task, folder, wake)
        if server is not None:
            _say({"ready": True})
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            try:
                _watch(server, folder, task["linger"], wake)
            except OSError:  # the folder was removed: no client could ever find this server
                server.stop()
                raise


def _begin(task: dict[str, Any], folder: Path, wake: int) -> Server | None:
    """Adopt the recorded server, or start one and record it; None, with the reason said, if it did not start."""
    record = task["record"]
    adopted = "pid" in record
    server = Server(record["pid"], record["started"]) if adopted else Server.launch(task["command"], folder)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(server.pid, signal.SIGTERM))
    if adopted:
        return server
    code = _until_ready(server, record["socket"], wake)
    if code is not None:
        _say({"exit": code})
        return None
    try:
        write_atomically(folder / "record.json", json.dumps(record | {"pid": server.pid, "started": server.started}))
    except OSError as error:
        server.stop()  # without its record nobody would find it
        _say({"error": str(error)})
        return None
    return server


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
