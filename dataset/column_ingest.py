"""Samples that come as columns: checked and encoded a column at a time, without an object for each sample."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .bulk import checked_tags
from .errors import FieldKindError, SchemaError
from .filepaths import media_type_of, normal_path
from .fitting import Encoding, Widening
from .ingest import Batch, Ingest, documents_of
from .labels import Document
from .new_vectors import NumberedVectors
from .schema import SAMPLE_FIELDS, check_field_name, infer
from .store import samples
from .store.elements import Elements, elements, null
from .types import SampleId

if TYPE_CHECKING:
    from .dataset import Dataset

_AS_THEY_ARE = frozenset({float, bool, type(None)})


class ColumnIngest(Ingest):
    """One call of `add_columns`."""

    def __init__(self, dataset: "Dataset", columns: Mapping[str, Sequence[Any]]) -> None:
        """Check names and lengths; nothing is written yet.

        Raises:
            SchemaError: if there is no "filepath", a name cannot be used, or the lengths differ.
            FieldKindError: if a value cannot be stored.
        """
        super().__init__(dataset, expand_schema=True, dynamic=False)
        if not isinstance(columns, Mapping):
            raise FieldKindError(f"add_columns was given {columns!r:.200}. Give a dict from fields to their values.")
        if "filepath" not in columns:
            raise SchemaError(f"add_columns needs a 'filepath' column; got {', '.join(columns) or 'none'}.")
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise SchemaError(
                f"the columns have different lengths: {', '.join(f'{n} {k}' for n, k in lengths.items())}. "
                "Give each as many values; None leaves one out."
            )
        for name in columns:
            if name not in SAMPLE_FIELDS:
                check_field_name(name)
        if "id" in columns:
            raise SchemaError("a sample's id is given by its dataset and cannot be set.")
        self._columns = {name: _checked(name, values) for name, values in columns.items()}

    def __len__(self) -> int:
        """The number of samples."""
        return len(self._columns["filepath"])

    def add_all(self, advance: Any) -> None:
        """Add the samples; see `Ingest.add`."""
        self.add(range(len(self)), advance)  # type: ignore[arg-type]  # rows in place of samples

    def _plan(self, given: Sequence[Any]) -> None:  # noqa: ARG002  # all rows
        widening = self._widening(self._dataset._current_schema())
        _hold(self._columns, widening)
        self._planned = widening.schema

    def _add_batch(self, given: Sequence[Any]) -> None:
        part = slice(given[0], given[-1] + 1)
        columns = {name: values[part] for name, values in self._columns.items()}
        schema = self._schema_of(partial(_hold, columns))
        ids = samples.reserve_ids(self._dataset._id, len(given))
        with ExitStack() as stack:
            sink = NumberedVectors(self._dataset._id, stack, "add_columns")
            encoding = Encoding(schema)
            made: dict[str, Elements] = {
                "tags": elements("tags", [[]] * len(ids)),
                "metadata": [null("metadata")] * len(ids),
            }
            for name, values in columns.items():
                column = encoding.column(name, values)
                made[name] = (
                    elements(name, self._encoded(encoding, name, columns, ids, sink)) if column is None else column
                )
            sink.store()
            self._insert(Batch(ids, documents_of(ids, made.values()), schema))
            if sink.has_any:
                self._inserted()
        self._media = self._media or media_type_of(columns["filepath"][0])

    def _encoded(
        self, encoding: Encoding, name: str, columns: Mapping[str, Sequence[Any]], ids: Sequence[SampleId],
        sink: NumberedVectors,
    ) -> Sequence[Any]:  # fmt: skip
        stored = []
        for value, identity, filepath in zip(columns[name], ids, columns["filepath"], strict=True):
            sink.sample_id = identity
            try:
                stored.append(None if value is None else encoding.encoded(name, value, sink))
            except FieldKindError as error:
                raise FieldKindError(f"field {name!r} of {filepath!r}: {error}") from error
        return stored


def _hold(columns: Mapping[str, Sequence[Any]], widening: Widening) -> None:
    for name, values in columns.items():
        widening.hold_column(name, values)


def _checked(name: str, values: Sequence[Any]) -> list[Any]:
    """A column in the form in which samples would hold its values."""
    listed = list(values.tolist() if isinstance(values, np.ndarray) and values.ndim == 1 else values)
    if name == "filepath":
        return [normal_path(path) for path in listed]
    if name == "tags":
        return [[] if tags is None else checked_tags(tags) for tags in listed]
    if all(kind in _AS_THEY_ARE or issubclass(kind, Document) for kind in set(map(type, listed))):
        return listed
    try:
        return [_held(value) for value in listed]
    except FieldKindError as error:
        raise FieldKindError(f"column {name!r}: {error}") from error


def _held(value: Any) -> Any:
    field = infer(value)
    return value if field is None else field.coerce(value)
