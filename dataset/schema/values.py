"""Values in their plain form: Python scalars, lists, dicts, arrays.

What a value is *for* is the business of `fields`; here it only loses its numpy, pandas or tuple clothing.
"""

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from reprlib import Repr
from typing import Any

import numpy as np

from ..errors import FieldKindError
from ..types import Oid

_INT64 = 2**63
_SIMPLE = frozenset({bool, float, type(None)})

_brief = Repr()
_brief.maxstring = 60
_brief.maxother = 60


def shown(value: object) -> str:
    """Describe a refused value for an error message.

    Example:
        >>> shown("abc")
        "'abc' (str)"
    """
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return f"{_brief.repr(value)} ({type(value).__name__})"


def is_document(value: object) -> bool:
    """Whether `value` is a label or another embedded document."""
    return hasattr(type(value), "_document_name")


def is_object_id(value: object) -> bool:
    """Whether `value` is an id: ours, or the driver's, which is recognised without importing the driver."""
    return type(value) is Oid or type(value).__name__ == "ObjectId"


def scalar(value: Any) -> Any:
    """Turn a numpy scalar or a zero-dimensional array into the Python value; leave anything else."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.datetime64):
        # Finer than microseconds, numpy would answer with a bare integer.
        days = np.datetime_data(value.dtype)[0] in {"Y", "M", "W", "D"}
        return value.astype("datetime64[D]" if days else "datetime64[us]").item()
    if isinstance(value, np.longdouble):
        return float(value)
    if isinstance(value, np.generic):
        return value.item()
    return value


def elements(value: Any) -> list[Any] | None:
    """Give the elements of anything that counts as a list; None for what does not."""
    if isinstance(value, list):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, np.ndarray) and value.ndim > 0:
        if value.dtype.kind == "M":
            value = value.astype("datetime64[us]")  # finer ones would become bare integers
        return value.tolist()  # type: ignore[no-any-return]  # numpy declares Any
    if isinstance(value, AbstractSet):
        return sorted(value, key=lambda item: (type(item).__name__, item))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return list(value)
    return None


def text(value: object) -> str:
    """Check that `value` is text that can be written as UTF-8; paths are text too."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise FieldKindError(f"expected text; got {shown(value)}")
    value = str.__str__(value)  # of a subclass, such as numpy's, the plain text
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise FieldKindError(
                f"{value!a} holds bytes that are no valid text. Rename the file or decode the text first."
            ) from None
    return value


def integer(value: Any) -> int:
    """Check that `value` is an integer of at most 64 bits; booleans are not."""
    value = scalar(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldKindError(f"expected an integer; got {shown(value)}")
    if not -_INT64 <= value < _INT64:
        raise FieldKindError(f"{value} does not fit in 64 bits. Store it as a float or as text.")
    return int(value)


def number(value: Any) -> float:
    """Check that `value` is a number and give it as float; booleans are not."""
    value = scalar(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldKindError(f"expected a number; got {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise FieldKindError(f"{shown(value)} is too large for a float") from None


def moment(value: datetime) -> datetime | None:
    """Give a time in UTC and in milliseconds, the precision that is stored; one without a zone counts as UTC.

    A "not a time" (NaT) becomes None.
    """
    if value != value:  # noqa: PLR0124  # NaT of pandas is a datetime that differs from itself
        return None
    try:
        utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise FieldKindError(f"{value} is outside the years 1 to 9999 in UTC") from None
    return datetime(
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond // 1000 * 1000, tzinfo=UTC
    )


def array(value: Any) -> np.ndarray[Any, Any]:
    """Give `value` as an array of booleans, integers or floats."""
    try:
        result = value if isinstance(value, np.ndarray) else np.asarray(value)
    except ValueError:
        raise FieldKindError(f"expected an array; got rows of different lengths: {shown(value)}") from None
    if result.dtype.kind not in "biuf" or result.ndim == 0:
        raise FieldKindError(f"expected an array of booleans, integers or floats; got {shown(value)}")
    return result


def float32_vector(value: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Give `value` as a one-dimensional float32 array without NaN."""
    source = array(value)
    if source.ndim != 1 or source.dtype.kind == "b":
        raise FieldKindError(f"expected a one-dimensional array of numbers; got {shown(value)}")
    with np.errstate(over="ignore"):
        vector = source.astype(np.float32, copy=False)
    if np.isnan(vector).any():
        raise FieldKindError(f"NaN at position {int(np.isnan(vector).argmax())}. Leave the value None instead.")
    return vector


def key(value: Any) -> str:
    """Check that `value` can be a key inside a dict field."""
    if not isinstance(value, str) or not value or value.startswith("$") or "." in value or "\0" in value:
        raise FieldKindError(
            f"{value!r} cannot be a key of a dict. Keys are text without '.' and without a leading '$'."
        )
    return text(value)


def plain(value: Any) -> Any:
    """Give any storable value in its plain form, to the bottom.

    Raises:
        FieldKindError: if the value, or something inside it, cannot be stored.

    Example:
        >>> plain({"size": (np.int32(4), np.float64(0.5))})
        {'size': [4, 0.5]}
    """
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if kind is str:
        return text(value)
    value = scalar(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return integer(value)
    if is_object_id(value):
        return Oid(str(value))
    if isinstance(value, str | os.PathLike):
        return text(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date) or is_document(value):
        return value
    if isinstance(value, Mapping):
        return {key(name): plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return array(value)
    items = elements(value)
    if items is None:
        raise unsupported(value)
    return [plain(item) for item in items]


def unsupported(value: Any) -> FieldKindError:
    """Build the error for a value of a type that no field can hold."""
    remedy = "Use bool, int, float, str, date, datetime, list, dict, an array or a label."
    if isinstance(value, bytes | bytearray | memoryview):
        remedy = "Keep bytes in a file and store its path, or store text or an array."
    elif hasattr(value, "__array__"):
        remedy = "Convert it with numpy.asarray(...) first."
    return FieldKindError(f"{shown(value)} cannot be stored. {remedy}")
