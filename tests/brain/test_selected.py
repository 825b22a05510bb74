"""A selection that was made: found again, cut, compared, repeated, written to files, deleted."""

import csv
import json
import logging

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.operations.selected import Selection
from saccade.brain.operations.selections import Comparison
from saccade.dataset import journal
from saccade.dataset.errors import RunNotFoundError, SelectionError

pytestmark = pytest.mark.usefixtures("database")

DIVERSITY = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
WEIGHTS = {"input": {"type": "METADATA", "key": "size"}, "strategy": {"type": "WEIGHTS"}}


def balance(sun):
    target = {"sun": sun, "rain": 1 - sun}
    return {"input": {"type": "METADATA", "key": "weather"}, "strategy": {"type": "BALANCE", "target": target}}


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((60, 5)).astype(np.float32)


@pytest.fixture
def dataset(database, vectors):
    made = sc.Dataset("points")
    made.add_columns({"filepath": [f"/photos/{i}.png" for i in range(60)], "embedding": vectors})
    return made


@pytest.fixture
def batch(dataset):
    return scb.select(dataset, n_samples=12, tag="batch-7")


# --- found again ----------------------------------------------------------------------------------------------------


def test_selections_are_listed_by_their_tags_in_the_order_in_which_they_were_made(dataset):
    for tag in ("zebra", "v1.2 (a)", "apple"):
        scb.select(dataset, n_samples=2, tag=tag)
    assert dataset.list_selections() == ["zebra", "v1.2 (a)", "apple"]


def test_a_dataset_without_selections_lists_none(dataset):
    assert dataset.list_selections() == []
    with pytest.raises(RunNotFoundError, match=r"no selection 'batch' on dataset 'points'. Selections: none\."):
        dataset.load_selection("batch")


def test_a_loaded_selection_is_the_one_that_was_made(dataset, batch):
    loaded = sc.load_dataset("points").load_selection("batch-7")
    assert isinstance(loaded, Selection)
    assert loaded.ids == list(loaded) == batch.ids
    assert loaded.distances == batch.distances
    assert loaded.reasons == batch.reasons
    assert loaded.ranks == batch.ranks == list(range(12))
    assert loaded.report == batch.report
    assert loaded.view().values("id") == batch.ids
    assert repr(loaded) == repr(batch)
    assert batch.ids[3] in loaded


def test_an_unknown_tag_is_answered_with_the_nearest(dataset, batch):
    for call in (dataset.load_selection, dataset.delete_selection, batch.compare):
        with pytest.raises(RunNotFoundError, match=r"no selection 'batch7'.*Did you mean 'batch-7'\?"):
            call("batch7")


def test_a_failed_selection_is_not_listed_and_says_why(dataset):
    dataset.add_sample_field("score", sc.IntField)
    with pytest.raises(SelectionError):
        scb.select(dataset, n_samples=2, strategies=[scb.Weights("score")], tag="broken")
    assert dataset.list_selections() == []
    with pytest.raises(SelectionError, match=r"'broken' is failed: SelectionError: WEIGHTS score: none of"):
        dataset.load_selection("broken")
    dataset.delete_selection("broken")
    assert dataset.list_runs() == []


def test_an_undone_selection_is_not_listed(dataset, batch):
    dataset.undo()
    assert dataset.list_selections() == []
    with pytest.raises(SelectionError, match="'batch-7' is undone"):
        dataset.load_selection("batch-7")


def test_a_selection_whose_samples_were_deleted_says_how_many_are_gone(dataset, batch):
    dataset.delete_samples(batch.ids[2:5])
    loaded = dataset.load_selection("batch-7")
    assert loaded.ids == batch.ids[:2] + batch.ids[5:]
    assert loaded.ranks == [0, 1, 5, 6, 7, 8, 9, 10, 11]
    assert loaded.missing == loaded.report["missing"] == 3
    assert "missing: 3 more were deleted since, or lost the tag" in repr(loaded)
    assert loaded.prefix(6).ids == [*batch.ids[:2], batch.ids[5]]
    assert loaded.prefix(6).missing == 3
    assert [pick["filepath"] for pick in batch.to_dict()["picks"]].count(None) == 3


