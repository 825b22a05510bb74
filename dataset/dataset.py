"""A dataset: named, persistent by default, and the root of every view.

What it shares with views is `collection`; its fields are `field_editing`; making one from files or JSON is `creation`.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .. import __version__
from . import bulk, display, extensions, journal
from .cloning import Cloning
from .collection import SampleCollection
from .column_ingest import ColumnIngest
from .creation import Creating, tagged
from .describing import Describing, checked_name, default_names
from .errors import DatasetExistsError, SampleNotFoundError
from .field_editing import FieldEditing
from .history import Undoing
from .ingest import Ingest, save
from .merging import Merging
from .opening import check_form, opened
from .patch import PatchView
from .patches import view_of
from .progress import shown
from .sample import Sample
from .saved_views import SavingViews
from .schema import FloatField, IntField, Schema
from .sourcing import Sourcing
from .stages import Stage
from .stages.picking import ids_of
from .store import actions, catalog, field_records, samples
from .store.matrix_cache import forget_matrices
from .types import Bson, Progress, ReadOnlyId, SampleId
from .videos import Videos
from .view import DatasetView

if TYPE_CHECKING:
    from ..brain.operations.selected import Selection

_held: ContextVar[Mapping[str, Schema]] = ContextVar("_held", default=MappingProxyType({}))
"""Schemas that stay as they are while a call is at work, by the ids of their datasets."""


class Dataset(Describing, FieldEditing, SavingViews, Merging, Creating, Videos, Sourcing, Cloning, Undoing):
    """A named collection of samples in the database.

    Args:
        name: its name; None chooses one from the time.
        persistent: whether it outlives the processes that use it.
        overwrite: whether to delete a dataset of this name first.

    Raises:
        DatasetExistsError: if the name is taken and `overwrite` is not set.
        DatasetError: if the name cannot be used.

    Example:
        >>> dataset = Dataset("readme-example", overwrite=True)  # doctest: +SKIP
    """

    def __init__(self, name: str | None = None, persistent: bool = True, overwrite: bool = False) -> None:
        """Make an empty dataset."""
        self._begin(self._reserve(name, persistent=persistent, overwrite=overwrite))
        self._finish(name)

    # --- the record -------------------------------------------------------------------------------------------------

    @classmethod
    def _reserve(cls, name: str | None, *, persistent: bool, overwrite: bool) -> str:
        """Make the invisible beginning of a dataset; returns its id.

        One that it replaces stays until `_finish`; the new one has a name until then that users cannot give.
        """
        if name is None:
            return cls._reserve_default(persistent=persistent)
        if overwrite and checked_name(name) in catalog.dataset_names():
            return cls._create(f"(making) {secrets.token_hex(8)}", persistent=persistent)
        return cls._create(checked_name(name), persistent=persistent)

    @classmethod
    def _reserve_default(cls, *, persistent: bool) -> str:
        names = default_names()
        while True:
            with suppress(DatasetExistsError):
                return cls._create(next(names), persistent=persistent)

    @classmethod
    def _create(cls, name: str, *, persistent: bool) -> str:
        dataset_id = catalog.create_dataset(name, persistent=persistent, library_version=__version__)
        samples.create_collection(dataset_id)
        actions.ensure_indexes()
        return dataset_id

    def _begin(self, dataset_id: str) -> None:
        self._id = dataset_id
        self._cached: tuple[int, Schema] | None = None
        self.reload()

    def _finish(self, name: str | None) -> None:
        """Make it visible, in place of another one of this name where it was made to replace it."""
        if name is None or self.name == name:
            catalog.update_dataset(self._id, state="ready")
        else:
            replaced = catalog.replace_dataset(self._id, name)
            if replaced is not None:
                forget_matrices(replaced)
        self.reload()

    @classmethod
    def _open(cls, name: str, *, read_only: bool = False) -> "Dataset":
        dataset = cls.__new__(cls)
        dataset._begin(opened(name, read_only=read_only))
        return dataset

    @property
    def read_only(self) -> bool:
        """Whether the dataset was loaded to be read only: then whatever would change it raises ReadOnlyError."""
        return isinstance(self._id, ReadOnlyId)

    @property
    def _root(self) -> "Dataset":
        return self

    def _current_schema(self) -> Schema:
        held = _held.get().get(self._id)
        return self._known_schema()[1] if held is None else held

    def _known_schema(self, *, ask: bool = True) -> tuple[int, Schema]:
        """The schema and its revision; without asking, what was read last."""
        if self._cached is not None and not ask:
            return self._cached
        record = catalog.get_dataset(self._id)
        if not self.read_only:
            check_form(record)  # another process may have a newer Saccade
        revision = int(record["schema_revision"])
        if self._cached is None or self._cached[0] != revision:
            self._cached = (revision, field_records.read_schema(self._id))
        return self._cached

    @contextmanager
    def _holding_schema(self, schema: Schema | None = None) -> Iterator[None]:
        """Let the schema be the same for all that one call does, what it is now if none is given."""
        token = _held.set({**_held.get(), self._id: self._current_schema() if schema is None else schema})
        try:
            yield
        finally:
            _held.reset(token)

    def _known_revision(self) -> int:
        return -1 if self._cached is None else self._cached[0]

    def _count(self) -> int:
        found = samples.count(self._id)
        if not found:
            catalog.get_dataset(self._id)  # which raises if it was deleted
        return found

    def _is_number(self, path: str) -> bool:
        return self.has_field(path) and isinstance(self._current_schema().resolve(path).field, FloatField | IntField)

    def _view_of(self, stages: Sequence[Bson]) -> DatasetView:
        return view_of(self, tuple(Stage.from_dict(stage) for stage in stages))

    def view_from_dict(self, stored: Mapping[str, Any]) -> DatasetView:
        """The view that `DatasetView.to_dict` described."""
        return self._view_of(stored["stages"])

    # --- samples in and out -----------------------------------------------------------------------------------------

    def add_sample(self, sample: Sample, expand_schema: bool = True, dynamic: bool = False) -> SampleId:
        """Add one sample; see `add_samples`.

        Returns:
            Its id.
        """
        return self.add_samples([sample], expand_schema=expand_schema, dynamic=dynamic)[0]

    def add_samples(
        self,
        samples: "Iterable[Sample]",
        expand_schema: bool = True,
        dynamic: bool = False,
        progress: Progress = False,
        num_samples: int | None = None,
    ) -> list[SampleId]:
        """Add samples, from a list or a generator.

        Args:
            samples: Sample objects; dicts of their fields and filepaths are accepted too. A sample of another
                dataset is copied.
            expand_schema: declare fields that are new; else they are an error.
            dynamic: declare attributes of labels that their classes do not have.
            progress: whether to show a bar.
            num_samples: how many there are, if `samples` cannot tell.

        Returns:
            The ids, in the order of the samples.

        Raises:
            FieldKindError: if a value does not fit its field; the dataset is then as it was before the call.
            FieldNotFoundError: if a field is new and `expand_schema` is False.
        """
        if isinstance(samples, SampleCollection):
            samples._require_samples("add_samples()")
        given = list(samples) if isinstance(samples, DatasetView | Dataset) else samples
        total = num_samples if num_samples is not None else len(given) if isinstance(given, Sequence) else None
        call = Ingest(self, expand_schema=expand_schema, dynamic=dynamic)
        with shown(total, progress) as advance:
            call.add(given, advance)
        if call.ids:
            catalog.touch(self._id)
        return call.ids

    def add_images(
        self,
        paths_or_samples: "Iterable[str | PathLike[str] | Sample]",
        tags: str | Sequence[str] | None = None,
        progress: Progress = False,
    ) -> list[SampleId]:
        """Add images by their paths.

        Args:
            paths_or_samples: paths or URLs; or samples, which are added with all that they hold.
            tags: tags for all of them.
            progress: whether to show a bar.
        """
        listed = bulk.checked_tags(tags or [])
        return self.add_samples((tagged(given, listed) for given in paths_or_samples), progress=progress)

    def add_columns(self, columns: Mapping[str, Sequence[Any]], progress: Progress = False) -> list[SampleId]:
        """Add samples from columns: one sequence or array per field, all of the same length.

        Args:
            columns: "filepath" and further fields; an (n, d) array of floats becomes a vector field; None leaves a
                value out.
            progress: whether to show a bar.

        Returns:
            The ids, in order.

        Raises:
            SchemaError: if there is no "filepath" or the lengths differ.
        """
        call = ColumnIngest(self, columns)
        with shown(len(call), progress) as advance:
            call.add_all(advance)
        if call.ids:
            catalog.touch(self._id)
        return call.ids

    def delete_samples(self, samples_or_ids: Any) -> None:
        """Delete samples: ids, samples, or a view. All of them, or none if it fails.

        Raises:
            SampleNotFoundError: if an id is not in the dataset.
            ViewError: if something given is no id, sample or view.
        """
        if isinstance(samples_or_ids, SampleCollection):
            samples_or_ids._require_samples("delete_samples()")
            wanted = list(dict.fromkeys(samples_or_ids._ids()))  # concat() may let a sample come twice
        else:
            wanted = list(ids_of(self._ids_of(samples_or_ids), "delete_samples"))
        missing = set(wanted) - samples.existing(self._id, wanted)
        if missing:
            raise SampleNotFoundError(
                f"{len(missing)} of {len(wanted)} samples to delete are not in dataset {self.name!r}, "
                f"such as {min(missing)}. Nothing was deleted."
            )
        bulk.delete_samples(self, wanted)

    def clear(self) -> None:
        """Delete all samples; fields, tags and runs stay. All samples, or none if it fails. This cannot be undone."""
        ids = self._ids()
        if ids:
            with journal.action(self._id, "clear", None) as action:
                action.delete(ids)
            journal.forget(self._id, action.number)  # or they would push out what can be undone
            journal.sweep(self._id)

    def delete(self) -> None:
        """Delete the dataset with all that belongs to it. This cannot be undone."""
        catalog.drop_dataset(self._id)
        forget_matrices(self._id)

    def _save_samples(self, changed: Sequence[Sample]) -> None:
        save(self, [sample._stored_sample() if isinstance(sample, PatchView) else sample for sample in changed])

    # --- selections -------------------------------------------------------------------------------------------------

    def list_selections(self) -> list[str]:
        """The tags of the selections that were made, oldest first; see `saccade.brain.select`."""
        tags: list[str] = extensions.find("list_selections")(self)
        return tags

    def load_selection(self, tag: str) -> "Selection":
        """A selection that was made: its picks in their order, and its report.

        Raises:
            RunNotFoundError: if there is none with this tag.
            SelectionError: if it failed, or was undone.
        """
        found: Selection = extensions.find("load_selection")(self, tag)
        return found

    def delete_selection(self, tag: str) -> None:
        """Delete a selection, with the tag and the figures that it wrote and nobody changed since.

        Raises:
            RunNotFoundError: if there is none with this tag.
        """
        extensions.find("delete_selection")(self, tag)

    # --- forms ------------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """The dataset with its samples as values that JSON can hold."""
        return self._contents()

    def summary(self) -> str:
        """What the repr shows."""
        return repr(self)

    def stats(self) -> dict[str, int]:
        """The number of samples, and the bytes of samples, vectors and journal before compression."""
        sizes = samples.storage_sizes(self._id)
        return {
            "samples_count": len(self), "samples_bytes": sizes["samples"], "vectors_bytes": sizes["vectors"],
            "journal_bytes": sizes["images"], "total_bytes": sum(sizes.values()),
        }  # fmt: skip

    def __eq__(self, other: object) -> bool:
        """Whether it is the same dataset of the database."""
        return isinstance(other, Dataset) and self._id == other._id

    def __hash__(self) -> int:
        """A hash that agrees with equality."""
        return hash(self._id)

    def __repr__(self) -> str:
        """Name, size and fields."""
        return display.dataset_text(**self._facts())

    def _repr_html_(self) -> str:
        return display.dataset_html(**self._facts(), thumbnails=self._thumbnails())
