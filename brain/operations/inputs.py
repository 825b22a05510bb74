"""What the verbs read: embeddings by field name or as an array, checked, with the samples they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...dataset import runs
from ...dataset.columns import read_ids, read_vectors
from ...dataset.errors import FieldKindError, FieldNotFoundError, SchemaError
from ...dataset.types import FloatArray, Progress, SampleId
from ..kernels.vectors import first_nonfinite_row
from ..models.registry import get_model
from .embeddings import compute_embeddings

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.dataset import Dataset

ARRAY = "(array)"
"""What a run notes where values came as an array, which it does not keep."""


@dataclass(frozen=True)
class Embeddings:
    """Vectors and whose they are.

    Attributes:
        ids: the samples that have a vector, in the collection's order.
        vectors: (len(ids), d).
        without_vector: how many samples have none.
        facts: what else a run should keep about them, such as files that failed.
    """

    ids: list[SampleId]
    vectors: FloatArray
    without_vector: int
    facts: dict[str, Any] = field(default_factory=dict)


def embedded(
    samples: "SampleCollection",
    embeddings: str | ArrayLike | None,
    model: Any = None,
    *,
    batch_size: int | None = None,
    num_workers: int | None = None,
    skip_failures: bool = True,
    progress: Progress = None,
) -> str | ArrayLike:
    """Settle where the vectors come from, and compute those that are missing if a model is given.

    Without embeddings the field "embedding" is meant; if there is none and no model is given, the built-in descriptor
    fills it.

    Raises:
        SchemaError: if both an array and a model are given.
    """
    if not (embeddings is None or isinstance(embeddings, str)):
        if model is not None:
            raise SchemaError("embeddings is an array and model was given too: name a field for the model to fill.")
        return embeddings
    name = embeddings or "embedding"
    known = name in samples.get_field_schema()
    if embeddings is None and not known and not samples.count():
        return np.empty((0, 1))
    if model is not None or (embeddings is None and not known):
        compute_embeddings(
            samples, model or "builtin", name, batch_size, num_workers, skip_failures=skip_failures, progress=progress
        )
    return name


def with_options(model: Any, model_kwargs: Mapping[str, Any] | None) -> Any:
    """Make the model with its options, if there are any.

    Raises:
        ModelError: if the model has no such option.
        SchemaError: if there are options and no model.
    """
    if not model_kwargs:
        return model
    if model is None:
        raise SchemaError(f"model_kwargs={dict(model_kwargs)!r} are for a model, and none is named. Give model too.")
    return get_model(model, **model_kwargs)


def read_embeddings(samples: "SampleCollection", embeddings: str | ArrayLike) -> Embeddings:
    """Read a vector field, or take an array with one row per sample.

    Raises:
        FieldNotFoundError: if there is no such field.
        SchemaError: if there are samples but none has a vector, or the array has another length than the samples.
        FieldKindError: if the array holds NaN or infinity, naming the sample, or is no matrix of numbers.
    """
    if not isinstance(embeddings, str):
        return _of_array(samples, embeddings)
    try:
        ids, vectors = read_vectors(samples, embeddings)
    except FieldNotFoundError as error:
        remedy = _remedy(samples, embeddings, f"compute_embeddings(samples, embeddings_field={embeddings!r}) makes it.")
        raise FieldNotFoundError(f"{error} {remedy}") from error
    total = samples.count()
    if total and not ids:
        remedy = _remedy(
            samples, embeddings, f"Run compute_embeddings(samples, embeddings_field={embeddings!r}) first."
        )
        raise SchemaError(f"none of the {total} samples has a vector in field {embeddings!r}. {remedy}")
    return Embeddings(ids, vectors, max(0, total - len(ids)))


def _remedy(samples: "SampleCollection", embeddings: str, otherwise: str) -> str:
    reasons = f"{embeddings}_error"
    return f"Field {reasons!r} says why." if reasons in samples.get_field_schema() else otherwise


def _of_array(samples: "SampleCollection", embeddings: ArrayLike) -> Embeddings:
    ids = read_ids(samples)
    try:
        vectors = np.asarray(embeddings)
        if vectors.dtype.kind == "c":
            raise TypeError("its numbers are complex.")
        if vectors.dtype not in (np.float32, np.float64):
            vectors = vectors.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise FieldKindError(f"embeddings is neither the name of a field nor a matrix of numbers: {error}") from error
    if vectors.ndim != 2 or len(vectors) != len(ids) or (ids and vectors.shape[1] == 0):
        raise SchemaError(
            f"embeddings has shape {vectors.shape}; expected ({len(ids)}, d), one row for each sample in their order."
        )
    row = first_nonfinite_row(vectors)
    if row is not None:
        raise FieldKindError(
            f"embeddings holds NaN or infinity for sample {ids[row]} (row {row}). Leave that sample out."
        )
    return Embeddings(ids, vectors, 0)


def similarity_indexes(root: "Dataset") -> dict[str, runs.Run]:
    """The similarity indexes of a dataset by their keys, without those whose computing failed."""
    found = map(root.get_run_info, root.list_runs("similarity"))
    return {run.key: run for run in found if run.state == "completed"}
