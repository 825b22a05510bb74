"""Pixels of chosen frames of a video, in one pass through the file and with a few frames in memory.

Frames lie in groups that begin with a keyframe, and only groups that hold a wanted frame are decoded. Where the file
has an index, the others are not even read.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from ..errors import MediaError, UnreadableMediaError
from ..types import RGBImage
from .containers import Video, opened
from .decoding import Decoder, Outcome, Turns, pixels_of
from .reading import open_media
from .video_index import Coded, packets, read_coded

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_HELD = 8 << 20
"""A group of more bytes than these is decoded without waiting for its end, to bound the memory."""


def decode_frames(
    file: BinaryIO, frame_numbers: Sequence[int]
) -> Iterator[tuple[int, RGBImage | UnreadableMediaError]]:
    """Decode frames of a video, all in one pass.

    The pixels are those of a decoding from the beginning. Where a frame turns out broken after others were passed over,
    all from there on is decoded once more without passing over any.

    Args:
        file: seekable.
        frame_numbers: which, from 1; in any order, each is given once.

    Yields:
        Frame numbers, ascending, each with its pixels as they are meant to be seen, (height, width, 3) uint8, or with
        an error whose message is the reason why it has none: it is damaged, predicted from a damaged frame, or not
        there.

    Raises:
        UnreadableMediaError: if the file is not a video at all; the message is the reason alone.
        MediaError: if a number is below 1.
    """
    wanted = sorted({int(number) for number in frame_numbers})
    if wanted and wanted[0] < 1:
        raise MediaError(f"frame_numbers has {wanted[0]}; frames are counted from 1.")
    may_skip, done = True, 0
    turns: Turns = {}
    while done < len(wanted):
        with opened(file) as video:
            reading = Reading(video, wanted[done:], may_skip=may_skip)
            for number, outcome in reading.outcomes():
                if isinstance(outcome, str) and reading.has_skipped:
                    break
                yield number, UnreadableMediaError(outcome) if isinstance(outcome, str) else _pixels(outcome, turns)
                done += 1
            may_skip = False


@dataclass
class _Group:
    """Frames that can be decoded without those before, but for the first in which they are shown.

    Attributes:
        position: its place among the groups.
        first: the number of the frame that is shown first.
        coded: its frames in the order of decoding.
        packets: their bytes, once they are read.
        is_whole: whether all up to the next keyframe is here.
    """

    position: int
    first: int
    coded: list[Coded] = field(default_factory=list)
    packets: "list[Packet[VideoStream]]" = field(default_factory=list)
    is_whole: bool = True

    @property
    def end(self) -> int:
        """The number after that of the frame that is shown last."""
        return self.first + sum(one.is_shown for one in self.coded)

    def numbers(self) -> list[int]:
        """The number of each frame, in the order of decoding."""
        shown = sorted((one.pts or 0, place) for place, one in enumerate(self.coded) if one.is_shown)
        numbers = [0] * len(self.coded)
        for number, (_, place) in enumerate(shown, self.first):
            numbers[place] = number
        return numbers

    @property
    def num_leading(self) -> int:
        """How many frames are shown before the keyframe, and so are predicted from the group before too."""
        begin = self.coded[0].pts if self.coded else None
        return sum(one.is_shown and one.pts is not None and begin is not None and one.pts < begin for one in self.coded)


class Reading:
    """One pass through a video for some of its frames.

    Attributes:
        has_skipped: whether frames were passed over so far.
    """

    def __init__(self, video: Video, wanted: Sequence[int], *, may_skip: bool = True) -> None:
        """Begin.

        Args:
            video: stands at its beginning.
            wanted: frame numbers, ascending.
            may_skip: whether what is not wanted may be passed over.
        """
        self.has_skipped = False
        self._video = video
        self._wanted = wanted
        self._may_skip = may_skip and video.has_times
        self._total: int | None = None
        self._reading: Iterator[tuple[Packet[VideoStream], Coded]] = iter(())

    def outcomes(self) -> Iterator[Outcome]:
        """Yield each wanted frame with its picture, or the reason why there is none."""
        decoder = Decoder(self._video)
        wanted = iter(self._wanted)
        next_wanted = next(wanted, None)
        for number, outcome in self._decoded(decoder):
            while next_wanted is not None and next_wanted < number:
                yield next_wanted, self._why_missing(next_wanted, decoder.number)
                next_wanted = next(wanted, None)
            if number == next_wanted:
                yield number, outcome
                next_wanted = next(wanted, None)
            if next_wanted is None:
                return
        while next_wanted is not None:
            yield next_wanted, self._why_missing(next_wanted, decoder.number)
            next_wanted = next(wanted, None)

    def _why_missing(self, number: int, last: int) -> str:
        failed = self._video.source.failed
        if failed is not None:
            return str(failed)
        total = self._total or last
        if number <= total or self._video.missing_bytes:
            return "the file ends before this frame: it is truncated"
        return f"the video has only {total} frames"

    def _decoded(self, decoder: Decoder) -> Iterator[Outcome]:
        before = -1
        for group in self._indexed() if self._video.has_index else self._streamed():
            if group.position > before + 1:
                yield from decoder.drain()
                decoder.number, self.has_skipped = group.first - 1, True
            # Only now, since PyAV forgets what is in the decoder when it goes elsewhere.
            for packet, coded, number in self._contents(group, goes_on=group.position == before + 1 and before >= 0):
                yield from decoder.feed(packet, coded, number)
            before = group.position
        yield from decoder.drain()

    def _is_wanted(self, start: int, end: int) -> bool:
        """Whether a frame with one of the numbers from start to before end is wanted."""
        at = bisect_left(self._wanted, start)
        return at < len(self._wanted) and self._wanted[at] < end

    def _streamed(self) -> Iterator[_Group]:
        """The groups that must be decoded, of a file that is read from its beginning."""
        passed: _Group | None = None
        for group in self._read_groups():
            if group.first > self._wanted[-1]:
                return
            if self._may_skip and group.is_whole and not self._is_wanted(group.first, group.end):
                passed = group
                continue
            if passed is not None and self._is_wanted(group.first, group.first + group.num_leading):
                yield passed
            yield group
            passed = None

    def _read_groups(self) -> Iterator[_Group]:
        group = _Group(0, 1)
        size = 0
        for packet, coded in packets(self._video):
            if group.coded and (coded.is_keyframe or size > _HELD):
                group.is_whole = group.is_whole and coded.is_keyframe
                yield group
                group = _Group(group.position + 1, group.end, is_whole=coded.is_keyframe)
                size = 0
            group.coded.append(coded)
            group.packets.append(packet)
            size += coded.size
        if group.coded:
            yield group

    def _indexed(self) -> Iterator[_Group]:
        """The groups that must be decoded, of a file whose index says where they lie."""
        groups = [_Group(0, 1)]
        for coded in read_coded(self._video, hidden=True):
            if coded.is_keyframe and groups[-1].coded:
                groups.append(_Group(len(groups), groups[-1].end))
            groups[-1].coded.append(coded)
        self._total = groups[-1].end - 1
        needed = {group.position for group in groups if self._is_wanted(group.first, group.end)}
        needed |= {
            group.position - 1 for group in groups if self._is_wanted(group.first, group.first + group.num_leading)
        }
        last = max(needed, default=-1)
        return (group for group in groups[: last + 1] if not self._may_skip or group.position in needed)

    def _contents(self, group: _Group, *, goes_on: bool) -> "Iterator[tuple[Packet[VideoStream], Coded, int | None]]":
        """The frames of a group in the order of decoding, as far as they are there, with their numbers if known.

        Args:
            group: with its packets, or of a file whose index says where it lies.
            goes_on: whether it follows what was read last.
        """
        if group.packets:
            yield from ((packet, coded, None) for packet, coded in zip(group.packets, group.coded, strict=True))
            return
        if not goes_on:
            self._video.seek(group.coded[0].dts or 0)
            self._reading = packets(self._video)
        numbers = iter(group.numbers())
        left = len(group.coded)
        for packet, coded in self._reading:
            if left == len(group.coded) and coded.dts != group.coded[0].dts:
                continue  # before the place that was looked for
            yield packet, coded, next(numbers)
            left -= 1
            if left == 0:
                return


def _pixels(picture: "VideoFrame", turns: Turns) -> RGBImage | UnreadableMediaError:
    try:
        return pixels_of(picture, turns)
    except UnreadableMediaError as error:
        return error


def frame_pixels(path: str, frame_number: int) -> RGBImage:
    """The pixels of one frame of a video.

    Args:
        path: the path or URL of the video.
        frame_number: from 1.

    Returns:
        (height, width, 3) uint8, as the frame is meant to be seen.

    Raises:
        UnreadableMediaError: if the file cannot be read or has no such frame; the message is the reason alone.
    """
    with open_media(path) as file:
        for _, pixels in decode_frames(file, [frame_number]):
            if isinstance(pixels, UnreadableMediaError):
                raise pixels
            return pixels
    raise UnreadableMediaError("the video has no frame")