def test_a_sample_that_lost_the_tag_is_no_longer_of_the_selection_and_one_tagged_by_hand_is_not(dataset, batch):
    dataset.select(batch.ids[4]).untag_samples("batch-7")
    dataset.exclude(batch.ids).limit(2).tag_samples("batch-7")
    loaded = dataset.load_selection("batch-7")
    assert loaded.ids == batch.ids[:4] + batch.ids[5:]
    assert loaded.view().values("id") == loaded.ids
    assert loaded.missing == 1


def test_a_clone_has_the_selections(dataset, batch):
    clone = dataset.clone("copy")
    assert clone.list_selections() == ["batch-7"]
    loaded = clone.load_selection("batch-7")
    assert loaded.ids == batch.ids
    scb.select(clone, n_samples=3, tag="other")
    loaded.delete()
    assert clone.count_sample_tags() == {"other": 3}
    assert len(clone.exists("selections.batch_7.rank")) == 0
    assert dataset.load_selection("batch-7").ids == batch.ids


def test_a_renamed_run_is_found_by_its_tag(dataset, batch):
    dataset.rename_run("selections.batch_7", "old")
    assert dataset.load_selection("batch-7").view().values("id") == batch.ids
    dataset.delete_selection("batch-7")
    assert dataset.count_sample_tags() == {}


def test_a_selection_whose_vectors_changed_warns_when_it_is_loaded(dataset, batch, caplog):
    dataset.load_selection("batch-7")
    assert caplog.records == []
    assert batch.is_stale() == []
    change_vector(dataset)
    with caplog.at_level(logging.WARNING):
        loaded = dataset.load_selection("batch-7")
    assert loaded.is_stale() == ["embedding"]
    assert "selection 'batch-7' looked at embedding, changed since" in caplog.text
    assert "stale: embedding changed since" in repr(loaded)


def change_vector(dataset):
    sample = dataset.first()
    sample["embedding"] = np.ones(5, dtype=np.float32)
    sample.save()


def test_a_selection_whose_examples_changed_in_another_dataset_is_stale(dataset, vectors):
    other = sc.Dataset("examples")
    other.add_columns({"filepath": ["/a.png", "/b.png"], "embedding": vectors[:2]})
    other.limit(1).tag_samples("wanted")
    near = scb.Similarity(scb.Embeddings(dataset_id="examples", tag_name="wanted"))
    batch = scb.select(dataset, n_samples=3, strategies=[near], tag="near")
    other.set_values("size", [1, 2])
    assert batch.is_stale() == []
    other.set_values("embedding", vectors[2:4])
    assert batch.is_stale() == ["embedding of dataset 'examples'"]
    sc.delete_dataset("examples")
    assert dataset.load_selection("near").is_stale() == ["dataset 'examples'"]


def test_other_selections_make_none_stale(dataset, batch):
    scb.select(dataset, n_samples=3, tag="other")
    dataset.first().tags.append("seen")
    assert dataset.load_selection("batch-7").is_stale() == []


# --- cut and measured -----------------------------------------------------------------------------------------------


def test_the_first_picks_are_what_a_smaller_selection_would_have_picked(dataset, batch):
    small = scb.select(dataset, n_samples=5, tag="small")
    prefix = batch.prefix(5)
    assert len(prefix) == 5
    assert prefix.ids == small.ids
    assert prefix.distances == small.distances
    assert prefix.view().values("id") == small.ids
    assert prefix.report["smallest_distance"] == small.report["smallest_distance"]
    assert prefix.report["curve"]["coverage"] == small.report["curve"]["coverage"]
    assert batch.prefix(99).ids == batch.ids
    assert prefix.prefix(2).ids == batch.ids[:2]
    covered = small.report["comparison"]["coverage"]["picks"]
    assert prefix.report["comparison"]["coverage"]["picks"] == covered
    assert f"coverage: {covered:.3g}" in repr(prefix)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "3", None])
def test_a_prefix_has_a_whole_number_of_picks(batch, k):
    with pytest.raises(SelectionError, match=r"give a whole number of picks, 1 to 12"):
        batch.prefix(k)


