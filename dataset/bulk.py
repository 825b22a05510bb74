"""Values for many samples: found by key, checked against the schema, and written in one action."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import journal
from .columns import checked_vectors, read_scalars, set_model
from .errors import FieldKindError, FieldNotFoundError, SchemaError
from .labels import document_types
from .progress import shown
from .schema import (
    BooleanField,
    DictField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    ListField,
    Schema,
    VectorField,
    check_field_name,
    infer,
    infer_attribute,
    merge,
)
from .store import actions, codec, vectors
from .types import Progress, SampleId

if TYPE_CHECKING:
    from .collection import SampleCollection
    from .dataset import Dataset


def checked_tags(tags: str | Iterable[str]) -> list[str]:
    """Tags as a list without repetition.

    Raises:
        SchemaError: if one is not text, or is empty.
    """
    listed = list(tags) if isinstance(tags, Iterable) and not isinstance(tags, str) else [tags]
    for tag in listed:
        if not isinstance(tag, str) or not tag:
            raise SchemaError(f"{tag!r} cannot be a tag. Tags are text that is not empty.")
    return list(dict.fromkeys(listed))


def by_key(
    collection: "SampleCollection", values: Mapping[Any, Any], key_field: str | None
) -> tuple[list[SampleId], list[Any]]:
    """Turn a dict from ids, or from values of `key_field`, into ids and values.

    Raises:
        SchemaError: if a key belongs to no sample of the collection.
    """
    ids, columns = read_scalars(collection, [key_field] if key_field and key_field != "id" else [])
    keys = columns.get(key_field or "", ids)
    rows = positions(keys, values, key_field, collection._title())
    return [ids[row] for row in rows], [values[keys[row]] for row in rows]


def positions(keys: Sequence[Any], values: Mapping[Any, Any], key_field: str | None, owner: str) -> list[int]:
    """Where in `keys` those of `values` stand; a SchemaError if one stands nowhere."""
    found = {key for key in keys if _hashable(key)}
    missing = [key for key in values if key not in found]
    if missing:
        what = f"{key_field!r} value" if key_field else "id"
        raise SchemaError(
            f"{len(missing)} of {len(values)} keys are the {what} of no sample in {owner}: "
            f"{', '.join(map(repr, missing[:3]))}{', …' if len(missing) > 3 else ''}. Nothing was written."
        )
    return [row for row, key in enumerate(keys) if _hashable(key) and key in values]


def _hashable(key: Any) -> bool:
    return not isinstance(key, list | dict)


def set_values(
    root: "Dataset", path: str, ids: Sequence[SampleId], values: Sequence[Any], *,
    skip_none: bool, expand_schema: bool, dynamic: bool, validate: bool, progress: Progress,
) -> None:  # fmt: skip
    """Write values at a path of samples by id; see `SampleCollection.set_values`."""
    if path in {"id", "_id"}:
        raise SchemaError("ids are given by the dataset and cannot be set. Use a field of your own.")
    if skip_none:
        kept = [row for row, value in enumerate(values) if value is not None]
        ids, values = [ids[row] for row in kept], [values[row] for row in kept]
    if not ids:
        return
    schema = root._current_schema()
    target = Target(schema, path, values, expand_schema=expand_schema, dynamic=dynamic)
    if isinstance(target.field, VectorField) and "." not in path:
        _set_vectors(root, path, ids, values)
        return
    checked = target.checked(ids, values) if validate else list(values)
    # Also a field that exists: it may be deleted until the action begins.
    declare = {**{name: schema[name] for name in [target.top] if name in schema}, **target.declare}
    with (
        journal.action(root._id, "set_values", [target.top], declare=declare) as action,
        shown(len(ids), progress) as advance,
    ):
        if (target.in_dict or "." not in path) and target.list_path is None:
            action.set(ids, {target.db_path: codec.encoded(checked, path)})
        elif target.list_path is None:
            encoded = codec.encoded(checked, path)
            action.transform(ids, [target.db_path], lambda start, old: target.placed(start, old, ids, encoded))
        else:
            action.transform(ids, [target.list_path], lambda start, old: target.spread(start, old, ids, checked))
        advance(len(ids))


def _set_vectors(root: "Dataset", field: str, ids: Sequence[SampleId], values: Sequence[Any]) -> None:
    """Write vectors where there are values, and nothing where there is None, in one action."""
    rows = [row for row, value in enumerate(values) if value is not None]
    having, given = ids, values
    if len(rows) < len(ids):
        having, given = [ids[row] for row in rows], [values[row] for row in rows]
    matrix = checked_vectors(field, having, given)
    with journal.action(root._id, "set_values", [field], declare={field: VectorField()}) as action:
        if rows:
            set_model(action, field, matrix.shape[1], None, ids)
        marker = vectors.marker(action.number)
        markers = [None if value is None else marker for value in values]
        action.insert_vectors(vectors.sample_keys(action.number, having), matrix)
        action.set(ids, {field: markers})


_AS_THEY_ARE: dict[type, frozenset[type]] = {
    FloatField: frozenset({float, type(None)}),
    BooleanField: frozenset({bool, type(None)}),
}
"""Of which types a column needs no look at each value."""


class Target:
    """What a path means for writing: its field, what must be declared, and the list that is rewritten on the way."""

    def __init__(self, schema: Schema, path: str, values: Sequence[Any], *, expand_schema: bool, dynamic: bool) -> None:
        self.path = path
        self.top = path.split(".", maxsplit=1)[0]
        self.declare: dict[str, Field] = {}
        self.list_path: str | None = None
        parent = path.rpartition(".")[0]
        if self.top not in schema:
            if not expand_schema:
                raise FieldNotFoundError.among(path, schema.names(), "the dataset")
            check_field_name(self.top)
        try:
            resolved = schema.resolve(path)
        except FieldNotFoundError:
            if parent and not dynamic:
                raise
            above = schema.resolve(parent) if parent and self.top in schema else None
        else:
            above = resolved
        self.list_parts = above.list_parts if above is not None else ()
        if above is not None and above.path != path and isinstance(above.field, ListField):
            self.list_parts = (*self.list_parts, above.path)
        self.db_path = path
        self.coerce: Callable[[Any], Any] | None = None
        holder = schema.resolve(parent).field if parent and self.top in schema else None
        while isinstance(holder, ListField):
            holder = holder.subfield
        if isinstance(holder, EmbeddedDocumentField) and holder.document_type in document_types:
            attribute = path.rpartition(".")[2]
            if attribute in {"id", "_id", "_cls"}:
                raise SchemaError(f"{path!r} says which label it is and cannot be set; replace the labels instead.")
            self.coerce = document_types[holder.document_type]._coercions.get(attribute)
        if len(self.list_parts) > 1:
            raise SchemaError(f"{path!r} lies inside more than one list; set the labels themselves instead.")
        if self.list_parts:
            self.list_path = self.list_parts[0]
        self.field = self._field(schema, values)
        self.in_dict = isinstance(self.declare.get(self.top) or schema.get(self.top), DictField)

    def _field(self, schema: Schema, values: Sequence[Any]) -> Field | None:
        """The field as declared, widened by the values where that is allowed; notes what has to be declared."""
        try:
            field = schema.resolve(self.path).field
            is_new = False
        except FieldNotFoundError:
            field, is_new = None, True
        flat = (
            values
            if self.list_path is None
            else [item for value in values if value is not None for item in _listed(value, self.path)]
        )
        if is_new or isinstance(field, EmbeddedDocumentField | ListField) or self.path in schema:
            for value in _one_of_each(flat):
                field = _holding(field, value, self.path)
        if is_new and field is None:
            raise FieldKindError(
                f"{self.path!r} is new and every value is None, so its kind is unknown. "
                "Declare it with add_sample_field()."
            )
        if is_new and "." in self.path and self.top not in schema:
            self.declare[self.top] = DictField()
        elif field is not None and not isinstance(schema.get(self.top), DictField):
            declared = self.path in schema
            if is_new or (declared and field != schema[self.path]):
                self.declare[self.path] = field
        return field

    def checked(self, ids: Sequence[SampleId], values: Sequence[Any]) -> list[Any]:
        """The values as the field holds them."""
        plain = _AS_THEY_ARE.get(type(self.field), frozenset())
        if self.list_path is None and self.coerce is None and plain.issuperset(map(type, values)):
            return list(values)
        return [self._checked(sample_id, value) for sample_id, value in zip(ids, values, strict=True)]

    def _checked(self, sample_id: SampleId, value: Any) -> Any:
        if self.path == "tags":
            value = checked_tags([] if value is None else _listed(value, self.path))
        if value is None or self.field is None:
            return value
        coerce = self.coerce or self.field.coerce
        try:
            if self.list_path is not None:
                return [None if item is None else coerce(item) for item in _listed(value, self.path)]
            return coerce(value)
        except FieldKindError as error:
            raise FieldKindError(f"{self.path!r} on sample {sample_id}: {error}") from error

    def placed(
        self, start: int, old: Sequence[Any], ids: Sequence[SampleId], encoded: Sequence[Any]
    ) -> dict[str, list[Any]]:
        """New values at the path; one below a label that is not there can only be None."""
        parent = self.db_path.rpartition(".")[0]
        column = []
        for row, document in enumerate(old):
            value = encoded[start + row]
            above = actions.value_at(document, parent) if parent and not self.in_dict else document
            if above is actions.ABSENT or above is None:
                if value is not None and document is not None:
                    raise FieldKindError(
                        f"sample {ids[start + row]} has no {parent!r}, so {self.path!r} cannot be set on it. "
                        "Pass None for it, or skip_none=True."
                    )
                value = actions.ABSENT
            column.append(value)
        return {self.db_path: column}

    def spread(
        self, start: int, old: Sequence[Any], ids: Sequence[SampleId], values: Sequence[Any]
    ) -> dict[str, list[Any]]:
        """The lists with each element's attribute set to its value."""
        assert self.list_path is not None
        attribute = self.path[len(self.list_path) + 1 :]
        column = []
        for row, document in enumerate(old):
            items = actions.value_at(document, self.list_path)
            value = values[start + row]
            held = len(items) if isinstance(items, list) else 0
            if value is None or document is None:
                column.append(items if isinstance(items, list) else actions.ABSENT)
                continue
            if len(value) != held:
                raise SchemaError(
                    f"sample {ids[start + row]} has {held} labels in {self.list_path!r}, "
                    f"but was given {len(value)} values. Give one value per label."
                )
            column.append(
                [
                    with_attribute(item, attribute, codec.encode(new, self.path))
                    for item, new in zip(items, value, strict=True)
                ]
                if held
                else items
            )
        return {self.list_path: column}


