"""`compute_embeddings`: a vector for every image. The pass over the files is `media_pass`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...dataset import columns, runs
from ...dataset.errors import SchemaError
from ...dataset.media.streaming import workers_of
from ...dataset.types import Progress
from ..models.protocol import EmbeddingModel
from ..models.registry import get_model
from .given_vectors import is_given, read_given
from .media_pass import Asked, checked_batch_size, run_pass
from .regions import RegionOptions

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def compute_embeddings(
    samples: "SampleCollection",
    model: Any = "builtin",
    embeddings_field: str = "embedding",
    batch_size: int | None = None,
    num_workers: int | None = None,
    skip_failures: bool = True,
    progress: Progress = None,
    *,
    overwrite: bool = False,
    device: str | None = None,
    model_kwargs: Mapping[str, Any] | None = None,
    patches_field: str | None = None,
) -> runs.Run:
    """Embed the image of every sample that has no vector yet.

    What is done is kept: a pass that was stopped, or a dataset that has grown, goes on with what is missing. Images
    that failed before are tried again.

    Args:
        samples: a dataset or view.
        model: "builtin"; a name such as "hf:facebook/dinov2-small", "onnx:model.onnx" or "tf:MobileNetV2"; a model that
            `train_embedding_model` made, by its name; an embedding model (`saccade.brain.models.protocol`); a torch
            module; a function of a list of (height, width, 3) uint8 images; a scikit-learn transformer fitted on pixel
            rows; or the vectors themselves: an array in the order of the samples, a dict by id, the path of a `.npy`
            file, or of an `embeddings.csv` as Lightly writes it.
        embeddings_field: the vector field to fill.
        batch_size: images per call of the model, 32 by default.
        num_workers: how many threads read and decode files, by default one for each core. The result is the same.
        skip_failures: note broken and missing files and go on. Otherwise the first one is an error.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).
        overwrite: embed all samples anew, and write them in one step at the end. It is needed to put another model's
            vectors into the field, and `samples` must then hold every sample that has one.
        device: where the model runs, such as "cpu" or "cuda"; for models that are named or of torch.
        model_kwargs: what else the model is made with, such as `image_size`.
        patches_field: embed the objects in this field of labels instead, as `compute_patch_embeddings` does.

    Returns:
        The run; its `summary` counts what was embedded, what had a vector already, what failed, and the bytes read.

    Writes:
        `embeddings_field`, one vector per sample, in an action every few seconds; and, on samples whose file failed,
        the reason in `<embeddings_field>_error` (removed when it succeeds later).

    Raises:
        ModelError: if there is no such model, the field holds another model's vectors, or `batch_size` is below 1.
        WrongOutputShapeError: if the model does not return one row of numbers per image.
        UnreadableMediaError: if a file fails and `skip_failures` is False.
        SourceUnavailableError: if a bucket as a whole cannot be read any more; what is done is kept.

    Example:
        ```python
        scb.compute_embeddings(dataset)
        dataset.exists("embedding_error").values(["filepath", "embedding_error"])
        ```
    """
    options = {**(model_kwargs or {}), **({} if device is None else {"device": device})}
    if patches_field is not None:
        from .patch_embeddings import compute_patch_embeddings

        return compute_patch_embeddings(
            samples, model, patches_field, embeddings_field, batch_size=batch_size, num_workers=num_workers,
            skip_failures=skip_failures, progress=progress, overwrite=overwrite, model_kwargs=options,
        )  # fmt: skip
    if is_given(model):
        if options:
            raise SchemaError(f"model is vectors, which take no {', '.join(sorted(options))}. Leave that out.")
        return _keep_given(samples, model, embeddings_field, overwrite=overwrite)
    return fill_embeddings(
        samples, get_model(model, **options), embeddings_field, batch_size, num_workers=num_workers,
        skip_failures=skip_failures, overwrite=overwrite, progress=progress,
    )  # fmt: skip


def fill_embeddings(
    samples: "SampleCollection", model: EmbeddingModel, embeddings_field: str, batch_size: int | None, *,
    regions: RegionOptions | None = None, num_workers: int | None = None, skip_failures: bool = True,
    overwrite: bool = False, progress: Progress = None,
) -> runs.Run:  # fmt: skip
    """Fill a vector field as `compute_embeddings` does, of images or of their regions."""
    size, workers = checked_batch_size(batch_size), workers_of(num_workers)
    params = {"model": model.name, "version": model.version, "batch_size": size, "overwrite": overwrite}
    reads = ["filepath"]
    if regions is not None:
        params |= regions.params()
        reads.append(regions.field)
    asked = Asked(model=model, embeddings_field=embeddings_field, regions=regions, overwrite=overwrite)
    with runs.record(
        samples, "embeddings", key=embeddings_field, reads=reads, writes=asked.writes, params=params
    ) as run:
        run_pass(
            samples, asked, run, "compute_embeddings", batch_size=size, num_workers=workers,
            skip_failures=skip_failures, progress=progress,
        )  # fmt: skip
    return run


def _keep_given(samples: "SampleCollection", vectors: Any, embeddings_field: str, *, overwrite: bool) -> runs.Run:
    """Keep vectors that were computed elsewhere, and take back why there were none."""
    given = read_given(samples, vectors)
    reasons = f"{embeddings_field}_error"
    params = {"model": given.name, "version": given.version, "overwrite": overwrite}
    with runs.record(
        samples, "embeddings", key=embeddings_field, reads=["filepath"], writes=[embeddings_field], params=params
    ) as run:
        columns.write_vectors(
            samples, embeddings_field, given.ids, given.vectors,
            model={"name": given.name, "version": given.version}, overwrite=overwrite, verb="compute_embeddings",
        )  # fmt: skip
        if samples.has_field(reasons):
            failed = set(columns.read_ids(samples.exists(reasons)))
            mended = [sample_id for sample_id in given.ids if sample_id in failed]
            columns.write_scalars(samples, {reasons: [None] * len(mended)}, mended, verb="compute_embeddings")
        run.facts = {"embedded": len(given.ids), "missing": given.missing, "extra": given.extra}
    return run
