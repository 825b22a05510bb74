"""Where the vectors of a verb come from: a field, an array, a similarity index, or regions of the images.

FiftyOne's shared arguments are settled here, once, before the run of the verb begins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import columns, runs
from ...dataset.errors import ModelError, RunError, SchemaError
from ...dataset.progress import shown
from ...dataset.types import Metric, Progress
from ..models.protocol import EmbeddingModel
from ..models.registry import can_be_found, get_model
from ..models.streaming import embed_files
from .embeddings import fill_embeddings
from .inputs import ARRAY, Embeddings, embedded, read_embeddings, similarity_indexes, with_options
from .media_pass import checked_batch_size, first_failures, read_places, refuse_failures
from .regions import RegionOptions, Regions, holds_vectors, region_options, vectors_of_labels

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

REGIONS = "(regions)"


@dataclass(frozen=True)
class Source:
    """Where vectors come from.

    Attributes:
        field: the vector field of the samples; None if they come from elsewhere.
        metric: how distances between them are measured.
        reads: the fields that the run reads.
        params: what the run notes.
        read: gives the vectors. It is called while the run is recorded, since it may fail.
    """

    field: str | None
    metric: Metric
    reads: list[str]
    params: dict[str, Any]
    read: Callable[[], Embeddings]


def settled(
    samples: "SampleCollection",
    usual: Metric,
    *,
    roi_field: str | None = None,
    embeddings: str | ArrayLike | None = None,
    similarity_index: runs.Run | str | None = None,
    model: Any = None,
    model_kwargs: Mapping[str, Any] | None = None,
    metric: Metric | None = None,
    force_square: bool = False,
    alpha: float | None = None,
    batch_size: int | None = None,
    num_workers: int | None = None,
    skip_failures: bool = True,
    progress: Progress = None,
) -> Source:
    """Settle where the vectors come from, and embed what is to be kept.

    Args:
        samples: a dataset or view.
        usual: the metric where nothing else says one.
        roi_field: the field with the regions that count.
        embeddings: a vector field, an array, or where the vectors of the regions are.
        similarity_index: an index, or its key.
        model: what embeds.
        model_kwargs: what else it is made with.
        metric: the metric that was asked for.
        force_square: make the boxes of the regions squares.
        alpha: grow the boxes of the regions by this fraction.
        batch_size: images per call of the model.
        num_workers: how many threads read and decode files.
        skip_failures: note images that cannot be embedded and go on.
        progress: whether to show a bar.

    Raises:
        SchemaError: if two of the arguments contradict each other.
        RunError: if the index is none of this dataset.
        FieldNotFoundError, FieldKindError: if `roi_field` names no regions.
        ModelError: if the field holds another model's vectors, or those of other regions.
        UnreadableMediaError: if a file fails and `skip_failures` is False.
    """
    noted: dict[str, Any] = {}
    model = with_options(model, model_kwargs)
    if similarity_index is not None:
        if embeddings is not None or roi_field is not None:
            other = "embeddings" if embeddings is not None else "roi_field"
            raise SchemaError(f"similarity_index and {other} both say which vectors to use. Give one of them.")
        index = _index_of(samples, similarity_index)
        embeddings, metric = str(index.params["embeddings"]), metric or index.params["metric"]
        noted["similarity_index"] = index.key
    measure: Metric = metric or usual
    if roi_field is not None:
        options = region_options(samples, roi_field, alpha, force_square=force_square)
        if not (embeddings is None or isinstance(embeddings, str)):
            raise SchemaError(
                f"embeddings is an array, which leaves nothing to take from the regions in {roi_field!r}. Give one of "
                "them, or name a field for the vectors of the regions."
            )
        return _of_regions(
            samples, options, embeddings, measure, model, batch_size, num_workers=num_workers,
            skip_failures=skip_failures, progress=progress,
        )  # fmt: skip
    if force_square or alpha is not None:
        raise SchemaError(f"force_square={force_square} and alpha={alpha} shape regions. Name these by roi_field.")
    given = embedded(
        samples, embeddings, model, batch_size=batch_size, num_workers=num_workers, skip_failures=skip_failures,
        progress=progress,
    )  # fmt: skip
    return _of_field(samples, given, measure, noted)


def field_in(run: runs.Run) -> str | None:
    """The vector field that a run's samples were compared by, if it was one."""
    name = str(run.params["embeddings"])
    return None if name in {ARRAY, REGIONS} else name


def _index_of(samples: "SampleCollection", index: runs.Run | str) -> runs.Run:
    """Find the run of an index and see that it belongs to the dataset.

    The index only says which field and metric are meant: the vectors are always those of `samples`, by their ids. So an
    index of a whole dataset cannot put values onto the wrong samples of a view.
    """
    root = samples._root
    if isinstance(index, str):
        known = similarity_indexes(root)
        if index not in known:
            raise RunError(
                f"no similarity index {index!r} on dataset {root.name!r}; there are: {', '.join(known) or 'none'}. "
                "compute_similarity() makes one."
            )
        return known[index]
    if not isinstance(index, runs.Run) or index.operation != "similarity":
        raise RunError(f"similarity_index={index!r:.200} is no similarity index. Give what compute_similarity() gives.")
    if index.dataset._id != root._id:
        raise RunError(
            f"similarity index {index.key!r} belongs to dataset {index.dataset.name!r}, and the samples to "
            f"{root.name!r}. Give an index of the same dataset."
        )
    return index


