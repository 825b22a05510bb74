"""Columns of values as BSON, made a column at a time, without a dict for each document or label.

An element is a value with its kind and name, as documents hold one after another; that of None is empty.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any

import bson
import numpy as np
from bson.errors import BSONError

from ..errors import SchemaError
from ..labels import Document, Label
from .codec import FLOAT32_HEADER, VECTOR_SUBTYPE

Array = np.ndarray[Any, Any]
Elements = Sequence[bytes]

_LENGTH = Struct("<i").pack
_PLAIN = frozenset({bool, int, float, str})


def elements(name: str, values: Sequence[Any]) -> Elements:
    """The elements of stored values.

    Raises:
        SchemaError: if one cannot be stored.
    """
    kinds = set(map(type, values))
    if type(None) in kinds:
        return spread(elements(name, [value for value in values if value is not None]), values)
    if kinds == {float}:
        return _alike(b"\x01", name, np.array(values, dtype="<f8").view(np.uint8).reshape(-1, 8))
    try:
        if kinds == {str}:
            return _texts(name, values)
        return [bson.encode({name: value})[4:-1] for value in values]
    except (BSONError, OverflowError, UnicodeError) as error:
        raise SchemaError(f"a value of {name!r} cannot be stored: {error}") from error


def spread(made: Elements, values: Sequence[Any], absent: bytes = b"") -> Elements:
    """The elements of those values that are not None, with `absent` for the others."""
    if len(made) == len(values):
        return made
    following = iter(made)
    return [absent if value is None else next(following) for value in values]


def null(name: str) -> bytes:
    """The element of null."""
    return b"\x0a" + name.encode() + b"\0"


def id_elements(packed: bytes) -> Elements:
    """The elements of ids of 12 bytes each."""
    return _alike(b"\x07", "_id", np.frombuffer(packed, dtype=np.uint8).reshape(-1, 12))


def label_elements(name: str, labels: Sequence[Document]) -> Elements | None:
    """The elements of labels of one class; None if one holds more than numbers, text and logits."""
    kind = type(labels[0])
    head = [b"\x03" + name.encode() + b"\0"] * len(labels)
    columns: list[Elements] = [_texts("_cls", [kind.__name__]) * len(labels)]
    if issubclass(kind, Label):
        columns.append(id_elements(bytes.fromhex("".join([label.id for label in labels]))))
    held = [label._attributes() for label in labels]
    for attribute in dict.fromkeys(key for attributes in held for key in attributes):
        column = _of_attribute(attribute, [attributes.get(attribute) for attributes in held])
        if column is None:
            return None
        columns.append(column)
    return list(map(b"".join, zip(head, documents(columns), strict=True)))


def _of_attribute(name: str, values: Sequence[Any]) -> Elements | None:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= _PLAIN:
        return elements(name, values)
    if kinds == {list} and all(_PLAIN.issuperset(map(type, value)) for value in values if value):
        return elements(name, [value or None for value in values] if name == "tags" else values)
    if name == "logits" and kinds == {np.ndarray}:
        return _logits(values)
    return None


def _logits(values: Sequence[Array | None]) -> Elements | None:
    rows = [value for value in values if value is not None]
    if len({value.shape for value in rows}) > 1 or rows[0].ndim != 1:
        return None
    numbers = np.concatenate(rows).astype("<f4", copy=False).reshape(len(rows), -1)
    head = _LENGTH(len(FLOAT32_HEADER) + 4 * numbers.shape[1]) + bytes([VECTOR_SUBTYPE]) + FLOAT32_HEADER
    filled = np.empty((len(rows), len(head) + 4 * numbers.shape[1]), dtype=np.uint8)
    filled[:, : len(head)] = np.frombuffer(head, dtype=np.uint8)
    filled[:, len(head) :] = numbers.view(np.uint8)
    return spread(_alike(b"\x05", "logits", filled), values)


def documents(columns: Sequence[Elements]) -> list[bytes]:
    """Documents of the elements that columns hold for them."""
    bodies = map(b"".join, zip(*columns, strict=True))
    return [b"%b%b\0" % (_LENGTH(len(body) + 5), body) for body in bodies]


def _alike(kind: bytes, name: str, values: Array) -> list[bytes]:
    """The elements of values of one length.

    Args:
        kind: what they are to BSON.
        name: their name.
        values: (n, bytes of a value) uint8.
    """
    head = np.frombuffer(kind + name.encode() + b"\0", dtype=np.uint8)
    rows = np.empty((len(values), len(head) + values.shape[1]), dtype=np.uint8)
    rows[:, : len(head)] = head
    rows[:, len(head) :] = values
    packed, length = rows.tobytes(), rows.shape[1]
    return [packed[at : at + length] for at in range(0, len(packed), length)]


def _texts(name: str, values: Sequence[str]) -> list[bytes]:
    head = b"\x02" + name.encode() + b"\0"
    made = {}
    for text in set(values):
        data = text.encode()
        made[text] = b"%b%b%b\0" % (head, _LENGTH(len(data) + 1), data)
    return [made[text] for text in values]
