"""Constants inside expressions: their one normal form, and how they are written down."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from ..errors import ExpressionError, FieldKindError
from ..schema.values import moment, plain, shown
from ..types import Oid


def normal(value: Any) -> Any:
    """Give a constant in the form in which it is compared: plain Python values, dates as UTC datetimes.

    A `timedelta` becomes milliseconds, the unit in which dates are subtracted.

    Raises:
        ExpressionError: if the value cannot be part of an expression.

    Example:
        >>> normal((np.float64(0.5), timedelta(seconds=2)))
        [0.5, 2000]
    """
    if isinstance(value, timedelta):
        return round(value / timedelta(milliseconds=1))
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [normal(item) for item in items]
    try:
        return _moments(plain(value))
    except FieldKindError:
        raise ExpressionError(
            f"{shown(value)} cannot be part of an expression. Use None, bool, int, float, str, date, datetime, "
            "timedelta, a list or a dict."
        ) from None


def _moments(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [_moments(item) for item in value]
    if isinstance(value, dict):
        return {key: _moments(item) for key, item in value.items()}
    if hasattr(type(value), "_document_name"):
        raise ExpressionError(
            f"a {type(value).__name__} cannot be part of an expression. Compare one of its attributes instead, "
            'such as F("ground_truth.label") == "cat".'
        )
    return value


def is_nan(value: Any) -> bool:
    """Whether a constant is NaN."""
    return isinstance(value, float) and math.isnan(value)


def encode(value: Any) -> Any:
    """Write a constant as values that both JSON and the database keep exactly."""
    if isinstance(value, Oid):
        return {"id": str(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    return {"dict": [[key, encode(item)] for key, item in value.items()]}


def decode(written: Any) -> Any:
    """Read a constant written by `encode`."""
    if isinstance(written, list):
        return [decode(item) for item in written]
    if not isinstance(written, dict):
        return written
    ((kind, value),) = written.items()
    if kind == "id":
        return Oid(value)
    if kind == "float":
        return float(value)
    if kind == "datetime":
        return datetime.fromisoformat(value)
    if kind == "dict":
        return {key: decode(item) for key, item in value}
    raise ExpressionError(f"a constant of kind {kind!r} is not known. It needs a newer version of Saccade.")


def identity(value: Any) -> str:
    """Give a text that two constants share exactly when they are the same value of the same type."""
    return json.dumps(encode(value))