def _of_field(samples: "SampleCollection", given: str | ArrayLike, metric: Metric, noted: dict[str, Any]) -> Source:
    field = given if isinstance(given, str) else None
    return Source(
        field, metric, [field] if field else [], {"embeddings": field or ARRAY, "metric": metric, **noted},
        lambda: read_embeddings(samples, given),
    )  # fmt: skip


def _of_regions(
    samples: "SampleCollection", options: RegionOptions, field: str | None, metric: Metric, model: Any,
    batch_size: int | None, *, num_workers: int | None, skip_failures: bool, progress: Progress,
) -> Source:  # fmt: skip
    """Take the vectors that labels hold; or those of a field, which is filled; or embed, and keep nothing."""
    params = {"embeddings": REGIONS, "metric": metric, **options.params()}
    if field is not None and holds_vectors(samples, options.field, field):
        if model is not None:
            raise SchemaError(
                f"the labels in {options.field!r} hold vectors {field!r} already, and model was given too. Leave it "
                "out, or name another field for its vectors."
            )
        params["roi_embeddings"] = field
        return Source(None, metric, [options.field], params, lambda: _from_labels(samples, options.field, field))
    if field is not None and not samples.count():
        return _of_field(samples, np.empty((0, 1)), metric, options.params())
    if field is not None:
        _fill(
            samples, options, field, model, batch_size, num_workers=num_workers, skip_failures=skip_failures,
            progress=progress,
        )  # fmt: skip
        return _of_field(samples, field, metric, options.params())
    chosen, size = get_model(model or "builtin"), checked_batch_size(batch_size)
    params |= {"model": chosen.name, "version": chosen.version}

    def embed() -> Embeddings:
        return _embedded(
            samples, options, chosen, size, num_workers=num_workers, skip_failures=skip_failures, progress=progress
        )

    return Source(None, metric, ["filepath", options.field], params, embed)


def _from_labels(samples: "SampleCollection", roi_field: str, attribute: str) -> Embeddings:
    ids, vectors = vectors_of_labels(samples, roi_field, attribute)
    total = samples.count()
    if total and not ids:
        raise SchemaError(f"none of the {total} samples has a label with a vector {attribute!r} in {roi_field!r}.")
    return Embeddings(ids, vectors, total - len(ids))


def _fill(
    samples: "SampleCollection", options: RegionOptions, field: str, model: Any, batch_size: int | None, *,
    num_workers: int | None, skip_failures: bool, progress: Progress,
) -> None:  # fmt: skip
    """Embed the regions of those samples that have no vector in a field yet.

    Raises:
        ModelError: if the field holds vectors of whole images, of other regions or of another model.
    """
    known: dict[str, Any] = {}
    if field in samples.get_field_schema():
        known = columns.model_of(samples, field) or {}
        if known.get("name") is not None and known.get("regions") != str(options):
            raise ModelError(
                f"field {field!r} holds vectors of {known.get('regions', 'whole images')}, not of {options}. "
                "Use another field, or delete this one first."
            )
        if model is None and not can_be_found(known.get("name")):
            return  # they were brought from elsewhere, or are of a model that only the caller can give again
    fill_embeddings(
        samples, get_model(model or known.get("name") or "builtin"), field, batch_size, regions=options,
        num_workers=num_workers, skip_failures=skip_failures, progress=progress,
    )  # fmt: skip


def _embedded(
    samples: "SampleCollection", options: RegionOptions, model: EmbeddingModel, batch_size: int, *,
    num_workers: int | None, skip_failures: bool, progress: Progress,
) -> Embeddings:  # fmt: skip
    """Embed the regions of all samples; nothing is kept."""
    ids, places = read_places(samples)
    paths, regions = list(map(str, places)), Regions.read(samples, options)
    positions: list[int] = []
    rows: list[NDArray[np.float32]] = []
    failures: dict[str, str] = {}
    with shown(len(ids), progress) as advance:
        batches = embed_files(
            places, model, batch_size=batch_size, crops=lambda position, image: regions.crops(ids[position], image),
            num_workers=num_workers,
        )  # fmt: skip
        for batch in batches:
            refuse_failures(paths, batch.failures, skip_failures=skip_failures)
            positions += batch.positions
            rows += list(batch.vectors)
            failures |= {paths[position]: reason for position, reason in batch.failures.items()}
            advance(len(batch.positions) + len(batch.failures))
    facts: dict[str, Any] = regions.summary(ids)
    if failures:
        facts |= {"failed": len(failures), "failures": first_failures(failures)}
    if ids and not rows:
        raise SchemaError(f"none of the {len(ids)} images could be embedded: {'; '.join(facts['failures'])}.")
    matrix = np.stack(rows) if rows else np.empty((0, 1), dtype=np.float32)
    return Embeddings([ids[position] for position in positions], matrix, len(ids) - len(rows), facts)
