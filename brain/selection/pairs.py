"""Pairs of an input and a strategy: which there are, and what all strategies share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ...dataset.errors import WrongValueError
from .checking import Check, Named, boolean, number
from .inputs import AnyInput, Embeddings, Metadata

PAIRS: Mapping[str, tuple[str, ...]] = {
    "EMBEDDINGS": ("DIVERSITY", "SIMILARITY", "TYPICALITY", "COVERAGE"),
    "METADATA": ("WEIGHTS", "THRESHOLD", "BALANCE", "GROUP_CAP", "TIME_GAP", "BUDGET"),
    "SCORES": ("WEIGHTS", "THRESHOLD"),
    "PREDICTIONS CATEGORY_COUNT": ("WEIGHTS", "THRESHOLD"),
    "PREDICTIONS CLASS_DISTRIBUTION": ("BALANCE",),
    "RANDOM": ("RANDOM", "WEIGHTS", "THRESHOLD"),
}
"""The strategies that each kind of input can have. Whether a field has numbers or categories shows when it is read."""


@dataclass(frozen=True)
class Option:
    """A value of a strategy beside its input.

    Attributes:
        name: the attribute, and the argument.
        key: the key in JSON.
        check: what it may be.
        default: what it is where it is not given. None means that it is not given.
        required: whether it must be given.
        to_json: its form in JSON.
    """

    name: str
    key: str
    check: Check
    default: Any = None
    required: bool = False
    to_json: Callable[[Any], Any] = lambda value: value


STRENGTH = Option(
    "strength", "strength", number("a number from -1e9 to 1e9", lambda strength: abs(strength) <= 1e9), 1.0
)
NORMALIZE = Option("normalize", "normalize", boolean, True)


class Strategy(Named):
    """What the strategies share. Each is a value: it can be compared, and it has a form in JSON.

    Attributes:
        type: its name in JSON.
        options: its values beside the input.
        input: what it looks at.
    """

    type: ClassVar[str]
    options: ClassVar[tuple[Option, ...]]
    input: AnyInput

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form of the pair, with every default written out."""
        values = [(option, getattr(self, option.name)) for option in self.options]
        given = {option.key: option.to_json(value) for option, value in values if value is not None}
        return {"input": self.input.to_dict(), "strategy": {"type": self.type, **given}}

    @classmethod
    def read(cls, source: AnyInput, values: Mapping[str, object]) -> "Strategy":
        """Make one of an input and the values of the keys in JSON, `type` left out."""
        made = cls.__new__(cls)
        made._fill(source, {o.name: values[o.key] for o in cls.options if o.key in values}, in_json=True)
        return made

    def _fill(self, source: object, values: Mapping[str, object], *, in_json: bool = False) -> None:
        """Check the input and the values, and set them; what is not among the values is as by default.

        Raises:
            WrongValueError: if one cannot stand. Its place is the key in JSON or the argument.
        """
        places = {option.name: f"strategy.{option.key}" if in_json else option.name for option in self.options}
        self._check_pair(source, "strategy.type" if in_json else "type")
        object.__setattr__(self, "input", source)
        for option in self.options:
            value, place = values.get(option.name, option.default), places[option.name]
            if value is None and option.required:
                raise WrongValueError(place, f" is missing; {self.type} needs it.")
            object.__setattr__(self, option.name, option.check(value, place))
        self._agree({"input": "input", **places})

    def _check_pair(self, source: object, place: str) -> None:
        kind = source.kind if isinstance(source, AnyInput) else None
        if kind is None:
            raise WrongValueError(
                "input", f"={source!r} is not an input. {self.type} is for {' or '.join(kinds(self.type))}."
            )
        if self.type not in PAIRS[kind]:
            raise wrong_pair(kind, self.type, place)
        if isinstance(source, Embeddings) and source.tag_name is not None and self.type != "SIMILARITY":
            raise WrongValueError(
                "input.tag_name", f"={source.tag_name!r} names the queries of SIMILARITY; {self.type} has none. Leave "
                "it out. To count samples as picked before, give their tag as preselected_tag.",
            )  # fmt: skip

    def _agree(self, places: Mapping[str, str]) -> None:
        """Check what no value shows alone. `places` are the names of the input and the options in messages."""


def kinds(strategy: str) -> list[str]:
    """The kinds of input that a strategy is for.

    Example:
        >>> kinds("BALANCE")
        ['METADATA', 'PREDICTIONS CLASS_DISTRIBUTION']
    """
    return [kind for kind, strategies in PAIRS.items() if strategy in strategies]


def wrong_pair(kind: str, strategy: str, place: str) -> WrongValueError:
    """The error for a strategy that exists, but not for this kind of input."""
    return WrongValueError(
        place, f"={strategy!r} does not go with {kind}. With {kind}: {', '.join(PAIRS[kind])}. "
        f"{strategy} goes with: {', '.join(kinds(strategy))}.",
    )  # fmt: skip


def vectors(source: object) -> object:
    """The input that a strategy on vectors means by its first argument: a string is a vector field."""
    return Embeddings(source) if isinstance(source, str) else source


def values(source: object) -> object:
    """The input that any other strategy means by its first argument: a string is the path of a field."""
    return Metadata(source) if isinstance(source, str) else source
