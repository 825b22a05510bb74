"""Functions of dates, all in UTC. What is no date gives None."""

from ..kinds import NUMBER
from ..typed import scalar
from .registry import function

PARTS = {
    "millisecond": "$millisecond",
    "second": "$second",
    "minute": "$minute",
    "hour": "$hour",
    "day_of_week": "$dayOfWeek",
    "day_of_month": "$dayOfMonth",
    "day_of_year": "$dayOfYear",
    "week": "$week",
    "month": "$month",
    "year": "$year",
}
"""Function name → operator."""


def _register() -> None:
    for name, operator in PARTS.items():
        function(name, "date", gives=NUMBER)(
            lambda names, value, operator=operator: {operator: scalar(value, "date", names)}
        )


_register()
