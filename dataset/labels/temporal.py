"""TemporalDetection: an event in a video and when it happens."""

from typing import ClassVar

from ..schema import EmbeddedDocumentField, FloatField, IntField, ListField, StringField
from . import _coerce
from ._document import Checks, Document, Fields, Initial, Label


class TemporalDetection(Label):
    """One event.

    Attributes:
        label: the name of its class.
        support: [first frame, last frame], counted from 1, both included.
        confidence: the model's confidence, usually in [0, 1].
    """

    label: str | None = None
    support: list[int] | None = None
    confidence: float | None = None

    _fields: ClassVar[Fields] = {"label": StringField(), "support": ListField(IntField()), "confidence": FloatField()}
    _checks: ClassVar[Checks] = {"support": _coerce.support}


class TemporalDetections(Document):
    """The events of one video.

    Attributes:
        detections: a list of `TemporalDetection`.
    """

    LIST_ATTRIBUTE: ClassVar[str] = "detections"

    detections: list[TemporalDetection]

    _fields: ClassVar[Fields] = {"detections": ListField(EmbeddedDocumentField(TemporalDetection))}
    _initial: ClassVar[Initial] = {"detections": list}
