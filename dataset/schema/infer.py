"""From values to fields, and from two fields to the one that holds both."""

from dataclasses import replace
from datetime import date, datetime
from os import PathLike
from typing import Any

import numpy as np

from ..errors import FieldKindError
from .documents import extends
from .fields import (
    ArrayField,
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
    VectorField,
)
from .values import elements, is_document, is_object_id, scalar, unsupported

_BY_TYPE: dict[type, Field] = {
    bool: BooleanField(),
    int: IntField(),
    float: FloatField(),
    str: StringField(),
    datetime: DateTimeField(),
    date: DateField(),
    dict: DictField(),
}


def infer(value: Any) -> Field | None:
    """Give the field that holds `value`; None for None, which fits every field.

    A one-dimensional array of floats is a vector, any other array an array. A list takes the common kind of its
    elements (integers among floats count as floats), or any kind if they have none in common.

    Raises:
        FieldKindError: if no field can hold the value.

    Example:
        >>> infer([1, 2.5]), infer("cat"), infer([])
        (ListField(FloatField), StringField, ListField)
    """
    found = _BY_TYPE.get(type(value))
    if found is not None or value is None:
        return found
    if is_document(value):
        return EmbeddedDocumentField(type(value).__name__)
    value = scalar(value)
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        return _infer_array(value)
    if is_object_id(value):
        return ObjectIdField()
    for kind, field in _BY_TYPE.items():
        if isinstance(value, kind):
            return field
    if isinstance(value, PathLike):
        return StringField()
    items = elements(value)
    if items is None:
        if hasattr(value, "keys") and hasattr(value, "__getitem__"):
            return DictField()
        raise unsupported(value)
    return ListField(_common(items))


def infer_attribute(name: str, value: Any) -> Field | None:
    """Give the field that holds `value` as an attribute of a label: what `infer` gives, but logits are no vector.

    Logits are few numbers, which are stored within the label.
    """
    field = infer(value)
    return ArrayField() if name == "logits" and isinstance(field, VectorField) else field


def _infer_array(value: np.ndarray[Any, Any]) -> Field:
    if value.dtype.kind == "f" and value.ndim == 1:
        return VectorField()
    if value.dtype.kind in "biuf":
        return ArrayField()
    if value.dtype.kind in "UM":
        return ListField(_common(elements(value) or []))
    raise unsupported(value)


def _common(items: list[Any]) -> Field | None:
    plain_types = set(map(type, items)) - {type(None)}
    if len(plain_types) == 1:
        field = _BY_TYPE.get(next(iter(plain_types)))
        if field is not None:
            return field
    common: Field | None = None
    for item in items:
        field = infer(item)
        if field is None:
            continue
        try:
            common = field if common is None else merge(common, field, "")
        except FieldKindError:
            return None
    return common


def merge(a: Field, b: Field, path: str) -> Field:
    """Give the narrowest field that holds what `a` and `b` hold.

    Equal kinds stay; int and float become float; lists and dicts merge their subfields, where an unknown one adopts the
    other; a document type and one that extends it become the former. Descriptions of `a` win.

    Args:
        a: the field as known so far.
        b: the field to be added.
        path: where the two lie, for the message.

    Raises:
        FieldKindError: if no field holds both.

    Example:
        >>> merge(IntField(), FloatField(), "score")
        FloatField
    """
    merged = _merged(a, b)
    if merged is None:
        raise FieldKindError(
            f"field {path!r} is of kind {a} and cannot take values of kind {b}. "
            "Convert the values or use another field name."
        )
    if merged is a:
        return a
    return replace(merged, description=a.description or b.description, info=a.info or b.info)


def _merged(a: Field, b: Field) -> Field | None:
    if a == b:
        return a
    if {type(a), type(b)} == {IntField, FloatField}:
        return FloatField()
    if isinstance(a, EmbeddedDocumentField) and isinstance(b, EmbeddedDocumentField):
        if extends(b.document_type, a.document_type):
            return a
        return b if extends(a.document_type, b.document_type) else None
    for container in (ListField, DictField):
        if isinstance(a, container) and isinstance(b, container):
            return _merged_containers(a, b)
    return None


def _merged_containers(a: ListField | DictField, b: ListField | DictField) -> Field | None:
    if a.subfield is None or b.subfield is None:
        return a if b.subfield is None else replace(a, subfield=b.subfield)
    subfield = _merged(a.subfield, b.subfield)
    if subfield is None:
        return None
    return a if subfield is a.subfield else replace(a, subfield=subfield)
