"""Videos as samples, and frames of videos as samples."""

import sys

import pytest

import saccade as sc
from saccade.dataset import errors
from tests.media.videos import write_video


@pytest.fixture
def films(tmp_path):
    """A folder of two videos of ten frames, one of them in a folder inside, a broken one, and a file that is none."""
    folder = tmp_path / "films"
    (folder / "night").mkdir(parents=True)
    write_video(folder / "trip2.mp4", 10, gop=4)
    write_video(folder / "night" / "trip1.mkv", 10, gop=4)
    (folder / "trip10.mp4").write_text("no video")
    (folder / "notes.txt").write_text("nothing")
    return folder


def names(dataset):
    return [path.rsplit("/", 1)[1] for path in dataset.values("filepath")]


def test_a_video_is_one_sample(database, films):
    dataset = sc.Dataset.from_videos([films / "trip2.mp4", films / "trip10.mp4"], "films", tags="trip")
    assert names(dataset) == ["trip2.mp4", "trip10.mp4"]
    assert dataset.media_type == "video"
    assert len(dataset.match_tags("trip")) == 2
    assert not dataset.has_field("frame_number")


def test_the_videos_of_a_folder_come_in_the_order_of_their_names(database, films):
    assert names(sc.Dataset.from_videos_dir(films, "a")) == ["trip1.mkv", "trip2.mp4", "trip10.mp4"]
    assert names(sc.Dataset.from_videos_dir(films, "b", recursive=False)) == ["trip2.mp4", "trip10.mp4"]
    assert names(sc.Dataset.from_dir(films, sc.types.VideoDirectory, "c")) == names(sc.load_dataset("a"))
    assert names(sc.Dataset.from_videos_patt(f"{films}/*.mp4", "d")) == ["trip2.mp4", "trip10.mp4"]


def test_frames_are_samples_that_share_the_path_of_their_video(database, films):
    dataset = sc.Dataset.from_videos([films / "trip2.mp4", films / "night/trip1.mkv"], "films", tags="trip", every=4)
    assert names(dataset) == ["trip2.mp4"] * 3 + ["trip1.mkv"] * 3
    assert dataset.values("frame_number") == [1, 5, 9] * 2
    assert dataset.values("time") == pytest.approx([0, 4 / 30, 8 / 30] * 2, abs=0.001)
    assert dataset.values("pts")[3:] == [0, 133, 267]
    assert len(dataset.match_tags("trip")) == 6
    assert sorted(one.name for one in films.iterdir()) == ["night", "notes.txt", "trip10.mp4", "trip2.mp4"]


def test_frames_are_chosen_by_rate_or_as_keyframes(database, films):
    video = [films / "trip2.mp4"]
    assert sc.Dataset.from_videos(video, "a", fps=10).values("frame_number") == [1, 4, 7, 10]
    assert sc.Dataset.from_videos(video, "b", keyframes=True).values("frame_number") == [1, 5, 9]


def test_a_broken_video_is_one_sample_that_says_why(database, films):
    dataset = sc.Dataset.from_videos_dir(films, "films", every=5)
    assert names(dataset) == ["trip1.mkv", "trip1.mkv", "trip2.mp4", "trip2.mp4", "trip10.mp4"]
    assert dataset.values("media_error") == [None] * 4 + ["the file is not a video of a known kind"]
    assert dataset.values("frame_number") == [1, 6, 1, 6, None]


def test_a_missing_video_is_one_sample_that_says_why(database, tmp_path):
    dataset = sc.Dataset.from_videos([tmp_path / "none.mp4"], "films", every=5)
    assert dataset.values("media_error") == ["the file does not exist"]


def test_without_pyav_the_error_names_the_command_and_no_dataset_is_left(database, films, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(errors.MissingExtraError, match=r"pip install 'saccade\[video\]'"):
        sc.Dataset.from_videos_dir(films, "films", every=5)
    assert not sc.dataset_exists("films")
    assert len(sc.Dataset.from_videos_dir(films, "films")) == 3, "whole videos need no decoder"


def test_what_a_given_sample_holds_counts_for_each_of_its_frames(database, films):
    sample = sc.Sample(films / "trip2.mp4", tags=["rain"], place=sc.Classification(label="Uster"))
    dataset = sc.Dataset.from_videos([sample], "films", tags="trip", every=5)
    assert dataset.values("place.label") == ["Uster", "Uster"]
    assert dataset.values("tags") == [["rain", "trip"]] * 2
    assert not sample.has_field("frame_number")


def test_videos_are_added_to_what_is_there(database, films):
    dataset = sc.Dataset("films")
    ids = dataset.add_videos([films / "trip2.mp4"], tags="a", every=5)
    ids += dataset.add_videos_dir(films, "b", recursive=False)
    ids += dataset.add_videos_patt(films / "night/*.mkv", "c", keyframes=True)
    assert dataset.values("id") == ids
    assert names(dataset) == ["trip2.mp4"] * 2 + ["trip2.mp4", "trip10.mp4"] + ["trip1.mkv"] * 3
    assert dataset.count_values("tags") == {"a": 2, "b": 2, "c": 3}


def test_a_choice_without_meaning_makes_no_dataset(database, films):
    for choice in ({"every": 0}, {"fps": -1}, {"every": 2, "keyframes": True}):
        with pytest.raises(errors.MediaError):
            sc.Dataset.from_videos_dir(films, "films", **choice)
    with pytest.raises(errors.DatasetError, match="no file matches"):
        sc.Dataset.from_videos_patt(films / "*.avi", "films")
    with pytest.raises(errors.DatasetError, match="no folder"):
        sc.Dataset.from_videos_dir(films / "none", "films")
    assert not sc.dataset_exists("films")
