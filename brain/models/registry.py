"""Embedding models by name and from objects of other libraries; a model's module is imported when it is needed."""

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...dataset.errors import ModelError, hint
from .callable import CallableModel
from .protocol import EmbeddingModel
from .trained import find_trained, trained_names

MODELS = {"builtin": ".builtin:BuiltinModel"}
"""Models that a name alone stands for."""

FAMILIES = {
    "hf": ".hugging_face:load_hugging_face",
    "tf": ".keras:KerasModel",
    "onnx": ".onnx:OnnxModel",
}
"""What opens "prefix:rest", given the rest and the options."""

_OBJECTS = {("torch", "nn.Module"): ".torch_module:TorchModel", ("keras", "Model"): ".keras:KerasModel"}
"""Classes of other libraries whose objects are models. A library that is not loaded yet has no objects."""


def get_model(model: Any, **model_kwargs: Any) -> EmbeddingModel:
    """Find the model that `model` stands for.

    Args:
        model: a short name; the name of a trained model; "hf:…", "tf:…" or "onnx:…" (docs/models.md); an embedding
            model; a `torch.nn.Module`; a Keras model; a function of a list of images; or a fitted scikit-learn
            transformer.
        **model_kwargs: options of the model, such as `device` and `image_size`; which there are depends on the model.

    Raises:
        ModelError: if the name is unknown, the object is none of these, or the model has no such option.
        MissingExtraError: if the model needs a package that is not installed.

    Example:
        >>> get_model("builtin").dim
        352
    """
    if isinstance(model, str):
        return _by_name(model, model_kwargs)
    if isinstance(model, type):
        raise ModelError(f"model={model!r} is a class. Pass an instance of it: {model.__name__}(...).")
    if isinstance(model, EmbeddingModel):
        if model_kwargs:
            raise ModelError(
                f"model {model.name!r} is an embedding model already, so its options {', '.join(model_kwargs)} come "
                "too late. Give them to its constructor."
            )
        return model
    for (package, name), target in _OBJECTS.items():
        if package in sys.modules and isinstance(model, _attribute(sys.modules[package], name)):
            return _built(_found(target), model_kwargs, type(model).__name__, model)
    return _built(CallableModel, model_kwargs, getattr(model, "__name__", type(model).__name__), model)


def can_be_found(name: str | None) -> bool:
    """Whether a name alone says how a model is opened; trained models, which are looked up, are left out.

    Example:
        >>> can_be_found("builtin"), can_be_found("hf:facebook/dinov2-small")
        (True, True)
    """
    if name is None:
        return False
    return name in MODELS or (name.partition(":")[0] in FAMILIES and ":" in name) or name in trained_names()


def _by_name(name: str, options: dict[str, Any]) -> EmbeddingModel:
    if name in MODELS:
        return _built(_found(MODELS[name]), options, name)
    family, _, rest = name.partition(":")
    if rest and family in FAMILIES:
        return _built(_found(FAMILIES[family]), options, name, rest)
    trained = find_trained(name, options.get("device"))
    if trained is None:
        raise ModelError(
            f"no embedding model {name!r}. {hint(name, [*MODELS, *trained_names()], 'Models')} Others are named "
            "'hf:<repository or folder>', 'tf:<application or file>' and 'onnx:<file>'. Or give an object with "
            "`embed`, a torch or Keras model, a function of a list of images, or a fitted transformer."
        )
    others = [option for option in options if option != "device"]
    if others:
        raise ModelError(
            f"model {name!r} has no option {', '.join(others)}; a trained model is used as it is, on any device."
        )
    return trained


def _found(target: str) -> Callable[..., EmbeddingModel]:
    module, _, name = target.partition(":")
    builder: Callable[..., EmbeddingModel] = getattr(import_module(module, __package__), name)
    return builder


def _built(build: Callable[..., EmbeddingModel], options: dict[str, Any], name: str, *given: Any) -> EmbeddingModel:
    known = [p.name for p in inspect.signature(build).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise ModelError(f"model {name!r} has no option {option!r}. {hint(option, known, 'Options')}")
    return build(*given, **options)


def _attribute(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module
