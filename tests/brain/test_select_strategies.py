"""Every pair of an input and a strategy, on a real dataset: each does to the picks what it says."""

from collections import Counter

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.selection.pairs import PAIRS
from tests.brain.selectable import CLASSES, COUNT, WEATHER, gaps, numbered, numbers_of, pair

pytestmark = pytest.mark.usefixtures("database")

EMBEDDINGS = {"type": "EMBEDDINGS", "key": "embedding"}
OBJECTS = {"type": "EMBEDDINGS", "key": "embedding", "task": "boxes"}
SCORES = {"type": "SCORES", "task": "guess", "score": "uncertainty_margin"}
RANDOM = {"type": "RANDOM", "random_seed": 7}


def metadata(key):
    return {"type": "METADATA", "key": key}


def count(*categories):
    given = {"categories": list(categories)} if categories else {}
    return {"type": "PREDICTIONS", "task": "boxes", "name": "CATEGORY_COUNT", **given}


def mix(task):
    return {"type": "PREDICTIONS", "task": task, "name": "CLASS_DISTRIBUTION"}


def far_apart(numbers):
    assert min(gaps(numbers)) >= 3  # 8 of 48 on a circle: chance takes two that are nearer


def near_to_the_queries(numbers):
    assert max(min(abs(n - 20), abs(n - 22)) for n in numbers) <= 4


def the_highest(numbers):
    assert sorted(numbers) == list(range(COUNT - 8, COUNT))


def above_30(numbers):
    assert min(numbers) > 30


def mostly_fog(numbers):
    assert Counter(WEATHER[n % 8] for n in numbers)["fog"] == 4


def evenly(numbers):
    assert sorted(Counter(n % 3 for n in numbers).values()) == [2, 3, 3]


def mostly_buses(numbers):
    assert Counter(n % 3 for n in numbers)[1] == 6


def one_of_each_video(numbers):
    assert len(numbers) == 6  # of 8 that were asked for
    assert len({n % 6 for n in numbers}) == 6


def a_minute_apart(numbers):
    assert min(np.diff(sorted(numbers))) >= 6


def cheap(numbers):
    assert 0 < sum(1 + n % 5 for n in numbers) <= 12


def many_boxes(numbers):
    assert {n % 4 for n in numbers} == {3}


def many_buses(numbers):
    assert {(n % 4, n % 3) for n in numbers} == {(3, 1), (2, 1)}


def by_chance(numbers):
    assert len(set(numbers)) == 8
    assert numbers != sorted(numbers)


CASES = {
    "embeddings diversity": (EMBEDDINGS, "DIVERSITY", {}, far_apart),
    "embeddings coverage": (EMBEDDINGS, "COVERAGE", {}, far_apart),
    "embeddings similarity": ({**EMBEDDINGS, "tag_name": "query"}, "SIMILARITY", {}, near_to_the_queries),
    "similarity to another dataset": (
        {**EMBEDDINGS, "tag_name": "query", "dataset_id": "other"}, "SIMILARITY", {}, near_to_the_queries,
    ),
    "objects diversity": (OBJECTS, "DIVERSITY", {}, lambda n: far_apart(n) or all(one % 4 for one in n)),
    "scores weights": (SCORES, "WEIGHTS", {}, the_highest),
    "scores threshold": (SCORES, "THRESHOLD", {"operation": "BIGGER", "threshold": 30 / COUNT}, above_30),
    "metadata weights": (metadata("brightness"), "WEIGHTS", {}, the_highest),
    "metadata weights of whole numbers": (metadata("number"), "WEIGHTS", {"scale": "raw"}, the_highest),
    "metadata threshold": (metadata("brightness"), "THRESHOLD", {"operation": "BIGGER", "threshold": 30}, above_30),
    "metadata balance": (metadata("weather"), "BALANCE", {"target": {"fog": 0.5}}, mostly_fog),
    "metadata group cap": (metadata("video"), "GROUP_CAP", {"max_per_group": 1}, one_of_each_video),
    "metadata time gap": (metadata("taken"), "TIME_GAP", {"minimum_gap": 60}, a_minute_apart),
    "metadata time gap of numbers": (metadata("brightness"), "TIME_GAP", {"minimum_gap": 6}, a_minute_apart),
    "metadata budget": (metadata("cost"), "BUDGET", {"max_sum": 12}, cheap),
    "count weights": (count(), "WEIGHTS", {}, many_boxes),
    "count of a category weights": (count("bus"), "WEIGHTS", {}, many_buses),
    "count threshold": (count(), "THRESHOLD", {"operation": "BIGGER_EQUAL", "threshold": 3}, many_boxes),
    "classes balance": (mix("guess"), "BALANCE", {"distribution": "UNIFORM"}, evenly),
    "true classes balance": (mix("truth"), "BALANCE", {"target": {"bus": 0.75}}, mostly_buses),
    "random weights": (RANDOM, "WEIGHTS", {}, by_chance),
    "random": (RANDOM, "RANDOM", {}, by_chance),
    "random threshold": (RANDOM, "THRESHOLD", {"operation": "SMALLER", "threshold": 0.5}, lambda n: len(n) == 8),
}  # fmt: skip
"""For each case an input, a strategy, its options, and what is true of eight picks by it alone."""


