"""`compute_uniqueness`: how unlike all others each sample is. The arithmetic is `kernels.uniqueness`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import columns, runs
from ...dataset.errors import RunError, SchemaError
from ...dataset.progress import shown
from ...dataset.types import FloatArray, Metric, Progress, SampleId
from ..kernels.neighbors import nearest_neighbors
from ..kernels.uniqueness import NEIGHBORS, WEIGHTS, Calibration, nearest_uniqueness, uniqueness
from .inputs import Embeddings, embedded, read_embeddings

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_VERSION = 2


def compute_uniqueness(
    samples: "SampleCollection",
    uniqueness_field: str = "uniqueness",
    *,
    embeddings: str | ArrayLike | None = None,
    model: Any = None,
    method: Literal["local", "nearest"] = "local",
    metric: Metric = "euclidean",
    reference: "SampleCollection | runs.Run | None" = None,
    batch_size: int | None = None,
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
        model: what embeds the samples that have no vector in that field yet, as in `compute_embeddings`. With neither
            embeddings nor a model, and no field "embedding", the built-in descriptor makes one.
        method: "local", comparable across sets; or "nearest", FiftyOne's published formula, where the most isolated
            sample has 1 and the others what remains.
        metric: "euclidean" or "cosine".
        reference: score against other samples than these: a dataset or view, or an earlier run of this verb, whose
            calibration is used as it was kept. Its vectors are read from the same field. With "local" only.
        batch_size: images per call of the model.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run; its `view()` begins with the most unique sample. Its summary holds the calibration.

    Writes:
        `uniqueness_field`, float in [0, 1], higher is more unique: all of it at the end, in one action.

    Raises:
        FieldNotFoundError: if there is no such vector field. `compute_embeddings` makes one.
        SchemaError: if no sample has a vector, the array has another length than the samples, the reference holds
            vectors of another model or length, or method or metric is unknown.
        FieldKindError: if a vector holds NaN or infinity, naming the sample.
        RunError: if the reference is a run that holds no calibration.

    Example:
        ```python
        run = scb.compute_uniqueness(dataset)
        run.view().head()
        scb.compute_uniqueness(arrivals, reference=run)
        ```
    """
    if method not in ("local", "nearest") or metric not in ("euclidean", "cosine"):
        raise SchemaError(
            f"method={method!r}, metric={metric!r}: expected 'local' or 'nearest', and 'euclidean' or 'cosine'."
        )
    if reference is not None and method != "local":
        raise SchemaError("method='nearest' divides by a maximum, so it knows no reference. Use method='local'.")
    field = embedded(samples, embeddings, model, batch_size=batch_size, progress=progress)
    reads = [field] if isinstance(field, str) else []
    params = {
        "embeddings": field if isinstance(field, str) else "(array)", "method": method, "metric": metric,
        "neighbors": NEIGHBORS if method == "local" else len(WEIGHTS), "reference": _name_of(reference),
    }  # fmt: skip
    with runs.record(
        samples, "uniqueness", key=uniqueness_field, reads=reads, writes=[uniqueness_field], params=params,
        version=_VERSION, one_action=True,
    ) as run:  # fmt: skip
        found = read_embeddings(samples, field)
        known = None if reference is None else _Reference.read(samples, reference, field, metric)
        with shown(len(found.ids), progress) as advance:
            scores, usual = _scores(found, known, method, metric, advance)
        run.summary = {"scored": len(found.ids), "without_vector": found.without_vector}
        if found.ids:
            run.summary["quartiles"] = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]).tolist()
            if usual is not None:
                run.summary["calibration"] = asdict(usual)
            columns.write_scalars(samples, {uniqueness_field: scores.tolist()}, found.ids, verb="compute_uniqueness")
    return run


def _scores(
    found: Embeddings, known: "_Reference | None", method: str, metric: Metric, advance: Callable[[int], None]
) -> tuple[NDArray[np.float64], Calibration | None]:
    """Score by the method asked for, and say what was usual where that matters."""
    if known is not None:
        return known.score(found, metric, advance)
    neighbors = NEIGHBORS if method == "local" else len(WEIGHTS)
    distances, indices = nearest_neighbors(found.vectors, neighbors, metric=metric, advance=advance)
    if method == "nearest":
        return nearest_uniqueness(distances), None
    return uniqueness(distances, distances[:, -1:].reshape(-1)[indices])


@dataclass(frozen=True)
class _Reference:
    """What samples are scored against, and what is usual there if that is known already."""

    vectors: FloatArray
    position: dict[SampleId, int]
    calibration: Calibration | None

    @classmethod
    def read(
        cls, samples: "SampleCollection", reference: "SampleCollection | runs.Run", field: str | ArrayLike, metric: str
    ) -> "_Reference":
        """Read the vectors of the reference."""
        if not isinstance(field, str):
            raise SchemaError("embeddings is an array, and the reference has none: name a vector field of both.")
        calibration = None
        if isinstance(reference, runs.Run):
            calibration = _calibration_of(reference, field, metric)
            reference = reference.view().exists(reference.writes[0])
        here, there = columns.model_of(samples, field) or {}, columns.model_of(reference, field) or {}
        if any(here[fact] != there[fact] for fact in here.keys() & there.keys()):
            raise SchemaError(f"field {field!r} holds vectors of {here} here and of {there} in the reference.")
        found = read_embeddings(reference, field)
        same = samples._root._id == reference._root._id
        return cls(found.vectors, {key: i for i, key in enumerate(found.ids)} if same else {}, calibration)

    def score(
        self, found: Embeddings, metric: Metric, advance: Callable[[int], None]
    ) -> tuple[NDArray[np.float64], Calibration]:
        """Score samples by their neighbours in the reference; one that belongs to it is no neighbour of itself."""
        own = np.array([self.position.get(key, -1) for key in found.ids], dtype=np.int64)
        distances, indices = nearest_neighbors(
            self.vectors, NEIGHBORS, metric=metric, queries=found.vectors, excluding=own, advance=advance
        )
        rows = np.unique(indices) if self.calibration else np.arange(len(self.vectors))
        among, others = nearest_neighbors(
            self.vectors, NEIGHBORS, metric=metric, queries=self.vectors[rows], excluding=rows
        )
        reach = np.zeros(len(self.vectors))
        if among.size:
            reach[rows] = among[:, -1]
        usual = self.calibration or uniqueness(among, reach[others])[1]
        return uniqueness(distances, reach[indices], usual)


def _calibration_of(run: runs.Run, field: str, metric: str) -> Calibration:
    wanted = {"embeddings": field, "method": "local", "metric": metric, "neighbors": NEIGHBORS, "reference": None}
    differing = sorted(name for name, value in wanted.items() if run.params.get(name) != value)
    if run.operation != "uniqueness" or run.version != _VERSION or "calibration" not in run.summary or differing:
        raise RunError(
            f"run {run.key!r} ({run.operation}, version {run.version}, {run.state}) cannot be the reference: needed is "
            f"a completed run of uniqueness, version {_VERSION}, with {wanted}. Give its dataset or view as reference."
        )
    return Calibration(**run.summary["calibration"])


def _name_of(reference: "SampleCollection | runs.Run | None") -> str | None:
    if reference is None:
        return None
    return reference.key if isinstance(reference, runs.Run) else reference._root.name
