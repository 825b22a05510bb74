"""The schema aggregation: attributes of documents with their kinds, declared or not."""

from datetime import UTC, datetime

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.errors import ExpressionError, FieldNotFoundError

F = sc.F


def box(**attributes) -> sc.Detection:
    return sc.Detection(label="cat", bounding_box=[0, 0, 1, 1], **attributes)


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    attributes = [
        {"mood": "calm", "age": 3, "words": ["a"], "mixed": 1, "emb": np.ones(3, np.float32), "grid": np.ones((2, 2))},
        {"age": 3.5, "words": [], "mixed": "one", "when": datetime(2026, 1, 2, tzinfo=UTC), "parts": [1, 2.5, None]},
        {"inner": sc.Classification(label="x"), "table": {"a": 1}, "is_big": True, "odd": [1, "a"], "mood": None},
    ]
    dataset.add_samples(
        [sc.Sample(f"/{n}.png", boxes=sc.Detections(detections=[box(**one)])) for n, one in enumerate(attributes)]
    )
    return dataset


def test_attributes_that_nobody_declared_are_found_with_their_kinds(filled):
    found = filled.schema("boxes.detections", dynamic_only=True)
    assert {name: str(field) for name, field in found.items() if name != "mixed"} == {
        "age": "FloatField",
        "grid": "ArrayField",
        "inner": "EmbeddedDocumentField(Classification)",
        "is_big": "BooleanField",
        "mood": "StringField",
        "odd": "ListField",
        "parts": "ListField(FloatField)",
        "table": "DictField",
        "when": "DateTimeField",
        "words": "ListField(StringField)",
    }
    assert sorted(map(str, found["mixed"])) == ["IntField", "StringField"]


def test_declared_attributes_are_given_as_they_are_declared(filled):
    found = filled.schema("boxes.detections")
    assert str(found["id"]) == "ObjectIdField"
    assert str(found["bounding_box"]) == "ListField(FloatField)"
    assert str(found["emb"]) == "VectorField"
    assert "confidence" not in found
    filled.delete_samples(filled.skip(1))
    filled.add_dynamic_sample_fields()
    assert filled.schema("boxes.detections", dynamic_only=True) == {}


def test_views_dicts_and_expressions_have_a_schema_too(filled):
    assert list(filled.limit(1).schema("boxes.detections", dynamic_only=True)) == [
        "age", "grid", "mixed", "mood", "words",
    ]  # fmt: skip
    assert str(filled.schema("boxes")["detections"]) == "ListField(EmbeddedDocumentField(Detection))"
    filled.set_values("facts", [{"a": 1}, {"a": 2.5, "b": "x"}, None])
    assert {name: str(field) for name, field in filled.schema("facts").items()} == {
        "a": "FloatField", "b": "StringField",
    }  # fmt: skip
    dogs = F("boxes.detections").filter(F("label") == "dog")
    assert filled.aggregate(sc.Schema(dogs)) == {}
    assert filled.limit(0).schema("boxes.detections") == {}


def test_what_holds_no_documents_has_no_schema(filled):
    with pytest.raises(ExpressionError, match="Schema works on values of the kinds document"):
        filled.schema("filepath")
    with pytest.raises(FieldNotFoundError, match="no field 'box'"):
        filled.schema("box")
