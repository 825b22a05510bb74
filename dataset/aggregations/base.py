"""What all aggregations share: an aggregation is a value that says what to compute from a collection.

None and missing values are never counted. Lists are taken apart, however deep, so that each element counts on its own.
NaN is no number: it counts for `Count` alone, and as `other` in a histogram.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

from ..errors import ExpressionError
from ..expressions import Node, ViewExpression
from ..expressions.describe import briefly
from ..expressions.kinds import ANY, Kind
from ..expressions.nodes import Apply, Each, Path
from ..expressions.translate import value
from ..expressions.typed import HIGHEST, LOWEST, NULL, Scope, Typed, is_not_nan, when
from ..schema import Field, Schema
from ..types import Bson


@dataclass(frozen=True)
class Aggregation(ABC):
    """Something to compute from all samples of a collection.

    Args:
        field_or_expr: a field or an expression.
        expr: an expression to compute from each value of the field first; `F()` is that value.
    """

    needs_order: ClassVar[bool] = False
    """Whether the result depends on the order of the samples."""

    kinds: ClassVar[frozenset[str]] = frozenset({"number", "text", "boolean", "date", "id"})
    """The kinds of single values that it works on."""

    field_or_expr: Any
    expr: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "field_or_expr", _settled(self.field_or_expr))
        object.__setattr__(self, "expr", _settled(self.expr))

    @abstractmethod
    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline.

        Raises:
            FieldNotFoundError: if a field does not exist.
            ExpressionError: if the values are of a kind that it does not work on.
        """

    @abstractmethod
    def parse(self, documents: Iterable[Bson], decode: Callable[[Any], Any] | None = None) -> Any:
        """Turn what the pipeline gave into the result.

        Args:
            documents: the outcome of the pipeline.
            decode: turns a single value, as it is stored, into the value of `leaf_field`.
        """

    def to_mongo_without_nan(self, schema: Schema) -> list[Bson] | None:  # noqa: ARG002  # for some subclasses
        """Give a faster pipeline whose outcome counts unless it holds NaN; None if there is none."""
        return None

    def validate(self, schema: Schema) -> None:
        """Check the aggregation against the fields of a collection; raises what `to_mongo` raises."""
        self.to_mongo(schema)

    def leaf_field(self, schema: Schema) -> Field | None:
        """Give the field whose single values come back; None for computed ones, which need no decoding."""
        path = self._path()
        if path is None or self.expr is not None:
            return None
        field = schema.resolve(path).field
        while field is not None and hasattr(field, "subfield") and field.name == "list":
            field = field.subfield
        return field

    def _path(self) -> str | None:
        """Give the field, if it is one that is aggregated."""
        given = self.field_or_expr
        if isinstance(given, Path) and given.base != "value" and given.path:
            given = given.path
        return given.replace("[]", "") if isinstance(given, str) else None

    def _typed(self, schema: Schema) -> Typed:
        """Give the code for the values of one sample."""
        return value(self._node(schema), Scope(schema))

    def _node(self, schema: Schema) -> Node:
        path = self._path()
        if path is None:
            node = self.field_or_expr
            return node if self.expr is None else Apply(node, self.expr)
        return Path(path) if self.expr is None else each_value(schema, path, self.expr)

    def _singles(self, schema: Schema) -> tuple[list[Bson], Typed]:
        """Give the steps after which each document holds one value, and the code for it."""
        typed = self._typed(schema)
        steps: list[Bson] = []
        kind = typed.kind
        if kind.name in {"list", "any"}:
            steps.append({"$project": {"_id": 0, "value": typed.code}})
        while kind.name in {"list", "any"}:
            steps.append({"$unwind": "$value"})
            if kind.name == "any":
                break
            kind = kind.element or ANY
        self._check(kind, typed)
        code = "$value" if steps else typed.code
        return steps, Typed({"$toString": code} if kind.name == "id" else code, kind, shown=typed.shown)

    def _check(self, kind: Kind, typed: Typed) -> None:
        if kind.name not in self.kinds and kind.name != "any":
            wanted = ", ".join(sorted(self.kinds))
            of = "lists of " if typed.kind.name == "list" else ""
            raise ExpressionError(
                f"{type(self).__name__} works on values of the kinds {wanted}; {typed.shown} holds {of}{kind}."
            )

    def __repr__(self) -> str:
        shown = []
        for part in fields(self):
            given = getattr(self, part.name)
            text = (
                briefly(given) if isinstance(given, Node) else f'"{given}"' if isinstance(given, str) else repr(given)
            )
            if part.default is MISSING or (part.name == "field_or_expr" and given is not None):
                shown.append(text)
            elif given != part.default:
                shown.append(f"{part.name}={text}")
        return f"{type(self).__name__}({', '.join(shown)})"


def each_value(schema: Schema, path: str, expr: Node | None = None) -> Node:
    """Compute an expression from each value at `path`, keeping the lists around them.

    An element without a value gives None, so that the lists keep their lengths.
    """
    resolved = schema.resolve(path)

    def below(base: str, lists: tuple[str, ...]) -> Node:
        if lists:
            return Each("map", Path(_after(base, lists[0])), below(lists[0], lists[1:]))
        leaf = Path(_after(base, resolved.path))
        return leaf if expr is None else Apply(leaf, expr)

    return below("", resolved.list_parts)


def _after(base: str, path: str) -> str:
    return path[len(base) + 1 :] if base else path


def counted(typed: Typed, *, safe: bool) -> tuple[list[Bson], Any]:
    """Give the steps that leave out single values that do not count, and the code for a value or None.

    The accumulators pass over None.

    Args:
        typed: a single value.
        safe: whether infinity does not count either.
    """
    code = typed.code
    if typed.kind.name == "number":
        if isinstance(code, str):  # a query on a field takes half the time of a condition
            test = {"$gt": float("-inf"), "$lt": float("inf")} if safe else {"$ne": float("nan")}
            return [{"$match": {code.removeprefix("$"): test}}], code
        bounds = ("$gt", "$lt") if safe else ("$gte", "$lte")
        return [], when({"$and": [{bounds[0]: [code, LOWEST]}, {bounds[1]: [code, HIGHEST]}]}, code)
    return [], when(is_not_nan(code), code, NULL) if typed.kind.name == "any" else code


def first_value(documents: Iterable[Bson], name: str = "value") -> Any:
    """Give the value called `name` in the first document; None if there is none."""
    for document in documents:
        return document.get(name)
    return None


def _settled(given: Any) -> Any:
    if isinstance(given, ViewExpression):
        return given.node
    if given is None or isinstance(given, str | Node):
        return given
    raise ExpressionError(f"{given!r} is neither a field nor an expression. Give a name, or an expression with F.")
