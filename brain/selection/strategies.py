"""The strategies of a selection as values, and their JSON form. What they do is `brain.selection.objectives`.

A strategy is a pair: an input, and what is wanted of it. This is where all of them are found, and read.
"""

from collections.abc import Mapping
from typing import TypeAlias

from ...dataset.errors import WrongValueError, hint
from .checking import choice, mapping
from .inputs import parse_input
from .limits import Budget, GroupCap, Threshold, TimeGap
from .on_values import Balance, Random, Weights
from .on_vectors import Coverage, Diversity, Similarity, Typicality
from .pairs import PAIRS, Strategy, wrong_pair

__all__ = [
    "PAIRS",
    "STRATEGIES",
    "AnyStrategy",
    "Balance",
    "Budget",
    "Coverage",
    "Diversity",
    "GroupCap",
    "Random",
    "Similarity",
    "Strategy",
    "Threshold",
    "TimeGap",
    "Typicality",
    "Weights",
    "parse_strategy",
]

AnyStrategy: TypeAlias = (
    Diversity
    | Weights
    | Balance
    | Similarity
    | Typicality
    | Coverage
    | Random
    | Threshold
    | GroupCap
    | TimeGap
    | Budget
)

STRATEGIES: Mapping[str, type[AnyStrategy]] = {
    kind.type: kind
    for kind in (
        Diversity, Weights, Balance, Similarity, Typicality, Coverage, Random, Threshold, GroupCap, TimeGap, Budget
    )
}  # fmt: skip


def parse_strategy(value: object, place: str = "strategy") -> AnyStrategy:
    """Read the JSON form of a pair; a value that is a strategy already is given back.

    Args:
        value: `{"input": {"type": ..., ...}, "strategy": {"type": ..., ...}}`.
        place: its path in the config, for messages.

    Raises:
        SelectionError: if the pair does not exist, a key is not known or missing, or a value is wrong. The message
            begins with the path of the key.

    Example:
        >>> parse_strategy({"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}) == Diversity()
        True
    """
    if isinstance(value, AnyStrategy):
        return value
    if isinstance(value, type) and issubclass(value, Strategy):
        raise WrongValueError(place, f" is the class {value.__name__}. Make a value of it: {value.__name__}(...).")
    pair = mapping(value, place, ("input", "strategy"))
    source = parse_input(pair.get("input"), f"{place}.input")
    method = pair.get("strategy")
    every_key = ("type", *sorted({option.key for kind in STRATEGIES.values() for option in kind.options}))
    named = method.get("type") if isinstance(method, Mapping) else None
    shown = _keys(named) if isinstance(named, str) and named in STRATEGIES else every_key
    given = mapping(method, f"{place}.strategy", every_key, shown)
    name = given.pop("type", None)
    if not isinstance(name, str) or name not in STRATEGIES:
        choice(PAIRS[source.kind])(name, f"{place}.strategy.type")
    kind = STRATEGIES[str(name)]
    if kind.type not in PAIRS[source.kind]:
        raise wrong_pair(source.kind, kind.type, f"{place}.strategy.type")
    for key in given:
        _check_owner(kind, key, given[key], f"{place}.strategy.{key}")
    try:
        return kind.read(source, given)  # type: ignore[return-value]  # PAIRS names these alone
    except WrongValueError as wrong:
        raise wrong.under(place) from None


def _keys(strategy: str) -> tuple[str, ...]:
    return ("type", *(option.key for option in STRATEGIES[strategy].options))


def _check_owner(kind: type[AnyStrategy], key: str, value: object, place: str) -> None:
    """Refuse the key of another strategy, by naming that one."""
    if key in _keys(kind.type):
        return
    owners = [other for other in STRATEGIES if key in _keys(other)]
    why = " It decides alone, before or beside all others." if key == "strength" else ""
    longer = next((own for own in _keys(kind.type) if own.endswith(f"_{key}")), key)
    takes = hint(longer, _keys(kind.type), f"{kind.type} takes")
    raise WrongValueError(place, f"={value!r} is for {', '.join(owners)}.{why} {takes}")
