"""One client per process and URI: durable, in UTC, known to mongoengine, silent about passwords."""

import datetime
import os
import threading
import traceback
from typing import ClassVar

import mongoengine
import pytest
from bson.binary import UuidRepresentation

from saccade.dataset import settings
from saccade.dataset.errors import ConnectionFailedError
from saccade.dataset.store import connection


class Note(mongoengine.Document):
    text = mongoengine.StringField()
    meta: ClassVar = {"db_alias": connection.ALIAS, "collection": "notes"}


def test_all_calls_of_a_process_share_one_client(database):
    clients = []
    threads = [threading.Thread(target=lambda: clients.append(connection.database().client)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(client is database.client for client in clients)


def test_threads_that_come_first_together_open_one_client(home):
    clients = []
    threads = [threading.Thread(target=lambda: clients.append(connection.database().client)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == 4
    assert len({id(client) for client in clients}) == 1


def test_every_write_waits_for_the_journal(database):
    assert database.write_concern.document == {"w": 1, "j": True}


def test_times_are_aware_and_uuids_standard(database):
    database.things.insert_one({"at": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)})
    assert database.things.find_one()["at"] == datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
    assert database.codec_options.uuid_representation == UuidRepresentation.STANDARD


def test_the_server_lists_this_process_under_its_own_name(database):
    names = database.client.admin.aggregate(
        [{"$currentOp": {"idleConnections": True}}, {"$match": {"appName": connection.app_name()}}]
    )
    assert list(names)
    assert connection.app_name().endswith(f"-{os.getpid()}")
    assert len(connection.app_name().split("-")[1]) == 12


def test_the_settings_name_the_database(database):
    with settings.using(database_name="another"):
        assert connection.database().name == "another"
        assert connection.database().client is database.client


def test_mongoengine_documents_use_the_same_client(database):
    assert connection.connect_mongoengine() == connection.ALIAS
    Note(text="kept").save()
    assert mongoengine.connection.get_connection(connection.ALIAS) is database.client
    assert database.notes.find_one()["text"] == "kept"


def test_mongoengine_documents_follow_the_settings(database):
    connection.connect_mongoengine()
    Note(text="first").save()
    with settings.using(database_name=f"{database.name}_b"):
        connection.connect_mongoengine()
        assert Note.objects.count() == 0
        Note(text="second").save()
        connection.database().client.drop_database(f"{database.name}_b")
    connection.connect_mongoengine()
    assert [note.text for note in Note.objects] == ["first"]
    assert database.things.count_documents({}) == 0, "the client is still open"


def test_everything_can_be_closed_and_opened_again(home):
    connection.connect_mongoengine()
    first = connection.database().client
    connection.database().things.insert_one({})
    connection.close()
    assert connection.database().client is not first
    assert connection.database().things.count_documents({}) == 1
    connection.connect_mongoengine()
    assert Note.objects.count() == 0


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://localhost", "mongodb://localhost"),
        ("mongodb://ann@db/?tls=true", "mongodb://ann@db/?tls=true"),
        ("mongodb://ann:s3cret@a:1,b:2/x?w=1", "mongodb://ann:***@a:1,b:2/x?w=1"),
        ("mongodb+srv://ann:s3cret@db.example", "mongodb+srv://ann:***@db.example"),
        ("mongodb://ann:s3c@ret/s3cret@db", "mongodb://ann:***@db"),
        ("mongodb://ann:a://b@db", "mongodb://ann:***@db"),
        (
            "mongodb://db/?tlsCertificateKeyFilePassword=s3cret&tls=true",
            "mongodb://db/?tlsCertificateKeyFilePassword=***&tls=true",
        ),
        ("mongodb://db/?authMechanismProperties=AWS_SESSION_TOKEN:s3cret", "mongodb://db/?authMechanismProperties=***"),
        ("ann:s3cret@db", "ann:***@db"),
    ],
)
def test_a_uri_is_shown_without_its_secrets(uri, shown):
    assert connection.redacted(uri) == shown


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://ann:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=200",
        "mongodb://ann:s3@cret@127.0.0.1:1/?serverSelectionTimeoutMS=200",
        "mongodb://ann:s3cret@127.0.0.1:notaport",
        "postgres://ann:s3cret@127.0.0.1/",
        "mongodb://ann:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=200&tls=true&tlsCertificateKeyFile=/none&tlsCertificateKeyFilePassword=s3cret",
        "mongodb://ann:s3cret@/",
        "mongodb://ann:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=200&nonsense=1",
        "ann:s3cret@127.0.0.1",
    ],
)
@pytest.mark.filterwarnings("ignore:Unknown option")
def test_a_server_that_cannot_be_reached_is_named_without_its_password(uri):
    with settings.using(database_uri=uri) as used, pytest.raises(ConnectionFailedError) as error:
        connection.database()
    assert "s3cret" not in "".join(traceback.format_exception(error.value))
    assert "s3cret" not in repr(used)
    assert "s3" not in str(error.value).replace("s3cret", "")
    assert "SACCADE_DATABASE_URI" in str(error.value)


def test_the_options_of_a_uri_are_kept_where_they_do_no_harm():
    strong = connection._options("mongodb://db/?w=majority&serverSelectionTimeoutMS=5")
    assert "w" not in strong
    assert "serverSelectionTimeoutMS" not in strong
    assert connection._options("mongodb://db/?w=0")["w"] == 1
    assert connection._options("mongodb://db/?readPreference=secondary")["readPreference"] == "primary"
