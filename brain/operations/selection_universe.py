"""The samples that a selection is about, in one order, and how what is read is brought into it.

What the strategies read of them is `selection_inputs`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.columns import read_ids, read_keyed_vectors
from ...dataset.errors import FieldNotFoundError, SchemaError, SelectionError, hint
from ...dataset.types import BoolArray, FloatArray, IntArray, SampleId
from ..selection.config import slug_of
from .inputs import read_embeddings
from .predictions import read_columns

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_OWNER = slice(8, 20)
"""The bytes of a vector's key that are the id of the sample."""


@dataclass(frozen=True)
class Universe:
    """All samples that count: those of the collection, and those picked before, wherever in the dataset they are.

    Attributes:
        samples: the collection to pick from.
        ids: all n samples.
        is_preselected: (n,) which of them were picked before, and so are not picked again.
        outside: where some of these are not in the collection, a view of all of them.
    """

    samples: "SampleCollection"
    ids: list[SampleId]
    is_preselected: BoolArray
    outside: "SampleCollection | None"

    @classmethod
    def of(
        cls, samples: "SampleCollection", preselected_tag: str | None = None, *, but_not: Sequence[SampleId] = (),
        in_view_order: bool = False,
    ) -> "Universe":  # fmt: skip
        """Find the samples.

        Args:
            samples: the collection to pick from.
            preselected_tag: the tag on the samples of the dataset that were picked before.
            but_not: samples with this tag that do not count as picked before.
            in_view_order: keep the collection's order, with those outside it first, instead of that of the ids, which
                depends on nothing.

        Raises:
            SelectionError: if no sample has the tag.
        """
        listed = list(dict.fromkeys(read_ids(samples)))
        tagged = None if preselected_tag is None else tagged_view(samples, preselected_tag, "preselected_tag")
        new = set(but_not)
        earlier = [one for one in read_ids(tagged) if one not in new] if tagged is not None else []
        within = set(listed) if earlier else set()
        outside = [one for one in earlier if one not in within]
        ids = [*outside, *listed]
        if not in_view_order:
            ids.sort()
        picked = set(earlier)
        is_preselected = np.fromiter((one in picked for one in ids), dtype=bool, count=len(ids))
        return cls(samples, ids, is_preselected, tagged if outside else None)

    @classmethod
    def empty(cls, samples: "SampleCollection") -> "Universe":
        """None of the samples: whatever is wrong with the fields that are read shows with these as well."""
        return cls(samples.limit(0), [], np.empty(0, dtype=bool), None)

    @cached_property
    def _keys(self) -> NDArray[np.bytes_]:
        return _keys_of(self.ids)

    @cached_property
    def _by_key(self) -> IntArray:
        return np.argsort(self._keys, kind="stable")

    def rows_of(self, ids: Sequence[SampleId]) -> IntArray:
        """The position of each id, -1 for those that are not among the samples."""
        if ids == self.ids:
            return np.arange(len(self.ids))
        return self._rows_of_keys(_keys_of(ids))

    def _rows_of_keys(self, keys: NDArray[np.bytes_]) -> IntArray:
        if not len(self.ids):
            return np.full(len(keys), -1)
        places = np.searchsorted(self._keys, keys, sorter=self._by_key)
        found = self._by_key[np.minimum(places, len(self.ids) - 1)]
        return np.where(self._keys[found] == keys, found, -1)

    def columns(self, paths: Sequence[str]) -> dict[str, list[Any]]:
        """Values of all samples, None where one is missing. Of those in the collection, as the collection shows them.

        Raises:
            FieldNotFoundError: if there is nothing at a path.
        """
        ids, columns = read_columns(self.samples, paths)
        if ids == self.ids:
            return columns
        parts = [(ids, columns)]
        if self.outside is not None:
            parts.insert(0, read_columns(self.outside, paths))  # what the collection shows is placed over it
        placed: dict[str, list[Any]] = {path: [None] * len(self.ids) for path in paths}
        for part_ids, part in parts:
            rows = self.rows_of(part_ids).tolist()
            for path, values in part.items():
                column = placed[path]
                for row, value in zip(rows, values, strict=True):
                    if row >= 0:
                        column[row] = value
        return placed

    def column(self, path: str) -> list[Any]:
        """The values at one path of all samples.

        Raises:
            FieldNotFoundError: if there is nothing.
        """
        return self.columns([path])[path]

    def vectors(self, key: str) -> tuple[IntArray, FloatArray]:
        """Vectors of the samples: for each sample its row in a matrix, -1 for none, and the matrix.

        The matrix may be mapped from the cache and hold vectors of other samples.

        Raises:
            FieldNotFoundError, FieldKindError: if there is no such vector field.
            SchemaError: if no sample has a vector in it.
        """
        root = self.samples._root
        # Of a large part of the dataset, all vectors are mapped: a view's would be copied, and once more to sort them.
        is_part = self.outside is None and 4 * len(self.ids) < root.count()
        found = read_embeddings(self.samples if is_part else root, key)
        rows = np.full(len(self.ids), -1)
        owners = self.rows_of(found.ids)
        rows[owners[owners >= 0]] = np.flatnonzero(owners >= 0)
        return rows, found.vectors

    def object_vectors(self, task: str, key: str) -> tuple[IntArray, FloatArray]:
        """Vectors of the labels in a field: (n + 1,) where those of each sample begin, and the matrix.

        Raises:
            FieldNotFoundError, FieldKindError: if the labels have no such vectors.
            ViewError: if the field holds no labels.
        """
        owners, matrix = self._objects(self.samples, task, key)
        if self.outside is not None:
            inside = self.rows_of(read_ids(self.samples))
            others, more = self._objects(self.outside, task, key)
            is_new = ~np.isin(others, inside)
            if is_new.any():
                owners = np.concatenate([owners, others[is_new]])
                matrix = np.concatenate([matrix, more[is_new]]) if len(matrix) else more[is_new]
        if not len(matrix) and self.ids:
            raise SchemaError(
                f"no label in {task!r} of {self.samples._title()} has a vector in {key!r}. "
                f"Run compute_patch_embeddings(samples, model, {task!r}, {key!r}) first."
            )
        if not (owners[:-1] <= owners[1:]).all():
            order = np.argsort(owners, kind="stable")
            owners, matrix = owners[order], matrix[order]
        return np.searchsorted(owners, np.arange(len(self.ids) + 1)), matrix

    def _objects(self, samples: "SampleCollection", task: str, key: str) -> tuple[IntArray, FloatArray]:
        keys, matrix = read_object_vectors(samples, task, key)
        return self._rows_of_keys(np.ascontiguousarray(keys[:, _OWNER]).view("S12").ravel()), matrix


