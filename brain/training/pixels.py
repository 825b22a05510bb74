"""Images for training: each file is decoded once, made small, and kept as bytes, in memory or else in one mapped file.

Networks of this size look at squares of some dozen pixels, so 100,000 photos are a few gigabytes. How images are
decoded is `models.streaming`, how they are squeezed `models.preparation`.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128

from ...dataset.errors import ModelError, UnreadableMediaError
from ...dataset.media.image import open_image
from ...dataset.media.streaming import Place, stream
from ...dataset.progress import shown
from ...dataset.settings import current
from ...dataset.types import Progress, RGBImage
from ..models.preparation import squeezed
from ..models.streaming import WHOLE_VIDEO

_IN_MEMORY = 1 << 30


@dataclass
class Pixels:
    """Small images, one per file that could be read.

    Attributes:
        images: (n, size, size, 3) uint8; mapped from a file where it is large.
        positions: which of the given places each belongs to.
        failures: why the others could not be read, by position.
    """

    images: NDArray[np.uint8]
    positions: list[int] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)

    def digest(self) -> str:
        """32 hexadecimal digits of all pixels."""
        digest = xxh3_128()
        for image in self.images:
            digest.update(image.tobytes())
        return digest.hexdigest()

    def are_all_equal(self) -> bool:
        """Whether every image shows the same as the first."""
        return all(np.array_equal(image, self.images[0]) for image in self.images[1:])


@contextmanager
def read_pixels(
    places: Sequence[Place], size: int, progress: Progress = None, *, in_memory: int = _IN_MEMORY
) -> Iterator[Pixels]:
    """Read images for the time of a `with` block.

    Args:
        places: images, or frames of videos.
        size: the side to which each is squeezed.
        progress: whether to show a bar while they are read.
        in_memory: bytes above which the images lie in a file in the cache folder, which is removed at the end.

    Yields:
        The images. Files that cannot be read are counted, not raised.

    Raises:
        ModelError: if the file would be larger than the cache may be, or than the disk has room for.
    """
    shape = (len(places), size, size, 3)
    folder = None
    try:
        if np.prod(shape) <= in_memory:
            images = np.empty(shape, dtype=np.uint8)
        else:
            folder = _folder_for(int(np.prod(shape)), len(places), size)
            images = np.lib.format.open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
        found = Pixels(images)
        with shown(len(places), progress) as advance:
            for position, image in stream(places, _Squeezing(size)):
                if isinstance(image, UnreadableMediaError):
                    found.failures[position] = str(image)
                else:
                    images[len(found.positions)] = image
                    found.positions.append(position)
                advance(1)
        found.images = images[: len(found.positions)]
        yield found
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class _Squeezing:
    """Decodes and squeezes each image."""

    def __init__(self, size: int) -> None:
        self._size = size

    def image(self, data: bytes, positions: Sequence[int]) -> list[NDArray[np.uint8]]:
        return [squeezed(open_image(data).decode(2 * self._size).pixels, self._size)] * len(positions)

    def frame(self, pixels: RGBImage, positions: Sequence[int]) -> list[NDArray[np.uint8]]:
        return [squeezed(pixels, self._size)] * len(positions)

    def video(self, _file: BinaryIO, _positions: Sequence[int]) -> list[NDArray[np.uint8]]:
        raise UnreadableMediaError(WHOLE_VIDEO)


def _folder_for(needed: int, count: int, size: int) -> Path:
    place = current().cache_dir / "training"
    place.mkdir(parents=True, exist_ok=True)
    free, allowed = shutil.disk_usage(place).free, int(current().cache_gb * 1e9)
    if needed > min(free, allowed):
        bound = f"the setting cache_gb allows {allowed / 1e9:.3g}" if allowed < free else f"{free / 1e9:.3g} are free"
        raise ModelError(
            f"{count:,} images of {size} x {size} pixels take {needed / 1e9:.3g} GB in {place}, and {bound}. Train on "
            "a view of fewer images, such as dataset.take(100_000), or with a smaller image_size."
        )
    return Path(tempfile.mkdtemp(prefix="pixels-", dir=place))
