"""What a selection reads: missing values are counted, wrong ones refused, and nothing is written where it fails."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SaccadeError, SelectionError
from tests.brain.selectable import COUNT, numbered, numbers_of

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database):
    return numbered()


def test_samples_without_what_a_strategy_reads_are_no_candidates_and_counted(dataset):
    dataset.limit(3).set_values("brightness", [None] * 3)
    dataset.skip(1).limit(3).set_values("guess_uncertainty_margin", [None] * 3)
    dataset.add_sample(sc.Sample(filepath="/street/late.png", brightness=5.0, guess_uncertainty_margin=0.5))
    strategies = [
        scb.Diversity(), scb.Weights("brightness"), scb.Weights(scb.Scores("guess", "uncertainty_margin")),
        scb.Threshold(scb.Predictions("boxes", "CATEGORY_COUNT"), "BIGGER_EQUAL", 0),
    ]  # fmt: skip
    batch = scb.select(dataset, n_samples=99, strategies=strategies)
    assert batch.report["without_input"] == {
        "DIVERSITY embedding": 1, "WEIGHTS brightness": 3, "WEIGHTS guess_uncertainty_margin": 3,
        "THRESHOLD boxes BIGGER_EQUAL 0": 1,
    }  # fmt: skip
    assert len(batch) == batch.report["candidates"] == COUNT - 4


def test_a_sample_without_a_class_can_be_picked_but_comes_last(dataset):
    dataset.limit(4).set_values("weather", [None] * 4)
    batch = scb.select(dataset, n_samples=COUNT, strategies=[scb.Balance("weather", distribution="UNIFORM")])
    assert sorted(numbers_of(batch)[-4:]) == [0, 1, 2, 3]
    assert batch.report["without_class"] == {"BALANCE weather": 4}


def test_where_thresholds_leave_nothing_the_selection_is_empty_and_says_why(dataset):
    strategies = [scb.Diversity(), scb.Threshold("brightness", "BIGGER", 40), scb.Threshold("number", "SMALLER", 9)]
    batch = scb.select(dataset, n_samples=3, strategies=strategies, tag="none")
    assert len(batch) == 0
    assert batch.report["thresholds"] == {"THRESHOLD brightness BIGGER 40": 7, "THRESHOLD number SMALLER 9": 0}
    assert "there are no candidates: THRESHOLD brightness BIGGER 40 leaves 7" in batch.report["note"]
    assert dataset.count_sample_tags() == {}


def test_of_an_empty_dataset_nothing_is_picked(database):
    empty = sc.Dataset("empty")
    empty.add_sample_field("embedding", sc.VectorField)
    assert scb.select(empty, n_samples=3).ids == []


def test_the_run_reads_all_fields_that_the_strategies_name_and_knows_when_they_change(dataset):
    strategies = [
        scb.Diversity(), scb.Diversity(scb.Embeddings(task="boxes")), scb.Threshold("brightness", "BIGGER", 1),
        scb.Weights(scb.Scores("guess", "uncertainty_margin")), scb.TimeGap("taken", 5, group="video"),
        scb.Budget("cost", 90),
        scb.Balance(scb.Predictions("truth", "CLASS_DISTRIBUTION"), distribution="UNIFORM"),
        scb.Coverage(weights="number"),
    ]  # fmt: skip
    batch = scb.select(dataset, n_samples=3, strategies=strategies)
    assert set(batch.run.reads) == {
        "embedding", "boxes", "guess_uncertainty_margin", "brightness", "taken", "video", "cost", "truth", "number",
    }  # fmt: skip
    assert batch.run.is_stale() == []
    dataset.set_values("brightness", [0.0] * COUNT)
    assert batch.run.is_stale() == ["brightness"]


def test_a_part_of_a_view_is_read_as_the_view_shows_it(dataset):
    view = dataset.filter_labels("boxes", sc.F("label") == "bus", only_matches=False)
    most = scb.Weights(scb.Predictions("boxes", "CATEGORY_COUNT"))
    numbers = numbers_of(scb.select(view, n_samples=4, strategies=[most]))
    assert all((n % 4, n % 3) == (3, 1) for n in numbers)


@pytest.mark.parametrize(
    ("strategy", "error", "message"),
    [
        (scb.Diversity("clip"), FieldNotFoundError, r"no field 'clip'.*compute_embeddings"),
        (scb.Diversity("number"), FieldKindError, "'number' is a IntField, not a vector field"),
        (scb.Diversity(scb.Embeddings("clip", task="boxes")), SaccadeError, r"clip.*compute_patch_embeddings"),
        (scb.Weights(scb.Scores("guess", "uncertainty_entropy")), FieldNotFoundError,
         r"'uncertainty_entropy' of 'guess' was not computed\..*active_learning_scores.*guess_uncertainty_margin"),
        (scb.Weights("lightly.sharpness"), FieldNotFoundError, r"compute_quality\(samples\) makes 'lightly'"),
        (scb.Weights("brigthness"), FieldNotFoundError, "Did you mean 'brightness'"),
        (scb.Weights("weather"), SelectionError, "kind StringField; WEIGHTS needs a number.*BALANCE and GROUP_CAP"),
        (scb.Threshold("is_night", "BIGGER", 0), SelectionError, "BooleanField; THRESHOLD needs a number"),
        (scb.Weights("truth"), SelectionError, r'Predictions\("truth", "CATEGORY_COUNT"\)'),
        (scb.Weights("embedding"), SelectionError, "VectorField; WEIGHTS needs a number of each sample. On vectors"),
        (scb.TimeGap("weather", 3), SelectionError, "StringField; TIME_GAP needs a number or a time"),
        (scb.Budget("boxes.detections.confidence", 3), SelectionError, "of kind lists of FloatField; BUDGET needs"),
        (scb.Balance("brightness", {"1": 1.0}), SelectionError, r"FloatField; BALANCE needs categories.*WEIGHTS"),
        (scb.Balance("truth", {"car": 1.0}), SelectionError, r'\(Classification\).*\("truth", "CLASS_DISTRIBUTION"\)'),
        (scb.Balance("embedding", {"car": 1.0}), SelectionError, "VectorField; BALANCE needs categories"),
        (scb.GroupCap("embedding", 1), SelectionError, "VectorField; GROUP_CAP needs one value of each sample"),
        (scb.GroupCap("truth", 1), SelectionError, "such as 'truth.label'"),
        (scb.Weights(scb.Predictions("boxes", "CATEGORY_COUNT", ("cat",))), SelectionError,
         r"is a 'cat'.*Did you mean 'car'"),
        (scb.Balance(scb.Predictions("number", "CLASS_DISTRIBUTION"), {"car": 1.0}), SaccadeError, "holds no labels"),
        (scb.Similarity(scb.Embeddings(tag_name="qery")), SelectionError, r"tag_name='qery'.*Did you mean 'query'"),
        (scb.Similarity(scb.Embeddings(tag_name="query", dataset_id="stret")), SelectionError,
         r"dataset_id='stret'.*Did you mean 'street'"),
        (scb.GroupCap("tags", 1), SelectionError, r"ListField\(StringField\); GROUP_CAP needs one value"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_leaves_the_data_as_it_was(dataset, strategy, error, message):
    dataset.limit(1).tag_samples("query")
    with pytest.raises(error, match=message):
        scb.select(dataset, n_samples=3, strategies=[strategy], tag="batch")
    assert dataset.count_sample_tags() == {"query": 1}
    assert not dataset.has_field("selections")
    assert dataset.list_selections() == []


def test_vectors_of_other_lengths_cannot_be_compared(dataset):
    other = sc.Dataset("other")
    other.add_columns({"filepath": ["/a.png"], "embedding": np.ones((1, 5), dtype=np.float32)})
    other.tag_samples("query")
    strategies = [scb.Similarity(scb.Embeddings(tag_name="query", dataset_id=other._id))]
    with pytest.raises(SelectionError, match="vectors have 3 numbers and those with the tag have 5"):
        scb.select(dataset, n_samples=3, strategies=strategies)


def test_lightlys_own_figures_and_metadata_can_be_asked_for(image_files):
    made = sc.Dataset("images")
    made.add_images(image_files)
    scb.compute_metadata(made)
    scb.compute_quality(made)
    strategies = [scb.Weights("lightly.sharpness"), scb.Threshold("metadata.width", "BIGGER_EQUAL", 24)]
    batch = scb.select(made, n_samples=3, strategies=strategies)
    best = made.sort_by("lightly.sharpness", reverse=True).limit(3).values("lightly.sharpness")
    assert sorted(batch.view().values("lightly.sharpness"), reverse=True) == best


def test_the_two_configs_of_lightlys_documentation_run_as_written(dataset):
    batch = scb.select(
        dataset,
        selection_config={
            "n_samples": 50,
            "strategies": [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}],
        },
    )
    assert len(batch) == COUNT
    dataset.rename_sample_field("guess_uncertainty_margin", "my_classification_task_uncertainty_margin")
    coral = scb.select(
        dataset,
        {
            "enable_corruptness_check": True,
            "remove_exact_duplicates": True,
            "enable_training": False,
            "pretagging": False,
            "pretagging_debug": False,
            "method": "coral",
            "stopping_condition": {"n_samples": 0.1, "min_distance": -1},
            "scorer": "object-frequency",
            "scorer_config": {"frequency_penalty": 0.25, "min_score": 0.9},
            "active_learning": {"task_name": "my-classification-task", "score_name": "uncertainty_margin"},
        },
    )
    assert len(coral) == 5
    assert np.mean(numbers_of(coral)) > COUNT / 2
    assert min(np.diff(sorted(numbers_of(coral)))) > 1
    assert "my_classification_task_uncertainty_margin" in coral.run.reads


def test_where_no_sample_has_a_class_there_is_nothing_to_balance(dataset):
    dataset.set_values("weather", [None] * COUNT)
    with pytest.raises(SelectionError, match="BALANCE weather: none of the 48 samples has a value in 'weather'"):
        scb.select(dataset, n_samples=3, strategies=[scb.Balance("weather", distribution="UNIFORM")])


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (scb.Threshold("metadata.width", "BIGGER", 3),
         r"BIGGER 3: none of the 48 samples has a value in 'metadata.width'\. compute_metadata\(samples\) makes"),
        (scb.Weights("score"), "WEIGHTS score: none of .* Set it, or leave the strategy out"),
        (scb.Weights(scb.Scores("guess", "entropy")), r"compute_active_learning_scores\(samples, 'guess'\)"),
        (scb.GroupCap("score", 1), "GROUP_CAP score: none of"),
        (scb.TimeGap("taken", 1, group="score"), "TIME_GAP taken: none of the 48 samples has a value in 'score'"),
        (scb.Coverage(weights="score"), "COVERAGE embedding: none of the 48 samples has a value in 'score'"),
        (scb.Balance("score", {"1": 0.5}), "BALANCE score: none of"),
    ],
)  # fmt: skip
def test_what_no_sample_has_is_refused_by_naming_what_computes_it(dataset, strategy, message):
    for name in ("score", "guess_entropy"):
        dataset.add_sample_field(name, sc.IntField)
    before = scb.select(dataset, n_samples=3, tag="batch").ids
    with pytest.raises(SelectionError, match=message):
        scb.select(dataset, n_samples=4, strategies=[strategy], tag="batch")
    assert dataset.load_selection("batch").ids == before


def test_what_only_preselected_samples_have_is_refused(dataset):
    dataset.limit(2).tag_samples("before")
    dataset.add_sample_field("score", sc.IntField)
    dataset.limit(2).set_values("score", [1, 2])
    with pytest.raises(SelectionError, match="none of the 46 samples"):
        scb.select(dataset, n_samples=4, strategies=[scb.Weights("score")], preselected_tag="before")


def test_what_a_target_leaves_is_as_written_in_whatever_order():
    from saccade.brain.operations.selection_classes import Shares, target_of

    for names in ("abc", "cba"):
        target = {name: {"a": 0.1, "b": 0.2, "c": 0.3}[name] for name in names}
        shares = Shares(np.ones((2, 4)), [*names, "others"])
        assert target_of(shares, target, "TARGET", np.ones(2, dtype=bool))[-1] == 0.4


@pytest.mark.parametrize(
    ("target", "note"),
    [
        ({"suny": 0.7}, "there is no class 'suny'. Classes: fog, rain, sunny. Did you mean 'sunny'?"),
        ({"suny": 0.0, "fog": 0.5}, "there is no class 'suny'."),
        ({"fog": 1.0}, "no candidate has the class 'fog'"),
    ],
)
def test_a_class_of_the_target_that_nothing_has_is_said(dataset, target, note):
    view = dataset.match(sc.F("weather") != "fog") if "fog" in target else dataset
    dataset.match(sc.F("weather") == "fog").tag_samples("before")
    batch = scb.select(
        view, n_samples=3, strategies=[scb.Balance("weather", target)], preselected_tag="before", tag="batch"
    )
    assert f"BALANCE weather: {note}" in batch.report["note"]
    assert note in repr(batch)


def test_an_unknown_class_of_predictions_is_said(dataset):
    balance = scb.Balance(scb.Predictions("guess", "CLASS_DISTRIBUTION"), {"cra": 0.7})
    batch = scb.select(dataset, n_samples=3, strategies=[balance])
    assert "there is no class 'cra'. Classes: bike, bus, car. Did you mean 'car'?" in batch.report["note"]


@pytest.mark.parametrize(
    ("strategies", "why"),
    [
        ([scb.GroupCap("video", 2)], "12 were selected: no candidates left within GROUP_CAP video (at most 2 each)"),
        ([scb.Diversity(), scb.Budget("cost", 10), scb.TimeGap("taken", 20)],
         "within BUDGET cost (at most 10), TIME_GAP taken (at least 20 apart)"),
        ([scb.Typicality(minimum_typicality=0.999)], "0 were selected: no candidates left within TYPICALITY embedding"),
        ([scb.Diversity(minimum_distance=0.7), scb.GroupCap("video", 3)],
         "5 were selected: minimum distance, with GROUP_CAP video (at most 3 each)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("asked", [20, 99])
def test_the_limits_that_ended_a_selection_are_named(dataset, strategies, why, asked):
    batch = scb.select(dataset, n_samples=asked, strategies=strategies)
    assert batch.report["note"].startswith(f"{asked} samples were asked for; ")
    assert why in batch.report["note"]


def test_where_nothing_prefers_one_sample_to_another_the_order_is_said(dataset):
    limit = scb.Threshold("brightness", "BIGGER", 3)
    said = "no strategy prefers one sample to another: they were picked in the order of"
    assert f"{said} their ids" in scb.select(dataset, n_samples=3, strategies=[limit]).report["note"]
    by_index = scb.select(dataset, n_samples=3, strategies=[limit, scb.Diversity(strength=0)], first="index")
    assert f"{said} the view" in by_index.report["note"]
    assert "note" not in scb.select(dataset, proportion_samples=1.0, strategies=[limit]).report
    assert "note" not in scb.select(dataset, n_samples=3, strategies=[limit, scb.Diversity()]).report


def test_strategies_of_the_same_name_are_numbered(dataset):
    twice = [scb.Diversity(), scb.Diversity(strength=2), scb.Weights("brightness")]
    labels = [one["label"] for one in scb.select(dataset, n_samples=3, strategies=twice).report["objectives"]]
    assert labels == ["DIVERSITY embedding (1)", "DIVERSITY embedding (2)", "WEIGHTS brightness"]


def test_costs_below_zero_are_refused(dataset):
    dataset.limit(1).set_values("cost", [-2.0])
    with pytest.raises(SelectionError, match="BUDGET cost: a sample costs -2"):
        scb.select(dataset, n_samples=3, strategies=[scb.Budget("cost", 9)])
