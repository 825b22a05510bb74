"""Which frames a video has, and when each is shown: read from its index, or from its packets without decoding them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, BinaryIO

from ..errors import MediaError, UnreadableMediaError
from .containers import Video, opened, pyav

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_ROUNDING = Fraction(1, 2000)
"""Half of the coarsest unit, a millisecond, to which containers round times, in seconds."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame of a video.

    Attributes:
        frame_number: from 1, in the order in which frames are shown.
        pts: when it is shown, as the container has it, in the stream's own unit.
        time: when it is shown, in seconds after the first frame.
    """

    frame_number: int
    pts: int
    time: float


@dataclass(frozen=True, slots=True)
class Coded:
    """One frame as it lies in the file: in the order of decoding, which is not that in which frames are shown.

    Attributes:
        pts: when it is shown, in the stream's unit; None if the container does not say.
        dts: when it is decoded; None if the container does not say.
        size: in bytes.
        is_keyframe: whether decoding can begin here.
        is_shown: False for what is decoded only because other frames are predicted from it.
        is_broken: whether its bytes are not all there.
    """

    pts: int | None
    dts: int | None
    size: int
    is_keyframe: bool
    is_shown: bool
    is_broken: bool


def list_frames(
    file: BinaryIO, *, every: int | None = None, fps: float | None = None, keyframes: bool = False
) -> list[VideoFrame]:
    """List frames of a video, all of them or some, without decoding any.

    Of MP4 and QuickTime files only the index is read; other files are read once.

    Args:
        file: seekable.
        every: take the first frame and each n-th after it.
        fps: take the frame that is shown at each tick: 0, 1/fps, 2/fps, ... seconds after the first frame. A frame
            that is shown at several ticks is listed once, so a rate above the video's gives all frames.
        keyframes: take those from which decoding can begin.

    Returns:
        The frames in the order in which they are shown. Of a file that ends too early, those that its index has; where
        there is no index, those that are there.

    Raises:
        UnreadableMediaError: if it is not a video, or has no frame; the message is the reason alone.
        MediaError: if more than one choice is given, or one is not positive.
    """
    check_choice(every=every, fps=fps, keyframes=keyframes)
    with opened(file) as video:
        unit = Fraction(video.stream.time_base or 1)
        coded = read_coded(video)
        if video.source.failed is not None:
            raise video.source.failed
        if not coded:
            raise UnreadableMediaError("the video has no frame that can be read")
        order = presented(coded, has_times=video.has_times)
    times = shown_at(coded)
    frames = [VideoFrame(n, pts, float((pts - times[0]) * unit)) for n, pts in enumerate(times, 1)]
    if every is not None:
        return frames[::every]
    if fps is not None:
        return [frames[at] for at in at_ticks([(pts - times[0]) * unit for pts in times], fps, unit)]
    if keyframes:
        return [frames[number] for number, position in enumerate(order) if coded[position].is_keyframe]
    return frames


def check_choice(*, every: int | None, fps: float | None, keyframes: bool) -> None:
    """Refuse a choice of frames that has no meaning.

    Raises:
        MediaError: if more than one of them is given, or one is not positive.
    """
    given = [
        name for name, value in (("every", every), ("fps", fps), ("keyframes", keyframes or None)) if value is not None
    ]
    if len(given) > 1:
        raise MediaError(f"{' and '.join(given)} were given together. Give one of every=, fps= and keyframes=.")
    if every is not None and (not isinstance(every, int) or isinstance(every, bool) or every < 1):
        raise MediaError(f"every={every!r} is no step between frames. Give a whole number, 1 for all frames.")
    if fps is not None and (isinstance(fps, bool) or not isinstance(fps, int | float | Fraction) or not 0 < fps < 1e6):
        raise MediaError(f"fps={fps!r} is no rate. Give frames per second, such as 1 or 0.5.")


def read_coded(video: Video, *, hidden: bool = False) -> list[Coded]:
    """The frames of a video in the order of decoding; of one with an index, without their bytes.

    Where a file ends too early or cannot be read on, those before.

    Args:
        video: stands at its beginning.
        hidden: whether to list those too that are not shown.
    """
    if not video.has_index:
        return [coded for _, coded in packets(video) if hidden or coded.is_shown]
    with video.without_contents():
        return [coded for _, coded in packets(video) if hidden or coded.is_shown]


def packets(video: Video) -> "Iterator[tuple[Packet[VideoStream], Coded]]":
    """The coded frames from where the container stands, with what the container says about each; ends where it must."""
    library = pyav()
    try:
        for packet in video.container.demux(video.stream):
            if packet.size:
                is_shown = not packet.is_discard and not _is_hidden(video, packet)
                yield (
                    packet,
                    Coded(packet.pts, packet.dts, packet.size, packet.is_keyframe, is_shown, packet.is_corrupt),
                )
    except (library.FFmpegError, OSError):
        return  # what was read is there; `video.source.failed` says if the file, not its content, was to blame


def _is_hidden(video: Video, packet: "Packet[VideoStream]") -> bool:
    """Whether a packet holds a frame that others are predicted from and nobody sees; of VP8, a bit says so."""
    return video.codec == "vp8" and not bytes(packet)[0] >> 4 & 1


def presented(coded: Sequence[Coded], *, has_times: bool = True) -> list[int]:
    """Positions in the order of decoding, in the order in which frames are shown."""
    if not has_times or any(one.pts is None for one in coded):
        return list(range(len(coded)))
    return sorted(range(len(coded)), key=lambda position: (coded[position].pts, position))


def shown_at(coded: Sequence[Coded]) -> list[int]:
    """When each frame is shown, in ascending order, in the stream's unit.

    Where the container has no time for a frame, the time of decoding stands for it, else that of the frame before.
    """
    known: list[int] = []
    for one in coded:
        time = one.pts if one.pts is not None else one.dts
        known.append(time if time is not None else known[-1] + 1 if known else 0)
    return sorted(known)


def at_ticks(times: Sequence[Fraction], fps: float, unit: Fraction) -> list[int]:
    """The positions of the frames that are shown at each tick of a rate.

    Containers round times to their unit, so a frame that comes less than half a unit late, and at most half a
    millisecond, counts as shown.

    Args:
        times: when each frame is shown, ascending, in seconds; the first is 0.
        fps: ticks per second.
        unit: of the container's times, in seconds.
    """
    rate = Fraction(fps).limit_denominator(100_000)
    late = min(unit / 2, _ROUNDING)
    # The last frame is shown as long as the others are on average.
    end = times[-1] * len(times) / (len(times) - 1) if len(times) > 1 else 1 + late
    chosen = []
    for position, (start, next_start) in enumerate(pairwise([*times, end])):
        tick = ceil(max(start - late, Fraction(0)) * rate) / rate  # the first at which the frame may be shown
        if tick < next_start - late:
            chosen.append(position)
    return chosen
