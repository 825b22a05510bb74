"""The verbs that find what is there twice: near-duplicates, leaks between splits, copies of files."""

from pathlib import Path

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.representativeness import NEIGHBORS, representativeness
from saccade.brain.operations.duplicates import NearDuplicates
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError, UnreadableMediaError
from tests.media.videos import numbered, write_video

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def vectors(rng):
    rows = rng.standard_normal((30, 8)).astype(np.float32)
    rows[[20, 25]] = rows[3]  # 3 is repeated twice, exactly
    rows[21] = rows[8] + 0.001  # 8 and 9 once, nearly
    rows[22] = rows[9] + 0.002
    return rows


@pytest.fixture
def dataset(database, vectors):
    made = sc.Dataset("points")
    made.add_columns({
        "filepath": [f"/photos/{i:02}.png" for i in range(30)], "embedding": vectors,
        "split": ["train"] * 20 + ["test"] * 8 + [None] * 2,
    })  # fmt: skip
    return made


@pytest.fixture
def ids(dataset):
    return dataset.values("id")


def test_near_duplicates_are_attached_to_what_they_repeat(dataset, ids):
    found = scb.compute_near_duplicates(dataset)
    assert found.duplicate_ids == [ids[i] for i in (20, 21, 22, 25)]
    assert sorted(found.unique_ids) == sorted(set(ids) - set(found.duplicate_ids))
    groups = {kept: [other for other, _ in group] for kept, group in found.neighbors_map.items()}
    assert groups == {ids[3]: [ids[20], ids[25]], ids[8]: [ids[21]], ids[9]: [ids[22]]}
    assert found.neighbors_map[ids[3]][0][1] == 0
    assert found.summary() == {"samples": 30, "without_vector": 0, "duplicates": 4, "unique": 26, "groups": 3}


def test_the_views_of_near_duplicates_show_the_surest_and_the_groups(dataset, ids):
    found = scb.compute_near_duplicates(dataset)
    closeness = found.view().values("near_duplicates.closeness")
    assert closeness == sorted(closeness, reverse=True)
    assert closeness[:2] == [1, 1]
    assert found.duplicates_view().values("id") == [ids[i] for i in (3, 20, 25, 8, 21, 9, 22)]
    assert len(found.unique_view()) == 26
    counts, edges = found.histogram(bins=2)
    assert (sum(counts), edges[0]) == (4, 0)


def test_a_loaded_run_has_the_same_results(dataset):
    found = scb.compute_near_duplicates(dataset)
    loaded = sc.load_dataset("points").load_run("near_duplicates")
    assert isinstance(loaded, NearDuplicates)
    assert loaded.neighbors_map == found.neighbors_map
    assert dataset.load_brain_results("near_duplicates").duplicate_ids == found.duplicate_ids


def test_a_threshold_is_a_distance_for_all(dataset, ids):
    assert scb.compute_near_duplicates(dataset, 0.0).duplicate_ids == [ids[20], ids[25]]
    everything = scb.compute_near_duplicates(dataset, 2.0)
    assert len(everything.duplicate_ids) == 29
    assert everything.unique_ids == [ids[0]]


def test_running_again_replaces_what_was_found_before(dataset, ids):
    scb.compute_near_duplicates(dataset, 2.0)
    again = scb.compute_near_duplicates(dataset, 0.0)
    assert again.duplicate_ids == [ids[20], ids[25]]
    assert dataset.exists("near_duplicates.of").values("id") == [ids[3], ids[20], ids[25]]
    assert dataset.list_runs() == ["near_duplicates"]
    dataset.delete_run("near_duplicates")
    assert not dataset.has_field("near_duplicates")


def test_a_view_is_searched_in_its_own_order_and_within_itself(dataset, ids):
    view = dataset.select([ids[25], ids[3], ids[8], ids[0]], ordered=True)
    found = scb.compute_near_duplicates(view)
    assert found.neighbors_map == {ids[25]: [(ids[3], 0.0)]}
    assert len(found.unique_ids) == 3


