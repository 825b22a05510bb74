"""The selection config: how many samples, chosen by which strategies on which inputs.

The JSON form is LightlyOne's. Whatever cannot be carried out is refused with the path of the key, before any sample
is read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from ...dataset.errors import SelectionError, hint

_CONFIG_KEYS = ("n_samples", "proportion_samples", "strategies")
_PAIRS = {"EMBEDDINGS": ("DIVERSITY",)}
DEFAULT_STRATEGIES = ({"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}},)


@dataclass(frozen=True)
class Strategy:
    """One pair of an input and what is to be done with it.

    Attributes:
        input_type: "EMBEDDINGS".
        key: the vector field that is read.
        type: "DIVERSITY": samples far apart, by the Euclidean distance of unit vectors.
        strength: its weight against other strategies, above zero; alone, it changes nothing.
    """

    input_type: str
    key: str
    type: str
    strength: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form, with every default written out."""
        return {
            "input": {"type": self.input_type, "key": self.key},
            "strategy": {"type": self.type, "strength": self.strength},
        }


@dataclass(frozen=True)
class SelectionConfig:
    """How many samples are wanted, and by which strategies. Exactly one of the two sizes is given.

    Attributes:
        strategies: what decides, at least one.
        n_samples: samples to pick, at least 1.
        proportion_samples: the same as a share of the candidates, above 0 and at most 1.
    """

    strategies: tuple[Strategy, ...]
    n_samples: int | None = None
    proportion_samples: float | None = None

    def size(self, candidates: int) -> int:
        """How many to pick among so many candidates: a share rounds half up, and to at least one.

        Example:
            >>> parse_config({"proportion_samples": 0.25, "strategies": list(DEFAULT_STRATEGIES)}).size(10)
            3
        """
        if self.n_samples is not None:
            return min(self.n_samples, candidates)
        return min(max(1, int((self.proportion_samples or 0.0) * candidates + 0.5)), candidates)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form, with every default written out."""
        sizes = {"n_samples": self.n_samples, "proportion_samples": self.proportion_samples}
        given = {name: value for name, value in sizes.items() if value is not None}
        return {**given, "strategies": [strategy.to_dict() for strategy in self.strategies]}


def parse_config(config: Mapping[str, Any]) -> SelectionConfig:
    """Check the JSON form of a selection config.

    Args:
        config: `n_samples` or `proportion_samples`, and `strategies`: a list of
            `{"input": {"type": "EMBEDDINGS", "key": <vector field>}, "strategy": {"type": "DIVERSITY"}}`.
            `key` is "embedding" where it is not given.

    Raises:
        SelectionError: if a key is unknown or has a wrong value, or if not exactly one size is given. The message
            names the path of the key.

    Example:
        >>> parse_config({"n_samples": 50, "strategies": list(DEFAULT_STRATEGIES)}).strategies[0].key
        'embedding'
    """
    top = _mapping(config, "selection_config", _CONFIG_KEYS)
    n_samples, proportion = top.get("n_samples"), top.get("proportion_samples")
    if (n_samples is None) == (proportion is None):
        given = f"n_samples={n_samples!r} and proportion_samples={proportion!r} are"
        raise SelectionError(f"{'neither size is' if n_samples is None else given} given. Give exactly one of the two.")
    strategies = top.get("strategies")
    if not isinstance(strategies, Sequence) or isinstance(strategies, str) or not strategies:
        raise SelectionError(f"strategies={strategies!r} is not a list with at least one strategy")
    parsed = tuple(_strategy(value, f"strategies[{index}]") for index, value in enumerate(strategies))
    if len(parsed) > 1:
        raise SelectionError(
            f"strategies[1]: {len(parsed)} strategies were given; this version carries out one. Give one."
        )
    return SelectionConfig(parsed, _count(n_samples), _share(proportion))


def slug_of(tag: str) -> str:
    """The name under which a selection's figures are kept on the samples.

    Every sign of the tag that is no letter, digit or underscore becomes an underscore.

    Example:
        >>> slug_of("batch-7"), slug_of("round 2.1")
        ('batch_7', 'round_2_1')
    """
    return re.sub(r"\W", "_", tag)


def _strategy(value: object, path: str) -> Strategy:
    pair = _mapping(value, path, ("input", "strategy"))
    source = _mapping(pair.get("input"), f"{path}.input", ("type", "key"))
    input_type = _choice(source.get("type"), f"{path}.input.type", _PAIRS)
    key = source.get("key", "embedding")
    if not isinstance(key, str) or not key:
        raise SelectionError(f"{path}.input.key={key!r} is not the name of a vector field")
    method = _mapping(pair.get("strategy"), f"{path}.strategy", ("type", "strength"))
    kind = _choice(method.get("type"), f"{path}.strategy.type", _PAIRS[input_type])
    strength = method.get("strength", 1.0)
    if isinstance(strength, bool) or not isinstance(strength, Real) or not 0 < float(strength) <= 1e9:
        raise SelectionError(f"{path}.strategy.strength={strength!r} is not a number above 0 and up to 1e9")
    return Strategy(input_type, key, kind, float(strength))


def _mapping(value: object, path: str, known: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SelectionError(f"{path}={value!r} is not a mapping. {hint('', known, 'Its keys')}")
    for key in value:
        if key not in known:
            raise SelectionError(f"{path} has an unknown key {key!r}. {hint(str(key), known, 'Keys')}")
    return value


def _choice(value: object, path: str, known: Iterable[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise SelectionError(f"{path}={value!r} is not supported. {hint(str(value), known, 'Supported')}")
    return value


def _count(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise SelectionError(f"n_samples={value!r} is not a whole number of at least 1")
    return int(value)


def _share(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) <= 1:
        raise SelectionError(f"proportion_samples={value!r} is not a number above 0 and up to 1")
    return float(value)
