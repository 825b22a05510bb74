"""Datasets by name: load, list, look for and delete them."""

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any

from . import bulk
from .dataset import Dataset
from .store import catalog, samples


def load_dataset(name: str) -> Dataset:
    """Load a dataset by name.

    Raises:
        DatasetNotFoundError: if there is none, listing those there are.
    """
    return Dataset._open(name)


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