def test_a_slice_from_the_beginning_is_a_prefix_and_all_else_is_refused(batch):
    assert batch[:3].ids == list(batch[0:3]) == batch.ids[:3]
    assert len(batch[:3]) == 3
    assert batch[:] is batch
    assert list(batch) == batch.ids
    for place in (2, slice(2, 3), slice(None, -1), slice(None, 4, 2), slice(None, "a")):
        with pytest.raises(SelectionError, match="only the first picks are a selection, such as selection"):
            batch[place]


def test_where_the_curve_has_a_gap_a_prefix_says_how_many_picks_its_coverage_is_of(dataset):
    large = scb.select(dataset, n_samples=50, tag="large")
    assert large.curve()["picks"].tolist()[-3:] == [47, 49, 50]
    assert "at random), measured at 47 picks" in repr(large.prefix(48))
    assert "measured" not in repr(large.prefix(47))


def test_a_prefix_is_not_kept_and_cannot_be_deleted(dataset, batch):
    with pytest.raises(SelectionError, match=r"first 3 picks of 'batch-7', which are not kept by themselves"):
        batch.prefix(3).delete()
    assert dataset.count_sample_tags() == {"batch-7": 12}


def test_the_curve_has_a_value_for_each_small_number_of_picks(batch, vectors, dataset):
    curve = batch.curve()
    assert curve["picks"].tolist() == list(range(1, 13))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [dataset.values("id").index(one) for one in batch.ids]
    for k in (1, 5, 12):
        away = np.linalg.norm(unit[:, None] - unit[rows[:k]], axis=2).min(axis=1)
        assert curve["mean_distance"][k - 1] == pytest.approx(away.mean(), rel=1e-5)
        assert curve["largest_distance"][k - 1] == pytest.approx(away.max(), rel=1e-5)
    assert (np.diff(curve["coverage"]) >= 0).all()
    assert len(curve["random_coverage"]) == 12


def test_a_number_of_picks_is_suggested_for_a_coverage(batch):
    coverage = batch.curve()["coverage"]
    assert batch.suggest_n(coverage[6]) == int(np.argmax(coverage >= coverage[6])) + 1
    with pytest.raises(SelectionError, match=r"coverage 0.99 is not reached: the 12 picks of 'batch-7' reach 0\."):
        batch.suggest_n(0.99)
    for wrong in (0, 1.1, -1, float("nan")):
        with pytest.raises(SelectionError, match="give a number above 0 and at most 1"):
            batch.suggest_n(coverage=wrong)


def test_the_radius_comes_with_a_bound_that_no_selection_of_this_size_goes_below(batch):
    report = batch.report
    assert report["radius"] == pytest.approx(batch.curve()["largest_distance"][-1], rel=1e-5)
    assert report["radius_bound"] == pytest.approx(report["radius"] / 2)
    assert f"no 12 picks have less than {report['radius_bound']:.4g}" in repr(batch)


def test_without_vectors_there_is_no_curve(dataset):
    dataset.set_values("size", list(range(60)))
    heavy = scb.select(dataset, n_samples=3, strategies=[WEIGHTS], tag="heavy")
    assert heavy.distances == [None, None, None]
    for ask in (heavy.curve, heavy.suggest_n):
        with pytest.raises(SelectionError, match=r"'heavy' has no curve: none of its strategies looks at embeddings"):
            ask()
    assert "<polyline" not in heavy._repr_html_()
    assert "decided by: WEIGHTS size 100 %" in repr(heavy)
    assert heavy.compare(heavy).mean_distance == (None, None)


def test_several_strategies_share_what_decided(dataset):
    dataset.set_values("size", list(range(60)))
    both = scb.select(dataset, n_samples=9, strategies=[DIVERSITY, WEIGHTS], tag="both")
    assert any("DIVERSITY" in reason and "WEIGHTS" in reason for reason in both.reasons)
    ranks = {one["label"]: one.get("rank") for one in both.report["objectives"]}
    assert ranks["WEIGHTS size"] > 0.5
    assert both.view().values("selections.both.reason") == both.reasons


