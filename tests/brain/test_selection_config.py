"""The selection config: its sizes and its top level; every wrong one is answered with the path of the key."""

import json
from dataclasses import replace

import pytest

from saccade.brain.selection.config import DEFAULT_STRATEGIES, SelectionConfig, parse_config, slug_of
from saccade.brain.selection.inputs import Embeddings, Scores
from saccade.brain.selection.strategies import Diversity, GroupCap, Threshold, Weights
from saccade.dataset.errors import SelectionError

DIVERSITY = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}


def test_the_form_of_lightly_one_is_understood():
    parsed = parse_config({"n_samples": 50, "strategies": [DIVERSITY]})
    assert parsed == SelectionConfig((Diversity(),), n_samples=50)
    assert (parsed.proportion_samples, parsed.n_total, parsed.selected_sequence_length) == (None, None, 1)
    (strategy,) = parsed.strategies
    assert (strategy.input, strategy.type, strategy.strength) == (Embeddings("embedding"), "DIVERSITY", 1.0)


def test_the_stored_form_has_every_default_written_out():
    assert parse_config({"n_samples": 50, "strategies": [DIVERSITY]}).to_dict() == {
        "n_samples": 50,
        "strategies": [
            {
                "input": {"type": "EMBEDDINGS", "key": "embedding"},
                "strategy": {"type": "DIVERSITY", "strength": 1.0, "normalize": True},
            }
        ],
        "selected_sequence_length": 1,
    }


def test_values_and_json_can_be_mixed():
    parsed = parse_config({"n_samples": 5, "strategies": [Weights("sharpness"), DIVERSITY]})
    assert parsed.strategies == (Weights("sharpness"), Diversity())
    assert parse_config([Weights("sharpness"), DIVERSITY], n_samples=5) == parsed


@pytest.mark.parametrize("size", [{"n_samples": 4}, {"proportion_samples": 0.5}, {"n_total": 6}])
def test_a_parsed_config_can_be_stored_and_parsed_again(size):
    parsed = parse_config({**size, "strategies": [DIVERSITY], "selected_sequence_length": 2})
    assert parse_config(json.loads(json.dumps(parsed.to_dict()))) == parsed
    assert parse_config(parsed) is parsed


def test_a_size_can_take_the_place_of_the_one_in_the_config():
    parsed = parse_config({"n_samples": 4, "strategies": [DIVERSITY]}, proportion_samples=0.5)
    assert (parsed.n_samples, parsed.proportion_samples) == (None, 0.5)
    assert parse_config(parsed, n_total=3) == SelectionConfig((Diversity(),), n_total=3)


@pytest.mark.parametrize(
    ("proportion", "candidates", "size"),
    [
        (0.1, 100, 10),
        (0.25, 10, 3),
        (0.24, 10, 2),
        (0.001, 10, 1),
        (1, 10, 10),
        (0.35, 10, 4),
        (0.5, 0, 0),
        # 0.29 · 50 is 14.5 as written, and 14.499999999999998 in binary.
        (0.29, 50, 15),
        (1e-7, 10_000_000, 1),
    ],
)
def test_a_share_rounds_half_up_and_to_at_least_one(proportion, candidates, size):
    assert parse_config({"proportion_samples": proportion, "strategies": [DIVERSITY]}).size(candidates) == size


def test_more_than_there_are_is_all_there_are_with_a_note():
    parsed = parse_config({"n_samples": 50, "strategies": [DIVERSITY]})
    assert parsed.size(7) == 7
    assert parsed.size_note(7) == "50 samples were asked for; all 7 candidates were selected"
    assert parsed.size_note(50) is None


def test_n_samples_counts_new_samples_and_n_total_the_preselected_too():
    assert parse_config([DIVERSITY], n_samples=5).size(100, preselected=3) == 5
    assert parse_config([DIVERSITY], n_total=5).size(100, preselected=3) == 2
    assert parse_config([DIVERSITY], proportion_samples=0.1).size(100, preselected=3) == 10


