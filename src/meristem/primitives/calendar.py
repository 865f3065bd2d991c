"""The calendar: months and years added, beginnings and ends, weeks and quarters, whole years between."""

from __future__ import annotations

from datetime import datetime

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine


@primitive(
    "datetime, int -> datetime",
    cost=2,
    examples=[
        ((datetime(2024, 1, 31, 5), 1), datetime(2024, 2, 29, 5)),
        ((datetime(2024, 1, 15), -13), datetime(2022, 12, 15)),
        ((datetime(9999, 12, 1), 1), EvaluationError),
    ],
)
def add_months(date: datetime, months: int) -> datetime:
    """The date so many months later; the last day of a month that has no such day. Years outside of 1 to 9999 fail."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise EvaluationError(Reason.DOMAIN)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 28 + leap if month == 1 else 30 if month in (3, 5, 8, 10) else 31
    return date.replace(year=year, month=month + 1, day=min(date.day, longest))


@primitive(
    "datetime -> int", cost=3, examples=[((datetime(2024, 12, 30),), 1), ((datetime(2023, 1, 1),), 52)]
)
def iso_week(date: datetime) -> int:
    """The number of the week, 1 to 53, by ISO 8601: weeks begin on Monday, the first one has the first Thursday."""
    return date.isocalendar()[1]


subroutine(
    "add_years",
    "datetime, int -> datetime",
    "date, years",
    "add_months(date, years * 12)",
    doc="The date so many years later; 28 February where there is no 29.",
    cost=2,
    examples=[
        ((datetime(2024, 2, 29), 1), datetime(2025, 2, 28)),
        ((datetime(9999, 1, 1), 1), EvaluationError),
    ],
)
subroutine(
    "add_weeks",
    "datetime, int -> datetime",
    "date, weeks",
    "add_days(date, to_real(weeks) * 7.0)",
    doc="The date so many weeks later.",
    cost=2,
    examples=[((datetime(2024, 2, 28), 1), datetime(2024, 3, 6))],
)
subroutine(
    "add_hours",
    "datetime, real -> datetime",
    "date, hours",
    "add_days(date, hours / 24.0)",
    doc="The date so many hours later.",
    cost=2,
    examples=[((datetime(2024, 2, 28, 23), 1.5), datetime(2024, 2, 29, 0, 30))],
)
subroutine(
    "add_minutes",
    "datetime, real -> datetime",
    "date, minutes",
    "add_days(date, minutes / 1440.0)",
    doc="The date so many minutes later.",
    cost=2,
    examples=[((datetime(2024, 2, 28, 23, 50), 15.0), datetime(2024, 2, 29, 0, 5))],
)
subroutine(
    "hours_between",
    "datetime, datetime -> real",
    "later, earlier",
    "days_between(later, earlier) * 24.0",
    doc="How many hours one date comes after another, with fraction.",
    cost=2,
    examples=[((datetime(2024, 3, 1, 12), datetime(2024, 3, 1, 6)), 6.0)],
)
subroutine(
    "start_of_month",
    "datetime -> datetime",
    "moment",
    "date(year(moment), month(moment), 1)",
    doc="The beginning of a date's month.",
    cost=2,
    examples=[((datetime(2024, 3, 5, 7),), datetime(2024, 3, 1))],
)
subroutine(
    "end_of_month",
    "datetime -> datetime",
    "moment",
    "date(year(moment), month(moment), days_in_month(moment))",
    doc="The beginning of the last day of a date's month.",
    cost=2,
    examples=[((datetime(2024, 2, 5, 7),), datetime(2024, 2, 29))],
)
subroutine(
    "days_in_month",
    "datetime -> int",
    "moment",
    "day(add_months(date(year(moment), 1, 31), month(moment) - 1))",
    doc="The number of days of a date's month.",
    cost=2,
    examples=[((datetime(2023, 2, 5),), 28), ((datetime(9999, 12, 5),), 31)],
)
subroutine(
    "start_of_year",
    "datetime -> datetime",
    "moment",
    "date(year(moment), 1, 1)",
    doc="The beginning of a date's year.",
    cost=2,
    examples=[((datetime(2024, 3, 5, 7),), datetime(2024, 1, 1))],
)
subroutine(
    "start_of_week",
    "datetime -> datetime",
    "moment",
    "add_days(start_of_day(moment), to_real(negate(weekday(moment))))",
    doc="The beginning of the Monday of a date's week.",
    cost=2,
    examples=[((datetime(2024, 3, 7, 5),), datetime(2024, 3, 4))],
)
subroutine(
    "quarter",
    "datetime -> int",
    "date",
    "(month(date) + 2) // 3",
    doc="The quarter of the year, 1 to 4.",
    cost=2,
    examples=[((datetime(2024, 3, 5),), 1), ((datetime(2024, 10, 1),), 4)],
)
subroutine(
    "day_of_year",
    "datetime -> int",
    "moment",
    "floor(days_between(moment, start_of_year(moment))) + 1",
    doc="The day of the year, 1 to 366.",
    cost=2,
    examples=[((datetime(2024, 3, 1, 12),), 61)],
)
subroutine(
    "is_leap_year",
    "int -> bool",
    "year",
    "year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)",
    doc="Whether a year has 366 days.",
    cost=2,
    examples=[((2024,), True), ((1900,), False), ((2000,), True)],
)
subroutine(
    "years_between",
    "datetime, datetime -> int",
    "later, earlier",
    "year(later) - year(earlier) - (if pair(month(later), day(later)) < pair(month(earlier), day(earlier)) "
    "then 1 else 0)",
    doc="How many birthdays there are from one date to a later one: the age in whole years.",
    cost=2,
    examples=[
        ((datetime(2024, 3, 4), datetime(2000, 3, 5)), 23),
        ((datetime(2024, 3, 5), datetime(2000, 3, 5)), 24),
    ],
)
subroutine(
    "months_between",
    "datetime, datetime -> int",
    "later, earlier",
    "(year(later) - year(earlier)) * 12 + month(later) - month(earlier) - "
    "(if day(later) < day(earlier) then 1 else 0)",
    doc="How many whole months one date comes after another.",
    cost=2,
    examples=[((datetime(2024, 3, 4), datetime(2023, 12, 5)), 2)],
)
subroutine(
    "workdays_between",
    "datetime, datetime -> int",
    "later, earlier",
    "let days = floor(days_between(start_of_day(later), start_of_day(earlier))) in "
    "count(step => weekday(add_days(earlier, to_real(step))) < 5, range(0, days))",
    doc="How many days from Monday to Friday there are from one date to before another.",
    cost=3,
    examples=[((datetime(2024, 3, 12), datetime(2024, 3, 8)), 2)],
)