@pytest.fixture
def dataset(database):
    made = numbered()
    made.match(sc.F("number").is_in([20, 22])).tag_samples("query")
    return made


@pytest.mark.parametrize("case", CASES)
def test_each_pair_does_what_it_says(dataset, case):
    source, kind, options, holds = CASES[case]
    if "dataset_id" in source:
        other = numbered("other")
        other.match(sc.F("number").is_in([20, 22])).tag_samples("query")
        dataset.match_tags("query").untag_samples("query")
    holds(numbers_of(scb.select(dataset, {"n_samples": 8, "strategies": [pair(source, kind, **options)]})))


def test_these_are_all_pairs_there_are():
    kinds = {
        source["type"] + (f" {source['name']}" if "name" in source else "") + f" {kind}"
        for source, kind, _, _ in CASES.values()
    }
    assert kinds | {"EMBEDDINGS TYPICALITY"} == {f"{kind} {one}" for kind, ones in PAIRS.items() for one in ones}


@pytest.mark.parametrize("task", [None, "boxes"])
def test_typicality_leaves_outliers_to_the_end(dataset, task):
    lonely = [3, 18, 33]
    for sample in dataset.match(sc.F("number").is_in(lonely)):
        if task is None:
            sample["embedding"] = np.array([0.0, 0.0, 1.0 if sample["number"] > 10 else -1.0])
        for label in sample["boxes"].detections:
            label["embedding"] = np.array([5.0, 5.0])
        sample.save()
    source = {**EMBEDDINGS, **({"task": task} if task else {})}
    strategies = [pair(source, "TYPICALITY", num_nearest_neighbors=4)]
    order = numbers_of(scb.select(dataset, n_samples=COUNT, strategies=strategies))
    kept = [number for number in order if task is None or number % 4]
    assert len(order) == COUNT
    if task is None:
        assert set(order[-3:]) == set(lonely)
    else:
        assert [number % 4 for number in order[-12:]] == [0] * 12  # without objects: last, but there
        assert kept


def test_objects_can_be_similar_to_those_of_a_tag(dataset):
    strategies = [pair({**OBJECTS, "tag_name": "query"}, "SIMILARITY")]
    numbers = numbers_of(scb.select(dataset, n_samples=6, strategies=strategies))
    assert 22 in numbers
    assert all(abs(number - 22) <= 5 for number in numbers)


@pytest.mark.parametrize(
    ("operation", "kept"),
    [("SMALLER", 4), ("SMALLER_EQUAL", 5), ("BIGGER", COUNT - 5), ("BIGGER_EQUAL", COUNT - 4)],
)
def test_each_comparison_keeps_the_values_it_names(dataset, operation, kept):
    batch = scb.select(dataset, n_samples=COUNT, strategies=[scb.Threshold("brightness", operation, 4)])
    assert len(batch) == kept
    assert batch.report["thresholds"] == {f"THRESHOLD brightness {operation} 4": kept}


def test_thresholds_hold_whatever_else_is_wanted(dataset):
    strategies = [
        scb.Diversity(), scb.Weights("brightness"), scb.Threshold("brightness", "SMALLER", 24),
        scb.Threshold(scb.Predictions("boxes", "CATEGORY_COUNT"), "BIGGER", 1), scb.Threshold("number", "BIGGER", 8),
    ]  # fmt: skip
    numbers = numbers_of(scb.select(dataset, n_samples=4, strategies=strategies))
    assert all(8 < number < 24 and number % 4 > 1 for number in numbers)


def test_a_distribution_like_the_input_takes_each_class_by_its_share(dataset):
    strategies = [scb.Balance("weather", distribution="INPUT")]
    numbers = numbers_of(scb.select(dataset, n_samples=16, strategies=strategies))
    assert Counter(WEATHER[n % 8] for n in numbers) == {"sunny": 10, "rain": 4, "fog": 2}


def test_truth_values_and_whole_numbers_are_categories(dataset):
    numbers = numbers_of(scb.select(dataset, n_samples=10, strategies=[scb.Balance("is_night", {True: 0.8})]))
    assert Counter(n % 4 == 0 for n in numbers) == {True: 8, False: 2}
    numbers = numbers_of(scb.select(dataset, n_samples=2, strategies=[scb.Balance("number", {7: 0.5, "9": 0.5})]))
    assert sorted(numbers) == [7, 9]


