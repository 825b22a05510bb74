"""`saccade db`: see, start and stop the embedded database server."""

import argparse
from typing import TYPE_CHECKING

from ...dataset.settings import Settings, current

if TYPE_CHECKING:
    from ...dataset.store.service import ServerStatus


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `saccade db` and its actions."""
    parser = subparsers.add_parser("db", help="the embedded database server", description=__doc__)
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    for name, function, text in (
        ("start", _start, "start the server and keep it running until `saccade db stop`"),
        ("stop", _stop, "stop the server, even if it is in use"),
        ("status", _status, "show whether the server runs; the exit status is 1 if it does not"),
        ("path", _path, "print the folder that holds the data"),
    ):
        actions.add_parser(name, help=text, description=text).set_defaults(run=run, action=function)


def run(args: argparse.Namespace) -> int:
    """Carry out the action."""
    return int(args.action(current()))


def _start(settings: Settings) -> int:
    from ...dataset.store import locks, service

    if settings.database_uri is not None:
        print(f"{_external(settings.database_uri)}: there is no embedded server to start.")
        return 1
    was_running = service.server_status(settings).is_running
    service.ensure_server(settings)
    service.keep_server(settings)
    locks.release_all()  # this command is no client of it
    print("The server was running already." if was_running else "The server is started.")
    print("It stays until `saccade db stop`.\n")
    _show(service.server_status(settings))
    return 0


def _stop(settings: Settings) -> int:
    from ...dataset.store import service

    if settings.database_uri is not None:
        print(f"{_external(settings.database_uri)}: it is not stopped from here.")
        return 1
    print("The server is stopped." if service.stop_server(settings) else "No server was running.")
    return 0


def _status(settings: Settings) -> int:
    from ...dataset.store import connection, service

    if settings.database_uri is None:
        status = service.server_status(settings)
        _show(status)
        return 0 if status.is_running else 1
    version = connection.database().command("buildInfo")["version"]
    print(f"{_external(settings.database_uri)}. It answers: MongoDB {version}.")
    return 0


def _path(settings: Settings) -> int:
    from ...dataset.store import service

    print(service.server_path(settings))
    return 0


def _external(uri: str) -> str:
    from ...dataset.store.connection import redacted

    return f"The database is {redacted(uri)}, named by SACCADE_DATABASE_URI or the config file"


def _show(status: "ServerStatus") -> None:
    lines = {"running": "yes" if status.is_running else "no (it starts by itself at first use)"}
    if status.is_running:
        clients = ", ".join(str(pid) for pid in status.clients)
        lines |= {
            "server": f"MongoDB {status.version}, process {status.pid}",
            "socket": str(status.socket),
            "clients": f"{len(status.clients)}" + (f" (process {clients})" if clients else ""),
            "stays": "until `saccade db stop`" if status.is_kept else "until a while after its last client",
        }
    lines |= {"data": str(status.data), "log": str(status.log)}
    for name, value in lines.items():
        print(f"{name:<8} {value}")
