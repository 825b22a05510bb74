"""From values to fields, and the algebra of merging."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saccade.dataset import labels
from saccade.dataset.errors import FieldKindError
from saccade.dataset.schema import (
    ArrayField,
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
    VectorField,
    infer,
    merge,
)
from saccade.dataset.types import Oid


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, None),
        (True, BooleanField()),
        (np.bool_(False), BooleanField()),
        (3, IntField()),
        (np.int16(3), IntField()),
        (3.0, FloatField()),
        (np.float16(3), FloatField()),
        (np.array(3.0), FloatField()),
        ("cat", StringField()),
        (np.str_("cat"), StringField()),
        (Path("cat.png"), StringField()),
        (date(2024, 1, 1), DateField()),
        (datetime(2024, 1, 1, tzinfo=UTC), DateTimeField()),
        (np.datetime64("2024-01-01"), DateField()),
        (np.datetime64("2024-01-01T00:00"), DateTimeField()),
        (Oid("64b7f0c2a1d3e4f5a6b7c8d9"), ObjectIdField()),
        ("64b7f0c2a1d3e4f5a6b7c8d9", StringField()),
        ([], ListField()),
        ([None], ListField()),
        ([1, 2], ListField(IntField())),
        ([1, None, 2.5], ListField(FloatField())),
        (("a", "b"), ListField(StringField())),
        ([1, "a"], ListField()),
        ([True, 1], ListField()),
        ([[1], [2.5], []], ListField(ListField(FloatField()))),
        ([np.float32(1), 2], ListField(FloatField())),
        (np.array(["a", "b"]), ListField(StringField())),
        ({"a": 1}, DictField()),
        (np.zeros(3), VectorField()),
        (np.zeros(3, np.float16), VectorField()),
        (np.zeros(3, int), ArrayField()),
        (np.zeros((2, 2)), ArrayField()),
        (np.zeros((2, 2), bool), ArrayField()),
        (labels.Detections(), EmbeddedDocumentField("Detections")),
        (labels.ImageMetadata(), EmbeddedDocumentField("ImageMetadata")),
        ([labels.Detection(), labels.Detection()], ListField(EmbeddedDocumentField("Detection"))),
    ],
)
def test_the_field_follows_from_the_value(value, field):
    assert infer(value) == field


@pytest.mark.parametrize("value", [b"abc", object(), {1, 2}.__iter__(), np.array(["a", None]), 1j, [b"x"]])
def test_a_value_that_no_field_holds_is_refused(value):
    with pytest.raises(FieldKindError, match="cannot be stored"):
        infer(value)


def test_a_tensor_is_refused_with_the_conversion_to_write():
    class Tensor:
        def __array__(self):
            raise AssertionError

    with pytest.raises(FieldKindError, match=r"numpy\.asarray"):
        infer(Tensor())


SIMPLE = [
    BooleanField(),
    IntField(),
    FloatField(),
    StringField(),
    DateField(),
    DateTimeField(),
    VectorField(),
    ArrayField(),
]
DOCUMENTS = [EmbeddedDocumentField(name) for name in ("Detection", "Metadata", "ImageMetadata", "VideoMetadata")]
FIELDS = st.recursive(
    st.sampled_from(SIMPLE + DOCUMENTS),
    lambda inner: st.builds(ListField, st.none() | inner) | st.builds(DictField, st.none() | inner),
    max_leaves=3,
)


def merged(a, b):
    """The merged field, or None where there is none."""
    try:
        return None if a is None or b is None else merge(a, b, "x")
    except FieldKindError:
        return None


@given(FIELDS)
def test_merging_a_field_with_itself_changes_nothing(field):
    assert merge(field, field, "x") is field


@given(FIELDS, FIELDS)
def test_merging_does_not_depend_on_the_order(a, b):
    assert merged(a, b) == merged(b, a)


@given(FIELDS, FIELDS, FIELDS)
def test_merging_does_not_depend_on_the_grouping_where_both_are_defined(a, b, c):
    left, right = merged(merged(a, b), c), merged(a, merged(b, c))
    assert left == right or left is None or right is None


@given(FIELDS, FIELDS)
def test_what_was_merged_absorbs_its_parts(a, b):
    whole = merged(a, b)
    assert whole is None or merge(whole, a, "x") == whole


@given(st.lists(st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=3) | st.booleans(), max_size=5))
def test_the_field_of_a_value_takes_the_value(value):
    assert infer(value).coerce(value) == value


def test_an_integer_field_becomes_a_float_field():
    assert merge(IntField(), FloatField(), "x") == FloatField()
    assert merge(ListField(IntField()), ListField(FloatField()), "x") == ListField(FloatField())


def test_an_empty_list_adopts_the_elements_of_the_next():
    assert merge(ListField(), ListField(StringField()), "x") == ListField(StringField())


def test_a_document_type_and_one_that_extends_it_become_the_former():
    metadata, image = EmbeddedDocumentField("Metadata"), EmbeddedDocumentField("ImageMetadata")
    assert merge(image, metadata, "metadata") == metadata


def test_the_description_survives_a_merge():
    assert merge(IntField(description="how many"), FloatField(), "x").description == "how many"
    assert merge(IntField(), FloatField(description="how many"), "x").description == "how many"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (FloatField(), StringField()),
        (IntField(), BooleanField()),
        (DateField(), DateTimeField()),
        (VectorField(), ListField(FloatField())),
        (ListField(FloatField()), ListField(StringField())),
        (EmbeddedDocumentField("Detection"), EmbeddedDocumentField("Classification")),
    ],
)
def test_fields_that_have_nothing_in_common_are_refused_by_name(a, b):
    with pytest.raises(FieldKindError) as caught:
        merge(a, b, "weather")
    assert str(caught.value) == (
        f"field 'weather' is of kind {a} and cannot take values of kind {b}. "
        "Convert the values or use another field name."
    )
