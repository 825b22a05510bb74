"""Reading, listing and decoding videos: every frame is the one that its number says."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from saccade.dataset.errors import MediaError
from saccade.dataset.media.containers import opened
from saccade.dataset.media.endings import VIDEO_ENDINGS
from saccade.dataset.media.video import (
    check_video,
    decode_frames,
    frame_pixels,
    is_video,
    list_frames,
    read_video,
)
from saccade.dataset.media.video_index import packets
from tests.media.videos import number_in, numbered, write_video

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "mp4 with B-frames": ("a.mp4", {"b_frames": 2, "options": {"b-adapt": "0"}}),
    "mp4, index first": ("a.mp4", {"b_frames": 2, "container_options": {"movflags": "faststart"}}),
    "mp4 in fragments": ("a.mp4", {"b_frames": 2, "container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    "mp4 with open groups": ("a.mp4", {"b_frames": 2, "options": {"x264-params": "open-gop=1:bframes=2:b-adapt=0"}}),
    "mkv with open groups": ("a.mkv", {"b_frames": 2, "options": {"x264-params": "open-gop=1:bframes=2:b-adapt=0"}}),
    "mp4 refreshed bit by bit": ("a.mp4", {"options": {"x264-params": "intra-refresh=1:keyint=12"}}),
    "mkv refreshed bit by bit": ("a.mkv", {"options": {"x264-params": "intra-refresh=1:keyint=12"}}),
    "mov with sound": ("a.mov", {"b_frames": 2, "audio": True}),
    "mkv with sound": ("a.mkv", {"b_frames": 2, "audio": True}),
    "hevc": ("a.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none:bframes=3"}}),
    "hevc in mkv": ("a.mkv", {"codec": "libx265", "options": {"x265-params": "log-level=none:bframes=3"}}),
    "vp9": ("a.webm", {"codec": "libvpx-vp9"}),
    "vp8 with hidden frames": (
        "a.webm", {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16", "arnr-maxframes": "5"}}
    ),
    "mpeg4 in avi": ("a.avi", {"codec": "mpeg4"}),
    "mpeg4 in avi with B-frames": ("a.avi", {"codec": "mpeg4", "b_frames": 2}),
    "h264 in avi with B-frames": ("a.avi", {"b_frames": 2}),
    "mpeg4 in m4v": ("a.m4v", {"codec": "mpeg4", "b_frames": 2}),
    "mjpeg": ("a.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
    "transport stream": ("a.ts", {"b_frames": 2}),
    "mpeg2": ("a.mpg", {"codec": "mpeg2video", "b_frames": 2}),
    "wmv": ("a.wmv", {"codec": "wmv2"}),
    "3gp": ("a.3gp", {"codec": "mpeg4"}),
    "lossless": ("a.mkv", {"codec": "ffv1", "pixel_format": "bgr0"}),
    "10 bits": ("a.mp4", {"pixel_format": "yuv420p10le"}),
    "alpha": ("a.mkv", {"codec": "ffv1", "pixel_format": "bgra"}),
    "odd size": ("a.mkv", {"codec": "ffv1", "pixel_format": "bgr0", "size": (71, 53)}),
    "a name that is not ASCII": ("фильм 映画 ü.mp4", {"b_frames": 2}),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def video(request, tmp_path) -> Path:
    """A video of 40 frames of each kind."""
    name, options = KINDS[request.param]
    return write_video(tmp_path / name, 40, **options)


def plain(path: Path) -> list[np.ndarray]:
    """All frames as PyAV decodes them from the beginning to the end."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def decoded(source, numbers) -> list:
    """The numbers that the decoded frames show, or the reasons."""
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        given = list(decode_frames(file, numbers))
    assert [number for number, _ in given] == sorted(set(numbers))
    return [str(one) if isinstance(one, Exception) else number_in(one) for _, one in given]


# --- frames are right ---------------------------------------------------------------------------------------------


