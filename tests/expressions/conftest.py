"""One document to compute on, with a value of every kind."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import saccade.dataset.labels  # noqa: F401  # registers the attributes of labels
from saccade.dataset import schema
from saccade.dataset.expressions import ViewExpression, to_aggregation
from saccade.dataset.store.codec import to_bson_query
from saccade.dataset.types import Oid

FIELDS = schema.Schema(
    {
        **schema.SAMPLE_FIELDS,
        "n": schema.FloatField(),
        "i": schema.IntField(),
        "zero": schema.IntField(),
        "nan": schema.FloatField(),
        "s": schema.StringField(),
        "b": schema.BooleanField(),
        "t": schema.DateTimeField(),
        "xs": schema.ListField(schema.FloatField()),
        "words": schema.ListField(schema.StringField()),
        "empty": schema.ListField(schema.StringField()),
        "no": schema.FloatField(),
        "no_text": schema.StringField(),
        "no_list": schema.ListField(schema.FloatField()),
        "no_words": schema.ListField(schema.StringField()),
        "no_date": schema.DateTimeField(),
        "other_id": schema.ObjectIdField(),
        "d": schema.DictField(),
        "label": schema.EmbeddedDocumentField("Classification"),
        "p": schema.EmbeddedDocumentField("Detections"),
        "k": schema.EmbeddedDocumentField("Keypoints"),
        "v": schema.VectorField(),
        "a": schema.ArrayField(),
    }
)
SAMPLE_ID, LABEL_ID = Oid("64b7f0c2a1d3e4f5a6b7c8d9"), Oid("64b7f0c2a1d3e4f5a6b7c8da")


def box(label: str, confidence: float | None, box: list[float], **more: Any) -> dict[str, Any]:
    found = {"_cls": "Detection", "label": label, "confidence": confidence, "bounding_box": box} | more
    return {name: value for name, value in found.items() if value is not None}


SAMPLE = {
    "_id": SAMPLE_ID,
    "filepath": "/data/Photo.One.JPG",
    "tags": ["b", "a", "b"],
    "n": 2.5,
    "i": -7,
    "zero": 0,
    "nan": float("nan"),
    "s": "Grüße ab",
    "b": True,
    "t": datetime(2024, 2, 29, 13, 4, 5, 678000, tzinfo=UTC),
    "xs": [3.0, 1.0, None, 2.0, float("nan")],
    "words": ["x", "yy", "zzz"],
    "empty": [],
    "d": {"n": 4, "s": "text", "l": [1, "a"], "t": datetime(2024, 3, 1, tzinfo=UTC), "in": {"x": 1}},
    "other_id": SAMPLE_ID,
    "label": {"_cls": "Classification", "_id": LABEL_ID, "label": "cat", "tags": []},
    "p": {
        "_cls": "Detections",
        "detections": [
            box("cat", 0.9, [0.1, 0.1, 0.5, 0.4], _id=LABEL_ID, tags=["good"]),
            box("dog", None, [0, 0, 1, 1]),
            box("cat", 0.4, [0, 0, 0.1, 0.1]),
        ],
    },
    "k": {"_cls": "Keypoints", "keypoints": [{"_cls": "Keypoint", "points": [[0, 0], [1, 1]]}, {"points": [[0, 1]]}]},
    "v": 12,
}


@pytest.fixture
def compute(database) -> Callable[[ViewExpression], Any]:
    """Compute an expression for the one document, on the server."""

    def computed(expression: ViewExpression) -> Any:
        code = {"value": to_aggregation(expression.node, FIELDS)}
        steps = [{"$documents": [{"$literal": SAMPLE}]}, {"$project": {"_id": 0, **code}}]
        (document,) = database.aggregate(to_bson_query(steps))
        return document.get("value", "missing")

    return computed
