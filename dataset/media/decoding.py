"""The decoder of a video: packets in, pictures out, each with its number, and reasons in place of broken ones."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UnreadableMediaError
from ..types import RGBImage
from .containers import Video, pyav
from .video_index import Coded

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame as Picture
    from av.video.stream import VideoStream

Outcome = tuple[int, "Picture | str"]
"""A frame's number, and its picture, or the reason why there is none."""

_LOST = "the frame cannot be decoded: frames that it is predicted from are missing or damaged"
_DAMAGED = "the frame is damaged"
_CUT = "the file ends in the middle of the frame"


@dataclass
class Decoder:
    """Decodes packets in the order of the file and numbers what comes out.

    Every packet that goes in is accounted for: a picture comes out, in the order in which frames are shown, or the
    frame is lost, which is known as soon as a later one comes out.

    Attributes:
        video: whose frames.
        number: of the last frame that came out or was lost, from 1.
    """

    video: Video
    number: int = 0
    _fed: int = 0
    _waiting: list[tuple[int, int]] = field(default_factory=list)
    _reasons: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Set the decoder up so that the same bytes always give the same pictures."""
        context = self.video.stream.codec_context
        context.thread_type = "SLICE"  # threads by frame report damage late, and not always at the same frame
        context.copy_opaque = True
        context.options = {**context.options, "err_detect": "crccheck+bitstream+buffer+explode"}

    def feed(self, packet: "Packet[VideoStream]", coded: Coded) -> Iterator[Outcome]:
        """Decode one packet; yields what comes out, which belongs to earlier packets as a rule."""
        self._fed += 1
        packet.opaque = self._fed
        if coded.is_shown:
            time = coded.pts if self.video.has_times and coded.pts is not None else self._fed
            heapq.heappush(self._waiting, (time, self._fed))
        if coded.is_broken:
            self._reasons[self._fed] = _CUT
        yield from self._out(packet)

    def drain(self) -> Iterator[Outcome]:
        """Get out what is still inside, and be ready for packets from another place, which begin with a keyframe."""
        yield from self._out(None)
        while self._waiting:
            yield self._lost(heapq.heappop(self._waiting)[1])
        self.video.stream.codec_context.flush_buffers()
        self._reasons.clear()

    def _out(self, packet: "Packet[VideoStream] | None") -> Iterator[Outcome]:
        try:
            pictures = self.video.stream.decode(packet)
        except (pyav().FFmpegError, ValueError) as error:
            self._reasons.setdefault(self._fed, f"the frame cannot be decoded: {_text_of(error)}")
            return
        for picture in pictures:
            yield from self._arrived(picture)

    def _arrived(self, picture: "Picture") -> Iterator[Outcome]:
        order: Any = picture.opaque
        if not self.video.has_times:
            yield from self._in_order_of_output(order, picture)
            return
        if all(order != waiting for _, waiting in self._waiting):
            return  # one that is not shown
        while self._waiting:
            first = heapq.heappop(self._waiting)[1]
            if first == order:
                break
            yield self._lost(first)
        yield self._next(order, picture)

    def _in_order_of_output(self, order: int, picture: "Picture") -> Iterator[Outcome]:
        """Number frames as they come, after those that are known to have failed before."""
        for failed in sorted(one for _, one in self._waiting if one < order and one in self._reasons):
            self._forget(failed)
            yield self._lost(failed)
        self._forget(order)
        yield self._next(order, picture)

    def _forget(self, order: int) -> None:
        self._waiting = [one for one in self._waiting if one[1] != order]
        heapq.heapify(self._waiting)

    def _next(self, order: int, picture: "Picture") -> Outcome:
        self.number += 1
        reason = self._reasons.pop(order, _DAMAGED if picture.is_corrupt else None)
        return self.number, picture if reason is None else reason

    def _lost(self, order: int) -> Outcome:
        self.number += 1
        return self.number, self._reasons.pop(order, _LOST)


def pixels_of(picture: "Picture") -> RGBImage:
    """The pixels of a picture as it is meant to be seen: turned and mirrored as the file says.

    Colours are those of the matrix and range that the video names; of one that names none, BT.601, limited.

    Returns:
        (height, width, 3) uint8.

    Raises:
        UnreadableMediaError: if the pixel format cannot be converted.
    """
    try:
        pixels = picture.to_ndarray(format="rgb24")
    except (pyav().FFmpegError, ValueError) as error:
        raise UnreadableMediaError(f"the frame's pixels cannot be converted: {_text_of(error)}") from error
    return as_displayed(pixels, display_matrix(picture))


def display_matrix(picture: "Picture") -> tuple[int, int, int, int]:
    """How the file says that a picture is to be turned or mirrored: the signs of a, b, c, d in x' = ax + cy, y' = bx + dy.

    The y axis points down. A turn by anything else than quarters is taken as the nearest.
    """
    for side_data in picture.side_data.keys() if picture.side_data else ():
        if getattr(side_data.type, "name", "") == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(bytes(side_data), "<i4")[:5].tolist()
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


def _text_of(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:1].lower() + str(text)[1:]
