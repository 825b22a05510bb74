"""The selection config: LightlyOne's form, and every wrong one answered with the path of the key."""

import json

import pytest

from saccade.brain.selection.config import DEFAULT_STRATEGIES, parse_config, slug_of
from saccade.dataset.errors import SelectionError

DIVERSITY = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}


def config(strategy=None, **source):
    pair = {"input": {**DIVERSITY["input"], **source}, "strategy": {**DIVERSITY["strategy"], **(strategy or {})}}
    return {"n_samples": 5, "strategies": [pair]}


def test_the_form_of_lightly_one_is_understood():
    parsed = parse_config({"n_samples": 50, "strategies": [DIVERSITY]})
    assert parsed.n_samples == 50
    assert parsed.proportion_samples is None
    (strategy,) = parsed.strategies
    assert (strategy.input_type, strategy.key, strategy.type, strategy.strength) == (
        "EMBEDDINGS",
        "embedding",
        "DIVERSITY",
        1.0,
    )


def test_another_vector_field_and_a_strength_can_be_named():
    (strategy,) = parse_config(config({"strength": 2}, key="clip")).strategies
    assert (strategy.key, strategy.strength) == ("clip", 2.0)


def test_a_parsed_config_can_be_stored_and_parsed_again():
    for sizes in ({"n_samples": 3}, {"proportion_samples": 0.5}):
        parsed = parse_config({**sizes, "strategies": [DIVERSITY]})
        assert parse_config(json.loads(json.dumps(parsed.to_dict()))) == parsed


@pytest.mark.parametrize(
    ("proportion", "candidates", "size"),
    [(0.1, 100, 10), (0.25, 10, 3), (0.24, 10, 2), (0.001, 10, 1), (1, 10, 10), (0.35, 10, 4), (0.5, 0, 0)],
)
def test_a_share_rounds_half_up_and_to_at_least_one(proportion, candidates, size):
    assert parse_config({"proportion_samples": proportion, "strategies": [DIVERSITY]}).size(candidates) == size


def test_more_than_there_are_is_all_there_are():
    assert parse_config({"n_samples": 50, "strategies": [DIVERSITY]}).size(7) == 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategies": [DIVERSITY]}, "neither size is given. Give exactly one"),
        (
            {"n_samples": 5, "proportion_samples": 0.1, "strategies": [DIVERSITY]},
            "n_samples=5 and proportion_samples=0.1",
        ),
        ({"n_samples": 0, "strategies": [DIVERSITY]}, "n_samples=0 is not a whole number"),
        ({"n_samples": True, "strategies": [DIVERSITY]}, "n_samples=True"),
        ({"n_samples": 2.5, "strategies": [DIVERSITY]}, "n_samples=2.5"),
        ({"proportion_samples": 0, "strategies": [DIVERSITY]}, "proportion_samples=0 is not"),
        ({"proportion_samples": 1.1, "strategies": [DIVERSITY]}, "proportion_samples=1.1"),
        ({"proportion_samples": float("nan"), "strategies": [DIVERSITY]}, "proportion_samples=nan"),
        ({"n_samples": 5}, "strategies=None is not a list"),
        ({"n_samples": 5, "strategies": []}, r"strategies=\[\] is not a list with at least one"),
        ({"n_samples": 5, "strategies": "DIVERSITY"}, "strategies='DIVERSITY' is not a list"),
        ({"n_samples": 5, "strategies": [DIVERSITY, DIVERSITY]}, r"strategies\[1\]: 2 strategies"),
        ({"n_sample": 5, "strategies": [DIVERSITY]}, "unknown key 'n_sample'.*Did you mean 'n_samples'"),
        ({"n_samples": 5, "strategies": [3]}, r"strategies\[0\]=3 is not a mapping"),
        (
            {"n_samples": 5, "strategies": [{"input": DIVERSITY["input"]}]},
            r"strategies\[0\]\.strategy=None is not a mapping",
        ),
        (config(typ="x"), r"strategies\[0\]\.input has an unknown key 'typ'\..*Did you mean 'type'"),
        (
            config(type="EMBEDDING"),
            r"strategies\[0\]\.input\.type='EMBEDDING' is not supported.*Did you mean 'EMBEDDINGS'",
        ),
        (config(type="SCORES"), r"strategies\[0\]\.input\.type='SCORES' is not supported\. Supported: EMBEDDINGS"),
        (config(key=7), r"strategies\[0\]\.input\.key=7 is not the name"),
        (
            config({"type": "WEIGHTS"}),
            r"strategies\[0\]\.strategy\.type='WEIGHTS' is not supported\. Supported: DIVERSITY",
        ),
        (config({"strength": 0}), r"strategies\[0\]\.strategy\.strength=0"),
        (config({"strength": "high"}), r"strategies\[0\]\.strategy\.strength='high'"),
        (
            config({"stopping_condition_minimum_distance": 0.1}),
            r"strategies\[0\]\.strategy has an unknown key 'stopping_condition_minimum_distance'",
        ),
    ],
)
def test_a_wrong_config_is_answered_with_the_path_of_the_key(given, message):
    with pytest.raises(SelectionError, match=message):
        parse_config(given)


def test_what_is_no_mapping_is_refused():
    with pytest.raises(SelectionError, match="selection_config=7 is not a mapping"):
        parse_config(7)


def test_the_default_is_diversity_over_the_embeddings():
    assert list(DEFAULT_STRATEGIES) == [DIVERSITY]


@pytest.mark.parametrize(
    ("tag", "slug"), [("batch-7", "batch_7"), ("to label", "to_label"), ("v1.2:a", "v1_2_a"), ("ok", "ok")]
)
def test_a_tag_becomes_a_name_that_fits_into_a_path(tag, slug):
    assert slug_of(tag) == slug
