"""Inputs and strategies as values and as JSON: which pairs there are, and what is said of a wrong one."""

import inspect
import json
import pickle
from datetime import timedelta

import numpy as np
import pytest

from saccade.brain.selection.inputs import INPUTS, Embeddings, Metadata, Predictions, RandomNumbers, Scores
from saccade.brain.selection.strategies import (
    PAIRS,
    STRATEGIES,
    Balance,
    Budget,
    Coverage,
    Diversity,
    GroupCap,
    Random,
    Similarity,
    Threshold,
    TimeGap,
    Typicality,
    Weights,
    parse_strategy,
)
from saccade.dataset.errors import SelectionError

EMBEDDINGS = {"type": "EMBEDDINGS"}
METADATA = {"type": "METADATA", "key": "weather"}
SCORES = {"type": "SCORES", "task": "predictions", "score": "uncertainty_margin"}
COUNT = {"type": "PREDICTIONS", "task": "found", "name": "CATEGORY_COUNT"}
DISTRIBUTION = {"type": "PREDICTIONS", "task": "found", "name": "CLASS_DISTRIBUTION"}
RANDOM = {"type": "RANDOM"}
QUERIES = {"type": "EMBEDDINGS", "tag_name": "like these"}

OF_KIND = {
    "EMBEDDINGS": EMBEDDINGS,
    "METADATA": METADATA,
    "SCORES": SCORES,
    "PREDICTIONS CATEGORY_COUNT": COUNT,
    "PREDICTIONS CLASS_DISTRIBUTION": DISTRIBUTION,
    "RANDOM": RANDOM,
}
NEEDED = {
    "THRESHOLD": {"operation": "BIGGER", "threshold": 1},
    "BALANCE": {"distribution": "UNIFORM"},
    "GROUP_CAP": {"max_per_group": 2},
    "TIME_GAP": {"minimum_gap": 5},
    "BUDGET": {"max_sum": 100},
}

VALUES = [
    Diversity(),
    Diversity("clip", strength=-0.5, minimum_distance=0.2, normalize=False),
    Diversity(Embeddings("vector", task="found")),
    Weights("lightly.sharpness", max_sum=10, scale="raw"),
    Weights(Scores("predictions", "uncertainty_margin"), target_range=(2, 5)),
    Weights(Predictions("found", "CATEGORY_COUNT", ["car", "bus"])),
    Weights(RandomNumbers(7)),
    Threshold("metadata.width", "SMALLER_EQUAL", -640),
    Threshold(RandomNumbers(), "SMALLER", 0.5),
    Balance("weather", {"sunny": 0.5, "St. Bernard": 0.2}),
    Balance(Predictions("found", "CLASS_DISTRIBUTION"), distribution="UNIFORM", strict=True),
    Balance("weather", distribution="INPUT", strength=2),
    Similarity(Embeddings(tag_name="like these")),
    Similarity(Embeddings("clip", "found", "other", "a.b:c;d=e@f-g h"), normalize=False),
    Typicality("clip", num_nearest_neighbors=2, minimum_typicality=0.1),
    Coverage(),
    Coverage("clip", weights="importance"),
    Coverage(weights=Scores("predictions", "uncertainty_margin")),
    Random(),
    Random(3, strength=0.1),
    GroupCap("video", 2),
    TimeGap("time", 5, group="video"),
    TimeGap("time", timedelta(minutes=2)),
    Budget("price", 100),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_reading_what_was_written_gives_the_same_value(value):
    written = json.loads(json.dumps(value.to_dict()))
    assert parse_strategy(written) == value
    assert parse_strategy(written).to_dict() == written
    assert pickle.loads(pickle.dumps(value)) == value
    assert hash(parse_strategy(written)) == hash(value)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kind", PAIRS)
def test_a_pair_is_read_if_and_only_if_it_is_allowed(kind, strategy):
    source = QUERIES if (kind, strategy) == ("EMBEDDINGS", "SIMILARITY") else OF_KIND[kind]
    pair = {"input": source, "strategy": {"type": strategy, **NEEDED.get(strategy, {})}}
    if strategy in PAIRS[kind]:
        assert parse_strategy(pair).type == strategy
        return
    with pytest.raises(SelectionError, match=r"^strategy\.strategy\.type='\w+' does not go with") as raised:
        parse_strategy(pair)
    assert all(f" {allowed}" in str(raised.value) for allowed in PAIRS[kind])


@pytest.mark.parametrize("kind", STRATEGIES.values())
def test_the_defaults_of_the_values_are_those_of_the_json_form(kind):
    arguments = inspect.signature(kind.__init__).parameters
    for option in kind.options:
        absent = option.required and inspect.Parameter.empty
        assert arguments[option.name].default == (absent or option.default)


def test_all_inputs_of_the_pairs_exist():
    assert {kind.split()[0] for kind in PAIRS} == set(INPUTS)
    assert {strategy for strategies in PAIRS.values() for strategy in strategies} == set(STRATEGIES)


def test_a_string_is_a_vector_field_or_the_path_of_a_field():
    assert Diversity("clip").input == Embeddings("clip")
    assert Weights("lightly.snr").input == Metadata("lightly.snr")
    assert GroupCap("video", 2).input == Metadata("video")
    assert Coverage(weights="price").weights == Metadata("price")
    assert parse_strategy({"input": EMBEDDINGS, "strategy": {"type": "COVERAGE", "weights": "price"}}) == Coverage(
        weights="price"
    )


def test_numbers_of_numpy_and_whole_ones_become_floats():
    value = Weights("x", strength=np.float32(0.5), max_sum=np.int64(3))
    assert (value.strength, value.max_sum) == (0.5, 3.0)
    assert json.loads(json.dumps(value.to_dict())) == value.to_dict()


def test_strength_may_be_zero_or_negative():
    assert Diversity(strength=0).strength == 0.0
    assert Diversity(strength=-1e9).strength == -1e9


def test_a_minimum_distance_of_zero_is_kept_and_leaves_nothing_out():
    pair = {"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY", "stopping_condition_minimum_distance": 0}}
    assert parse_strategy(pair).minimum_distance == 0.0


