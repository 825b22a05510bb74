"""Selecting: the right samples, in order, tagged and ranked in one step, and nothing else touched."""

import json

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.operations.select import choose
from saccade.brain.selection.config import parse_config
from saccade.dataset.errors import FieldNotFoundError, RunNotFoundError, SelectionError, ViewError

from .selection_cases import farthest_first

pytestmark = pytest.mark.usefixtures("database")

DIVERSITY = [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}]


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((30, 5)).astype(np.float32)


@pytest.fixture
def dataset(database, vectors):
    made = sc.Dataset("points")
    made.add_columns({"filepath": [f"/photos/{i}.png" for i in range(30)], "embedding": vectors})
    return made


def test_the_picks_are_farthest_first_in_that_order(dataset, vectors):
    batch = scb.select(dataset, n_samples=8, tag="batch-7")
    found = farthest_first(vectors, 8, normalize=True)
    ids = dataset.values("id")
    assert batch.ids == [ids[pick] for pick in found.rows]
    assert batch.distances[0] is None
    assert batch.distances[1:] == pytest.approx(found.distances[1:].tolist(), abs=1e-12)
    assert batch.view().values("id") == batch.ids


def test_tag_rank_and_distance_are_on_the_picked_samples_and_on_no_others(dataset):
    batch = scb.select(dataset, n_samples=8, tag="batch-7")
    assert dataset.count_sample_tags() == {"batch-7": 8}
    view = dataset.match_tags("batch-7").sort_by("selections.batch_7.rank")
    assert view.values("selections.batch_7.rank") == list(range(8))
    assert view.values("selections.batch_7.distance") == batch.distances
    assert view.values("selections.batch_7.reason")[1:] == ["DIVERSITY 100 %"] * 7
    assert len(dataset.exists("selections")) == 8


def test_the_json_form_of_lightly_one_selects_the_same(dataset):
    by_keywords = scb.select(dataset, n_samples=5, tag="one")
    by_config = scb.select(dataset, {"n_samples": 5, "strategies": DIVERSITY}, tag="two")
    assert by_config.ids == by_keywords.ids
    assert scb.select(dataset, n_samples=5, strategies=DIVERSITY, tag="three").ids == by_keywords.ids
    typed = scb.select(dataset, n_samples=5, strategies=[scb.Diversity("embedding", strength=0.6)], tag="four")
    assert typed.ids == by_keywords.ids


def test_a_config_can_lie_in_a_file(dataset, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"n_samples": 5, "strategies": DIVERSITY}))
    assert scb.select(dataset, str(path), tag="file").ids == scb.select(dataset, n_samples=5, tag="plain").ids


def test_the_first_picks_are_the_same_however_many_are_asked_for(dataset):
    strategies = [scb.Diversity(), scb.Random()]
    few, many = (scb.select(dataset, n_samples=count, strategies=strategies) for count in (5, 20))
    assert many.ids[:5] == few.ids


def test_picking_again_from_the_record_of_a_run_gives_the_same_and_writes_nothing(dataset):
    batch = scb.select(dataset, n_samples=6, strategies=[scb.Diversity(), scb.Random()], seed=4, tag="batch")
    history = len(dataset.history())
    assert choose(dataset, batch.run.params) == (batch.ids, batch.distances)
    assert len(dataset.history()) == history


def test_a_share_of_the_candidates_can_be_asked_for(dataset):
    assert len(scb.select(dataset, proportion_samples=0.25, tag="quarter")) == 8


def test_only_samples_of_the_view_are_picked(dataset):
    view = dataset.skip(20)
    batch = scb.select(view, n_samples=4, tag="late")
    assert set(batch.ids) <= set(view.values("id"))


def test_samples_without_a_vector_are_no_candidates(dataset):
    dataset.add_images(["/photos/late.png"])
    batch = scb.select(dataset, n_samples=99, tag="all")
    assert len(batch) == 30
    assert batch.report["candidates"] == 30
    assert batch.report["without_input"] == {"DIVERSITY embedding": 1}
    assert batch.report["note"] == "99 samples were asked for; all 30 candidates were selected"


def test_the_run_keeps_the_config_the_seed_and_the_report(dataset):
    batch = scb.select(dataset, n_samples=3, tag="batch-7", seed=9)
    run = dataset.get_run_info("selections.batch_7")
    assert run.operation == "select"
    assert run.params["tag"] == "batch-7"
    assert run.params["seed"] == 9
    method = {"type": "DIVERSITY", "strength": 1.0, "normalize": True}
    assert run.params["selection_config"] == {
        "n_samples": 3,
        "selected_sequence_length": 1,
        "strategies": [{"input": {"type": "EMBEDDINGS", "key": "embedding"}, "strategy": method}],
    }
    assert run.summary() == batch.report
    assert batch.report["smallest_distance"] == pytest.approx(min(batch.distances[1:]))


