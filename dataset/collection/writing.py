"""Bulk writes of a collection: fields, tags, and saving samples in batches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import bulk, journal
from ..columns import read_ids
from ..errors import SchemaError
from ..filepaths import normal_path
from ..types import Progress
from .base import Base

if TYPE_CHECKING:
    from ..dataset import Dataset
    from ..sample import Sample


class SaveContext:
    """Collects samples and saves them in batches; made by `save_context()`."""

    def __init__(self, dataset: "Dataset", batch_size: int) -> None:
        """Begin with nothing collected."""
        self._dataset = dataset
        self._batch_size = batch_size
        self._waiting: list[Sample] = []

    def save(self, sample: "Sample") -> None:
        """Save a sample with the next batch."""
        self._waiting.append(sample)
        if len(self._waiting) >= self._batch_size:
            self.flush()

    def flush(self) -> None:
        """Save what was collected."""
        waiting, self._waiting = self._waiting, []
        self._dataset._save_samples(waiting)


class Writing(Base):
    """Methods that write many samples at once; each is one action that happens whole or not at all."""

    def set_values(
        self,
        field_name: str,
        values: Sequence[Any] | Mapping[Any, Any],
        key_field: str | None = None,
        skip_none: bool = False,
        expand_schema: bool = True,
        dynamic: bool = True,
        validate: bool = True,
        progress: Progress = False,
    ) -> None:
        """Write one value per sample.

        Args:
            field_name: a field, or a dotted path inside labels or dicts; inside a list of labels each sample
                gets a list.
            values: a sequence in the order of the samples, or a dict from ids (or values of `key_field`) to values.
            key_field: the field that a dict's keys are values of; every sample with such a value is set.
            skip_none: leave samples as they are where the value is None.
            expand_schema: declare the field if it is new; else that is an error.
            dynamic: declare new attributes of labels.
            validate: check the values against the field.
            progress: whether to show a bar.

        Raises:
            SchemaError: if there are more or fewer values than samples, or keys that no sample has.
            FieldNotFoundError: if the field is new and `expand_schema` is False.
            FieldKindError: if a value does not fit the field. Nothing is written then.
        """
        if not isinstance(field_name, str):
            raise SchemaError(f"set_values() was given the field {field_name!r}. Give its name.")
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise SchemaError(f"{field_name!r} was given {values!r:.200} alone. Give one value per sample, or a dict.")
        if isinstance(values, Mapping):
            ids, listed = bulk.by_key(self, values, key_field)  # type: ignore[arg-type]  # every collection is a SampleCollection
            once = dict(zip(ids, listed, strict=True))  # concat() may let a sample come twice
            ids, listed = list(once), list(once.values())
        else:
            ids = read_ids(self)  # type: ignore[arg-type]  # every collection is a SampleCollection
            listed = values if isinstance(values, np.ndarray) and values.ndim == 2 else list(values)  # or rows
            if key_field is not None:
                raise SchemaError(f"key_field={key_field!r} needs a dict from its values to the new ones.")
            if len(ids) != len(listed):
                raise SchemaError(
                    f"{field_name!r} was given {len(listed)} values for the {len(ids)} samples of {self._title()}. "
                    "Give one per sample."
                )
            if len(set(ids)) < len(ids):
                twice = next(sample_id for sample_id in ids if ids.count(sample_id) > 1)
                raise SchemaError(f"sample {twice} comes twice in {self._title()}. Give a dict from ids to values.")
        if field_name == "filepath":
            listed = [normal_path(path) for path in listed]
        bulk.set_values(
            self._root, field_name, ids, listed,
            skip_none=skip_none, expand_schema=expand_schema, dynamic=dynamic, validate=validate, progress=progress,
        )  # fmt: skip

    def tag_samples(self, tags: str | Iterable[str]) -> None:
        """Add tags to all samples of the collection that lack them."""
        self._change_tags(tags, add=True)

    def untag_samples(self, tags: str | Iterable[str]) -> None:
        """Remove tags from all samples of the collection."""
        self._change_tags(tags, add=False)

    def _change_tags(self, tags: str | Iterable[str], *, add: bool) -> None:
        listed = bulk.checked_tags(tags)
        ids = list(dict.fromkeys(read_ids(self)))  # type: ignore[arg-type]  # every collection is a SampleCollection
        if not ids or not listed:
            return
        with journal.action(self._root._id, "tag_samples" if add else "untag_samples", ["tags"]) as action:
            for tag in listed:
                if add:
                    action.tag(ids, tag)
                else:
                    action.untag(ids, tag)

    def count_sample_tags(self) -> dict[str, int]:
        """How many samples have each tag."""
        return self.count_values("tags")  # type: ignore[attr-defined,no-any-return]  # Aggregating supplies it

    @contextmanager
    def save_context(self, batch_size: int | None = None) -> Iterator[SaveContext]:
        """Save samples in batches: call `context.save(sample)` inside the block.

        What was given to `save` is saved even if the block ends by an exception.

        Args:
            batch_size: how many samples to save at once.
        """
        context = SaveContext(self._root, batch_size or 1_000)
        try:
            yield context
        finally:
            context.flush()
