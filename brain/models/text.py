"""Texts as vectors, by models that embed images and texts into one space."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import ModelError, WrongOutputShapeError
from .protocol import EmbeddingModel, TextEmbeddingModel


def embed_texts(model: EmbeddingModel, texts: Sequence[str], dimension: int | None = None) -> NDArray[np.float32]:
    """Embed texts and check what comes back.

    Args:
        model: what embeds them.
        texts: at least one.
        dimension: the length of the vectors of images, if it is known.

    Returns:
        (len(texts), d) float32, all finite.

    Raises:
        ModelError: if the model does not embed text, a text is empty, or a number is NaN or infinite.
        WrongOutputShapeError: if the model does not return one row of `dimension` numbers per text.

    Example:
        >>> from saccade.brain.models.builtin import BuiltinModel
        >>> embed_texts(BuiltinModel(), ["a red car"])
        Traceback (most recent call last):
            ...
        saccade.dataset.errors.ModelError: model 'builtin' does not embed text, so 'a red car' cannot be asked. ...
    """
    if not isinstance(model, TextEmbeddingModel):
        raise ModelError(
            f"model {model.name!r} does not embed text, so {texts[0]!r:.80} cannot be asked. Ask with a sample or a "
            "vector, or use vectors of a model that has embed_text."
        )
    if not all(text.strip() for text in texts):
        raise ModelError("a text is empty, so it describes no image. Give some words.")
    returned: NDArray[Any] = np.asarray(model.embed_text(list(texts)))
    is_matrix = returned.ndim == 2 and returned.size > 0 and returned.dtype.kind in "fiu"
    if not is_matrix or len(returned) != len(texts) or dimension not in (None, returned.shape[1]):
        raise WrongOutputShapeError(
            f"model {model.name!r} returned shape {returned.shape}, {returned.dtype}, for {len(texts)} texts; expected "
            f"({len(texts)}, {dimension or 'd'}) numbers. Return one row per text, as long as the vector of an image."
        )
    vectors: NDArray[np.float32] = returned.astype(np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise ModelError(f"model {model.name!r} returned NaN or infinity for {texts[int(np.argmin(finite))]!r:.80}.")
    return vectors