def test_without_a_tag_the_first_free_number_is_taken(dataset):
    assert [scb.select(dataset, n_samples=2).tag for _ in range(3)] == ["selection-1", "selection-2", "selection-3"]
    dataset.delete_run("selections.selection_2")
    assert scb.select(dataset, n_samples=2).tag == "selection-2"


def test_selecting_again_under_a_tag_replaces_the_earlier_selection(dataset):
    scb.select(dataset, n_samples=9, tag="batch")
    again = scb.select(dataset.limit(10), n_samples=4, tag="batch")
    assert dataset.count_sample_tags() == {"batch": 4}
    assert sorted(dataset.match_tags("batch").values("id")) == sorted(again.ids)
    assert again.view().values("selections.batch.rank") == [0, 1, 2, 3]
    assert len(dataset.exists("selections.batch.rank")) == 4
    assert dataset.list_runs("select") == ["selections.batch"]


def test_a_tag_that_is_in_use_for_something_else_is_refused(dataset):
    dataset.limit(3).tag_samples("train")
    with pytest.raises(SelectionError, match="tag 'train' is on 3 samples already, and not from a selection"):
        scb.select(dataset, n_samples=2, tag="train")
    assert dataset.count_sample_tags() == {"train": 3}


def test_two_tags_that_would_share_their_figures_are_refused(dataset):
    scb.select(dataset, n_samples=2, tag="batch 7")
    with pytest.raises(SelectionError, match="under the same name, 'batch_7', as the selection 'batch 7'"):
        scb.select(dataset, n_samples=2, tag="batch-7")


@pytest.mark.parametrize("tag", ["2024-05", "v1.2 (a)", "ünïcode", "7"])
def test_any_tag_works(dataset, tag):
    batch = scb.select(dataset, n_samples=3, tag=tag)
    assert batch.view().values("id") == batch.ids
    assert dataset.count_sample_tags() == {tag: 3}


def test_selections_stand_beside_each_other(dataset):
    one, two = (scb.select(dataset.skip(skip), n_samples=5, tag=tag) for skip, tag in ((0, "one"), (10, "two")))
    assert one.view().values("id") == one.ids
    assert two.view().values("id") == two.ids


def test_deleting_the_run_removes_the_tag_and_the_figures_of_that_selection_alone(dataset):
    scb.select(dataset, n_samples=5, tag="one")
    kept = scb.select(dataset, n_samples=4, tag="two")
    dataset.delete_run("selections.one")
    assert dataset.count_sample_tags() == {"two": 4}
    assert len(dataset.exists("selections.one.rank")) == 0
    assert kept.view().values("selections.two.rank") == [0, 1, 2, 3]


@pytest.mark.parametrize("limit", [30, 5])
def test_the_same_call_gives_the_same_picks_whatever_the_order_of_the_samples(dataset, limit):
    view = dataset.limit(limit)
    one = scb.select(view, n_samples=4, tag="one")
    two = scb.select(view.shuffle(seed=3), n_samples=4, tag="two")
    assert two.ids == one.ids


def test_with_the_first_by_index_it_is_the_first_of_the_view(dataset):
    view = dataset.shuffle(seed=3)
    batch = scb.select(view, n_samples=6, first="index")
    assert batch.ids[0] == view.first().id
    assert batch.ids[0] != scb.select(dataset, n_samples=6).ids[0]


@pytest.mark.parametrize("rule", ["ranked", "accumulated"])
def test_both_rules_pick_what_is_asked_for(dataset, rule):
    assert len(set(scb.select(dataset, n_samples=6, rule=rule).ids)) == 6


