"""What every format has in common: the options, the registry of short names, and how one is opened."""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ..errors import DatasetError, hint
from ..media.known_sources import as_source
from ..media.urls import is_url
from .files import readable_folder

dataset_types: dict[str, type["DatasetType"]] = {}
"""Every format by its short name."""


@dataclass(frozen=True)
class DatasetType(ABC):
    """A format of datasets on disk. An instance is one dataset in it: iterate over it to get the values of its samples.

    Attributes:
        dataset_dir: the folder that holds the dataset.
        label_field: the field that takes the labels, where the format has any.
        shuffle: whether to yield the samples in random order.
        seed: makes `shuffle` repeatable.
        max_samples: how many samples to yield at most; None for all. Taken after shuffling.
    """

    dataset_dir: str | Path
    _: KW_ONLY
    label_field: str = "ground_truth"
    shuffle: bool = False
    seed: int | None = None
    max_samples: int | None = None

    name: ClassVar[str] = ""
    """The short name under which datasets and commands know the format."""

    reads_urls: ClassVar[bool] = False
    """Whether the folder may be one of a bucket."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register the format under its short name."""
        super().__init_subclass__(**kwargs)
        if cls.name:
            dataset_types[cls.name] = cls

    def __post_init__(self) -> None:
        """Refuse what cannot be read, before anything is made.

        Raises:
            DatasetError: if the folder does not exist, is no folder or may not be read; or `max_samples` is negative.
        """
        if self.max_samples is not None and self.max_samples < 0:
            raise DatasetError(f"max_samples={self.max_samples} is negative. Give 0 or more, or None for all.")
        text = str(self.dataset_dir)
        source = as_source(text) if is_url(text) else None
        if source is None or source.is_local:
            object.__setattr__(self, "dataset_dir", readable_folder(text if source is None else source.url))
        elif self.reads_urls:
            object.__setattr__(self, "dataset_dir", source.url)
        else:
            raise DatasetError(
                f"{type(self).__name__} reads local folders, not {source.url}. Images without labels can be read from "
                "there: saccade.types.ImageDirectory, or Dataset.from_datasource()."
            )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the values of each sample, `filepath` first."""
        return map(self.values_of, self.paths)

    def __len__(self) -> int:
        """The number of samples that iteration yields."""
        return len(self.paths)

    @cached_property
    def paths(self) -> list[Path] | list[str]:
        """The media files of the dataset, chosen and ordered by the options. Read from disk once."""
        found = self.find()
        if self.shuffle:
            random.Random(self.seed).shuffle(found)
        return found[: self.max_samples]

    @property
    def url(self) -> str | None:
        """The URL of the folder; None if it is one of this machine."""
        return self.dataset_dir if isinstance(self.dataset_dir, str) else None

    @property
    def classes(self) -> list[str]:
        """The class names that the dataset on disk defines; empty where the format has none."""
        return []

    @property
    def folder(self) -> Path:
        """The dataset's folder as an absolute path."""
        return Path(self.dataset_dir)

    @abstractmethod
    def find(self) -> list[Path] | list[str]:
        """List the media files in a fixed order."""

    @abstractmethod
    def values_of(self, path: Any) -> dict[str, Any]:
        """Read the values of the sample whose media is `path`."""


def reader(
    dataset_type: type[DatasetType] | DatasetType | str, dataset_dir: str | Path | None = None, **options: Any
) -> DatasetType:
    """Open the dataset in a folder.

    Args:
        dataset_type: a format, its short name, or one that is open already.
        dataset_dir: the folder; not needed if `dataset_type` is open already.
        options: the format's own options, such as `recursive` or `max_samples`.

    Returns:
        The open dataset: iterate over it to get the values of its samples.

    Raises:
        DatasetError: if there is no such format, option or folder.
    """
    if isinstance(dataset_type, DatasetType):
        if dataset_dir is not None or options:
            raise DatasetError(f"{dataset_type!r} is open already: give its folder and its options when making it.")
        return dataset_type
    chosen = dataset_types.get(dataset_type) if isinstance(dataset_type, str) else dataset_type
    if not (isinstance(chosen, type) and issubclass(chosen, DatasetType)):
        raise DatasetError(
            f"no dataset type {dataset_type!r}. {hint(str(dataset_type), dataset_types, 'Types')} "
            "Give one of them by name, or a class from saccade.types."
        )
    if dataset_dir is None:
        raise DatasetError(f"{chosen.__name__} needs dataset_dir, the folder that holds the dataset.")
    known = {option.name for option in fields(chosen) if option.name != "dataset_dir"}
    for option in options:
        if option not in known:
            raise DatasetError(f"{chosen.__name__} has no option {option!r}. {hint(option, known, 'Options')}")
    return chosen(dataset_dir, **options)
