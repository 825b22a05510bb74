"""`compute_similarity` and `sort_by_similarity`: what resembles what. The arithmetic is `kernels.similarity`."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import columns, runs
from ...dataset.errors import FieldNotFoundError, RunError, ViewError
from ...dataset.progress import shown
from ...dataset.stages import SortBySimilarity, Stage
from ...dataset.types import FloatArray, Metric, Progress, SampleId
from ...dataset.view import DatasetView
from ..kernels.similarity import similarity_order
from ..kernels.vectors import first_nonfinite_row, unit_factors
from ..models.protocol import EmbeddingModel
from ..models.registry import get_model
from .duplicates import checked_distance
from .inputs import embedded, read_embeddings, similarity_indexes
from .text_queries import with_vectors_of_texts

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.dataset import Dataset


class SimilarityIndex(runs.Run):
    """Vectors by which samples can be sorted: a field, and how distances are measured in it.

    Attributes:
        model: what embeds the texts of queries, if it was given to `compute_similarity`. It is not stored: an index
            that is loaded later finds models of the library by their name.
    """

    model: EmbeddingModel | None = None

    @property
    def embeddings_field(self) -> str:
        """The vector field."""
        return str(self.params["embeddings"])

    @property
    def metric(self) -> Metric:
        """How distances are measured."""
        metric: Metric = self.params["metric"]
        return metric

    @property
    def index_size(self) -> int:
        """How many samples can be found."""
        return self.view().count()

    def view(self) -> "DatasetView":
        """The samples that can be found: those with a vector."""
        view = self._dataset._view_of(self._record.get("view") or [])
        return view.exists(self.embeddings_field) if self._dataset.has_field(self.embeddings_field) else view.limit(0)

    def get_embeddings(self) -> tuple[FloatArray, list[SampleId]]:
        """The vectors, (n, d), and whose they are."""
        if not self._dataset.has_field(self.embeddings_field):
            return np.empty((0, 0), dtype=np.float32), []
        ids, vectors = columns.read_vectors(self.view(), self.embeddings_field)
        return vectors, ids

    def sort_by_similarity(
        self, query: Any, k: int | None = None, *, reverse: bool = False, dist_field: str | None = None,
        model: Any = None,
    ) -> "DatasetView":  # fmt: skip
        """The samples of the index by their similarity to a query; see `sort_by_similarity`."""
        return sort_by_similarity(
            self.view(), query, k, reverse=reverse, dist_field=dist_field, brain_key=self.key,
            model=self.model if model is None else model,
        )  # fmt: skip


def compute_similarity(
    samples: "SampleCollection",
    *,
    embeddings: "str | ArrayLike | None" = None,
    model: Any = None,
    model_kwargs: Mapping[str, Any] | None = None,
    metric: Metric = "cosine",
    brain_key: str = "similarity",
    batch_size: int | None = None,
    num_workers: int | None = None,
    progress: Progress = None,
) -> SimilarityIndex:
    """Make samples findable by what they resemble.

    Nothing is built: the vectors are the index, and what is added to their field later is found too.

    Args:
        samples: a dataset or view.
        embeddings: a vector field, by default "embedding"; or an (n, d) array, one row per sample in their order,
            which is stored in the field `brain_key`.
        model: what embeds the samples that have no vector in that field yet, as for `compute_uniqueness`. The index
            that is returned asks it for the vectors of texts.
        model_kwargs: what else the model is made with, such as `image_size`.
        metric: "cosine" or "euclidean".
        brain_key: the key of the run, by which `sort_by_similarity` knows the index.
        batch_size: images per call of the model.
        num_workers: how many threads read and decode files, by default one for each core.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run, with `sort_by_similarity()`, `get_embeddings()`, `index_size`.

    Writes:
        Vectors that were given as an array, into the field `brain_key`.

    Raises:
        FieldNotFoundError, SchemaError, FieldKindError: as `compute_uniqueness`.

    Example:
        ```python
        scb.compute_similarity(dataset)
        dataset.sort_by_similarity(dataset.first(), k=20)
        ```
    """
    checked_distance(None, metric)
    chosen = None if model is None else get_model(model, **(model_kwargs or {}))
    field = embedded(samples, embeddings, chosen, batch_size=batch_size, num_workers=num_workers, progress=progress)
    name = field if isinstance(field, str) else brain_key
    reads, writes = ([name], []) if isinstance(field, str) else ([], [name])
    with runs.record(
        samples, "similarity", key=brain_key, reads=reads, writes=writes,
        params={"embeddings": name, "metric": metric}, one_action=True,
    ) as run:  # fmt: skip
        found = read_embeddings(samples, field)
        with shown(len(found.ids), progress) as advance:
            advance(len(found.ids))
        if not isinstance(field, str) and found.ids:
            columns.write_vectors(samples, name, found.ids, found.vectors, overwrite=True, verb="compute_similarity")
        run.facts = {"indexed": len(found.ids), "without_vector": found.without_vector}
        if len(found.ids):
            run.facts["dimension"] = int(found.vectors.shape[1])
    assert isinstance(run, SimilarityIndex), "the registry of runs gives it"
    run.model = chosen
    return run


def sort_by_similarity(
    samples: "SampleCollection",
    query: Any,
    k: int | None = None,
    *,
    reverse: bool = False,
    dist_field: str | None = None,
    brain_key: str | None = None,
    model: Any = None,
) -> "DatasetView":
    """Sort samples by their similarity to a query, the nearest first; samples without a vector are left out.

    The view keeps the query's vector and the field of the vectors; it is worked out at each reading, so it finds what
    was added meanwhile.

    Args:
        samples: a dataset or view.
        query: a sample or the id of one, a vector, text, or several of these, whose mean direction counts. Text of 24
            hexadecimal digits is an id.
        k: how many samples; all by default.
        reverse: whether the least similar come first, and are those that `k` keeps.
        dist_field: a field to write the distances into, once, as they are now.
        brain_key: the index to use; it is needed where there are several. Where there is none, the field "embedding"
            and the cosine distance are used.
        model: what embeds text; by default the model of the field's vectors, if the library knows it by name. It must
            be the one that made them, in the same version.

    Raises:
        RunError: if there are several indexes, or the key is none of them.
        ViewError: if the query is a sample without a vector, a vector of another length, or text and no model known.
        ModelError: if the model does not embed text, gives no finite vector of the right length, or did not make the
            field's vectors.
        FieldNotFoundError: if there is neither an index nor a field "embedding".
    """
    field, metric = _index_of(samples._root, brain_key)
    vector = _vector_of(samples._root, query, field, metric, None if model is None else get_model(model))
    stage = SortBySimilarity(vector.tolist(), field, metric=metric, k=k, reverse=reverse)
    view = samples._then(stage)
    if dist_field is not None:
        found, distances = _sorted(samples, stage)
        if found:
            columns.write_scalars(samples, {dist_field: distances.tolist()}, found, verb="sort_by_similarity")
    return view


def order(root: "Dataset", before: tuple[Stage, ...], stage: SortBySimilarity) -> list[SampleId]:
    """Work out which samples come in which order; views ask for it at each reading."""
    return _sorted(DatasetView(root, before), stage)[0]


def _sorted(samples: "SampleCollection", stage: SortBySimilarity) -> tuple[list[SampleId], NDArray[np.float64]]:
    ids, vectors = columns.read_vectors(samples, stage.field)
    if not ids:
        return [], np.empty(0)
    if vectors.shape[1] != len(stage.query):
        raise ViewError(
            f"the query has length {len(stage.query)}; the vectors in {stage.field!r} have length {vectors.shape[1]}."
        )
    rows, distances = similarity_order(vectors, stage.query, metric=stage.metric, reverse=stage.reverse)
    return [ids[row] for row in rows[: stage.k]], distances[: stage.k]


def _index_of(root: "Dataset", brain_key: str | None) -> tuple[str, Metric]:
    """Find the field and the metric of an index."""
    known = similarity_indexes(root)
    if brain_key is None and len(known) > 1:
        raise RunError(f"there are several similarity indexes: {', '.join(known)}. Name one by brain_key.")
    if brain_key is not None and brain_key not in known:
        raise RunError(
            f"no similarity index {brain_key!r}; there are: {', '.join(known) or 'none'}. compute_similarity()."
        )
    for key in [brain_key] if brain_key else known:
        return known[key].params["embeddings"], known[key].params["metric"]
    if not root.has_field("embedding"):
        raise FieldNotFoundError(
            f"dataset {root.name!r} has no similarity index and no field 'embedding'. compute_similarity() makes one."
        )
    return "embedding", "cosine"


def _vector_of(
    root: "Dataset", query: Any, field: str, metric: Metric, model: EmbeddingModel | None
) -> NDArray[np.float64]:
    """Give the query as one vector: of a sample or text, as it is, or the mean of several."""
    several = isinstance(query, Iterable) and not isinstance(query, str) and not hasattr(query, "id")
    parts = list(query) if several else [query]
    if not parts:
        raise ViewError("sort_by_similarity() was given no query. Give a sample, an id, a vector, text, or several.")
    parts = with_vectors_of_texts(root, parts, field, model)
    if all(isinstance(part, int | float | np.number) and not isinstance(part, bool) for part in parts):
        rows = np.asarray([parts], dtype=np.float64)
    else:
        try:
            rows = np.asarray([_one_vector(root, part, field) for part in parts], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ViewError(f"sort_by_similarity() was given {query!r:.200}: {error}") from error
    if rows.ndim != 2 or rows.shape[1] == 0 or first_nonfinite_row(rows) is not None:
        raise ViewError(f"sort_by_similarity() was given {query!r:.200}, which is no vector of finite numbers.")
    if len(rows) > 1 and metric == "cosine":
        rows = rows * unit_factors(rows)[:, None]
    mean: NDArray[np.float64] = rows.mean(axis=0)
    return mean


def _one_vector(root: "Dataset", part: Any, field: str) -> Any:
    key = part if isinstance(part, str) else getattr(part, "id", None)
    if not isinstance(key, str):
        return part
    ids, vectors = columns.read_vectors(root.select(key), field)
    if not ids:
        raise ValueError(f"there is no sample {key} with a vector in field {field!r}.")
    return vectors[0]
