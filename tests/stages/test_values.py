"""select_by and exclude_by."""

from datetime import UTC, datetime

import numpy as np
import pytest

from saccade.dataset.errors import ExpressionError, FieldNotFoundError, ViewError
from saccade.dataset.stages import ExcludeBy, Limit, SelectBy, Stage
from saccade.dataset.stages.values import MOST_BYTES
from tests.stages.conftest import FIELDS, NAN, sample_id

ALL = [0, 1, 2, 3, 4, 5]


def test_samples_are_selected_by_the_value_of_a_field(kept):
    assert kept(SelectBy("s", ["a", "c"])) == [1, 3, 5]
    assert kept(SelectBy("s", "b")) == [0]
    assert kept(SelectBy("n", [0.5, 1.5, 9])) == [0, 2, 5]
    assert kept(SelectBy("truth.label", {"cat"})) == [0, 4]
    assert kept(SelectBy("id", [str(sample_id(4)), sample_id(2)])) == [2, 4]
    assert kept(SelectBy("d.x", [2, "text"])) == [3, 4]
    assert kept(SelectBy("s", [])) == []


def test_samples_are_excluded_by_the_value_of_a_field(kept):
    assert kept(ExcludeBy("s", ["a", "c"])) == [0, 2, 4]
    assert kept(ExcludeBy("n", np.array([0.5]))) == [1, 2, 3, 4]
    assert kept(ExcludeBy("id", sample_id(4))) == [0, 1, 2, 3, 5]
    assert kept(ExcludeBy("s", [])) == ALL


def test_none_stands_for_missing_or_none_and_nan_for_nothing(kept):
    assert kept(SelectBy("s", None)) == [2, 4]
    assert kept(SelectBy("s", ["a", None])) == [1, 2, 4, 5]
    assert kept(ExcludeBy("s", [None])) == [0, 1, 3, 5]
    assert kept(SelectBy("n", [NAN])) == []
    assert kept(ExcludeBy("n", [NAN, 0.5])) == [1, 2, 3, 4]


def test_of_a_list_one_element_suffices(kept):
    assert kept(SelectBy("tags", ["a", "x"])) == [0, 1, 5]
    assert kept(ExcludeBy("tags", "a")) == [2, 3, 4]
    assert kept(SelectBy("found.detections.label", "dog")) == [0, 3]
    assert kept(ExcludeBy("found.detections.label", ["dog"])) == [1, 2, 4, 5]
    assert kept(SelectBy("found.detections.id", sample_id(900))) == [0, 3, 5]


def test_tags_inside_lists_of_labels_are_found(kept, database):
    database.samples.update_one({"filepath": "/3.png"}, {"$set": {"found.detections.0.tags": ["odd", "small"]}})
    assert kept(SelectBy("found.detections.tags", ["small"])) == [3]


def test_samples_come_in_the_order_of_the_values_when_asked(kept):
    assert kept(SelectBy("s", ["c", "a", "c", "b"], ordered=True)) == [3, 1, 5, 0]
    assert kept(SelectBy("n", [1.5, None, 0.5], ordered=True)) == [2, 1, 0, 5]
    assert kept(SelectBy("id", [sample_id(5), sample_id(0)], ordered=True)) == [5, 0]
    assert kept(SelectBy("s", ["c", "a"], ordered=True), Limit(2)) == [3, 1]
    assert SelectBy("s", "a", ordered=True).sets_order
    assert not SelectBy("s", "a").sets_order


def test_an_order_by_a_list_is_refused():
    with pytest.raises(ViewError, match="'tags', which is a list"):
        SelectBy("tags", ["a"], ordered=True).validate(FIELDS)
    with pytest.raises(ViewError, match="is a list"):
        SelectBy("found.detections.label", ["a"], ordered=True).validate(FIELDS)


@pytest.mark.parametrize("stage", [SelectBy, ExcludeBy])
def test_what_has_no_values_to_compare_is_refused(stage):
    for field, word in (("truth", "Classification"), ("v", "VectorField"), ("found.detections", "Detection")):
        with pytest.raises(ExpressionError, match=f"{field!r} holds values of the kind .*{word}"):
            stage(field, ["x"]).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        stage("nope", 1).validate(FIELDS)
    with pytest.raises(ExpressionError, match="cannot be one"):
        stage("id", "photo.png").validate(FIELDS)
    with pytest.raises(ViewError, match="the name of a field"):
        stage(3, 1)
    with pytest.raises(ExpressionError, match="cannot be part of an expression"):
        stage("s", [object()])


def test_values_of_every_kind_are_kept_when_stored():
    stage = SelectBy("d.x", [1, 1.0, True, "1", None, datetime(2024, 2, 29, tzinfo=UTC), NAN, 1])
    assert Stage.from_dict(stage.to_dict()) == stage
    assert len(stage.values.value) == 7


def test_more_values_than_a_command_holds_are_refused():
    values = [f"{number:0100d}" for number in range(MOST_BYTES // 120)]
    SelectBy("s", values)
    with pytest.raises(ViewError, match=r"values of about \d+ MB.*match_tags"):
        SelectBy("s", values, ordered=True)


def test_as_many_values_as_are_allowed_fit_into_a_command(kept):
    values = ["a", *(f"{number:0100d}" for number in range(MOST_BYTES // 240))]
    assert kept(SelectBy("s", values, ordered=True)) == [1, 5]
