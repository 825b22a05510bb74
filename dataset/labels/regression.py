"""Regression: a number that a sample was given."""

from typing import ClassVar

from ..schema import FloatField
from ._document import Fields, Label


class Regression(Label):
    """One number.

    Attributes:
        value: the number.
        confidence: the model's confidence, usually in [0, 1].
    """

    value: float | None = None
    confidence: float | None = None

    _fields: ClassVar[Fields] = {"value": FloatField(), "confidence": FloatField()}
