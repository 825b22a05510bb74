"""What is picked as one: single samples, or clips of consecutive frames."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import BoolArray, IntArray


@dataclass(frozen=True)
class Units:
    """Groups of rows, each of which is picked or left as a whole.

    Attributes:
        rows: (m,) the rows of all units, one unit behind the other.
        starts: (u,) where in `rows` each begins.
        are_single: whether each is one row.
    """

    rows: IntArray
    starts: IntArray
    are_single: bool

    @classmethod
    def single(cls, rows: IntArray) -> "Units":
        """Each row by itself."""
        return cls(rows, np.arange(len(rows)), are_single=True)

    @classmethod
    def joined(cls, groups: Sequence[Sequence[int]]) -> "Units":
        """Rows in groups of at least one."""
        lengths = np.array([len(group) for group in groups], dtype=np.int64)
        rows = np.array([row for group in groups for row in group], dtype=np.int64)
        return cls(rows, np.cumsum(lengths) - lengths, are_single=bool((lengths == 1).all()))

    def __len__(self) -> int:
        """The number of units."""
        return len(self.starts)

    @property
    def lengths(self) -> IntArray:
        """(u,) how many rows each has."""
        return np.diff(self.starts, append=len(self.rows))

    def taken(self, kept: BoolArray | IntArray) -> "Units":
        """Some of the units, by a mask or their positions."""
        if self.are_single:
            return Units.single(self.rows[kept])
        positions = np.flatnonzero(kept) if kept.dtype == bool else kept
        ends = self.starts + self.lengths
        return Units.joined([self.rows[self.starts[i] : ends[i]].tolist() for i in positions.tolist()])

    def of(self, unit: int) -> IntArray:
        """The rows of one."""
        end = self.starts[unit + 1] if unit + 1 < len(self) else len(self.rows)
        return self.rows[self.starts[unit] : end]

    def first(self, values: NDArray[Any]) -> NDArray[Any]:
        """The value of the first row of each."""
        return values[self.rows[self.starts]]

    def total(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum over the rows of each; rows are the first axis of `values`."""
        picked = values[self.rows]
        summed: NDArray[Any] = picked if self.are_single else np.add.reduceat(picked, self.starts, axis=0)
        return summed

    def mean(self, values: NDArray[Any]) -> NDArray[Any]:
        """The mean over the rows of each."""
        if self.are_single:
            return self.total(values)
        lengths = self.lengths.astype(values.dtype if values.dtype.kind == "f" else np.float64)
        mean: NDArray[Any] = self.total(values) / lengths.reshape(-1, *[1] * (values.ndim - 1))
        return mean

    def whole(self, is_so: BoolArray) -> BoolArray:
        """Whether something holds for all rows of each."""
        picked = is_so[self.rows]
        return picked if self.are_single else np.logical_and.reduceat(picked, self.starts)


def cut_clips(
    filepaths: Sequence[str], frame_numbers: Sequence[int | None], is_free: BoolArray, length: int
) -> tuple[list[list[int]], int]:
    """Cut videos, and folders of images, into clips.

    Frames of a video are those with the same filepath, in the order of their numbers; images without a number are in
    the order of their names, those of a folder together. A clip never spans frames that are not free.

    Args:
        filepaths: of each row.
        frame_numbers: of each row, None where it is no frame.
        is_free: which rows may be part of a clip.
        length: frames of a clip.

    Returns:
        The rows of each clip, and how many free rows are in none, because they are the rest behind the last clip.

    Example:
        >>> cut_clips(["a.mp4"] * 5, [3, 1, 2, 5, 4], np.ones(5, dtype=bool), 2)
        ([[1, 2], [0, 4]], 1)
    """
    sequences: dict[tuple[bool, str], list[tuple[Any, int]]] = {}
    for row, (path, number) in enumerate(zip(filepaths, frame_numbers, strict=True)):
        is_frame = number is not None
        key = (is_frame, path if is_frame else posixpath.dirname(path.replace("\\", "/")))
        sequences.setdefault(key, []).append((number if is_frame else path, row))
    clips: list[list[int]] = []
    left = 0
    for key in sorted(sequences):
        run: list[int] = []
        for _, row in sorted(sequences[key]):
            if is_free[row]:
                run.append(row)
                if len(run) == length:
                    clips.append(run)
                    run = []
            else:
                left += len(run)
                run = []
        left += len(run)
    return clips, left
