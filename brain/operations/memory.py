"""A limit on memory for what is mapped from a file: its pages are given back while it is worked on.

A mapped matrix is read where it is needed, and the system keeps what was read for as long as there is room. That counts
as memory of the process, though nothing is lost when it is given back: it is read again from the file.
"""

import mmap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from pathlib import Path

import numpy as np

from ...dataset.errors import SelectionError
from ...dataset.types import FloatArray

_STATUS = Path("/proc/self/statm")
_SECONDS = 0.002
_AHEAD = 64 << 20  # what may be read of a file before it is looked at again


@contextmanager
def mapped_within(matrices: Sequence[FloatArray], limit: int | None) -> Iterator[Callable[[], None]]:
    """Keep this process below a limit while the block runs, as far as giving back mapped pages can do that.

    Gives a function that looks at once, for those who read much in little time; besides, a thread looks now and then.
    Some systems map two megabytes of a file for each number that is read, so rows that lie apart can bring all of it
    into memory between two looks.

    Args:
        matrices: arrays, of which those mapped from files count.
        limit: bytes of memory of the process, all of it; None for no limit.

    Raises:
        SelectionError: if the limit is not above zero, or this system cannot give pages back.
    """
    if limit is None:
        yield lambda: None
        return
    if isinstance(limit, bool) or not isinstance(limit, Real) or not limit > 0:
        raise SelectionError(f"memory_limit={limit!r} is not a number of bytes above zero, such as 4 * 1024**3.")
    if not _STATUS.exists() or not hasattr(mmap.mmap, "madvise"):
        raise SelectionError(
            "memory_limit works on Linux alone. Leave it out: the system takes mapped pages back itself."
        )
    files = {id(file): file for matrix in matrices if (file := mapped_file(matrix)) is not None}
    is_over = threading.Event()

    def give_back() -> None:
        if resident_bytes() > limit - _AHEAD:
            for file in files.values():
                file.madvise(mmap.MADV_DONTNEED)

    def watch() -> None:
        while not is_over.wait(_SECONDS):
            give_back()

    watching = threading.Thread(target=watch, name="memory limit", daemon=True)
    watching.start()
    try:
        yield give_back
    finally:
        is_over.set()
        watching.join()


def mapped_file(matrix: FloatArray) -> mmap.mmap | None:
    """The file that an array is mapped from, or None."""
    base: object = matrix
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def resident_bytes() -> int:
    """How much memory this process has now, with the pages of files that are mapped."""
    return int(_STATUS.read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE
