"""Dates as text: which texts are dates, in which order day and month stand, and what moment each is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from meristem.task.raw import micros_of

Order = Literal["ymd", "dmy", "mdy"]
ORDERS: tuple[Order, ...] = ("ymd", "dmy", "mdy")

_TIME = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})(?P<gap>[-/.])(?P<month>\d{{1,2}})(?P=gap)(?P<day>\d{{1,2}}){_TIME}"
)
_YEAR_LAST = re.compile(
    rf"(?P<first>\d{{1,2}})(?P<gap>[-/.])(?P<second_>\d{{1,2}})(?P=gap)(?P<year>\d{{4}}|(?<=/)\d{{2}}){_TIME}"
)
_DAY_NAME_YEAR = re.compile(
    rf"(?P<day>\d{{1,2}})[- ](?P<name>[A-Za-z]{{3,9}})\.?,?[- ](?P<year>\d{{4}}|(?<=-)\d{{2}}){_TIME}"
)
_NAME_DAY_YEAR = re.compile(rf"(?P<name>[A-Za-z]{{3,9}})\.? (?P<day>\d{{1,2}}),? (?P<year>\d{{4}}){_TIME}")
_MONTHS = [
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
]
_MONTH_OF = {name[:k]: m for m, name in enumerate(_MONTHS, 1) for k in range(3, len(name) + 1)}


def parse_date(text: str, order: Order = "ymd") -> int | None:
    """Microseconds since 1970 (UTC; a time without a zone counts as UTC) of a date as text, or None.

    A date that begins with the year, or names its month in English, reads the same in every `order`;
    `12/31/2020` needs `mdy`, `31/12/2020` needs `dmy`.
    """
    text = text.strip()
    match = _YEAR_FIRST.fullmatch(text)
    if match:
        return _moment(match, int(match["year"]), int(match["month"]), int(match["day"]))
    match = _YEAR_LAST.fullmatch(text)
    if match:
        first, second = int(match["first"]), int(match["second_"])
        if order == "mdy":
            return _moment(match, _full_year(match["year"]), first, second)
        return _moment(match, _full_year(match["year"]), second, first) if order == "dmy" else None
    match = _DAY_NAME_YEAR.fullmatch(text) or _NAME_DAY_YEAR.fullmatch(text)
    if match:
        month = _MONTH_OF.get(match["name"].lower())
        return None if month is None else _moment(match, _full_year(match["year"]), month, int(match["day"]))
    return None


def _full_year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)


def _moment(match: re.Match[str], year: int, month: int, day: int) -> int | None:
    hour, half = int(match["hour"] or 0), (match["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    fraction = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    zone = match["zone"]
    try:
        moment = datetime(
            year, month, day, hour, int(match["minute"] or 0), int(match["second"] or 0), fraction
        )
        if zone and zone not in ("Z", "UTC", "GMT"):
            digits = zone[1:].replace(":", "").ljust(4, "0")
            away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            moment = moment.replace(tzinfo=timezone(away if zone[0] == "+" else -away))
        return micros_of(moment)
    except (ValueError, OverflowError):
        return None


def guess_order(texts: Sequence[str]) -> tuple[Order, bool] | None:
    """The order in which all texts are dates, and whether another order fits as well; None if none fits.

    Where both fit, dots between the numbers mean day first; otherwise the order in which the dates, as the
    file has them, are sorted wins; otherwise month first.
    """
    fitting: list[Order] = []
    if all(parse_date(t, "ymd") is not None for t in texts):
        return "ymd", False
    if parse_date(texts[0], "dmy") is None and parse_date(texts[0], "mdy") is None:
        return None
    for order in ORDERS[1:]:
        if all(parse_date(t, order) is not None for t in texts):
            fitting.append(order)
    if len(fitting) < 2:
        return (fitting[0], False) if fitting else None
    if "." in texts[0].partition(" ")[0]:
        return "dmy", True
    for order in fitting:
        steps = np.diff(np.array([parse_date(t, order) for t in texts], np.int64))
        if len(steps) > 1 and ((steps >= 0).all() or (steps <= 0).all()):
            return order, True
    return "mdy", True


def parse_dates(pool: Sequence[str], order: Order) -> tuple[NDArray[np.int64], list[int]]:
    """The moments of distinct texts [K], 0 where one is no date, and the positions of those."""
    moments = np.zeros(len(pool), np.int64)
    bad = []
    for k, text in enumerate(pool):
        moment = parse_date(text, order)
        if moment is None:
            bad.append(k)
        else:
            moments[k] = moment
    return moments, bad


def arrow_dates(array: Any, missing: frozenset[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    """The moments of a long Arrow array of dates that begin with the year, and which are there [N].

    None if Arrow does not read them all: the slow way then may.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(array)
    text = pc.if_else(pc.is_in(text, value_set=pa.array(sorted(missing), array.type)), None, text)
    if not pc.all(
        pc.match_substring_regex(text, r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$")
    ).as_py():
        return None
    try:
        micros = pc.cast(text, pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    present = pc.is_valid(micros).to_numpy(zero_copy_only=False)
    return pc.fill_null(micros, 0).to_numpy(zero_copy_only=False), present
