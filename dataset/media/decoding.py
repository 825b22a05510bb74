"""The decoder of a video: packets in, pictures out, each with its number, and reasons in place of broken ones."""

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UnreadableMediaError
from ..types import RGBImage
from .containers import Video, pyav
from .video_index import Coded

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Outcome = tuple[int, "VideoFrame | str"]
"""A frame's number, and its picture, or the reason why there is none."""

_LOST = "the frame cannot be decoded"
_PREDICTED = "the frame is predicted from a damaged or missing one"
_DAMAGED = "the frame is damaged"
_CUT = "the file ends in the middle of the frame"


@dataclass(slots=True)
class _Fed:
    """A packet that went in: what is known about its frame while it has not come out."""

    order: int
    coded: Coded
    number: int | None
    group: int
    is_leading: bool
    reason: str | None = None


class Decoder:
    """Decodes packets in the order of the file and numbers what comes out.

    Every packet that goes in is accounted for: a picture comes out, in the order in which frames are shown, or the
    frame is lost, which is known as soon as a later one comes out. What is predicted from a broken frame is broken
    too: that is what follows it until the next keyframe.

    Attributes:
        number: of the last frame that came out or was lost, from 1.
    """

    def __init__(self, video: Video) -> None:
        """Set the decoder up so that the same bytes always give the same pictures, and damage is noticed."""
        self.number = 0
        self._video = video
        self._count = 0
        self._inside: dict[int, _Fed] = {}
        self._waiting: list[tuple[int, int]] = []  # a heap of when a frame is shown, and which it is
        self._held: deque[tuple[_Fed, VideoFrame | None]] = deque()
        self._group = 0
        self._group_begins: int | None = None
        self._broken: dict[tuple[int, bool], int] = {}  # the first broken packet of a group, and of its leading ones
        context = video.stream.codec_context
        # H.264 notices no damage with threads by slices, and with threads by frames late.
        context.thread_type, context.thread_count = "NONE", 1
        context.copy_opaque = True
        context.options = {**context.options, "err_detect": "crccheck+bitstream+buffer+explode"}

    def feed(self, packet: "Packet[VideoStream]", coded: Coded, number: int | None = None) -> Iterator[Outcome]:
        """Decode one packet; yields what comes out, which belongs to earlier packets as a rule.

        Args:
            packet: the frame's bytes.
            coded: what the container says about them.
            number: the frame's number, if it is known; else it is counted.
        """
        self._count += 1
        if coded.is_keyframe:
            self._group, self._group_begins = self._group + 1, coded.pts
        begins = self._group_begins
        is_leading = coded.pts is not None and begins is not None and coded.pts < begins
        fed = _Fed(self._count, coded, number, self._group, is_leading, _CUT if coded.is_broken else None)
        packet.opaque = fed  # PyAV knows it by its identity, so it must not be a number, which others use too
        if fed.reason is not None:
            self._note_broken(fed)
        if coded.is_shown:
            self._inside[self._count] = fed
            time = coded.pts if self._video.has_times and coded.pts is not None else self._count
            heapq.heappush(self._waiting, (time, self._count))
        self._decode(packet, fed)
        yield from self._released()

    def drain(self) -> Iterator[Outcome]:
        """Get out what is still inside, and be ready for packets from another place, which begin with a keyframe."""
        self._decode(None, None)
        while self._waiting:
            self._lose(heapq.heappop(self._waiting)[1])
        yield from self._released()
        self._video.stream.codec_context.flush_buffers()
        self._broken.clear()

    def _decode(self, packet: "Packet[VideoStream] | None", fed: _Fed | None) -> None:
        try:
            pictures = self._video.stream.decode(packet)
        except (pyav().FFmpegError, ValueError) as error:
            if fed is not None:
                fed.reason = fed.reason or f"the frame cannot be decoded: {text_of(error)}"
                self._note_broken(fed)
            return
        for picture in pictures:
            origin: Any = picture.opaque
            if isinstance(origin, _Fed) and origin.order in self._inside:  # else it is not shown
                self._arrived(origin, picture)

    def _arrived(self, fed: _Fed, picture: "VideoFrame") -> None:
        order = fed.order
        if self._video.has_times:
            while self._waiting and self._waiting[0][1] != order:
                self._lose(heapq.heappop(self._waiting)[1])
            heapq.heappop(self._waiting)
        else:  # frames come in the right order, and those that failed have a reason
            for _, failed in [one for one in self._waiting if one[1] < order and self._inside[one[1]].reason]:
                self._lose(failed)
            self._waiting = [one for one in self._waiting if one[1] in self._inside and one[1] != order]
            heapq.heapify(self._waiting)
        del self._inside[order]
        if picture.is_corrupt and fed.reason is None:
            fed.reason = _DAMAGED
            self._note_broken(fed)
        self._held.append((fed, picture))

    def _lose(self, order: int) -> None:
        fed = self._inside.pop(order)
        fed.reason = fed.reason or _LOST
        self._note_broken(fed)
        self._held.append((fed, None))

    def _note_broken(self, fed: _Fed) -> None:
        key = fed.group, fed.is_leading
        self._broken[key] = min(fed.order, self._broken.get(key, fed.order))

    def _released(self) -> Iterator[Outcome]:
        """What has come out, as far as all that it may be predicted from has come out too."""
        first_inside = min(self._inside, default=self._count + 1)
        # Without times, a frame that never comes out is not known to be lost before the end, so nothing waits for it.
        while self._held and (self._held[0][0].order < first_inside or not self._video.has_times):
            fed, picture = self._held.popleft()
            self.number = fed.number or self.number + 1
            reason = fed.reason or (_PREDICTED if self._is_tainted(fed) else None)
            yield self.number, picture if reason is None and picture is not None else reason or _LOST

    def _is_tainted(self, fed: _Fed) -> bool:
        """Whether a frame may be predicted from a broken one.

        What is shown before its keyframe may be predicted from the group before, and nothing else is predicted from it.
        """
        in_group = self._broken.get((fed.group, False), fed.order) < fed.order
        if not fed.is_leading:
            return in_group
        in_lead = self._broken.get((fed.group, True), fed.order) < fed.order
        return in_group or in_lead or (fed.group - 1, False) in self._broken


