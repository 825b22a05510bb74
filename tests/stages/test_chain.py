"""concat, and what is known about stages one after another."""

import pytest

from saccade.dataset import schema
from saccade.dataset.errors import FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import (
    Concat,
    ExcludeFields,
    FilterLabels,
    GroupBy,
    Limit,
    MapLabels,
    Match,
    Mongo,
    SelectFields,
    SetField,
    Skip,
    SortBy,
    Stage,
    chain,
)
from saccade.dataset.types import OWN_SAMPLES
from tests.stages.conftest import FIELDS

SORTED = {"$sort": {"_id": 1}}


def test_the_other_samples_follow(kept):
    assert kept(Match(F("n") > 1), Concat([Match(F("n") < 0)])) == [2, 3]
    assert kept(SortBy("n", reverse=True), Limit(2), Concat([SortBy("s"), Limit(2)])) == [2, 0, 1, 5]
    assert kept(Limit(1), Concat([])) == [0, 0, 1, 2, 3, 4, 5]
    assert kept(Concat([Match(F("n") > 100)])) == [0, 1, 2, 3, 4, 5]


def test_a_sample_in_both_comes_twice(kept):
    assert kept(Limit(3), Concat([Skip(2), Limit(2)])) == [0, 1, 2, 2, 3]


def test_later_stages_work_on_all(kept):
    two = (Limit(2), Concat([Skip(4)]))
    assert kept(*two) == [0, 1, 4, 5]
    assert kept(*two, Match(F("s") == "a")) == [1, 5]
    assert kept(*two, Skip(1), Limit(2)) == [1, 4]
    assert kept(*two, SortBy("filepath", reverse=True)) == [5, 4, 1, 0]
    assert kept(*two, GroupBy("s", sort_expr=F().length(), reverse=True)) == [1, 5, 0, 4]
    assert kept(*two, Concat([Limit(1)])) == [0, 1, 4, 5, 0]
    assert kept(*two, Concat([Limit(1), Concat([Limit(1)])])) == [0, 1, 4, 5, 0, 0]


def test_each_part_shows_its_samples_in_its_way(run):
    documents = run(
        Limit(1), FilterLabels("found", F("label") == "dog"), Concat([Limit(1), MapLabels("found", {"cat": "lion"})])
    )
    assert [[box["label"] for box in document["found"]["detections"]] for document in documents] == [
        ["dog"],
        ["lion", "dog"],
    ]


def test_a_field_that_one_part_hides_is_hidden(run):
    stages = SelectFields(["n", "s"]), Concat([ExcludeFields("s")])
    assert list(chain.schema_after(stages, FIELDS)) == ["id", "filepath", "tags", "metadata", "n"]
    assert list(chain.schema_after([Concat([ExcludeFields("s")])], FIELDS)) == [name for name in FIELDS if name != "s"]
    with pytest.raises(FieldNotFoundError, match="no field 's'"):
        run(*stages, Match(F("s") == "a"))
    assert len(run(*stages, Match(F("n") > 1))) == 2


def test_a_field_of_different_kinds_in_the_parts_is_of_unknown_kind(kept):
    other = Concat([SetField("n", F("d.x")), SetField("truth.label", F("$d.x"))])
    after = chain.schema_after([other], FIELDS)
    assert after["n"] == after.resolve("truth.label").field == schema.Field()
    assert after.resolve("truth.confidence").field == schema.FloatField()
    assert kept(other, Match(F("n") + 1 == 3)) == [3]
    extra = chain.schema_after([Concat([SetField("truth.mood", "good")])], FIELDS)
    assert extra == FIELDS


def test_the_other_view_begins_with_the_dataset(kept):
    assert kept(ExcludeFields("n"), Concat([Match(F("n") > 1)])) == [0, 1, 2, 3, 4, 5, 2]
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        chain.validate(Concat([Match(F("nope") > 1)]), [], FIELDS)


def test_the_collection_is_named_by_the_store_alone():
    (step,) = Concat([Limit(3)]).to_mongo(FIELDS)
    assert step == {"$unionWith": {"coll": OWN_SAMPLES, "pipeline": [SORTED, {"$limit": 3}]}}
    assert Stage.from_dict(Concat([Limit(3)]).to_dict()) == Concat([Limit(3)])


def test_only_stages_can_be_concatenated():
    for wrong in (None, "view", Limit(3), [3], iter([Limit(3)])):
        with pytest.raises(ViewError, match=r"Use view.concat\(other\)"):
            Concat(wrong)


# --- chains ---------------------------------------------------------------------------------------------------------


def test_samples_are_sorted_only_where_the_order_matters():
    def is_sorted(*stages, ordered):
        return SORTED in chain.pipeline(stages, FIELDS, ordered=ordered)

    assert is_sorted(ordered=True)
    assert not is_sorted(Match(F("n") > 1), ordered=False)
    assert is_sorted(Limit(3), ordered=False)
    assert not is_sorted(SortBy("n"), Limit(3), ordered=True)
    assert is_sorted(Limit(3), SortBy("n"), ordered=False)
    assert is_sorted(Mongo([]), ordered=False)
    assert not is_sorted(GroupBy("s"), ordered=True)


def test_what_follows_in_a_concat_is_sorted_as_well_where_the_order_matters():
    other = Concat([Match(F("n") > 1)])
    for ordered in (True, False):
        (*first, union) = chain.pipeline([other], FIELDS, ordered=ordered)
        assert first == union["$unionWith"]["pipeline"][:-1] == ([SORTED] if ordered else [])
    first, union, _ = chain.pipeline([other, Limit(3)], FIELDS, ordered=False)
    assert first == union["$unionWith"]["pipeline"][0] == SORTED


def test_chosen_samples_are_shaped_by_the_steps_that_change_them():
    hide, rename = ExcludeFields("n"), MapLabels("truth", {"cat": "lion"})
    assert chain.shaping([Limit(3), Match(F("n") > 1), SortBy("n"), GroupBy("s")], FIELDS) == []
    shaped = [*hide.to_mongo(FIELDS), *rename.to_mongo(FIELDS)]
    assert chain.shaping([hide, Limit(3), rename], FIELDS) == shaped
    assert chain.shaping([Limit(1), Concat([Skip(3)]), hide, rename], FIELDS) == shaped
    assert chain.shaping([hide, rename, Concat([Limit(3), hide, rename])], FIELDS) == shaped
    assert chain.shaping([hide, Concat([])], FIELDS) is None
    assert chain.shaping([Concat([rename])], FIELDS) is None


def test_what_samples_show_in_part_is_collected_from_all_parts():
    stages = [FilterLabels("found", F("label") == "cat"), Concat([FilterLabels("truth", F("label") == "cat")])]
    assert chain.filtered_lists(stages, FIELDS) == {"found.detections", "truth"}
    assert chain.shapes_documents(stages)
    assert chain.shapes_documents([Concat([SetField("n", 1)])])
    assert not chain.shapes_documents([Limit(3), Concat([SortBy("n")])])
