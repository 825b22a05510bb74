"""Broken videos: what is there is given, what is not has a reason, and nothing raises something else."""

import io
import random
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from saccade.dataset.errors import MediaError, UnreadableMediaError
from saccade.dataset.media.video import check_video, decode_frames, frame_pixels, list_frames, read_video
from tests.media.videos import number_in, numbered, write_video


@pytest.fixture(scope="module")
def noisy() -> list[np.ndarray]:
    """Numbered pictures with enough noise in them that frames have some kilobytes."""
    noise = np.random.default_rng(0).integers(-40, 40, (120, 160, 3))
    return [np.clip(numbered(k, 160, 120) + np.roll(noise, k, 1), 0, 255).astype(np.uint8) for k in range(1, 61)]


def outcomes(data: bytes, numbers) -> dict[int, object]:
    """The number that each frame shows, or the reason why there is none."""
    given = dict(decode_frames(io.BytesIO(data), numbers))
    assert list(given) == list(numbers)
    return {k: str(one) if isinstance(one, UnreadableMediaError) else number_in(one) for k, one in given.items()}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"hello, this is text\n" * 500, "not a video of a known kind"),
     (b"\0" * 5000, "not a video of a known kind")],
)  # fmt: skip
def test_what_is_no_video_says_so(content, reason):
    file = io.BytesIO(content)
    assert reason in str(check_video(file))
    for call in (list_frames, lambda f: read_video(f, 1), lambda f: list(decode_frames(f, [1]))):
        with pytest.raises(UnreadableMediaError, match=reason):
            call(file)


def test_an_image_is_no_video(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert "image" in str(check_video(io.BytesIO((tmp_path / "a.png").read_bytes())))


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert check_video(io.BytesIO((tmp_path / "a.mp4").read_bytes())) == "the file has no video stream"


def test_a_missing_file_and_a_folder_say_so(tmp_path):
    with pytest.raises(UnreadableMediaError, match=r"^the file does not exist$"):
        frame_pixels(str(tmp_path / "none.mp4"), 1)
    with pytest.raises(UnreadableMediaError, match=r"^the path is a folder$"):
        frame_pixels(str(tmp_path), 1)


def test_frames_that_are_not_there_have_a_reason(tmp_path):
    data = write_video(tmp_path / "a.mp4", 20).read_bytes()
    given = outcomes(data, [20, 21, 500])
    assert given == {20: 20, 21: "the video has only 20 frames", 500: "the video has only 20 frames"}
    with pytest.raises(MediaError, match="counted from 1"):
        list(decode_frames(io.BytesIO(data), [0]))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp4", {"b_frames": 2, "container_options": {"movflags": "faststart"}}), ("a.mkv", {"b_frames": 2}),
     ("a.avi", {"codec": "mpeg4", "options": {"b": "4000000"}}), ("a.webm", {"codec": "libvpx-vp9"})],
)  # fmt: skip
def test_a_truncated_file_gives_what_there_is_and_a_reason_for_the_rest(tmp_path, noisy, name, options, share):
    whole = write_video(tmp_path / name, noisy, **options).read_bytes()
    data = whole[: int(len(whole) * share)]
    assert "truncated" in str(check_video(io.BytesIO(data)))
    given = outcomes(data, range(1, 61))
    right = outcomes(whole, range(1, 61))
    pictures = [k for k, one in given.items() if isinstance(one, int)]
    assert pictures, "the beginning is there"
    assert len(pictures) < 60
    assert max(pictures) - len(pictures) <= 3, "what is missing is the end, but for frames that need what is missing"
    assert {k: given[k] for k in pictures} == {k: right[k] for k in pictures} == {k: k for k in pictures}
    assert all("end" in given[k] or "decoded" in given[k] or "predicted" in given[k] or "only" in given[k]
               for k in given if k not in pictures)  # fmt: skip
    assert len(list_frames(io.BytesIO(data))) >= len(pictures)


def test_an_mp4_without_its_index_says_that_it_is_truncated(tmp_path, noisy):
    data = write_video(tmp_path / "a.mp4", noisy).read_bytes()
    assert check_video(io.BytesIO(data[: len(data) * 2 // 3])) == (
        "the file is truncated: the index of its frames is missing"
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp4", {"b_frames": 2}), ("a.mkv", {}), ("a.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
     ("a.mkv", {"codec": "ffv1", "pixel_format": "bgr0", "options": {"level": "3", "slicecrc": "1"}}),
     ("a.m4v", {"codec": "mpeg4", "b_frames": 2})],
)  # fmt: skip
def test_garbled_bytes_break_the_frames_they_touch_and_no_others(tmp_path, noisy, name, options):
    whole = write_video(tmp_path / name, noisy, gop=10, **options).read_bytes()
    right = dict(decode_frames(io.BytesIO(whole), range(1, 61)))
    with av.open(io.BytesIO(whole)) as container:
        touched = [packet for packet in container.demux(video=0) if packet.size][25]
        place, count = touched.pos + touched.size // 3, touched.size // 3
    data = bytearray(whole)
    data[place : place + count] = random.Random(1).randbytes(count)
    given = dict(decode_frames(io.BytesIO(bytes(data)), range(1, 61)))
    broken = [k for k, one in given.items() if isinstance(one, UnreadableMediaError)]
    assert broken
    assert len(broken) <= 12, "one group, and what is shown between it and the next"
    assert all(np.array_equal(given[k], right[k]) for k in given if k not in broken)
    reason = check_video(io.BytesIO(bytes(data)))
    assert reason is not None
    assert reason.startswith(f"{len(broken)} of 60 frames are broken, the first is frame {broken[0]}: ")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_whatever_bytes_change_nothing_but_a_reason_comes_of_it(tmp_path, noisy, name, seed):
    data = bytearray(
        write_video(tmp_path / name, noisy[:20], codec="mpeg4" if name == "a.avi" else "libx264").read_bytes()
    )
    chance = random.Random(seed)
    for _ in range(chance.randrange(1, 40)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    data = data[: chance.randrange(len(data) // 2, len(data) + 1)]
    reason = check_video(io.BytesIO(bytes(data)))
    assert reason is None or reason
    try:
        numbers = [frame.frame_number for frame in list_frames(io.BytesIO(bytes(data)))]
        given = list(decode_frames(io.BytesIO(bytes(data)), [*numbers, 10_000]))
    except UnreadableMediaError:
        return
    assert [number for number, _ in given] == [*numbers, 10_000]


def test_a_file_that_cannot_be_read_on_gives_that_reason(tmp_path):
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 40_000:
                raise UnreadableMediaError("access is denied (403)")
            return super().read(size)

    noise = np.random.default_rng(0).integers(0, 255, (30, 96, 128, 3), dtype=np.uint8)
    data = write_video(tmp_path / "a.mkv", list(noise), codec="mjpeg", pixel_format="yuvj420p").read_bytes()
    assert len(data) > 100_000
    assert check_video(Failing(data)) == "access is denied (403)"
    with pytest.raises(UnreadableMediaError, match="403"):
        list_frames(Failing(data))
    given = dict(decode_frames(Failing(data), [1, 30]))
    assert isinstance(given[1], np.ndarray)
    assert str(given[30]) == "access is denied (403)"


def test_the_same_file_gives_the_same_every_time(tmp_path, noisy):
    data = bytearray(write_video(Path(tmp_path / "a.mp4"), noisy, b_frames=2).read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = random.Random(1).randbytes(300)
    first, second = (outcomes(bytes(data), range(1, 61)) for _ in range(2))
    assert first == second
