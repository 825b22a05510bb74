"""Detection: an object and where it is."""

from typing import Any, ClassVar

import numpy as np

from ..schema import ArrayField, EmbeddedDocumentField, FloatField, IntField, ListField, StringField
from . import _coerce
from ._document import Checks, Document, Fields, Initial, Label


class Detection(Label):
    """One object in a box.

    Attributes:
        label: the name of its class.
        bounding_box: [top-left-x, top-left-y, width, height], relative to the image's width and height.
        mask: (height, width) booleans or integers, the object's pixels inside the box.
        mask_path: a file with the mask instead.
        confidence: the model's confidence, usually in [0, 1].
        index: a number that tells objects apart, such as a track.
    """

    label: str | None = None
    bounding_box: list[float] | None = None
    mask: np.ndarray[Any, Any] | None = None
    mask_path: str | None = None
    confidence: float | None = None
    index: int | None = None

    _fields: ClassVar[Fields] = {
        "label": StringField(),
        "bounding_box": ListField(FloatField()),
        "mask": ArrayField(),
        "mask_path": StringField(),
        "confidence": FloatField(),
        "index": IntField(),
    }
    _checks: ClassVar[Checks] = {"bounding_box": _coerce.bounding_box, "mask": _coerce.mask}


class Detections(Document):
    """The objects of one sample.

    Attributes:
        detections: a list of `Detection`.
    """

    LIST_ATTRIBUTE: ClassVar[str] = "detections"

    detections: list[Detection]

    _fields: ClassVar[Fields] = {"detections": ListField(EmbeddedDocumentField(Detection))}
    _initial: ClassVar[Initial] = {"detections": list}
