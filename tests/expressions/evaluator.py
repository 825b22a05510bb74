"""What expressions mean, in plain Python: the judge of both compilers. It shares no code with them but the nodes."""

import math
from typing import Any

from saccade.dataset.expressions import nodes
from saccade.dataset.types import Oid

MISSING = object()


def evaluate(node: nodes.Node, sample: Any, here: Any = MISSING) -> Any:  # noqa: C901, PLR0912  # one case a node
    """Compute a node for one stored document; `here` is the current element."""
    here = sample if here is MISSING else here
    match node:
        case nodes.Constant(value):
            return value
        case nodes.Path(path, base):
            return follow(sample if base == "root" else here, path)
        case nodes.Compare(op, left, right):
            return compared(op, evaluate(left, sample, here), evaluate(right, sample, here), right)
        case nodes.Logic("not", (operand,)):
            return not truth(evaluate(operand, sample, here))
        case nodes.Logic("and", operands):
            return all(truth(evaluate(operand, sample, here)) for operand in operands)
        case nodes.Logic("or", operands):
            return any(truth(evaluate(operand, sample, here)) for operand in operands)
        case nodes.Choice(branches, default):
            for condition, then in branches:
                if truth(evaluate(condition, sample, here)):
                    return evaluate(then, sample, here)
            return evaluate(default, sample, here)
        case nodes.Apply(value, body):
            return evaluate(body, sample, or_none(evaluate(value, sample, here)))
        case nodes.Each("filter", source, body):
            items = as_list(evaluate(source, sample, here))
            return None if items is None else [item for item in items if truth(evaluate(body, sample, item))]
        case nodes.Each("map", source, body):
            items = as_list(evaluate(source, sample, here))
            return None if items is None else [or_none(evaluate(body, sample, item)) for item in items]
        case nodes.Call(function, arguments):
            return FUNCTIONS[function](*(evaluate(argument, sample, here) for argument in arguments))
    raise AssertionError(node)


def follow(value: Any, path: str) -> Any:
    if not path:
        return value
    if isinstance(value, list):
        found = [follow(item, path) for item in value if isinstance(item, dict | list)]
        return [item for item in found if item is not MISSING]
    first, _, rest = path.partition(".")
    return follow(value.get(first, MISSING), rest) if isinstance(value, dict) else MISSING


def or_none(value: Any) -> Any:
    return None if value is MISSING else value


def is_absent(value: Any) -> bool:
    return value is MISSING or value is None


def is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def truth(value: Any) -> bool:
    if is_absent(value):
        return False
    return value != 0 if isinstance(value, bool | int | float) else True


def family(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def same(left: Any, right: Any) -> bool:
    """Equality below the surface, where None and NaN are values like others."""
    if family(left) != family(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return left == right or (is_nan(left) and is_nan(right))


def compared(op: str, left: Any, right: Any, right_node: nodes.Node) -> bool:
    if isinstance(right_node, nodes.Constant) and right_node.value is None:
        return is_absent(left) if op == "eq" else not is_absent(left)
    if any(is_absent(side) or is_nan(side) for side in (left, right)):
        return False
    left, right = as_ids(left, right)
    if op in {"eq", "ne"}:
        return same(left, right) == (op == "eq")
    if family(left) != family(right) or isinstance(left, list | dict):
        return False
    return {"lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}[op]


def as_ids(left: Any, right: Any) -> tuple[Any, Any]:
    """Text that meets an id is an id, in any case of its letters."""
    if Oid in {type(left), type(right)}:
        return tuple(Oid(side.lower()) if isinstance(side, str) else side for side in (left, right))
    return left, right


def as_list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def number(value: Any) -> Any:
    return value if family(value) == "number" else None


def arithmetic(compute):
    def wrapped(*values):
        numbers = [number(or_none(value)) for value in values]
        return None if None in numbers else compute(*numbers)

    return wrapped


def is_in(value: Any, choices: list[Any]) -> bool:
    if is_absent(value):
        return None in choices
    return any(not is_nan(choice) and choice is not None and same(*as_ids(value, choice)) for choice in choices)


def contains(items: Any, wanted: Any, how: Any) -> bool:
    items = as_list(items) or []
    return how(any(same(item, one) for item in items) for one in wanted)


def text_test(test):
    return lambda value, words, _: isinstance(value, str) and any(test(value, word) for word in words)


def extreme(choose):
    def wrapped(items):
        found = [item for item in as_list(items) or [] if number(item) is not None and not is_nan(item)]
        return choose(found) if found else None

    return wrapped


def total(items: Any) -> Any:
    return sum(item for item in as_list(items) or [] if number(item) is not None and not is_nan(item))


FUNCTIONS = {
    "add": arithmetic(lambda a, b: a + b),
    "subtract": arithmetic(lambda a, b: a - b),
    "multiply": arithmetic(lambda a, b: a * b),
    "divide": arithmetic(lambda a, b: None if b == 0 else a / b),
    "abs": arithmetic(abs),
    "is_in": is_in,
    "is_missing": lambda value: value is MISSING,
    "is_number": lambda value: family(value) == "number",
    "is_string": lambda value: isinstance(value, str),  # ids are text to users
    "is_array": lambda value: isinstance(value, list),
    "length": lambda items: len(as_list(items) or []),
    "contains_any": lambda items, wanted: contains(items, wanted, any),
    "contains_all": lambda items, wanted: contains(items, wanted, all),
    "max": extreme(max),
    "min": extreme(min),
    "sum": total,
    "starts_with": text_test(str.startswith),
    "ends_with": text_test(str.endswith),
    "contains_str": text_test(lambda value, word: word in value),
    "matches_str": text_test(lambda value, word: value == word),
    "strlen": lambda value: len(value) if isinstance(value, str) else 0,
}
