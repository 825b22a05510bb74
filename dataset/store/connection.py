"""The connection to the database: one client per process and URI, opened at first use and again after a fork.

Which server there is, and that it runs, is `service`. No password leaves this module in a message.
"""

import atexit
import os
import re
import secrets
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_plus

import mongoengine
import pymongo
from mongoengine.connection import get_connection, register_connection
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from ..errors import ConnectionFailedError
from ..settings import Settings, current
from ..types import Bson
from . import locks, service
from .places import socket_uri
from .record import Record

ALIAS = "saccade"
"""The name under which mongoengine documents find this connection (`meta = {"db_alias": ALIAS}`)."""

OLDEST_VERSION = (6, 0)

RECONNECT_TIMEOUT = 30.0
"""Seconds after which a server that does not answer is given up."""

_PING_TIMEOUT = 3.0
_PATIENCE = 1.0
"""Seconds for closing a client that may never come to an end of it."""


class _Process:
    """What this process has opened; a forked child begins anew."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.guard = threading.RLock()
        self.name = f"saccade-{secrets.token_hex(6)}-{os.getpid()}"
        self.clients: dict[str, MongoClient[Bson]] = {}  # by URI
        self.servers: dict[str, Record | None] = {}  # the embedded server that a client has spoken to, by URI
        self.registered: tuple[MongoClient[Bson] | None, str] = (None, "")  # what ALIAS stands for: client, database


_this = _Process()
_inherited: list[MongoClient[Bson]] = []  # the parent's, after a fork: kept, so that they are neither used nor closed
_abandoned: list[MongoClient[Bson]] = []


def database() -> Database[Bson]:
    """The database of the current settings, over this process's own client.

    Starts the embedded server if none runs, also if it was killed meanwhile. A write is acknowledged only once it is in
    the journal (`j=True`); a `w` in the URI is kept. Reads go to the primary; times are aware, in UTC.

    Raises:
        ServerStartError: if the embedded server cannot be started.
        ConnectionFailedError: if the server of an explicit URI cannot be reached or is older than 6.0.
    """
    settings = current()
    return _client(settings)[settings.database_name]


def app_name() -> str:
    """The name under which the server lists this process's connections; no other process has it, ever."""
    return _this.name


def reconnect() -> None:
    """After a connection error, make sure that a server answers again; a dead embedded one is started.

    Clients, databases and collections in hand work again afterwards.

    Raises:
        ServerStartError: if the embedded server cannot be started.
        ConnectionFailedError: if the server does not answer for `RECONNECT_TIMEOUT` seconds.
    """
    _reach(current())


def connect_mongoengine() -> str:
    """Let mongoengine documents use this process's client for the current settings.

    Returns:
        The alias that documents name in their `meta`.
    """
    settings = current()
    with _this.guard:
        client = _client(settings)
        # By identity: two clients of one server with different users compare equal.
        if _this.registered[0] is client and _this.registered[1] == settings.database_name:
            return ALIAS
        mongoengine.disconnect(ALIAS)  # also makes document classes forget the collections of another URI
        for alias in (_keeper(client), ALIAS):
            register_connection(
                alias, settings.database_name, mongo_client_class=lambda **_: client, uuidRepresentation="standard"
            )
            get_connection(alias)
        _this.registered = (client, settings.database_name)
        return ALIAS


def close() -> None:
    """Close this process's clients and let go of embedded servers; the next call opens them again."""
    with _this.guard:
        mongoengine.disconnect(ALIAS)
        for uri in list(_this.clients):
            _forget(uri)
        _this.registered = (None, "")
        locks.release_all()
        while _abandoned:
            closing = threading.Thread(target=_abandoned.pop().close, daemon=True)
            with suppress(RuntimeError):  # at the end of the program it may be too late for a thread
                closing.start()
                closing.join(_PATIENCE)


def abandon() -> None:
    """Go on with new clients, and do not touch those there are.

    For after a Ctrl-C inside the driver: it can leave a lock of the driver taken, for which any further call, also the
    one that closes the client, would wait for ever.
    """
    with _this.guard:
        _abandoned.extend(_this.clients.values())
        _this.clients.clear()
        _this.servers.clear()


def redacted(uri: str) -> str:
    """The URI without its secrets.

    Example:
        >>> redacted("mongodb://ann:secret@db.example/?tls=true")
        'mongodb://ann:***@db.example/?tls=true'
    """
    scheme = "".join(re.findall(r"^[A-Za-z+]+://", uri))
    # The last @: an unescaped one in the password is a usual mistake.
    account, at, place = uri.removeprefix(scheme).rpartition("@")
    user, colon, _ = account.partition(":")
    hidden = re.sub(r"(?i)((?:password|properties)=)[^&]*", r"\1***", place)
    return f"{scheme}{user}{colon}{'***' if colon else ''}{at}{hidden}"


