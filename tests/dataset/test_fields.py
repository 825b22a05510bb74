"""The kinds of fields: which values each takes and in which form, and how a field is stored."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saccade.dataset import labels
from saccade.dataset.errors import FieldKindError, SchemaError
from saccade.dataset.schema import (
    ArrayField,
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
    UnknownField,
    VectorField,
    field_from_dict,
    field_types,
)
from saccade.dataset.types import Oid

HEX = "64b7f0c2a1d3e4f5a6b7c8d9"


class ObjectId:
    """Stands for the driver's class, which is recognised by its name."""

    def __str__(self):
        return HEX


class Colour(str, Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (BooleanField(), np.bool_(True), True),
        (IntField(), np.int8(-3), -3),
        (IntField(), np.array(7), 7),
        (IntField(), 2**63 - 1, 2**63 - 1),
        (FloatField(), 2, 2.0),
        (FloatField(), np.float32(0.5), 0.5),
        (FloatField(), np.uint8(3), 3.0),
        (FloatField(), np.longdouble(0.25), 0.25),
        (FloatField(), float("inf"), float("inf")),
        (StringField(), np.str_("größe"), "größe"),
        (StringField(), Path("a/b.png"), "a/b.png"),
        (StringField(), Colour.RED, "red"),
        (StringField(), "猫 🐈", "猫 🐈"),
        (DateField(), date(2024, 2, 29), date(2024, 2, 29)),
        (DateField(), np.datetime64("2024-02-29"), date(2024, 2, 29)),
        (DateField(), datetime(2024, 2, 29, tzinfo=UTC), date(2024, 2, 29)),
        (DateTimeField(), datetime(2024, 1, 1, 12, 0, 0, 123_999), datetime(2024, 1, 1, 12, 0, 0, 123_000, UTC)),
        (DateTimeField(), date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)),
        (DateTimeField(), np.datetime64("2024-01-01T00:00:00.000000001"), datetime(2024, 1, 1, tzinfo=UTC)),
        (DateTimeField(), np.datetime64("NaT"), None),
        (ObjectIdField(), HEX.upper(), Oid(HEX)),
        (ObjectIdField(), ObjectId(), Oid(HEX)),
        (ListField(), (1, np.float32(0.5), "a"), [1, 0.5, "a"]),
        (ListField(FloatField()), np.array([1, 2]), [1.0, 2.0]),
        (ListField(StringField()), {"b", "a"}, ["a", "b"]),
        (ListField(FloatField()), [None, 1], [None, 1.0]),
        (ListField(ListField(IntField())), np.eye(2, dtype=int), [[1, 0], [0, 1]]),
        (ListField(DateTimeField()), np.array(["2024-01-01"], "datetime64[ns]"), [datetime(2024, 1, 1, tzinfo=UTC)]),
        (DictField(), {"a": {"b": (np.int64(1),)}}, {"a": {"b": [1]}}),
        (DictField(FloatField()), {"a": 1}, {"a": 1.0}),
        (Field(), (1, ObjectId()), [1, Oid(HEX)]),
    ],
)
def test_a_value_is_brought_into_the_form_of_its_field(field, value, expected):
    result = field.coerce(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        (BooleanField(), 1, "expected True or False; got 1 (int)"),
        (IntField(), True, "expected an integer; got True (bool)"),
        (IntField(), 1.0, "expected an integer"),
        (IntField(), 2**63, "does not fit in 64 bits"),
        (FloatField(), False, "expected a number"),
        (FloatField(), "0.5", "expected a number; got '0.5' (str)"),
        (FloatField(), 10**400, "too large"),
        (StringField(), b"abc", "expected text"),
        (StringField(), "\udcff.png", "no valid text"),
        (DateField(), datetime(2024, 1, 1, 12, tzinfo=UTC), "Use .date()"),
        (DateField(), "2024-01-01", "expected a date"),
        (DateTimeField(), 0, "expected a datetime"),
        (DateTimeField(), datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), "outside the years"),
        (ObjectIdField(), "abc", "24 hexadecimal digits"),
        (ListField(), "abc", "expected a list; got 'abc'"),
        (ListField(IntField()), [1, "x"], "element 1: expected an integer"),
        (ListField(), [object()], "element 0"),
        (DictField(), [1], "expected a dict"),
        (DictField(), {"a.b": 1}, "'a.b' cannot be a key"),
        (DictField(), {"$x": 1}, "cannot be a key"),
        (DictField(), {1: 1}, "1 cannot be a key"),
        (DictField(), {"a": b"x"}, "Keep bytes in a file"),
        (DictField(IntField()), {"a": "x"}, "entry 'a': expected an integer"),
        (VectorField(), [1.0, float("nan")], "NaN at position 1"),
        (VectorField(), [1.0, 1e300], "infinite number (in float32) at position 1"),
        (VectorField(), [], "empty"),
        (VectorField(), [[1.0]], "one-dimensional"),
        (VectorField(), "abc", "array"),
        (ArrayField(), np.array(["a"]), "booleans, integers or floats"),
        (ArrayField(), [[1], [1, 2]], "rows of different lengths"),
        (ArrayField(), 3, "expected an array"),
        (EmbeddedDocumentField("Detection"), labels.Classification(), "expected a Detection"),
        (EmbeddedDocumentField("Detection"), {"label": "cat"}, "expected a Detection"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_was_expected_and_given(field, value, part):
    with pytest.raises(FieldKindError) as caught:
        field.coerce(value)
    assert part in str(caught.value)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, SchemaError)


