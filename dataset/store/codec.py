"""Values in Python ↔ values in the database.

The one place that knows how ids, labels, dates and arrays look as BSON:

* ids are ObjectIds; `types.Oid` marks one inside a query;
* labels are `{"_cls", "_id", ...}` documents, attributes that are None are left out;
* logits are float32 binary vectors (subtype 9), whose two header bytes are written here by hand;
* other arrays are `{"_array": dtype, "shape", "data"}`, compressed where that saves a tenth;
* a 1-D float array that is a field of a sample or an attribute of a label is a *vector*: it goes to a `VectorSink`
  and the document keeps the marker.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol

import bson
import numpy as np
from bson import Binary, CodecOptions, Int64, ObjectId
from bson.binary import UuidRepresentation
from bson.errors import BSONError

from ..errors import FieldKindError, SchemaError
from ..labels import Document, Label, document_types
from ..schema import DateField, Field, FloatField, ListField
from ..types import Bson, FloatArray, Oid

OPTIONS: CodecOptions[Bson] = CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD)
"""How documents are read: times are aware, in UTC."""

VECTOR_SUBTYPE = 9
FLOAT32_HEADER = b"\x27\x00"
_COMPRESS_FROM = 512


class VectorSink(Protocol):
    """Takes vectors out of documents that are being encoded."""

    def put(self, path: str, label_id: str | None, vector: FloatArray) -> int:
        """Keep `vector` for the field `path`; return the marker that stands for it in the document."""
        ...


class Vectors:
    """A sink that collects the vectors of one document after another under one action number."""

    def __init__(self, number: int) -> None:
        """Begin with nothing collected; `number` becomes the marker."""
        self.number = number
        self.taken: list[tuple[str, str | None, FloatArray]] = []

    def put(self, path: str, label_id: str | None, vector: FloatArray) -> int:
        """Collect one vector."""
        self.taken.append((path, label_id, vector))
        return Int64(self.number)


def encode(value: Any, path: str, sink: VectorSink | None = None) -> Any:
    """Turn a field's value into its stored form.

    Args:
        value: anything a field may hold.
        path: where it will lie, for vectors and for messages.
        sink: where vectors go; without one a vector is an error.

    Raises:
        FieldKindError: if the value, or something inside it, has no stored form.
        SchemaError: if a dict has keys that MongoDB cannot address.
    """
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f":
        return encode_float32(value) if path.endswith(".logits") else _vector(value, path, None, sink)
    return _encode(value, path, sink)


def encoded(values: Sequence[Any], path: str) -> list[Any]:
    """Turn a column of values into their stored form, as `encode` does without a sink."""
    return list(values) if _PLAIN.issuperset(map(type, values)) else [encode(value, path) for value in values]


def _encode(value: Any, path: str, sink: VectorSink | None) -> Any:
    kind = type(value)
    if value is None or kind in _PLAIN:
        return value
    if isinstance(value, Document):
        return _encode_document(value, path, sink)
    if isinstance(value, list | tuple):
        return [_encode(item, path, sink) for item in value]
    if isinstance(value, Mapping):
        return {_key(key, path): _encode(item, f"{path}.{key}", sink) for key, item in value.items()}
    if isinstance(value, Oid):
        return ObjectId(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return encode_array(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool | int | float | str | datetime | ObjectId):
        return value
    raise FieldKindError(
        f"field {path!r} was given a {kind.__name__}, which cannot be stored. "
        "Use bool, int, float, str, date, datetime, list, dict, an array or a label."
    )


_SIMPLE = frozenset({bool, int, float, str})
_PLAIN = _SIMPLE | {datetime, ObjectId, Int64, type(None)}


def _key(key: object, path: str) -> str:
    if not isinstance(key, str) or not key or key.startswith("$") or "." in key or "\0" in key:
        raise SchemaError(
            f"field {path!r} holds a dict with the key {key!r}. Keys are text without '.' and leading '$'."
        )
    return key


def _encode_document(document: Document, path: str, sink: VectorSink | None) -> Bson:
    stored: Bson = {"_cls": type(document).__name__}
    label_id = None
    if isinstance(document, Label):
        label_id = document.id
        stored["_id"] = ObjectId(bytes.fromhex(label_id))
    for name, value in document._attributes().items():
        kind = type(value)
        if kind in _SIMPLE:
            stored[name] = value
            continue
        if value is None or (name == "tags" and not value):
            continue
        if kind is list and _SIMPLE.issuperset(map(type, value)):
            stored[name] = value.copy()
            continue
        below = f"{path}.{name}"
        if isinstance(value, np.ndarray) and value.ndim == 1:
            if name == "logits":
                stored[name] = encode_float32(value)
                continue
            if value.dtype.kind == "f":
                stored[name] = _vector(value, below, label_id, sink)
                continue
        stored[name] = _encode(value, below, sink)
    return stored


def _vector(value: FloatArray, path: str, label_id: str | None, sink: VectorSink | None) -> int:
    if sink is None:
        raise FieldKindError(
            f"{path!r} cannot hold a vector here; vectors are fields of samples or attributes of labels."
        )
    if value.size == 0:
        raise FieldKindError(f"field {path!r} was given an empty vector; leave it None instead.")
    vector = np.ascontiguousarray(value, dtype=np.float32)
    if not np.isfinite(vector).all():
        raise FieldKindError(f"field {path!r} was given a vector with NaN or infinite numbers; leave it None instead.")
    return sink.put(path, label_id, vector)


def encode_float32(value: FloatArray) -> Binary:
    """Pack a 1-D array as a BSON binary vector of float32."""
    return Binary(FLOAT32_HEADER + np.ascontiguousarray(value, dtype="<f4").tobytes(), VECTOR_SUBTYPE)


def decode_float32(data: bytes) -> FloatArray:
    """Unpack a BSON binary vector of float32 into a new writable array."""
    return np.frombuffer(data, dtype="<f4", offset=2).copy()


def encode_array(value: np.ndarray[Any, Any]) -> Bson:
    """Pack an array of numbers or booleans with its dtype and shape."""
    if value.dtype.kind not in "biuf":
        raise FieldKindError(f"an array of {value.dtype} cannot be stored. Use booleans, integers or floats.")
    little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    data = little.tobytes()
    stored: Bson = {"_array": little.dtype.str, "shape": list(value.shape), "data": data}
    if len(data) >= _COMPRESS_FROM:
        packed = zlib.compress(data, 1)
        if len(packed) < 0.9 * len(data):
            stored |= {"data": packed, "zlib": True}
    return stored


def decode_array(stored: Bson) -> np.ndarray[Any, Any]:
    """Unpack an array into a new writable one."""
    data = zlib.decompress(stored["data"]) if stored.get("zlib") else stored["data"]
    return np.frombuffer(data, dtype=stored["_array"]).reshape(stored["shape"]).copy()


def from_raw(document: bytes) -> Bson:
    """Read a stored document of BSON."""
    return bson.decode(document, OPTIONS)


def to_raw(document: Bson) -> bytes:
    """Write a stored document as BSON.

    Raises:
        SchemaError: if it holds what BSON cannot.
    """
    try:
        return bson.encode(document)
    except (BSONError, OverflowError, UnicodeError) as error:
        raise SchemaError(f"a value cannot be stored: {error}") from error


def decode(value: Any) -> Any:
    """Turn a stored value into the Python one; vector markers stay as they are."""
    kind = type(value)
    if kind is dict:
        if "_cls" in value:
            return _decode_document(value)
        if "_array" in value:
            return decode_array(value)
        return {key: decode(item) for key, item in value.items()}
    if kind is list:
        return [decode(item) for item in value]
    if kind is ObjectId:
        return Oid(value)  # a str, but one that is written back as an id
    if kind is Int64:
        return int(value)
    if kind is Binary and value.subtype == VECTOR_SUBTYPE:
        return decode_float32(value)
    return value


def decoder(field: Field | None) -> Callable[[Any], Any]:
    """What turns stored values of a field into Python ones: as `decode`, and dates and floats as their fields say."""
    if isinstance(field, DateField):
        return lambda value: value.date() if isinstance(value, datetime) else value
    if isinstance(field, FloatField):  # integers from before the field was widened
        return lambda value: float(value) if isinstance(value, int) else value
    if isinstance(field, ListField) and field.subfield is not None:
        inner = decoder(field.subfield)
        return lambda value: [inner(item) for item in value] if isinstance(value, list) else decode(value)
    return decode


_FINISHED = frozenset({float, str, type(None), np.ndarray})


def decoded(values: list[Any], field: Field | None) -> list[Any]:
    """Turn a column of stored values into Python ones."""
    if _FINISHED.issuperset(map(type, values)):
        return values
    turn = decoder(field)
    return [turn(value) for value in values]


def _decode_document(stored: Bson) -> Document | Bson:
    kind = document_types.get(stored["_cls"])
    if kind is None:  # written by a newer Saccade: keep it readable instead of failing
        return {key: decode(item) for key, item in stored.items()}
    label_id = stored.get("_id")
    attributes = {key: decode(item) for key, item in stored.items() if key not in {"_cls", "_id"}}
    return kind._from_attributes(attributes, str(label_id) if label_id is not None else None)


def to_bson_query(value: Any) -> Any:
    """Replace every `types.Oid` inside a query, pipeline or document by an ObjectId."""
    if isinstance(value, Oid):
        return ObjectId(value)
    if isinstance(value, dict):
        return {key: to_bson_query(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_bson_query(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value
