"""Exact copies among files: the same bytes, or the same pixels, whatever the name.

Files in, groups out. Only files of one size are read at all for their bytes; what has one hash is compared itself.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

import numpy as np
import xxhash

from ...dataset.types import RGBImage

_CHUNK = 1 << 20

_Key = TypeVar("_Key", bound=Hashable)


def identical_files(
    paths: Sequence[str], *, num_workers: int = 1, advance: Callable[[int], None] | None = None
) -> tuple[list[list[int]], dict[int, str]]:
    """Group the files that hold the same bytes.

    Memory grows with the number of files, never with their size.

    Args:
        paths: where the files are. A path that comes twice is a copy of itself.
        num_workers: how many threads read files; the result is the same for any number.
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
    alike = [row for rows in by_size.values() if len(rows) > 1 for row in rows]
    done(len(paths) - len(alike))
    hashed = _grouped(alike, lambda row: _digest(paths[row]), errors, num_workers, lambda _row: done(1))
    groups = [
        group
        for rows in hashed.values()
        for group in _confirmed(rows, lambda one, other: _same_bytes(paths[one], paths[other]), errors)
    ]
    return sorted(groups), errors


def identical_images(
    paths: Sequence[str],
    decode: Callable[[str], RGBImage],
    *,
    num_workers: int = 1,
    advance: Callable[[int], None] | None = None,
) -> tuple[list[list[int]], dict[int, str]]:
    """Group the files that show the same pixels in the same size, however they are stored.

    Of files with the same bytes, one is decoded. Memory holds one image per thread, and no more than two while two of
    one hash are compared.

    Args:
        paths: where the images are.
        decode: gives the (height, width, 3) uint8 pixels of a file, and raises OSError with the reason if it cannot.
        num_workers: how many threads read and decode files; the result is the same for any number.
        advance: called with the number of files just finished.

    Returns:
        Groups of two and more positions, ascending, by their first; and for each file that cannot be decoded, the
        reason. Such files are copies of each other where they hold the same bytes.

    Source:
        As `identical_files`, with XXH3 over the size and the pixels.

    Example:
        >>> identical_images(["/no/such/file"], decode=lambda path: np.zeros((1, 1, 3), np.uint8))
        ([], {0: 'the file does not exist'})
    """
    done = advance or (lambda _count: None)
    same_bytes, errors = identical_files(paths, num_workers=num_workers)
    done(len(errors))
    copies = {group[0]: group for group in same_bytes}
    later = {row for group in same_bytes for row in group[1:]}
    firsts = [row for row in range(len(paths)) if row not in later and row not in errors]
    broken: dict[int, str] = {}
    hashed = _grouped(
        firsts, lambda row: _pixel_digest(decode(paths[row])), broken, num_workers,
        lambda row: done(len(copies.get(row, [row]))),
    )  # fmt: skip
    alike = [group for rows in hashed.values() if len(rows) > 1 for group in _same_images(rows, paths, decode, broken)]
    joined = {group[0]: sorted(row for first in group for row in copies.get(first, [first])) for group in alike}
    within = {first for group in alike for first in group}
    joined |= {first: group for first, group in copies.items() if first not in within}
    errors |= {row: reason for first, reason in broken.items() for row in copies.get(first, [first])}
    return sorted(joined.values()), errors


def _grouped(
    rows: Sequence[int],
    key: Callable[[int], _Key],
    errors: dict[int, str],
    num_workers: int = 1,
    done: Callable[[int], None] = lambda _row: None,
) -> dict[_Key, list[int]]:
    """Group rows by what their file gives; those that cannot be read are noted. `done` is told each row."""

    def tried(row: int) -> tuple[_Key | None, str | None]:
        try:
            return key(row), None
        except OSError as error:
            return None, _reason(error)

    groups: dict[_Key, list[int]] = defaultdict(list)
    with ThreadPoolExecutor(num_workers) if num_workers > 1 else nullcontext() as pool:
        try:
            found = map(tried, rows) if pool is None else pool.map(tried, rows)
            for row, (value, reason) in zip(rows, found, strict=True):
                if value is None:
                    errors[row] = reason or ""
                else:
                    groups[value].append(row)
                done(row)
        finally:
            if pool is not None:
                pool.shutdown(cancel_futures=True)  # or Ctrl-C would wait for all files
    return groups


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file does not exist"
    return str(error.strerror or error)


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


def _pixel_digest(image: RGBImage) -> bytes:
    state = xxhash.xxh3_128(np.array(image.shape, dtype="<i8").tobytes())
    state.update(np.ascontiguousarray(image).data)
    return state.digest()


def _confirmed(rows: list[int], same: Callable[[int, int], bool], errors: dict[int, str]) -> list[list[int]]:
    """Compare files of one hash with the first of each group; almost always there is one group."""
    groups: list[list[int]] = []
    for row in rows:
        try:
            group = next((group for group in groups if same(group[0], row)), None)
        except OSError as error:
            errors[row] = _reason(error)
            continue
        if group is None:
            groups.append([row])
        else:
            group.append(row)
    return [group for group in groups if len(group) > 1]


def _same_bytes(left: str, right: str) -> bool:
    with Path(left).open("rb") as one, Path(right).open("rb") as other:
        while (chunk := one.read(_CHUNK)) == other.read(_CHUNK):
            if not chunk:
                return True
    return False


def _same_images(
    rows: list[int], paths: Sequence[str], decode: Callable[[str], RGBImage], errors: dict[int, str]
) -> list[list[int]]:
    """Decode again and compare."""
    kept: dict[int, RGBImage] = {}

    def same(first: int, row: int) -> bool:
        if first not in kept:
            kept.clear()
            kept[first] = decode(paths[first])
        return np.array_equal(kept[first], decode(paths[row]))

    return _confirmed(rows, same, errors)
