"""Pixels of chosen frames of a video, in one pass through the file and with a few frames in memory."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ..errors import UnreadableMediaError
from ..types import RGBImage
from .containers import opened
from .decoding import Decoder, pixels_of
from .video_index import packets


def decode_frames(
    file: BinaryIO, frame_numbers: Sequence[int]
) -> Iterator[tuple[int, RGBImage | UnreadableMediaError]]:
    wanted = sorted(set(frame_numbers))
    with opened(file) as video:
        decoder = Decoder(video)

        def every():
            for packet, coded in packets(video):
                yield from decoder.feed(packet, coded)
            yield from decoder.drain()

        it = iter(wanted)
        n = next(it, None)
        for number, outcome in every():
            if n is None:
                return
            if number == n:
                if isinstance(outcome, str):
                    yield n, UnreadableMediaError(outcome)
                else:
                    yield n, pixels_of(outcome)
                n = next(it, None)
        while n is not None:
            yield n, UnreadableMediaError(f"the video has only {decoder.number} frames")
            n = next(it, None)
