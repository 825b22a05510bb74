"""Folders and files: which are images or videos, in which order, and what cannot be read."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from ..errors import DatasetError
from ..media.endings import is_image, is_video

_NUMBER = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """A sort key under which numbers in names count as numbers.

    Example:
        >>> sorted(["img10.png", "img9.png", "a.png", "2.png"], key=natural_key)
        ['2.png', 'a.png', 'img9.png', 'img10.png']
    """
    pieces = [piece for piece in _NUMBER.split(name) if piece]
    # The name itself decides between 1 and 01.
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces], name


def readable_folder(folder: str | Path) -> Path:
    """Make a folder's path absolute, `~` included.

    Raises:
        DatasetError: if it does not exist, is not a folder or may not be read.
    """
    path = Path(folder).expanduser().absolute()
    if not path.exists():
        nearest = next(parent for parent in path.parents if parent.exists())
        raise DatasetError(f"no folder {path}. The nearest that exists is {nearest}. Check the path.")
    if not path.is_dir():
        raise DatasetError(f"{path} is a file, not a folder. Give the folder that holds the dataset.")
    if not os.access(path, os.R_OK | os.X_OK):
        raise DatasetError(f"the folder {path} may not be read. Check its permissions.")
    return path


def subfolders(folder: Path) -> list[Path]:
    """The folders directly inside a folder, in natural order, without hidden ones."""
    return [Path(entry.path) for entry in _visible(str(folder)) if entry.is_dir()]


def matching(pattern: str | os.PathLike[str]) -> list[str]:
    """The files whose paths match a pattern, in natural order.

    Raises:
        DatasetError: if there are none.
    """
    path = Path(pattern).expanduser().absolute()
    found = [str(one) for one in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if one.is_file()]
    if not found:
        raise DatasetError(f"no file matches {str(path)!r}. Check the pattern; '**' stands for folders of any depth.")
    return sorted(found, key=natural_key)


def find_files(folder: Path, media: Literal["image", "video"], *, recursive: bool = True) -> list[Path]:
    """List the images or videos in a folder, in natural order.

    Hidden files and folders are left out, links are followed.

    Raises:
        DatasetError: if a folder inside may not be read, or a name is not valid text.
    """
    is_wanted = {"image": is_image, "video": is_video}[media]
    return list(_walk(str(folder), is_wanted, set(), recursive=recursive))


def _walk(
    folder: str, is_wanted: Callable[[str], bool], seen: set[tuple[int, int]], *, recursive: bool
) -> Iterator[Path]:
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) in seen:  # a link back to where we have been
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in _visible(folder):
        if entry.is_dir():
            if recursive:
                yield from _walk(entry.path, is_wanted, seen, recursive=recursive)
        elif is_wanted(entry.name):
            _require_text(entry)
            yield Path(entry.path)


def _visible(folder: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: natural_key(entry.name))
    except OSError as error:
        raise DatasetError(f"the folder {folder} cannot be read: {error.strerror}. Check its permissions.") from error


def _require_text(entry: "os.DirEntry[str]") -> None:
    try:
        entry.path.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(
            f"the file name {os.fsencode(entry.path)!r} is not valid UTF-8 and cannot be stored. Rename it."
        ) from error