def _client(settings: Settings) -> MongoClient[Bson]:
    uri, record = _server(settings, is_doubtful=False)
    client = _opened(settings, uri)
    if _this.servers.setdefault(uri, record) != record:
        _reach(settings)  # another server than before: the first pings find out which connections are dead
    return client


def _server(settings: Settings, *, is_doubtful: bool) -> tuple[str, Record | None]:
    """The server's URI, and its record if it is the embedded one."""
    if settings.database_uri is not None:
        return settings.database_uri, None
    record = service.join(settings, is_doubtful=is_doubtful)
    return socket_uri(record.socket), record


def _reach(settings: Settings) -> None:
    """Ping until it works, looking each time whether the embedded server has to be started."""
    deadline = time.monotonic() + RECONNECT_TIMEOUT
    pause = 0.05
    while True:
        uri, record = _server(settings, is_doubtful=True)
        client = _opened(settings, uri)
        try:
            with pymongo.timeout(_PING_TIMEOUT):
                client.admin.command("ping")
        except PyMongoError as error:
            if time.monotonic() >= deadline:
                raise _failure(settings, error) from None
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        else:
            _this.servers[uri] = record
            return


def _opened(settings: Settings, uri: str) -> MongoClient[Bson]:
    client = _this.clients.get(uri)
    if client is not None:
        return client
    with _this.guard:
        if uri not in _this.clients:
            _this.clients[uri] = _open(settings, uri)
        return _this.clients[uri]


def _open(settings: Settings, uri: str) -> MongoClient[Bson]:
    client: MongoClient[Bson] | None = None
    try:
        client = MongoClient(uri, **_options(uri))
        version = client.admin.command("buildInfo")["version"]
    except (PyMongoError, ValueError, OSError) as error:
        if client is not None:
            client.close()
        raise _failure(settings, error) from None
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VERSION:
        client.close()
        raise ConnectionFailedError(f"the server at {redacted(uri)} is MongoDB {version}; Saccade needs 6.0 or later.")
    return client


def _options(uri: str) -> dict[str, Any]:
    """The options that hold whatever the URI says, and defaults for those that it leaves open."""
    given = {part.partition("=")[0].lower(): part.partition("=")[2] for part in uri.partition("?")[2].split("&")}
    options: dict[str, Any] = {
        "appname": app_name(),
        # A write is repeated by `calls.resilient` alone, which first asks whether it still may happen.
        "retryWrites": False,
        "journal": True,
        "readPreference": "primary",
        "tz_aware": True,
        "uuidRepresentation": "standard",
    }
    if given.get("w", "0") == "0":
        options["w"] = 1
    if "serverselectiontimeoutms" not in given:
        # An embedded server that does not answer at once is dead: `reconnect` starts it.
        options["serverSelectionTimeoutMS"] = 5_000 if uri.lower().endswith(".sock") else 15_000
    return options


def _failure(settings: Settings, error: Exception) -> ConnectionFailedError:
    uri = settings.database_uri
    # The driver appends its options and a picture of its state to the reason.
    reason = re.sub(r" \(configured timeouts: [^)]*\)|, Timeout: .*", "", str(error), flags=re.DOTALL)
    if uri is None:
        return ConnectionFailedError(
            f"the embedded server of {settings.data_dir} does not answer: {reason}. See `saccade db status`."
        )
    return ConnectionFailedError(
        f"the database at {redacted(uri)} cannot be used: {_without_secrets(reason, uri)}. "
        "Check that the server runs, and the host, user and options in SACCADE_DATABASE_URI "
        "(a password with one of : / ? # [ ] @ % must be percent-encoded)."
    )


def _without_secrets(text: str, uri: str) -> str:
    account, at, place = uri.partition("://")[2].rpartition("@")
    password = account.partition(":")[2] if at else ""
    secrets_in_uri = {uri, password, unquote_plus(password), *re.findall(r"(?i)(?:password|properties)=([^&]*)", place)}
    for secret in sorted(secrets_in_uri - {""}, key=len, reverse=True):
        text = text.replace(secret, redacted(uri) if secret == uri else "***")
    return text


def _forget(uri: str) -> None:
    client = _this.clients.pop(uri)
    _this.servers.pop(uri, None)
    mongoengine.disconnect(_keeper(client))
    with pymongo.timeout(1.0):  # it says goodbye to the server, which may be gone
        client.close()


def _keeper(client: MongoClient[Bson]) -> str:
    """A second alias of the client: mongoengine closes a client with its last alias, but this one is ours to close."""
    return f"{ALIAS}-{id(client)}"


def _begin_anew() -> None:
    _inherited.extend([*_this.clients.values(), *_abandoned])
    _abandoned.clear()
    _this.begin()


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
