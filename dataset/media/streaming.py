"""Many files, each read once, in a fixed order: reading and decoding overlap, and memory stays bounded.

Threads read and decode; the caller gets the results in the order of the files, whatever finishes first. What is done
with a file is the caller's `Work`. Of a video, all frames that are wanted come from one decode.
"""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from numbers import Integral
from queue import Empty, Full, Queue
from typing import BinaryIO, Generic, Protocol, TypeVar

from ..errors import SchemaError, UnreadableMediaError
from ..types import RGBImage
from .endings import is_video
from .reading import is_url, open_media, read_media
from .video import decode_frames

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_READERS = 16
"""Files of a bucket on their way at once: at 20 ms each, 800 arrive in a second."""
_AHEAD = 32
"""Files of a bucket that may have arrived, or be on their way, before they are decoded."""
_AHEAD_BYTES = 1 << 27
_FRAMES = 8
"""Results of a video that wait for those before them."""
_PATIENCE = 0.1


@dataclass(frozen=True)
class Place:
    """Where the pixels of a sample are.

    Attributes:
        path: a path or URL.
        frame_number: which frame of a video, from 1; None for an image, or a video as a whole.
    """

    path: str
    frame_number: int | None = None

    def __str__(self) -> str:
        """What people call it."""
        return self.path if self.frame_number is None else f"{self.path} (frame {self.frame_number})"


class Work(Protocol[T_co]):
    """What is done with each file, in the threads that decode; several samples may lie in one file."""

    def image(self, data: bytes, positions: Sequence[int], /) -> Sequence[T_co]:
        """Look at the bytes of an image; one result for each of the positions."""

    def frame(self, pixels: RGBImage, positions: Sequence[int], /) -> Sequence[T_co]:
        """Look at a frame, (height, width, 3) uint8; one result for each of the positions."""

    def video(self, file: BinaryIO, positions: Sequence[int], /) -> Sequence[T_co]:
        """Look at a video as a whole; one result for each of the positions."""


def workers_of(num_workers: int | None) -> int:
    """How many threads decode: those asked for, else one for each core that this process may use.

    Raises:
        SchemaError: if it is no number of threads.
    """
    if num_workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(num_workers, bool) or not isinstance(num_workers, Integral) or num_workers < 0:
        raise SchemaError(
            f"num_workers={num_workers!r} is not a number of threads. Use 1 or more (0 is 1), or None for one for each "
            "core."
        )
    return max(int(num_workers), 1)


def stream(
    places: Sequence[Place], work: Work[T], *, num_workers: int | None = None
) -> Iterator[tuple[int, T | UnreadableMediaError]]:
    """Read each file once and give what was made of it.

    Args:
        places: where the samples lie. Those in one file are looked at together, where the file first occurs.
        work: what is done with each file.
        num_workers: how many threads decode; the results are the same for any number.

    Yields:
        Each position in `places` once, with the result, or the reason why the file or frame cannot be read.

    Raises:
        SourceUnavailableError: if a bucket as a whole cannot be read any more.
    """
    workers = workers_of(num_workers)
    stop = threading.Event()
    reading = ThreadPoolExecutor(_READERS, thread_name_prefix="saccade-read")
    decoding = ThreadPoolExecutor(workers, thread_name_prefix="saccade-decode")
    try:
        yield from _in_order(_grouped(places), work, reading, decoding, workers + 2, stop)
    finally:
        stop.set()
        # Nobody waits for a slow server: a read that is under way ends by itself, and its bytes are dropped.
        reading.shutdown(wait=False, cancel_futures=True)
        decoding.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _File:
    """One file: the positions that mean the whole of it, and those of each frame."""

    path: str
    whole: list[int] = field(default_factory=list)
    frames: dict[int, list[int]] = field(default_factory=dict)

    @property
    def is_image(self) -> bool:
        return not self.frames and not is_video(self.path)


def _grouped(places: Sequence[Place]) -> Iterable[_File]:
    files: dict[str, _File] = {}
    for position, place in enumerate(places):
        file = files.setdefault(place.path, _File(place.path))
        if place.frame_number is None:
            file.whole.append(position)
        else:
            file.frames.setdefault(place.frame_number, []).append(position)
    return files.values()


_Results = Iterator[tuple[int, T | UnreadableMediaError]]


