"""From files to vectors and figures: each file is read once, decoded, put in a batch and embedded.

A file that is missing or broken becomes a reason in the batch, not an exception. Which files, and where vectors,
figures and reasons are kept, is `operations.media_pass`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import UnreadableMediaError, WrongOutputShapeError
from ...dataset.media.inspection import Inspection, Wanted, inspect_image, inspect_pixels, inspect_video
from ...dataset.media.streaming import Place, stream
from ...dataset.types import FloatArray, RGBImage
from ..kernels.regions import mean_vector
from .protocol import EmbeddingModel, PreparingModel

BATCH_SIZE = 32
_PIXELS = 1 << 26  # a batch of huge images is closed early: this many pixels are 200 MB

PIXELS = Wanted(pixels=True, check=False)
"""What a model wants of a file."""
WHOLE_VIDEO = "a video as a whole has no vector. Make samples of its frames: add_videos(..., fps=1)"


@dataclass(frozen=True)
class EmbeddedBatch:
    """What became of some of the files.

    Attributes:
        positions: which of the given places the rows of `vectors` belong to.
        vectors: (len(positions), d) float32, all finite; (0, 0) without a model.
        failures: the reason for every place that has no vector, or without a model cannot be read, by position.
        inspections: what else was wanted, for every place in the batch, by position; without pixels.
        parts: which part of its image each row of `vectors` is, from 0; 0 for all where parts are joined.
    """

    positions: list[int]
    vectors: NDArray[np.float32]
    failures: dict[int, str] = field(default_factory=dict)
    inspections: dict[int, Inspection] = field(default_factory=dict)
    parts: list[int] = field(default_factory=list)


Crops = Callable[[int, RGBImage], Sequence[RGBImage]]
"""Gives the parts of an image that are to be embedded, at least one, by the image's position among the places."""


def embed_files(
    places: Sequence[Place],
    model: EmbeddingModel | None,
    *,
    wanted: Callable[[int], Wanted] = lambda _position: PIXELS,
    batch_size: int = BATCH_SIZE,
    crops: Crops | None = None,
    join: bool = True,
    num_workers: int | None = None,
) -> Iterator[EmbeddedBatch]:
    """Look at files in the order given, and embed them if there is a model.

    Args:
        places: images, or frames of videos.
        model: what embeds them.
        wanted: what else is to be found out about the place at a position; only those that want pixels are embedded.
        batch_size: images per call of the model; fewer where they are very large.
        crops: embed these parts of each image instead of the image.
        join: give one vector for each image, by `mean_vector` of its parts; else one for each part, the parts of an
            image beside each other.
        num_workers: how many threads decode; the results are the same for any number.

    Yields:
        Batches that cover every place exactly once.

    Raises:
        WrongOutputShapeError: if the model does not return one row of numbers per image.
        SourceUnavailableError: if a bucket as a whole cannot be read any more.
    """
    opened = None if model is None else _Opened.of(model)
    work = _Look(opened, wanted, crops)
    batch = _Batch(opened, batch_size, join=join)
    for position, found in stream(places, work, num_workers=num_workers):
        batch.add(position, found)
        if batch.is_full:
            yield batch.embedded()
            batch = _Batch(opened, batch_size, join=join)
    if batch.inspections:
        yield batch.embedded()


@dataclass(frozen=True)
class _Opened:
    """A model, asked once what it can do: some take long to say."""

    name: str
    dim: int | None
    shortest_side: int | None
    prepare: Callable[[RGBImage], NDArray[Any]] | None
    embed: Callable[[Sequence[NDArray[Any]]], FloatArray]

    @classmethod
    def of(cls, model: EmbeddingModel) -> "_Opened":
        if isinstance(model, PreparingModel):
            side = getattr(model, "shortest_side", None)
            return cls(model.name, model.dim, side, model.prepare, model.embed_prepared)
        return cls(model.name, model.dim, None, None, model.embed)


@dataclass(frozen=True)
class _Looked:
    inspection: Inspection
    prepared: Sequence[NDArray[Any]] | None = None
    failure: str | None = None


