"""Values ↔ JSON-able values, in the manner of MongoDB's extended JSON.

Ids become `{"$oid": hex}`, moments and days `{"$date": ISO text}`, numbers that JSON lacks `{"$numberDouble": "NaN"}`
and arrays `{"$array": {"dtype", "shape", "data"}}` with the data in base64. Keys of dicts never begin with "$", so
nothing is mistaken.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from ..errors import SchemaError
from ..types import Oid


def to_jsonable(value: Any) -> Any:
    """Give a field's value as JSON-able values.

    Example:
        >>> to_jsonable({"when": date(2024, 5, 1), "score": float("nan")})
        {'when': {'$date': '2024-05-01'}, 'score': {'$numberDouble': 'NaN'}}
    """
    if type(value) is float and not math.isfinite(value):
        return {"$numberDouble": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, Oid):
        return {"$oid": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return {"$date": value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, np.ndarray):
        return {"$array": _array_to_json(value)}
    if isinstance(value, Mapping):
        return {key: to_jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonable(item) for item in value]
    return value.to_dict()


def from_jsonable(value: Any, read_document: Callable[[Mapping[str, Any]], Any]) -> Any:
    """Give back what `to_jsonable` was given.

    Args:
        value: JSON-able values.
        read_document: makes the document of a dict that has a `_cls`.
    """
    if isinstance(value, list):
        return [from_jsonable(item, read_document) for item in value]
    if not isinstance(value, dict):
        return value
    if "_cls" in value:
        return read_document(value)
    if len(value) == 1:
        name, content = next(iter(value.items()))
        if name.startswith("$"):
            return _read_extended(name, content)
    return {key: from_jsonable(item, read_document) for key, item in value.items()}


def _read_extended(name: str, content: Any) -> Any:
    if name == "$oid":
        return Oid(content)
    if name == "$date":
        return _read_date(content)
    if name in {"$numberDouble", "$numberLong", "$numberInt"}:
        return float(content) if name == "$numberDouble" else int(content)
    if name == "$array":
        return _array_from_json(content)
    raise SchemaError(f"unknown value {{{name!r}: …}} in JSON. Known: $oid, $date, $numberDouble, $array.")


def _read_date(content: Any) -> date | datetime:
    if isinstance(content, int | float):  # milliseconds, as older writers of extended JSON give them
        return datetime.fromtimestamp(content / 1000, tz=UTC)
    return date.fromisoformat(content) if len(content) == 10 else datetime.fromisoformat(content)


def _array_to_json(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    data = b64encode(little.tobytes()).decode("ascii")
    return {"dtype": little.dtype.str, "shape": list(value.shape), "data": data}


def _array_from_json(content: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    flat = np.frombuffer(b64decode(content["data"]), dtype=np.dtype(content["dtype"]))
    return flat.reshape(content["shape"]).copy()