def _holding(field: Field | None, value: Any, path: str) -> Field:
    """The field widened by a value; one that cannot be leaves it as it is, and is coerced or refused later."""
    above, _, name = path.rpartition(".")
    inferred = infer_attribute(name, value) if above else infer(value)
    assert inferred is not None, "None was left out"
    if field is None:
        return inferred
    try:
        return merge(field, inferred, path)
    except FieldKindError:
        return field


def with_attribute(item: Mapping[str, Any], attribute: str, value: Any) -> dict[str, Any]:
    """A stored label with a value in an attribute; with None, without the attribute."""
    changed = dict(item)
    if value is None:
        changed.pop(attribute, None)
    else:
        changed[attribute] = value
    return changed


def _listed(value: Any, path: str) -> list[Any]:
    if isinstance(value, list | tuple | np.ndarray):
        return list(value)
    raise SchemaError(f"{path!r} is or lies inside a list, so each sample needs a list of values; got {value!r}.")


_SCALAR = frozenset({bool, int, float, str, type(None)})


def _one_of_each(values: Sequence[Any]) -> Iterator[Any]:
    """One value of each type, and every list and dict: enough to infer a field."""
    by_kind = {type(value): value for value in values}
    seen: set[Any] = set()
    for value in by_kind.values() if by_kind.keys() <= _SCALAR else values:
        kind: Any = type(value)
        if kind is np.ndarray and value.dtype.kind in "biuf":
            kind = value.dtype, value.ndim
        if value is None or (kind in seen and kind is not np.ndarray and not isinstance(value, list | tuple | dict)):
            continue
        seen.add(kind)
        yield value


def delete_samples(root: "Dataset", ids: Sequence[SampleId]) -> None:
    """Delete samples by id, in one action on whole samples."""
    if ids:
        with journal.action(root._id, "delete_samples", None) as action:
            action.delete(ids)
