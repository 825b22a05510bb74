"""Trained models by name: their weights in files under the data folder, their records in the catalogue.

Training is `saccade.brain.training`; here is what remains of it: a network that embeds images, on any machine that has
the file and torch.
"""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128

from ...dataset.errors import ModelError, hint
from ...dataset.settings import current
from ...dataset.store import model_records
from ...dataset.types import Bson, FloatArray, RGBImage
from .extras import imported
from .preparation import squeezed
from .torch_module import checked_device

if TYPE_CHECKING:
    import torch

_BATCH = 32
"""The network always gets so many: fewer are rounded differently, and a vector would depend on its company."""


class TrainedModel:
    """A network that was trained on one's own images. Its vectors have length one.

    Attributes:
        name: its name in the catalogue.
        version: a hash of the network and its weights: it changes whenever the same image would get another vector.
        dim: length of a vector.
        image_size: the side in pixels to which images are squeezed.
        shortest_side: twice that; see `PreparingModel`.
    """

    def __init__(
        self, backbone: str, image_size: int, dimension: int, weights: Mapping[str, "torch.Tensor"], *,
        name: str = "trained", device: Any = "cpu",
    ) -> None:  # fmt: skip
        """Put weights into their network.

        Args:
            backbone: one of `saccade.brain.models.backbones.BACKBONES`.
            image_size: the side of its images.
            dimension: the length of its vectors.
            weights: the network's `state_dict`.
            name: kept with the vectors.
            device: where it computes.

        Raises:
            ModelError: if the weights are those of another network.
        """
        from .backbones import build_backbone

        self.name, self.dim, self.image_size = name, dimension, image_size
        self.shortest_side = 2 * image_size
        self._network = build_backbone(backbone, image_size, dimension)
        try:
            self._network.load_state_dict(dict(weights))
        except RuntimeError as error:
            raise ModelError(f"model {name!r} cannot be used: its weights are not those of {backbone!r}.") from error
        self.version = version_of(backbone, image_size, weights)
        self._device = device
        self._network.to(device).eval()

    def __repr__(self) -> str:
        """Show the name and version that are kept with the vectors."""
        return f"TrainedModel(name={self.name!r}, version={self.version!r}, dim={self.dim})"

    def prepare(self, image: RGBImage) -> NDArray[np.uint8]:
        """Squeeze an image to what the network looks at, (image_size, image_size, 3) uint8. Threads may call it.

        Raises:
            ModelError: if the image is not (height, width, 3) uint8 with at least one pixel.
        """
        return squeezed(image, self.image_size)

    def embed_prepared(self, prepared: Sequence[NDArray[Any]]) -> FloatArray:
        """Embed what `prepare` gave; (len(prepared), dim) float32, each row of length one."""
        from .backbones import embed_pixels

        vectors: NDArray[np.float32] = np.empty((len(prepared), self.dim), dtype=np.float32)
        for start in range(0, len(prepared), _BATCH):
            part = prepared[start : start + _BATCH]
            batch = np.zeros((_BATCH, self.image_size, self.image_size, 3), dtype=np.uint8)
            batch[: len(part)] = part
            vectors[start : start + _BATCH] = (
                embed_pixels(self._network, batch, self._device)[: len(part)].cpu().numpy()
            )
        return vectors

    def embed(self, images: Sequence[RGBImage]) -> FloatArray:
        """Embed images of any size.

        Returns:
            (len(images), dim) float32, each row of length one.

        Raises:
            ModelError: if an image is not (height, width, 3) uint8 with at least one pixel.
        """
        return self.embed_prepared([self.prepare(image) for image in images])


