"""`saccade db`, as a person calls it."""

import os
import subprocess
import sys

import pytest

from saccade.app.cli.main import main
from saccade.dataset.store import connection
from tests.store.processes import ROOT, status


def saccade(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "saccade.app.cli.main", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_start_status_and_stop(home, monkeypatch):
    monkeypatch.setenv("SACCADE_SERVER_LINGER", "0.1")
    before = saccade("db", "status")
    assert (before.returncode, before.stderr) == (1, "")
    assert "running  no (it starts by itself at first use)" in before.stdout

    started = saccade("db", "start")
    assert (started.returncode, started.stderr) == (0, "")
    assert started.stdout.startswith("The server is started.\nIt stays until `saccade db stop`.")
    assert "was running already" in saccade("db", "start").stdout

    running = saccade("db", "status")
    assert running.returncode == 0
    assert f"process {status().pid}" in running.stdout
    assert status().socket in running.stdout
    assert "clients  0\n" in running.stdout

    assert saccade("db", "stop").stdout == "The server is stopped.\n"
    assert not status().is_running
    assert saccade("db", "stop").stdout == "No server was running.\n"


def test_status_lists_the_clients(home, capsys):
    connection.database()
    assert main(["db", "status"]) == 0
    assert f"clients  1 (process {os.getpid()})" in capsys.readouterr().out


def test_path_prints_the_data_folder_and_starts_nothing(home, capsys):
    assert main(["db", "path"]) == 0
    assert capsys.readouterr().out == f"{home / 'data'}\n"
    assert not (home / "data").exists()


def test_an_error_is_one_line_on_stderr(home, capsys, monkeypatch):
    monkeypatch.setenv("SACCADE_MONGOD", str(home / "none"))
    assert main(["db", "start"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"saccade: there is no mongod at {home / 'none'}")


@pytest.mark.parametrize("action", ["start", "stop", "status"])
def test_a_server_named_by_a_uri_is_shown_without_its_password(home, capsys, monkeypatch, action):
    monkeypatch.setenv("SACCADE_DATABASE_URI", "mongodb://ann:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=200")
    assert main(["db", action]) == 1
    shown = "".join(capsys.readouterr())
    assert "mongodb://ann:***@127.0.0.1:1" in shown
    assert "s3cret" not in shown


def test_no_command_shows_what_there_is(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("saccade 0.")