def test_where_nothing_repeats_the_result_is_empty_and_no_field_is_made(dataset):
    found = scb.compute_near_duplicates(dataset.limit(15))
    assert (found.duplicate_ids, found.neighbors_map, len(found.unique_ids)) == ([], {}, 15)
    assert len(found.view()) == len(found.duplicates_view()) == 0
    assert not dataset.has_field("near_duplicates")


def test_none_and_one_sample_have_no_near_duplicates(dataset):
    assert scb.compute_near_duplicates(sc.Dataset("empty")).duplicate_ids == []
    assert scb.compute_near_duplicates(dataset.limit(1)).duplicate_ids == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": -1}, "threshold=-1 is no distance"),
        ({"threshold": "0.2"}, "threshold='0.2' is no distance"),
        ({"metric": "angle"}, "metric='angle' is unknown"),
    ],
)
def test_what_is_no_distance_is_refused_before_anything_is_recorded(dataset, arguments, message):
    with pytest.raises(SchemaError, match=message):
        scb.compute_near_duplicates(dataset, **arguments)
    assert dataset.list_runs() == []


def test_nan_names_the_sample_and_writes_nothing(dataset, ids, vectors):
    vectors[7, 0] = np.nan
    with pytest.raises(FieldKindError, match=rf"sample {ids[7]} \(row 7\)"):
        scb.compute_near_duplicates(dataset, embeddings=vectors)
    assert not dataset.has_field("near_duplicates")
    assert dataset.get_run_info("near_duplicates").state == "failed"


@pytest.mark.parametrize("by", ["field", "tags", "views"])
def test_leaks_are_found_by_field_tags_or_views(dataset, ids, by):
    train, test = dataset.limit(20), dataset.skip(20).limit(8)
    train.tag_samples("train")
    test.tag_samples("test")
    splits = {"field": "split", "tags": ["train", "test"], "views": {"train": train, "test": test}}[by]
    found = scb.compute_leaky_splits(dataset, splits)
    leaking = [3, 8, 9, 20, 21, 22, 25]
    assert sorted(found.leak_ids) == sorted(ids[i] for i in leaking)
    assert found.summary()["leaks_by_split"] == {"train": 3, "test": 4}
    assert found.view().values("leaks.count")[0] == 2
    assert len(found.no_leaks_view()) == 23
    assert len(found.no_leaks_view(test)) == 4
    assert dataset[ids[21]]["leaks"]["nearest"] == ids[8]
    assert sum(found.histogram()[0]) == 7


def test_the_counterparts_of_a_sample_are_those_of_other_splits(dataset, ids):
    found = scb.compute_leaky_splits(dataset, "split")
    assert found.leaks_for_sample(ids[3]).values("id") == [ids[20], ids[25]]
    assert found.leaks_for_sample(dataset[ids[20]]).values("id") == [ids[3]]
    assert len(found.leaks_for_sample(ids[0])) == 0
    assert scb.compute_leaky_splits(dataset, "split", 0.0).leaks_for_sample(ids[3]).values("id") == [ids[20], ids[25]]


def test_leaks_can_be_tagged(dataset):
    found = scb.compute_leaky_splits(dataset, "split", 0.0)
    found.tag_leaks("leaky")
    assert dataset.match_tags("leaky").count() == 3
    assert isinstance(dataset.load_run("leaks"), type(found))


def test_a_sample_that_is_tagged_for_two_splits_leaks(dataset, ids):
    dataset.limit(5).tag_samples("train")
    dataset.select(ids[:1]).tag_samples("test")
    assert scb.compute_leaky_splits(dataset, ["train", "test"]).leak_ids == [ids[0]]


def test_splits_that_are_not_there_or_too_few_are_refused(dataset):
    with pytest.raises(FieldNotFoundError, match=r"no field 'splits' .* give a list of them"):
        scb.compute_leaky_splits(dataset, "splits")
    with pytest.raises(SchemaError, match="leaks need two or more"):
        scb.compute_leaky_splits(dataset, ["train"])
    dataset.limit(5).tag_samples("train")
    dataset.skip(5).tag_samples("test")
    with pytest.raises(SchemaError, match=r"in the split 'tset'\. .* Did you mean 'test'"):
        scb.compute_leaky_splits(dataset, ["train", "tset"])
    with pytest.raises(SchemaError, match="none of the 5 samples is in the split 'b'"):
        scb.compute_leaky_splits(dataset.limit(5), {"a": dataset.limit(5), "b": dataset.skip(5)})


