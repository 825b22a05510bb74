"""Functions of dates. All parts are in UTC; what is no date gives None.

Dates are subtracted to milliseconds: `F("created_at") - F("captured_at") < timedelta(days=1)`.
"""

from typing import TYPE_CHECKING

from .base import Expression

if TYPE_CHECKING:
    from ..field import ViewExpression


class DateMethods(Expression):
    """What can be read off dates."""

    __slots__ = ()

    def millisecond(self) -> "ViewExpression":
        """Give the millisecond, 0 to 999.

        Example: `F("captured_at").millisecond()`
        """
        return self._call("millisecond")

    def second(self) -> "ViewExpression":
        """Give the second, 0 to 59.

        Example: `F("captured_at").second()`
        """
        return self._call("second")

    def minute(self) -> "ViewExpression":
        """Give the minute, 0 to 59.

        Example: `F("captured_at").minute()`
        """
        return self._call("minute")

    def hour(self) -> "ViewExpression":
        """Give the hour, 0 to 23.

        Example: `F("captured_at").hour() >= 18`
        """
        return self._call("hour")

    def day_of_week(self) -> "ViewExpression":
        """Give the day of the week, 1 (Sunday) to 7 (Saturday).

        Example: `F("captured_at").day_of_week().is_in([1, 7])`
        """
        return self._call("day_of_week")

    def day_of_month(self) -> "ViewExpression":
        """Give the day of the month, 1 to 31.

        Example: `F("captured_at").day_of_month()`
        """
        return self._call("day_of_month")

    def day_of_year(self) -> "ViewExpression":
        """Give the day of the year, 1 to 366.

        Example: `F("captured_at").day_of_year()`
        """
        return self._call("day_of_year")

    def week(self) -> "ViewExpression":
        """Give the week of the year, 0 to 53; weeks begin on Sunday, week 1 with the year's first Sunday.

        Example: `F("captured_at").week()`
        """
        return self._call("week")

    def month(self) -> "ViewExpression":
        """Give the month, 1 to 12.

        Example: `F("captured_at").month() == 12`
        """
        return self._call("month")

    def year(self) -> "ViewExpression":
        """Give the year.

        Example: `F("captured_at").year() >= 2024`
        """
        return self._call("year")
