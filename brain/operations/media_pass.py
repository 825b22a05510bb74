"""A pass over the files of samples: what is asked for, which samples lack it, and what is written as the pass goes on.

All that is asked for together comes from one read of each file. How files are read, decoded and embedded is
`models.streaming`; the verbs are `operations.media` and `operations.embeddings`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset import columns, runs
from ...dataset.errors import ModelError, SourceUnavailableError, UnreadableMediaError
from ...dataset.media.inspection import Inspection, Wanted
from ...dataset.media.reading import Traffic, counting
from ...dataset.media.streaming import Place
from ...dataset.media.thumbnails import SIZE, keep_thumbnail, prune_thumbnails, thumbnail_path
from ...dataset.progress import shown
from ...dataset.schema import StringField
from ...dataset.types import Progress, RGBImage, SampleId
from ..models.protocol import EmbeddingModel
from ..models.streaming import BATCH_SIZE, Crops, EmbeddedBatch, embed_files
from .regions import RegionOptions, Regions

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

METADATA, QUALITY, CHECK, THUMBNAIL, EMBEDDING = "metadata", "quality", "check", "thumbnail", "embedding"
_WRITES = {
    METADATA: ["metadata"], QUALITY: ["lightly"], CHECK: ["content_hash", "perceptual_hash"],
    THUMBNAIL: ["content_hash"],
}  # fmt: skip
ERROR = "media_error"

_WRITE_ROWS = 2_000
_WRITE_SECONDS = 5.0
_SHOWN_FAILURES = 10


@dataclass(frozen=True)
class Asked:
    """What a pass is asked for.

    Attributes:
        parts: of METADATA, QUALITY, CHECK and THUMBNAIL.
        model: what embeds, if vectors are asked for.
        embeddings_field: the vector field to fill.
        regions: embed these regions of the images.
        thumbnail_size: the longest side of a thumbnail, in pixels.
        overwrite: ask it also of samples that have it.
    """

    parts: frozenset[str] = frozenset()
    model: EmbeddingModel | None = None
    embeddings_field: str = "embedding"
    regions: RegionOptions | None = None
    thumbnail_size: int = SIZE
    overwrite: bool = False

    @property
    def writes(self) -> list[str]:
        """The fields that the pass writes."""
        written = [name for part in _WRITES if part in self.parts for name in _WRITES[part]]
        if self.parts:
            written.append(ERROR)
        if self.model is not None:
            written += [self.embeddings_field, f"{self.embeddings_field}_error"]
        return list(dict.fromkeys(written))

    @property
    def named(self) -> dict[str, str]:
        """What the catalogue says of the vectors."""
        assert self.model is not None, "asked for where there are vectors"
        named = {"name": self.model.name, "version": self.model.version}
        return named if self.regions is None else {**named, "regions": str(self.regions)}


def run_pass(
    samples: "SampleCollection", asked: Asked, run: runs.Run, verb: str, *, batch_size: int, num_workers: int | None,
    skip_failures: bool, progress: Progress,
) -> None:  # fmt: skip
    """Do what is asked for, and keep the counts in the run while it goes on."""
    with counting() as traffic:
        work = _Pass.begin(samples, asked, verb, traffic)
        run.facts = work.summary()
        batches = embed_files(
            work.places, asked.model, wanted=work.wanted, batch_size=batch_size, crops=work.crops,
            num_workers=num_workers,
        )  # fmt: skip
        paths = [str(place) for place in work.places]
        with shown(len(paths), progress) as advance:
            try:
                for batch in batches:
                    refuse_failures(paths, batch.failures, skip_failures=skip_failures)
                    work.take(batch)
                    run.facts = work.summary()
                    advance(len(batch.inspections), MB=traffic.bytes / 1e6)
            except SourceUnavailableError:  # hours may pass until it is back
                if not work.is_all_at_once:
                    work.write()
                raise
            work.write()
            declare_reasons(samples, list(work.had_error), verb)
        run.facts = work.summary()
    if THUMBNAIL in asked.parts:
        prune_thumbnails()


def checked_batch_size(batch_size: int | None) -> int:
    """How many images a call of the model gets.

    Raises:
        ModelError: if it is no number of images.
    """
    size = BATCH_SIZE if batch_size is None else batch_size
    if not isinstance(size, Integral) or size < 1:
        raise ModelError(f"batch_size={batch_size!r} is not a number of images. Use 1 or more, or None.")
    return int(size)


def refuse_failures(paths: Sequence[str], failures: Mapping[int, str], *, skip_failures: bool) -> None:
    """Raise the first failure, unless failures are skipped.

    Raises:
        UnreadableMediaError: with the file and the reason.
    """
    if failures and not skip_failures:
        position = min(failures)
        raise UnreadableMediaError(
            f"{paths[position]}: {failures[position]}. Pass skip_failures=True to go on without it."
        )


def first_failures(failures: Mapping[str, str]) -> list[str]:
    """What a run says about files that failed: the first of them, with their reasons."""
    return [f"{path}: {reason}" for path, reason in islice(failures.items(), _SHOWN_FAILURES)]


def declare_reasons(samples: "SampleCollection", names: Sequence[str], verb: str) -> None:
    """Declare the fields of reasons, so that asking which samples have one is no error where none has."""
    new = {name: StringField() for name in names if not samples.has_field(name)}
    if new:
        columns.write_scalars(samples, {name: [] for name in new}, [], fields=new, verb=verb)


def read_places(samples: "SampleCollection") -> tuple[list[SampleId], list[Place]]:
    """Where the pixels of each sample are."""
    has_frames = "frame_number" in samples.get_field_schema()
    ids, found = columns.read_scalars(samples, ["filepath", *(["frame_number"] if has_frames else [])])
    numbers = found.get("frame_number", [None] * len(ids))
    return ids, [Place(path, number) for path, number in zip(found["filepath"], numbers, strict=True)]


@dataclass
class _Pass:
    """The samples that lack something, and what waits to be written."""

    samples: "SampleCollection"
    asked: Asked
    verb: str
    traffic: Traffic
    ids: list[SampleId]
    places: list[Place]
    lacks: list[frozenset[str]]
    had: dict[str, int]
    had_error: dict[str, set[SampleId]]
    regions: Regions | None = None
    done: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    _rows: list[tuple[SampleId, dict[str, Any]]] = field(default_factory=list)
    _vectors: list[tuple[SampleId, NDArray[np.float32]]] = field(default_factory=list)
    _written: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(cls, samples: "SampleCollection", asked: Asked, verb: str, traffic: Traffic) -> "_Pass":
        """Find out what is to be done, and refuse another kind or model's field before the work, not after it."""
        if asked.model is not None:
            columns.column_field(samples._schema(), asked.embeddings_field, [np.zeros(1, np.float32)])
        ids, places = read_places(samples)
        lacking = dict(_lacking(samples, asked, ids))
        if asked.model is not None and asked.embeddings_field in samples.get_field_schema():
            held = columns.model_of(samples, asked.embeddings_field)
            if held is not None:
                columns.claim_model(
                    samples._root._id, asked.embeddings_field, asked.model.dim or held["dimension"], asked.named,
                    ids if asked.overwrite else None,
                )  # fmt: skip
        kinds: dict[frozenset[str], frozenset[str]] = {}
        every = [frozenset(part for part, lacks in lacking.items() if sample_id in lacks) for sample_id in ids]
        rows = [row for row, parts in enumerate(every) if parts]
        errors = [name for name in asked.writes if name == ERROR or name.endswith("_error")]
        return cls(
            samples, asked, verb, traffic,
            ids=[ids[row] for row in rows], places=[places[row] for row in rows],
            lacks=[kinds.setdefault(every[row], every[row]) for row in rows],
            had={part: len(ids) - len(lacks) for part, lacks in lacking.items()},
            had_error={name: _having(samples, name) for name in errors},
            regions=None if asked.regions is None else Regions.read(samples, asked.regions),
        )  # fmt: skip

    @property
    def is_all_at_once(self) -> bool:
        """Whether nothing is written before the end: another model's vectors may only be replaced all at once."""
        return self.asked.overwrite and self.asked.model is not None

    def wanted(self, position: int) -> Wanted:
        """What is to be found out about a sample."""
        parts = self.lacks[position]
        # A reason that is there is only taken back by a look as thorough as the one that found it.
        is_doubtful = bool(parts - {EMBEDDING}) and self.ids[position] in self.had_error[ERROR]
        return Wanted(
            metadata=METADATA in parts, quality=QUALITY in parts, hashes=CHECK in parts,
            content_hash=THUMBNAIL in parts, pixels=EMBEDDING in parts,
            thumbnail=self.asked.thumbnail_size if THUMBNAIL in parts else None,
            check=CHECK in parts or is_doubtful,
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

    def take(self, batch: EmbeddedBatch) -> None:
        """Keep a batch, and write when enough has come together."""
        self._vectors += [(self.ids[p], row) for p, row in zip(batch.positions, batch.vectors, strict=True)]
        self._count(EMBEDDING, len(batch.positions))
        for position, inspection in batch.inspections.items():
            values = dict(self._values(position, inspection, batch.failures.get(position)))
            if values:
                self._rows.append((self.ids[position], values))
        is_time = (
            max(len(self._rows), len(self._vectors)) >= _WRITE_ROWS or time.monotonic() - self._written > _WRITE_SECONDS
        )
        if is_time and not self.is_all_at_once:
            self.write()

    def _values(self, position: int, inspection: Inspection, failure: str | None) -> Iterator[tuple[str, Any]]:
        """What is written of one sample: what was found out, and why the rest was not."""
        parts, sample_id = self.lacks[position], self.ids[position]
        found: dict[str, dict[str, Any]] = {
            METADATA: {"metadata": inspection.metadata},
            QUALITY: {f"lightly.{name}": value for name, value in (inspection.quality or {}).items()},
            CHECK: {"content_hash": inspection.content_hash, "perceptual_hash": inspection.perceptual_hash},
            THUMBNAIL: {"content_hash": inspection.content_hash if inspection.thumbnail else None},
        }
        if THUMBNAIL in parts and inspection.thumbnail is not None and inspection.content_hash is not None:
            keep_thumbnail(inspection.content_hash, self.asked.thumbnail_size, inspection.thumbnail)
        for part in parts - {EMBEDDING}:
            values = {path: value for path, value in found[part].items() if value is not None}
            yield from values.items()
            self._count(part, bool(values))
        reasons = {ERROR: inspection.error} if parts - {EMBEDDING} else {}
        if EMBEDDING in parts:
            reasons[f"{self.asked.embeddings_field}_error"] = failure
        for name, reason in reasons.items():
            if reason is not None:
                self.failures[str(self.places[position])] = reason
                yield name, reason
            elif sample_id in self.had_error[name]:
                yield name, None

    def _count(self, part: str, count: int) -> None:
        self.done[part] = self.done.get(part, 0) + count

    def write(self) -> None:
        """Write what waits."""
        rows, self._rows = self._rows, []
        vectors, self._vectors = self._vectors, []
        if self.asked.overwrite:  # first, since vectors of another model must be gone before new ones come
            self._write_scalars(list(self._cleared(rows, {sample_id for sample_id, _ in vectors})))
        if vectors:
            columns.write_vectors(
                self.samples, self.asked.embeddings_field, [sample_id for sample_id, _ in vectors],
                np.stack([vector for _, vector in vectors]),
                model=self.asked.named, overwrite=self.asked.overwrite, verb=self.verb,
            )  # fmt: skip
        self._write_scalars(rows)
        self._written = time.monotonic()

    def _write_scalars(self, rows: Sequence[tuple[SampleId, dict[str, Any]]]) -> None:
        by_paths: dict[tuple[str, ...], list[tuple[SampleId, dict[str, Any]]]] = {}
        for row in rows:
            by_paths.setdefault(tuple(sorted(row[1])), []).append(row)
        for paths, alike in by_paths.items():
            columns.write_scalars(
                self.samples, {path: [values[path] for _, values in alike] for path in paths},
                [sample_id for sample_id, _ in alike], verb=self.verb,
            )  # fmt: skip

    def _cleared(
        self, rows: Sequence[tuple[SampleId, Mapping[str, Any]]], embedded: set[SampleId]
    ) -> Iterator[tuple[SampleId, dict[str, Any]]]:
        """What samples lose whose files failed where everything is found out anew."""
        schema = self.samples.get_field_schema()
        owned = [name for part in self.asked.parts for name in _WRITES[part]]
        if self.asked.model is not None:
            owned.append(self.asked.embeddings_field)
        for sample_id, values in rows:
            kept = {path.split(".")[0] for path in values}
            if sample_id in embedded:
                kept.add(self.asked.embeddings_field)
            lost = {name: None for name in owned if name in schema and name not in kept}
            if lost:
                yield sample_id, lost

    @cached_property
    def _counted_regions(self) -> dict[str, int]:
        """Counted once: the summary is made anew for every batch."""
        return {} if self.regions is None else self.regions.summary(self.ids)

    def summary(self) -> dict[str, Any]:
        """What the run keeps."""
        counts: dict[str, Any] = {}
        if self.asked.model is not None:
            counts = {"embedded": self.done.get(EMBEDDING, 0), "had_vector": self.had[EMBEDDING]}
        for part in sorted(self.asked.parts):
            counts |= {part: self.done.get(part, 0), f"had_{part}": self.had[part]}
        counts |= {"failed": len(self.failures), "bytes_read": self.traffic.bytes}
        counts |= self._counted_regions
        return {**counts, "failures": first_failures(self.failures)} if self.failures else counts


def _lacking(samples: "SampleCollection", asked: Asked, ids: Sequence[SampleId]) -> Iterator[tuple[str, set[SampleId]]]:
    """For each thing that is asked for, the samples that lack it."""
    everything = set(ids)
    marks = {METADATA: "metadata", QUALITY: "lightly.sharpness", CHECK: "perceptual_hash", THUMBNAIL: "content_hash"}
    if asked.model is not None:
        marks[EMBEDDING] = asked.embeddings_field
    for part, path in marks.items():
        if part != EMBEDDING and part not in asked.parts:
            continue
        lacking = everything if asked.overwrite else everything - _having(samples, path)
        if part == CHECK:
            lacking = lacking | _having(samples, ERROR)
        elif part == THUMBNAIL and len(lacking) < len(everything):
            hashed, found = columns.read_scalars(samples.exists(path), [path])
            lacking = lacking | {
                sample_id
                for sample_id, content in zip(hashed, found[path], strict=True)
                if not thumbnail_path(content, asked.thumbnail_size).exists()
            }
        yield part, lacking


def _having(samples: "SampleCollection", path: str) -> set[SampleId]:
    return set(columns.read_ids(samples.exists(path))) if samples.has_field(path.split(".", maxsplit=1)[0]) else set()
