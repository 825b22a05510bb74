"""Which backend reads which URL: obstore where it is installed and knows the scheme, else fsspec."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from ...errors import DatasourceError, MissingExtraError
from .base import Backend
from .fsspec import FileSystem
from .obstore import SCHEMES, Bucket


def open_backend(root: str, options: Mapping[str, Any]) -> Backend:
    """Open what reads below a root.

    Args:
        root: scheme and bucket or host.
        options: those of the backend, and `backend`, "obstore" or "fsspec", to choose one.

    Raises:
        DatasourceError: if the options cannot be used.
        MissingExtraError: if a package is not installed.
    """
    given = dict(options)
    wanted = given.pop("backend", None)
    scheme = root.partition("://")[0]
    if wanted not in (None, "obstore", "fsspec"):
        raise DatasourceError(f"the option backend of {root} is none. Give 'obstore' or 'fsspec'.")
    if wanted == "fsspec" or scheme not in SCHEMES:
        return FileSystem(root, given)
    if _is_installed("obstore"):
        return Bucket(root, given)
    if wanted is None and given.keys() <= {"anon"}:  # other options have other names there
        try:
            return FileSystem(root, given)
        except MissingExtraError:
            pass
    raise MissingExtraError(
        f"reading from {scheme}:// needs obstore, which is not installed: pip install 'saccade[cloud]'"
    )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False
