"""Dates with a time of day, without a zone, in microseconds."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import ints, real
from meristem.values import Column, Scalars

_DAY = 86_400_000_000  # microseconds


def _stamps(date: Scalars) -> Any:
    return (date.data // _DAY).astype("datetime64[D]")


@primitive("datetime -> int", examples=[((datetime(2024, 2, 29),), 2024)])
def year(date: datetime) -> int:
    """The year."""
    return date.year


@year.columnar
def _(date: Scalars) -> Column:
    return ints(_stamps(date).astype("datetime64[Y]").astype(np.int64) + 1970)


@primitive("datetime -> int", examples=[((datetime(2024, 2, 29),), 2)])
def month(date: datetime) -> int:
    """The month, 1 to 12."""
    return date.month


@month.columnar
def _(date: Scalars) -> Column:
    return ints(_stamps(date).astype("datetime64[M]").astype(np.int64) % 12 + 1)


@primitive("datetime -> int", examples=[((datetime(2024, 2, 29),), 29)])
def day(date: datetime) -> int:
    """The day of the month, 1 to 31."""
    return date.day


@day.columnar
def _(date: Scalars) -> Column:
    stamps = _stamps(date)
    return ints((stamps - stamps.astype("datetime64[M]")).astype(np.int64) + 1)


@primitive("datetime -> int", examples=[((datetime(2024, 2, 29),), 3)])
def weekday(date: datetime) -> int:
    """The day of the week, Monday 0 to Sunday 6."""
    return date.weekday()


@weekday.columnar
def _(date: Scalars) -> Column:
    return ints((date.data // _DAY + 3) % 7)


@primitive("datetime -> int", examples=[((datetime(2024, 2, 29, 13, 5, 9),), 13)])
def hour(date: datetime) -> int:
    """The hour, 0 to 23."""
    return date.hour


@hour.columnar
def _(date: Scalars) -> Column:
    return ints(date.data % _DAY // 3_600_000_000)


@primitive("datetime -> int", examples=[((datetime(2024, 2, 29, 13, 5, 9),), 5)])
def minute(date: datetime) -> int:
    """The minute, 0 to 59."""
    return date.minute


@minute.columnar
def _(date: Scalars) -> Column:
    return ints(date.data % 3_600_000_000 // 60_000_000)


@primitive("datetime -> int", examples=[((datetime(2024, 2, 29, 13, 5, 9),), 9)])
def second(date: datetime) -> int:
    """The second, 0 to 59."""
    return date.second


@second.columnar
def _(date: Scalars) -> Column:
    return ints(date.data % 60_000_000 // 1_000_000)


@primitive("datetime, datetime -> real", examples=[((datetime(2024, 3, 1, 12), datetime(2024, 2, 28)), 2.5)])
def days_between(later: datetime, earlier: datetime) -> float:
    """How many days one date comes after another, with fraction."""
    return float((later - earlier) // timedelta(microseconds=1)) / 86_400_000_000


@days_between.columnar
def _(later: Scalars, earlier: Scalars) -> Column:
    return real((later.data - earlier.data) / _DAY)


@primitive(
    "datetime, real -> datetime",
    examples=[
        ((datetime(2024, 2, 28), 1.5), datetime(2024, 2, 29, 12)),
        ((datetime(9999, 12, 31), 1.0), EvaluationError),
    ],
)
def add_days(date: datetime, days: float) -> datetime:
    """The date so many days later; rounded to a microsecond. Years outside of 1 to 9999 fail."""
    if not math.fabs(days) < 4_000_000:
        raise EvaluationError(Reason.DOMAIN)
    try:
        return date + timedelta(microseconds=round(days * 86_400_000_000))
    except OverflowError:
        raise EvaluationError(Reason.DOMAIN) from None


@primitive(
    "int, int, int -> datetime",
    examples=[((2024, 2, 29), datetime(2024, 2, 29)), ((2023, 2, 29), EvaluationError)],
)
def date(year: int, month: int, day: int) -> datetime:
    """The beginning of a day. One that the calendar does not have fails."""
    try:
        return datetime(year, month, day)
    except (ValueError, OverflowError):
        raise EvaluationError(Reason.DOMAIN) from None


@primitive(
    "text -> datetime",
    examples=[
        (("2024-02-29",), datetime(2024, 2, 29)),
        (("2024-02-29T13:05",), datetime(2024, 2, 29, 13, 5)),
        (("soon",), EvaluationError),
        (("2024-02-29T00:00+01:00",), EvaluationError),
    ],
)
def parse_date(text: str) -> datetime:
    """The date that a text says in the form of ISO 8601, without a zone."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise EvaluationError(Reason.PARSE) from None
    if found.tzinfo is not None:
        raise EvaluationError(Reason.PARSE)
    return found


@primitive("datetime -> text", examples=[((datetime(2024, 2, 29),), "2024-02-29T00:00:00")])
def show_date(date: datetime) -> str:
    """The date as text in the form of ISO 8601."""
    return date.isoformat()


subroutine(
    "is_weekend",
    "datetime -> bool",
    "date",
    "weekday(date) >= 5",
    doc="Whether it is a Saturday or a Sunday.",
    examples=[((datetime(2024, 3, 2),), True)],
)
subroutine(
    "start_of_day",
    "datetime -> datetime",
    "moment",
    "date(year(moment), month(moment), day(moment))",
    doc="The beginning of a date's day.",
    examples=[((datetime(2024, 3, 2, 5),), datetime(2024, 3, 2))],
)