def test_a_class_that_no_sample_has_stays_in_the_target_and_is_reported(dataset):
    batch = scb.select(dataset, n_samples=8, strategies=[scb.Balance("weather", {"snow": 0.5, "fog": 0.5})])
    assert Counter(WEATHER[n % 8] for n in numbers_of(batch))["fog"] == 6  # all there are
    assert batch.report["classes_without_candidates"] == {"BALANCE weather": ["snow"]}


@pytest.mark.parametrize(("task", "share"), [("boxes", 0.5), ("several", 0.5)])
def test_what_is_in_lists_of_labels_is_balanced_by_what_each_holds(dataset, task, share):
    source = scb.Predictions(task, "CLASS_DISTRIBUTION")
    numbers = numbers_of(scb.select(dataset, n_samples=6, strategies=[scb.Balance(source, {"bike": 1.0})]))
    assert all(n % 3 == 2 for n in numbers)


def test_probabilities_count_and_not_the_label_alone(database):
    made = sc.Dataset("sure")
    made.default_classes = CLASSES
    for chance in (0.4, 0.9, 0.5):
        rest = (1 - chance) / 2
        made.add_sample(
            sc.Sample(
                filepath=f"/{chance}.png", guess=sc.Classification(label="car", logits=np.log([chance, rest, rest]))
            )
        )
    batch = scb.select(made, n_samples=1, strategies=[scb.Balance(scb.Predictions("guess", "CLASS_DISTRIBUTION"),
                                                                  {"car": 1.0})])  # fmt: skip
    assert batch.view().values("filepath") == ["/0.9.png"]


def test_the_sum_of_weights_can_end_a_selection_or_be_kept_in_a_range(dataset):
    batch = scb.select(dataset, n_samples=9, strategies=[scb.Weights("number", max_sum=100)])
    assert numbers_of(batch) == [47, 46, 45]
    ranged = scb.select(dataset, n_samples=4, strategies=[scb.Weights("number", target_range=(0, 60))])
    assert len(ranged) == 4
    assert sum(numbers_of(ranged)) <= 60


def test_a_negative_strength_asks_for_the_contrary(dataset):
    assert sorted(numbers_of(scb.select(dataset, n_samples=3, strategies=[scb.Weights("number", strength=-1)]))) == [
        0,
        1,
        2,
    ]
    near = scb.select(dataset, n_samples=5, strategies=[scb.Diversity(strength=-1)])
    assert max(gaps(numbers_of(near))) >= 40


def test_a_minimum_distance_leaves_out_what_is_nearer_to_a_pick(dataset):
    apart = 2 * np.sin(np.pi * 4 / COUNT) - 1e-6
    batch = scb.select(dataset, n_samples=COUNT, strategies=[scb.Diversity(minimum_distance=apart)])
    assert min(gaps(numbers_of(batch))) >= 4
    assert len(batch) < COUNT
    assert "minimum distance" in batch.report["note"]


def test_the_gap_in_time_holds_within_each_group_alone(dataset):
    strategies = [scb.TimeGap("taken", 120, group="video")]
    numbers = numbers_of(scb.select(dataset, n_samples=COUNT, strategies=strategies))
    assert len(numbers) == 24
    for video in range(6):
        assert min(np.diff(sorted(n for n in numbers if n % 6 == video))) >= 12


def test_a_sample_without_a_group_is_a_group_of_its_own(dataset):
    dataset.limit(5).set_values("video", [None] * 5)
    numbers = numbers_of(scb.select(dataset, n_samples=COUNT, strategies=[scb.GroupCap("video", 1)]))
    assert {0, 1, 2, 3, 4} < set(numbers)
    assert len(numbers) == 5 + 6


def test_random_numbers_depend_on_the_seed_alone(dataset):
    def picked(samples, **options):
        return numbers_of(scb.select(samples, n_samples=8, **options))

    own = picked(dataset, strategies=[scb.Random(3)], seed=1)
    assert picked(dataset.shuffle(seed=5), strategies=[scb.Random(3)], seed=2) == own
    assert picked(dataset, strategies=[scb.Random()], seed=3) == own
    assert picked(dataset, strategies=[scb.Random()], seed=4) != own
    assert picked(dataset.limit(40), strategies=[scb.Random(3)])[:3] == [n for n in own if n < 40][:3]


def test_weights_can_say_what_wants_to_be_covered(dataset):
    dataset.set_values("wish", [1.0 if 10 <= n <= 14 else 0.0 for n in dataset.values("number")])
    (number,) = numbers_of(scb.select(dataset, n_samples=1, strategies=[scb.Coverage(weights="wish")]))
    assert number == 12
