"""`compute_patch_embeddings`: a vector for every object, on its label. The geometry is `kernels.regions`."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset import columns, runs
from ...dataset.errors import SchemaError, SourceUnavailableError
from ...dataset.label_values import LabelRow, set_label_values
from ...dataset.media.reading import counting
from ...dataset.media.streaming import Place, workers_of
from ...dataset.progress import shown
from ...dataset.stages.labels import label_field
from ...dataset.types import FloatArray, Progress, RGBImage, SampleId
from ..kernels.regions import boxes_inside, grown_boxes
from ..models.protocol import EmbeddingModel
from ..models.registry import get_model
from ..models.streaming import EmbeddedBatch, embed_files
from .given_vectors import refuse_given
from .media_pass import checked_batch_size, declare_reasons, first_failures, read_places, refuse_failures
from .regions import RegionOptions, cut_out, holds_vectors, label_boxes, region_options

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_WRITE_ROWS = 2_000
_WRITE_SECONDS = 5.0


def compute_patch_embeddings(
    samples: "SampleCollection",
    model: Any,
    patches_field: str,
    embeddings_field: str = "embedding",
    force_square: bool = False,
    alpha: float | None = None,
    handle_missing: str = "skip",
    batch_size: int | None = None,
    num_workers: int | None = None,
    skip_failures: bool = True,
    progress: Progress = None,
    *,
    overwrite: bool = False,
    device: str | None = None,
    model_kwargs: Mapping[str, Any] | None = None,
) -> runs.Run:
    """Embed the part of the image that each label marks, if it has no vector yet.

    Each image is read and decoded once for all of its labels. What is done is kept: a pass that was stopped goes on
    with what is missing.

    Args:
        samples: a dataset or view.
        model: as in `compute_embeddings`, without vectors that are given.
        patches_field: a Detection, Detections, Polyline or Polylines field; of lines, the boxes around them count.
        embeddings_field: the attribute of the labels to fill.
        force_square: make the boxes squares, by their longer side.
        alpha: pad the boxes: 0.1 makes them 10 % wider and higher, below 0 they shrink.
        handle_missing: "skip" passes over samples without labels; "error" refuses them.
        batch_size: objects per call of the model, 32 by default.
        num_workers: how many threads read and decode files, by default one for each core. The result is the same.
        skip_failures: note broken and missing files and go on. Otherwise the first one is an error.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total) images.
        overwrite: embed all labels anew, and write them in one step at the end.
        device: where the model runs.
        model_kwargs: what else the model is made with.

    Returns:
        The run; its `summary` counts labels that were embedded, that had a vector, and that lie outside their image,
        and images that failed.

    Writes:
        The attribute on the labels, in an action every few seconds; on samples whose file failed the reason, in
        `<patches_field>_<embeddings_field>_error`.

    Raises:
        FieldNotFoundError, FieldKindError: if there is no such field, or it holds nothing with a place in the image.
        SchemaError: if `alpha` leaves nothing of a box, or a sample has no labels where that is an error.
        ModelError: if there is no such model, or the attribute holds vectors of another.
        WrongOutputShapeError: if the model does not return one row of numbers per object.
        UnreadableMediaError: if a file fails and `skip_failures` is False.
        SourceUnavailableError: if a bucket as a whole cannot be read any more; what is done is kept.

    Example:
        ```python
        scb.compute_patch_embeddings(dataset, "builtin", "ground_truth", alpha=0.1)
        dataset.to_patches("ground_truth").exists("ground_truth.embedding")
        ```
    """
    refuse_given(model, "compute_patch_embeddings")
    regions = region_options(samples, patches_field, alpha, force_square=force_square, argument="patches_field")
    if handle_missing not in {"skip", "error"}:
        raise SchemaError(f"handle_missing={handle_missing!r} is unknown; expected 'skip' or 'error'.")
    options = {**(model_kwargs or {}), **({} if device is None else {"device": device})}
    chosen, size, workers = get_model(model, **options), checked_batch_size(batch_size), workers_of(num_workers)
    errors = _errors(regions, embeddings_field)
    params = {
        "model": chosen.name, "version": chosen.version, "batch_size": size, "overwrite": overwrite,
        "patches_field": patches_field, "alpha": alpha, "force_square": force_square,
    }  # fmt: skip
    with (
        runs.record(
            samples, "patch_embeddings", key=f"{patches_field}_{embeddings_field}", reads=["filepath", patches_field],
            writes=[_path(samples, regions, embeddings_field), errors], params=params,
        ) as run,
        counting() as traffic,
    ):  # fmt: skip
        work = _Patches.begin(samples, chosen, regions, embeddings_field, overwrite=overwrite)
        work.refuse_missing(handle_missing)
        paths = [str(place) for place in work.places]
        batches = embed_files(work.places, chosen, batch_size=size, crops=work.cut, join=False, num_workers=workers)
        with shown(len(paths), progress, "images") as advance:
            try:
                for batch in batches:
                    refuse_failures(paths, batch.failures, skip_failures=skip_failures)
                    work.take(batch)
                    run.facts = {**work.summary(), "bytes_read": traffic.bytes}
                    advance(len(batch.inspections))
            except SourceUnavailableError:  # hours may pass until it is back
                if not overwrite:
                    work.write()
                raise
            work.write()
            declare_reasons(samples, [errors], "compute_patch_embeddings")
        run.facts = {**work.summary(), "bytes_read": traffic.bytes}
    return run


@dataclass
class _Patches:
    """The labels that lack a vector, by the image they lie in, and what waits to be written."""

    samples: "SampleCollection"
    model: EmbeddingModel
    regions: RegionOptions
    attribute: str
    overwrite: bool
    ids: list[SampleId]
    places: list[Place]
    every: list[LabelRow]
    labels: dict[SampleId, list[str]]
    boxes: dict[SampleId, FloatArray]
    without_labels: int
    had_vector: int
    outside: int
    had_error: set[SampleId]
    embedded: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    _rows: list[tuple[SampleId, str, NDArray[np.float32]]] = field(default_factory=list)
    _reasons: dict[SampleId, str | None] = field(default_factory=dict)
    _written: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(
        cls, samples: "SampleCollection", model: EmbeddingModel, regions: RegionOptions, attribute: str, *,
        overwrite: bool,
    ) -> "_Patches":  # fmt: skip
        """Find out what is to be done."""
        ids, places = read_places(samples)
        found = label_boxes(samples, regions.field)
        done: set[str] = set()
        if holds_vectors(samples, regions.field, attribute):
            if not overwrite:
                patches = samples.to_patches(regions.field)
                done = set(columns.read_ids(patches.exists(f"{regions.field}.{attribute}")))
            path = _path(samples, regions, attribute)
            held = columns.model_of(samples, path)
            if held is not None:
                columns.claim_model(
                    samples._root._id, path, model.dim or held["dimension"], _named(model, regions),
                    ids if overwrite else None,
                )  # fmt: skip
        labels: dict[SampleId, list[str]] = {}
        boxes: dict[SampleId, FloatArray] = {}
        outside = 0
        for sample_id, held in found.items():
            names = [label for label in held if label not in done]
            if not names:
                continue
            grown = grown_boxes([held[label] for label in names], regions.alpha or 0.0)
            inside = boxes_inside(grown)
            outside += int((~inside).sum())
            if inside.any():
                labels[sample_id] = [label for label, is_inside in zip(names, inside, strict=True) if is_inside]
                boxes[sample_id] = grown[inside]
        todo = [row for row, sample_id in enumerate(ids) if sample_id in labels]
        errors = _errors(regions, attribute)
        return cls(
            samples, model, regions, attribute, overwrite, [ids[row] for row in todo], [places[row] for row in todo],
            [(sample_id, label) for sample_id, held in found.items() for label in held], labels, boxes,
            without_labels=sum(sample_id not in found for sample_id in ids), had_vector=len(done), outside=outside,
            had_error=set(columns.read_ids(samples.exists(errors))) if samples.has_field(errors) else set(),
        )  # fmt: skip

    def refuse_missing(self, handle_missing: str) -> None:
        """Refuse samples without labels, if they are to be refused."""
        if handle_missing == "error" and self.without_labels:
            raise SchemaError(
                f"{self.without_labels} samples have no labels in {self.regions.field!r} that mark a place. "
                "Leave them out with exists(), or pass handle_missing='skip'."
            )

    def cut(self, position: int, image: RGBImage) -> list[RGBImage]:
        """The parts of an image that its labels mark."""
        return cut_out(image, self.boxes[self.ids[position]], force_square=self.regions.force_square)

    def take(self, batch: EmbeddedBatch) -> None:
        """Keep a batch, and write when enough has come together."""
        for position, part, vector in zip(batch.positions, batch.parts, batch.vectors, strict=True):
            sample_id = self.ids[position]
            self._rows.append((sample_id, self.labels[sample_id][part], vector))
        self.embedded += len(batch.positions)
        for position in batch.inspections:
            reason = batch.failures.get(position)
            if reason is not None:
                self.failures[str(self.places[position])] = reason
            if reason is not None or self.ids[position] in self.had_error:
                self._reasons[self.ids[position]] = reason
        is_time = len(self._rows) >= _WRITE_ROWS or time.monotonic() - self._written > _WRITE_SECONDS
        if is_time and not self.overwrite:  # another model's vectors may only be replaced all at once
            self.write()

    def write(self) -> None:
        """Write what waits."""
        rows, self._rows = self._rows, []
        reasons, self._reasons = self._reasons, {}
        values: dict[LabelRow, NDArray[np.float32] | None] = {(sample_id, label): row for sample_id, label, row in rows}
        if rows and self.overwrite:  # labels that got no vector lose what they had
            values = {row: values.get(row) for row in self.every}
        if rows:
            set_label_values(
                self.samples._root, label_field(self.samples._schema(), self.regions.field), self.attribute,
                list(values), list(values.values()), skip_none=False, expand_schema=True, dynamic=True, validate=True,
                progress=False, model=_named(self.model, self.regions), overwrite=self.overwrite,
                verb="compute_patch_embeddings",
            )  # fmt: skip
        if reasons:
            errors = _errors(self.regions, self.attribute)
            columns.write_scalars(
                self.samples, {errors: list(reasons.values())}, list(reasons), verb="compute_patch_embeddings"
            )
        self._written = time.monotonic()

    def summary(self) -> dict[str, Any]:
        """What the run keeps."""
        counts: dict[str, Any] = {
            "embedded": self.embedded, "had_vector": self.had_vector, "outside": self.outside,
            "without_labels": self.without_labels, "failed": len(self.failures),
        }  # fmt: skip
        return {**counts, "failures": first_failures(self.failures)} if self.failures else counts


def _path(samples: "SampleCollection", regions: RegionOptions, attribute: str) -> str:
    """Where the vectors lie."""
    return f"{label_field(samples._schema(), regions.field).root_path}.{attribute}"


def _errors(regions: RegionOptions, attribute: str) -> str:
    """The field of reasons, on samples."""
    return f"{regions.field}_{attribute}_error"


def _named(model: EmbeddingModel, regions: RegionOptions) -> Mapping[str, Any]:
    return {"name": model.name, "version": model.version, "regions": str(regions)}
