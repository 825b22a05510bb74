"""How long to go on with a server that fails: what is tried again, when to give up a file, and when the whole source.

A failure that may pass is tried again after a wait that doubles each time, half of it left to chance so that threads do
not come back together. Every source has a stock of such repetitions, which successes fill up again: when it is used up,
the source is given up at once, so that an outage does not multiply the requests.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

from ..errors import SourceUnavailableError, UnreadableMediaError
from .traffic import count

T = TypeVar("T")

RETRIES = 5
_FIRST_WAIT = 0.25  # seconds
_LONGEST_WAIT = 8.0
_LONGEST_TRY = 90.0  # after so many seconds a failure is not tried again
_STOCK = 300.0  # repetitions without a success in between
_REFILL = 0.2  # per success
_DENIALS = 100  # so many files in a row and never one that could be read: it is the bucket


class Failure(NamedTuple):
    """What an error of a backend means, in words that hold no credentials.

    Attributes:
        kind: "passing" may pass by itself; "unreachable" may pass too, but concerns the whole server; "denied" is a
            missing right, of one file or all; "file" and "source" do not pass.
        reason: what is wrong, as the end of "it cannot be read: …".
        remedy: what to do about a source, as a sentence.
    """

    kind: Literal["passing", "unreachable", "denied", "file", "source"]
    reason: str
    remedy: str = ""


class Patience:
    """What is tried again with one source, shared by all threads that read from it."""

    def __init__(self, source: str, retries: int = RETRIES) -> None:
        """Begin with a full stock; `source` is how errors call it."""
        self._source = source
        self._retries = retries
        self._lock = threading.Lock()
        self._stock = _STOCK
        self._denials = 0
        self._has_succeeded = False

    def call(self, attempt: Callable[[], T], explain: Callable[[BaseException], Failure], *, whole: bool = False) -> T:
        """Call `attempt` until it succeeds or must be given up.

        Args:
            attempt: sends one request.
            explain: says what an exception of it means.
            whole: whether any failure is one of the whole source, as in listing it.

        Raises:
            UnreadableMediaError: if one file cannot be read. The message is the reason alone.
            SourceUnavailableError: if no file can be.
        """
        began = time.monotonic()
        for tried in range(self._retries + 1):
            count(requests=1)
            failure = None
            try:
                result = attempt()
            except (KeyboardInterrupt, SystemExit, GeneratorExit):
                raise
            except BaseException as error:  # noqa: BLE001  # a panic in Rust is no Exception
                failure = explain(error)
            if failure is None:
                self._note_success()
                return result
            late = tried == self._retries or time.monotonic() - began > _LONGEST_TRY
            if failure.kind not in {"passing", "unreachable"} or late or not self._take_one():
                break
            wait = min(_FIRST_WAIT * 2**tried, _LONGEST_WAIT)
            time.sleep(wait / 2 + random.uniform(0, wait / 2))
        # Raised here, where no exception is being handled: that of the backend may name a signed URL, and would be
        # kept as the context of this one.
        assert failure is not None
        raise self._given_up(failure, tried + 1, whole=whole)

    def _note_success(self) -> None:
        with self._lock:
            self._has_succeeded = True
            self._stock = min(_STOCK, self._stock + _REFILL)

    def _take_one(self) -> bool:
        with self._lock:
            self._stock = max(0.0, self._stock - 1)
            return self._stock > 0

    def _given_up(self, failure: Failure, tries: int, *, whole: bool) -> UnreadableMediaError | SourceUnavailableError:
        reason = failure.reason + (f" ({tries} times in a row)" if tries > 1 else "")
        with self._lock:
            if failure.kind == "denied":
                self._denials += 1
            all_denied = failure.kind == "denied" and not self._has_succeeded and self._denials >= _DENIALS
            exhausted = failure.kind == "passing" and self._stock <= 0
        if whole or all_denied or exhausted or failure.kind in {"unreachable", "source"}:
            remedy = failure.remedy or "See docs/datasources.md for what each reason means."
            return SourceUnavailableError(f"nothing can be read from {self._source}: {reason}. {remedy}")
        return UnreadableMediaError(reason)
