"""Opening a stored dataset: in the present form and without what dead writers left, or as it is, to be read only."""

from .. import __version__
from . import journal
from .errors import DatasetError
from .store import catalog
from .types import Bson, ReadOnlyId


def opened(name: str, *, read_only: bool) -> str:
    """Find a dataset by name and make it ready for use; with `read_only`, change nothing.

    Returns:
        Its id.

    Raises:
        DatasetNotFoundError: if there is none of this name.
        DatasetError: if its form is newer than this version of Saccade knows, and it is not for reading only.
    """
    if read_only:
        return _to_be_read(catalog.find_dataset(name))
    catalog.tidy()
    record = catalog.find_dataset(name)
    check_form(record)
    dataset_id = str(record["_id"])
    if not record["persistent"]:
        catalog.open_dataset(dataset_id)
    journal.recover_dead(dataset_id)
    journal.migrate(dataset_id, __version__)
    return dataset_id


def check_form(record: Bson) -> None:
    """Refuse to work on a dataset of a newer form.

    Raises:
        DatasetError: if it has one.
    """
    if record["format_version"] > catalog.FORMAT_VERSION:
        raise DatasetError(
            f"dataset {record['name']!r} was written by Saccade {record.get('library_version')} in a newer form "
            f"({record['format_version']}; this version knows {catalog.FORMAT_VERSION}). "
            f"Upgrade Saccade, or read it with load_dataset({record['name']!r}, read_only=True)."
        )


def _to_be_read(record: Bson) -> ReadOnlyId:
    name = record["name"]
    remedy = f"Use load_dataset({name!r}) to change it."
    if record["format_version"] > catalog.FORMAT_VERSION:
        remedy = f"To change it, upgrade Saccade: {record.get('library_version')} wrote it in a newer form."
    return ReadOnlyId(
        str(record["_id"]), f"dataset {name!r} was loaded with read_only=True, and nothing was changed. {remedy}"
    )