def test_classes_are_shown_beside_their_target_and_compared(dataset):
    dataset.set_values("weather", ["sun"] * 50 + ["rain"] * 10)
    even, plain = (
        scb.select(dataset, n_samples=10, strategies=[DIVERSITY, balance(share)], tag=f"to {share}")
        for share in (0.5, 0.9)
    )
    (classes,) = even.report["classes"]
    assert sorted(zip(classes["classes"], classes["target"], strict=True)) == [("rain", 0.5), ("sun", 0.5)]
    assert "sun 50.0% (target 50.0%)" in repr(even)
    assert even.report["comparison"]["balance"]["picks"] > even.report["comparison"]["balance"]["random"]
    shares = even.compare(plain).classes
    assert shares["sun"][0] < shares["sun"][1]
    assert "classes" not in even.prefix(3).report
    error = plain.report["comparison"]["target_error"]
    assert error["picks"] == plain.report["classes"][0]["error"]
    assert f"target error: {error['picks']:.3g} (" in repr(plain)
    assert "balance" not in plain.report["comparison"]


# --- compared and repeated ------------------------------------------------------------------------------------------


def test_two_selections_are_compared_by_their_samples_and_by_their_distances(dataset, batch, vectors):
    other = scb.select(dataset.skip(20), n_samples=8, tag="late")
    found = batch.compare(other)
    both = len(set(batch.ids) & set(other.ids))
    assert (found.tags, found.sizes, found.overlap) == (("batch-7", "late"), (12, 8), both)
    assert found.jaccard == both / (20 - both)
    assert found.coverage == (batch.report["curve"]["coverage"][-1], other.report["curve"]["coverage"][-1])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = dataset.values("id")
    one, two = (unit[[ids.index(i) for i in chosen.ids]] for chosen in (batch, other))
    away = np.linalg.norm(one[:, None] - two, axis=2)
    assert found.mean_distance == pytest.approx((away.min(axis=1).mean(), away.min(axis=0).mean()), rel=1e-5)
    assert not found.identical
    assert batch.compare("late") == found
    assert f"in both: {both}, Jaccard" in repr(found)
    assert json.loads(json.dumps(found.to_dict()))["overlap"] == both


def test_a_selection_is_identical_with_itself_also_in_a_clone(dataset, batch):
    found = batch.compare(dataset.clone("copy").load_selection("batch-7"))
    assert found.identical
    assert found.jaccard == 1
    assert found.first_difference is None
    assert found.mean_distance == (0.0, 0.0)
    assert "the same picks in the same order" in repr(found)


def test_a_comparison_with_a_prefix_says_where_they_part(batch):
    found = batch.compare(batch.prefix(4))
    assert (found.overlap, found.first_difference, found.identical) == (4, 4, False)
    assert "first differ at rank 4" in repr(found)
    assert "first differ at rank 4" in found._repr_html_()


def test_what_is_no_selection_cannot_be_compared_with(batch):
    with pytest.raises(SelectionError, match=r"compare\(7\): give a selection, or the tag of one"):
        batch.compare(7)


def test_classes_that_both_were_balanced_over_are_compared():
    shown = Comparison(("a", "b"), (2, 2), 0, identical=False, first_difference=0, classes={"sun": (0.5, 0.25)})
    assert "classes: sun 50.0% and 25.0%" in repr(shown)


def test_replaying_gives_the_same_picks_and_writes_nothing(dataset, batch):
    before = [entry.number for entry in dataset.history()]
    found = batch.replay()
    assert found.identical
    assert found.tags == ("batch-7", "batch-7 again")
    assert [entry.number for entry in dataset.history()] == before
    assert dataset.list_runs() == ["selections.batch_7"]
    assert dataset.load_selection("batch-7").replay().identical
    assert batch.prefix(5).replay().identical


def test_replaying_is_on_the_view_of_the_selection(dataset):
    late = scb.select(dataset.skip(20), n_samples=4, tag="late")
    assert late.replay().identical


def test_replaying_warns_where_vectors_changed(dataset, batch, caplog):
    change_vector(dataset)
    with caplog.at_level(logging.WARNING):
        found = batch.replay()
    assert found.stale == ["embedding"]
    assert "looked at embedding, changed since" in caplog.text
    assert "changed since the first was made: embedding" in repr(found)


# --- shown and written ----------------------------------------------------------------------------------------------


def test_the_notebook_shows_facts_the_curve_and_pictures_and_no_markup_of_users(dataset):
    html = scb.select(dataset, n_samples=9, tag="<b>&")._repr_html_()
    assert "<b>&<" not in html
    assert "&lt;b&gt;&amp;" in html
    assert html.count("<polyline") == 2
    assert "at random 0." in html
    assert "coverage by number of picks" in html
    assert "<script" not in html


