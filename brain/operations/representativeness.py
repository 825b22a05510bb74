"""`compute_representativeness`: how typical each sample is. The arithmetic is `kernels.representativeness`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...dataset import runs
from ...dataset.progress import shown
from ...dataset.types import Metric, Progress
from ..kernels.neighbors import nearest_neighbors
from ..kernels.representativeness import NEIGHBORS, representativeness
from .duplicates import checked_distance
from .scoring import write_vector_scores
from .sources import settled

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def compute_representativeness(
    samples: "SampleCollection",
    representativeness_field: str = "representativeness",
    *,
    roi_field: str | None = None,
    embeddings: "str | ArrayLike | None" = None,
    similarity_index: runs.Run | str | None = None,
    model: Any = None,
    model_kwargs: Mapping[str, Any] | None = None,
    force_square: bool = False,
    alpha: float | None = None,
    batch_size: int | None = None,
    num_workers: int | None = None,
    skip_failures: bool = True,
    progress: Progress = None,
    metric: Metric | None = None,
) -> runs.Run:
    """Score how many others each sample stands for: high in the middle of a cluster, low at its rim and beyond.

    0.5 is usual among these samples. A view is scored relative to itself. `saccade.brain.kernels.representativeness`
    has the formula.

    Args:
        samples: a dataset or view, of any size.
        representativeness_field: the field to write.
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
        metric: "euclidean" or "cosine"; by default that of the index, else "euclidean".

    Returns:
        The run; its `view()` begins with the most typical sample.

    Writes:
        `representativeness_field`, float in [0, 1], higher is more typical: all of it at the end, in one action.

    Raises:
        FieldNotFoundError, SchemaError, FieldKindError, ModelError, RunError, UnreadableMediaError: as
            `compute_uniqueness`.

    Example:
        ```python
        scb.compute_representativeness(dataset).view().limit(10)
        ```
    """
    checked_distance(None, metric or "euclidean")
    source = settled(
        samples, "euclidean", roi_field=roi_field, embeddings=embeddings, similarity_index=similarity_index,
        model=model, model_kwargs=model_kwargs, metric=metric, force_square=force_square, alpha=alpha,
        batch_size=batch_size, num_workers=num_workers, skip_failures=skip_failures, progress=progress,
    )  # fmt: skip
    with runs.record(
        samples, "representativeness", key=representativeness_field, reads=source.reads,
        writes=[representativeness_field], params={**source.params, "neighbors": NEIGHBORS}, one_action=True,
    ) as run:  # fmt: skip
        found = source.read()
        with shown(len(found.ids), progress) as advance:
            near, _ = nearest_neighbors(found.vectors, NEIGHBORS, metric=source.metric, advance=advance)
            scores = representativeness(near)
        run.facts = {"scored": len(found.ids), "without_vector": found.without_vector, **found.facts}
        if found.ids:
            run.facts["quartiles"] = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]).tolist()
        write_vector_scores(samples, found, scores, representativeness_field, verb="compute_representativeness")
    return run