def test_none_fits_every_field():
    made = [ListField(), DictField(), EmbeddedDocumentField("Detection"), UnknownField(stored={"type": "geo"})]
    simple = [kind() for kind in field_types.values() if kind is not EmbeddedDocumentField]
    assert all(field.coerce(None) is None for field in made + simple)


def test_nan_is_a_number():
    assert np.isnan(FloatField().coerce(np.float32("nan")))


def test_a_time_in_another_zone_is_given_in_utc():
    noon = datetime(2024, 1, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    assert DateTimeField().coerce(noon) == datetime(2024, 1, 1, 7, tzinfo=UTC)
    assert DateTimeField().coerce(noon).tzinfo is UTC


def test_a_vector_is_float32_and_one_that_is_so_already_is_not_copied():
    ready = np.ones(3, np.float32)
    assert VectorField().coerce(ready) is ready
    assert VectorField().coerce([1, 2]).dtype == np.float32


def test_an_array_keeps_its_kind_of_numbers():
    assert ArrayField().coerce(np.zeros((2, 2), np.uint8)).dtype == np.uint8


def test_metadata_of_an_image_fits_a_field_of_metadata():
    image = labels.ImageMetadata(width=3)
    assert EmbeddedDocumentField(labels.Metadata).coerce(image) is image


def test_a_list_is_copied():
    given_list = [1.0]
    assert ListField().coerce(given_list) is not given_list


def test_fields_are_equal_when_they_hold_the_same_kind():
    assert FloatField(description="a") == FloatField()
    assert FloatField() != IntField()
    assert ListField(FloatField()) != ListField()
    assert len({FloatField(), FloatField(info={"unit": "m"}), IntField()}) == 2


def test_classes_stand_for_fields():
    assert ListField(FloatField) == ListField(FloatField())
    assert EmbeddedDocumentField(labels.Detections) == EmbeddedDocumentField("Detections")


def test_a_field_reads_as_its_kind():
    assert str(ListField(EmbeddedDocumentField("Detection"))) == "ListField(EmbeddedDocumentField(Detection))"
    assert repr(FloatField(description="x")) == "FloatField"


FIELDS = st.recursive(
    st.sampled_from([kind() for kind in field_types.values() if kind is not EmbeddedDocumentField])
    | st.builds(EmbeddedDocumentField, st.sampled_from(["Detection", "Metadata", "Missing"])),
    lambda inner: st.builds(ListField, inner) | st.builds(DictField, inner),
    max_leaves=4,
)


@given(FIELDS)
def test_a_field_comes_back_from_its_stored_form(field):
    assert field_from_dict(field.to_dict()) == field


def test_descriptions_are_stored_with_the_field():
    field = Field.from_dict(
        ListField(FloatField(description="inner"), description="outer", info={"unit": "m"}).to_dict()
    )
    assert (field.description, field.info, field.subfield.description) == ("outer", {"unit": "m"}, "inner")


def test_entries_of_a_newer_version_are_passed_over():
    assert field_from_dict({"type": "float", "unit": "m"}) == FloatField()


def test_a_kind_of_a_newer_version_is_kept_but_not_written():
    stored = {"type": "geo", "precision": 7}
    field = field_from_dict(stored)
    assert field.to_dict() == stored
    assert str(field) == "UnknownField(geo)"
    with pytest.raises(FieldKindError, match="newer version"):
        field.coerce("x")