def test_classes_that_are_truth_values_or_numbers_go_by_their_names_in_json():
    assert Balance("labelled", {True: 0.5, 3: 0.25}).target == {"true": 0.5, "3": 0.25}
    assert Predictions("found", "CATEGORY_COUNT", [1, "car"]).categories == ("1", "car")


def test_shares_may_miss_one_by_rounding():
    thirds = dict.fromkeys("abc", 0.3333335)
    assert sum(thirds.values()) > 1
    assert Balance("x", thirds).target == thirds


def of(source, strategy=None):
    return {"input": source, "strategy": strategy or {"type": "DIVERSITY"}}


def balance(target, **more):
    return of(METADATA, {"type": "BALANCE", "target": target, **more})


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (of({"typ": "EMBEDDINGS"}), r"input has an unknown key 'typ'\..*Did you mean 'type'"),
        (of({**METADATA, "ky": "x"}), r"input has an unknown key 'ky'\. Keys: key, type\. Did you mean 'key'"),
        (of({}), r"input\.type=None is not supported\. Supported: EMBEDDINGS, METADATA, PREDICTIONS, RANDOM, SCORES"),
        (of({"type": "EMBEDDING"}), r"input\.type='EMBEDDING' is not supported.*Did you mean 'EMBEDDINGS'"),
        (of({"type": "embeddings"}), r"input\.type='embeddings' is not supported.*Did you mean 'EMBEDDINGS'"),
        (of({**EMBEDDINGS, "key": 7}), r"input\.key=7 is not the name of a vector field"),
        (of({**EMBEDDINGS, "key": " "}), r"input\.key=' ' is not the name"),
        (of({**EMBEDDINGS, "score": "x"}), r"input\.score='x' is for SCORES. EMBEDDINGS takes: key, task"),
        (of({**EMBEDDINGS, "tag_name": "x"}), r"input\.tag_name='x' names the queries of SIMILARITY"),
        (of({**EMBEDDINGS, "dataset_id": "x"}), r"input\.tag_name is missing: which samples of the dataset 'x'"),
        (of(EMBEDDINGS, {"type": "SIMILARITY"}), r"input\.tag_name is missing: near to which samples"),
        (of({"type": "SCORES", "score": "x"}), r"input\.task is missing; SCORES needs it: the field of predictions"),
        (of({"type": "SCORES", "task": "p"}), r"input\.score is missing; SCORES needs it"),
        (of({**SCORES, "score": ""}), r"input\.score='' is not the name of a score"),
        (of({"type": "METADATA"}), r"input\.key is missing; METADATA needs it: the path of a field"),
        (of({"type": "PREDICTIONS", "task": "p"}), r"input\.name is missing; .*CATEGORY_COUNT or CLASS_DISTRIBUTION"),
        (of({**COUNT, "name": "COUNT"}), r"input\.name='COUNT' is not supported\. Supported: CATEGORY_COUNT"),
        (of({**COUNT, "categories": []}), r"input\.categories=\[\] is not a list of names of classes"),
        (of({**COUNT, "categories": "car"}), r"input\.categories='car' is not a list"),
        (of({**COUNT, "categories": ["car", "car"]}), r"input\.categories=\['car', 'car'\] is not .* each once"),
        (of({**COUNT, "categories": [0.5]}), r"input\.categories=\[0.5\] is not"),
        (of({**DISTRIBUTION, "categories": ["car"]}), r"input\.categories=\['car'\] is for CATEGORY_COUNT"),
        (of({**RANDOM, "random_seed": 1.5}), r"input\.random_seed=1.5 is not a whole number"),
        (of({**RANDOM, "random_seed": True}), r"input\.random_seed=True is not a whole number"),
        (of(EMBEDDINGS, {"type": "DIVERSE"}), r"strategy\.type='DIVERSE' is not supported.*Did you mean 'DIVERSITY'"),
        (of(EMBEDDINGS, {"type": "diversity"}), r"strategy\.type='diversity' is not.*Did you mean 'DIVERSITY'"),
        (of(EMBEDDINGS, {"strength": 1}), r"strategy\.type=None is not supported\. Supported: COVERAGE, DIVERSITY"),
        (of(EMBEDDINGS, {"type": "DIVERSITY", "strenght": 1}), r"strategy has an unknown key 'strenght'.* 'strength'"),
        (of(EMBEDDINGS, {"type": "DIVERSITY", "strength": "high"}), r"strategy\.strength='high' is not a number from"),
        (of(EMBEDDINGS, {"type": "DIVERSITY", "strength": True}), r"strategy\.strength=True"),
        (of(EMBEDDINGS, {"type": "DIVERSITY", "strength": float("nan")}), r"strategy\.strength=nan"),
        (of(EMBEDDINGS, {"type": "DIVERSITY", "strength": 2e9}), r"strategy\.strength=2000000000"),
        (of(EMBEDDINGS, {"type": "DIVERSITY", "strength": 10**400}), r"strategy\.strength=10000"),
        (of(EMBEDDINGS, {"type": "DIVERSITY", "normalize": 1}), r"strategy\.normalize=1 is not true or false"),
        (
            of(EMBEDDINGS, {"type": "DIVERSITY", "stopping_condition_minimum_distance": -1}),
            r"strategy\.stopping_condition_minimum_distance=-1 is not a number of at least 0; leave it out",
        ),
        (
            of(EMBEDDINGS, {"type": "DIVERSITY", "stopping_condition_minimum_distance": 2.5}),
            r"strategy\.stopping_condition_minimum_distance=2.5 is more than 2, .*normalize=false",
        ),
        (
            of(EMBEDDINGS, {"type": "DIVERSITY", "stopping_condition_max_sum": 3}),
            r"strategy\.stopping_condition_max_sum=3 is for WEIGHTS\. DIVERSITY takes: normalize, stop",
        ),
        (
            of(METADATA, {"type": "WEIGHTS", "max_sum": 3}),
            r"strategy\.max_sum=3 is for BUDGET\. .*Did you mean 'stopping_condition_max_sum'",
        ),
        (
            of(METADATA, {"type": "THRESHOLD", **NEEDED["THRESHOLD"], "strength": 1}),
            r"strategy\.strength=1 is for .*It decides alone.* THRESHOLD takes: operation, threshold, type",
        ),
        (of(METADATA, {"type": "THRESHOLD", "threshold": 1}), r"strategy\.operation is missing; THRESHOLD needs it"),
        (of(METADATA, {"type": "THRESHOLD", "operation": "BIGGER"}), r"strategy\.threshold is missing"),
        (
            of(METADATA, {"type": "THRESHOLD", "operation": "GREATER", "threshold": 1}),
            r"strategy\.operation='GREATER' is not supported\. Supported: BIGGER, BIGGER_EQUAL, SMALLER, SMALLER_EQUAL",
        ),
        (
            of(METADATA, {"type": "THRESHOLD", "operation": "BIGGER", "threshold": float("inf")}),
            r"strategy\.threshold=inf is not a number",
        ),
        (of(METADATA, {"type": "WEIGHTS", "scale": "log"}), r"strategy\.scale='log' is not supported"),
        (of(METADATA, {"type": "WEIGHTS", "target_range": 3}), r"strategy\.target_range=3 is not a mapping"),
        (
            of(METADATA, {"type": "WEIGHTS", "target_range": {"min_sum": 3}}),
            r"strategy\.target_range\.max_sum is missing",
        ),
        (
            of(METADATA, {"type": "WEIGHTS", "target_range": {"min_sum": 3, "max_sum": 2}}),
            r"strategy\.target_range\.max_sum=2.0 is below min_sum=3.0",
        ),
        (
            of(METADATA, {"type": "WEIGHTS", "target_range": {"min_sum": -1, "max_sum": 2}}),
            r"strategy\.target_range\.min_sum=-1 is not a number of at least 0",
        ),
        (
            of(METADATA, {"type": "WEIGHTS", "stopping_condition_max_sum": 1,
                          "target_range": {"min_sum": 3, "max_sum": 4}}),
            r"strategy\.stopping_condition_max_sum=1.0 is below the min_sum=3.0 of target_range",
        ),
        (
            of(EMBEDDINGS, {"type": "TYPICALITY", "num_nearest_neighbors": 1}),
            r"strategy\.num_nearest_neighbors=1 is not a whole number of at least 2",
        ),
        (
            of(EMBEDDINGS, {"type": "TYPICALITY", "stopping_condition_minimum_typicality": 1.5}),
            r"strategy\.stopping_condition_minimum_typicality=1.5 is not a number from 0 to 1",
        ),
        (of({**EMBEDDINGS, "task": "found"}, {"type": "COVERAGE"}), r"input\.task='found' means objects; COVERAGE is"),
        (
            of(EMBEDDINGS, {"type": "COVERAGE", "weights": DISTRIBUTION}),
            r"strategy\.weights=.* is not a field path or another input of numbers",
        ),
        (
            of(EMBEDDINGS, {"type": "COVERAGE", "weights": {"type": "METADATA"}}),
            r"strategy\.weights\.key is missing; METADATA needs it",
        ),
        (of(EMBEDDINGS, {"type": "COVERAGE", "weights": ""}), r"strategy\.weights\.key='' is not the path of a field"),
        (of(METADATA, {"type": "GROUP_CAP"}), r"strategy\.max_per_group is missing; GROUP_CAP needs it"),
        (of(METADATA, {"type": "GROUP_CAP", "max_per_group": 0}), r"strategy\.max_per_group=0 is not a whole number"),
        (of(METADATA, {"type": "TIME_GAP", "minimum_gap": 0}), r"strategy\.minimum_gap=0 is not a number above 0"),
        (
            of(METADATA, {"type": "TIME_GAP", "minimum_gap": 1, "group_key": "weather"}),
            r"strategy\.group_key='weather' is the field of the gap itself",
        ),
        (of(METADATA, {"type": "BUDGET", "max_sum": -1}), r"strategy\.max_sum=-1 is not a number of at least 0"),
        (balance({}), r"strategy\.target={} is not a mapping of at least one class"),
        (balance(["sunny"]), r"strategy\.target=\['sunny'\] is not a mapping"),
        (balance({"sunny": -0.1}), r"strategy\.target\.sunny=-0.1 is not a share from 0 to 1"),
        (balance({"sunny": True}), r"strategy\.target\.sunny=True is not a share"),
        (balance({"sunny": float("nan")}), r"strategy\.target\.sunny=nan is not a share"),
        (balance({"sunny": 0.7, "rain": 0.4}), r"strategy\.target has shares that sum to 1.1\. Together"),
        (balance({"sunny": 0, "rain": 0.0}), r"strategy\.target has only shares of 0"),
        (balance({0.5: 0.5}), r"strategy\.target has the key 0.5, which is no name of a class"),
        (balance({1: 0.2, "1": 0.2}), r"strategy\.target has the key '1', which .* names one twice"),
        (balance({"sunny": 1}, distribution="INPUT"), r"strategy\.distribution='INPUT' and a target were both given"),
        (balance(None, distribution="TARGET"), r"strategy\.target is missing\. Give the share of each class"),
        (balance(None), r"strategy\.target is missing\. Give the share of each class, or distribution"),
        (balance(None, distribution="EQUAL"), r"strategy\.distribution='EQUAL' is not supported"),
        (balance({"sunny": 1}, strict="yes"), r"strategy\.strict='yes' is not true or false"),
    ],
)  # fmt: skip
def test_a_wrong_pair_is_answered_with_the_path_of_the_key(pair, message):
    with pytest.raises(SelectionError, match=rf"^strategies\[2\]\.{message}"):
        parse_strategy(pair, "strategies[2]")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Weights(Embeddings()), "^type='WEIGHTS' does not go with EMBEDDINGS"),
        (lambda: Diversity(3), "^input=3 is not an input. DIVERSITY is for EMBEDDINGS"),
        (lambda: Balance("weather", {"sunny": 2}), r"^target\.sunny=2 is not a share"),
        (lambda: Diversity(minimum_distance=3), "^minimum_distance=3.0 is more than 2"),
        (lambda: GroupCap("video", 0), "^at_most=0 is not a whole number"),
        (lambda: GroupCap("", 1), "^key='' is not the path of a field"),
        (lambda: TimeGap("time", timedelta(0)), "^at_least=0.0 is not a number above 0"),
        (lambda: Similarity("embedding"), r"^input\.tag_name is missing"),
        (lambda: Embeddings(dataset_id="other"), "^tag_name is missing"),
        (lambda: Scores("", "x"), "^task='' is not the name of a field of predictions"),
        (lambda: Random(1.5), "^random_seed=1.5 is not a whole number"),
    ],
)
def test_a_wrong_value_is_answered_with_the_name_of_the_argument(make, message):
    with pytest.raises(SelectionError, match=message):
        make()


def test_the_error_survives_the_way_to_another_process():
    with pytest.raises(SelectionError) as raised:
        GroupCap("video", 0)
    again = pickle.loads(pickle.dumps(raised.value))
    assert str(again) == str(raised.value) == "at_most=0 is not a whole number of at least 1."


def test_a_distance_between_vectors_as_they_are_may_be_any():
    assert Diversity(minimum_distance=30, normalize=False).minimum_distance == 30.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Diversity(strenght=2), "Diversity has no argument 'strenght'.* Did you mean 'strength'"),
        (lambda: Embeddings(keys="clip"), "Embeddings has no argument 'keys'.* Did you mean 'key'"),
        (lambda: GroupCap("video", max_per_group=2), "GroupCap has no argument 'max_per_group'.* mean 'at_most'"),
        (lambda: Threshold("x", ">", 3), "operation='>' is not supported.* Did you mean 'BIGGER'"),
        (lambda: Threshold("x", "<=", 3), "Did you mean 'SMALLER_EQUAL'"),
    ],
)
def test_a_wrong_name_in_a_value_is_answered_with_the_nearest_right_one(make, message):
    with pytest.raises(SelectionError, match=message):
        make()
