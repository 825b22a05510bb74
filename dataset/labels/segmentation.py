"""Segmentation: a class for every pixel."""

from typing import Any, ClassVar

import numpy as np

from ..schema import ArrayField, StringField
from . import _coerce
from ._document import Checks, Fields, Label


class Segmentation(Label):
    """The mask of a whole image.

    Attributes:
        mask: (height, width) class numbers, or (height, width, 3) colours.
        mask_path: a file with the mask instead.
    """

    mask: np.ndarray[Any, Any] | None = None
    mask_path: str | None = None

    _fields: ClassVar[Fields] = {"mask": ArrayField(), "mask_path": StringField()}
    _checks: ClassVar[Checks] = {"mask": _coerce.image_mask}
