"""The selection config: how many samples, chosen by which strategies on which inputs.

The JSON form is LightlyOne's; the same can be given as values. Whatever cannot be carried out is refused with the path
of the key, before any sample is read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from os import PathLike
from typing import Any

from ...dataset.errors import SelectionError, WrongValueError
from .checking import mapping, number, optional, whole
from .files import ENDINGS, read_config_file
from .strategies import AnyStrategy, Strategy, parse_strategy
from .worker_config import from_worker_config, is_worker_config

SIZES = ("n_samples", "proportion_samples", "n_total")
DEFAULT_STRATEGIES = ({"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}},)
_CONFIG_KEYS = (*SIZES, "strategies", "selected_sequence_length")
_NOT_HERE = {
    "lightly_path_regex": "Read the values out of the file names into a field first, with "
    "dataset.set_values(<field>, [... for path in dataset.values('filepath')]), and name it as METADATA.",
    "auto_tasks": "Keep the tiles as boxes in a field of Detections, embed them with compute_embeddings(dataset, "
    "patches_field=<field>), and name the field as the task of EMBEDDINGS.",
}
_LENGTH = whole("a whole number of at least 1", lambda count: count >= 1)
_COUNT = optional(_LENGTH)
_SHARE = optional(number("a number above 0 and up to 1", lambda share: 0 < share <= 1))


@dataclass(frozen=True)
class SelectionConfig:
    """How many samples are wanted, and by which strategies. Exactly one of the three sizes is given.

    Where no strategy prefers one sample to another (only thresholds and limits), picks go in the order of the samples.

    Attributes:
        strategies: what decides, at least one.
        n_samples: samples to pick, at least 1, those that were picked before not counted.
        proportion_samples: the same as a share of the candidates, above 0 and at most 1.
        n_total: samples there shall be in the end, those that were picked before counted.
        selected_sequence_length: how many consecutive frames are picked together; sizes are multiples of it.
        notes: what a config in the worker's form asks for besides, and what does it. No part of the JSON form.
    """

    strategies: tuple[AnyStrategy, ...]
    n_samples: int | None = None
    proportion_samples: float | None = None
    n_total: int | None = None
    selected_sequence_length: int = 1
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SelectionError: if not exactly one size is given, or a value is wrong.
        """
        sizes = {name: getattr(self, name) for name in SIZES if getattr(self, name) is not None}
        if len(sizes) != 1:
            given = " and ".join(f"{name}={value!r}" for name, value in sizes.items())
            raise SelectionError(
                f"{given + ' are' if given else 'no size is'} given. Give exactly one of {', '.join(SIZES)}."
            )
        object.__setattr__(self, "strategies", _parsed(self.strategies))
        for name in SIZES:
            check = _SHARE if name == "proportion_samples" else _COUNT
            object.__setattr__(self, name, check(getattr(self, name), name))
        length = _LENGTH(self.selected_sequence_length, "selected_sequence_length")
        object.__setattr__(self, "selected_sequence_length", length)
        for name in ("n_samples", "n_total"):
            if (getattr(self, name) or 0) % length:
                raise WrongValueError(
                    name, f"={sizes[name]} is not a multiple of selected_sequence_length={length}. "
                    f"Near are {_below(sizes[name], length) or length} and {_above(sizes[name], length)}.",
                )  # fmt: skip

    def size(self, candidates: int, preselected: int = 0) -> int:
        """How many new samples to pick.

        A share is one of the candidates, as written in decimals; it rounds half up, to at least one, and to the next
        whole sequence. More than there are is all there are. All others are rounded down to whole sequences.

        Args:
            candidates: how many samples may be picked.
            preselected: how many were picked before.

        Example:
            >>> parse_config({"proportion_samples": 0.25, "strategies": list(DEFAULT_STRATEGIES)}).size(10)
            3
        """
        length = self.selected_sequence_length
        if self.n_samples is not None:
            wanted = self.n_samples
        elif self.n_total is not None:
            wanted = _below(max(0, self.n_total - preselected), length)
        else:
            share = Decimal(str(self.proportion_samples)) * candidates
            wanted = _above(max(1, int(share.to_integral_value(ROUND_HALF_UP))), length)
        return min(wanted, _below(candidates, length))

    def size_note(self, candidates: int, preselected: int = 0) -> str | None:
        """Say why fewer are picked than was asked for, if so.

        Example:
            >>> parse_config({"n_total": 5, "strategies": list(DEFAULT_STRATEGIES)}).size_note(100, preselected=5)
            'n_total=5 is reached already: 5 samples were picked before; nothing was selected'
        """
        if self.n_total is not None and self.n_total - preselected < self.selected_sequence_length:
            return (
                f"n_total={self.n_total} is reached already: {preselected} samples were picked before; "
                "nothing was selected"
            )
        asked = self.n_samples if self.n_samples is not None else (self.n_total or 0) - preselected
        picked = self.size(candidates, preselected)
        if self.proportion_samples is not None or asked <= picked:
            return None
        if self.selected_sequence_length == 1:
            return f"{asked} samples were asked for; all {candidates} candidates were selected"
        return f"{asked} samples were asked for; {picked} fit into sequences of {self.selected_sequence_length}"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form, with every default written out."""
        given = {name: getattr(self, name) for name in SIZES if getattr(self, name) is not None}
        strategies = [strategy.to_dict() for strategy in self.strategies]
        return {**given, "strategies": strategies, "selected_sequence_length": self.selected_sequence_length}


def parse_config(
    config: "SelectionConfig | Mapping[str, Any] | Sequence[AnyStrategy | Mapping[str, Any]] | str | PathLike[str]",
    *,
    n_samples: int | None = None,
    proportion_samples: float | None = None,
    n_total: int | None = None,
) -> SelectionConfig:
    """Check a selection config.

    Args:
        config: LightlyOne's form: one of the sizes, and `strategies`, a list of `{"input": {"type": ..., ...},
            "strategy": {"type": ..., ...}}` or of values such as `Diversity("embedding")`, in any mixture; or the
            strategies alone; or the form of LightlyOne's worker, which has the key `method`; or the path of a .json,
            .yaml or .yml file that holds one of the two mappings; or a SelectionConfig.
        n_samples: this size in place of the config's.
        proportion_samples: this size in place of the config's.
        n_total: this size in place of the config's.

    Raises:
        SelectionError: if a key is unknown or has a wrong value, a pair of input and strategy does not exist, or not
            exactly one size is given. The message begins with the path of the key.

    Example:
        >>> parse_config({"n_samples": 50, "strategies": list(DEFAULT_STRATEGIES)}).strategies[0].input.key
        'embedding'
    """
    given: dict[str, Any] = {"n_samples": n_samples, "proportion_samples": proportion_samples, "n_total": n_total}
    size = {name: value for name, value in given.items() if value is not None}
    if isinstance(config, SelectionConfig):
        return replace(config, **given) if size else config
    if isinstance(config, str | PathLike):
        return _from_file(config, size)
    if isinstance(config, Sequence):
        config = {"strategies": config}
    elif not isinstance(config, Mapping):
        what = "a mapping, a list of strategies or the path of a file"
        raise WrongValueError("selection_config", f"={config!r} is not {what}.{_instead_of(config)}")
    return _from_mapping(config, size)


def slug_of(tag: str) -> str:
    """The name under which a selection's figures are kept on the samples.

    Every sign of the tag that is no letter, digit or underscore becomes an underscore.

    Example:
        >>> slug_of("batch-7"), slug_of("round 2.1")
        ('batch_7', 'round_2_1')
    """
    return re.sub(r"\W", "_", tag)


def _instead_of(config: object) -> str:
    """What was meant by something that is no config."""
    if isinstance(config, Strategy | type):
        return " Put a strategy into a list: [...]."
    return f" How many is said by n_samples={config!r}." if isinstance(config, int) else ""


def _from_file(path: str | PathLike[str], size: Mapping[str, Any]) -> SelectionConfig:
    if not str(path).lower().endswith(ENDINGS):
        raise WrongValueError(
            "selection_config", f"={str(path)!r} is neither a mapping nor the path of a file: {', '.join(ENDINGS)}."
        )
    value = read_config_file(path)
    try:
        return _from_mapping(value, size)
    except SelectionError as error:
        raise SelectionError(f"{path}: {error}") from None


def _from_mapping(config: Mapping[str, Any], size: Mapping[str, Any]) -> SelectionConfig:
    _refuse_elsewhere(config)
    config = {key: value for key, value in config.items() if key not in _NOT_HERE}
    notes: tuple[str, ...] = ()
    if is_worker_config(config):
        config, notes = from_worker_config(config)
    top = mapping(config, "selection_config", _CONFIG_KEYS)
    if size:
        top = {**{key: value for key, value in top.items() if key not in SIZES}, **size}
    return SelectionConfig(**{"strategies": None, **top}, notes=notes)


def _refuse_elsewhere(config: Mapping[Any, Any]) -> None:
    """Refuse keys that have another place here, by saying which."""
    for key, instead in _NOT_HERE.items():
        if config.get(key):
            raise WrongValueError(key, f"={config[key]!r} is not done by select. {instead}")
    if "method" in config and "strategies" in config:
        raise SelectionError("method and strategies were both given. Give the strategies; method is an older form.")
    if "stopping_condition" in config and "method" not in config:
        raise SelectionError(
            "stopping_condition is a key of the worker's form, which also has the key method: coral, coreset or "
            "random. With strategies, give n_samples, and stopping_condition_minimum_distance to DIVERSITY."
        )


def _parsed(strategies: object) -> tuple[AnyStrategy, ...]:
    if not isinstance(strategies, Sequence) or isinstance(strategies, str) or not strategies:
        is_one = isinstance(strategies, Strategy | Mapping | type)
        advice = " Put it into a list: strategies=[...]." if is_one else ""
        raise WrongValueError("strategies", f"={strategies!r} is not a list with at least one strategy.{advice}")
    return tuple(parse_strategy(value, f"strategies[{index}]") for index, value in enumerate(strategies))


def _below(count: int, length: int) -> int:
    """The largest multiple of the length up to the count."""
    return count // length * length


def _above(count: int, length: int) -> int:
    """The smallest multiple of the length from the count on."""
    return -(-count // length) * length