def read_object_vectors(
    samples: "SampleCollection", task: str, key: str
) -> tuple[NDArray[np.uint8], FloatArray]:  # fmt: skip
    """The vectors of the labels in a field, with the keys they are stored under.

    Raises:
        FieldNotFoundError, FieldKindError: if the labels have no such vectors.
        ViewError: if the field holds no labels.
    """
    patches = samples.to_patches(task)
    try:
        _, keys, matrix = read_keyed_vectors(patches, f"{task}.{key}")
    except FieldNotFoundError as error:
        raise FieldNotFoundError(
            f"{error} compute_patch_embeddings(samples, model, {task!r}, {key!r}) makes the vectors of labels."
        ) from error
    return keys, matrix


def stored_name(samples: "SampleCollection", name: str) -> str:
    """The field that a name of LightlyOne means: names of its tasks may hold signs for which fields have underscores.

    A name without such a field is given back as it is.
    """
    known, slug = samples._schema(), slug_of(name)
    return slug if name not in known and slug in known else name


def tagged_view(samples: "SampleCollection", tag: str, argument: str) -> "SampleCollection":
    """The samples of the whole dataset that have a tag.

    Raises:
        SelectionError: if there are none, with the tags there are.
    """
    root = samples._root
    known = root.count_sample_tags()
    if tag not in known:
        raise SelectionError(f"{argument}={tag!r}: no sample of dataset {root.name!r} has this tag. "
                             f"{hint(tag, known, 'Tags')}")  # fmt: skip
    return root.match_tags(tag)


def _keys_of(ids: Sequence[SampleId]) -> NDArray[np.bytes_]:
    return np.frombuffer(bytes.fromhex("".join(ids)), dtype="S12")
