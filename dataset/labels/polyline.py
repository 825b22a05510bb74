"""Polyline: lines and polygons."""

from typing import ClassVar

from ..schema import BooleanField, EmbeddedDocumentField, FloatField, IntField, ListField, StringField
from . import _coerce
from ._document import Checks, Document, Fields, Initial, Label


class Polyline(Label):
    """One object drawn with lines, possibly in several pieces.

    Attributes:
        label: the name of its class.
        points: a list of shapes, each a list of [x, y] relative to the image's width and height.
        confidence: the model's confidence, usually in [0, 1].
        index: a number that tells objects apart, such as a track.
        closed: whether the last point of each shape joins the first.
        filled: whether the shapes are areas.
    """

    label: str | None = None
    points: list[list[list[float]]] | None = None
    confidence: float | None = None
    index: int | None = None
    closed: bool = False
    filled: bool = False

    _fields: ClassVar[Fields] = {
        "label": StringField(),
        "points": ListField(ListField(ListField(FloatField()))),
        "confidence": FloatField(),
        "index": IntField(),
        "closed": BooleanField(),
        "filled": BooleanField(),
    }
    _checks: ClassVar[Checks] = {"points": _coerce.polyline_points}
    _initial: ClassVar[Initial] = {"closed": False, "filled": False}


class Polylines(Document):
    """The lines and polygons of one sample.

    Attributes:
        polylines: a list of `Polyline`.
    """

    LIST_ATTRIBUTE: ClassVar[str] = "polylines"

    polylines: list[Polyline]

    _fields: ClassVar[Fields] = {"polylines": ListField(EmbeddedDocumentField(Polyline))}
    _initial: ClassVar[Initial] = {"polylines": list}
