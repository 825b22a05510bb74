"""Values as short text, for `repr` and for notebooks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

LONGEST_TEXT = 120
LONGEST_LIST = 8
WIDTH = 100


def brief(value: Any) -> str:
    """Show `value` on one line, with long text, lists and arrays cut.

    Example:
        >>> brief([1, 2, 3, 4, 5, 6, 7, 8, 9])
        '[1, 2, 3, … 9 in all]'
    """
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, str):
        return repr(str(value) if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…")
    if isinstance(value, np.ndarray):
        return f"array(shape={value.shape}, dtype={value.dtype})"
    if isinstance(value, list | tuple):
        if len(value) > LONGEST_LIST:
            return f"[{', '.join(map(brief, value[:3]))}, … {len(value)} in all]"
        return f"[{', '.join(map(brief, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {brief(item)}" for key, item in value.items()) + "}"
    if hasattr(value, "_shown_attributes"):
        return f"<{type(value).__name__}: {brief(value._shown_attributes())}>"
    return repr(value)


def _number(value: float) -> str:
    exact = repr(value)
    return f"{value:.8g}" if len(exact) > 10 and 1e-4 <= abs(value) < 1e6 else exact


def block(value: Any, indent: int = 0) -> str:
    """Show `value` over as many lines as it needs, nested parts indented by four spaces."""
    line = brief(value)
    if len(line) + indent <= WIDTH:
        return line
    inner, end = " " * (indent + 4), " " * indent
    if isinstance(value, list | tuple) and any(not isinstance(item, int | float | str) for item in value[:3]):
        shown = value if len(value) <= LONGEST_LIST else value[:3]
        rows = [f"{inner}{block(item, indent + 4)},\n" for item in shown]
        if len(shown) < len(value):
            rows.append(f"{inner}… {len(value)} in all\n")
        return "[\n" + "".join(rows) + end + "]"
    if isinstance(value, Mapping):
        rows = [f"{inner}{key!r}: {block(item, indent + 4)},\n" for key, item in value.items()]
        return "{\n" + "".join(rows) + end + "}"
    if hasattr(value, "_shown_attributes"):
        return f"<{type(value).__name__}: {block(value._shown_attributes(), indent)}>"
    return line
