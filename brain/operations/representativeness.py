"""`compute_representativeness`: how typical each sample is. The arithmetic is `kernels.representativeness`."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...dataset import columns, runs
from ...dataset.progress import shown
from ...dataset.types import Metric, Progress
from ..kernels.neighbors import nearest_neighbors
from ..kernels.representativeness import NEIGHBORS, representativeness
from .duplicates import checked_distance
from .inputs import embedded, read_embeddings

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def compute_representativeness(
    samples: "SampleCollection",
    representativeness_field: str = "representativeness",
    *,
    embeddings: str | ArrayLike | None = None,
    model: Any = None,
    metric: Metric = "euclidean",
    batch_size: int | None = None,
    progress: Progress = None,
) -> runs.Run:
    """Score how many others each sample stands for: high in the middle of a cluster, low at its rim and beyond.

    0.5 is usual among these samples. A view is scored relative to itself. `saccade.brain.kernels.representativeness`
    has the formula.

    Args:
        samples: a dataset or view, of any size.
        representativeness_field: the field to write.
        embeddings: a vector field, by default "embedding"; or an (n, d) array, one row per sample in their order.
            Samples without a vector get no score.
        model: what embeds the samples that have no vector in that field yet, as for `compute_uniqueness`.
        metric: "euclidean" or "cosine".
        batch_size: images per call of the model.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run; its `view()` begins with the most typical sample.

    Writes:
        `representativeness_field`, float in [0, 1], higher is more typical: all of it at the end, in one action.

    Raises:
        FieldNotFoundError, SchemaError, FieldKindError: as `compute_uniqueness`.

    Example:
        ```python
        scb.compute_representativeness(dataset).view().limit(10)
        ```
    """
    checked_distance(None, metric)
    field = embedded(samples, embeddings, model, batch_size=batch_size, progress=progress)
    reads = [field] if isinstance(field, str) else []
    params = {"embeddings": field if reads else "(array)", "metric": metric, "neighbors": NEIGHBORS}
    with runs.record(
        samples, "representativeness", key=representativeness_field, reads=reads, writes=[representativeness_field],
        params=params, one_action=True,
    ) as run:  # fmt: skip
        found = read_embeddings(samples, field)
        with shown(len(found.ids), progress) as advance:
            scores = representativeness(nearest_neighbors(found.vectors, NEIGHBORS, metric=metric, advance=advance)[0])
        run.summary = {"scored": len(found.ids), "without_vector": found.without_vector}
        if found.ids:
            run.summary["quartiles"] = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]).tolist()
            columns.write_scalars(
                samples, {representativeness_field: scores.tolist()}, found.ids, verb="compute_representativeness"
            )
    return run
