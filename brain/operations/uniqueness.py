"""`compute_uniqueness`: how unlike all others each sample is. The arithmetic is `kernels.uniqueness`."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ...dataset import runs
from ...dataset.columns import write_scalars
from ...dataset.progress import shown
from ...dataset.types import Progress
from ..kernels.neighbors import nearest_neighbors
from ..kernels.uniqueness import WEIGHTS, uniqueness
from .inputs import read_embeddings

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def compute_uniqueness(
    samples: "SampleCollection",
    uniqueness_field: str = "uniqueness",
    *,
    embeddings: str | ArrayLike | None = None,
    progress: Progress = None,
) -> runs.Run:
    """Score how unlike its nearest neighbours each sample is.

    0 means that there is an exact copy, 0.5 is usual among these samples, and towards 1 a sample stands alone. A view
    is scored relative to itself. `saccade.brain.kernels.uniqueness` has the formula.

    Args:
        samples: a dataset or view.
        uniqueness_field: the field to write.
        embeddings: a vector field, by default "embedding"; or an (n, d) array, one row per sample in their order.
            Samples without a vector get no score.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run; its `view()` begins with the most unique sample.

    Writes:
        `uniqueness_field`, float in [0, 1], higher is more unique: all of it at the end, in one action.

    Raises:
        FieldNotFoundError: if there is no such vector field. `compute_embeddings` makes one.
        SchemaError: if no sample has a vector, or the array has another length than the samples.
        FieldKindError: if a vector holds NaN or infinity, naming the sample.

    Example:
        ```python
        scb.compute_embeddings(dataset)
        scb.compute_uniqueness(dataset).view().head()
        ```
    """
    field = "embedding" if embeddings is None else embeddings
    reads = [field] if isinstance(field, str) else []
    params = {
        "embeddings": field if isinstance(field, str) else "(array)",
        "neighbors": len(WEIGHTS),
        "metric": "euclidean",
    }
    with runs.record(
        samples, "uniqueness", key=uniqueness_field, reads=reads, writes=[uniqueness_field], params=params,
        one_action=True,
    ) as run:  # fmt: skip
        found = read_embeddings(samples, field)
        with shown(len(found.ids), progress) as advance:
            distances, _ = nearest_neighbors(found.vectors, len(WEIGHTS), advance=advance)
        scores = uniqueness(distances)
        run.summary = {"scored": len(found.ids), "without_vector": found.without_vector}
        if found.ids:
            run.summary["quartiles"] = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]).tolist()
            write_scalars(samples, {uniqueness_field: scores.tolist()}, found.ids, verb="compute_uniqueness")
    return run
