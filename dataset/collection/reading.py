"""Samples one by one, in batches, by id, by filepath and by slice; and what the schema says."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import stages
from ..errors import DatasetError, FieldNotFoundError, SampleNotFoundError, ViewError
from ..expressions import ViewExpression
from ..filepaths import normal_path
from ..progress import shown
from ..schema import EmbeddedDocumentField, Field, Schema
from ..stages import chain
from ..store import by_id, field_records, samples
from ..types import Bson, Oid, Progress, SampleId, is_id
from .base import Base

if TYPE_CHECKING:
    from ..sample import Sample
    from ..view import DatasetView

READ_BATCH = 1_000
_PICTURES_SECONDS = 3.0


class Reading(Base):
    """Methods that give samples, and facts about fields."""

    def __len__(self) -> int:
        """The number of samples."""
        return self.count()  # type: ignore[attr-defined,no-any-return]  # Aggregating supplies it

    def __bool__(self) -> bool:
        """Whether there are samples."""
        return len(self) > 0

    def __iter__(self) -> "Iterator[Sample]":
        """The samples, one by one."""
        return self.iter_samples()

    def __contains__(self, sample_id_or_filepath: object) -> bool:
        """Whether there is a sample with this id or filepath."""
        if not isinstance(sample_id_or_filepath, str):
            return False
        return self._find(sample_id_or_filepath) is not None

    def __getitem__(self, key: "SampleId | slice | ViewExpression | Sequence[bool]") -> Any:
        """A sample by id or filepath; a view by slice, expression or mask.

        Raises:
            SampleNotFoundError: if there is no such sample.
            ViewError: for an integer, or a slice that counts from the end.
        """
        if isinstance(key, slice):
            return self._slice(key)
        if isinstance(key, ViewExpression):
            return self._then(stages.Match(key))
        if isinstance(key, str | os.PathLike):
            return self._get(os.fspath(key))
        if isinstance(key, int | np.integer):
            raise ViewError(
                f"{self._title()} cannot be indexed by {key}: positions move when samples come and go. "
                f"Use an id, a filepath, first(), last(), or a slice such as [{key}:{int(key) + 1}]."
            )
        if isinstance(key, Sequence | np.ndarray) and len(key) == len(self):
            ids = self._ids()
            chosen = [sample_id for sample_id, keep in zip(ids, key, strict=True) if keep]
            both = set(chosen).intersection(sample_id for sample_id, keep in zip(ids, key, strict=True) if not keep)
            if both:
                raise ViewError(f"{min(both)} comes twice in {self._title()}, so a mask cannot keep one of the two.")
            return self._then(stages.Select(chosen))
        raise ViewError(
            f"{self._title()} cannot be indexed by {key!r}. Use an id, a filepath, a slice, an expression or a mask."
        )

    def _slice(self, key: slice) -> "DatasetView":
        start, stop = key.start or 0, key.stop
        if key.step not in (None, 1) or start < 0 or (stop is not None and stop < 0):
            raise ViewError(
                f"the slice [{key.start}:{key.stop}:{key.step}] counts from the end or has a step. "
                "Use sort_by(..., reverse=True)."
            )
        view = self._then(stages.Skip(start))
        return view if stop is None else view._then(stages.Limit(max(0, stop - start)))

    def _query_for(self, key: str) -> Bson:
        return {"_id": Oid(key)} if is_id(key) else {"filepath": normal_path(key)}

    def _find(self, key: str) -> Bson | None:
        steps: list[Bson] = [{"$match": self._query_for(key)}, {"$limit": 1}]
        if not self._stages:
            return samples.find_one(self._root._id, self._query_for(key))
        return next(iter(self._documents(steps)), None)

    def _get(self, key: str) -> "Sample":
        found = self._find(key)
        if found is None:
            kind = "id" if is_id(key) else "filepath"
            raise SampleNotFoundError(
                f"no sample with {kind} {key!r} in {self._title()}, which has {len(self)} samples."
            )
        return self._wrapper(self._schema())(found)

    def _wrapper(self, schema: Schema) -> "Callable[[Bson], Sample]":
        """What makes samples of this collection's documents; they know which fields and labels it hides."""
        from ..sample import Sample

        if not self._stages:
            return partial(Sample._from_stored, dataset=self._root, schema=schema)
        fields = self._root._current_schema()
        return partial(
            Sample._from_stored, dataset=self._root, schema=schema,
            hidden=frozenset(fields.names()) - frozenset(schema.names()),
            filtered=chain.filtered_lists(self._stages, fields), reshaped=chain.shapes_documents(self._stages),
        )  # fmt: skip

    def _ids(self) -> list[SampleId]:
        return self._columns([]).sample_ids()

    def _shaping(self) -> list[Bson] | None:
        """The steps that change what chosen documents show; None if only the whole pipeline can tell."""
        return chain.shaping(self._stages, self._root._current_schema())

    def _one_by_one(self, size: int) -> tuple[int, Iterator[Bson]]:
        """The number of documents, and all of them, read `size` at a time."""
        ids, steps = self._ids(), self._shaping()
        return len(ids), self._documents() if steps is None else self._by_ids(ids, size, steps)

    def _by_ids(self, ids: Sequence[SampleId], size: int, steps: Sequence[Bson]) -> Iterator[Bson]:
        """The documents with some ids, in batches."""
        return by_id.decoded(by_id.read_by_id(self._root._id, ids, steps, size=size))

    def iter_samples(
        self, progress: Progress = False, autosave: bool = False, batch_size: int | None = None,
    ) -> "Iterator[Sample]":  # fmt: skip
        """The samples, one by one.

        The ids are read first, then the samples in batches by id; so a long loop never times out, sees no sample twice,
        and passes over samples that were deleted meanwhile. Where what a sample shows depends on more than the sample
        (`mongo` with such steps, `concat` of views that show their samples differently), all are read in one go.

        Args:
            progress: whether to show a bar; None asks the settings.
            autosave: save each sample after the loop's body, in batches.
            batch_size: how many samples to read and save at once.
        """
        size = batch_size or READ_BATCH
        if size < 1:
            raise ViewError(f"batch_size is {size}; it must be at least 1.")
        with self._root._holding_schema():
            wrap = self._wrapper(self._schema())
            total, documents = self._one_by_one(size)
        with ExitStack() as stack:
            context = stack.enter_context(self.save_context(batch_size=size)) if autosave else None  # type: ignore[attr-defined]  # Writing supplies it
            advance = stack.enter_context(shown(total, progress))
            for document in documents:
                sample = wrap(document)
                yield sample
                if context is not None:
                    context.save(sample)
                advance(1)

    def first(self) -> "Sample":
        """The first sample.

        Raises:
            DatasetError: if there is none.
        """
        for sample in self.head(1):
            return sample
        raise DatasetError(f"{self._title()} has no samples.")

    def last(self) -> "Sample":
        """The last sample.

        Raises:
            DatasetError: if there is none.
        """
        for sample in self.tail(1):
            return sample
        raise DatasetError(f"{self._title()} has no samples.")

    def head(self, num_samples: int = 3) -> "list[Sample]":
        """The first few samples."""
        return list(self._then(stages.Limit(num_samples)))

    def tail(self, num_samples: int = 3) -> "list[Sample]":
        """The last few samples, in order."""
        return list(self._then(stages.Skip(max(0, len(self) - num_samples))))

    def one(self, expr: ViewExpression, exact: bool = False) -> "Sample":
        """The sample for which an expression holds.

        Args:
            expr: the expression.
            exact: whether it is an error if several match; else the first is given.

        Raises:
            SampleNotFoundError: if none matches.
            DatasetError: if several match and `exact` is set.
        """
        found = list(self._then(stages.Match(expr))._then(stages.Limit(2)))
        if not found:
            raise SampleNotFoundError(f"no sample of {self._title()} matches {expr}.")
        if exact and len(found) > 1:
            several = f"several samples of {self._title()} match {expr}; one was expected."
            raise DatasetError(f"{several} Narrow the condition, or leave exact=False.")
        return found[0]

    def view(self) -> "DatasetView":
        """A view of all samples."""
        from ..patches import view_of

        return view_of(self._root, self._stages)

    def _thumbnails(self) -> Iterator[str | None]:
        """Small pictures of the first samples, made as they are asked for."""
        began = time.monotonic()
        for sample in self.head(8):
            if time.monotonic() - began > _PICTURES_SECONDS:  # a server that does not answer would hold up the prompt
                return
            yield sample._thumbnail()

    # --- schema -----------------------------------------------------------------------------------------------------

    def get_field_schema(
        self, ftype: type[Field] | None = None, embedded_doc_type: type | None = None, *, flat: bool = False
    ) -> dict[str, Field]:
        """The fields and their kinds, in order.

        Args:
            ftype: give only fields of this class.
            embedded_doc_type: give only embedded documents of this class, such as `Detections`.
            flat: give attributes of labels as well, under dotted paths.
        """
        schema = self._schema()
        fields = schema.flat() if flat else {name: schema[name] for name in schema.names()}
        if embedded_doc_type is not None:
            wanted = embedded_doc_type.__name__
            return {
                p: f for p, f in fields.items() if isinstance(f, EmbeddedDocumentField) and f.document_type == wanted
            }
        return {p: f for p, f in fields.items() if ftype is None or isinstance(f, ftype)}

    def get_field(self, path: str) -> Field | None:
        """The kind of one field, or None if it does not exist."""
        return self._schema().resolve(path, self._title()).field if self.has_field(path) else None

    def has_field(self, path: str) -> bool:
        """Whether a field exists; dotted paths are followed."""
        try:
            self._schema().resolve(path, self._title())
        except FieldNotFoundError:
            return False
        return True

    def has_sample_field(self, path: str) -> bool:
        """Whether a field of samples exists."""
        return self.has_field(path)

    def get_field_revisions(self) -> dict[str, str]:
        """A text for each field that changes with its values: its last action and a count of single edits."""
        from ..runs import revisions

        return revisions(self._root, list(field_records.by_path(self._root._id)))
