"""The stage that makes patches of samples: its rows, its fields, and what can follow it."""

import pytest

from saccade.dataset import schema
from saccade.dataset.errors import FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import (
    Concat,
    ExcludeFields,
    FilterLabels,
    Limit,
    Match,
    SelectFields,
    Shuffle,
    SortBy,
    Take,
    ToPatches,
    chain,
    is_of_patches,
)
from tests.stages.conftest import FIELDS, sample_id

PATCHES = ToPatches("found")


def shown(rows):
    return [(int(str(row["sample_id"]), 16), row["found"]["label"]) for row in rows]


def test_each_label_of_each_sample_becomes_a_row_in_order(run):
    assert shown(run(PATCHES)) == [(0, "cat"), (0, "dog"), (3, "dog"), (5, "cat")]


def test_only_labels_that_the_stages_before_leave_become_rows(run):
    assert shown(run(FilterLabels("found", F("label") == "dog"), PATCHES)) == [(0, "dog"), (3, "dog")]
    assert shown(run(SortBy("n", reverse=True), Limit(2), PATCHES)) == [(0, "cat"), (0, "dog")]


def test_a_row_has_the_id_of_the_label_and_of_the_sample_and_the_tags_of_the_label(run):
    row = run(Limit(1), PATCHES, Limit(1))[0]
    assert set(row) == {"_id", "sample_id", "filepath", "tags", "metadata", "found"}
    assert (str(row["_id"]), str(row["sample_id"])) == (sample_id(900), sample_id(0))
    assert row["tags"] == row["found"]["tags"] == []


def test_rows_have_no_other_fields_than_that_of_the_labels():
    after = PATCHES.schema_after(FIELDS)
    assert after.names() == ("id", "sample_id", "filepath", "tags", "metadata", "found")
    assert after["found"] == schema.EmbeddedDocumentField("Detection")
    assert is_of_patches(after)
    assert not is_of_patches(FIELDS)


def test_declared_attributes_of_the_labels_lie_below_the_field():
    fields = FIELDS.with_field("found.detections.mood", schema.IntField()).with_field("found.author", schema.IntField())
    after = PATCHES.schema_after(fields)
    assert after.resolve("found.mood").field == schema.IntField()
    with pytest.raises(FieldNotFoundError):
        after.resolve("found.author")


def test_a_sample_field_called_sample_id_makes_no_patches():
    assert not is_of_patches(FIELDS.with_field("sample_id", schema.ObjectIdField()))


def test_selected_fields_keep_the_sample_id_which_cannot_be_excluded(run):
    assert set(run(PATCHES, SelectFields())[0]) == {"_id", "sample_id", "filepath", "tags", "metadata"}
    with pytest.raises(ViewError, match="'sample_id', which every patch has"):
        run(PATCHES, ExcludeFields("sample_id"))


@pytest.mark.parametrize("stage", [SortBy("found.label"), Shuffle(seed=5), Take(4, seed=5)])
def test_rows_whose_labels_have_the_same_id_have_an_order_all_the_same(run, stage):
    once = shown(run(PATCHES, stage))
    assert sorted(once) == [(0, "cat"), (0, "dog"), (3, "dog"), (5, "cat")]
    if isinstance(stage, SortBy):
        assert once == [(0, "cat"), (5, "cat"), (0, "dog"), (3, "dog")]


def test_a_condition_sees_the_single_label(run):
    assert shown(run(PATCHES, Match(F("found.confidence") > 0.3))) == [(0, "cat"), (5, "cat")]
    with pytest.raises(FieldNotFoundError):
        run(PATCHES, Match(F("found.detections.confidence") > 0.3))


@pytest.mark.parametrize(
    ("field", "error", "message"),
    [
        ("n", ViewError, "'n' holds no labels"),
        ("truth", ViewError, "a Classification: it has no place in the image"),
        ("nope", FieldNotFoundError, "no field 'nope'"),
    ],
)
def test_a_field_without_such_labels_is_refused(field, error, message):
    with pytest.raises(error, match=message):
        chain.validate(ToPatches(field), (), FIELDS)


@pytest.mark.parametrize("field", [None, "", "found.detections", "sample_id", ["found"]])
def test_what_is_no_name_of_a_field_is_refused(field):
    with pytest.raises(ViewError, match="Give the name of a field of labels"):
        ToPatches(field)


def test_patches_of_patches_are_refused():
    with pytest.raises(ViewError, match="was called on patches"):
        chain.validate(PATCHES, (PATCHES,), FIELDS)


def test_patches_cannot_follow_samples():
    with pytest.raises(ViewError, match="Concatenate the views first"):
        Concat([PATCHES])
