"""Keypoint: a set of points that belong together."""

from typing import ClassVar

from ..schema import EmbeddedDocumentField, FloatField, IntField, ListField, StringField
from . import _coerce
from ._document import Checks, Document, Fields, Initial, Label


class Keypoint(Label):
    """The points of one object.

    Attributes:
        label: the name of its class.
        points: a list of [x, y] relative to the image's width and height; NaN where a point was not found.
        confidence: the model's confidence for each point.
        index: a number that tells objects apart, such as a track.
    """

    label: str | None = None
    points: list[list[float]] | None = None
    confidence: list[float] | None = None
    index: int | None = None

    _fields: ClassVar[Fields] = {
        "label": StringField(),
        "points": ListField(ListField(FloatField())),
        "confidence": ListField(FloatField()),
        "index": IntField(),
    }
    _checks: ClassVar[Checks] = {"points": _coerce.keypoints}


class KeypointSkeleton(Document):
    """How the points of a field's keypoints are called, and which of them are joined.

    Attributes:
        labels: the names of the points.
        edges: lists of positions of points, to be joined by lines.
    """

    labels: list[str] | None = None
    edges: list[list[int]] | None = None

    _fields: ClassVar[Fields] = {"labels": ListField(StringField()), "edges": ListField(ListField(IntField()))}


class Keypoints(Document):
    """The point sets of one sample.

    Attributes:
        keypoints: a list of `Keypoint`.
    """

    LIST_ATTRIBUTE: ClassVar[str] = "keypoints"

    keypoints: list[Keypoint]

    _fields: ClassVar[Fields] = {"keypoints": ListField(EmbeddedDocumentField(Keypoint))}
    _initial: ClassVar[Initial] = {"keypoints": list}
