"""The history of a training, for `compute_hardness`. The arithmetic is `kernels.histories`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.errors import FieldKindError, SchemaError
from ...dataset.types import IntArray, SampleId
from ..kernels.histories import forgetting, margin_hardness
from .predictions import class_names

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

History: TypeAlias = Iterable[ArrayLike]

SCORES = ("aum", "forgetting")
"""The methods that need nothing but a history and labels."""


def checked_history(
    samples: "SampleCollection", field: str, ids: Sequence[SampleId], history: History
) -> list[NDArray[Any]]:
    """Give a history as one (n, c) array per epoch, a row for each sample and a column for each class.

    Raises:
        SchemaError: if its shape is another.
        FieldKindError: if it holds NaN or infinity, naming the sample.
    """
    names = class_names(samples, field)
    expected = (
        f"expected (epochs, {len(ids)}, {len(names)}): one row for each sample in their order, one column for each "
        f"class of {field!r}"
    )
    if not names:
        raise SchemaError(
            f"a history needs the names of its classes. Set dataset.classes = {{{field!r}: [...]}} or "
            "dataset.default_classes, in the order of its columns."
        )
    try:
        epochs = [np.asarray(epoch) for epoch in history]
    except (TypeError, ValueError) as error:
        raise SchemaError(f"history is no array of numbers ({error}); {expected}.") from error
    shapes = list(dict.fromkeys(epoch.shape for epoch in epochs))
    if shapes != [(len(ids), len(names))] or any(epoch.dtype.kind not in "fiu" for epoch in epochs):
        told = " and ".join(map(str, shapes[:2])) or "no shape"
        raise SchemaError(f"history has {len(epochs)} epochs of {told}; {expected}.")
    for number, epoch in enumerate(epochs):
        bad = np.flatnonzero(~np.isfinite(epoch).all(axis=1))
        if len(bad):
            raise FieldKindError(
                f"history holds NaN or infinity for sample {ids[bad[0]]} in epoch {number} (row {bad[0]}); expected "
                "logits or probabilities, finite numbers."
            )
    return epochs


def history_scores(
    method: str, epochs: Sequence[NDArray[Any]], names: Sequence[str], ids: Sequence[SampleId], labels: Sequence[Any]
) -> tuple[IntArray, NDArray[np.float64]]:
    """The rows that have a label, and their scores.

    Raises:
        SchemaError: if a label is none of the classes, naming the sample.
    """
    position_of = {name: k for k, name in enumerate(names)}
    rows = [row for row, label in enumerate(labels) if label is not None]
    numbers = np.zeros(len(ids), dtype=np.int64)
    for row in rows:
        if labels[row] not in position_of:
            raise SchemaError(
                f"the label {labels[row]!r} of sample {ids[row]} is none of the {len(names)} classes of "
                f"the history: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}."
            )
        numbers[row] = position_of[labels[row]]
    if method == "aum":
        scores = margin_hardness(epochs, numbers)
    else:
        scores = forgetting(epochs, numbers, never=len(epochs))
    kept = np.array(rows, dtype=np.int64)
    return kept, scores[kept]