def test_frame_k_is_frame_k_with_the_pixels_of_a_plain_decoding(video):
    expected = plain(video)
    assert [number_in(one) for one in expected] == list(range(1, 41))
    with video.open("rb") as file:
        frames = list_frames(file)
        given = list(decode_frames(file, [frame.frame_number for frame in frames]))
    assert [number for number, _ in given] == list(range(1, 41))
    assert all(np.array_equal(one, right) for (_, one), right in zip(given, expected, strict=True))


def test_some_frames_have_the_pixels_of_a_plain_decoding(video):
    expected = plain(video)
    for numbers in ([1], [40], [17], [13, 14], [39, 2, 12], [5, 25], [10, 11, 22, 23, 34, 35]):
        with video.open("rb") as file:
            given = list(decode_frames(file, numbers))
        assert [number for number, _ in given] == sorted(numbers)
        for number, one in given:
            assert not isinstance(one, Exception), (number, one)
            assert np.array_equal(one, expected[number - 1]), number


def test_times_are_those_of_the_frames_at_a_steady_rate(video):
    with video.open("rb") as file:
        frames = list_frames(file)
    assert [frame.time for frame in frames] == pytest.approx([k / 30 for k in range(40)], abs=0.0011)
    assert [frame.pts for frame in frames] == sorted({frame.pts for frame in frames})


def test_the_index_of_an_mp4_gives_what_reading_all_of_it_gives(video):
    with video.open("rb") as file, opened(file) as whole:
        read = sorted(coded.pts for _, coded in packets(whole) if coded.is_shown)
    with video.open("rb") as file:
        assert [frame.pts for frame in list_frames(file)] == read


def test_keyframes_are_those_that_decode_alone(tmp_path):
    path = write_video(tmp_path / "a.mp4", 40, b_frames=2)
    with path.open("rb") as file:
        assert [frame.frame_number for frame in list_frames(file, keyframes=True)] == [1, 13, 25, 37]


def test_the_metadata_is_right(video):
    with video.open("rb") as file:
        metadata = read_video(file, video.stat().st_size)
        assert check_video(file) is None
    odd = metadata.frame_width == 71
    assert (metadata.frame_width, metadata.frame_height) == ((71, 53) if odd else (64, 48))
    assert metadata.frame_rate == pytest.approx(30, abs=0.01)
    assert metadata.total_frame_count == 40
    assert metadata.duration == pytest.approx(40 / 30, abs=0.002)
    assert metadata.size_bytes == video.stat().st_size
    assert metadata.mime_type.startswith("video/")


def test_the_encoding_and_the_kind_are_named_as_usual(tmp_path):
    cases = {"a.mp4": ("libx264", "avc1", "video/mp4"), "a.mov": ("libx264", "avc1", "video/quicktime"),
             "a.webm": ("libvpx-vp9", "vp9", "video/webm"), "a.mkv": ("libx264", "h264", "video/x-matroska"),
             "a.avi": ("mpeg4", "FMP4", "video/x-msvideo"), "a.3gp": ("mpeg4", "mp4v", "video/3gpp")}  # fmt: skip
    for name, (codec, encoding, kind) in cases.items():
        path = write_video(tmp_path / name, 3, codec=codec)
        with path.open("rb") as file:
            metadata = read_video(file, 1)
        assert (metadata.encoding_str, metadata.mime_type) == (encoding, kind)


def test_a_video_of_one_frame(tmp_path):
    path = write_video(tmp_path / "a.mp4", 1)
    with path.open("rb") as file:
        assert [(f.frame_number, f.time) for f in list_frames(file, fps=5)] == [(1, 0.0)]
        assert read_video(file, 1).total_frame_count == 1
    assert number_in(frame_pixels(str(path), 1)) == 1


# --- which frames -------------------------------------------------------------------------------------------------


def listed(path: Path, **choice) -> list[int]:
    with path.open("rb") as file:
        return [frame.frame_number for frame in list_frames(file, **choice)]


