"""Files of masks and of per-pixel probabilities: what the verbs on Segmentation labels read."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import FieldKindError, UnreadableMediaError
from ...dataset.types import SampleId

_ROWS = 64


def open_probabilities(path: str, sample_id: SampleId) -> NDArray[Any]:
    """Open a `.npy` file of (height, width, classes); nothing of it is read yet.

    Raises:
        UnreadableMediaError: if it is no such file, naming it and the sample.
    """
    try:
        image: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        if image.ndim != 3:
            raise ValueError(f"it has shape {image.shape}; expected (height, width, classes)")
    except (OSError, ValueError, EOFError) as error:
        raise UnreadableMediaError(f"the probabilities {path} of sample {sample_id} cannot be read: {error}") from error
    return image


def read_rows(image: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Read an image some rows at a time."""
    for start in range(0, len(image), _ROWS):
        yield np.asarray(image[start : start + _ROWS], dtype=np.float64)


def read_mask(mask: NDArray[Any] | None, path: str | None, field: str, sample_id: SampleId) -> NDArray[np.int64] | None:
    """Give the mask of a label, (height, width) numbers, from its document or else its file; None if it has neither.

    Raises:
        UnreadableMediaError: if the file is no image, naming it and the sample.
        FieldKindError: if it holds colours.
    """
    if mask is None and path is None:
        return None
    found = mask_in_file(path, sample_id) if mask is None and path is not None else np.asarray(mask)
    if found.ndim != 2:
        raise FieldKindError(
            f"the mask in {field!r} of sample {sample_id} has shape {found.shape}; expected one class number for each "
            "pixel, (height, width). Turn colours into numbers first."
        )
    return found.astype(np.int64)


def mask_in_file(path: str, sample_id: SampleId, mode: str | None = None) -> NDArray[Any]:
    """Read the pixels of an image file, in a mode of Pillow's if one is given.

    Raises:
        UnreadableMediaError: if it is no image, naming it and the sample.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(image if mode is None else image.convert(mode))
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UnreadableMediaError(f"the mask {path} of sample {sample_id} cannot be read: {error}") from error