def version_of(backbone: str, image_size: int, weights: Mapping[str, "torch.Tensor"]) -> str:
    """16 hexadecimal digits that stand for a network and its weights."""
    digest = xxh3_128(f"1 {backbone} {image_size}".encode())
    for name in sorted(weights):
        array = weights[name].detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.shape} {array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


# --- by name --------------------------------------------------------------------------------------------------------


def find_trained(name: str, device: str | None = None) -> TrainedModel | None:
    """Load the trained model called `name`; None if there is none.

    Args:
        name: the model's name.
        device: where it computes; None takes a GPU if there is one.

    Raises:
        ModelError: if its file is missing or damaged, or there is no such device.
        MissingExtraError: if torch is not installed.
    """
    record = model_records.find_model(name)
    return None if record is None else load_record(record, device)


def load_record(record: Bson, device: str | None = None) -> TrainedModel:
    """Load the model that a record of the catalogue describes; see `find_trained`.

    Raises:
        ModelError: if its file is missing or damaged, or there is no such device.
        MissingExtraError: if torch is not installed.
    """
    torch = imported("torch", "torch", f"model {record['name']!r}")
    reading = imported("safetensors.torch", "torch", f"model {record['name']!r}")
    file = models_folder() / record["file"]
    if not file.is_file():
        raise ModelError(
            f"the weights of model {record['name']!r} are not there: {file} does not exist. Copy the file from the "
            f"machine that trained it, train it again with overwrite=True, or delete_model({record['name']!r})."
        )
    try:
        weights = reading.load_file(file)
    except Exception as error:  # whatever its parser stumbles over
        raise ModelError(f"the weights of model {record['name']!r} in {file} cannot be read: {error}") from error
    model = TrainedModel(
        record["backbone"], record["image_size"], record["dimension"], weights, name=record["name"],
        device=checked_device(torch, device),
    )  # fmt: skip
    if model.version != record["version"]:
        raise ModelError(
            f"the weights in {file} are not those of model {record['name']!r}, version {record['version']}. Train it "
            "again with overwrite=True."
        )
    return model


def trained_names() -> list[str]:
    """The names of the trained models, sorted."""
    return [record["name"] for record in model_records.model_records()]


def list_models(*, info: bool = False) -> list[Any]:
    """The models that were trained here, sorted by name.

    Args:
        info: give dicts of facts instead of names.

    Example:
        ```python
        scb.compute_embeddings(dataset, model=scb.list_models()[0])
        ```
    """
    if not info:
        return trained_names()
    keys = ("name", "version", "backbone", "dimension", "image_size", "method", "dataset_name", "created_at")
    return [
        {key: record.get(key) for key in keys} | {"file": str(models_folder() / record["file"])}
        for record in model_records.model_records()
    ]


def delete_model(name: str) -> None:
    """Delete a trained model and its weights. Vectors that it made stay. This cannot be undone.

    Raises:
        ModelError: if there is none, listing those there are.
    """
    record = model_records.remove_model(name)
    if record is None:
        raise ModelError(f"no trained model {name!r}. {hint(name, trained_names(), 'Trained models')}")
    _remove_file(record["file"])


def keep_model(values: Bson, weights: Mapping[str, "torch.Tensor"]) -> Bson:
    """Write a model's file and record; a model of that name is replaced.

    Args:
        values: the entries of the record but `version` and `file`.
        weights: the network's `state_dict`.

    Returns:
        The record.
    """
    from safetensors.torch import save

    version = version_of(values["backbone"], values["image_size"], weights)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", values["name"]).strip("-")[:40] or "model"
    file = f"{slug}-{version}.safetensors"
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    about = {"saccade": values["name"], "backbone": values["backbone"], "image_size": str(values["image_size"])}
    write_whole(models_folder() / file, save(plain, metadata=about))
    record = {**values, "version": version, "file": file}
    replaced = model_records.save_model(record)
    if replaced is not None:
        _remove_file(replaced["file"])
    return record


def models_folder() -> Path:
    """Where the weights lie."""
    return current().data_dir / "models"


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all, also after a power failure."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _remove_file(file: str) -> None:
    if not model_records.is_file_used(file):  # equal weights under two names may share one
        (models_folder() / file).unlink(missing_ok=True)
