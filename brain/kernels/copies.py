"""Exact copies among files: the same bytes, whatever the name.

Files in, groups out. Only files of one size are read at all; those of one hash are compared byte by byte.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import xxhash

_CHUNK = 1 << 20

_Key = TypeVar("_Key", bound=Hashable)


def identical_files(
    paths: Sequence[str], *, advance: Callable[[int], None] | None = None
) -> tuple[list[list[int]], dict[int, str]]:
    """Group the files that hold the same bytes.

    Memory grows with the number of files, never with their size.

    Args:
        paths: where the files are. A path that comes twice is a copy of itself.
        advance: called with the number of files just finished.

    Returns:
        Groups of two and more positions, ascending, by their first; and for each file that cannot be read, the reason.

    Source:
        Sizes first, then XXH3 with 128 bits over the content, then a comparison, so that no chance of equal hashes is
        left.

    Example:
        >>> identical_files(["/no/such/file"])
        ([], {0: 'the file does not exist'})
    """
    done = advance or (lambda _count: None)
    errors: dict[int, str] = {}
    by_size = _grouped(range(len(paths)), lambda row: _size(paths[row]), errors)
    groups: list[list[int]] = []
    for rows in by_size.values():
        hashed = _grouped(rows, lambda row: _digest(paths[row]), errors) if len(rows) > 1 else {}
        for same_hash in hashed.values():
            groups += _confirmed(same_hash, paths, errors)
        done(len(rows))
    done(len(paths) - sum(map(len, by_size.values())))
    return sorted(groups), errors


def _grouped(rows: Iterable[int], key: Callable[[int], _Key], errors: dict[int, str]) -> dict[_Key, list[int]]:
    """Group rows by what their file gives; those that cannot be read are noted."""
    groups: dict[_Key, list[int]] = defaultdict(list)
    for row in rows:
        try:
            groups[key(row)].append(row)
        except OSError as error:
            errors[row] = "the file does not exist" if isinstance(error, FileNotFoundError) else str(error.strerror)
    return groups


def _size(path: str) -> int:
    if not Path(path).is_file():
        raise OSError(0, "it is no file") if Path(path).exists() else FileNotFoundError(path)
    return os.stat(path).st_size


def _digest(path: str) -> bytes:
    state = xxhash.xxh3_128()
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.digest()


def _confirmed(rows: list[int], paths: Sequence[str], errors: dict[int, str]) -> list[list[int]]:
    """Compare files of one hash with the first of each group; almost always there is one group."""
    groups: list[list[int]] = []
    for row in rows:
        try:
            group = next((group for group in groups if _same(paths[group[0]], paths[row])), None)
        except OSError as error:
            errors[row] = str(error.strerror)
            continue
        if group is None:
            groups.append([row])
        else:
            group.append(row)
    return [group for group in groups if len(group) > 1]


def _same(left: str, right: str) -> bool:
    with Path(left).open("rb") as one, Path(right).open("rb") as other:
        while (chunk := one.read(_CHUNK)) == other.read(_CHUNK):
            if not chunk:
                return True
    return False
