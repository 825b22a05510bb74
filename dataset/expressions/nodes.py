"""The nodes of expressions: immutable values that say what to compute, and nothing about how.

Nodes know neither the schema nor the database. Two nodes are equal when they mean the same; users touch
`field.ViewExpression`, whose `==` builds a node instead.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

from ..errors import ExpressionError, hint
from . import constants

Comparison: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge"]
Base: TypeAlias = Literal["here", "root", "value"]


@dataclass(frozen=True)
class Node:
    """Any part of an expression."""

    kind: ClassVar[str] = ""
    """The short name under which this node is stored; it never changes."""

    def to_dict(self) -> dict[str, Any]:
        """Give the node as JSON-able values."""
        return {"node": self.kind} | {part.name: _write(getattr(self, part.name)) for part in fields(self)}

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> "Node":
        """Read a node written by `to_dict`.

        Raises:
            ExpressionError: if the node is of a kind that this version does not know.
        """
        name = document.get("node", "")
        if name not in node_types:
            raise ExpressionError(
                f"no expression node {name!r}. {hint(name, node_types, 'Nodes')} It may need a newer version."
            )
        chosen = node_types[name]
        if chosen is Constant:
            return Constant(constants.decode(document["value"]))
        return chosen(**{part.name: _read(document[part.name]) for part in fields(chosen) if part.name in document})

    def children(self) -> Iterator["Node"]:
        """Give the nodes directly below this one."""
        for part in fields(self):
            yield from _nodes(getattr(self, part.name))


@dataclass(frozen=True, eq=False)
class Constant(Node):
    """A value that is the same for every sample.

    Attributes:
        value: the value in its normal form (`constants.normal`).
    """

    kind = "constant"

    value: Any

    def to_dict(self) -> dict[str, Any]:
        """Give the node as JSON-able values."""
        return {"node": self.kind, "value": constants.encode(self.value)}

    def __eq__(self, other: object) -> bool:
        # 1, 1.0 and True are different constants, and NaN is the same constant as NaN.
        return isinstance(other, Constant) and constants.identity(self.value) == constants.identity(other.value)

    def __hash__(self) -> int:
        return hash(constants.identity(self.value))


@dataclass(frozen=True)
class Path(Node):
    """A field, seen from the current element, from the sample, or from the value that a reduction has reached.

    Attributes:
        path: names joined by dots; empty for the thing itself.
        base: where the path begins.
    """

    kind = "field"

    path: str
    base: Base = "here"


@dataclass(frozen=True)
class Bound(Node):
    """What the surrounding `Let` of this name has computed."""

    kind = "bound"

    name: str


@dataclass(frozen=True)
class Compare(Node):
    """left <op> right. False where either side is missing, None or NaN; comparing with None asks for just that."""

    kind = "compare"

    op: Comparison
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic(Node):
    """and, or, not. Missing, None, False and 0 count as false, anything else as true."""

    kind = "logic"

    op: Literal["and", "or", "not"]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Call(Node):
    """A function of its arguments, by the function's short name."""

    kind = "call"

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Each(Node):
    """filter, map, sort or reduce: `body` is computed for each element of `source`, as the current element.

    Attributes:
        initial: where a reduction begins.
    """

    kind = "each"

    function: Literal["filter", "map", "sort", "sort_descending", "reduce"]
    source: Node
    body: Node
    initial: Node | None = None


@dataclass(frozen=True)
class Choice(Node):
    """The value of the first branch whose condition holds, else `default`."""

    kind = "choice"

    branches: tuple[tuple[Node, Node], ...]
    default: Node


@dataclass(frozen=True)
class Apply(Node):
    """`body` with `value` as its current element."""

    kind = "apply"

    value: Node
    body: Node


@dataclass(frozen=True)
class Let(Node):
    """`body`, in which `Bound(name)` stands for `value`, computed once."""

    kind = "let"

    name: str
    value: Node
    body: Node


node_types: dict[str, type[Node]] = {
    node.kind: node for node in (Constant, Path, Bound, Compare, Logic, Call, Each, Choice, Apply, Let)
}
"""Short name → node class, as stored."""


def replaced(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Give `node` with parts exchanged, outside the bodies of other current elements.

    Args:
        node: where to look.
        change: gives the new node for a part, or None to look further below it.
    """
    new = change(node)
    if new is not None:
        return new
    inner = {"body"} if isinstance(node, Each | Apply) else set()
    parts = {part.name: getattr(node, part.name) for part in fields(node)}
    return type(node)(
        **{name: value if name in inner else _replaced_value(value, change) for name, value in parts.items()}
    )


def _replaced_value(value: Any, change: Callable[[Node], Node | None]) -> Any:
    if isinstance(value, Node):
        return replaced(value, change)
    if isinstance(value, tuple):
        return tuple(_replaced_value(item, change) for item in value)
    return value


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def _write(value: Any) -> Any:
    if isinstance(value, Node):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_write(item) for item in value]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_read(item) for item in value)
    if isinstance(value, Mapping):
        return Node.from_dict(value)
    return value
