"""Labels as JSON-able values and back."""

import json
import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from saccade.dataset.errors import FieldKindError, SchemaError
from saccade.dataset.labels import (
    Classification,
    Classifications,
    Detection,
    Detections,
    Document,
    ImageMetadata,
    Keypoint,
    Label,
    Metadata,
    Polyline,
    Regression,
    Segmentation,
    TemporalDetection,
    from_jsonable,
    to_jsonable,
)
from saccade.dataset.types import Oid

HEX = "64b7f0c2a1d3e4f5a6b7c8d9"
FINITE = st.floats(allow_nan=False, allow_infinity=False)
UNIT = st.floats(0, 1)
NAMES = st.text(max_size=8)
MASKS = arrays.arrays(st.sampled_from([bool, np.uint8, np.int64]), st.tuples(st.integers(0, 4), st.integers(0, 4)))
LOGITS = arrays.arrays(np.float32, st.integers(0, 5), elements=st.floats(-99, 99, width=32))
KINDS = (st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), NAMES, st.dates())
KEYS = st.text("abcß", min_size=1, max_size=3)
LISTS = st.one_of(  # of one kind, since labels refuse others
    st.lists(st.dictionaries(KEYS, st.one_of(*KINDS), max_size=2), max_size=2),
    *(st.lists(kind, max_size=3) | st.lists(st.lists(kind, max_size=2), max_size=2) for kind in KINDS),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), *KINDS, LISTS), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
TAGS = st.lists(NAMES, max_size=2)
CLASSIFICATIONS = st.builds(
    Classification,
    label=NAMES,
    confidence=st.none() | st.floats(),
    logits=st.none() | LOGITS,
    tags=TAGS,
    extra=ANYTHING,
)
DETECTIONS = st.builds(
    Detection,
    label=st.none() | NAMES,
    bounding_box=st.none() | st.tuples(FINITE, FINITE, FINITE, FINITE),
    mask=st.none() | MASKS,
    index=st.none() | st.integers(0, 9),
    tags=TAGS,
    extra=ANYTHING,
)
LABELS = st.one_of(
    CLASSIFICATIONS,
    DETECTIONS,
    st.builds(Classifications, classifications=st.lists(CLASSIFICATIONS, max_size=2), logits=st.none() | LOGITS),
    st.builds(Detections, detections=st.lists(DETECTIONS, max_size=3)),
    st.builds(Polyline, points=st.lists(st.lists(st.tuples(UNIT, UNIT), max_size=3), max_size=2), closed=st.booleans()),
    st.builds(Keypoint, points=st.lists(st.tuples(st.floats(), st.floats()), max_size=3)),
    st.builds(Segmentation, mask=MASKS),
    st.builds(Regression, value=st.floats()),
    st.builds(TemporalDetection, support=st.just((1, 4))),
    st.builds(ImageMetadata, width=st.integers(1, 9)),
)


@given(LABELS)
def test_a_label_comes_back_from_its_dict(label):
    assert Document.from_dict(label.to_dict()) == label


@given(LABELS)
def test_a_label_comes_back_from_its_json(label):
    assert type(label).from_json(label.to_json()) == label


@given(LABELS)
def test_json_is_strict(label):
    json.loads(label.to_json(), parse_constant=pytest.fail)


def test_the_dict_of_a_detection():
    detection = Detection(label="cat", bounding_box=[0, 0, 0.5, 1], mask=np.array([[True, False]]), id=HEX, tags=["a"])
    assert detection.to_dict() == {
        "_cls": "Detection",
        "_id": {"$oid": HEX},
        "tags": ["a"],
        "label": "cat",
        "bounding_box": [0.0, 0.0, 0.5, 1.0],
        "mask": {"$array": {"dtype": "|b1", "shape": [1, 2], "data": "AQA="}},
    }


def test_lists_of_labels_have_no_id_in_their_dict():
    assert Detections().to_dict() == {"_cls": "Detections", "detections": []}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2024, 5, 1), {"$date": "2024-05-01"}),
        (datetime(2024, 5, 1, 12, 0, 0, 5000, UTC), {"$date": "2024-05-01T12:00:00.005Z"}),
        (Oid(HEX), {"$oid": HEX}),
        (float("nan"), {"$numberDouble": "NaN"}),
        (float("-inf"), {"$numberDouble": "-Infinity"}),
        ([1, {"a": float("inf")}], [1, {"a": {"$numberDouble": "Infinity"}}]),
        ("größe", "größe"),
        (None, None),
    ],
)
def test_values_that_json_lacks_are_marked_and_come_back(value, expected):
    assert to_jsonable(value) == expected
    back = from_jsonable(expected, Document.from_dict)
    assert back == value or math.isnan(back)
    assert type(back) is type(value)


def test_a_value_of_an_unknown_mark_is_refused():
    with pytest.raises(SchemaError, match="Known"):
        from_jsonable({"$regex": "x"}, Document.from_dict)


def test_ids_dates_and_numbers_in_the_older_marks_are_read():
    assert from_jsonable({"$date": 0}, Document.from_dict) == datetime(1970, 1, 1, tzinfo=UTC)
    assert from_jsonable({"$numberLong": "7"}, Document.from_dict) == 7
    assert Classification.from_dict({"_id": HEX}).id == HEX


def test_a_big_endian_array_comes_back_with_its_values():
    array = np.arange(3, dtype=">i4")
    back = from_jsonable(to_jsonable(array), Document.from_dict)
    assert back.tolist() == [0, 1, 2]
    assert back.flags.writeable


def test_from_dict_makes_the_named_type_or_the_class_it_is_called_on():
    assert type(Label.from_dict({"_cls": "Regression"})) is Regression
    assert type(Regression.from_dict({"value": 3})) is Regression
    assert type(Metadata.from_dict({"_cls": "ImageMetadata"})) is ImageMetadata


def test_from_dict_refuses_another_type_by_name():
    with pytest.raises(SchemaError, match=r"'Detection' is no Classification\. Types: Classification\."):
        Classification.from_dict({"_cls": "Detection"})
    with pytest.raises(SchemaError, match="Did you mean 'Detections'"):
        Document.from_dict({"_cls": "Detektions"})


def test_from_dict_checks_the_values():
    with pytest.raises(FieldKindError, match=r"Detection\.bounding_box"):
        Detection.from_dict({"bounding_box": [1, 2]})


def test_private_entries_of_another_version_are_passed_over():
    assert Regression.from_dict({"value": 3, "_rand": 0.5}).field_names == ("id", "tags", "value", "confidence")


def test_pretty_json_has_lines():
    assert len(Regression(value=1).to_json(pretty_print=True).splitlines()) > 3
