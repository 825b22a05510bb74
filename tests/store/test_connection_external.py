"""A server of one's own, named by a URI: user, password, TLS and replica set work, and the password stays secret."""

import logging
import traceback
from urllib.parse import quote_plus

import pytest

from saccade.dataset import settings
from saccade.dataset.errors import ConnectionFailedError
from saccade.dataset.store import binary, connection, service
from tests.store.external import replica_set
from tests.store.processes import run

USER, PASSWORD = "ann", "s3cret/p@ss:w%rd"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The address and options of a running replica set."""
    mongod = binary.find(settings.current()).path
    with replica_set(mongod, tmp_path_factory.mktemp("external"), USER, PASSWORD) as place:
        yield place
        connection.close()


def uri(place, password=PASSWORD):
    return f"mongodb://{USER}:{quote_plus(password)}@{place}"


def secrets_in(text):
    return [secret for secret in (PASSWORD, quote_plus(PASSWORD)) if secret in text]


def test_user_password_tls_and_replica_set_work(home, place):
    with settings.using(database_uri=uri(place), database_name="work"):
        database = connection.database()
        database.things.insert_one({"a": 1})
        assert database.things.count_documents({}) == 1
        assert database.client.admin.command("hello")["setName"] == "tests"
        connection.connect_mongoengine()
        connection.reconnect()
    assert not service.server_status(settings.current()).data.exists(), "no embedded server was started"


def test_the_environment_names_the_server_for_other_processes(home, place):
    code = "from saccade.dataset.store.connection import database\nprint(database().command('ping')['ok'])"
    assert run(code, SACCADE_DATABASE_URI=uri(place)) == "1.0\n"


def test_the_password_shows_nowhere(home, place, caplog):
    caplog.set_level(logging.DEBUG)
    with settings.using(database_uri=uri(place), database_name="silent") as used:
        connection.close()
        database = connection.database()
        database.things.insert_one({})
        connection.connect_mongoengine()
        shown = [repr(used), str(used), repr(database), repr(database.client), repr(database.things), caplog.text]
        shown += [repr(database.client.options), connection.redacted(uri(place))]
        connection.close()
    assert caplog.text, "the driver does log"
    assert [secrets_in(text) for text in shown] == [[]] * len(shown)


def test_a_wrong_password_is_refused_without_showing_it(home, place):
    wrong = "wr0ng/p@ss"
    with settings.using(database_uri=uri(place, wrong)), pytest.raises(ConnectionFailedError) as error:
        connection.database().things.find_one()
    text = "".join(traceback.format_exception(error.value))
    assert "Authentication failed" in text
    assert f"mongodb://{USER}:***@127.0.0.1" in text
    assert wrong not in text
    assert quote_plus(wrong) not in text


def test_a_connection_without_tls_is_refused(home, place):
    plain = place.replace("tls=true&", "").replace("tlsCAFile", "serverSelectionTimeoutMS=500&appName")
    with settings.using(database_uri=uri(plain)), pytest.raises(ConnectionFailedError) as error:
        connection.database()
    assert secrets_in(str(error.value)) == []