@pytest.mark.parametrize("preselected", [5, 8])
def test_a_total_that_is_reached_picks_nothing_and_says_why(preselected):
    parsed = parse_config([DIVERSITY], n_total=5)
    assert parsed.size(100, preselected) == 0
    assert "n_total=5 is reached already" in parsed.size_note(100, preselected)
    assert f"{preselected} samples were picked before" in parsed.size_note(100, preselected)


def test_a_total_beyond_the_candidates_says_how_many_were_asked_for():
    parsed = parse_config([DIVERSITY], n_total=50)
    assert parsed.size(7, preselected=3) == 7
    assert parsed.size_note(7, preselected=3) == "47 samples were asked for; all 7 candidates were selected"


@pytest.mark.parametrize(
    ("given", "candidates", "preselected", "size"),
    [
        ({"n_samples": 12}, 100, 0, 12),
        ({"n_samples": 12}, 10, 0, 8),
        ({"proportion_samples": 0.1}, 100, 0, 12),  # 10 samples are two and a half sequences
        ({"proportion_samples": 0.001}, 100, 0, 4),
        ({"proportion_samples": 1.0}, 10, 0, 8),
        ({"n_total": 12}, 100, 4, 8),
        ({"n_total": 12}, 100, 5, 4),
    ],
)
def test_sizes_come_in_whole_sequences(given, candidates, preselected, size):
    parsed = parse_config({**given, "strategies": [DIVERSITY], "selected_sequence_length": 4})
    assert parsed.size(candidates, preselected) == size


def test_sequences_that_do_not_fit_are_noted():
    parsed = SelectionConfig((Diversity(),), n_samples=12, selected_sequence_length=4)
    assert parsed.size_note(10) == "12 samples were asked for; 8 fit into sequences of 4"
    assert "n_total=4 is reached already" in replace(parsed, n_samples=None, n_total=4).size_note(100, preselected=3)


def test_thresholds_and_limits_need_no_other_strategy():
    assert len(parse_config([Threshold("x", "BIGGER", 3), GroupCap("video", 2)], n_samples=5).strategies) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategies": [DIVERSITY]}, "no size is given. Give exactly one of n_samples, proportion_samples, n_total"),
        (
            {"n_samples": 5, "proportion_samples": 0.1, "strategies": [DIVERSITY]},
            "n_samples=5 and proportion_samples=0.1 are given. Give exactly one",
        ),
        ({"n_samples": 5, "n_total": 9, "strategies": [DIVERSITY]}, "n_samples=5 and n_total=9"),
        ({"n_samples": 0, "strategies": [DIVERSITY]}, "^n_samples=0 is not a whole number"),
        ({"n_samples": -1, "strategies": [DIVERSITY]}, "n_samples=-1 is not a whole number"),
        ({"n_samples": True, "strategies": [DIVERSITY]}, "n_samples=True"),
        ({"n_samples": 2.5, "strategies": [DIVERSITY]}, "n_samples=2.5"),
        ({"n_samples": "5", "strategies": [DIVERSITY]}, "n_samples='5'"),
        ({"n_total": 0, "strategies": [DIVERSITY]}, "n_total=0 is not"),
        ({"proportion_samples": 0, "strategies": [DIVERSITY]}, "proportion_samples=0 is not"),
        ({"proportion_samples": 1.1, "strategies": [DIVERSITY]}, "proportion_samples=1.1"),
        ({"proportion_samples": float("nan"), "strategies": [DIVERSITY]}, "proportion_samples=nan"),
        ({"proportion_samples": True, "strategies": [DIVERSITY]}, "proportion_samples=True"),
        ({"n_samples": 5}, "strategies=None is not a list"),
        ({"n_samples": 5, "strategies": []}, r"strategies=\[\] is not a list with at least one"),
        ({"n_samples": 5, "strategies": "DIVERSITY"}, "strategies='DIVERSITY' is not a list"),
        ({"n_samples": 5, "strategies": DIVERSITY}, "strategies={.*} is not a list"),
        ({"n_sample": 5, "strategies": [DIVERSITY]}, "unknown key 'n_sample'.*Did you mean 'n_samples'"),
        ({"n_samples": 5, "strategies": [DIVERSITY], 7: 1}, "unknown key 7"),
        ({"n_samples": 5, "strategies": [DIVERSITY, 3]}, r"strategies\[1\]=3 is not a mapping"),
        (
            {"n_samples": 5, "strategies": [{"input": DIVERSITY["input"]}]},
            r"strategies\[0\]\.strategy=None is not a mapping",
        ),
        (
            {"n_samples": 5, "strategies": [{"strategy": DIVERSITY["strategy"]}]},
            r"strategies\[0\]\.input=None is not a mapping",
        ),
        (
            {"n_samples": 10, "strategies": [DIVERSITY], "selected_sequence_length": 4},
            "n_samples=10 is not a multiple of selected_sequence_length=4. Near are 8 and 12",
        ),
        (
            {"n_total": 3, "strategies": [DIVERSITY], "selected_sequence_length": 4},
            "n_total=3 is not a multiple of selected_sequence_length=4. Near are 4 and 4",
        ),
        (
            {"n_samples": 5, "strategies": [DIVERSITY], "selected_sequence_length": 0},
            "selected_sequence_length=0 is not a whole number",
        ),
        (
            {"n_samples": 5, "strategies": [DIVERSITY], "lightly_path_regex": "(.*)/"},
            "lightly_path_regex=.* is not done by select. Read the values out of the file names",
        ),
        (
            {"n_samples": 5, "strategies": [DIVERSITY], "auto_tasks": [{"type": "TILING"}]},
            "auto_tasks=.* is not done by select. Keep the tiles as boxes",
        ),
    ],
)
def test_a_wrong_config_is_answered_with_the_path_of_the_key(given, message):
    with pytest.raises(SelectionError, match=message):
        parse_config(given)


