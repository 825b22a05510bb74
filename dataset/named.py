"""Datasets by name: load, list, look for and delete them."""

from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatch
from typing import Any

from . import bulk
from .dataset import Dataset
from .errors import DatasetExistsError
from .store import catalog, samples


def load_dataset(
    name: str,
    create_if_necessary: bool = False,
    reload: bool = False,  # noqa: ARG001  # FiftyOne's; every load reads anew here
    *,
    read_only: bool = False,
) -> Dataset:
    """Load a dataset by name, after undoing what dead writers left half-done.

    One that an older version of Saccade stored is brought to the present form first.

    Args:
        name: its name.
        create_if_necessary: whether to make an empty dataset if there is none of this name.
        reload: has no effect, since every load reads the dataset anew.
        read_only: load it as it is, and change nothing: whatever would write raises ReadOnlyError. Datasets that a
            newer version stored can be read this way too; what is unknown in them is passed over.

    Raises:
        DatasetNotFoundError: if there is none, listing those there are.
        DatasetError: if a newer version of Saccade stored it, and `read_only` is not set.
    """
    if create_if_necessary and not read_only:
        with suppress(DatasetExistsError):
            return Dataset(name)
    return Dataset._open(name, read_only=read_only)


def list_datasets(
    glob_patt: str | None = None, tags: str | Sequence[str] | None = None, info: bool = False
) -> list[Any]:
    """The names of the datasets, sorted.

    Args:
        glob_patt: only names that match this pattern, such as "street-*".
        tags: only datasets that have any of these tags.
        info: give dicts of facts instead of names.
    """
    catalog.tidy()
    wanted = set(bulk.checked_tags(tags)) if tags is not None else None
    found = [
        record for record in catalog.dataset_records()
        if (glob_patt is None or fnmatch(record["name"], glob_patt))
        and (wanted is None or wanted & set(record.get("tags") or []))
    ]  # fmt: skip
    found.sort(key=lambda record: record["name"])
    if not info:
        return [record["name"] for record in found]
    shown_keys = ("name", "created_at", "last_modified_at", "persistent", "media_type", "tags", "description")
    return [
        {key: record.get(key) for key in shown_keys} | {"num_samples": samples.count(str(record["_id"]))}
        for record in found
    ]


def dataset_exists(name: str) -> bool:
    """Whether there is a dataset of this name."""
    catalog.tidy()
    return name in catalog.dataset_names()


def delete_dataset(name: str) -> None:
    """Delete a dataset. This cannot be undone.

    Raises:
        DatasetNotFoundError: if there is none.
    """
    load_dataset(name).delete()


def delete_datasets(glob_patt: str) -> list[str]:
    """Delete the datasets whose names match a pattern, and return their names."""
    names: list[str] = list_datasets(glob_patt)
    for name in names:
        delete_dataset(name)
    return names
