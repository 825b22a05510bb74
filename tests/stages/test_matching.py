"""match, match_tags and exists."""

import pytest

from saccade.dataset.errors import ExpressionError, FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import Exists, Match, MatchTags
from tests.stages.conftest import FIELDS


def test_match_keeps_the_samples_for_which_the_condition_holds(kept):
    assert kept(Match(F("n") > 0)) == [0, 2, 5]
    assert kept(Match((F("n") > 0) & F("tags").contains("a"))) == [0, 5]
    assert kept(Match(F("n") >= F("found.detections").length())) == [2]
    assert kept(Match(F("id") == f"{3:024x}")) == [3]


def test_samples_without_a_value_meet_no_comparison_but_its_negation(kept):
    assert kept(Match(F("n") < 99)) == [0, 2, 3, 5]
    assert kept(Match(F("n") != 0.5)) == [2, 3]
    assert kept(Match(~(F("n") < 99))) == [1, 4]


def test_match_fails_at_once_on_what_cannot_work():
    with pytest.raises(FieldNotFoundError, match="Did you mean 'found'"):
        Match(F("fuond") > 1).validate(FIELDS)
    with pytest.raises(ExpressionError, match="read_vectors"):
        Match(F("v") > 1).validate(FIELDS)
    for condition in ({"n": 1}, "n > 1", True, None):
        with pytest.raises(ViewError, match="Write the condition with F"):
            Match(condition)


def test_match_tags_keeps_samples_with_any_of_the_tags(kept):
    assert kept(MatchTags("a")) == [0, 1, 5]
    assert kept(MatchTags(["a", "c"])) == [0, 1, 3, 4, 5]
    assert kept(MatchTags([])) == []


def test_match_tags_keeps_samples_with_all_of_the_tags(kept):
    assert kept(MatchTags(["a", "b"], all=True)) == [1, 5]
    assert kept(MatchTags([], all=True)) == [0, 1, 2, 3, 4, 5]


def test_match_tags_keeps_samples_without_the_tags(kept):
    assert kept(MatchTags(["a", "c"], bool=False)) == [2]
    assert kept(MatchTags(["a", "b"], bool=False, all=True)) == [0, 2, 3, 4]
    assert kept(MatchTags([], bool=False)) == [0, 1, 2, 3, 4, 5]


def test_match_tags_takes_text_only():
    for wrong in (3, ["a", 3]):
        with pytest.raises(ViewError, match="3 is not a tag"):
            MatchTags(wrong)


def test_exists_asks_for_a_value_that_is_neither_missing_nor_none(kept):
    assert kept(Exists("s")) == [0, 1, 3, 5]
    assert kept(Exists("s", False)) == [2, 4]
    assert kept(Exists("n")) == [0, 2, 3, 4, 5]
    assert kept(Exists("truth.label")) == [0, 1, 4]
    assert kept(Exists("d.x")) == [3, 4]
    assert kept(Exists("metadata")) == []


def test_exists_works_on_vectors(kept):
    assert kept(Exists("v")) == [0, 5]
    assert kept(Exists("v", bool=False)) == [1, 2, 3, 4]


def test_one_label_with_a_value_suffices(kept):
    assert kept(Exists("found.detections")) == [0, 1, 3, 5]
    assert kept(Exists("found.detections.confidence")) == [0, 5]
    assert kept(Exists("found.detections.confidence", False)) == [1, 2, 3, 4]


def test_exists_names_the_known_fields():
    with pytest.raises(FieldNotFoundError, match="no field 'x'"):
        Exists("x").validate(FIELDS)
    with pytest.raises(ViewError, match="the name of a field"):
        Exists(3)
