"""Keras models: applications by name ("tf:MobileNetV2"), files ("tf:net.keras"), and objects.

An application gets pixels as its own `preprocess_input` makes them, and gives the mean over all places of its last
maps. Other models get pixels in 0..1; `scale`, `mean` and `std` say otherwise.
"""

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import ModelError, hint
from .extras import imported
from .image_input import ImageInput, image_input
from .network import Network, weights_hash
from .pooling import Pooling
from .preparation import Preparation, Resize, checked_sides, preparation_of

_FILES = (".keras", ".h5", ".hdf5")
_OWN_SIZES = {
    "Xception": 299, "InceptionV3": 299, "InceptionResNetV2": 299, "NASNetLarge": 331,
    "EfficientNetB1": 240, "EfficientNetB2": 260, "EfficientNetB3": 300, "EfficientNetB4": 380, "EfficientNetB5": 456,
    "EfficientNetB6": 528, "EfficientNetB7": 600, "EfficientNetV2B1": 240, "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300, "EfficientNetV2S": 384, "EfficientNetV2M": 480, "EfficientNetV2L": 480,
}  # fmt: skip
"""What applications were trained on, where that is not 224 pixels."""


class KerasModel(Network):
    """Embeds with a Keras model."""

    channels_first = False

    def __init__(
        self, source: Any, *, image_size: int | tuple[int, int] | None = None, resize: Resize = "squeeze",
        weights: str | None = "imagenet", scale: float | None = None, mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None, pooling: Pooling = None, device: str | None = None,
        name: str | None = None,
    ) -> None:  # fmt: skip
        """Open or wrap a model.

        Args:
            source: the name of an application, a .keras or .h5 file, or a model.
            image_size: pixels of each side, or (height, width); by default what the model takes.
            resize: as `TorchModel`.
            weights: of an application: "imagenet", a file of weights, or None for random ones.
            scale: what pixels 0..255 are multiplied by, 1/255 by default; 1 where the model scales them itself.
            mean: of each channel or of all, subtracted after that; 0 by default.
            std: what is divided by at the end; 1 by default.
            pooling: as `TorchModel`.
            device: "cpu", "cuda", or None for what Keras chooses.
            name: kept with the vectors; by default "tf:…" as it was asked for, or the class of the model.

        Raises:
            ModelError: if there is no such model, its weights cannot be fetched, or an option does not fit it.
            MissingExtraError: if tensorflow is not installed.
        """
        chosen = name or (f"tf:{source}" if isinstance(source, str) else type(source).__name__)
        self._keras = keras = imported("keras", "tensorflow", f"model {chosen!r}")
        self._place = _place(keras, device)
        self._preprocess: Any = None
        if isinstance(source, str) and not source.endswith(_FILES):
            if not (scale is None and mean is None and std is None):
                raise ModelError(f"model {chosen!r} prepares pixels itself. Leave scale=, mean= and std= out.")
            self._model, self._preprocess, preparation = _application(
                keras, chosen, source, image_size, resize, weights
            )
        else:
            if weights != "imagenet":
                raise ModelError(f"weights={weights!r} is for applications by name; {chosen!r} brings its own.")
            self._model = _from_file(keras, chosen, source) if isinstance(source, str) else source
            takes = _input_of(chosen, self._model)
            preparation = preparation_of(
                takes.size(chosen, image_size), resize, is_grey=takes.channels == 1,
                scale=1 / 255 if scale is None else scale, mean=0.0 if mean is None else mean,
                std=1.0 if std is None else std,
            )  # fmt: skip
            self.channels_first = takes.channels_first
        super().__init__(chosen, preparation, pooling)
        if not self._model.built:
            self._model(np.zeros((1, preparation.height, preparation.width, preparation.channels), np.float32))

    def _weights(self) -> str:
        numbered = enumerate(self._model.weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # tensorflow hands arrays over in NumPy 1's way
            return weights_hash((str(at), self._keras.ops.convert_to_numpy(weight)) for at, weight in numbered)

    def _forward(self, batch: NDArray[np.uint8]) -> Any:
        numbers = self.preparation.numbers(batch, channels_first=self.channels_first)
        if self._preprocess is not None:
            numbers = np.asarray(self._preprocess(numbers), dtype=np.float32)
        with self._place:
            return self._model.predict_on_batch(numbers)  # a compiled graph; a direct call takes ten times as long


def _application(
    keras: Any, name: str, application: str, image_size: int | tuple[int, int] | None, resize: Resize,
    weights: str | None,
) -> tuple[Any, Any, Preparation]:  # fmt: skip
    """Build an application; gives the model, how it wants its pixels, and their size."""
    families = [getattr(keras.applications, part) for part in dir(keras.applications) if part.islower()]
    known = {part for part in dir(keras.applications) if part[0].isupper()}
    owner = next((family for family in families if application in known and hasattr(family, application)), None)
    if owner is None:
        raise ModelError(
            f"model {name!r} is neither a Keras application nor a .keras or .h5 file. "
            f"{hint(application, known, 'Applications')}"
        )
    size = _OWN_SIZES.get(application, 224) if image_size is None else image_size
    preparation = preparation_of(size, resize, scale=1.0)
    height, width = (size, size) if isinstance(size, int) else checked_sides(size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "weights for 224 will be loaded" is meant
            model = getattr(keras.applications, application)(
                include_top=False, pooling="avg", weights=weights, input_shape=(height, width, 3)
            )
    except Exception as error:  # what a download or a wrong size raises differs between versions of Keras
        raise ModelError(_remedies(name, application, str(error).strip(), weights)) from error
    return model, owner.preprocess_input, preparation


def _remedies(name: str, application: str, reason: str, weights: str | None) -> str:
    start = f"model {name!r} cannot be made: {reason[:400].rstrip('.')}."
    if weights != "imagenet" or "fetch" not in reason.lower():
        return start
    return (
        f"{start} Do one of these: bring the file of that URL, under its name, into the folder models of ~/.keras (or "
        "of the folder that the environment variable KERAS_HOME names); give it as weights='/path/of/the/file.h5'; "
        f"save keras.applications.{application}(include_top=False, pooling='avg') as a .keras file where there is a "
        "network, and name that file; or use another model: 'builtin' needs no download."
    )


def _from_file(keras: Any, name: str, source: str) -> Any:
    path = Path(source).expanduser()
    if not path.is_file():
        raise ModelError(f"model {name!r}: there is no file {path}.")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # a file of another kind fails in many ways
        raise ModelError(f"model {name!r} cannot be opened: {str(error).strip()[:300]}") from error


def _input_of(name: str, model: Any) -> ImageInput:
    try:
        shape = model.input_shape
    except (AttributeError, ValueError):  # it has not been called yet
        return ImageInput(None, None, 3, channels_first=False)
    if isinstance(shape, list | dict):
        raise ModelError(f"model {name!r} takes {len(shape)} inputs; expected one batch of images.")
    return image_input(name, shape)


def _place(keras: Any, device: str | None) -> AbstractContextManager[Any]:
    if device is None:
        return nullcontext()
    if device not in ("cpu", "cuda"):
        raise ModelError(f"device={device!r} is unknown. Use 'cpu', 'cuda' or None.")
    if device == "cuda" and keras.backend.backend() == "tensorflow":
        tensorflow = imported("tensorflow", "tensorflow", "device='cuda'")
        if not tensorflow.config.list_physical_devices("GPU"):
            raise ModelError("device='cuda' was asked for, and tensorflow finds no card. Use 'cpu' or None.")
    place: AbstractContextManager[Any] = keras.device("cpu:0" if device == "cpu" else "gpu:0")
    return place
