"""`compute_near_duplicates`: what shows the same as another sample. The arithmetic is `kernels.duplicates`."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...dataset import columns, runs
from ...dataset.aggregations.histogram import limits_of
from ...dataset.errors import SchemaError
from ...dataset.progress import shown
from ...dataset.types import Metric, Progress, SampleId
from ..kernels.duplicates import NEIGHBORS, near_duplicates
from .sources import field_in, settled

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.view import DatasetView


class NearDuplicates(runs.Run):
    """A search for near-duplicates: some samples are kept, and each other repeats one of them."""

    @property
    def neighbors_map(self) -> dict[SampleId, list[tuple[SampleId, float]]]:
        """For each kept sample that has duplicates: their ids and distances, the nearest first."""
        ids, of, distances = self._found()
        groups: dict[SampleId, list[tuple[SampleId, float]]] = {}
        for sample, kept, distance in zip(ids, of, distances, strict=True):
            if sample != kept:
                groups.setdefault(kept, []).append((sample, distance))
        return {kept: sorted(group, key=lambda pair: pair[1]) for kept, group in groups.items()}

    @property
    def duplicate_ids(self) -> list[SampleId]:
        """The samples that repeat a kept one."""
        ids, of, _ = self._found()
        return [sample for sample, kept in zip(ids, of, strict=True) if sample != kept]

    @property
    def unique_ids(self) -> list[SampleId]:
        """The samples that are left when the duplicates are taken out."""
        return columns.read_ids(self.unique_view())

    def view(self) -> "DatasetView":
        """The duplicates, those that most surely are some first."""
        if not self._wrote_anything():
            return self._samples().limit(0)
        return self._samples().exists(f"{self.key}.closeness").sort_by(f"{self.key}.closeness", reverse=True)

    def histogram(self, bins: int = 10) -> tuple[list[int], list[float]]:
        """How far the duplicates are from what they repeat: counts of distances, and the edges between them."""
        found = zip(*self._found(), strict=True)
        return spread([distance for sample, kept, distance in found if sample != kept], bins)

    def duplicates_view(self) -> "DatasetView":
        """Each kept sample that has duplicates, with these behind it, the nearest first."""
        if not self._wrote_anything():
            return self._samples().limit(0)
        keys = [(f"{self.key}.of", 1), (f"{self.key}.distance", 1)]
        return self._samples().exists(f"{self.key}.of").sort_by(keys)

    def unique_view(self) -> "DatasetView":
        """The samples without the duplicates."""
        field = field_in(self)
        view = self._samples() if field is None else self._samples().exists(field)
        return view.exists(f"{self.key}.closeness", False) if self._wrote_anything() else view

    def _samples(self) -> "DatasetView":
        return self._dataset._view_of(self._record.get("view") or [])

    def _wrote_anything(self) -> bool:
        return self._dataset.has_field(self.key)

    def _found(self) -> tuple[list[SampleId], list[SampleId], list[float]]:
        if not self._wrote_anything():
            return [], [], []
        paths = [f"{self.key}.of", f"{self.key}.distance"]
        ids, found = columns.read_scalars(self._samples().exists(paths[0]), paths)
        return ids, found[paths[0]], found[paths[1]]


def compute_near_duplicates(
    samples: "SampleCollection",
    threshold: float | None = None,
    roi_field: str | None = None,
    embeddings: "str | ArrayLike | None" = None,
    similarity_index: runs.Run | str | None = None,
    model: Any = None,
    model_kwargs: Mapping[str, Any] | None = None,
    *,
    force_square: bool = False,
    alpha: float | None = None,
    batch_size: int | None = None,
    num_workers: int | None = None,
    skip_failures: bool = True,
    progress: Progress = None,
    metric: Metric | None = None,
    duplicates_field: str = "near_duplicates",
) -> NearDuplicates:
    """Find the samples that are so near to another that they show the same.

    The samples are gone through in their order: one is kept if it is no near-duplicate of one kept before. Without a
    threshold, two samples are near-duplicates if they lie within 3/8 of the distance that is usual around them, to the
    4th to 12th nearest others: so near does chance hardly ever bring two. `saccade.brain.kernels.duplicates` has the
    reason.

    Args:
        samples: a dataset or view.
        threshold: up to what distance two samples are the same, for all alike.
        roi_field: a field of boxes or lines: only what lies in these regions counts, as for `compute_uniqueness`.
        embeddings: a vector field, by default "embedding"; or an (n, d) array, one row per sample in their order; with
            `roi_field`, where the vectors of the regions are. Samples without a vector are left out.
        similarity_index: what `compute_similarity` gave, or its key: use the vectors and the metric of this index.
        model: what embeds the samples that have no vector in that field yet, as for `compute_uniqueness`.
        model_kwargs: what else the model is made with, such as `image_size`.
        force_square: make the boxes of the regions squares.
        alpha: grow the boxes of the regions by this fraction of their width and height.
        batch_size: images per call of the model.
        num_workers: how many threads read and decode files, by default one for each core.
        skip_failures: note images that cannot be embedded and go on. Otherwise the first one is an error.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).
        metric: "cosine" or "euclidean"; by default that of the index, else "cosine".
        duplicates_field: the field to write, which also is the key of the run.

    Returns:
        The run, with `duplicate_ids`, `unique_ids`, `neighbors_map`, `duplicates_view()`, `unique_view()`. Its `view()`
        begins with the most certain duplicate.

    Writes:
        On duplicates and the samples they repeat `<field>.of`, the id of the kept sample, and `<field>.distance` to it;
        on duplicates alone `<field>.closeness`, from 0, just a duplicate, to 1, no difference. In one action.

    Raises:
        FieldNotFoundError, SchemaError, FieldKindError, ModelError, RunError, UnreadableMediaError: as
            `compute_uniqueness`; SchemaError also for a threshold that cannot be.

    Example:
        ```python
        found = scb.compute_near_duplicates(dataset)
        dataset.delete_samples(found.duplicate_ids)
        ```
    """
    checked_distance(threshold, metric or "cosine")
    source = settled(
        samples, "cosine", roi_field=roi_field, embeddings=embeddings, similarity_index=similarity_index,
        model=model, model_kwargs=model_kwargs, metric=metric, force_square=force_square, alpha=alpha,
        batch_size=batch_size, num_workers=num_workers, skip_failures=skip_failures, progress=progress,
    )  # fmt: skip
    params = {
        **source.params, "threshold": threshold, "neighbors": None if threshold is not None else NEIGHBORS,
    }  # fmt: skip
    with runs.record(
        samples, "near_duplicates", key=duplicates_field, reads=source.reads, writes=[duplicates_field], params=params,
        one_action=True,
    ) as run:  # fmt: skip
        found = source.read()
        with shown(len(found.ids), progress) as advance:
            result = near_duplicates(found.vectors, threshold, metric=source.metric, advance=advance)
        repeats = result.of != np.arange(len(found.ids))
        rows = np.flatnonzero(repeats | np.isin(np.arange(len(found.ids)), result.of[repeats]))
        run.facts = {
            "samples": len(found.ids), "without_vector": found.without_vector, "duplicates": int(repeats.sum()),
            "unique": int((~repeats).sum()), "groups": len(rows) - int(repeats.sum()), **found.facts,
        }  # fmt: skip
        reach = np.sqrt(result.radius * result.radius[result.of])
        closeness = 1 - result.distances / np.maximum(reach, np.finfo(float).tiny)
        replace_results(samples, duplicates_field, [found.ids[row] for row in rows], {
            "of": [found.ids[result.of[row]] for row in rows],
            "distance": result.distances[rows].tolist(),
            "closeness": [float(max(closeness[row], 0.0)) if repeats[row] else None for row in rows],
        }, verb="compute_near_duplicates")  # fmt: skip
    assert isinstance(run, NearDuplicates), "the registry of runs gives it"
    return run


def spread(values: Sequence[float], bins: int) -> tuple[list[int], list[float]]:
    """Count values between edges."""
    numbers = np.asarray(values, dtype=np.float64)
    counts, edges = np.histogram(numbers, bins, limits_of(numbers, bins))
    return counts.tolist(), edges.tolist()


def checked_distance(threshold: float | None, metric: str) -> None:
    """Refuse what is no distance.

    Raises:
        SchemaError: with what is expected.
    """
    if metric not in ("cosine", "euclidean"):
        raise SchemaError(f"metric={metric!r} is unknown; expected 'cosine' or 'euclidean'.")
    if threshold is not None and not (isinstance(threshold, Real) and 0 <= threshold < np.inf):
        raise SchemaError(f"threshold={threshold!r} is no distance. Give 0 or more, or None for a rule without one.")


def replace_results(
    samples: "SampleCollection", field: str, ids: list[SampleId], values: dict[str, list[Any]], *, verb: str
) -> None:
    """Write results inside a field, and take away those that an earlier run of the same name left on other samples."""
    root = samples._root
    before = columns.read_ids(root.exists(field)) if root.has_field(field) else []
    cleared = sorted(set(before) - set(ids))
    if ids or cleared:
        written = {f"{field}.{name}": [*column, *[None] * len(cleared)] for name, column in values.items()}
        columns.write_scalars(samples, written, [*ids, *cleared], verb=verb)
