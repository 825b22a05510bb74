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
        (scb.Weights("weather"), SelectionError, r"'weather' is 'sunny' on sample .*BALANCE and GROUP_CAP work on"),
        (scb.Threshold("is_night", "BIGGER", 0), SelectionError, "is True on sample .*, not a number"),
        (scb.Balance("brightness", {"1": 1.0}), SelectionError, r"'brightness' is 0.0 .*, not a category.*WEIGHTS"),
        (scb.Balance("truth", {"car": 1.0}), SelectionError, "for labels the input PREDICTIONS"),
        (scb.Weights(scb.Predictions("boxes", "CATEGORY_COUNT", ("cat",))), SelectionError,
         r"is a 'cat'.*Did you mean 'car'"),
        (scb.Balance(scb.Predictions("number", "CLASS_DISTRIBUTION"), {"car": 1.0}), SaccadeError, "holds no labels"),
        (scb.Similarity(scb.Embeddings(tag_name="qery")), SelectionError, r"tag_name='qery'.*Did you mean 'query'"),
        (scb.Similarity(scb.Embeddings(tag_name="query", dataset_id="stret")), SelectionError,
         r"dataset_id='stret'.*Did you mean 'street'"),
        (scb.GroupCap("tags", 1), SelectionError, "a group is one value per sample"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_leaves_the_data_as_it_was(dataset, strategy, error, message):
    dataset.limit(1).tag_samples("query")
    with pytest.raises(error, match=message):
        scb.select(dataset, n_samples=3, strategies=[strategy], tag="batch")
    assert dataset.count_sample_tags() == {"query": 1}
    assert not dataset.has_field("selections")


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
    with pytest.raises(SelectionError, match="BALANCE weather: no sample has a class"):
        scb.select(dataset, n_samples=3, strategies=[scb.Balance("weather", distribution="UNIFORM")])


def test_costs_below_zero_are_refused(dataset):
    dataset.limit(1).set_values("cost", [-2.0])
    with pytest.raises(SelectionError, match="BUDGET cost: a sample costs -2"):
        scb.select(dataset, n_samples=3, strategies=[scb.Budget("cost", 9)])