def test_every_nth_frame_begins_with_the_first(tmp_path):
    path = write_video(tmp_path / "a.mp4", 10)
    assert listed(path, every=4) == [1, 5, 9]
    assert listed(path, every=1) == listed(path) == list(range(1, 11))
    assert listed(path, every=100) == [1]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_rate_gives_the_frame_that_is_shown_at_each_tick(tmp_path, name):
    path = write_video(tmp_path / name, 60)
    assert listed(path, fps=1) == [1, 31]
    assert listed(path, fps=10) == list(range(1, 61, 3))
    assert listed(path, fps=30) == listed(path, fps=1000) == list(range(1, 61))
    assert listed(path, fps=20) == [n for n in range(1, 61) if n % 3]  # at 0, 0.05, 0.1: frames 1, 2, 4, 5, ...


def test_a_rate_follows_the_clock_where_frames_do_not(tmp_path):
    times = [0, 10, 20, 1000, 1010, 3500]  # milliseconds
    path = write_video(tmp_path / "a.mkv", 6, times=times, time_base=Fraction(1, 1000))
    with path.open("rb") as file:
        assert [frame.time for frame in list_frames(file)] == [t / 1000 for t in times]
    assert listed(path, fps=1) == [1, 4, 5, 6]  # at 0, 1, 2 and 3 seconds (both frame 5), 4
    assert listed(path, fps=2) == [1, 3, 4, 5, 6]


def test_the_clock_starts_with_the_first_frame(tmp_path):
    path = write_video(tmp_path / "a.mkv", 3, times=[5000, 5040, 5080], time_base=Fraction(1, 1000))
    with path.open("rb") as file:
        assert [(f.pts, f.time) for f in list_frames(file)] == [(5000, 0.0), (5040, 0.04), (5080, 0.08)]
        assert read_video(file, 1).duration == pytest.approx(0.12)


@pytest.mark.parametrize("choice", [{"every": 0}, {"every": 1.5}, {"every": True}, {"fps": 0}, {"fps": float("nan")},
                                    {"fps": "2"}, {"every": 2, "fps": 1}, {"fps": 1, "keyframes": True}])  # fmt: skip
def test_a_choice_without_meaning_is_refused(tmp_path, choice):
    with pytest.raises(MediaError, match="Give"):
        list_frames(io.BytesIO(b""), **choice)


def test_frames_that_an_edit_list_hides_are_not_counted(tmp_path):
    """The first second is cut off by rewriting the edit list, as phones do when a film is trimmed."""
    path = write_video(tmp_path / "a.mp4", 60, b_frames=2)
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4  # version and flags, number of entries, then duration and start of the first
    start = int.from_bytes(data[at + 12 : at + 16], "big")
    data[at + 8 : at + 12] = (500).to_bytes(4, "big")  # milliseconds of the film
    data[at + 12 : at + 16] = (start + 15360).to_bytes(4, "big")
    path.write_bytes(data)
    expected = [number_in(one) for one in plain(path)]
    assert expected[0] == 31
    numbers = listed(path)
    assert len(numbers) == len(expected)
    assert decoded(path, numbers) == expected
    assert decoded(path, [8]) == [38]
    with path.open("rb") as file:
        assert read_video(file, 1).total_frame_count == len(expected)
        assert list_frames(file)[0].time == 0


# --- what it costs ------------------------------------------------------------------------------------------------


