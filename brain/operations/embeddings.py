"""`compute_embeddings`: a vector for every image. Decoding and batching are `models.streaming`."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset import columns, runs
from ...dataset.errors import ModelError, UnreadableMediaError
from ...dataset.progress import shown
from ...dataset.types import Progress, RGBImage, SampleId
from ..models.protocol import EmbeddingModel
from ..models.registry import get_model
from ..models.streaming import BATCH_SIZE, Crops, embed_files
from .regions import RegionOptions, Regions

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_WRITE_ROWS = 2_000
_WRITE_SECONDS = 5.0
_SHOWN_FAILURES = 10


def compute_embeddings(
    samples: "SampleCollection",
    model: Any = "builtin",
    embeddings_field: str = "embedding",
    batch_size: int | None = None,
    *,
    skip_failures: bool = True,
    overwrite: bool = False,
    progress: Progress = None,
) -> runs.Run:
    """Embed the image of every sample that has no vector yet.

    What is done is kept: a pass that was stopped, or a dataset that has grown, goes on with what is missing. Images
    that failed before are tried again.

    Args:
        samples: a dataset or view.
        model: "builtin"; an embedding model (`saccade.brain.models.protocol`); a function of a list of
            (height, width, 3) uint8 images; or a scikit-learn transformer fitted on pixel rows.
        embeddings_field: the vector field to fill.
        batch_size: images per call of the model, 32 by default.
        skip_failures: note broken and missing files and go on. Otherwise the first one is an error.
        overwrite: embed all samples anew, and write them in one step at the end. It is needed to put another model's
            vectors into the field, and `samples` must then hold every sample that has one.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run; its `summary` counts what was embedded, what had a vector already, and what failed.

    Writes:
        `embeddings_field`, one vector per sample, in an action every few seconds; and, on samples whose file failed,
        the reason in `<embeddings_field>_error` (removed when it succeeds later).

    Raises:
        ModelError: if there is no such model, the field holds another model's vectors, or `batch_size` is below 1.
        WrongOutputShapeError: if the model does not return one row of numbers per image.
        UnreadableMediaError: if a file fails and `skip_failures` is False.

    Example:
        ```python
        scb.compute_embeddings(dataset)
        dataset.exists("embedding_error").values(["filepath", "embedding_error"])
        ```
    """
    return fill_embeddings(
        samples, model, embeddings_field, batch_size, skip_failures=skip_failures, overwrite=overwrite,
        progress=progress,
    )  # fmt: skip


def fill_embeddings(
    samples: "SampleCollection", model: Any, embeddings_field: str, batch_size: int | None, *,
    regions: RegionOptions | None = None, skip_failures: bool = True, overwrite: bool = False,
    progress: Progress = None,
) -> runs.Run:  # fmt: skip
    """Fill a vector field as `compute_embeddings` does, of images or of their regions."""
    chosen, size = get_model(model), checked_batch_size(batch_size)
    params = {"model": chosen.name, "version": chosen.version, "batch_size": size, "overwrite": overwrite}
    writes = [embeddings_field, f"{embeddings_field}_error"]
    reads = ["filepath"]
    if regions is not None:
        params |= regions.params()
        reads.append(regions.field)
    with runs.record(samples, "embeddings", key=embeddings_field, reads=reads, writes=writes, params=params) as run:
        work = _Filling.begin(samples, chosen, embeddings_field, regions, overwrite=overwrite)
        run.facts = work.summary()
        with shown(len(work.ids), progress) as advance:
            for batch in embed_files(work.paths, chosen, batch_size=size, crops=work.crops):
                refuse_failures(work.paths, batch.failures, skip_failures=skip_failures)
                work.take(batch.positions, batch.vectors, batch.failures)
                run.facts = work.summary()
                advance(len(batch.positions) + len(batch.failures))
            work.write()
    return run


def checked_batch_size(batch_size: int | None) -> int:
    """How many images a call of the model gets.

    Raises:
        ModelError: if it is no number of images.
    """
    size = BATCH_SIZE if batch_size is None else batch_size
    if not isinstance(size, Integral) or size < 1:
        raise ModelError(f"batch_size={batch_size!r} is not a number of images. Use 1 or more, or None.")
    return size


def refuse_failures(paths: Sequence[str], failures: Mapping[int, str], *, skip_failures: bool) -> None:
    """Raise the first failure, unless failures are skipped.

    Raises:
        UnreadableMediaError: with the file and the reason.
    """
    if failures and not skip_failures:
        position, reason = next(iter(failures.items()))
        raise UnreadableMediaError(f"{paths[position]}: {reason}. Pass skip_failures=True to go on without it.")


def first_failures(failures: Mapping[str, str]) -> list[str]:
    """What a run says about files that failed: the first of them, with their reasons."""
    return [f"{path}: {reason}" for path, reason in list(failures.items())[:_SHOWN_FAILURES]]


@dataclass
class _Filling:
    """A field being filled: which samples are to be embedded, and what waits to be written."""

    samples: "SampleCollection"
    name: str
    named: Mapping[str, str]
    overwrite: bool
    ids: list[SampleId]
    paths: list[str]
    had_vector: int
    had_error: set[SampleId]
    regions: Regions | None = None
    embedded: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    _rows: list[tuple[SampleId, NDArray[np.float32]]] = field(default_factory=list)
    _reasons: dict[SampleId, str] = field(default_factory=dict)
    _written: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(
        cls, samples: "SampleCollection", model: EmbeddingModel, name: str, regions: RegionOptions | None, *,
        overwrite: bool,
    ) -> "_Filling":  # fmt: skip
        """Find out what is to be done, and refuse another model's field before the work rather than after it."""
        schema = samples.get_field_schema()
        fields = ["filepath", *(path for path in (name, f"{name}_error") if path in schema)]
        ids, found = columns.read_scalars(samples, fields)
        have = [value is not None for value in found.get(name, [None] * len(ids))]
        todo = [row for row in range(len(ids)) if overwrite or not have[row]]
        named = {"name": model.name, "version": model.version}
        if regions is not None:
            named["regions"] = str(regions)
        held = columns.model_of(samples, name) if name in schema else None
        if held is not None:
            dimension = model.dim or held["dimension"]
            columns.claim_model(samples._root._id, name, dimension, named, ids if overwrite else None)
        return cls(
            samples, name, named, overwrite,
            ids=[ids[row] for row in todo], paths=[found["filepath"][row] for row in todo],
            had_vector=len(ids) - len(todo),
            had_error={ids[row] for row, reason in enumerate(found.get(f"{name}_error", [])) if reason is not None},
            regions=None if regions is None else Regions.read(samples, regions),
        )  # fmt: skip

    @property
    def crops(self) -> Crops | None:
        """What cuts the regions out of an image; None for whole images."""
        regions = self.regions
        if regions is None:
            return None

        def cut(position: int, image: RGBImage) -> Sequence[RGBImage]:
            return regions.crops(self.ids[position], image)

        return cut

    def take(self, positions: list[int], vectors: NDArray[np.float32], failures: dict[int, str]) -> None:
        """Keep a batch, and write when enough has come together."""
        self._rows += [(self.ids[position], row) for position, row in zip(positions, vectors, strict=True)]
        self._reasons |= {self.ids[position]: reason for position, reason in failures.items()}
        self.embedded += len(positions)
        self.failures |= {self.paths[position]: reason for position, reason in failures.items()}
        is_time = len(self._rows) >= _WRITE_ROWS or time.monotonic() - self._written > _WRITE_SECONDS
        if is_time and not self.overwrite:  # another model's vectors may only be replaced all at once
            self.write()

    def write(self) -> None:
        """Write what waits."""
        rows, self._rows = self._rows, []
        reasons, self._reasons = self._reasons, {}
        if self.overwrite and reasons and self.name in self.samples.get_field_schema():
            columns.write_scalars(
                self.samples, {self.name: [None] * len(reasons)}, list(reasons), verb="compute_embeddings"
            )
        if rows:
            columns.write_vectors(
                self.samples, self.name, [sample_id for sample_id, _ in rows], np.stack([row for _, row in rows]),
                model=self.named, overwrite=self.overwrite, verb="compute_embeddings",
            )  # fmt: skip
        errors = {sample_id: None for sample_id, _ in rows if sample_id in self.had_error} | reasons
        if errors:
            column = {f"{self.name}_error": list(errors.values())}
            columns.write_scalars(self.samples, column, list(errors), verb="compute_embeddings")
        self._written = time.monotonic()

    def summary(self) -> dict[str, Any]:
        """What the run keeps."""
        counts: dict[str, Any] = {
            "embedded": self.embedded, "had_vector": self.had_vector, "failed": len(self.failures),
        }  # fmt: skip
        if self.regions is not None:
            counts |= self.regions.summary(self.ids)
        return {**counts, "failures": first_failures(self.failures)} if self.failures else counts