Turns = dict[int, tuple[int, int, int, int]]
"""The display matrices that a video has, by the angle of rotation that PyAV gives for them."""


def pixels_of(picture: "VideoFrame", turns: Turns) -> RGBImage:
    """The pixels of a picture as it is meant to be seen: turned and mirrored as the file says.

    Colours are those of the matrix and range that the video names; of one that names none, BT.601, limited. What is
    transparent is left out.

    Args:
        picture: a decoded frame.
        turns: the display matrices of this video that are known so far; a new one is added.

    Returns:
        (height, width, 3) uint8.

    Raises:
        UnreadableMediaError: if the pixel format cannot be converted.
    """
    try:
        pixels = np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)
    except (pyav().FFmpegError, ValueError) as error:
        raise UnreadableMediaError(f"the frame's pixels cannot be converted: {text_of(error)}") from error
    if picture.rotation not in turns:
        turns[picture.rotation] = display_matrix(picture)
    return as_displayed(pixels, turns[picture.rotation])


def display_matrix(picture: "VideoFrame") -> tuple[int, int, int, int]:
    """How the file says that a picture is to be turned or mirrored.

    These are the signs of a, b, c, d in x' = ax + cy, y' = bx + dy, with the y axis pointing down. A turn by anything
    else than quarters is taken as the nearest.
    """
    # A frame whose side data was looked at stays in memory until the garbage collector finds it, so it is a small copy.
    small = picture.reformat(width=16, height=16, format="gray")
    parts: Any = small.side_data  # PyAV types it as a dict, and it gives the parts themselves
    for part in parts:
        if part.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(bytes(part), "<i4")[:5].tolist()
            if abs(b) + abs(c) > abs(a) + abs(d):
                return 0, 1 if b > 0 else -1, 1 if c > 0 else -1, 0
            return 1 if a >= 0 else -1, 0, 0, 1 if d >= 0 else -1
    return 1, 0, 0, 1


def as_displayed(pixels: RGBImage, matrix: tuple[int, int, int, int]) -> RGBImage:
    """Turn and mirror pixels by a matrix of `display_matrix`."""
    a, b, c, d = matrix
    if a:
        turned = pixels[::d, ::a]
    else:
        turned = pixels.transpose(1, 0, 2)[::b, ::c]
    return np.ascontiguousarray(turned)


def text_of(error: Exception) -> str:
    """What FFmpeg says about an error, to stand inside a sentence."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:1].lower() + str(text)[1:]
