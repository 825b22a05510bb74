"""`compute_visualization`: vectors as points on a plane. The arithmetic is `kernels.principal`, or an extra's."""

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import columns, runs
from ...dataset.errors import MissingExtraError, SchemaError
from ...dataset.progress import shown
from ...dataset.types import FloatArray, Progress, SampleId
from ..kernels.principal import principal_components
from .inputs import ARRAY, embedded, read_embeddings, with_options

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.view import DatasetView

_VERB = "compute_visualization"


class Visualization(runs.Run):
    """Points that show which samples resemble each other."""

    def view(self) -> "DatasetView":
        """The samples that have a point."""
        view = self._dataset._view_of(self._record.get("view") or [])
        return view.exists(self.key) if self._dataset.has_field(self.key) else view.limit(0)

    @property
    def points(self) -> FloatArray:
        """The points, (n, dimensions), in the order of `sample_ids`."""
        return self._read()[1]

    @property
    def sample_ids(self) -> list[SampleId]:
        """The samples that the points belong to."""
        return self._read()[0]

    def _read(self) -> tuple[list[SampleId], FloatArray]:
        if not self._dataset.has_field(self.key):
            return [], np.empty((0, self.params["num_dims"]), dtype=np.float32)
        return columns.read_vectors(self.view(), self.key)


def compute_visualization(
    samples: "SampleCollection",
    *,
    points: "ArrayLike | None" = None,
    num_dims: int = 2,
    method: Literal["pca", "tsne", "umap"] = "pca",
    embeddings: "str | ArrayLike | None" = None,
    model: Any = None,
    model_kwargs: Mapping[str, Any] | None = None,
    brain_key: str = "visualization",
    seed: int = 51,
    batch_size: int | None = None,
    num_workers: int | None = None,
    progress: Progress = None,
) -> Visualization:
    """Place samples on a plane, so that what resembles each other lies together.

    Args:
        samples: a dataset or view.
        points: (n, num_dims) points that were made elsewhere, one row per sample in their order.
        num_dims: the dimensions of the points.
        method: "pca", the directions in which the vectors vary most, quick and the same every time; "tsne"
            (scikit-learn), or "umap" (the extra `viz`), which keep neighbours together.
        embeddings: a vector field, by default "embedding"; or an (n, d) array, one row per sample in their order.
        model: what embeds the samples that have no vector in that field yet, as for `compute_uniqueness`.
        model_kwargs: what else the model is made with, such as `image_size`.
        brain_key: the key of the run and the vector field to write.
        seed: for the methods that draw at random.
        batch_size: images per call of the model.
        num_workers: how many threads read and decode files, by default one for each core.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run, with `points` and `sample_ids`.

    Writes:
        `brain_key`, a vector field of `num_dims` numbers, in one action. Points of an earlier run on samples that have
        no vector now are taken away before, in another.

    Raises:
        SchemaError: if the method is unknown, `num_dims` is below 1, or the points do not fit the samples.
        MissingExtraError: for "umap" without the package `umap-learn`.
        FieldNotFoundError, FieldKindError: as `compute_uniqueness`.

    Example:
        ```python
        run = scb.compute_visualization(dataset)
        run.points
        ```
    """
    if method not in ("pca", "tsne", "umap") or not isinstance(num_dims, Integral) or num_dims < 1:
        raise SchemaError(
            f"method={method!r}, num_dims={num_dims!r}: expected 'pca', 'tsne' or 'umap', and 1 dimension or more."
        )
    given = points is not None
    field = points
    if field is None:
        field = embedded(
            samples, embeddings, with_options(model, model_kwargs), batch_size=batch_size, num_workers=num_workers,
            progress=progress,
        )  # fmt: skip
    reads = [field] if isinstance(field, str) else []
    params = {
        "embeddings": field if isinstance(field, str) else None if given else ARRAY, "num_dims": num_dims,
        "method": "manual" if given else method, "seed": seed,
    }  # fmt: skip
    with runs.record(
        samples, "visualization", key=brain_key, reads=reads, writes=[brain_key], params=params, one_action=True
    ) as run:
        found = read_embeddings(samples, field)
        with shown(len(found.ids), progress) as advance:
            placed, facts = (found.vectors, {}) if given else _placed(found.vectors, method, num_dims, seed)
            advance(len(found.ids))
        if found.ids and placed.shape[1] != num_dims:
            raise SchemaError(f"points has shape {placed.shape}; expected ({len(found.ids)}, {num_dims}).")
        run.facts = {"placed": len(found.ids), "without_vector": found.without_vector, **facts}
        if found.ids:
            had = columns.read_ids(samples.exists(brain_key)) if samples.has_field(brain_key) else []
            lost = sorted(set(had).difference(found.ids))
            if lost:  # points of another length may only be replaced all at once
                columns.write_scalars(samples, {brain_key: [None] * len(lost)}, lost, verb=_VERB)
            columns.write_vectors(samples, brain_key, found.ids, placed, overwrite=True, verb=_VERB)
    assert isinstance(run, Visualization), "the registry of runs gives it"
    return run


def _placed(
    vectors: FloatArray, method: str, num_dims: int, seed: int
) -> tuple[NDArray[np.floating[Any]], dict[str, Any]]:
    """Place vectors by a method, and say what is worth knowing about it."""
    if method == "pca" or len(vectors) < 4:  # among fewer there are no neighbours to keep together
        points, shares = principal_components(vectors, num_dims)
        return points, {"explained_variance": shares.tolist()}
    if method == "tsne":
        from sklearn.manifold import TSNE

        start = principal_components(vectors, min(50, vectors.shape[1]))[0]
        perplexity = min(30.0, (len(vectors) - 1) / 3)
        return TSNE(num_dims, perplexity=perplexity, init="pca", random_state=seed).fit_transform(start), {}
    try:
        from umap import UMAP  # type: ignore[import-not-found, unused-ignore]  # an extra
    except ImportError as error:
        raise MissingExtraError(
            "method='umap' needs the package umap-learn: pip install 'saccade[viz]'. Or use 'pca' or 'tsne'."
        ) from error
    return UMAP(n_components=num_dims, random_state=seed).fit_transform(vectors), {}
