"""From nodes to the aggregation language, with a check of every field and every kind on the way."""

from dataclasses import replace
from functools import singledispatch
from typing import Any

from ..errors import ExpressionError
from . import kinds
from .compare import compare
from .describe import describe
from .functions import registry
from .kinds import Kind
from .nodes import Apply, Bound, Call, Choice, Compare, Constant, Each, Let, Logic, Node, Path
from .typed import NULL, Scope, Typed, is_absent, is_not_nan, joined, listing, literal, when


@singledispatch
def translate(node: Node, scope: Scope) -> Typed:  # noqa: ARG001  # one signature for all nodes
    """Translate any node but keep vectors and arrays, which have no value in the database's language.

    Raises:
        FieldNotFoundError: if a field does not exist.
        ExpressionError: if a part is of a kind that cannot stand there.
    """
    raise ExpressionError(f"no translation for the expression node {node.kind!r}")


def value(node: Node, scope: Scope) -> Typed:
    """Translate a node whose value is used."""
    typed = translate(node, scope)
    if typed.kind.name == "vector":
        raise ExpressionError(
            f"{typed.shown} is a vector. Expressions on vectors are limited to exists(), is_null() and comparing with "
            "None; read the numbers with read_vectors() or values()."
        )
    if typed.kind.name == "array":
        raise ExpressionError(
            f"{typed.shown} is an array. Expressions on arrays are limited to exists(), is_null() and comparing with "
            "None; read the numbers with values()."
        )
    return typed


@translate.register
def _(node: Constant, scope: Scope) -> Typed:  # noqa: ARG001  # one signature for all nodes
    return Typed(literal(node.value), kinds.of_constant(node.value), node.value, describe(node))


@translate.register
def _(node: Path, scope: Scope) -> Typed:
    if node.base == "value":
        if scope.value is None:
            raise ExpressionError("VALUE stands for what a reduction has reached; it has no meaning outside reduce().")
        start, code = scope.value, "$$value"
    elif node.base == "root":
        start, code = kinds.ROOT, scope.root
    else:
        start, code = scope.kind, scope.code
    step = kinds.follow(scope.schema, start, node.path)
    return Typed(joined(code, step.db_path), step.kind, shown=describe(node))


@translate.register
def _(node: Bound, scope: Scope) -> Typed:
    return scope.bound[node.name]


@translate.register
def _(node: Compare, scope: Scope) -> Typed:
    if node.op in {"eq", "ne"} and isinstance(node.right, Constant) and node.right.value is None:
        left = translate(node.left, scope)  # whether there is a vector may be asked
    else:
        left = value(node.left, scope)
    return Typed(compare(node.op, left, value(node.right, scope), scope.names), kinds.BOOLEAN, shown=describe(node))


@translate.register
def _(node: Logic, scope: Scope) -> Typed:
    operands = [value(operand, scope).code for operand in node.operands]
    return Typed({f"${node.op}": operands}, kinds.BOOLEAN, shown=describe(node))


@translate.register
def _(node: Call, scope: Scope) -> Typed:
    function = registry.named(node.function)
    arguments = [value(argument, scope) for argument in node.arguments]
    function.check(arguments)
    result = function.gives(arguments) if callable(function.gives) else function.gives
    return Typed(function.write(arguments, scope.names), result, shown=describe(node))


@translate.register
def _(node: Choice, scope: Scope) -> Typed:
    branches = [(value(condition, scope).code, value(then, scope)) for condition, then in node.branches]
    default = value(node.default, scope)
    results = [then for _, then in branches] + [default]
    kind = kinds.common([result.kind for result in results if result.constant is not None] or [kinds.ANY])
    if len(branches) == 1:
        code = when(branches[0][0], branches[0][1].code, default.code)
    else:
        listed = [{"case": condition, "then": then.code} for condition, then in branches]
        code = {"$switch": {"branches": listed, "default": default.code}}
    return Typed(code, kind, shown=describe(node))


@translate.register
def _(node: Apply, scope: Scope) -> Typed:
    applied = value(node.value, scope)
    if isinstance(applied.code, str):
        return value(node.body, replace(scope, code=applied.code, kind=applied.kind))
    name = scope.names.new()
    body = value(node.body, replace(scope, code=f"$${name}", kind=applied.kind))
    return Typed({"$let": {"vars": {name: applied.code}, "in": body.code}}, body.kind, shown=describe(node))


@translate.register
def _(node: Let, scope: Scope) -> Typed:
    named = value(node.value, scope)
    if isinstance(named.code, str) or named.is_constant:
        return value(node.body, replace(scope, bound={**scope.bound, node.name: named}))
    name = scope.names.new()
    body = value(node.body, replace(scope, bound={**scope.bound, node.name: replace(named, code=f"$${name}")}))
    return Typed({"$let": {"vars": {name: named.code}, "in": body.code}}, body.kind, shown=describe(node))


@translate.register
def _(node: Each, scope: Scope) -> Typed:
    source = value(node.source, scope)
    if source.kind.name not in {"list", "any"}:
        raise ExpressionError(
            f"{node.function.partition('_')[0]}() works on lists; {source.shown} is a {source.kind}. Use apply() to "
            "compute something from a single value."
        )
    element = source.kind.element or kinds.ANY
    name = scope.names.new()
    inside = replace(scope, code=f"$${name}", kind=element)
    given = listing(source, scope.names)
    shown = describe(node)
    if node.function == "filter":
        code = {"$filter": {"input": given, "as": name, "cond": value(node.body, inside).code}}
        return Typed(code, source.kind, shown=shown)
    if node.function == "map":
        body = value(node.body, inside)
        return Typed({"$map": {"input": given, "as": name, "in": body.code}}, kinds.list_of(body.kind), shown=shown)
    if node.function == "reduce":
        return _reduced(node, given, element, scope)
    return Typed(_sorted(node, given, name, inside), source.kind, shown=shown)


def _reduced(node: Each, given: Any, element: Kind, scope: Scope) -> Typed:
    initial = value(node.initial or Constant(0), scope)
    body = value(node.body, replace(scope, code="$$this", kind=element, value=initial.kind))
    code = {"$reduce": {"input": given, "initialValue": initial.code, "in": body.code}}
    return Typed(code, kinds.common([initial.kind, body.kind]), shown=describe(node))


def _sorted(node: Each, given: Any, name: str, inside: Scope) -> Any:
    """Sort by a key beside each element; those without the key come last in both directions."""
    key = value(node.body, inside)
    absent = inside.names.bind(key.code, lambda code: {"$or": [is_absent(code), {"$not": [is_not_nan(code)]}]})
    pairs = {"$map": {"input": given, "as": name, "in": {"absent": absent, "key": key.code, "element": inside.code}}}
    by = {"absent": 1, "key": -1 if node.function == "sort_descending" else 1}
    return inside.names.bind(pairs, lambda code: when(is_absent(code), NULL, _in_order(code, by, inside)))


def _in_order(pairs: Any, by: dict[str, int], inside: Scope) -> Any:
    name = inside.names.new()
    ordered = {"$sortArray": {"input": {"$ifNull": [pairs, {"$literal": []}]}, "sortBy": by}}
    return {"$map": {"input": ordered, "as": name, "in": f"$${name}.element"}}
