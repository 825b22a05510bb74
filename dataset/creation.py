"""Datasets from folders, images, dicts and JSON. A dataset becomes visible when all is in it, or not at all."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import annotating, bulk
from .collection import SampleCollection
from .errors import DatasetError, SchemaError
from .formats import DatasetType, ImageDirectory, reader
from .formats.files import matching
from .labels import Document, from_jsonable
from .media.known_sources import as_source
from .sample import Sample
from .schema import SAMPLE_FIELDS, Field, Schema, field_from_dict
from .store import catalog, field_records
from .types import Progress, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset


class Creating(SampleCollection):
    """The constructors of a dataset beside its own."""

    @classmethod
    def from_dir(
        cls,
        dataset_dir: str | PathLike[str] | None = None,
        dataset_type: type[DatasetType] | DatasetType | str | None = None,
        name: str | None = None,
        persistent: bool = True,
        overwrite: bool = False,
        label_field: str = "ground_truth",
        tags: str | Sequence[str] | None = None,
        progress: Progress = None,
        **options: Any,
    ) -> "Dataset":
        """Make a dataset from a folder.

        Args:
            dataset_dir: the folder; one of images may also be the URL of a bucket or what is in it.
            dataset_type: its format, a class of `saccade.types` or its short name; None means a folder of images.
            name: the dataset's name.
            persistent: whether it outlives the processes that use it.
            overwrite: whether to delete a dataset of this name first.
            label_field: the field that takes labels.
            tags: tags for all samples.
            progress: whether to show a bar.
            options: the format's own options.

        Raises:
            DatasetError: if the folder or the format cannot be read; no dataset is left behind.
        """
        source = open_dir(dataset_dir, dataset_type, label_field, options)

        def fill(dataset: "Dataset") -> None:
            read_into(dataset, source, tags=tags, progress=progress)
            if source.classes:
                dataset.classes = {source.label_field: source.classes}

        return make_dataset(fill, name, persistent=persistent, overwrite=overwrite)

    @classmethod
    def from_images(
        cls, paths_or_samples: Iterable[str | PathLike[str] | Sample], name: str | None = None, persistent: bool = True,
        overwrite: bool = False, tags: str | Sequence[str] | None = None, progress: Progress = None,
    ) -> "Dataset":  # fmt: skip
        """Make a dataset from paths or URLs of images; see `from_dir` for the arguments."""
        return make_dataset(
            lambda d: d.add_images(paths_or_samples, tags=tags, progress=progress),
            name,
            persistent=persistent,
            overwrite=overwrite,
        )

    @classmethod
    def from_images_dir(
        cls, images_dir: str | PathLike[str], name: str | None = None, persistent: bool = True, overwrite: bool = False,
        tags: str | Sequence[str] | None = None, recursive: bool = True, progress: Progress = None,
    ) -> "Dataset":  # fmt: skip
        """Make a dataset from the images of a folder or bucket; see `from_dir` for the arguments."""
        return cls.from_dir(
            images_dir, ImageDirectory, name, persistent, overwrite, tags=tags, progress=progress, recursive=recursive
        )

    @classmethod
    def from_images_patt(
        cls, images_patt: str | PathLike[str], name: str | None = None, persistent: bool = True,
        overwrite: bool = False, tags: str | Sequence[str] | None = None, progress: Progress = None,
    ) -> "Dataset":  # fmt: skip
        """Make a dataset from the images whose paths match a pattern; see `add_images_patt`."""
        return cls.from_images(matching(images_patt), name, persistent, overwrite, tags=tags, progress=progress)

    @classmethod
    def from_dict(
        cls,
        d: Mapping[str, Any],
        name: str | None = None,
        persistent: bool = True,
        overwrite: bool = False,
        progress: Progress = None,
    ) -> "Dataset":
        """Make a dataset from what `to_dict` gave.

        Raises:
            SchemaError: if it is not of that form; no dataset is left behind.
        """
        if not isinstance(d, Mapping) or not isinstance(d.get("samples"), Sequence):
            raise SchemaError("this is not what Dataset.to_dict() gives: it has no list of 'samples'.")

        declared = _declared(d.get("sample_fields") or {})

        def fill(dataset: "Dataset") -> None:
            field_records.declare_fields(dataset._id, declared)
            dataset.add_samples([Sample.from_dict(item) for item in d["samples"]], progress=progress)
            dataset.tags, dataset.description = d.get("tags") or [], d.get("description")
            dataset.info = from_jsonable(d.get("info") or {}, Document.from_dict)
            dataset.classes, dataset.default_classes = d.get("classes") or {}, d.get("default_classes") or []
            for entry, value in annotating.read({entry: d.get(entry) for entry in annotating.ENTRIES}).items():
                setattr(dataset, entry, value)

        return make_dataset(fill, name or d.get("name"), persistent=persistent, overwrite=overwrite)

    @classmethod
    def from_json(
        cls,
        path_or_str: str | PathLike[str],
        name: str | None = None,
        persistent: bool = True,
        overwrite: bool = False,
        progress: Progress = None,
    ) -> "Dataset":
        """Make a dataset from a file that `write_json` wrote, or from its text.

        Raises:
            DatasetError: if there is no such file, or it is not JSON.
        """
        text = str(path_or_str)
        if not text.lstrip().startswith("{"):
            try:
                text = Path(path_or_str).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is no text"
                raise DatasetError(f"the JSON file {str(path_or_str)!r} cannot be read: {reason}.") from error
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise DatasetError(f"{str(path_or_str)[:80]!r} is not JSON: {error}.") from error
        return cls.from_dict(content, name, persistent, overwrite, progress)


def _declared(stored: Any) -> dict[str, Field]:
    """The fields that a dict declares beside those of every sample.

    Raises:
        SchemaError: if they make no schema.
    """
    if not isinstance(stored, Mapping) or not all(isinstance(f, Mapping) and "type" in f for f in stored.values()):
        raise SchemaError(f"'sample_fields' is {stored!r}; expected a dict from paths to the dicts of fields.")
    schema = Schema(SAMPLE_FIELDS)
    for path, field in stored.items():
        if path not in SAMPLE_FIELDS:
            schema = schema.with_field(path, field_from_dict(field))
    return {path: schema[path] for path in schema.paths() if path not in SAMPLE_FIELDS}


def open_dir(
    dataset_dir: str | PathLike[str] | None, dataset_type: type[DatasetType] | DatasetType | str | None,
    label_field: str, options: dict[str, Any],
) -> DatasetType:  # fmt: skip
    """Open a folder in its format, a folder of images if none is named.

    Raises:
        DatasetError: if the folder or the format cannot be read.
    """
    kind = ImageDirectory if dataset_type is None else dataset_type
    if not isinstance(kind, DatasetType):
        options = {"label_field": label_field, **options}
    return reader(kind, None if dataset_dir is None else str(dataset_dir), **options)


def read_into(
    dataset: "Dataset", source: DatasetType, *, tags: str | Sequence[str] | None, progress: Progress,
    is_whole: bool = False, **options: bool,
) -> list[SampleId]:  # fmt: skip
    """Add the samples of an open folder to a dataset; all of it is read first if `is_whole`.

    The options are those of `add_samples`.
    """
    listed = bulk.checked_tags(tags or [])
    values = ({"tags": listed, **item} if listed else item for item in source)
    samples: Iterable[Sample] = (Sample(**item) for item in values)
    if is_whole:
        samples = list(samples)
    if source.url is not None:
        catalog.note_datasource(dataset._id, as_source(source.url).name, source.url)
    return dataset.add_samples(samples, progress=progress, num_samples=len(source), **options)


def make_dataset(fill: "Callable[[Dataset], Any]", name: str | None, *, persistent: bool, overwrite: bool) -> "Dataset":
    """Make a dataset, fill it while it is invisible, and show it; on failure remove it."""
    from .dataset import Dataset

    dataset = Dataset.__new__(Dataset)
    dataset._begin(Dataset._reserve(name, persistent=persistent, overwrite=overwrite))
    try:
        fill(dataset)
        dataset._finish(name)
    except BaseException:
        dataset.delete()
        raise
    return dataset
