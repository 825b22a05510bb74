"""A sample in hand: its fields by attribute or by name, and `save()`.

Samples are independent objects: two reads of the same sample give two objects, and neither sees the other's unsaved
changes. Values are decoded when they are first asked for.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from . import display, held_vectors
from .bulk import checked_tags
from .edits import add_changes, elements_at, same
from .errors import DatasetError, FieldKindError, FieldNotFoundError, SchemaError, hint
from .filepaths import media_type_of, normal_path
from .fitting import fitted
from .labels import Document, from_jsonable, to_jsonable
from .schema import SAMPLE_FIELDS, Schema
from .stages import LabelField
from .store import codec, samples
from .types import Bson, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset

_set = object.__setattr__  # of slots, past `Sample.__setattr__`, which samples that are read would call too often

_DEFAULTS = ("id", "filepath", "tags", "metadata")


class Sample:
    """One item of a dataset: a media file and what is known about it.

    Args:
        filepath: path or URL of the media. A relative path is made absolute.
        tags: names that mark the sample.
        metadata: facts about the file, such as `ImageMetadata`.
        **fields: further fields: numbers, text, dates, lists, dicts, arrays and labels. A 1-D array of floats is a
            vector.

    Raises:
        SchemaError: if a field's name cannot be used.
        FieldKindError: if a value cannot be stored.

    Example:
        >>> sample = Sample("/photos/1.png", tags=["new"], brightness=0.5)
        >>> sample.brightness, sample["tags"]
        (0.5, ['new'])
    """

    __slots__ = ("_dataset", "_document", "_fetched", "_filtered", "_hidden", "_raw", "_reshaped", "_schema", "_values")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        tags: Sequence[str] | None = None,
        metadata: Document | None = None,
        **fields: Any,
    ) -> None:
        """Make a sample that is in no dataset yet."""
        self._dataset: Dataset | None = None
        self._raw: bytes | None = None
        self._document: Bson | None = None
        self._schema: Schema | None = None
        self._fetched: held_vectors.Known = {}
        self._hidden: frozenset[str] = frozenset()
        self._filtered: frozenset[str] = frozenset()
        self._reshaped = False
        self._values: dict[str, Any] = {"filepath": normal_path(filepath), "tags": [], "metadata": None}
        if tags is not None:
            self.set_field("tags", tags)
        if metadata is not None:
            self.set_field("metadata", metadata)
        for name, value in fields.items():
            self.set_field(name, value)

    # --- identity ---------------------------------------------------------------------------------------------------

    @property
    def id(self) -> SampleId | None:
        """The sample's id, None until it is added to a dataset."""
        if self._document is None and self._raw is not None:
            return self._raw[9:21].hex()  # it comes first
        return None if self._document is None else str(self._document["_id"])

    @property
    def in_dataset(self) -> bool:
        """Whether the sample was added to a dataset."""
        return self._raw is not None or self._document is not None

    @property
    def dataset(self) -> "Dataset | None":
        """The dataset that holds the sample."""
        return self._dataset

    @property
    def created_at(self) -> datetime | None:
        """When the sample was added, to the second."""
        return None if self.id is None else datetime.fromtimestamp(int(self.id[:8], 16), UTC)

    @property
    def filename(self) -> str:
        """The last part of the filepath."""
        return os.path.basename(str(self["filepath"]))

    @property
    def media_type(self) -> str:
        """What the filepath's ending says: image, video or unknown."""
        return media_type_of(self["filepath"])

    # --- fields -----------------------------------------------------------------------------------------------------

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of the fields, default ones first."""
        known = [*_DEFAULTS, *(self._schema.names() if self._schema is not None else ()), *self._values]
        return tuple(name for name in dict.fromkeys(known) if name not in self._hidden)

    def has_field(self, field_name: str) -> bool:
        """Whether there is such a field, set or not."""
        return field_name in self.field_names

    def get_field(self, field_name: str) -> Any:
        """The value of a field; None if the dataset has the field and this sample does not.

        Raises:
            FieldNotFoundError: if there is no such field.
        """
        head, _, rest = field_name.partition(".")
        value = self.id if head == "id" else self._value(head)
        for key in rest.split(".") if rest else ():
            value = value[key] if isinstance(value, Mapping | Document) else None
        return value

    def _value(self, name: str) -> Any:
        """The value of a top-level field."""
        if name not in self._values:
            self._load(name)
        return self._values[name]

    def set_field(self, field_name: str, value: Any) -> None:
        """Set a field; it is written by `save()`, and declared then if the dataset has no such field.

        Raises:
            SchemaError: if the name cannot be used.
            FieldKindError: if the value does not fit the field.
        """
        if field_name == "id":
            raise SchemaError("a sample's id is given by its dataset and cannot be set.")
        if field_name in self._hidden:
            raise SchemaError(f"field {field_name!r} was left out of this view; change it on the dataset's own sample.")
        declared = SAMPLE_FIELDS.get(field_name) or (self._schema.get(field_name) if self._schema is not None else None)
        value = fitted(field_name, value, declared)
        if field_name == "filepath":
            value = normal_path(value)
        elif field_name == "tags":
            value = checked_tags(value or ())
        self._values[field_name] = value

    def clear_field(self, field_name: str) -> None:
        """Set a field to None."""
        self.set_field(field_name, None)

    def iter_fields(self) -> Iterator[tuple[str, Any]]:
        """Pairs of name and value."""
        for name in self.field_names:
            yield name, self.get_field(name)

    def __getitem__(self, field_name: str) -> Any:
        """The value of a field."""
        return self.get_field(field_name)

    def __setitem__(self, field_name: str, value: Any) -> None:
        """Set a field."""
        self.set_field(field_name, value)

    def __delitem__(self, field_name: str) -> None:
        """Set a field to None."""
        self.get_field(field_name)
        self.clear_field(field_name)

    def __contains__(self, field_name: object) -> bool:
        """Whether there is such a field."""
        return isinstance(field_name, str) and self.has_field(field_name)

    def __getattr__(self, name: str) -> Any:
        """The value of a field."""
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.get_field(name)
        except FieldNotFoundError as error:
            raise AttributeError(str(error)) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field."""
        if name.startswith("_") or isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        else:
            self.set_field(name, value)

    def __delattr__(self, name: str) -> None:
        """Set a field to None."""
        del self[name]

    def __dir__(self) -> list[str]:
        """Methods and fields, for completion."""
        return [*super().__dir__(), *self.field_names]

    def __repr__(self) -> str:
        """All fields, long values abbreviated."""
        return display.sample_text({"id": self.id, **dict(self._shown())})

    def _repr_html_(self) -> str:
        return display.sample_html({"id": self.id, **dict(self._shown())}, thumbnail=self._thumbnail())

    def _thumbnail(self) -> str | None:
        """A small picture, as a data URI."""
        known = {name: self[name] for name in ("frame_number", "content_hash") if self.has_field(name)}
        return display.thumbnail(self["filepath"], **known)

    def _shown(self) -> Iterator[tuple[str, Any]]:
        for name in self.field_names:
            if name != "id":
                yield name, self.get_field(name)

    # --- forms ------------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All set fields as values that JSON can hold."""
        pairs = ((name, value) for name, value in self.iter_fields() if name != "id" and value is not None)
        return {name: to_jsonable(value) for name, value in pairs}

    def to_json(self, *, pretty_print: bool = False) -> str:
        """The sample as JSON text."""
        return json.dumps(self.to_dict(), indent=2 if pretty_print else None, ensure_ascii=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Sample":
        """Make a sample from what `to_dict` gave."""
        if not isinstance(values, Mapping):
            raise FieldKindError(f"{values!r} is no dict of a sample's fields.")
        if "filepath" not in values:
            raise SchemaError(f"a sample needs a 'filepath'. {hint('filepath', values, 'Keys')}")
        return cls(
            **{
                name: from_jsonable(value, Document.from_dict)
                for name, value in values.items()
                if not name.startswith("_")
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Sample":
        """Make a sample from what `to_json` gave."""
        return cls.from_dict(json.loads(text))

    def copy(self, fields: Sequence[str] | None = None, omit_fields: Sequence[str] = ()) -> "Sample":
        """A sample with the same values that is in no dataset; labels get new ids.

        Args:
            fields: copy only these (and the filepath).
            omit_fields: leave these out.
        """
        chosen = [name for name in (fields or self.field_names) if name not in {"id", *omit_fields}]
        values = {name: self.get_field(name) for name in dict.fromkeys(["filepath", *chosen])}
        return Sample(**{name: _copied(value) for name, value in values.items() if value is not None})

    # --- the dataset's side -----------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write what was changed since the sample was read; only that.

        Raises:
            DatasetError: if the sample is in no dataset.
            ConflictError: if another writer changed the same list first.
            SampleNotFoundError: if the sample was deleted.
            FieldKindError: if a value does not fit its field.
        """
        if self._dataset is None:
            raise DatasetError("this sample is in no dataset. Add it with dataset.add_sample(sample).")
        self._dataset._save_samples([self])

    def reload(self) -> None:
        """Read the sample again, dropping changes that were not saved.

        Raises:
            DatasetError: if the sample is in no dataset.
            SampleNotFoundError: if it was deleted.
        """
        if self._dataset is None or self.id is None:
            raise DatasetError("this sample is in no dataset, so there is nothing to read.")
        fresh = self._dataset[self.id]
        for slot in self.__slots__:
            object.__setattr__(self, slot, getattr(fresh, slot))

    @property
    def _patched(self) -> LabelField | None:
        """Where the label lies, if it is a patch."""
        return None

    @classmethod
    def _from_stored(
        cls, stored: Bson | bytes, dataset: "Dataset", schema: Schema, *,
        hidden: frozenset[str] = frozenset(), filtered: frozenset[str] = frozenset(), reshaped: bool = False,
    ) -> "Sample":  # fmt: skip
        """Wrap a document that was read."""
        sample = cls.__new__(cls)
        _set(sample, "_values", {})
        _set(sample, "_fetched", {})
        _set(sample, "_hidden", hidden)
        _set(sample, "_filtered", filtered)
        _set(sample, "_reshaped", reshaped)
        sample._bind(dataset, stored, schema)
        return sample

    def _bind(self, dataset: "Dataset", stored: Bson | bytes, schema: Schema) -> None:
        """Become the sample that `stored` holds, a document or its BSON; values in hand stay."""
        is_raw = isinstance(stored, bytes)
        _set(self, "_dataset", dataset)
        _set(self, "_raw", stored if is_raw else None)
        _set(self, "_document", None if is_raw else stored)
        _set(self, "_schema", schema)

    @property
    def _stored(self) -> Bson | None:
        """The document as it was read; None for a sample in no dataset."""
        if self._document is None and self._raw is not None:
            _set(self, "_document", codec.from_raw(self._raw))
        return self._document

    def _load(self, name: str) -> None:
        """Decode a field at its first use."""
        if name in self._hidden:
            raise FieldNotFoundError(f"field {name!r} was left out of this view. Read it from the dataset.")
        known = name in SAMPLE_FIELDS or (self._schema is not None and name in self._schema)
        if self._stored is None or not (known or name in self._stored):
            raise FieldNotFoundError.among(name, self.field_names, "this sample")
        value = self._stored.get(name)
        if value is not None and self._schema is not None and self._dataset is not None:
            paths = held_vectors.vector_paths(self._schema, name)
            if paths:
                found = held_vectors.fetch(self._dataset._id, str(self.id), value, paths)
                self._fetched.update(found.known())
                self._values[name] = found.placed(name, value)
                return
        field = self._schema.get(name) if self._schema is not None else None
        self._values[name] = [] if value is None and name == "tags" else codec.decoder(field)(value)

    def _edit(self, encoded: Mapping[str, Any], stored: Bson) -> samples.Edit | None:
        """The update that writes what differs from the document as it was read; None where nothing does."""
        changed = {
            name: value
            for name, value in encoded.items()
            if (name in stored or value is not None) and (name not in stored or not same(stored[name], value))
            and not (name == "tags" and value == [] and stored.get(name) is None)
        }  # fmt: skip
        if not changed:
            return None
        edit = samples.Edit(str(stored["_id"]), changed)
        for name, value in changed.items():
            self._refuse_filtered(name, stored.get(name), value)
            add_changes(edit, name, stored.get(name), value)
        return edit if edit.update else None

    def _refuse_filtered(self, name: str, old: Any, new: Any) -> None:
        """A list that the view shows in part or changed must keep its elements, or the stored ones would be lost."""
        for path in self._filtered:
            if path.split(".")[0] != name:
                continue
            before, after = (elements_at(value, path.split(".")[1:]) for value in (old, new))
            if before != after or (path == name and (old is None) != (new is None)):
                raise DatasetError(
                    f"{path!r} shows only part of its labels in this view, or other values than are stored, so nothing "
                    f"can be added, removed or replaced here. Do it on the dataset's own sample: dataset[{self.id!r}]."
                )


def _copied(value: Any) -> Any:
    if isinstance(value, Document):
        return value.copy()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return value
