"""Walking through folders in the order in which a bucket lists its keys."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from .base import PAGE, Entry


class Child(NamedTuple):
    """Something directly inside a folder.

    Attributes:
        name: its name.
        is_folder: whether it is a folder.
        size: its bytes, if it is a file.
        modified: when it was last changed, if it is a file and that is known.
    """

    name: str
    is_folder: bool
    size: int
    modified: datetime | None


def walk(children: Callable[[str], list[Child]], folder: str, after: str) -> Iterator[list[Entry]]:
    """List the files below a folder by its children; only one folder of each depth is in memory.

    Args:
        children: what is inside a folder, by its key without a slash at the end.
        folder: where to begin.
        after: only keys that come after this one; folders that hold none are not opened.

    Yields:
        Pages in the order of the code points of the keys, hidden files and folders left out.
    """
    entries = _walk(children, folder, after)
    while page := list(islice(entries, PAGE)):
        yield page


def _walk(children: Callable[[str], list[Child]], folder: str, after: str) -> Iterator[Entry]:
    below = f"{folder}/" if folder and not folder.endswith("/") else folder
    # A folder sorts as its name with the slash, or `a.png` would not come between `a-b/` and `a/`.
    found = sorted((child for child in children(folder) if not child.name.startswith(".")), key=_sort_name)
    for child in found:
        key = below + child.name
        if child.is_folder:
            if key + "/" > after or after.startswith(key + "/"):
                yield from _walk(children, key, after)
        elif key > after:
            yield Entry(key, child.size, child.modified)


def _sort_name(child: Child) -> str:
    return child.name + "/" if child.is_folder else child.name
