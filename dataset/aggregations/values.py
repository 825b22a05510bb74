"""All values, in the order of the samples: Values."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..expressions.kinds import Kind
from ..expressions.nodes import Apply, Call, Each, Node, Path
from ..expressions.translate import value
from ..expressions.typed import Scope
from ..schema import Schema
from ..types import Bson
from .base import Aggregation, each_value


@dataclass(frozen=True, repr=False)
class Values(Aggregation):
    """List the values of a field, one entry for each sample, in the order of the samples.

    Values inside lists stay in their lists, so `values("predictions.detections.label")` gives a list for each sample.
    What is missing is None, also inside of lists.

    Args:
        field_or_expr: a field or an expression.
        expr: an expression to compute from each value of the field first.
        missing_value: what to give instead of None.
        unwind: whether to give one flat list of all values, without the samples that have none; -1 gives one flat list
            for each sample.

    Example:
        >>> Values("ground_truth.label", missing_value="unknown")
        Values("ground_truth.label", missing_value="unknown")
    """

    needs_order = True

    missing_value: Any = None
    unwind: bool | Literal[-1] = False

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        return [{"$project": {"_id": 0, "value": self.projection(schema)}}]

    def projection(self, schema: Schema) -> Any:
        """Give the code for one sample's entry, so that several `Values` can be read in one pass."""
        return value(self._projected(schema), Scope(schema)).code

    def _projected(self, schema: Schema) -> Node:
        path = self._path()
        node = self._node(schema) if path is None else each_value(schema, path, self.expr)
        kind = value(node, Scope(schema)).kind
        return Apply(node, _as_text(kind)) if _innermost(kind).name == "id" else node

    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> list[Any]:
        """Give the values."""
        return self.finished([document.get("value") for document in documents], decode)

    def finished(self, found: list[Any], decode: Callable[[Any], Any] | None = None) -> list[Any]:
        """Give the values from what the projection gave for each sample."""
        if self.unwind is True:
            found = list(_flat(found, keep_none=False))
        elif self.unwind:
            found = [list(_flat(entry)) if isinstance(entry, list) else entry for entry in found]
        if decode is None and self.missing_value is None:
            return found
        return self._each(found, decode, _PLAIN if self.missing_value is None else _PLAIN_BUT_NONE)

    def _each(self, found: list[Any], decode: Callable[[Any], Any] | None, plain: frozenset[type]) -> list[Any]:
        if plain.issuperset(map(type, found)):
            return found
        return [self._finished(entry, decode, plain) for entry in found]

    def _finished(self, entry: Any, decode: Callable[[Any], Any] | None, plain: frozenset[type]) -> Any:
        if isinstance(entry, list):
            return self._each(entry, decode, plain)
        if entry is None:
            return self.missing_value
        return entry if decode is None else decode(entry)


_PLAIN_BUT_NONE: frozenset[type] = frozenset({float, str})
_PLAIN: frozenset[type] = _PLAIN_BUT_NONE | {type(None)}
"""What is stored as Python has it, whatever the field."""


def _innermost(kind: Kind) -> Kind:
    while kind.name == "list" and kind.element is not None:
        kind = kind.element
    return kind


def _as_text(kind: Kind) -> Node:
    """Turn ids into text, inside the lists in which they lie."""
    if kind.name == "list" and kind.element is not None:
        return Each("map", Path(""), _as_text(kind.element))
    return Call("to_string", (Path(""),))


def mapped(found: list[Any], function: Callable[[Any], Any], depth: int) -> list[Any]:
    """Call a function on values that lie `depth` lists deep in each entry; None stays None.

    Example:
        >>> mapped([["a", None], None], str.upper, 1)
        [['A', None], None]
    """
    if depth:
        return [None if entry is None else mapped(entry, function, depth - 1) for entry in found]
    return [None if entry is None else function(entry) for entry in found]


def _flat(entries: list[Any], *, keep_none: bool = True) -> Iterator[Any]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _flat(entry)
        elif keep_none or entry is not None:
            yield entry
