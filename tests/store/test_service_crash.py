"""The embedded server comes back after it died, at the same place, with everything that it acknowledged."""

import json
import os
import random
import shutil
import threading
import time
from pathlib import Path

from pymongo.errors import ConnectionFailure

from saccade.dataset import settings
from saccade.dataset.store import connection, service
from saccade.dataset.store.supervisor import process_start
from tests.store.processes import kill, server_pid, servers_of, status, until

KILLS = 25


def test_a_killed_server_is_restarted_by_the_next_call(home):
    things = connection.database().things
    things.insert_one({"_id": 1})
    before = status()
    kill(before.pid)
    assert [thing["_id"] for thing in connection.database().things.find()] == [1]
    assert status().pid != before.pid
    assert status().socket == before.socket
    assert things.count_documents({}) == 1, "a collection in hand works again"


def test_reconnecting_revives_what_is_in_hand(home):
    things = connection.database().things
    things.insert_one({"_id": 1})
    kill(server_pid())
    connection.reconnect()
    assert things.count_documents({}) == 1


def test_a_server_stopped_on_purpose_is_started_by_the_next_call(home):
    things = connection.database().things
    things.insert_one({"_id": 1})
    assert service.stop_server(settings.current())
    assert connection.database().things.count_documents({}) == 1
    assert things.count_documents({}) == 1


def test_no_acknowledged_write_is_lost_when_the_server_is_killed_again_and_again(home):
    acknowledged, killed, chance = [], 0, random.Random(51)

    def kill_again_and_again():
        nonlocal killed
        while killed < KILLS:
            before = len(acknowledged)
            until(lambda before=before: status().is_running and len(acknowledged) > before + 20)
            time.sleep(chance.uniform(0, 0.1))
            kill(server_pid())
            killed += 1

    killer = threading.Thread(target=kill_again_and_again)
    killer.start()
    number = 0
    while killer.is_alive():
        batch = [{"_id": number + i, "text": "x" * 100} for i in range(chance.choice([1, 1, 20]))]
        number += len(batch)
        try:
            connection.database().things.insert_many(batch)
        except ConnectionFailure:
            connection.reconnect()  # whether these were written nobody knows
        else:
            acknowledged += [thing["_id"] for thing in batch]
    killer.join()
    there = {thing["_id"] for thing in connection.database().things.find({}, {"_id": 1})}
    assert killed == KILLS
    assert len(acknowledged) > KILLS
    assert set(acknowledged) - there == set()


def test_a_stale_record_is_not_believed(home):
    connection.database().things.insert_one({})
    connection.close()
    service.stop_server(settings.current())
    record = service.Places.of(settings.current()).record
    said = json.loads(record.read_text())
    said |= {"pid": os.getpid(), "started": "1"}  # the pid was given to another process
    record.write_text(json.dumps(said))
    assert not status().is_running
    assert connection.database().things.count_documents({}) == 1
    assert status().pid != os.getpid()


def test_a_record_that_cannot_be_read_is_not_believed(home):
    places = service.Places.of(settings.current())
    places.make()
    places.record.write_text('{"pid": ')
    assert connection.database().things.count_documents({}) == 0
    assert status().is_running


def test_a_server_whose_socket_was_removed_is_replaced(home):
    connection.database().things.insert_one({})
    before = status()
    connection.close()
    shutil.rmtree(Path(before.socket).parent)
    assert connection.database().things.count_documents({}) == 1
    assert process_start(before.pid) is None
    assert servers_of(before.data) == [status().pid]