def test_a_selection_of_one_sample_is_shown(dataset):
    one = scb.select(dataset, n_samples=1, tag="one")
    assert "<polyline" in one._repr_html_()
    assert "selected: 1 of 60 candidates" in repr(one)


def test_picks_are_written_as_json_and_read_again(dataset, batch, tmp_path):
    batch.to_json(tmp_path / "batch.json")
    stored = json.loads((tmp_path / "batch.json").read_text(encoding="utf-8"))
    assert stored == batch.to_dict()
    assert stored["tag"] == "batch-7"
    assert stored["selection_config"] == batch.config
    paths = dict(zip(dataset.values("id"), dataset.values("filepath"), strict=True))
    assert stored["picks"][3] == {
        "rank": 3, "id": batch.ids[3], "filepath": paths[batch.ids[3]], "distance": batch.distances[3],
        "reason": batch.reasons[3],
    }  # fmt: skip
    assert stored["picks"][0]["distance"] is None


def test_picks_are_written_as_a_table_with_any_letters(database, tmp_path):
    dataset = sc.Dataset("letters")
    paths = [f'/фото/{name}, "{name}".png' for name in ("straße", "日本", "a")]
    dataset.add_columns({"filepath": paths, "embedding": np.eye(3, dtype=np.float32)})
    batch = scb.select(dataset, n_samples=3, tag="all")
    batch.to_csv(str(tmp_path / "größe.csv"))
    with (tmp_path / "größe.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["rank", "id", "filepath", "distance", "reason"]
    assert [row["id"] for row in rows] == batch.ids
    assert sorted(row["filepath"] for row in rows) == sorted(paths)
    assert rows[0]["distance"] == ""
    assert float(rows[2]["distance"]) == batch.distances[2]


def test_a_file_that_is_there_is_only_replaced_on_request(batch, tmp_path):
    path = tmp_path / "batch.csv"
    path.write_text("mine")
    for write in (batch.to_csv, batch.to_json):
        with pytest.raises(SelectionError, match=r"batch.csv' exists already. Pass overwrite=True"):
            write(path)
    assert path.read_text() == "mine"
    batch.to_csv(path, overwrite=True)
    assert path.read_text().startswith("rank,id,")
    assert [one.name for one in tmp_path.iterdir()] == ["batch.csv"]


def test_a_folder_or_a_file_in_no_folder_is_refused(batch, tmp_path):
    with pytest.raises(SelectionError, match=r"is a folder\. Give the name of a file"):
        batch.to_json(tmp_path)
    with pytest.raises(SelectionError, match="which is no folder"):
        batch.to_json(tmp_path / "none" / "batch.json")


# --- deleted --------------------------------------------------------------------------------------------------------


def test_deleting_removes_the_tag_and_the_figures_and_nothing_else(dataset, batch):
    kept = scb.select(dataset, n_samples=4, tag="two")
    dataset.delete_selection("batch-7")
    assert dataset.list_selections() == ["two"]
    assert dataset.count_sample_tags() == {"two": 4}
    assert len(dataset.exists("selections.batch_7.rank")) == 0
    kept.delete()
    assert dataset.list_selections() == []
    assert not dataset.has_field("selections")


def test_what_was_changed_since_stays_when_a_selection_is_deleted(dataset, batch):
    sample = dataset[batch.ids[1]]
    sample["selections"] = {**sample["selections"], "batch_7": {**sample["selections"]["batch_7"], "rank": 77}}
    sample.save()
    batch.delete()
    assert dataset.count_sample_tags() == {}
    assert dataset.exists("selections.batch_7.rank").values("id") == [batch.ids[1]]


def test_a_selection_from_long_ago_can_be_deleted_too(dataset, batch):
    scb.select(dataset, n_samples=3, tag="two")
    number = next(entry.number for entry in dataset.history() if entry.verb == "select" and entry.samples == 12)
    journal.forget(dataset._id, number)  # as after seven days
    dataset.delete_selection("batch-7")
    assert dataset.count_sample_tags() == {"two": 3}
    assert len(dataset.exists("selections.batch_7.rank")) == 0
    assert dataset.list_selections() == ["two"]
