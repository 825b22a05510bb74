"""What a video is: its metadata, whether it is broken, and its frames."""

from collections.abc import Sequence
from fractions import Fraction
from typing import BinaryIO

from ..errors import UnreadableMediaError
from ..labels import VideoMetadata
from .containers import Video, opened
from .decoding import Decoder, display_matrix
from .endings import is_video
from .frames import decode_frames, frame_pixels
from .video_index import Coded, VideoFrame, check_choice, list_frames, packets, read_coded, shown_at

__all__ = [
    "VideoFrame",
    "check_choice",
    "check_video",
    "decode_frames",
    "frame_pixels",
    "is_video",
    "list_frames",
    "read_video",
]

_MIME_TYPES = {
    "3gp": "video/3gpp",
    "asf": "video/x-ms-wmv",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "gif": "image/gif",
    "matroska": "video/x-matroska",
    "mov": "video/mp4",
    "mpeg": "video/mpeg",
    "mpegts": "video/mp2t",
    "ogg": "video/ogg",
    "qt": "video/quicktime",
    "webm": "video/webm",
}
_STEADY = 0.01
"""How far, relatively, the rate that a container states may lie from the measured one to be the more exact of both."""


def read_video(file: BinaryIO, size_bytes: int) -> VideoMetadata:
    """Read what a video is.

    Of MP4 and QuickTime files, the index is read and the first frame; other files are read once, and only the first
    frame is decoded.

    Args:
        file: seekable.
        size_bytes: the size of the file.

    Returns:
        `frame_width` and `frame_height` as displayed: where the file says that players turn the picture by a quarter,
        they are exchanged; pixels that are not square are not stretched. `frame_rate`: frames per second on average,
        as the container states it, or as measured where it states another. `total_frame_count`: the frames that are
        shown. `duration`: from the first frame to the end of the last, in seconds. `encoding_str`: the four characters
        by which the container names the codec, such as "avc1", else FFmpeg's name, such as "vp9". `mime_type`: by
        content, not by name.

    Raises:
        UnreadableMediaError: if it is not a video; the message is the reason alone.
    """
    with opened(file) as video:
        coded, is_turned = _read_with_turn(video)
        if video.source.failed is not None:
            raise video.source.failed
        times = shown_at(coded)
        duration = _duration(video, times)
        width, height = video.stream.width, video.stream.height
        kind = _kind(video)
        tag = (video.stream.codec_context.codec_tag or "").strip("\0 ")
        rate = _rate(video, len(times), duration)
    if is_turned:
        width, height = height, width
    return VideoMetadata(
        size_bytes=size_bytes,
        mime_type=_MIME_TYPES.get(kind, f"video/{kind}"),
        frame_width=width,
        frame_height=height,
        frame_rate=rate,
        total_frame_count=len(coded),
        duration=duration,
        encoding_str=tag if len(tag) == 4 and tag.isascii() and tag.isprintable() else video.codec,
    )


def check_video(file: BinaryIO) -> str | None:
    """Decode a whole video and say why it is broken; None if it is not.

    What decoders notice is found: bytes that are missing, frames that cannot be decoded or were patched up, and those
    that are predicted from them. A change of bytes that is valid code for another picture is not; `uniformRowRatio` of
    the frames finds some of that.

    Args:
        file: seekable.

    Returns:
        The reason, such as "3 of 60 frames are broken, the first is frame 21: ...".
    """
    try:
        with opened(file) as video:
            missing = video.missing_bytes
            broken, total = _broken_frames(video)
            failed = video.source.failed
    except UnreadableMediaError as error:
        return str(error)
    if failed is not None:
        return str(failed)
    if missing:
        return f"the file is truncated: its last {missing} bytes are missing"
    if not total:
        return "the video has no frame that can be read"
    if broken:
        first, reason = broken[0]
        return f"{len(broken)} of {total} frames are broken, the first is frame {first}: {reason}"
    return None


def _broken_frames(video: Video) -> tuple[list[tuple[int, str]], int]:
    """The numbers of the broken frames with the reasons, and how many frames there are."""
    decoder = Decoder(video)
    broken = []
    for packet, coded in packets(video):
        broken += [(number, outcome) for number, outcome in decoder.feed(packet, coded) if isinstance(outcome, str)]
    broken += [(number, outcome) for number, outcome in decoder.drain() if isinstance(outcome, str)]
    return broken, decoder.number


def _read_with_turn(video: Video) -> tuple[list[Coded], bool]:
    """The frames that are shown, and whether they are displayed with their sides exchanged.

    PyAV tells the latter only with a decoded frame, so the first is decoded.
    """
    coded = read_coded(video) if video.has_index else []
    if video.has_index:
        video.rewind()
    decoder = Decoder(video)
    is_turned: bool | None = None
    for packet, one in packets(video):
        if is_turned is None:
            for _, outcome in decoder.feed(packet, one):
                is_turned = not isinstance(outcome, str) and display_matrix(outcome)[0] == 0
                break
        if video.has_index and is_turned is not None:
            break
        if not video.has_index and one.is_shown:
            coded.append(one)
    if is_turned is None:  # a decoder may keep all of a short video until it knows that this is all
        for _, outcome in decoder.drain():
            is_turned = not isinstance(outcome, str) and display_matrix(outcome)[0] == 0
            break
    return coded, bool(is_turned)


def _duration(video: Video, times: Sequence[int]) -> float | None:
    """From the first frame to the end of the last, in seconds."""
    if not times:
        return None
    unit = Fraction(video.stream.time_base or 1)
    shown = (times[-1] - times[0]) * unit
    rate = video.stream.average_rate or video.stream.guessed_rate
    last = shown / (len(times) - 1) if len(times) > 1 else 1 / Fraction(rate) if rate else Fraction(0)
    if video.stream.duration and video.has_index:
        stated = video.stream.duration * unit
        if shown < stated <= shown + 60:  # the last frame may stay for as long as it likes
            return float(stated)
    return float(shown + last)


def _rate(video: Video, count: int, duration: float | None) -> float | None:
    """Frames per second: what the container states, if that is what it holds."""
    stated = float(video.stream.average_rate or 0)
    measured = count / duration if duration else 0.0
    if stated and (not measured or abs(stated - measured) <= _STEADY * measured):
        return stated
    return measured or None


def _kind(video: Video) -> str:
    """The kind of container, with the kinds apart that FFmpeg has one name for."""
    head = video.source.head(64)
    if video.format == "matroska":
        return "webm" if b"webm" in head else "matroska"
    if video.format == "mov":
        brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
        return "qt" if brand == b"qt  " else "3gp" if brand[:3] in {b"3gp", b"3g2"} else "mov"
    return video.format