class Counting(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.fixture(scope="module")
def heavy(tmp_path_factory) -> dict[str, bytes]:
    """The same 48 large frames in a file with an index and in one without."""
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    pictures = [np.roll(noise, 7 * k, 1) for k in range(48)]
    folder = tmp_path_factory.mktemp("heavy")
    options = {"crf": "4", "preset": "ultrafast"}
    return {
        name: write_video(folder / name, pictures, b_frames=2, options=options).read_bytes()
        for name in ("a.mp4", "a.mkv")
    }


def test_of_an_mp4_only_the_index_is_read_to_list_its_frames(heavy):
    assert len(heavy["a.mp4"]) > 2_000_000
    for call in (list_frames, lambda file: read_video(file, 1)):
        file = Counting(heavy["a.mp4"])
        call(file)
        assert file.count < len(heavy["a.mp4"]) / 3


def test_far_frames_of_an_mp4_are_read_without_those_between(heavy):
    file = Counting(heavy["a.mp4"])
    assert len(list(decode_frames(file, [1, 48]))) == 2
    assert file.count < len(heavy["a.mp4"]) * 0.8


def test_a_file_without_an_index_is_read_once(heavy):
    for numbers in (range(1, 49), [1, 48]):
        file = Counting(heavy["a.mkv"])
        assert len(list(decode_frames(file, numbers))) == len(numbers)
        assert file.count < len(heavy["a.mkv"]) * 1.02


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_few_frames_are_in_memory_at_a_time(tmp_path, name):
    path = write_video(tmp_path / name, 150, size=(960, 720), options={"preset": "ultrafast"})
    code = """
import resource, sys
from saccade.dataset.media.video import decode_frames
before = None
with open(sys.argv[1], "rb") as file:
    for number, _ in decode_frames(file, range(1, 151)):
        if number == 10:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / before)
"""
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.25, "140 frames of 2 MB were decoded meanwhile"


def test_a_long_group_of_frames_is_decoded_without_waiting_for_its_end(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    pictures = [np.roll(noise, 7 * k, 1) for k in range(45)]
    path = write_video(tmp_path / "a.mkv", pictures, codec="ffv1", pixel_format="bgr0", gop=1000)
    assert path.stat().st_size > 9 << 20
    with path.open("rb") as file:
        given = dict(decode_frames(file, [1, 30, 45]))
    assert all(np.array_equal(one, pictures[number - 1]) for number, one in given.items())


def test_several_videos_are_decoded_at_once_each_in_its_thread(tmp_path):
    paths = [write_video(tmp_path / f"{k}.mp4", 60, b_frames=2) for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda path: decoded(path, range(1, 61)), paths * 3)) == [list(range(1, 61))] * 12


# --- as displayed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rotation", "hflip", "seen"),
    [(90, False, lambda p: np.rot90(p, 1)), (-90, False, lambda p: np.rot90(p, -1)),
     (180, False, lambda p: p[::-1, ::-1]), (0, True, lambda p: p[:, ::-1]), (180, True, lambda p: p[::-1])],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_the_picture_is_turned_and_mirrored_as_the_file_says(tmp_path, name, rotation, hflip, seen):
    path = write_video(tmp_path / name, 3, codec="libx264", rotation=rotation, hflip=hflip, mark=True)
    expected = seen(plain(path)[1])
    assert np.array_equal(frame_pixels(str(path), 2), expected)
    with path.open("rb") as file:
        metadata = read_video(file, 1)
    assert (metadata.frame_height, metadata.frame_width) == expected.shape[:2]


def test_lossless_pixels_come_back_exactly(tmp_path):
    path = write_video(tmp_path / "a.mkv", 5, codec="ffv1", pixel_format="bgr0", size=(71, 53))
    assert np.array_equal(frame_pixels(str(path), 4), numbered(4, 71, 53))


# --- endings ------------------------------------------------------------------------------------------------------


def test_what_counts_as_a_video():
    assert all(is_video(f"/x/film.{ending}") for ending in [*VIDEO_ENDINGS, "MP4"])
    assert not any(is_video(name) for name in ["a.jpg", "mp4", ".mp4", "/x/.hidden.mp4", "a.mp4.txt", "s3://b/.a.mp4"])
    assert is_video("https://host/a.mp4?sig=x.jpg")
    assert not is_video("https://host/a.jpg?name=b.mp4")