def test_what_is_no_mapping_is_refused():
    with pytest.raises(
        SelectionError, match=r"selection_config=7 is not a mapping.* How many is said by n_samples=7\."
    ):
        parse_config(7)


def test_keys_without_a_value_count_as_not_given():
    given = {"n_samples": 5, "proportion_samples": None, "lightly_path_regex": None, "strategies": [DIVERSITY]}
    assert parse_config(given) == SelectionConfig((Diversity(),), n_samples=5)


def test_a_config_of_values_is_checked_when_it_is_made():
    with pytest.raises(SelectionError, match="n_samples=0 is not"):
        SelectionConfig((Diversity(),), n_samples=0)
    with pytest.raises(SelectionError, match=r"strategies\[1\]='DIVERSITY' is not a mapping"):
        SelectionConfig((Diversity(), "DIVERSITY"), n_samples=5)
    assert SelectionConfig([DIVERSITY, Weights(Scores("p", "s"))], n_samples=5).strategies[0] == Diversity()


def test_the_default_is_diversity_over_the_embeddings():
    assert list(DEFAULT_STRATEGIES) == [DIVERSITY]


@pytest.mark.parametrize(
    ("tag", "slug"),
    [
        ("batch-7", "batch_7"),
        ("to label", "to_label"),
        ("v1.2:a", "v1_2_a"),
        ("ok", "ok"),
        ("a.b:c;d=e@f_g-h i", "a_b_c_d_e_f_g_h_i"),
        ("$where", "_where"),
        ("Übung 1", "Übung_1"),
    ],
)
def test_a_tag_becomes_a_name_that_fits_into_a_path(tag, slug):
    assert slug_of(tag) == slug


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Diversity], r"strategies\[0\] is the class Diversity\. Make a value of it: Diversity\(\.\.\.\)\."),
        (Diversity(), r"Put a strategy into a list: \[\.\.\.\]\."),
        ({"strategies": Diversity()}, r"Put it into a list: strategies=\[\.\.\.\]\."),
    ],
)
def test_a_strategy_without_its_list_or_its_class_is_answered_with_what_was_meant(given, message):
    with pytest.raises(SelectionError, match=message):
        parse_config(given, n_samples=3)
