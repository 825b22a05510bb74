"""Strategies on numbers, classes and chance: WEIGHTS, BALANCE and RANDOM, as values."""

# ruff: noqa: A002 - `input` is the word of the config.

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ...dataset.errors import WrongValueError
from .checking import boolean, choice, class_name, mapping, number, optional
from .inputs import Metadata, Predictions, RandomNumbers, Scores
from .pairs import STRENGTH, Option, Strategy, values

_SLACK = 1e-6
"""How far the sum of the shares of a target may lie above 1."""
_SUM = number("a number of at least 0", lambda total: total >= 0)
_SHARE = number("a share from 0 to 1", lambda share: 0 <= share <= 1)


def _range(value: object, place: str) -> tuple[float, float]:
    """The smallest and the largest sum, from a pair or from a mapping of both."""
    if isinstance(value, tuple | list) and len(value) == 2:
        value = {"min_sum": value[0], "max_sum": value[1]}
    given = mapping(value, place, ("min_sum", "max_sum"))
    for key in ("min_sum", "max_sum"):
        if key not in given:
            raise WrongValueError(f"{place}.{key}", " is missing; target_range needs both min_sum and max_sum.")
    low, high = _SUM(given["min_sum"], f"{place}.min_sum"), _SUM(given["max_sum"], f"{place}.max_sum")
    if high < low:
        raise WrongValueError(f"{place}.max_sum", f"={high!r} is below min_sum={low!r}.")
    return low, high


def _target(value: object, place: str) -> dict[str, float]:
    """The share of each class: from 0 to 1, not all 0, together at most 1."""
    if not isinstance(value, Mapping) or not value:
        raise WrongValueError(place, f"={value!r} is not a mapping of at least one class to its share.")
    shares: dict[str, float] = {}
    for given, share in value.items():
        name = class_name(given)
        if name is None or name in shares:
            raise WrongValueError(place, f" has the key {given!r}, which is no name of a class or names one twice.")
        shares[name] = _SHARE(share, f"{place}.{name}")
    if sum(shares.values()) > 1 + _SLACK:
        raise WrongValueError(place, f" has shares that sum to {sum(shares.values()):g}. Together they are at most 1.")
    if not any(shares.values()):
        raise WrongValueError(
            place, " has only shares of 0. Give one class more; or select from a view without these classes."
        )
    return shares


@dataclass(frozen=True, init=False)
class Weights(Strategy):
    """WEIGHTS: samples with high values.

    Attributes:
        input: a number of each sample.
        strength: how much it counts against other strategies; 0 not at all, below 0 low values are wanted.
        max_sum: the selection ends when the sum of the values of the picks reaches this.
        target_range: the smallest and the largest sum of the values of the picks that is wanted.
        scale: what is compared with other strategies: "rank", each value's place among all, or "raw", the value.
    """

    input: Metadata | Scores | Predictions | RandomNumbers
    strength: float
    max_sum: float | None
    target_range: tuple[float, float] | None
    scale: str

    type: ClassVar[str] = "WEIGHTS"
    options: ClassVar[tuple[Option, ...]] = (
        STRENGTH,
        Option("max_sum", "stopping_condition_max_sum", optional(_SUM)),
        Option(
            "target_range", "target_range", optional(_range),
            to_json=lambda pair: {"min_sum": pair[0], "max_sum": pair[1]},
        ),
        Option("scale", "scale", choice(("rank", "raw")), "rank"),
    )  # fmt: skip

    def __init__(
        self, input: Metadata | Scores | Predictions | RandomNumbers | str, *, strength: float = 1.0,
        max_sum: float | None = None, target_range: tuple[float, float] | Mapping[str, float] | None = None,
        scale: str = "rank",
    ) -> None:  # fmt: skip
        """Take a field path or another input."""
        given = {"strength": strength, "max_sum": max_sum, "target_range": target_range, "scale": scale}
        self._fill(values(input), given)

    def _agree(self, places: Mapping[str, str]) -> None:
        if self.max_sum is not None and self.target_range is not None and self.max_sum < self.target_range[0]:
            raise WrongValueError(
                places["max_sum"], f"={self.max_sum!r} is below the min_sum={self.target_range[0]!r} of target_range: "
                "the selection would end before it is reached.",
            )  # fmt: skip


@dataclass(frozen=True, init=False)
class Balance(Strategy):
    """BALANCE: a mix of classes close to a wanted one.

    Attributes:
        input: a field of categories, or the CLASS_DISTRIBUTION of predictions.
        target: the wanted share of each class; what is left up to 1 is for all other classes as one group.
        distribution: "TARGET", as in `target`; "UNIFORM", the same of each; "INPUT", as among the candidates.
        strength: how much it counts against other strategies; 0 not at all, below 0 inverted.
        strict: whether the counts are met exactly as long as there are samples of each class.

    Example:
        >>> Balance("weather", {"sunny": 0.5, "rain": 0.2}).distribution
        'TARGET'
    """

    input: Metadata | Predictions
    target: dict[str, float] | None = field(hash=False)
    distribution: str
    strength: float
    strict: bool

    type: ClassVar[str] = "BALANCE"
    options: ClassVar[tuple[Option, ...]] = (
        Option("target", "target", optional(_target), to_json=dict),
        Option("distribution", "distribution", optional(choice(("TARGET", "UNIFORM", "INPUT")))),
        STRENGTH,
        Option("strict", "strict", boolean, False),
    )

    def __init__(
        self, input: Metadata | Predictions | str, target: Mapping[str, float] | None = None, *,
        distribution: str | None = None, strength: float = 1.0, strict: bool = False,
    ) -> None:  # fmt: skip
        """Take a field path or another input, and either a target or the name of a distribution."""
        given = {"target": target, "distribution": distribution, "strength": strength, "strict": strict}
        self._fill(values(input), given)

    def _agree(self, places: Mapping[str, str]) -> None:
        if self.distribution is None and self.target is not None:
            object.__setattr__(self, "distribution", "TARGET")
        if self.distribution is None or (self.distribution == "TARGET" and self.target is None):
            raise WrongValueError(
                places["target"], " is missing. Give the share of each class, or distribution UNIFORM or INPUT."
            )
        if self.target is not None and self.distribution != "TARGET":
            raise WrongValueError(
                places["distribution"], f"={self.distribution!r} and a target were both given. Give one of them."
            )


@dataclass(frozen=True, init=False)
class Random(Strategy):
    """RANDOM: samples by chance, the same ones for the same seed.

    Attributes:
        input: the numbers drawn, with their `random_seed`.
        strength: how much it counts against other strategies; 0 not at all.
    """

    input: RandomNumbers
    strength: float

    type: ClassVar[str] = "RANDOM"
    options: ClassVar[tuple[Option, ...]] = (STRENGTH,)

    def __init__(self, random_seed: int | RandomNumbers | None = None, *, strength: float = 1.0) -> None:
        """Take a seed; that of the selection by default."""
        drawn = random_seed if isinstance(random_seed, RandomNumbers) else RandomNumbers(random_seed)
        self._fill(drawn, {"strength": strength})
