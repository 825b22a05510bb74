"""One server for all processes of a user: it starts once and ends after the last of them."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from saccade.dataset import settings
from saccade.dataset.store import connection, locks, service
from saccade.dataset.store.supervisor import process_start
from tests.store.processes import DATABASE, begin, kill, run, server_pid, servers_of, status, until

USE = DATABASE + "database().things.insert_one({'of': %r}); print('used', flush=True); input()"


def read_line(process):
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return line.strip()


def end(process):
    process.communicate("\n", timeout=30)


def supervisor_pid(server):
    """The parent of the server."""
    return int(Path(f"/proc/{server}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def test_first_uses_at_once_start_one_server(home):
    clients = [begin(USE % number) for number in range(4)]
    assert [read_line(client) for client in clients] == ["used"] * 4
    assert servers_of(status().data) == [status().pid]
    assert sorted(status().clients) == sorted(client.pid for client in clients)
    for client in clients:
        end(client)
    assert connection.database().things.count_documents({}) == 4


def test_the_server_ends_after_its_last_client_however_that_died(home, monkeypatch):
    monkeypatch.setenv("SACCADE_SERVER_LINGER", "0.3")
    first, second = begin(USE % 1), begin(USE % 2)
    read_line(first), read_line(second)
    server = server_pid()
    supervisor = supervisor_pid(server)
    end(first)
    with pytest.raises(AssertionError):
        until(lambda: process_start(server) is None, seconds=1.5)
    second.send_signal(signal.SIGKILL)
    until(lambda: process_start(server) is None and process_start(supervisor) is None)
    second.communicate()
    assert not status().is_running
    assert run(DATABASE + "print(database().things.count_documents({}))") == "2\n"


def test_a_client_killed_while_it_starts_the_server_leaves_no_stuck_lock(home):
    places = service.Places.of(settings.current())
    client = begin(DATABASE + "database()")
    until(places.log.exists)
    client.kill()
    client.communicate()
    assert connection.database().things.count_documents({}) == 0
    assert servers_of(status().data) == [status().pid]
    assert status().clients == (os.getpid(),)


def test_a_killed_supervisor_is_replaced_and_its_server_goes_on(home, monkeypatch):
    monkeypatch.setenv("SACCADE_SERVER_LINGER", "0.3")
    connection.database().things.insert_one({})
    server = server_pid()
    kill(supervisor_pid(server))
    assert run(DATABASE + "print(database().things.count_documents({}))") == "1\n"
    assert server_pid() == server
    connection.close()
    until(lambda: process_start(server) is None)


def test_a_server_that_shall_stay_stays_until_it_is_stopped(home, monkeypatch):
    monkeypatch.setenv("SACCADE_SERVER_LINGER", "0.1")
    run(
        DATABASE + "from saccade.dataset import settings\nfrom saccade.dataset.store import service\n"
        "database(); service.keep_server(settings.current())"
    )
    with pytest.raises(AssertionError):
        until(lambda: not status().is_running, seconds=1.5)
    assert status().is_kept
    assert service.stop_server(settings.current())
    assert not status().is_running
    assert not service.stop_server(settings.current())


def test_a_forked_child_has_its_own_client_lock_and_name(home):
    code = (
        DATABASE
        + """
import os
from saccade.dataset.store import connection, service
from saccade.dataset import settings
database().things.insert_one({"by": "parent"})
connection.connect_mongoengine()
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    assert os.getppid() in service.server_status(settings.current()).clients
    assert os.getpid() not in service.server_status(settings.current()).clients
    database().things.insert_one({"by": "child"})
    connection.connect_mongoengine()
    assert os.getpid() in service.server_status(settings.current()).clients
    os.write(writer, connection.app_name().encode())
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert os.read(reader, 100).decode() != connection.app_name()
assert service.server_status(settings.current()).clients == (os.getpid(),)
print(sorted(thing["by"] for thing in database().things.find()))
"""
    )
    assert run(code) == "['child', 'parent']\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_share_the_server(home, tmp_path, method):
    script = tmp_path / "walk.py"
    script.write_text(
        DATABASE
        + f"""
import multiprocessing

def work(number):
    database().things.insert_one({{"number": number}})
    return number

if __name__ == "__main__":
    database().things.insert_one({{"number": -1}})
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        assert sorted(pool.map(work, range(20))) == list(range(20))
    print(database().things.count_documents({{}}))
"""
    )
    assert (
        run(f"import runpy, sys; sys.argv = [{str(script)!r}]; runpy.run_path(sys.argv[0], run_name='__main__')")
        == "21\n"
    )


def test_a_server_whose_folder_was_removed_ends(home, monkeypatch):
    monkeypatch.setenv("SACCADE_SERVER_LINGER", "0.2")
    connection.database()
    server = server_pid()
    shutil.rmtree(home)
    until(lambda: process_start(server) is None)


def test_status_starts_nothing(home):
    assert not status().is_running
    assert not status().data.exists()


def test_letting_go_is_seen_at_once(home):
    connection.database()
    assert status().clients == (os.getpid(),)
    connection.close()
    assert status().clients == ()
    assert not locks.holds_as_client(service.Places.of(settings.current()))
