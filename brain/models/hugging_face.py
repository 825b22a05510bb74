"""Models of the Hugging Face hub, or of a folder that `save_pretrained` wrote, by transformers and without torchvision.

"hf:facebook/dinov2-small" and "hf:/data/models/clip" are opened alike. Images are prepared with Pillow as the model's
own `preprocessor_config.json` says (`hugging_face_preparation`). The vector of an image is:

* of models that embed text too (CLIP, SigLIP): the projected features, of length one, as are those of texts;
* of others (DINOv2, DINOv3, ViT, ConvNeXt, …): `pooler_output`, which for DINO is the class token after the last norm;
  where the weights hold no pooler, the class token, and where there is none, the mean over all places;
* with `pooling`: "first" the class token, "mean" the mean over the patches without class and register tokens.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import ModelError
from ...dataset.types import FloatArray
from .extras import imported
from .hugging_face_files import fetched
from .hugging_face_preparation import preparation_in
from .pooling import Pooling
from .preparation import Preparation
from .torch_module import TorchNetwork, checked_device, evaluating

_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")


def load_hugging_face(
    source: str, *, revision: str | None = None, image_size: int | tuple[int, int] | None = None,
    pooling: Pooling = None, device: str | None = None, mixed_precision: bool = True,
) -> "HuggingFaceModel":  # fmt: skip
    """Open a model of the hub or of a folder.

    Args:
        source: a repository such as "facebook/dinov2-small", or a folder.
        revision: a branch, tag or commit of the repository; by default its main branch.
        image_size: pixels of each side, or (height, width); by default what the model was trained on.
        pooling: "first", "mean", "flatten" or a function of the last hidden state; None for what the model is meant to
            give. Models that embed text have no other.
        device: "cpu", "cuda", …; None is the first CUDA card, or else the processor.
        mixed_precision: as `TorchModel`.

    Raises:
        ModelError: if the files can neither be found nor fetched, are not those of a model that embeds images, or an
            option does not fit it.
        MissingExtraError: if torch or transformers is not installed.
    """
    name = f"hf:{source}"
    torch = imported("torch", "torch", f"model {name!r}")
    transformers = imported("transformers", "torch", f"model {name!r}")
    place = checked_device(torch, device)
    folder, commit = fetched(name, source, revision)
    preparation = preparation_in(name, folder, image_size)
    module, has_pooler = _opened(transformers, name, folder)
    _check_patches(name, module.config, preparation)
    embeds_text = hasattr(module, "get_image_features") and hasattr(module, "get_text_features")
    if embeds_text and pooling is not None:
        raise ModelError(
            f"model {name!r} embeds text into the space of images, which is that of its projected features: leave out "
            f"pooling={pooling!r}."
        )
    kind = HuggingFaceTextModel if embeds_text else HuggingFaceModel
    return kind(
        name, module, preparation, pooling, folder=folder, commit=commit, has_pooler=has_pooler, device=place,
        mixed_precision=mixed_precision,
    )  # fmt: skip


class HuggingFaceModel(TorchNetwork):
    """A model of transformers that embeds images; `load_hugging_face` makes it."""

    def __init__(
        self, name: str, module: Any, preparation: Preparation, pooling: Pooling, *, folder: Path, commit: str | None,
        has_pooler: bool, device: Any, mixed_precision: bool,
    ) -> None:  # fmt: skip
        super().__init__(name, module, preparation, pooling, device=device, mixed_precision=mixed_precision)
        self._folder = folder
        self._has_pooler = has_pooler
        self._known_weights = commit or super()._weights()  # nobody else holds the module, so they stay what they are
        self._options = _forward_options(module)

    def _weights(self) -> str:
        return self._known_weights

    def _output(self, numbers: Any) -> Any:
        result = self._module(pixel_values=numbers, **self._options)
        state = result.last_hidden_state
        if self._pooling is None:
            pooler = getattr(result, "pooler_output", None)
            if pooler is not None and self._has_pooler:
                return pooler
            if state.ndim != 3:
                return state
            return state[:, 0] if self._special_tokens(state) > 0 else state.mean(1)
        if self._pooling == "mean" and state.ndim == 3:
            return state[:, self._special_tokens(state) :]
        return state

    def _special_tokens(self, state: Any) -> int:
        """How many tokens stand before those of the patches: class and registers."""
        side = getattr(self._module.config, "patch_size", None)
        if not isinstance(side, int):
            return 0
        patches = (self.preparation.height // side) * (self.preparation.width // side)
        return max(0, int(state.shape[1]) - patches)


class HuggingFaceTextModel(HuggingFaceModel):
    """A model of transformers that embeds images and texts into one space: CLIP, SigLIP and their like."""

    _tokenizer: Any = None

    def embed_text(self, texts: Sequence[str]) -> FloatArray:
        """Embed texts into the space of the images.

        Returns:
            (len(texts), dim) float32, each row of length one.

        Raises:
            ModelError: if the model's files hold no tokenizer.
        """
        if self._tokenizer is None:
            self._tokenizer = self._opened_tokenizer()
        longest = self._module.config.text_config.max_position_embeddings
        # SigLIP was trained on texts filled up to full length, and with no mask that hides the filling.
        is_filled = self._module.config.model_type.startswith("siglip")
        tokens = self._tokenizer(
            list(texts),
            padding="max_length" if is_filled else True,
            truncation=True,
            max_length=longest,
            return_tensors="pt",
        )
        device, _ = self._place()
        known = {"input_ids"} if is_filled else set(inspect.signature(self._module.get_text_features).parameters)
        given = {key: value.to(device) for key, value in tokens.items() if key in known}
        with evaluating(self._module), self._torch.inference_mode(), self._precision(device):
            return self._array(_features(self._module.get_text_features(**given)))

    def _output(self, numbers: Any) -> Any:
        return _features(self._module.get_image_features(pixel_values=numbers, **self._options))

    def _array(self, output: Any) -> NDArray[np.float32]:
        vectors = super()._array(output)
        lengths = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1, keepdims=True))
        unit: NDArray[np.float32] = (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
        return unit

    def _opened_tokenizer(self) -> Any:
        transformers = imported("transformers", "torch", f"model {self.name!r}")
        try:
            if not any((self._folder / file).is_file() for file in _VOCABULARIES):
                raise FileNotFoundError(
                    f"none of {', '.join(_VOCABULARIES)} is there"
                )  # transformers makes an empty one
            return transformers.AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        except Exception as error:  # files that are missing or of another kind fail in many ways
            raise ModelError(
                f"model {self.name!r} cannot embed text: the tokenizer in {self._folder} cannot be opened "
                f"({_first_line(error)}). Put the model's tokenizer files there."
            ) from error


def _opened(transformers: Any, name: str, folder: Path) -> tuple[Any, bool]:
    """Load a model with all its weights; says also whether they hold a pooler."""
    try:
        with _quiet(transformers):
            module, found = transformers.AutoModel.from_pretrained(
                folder, output_loading_info=True, local_files_only=True
            )
    except Exception as error:  # a folder that holds something else fails in many ways
        raise ModelError(
            f"model {name!r} cannot be opened from {folder}: {_first_line(error)}. The folder needs config.json and "
            "the weights (model.safetensors), as `save_pretrained` writes them."
        ) from error
    if getattr(module, "main_input_name", "") != "pixel_values" and not hasattr(module, "get_image_features"):
        raise ModelError(f"model {name!r} is a {type(module).__name__}, which takes no images. Use a vision model.")
    missing = sorted(key for key in found["missing_keys"] if not key.endswith("mask_token"))
    has_pooler = not any(key.startswith("pooler.") for key in missing)
    missing = [key for key in missing if not key.startswith("pooler.")]
    if missing:
        raise ModelError(
            f"model {name!r} lacks {len(missing)} weights in {folder}, such as {missing[0]!r}: its vectors would be "
            "random. Use files that hold the whole model."
        )
    return module.float().eval(), has_pooler  # weights kept in half precision lose nothing


def _check_patches(name: str, config: Any, preparation: Preparation) -> None:
    vision = getattr(config, "vision_config", config)
    side = getattr(vision, "patch_size", None)
    if isinstance(side, int) and (preparation.height % side or preparation.width % side):
        raise ModelError(
            f"model {name!r} looks at patches of {side} pixels, and image_size={preparation.height} x "
            f"{preparation.width} is no multiple of that. Use image_size={max(1, preparation.height // side) * side}."
        )


def _forward_options(module: Any) -> dict[str, Any]:
    """Let positions be interpolated where another size than the trained one is given; DINO does so by itself."""
    forward = getattr(module, "get_image_features", module.forward)
    return (
        {"interpolate_pos_encoding": True}
        if "interpolate_pos_encoding" in inspect.signature(forward).parameters
        else {}
    )


def _features(result: Any) -> Any:
    """The projected features: transformers 4 gives the tensor alone, transformers 5 an output that holds it."""
    return getattr(result, "pooler_output", result)


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep bars and remarks about weights back: what is wrong with them becomes an error here."""
    logging = transformers.utils.logging
    verbosity, had_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bar:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:300]
