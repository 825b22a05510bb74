"""The matrix cache: vectors of one field as a file that is mapped instead of read from the server.

A file holds (key, row) pairs and the matrix, written whole, renamed into place and never changed. A reader brings the
current keys; rows whose key is not in the file are fetched and a new file is written. So it cannot be stale, may be
deleted at any time, and serves matrices larger than memory. What a disk got wrong is found by a checksum when a process
first maps a file: for 200 MB that takes 12 to 25 ms, and the read itself 220 to 350.
"""

import hashlib
import logging
import mmap
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from xxhash import xxh3_128

from ..settings import current
from ..types import FloatArray
from .vectors import fill_rows, vector_length

_MAGIC = b"SACCADE2"
_HEADER = 64
"""What is there: the magic, n and d, their checksum together with all that follows the header, and zeros."""

_DIGEST = slice(24, 40)
_PART = 1 << 26

_log = logging.getLogger("saccade")
_verified: set[tuple[Path, bytes]] = set()
"""Files, by their checksums, whose contents this process has seen to be right."""


def load_matrix(
    dataset_id: str, path: str, keys: np.ndarray[Any, Any], everything: Callable[[], np.ndarray[Any, Any]]
) -> FloatArray:
    """The vectors of `keys`, in their order.

    Args:
        dataset_id: the dataset.
        path: the vector field, which names the file.
        keys: (n, 20) or, of labels, (n, 32) uint8 keys of the wanted vectors.
        everything: gives the keys of the whole field; asked when the file has to be written anew.

    Returns:
        (n, d) float32; mapped read-only from the file where the order is the file's.
    """
    if len(keys) == 0:
        return np.empty((0, 0), dtype=np.float32)
    file = _file_of(dataset_id, path)
    cached = _open(file, keys.shape[1])
    if cached is not None:
        found = _pick(*cached, keys)
        if found is not None:
            with suppress(OSError):
                os.utime(file)
            return found
    whole = everything()
    rows = np.full(len(whole), -1) if cached is None else _positions(cached[0], whole)
    found = _pick(whole, _build(dataset_id, file, whole, rows, None if cached is None else cached[1]), keys)
    if found is not None:
        return found
    matrix = np.empty((len(keys), vector_length(dataset_id, keys[0].tobytes())), dtype=np.float32)
    fill_rows(dataset_id, keys, matrix, np.arange(len(keys)))  # the field changed between the two looks at it
    return matrix


def _pick(stored: np.ndarray[Any, Any], matrix: FloatArray, keys: np.ndarray[Any, Any]) -> FloatArray | None:
    """The rows of `keys`, without a copy where they are the whole matrix; None where one is not there."""
    if len(stored) == len(keys) and np.array_equal(stored, keys):
        return matrix
    rows = _positions(stored, keys)
    return matrix[rows] if (rows >= 0).all() else None


def forget_matrices(dataset_id: str) -> None:
    """Delete the cached files of a dataset."""
    for file in _file_of(dataset_id, "").parent.glob("*.matrix"):
        file.unlink(missing_ok=True)


def _file_of(dataset_id: str, path: str) -> Path:
    name = hashlib.blake2b(path.encode(), digest_size=8).hexdigest()
    return current().cache_dir / "vectors" / dataset_id / f"{name}.matrix"


def _open(file: Path, key: int) -> tuple[np.ndarray[Any, Any], FloatArray] | None:
    try:
        with file.open("rb") as stream:
            header = stream.read(_HEADER)
            size = os.fstat(stream.fileno()).st_size
            if len(header) < _HEADER or header[:8] != _MAGIC:
                return None
            n, d = (int(value) for value in np.frombuffer(header, dtype="<i8", count=2, offset=8))
            start = _matrix_start(n, key)
            if size != start + 4 * n * d:
                return None
            whole = np.memmap(stream, dtype=np.uint8, mode="r")
    except OSError:
        return None
    if (file, header[_DIGEST]) not in _verified:
        if _digest(whole) != header[_DIGEST]:
            _log.warning("the cached vectors in %s are damaged; they are read from the database again", file)
            return None
        _verified.add((file, header[_DIGEST]))
    keys = np.asarray(whole[_HEADER : _HEADER + key * n]).reshape(n, key)
    return keys, np.asarray(whole[start:].view("<f4")).reshape(n, d)