@pytest.mark.parametrize("wrong", [None, 3, ["train", 3], {"a": "train", "b": "test"}, "dataset", "views"])
def test_what_is_no_split_is_refused_with_what_is_one(dataset, wrong):
    given = {"dataset": dataset, "views": [dataset.limit(5), dataset.skip(5)]}.get(str(wrong), wrong)
    with pytest.raises(SchemaError, match=r"is no split\. Give a list of tags, the name of a field"):
        scb.compute_leaky_splits(dataset, given)
    assert not dataset.has_run("leaks")


def test_an_array_is_not_kept_so_counterparts_cannot_be_looked_up(dataset, ids, vectors):
    dataset.limit(5).tag_samples("a")
    dataset.skip(5).tag_samples("b")
    found = scb.compute_leaky_splits(dataset, ["a", "b"], embeddings=vectors)
    assert found.leak_ids
    with pytest.raises(SchemaError, match="made with vectors or views that it does not hold"):
        found.leaks_for_sample(ids[0])


def test_copies_of_files_are_found_and_failures_are_noted(database, image_files):
    images = sc.Dataset("images")
    images.add_images([*image_files, "/no/such/file.png"])
    ids = images.values("id")
    found = scb.compute_exact_duplicates(images)
    assert found.duplicates == {ids[0]: [ids[9]]}
    assert found.duplicate_ids == found.view().values("id") == [ids[9]]
    assert len(found.unique_view()) == 10
    assert images[ids[10]]["exact_duplicates"]["error"] == "the file does not exist"
    assert found.summary()["failures"] == ["/no/such/file.png: the file does not exist"]
    with pytest.raises(UnreadableMediaError, match=r"/no/such/file\.png: the file does not exist\. Pass skip_failures"):
        scb.compute_exact_duplicates(images, skip_failures=False)


def test_without_copies_nothing_is_written(database, image_files):
    images = sc.Dataset("images")
    images.add_images(image_files[:3])
    found = scb.compute_exact_duplicates(images)
    assert (found.duplicates, len(found.view()), len(found.unique_view())) == ({}, 0, 3)
    assert not images.has_field("exact_duplicates")
    Path(image_files[1]).write_bytes(Path(image_files[0]).read_bytes())
    assert len(scb.compute_exact_duplicates(images).duplicates) == 1


def test_representativeness_begins_with_the_most_typical(dataset, vectors):
    run = scb.compute_representativeness(dataset)
    expected = representativeness(nearest_neighbors(vectors, NEIGHBORS)[0])
    assert dataset.values("representativeness") == pytest.approx(expected.tolist())
    scores = run.view().values("representativeness")
    assert scores == sorted(scores, reverse=True)
    assert scb.compute_representativeness(sc.Dataset("empty")).summary() == {"scored": 0, "without_vector": 0}


@pytest.mark.parametrize("threshold", [None, 0.1])
def test_progress_ends_with_all_samples(dataset, threshold):
    seen = []
    scb.compute_near_duplicates(dataset, threshold, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (30, 30)
    scb.compute_leaky_splits(dataset, "split", threshold, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (30, 30)


def test_frames_of_one_video_are_no_copies_of_each_other(database, tmp_path):
    still = write_video(tmp_path / "still.mp4", [numbered(7)] * 4, codec="ffv1", container="matroska", gop=1)
    moving = write_video(tmp_path / "moving.mp4", 4)
    dataset = sc.Dataset.from_videos([moving], name="films", every=1)
    assert scb.compute_exact_duplicates(dataset).duplicate_ids == []
    dataset.add_videos([still], every=1)
    dataset.add_videos([moving, moving])
    found = scb.compute_exact_duplicates(dataset)
    assert [(s["filepath"], s["frame_number"]) for s in found.view()] == [
        (str(still), 2), (str(still), 3), (str(still), 4), (str(moving), None),
    ]  # fmt: skip
