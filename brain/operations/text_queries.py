"""Text in a query: which model embeds it, and whether that is the one that made the vectors it is compared with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...dataset import columns
from ...dataset.errors import ModelError, ViewError
from ...dataset.types import is_id
from ..models.protocol import EmbeddingModel
from ..models.registry import can_be_found, get_model
from ..models.text import embed_texts

if TYPE_CHECKING:
    from ...dataset.dataset import Dataset


def with_vectors_of_texts(root: "Dataset", parts: Sequence[Any], field: str, model: EmbeddingModel | None) -> list[Any]:
    """Put vectors in the place of the texts among the parts of a query; ids are no texts.

    Args:
        root: the dataset.
        parts: samples, ids, vectors and texts.
        field: the vector field that the query is compared with.
        model: what embeds text; None for the model of the field's vectors.

    Raises:
        ViewError: if there is text and no model is known.
        ModelError: if the model did not make the field's vectors, or does not embed text.
    """
    texts = {at: part for at, part in enumerate(parts) if isinstance(part, str) and not is_id(part)}
    if not texts:
        return list(parts)
    made_by = columns.model_of(root, field) or {}
    chosen = _model_for(field, made_by, next(iter(texts.values())), model)
    vectors = embed_texts(chosen, list(texts.values()), made_by.get("dimension"))
    embedded = dict(zip(texts, vectors, strict=True))
    return [embedded.get(at, part) for at, part in enumerate(parts)]


def _model_for(field: str, made_by: dict[str, Any], text: str, model: EmbeddingModel | None) -> EmbeddingModel:
    """The model that was given, or else the one that made a field's vectors, which it must be in any case."""
    name, version = made_by.get("name"), made_by.get("version")
    if model is None and not can_be_found(name):
        held = f"they are of model {name!r}, which has to be given" if name else "it is not known what made them"
        raise ViewError(
            f"{text!r:.80} is text, which needs a model that embeds text into the space of the vectors in {field!r}; "
            f"{held}. Pass model=, or give a sample, an id or a vector."
        )
    chosen = get_model(name) if model is None else model
    if name is not None and (chosen.name, chosen.version) != (name, version):
        raise ModelError(
            f"field {field!r} holds vectors of model {name!r} (version {version}), and the text would be embedded by "
            f"{chosen.name!r} (version {chosen.version}): they cannot be compared. Pass the model that made them."
        )
    return chosen
