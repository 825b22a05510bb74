"""Tags of samples: added, removed, counted and matched in bulk; of a view only on its own samples."""

import pytest

import saccade as sc
from saccade.dataset import journal
from saccade.dataset.errors import SchemaError

F = sc.F


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n, tags=["old"] if n < 2 else []) for n in range(5))
    return dataset


def test_all_samples_are_tagged_once(filled):
    filled.tag_samples("new")
    filled.tag_samples("new")
    assert filled.values("tags") == [["old", "new"], ["old", "new"], ["new"], ["new"], ["new"]]


def test_several_tags_are_added_at_once(filled):
    filled.tag_samples(["a", "b", "a"])
    assert filled.count_sample_tags() == {"old": 2, "a": 5, "b": 5}
    assert filled.last().tags == ["a", "b"]


def test_a_view_tags_its_own_samples(filled):
    filled.match(F("n") > 2).tag_samples("high")
    assert filled.match_tags("high").values("n") == [3, 4]
    filled.limit(1).tag_samples("first")
    assert filled.match_tags("first").values("n") == [0]


def test_tags_are_removed_where_they_are(filled):
    filled.untag_samples("old")
    assert filled.values("tags") == [[]] * 5
    filled.untag_samples(["old", "never"])
    filled.tag_samples(["a", "b", "c"])
    filled.limit(2).untag_samples(["a", "c"])
    assert filled.values("tags") == [["b"], ["b"], ["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"]]


def test_tags_are_counted(filled):
    assert filled.count_sample_tags() == {"old": 2}
    assert filled.match(F("n") > 3).count_sample_tags() == {}
    filled.limit(3).tag_samples("new")
    assert filled.count_sample_tags() == {"old": 2, "new": 3}
    assert filled.distinct("tags") == ["new", "old"]


def test_samples_are_matched_by_tags(filled):
    filled.limit(1).tag_samples("new")
    assert filled.match_tags("old").values("n") == [0, 1]
    assert filled.match_tags(["old", "new"], all=True).values("n") == [0]
    assert filled.match_tags("old", bool=False).values("n") == [2, 3, 4]


def test_the_view_through_a_tag_that_is_removed_becomes_empty(filled):
    view = filled.match_tags("old")
    assert len(view) == 2
    view.untag_samples("old")
    assert len(view) == 0


@pytest.mark.parametrize("tags", ["", [""], [5], [None], ["a", ""], 5, None])
def test_what_is_no_tag_is_refused(filled, tags):
    for change in (filled.tag_samples, filled.untag_samples):
        with pytest.raises(SchemaError, match="Tags are text that is not empty"):
            change(tags)
    assert filled.count_sample_tags() == {"old": 2}


def test_no_tags_and_no_samples_are_nothing(filled):
    filled.tag_samples([])
    filled.match(F("n") > 100).tag_samples("x")
    assert filled.count_sample_tags() == {"old": 2}


def test_a_tag_is_any_text(filled):
    for tag in ("two words", "größe", "a.b", "$x", "0"):
        filled.tag_samples(tag)
        assert len(filled.match_tags(tag)) == 5
        filled.untag_samples(tag)
    assert filled.count_sample_tags() == {"old": 2}


def test_a_sample_in_hand_keeps_the_tags_that_were_added_meanwhile(filled):
    sample = filled.first()
    _ = sample.tags
    filled.tag_samples("new")
    sample.tags.append("mine")
    sample.save()
    assert filled.first().tags == ["old", "new", "mine"]


def test_tagging_that_fails_leaves_the_tags_as_they_were(filled):
    before = filled.values("tags")

    def fail():
        with journal.action(filled._id, "tag_samples", ["tags"]) as action:
            action.tag(filled.values("id"), "new")
            action.untag(filled.values("id"), "old")
            assert filled.count_sample_tags() == {"new": 5}
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert filled.values("tags") == before
