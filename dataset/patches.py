"""A view of patches: one row for each label of a field.

Nothing is copied: rows are made from the samples as they are read, and what is written goes to the labels in them. What
has no meaning for labels is refused.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial, wraps
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import bulk
from .columns import read_keyed_vectors, read_scalars
from .errors import FieldNotFoundError, SchemaError, ViewError
from .label_values import LabelRow, set_label_values
from .patch import PatchSource, PatchView
from .schema import Schema
from .stages import LabelField, Stage, ToPatches, chain, stage_types
from .store import samples
from .types import Bson, Oid, Progress
from .view import DatasetView

if TYPE_CHECKING:
    from .dataset import Dataset

_STAGES = frozenset({
    "exclude", "exclude_by", "exclude_fields", "exclude_labels", "exists", "filter_labels", "limit", "match",
    "match_labels", "match_tags", "select", "select_by", "select_fields", "select_labels", "shuffle", "skip", "sort_by",
    "take", "to_patches",
})  # fmt: skip
"""The stages that patches go through."""

_REFUSED = {
    "clear": "dataset.delete_labels(view=...) deletes the labels that a view shows.",
    "clear_sample_field": "set_values() with None removes an attribute of the labels.",
    "clear_sample_fields": "set_values() with None removes an attribute of the labels.",
    "clone": "Clone the view of samples that they come from.",
    "clone_sample_field": "Call it on a view of samples.",
    "clone_sample_fields": "Call it on a view of samples.",
    "keep": "dataset.delete_labels(view=...) deletes the labels that a view shows.",
    "keep_fields": "Call it on a view of samples.",
    "merge_labels": "Call it on a view of samples.",
    "to_json": "Call it on a view of samples.",
    "write_json": "Call it on a view of samples.",
    "set_label_values": "set_values() writes to the labels.",
    "save": "Save the view of samples that they come from; set_values() and tag_labels() write to the labels at once.",
}
"""What has no meaning for patches, and what to do instead."""


def view_of(dataset: "Dataset", stages: Sequence[Stage]) -> DatasetView:
    """The view through some stages, which is one of patches where they make some."""
    kind = PatchesView if any(isinstance(stage, ToPatches) for stage in stages) else DatasetView
    return kind(dataset, stages)


class PatchesView(DatasetView):
    """Some of a dataset's labels, one per row; made by `to_patches(field)` on a dataset or view.

    A row's id is its label's id, also where labels of several samples have the same one: each has its row.
    """

    _row = "patch"

    @cached_property
    def _at(self) -> int:
        """The position of the stage that makes patches of samples."""
        return next(position for position, stage in enumerate(self._chain) if isinstance(stage, ToPatches))

    @cached_property
    def _patched(self) -> LabelField:
        stage = self._chain[self._at]
        assert isinstance(stage, ToPatches), "that is how it was found"
        return stage.place(self._samples_schema())

    def _samples_schema(self) -> Schema:
        return chain.schema_after(self._chain[: self._at], self._root._current_schema())

    def _stored_path(self, path: str) -> str:
        top, _, below = path.partition(".")
        place = self._patched
        if path in {"id", "sample_id", "tags"}:
            return place.path  # what is read of the labels
        return f"{place.root_path}.{below}" if below and top == place.path else path

    def _require_samples(self, what: str) -> None:
        raise ViewError(
            f"{what} works on samples, and {self._title()} shows labels of {self._patched.path!r} as patches. "
            "Use the view of samples that they come from."
        )

    def _title(self) -> str:
        return f"this patches view of dataset {self._root.name!r}"

    def _then(self, stage: Stage) -> DatasetView:
        if stage.name not in _STAGES:
            raise ViewError(f"{stage.name}() does not work on patches. Call it before to_patches(), on samples.")
        for option in ("only_matches", "omit_empty"):
            if getattr(stage, option, True) is False:
                raise ViewError(
                    f"{stage.name}({option}=False) would leave patches without their labels. Leave {option}=True."
                )
        return super()._then(stage)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _rows(self) -> list[LabelRow]:
        """The ids of the samples and labels, in order."""
        found = self._columns(["$sample_id"])
        return list(zip(map(str, found.values[0]), found.sample_ids(), strict=True))

    def _one_by_one(self, size: int) -> tuple[int, Iterator[Bson]]:
        rows, steps = self._rows(), self._shaping()
        return len(rows), self._documents() if steps is None else self._read_rows(rows, size, steps)

    def _read_rows(self, rows: Sequence[LabelRow], size: int, steps: Sequence[Bson]) -> Iterator[Bson]:
        """The documents of some rows; those that are gone are passed over."""
        alike: dict[LabelRow, Iterator[Bson]] = {}
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            chosen = {
                "$match": {"_id": {"$in": [Oid(sample_id) for sample_id in dict.fromkeys(row[0] for row in part)]}}
            }
            shown = {"$match": {"_id": {"$in": [Oid(label_id) for label_id in dict.fromkeys(row[1] for row in part)]}}}
            found: dict[LabelRow, list[Bson]] = {}
            for document in samples.aggregate(self._root._id, [chosen, *steps, shown]):
                found.setdefault((str(document["sample_id"]), str(document["_id"])), []).append(document)
            for row in part:
                documents = found.get(row, [])
                if len(documents) > 1:  # labels of one sample with the same id: which of them does the view show?
                    if row not in alike:
                        alike[row] = iter(list(self._documents([{"$match": _is_row(row)}])))
                    documents = list(islice(alike[row], 1))
                yield from documents[:1]

    def _wrapper(self, schema: Schema) -> Callable[[Bson], PatchView]:
        fields = self._root._current_schema()
        before, place = self._chain[: self._at], self._patched
        after = self._chain[self._at + 1 :]
        source = PatchSource(
            self._root, place, self._samples_schema(),
            filtered=chain.filtered_lists(before, fields) | {place.root_path},
            reshaped=chain.shapes_documents([*before, *after]),
        )  # fmt: skip
        whole = chain.schema_after(self._chain[: self._at + 1], fields)
        hidden = frozenset(whole.names()) - frozenset(schema.names())
        return partial(PatchView._of, source=source, schema=schema, hidden=hidden)

    def _vectors(self, field: str, missing_value: Any) -> list[Any]:
        _, keys, matrix = read_keyed_vectors(self, field)
        found = {key[8:].tobytes(): vector for key, vector in zip(keys, matrix, strict=True)}
        return [found.get(bytes.fromhex(sample_id + label_id), missing_value) for sample_id, label_id in self._rows()]

    # --- writing ----------------------------------------------------------------------------------------------------

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
        """Write one value per patch into an attribute of the labels, in one action.

        Args:
            field_name: the attribute, such as "ground_truth.mistakenness"; "tags" are those of the labels.
            values: a sequence in the order of the patches, or a dict from ids (or values of `key_field`) to values.
            key_field: the field that a dict's keys are values of.
            skip_none: leave labels as they are where the value is None.
            expand_schema: declare the attribute if it is new; else that is an error.
            dynamic: the same, for attributes of labels.
            validate: check the values against the attribute's field.
            progress: whether to show a bar.

        Raises:
            SchemaError: if there are more or fewer values than patches, keys that no patch has, or a patch comes twice.
            ViewError: if the field is none of the labels.
            FieldNotFoundError: if the attribute is new and must not be declared.
            FieldKindError: if a value does not fit. Nothing is written then.
        """
        attribute = self._attribute(field_name)
        is_mapping = isinstance(values, Mapping)
        if key_field is not None and not is_mapping:
            raise SchemaError(f"key_field={key_field!r} needs a dict from its values to the new ones.")
        ids, columns = read_scalars(self, list(dict.fromkeys(["sample_id", key_field or "sample_id"])))
        rows = list(zip(columns["sample_id"], ids, strict=True))
        if isinstance(values, Mapping):
            keys = ids if key_field in {None, "id"} else columns[str(key_field)]
            kept = bulk.positions(keys, values, key_field, self._title())
            rows, listed = [rows[row] for row in kept], [values[keys[row]] for row in kept]
        else:
            listed = list(values)
            if len(listed) != len(rows):
                raise SchemaError(
                    f"{field_name!r} was given {len(listed)} values for the {len(rows)} patches of {self._title()}. "
                    "Give one per patch."
                )
        set_label_values(
            self._root, self._patched, attribute, rows, listed,
            skip_none=skip_none, expand_schema=expand_schema, dynamic=dynamic, validate=validate, progress=progress,
        )  # fmt: skip

    def _attribute(self, path: str) -> str:
        """The attribute of labels that a path of rows names.

        Raises:
            FieldNotFoundError: if the labels are left out of the view.
            ViewError: if it names something else.
        """
        field = self._patched.path
        top, _, attribute = f"{field}.tags".partition(".") if path == "tags" else path.partition(".")
        if top != field or not attribute or "." in attribute:
            raise ViewError(
                f"{path!r} cannot be set on patches, which are labels of {field!r}. Set an attribute of theirs, such "
                f"as {field + '.mistakenness'!r}; fields of samples are set on the dataset, or on a view of samples."
            )
        if field not in self._schema():
            raise FieldNotFoundError(f"field {field!r} was left out of {self._title()}. Begin with a view that has it.")
        return attribute

    def tag_samples(self, tags: str | Iterable[str]) -> None:
        """Add tags to all labels of the view that lack them; the same as `tag_labels`."""
        self.tag_labels(tags)

    def untag_samples(self, tags: str | Iterable[str]) -> None:
        """Remove tags from all labels of the view; the same as `untag_labels`."""
        self.untag_labels(tags)

    # --- looks ------------------------------------------------------------------------------------------------------

    def __dir__(self) -> list[str]:
        """What works on patches, for completion."""
        absent = {*_REFUSED, *(stage_types.keys() - _STAGES), "to_patches"}
        return [name for name in super().__dir__() if name not in absent]


def _is_row(row: LabelRow) -> Bson:
    return {"sample_id": Oid(row[0]), "_id": Oid(row[1])}


def _refusing(name: str, remedy: str) -> Callable[..., Any]:
    """A method that refuses, with the signature of the one in whose place it stands."""

    @wraps(getattr(DatasetView, name))
    def refuse(*_given: Any, **_options: Any) -> Any:
        raise ViewError(f"{name}() does not work on patches, which are labels of samples. {remedy}")

    return refuse


for _name, _remedy in _REFUSED.items():
    setattr(PatchesView, _name, _refusing(_name, _remedy))
