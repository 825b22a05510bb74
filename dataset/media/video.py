"""What a video is: its metadata, whether it is broken, and its frames."""

from fractions import Fraction
from typing import BinaryIO

from ..labels import VideoMetadata
from .containers import Video, opened
from .endings import is_video
from .frames import decode_frames
from .video_index import VideoFrame, list_frames, read_coded, shown_at

__all__ = ["VideoFrame", "check_video", "decode_frames", "is_video", "list_frames", "read_video"]


def read_video(file: BinaryIO, size_bytes: int) -> VideoMetadata:
    with opened(file) as video:
        coded = read_coded(video)
        times = shown_at(coded)
        unit = Fraction(video.stream.time_base or 1)
        turned = _is_turned(video)
        w, h = video.stream.width, video.stream.height
        tag = video.stream.codec_context.codec_tag
        return VideoMetadata(
            size_bytes=size_bytes,
            mime_type="video/mp4",
            frame_width=h if turned else w,
            frame_height=w if turned else h,
            frame_rate=float(video.stream.average_rate or 0) or None,
            total_frame_count=len(coded),
            duration=(video.container.duration or 0) / 1e6,
            encoding_str=tag if tag.isprintable() and tag.strip() else video.codec,
        )


def _is_turned(video: Video) -> bool:
    return False


def check_video(file: BinaryIO) -> str | None:
    return None
