"""A patch in hand: one label of a sample, with what identifies the sample.

It is held as the sample that has this label alone, so that it is read, compared and saved as samples are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .bulk import checked_tags
from .errors import FieldNotFoundError, ViewError
from .labels import Label
from .sample import Sample
from .schema import EmbeddedDocumentField, Schema
from .stages import LabelField
from .store import codec
from .store.samples import Edit
from .types import Bson

if TYPE_CHECKING:
    from .dataset import Dataset


@dataclass(frozen=True)
class PatchSource:
    """Where patches come from.

    Attributes:
        dataset: the dataset.
        labels: where their labels lie in samples.
        samples: the fields of the samples, as the view shows them before they become patches.
        filtered: the lists that these show in part or changed, that of the labels among them.
        reshaped: whether the labels may look otherwise than they are stored.
    """

    dataset: "Dataset"
    labels: LabelField
    samples: Schema
    filtered: frozenset[str]
    reshaped: bool


class _Holder(Sample):
    """A sample that shows one label alone."""

    __slots__ = ()

    def _edit(self, encoded: Mapping[str, Any], stored: Bson) -> Edit | None:
        """The update that writes what differs; that the label is still there is all that has to hold for it."""
        edit = super()._edit(encoded, stored)
        if edit is not None:  # its list may be of a class that extends the declared one
            edit.expected = {path: value for path, value in edit.expected.items() if not path.endswith("._cls")}
        return edit


class PatchView(Sample):
    """One label of a sample, as a view of patches shows it.

    `id` and `tags` are those of the label, `sample_id`, `filepath` and `metadata` those of the sample, and the field of
    the view holds the label. `save()` writes what was changed of the label, and nothing else.
    """

    __slots__ = ("_place", "_sample")

    def __init__(self, *_given: Any, **_fields: Any) -> None:
        """Refuse: patches are parts of samples."""
        raise ViewError("patches cannot be made. dataset.to_patches(field) shows the labels of samples as patches.")

    @classmethod
    def _of(cls, row: Bson, source: PatchSource, schema: Schema, hidden: frozenset[str]) -> "PatchView":
        """Wrap a row that was read.

        Args:
            row: the row.
            source: where it comes from.
            schema: the fields of the rows.
            hidden: those that the view leaves out.
        """
        place = source.labels
        patch = cls._from_stored(row, source.dataset, schema, hidden=hidden)
        assert isinstance(patch, PatchView), "made by this class"
        stored: Bson = {"_id": row["sample_id"], "filepath": row.get("filepath"), "metadata": row.get("metadata")}
        if row.get(place.path) is not None:
            stored[place.path] = _held(row[place.path], place, source.samples)
        patch._place = place
        patch._sample = _Holder._from_stored(
            stored, source.dataset, source.samples, filtered=source.filtered, reshaped=source.reshaped
        )
        return patch

    _place: LabelField
    _sample: Sample

    @property
    def _patched(self) -> LabelField:
        return self._place

    def _stored_sample(self) -> Sample:
        """What is saved in its place.

        Raises:
            ViewError: if the metadata was changed, which is not the label's.
        """
        metadata = self._sample._values.get("metadata")
        assert self._sample._stored is not None
        if metadata is not None and metadata != codec.decode(self._sample._stored["metadata"]):
            raise self._refused("metadata")
        return self._sample

    def _value(self, name: str) -> Any:
        if name in self._hidden:
            raise FieldNotFoundError(f"field {name!r} was left out of this view. Read it from the dataset.")
        if name == "sample_id":
            return self._sample.id
        if name == self._place.path:
            return self._held_label()
        if name == "tags" and self._place.path not in self._hidden:
            return self._held_label().tags
        if name == "tags":
            assert self._document is not None
            return list(self._document.get("tags") or [])
        if name not in self.field_names:
            raise FieldNotFoundError.among(name, self.field_names, "this patch")
        return self._sample._value(name)

    def _held_label(self) -> Label:
        holder = self._sample._value(self._place.path)
        label = holder if self._place.attribute is None else holder[self._place.attribute][0]
        assert isinstance(label, Label), "a patch is a label"
        return label

    def set_field(self, field_name: str, value: Any) -> None:
        """Set the tags, or put the label as it was changed in its place; all else belongs to the sample.

        Raises:
            ViewError: for other fields, or another label.
            SchemaError: if tags are not text, or empty.
        """
        path = self._place.path
        if field_name not in {"tags", path} or path in self._hidden:
            raise self._refused(field_name)
        label = self._held_label()
        if field_name == "tags":
            label.tags = checked_tags(value or ())
            return
        if type(value) is not type(label) or value.id != label.id:
            raise ViewError(
                f"{path!r} of a patch is label {label.id}, and {value!r:.200} is another. Change its attributes, or "
                f"replace it on the sample: dataset[{self._sample.id!r}]. delete_labels() deletes labels."
            )
        if self._place.attribute is None:
            self._sample.set_field(path, value)
        else:
            self._sample._value(path)[self._place.attribute] = [value]

    def _refused(self, field_name: str) -> ViewError:
        return ViewError(
            f"{field_name!r} of a patch cannot be set: a patch is one label of {self._place.path!r}. Change the label, "
            f"or the sample: dataset[{self._sample.id!r}]."
        )

    def reload(self) -> None:
        """Read the label and its sample again, dropping changes that were not saved.

        Raises:
            SampleNotFoundError: if the label was deleted.
        """
        assert self._dataset is not None, "a patch is of a dataset"
        fresh = self._dataset.select(str(self._sample.id)).to_patches(self._place.path)[str(self.id)]
        for slot in (*Sample.__slots__, *self.__slots__):
            object.__setattr__(self, slot, getattr(fresh, slot))

    def __repr__(self) -> str:
        """All fields, long values abbreviated."""
        return super().__repr__().replace("<Sample:", "<PatchView:", 1)


def _held(label: Mapping[str, Any], place: LabelField, schema: Schema) -> Any:
    """What a sample with this label alone has in the field."""
    if place.attribute is None:
        return label
    field = schema[place.path]
    assert isinstance(field, EmbeddedDocumentField), "it holds labels"
    return {"_cls": field.document_type, place.attribute: [label]}
