"""How many documents a collection has: exact, and mostly without counting them.

The server keeps a number for each collection. It is right unless the server was killed, and then it may be off for
ever. So it is believed once a count agreed with it, for as long as the same process of the server answers.
"""

from typing import Any

from pymongo import MongoClient

from ..types import Bson
from .calls import collection, resilient

_believed: set[tuple[object, str]] = set()
"""Processes of servers, with the collections whose numbers were found to be right there."""


def count(name: str) -> int:
    """The exact number of documents in a collection; 0 if it does not exist."""

    def read() -> int:
        documents = collection(name)
        process = _process(documents.database.client)
        if (process, name) in _believed:
            return int(documents.estimated_document_count())
        before = documents.estimated_document_count()
        counted = int(documents.count_documents({}, hint="_id_"))
        # Both sides of the count, or a number that is off could agree by the chance of somebody else's insert.
        if process is not None and before == counted == documents.estimated_document_count():
            _believed.add((process, name))
        return counted

    return resilient(read)


def _process(client: MongoClient[Bson]) -> Any:
    """What tells this run of the server from every other; None if there are several, whose numbers are never right."""
    servers = list(client.topology_description.server_descriptions().values())
    if len(servers) != 1 or servers[0].server_type_name != "Standalone" or servers[0].topology_version is None:
        return None
    return servers[0].topology_version["processId"]
