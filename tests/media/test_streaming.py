"""Many files, each read once, in a fixed order, with bounded memory, whatever finishes first."""

import threading
import time

import pytest

from saccade.dataset.errors import SchemaError, UnreadableMediaError
from saccade.dataset.media import streaming
from saccade.dataset.media.streaming import Place, stream
from tests.media.videos import number_in, write_video


class Sizes:
    """Gives the number of bytes of images, and the number that is written into each frame."""

    def __init__(self):
        self.seen = []
        self.under_way = 0
        self.most = 0

    def image(self, data, positions):
        self.seen.append(tuple(positions))
        return [len(data)] * len(positions)

    def frame(self, pixels, positions):
        self.seen.append(tuple(positions))
        return [f"frame {number_in(pixels)}"] * len(positions)

    def video(self, path, positions):
        self.seen.append(tuple(positions))
        return ["video"] * len(positions)


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{number}.bin" for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes(number + 1))
    return [Place(str(path)) for path in paths]


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path, 30)
    return str(path)


@pytest.mark.parametrize("workers", [None, 0, 1, 2, 7])
def test_results_come_in_the_order_of_the_places(files, workers):
    assert list(stream(files, Sizes(), num_workers=workers)) == [(number, number + 1) for number in range(20)]


def test_whatever_finishes_first_the_order_stays(files):
    class Slow(Sizes):
        def image(self, data, positions):
            time.sleep(0.02 if positions[0] % 2 else 0)
            return super().image(data, positions)

    assert [position for position, _ in stream(files, Slow(), num_workers=4)] == list(range(20))


def test_samples_in_one_file_are_looked_at_together(files):
    work = Sizes()
    places = [files[0], files[1], files[0]]
    assert dict(stream(places, work)) == {0: 1, 2: 1, 1: 2}
    assert sorted(work.seen) == [(0, 2), (1,)]


def test_nothing_gives_nothing():
    assert list(stream([], Sizes())) == []


def test_a_missing_file_is_a_reason_at_its_place(files):
    places = [files[0], Place("/nowhere/1.png"), files[1]]
    found = dict(stream(places, Sizes()))
    assert (found[0], found[2]) == (1, 2)
    assert isinstance(found[1], UnreadableMediaError)
    assert str(found[1]) == "the file does not exist"


def test_frames_of_a_video_come_from_one_decode_in_any_order_of_samples(film, files):
    work = Sizes()
    places = [Place(film, 9), files[0], Place(film, 2), Place(film), Place(film, 9)]
    found = dict(stream(places, work))
    assert found == {0: "frame 9", 1: 1, 2: "frame 2", 3: "video", 4: "frame 9"}
    assert work.seen.count((0, 4)) == 1


def test_frames_of_a_video_that_is_refused_as_a_whole_are_looked_at(film):
    class OfFrames(Sizes):
        def video(self, file, positions):
            raise UnreadableMediaError("no whole videos")

    places = [Place(film), Place(film, 2), Place(film, 5)]
    found = dict(stream(places, OfFrames()))
    assert (str(found[0]), found[1], found[2]) == ("no whole videos", "frame 2", "frame 5")


def test_a_frame_that_is_not_there_is_a_reason(film):
    found = dict(stream([Place(film, 1), Place(film, 31)], Sizes()))
    assert found[0] == "frame 1"
    assert "30 frames" in str(found[1])


def test_a_video_that_is_missing_is_a_reason_for_all_its_samples(tmp_path):
    path = str(tmp_path / "none.mp4")
    found = dict(stream([Place(path), Place(path, 1), Place(path, 2)], Sizes()))
    assert {str(error) for error in found.values()} == {"the file does not exist"}
    assert len(found) == 3


def test_no_more_is_held_than_the_window(files, monkeypatch):
    begun = []

    class Counting(Sizes):
        def image(self, data, positions):
            begun.append(positions[0])
            return super().image(data, positions)

    results = stream(files, Counting(), num_workers=1)
    next(results)
    time.sleep(0.1)
    assert len(begun) <= 5
    results.close()
    time.sleep(0.1)
    assert len(begun) <= 6


def test_a_video_waits_until_its_frames_are_taken(film):
    work = Sizes()
    results = stream([Place(film, number) for number in range(1, 31)], work)
    next(results)
    time.sleep(0.3)
    assert len(work.seen) <= streaming._FRAMES + 3
    results.close()
    deadline = time.monotonic() + 10
    while any(thread.name.startswith("saccade-decode") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_the_work_raises_reaches_the_caller(files, film):
    class Failing(Sizes):
        def image(self, data, positions):
            raise ZeroDivisionError

        frame = image

    with pytest.raises(ZeroDivisionError):
        list(stream(files, Failing()))
    with pytest.raises(ZeroDivisionError):
        list(stream([Place(film, 1)], Failing()))


@pytest.mark.parametrize("workers", [-1, 1.5, "two", True])
def test_what_is_no_number_of_threads_is_refused(files, workers):
    with pytest.raises(SchemaError, match="num_workers"):
        list(stream(files, Sizes(), num_workers=workers))
