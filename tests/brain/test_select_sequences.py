"""Clips: frames that follow each other are picked together."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.operations.sequences import Units, cut_clips
from saccade.dataset.errors import SelectionError

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database):
    """Two videos of 7 and 6 frames, in no order; the frames of each turn slowly."""
    made = sc.Dataset("frames")
    frames = [("/a.mp4", number) for number in range(1, 8)] + [("/b.mp4", number) for number in range(1, 7)]
    order = np.random.default_rng(5).permutation(len(frames))
    made.add_samples([
        sc.Sample(
            filepath=frames[i][0], frame_number=frames[i][1], motion=float(frames[i][1]), weather=frames[i][0][1],
            embedding=np.array([np.cos(i / 5), np.sin(i / 5)]),
        )
        for i in order
    ])  # fmt: skip
    return made


def frames_of(batch):
    where = dict(zip(batch.run.dataset.values("id"), zip(*batch.run.dataset.values(["filepath", "frame_number"]),
                                                         strict=True), strict=True))  # fmt: skip
    return [(where[one][0][1], where[one][1]) for one in batch.ids]


def test_clips_are_frames_in_a_row_and_the_rest_is_left_out(dataset):
    batch = scb.select(dataset, n_samples=99 * 3, selected_sequence_length=3)
    found = frames_of(batch)
    clips = {tuple(found[start : start + 3]) for start in range(0, len(found), 3)}
    assert clips == {tuple((v, f + at) for at in range(3)) for v, f in (("a", 1), ("a", 4), ("b", 1), ("b", 4))}
    assert batch.report["selected"] == batch.report["candidates"] == 12
    assert batch.report["clips"] == 4
    assert "1 samples are in no clip of 3" in batch.report["note"]


def test_numbers_are_averaged_and_all_frames_of_a_clip_share_what_is_known_of_it(dataset):
    batch = scb.select(
        dataset, n_samples=4, strategies=[scb.Weights("motion"), scb.Diversity(strength=0.001)], tag="clips",
        selected_sequence_length=2,
    )  # fmt: skip
    assert set(frames_of(batch)) == {("a", 5), ("a", 6), ("b", 5), ("b", 6)}  # 5.5 each; frame 7 is in no clip
    view = batch.view()
    assert view.values("selections.clips.rank") == [0, 1, 2, 3]
    distances, reasons = view.values("selections.clips.distance"), view.values("selections.clips.reason")
    assert distances[0] is None
    assert distances[1] is None
    assert distances[2] == distances[3] > 0
    assert reasons[::2] == reasons[1::2]


def test_vectors_of_a_clip_are_the_mean_of_its_frames(dataset):
    batch = scb.select(dataset, n_samples=4, strategies=[scb.Diversity(normalize=False)], selected_sequence_length=2)
    vectors = {(path[1], number): vector for path, number, vector in
               zip(*dataset.values(["filepath", "frame_number", "embedding"]), strict=True)}  # fmt: skip
    found = frames_of(batch)
    one, two = (np.mean([vectors[frame] for frame in found[start : start + 2]], axis=0) for start in (0, 2))
    assert batch.distances[2] == pytest.approx(np.linalg.norm(one - two), abs=1e-6)


def test_a_threshold_looks_at_the_mean_of_a_clip(dataset):
    strategies = [scb.Threshold("motion", "BIGGER", 5)]
    batch = scb.select(dataset, n_samples=12, strategies=strategies, selected_sequence_length=2)
    assert set(frames_of(batch)) == {("a", 5), ("a", 6), ("b", 5), ("b", 6)}


def test_what_is_preselected_ends_a_clip_and_is_kept_away_from(dataset):
    dataset.match((sc.F("filepath") == "/a.mp4") & (sc.F("frame_number") == 3)).tag_samples("before")
    batch = scb.select(dataset, n_samples=12, selected_sequence_length=2, preselected_tag="before")
    found = frames_of(batch)
    clips = {tuple(found[start : start + 2]) for start in range(0, len(found), 2)}
    assert (("a", 1), ("a", 2)) in clips
    assert (("a", 4), ("a", 5)) in clips
    assert ("a", 3) not in found
    assert batch.distances[0] is not None


def test_a_share_is_rounded_up_to_whole_clips_and_a_number_must_be_one(dataset):
    assert len(scb.select(dataset, proportion_samples=0.25, selected_sequence_length=2)) == 4
    with pytest.raises(SelectionError, match="n_samples=5 is not a multiple of selected_sequence_length=2"):
        scb.select(dataset, n_samples=5, selected_sequence_length=2)


def test_images_of_a_folder_follow_each_other_by_name(database):
    made = sc.Dataset("folders")
    paths = ["/b/2.png", "/a/1.png", "/b/1.png", "/a/2.png", "/a/3.png"]
    made.add_columns({"filepath": paths, "embedding": np.eye(5, dtype=np.float32)})
    batch = scb.select(made, n_samples=4, selected_sequence_length=2)
    found = batch.view().values("filepath")
    assert {tuple(found[:2]), tuple(found[2:])} == {("/a/1.png", "/a/2.png"), ("/b/1.png", "/b/2.png")}


def test_objects_of_all_frames_of_a_clip_count(dataset):
    for sample in dataset:
        angle = sample["frame_number"] / 3 + (2 if sample.filepath == "/b.mp4" else 0)
        sample["boxes"] = sc.Detections(
            detections=[
                sc.Detection(label="x", bounding_box=[0, 0, 1, 1], look=np.array([np.cos(angle), np.sin(angle)]))
            ]
        )
        sample.save()
    dataset.add_dynamic_sample_fields()
    strategies = [scb.Diversity(scb.Embeddings("look", task="boxes"))]
    batch = scb.select(dataset, n_samples=4, strategies=strategies, selected_sequence_length=2)
    assert len(batch) == 4
    assert batch.distances[2] > 0.5


def test_units_of_rows_add_up_average_and_hold_together():
    units = Units.joined([[3, 0], [1], [2, 4]])
    values = np.array([1.0, 2.0, 3.0, 5.0, 7.0])
    assert units.total(values).tolist() == [6.0, 2.0, 10.0]
    assert units.mean(values).tolist() == [3.0, 2.0, 5.0]
    assert units.mean(np.stack([values, -values], axis=1)).tolist() == [[3.0, -3.0], [2.0, -2.0], [5.0, -5.0]]
    assert units.first(values).tolist() == [5.0, 2.0, 3.0]
    assert units.whole(values > 1).tolist() == [False, True, True]
    assert units.taken(np.array([True, False, True])).rows.tolist() == [3, 0, 2, 4]
    none = units.taken(np.zeros(3, dtype=bool))
    assert (len(none), none.total(values).tolist()) == (0, [])


def test_a_clip_never_spans_two_videos_or_what_is_not_free():
    paths = ["/a.mp4"] * 4 + ["/b.mp4"] * 3
    free = np.array([True, True, False, True, True, True, True])
    assert cut_clips(paths, [1, 2, 3, 4, 1, 2, 3], free, 2) == ([[0, 1], [4, 5]], 2)
