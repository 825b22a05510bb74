"""Strategies that say no: THRESHOLD filters before anything is picked, the others limit what may be picked together."""

# ruff: noqa: A002 - `input` is the word of the config.

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from ...dataset.errors import WrongValueError
from .checking import Check, choice, number, optional, text, whole
from .inputs import Metadata, Predictions, RandomNumbers, Scores
from .pairs import Option, Strategy, values

OPERATIONS = ("SMALLER", "SMALLER_EQUAL", "BIGGER", "BIGGER_EQUAL")
_SIGNS = {
    "<": "SMALLER",
    "<=": "SMALLER_EQUAL",
    ">": "BIGGER",
    ">=": "BIGGER_EQUAL",
    "GREATER": "BIGGER",
    "LESS": "SMALLER",
}


def _gap(value: object, place: str) -> float:
    """A number of units, or a length of time in seconds."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return float(_GAP(value, place))


_GAP: Check = number("a number above 0 (of seconds, where the field has times)", lambda gap: gap > 0)


@dataclass(frozen=True, init=False)
class Threshold(Strategy):
    """THRESHOLD: only samples whose value passes can be picked. All thresholds are applied before anything else.

    Attributes:
        input: a number of each sample.
        operation: "SMALLER", "SMALLER_EQUAL", "BIGGER" or "BIGGER_EQUAL" than the threshold.
        threshold: what the value is compared with.

    Example:
        >>> Threshold("lightly.luminance", "BIGGER", 20).to_dict()["strategy"]
        {'type': 'THRESHOLD', 'operation': 'BIGGER', 'threshold': 20.0}
    """

    input: Metadata | Scores | Predictions | RandomNumbers
    operation: str
    threshold: float

    type: ClassVar[str] = "THRESHOLD"
    options: ClassVar[tuple[Option, ...]] = (
        Option("operation", "operation", choice(OPERATIONS, _SIGNS), required=True),
        Option("threshold", "threshold", number("a number", lambda _: True), required=True),
    )

    def __init__(
        self, input: Metadata | Scores | Predictions | RandomNumbers | str, operation: str, threshold: float
    ) -> None:
        """Take a field path or another input, and what its values are compared with."""
        self._fill(values(input), {"operation": operation, "threshold": threshold})


@dataclass(frozen=True, init=False)
class GroupCap(Strategy):
    """GROUP_CAP: at most so many samples of each video, site or patient; preselected ones count.

    Attributes:
        input: the field that names the group of each sample.
        at_most: how many of one group, at least 1.
    """

    input: Metadata
    at_most: int

    type: ClassVar[str] = "GROUP_CAP"
    options: ClassVar[tuple[Option, ...]] = (
        Option("at_most", "max_per_group", whole("a whole number of at least 1", lambda k: k >= 1), required=True),
    )

    def __init__(self, field: Metadata | str, at_most: int) -> None:
        """Take the field of groups, and how many of each."""
        self._fill(values(field), {"at_most": at_most})


@dataclass(frozen=True, init=False)
class TimeGap(Strategy):
    """TIME_GAP: two picks of the same group lie at least so far apart; preselected ones count.

    Attributes:
        input: a field of numbers or of times.
        at_least: the gap, above 0: seconds between times, else units of the field. A `timedelta` is taken as well.
        group: the field that names the group of each sample, such as its video; all are one group by default.
    """

    input: Metadata
    at_least: float
    group: str | None

    type: ClassVar[str] = "TIME_GAP"
    options: ClassVar[tuple[Option, ...]] = (
        Option("at_least", "minimum_gap", _gap, required=True),
        Option("group", "group_key", optional(text("the path of a field"))),
    )

    def __init__(self, field: Metadata | str, at_least: float | timedelta, *, group: str | None = None) -> None:
        """Take the field of times, and how far apart two picks are."""
        self._fill(values(field), {"at_least": at_least, "group": group})

    def _agree(self, places: Mapping[str, str]) -> None:
        if self.group == self.input.key:
            raise WrongValueError(
                places["group"],
                f"={self.group!r} is the field of the gap itself. Name the field that says what belongs together.",
            )


@dataclass(frozen=True, init=False)
class Budget(Strategy):
    """BUDGET: the sum of a field over the picks never exceeds a limit; preselected ones count.

    Attributes:
        input: a field of numbers that are not negative: what each sample costs.
        at_most: the limit, not negative.
    """

    input: Metadata
    at_most: float

    type: ClassVar[str] = "BUDGET"
    options: ClassVar[tuple[Option, ...]] = (
        Option("at_most", "max_sum", number("a number of at least 0", lambda limit: limit >= 0), required=True),
    )

    def __init__(self, field: Metadata | str, at_most: float) -> None:
        """Take the field of costs, and what all picks may cost together."""
        self._fill(values(field), {"at_most": at_most})