def _digest(whole: np.memmap[Any, Any]) -> bytes:
    """The checksum of a mapped file, of which no more than a part is in this process's memory at once."""
    found = xxh3_128(whole[8 : _DIGEST.start].data)
    for start in range(0, len(whole), _PART):
        found.update(whole[max(start, _HEADER) : start + _PART].data)
        if len(whole) > _PART and isinstance(whole.base, mmap.mmap) and hasattr(mmap.mmap, "madvise"):
            whole.base.madvise(mmap.MADV_DONTNEED, start, min(_PART, len(whole) - start))
    return found.digest()


def _matrix_start(n: int, key: int) -> int:
    return (_HEADER + key * n + 63) // 64 * 64


def _positions(stored: np.ndarray[Any, Any], keys: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Row of each key in `stored`, or -1."""
    if len(stored) == 0:
        return np.full(len(keys), -1)
    have, want = (np.ascontiguousarray(some).view(f"S{some.shape[1]}").ravel() for some in (stored, keys))
    order = np.argsort(have, kind="stable")
    places = np.searchsorted(have, want, sorter=order)
    found = order[np.minimum(places, len(have) - 1)]
    return np.where(have[found] == want, found, -1)


def _build(
    dataset_id: str, file: Path, keys: np.ndarray[Any, Any], rows: np.ndarray[Any, Any], old: FloatArray | None
) -> FloatArray:
    """Assemble the matrix of `keys` from old rows and the server, in a new file where there is room."""
    if len(keys) == 0:
        return np.empty((0, 0), dtype=np.float32)
    d = vector_length(dataset_id, keys[0].tobytes())
    if old is not None and old.shape[1] != d:  # the field was computed again by another model
        old, rows = None, np.full(len(keys), -1)
    missing = np.flatnonzero(rows < 0)
    size = _matrix_start(*keys.shape) + 4 * len(keys) * d
    limit = int(current().cache_gb * 1e9)
    scratch = _scratch(file, size) if size <= limit else None
    if scratch is None:
        matrix = np.empty((len(keys), d), dtype=np.float32)
        _fill(dataset_id, keys, matrix, rows, missing, old)
        return matrix
    try:
        whole = np.memmap(scratch, dtype=np.uint8, mode="r+", shape=(size,))
        whole[:8] = np.frombuffer(_MAGIC, dtype=np.uint8)
        whole[8:24] = np.array([len(keys), d], dtype="<i8").view(np.uint8)
        whole[_HEADER : _HEADER + keys.size] = keys.ravel()
        matrix = whole[_matrix_start(*keys.shape) :].view("<f4").reshape(len(keys), d)
        _fill(dataset_id, keys, matrix, rows, missing, old)
        digest = _digest(whole)
        whole[_DIGEST] = np.frombuffer(digest, dtype=np.uint8)
        _verified.add((file, digest))  # no waiting for the disk: what a power cut leaves has another checksum
        try:
            Path(scratch).replace(file)
        except OSError:  # something else lies there, or may not be replaced
            return np.asarray(matrix)
    finally:
        Path(scratch).unlink(missing_ok=True)
    _bound(limit, keep=file)
    opened = _open(file, keys.shape[1])
    if opened is None or not np.array_equal(opened[0], keys):  # another process renamed its own file over ours
        return np.asarray(matrix)
    return opened[1]


def _fill(
    dataset_id: str, keys: np.ndarray[Any, Any], matrix: FloatArray, rows: np.ndarray[Any, Any],
    missing: np.ndarray[Any, Any], old: FloatArray | None,
) -> None:  # fmt: skip
    if old is not None:
        kept = np.flatnonzero(rows >= 0)
        for start in range(0, len(kept), 8192):
            chunk = kept[start : start + 8192]
            matrix[chunk] = old[rows[chunk]]
    fill_rows(dataset_id, keys, matrix, missing)


def _scratch(file: Path, size: int) -> str | None:
    """A new file of `size` bytes beside `file`; None where the disk has no room or the folder cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    except OSError:
        return None
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        else:  # macOS and Windows: a full disk is met later
            os.ftruncate(handle, size)
    except OSError:
        Path(name).unlink(missing_ok=True)
        return None
    finally:
        os.close(handle)
    return name


def _bound(limit: int, keep: Path) -> None:
    """Delete the files unused for longest until the cache is within its bound."""
    files = []
    for file in keep.parent.parent.glob("*/*.matrix"):
        try:
            state = file.stat()
        except FileNotFoundError:
            continue
        files.append((state.st_mtime, state.st_size, file))
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if total <= limit:
            return
        if file != keep:
            file.unlink(missing_ok=True)
            total -= size
