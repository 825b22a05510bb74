"""Videos for tests, whose frames show their own number: what was decoded can be compared with what was asked for."""

import functools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

BITS = 10
"""How many blocks show a number; frame numbers go up to 1023."""


@functools.cache
def numbered(number: int, width: int = 64, height: int = 48, mark: bool = False) -> NDArray[np.uint8]:
    """A picture that shows a number as bright and dark blocks, in two rows of five, over a background that moves.

    Args:
        number: what to show, 0 to 1023.
        width: at least 40 pixels.
        height: at least 16 pixels.
        mark: paint the lower left quarter red, so that it is seen how the picture is turned.

    Returns:
        (height, width, 3) uint8.
    """
    rows, columns = np.mgrid[:height, :width]
    picture = np.stack([(columns * 2 + number * 3) % 64 + 96, (rows * 2) % 64 + 96, np.full_like(rows, 128)], axis=2)
    for bit in range(BITS):
        top, left = _corner(bit, width, height)
        picture[top : top + height // 4, left : left + width // 5] = 235 if number >> bit & 1 else 20
    if mark:
        picture[height * 3 // 4 :, : width // 2] = (230, 20, 20)
    return picture.astype(np.uint8)


def number_in(picture: NDArray[np.uint8]) -> int:
    """The number that a decoded picture shows."""
    height, width = picture.shape[:2]
    grey = picture.astype(float).mean(axis=2)
    number = 0
    for bit in range(BITS):
        top, left = _corner(bit, width, height)
        block = grey[top + 2 : top + height // 4 - 2, left + 2 : left + width // 5 - 2]
        number |= int(block.mean() > 128) << bit
    return number


def _corner(bit: int, width: int, height: int) -> tuple[int, int]:
    return bit // 5 * (height // 4), bit % 5 * (width // 5)


def write_video(
    path: Path,
    frames: int | Sequence[NDArray[np.uint8]] = 30,
    *,
    codec: str = "libx264",
    fps: float = 30,
    gop: int = 12,
    container: str | None = None,
    size: tuple[int, int] = (64, 48),
    pixel_format: str = "yuv420p",
    b_frames: int = 0,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    audio: bool = False,
    rotation: float = 0,
    hflip: bool = False,
    mark: bool = False,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a video; the frame with number n (from 1) shows n.

    Args:
        path: where to.
        frames: how many numbered frames, or pictures.
        codec: the encoder.
        fps: frames per second where `times` does not say otherwise.
        gop: a keyframe at least every so many frames.
        container: the format by FFmpeg's name; None goes by the ending.
        size: width and height of numbered frames.
        pixel_format: what is encoded.
        b_frames: how many frames between others may be predicted from both sides.
        times: when each frame is shown, in units of `time_base`.
        time_base: the unit of `times` in seconds; one frame if None.
        audio: whether there is a sound track beside.
        rotation: degrees, anticlockwise, by which players turn the picture.
        hflip: whether players mirror it.
        mark: see `numbered`.
        options: for the encoder.
        container_options: for the container.
    """
    pictures = [numbered(k, *size, mark) for k in range(1, frames + 1)] if isinstance(frames, int) else frames
    rate = Fraction(fps).limit_denominator(100_000)
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        stream: Any = output.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.gop_size = pixel_format, gop
        if codec not in {"ffv1", "mjpeg", "png", "rawvideo", "libvpx-vp9", "libvpx", "libsvtav1"}:
            stream.codec_context.max_b_frames = b_frames
        stream.time_base = stream.codec_context.time_base = time_base or 1 / rate
        if rotation or hflip:
            stream.set_display_rotation(rotation, hflip=hflip)
        sound: Any = output.add_stream("aac", rate=48_000) if audio else None
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
            frame.pts = index if times is None else times[index]
            frame.time_base = time_base or 1 / rate
            output.mux(stream.encode(frame))
            if sound is not None:
                _write_silence(output, sound, index, int(48_000 / rate))
        output.mux(stream.encode(None))
        if sound is not None:
            output.mux(sound.encode(None))
    return path


def _write_silence(output: Any, sound: Any, index: int, count: int) -> None:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, count), np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, index * count, Fraction(1, 48_000)
    output.mux(sound.encode(frame))
