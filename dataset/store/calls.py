"""How the rest of the store calls the server: one place for reconnecting and for translating driver errors."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from traceback import walk_tb
from types import FrameType
from typing import Any, TypeVar

from bson.errors import BSONError
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, DocumentTooLarge, ExecutionTimeout, OperationFailure, PyMongoError

from ..errors import ConnectionFailedError, SchemaError, StoreError
from ..types import Bson
from .connection import abandon, database, reconnect, redacted
from .packing import Packed

S = TypeVar("S")
T = TypeVar("T")

_TOO_LARGE = 10334
"""The server's code for a document beyond its bound."""


def collection(name: str) -> Collection[Bson]:
    """The collection called `name` in the database that the settings name."""
    return database()[name]


Guard = Callable[[bool], None]
"""Called before a write, and told whether the connection broke just now; it raises if the write must not happen."""


def resilient(operation: Callable[[], T], guard: Guard | None = None) -> T:
    """Call `operation`; after a connection error make sure that there is a server, and call it once more.

    Args:
        operation: safe to repeat; it must fetch its collections inside, since the client may be a new one.
        guard: called before both tries, since the driver may replace a broken connection without a word.

    Raises:
        ConnectionFailedError: if the server cannot be reached the second time either.
        StoreError: if the server refuses.
        SchemaError: if a document cannot be sent, because of its size or of a value in it.
    """
    with translated():
        try:
            if guard is not None:
                guard(False)
            return operation()
        except ConnectionFailure:
            reconnect()
            if guard is not None:
                guard(True)
            return operation()


def in_parallel(work: Callable[[S], T], items: Sequence[S], threads: int) -> list[T]:
    """Call `work` on each item, a few at a time, in threads that have the settings of this one.

    After an error nothing new is begun; it is raised when what was begun has ended.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    pool = ThreadPoolExecutor(min(threads, len(items)))
    try:
        return [done.result() for done in [pool.submit(copy_context().run, work, item) for item in items]]
    finally:
        pool.shutdown(cancel_futures=True)


class Beside:
    """Calls that go on in a thread while their caller does something else; one at a time."""

    def __init__(self) -> None:
        """Begin without a call."""
        self._pool = ThreadPoolExecutor(1)
        self._call: Future[Any] | None = None

    def begin(self, work: Callable[[], Any]) -> None:
        """Begin a call, in the settings of this thread; the one before has ended."""
        self._call = None
        self._call = self._pool.submit(copy_context().run, work)

    def result(self) -> Any:
        """Wait for the call, and give or raise what it does."""
        assert self._call is not None, "a call was begun"
        return self._call.result()

    def has_succeeded(self) -> bool:
        """Wait for the call after an exception, which may have come at any point; no other can be begun then."""
        self._pool.shutdown()
        return self._call is not None and self._call.exception() is None

    def close(self) -> None:
        """Let the thread end."""
        self._pool.shutdown(wait=False)


def write_packed(verb: str, name: str, packed: bytes, **options: Any) -> list[Bson]:
    """Insert documents into a collection, or update some, all in one message and each for itself.

    Args:
        verb: "insert" or "update".
        name: the collection.
        packed: documents, or statements of updates, one after another.
        **options: more of the command, such as its comment.

    Returns:
        What the server said of those that it refused.
    """
    source = database()
    command = {
        verb: name, "documents" if verb == "insert" else "updates": [Packed(packed)], "ordered": False,
        "writeConcern": source.write_concern.document, **options,
    }  # fmt: skip
    answer = source.command(command)
    problem = answer.get("writeConcernError")
    if problem:
        raise StoreError(f"the database could not keep a value: {problem.get('errmsg')}")
    return list(answer.get("writeErrors", []))


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into Saccade's."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if any(_is_of_driver(frame) for frame, _ in walk_tb(interrupt.__traceback__)):
            abandon()
        raise
    except ConnectionFailure as error:
        raise ConnectionFailedError(f"the database cannot be reached: {redacted(str(error))}") from error
    except (OperationFailure, ExecutionTimeout) as error:
        if error.code == _TOO_LARGE:
            raise _too_large(error) from error
        raise StoreError(f"the database refused: {redacted(_short(error))}") from error
    except DocumentTooLarge as error:
        raise _too_large(error) from error
    except BSONError as error:
        raise SchemaError(f"a value cannot be stored: {_short(error)}") from error
    except PyMongoError as error:
        raise StoreError(f"the database driver failed: {redacted(str(error))}") from error


def _too_large(error: Any) -> SchemaError:
    return SchemaError(
        f"a sample is larger than 16 MB, which the database cannot store: {_short(error).rstrip('.')}. "
        "Keep large texts and arrays in files, and store their paths."
    )


def _is_of_driver(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == "pymongo"


def _short(error: Any) -> str:
    text = str(error).partition(", full error: ")[0]  # which says the same once more, as the server put it
    return text if len(text) < 600 else text[:600] + " …"
