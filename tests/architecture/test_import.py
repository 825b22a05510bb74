"""Importing the library is light and without effect."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["bson", "fiftyone", "mongoengine", "pandas", "pyarrow", "pymongo", "scipy", "sklearn", "tensorflow", "torch"]

WATCHED_IMPORT = """
import json, os, sys

events = []
def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, (str, bytes)):
            events.append(["write" if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else "read", os.fsdecode(path)])
    elif event in {"socket.bind", "socket.connect", "subprocess.Popen", "os.fork", "os.posix_spawn", "os.mkdir"}:
        events.append([event, str(arguments)])

sys.addaudithook(watch)
import saccade, saccade.brain
print(json.dumps({"modules": sorted(sys.modules), "events": events}))
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """What happened while the library was imported in a fresh process with an empty home."""
    home = tmp_path_factory.mktemp("empty")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SACCADE_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED_IMPORT],
        env={**kept, "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {**json.loads(done.stdout), "home": home, "said": done.stderr}


def test_importing_loads_nothing_heavy(watched):
    assert [name for name in HEAVY if name in watched["modules"]] == []


def test_importing_writes_connects_and_starts_nothing(watched):
    assert [event for event in watched["events"] if event[0] != "read"] == []
    assert list(watched["home"].iterdir()) == []
    assert watched["said"] == ""


def test_importing_reads_code_only(watched):
    code = (".py", ".pyc", ".so", ".pth", ".zip")
    read = [Path(path) for kind, path in watched["events"] if kind == "read" and not path.endswith(code)]
    system = [Path("/proc"), Path("/sys"), Path("/dev")]
    assert [path for path in read if not path.is_dir() and not any(map(path.is_relative_to, system))] == []
