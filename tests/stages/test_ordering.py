"""sort_by, shuffle and take."""

import random

import pytest

from saccade.dataset.errors import ExpressionError, FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import Limit, Match, Shuffle, Skip, SortBy, Stage, Take
from tests.stages.conftest import FIELDS


def test_samples_without_a_value_come_last_in_both_directions(kept):
    assert kept(SortBy("n")) == [3, 0, 5, 2, 1, 4]
    assert kept(SortBy("n", reverse=True))[:4] == [2, 0, 5, 3]
    assert kept(SortBy("s")) == [1, 5, 0, 3, 2, 4]
    assert kept(SortBy("s", reverse=True)) == [3, 0, 1, 5, 2, 4]


def test_samples_are_sorted_by_expressions(kept):
    assert kept(SortBy(F("found.detections").length(), reverse=True)) == [0, 3, 5, 1, 2, 4]
    assert kept(SortBy(abs(F("n") - 0.4))) == [0, 5, 2, 3, 1, 4]
    assert kept(SortBy(F("truth.label"))) == [0, 4, 1, 2, 3, 5]


def test_samples_are_sorted_by_several_keys(kept):
    assert kept(SortBy([("s", 1), ("n", -1)])) == [5, 1, 0, 3, 2, 4]
    assert kept(SortBy([(F("tags").length(), -1), ("n", 1)])) == [5, 3, 1, 0, 4, 2]
    assert kept(SortBy([("s", 1), ("n", -1)], reverse=True)) == [3, 0, 5, 1, 2, 4]


def test_equal_samples_stay_in_id_order(kept):
    assert kept(SortBy("filepath")) == [0, 1, 2, 3, 4, 5]
    assert kept(SortBy("id", reverse=True)) == [5, 4, 3, 2, 1, 0]
    assert kept(SortBy([("n", -1), ("id", -1)]))[1:3] == [5, 0]


def test_sorted_documents_are_as_stored(run):
    assert all("_sort" not in document for document in run(SortBy("n"), Shuffle(1), Take(3, 1)))


def test_a_later_stage_sees_the_order(kept):
    assert kept(SortBy("n", reverse=True), Skip(1), Limit(2)) == [0, 5]
    assert kept(SortBy("n", reverse=True), Match(F("n") < 1.5)) == [0, 5, 3]


def test_sorting_by_many_values_at_once_is_an_error_with_a_remedy():
    for field, word in (
        ("tags", "length"),
        ("found.detections.confidence", "max"),
        ("truth", "Classification"),
        ("v", "VectorField"),
    ):
        with pytest.raises(ExpressionError, match=word):
            SortBy(field).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        SortBy("nope").validate(FIELDS)
    for wrong in ([], 3, [("n", 2)], ["n", "s"], [(3, 1)]):
        with pytest.raises(ViewError, match="sort_by"):
            SortBy(wrong)


def test_a_shuffle_depends_on_seed_and_ids_alone(kept, database):
    first = kept(Shuffle(seed=51))
    assert sorted(first) == [0, 1, 2, 3, 4, 5]
    assert kept(SortBy("n"), Shuffle(seed=51)) == first
    database.samples.update_many({}, {"$set": {"n": 3.0}})
    assert kept(Shuffle(seed=51)) == first
    assert len({tuple(kept(Shuffle(seed=seed))) for seed in range(20)}) > 10


def test_a_shuffle_without_seed_keeps_its_order_and_differs_from_others(kept):
    shuffle = Shuffle()
    assert kept(shuffle) == kept(shuffle) == kept(Stage.from_dict(shuffle.to_dict()))
    assert len({Shuffle().seed for _ in range(5)}) > 1


def test_take_draws_without_preference(database):
    rng = random.Random(51)
    database.samples.insert_many([{"number": number} for number in range(200)])
    counts = [0] * 200
    for _ in range(100):
        for document in database.samples.aggregate(Take(20, rng.randrange(2**31)).to_mongo(FIELDS)):
            counts[document["number"]] += 1
    assert sum(counts) == 2000
    assert min(counts) > 0
    assert max(counts) < 25


def test_take_stops_at_what_there_is(kept):
    assert len(kept(Take(3, 51))) == 3
    assert sorted(kept(Take(99))) == [0, 1, 2, 3, 4, 5]
    assert kept(Take(0)) == kept(Take(-1)) == []
    assert kept(Take(3, 51)) == kept(Shuffle(51), Limit(3))
    with pytest.raises(ViewError, match="size is '3'"):
        Take("3")


def test_stages_say_whether_they_need_or_set_an_order():
    assert [stage.name for stage in (Limit(1), Skip(1), SortBy("n"), Take(1)) if stage.needs_order] == ["limit", "skip"]
    assert [stage.name for stage in (Limit(1), SortBy("n"), Shuffle(), Take(1)) if stage.sets_order] == [
        "sort_by",
        "shuffle",
        "take",
    ]
