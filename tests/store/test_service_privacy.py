"""Nobody but the user who started the embedded server can reach it."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from saccade.dataset.store import connection
from tests.store.processes import DATABASE, NOBODY, run_as_nobody, server_pid, status


@pytest.fixture
def usual_place(home, monkeypatch):
    """The socket's folder as users have it: not inside a folder that is closed anyway."""
    monkeypatch.delenv("SACCADE_RUNTIME_DIR")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    connection.database().things.insert_one({})
    folder = Path(status().socket).parent
    yield folder
    connection.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_no_tcp_port_is_open(home):
    connection.database()
    pid = server_pid()
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    kinds = {}
    for kind in ("tcp", "tcp6", "udp", "udp6", "unix"):
        lines = Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]
        inodes = [line.split()[6 if kind == "unix" else 9] for line in lines]
        kinds[kind] = [inode for inode in inodes if f"socket:[{inode}]" in sockets]
    assert kinds.pop("unix")
    assert kinds == {"tcp": [], "tcp6": [], "udp": [], "udp6": []}


def test_the_socket_lies_in_a_private_folder_with_a_short_path(usual_place):
    assert usual_place.parent == Path(f"/tmp/saccade-{os.getuid()}")
    assert len(usual_place.name) == 12
    for folder in (usual_place, usual_place.parent):
        assert folder.stat().st_uid == os.getuid()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in usual_place.iterdir()] == ["mongodb-27017.sock"]
    assert (usual_place / "mongodb-27017.sock").stat().st_mode & 0o077 == 0
    assert not Path("/tmp/mongodb-27017.sock").exists()


def test_another_user_of_the_machine_cannot_connect(usual_place):
    code = (
        "import socket\n"
        "try: socket.socket(socket.AF_UNIX).connect({path!r})\n"
        "except OSError as error: print(type(error).__name__)\nelse: print('connected')"
    )
    path = str(usual_place / "mongodb-27017.sock")
    assert run_as_nobody(code.format(path=path)) == "PermissionError\n"
    # Nor if the folders were open: the socket itself is closed.
    try:
        usual_place.chmod(0o755)
        usual_place.parent.chmod(0o755)
        assert run_as_nobody(code.format(path=path)) == "PermissionError\n"
    finally:
        usual_place.parent.chmod(0o700)


def test_another_user_has_a_server_of_their_own_at_the_same_time(usual_place):
    theirs = Path(tempfile.mkdtemp(prefix="saccade-other-", dir="/tmp"))
    os.chown(theirs, NOBODY, NOBODY) if os.getuid() == 0 else None
    code = (
        DATABASE + "from saccade.dataset import settings\nfrom saccade.dataset.store import connection, service\n"
        "database().things.insert_one({})\n"
        "status = service.server_status(settings.current())\n"
        "print(status.socket, database().things.count_documents({}))\n"
        "connection.close(); service.stop_server(settings.current())"
    )
    try:
        socket, count = run_as_nobody(code, SACCADE_HOME=str(theirs), HOME=str(theirs)).split()
        assert count == "1"
        assert socket.startswith(f"/tmp/saccade-{NOBODY}/")
        assert connection.database().things.count_documents({}) == 1
    finally:
        shutil.rmtree(theirs)
        shutil.rmtree(f"/tmp/saccade-{NOBODY}", ignore_errors=True)
