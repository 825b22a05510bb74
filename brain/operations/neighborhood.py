"""The neighbours of the samples that a verb scores, where there are embeddings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...dataset.columns import read_vectors
from ...dataset.progress import shown
from ...dataset.types import FloatArray, IntArray, Progress, SampleId
from ..kernels.neighbors import nearest_neighbors
from .inputs import ARRAY, read_embeddings
from .predictions import has_vectors

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

FIELD = "embedding"


def embeddings_used(samples: "SampleCollection", embeddings: str | ArrayLike | None) -> str | None:
    """What a run notes about its embeddings: a field, `ARRAY`, or None for none."""
    if embeddings is None:
        return FIELD if has_vectors(samples, FIELD) else None
    if isinstance(embeddings, str):
        return embeddings
    return None if isinstance(embeddings, bool) else ARRAY


def neighbors_of(
    samples: "SampleCollection", embeddings: str | ArrayLike | None, ids: Sequence[SampleId], k: int,
    progress: Progress = None,
) -> dict[str, Any]:  # fmt: skip
    """Find the k nearest of the samples `ids` to each of them.

    Args:
        samples: the dataset or view.
        embeddings: a vector field, or an (n, d) array, one row per sample of `samples`; None for the field "embedding"
            where it exists; False for no neighbours.
        ids: the samples to be scored.
        k: how many neighbours.
        progress: as everywhere.

    Returns:
        `distances` and `indices`, as the kernels take them, with infinity where a sample has no vector; nothing if
        there are no embeddings.
    """
    if embeddings_used(samples, embeddings) is None:
        with shown(len(ids), progress) as advance:
            advance(len(ids))
        return {}
    if embeddings is None:
        having, vectors = read_vectors(samples, FIELD)
    else:
        assert not isinstance(embeddings, bool), "it names none"
        found = read_embeddings(samples, embeddings)
        having, vectors = found.ids, found.vectors
    position = {sample_id: row for row, sample_id in enumerate(ids)}
    kept = [i for i, sample_id in enumerate(having) if sample_id in position]
    rows = np.array([position[having[i]] for i in kept], dtype=np.int64)
    with shown(len(rows), progress) as advance:
        near = nearest_neighbors(vectors if len(kept) == len(having) else vectors[kept], k, advance=advance)
    return _spread(len(ids), rows, *near)


def _spread(count: int, rows: IntArray, near: FloatArray, indices: IntArray) -> dict[str, Any]:
    """Put the neighbours of some rows into their places among all."""
    distances = np.full((count, near.shape[1]), np.inf)
    others = np.zeros((count, near.shape[1]), dtype=np.int64)
    distances[rows] = near
    others[rows] = rows[indices]
    return {"distances": distances, "indices": others}
