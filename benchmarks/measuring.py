"""A database server for the measurement alone, times and memory. Needs nothing but Python."""

import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def processor_seconds(pid: int) -> float:
    """The seconds of a processor that a process has used; 0 where the system does not tell."""
    state = Path(f"/proc/{pid}/stat")
    if not state.is_file():
        return 0.0
    used = state.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def forget_peak() -> None:
    """Let the peak of this process's memory be what it is now, where the system can do that (Linux)."""
    with suppress(OSError):
        _CLEAR.write_text("5", encoding="ascii")


def peak_megabytes() -> float:
    """The most memory that this process held since `forget_peak`; elsewhere than on Linux since its start."""
    return _megabytes("VmHWM")


def own_megabytes() -> float:
    """The memory that this process holds now, without the pages of files."""
    return _megabytes("RssAnon")


def _megabytes(entry: str) -> float:
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith(f"{entry}:"):
                return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2


class Watch:
    """How long something takes, and how much memory this process has meanwhile.

    Attributes:
        seconds: how long it took.
        client: seconds of a processor that this process used.
        server: those that the server used, on Linux.
        peak: the most megabytes, with the pages of files that are mapped, which the system takes back at need.
        own: without these, on Linux; elsewhere the same as `peak`. Looked at now and then.
    """

    seconds = client = server = peak = own = 0.0

    def __init__(self, server_pid: int) -> None:
        """Begin with nothing measured."""
        self._server_pid = server_pid

    def __enter__(self) -> Self:
        """Begin."""
        forget_peak()
        self.seconds -= time.perf_counter()
        self.client -= time.process_time()
        self.server -= processor_seconds(self._server_pid)
        self._is_over = threading.Event()
        self._looking = threading.Thread(target=self._look)
        self._looking.start()
        return self

    def _look(self) -> None:
        while True:
            is_over = self._is_over.wait(0.02)
            self.own = max(self.own, own_megabytes())
            if is_over:
                return

    def __exit__(self, *_: object) -> None:
        """End."""
        self.seconds += time.perf_counter()
        self.client += time.process_time()
        self.server += processor_seconds(self._server_pid)
        self._is_over.set()
        self._looking.join()
        self.peak = peak_megabytes()


@contextmanager
def server(mongod: Path, cache_gb: float = 1.0) -> Iterator[tuple[str, Path]]:
    """A fresh server on a free port of this machine, and a folder; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    data = folder / "db"
    data.mkdir()
    port = _free_port()
    command = [
        str(mongod), "--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket",
        "--wiredTigerCacheSizeGB", str(cache_gb), "--logpath", str(folder / "mongod.log"),
        "--pidfilepath", str(folder / "mongod.pid"),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"mongodb://127.0.0.1:{port}", folder
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("the benchmark's own mongod did not start")


def seconds(times: Sequence[float]) -> str:
    """The median of some times, and from where to where they go."""
    return f"{short(statistics.median(times))} ({short(min(times))}..{short(max(times))})"


def short(value: float) -> str:
    """Three digits that count."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
