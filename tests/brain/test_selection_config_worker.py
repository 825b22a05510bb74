"""The form of LightlyOne's worker: run as written, with notes and errors for what is left undone."""

import pytest

from saccade.brain.selection.config import SelectionConfig, parse_config
from saccade.brain.selection.inputs import Scores
from saccade.brain.selection.strategies import Diversity, Random, Weights
from saccade.dataset.errors import SelectionError

AS_WRITTEN = """
{
  enable_corruptness_check: true,
  remove_exact_duplicates: true,
  enable_training: false,
  pretagging: false,
  pretagging_debug: false,
  method: 'coral',
  stopping_condition: {
    n_samples: 0.1,
    min_distance: -1
  },
  scorer: 'object-frequency',
  scorer_config: {
    frequency_penalty: 0.25,
    min_score: 0.9
  },
  active_learning: {
    task_name: 'my-classification-task',
    score_name: 'uncertainty_margin'
  }
}
"""


def test_the_config_of_the_active_learning_page_runs_as_written(tmp_path):
    (tmp_path / "worker.yaml").write_text(AS_WRITTEN)
    parsed = parse_config(tmp_path / "worker.yaml")
    score = Scores("my-classification-task", "uncertainty_margin")
    assert parsed == SelectionConfig((Diversity(), Weights(score)), proportion_samples=0.1)
    assert [note.split(":")[0] for note in parsed.notes] == [
        "not done by select", "not done by select", "scorer and scorer_config"
    ]  # fmt: skip
    assert "check_media" in parsed.notes[0]
    assert "compute_exact_duplicates" in parsed.notes[1]
    assert parse_config(parsed.to_dict()) == parsed


def worker(method="coreset", n_samples=5, **more):
    return {"method": method, "stopping_condition": {"n_samples": n_samples}, **more}


def test_coreset_is_diversity_and_random_is_random():
    assert parse_config(worker()) == SelectionConfig((Diversity(),), n_samples=5)
    assert parse_config(worker("random")) == SelectionConfig((Random(),), n_samples=5)


@pytest.mark.parametrize(
    ("n_samples", "size"),
    [
        (1, {"n_samples": 1}),
        (50, {"n_samples": 50}),
        (1.0, {"proportion_samples": 1.0}),
        (0.1, {"proportion_samples": 0.1}),
    ],
)
def test_a_size_with_a_decimal_point_is_a_share(n_samples, size):
    assert parse_config(worker(n_samples=n_samples)) == SelectionConfig((Diversity(),), **size)


@pytest.mark.parametrize("off", [-1, -1.0, 0, None])
def test_a_distance_can_be_switched_off(off):
    config = {"method": "coreset", "stopping_condition": {"n_samples": 5, "min_distance": off}}
    assert parse_config(config).strategies == (Diversity(),)


def test_a_distance_alone_ends_the_selection():
    config = {"method": "coreset", "stopping_condition": {"n_samples": -1, "min_distance": 0.2}}
    assert parse_config(config) == SelectionConfig((Diversity(minimum_distance=0.2),), proportion_samples=1.0)


def test_a_size_can_take_the_place_of_the_one_in_the_config():
    assert parse_config(worker(n_samples=0.5), n_samples=7) == SelectionConfig((Diversity(),), n_samples=7)
    assert parse_config({"method": "random"}, n_total=7).n_total == 7


def test_sequences_and_vectors_as_they_are_are_passed_on():
    parsed = parse_config(worker(n_samples=8, selected_sequence_length=4, normalize_embeddings=False))
    assert parsed == SelectionConfig((Diversity(normalize=False),), n_samples=8, selected_sequence_length=4)


def test_what_changes_no_pick_is_accepted_silently():
    parsed = parse_config(worker(num_processes=-1, datasource={"process_all": True}, checkpoint="", worker={}))
    assert parsed.notes == ()


def test_scores_that_a_method_does_not_look_at_are_noted():
    parsed = parse_config(worker("random", active_learning={"task_name": "predictions"}))
    assert parsed.notes == ("active_learning: not read, since method 'random' looks at no scores",)
    assert parse_config(worker(active_learning={"task_name": "", "score_name": "uncertainty_margin"})).notes == ()


def test_the_score_is_the_margin_if_none_is_named():
    parsed = parse_config(worker("coral", active_learning={"task_name": "predictions"}))
    assert parsed.strategies[1] == Weights(Scores("predictions", "uncertainty_margin"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (worker("corset"), "^method='corset' is not supported.*Did you mean 'coreset'"),
        (worker("coral"), r"^active_learning\.task_name is missing: coral picks by a score"),
        (worker("coral", active_learning={"task": "x"}), "active_learning has an unknown key 'task'"),
        (worker(enable_training=True), r"^enable_training=True is not done by select.*train_embedding_model"),
        (worker(pretagging=True), "^pretagging=True is not done by select. There is a detector of your own"),
        (worker(relevant_filenames_file="a.txt"), "^relevant_filenames_file='a.txt' .* a view"),
        (worker(use_datapool=True), "^use_datapool=True .* preselected_tag"),
        (worker(datapool={"name": "pool"}), r"^datapool\.name='pool' .* preselected_tag"),
        (worker(object_level={"task_name": "boxes"}), r"^object_level\.task_name='boxes' .* EMBEDDINGS"),
        (worker(embeddings="e.csv"), "^embeddings='e.csv' .* compute_embeddings"),
        (worker(enable_corruptness_check="yes"), "^enable_corruptness_check='yes' is not true or false"),
        (worker(enable_trainin=True), "unknown key 'enable_trainin'.*Did you mean 'enable_training'"),
        (worker(n_samples=0), r"^stopping_condition\.n_samples=0 is not a whole number of at least 1, a share"),
        (worker(n_samples=True), r"^stopping_condition\.n_samples=True"),
        (worker(n_samples="5"), r"^stopping_condition\.n_samples='5'"),
        (worker(n_samples=50.0), r"^stopping_condition\.n_samples=50.0 is not a share .* without a decimal point"),
        (worker(n_samples=-1), "^no size is given"),
        ({"method": "random"}, "^no size is given"),
        (worker(stopping_condition={"n_samples": 5, "min_distance": -2}), r"^stopping_condition\.min_distance=-2"),
        (worker(stopping_condition={"n_samples": 5, "min_distance": 3}), r"^stopping_condition\.min_distance=3.0 is"),
        (
            worker("random", stopping_condition={"n_samples": 5, "min_distance": 0.1}),
            r"^stopping_condition\.min_distance=0.1 is for coreset and coral",
        ),
        (worker(strategies=[]), "method and strategies were both given"),
        ({"stopping_condition": {"n_samples": 5}}, "stopping_condition is a key of the worker's form"),
    ],
)
def test_what_would_be_left_undone_or_is_wrong_is_answered_with_the_path_of_the_key(config, message):
    with pytest.raises(SelectionError, match=message):
        parse_config(config)
