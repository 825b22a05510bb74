"""Raw answers of the server: the documents of a find or an aggregation as bytes, without an object for each.

The driver's own raw batches make an object of every document, only to put their bytes together again.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from bson import CodecOptions, Int64
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError

from ..types import Bson
from .calls import resilient, translated
from .codec import to_bson_query
from .connection import database
from .raw import Array, batch_of, documents_in, rows_in
from .samples import addressed

_ALL = 1_000_000
"""Documents in an answer: more than fit into one."""

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


def aggregation(name: str, pipeline: Sequence[Bson]) -> Bson:
    """The command that runs a pipeline; `OWN_SAMPLES` in it means the collection itself."""
    return {"aggregate": name, "pipeline": to_bson_query(addressed(pipeline, name)), "allowDiskUse": True}


def answers(name: str, command: Bson, *, batch: int) -> Iterator[bytes]:
    """Run a command that gives a cursor, and yield its documents one after another, some at a time.

    Args:
        name: the collection.
        command: a find or aggregate command, without the number of documents in an answer.
        batch: how many documents an answer has at most; the server also ends it at 16 MB.
    """
    return map(documents_in, _arrays(name, command, batch))


def answer(name: str, command: Bson) -> bytes:
    """All documents that a command gives, one after another."""
    return b"".join(answers(name, command, batch=_ALL))


def alike(name: str, command: Bson) -> list[Array] | None:
    """All documents that a command gives, in blocks of (n, length) uint8; None if their lengths differ."""
    blocks: list[Array] = []
    for array in _arrays(name, command, _ALL):
        rows = rows_in(array)
        if rows is None:
            return None
        blocks += rows
    return blocks


def _arrays(name: str, command: Bson, batch: int) -> Iterator[memoryview]:
    """The arrays of documents in the answers; the server works on the next one while the caller reads the last."""
    size = {"cursor": {"batchSize": batch}} if "aggregate" in command else {"batchSize": batch}
    source, session, reply = resilient(lambda: _begun({**command, **size}))

    def following(cursor: int) -> bytes:
        more = {"getMore": Int64(cursor), "collection": name, "batchSize": batch}
        return bytes(source.command(more, codec_options=_RAW, session=session).raw)

    coming: Future[bytes] | None = None
    with session, translated(), ThreadPoolExecutor(1) as ahead:  # no second try: a broken cursor would end early
        while True:
            documents, cursor = batch_of(reply)
            coming = ahead.submit(copy_context().run, following, cursor) if cursor else None
            try:
                yield documents
            except GeneratorExit:
                if coming is not None:
                    with suppress(PyMongoError):
                        coming.result()
                        source.command({"killCursors": name, "cursors": [Int64(cursor)]}, session=session)
                raise
            if coming is None:
                return
            reply = coming.result()


def _begun(command: Bson) -> tuple[Database[Any], ClientSession, bytes]:
    source = database()
    session = source.client.start_session(causal_consistency=False)
    try:
        return source, session, bytes(source.command(command, codec_options=_RAW, session=session).raw)
    except BaseException:
        session.end_session()
        raise
