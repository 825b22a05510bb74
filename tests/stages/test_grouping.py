"""group_by."""

import pytest

from saccade.dataset.errors import ExpressionError, FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import Concat, GroupBy, Limit, Match, SetField, Shuffle, SortBy
from saccade.dataset.store.codec import to_bson_query
from tests.stages.conftest import FIELDS, sample_id, truth


def test_samples_with_the_same_value_follow_one_another(kept):
    assert kept(GroupBy("s")) == [1, 5, 0, 3, 2, 4]
    assert kept(GroupBy("truth.label")) == [0, 4, 1, 2, 3, 5]
    assert kept(GroupBy(F("tags").length())) == [2, 0, 4, 1, 3, 5]
    assert kept(Shuffle(51), GroupBy("s")) == [1, 5, 0, 3, 2, 4]


def test_missing_none_and_nan_are_one_group_at_the_end(kept):
    assert kept(GroupBy("n")) == [3, 0, 5, 2, 1, 4]
    assert kept(GroupBy("n", sort_expr=F().length(), reverse=True)) == [0, 5, 1, 4, 3, 2]


def test_several_values_make_one_group(kept):
    assert kept(GroupBy(["n", "s"])) == [3, 5, 0, 2, 1, 4]
    assert kept(GroupBy([F("tags").contains("a"), "s"])) == [3, 2, 4, 1, 5, 0]


def test_samples_inside_a_group_are_ordered(kept):
    assert kept(GroupBy("s", order_by="n")) == [5, 1, 0, 3, 2, 4]
    assert kept(GroupBy("s", order_by="n", reverse=True)) == [5, 1, 0, 3, 2, 4]
    assert kept(GroupBy("truth.label", order_by=F("tags").length(), reverse=True)) == [0, 4, 1, 5, 3, 2]
    assert kept(GroupBy("n", order_by="filepath", reverse=True)) == [3, 5, 0, 2, 4, 1]


def test_groups_are_sorted_by_an_expression_of_their_samples(kept):
    assert kept(GroupBy("s", sort_expr=F().length())) == [0, 3, 1, 5, 2, 4]
    assert kept(GroupBy("s", sort_expr=F().length(), reverse=True)) == [1, 5, 2, 4, 0, 3]
    assert kept(GroupBy("truth.label", sort_expr=F("n").max(), reverse=True)) == [2, 3, 5, 0, 4, 1]
    assert kept(GroupBy("truth.label", sort_expr=F().map(F("tags").length()).sum())) == [0, 4, 1, 2, 3, 5]


def test_groups_without_a_value_to_sort_by_come_last_in_both_directions(kept):
    by = F("n").filter(F() > 0).max()
    assert kept(GroupBy("s", sort_expr=by)) == [1, 5, 0, 2, 4, 3]
    assert kept(GroupBy("s", sort_expr=by, reverse=True)) == [2, 4, 1, 5, 0, 3]


def test_groups_that_do_not_meet_a_condition_are_left_out(kept):
    assert kept(GroupBy("s", match_expr=F().length() > 1)) == [1, 5, 2, 4]
    assert kept(GroupBy("s", match_expr=F().length() > 1, sort_expr=F("n").max(), reverse=True)) == [2, 4, 1, 5]
    assert kept(GroupBy("s", match_expr=F("tags").filter(F().contains("c")).length() == 1)) == [1, 5, 3, 2, 4]
    assert kept(GroupBy("s", match_expr=F().length() > 5)) == []


def test_the_samples_of_a_group_are_seen_in_their_order(kept):
    first = F("n")[0]
    assert kept(GroupBy("truth.label", order_by="n", reverse=True, match_expr=first == 1.5)) == [2, 5, 3]
    assert kept(GroupBy("truth.label", order_by="n", match_expr=first == -1.0)) == [3, 5, 2]
    last = F("filepath")[-1]
    assert kept(GroupBy("truth.label", order_by="n", match_expr=last == "/2.png")) == [3, 5, 2]
    assert kept(GroupBy("truth.label", order_by=F("n") * -1, match_expr=last == "/3.png")) == [2, 5, 3]


def test_grouped_documents_are_as_stored(run):
    stages = GroupBy("s"), GroupBy("s", match_expr=F().length() > 0, sort_expr=F("n").max())
    for document in run(*stages):
        assert "_sort" not in document
    assert repr(sorted(run(stages[0]), key=lambda d: d["_id"])) == repr(run())
    assert repr(sorted(run(stages[1]), key=lambda d: d["_id"])) == repr(run())


def test_other_stages_see_the_groups(kept):
    assert kept(GroupBy("s", sort_expr=F().length(), reverse=True), Limit(2)) == [1, 5]
    assert kept(SetField("s", "same"), GroupBy("s", order_by="n", reverse=True), Match(F("n") > 0)) == [2, 0, 5]
    assert kept(GroupBy("s"), SortBy("id")) == [0, 1, 2, 3, 4, 5]
    assert GroupBy("s").sets_order


def test_a_group_may_be_larger_than_a_document(run, database):
    database.samples.delete_many({})
    text = "x" * 500_000
    labels = ["small", *["large"] * 40]
    database.samples.insert_many(
        to_bson_query([{"_id": sample_id(n), "s": text, "truth": truth(label)} for n, label in enumerate(labels)])
    )
    stage = GroupBy("truth.label", sort_expr=F().length(), match_expr=F("truth.label")[0].exists(), reverse=True)
    found = [document["truth"]["label"] for document in run(stage)]
    assert found == ["large"] * 40 + ["small"]


def test_groups_are_judged_by_the_samples_that_arrive(kept):
    by_size = GroupBy("s", sort_expr=F().length(), reverse=True)
    assert kept(Limit(4), by_size) == [1, 0, 3, 2]
    assert kept(Match(F("tags").contains(["b", "c"])), GroupBy("s", match_expr=F().length() > 1)) == [1, 5]
    assert kept(SetField("s", F("truth.label")), by_size) == [2, 3, 5, 0, 4, 1]
    assert kept(Limit(1), Concat([Limit(2)]), GroupBy("s", match_expr=F().length() > 1)) == [0, 0]
    assert kept(by_size, GroupBy("truth.label", sort_expr=F().length())) == [1, 0, 4, 2, 3, 5]
    assert kept(Limit(1), Concat([by_size, Limit(2)])) == [0, 1, 5]


def test_what_cannot_be_grouped_is_refused():
    with pytest.raises(ViewError, match=r"flat=False.* not supported"):
        GroupBy("s", flat=False)
    for wrong in (3, None, [], ["s", 3], {"s": 1}):
        with pytest.raises(ViewError, match="group_by\\(\\) was given"):
            GroupBy(wrong)
    with pytest.raises(ViewError, match="group_by\\(\\) was given 3"):
        GroupBy("s", order_by=3)
    for field, word in (("tags", "is a list"), ("truth", "Classification"), ("v", "VectorField")):
        with pytest.raises(ExpressionError, match=word):
            GroupBy(field).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        GroupBy("nope").validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        GroupBy("s", sort_expr=F("nope").max()).validate(FIELDS)
    with pytest.raises(ExpressionError, match=r"sort_expr=.*Groups are sorted by one value each"):
        GroupBy("s", sort_expr=F("n")).validate(FIELDS)
    with pytest.raises(ViewError, match='"\\$" stands for one sample'):
        GroupBy("s", match_expr=F("$n") > 1)
    with pytest.raises(ViewError, match="sort_expr='n', which is no expression"):
        GroupBy("s", sort_expr="n")
