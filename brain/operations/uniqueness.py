"""`compute_uniqueness`: how unlike all others each sample is. The arithmetic is `kernels.uniqueness`."""

from collections.abc import Callable, Mapping
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
from .duplicates import checked_distance
from .inputs import ARRAY, Embeddings, read_embeddings
from .scoring import write_vector_scores
from .sources import Source, settled

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_VERSION = 2


def compute_uniqueness(
    samples: "SampleCollection",
    uniqueness_field: str = "uniqueness",
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
    method: Literal["local", "nearest"] = "local",
    metric: Metric | None = None,
    reference: "SampleCollection | runs.Run | None" = None,
) -> runs.Run:
    """Score how unlike its nearest neighbours each sample is.

    0 means that there is an exact copy, 0.5 is usual among these samples, and towards 1 a sample stands alone. A view
    is scored relative to itself. `saccade.brain.kernels.uniqueness` has the formula.

    Args:
        samples: a dataset or view.
        uniqueness_field: the field to write.
        roi_field: a Detection, Detections, Polyline or Polylines field: only what lies in its boxes counts. The vector
            of an image is the mean over its regions, of length one where theirs have that. An image without regions, or
            with none inside it, counts whole.
        embeddings: a vector field, by default "embedding"; or an (n, d) array, one row per sample in their order.
            Samples without a vector get no score. With `roi_field`, the name of the vectors that its labels hold, which
            are then used; else the field to keep the vectors of the regions in, so that a second call need not embed
            again. Without a name they are not kept.
        similarity_index: what `compute_similarity` gave, or its key: use the vectors and the metric of this index.
        model: what embeds the samples that have no vector in that field yet, as in `compute_embeddings`. With neither
            embeddings nor a model, and no field "embedding", the built-in descriptor makes one.
        model_kwargs: what else the model is made with, such as `image_size`.
        force_square: make the boxes of the regions squares: the shorter side grows to the longer, inside the image.
        alpha: grow the boxes of the regions by this fraction of their width and height; below 0, down to -1, they
            shrink. Regions are cut at the rim of the image, and hold at least one pixel.
        batch_size: images per call of the model.
        num_workers: how many threads read and decode files, by default one for each core.
        skip_failures: note images that cannot be embedded and go on. Otherwise the first one is an error.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).
        method: "local", comparable across sets; or "nearest", FiftyOne's published formula, where the most isolated
            sample has 1 and the others what remains.
        metric: "euclidean" or "cosine"; by default that of the index, else "euclidean".
        reference: score against other samples than these: a dataset or view, or an earlier run of this verb, whose
            calibration is used as it was kept. Its vectors are read from the same field. With "local" only.

    Returns:
        The run; its `view()` begins with the most unique sample. Its summary holds the calibration.

    Writes:
        `uniqueness_field`, float in [0, 1], higher is more unique: all of it at the end, in one action. Before, and as
        `compute_embeddings` does, vectors of the model into their field. Failures are noted beside these, and otherwise
        in the run.

    Raises:
        FieldNotFoundError: if there is no such vector field. `compute_embeddings` makes one.
        SchemaError: if no sample has a vector, the array has another length than the samples, the reference holds
            vectors of another model or length, arguments contradict each other, or method or metric is unknown.
        FieldKindError: if a vector holds NaN or infinity, naming the sample, or `roi_field` holds no regions.
        ModelError: if the field holds another model's vectors, or those of other regions.
        RunError: if the reference is a run that holds no calibration, or the index none of this dataset.
        UnreadableMediaError: if a file fails and `skip_failures` is False.

    Example:
        ```python
        run = scb.compute_uniqueness(dataset)
        run.view().head()
        scb.compute_uniqueness(arrivals, reference=run)
        ```
    """
    checked_distance(None, metric or "euclidean")
    if method not in ("local", "nearest"):
        raise SchemaError(f"method={method!r}: expected 'local' or 'nearest'.")
    if reference is not None and method != "local":
        raise SchemaError("method='nearest' divides by a maximum, so it knows no reference. Use method='local'.")
    if not (reference is None or isinstance(reference, runs.Run) or hasattr(reference, "_require_samples")):
        raise SchemaError(f"reference={reference!r:.200} is no dataset, view or run. load_run(key) gives a run.")
    source = settled(
        samples, "euclidean", roi_field=roi_field, embeddings=embeddings, similarity_index=similarity_index,
        model=model, model_kwargs=model_kwargs, metric=metric, force_square=force_square, alpha=alpha,
        batch_size=batch_size, num_workers=num_workers, skip_failures=skip_failures, progress=progress,
    )  # fmt: skip
    params = {
        **source.params, "method": method, "neighbors": NEIGHBORS if method == "local" else len(WEIGHTS),
        "reference": _name_of(reference),
    }  # fmt: skip
    with runs.record(
        samples, "uniqueness", key=uniqueness_field, reads=source.reads, writes=[uniqueness_field], params=params,
        version=_VERSION, one_action=True,
    ) as run:  # fmt: skip
        found = source.read()
        known = None if reference is None else _Reference.read(samples, reference, source)
        with shown(len(found.ids), progress) as advance:
            scores, usual = _scores(found, known, method, source.metric, advance)
        run.facts = {"scored": len(found.ids), "without_vector": found.without_vector, **found.facts}
        if found.ids:
            run.facts["quartiles"] = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]).tolist()
            if usual is not None:
                run.facts["calibration"] = asdict(usual)
        write_vector_scores(samples, found, scores, uniqueness_field, verb="compute_uniqueness")
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
        cls, samples: "SampleCollection", reference: "SampleCollection | runs.Run", source: Source
    ) -> "_Reference":
        """Read the vectors of the reference."""
        field = source.field
        if field is None:
            what = "embeddings is an array" if source.params["embeddings"] == ARRAY else "no field holds the vectors"
            raise SchemaError(f"{what}, and the reference has none: name a vector field of both by embeddings.")
        calibration = None
        if isinstance(reference, runs.Run):
            calibration = _calibration_of(reference, field, source.metric)
            reference = reference.view().exists(reference.writes[0])
        here, there = columns.model_of(samples, field) or {}, columns.model_of(reference, field) or {}
        both = here.keys() & there.keys()
        regions = "name" in both and here.get("regions") != there.get("regions")
        if regions or any(here[fact] != there[fact] for fact in both):
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
    if run.operation != "uniqueness" or run.version != _VERSION or "calibration" not in run.facts or differing:
        raise RunError(
            f"run {run.key!r} ({run.operation}, version {run.version}, {run.state}) cannot be the reference: needed is "
            f"a completed run of uniqueness, version {_VERSION}, with {wanted}. Give its dataset or view as reference."
        )
    return Calibration(**run.facts["calibration"])


def _name_of(reference: "SampleCollection | runs.Run | None") -> str | None:
    if reference is None:
        return None
    return reference.key if isinstance(reference, runs.Run) else reference._root.name