def _in_order(
    files: Iterable[_File], work: Work[T], reading: ThreadPoolExecutor, decoding: ThreadPoolExecutor, window: int,
    stop: threading.Event,
) -> _Results[T]:  # fmt: skip
    coming = iter(files)
    ahead: deque[tuple[_File, Future[bytes] | None]] = deque()
    under_way: deque[_Results[T]] = deque()
    while True:
        while len(ahead) < _AHEAD and _held(ahead) < _AHEAD_BYTES:
            file = next(coming, None)
            if file is None:
                break
            is_fetched = file.is_image and is_url(file.path)
            ahead.append((file, reading.submit(read_media, file.path) if is_fetched else None))
        while ahead and len(under_way) < window:
            file, fetch = ahead.popleft()
            if file.is_image:
                future = decoding.submit(_image, file, fetch, work)
                under_way.append(_waited(future))
            else:
                under_way.append(_Video(file, work, stop).begin(decoding))
        if not under_way:
            return
        yield from under_way.popleft()


def _held(ahead: Iterable[tuple[_File, Future[bytes] | None]]) -> int:
    """How many bytes have arrived and wait to be decoded."""
    done = [fetch for _, fetch in ahead if fetch is not None and fetch.done()]
    return sum(len(fetch.result()) for fetch in done if not fetch.cancelled() and fetch.exception() is None)


def _waited(future: "Future[list[tuple[int, T | UnreadableMediaError]]]") -> _Results[T]:
    yield from future.result()


def _image(file: _File, fetch: Future[bytes] | None, work: Work[T]) -> list[tuple[int, T | UnreadableMediaError]]:
    try:
        data = read_media(file.path) if fetch is None else fetch.result()
        return list(zip(file.whole, work.image(data, file.whole), strict=True))
    except UnreadableMediaError as error:
        return [(position, error) for position in file.whole]


class _Video(Generic[T]):
    """A video that a thread decodes while the results of earlier files are taken."""

    def __init__(self, file: _File, work: Work[T], stop: threading.Event) -> None:
        self._file = file
        self._work = work
        self._stop = stop
        self._queue: Queue[tuple[int, T | UnreadableMediaError] | None] = Queue(_FRAMES)

    def begin(self, decoding: ThreadPoolExecutor) -> _Results[T]:
        """Start decoding; gives what will come of it."""
        return self._results(decoding.submit(self._decode))

    def _results(self, future: "Future[None]") -> _Results[T]:
        while True:
            try:
                found = self._queue.get(timeout=_PATIENCE)
            except Empty:
                if not future.done():
                    continue
                found = None
            if found is None:
                future.result()  # what ended it is raised here
                return
            yield found

    def _decode(self) -> None:
        left: dict[int | None, list[int]] = {None: self._file.whole, **dict(self._file.frames.items())}
        try:
            with open_media(self._file.path) as file:
                if self._file.whole:
                    self._put_each(self._file.whole, self._of_whole(file))
                del left[None]
                for number, pixels in decode_frames(file, sorted(self._file.frames)) if left else ():
                    if self._stop.is_set():
                        return
                    self._put_frame(left.pop(number), pixels)
        except UnreadableMediaError as error:
            for positions in left.values():
                self._put_frame(positions, error)
        finally:
            self._put(None)

    def _of_whole(self, file: BinaryIO) -> Sequence[T | UnreadableMediaError]:
        """What the work makes of the video; what it refuses about the whole says nothing about the frames."""
        try:
            return self._work.video(file, self._file.whole)
        except UnreadableMediaError as error:
            return [error] * len(self._file.whole)

    def _put_frame(self, positions: Sequence[int], pixels: RGBImage | UnreadableMediaError) -> None:
        if isinstance(pixels, UnreadableMediaError):
            self._put_each(positions, [pixels] * len(positions))
        else:
            self._put_each(positions, self._work.frame(pixels, positions))

    def _put_each(self, positions: Sequence[int], results: Sequence[T | UnreadableMediaError]) -> None:
        for found in zip(positions, results, strict=True):
            self._put(found)

    def _put(self, found: tuple[int, T | UnreadableMediaError] | None) -> None:
        while not self._stop.is_set():
            with suppress(Full):
                self._queue.put(found, timeout=_PATIENCE)
                return
