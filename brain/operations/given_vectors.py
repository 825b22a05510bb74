"""Vectors that were made elsewhere: arrays, `{sample id: vector}`, .npy files, and Lightly's embeddings.csv.

All of them end as one float32 matrix and the ids of the samples whose rows they are. What is wrong is an error that
names the row; nothing is filled up, cut off or guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from ...dataset import columns
from ...dataset.errors import FieldKindError, ModelError, SchemaError
from ...dataset.types import SampleId
from ..kernels.vectors import first_nonfinite_row
from ..models.registry import FAMILIES
from .lightly_csv import read_lightly_csv, rows_of_files

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_FILES = (".npy", ".csv")


@dataclass(frozen=True)
class GivenVectors:
    """Vectors and whose they are.

    Attributes:
        ids: the samples that get a vector, in the collection's order.
        vectors: (len(ids), d) float32, all finite.
        name: what is kept as the model's name: the file's, or "(array)".
        version: a hash of the vectors that were given.
        missing: how many samples get none.
        extra: how many of the vectors given belong to no sample.
    """

    ids: list[SampleId]
    vectors: NDArray[np.float32]
    name: str
    version: str
    missing: int = 0
    extra: int = 0


def is_given(model: Any) -> bool:
    """Whether `model` stands for vectors themselves rather than for what makes them.

    Example:
        >>> is_given(np.zeros((3, 8))), is_given("embeddings.csv"), is_given("builtin")
        (True, True, False)
    """
    if isinstance(model, str | PathLike):
        return str(model).lower().endswith(_FILES) and str(model).partition(":")[0] not in FAMILIES
    if isinstance(model, Mapping | list | tuple):
        return True
    # Tensors and data frames are arrays too; what embeds is none, whatever else it can.
    return hasattr(model, "__array__") and not callable(model) and not hasattr(model, "embed")


def refuse_given(model: Any, verb: str) -> None:
    """Refuse vectors where only a model will do.

    Raises:
        ModelError: if `model` stands for vectors.
    """
    if is_given(model):
        raise ModelError(
            f"model is vectors, and {verb} needs what makes them. Give a model; vectors of whole images that are "
            "there already are kept by compute_embeddings(samples, model=...)."
        )


def read_given(samples: "SampleCollection", model: Any) -> GivenVectors:
    """Read vectors that were given for samples.

    Args:
        samples: a dataset or view.
        model: (n, d) numbers in the order of the samples; {sample id: vector}; a .npy file of such an array; or a .csv
            file as Lightly writes it, whose file names are matched with `filepath`.

    Raises:
        SchemaError: if there are not as many rows as samples, an id is of no sample of the dataset, or a file name fits
            several samples.
        FieldKindError: if a row holds NaN or infinity, is of another length than the others, or no numbers.
        ModelError: if a file cannot be read.
    """
    if isinstance(model, Mapping):
        return _of_ids(samples, model)
    if not isinstance(model, str | PathLike):
        return _of_rows(columns.read_ids(samples), "(array)", "the array", model)
    path = Path(model).expanduser()
    if not path.is_file():
        raise ModelError(f"there is no file {path}, which was given for embeddings.")
    if path.suffix.lower() == ".npy":
        return _of_rows(columns.read_ids(samples), path.name, str(path), _loaded(path))
    return _of_csv(samples, path)


def _of_rows(ids: list[SampleId], name: str, title: str, rows: Any) -> GivenVectors:
    matrix = _matrix(title, rows, "row {}".format)
    if len(matrix) != len(ids):
        raise SchemaError(
            f"{title} has {len(matrix)} rows for {len(ids)} samples. Give one row per sample, in their order; or "
            "{sample id: vector}, which may leave some out."
        )
    return GivenVectors(ids, matrix, name, _hash(matrix))


def _of_ids(samples: "SampleCollection", vectors: Mapping[Any, Any]) -> GivenVectors:
    ids = columns.read_ids(samples)
    chosen = [sample_id for sample_id in ids if sample_id in vectors]
    others = vectors.keys() - set(chosen)
    if others:
        unknown = others - set(columns.read_ids(samples._root))
        if unknown:
            raise SchemaError(
                f"{len(unknown)} of the {len(vectors)} vectors are for no sample of dataset {samples._root.name!r}, "
                f"such as {min(map(repr, unknown))}. Their keys have to be ids of samples."
            )
    matrix = _matrix("the vectors", [vectors[key] for key in chosen], lambda row: f"sample {chosen[row]}")
    return GivenVectors(chosen, matrix, "(array)", _hash(matrix), len(ids) - len(chosen), len(others))


def _of_csv(samples: "SampleCollection", path: Path) -> GivenVectors:
    ids, found = columns.read_scalars(samples, ["filepath"])
    files, matrix = read_lightly_csv(path)
    row = first_nonfinite_row(matrix)
    if row is not None:
        raise FieldKindError(f"{path} holds NaN or infinity for {files[row]!r} (row {row}). Leave it out.")
    rows = rows_of_files(path, files, found["filepath"])
    having = [at for at, row in enumerate(rows) if row is not None]
    used = [row for row in rows if row is not None]
    if ids and not used:
        raise SchemaError(
            f"none of the {len(files)} file names in {path} is that of a sample: {(files or ['nothing'])[0]!r} there, "
            f"and {found['filepath'][0]!r} here. They are matched by the whole path, its end, or the base name."
        )
    return GivenVectors(
        [ids[at] for at in having], matrix[used], path.name, _hash(matrix), len(ids) - len(having),
        len(files) - len(used),
    )  # fmt: skip


def _loaded(path: Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ModelError(f"{path} is no array that can be read: {error}") from error


def _matrix(title: str, rows: Any, label: Callable[[int], str]) -> NDArray[np.float32]:
    """Check rows of numbers; `label` names them in messages."""
    rows = np.asarray(rows) if hasattr(rows, "__array__") else _stacked(title, rows, label)
    if rows.ndim != 2 or (len(rows) and not rows.shape[1]) or rows.dtype.kind not in "fiu":
        raise FieldKindError(f"{title} has shape {rows.shape}, {rows.dtype}; expected (n, d) numbers.")
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and refused next
        matrix: NDArray[np.float32] = np.ascontiguousarray(rows, dtype=np.float32)
    row = first_nonfinite_row(matrix)
    if row is not None:
        raise FieldKindError(f"{title}: {label(row)} holds NaN or infinity (as float32). Leave it out.")
    return matrix


def _stacked(title: str, rows: Any, label: Callable[[int], str]) -> NDArray[Any]:
    arrays: list[NDArray[np.float64]] = []
    for at, row in enumerate(rows):
        try:
            arrays.append(np.asarray(row, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise FieldKindError(f"{title}: {label(at)} is no row of numbers: {error}") from error
        if arrays[-1].ndim != 1 or arrays[-1].shape != arrays[0].shape:
            raise FieldKindError(
                f"{title}: {label(at)} has shape {arrays[-1].shape}, and {label(0)} has {arrays[0].shape}; expected "
                "rows of one length."
            )
    return np.stack(arrays) if arrays else np.empty((0, 1))


def _hash(matrix: NDArray[np.float32]) -> str:
    digest = xxhash.xxh3_128(str(matrix.shape).encode())
    digest.update(np.ascontiguousarray(matrix).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:12]
