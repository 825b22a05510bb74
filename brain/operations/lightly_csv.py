"""Lightly's embeddings.csv: `filenames, embedding_0 … embedding_{d-1}, labels`, read and written.

Lightly also writes `masked` and `selected` between the vectors and the labels; they are read over. Labels are integers
that Lightly wants to find; ours are 0, since what a sample is lies in the dataset.
"""

import csv
from collections import defaultdict
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...dataset import columns
from ...dataset.errors import FieldKindError, ModelError, SchemaError

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def read_lightly_csv(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Read file names and their vectors.

    Returns:
        The names, and (n, d) float32 in their order.

    Raises:
        ModelError: if it is no such file.
        FieldKindError: if a row has another length, or something in it is no number; it is named with its line.
    """
    try:
        return _read(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelError(f"{path} is no table that can be read: {error}") from error


def _read(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    names: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        wanted = _columns_of(path, header)
        for row in lines:
            if len(row) != len(header):
                raise FieldKindError(
                    f"{path}, line {lines.line_num}: there are {len(row)} values for {len(header)} columns."
                )
            try:
                vectors.append(np.array(row[wanted.start : wanted.stop], dtype=np.float32))
            except ValueError as error:
                raise FieldKindError(f"{path}, line {lines.line_num} ({row[0]!r}): {error}.") from error
            names.append(row[0])
    matrix = np.stack(vectors) if vectors else np.empty((0, len(wanted)), dtype=np.float32)
    return names, matrix


def _columns_of(path: Path, header: list[str]) -> range:
    """Where the vectors lie in a row."""
    count = sum(name.startswith("embedding_") for name in header)
    expected = ["filenames", *(f"embedding_{at}" for at in range(count))]
    if not count or header[: count + 1] != expected:
        raise ModelError(
            f"{path} begins with the columns {', '.join(header[:4]) or '(none)'}; expected filenames, embedding_0, "
            "embedding_1, …, as Lightly writes them, and no blanks."
        )
    return range(1, count + 1)


def rows_of_files(path: Path, names: list[str], filepaths: list[str]) -> list[int | None]:
    """Find the row of each sample: by its whole path, else by the end of it, the longest that fits.

    Args:
        path: the file with the names, for messages.
        names: file names, absolute or relative to a folder.
        filepaths: those of the samples.

    Returns:
        For each sample the row of its name; None where there is none.

    Raises:
        SchemaError: if a name comes twice, or fits several samples.

    Example:
        >>> rows_of_files(Path("e.csv"), ["a/1.png", "b/1.png"], ["/data/b/1.png", "/data/2.png"])
        [1, None]
    """
    places: dict[tuple[str, ...], int] = {}
    for at, name in enumerate(names):
        parts = _parts(name)
        if parts in places:
            raise SchemaError(f"{path} names {name!r} twice (rows {places[parts]} and {at}). Leave one out.")
        places[parts] = at
    depths = sorted({len(parts) for parts in places}, reverse=True)
    rows: list[int | None] = []
    owners: dict[int, list[str]] = defaultdict(list)
    for filepath in filepaths:
        parts = _parts(filepath)
        ends = (parts[-depth:] for depth in depths if depth <= len(parts))
        row = next((places[end] for end in ends if end in places), None)
        rows.append(row)
        if row is not None:
            owners[row].append(filepath)
    for used, fitting in owners.items():
        if len(fitting) > 1:
            raise SchemaError(
                f"{names[used]!r} in {path} (row {used}) fits {len(fitting)} samples, such as {fitting[0]} and "
                f"{fitting[1]}. Give more of the path in the file."
            )
    return rows


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))


def write_embeddings_csv(samples: "SampleCollection", field: str, path: str | PathLike[str]) -> int:
    """Write vectors as Lightly's embeddings.csv.

    File names are relative to the deepest folder that all samples with a vector share.

    Args:
        samples: a dataset or view.
        field: a vector field; samples without a vector are left out.
        path: the file to write.

    Returns:
        How many vectors were written.

    Raises:
        FieldNotFoundError, FieldKindError: if it is no vector field.
        SchemaError: if two samples have one `filepath`, such as frames of a video.

    Example:
        ```python
        scb.write_embeddings_csv(dataset, "embedding", "embeddings.csv")
        scb.compute_embeddings(other, model="embeddings.csv")
        ```
    """
    ids, vectors = columns.read_vectors(samples, field)
    every, found = columns.read_scalars(samples, ["filepath"])
    filepaths = dict(zip(every, found["filepath"], strict=True))
    names = _relative([filepaths[sample_id] for sample_id in ids])
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise SchemaError(f"several samples have the file {twice!r}, and Lightly's file knows samples by their file.")
    with Path(path).expanduser().open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["filenames", *(f"embedding_{at}" for at in range(vectors.shape[1])), "labels"])
        for name, vector in zip(names, vectors, strict=True):
            lines.writerow([name, *vector.tolist(), 0])
    return len(names)


def _relative(filepaths: list[str]) -> list[str]:
    folders = [path.replace("\\", "/").split("/")[:-1] for path in filepaths]
    shared = 0
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return ["/".join(path.replace("\\", "/").split("/")[shared:]) for path in filepaths]
