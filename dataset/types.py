"""Names for the types that cross layers: ids, arrays, documents.

Nothing here knows the database; `Oid` marks an id so that the store can turn it into its own kind.
"""

from collections.abc import Callable
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

SampleId: TypeAlias = str
"""The 24 hexadecimal digits that identify a sample or a label."""

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]
BoolArray: TypeAlias = NDArray[np.bool_]
RGBImage: TypeAlias = NDArray[np.uint8]
"""(height, width, 3) uint8."""

Bson: TypeAlias = dict[str, Any]
"""A document, query or pipeline step as plain Python values."""

OWN_SAMPLES = "$$samples"
"""Stands for the dataset's own collection of samples in the `coll` of a `$unionWith` and the `from` of a `$lookup`.

Stages do not know the collection's name; `store.samples.aggregate` puts it in.
"""

Metric: TypeAlias = Literal["cosine", "euclidean"]

Progress: TypeAlias = bool | Callable[[int, int], None] | None
"""True, False, None (the setting), or a function called with (done, total)."""


class Oid(str):
    """An id inside a document or pipeline; the store sends it as an ObjectId."""

    __slots__ = ()


class ReadOnlyId(str):
    """The id of a dataset that was loaded to be read only: what writes to the store refuses it, for this reason."""

    __slots__ = ("refusal",)

    refusal: str

    def __new__(cls, dataset_id: str, refusal: str) -> Self:
        """Mark an id; `refusal` is what an attempt to write is told."""
        marked = super().__new__(cls, dataset_id)
        marked.refusal = refusal
        return marked


def is_id(text: object) -> bool:
    """Whether `text` has the form of a sample or label id.

    Example:
        >>> is_id("64b7f0c2a1d3e4f5a6b7c8d9"), is_id("photos/1.png")
        (True, False)
    """
    return isinstance(text, str) and len(text) == 24 and all(c in "0123456789abcdef" for c in text)
