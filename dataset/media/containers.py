"""Opening a video file: its video stream, what it is, and its index without the frames' bytes.

PyAV reads through a file object, so the bytes may lie anywhere. Of MP4 and QuickTime files, the index holds place and
time of every frame; the list of frames is then read with the frames' bytes left out.
"""

import bisect
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import MissingExtraError, UnreadableMediaError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

_NO_PARSER_NO_GUESSES = 0x20 | 0x10
"""FFmpeg's AVFMT_FLAG_NOPARSE and AVFMT_FLAG_NOFILLIN: packets as the index has them, without a look inside."""

_UNTRUSTED = {("avi", "h264"), ("avi", "hevc")}
"""Container and codec where frames that are predicted from later ones have wrong times, since AVI stores none."""


@dataclass
class Video:
    """An open video file.

    Attributes:
        container: the file as PyAV opened it.
        stream: its video stream; the other streams are not read.
        source: what PyAV reads from.
    """

    container: "InputContainer"
    stream: "VideoStream"
    source: "_Source"

    @cached_property
    def has_index(self) -> bool:
        """Whether the file says where each frame lies before any is read."""
        return self.format == "mov" and self.stream.frames > 0 and len(self.stream.index_entries) > 0

    @property
    def format(self) -> str:
        """The kind of container by FFmpeg's first name for it, such as "mov" or "matroska"."""
        return self.container.format.name.split(",")[0]

    @property
    def codec(self) -> str:
        """The codec by FFmpeg's name, such as "h264"."""
        return self.stream.codec_context.name

    @property
    def has_times(self) -> bool:
        """Whether the container says in which order frames are shown."""
        return (self.format, self.codec) not in _UNTRUSTED

    @property
    def missing_bytes(self) -> int:
        """How many bytes the file should have beyond its end, as far as it says how large it is."""
        streams: Iterable[Stream] = self.container.streams if self.has_index else ()
        ends = [entry.pos + entry.size for stream in streams for entry in stream.index_entries]
        return max([0, _promised_size(self.source) - self.source.size, *(end - self.source.size for end in ends)])

    @contextmanager
    def without_contents(self) -> Iterator[None]:
        """Read packets with the right times and sizes but zeros in them, without fetching their bytes."""
        places = [(entry.pos, entry.pos + entry.size) for s in self.container.streams for entry in s.index_entries]
        flags = self.container.flags
        self.container.flags |= _NO_PARSER_NO_GUESSES
        self.rewind()
        self.source.leave_out(places)
        try:
            yield
        finally:
            self.source.leave_out([])
            self.container.flags = flags

    def rewind(self) -> None:
        """Go back to the first frame."""
        self.seek(min(entry.timestamp for entry in self.stream.index_entries))

    def seek(self, dts: int) -> None:
        """Go to the keyframe that is decoded at this time, or before it where the container cannot."""
        with suppress(pyav().FFmpegError):  # then the reading goes on where it was
            self.container.seek(dts, stream=self.stream)


@contextmanager
def opened(file: BinaryIO) -> Iterator[Video]:
    """Open a video inside a `with` block.

    Args:
        file: seekable; it stays open.

    Raises:
        UnreadableMediaError: if it is not a video; the message is the reason alone.
        MissingExtraError: if PyAV is not installed.
    """
    library = pyav()
    source = _Source(file)
    if source.size == 0:
        raise UnreadableMediaError("the file is empty")
    try:
        container = library.open(source, mode="r", metadata_errors="ignore")
    except (library.FFmpegError, OSError, ValueError) as error:
        raise source.failed or UnreadableMediaError(_why_not_opened(source)) from error
    with container:
        streams: list[Any] = [
            one for one in container.streams.video if not one.disposition & type(one.disposition).attached_pic
        ]
        if container.format.name.endswith("_pipe"):
            raise UnreadableMediaError("the file is an image, not a video")
        if not streams:
            raise UnreadableMediaError("the file has no video stream")
        if streams[0].codec_context is None:
            raise UnreadableMediaError("the video has a codec that FFmpeg does not know")
        for other in container.streams:
            if other.index != streams[0].index:
                other.discard = library.stream.Discard.all
        yield Video(container, streams[0], source)


def pyav() -> Any:
    """The PyAV library.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError(
            "videos are read with PyAV, which is not installed. Install it: pip install 'saccade[video]'"
        ) from error
    return av


class _Source:
    """What PyAV reads a file through.

    It has no name, so that what a file is does not depend on how it is called; and it can leave bytes out.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failed: UnreadableMediaError | None = None
        self.size = file.seek(0, io.SEEK_END)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._at = file.seek(0)

    def read(self, count: int) -> bytes:
        left_out = bisect.bisect_right(self._starts, self._at) - 1
        if left_out >= 0 and self._at < self._ends[left_out]:
            data = bytes(min(count, self._ends[left_out] - self._at))
        else:
            data = self._fetch(count)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def head(self, count: int) -> bytes:
        self._file.seek(0)
        return self._file.read(count)

    def leave_out(self, places: list[tuple[int, int]]) -> None:
        """Give zeros for these bytes, each from (start, end), instead of fetching them."""
        self._starts, self._ends = [], []
        for start, end in sorted(places):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def _fetch(self, count: int) -> bytes:
        try:
            self._file.seek(self._at)
            return self._file.read(count)
        except UnreadableMediaError as error:
            self.failed = error
            raise
        except OSError as error:
            self.failed = UnreadableMediaError(f"the file cannot be read: {error.strerror or type(error).__name__}")
            raise


def _why_not_opened(source: _Source) -> str:
    with suppress(OSError):
        head = source.head(12)
        if head[4:8] == b"ftyp":
            return "the file is truncated: the index of its frames is missing"
        if head[:4] in {b"\x1aE\xdf\xa3", b"RIFF"}:
            return "the file is truncated or damaged: its head cannot be read"
    return "the file is not a video of a known kind"


def _promised_size(source: _Source) -> int:
    """The size that the head of a Matroska or AVI file gives for it, in bytes; 0 if it gives none."""
    head = source.head(4096)
    if head[:4] == b"RIFF":
        return int.from_bytes(head[4:8], "little") + 8
    segment = head.find(b"\x18S\x80g") + 4
    if head[:4] == b"\x1aE\xdf\xa3" and segment >= 4 and len(head) > segment:
        length = 9 - head[segment].bit_length()  # the first one bit says how many bytes the number has
        value = int.from_bytes(head[segment : segment + length], "big") & ((1 << 7 * length) - 1)
        if 0 < length <= 8 and value != (1 << 7 * length) - 1:  # all ones: unknown, as while streaming
            return segment + length + value
    return 0
