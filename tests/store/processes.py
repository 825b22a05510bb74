"""Real processes for the tests of the embedded server: other clients, other users, servers that are killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saccade.dataset import settings
from saccade.dataset.store import service
from saccade.dataset.store.supervisor import process_start

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534

DATABASE = "from saccade.dataset.store.connection import database\n"


def begin(code: str, *prefix: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a Python process that runs `code`; `prefix` is put before the interpreter."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, *prefix: str, **environment: str) -> str:
    """Run `code` in a process of its own and give what it printed."""
    with begin(code, *prefix, **environment) as process:
        said, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    return said


def refusal(*prefix: str, **environment: str) -> str:
    """The message of the ServerStartError that a first use in another process meets."""
    code = (
        f"{DATABASE}from saccade.dataset.errors import ServerStartError\n"
        "try: database()\nexcept ServerStartError as error: print(error)"
    )
    return run(code, *prefix, **environment)


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def status() -> service.ServerStatus:
    return service.server_status(settings.current())


def server_pid() -> int:
    pid = status().pid
    assert pid is not None
    return pid


def servers_of(data: Path) -> list[int]:
    """The mongod processes that serve this folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(data).encode() in words and b"--dbpath" in words:
            found.append(int(folder.name))
    return found


def kill(pid: int) -> None:
    """Kill a process the hard way and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: process_start(pid) is None)


def without_privileges() -> list[str]:
    """A prefix that makes the modes of files count for root too."""
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may write anywhere, and there is no setpriv to give that up")
    return [setpriv, "--inh-caps=-all", "--bounding-set=-all"]


def run_as_nobody(code: str, **environment: str) -> str:
    """Run `code` as another user, with a Python and the packages that this user may read."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    paths = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("-packages"))])
    options: dict[str, Any] = {
        "env": {"PATH": "/usr/bin:/bin", "PYTHONPATH": paths} | environment,
        "cwd": "/",
        "user": NOBODY,
        "group": NOBODY,
        "extra_groups": [],
        "capture_output": True,
        "text": True,
        "timeout": 60,
    }
    for name in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        try:
            subprocess.run([name, "-c", "import pymongo, ctypes"], check=True, **options)
        except (OSError, subprocess.CalledProcessError):
            continue
        done = subprocess.run([name, "-c", code], check=False, **options)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)
    pytest.skip("there is no Python here that another user may run")
