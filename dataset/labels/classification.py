"""Classification: what a whole sample, or a part of it, shows."""

from typing import Any, ClassVar

import numpy as np

from ..schema import ArrayField, EmbeddedDocumentField, FloatField, ListField, StringField
from . import _coerce
from ._document import Checks, Document, Fields, Initial, Label


class Classification(Label):
    """One class.

    Attributes:
        label: the name of the class.
        confidence: the model's confidence, usually in [0, 1].
        logits: (classes,) float32 scores before softmax; probabilities are given as their logarithms.
    """

    label: str | None = None
    confidence: float | None = None
    logits: np.ndarray[Any, np.dtype[np.float32]] | None = None

    _fields: ClassVar[Fields] = {"label": StringField(), "confidence": FloatField(), "logits": ArrayField()}
    _checks: ClassVar[Checks] = {"logits": _coerce.logits}


class Classifications(Document):
    """Several classes of one sample.

    Attributes:
        classifications: a list of `Classification`.
        logits: (classes,) float32 scores before sigmoid.
    """

    LIST_ATTRIBUTE: ClassVar[str] = "classifications"

    classifications: list[Classification]
    logits: np.ndarray[Any, np.dtype[np.float32]] | None = None

    _fields: ClassVar[Fields] = {
        "classifications": ListField(EmbeddedDocumentField(Classification)),
        "logits": ArrayField(),
    }
    _checks: ClassVar[Checks] = {"logits": _coerce.logits}
    _initial: ClassVar[Initial] = {"classifications": list}
