"""Embedding models by short name; a model's module is imported when it is asked for."""

from importlib import import_module
from typing import Any

from ...dataset.errors import ModelError, hint
from .callable import CallableModel
from .protocol import EmbeddingModel
from .trained import find_trained, trained_names

MODELS = {"builtin": ".builtin:BuiltinModel"}


def get_model(model: Any) -> EmbeddingModel:
    """Find the model that `model` stands for.

    Args:
        model: a short name, an embedding model, a function of a list of images, or a fitted scikit-learn transformer.

    Raises:
        ModelError: if the name is unknown, or the object is none of these.

    Example:
        >>> get_model("builtin").dim
        352
    """
    if isinstance(model, str):
        if model not in MODELS:
            if (found := find_trained(model)) is not None:
                return found
            known = [*MODELS, *trained_names()]
            raise ModelError(
                f"no embedding model {model!r}. {hint(model, known, 'Models')} Or give an object with `embed`, a "
                "function of a list of images, or a fitted transformer."
            )
        module, _, name = MODELS[model].partition(":")
        built: EmbeddingModel = getattr(import_module(module, __package__), name)()
        return built
    if isinstance(model, EmbeddingModel) and not isinstance(model, type):
        return model
    if isinstance(model, type):
        raise ModelError(f"model={model!r} is a class. Pass an instance of it: {model.__name__}(...).")
    return CallableModel(model)