class _Look:
    """What the threads do with each file."""

    def __init__(self, model: _Opened | None, wanted: Callable[[int], Wanted], crops: Crops | None) -> None:
        self._model = model
        self._wanted = wanted
        self._crops = crops

    def image(self, data: bytes, positions: Sequence[int]) -> list[_Looked]:
        inspection = inspect_image(data, self._all_wanted(positions))
        return [self._looked(inspection, position) for position in positions]

    def frame(self, pixels: RGBImage, positions: Sequence[int]) -> list[_Looked]:
        inspection = inspect_pixels(pixels, self._all_wanted(positions))
        return [self._looked(inspection, position) for position in positions]

    def video(self, file: BinaryIO, positions: Sequence[int]) -> list[_Looked]:
        inspection = inspect_video(file, self._all_wanted(positions))
        return [
            _Looked(inspection, failure=WHOLE_VIDEO if self._wanted(position).pixels else None)
            for position in positions
        ]

    def _all_wanted(self, positions: Sequence[int]) -> Wanted:
        wanted = self._wanted(positions[0])
        for position in positions[1:]:
            wanted |= self._wanted(position)
        # Regions are cut out of all pixels: what is small in the image must not become smaller still.
        side = None if self._model is None or self._crops is not None else self._model.shortest_side
        return replace(wanted, shortest=side)

    def _looked(self, inspection: Inspection, position: int) -> _Looked:
        pixels, kept = inspection.pixels, replace(inspection, pixels=None)
        if pixels is None or self._model is None or not self._wanted(position).pixels:
            return _Looked(kept)
        parts = [pixels] if self._crops is None else self._crops(position, pixels)
        if self._model.prepare is not None:
            return _Looked(kept, [self._model.prepare(part) for part in parts])
        # Copied, or a crop would keep the whole image in memory until its batch is full.
        return _Looked(kept, parts if self._crops is None else [part.copy() for part in parts])


class _Batch:
    """Images that come together until the model is called."""

    def __init__(self, model: _Opened | None, batch_size: int, *, join: bool) -> None:
        self._model = model
        self._size = batch_size
        self._join = join
        self._positions: list[int] = []
        self._prepared: list[NDArray[Any]] = []  # several of them may have the same position
        self._pixels = 0
        self._failures: dict[int, str] = {}
        self.inspections: dict[int, Inspection] = {}

    def add(self, position: int, found: "_Looked | UnreadableMediaError") -> None:
        if isinstance(found, UnreadableMediaError):
            found = _Looked(Inspection(error=str(found)))
        self.inspections[position] = found.inspection
        if found.prepared is not None:
            self._prepared += found.prepared
            self._positions += [position] * len(found.prepared)
            self._pixels += sum(part.size for part in found.prepared) // 3
        elif reason := found.inspection.error or found.failure:
            self._failures[position] = reason

    @property
    def is_full(self) -> bool:
        count = max(len(self._positions), len(self.inspections))
        return count >= self._size or self._pixels > _PIXELS

    def embedded(self) -> EmbeddedBatch:
        if self._model is None or not self._prepared:
            nothing = np.empty((0, (self._model and self._model.dim) or 0), dtype=np.float32)
            return EmbeddedBatch([], nothing, self._failures, self.inspections)
        starts = range(0, len(self._prepared), self._size)
        vectors = np.concatenate([_vectors(self._model, self._prepared[s : s + self._size]) for s in starts])
        owners = np.asarray(self._positions)
        begins = np.flatnonzero(np.diff(owners, prepend=-1))
        parts = np.arange(len(owners)) - np.repeat(begins, np.diff(begins, append=len(owners)))
        if self._join:
            if len(begins) < len(owners):
                vectors = np.stack([mean_vector(rows) for rows in np.split(vectors, begins[1:])])
            owners, parts = owners[begins], parts[begins]
        finite = np.isfinite(vectors).all(axis=1).reshape(-1)
        for row in np.flatnonzero(~finite):
            self._failures[int(owners[row])] = f"model {self._model.name!r} returned NaN or infinity"
        return EmbeddedBatch(
            owners[finite].tolist(), vectors[finite], self._failures, self.inspections, parts[finite].tolist()
        )


def _vectors(model: _Opened, images: list[NDArray[Any]]) -> NDArray[np.float32]:
    returned = np.asarray(model.embed(images))
    if returned.ndim != 2 or len(returned) != len(images) or returned.shape[1] == 0 or returned.dtype.kind not in "fiu":
        raise WrongOutputShapeError(
            f"model {model.name!r} returned shape {returned.shape}, {returned.dtype}, for {len(images)} images; "
            f"expected ({len(images)}, d) numbers. Return one flat row per image."
        )
    return returned.astype(np.float32)
