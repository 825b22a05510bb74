"""Stages that show other values than are stored, and store nothing: set_field, map_labels, map_values, filter_field."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ViewError
from ..expressions import Node, constants
from ..expressions.describe import briefly
from ..expressions.methods import as_node
from ..expressions.nodes import Call, Constant, Each, Path
from ..expressions.translate import value
from ..expressions.typed import NULL, Scope, Typed, is_absent, when
from ..schema import Field, ListField, Schema
from ..types import Bson
from .base import Stage
from .labels import label_field
from .matching import Exists, condition
from .placing import Place, field_of, holds, is_none, place


@dataclass(frozen=True)
class _Setting(Stage):
    """What puts a computed value at a path."""

    shapes_documents = True

    @abstractmethod
    def _place(self, schema: Schema) -> Place:
        """Find where the values go."""

    @abstractmethod
    def _node(self, there: Place) -> Node:
        """Give the expression of the values, seen from what they lie in."""

    def _typed(self, there: Place, prefix: str = "$") -> Typed:
        typed = there.compiled(self._node(there), prefix)
        if not there.is_new and holds(there.kind, typed.kind) is False:
            raise ViewError(
                f"{self.name}() would put {typed.shown}, a {typed.kind}, into {there.path!r}, a {there.field}. "
                "Convert it, or use another field."
            )
        return typed

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        there = self._place(schema)
        self._typed(there)
        return there.set(lambda prefix: self._typed(there, prefix).code)

    def schema_after(self, schema: Schema) -> Schema:
        """Give the fields of the samples that leave: of unknown kind where the expression could give anything."""
        there = self._place(schema)
        kind = self._typed(there).kind
        if there.is_new:
            return schema.with_field(there.path, field_of(kind))
        if is_none(self._node(there)) or holds(there.kind, kind):
            return schema
        return schema.with_field(there.path, Field())

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the paths of the lists that leave changed."""
        return self._place(schema).lists()


@dataclass(frozen=True)
class SetField(_Setting):
    """Show the result of an expression in a field; nothing is stored.

    In an attribute of labels, it is computed for each label. Where the label or dict that should hold the value is
    missing, nothing is put.

    Args:
        field: a field of the dataset, or an attribute of its labels, which may be a new one.
        expr: a value or an expression. Names are looked up in what the value lies in: in the sample, or in the label
            whose attribute it is. "$" before a name means a field of the sample.

    Example:
        >>> from ..expressions import F
        >>> print(SetField("predictions.detections.label", F("label").upper()))
        set_field("predictions.detections.label", F("label").upper())
    """

    name = "set_field"

    field: str
    expr: Any

    def __post_init__(self) -> None:
        self._settle(field=_plain(self.field, self.name), expr=as_node(self.expr))

    def _place(self, schema: Schema) -> Place:
        return place(schema, self.field, self.name, may_be_new=True)

    def _node(self, there: Place) -> Node:  # noqa: ARG002  # the same everywhere
        node: Node = self.expr
        return node


@dataclass(frozen=True)
class MapLabels(_Setting):
    """Show other names for some labels; nothing is stored.

    Args:
        field: the field of labels, such as "predictions".
        map: new names by old ones; labels that are not among these keep theirs.

    Example:
        >>> print(MapLabels("predictions", {"kitten": "cat", "puppy": "dog"}))
        map_labels("predictions", {"kitten": "cat", "puppy": "dog"})
    """

    name = "map_labels"

    field: str
    map: Any

    def __post_init__(self) -> None:
        self._settle(field=_plain(self.field, self.name), map=_pairs(self.map, self.name))

    def __str__(self) -> str:
        return f'{self.name}("{self.field}", {_as_dict(self.map)})'

    def _place(self, schema: Schema) -> Place:
        return place(schema, f"{label_field(schema, self.field).root_path}.label", self.name)

    def _node(self, there: Place) -> Node:
        return _mapped(Path(there.name), self.map)


@dataclass(frozen=True)
class MapValues(_Setting):
    """Show other values for some values of a field; nothing is stored. In a field of lists, each element is looked at.

    Args:
        field: the field, or an attribute of labels.
        map: new values by old ones; all others stay. The key None stands for missing or None.

    Example:
        >>> print(MapValues("weather", {"drizzle": "rain", "hail": None}))
        map_values("weather", {"drizzle": "rain", "hail": None})
    """

    name = "map_values"

    field: str
    map: Any

    def __post_init__(self) -> None:
        self._settle(field=_plain(self.field, self.name), map=_pairs(self.map, self.name))

    def __str__(self) -> str:
        return f'{self.name}("{self.field}", {_as_dict(self.map)})'

    def _place(self, schema: Schema) -> Place:
        return place(schema, self.field, self.name)

    def _node(self, there: Place) -> Node:
        if not isinstance(there.field, ListField):
            return _mapped(Path(there.name), self.map)
        return Each("map", Path(there.name), _mapped(Path(""), self.map))


@dataclass(frozen=True)
class FilterField(Stage):
    """Show the value of a field only where a condition holds, and None elsewhere; nothing is stored.

    Args:
        field: the field, or an attribute of labels.
        filter: the condition. `F()` is the value and names are looked up in it; "$" before a name means a field of the
            sample.
        only_matches: whether to leave out the samples that keep no value.

    Example:
        >>> from ..expressions import F
        >>> print(FilterField("uniqueness", F() > 0.5))
        filter_field("uniqueness", F() > 0.5)
    """

    name = "filter_field"
    shapes_documents = True

    field: str
    filter: Any
    only_matches: bool = True

    def __post_init__(self) -> None:
        self._settle(
            field=_plain(self.field, self.name),
            filter=condition(self.filter, "F() > 0.5"),
            only_matches=bool(self.only_matches),
        )
        if self.field == "filepath":
            raise ViewError("filter_field() was given 'filepath', which every sample has. It is always shown.")

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        there = place(schema, self.field, self.name)

        def shown(prefix: str) -> Any:
            code = there.code(prefix)
            holding = value(self.filter, Scope(schema, code=code, kind=there.kind)).code
            return when(is_absent(code), code, when(holding, code, NULL))

        steps = there.set(shown)
        return [*steps, *Exists(self.field).to_mongo(schema)] if self.only_matches else steps

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the paths of the lists that leave changed."""
        return place(schema, self.field, self.name).lists()


def _plain(field: Any, stage: str) -> str:
    """Give the name of a field without the marks of lists, which are found without them."""
    if not isinstance(field, str) or not field or field.endswith("[]"):
        raise ViewError(f"{stage}() was given {field!r}. Give the name of a field, such as 'predictions'.")
    return field.replace("[]", "")


def _pairs(given: Any, stage: str) -> Constant:
    """Give a mapping as the constant of a list of pairs, since not every key could be one in the database."""
    if isinstance(given, Constant):
        return given
    if not isinstance(given, Mapping):
        raise ViewError(f"{stage}() was given {given!r}. Give a dict from old values to new ones.")
    return Constant([[constants.normal(old), constants.normal(new)] for old, new in given.items()])


def _mapped(node: Node, pairs: Constant) -> Node:
    old, new = ([pair[side] for pair in pairs.value] for side in (0, 1))
    return Call("map_values", (node, Constant(old), Constant(new)))


def _as_dict(pairs: Constant) -> str:
    items = [f"{briefly(Constant(old))}: {briefly(Constant(new))}" for old, new in pairs.value[:3]]
    more = [f"… {len(pairs.value)} in all"] if len(pairs.value) > 3 else []
    return f"{{{', '.join([*items, *more])}}}"
