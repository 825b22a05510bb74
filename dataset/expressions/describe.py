"""Nodes as people write them: `F("uniqueness") > 0.5`."""

from datetime import datetime
from functools import singledispatch
from typing import Any

from ..types import Oid
from .nodes import Apply, Bound, Call, Choice, Compare, Constant, Each, Let, Logic, Node, Path

SYMBOLS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ARITHMETIC = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "floor_divide": "//",
    "mod": "%",
    "pow": "**",
}
_RENAMED = {"contains_any": "contains", "least": "min", "greatest": "max", "std_sample": "std", "uniform": "rand"}
_LONGEST = 400


@singledispatch
def describe(node: Node) -> str:
    """Write a node as Python.

    Example:
        >>> describe(Compare("gt", Path("uniqueness"), Constant(0.5)))
        'F("uniqueness") > 0.5'
    """
    return f"<{node.kind}>"


def briefly(node: Node) -> str:
    """Write a node as Python, shortened in the middle if it is very long."""
    text = describe(node)
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


def _operand(node: Node) -> str:
    text = describe(node)
    is_operator = isinstance(node, Compare | Logic) or (isinstance(node, Call) and node.function in _ARITHMETIC)
    return f"({text})" if is_operator and not text.startswith("~") else text


@describe.register
def _(node: Constant) -> str:
    return _shown(node.value)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = repr(str(value) if isinstance(value, Oid) else value)
        return '"' + text[1:-1] + '"' if text.startswith("'") and '"' not in text else text
    if isinstance(value, datetime):
        return f"datetime({value.isoformat()})"
    if isinstance(value, list):
        shown = [_shown(item) for item in value[:20]] + ([f"… {len(value)} in all"] if len(value) > 20 else [])
        return f"[{', '.join(shown)}]"
    return repr(value)


@describe.register
def _(node: Path) -> str:
    if node.base == "value":
        return f'VALUE["{node.path}"]' if node.path else "VALUE"
    start = "$" if node.base == "root" else ""
    return f'F("{start}{node.path}")' if start or node.path else "F()"


@describe.register
def _(node: Bound) -> str:
    return node.name


@describe.register
def _(node: Compare) -> str:
    return f"{_operand(node.left)} {SYMBOLS[node.op]} {_operand(node.right)}"


@describe.register
def _(node: Logic) -> str:
    operands = [_operand(operand) for operand in node.operands]
    return f"~{operands[0]}" if node.op == "not" else {"and": " & ", "or": " | "}[node.op].join(operands)


@describe.register
def _(node: Call) -> str:
    if node.function in _ARITHMETIC and len(node.arguments) == 2:
        left, right = node.arguments
        return f"{_operand(left)} {_ARITHMETIC[node.function]} {_operand(right)}"
    if not node.arguments or node.function in {"array", "range", "zip", "zip_longest", "uniform"}:
        name = _RENAMED.get(node.function, node.function)
        return f"F.{name}({', '.join(describe(argument) for argument in node.arguments)})"
    value, *others = node.arguments
    arguments = [describe(argument) for argument in others]
    if node.function == "index":
        return f"{_operand(value)}[{arguments[0]}]"
    if node.function == "slice":
        return f"{_operand(value)}[{':'.join('' if text == 'None' else text for text in arguments)}]"
    if node.function == "contains_all":
        return f"{_operand(value)}.contains({', '.join(arguments)}, all=True)"
    return f"{_operand(value)}.{_RENAMED.get(node.function, node.function)}({', '.join(arguments)})"


@describe.register
def _(node: Each) -> str:
    name = "sort" if node.function == "sort_descending" else node.function
    body = "" if name == "sort" and node.body == Path("") else describe(node.body)
    more = [describe(node.initial)] if node.initial else []
    more += ["reverse=True"] if node.function == "sort_descending" else []
    return f"{_operand(node.source)}.{name}({', '.join([body, *more] if body else more)})"


@describe.register
def _(node: Choice) -> str:
    if len(node.branches) == 1:
        condition, then = node.branches[0]
        return f"{_operand(condition)}.if_else({describe(then)}, {describe(node.default)})"
    cases = ", ".join(f"{describe(condition)}: {describe(then)}" for condition, then in node.branches)
    return f"F().switch({{{cases}}}, {describe(node.default)})"


@describe.register
def _(node: Apply) -> str:
    return f"{_operand(node.value)}.apply({describe(node.body)})"


@describe.register
def _(node: Let) -> str:
    return f"{_operand(node.value)}.let_in({describe(node.body)})"
