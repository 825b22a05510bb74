"""`compute_leaky_splits`: what is in more than one split. The arithmetic is `kernels.duplicates`."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...dataset import columns, runs
from ...dataset.errors import FieldNotFoundError, SchemaError, hint
from ...dataset.progress import shown
from ...dataset.types import BoolArray, Metric, Progress, SampleId
from ..kernels.duplicates import NEIGHBORS, leaks
from ..kernels.vectors import checked, squared_distances, unit_factors
from .duplicates import checked_distance, replace_results, spread
from .inputs import read_embeddings
from .sources import field_in, settled

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.sample import Sample
    from ...dataset.view import DatasetView


class LeakySplits(runs.Run):
    """A search for samples that another split holds too."""

    def view(self) -> "DatasetView":
        """The leaks, those with the most counterparts in other splits first."""
        return self.leaks_view().sort_by(f"{self.key}.count", reverse=True) if self._found() else self.leaks_view()

    def histogram(self, bins: int = 10) -> tuple[list[int], list[float]]:
        """How far the leaks are from their nearest counterparts: counts of distances, and the edges between them."""
        return spread(self.leaks_view().values(f"{self.key}.distance") if self._found() else [], bins)

    def leaks_view(self) -> "DatasetView":
        """The samples of which another split holds a near-duplicate."""
        return self._samples().exists(f"{self.key}.nearest") if self._found() else self._samples().limit(0)

    def no_leaks_view(self, view: "SampleCollection | None" = None) -> "DatasetView":
        """The samples of a view, by default of the run, that do not leak."""
        samples = self._samples() if view is None else view
        return samples.exists(f"{self.key}.nearest", False) if self._found() else samples.skip(0)

    @property
    def leak_ids(self) -> list[SampleId]:
        """The samples of which another split holds a near-duplicate."""
        return columns.read_ids(self.leaks_view())

    def leaks_for_sample(self, sample: "Sample | SampleId") -> "DatasetView":
        """The counterparts of a sample in other splits. They are looked up among the vectors as they are now.

        Raises:
            SchemaError: if the run was made with vectors that are in no field, or with views as splits.
        """
        field = field_in(self)
        if field is None or not self.params["splits"]:
            raise SchemaError(
                f"run {self.key!r} was made with vectors or views that it does not hold. "
                "Use a vector field, and tags or a field as splits."
            )
        asked = str(getattr(sample, "id", sample))
        ids, splits, _ = _memberships(self._samples(), self.params["splits"])
        member = dict(zip(ids, splits, strict=True))
        found = read_embeddings(self._samples(), field)
        _, scalars = columns.read_scalars(self._samples(), [f"{self.key}.radius"]) if self._found() else ([], {})
        held = zip(ids, scalars.get(f"{self.key}.radius", []), strict=False)
        radius = {key: value for key, value in held if value is not None}
        if asked not in found.ids or asked not in radius:
            return self._samples().limit(0)
        vectors, row = checked(found.vectors), found.ids.index(asked)
        cosine = self.params["metric"] == "cosine"
        factors = unit_factors(vectors) if cosine else np.ones(len(vectors))
        squared = squared_distances(vectors, factors, np.full(len(vectors), row), np.arange(len(vectors)))
        distances = squared / 2 if cosine else np.sqrt(squared)
        near = [
            found.ids[other]
            for other in np.argsort(distances, kind="stable")
            if other != row
            and found.ids[other] in radius
            and distances[other] ** 2 <= radius[asked] * radius[found.ids[other]]
            and member[asked].any()
            and member[found.ids[other]].any()
            and (member[asked] | member[found.ids[other]]).sum() > 1
        ]
        return self._dataset.select(near, ordered=True)

    def tag_leaks(self, tag: str = "leak") -> None:
        """Tag the samples that leak."""
        self.leaks_view().tag_samples(tag)

    def _samples(self) -> "DatasetView":
        return self._dataset._view_of(self._record.get("view") or [])

    def _found(self) -> bool:
        return self._dataset.has_field(self.key)


def compute_leaky_splits(
    samples: "SampleCollection",
    splits: "str | Sequence[str] | Mapping[str, SampleCollection]",
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
    leaks_field: str = "leaks",
) -> LeakySplits:
    """Find the samples of which another split holds a near-duplicate.

    Every pair across splits counts, and so does a sample that is in two splits itself. What a near-duplicate is, is
    said by `compute_near_duplicates`.

    Args:
        samples: a dataset or view.
        splits: the tags that mark the splits; or the name of a field whose values do; or views by name.
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
        leaks_field: the field to write, which also is the key of the run.

    Returns:
        The run, with `leaks_view()`, `no_leaks_view()`, `leaks_for_sample()`, `tag_leaks()`. Its `view()` begins with
        the sample that has the most counterparts.

    Writes:
        On samples that leak `<field>.count`, how many samples of other splits show the same, `<field>.nearest`, the id
        of the nearest of them, `<field>.distance` to it, and `<field>.radius`, which with that of the other sample says
        up to what distance two show the same. In one action.

    Raises:
        SchemaError: if fewer than two splits are given or found, one of them is empty, or a threshold cannot be.
        FieldNotFoundError, SchemaError, FieldKindError, ModelError, RunError, UnreadableMediaError: as
            `compute_uniqueness`; FieldNotFoundError also for the field of splits.

    Example:
        ```python
        found = scb.compute_leaky_splits(dataset, ["train", "test"])
        clean_test = found.no_leaks_view(dataset.match_tags("test"))
        ```
    """
    checked_distance(threshold, metric or "cosine")
    _check_form(splits)
    by_name = isinstance(splits, str) or not isinstance(splits, Mapping)
    source = settled(
        samples, "cosine", roi_field=roi_field, embeddings=embeddings, similarity_index=similarity_index,
        model=model, model_kwargs=model_kwargs, metric=metric, force_square=force_square, alpha=alpha,
        batch_size=batch_size, num_workers=num_workers, skip_failures=skip_failures, progress=progress,
    )  # fmt: skip
    params = {
        "splits": splits if isinstance(splits, str) else list(splits) if by_name else None, **source.params,
        "threshold": threshold, "neighbors": None if threshold is not None else NEIGHBORS,
    }  # fmt: skip
    reads = [*source.reads, *([splits] if isinstance(splits, str) else [])]
    with runs.record(
        samples, "leaky_splits", key=leaks_field, reads=reads, writes=[leaks_field], params=params, one_action=True
    ) as run:
        ids, member, names = _memberships(samples, splits)
        _check_filled(samples, splits, member, names)
        found = source.read()
        row_of = {key: row for row, key in enumerate(ids)}
        member = member[[row_of[key] for key in found.ids]]
        with shown(len(found.ids), progress) as advance:
            result = leaks(found.vectors, member, threshold, metric=source.metric, advance=advance)
        leaking = result.nearest >= 0
        run.facts = {
            "samples": len(found.ids), "without_vector": found.without_vector, "leaks": int(leaking.sum()),
            "leaks_by_split": {
                name: int((leaking & member[:, column]).sum()) for column, name in enumerate(names)
            },
            **found.facts,
        }  # fmt: skip
        rows = np.flatnonzero(leaking)
        replace_results(samples, leaks_field, [found.ids[row] for row in rows], {
            "count": result.counts[rows].tolist(), "nearest": [found.ids[row] for row in result.nearest[rows]],
            "distance": result.distances[rows].tolist(), "radius": result.radius[rows].tolist(),
        }, verb="compute_leaky_splits")  # fmt: skip
    assert isinstance(run, LeakySplits), "the registry of runs gives it"
    return run


def _memberships(
    samples: "SampleCollection", splits: "str | Sequence[str] | Mapping[str, SampleCollection]"
) -> tuple[list[SampleId], BoolArray, list[str]]:
    """Tell which splits each sample is in: the ids, (n, s), and the names of the splits."""
    if isinstance(splits, str):
        if splits not in samples.get_field_schema(flat=True):
            raise FieldNotFoundError(
                f"no field {splits!r} to take splits from. For tags, give a list of them, such as ['train', 'test']."
            )
        ids, found = columns.read_scalars(samples, [splits])
        names = sorted({str(value) for value in found[splits] if value is not None})
        held = [{str(value)} if value is not None else set() for value in found[splits]]
    elif isinstance(splits, Mapping):
        for view in splits.values():
            view._require_samples("a split")
        ids, names = columns.read_ids(samples), list(splits)
        parts = {name: set(columns.read_ids(view)) for name, view in splits.items()}
        held = [{name for name, part in parts.items() if key in part} for key in ids]
    else:
        ids, found = columns.read_scalars(samples, ["tags"])
        names = list(dict.fromkeys(splits))
        held = [set(tags or []) for tags in found["tags"]]
    if ids and len(names) < 2:
        raise SchemaError(f"splits={splits!r:.200} names {len(names)} splits ({names}); leaks need two or more.")
    member = np.array([[name in own for name in names] for own in held], dtype=bool).reshape(len(ids), len(names))
    return ids, member, names


def _check_form(splits: Any) -> None:
    """Refuse what is no field, no tags and no views by name.

    Raises:
        SchemaError: with what is expected.
    """
    named = splits.keys() if isinstance(splits, Mapping) else splits
    is_views = not isinstance(splits, Mapping) or all(hasattr(view, "_require_samples") for view in splits.values())
    if not (isinstance(named, Sequence | AbstractSet) and all(isinstance(name, str) for name in named) and is_views):
        raise SchemaError(
            f"splits={splits!r:.200} is no split. Give a list of tags, the name of a field, or a dict of views by name."
        )


def _check_filled(samples: "SampleCollection", splits: Any, member: BoolArray, names: Sequence[str]) -> None:
    """Refuse a split without samples, of which it would be said that it does not leak.

    Raises:
        SchemaError: with the tags there are.
    """
    empty = [name for column, name in enumerate(names) if not member[:, column].any()]
    if empty and len(member) >= len(names):  # of fewer samples some split must be empty
        known = "" if isinstance(splits, Mapping) else f" {hint(empty[0], samples.count_sample_tags(), 'Tags')}"
        raise SchemaError(f"none of the {len(member)} samples is in the split {empty[0]!r}.{known}")
