"""Dates as text."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meristem.task.cells import MISSING_NUMBER
from meristem.task.dates import Order, arrow_dates, guess_order, parse_date, parse_dates


def micros(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1_000_000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2024-02-29", "ymd", micros(2024, 2, 29)),
        ("2024/2/9 7:05", "ymd", micros(2024, 2, 9, 7, 5)),
        ("2024-02-29T23:59:58.5Z", "ymd", micros(2024, 2, 29, 23, 59, 58) + 500_000),
        ("2024-02-29 01:00+02:00", "ymd", micros(2024, 2, 28, 23)),
        ("31/12/2024", "dmy", micros(2024, 12, 31)),
        ("31.12.2024 14:00", "dmy", micros(2024, 12, 31, 14)),
        ("12/31/2024 12:30 AM", "mdy", micros(2024, 12, 31, 0, 30)),
        ("12/31/99", "mdy", micros(1999, 12, 31)),
        ("1-Mar-2024", "ymd", micros(2024, 3, 1)),
        ("1 March 2024", "ymd", micros(2024, 3, 1)),
        ("Mar 1, 2024", "ymd", micros(2024, 3, 1)),
        ("0001-01-01", "ymd", -62_135_596_800_000_000),
    ],
)
def test_dates_as_people_write_them(text: str, order: Order, expected: int) -> None:
    assert parse_date(text, order) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "31/12/2024",
        "2024-13-01",
        "12.5.3",
        "1.2.2024.5",
        "20240101",
        "May",
        "25:00",
        "7 Mai 2024",
    ],
)
def test_what_is_no_date_in_year_first_order(text: str) -> None:
    assert parse_date(text, "ymd") is None


def test_a_day_beyond_twelve_settles_the_order() -> None:
    assert guess_order(["01/02/2024", "13/02/2024"]) == ("dmy", False)
    assert guess_order(["01/02/2024", "02/13/2024"]) == ("mdy", False)
    assert guess_order(["13/02/2024", "02/13/2024"]) is None


def test_open_orders_are_settled_by_dots_then_by_the_sorted_one_then_month_first() -> None:
    assert guess_order(["01.02.2024", "03.02.2024"]) == ("dmy", True)
    assert guess_order(["11/01/2024", "12/01/2024", "01/02/2024"]) == ("dmy", True)
    assert guess_order(["05/06/2024", "01/02/2024", "07/03/2024"]) == ("mdy", True)


@given(
    st.lists(
        st.one_of(
            st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda d: d.isoformat(" ")),
            st.dates().map(str),
            st.sampled_from(["", "NA", "2024-02-30", "x"]),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_arrow_reads_the_dates_that_python_reads_or_leaves_them(texts: list[str]) -> None:
    fast = arrow_dates(pa.array(texts), MISSING_NUMBER)
    if fast is None:
        return
    there = np.array([t not in MISSING_NUMBER for t in texts])
    moments, bad = parse_dates([t for t in texts if t not in MISSING_NUMBER], "ymd")
    assert bad == []
    np.testing.assert_array_equal(fast[1], there)
    np.testing.assert_array_equal(fast[0][there], moments)
