"""From files to vectors: each file is opened once, decoded, put in a batch and embedded, whole or by its regions.

A file that is missing or broken becomes a reason in the batch, not an exception. Which files, and where vectors and
reasons are kept, is `operations.embeddings`.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ...dataset.errors import UnreadableMediaError, WrongOutputShapeError
from ...dataset.types import RGBImage
from ..kernels.regions import mean_vector
from .protocol import EmbeddingModel

BATCH_SIZE = 32
_PIXELS = 1 << 26  # a batch of huge images is closed early: this many pixels are 200 MB


@dataclass(frozen=True)
class EmbeddedBatch:
    """What became of some of the files.

    Attributes:
        positions: which of the given paths the rows of `vectors` belong to.
        vectors: (len(positions), d) float32, all finite.
        failures: the reason for every path that has no vector, by position.
    """

    positions: list[int]
    vectors: NDArray[np.float32]
    failures: dict[int, str] = field(default_factory=dict)


Crops = Callable[[int, RGBImage], Sequence[RGBImage]]
"""Gives the parts of an image that are to be embedded, at least one, by the image's position among the paths."""


def embed_files(
    paths: Sequence[str], model: EmbeddingModel, *, batch_size: int = BATCH_SIZE, crops: Crops | None = None
) -> Iterator[EmbeddedBatch]:
    """Embed image files in the order given.

    Args:
        paths: image files.
        model: what embeds them.
        batch_size: images per call of the model; fewer where they are very large.
        crops: embed these parts of each image instead of the image; its vector is theirs by `mean_vector`.

    Yields:
        Batches that cover every path exactly once.

    Raises:
        WrongOutputShapeError: if the model does not return one row of numbers per image.
    """
    positions: list[int] = []
    images: list[RGBImage] = []  # several of them may have the same position
    failures: dict[int, str] = {}
    for position, path in enumerate(paths):
        try:
            image = decode_image(path)
        except UnreadableMediaError as error:
            failures[position] = str(error)
        else:
            # Copied, or a crop would keep the whole image in memory until its batch is full.
            parts = [image] if crops is None else [part.copy() for part in crops(position, image)]
            images += parts
            positions += [position] * len(parts)
        full = len(positions) + len(failures) >= batch_size or sum(i.shape[0] * i.shape[1] for i in images) > _PIXELS
        if full or position == len(paths) - 1:
            yield _embed(model, positions, images, failures, batch_size)
            positions, images, failures = [], [], {}


def decode_image(path: str | Path) -> RGBImage:
    """Decode one image file as it is meant to be seen.

    The EXIF orientation is applied. Grey, palette, CMYK and other colour spaces become RGB; transparent parts show
    white, as in a browser; 16-bit grey is divided by 257; floats are taken as 0..1, or as 0..255 if one is larger
    than 1. Of an animation, the first frame is decoded.

    Returns:
        (height, width, 3) uint8.

    Raises:
        UnreadableMediaError: if the file cannot be opened or decoded. The message is the reason alone.
    """
    with decoder() as decode:
        return decode(path)


@contextmanager
def decoder() -> Iterator[Callable[[str | Path], RGBImage]]:
    """Give `decode_image` for use in several threads, inside a `with` block.

    Pillow warns of odd metadata and of large sizes; what it cannot decode, and what is too large, it raises. The filter
    of warnings belongs to the process, so it is set once around all threads and not in each.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield _decode


def _decode(path: str | Path) -> RGBImage:
    try:
        with Image.open(path) as image:
            return _to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # a decoder fed with garbage raises whatever its parser stumbles over
        raise UnreadableMediaError(_reason(Path(path), error)) from error


def _to_rgb(image: Image.Image) -> RGBImage:
    if image.mode.startswith("I") or image.mode == "F":
        grey = _to_eight_bits(np.asarray(image))
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    grey = np.nan_to_num(values.astype(np.float64))
    largest = grey.max(initial=0.0)
    if values.dtype.kind == "f":
        grey = grey * 255 if largest <= 1 else grey
    elif values.dtype == np.uint16 or largest > 255:
        grey = grey / 257
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file does not exist"
    if isinstance(error, IsADirectoryError):
        return "the path is a folder"
    if isinstance(error, PermissionError):
        return "the file may not be read (permission denied)"
    if isinstance(error, UnidentifiedImageError):
        return "the file is empty" if path.stat().st_size == 0 else "the file is not an image of a known kind"
    return f"the image cannot be decoded: {str(error) or type(error).__name__}"


def _embed(
    model: EmbeddingModel, positions: list[int], images: list[RGBImage], failures: dict[int, str], batch_size: int
) -> EmbeddedBatch:
    if not images:
        return EmbeddedBatch([], np.empty((0, model.dim or 0), dtype=np.float32), failures)
    starts = range(0, len(images), batch_size)
    vectors = np.concatenate([_vectors(model, images[start : start + batch_size]) for start in starts])
    owners, first = np.unique(positions, return_index=True)
    if len(owners) < len(positions):
        vectors = np.stack([mean_vector(rows) for rows in np.split(vectors, first[1:])])
    finite = np.isfinite(vectors).all(axis=1).reshape(-1)
    for row in np.flatnonzero(~finite):
        failures[int(owners[row])] = f"model {model.name!r} returned NaN or infinity"
    return EmbeddedBatch(owners[finite].tolist(), vectors[finite], failures)


def _vectors(model: EmbeddingModel, images: list[RGBImage]) -> NDArray[np.float32]:
    returned = np.asarray(model.embed(images))
    if returned.ndim != 2 or len(returned) != len(images) or returned.shape[1] == 0 or returned.dtype.kind not in "fiu":
        raise WrongOutputShapeError(
            f"model {model.name!r} returned shape {returned.shape}, {returned.dtype}, for {len(images)} images; "
            f"expected ({len(images)}, d) numbers. Return one flat row per image."
        )
    return returned.astype(np.float32)