def test_a_wrong_config_is_refused_before_anything_is_read_or_written(dataset):
    with pytest.raises(SelectionError, match=r"strategies\[0\]\.strategy\.type='BALANCE' does not go with EMBEDDINGS"):
        scb.select(
            dataset, n_samples=2, strategies=[{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "BALANCE"}}]
        )
    with pytest.raises(SelectionError, match="a selection_config and strategies were both given"):
        scb.select(dataset, {"n_samples": 5, "strategies": DIVERSITY}, strategies=DIVERSITY)
    with pytest.raises(SelectionError, match="How many is said by n_samples=5"):
        scb.select(dataset, 5)
    for name, value in (("tag", 7), ("tag", ["a"]), ("preselected_tag", ["x"])):
        with pytest.raises(SelectionError, match=f"{name}=.* is no text. Give the name of one tag"):
            scb.select(dataset, n_samples=2, **{name: value})
    with pytest.raises(SelectionError, match="preselected_tag='x': no sample"):
        scb.select(dataset, n_samples=2, preselected_tag="x")
    with pytest.raises(SelectionError, match="no size is given"):
        scb.select(dataset)
    with pytest.raises(SelectionError, match=r"rule='best' is not supported\. Give 'ranked' or 'accumulated'"):
        scb.select(dataset, n_samples=2, rule="best")
    with pytest.raises(SelectionError, match=r"seed=0\.5 is not a whole number"):
        scb.select(dataset, n_samples=2, seed=0.5)
    with pytest.raises(SelectionError, match="tag='  ' is empty"):
        scb.select(dataset, n_samples=2, tag="  ")
    assert dataset.list_runs() == []


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ("street", r"samples is a str\. Give a dataset.*load_dataset\('street'\) gives the dataset"),
        (["street"], "samples is a list. Give a dataset"),
    ],
)
def test_what_is_no_dataset_is_refused(samples, message):
    with pytest.raises(SelectionError, match=message):
        scb.select(samples, n_samples=2)
    with pytest.raises(SelectionError, match=message):
        scb.select_balanced(samples, 2, "weather")


def test_patches_are_refused(dataset):
    dataset.add_sample(sc.Sample("/boxes.png", boxes=sc.Detections(detections=[sc.Detection(label="car")])))
    with pytest.raises(ViewError, match="'select' works on samples"):
        scb.select(dataset.to_patches("boxes"), n_samples=2)


def test_a_size_takes_the_place_of_that_of_the_config(dataset):
    config = {"n_samples": 3, "strategies": DIVERSITY}
    assert len(scb.select(dataset, config, n_samples=7)) == 7
    assert len(scb.select(dataset, config, proportion_samples=0.5)) == 15
    assert len(scb.select(dataset, parse_config(config), n_total=4)) == 4


def test_a_list_of_strategies_is_a_config(dataset):
    batch = scb.select(dataset, [scb.Diversity()], n_samples=4, selected_sequence_length=2)
    assert batch.config["n_samples"] == 4
    assert batch.config["selected_sequence_length"] == 2
    with pytest.raises(SelectionError, match="no size is given"):
        scb.select(dataset, [scb.Diversity()])


def test_of_one_sample_one_is_picked(database):
    one = sc.Dataset("one")
    one.add_sample(sc.Sample("/a.png", embedding=np.ones(3)))
    batch = scb.select(one, n_samples=2, strategies=[scb.Diversity(), scb.Typicality(), scb.Coverage(), scb.Random()])
    assert batch.ids == one.values("id")


def test_where_nothing_is_to_be_picked_there_is_no_bar_and_a_reason(dataset, capsys):
    dataset.tag_samples("all")
    batch = scb.select(dataset, n_samples=2, preselected_tag="all", progress=True)
    assert batch.report["note"] == "there are no candidates: all 30 samples were picked before"
    nothing = scb.select(dataset.limit(0), n_samples=2, progress=True)
    assert nothing.report["note"] == "there are no candidates: there are no samples"
    assert capsys.readouterr().err == ""


def test_a_failed_selection_uses_up_no_name_and_is_not_offered(dataset):
    dataset.add_sample_field("score", sc.IntField)
    for tag in (None, "batch 7"):
        with pytest.raises(SelectionError, match="none of the 30 samples"):
            scb.select(dataset, n_samples=2, strategies=[scb.Weights("score")], tag=tag)
    assert scb.select(dataset, n_samples=2).tag == "selection-1"
    with pytest.raises(RunNotFoundError, match="Selections: selection-1"):
        dataset.load_selection("selections-1")
    assert scb.select(dataset, n_samples=3, tag="batch-7").ids == dataset.load_selection("batch-7").ids
    assert dataset.list_selections() == ["selection-1", "batch-7"]


def test_a_missing_field_is_said_before_a_run_is_recorded(dataset):
    strategies = [{"input": {"type": "EMBEDDINGS", "key": "clip"}, "strategy": {"type": "DIVERSITY"}}]
    with pytest.raises(FieldNotFoundError, match="no field 'clip' on dataset 'points'"):
        scb.select(dataset, n_samples=2, strategies=strategies, tag="batch")
    assert dataset.list_runs() == []
    assert dataset.count_sample_tags() == {}


def test_a_selection_shows_what_it_is(dataset):
    batch = scb.select(dataset, n_samples=3, tag="<batch>")
    assert repr(batch).splitlines()[:3] == [
        "Selection '<batch>'",
        "    dataset: points",
        "    selected: 3 of 30 candidates",
    ]
    assert "&lt;batch&gt;" in batch._repr_html_()
    assert "<batch>" not in batch._repr_html_()


def test_progress_is_reported_to_a_function(dataset):
    seen = []
    scb.select(dataset, n_samples=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
