"""What is known of a file itself: metadata, figures of quality, whether it is whole, thumbnails; one pass for all."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...dataset import runs
from ...dataset.errors import SchemaError
from ...dataset.media.streaming import workers_of
from ...dataset.media.thumbnails import SIZE
from ...dataset.types import Progress
from ..models.registry import get_model
from .given_vectors import refuse_given
from .media_pass import CHECK, METADATA, QUALITY, THUMBNAIL, Asked, checked_batch_size, run_pass

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

LARGEST_THUMBNAIL = 4096


def compute_media(
    samples: "SampleCollection",
    *,
    metadata: bool = True,
    quality: bool = True,
    check: bool = True,
    thumbnails: bool = False,
    model: Any = None,
    embeddings_field: str = "embedding",
    thumbnail_size: int = SIZE,
    batch_size: int | None = None,
    num_workers: int | None = None,
    device: str | None = None,
    model_kwargs: Mapping[str, Any] | None = None,
    skip_failures: bool = True,
    overwrite: bool = False,
    progress: Progress = None,
) -> runs.Run:
    """Do what several of the verbs below do, in one pass: each file is read once.

    What a sample has already is not computed again, and a file is not read if nothing of it is missing. What is done is
    kept, every few seconds: a pass that was stopped goes on where it was.

    Args:
        samples: a dataset or view of images, videos and frames of videos.
        metadata: as `compute_metadata`.
        quality: as `compute_quality`.
        check: as `check_media`.
        thumbnails: as `compute_thumbnails`.
        model: as in `compute_embeddings`, without vectors that are given; None for no vectors.
        embeddings_field: the vector field to fill.
        thumbnail_size: the longest side of a thumbnail, in pixels.
        batch_size: images per call of the model, 32 by default.
        num_workers: how many threads read and decode files, by default one for each core. The result is the same.
        device: where the model runs.
        model_kwargs: what else the model is made with.
        skip_failures: note broken and missing files and go on. Otherwise the first one is an error.
        overwrite: find out everything anew.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run; its `summary` counts of each what was done and what samples had already, what failed, and the bytes
        read.

    Writes:
        `metadata`, `lightly`, `content_hash`, `perceptual_hash` and the vector field, as asked for; the reason on
        samples whose file is broken or missing, in `media_error` and `<embeddings_field>_error`. In an action every few
        seconds.

    Raises:
        UnreadableMediaError: if a file fails and `skip_failures` is False.
        SourceUnavailableError: if a bucket as a whole cannot be read any more; what is done is kept.
        ModelError, WrongOutputShapeError: as in `compute_embeddings`.

    Example:
        ```python
        dataset = sc.Dataset.from_datasource("s3://bucket/photos", name="photos")
        scb.compute_media(dataset, thumbnails=True, model="builtin")
        dataset.match(sc.F("lightly.sharpness") < 5).tag_samples("blurred")
        ```
    """
    parts = {METADATA: metadata, QUALITY: quality, CHECK: check, THUMBNAIL: thumbnails}
    asked = frozenset(part for part, is_asked in parts.items() if is_asked)
    if not asked and model is None:
        raise SchemaError("nothing is asked for. Pass metadata, quality, check or thumbnails=True, or a model.")
    refuse_given(model, "compute_media")
    options = {**(model_kwargs or {}), **({} if device is None else {"device": device})}
    return _run(
        samples, "media", "compute_media", asked, batch_size=batch_size, num_workers=num_workers,
        skip_failures=skip_failures, overwrite=overwrite, progress=progress, thumbnail_size=thumbnail_size,
        model=None if model is None else get_model(model, **options), embeddings_field=embeddings_field,
    )  # fmt: skip


def compute_metadata(
    samples: "SampleCollection",
    overwrite: bool = False,
    num_workers: int | None = None,
    skip_failures: bool = True,
    warn_failures: bool = False,
    progress: Progress = None,
) -> runs.Run:
    """Find out the size, kind and shape of every file, and of images when, where and how they were taken.

    Args:
        samples: a dataset or view; see `compute_media`, also for the other arguments.
        overwrite: do it also for samples that have metadata.
        num_workers: how many threads read and decode files.
        skip_failures: note broken and missing files and go on. Otherwise the first one is an error.
        warn_failures: warn of the first failures at the end.
        progress: whether to show a bar.

    Writes:
        `metadata`, an ImageMetadata or VideoMetadata; `media_error` on samples whose file failed.

    Raises:
        UnreadableMediaError: if a file fails and `skip_failures` is False.

    Example:
        ```python
        dataset.compute_metadata()
        dataset.bounds("metadata.width")
        ```
    """
    return _run(
        samples, "metadata", "compute_metadata", frozenset({METADATA}), num_workers=num_workers,
        skip_failures=skip_failures, overwrite=overwrite, progress=progress, warn_failures=warn_failures,
    )  # fmt: skip


def compute_quality(
    samples: "SampleCollection",
    *,
    num_workers: int | None = None,
    skip_failures: bool = True,
    overwrite: bool = False,
    progress: Progress = None,
) -> runs.Run:
    """Compute Lightly's figures of every image: sharpness, noise, brightness, contrast, colour, uniform rows.

    What each means, with formulas and ranges: docs/media.md.

    Args:
        samples: a dataset or view; see `compute_media`, also for the other arguments. Videos have no figures, their
            frames do.
        num_workers: how many threads read and decode files.
        skip_failures: note broken and missing files and go on. Otherwise the first one is an error.
        overwrite: compute them also where they are known.
        progress: whether to show a bar.

    Writes:
        `lightly.sharpness`, `lightly.snr` and so on; `media_error` on samples whose file failed.

    Raises:
        UnreadableMediaError: if a file fails and `skip_failures` is False.

    Example:
        ```python
        scb.compute_quality(dataset)
        dataset.match(sc.F("lightly.luminance") < 10)
        ```
    """
    return _run(
        samples, "quality", "compute_quality", frozenset({QUALITY}), num_workers=num_workers,
        skip_failures=skip_failures, overwrite=overwrite, progress=progress, key="lightly",
    )  # fmt: skip


def check_media(
    samples: "SampleCollection",
    *,
    num_workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> runs.Run:
    """Find the files that are missing, cut off, garbled, empty or of another kind, and hash all of them.

    A file that failed before is looked at again; others are not, unless `overwrite` is True.

    Args:
        samples: a dataset or view; see `compute_media`, also for the other arguments.
        num_workers: how many threads read and decode files.
        overwrite: check also files that were found whole before.
        progress: whether to show a bar.

    Writes:
        `media_error`, the reason, on samples whose file is broken or missing; `content_hash`, 32 hexadecimal digits
        that are equal for equal bytes (of a frame: equal pixels); `perceptual_hash`, 16 hexadecimal digits that differ
        in few bits for images that look alike.

    Example:
        ```python
        scb.check_media(dataset)
        dataset.exists("media_error").values(["filepath", "media_error"])
        ```
    """
    return _run(
        samples, "check", "check_media", frozenset({CHECK}), num_workers=num_workers, skip_failures=True,
        overwrite=overwrite, progress=progress, key="content_hash",
    )  # fmt: skip


def compute_thumbnails(
    samples: "SampleCollection",
    *,
    size: int = SIZE,
    num_workers: int | None = None,
    skip_failures: bool = True,
    overwrite: bool = False,
    progress: Progress = None,
) -> runs.Run:
    """Make a small WebP image of every image, and of the first frame of every video.

    They are files in the cache folder by the hash of the content, so copies share one, and they can be made again.

    Args:
        samples: a dataset or view; see `compute_media`, also for the other arguments.
        size: the longest side, in pixels.
        num_workers: how many threads read and decode files.
        skip_failures: note broken and missing files and go on. Otherwise the first one is an error.
        overwrite: make them also where they are there.
        progress: whether to show a bar.

    Writes:
        `content_hash`, by which `saccade.dataset.media.thumbnails.thumbnail_path` finds the file; `media_error` on
        samples whose file failed.

    Raises:
        UnreadableMediaError: if a file fails and `skip_failures` is False.
    """
    return _run(
        samples, "thumbnails", "compute_thumbnails", frozenset({THUMBNAIL}), num_workers=num_workers,
        skip_failures=skip_failures, overwrite=overwrite, progress=progress, thumbnail_size=size,
    )  # fmt: skip


def _run(
    samples: "SampleCollection", operation: str, verb: str, parts: frozenset[str], *, num_workers: int | None,
    skip_failures: bool, overwrite: bool, progress: Progress, batch_size: int | None = None, key: str | None = None,
    warn_failures: bool = False, **asked_for: Any,
) -> runs.Run:  # fmt: skip
    asked = Asked(parts, overwrite=overwrite, **asked_for)
    if not (isinstance(asked.thumbnail_size, int) and 1 <= asked.thumbnail_size <= LARGEST_THUMBNAIL):
        raise SchemaError(
            f"{asked.thumbnail_size!r} is not a size of thumbnails. Give their longest side in pixels, from 1 to "
            f"{LARGEST_THUMBNAIL}."
        )
    size, workers = checked_batch_size(batch_size), workers_of(num_workers)
    params: dict[str, Any] = {"parts": sorted(parts), "overwrite": overwrite}
    if asked.model is not None:
        params |= {"model": asked.model.name, "version": asked.model.version, "batch_size": size}
    with runs.record(
        samples, operation, key=key or operation, reads=["filepath"], writes=asked.writes, params=params
    ) as run:
        run_pass(
            samples, asked, run, verb, batch_size=size, num_workers=workers, skip_failures=skip_failures,
            progress=progress,
        )  # fmt: skip
    if warn_failures and run.facts.get("failed"):
        warnings.warn(f"{run.facts['failed']} files failed: {'; '.join(run.facts['failures'])}", stacklevel=3)
    return run
