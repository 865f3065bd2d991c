"""What the text of a cell means, and that the slow and the fast way agree."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meristem.task.cells import (
    COMMAS,
    MISSING_NUMBER,
    PERHAPS,
    PLAIN,
    POINTS,
    STYLES,
    UNKNOWN,
    NumberStyle,
    arrow_numbers,
    decimal_signs,
    guess_style,
    looks_coded,
    parse_number,
    parse_numbers,
    parse_truth,
    style_of_new,
)


@pytest.mark.parametrize(
    ("texts", "style", "numbers"),
    [
        (["1", "2.5", "-3e4", ".5", "+7"], PLAIN, [1, 2.5, -3e4, 0.5, 7]),
        (["1,5", "2,25", "1.234,5"], NumberStyle(",", "."), [1.5, 2.25, 1234.5]),
        (["0,123", "0,456"], NumberStyle(",", "."), [0.123, 0.456]),
        (["1,234", "12", "1,234,567"], NumberStyle(".", ","), [1234, 12, 1234567]),
        (["1,234.5", "0.5"], NumberStyle(".", ","), [1234.5, 0.5]),
        (["1 234,5", "12"], NumberStyle(",", " "), [1234.5, 12]),
        (["1\u202f234.5", "12"], NumberStyle(".", " "), [1234.5, 12]),
        (["1'234.5", "12"], NumberStyle(".", "'"), [1234.5, 12]),
        (["$1,200", "$ 3.50", "-$4"], NumberStyle(".", ",", True), [1200, 3.5, -4]),
        (["12%", "7.5 %"], NumberStyle(".", "", True), [12, 7.5]),
    ],
)
def test_numbers_in_the_styles_people_write(
    texts: list[str], style: NumberStyle, numbers: list[float]
) -> None:
    assert guess_style(texts) == (style, len(texts))
    values, bad = parse_numbers(texts, style)
    assert values.tolist() == numbers
    assert bad == []


def test_a_lone_comma_groups_thousands_unless_the_table_writes_decimal_commas() -> None:
    assert guess_style(["1,234", "5,678"])[0] == NumberStyle(".", ",")
    assert guess_style(["1,234", "5,678"], comma=PERHAPS)[0] == NumberStyle(",", ".")


def test_a_lone_point_is_decimal_unless_the_table_surely_writes_commas() -> None:
    for comma in (POINTS, UNKNOWN, PERHAPS):
        assert guess_style(["1.234", "5.678", "12"], comma)[0] == PLAIN
    assert guess_style(["1.234", "5.678", "12"], COMMAS)[0] == NumberStyle(",", ".")
    assert guess_style(["12", "15"], COMMAS)[0] == PLAIN


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        *(
            ("12.5", "."),
            ("0.925", "."),
            ("1234.567", "."),
            ("1,234.5", "."),
            ("1,234,567", "."),
            ("1'234.5", "."),
        ),
        *(
            ("12,5", ","),
            ("0,925", ","),
            ("1.234,5", ","),
            ("1.234.567", ","),
            ("1 234,5", ","),
            ("12,5 %", ","),
        ),
        *(("7.925", ".,"), ("-7,925", ".,"), ("$7.925", ".,")),
        *(("12", ""), ("1 234", ""), ("x.y", ""), ("31.12.2024", ""), ("", "")),
    ],
)
def test_decimal_signs(text: str, signs: str) -> None:
    assert decimal_signs(text) == signs


COMMA, GROUPED = NumberStyle(",", "."), NumberStyle(".", ",")


@pytest.mark.parametrize(
    ("texts", "stated", "comma", "style", "unclear"),
    [
        # What the column itself shows counts most.
        (["7.925", "8.5"], COMMA, UNKNOWN, PLAIN, ""),
        (["7.925", "8.5"], COMMA, COMMAS, PLAIN, ""),
        (["7,925", "8,5"], PLAIN, UNKNOWN, COMMA, ""),
        (["7,925", "1,234.5"], COMMA, UNKNOWN, GROUPED, ""),
        (["7.925", "8,5"], COMMA, UNKNOWN, COMMA, ""),
        (["7.925", "8,5", "9.5"], COMMA, UNKNOWN, COMMA, "7.925"),
        (["8,5", "9.5"], COMMA, UNKNOWN, COMMA, ""),
        # Then the whole table.
        (["7.925"], COMMA, POINTS, PLAIN, ""),
        (["7.925"], COMMA, COMMAS, COMMA, ""),
        (["7,925"], GROUPED, COMMAS, COMMA, ""),
        (["7.925"], PLAIN, COMMAS, COMMA, ""),
        # Then the training table, but a thousand is not guessed.
        (["7.925"], PLAIN, UNKNOWN, PLAIN, ""),
        (["7.925"], PLAIN, PERHAPS, PLAIN, ""),
        (["7.925"], COMMA, UNKNOWN, COMMA, "7.925"),
        (["7.925"], COMMA, PERHAPS, COMMA, ""),
        (["7,925"], COMMA, UNKNOWN, COMMA, ""),
        (["7,925"], GROUPED, UNKNOWN, GROUPED, ""),
        (["7,925"], GROUPED, PERHAPS, GROUPED, "7,925"),
        (["7.925", "7,925"], COMMA, PERHAPS, COMMA, "7.925"),
        (["12", "-3", "x"], COMMA, UNKNOWN, COMMA, ""),
    ],
)
def test_the_style_of_a_new_table(
    texts: list[str], stated: NumberStyle, comma: int, style: NumberStyle, unclear: str
) -> None:
    assert style_of_new(texts, stated, comma) == (style, unclear)


def test_a_number_written_plainly_reads_in_a_column_of_decimal_commas() -> None:
    assert parse_number("3.5", NumberStyle(",", ".")) == 3.5


@pytest.mark.parametrize("text", ["", "abc", "1_000", "0x10", "1,2,3", "12:30", "1-2", "--5"])
def test_what_is_no_number(text: str) -> None:
    assert parse_number(text, PLAIN) is None
    assert parse_numbers(["1", text], PLAIN)[1] == [1]


def test_an_infinite_number_stays_one() -> None:
    assert parse_number("-inf", PLAIN) == -math.inf
    assert parse_number("1e999", PLAIN) == math.inf


@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False).map(repr),
            st.integers(-(10**12), 10**12).map("{:,}".format),
            st.sampled_from(["", " ", "NA", "?", "-", "x", " 7 ", "1.234,5", "12 %"]),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(sorted(STYLES, key=repr)),
)
def test_arrow_reads_what_python_reads_or_leaves_it(texts: list[str], style: NumberStyle) -> None:
    fast = arrow_numbers(pa.array(texts), style, MISSING_NUMBER)
    there = [t.strip() not in MISSING_NUMBER for t in texts]
    values, bad = parse_numbers([t for t, here in zip(texts, there, strict=True) if here], style)
    if fast is None:
        return
    assert bad == []
    np.testing.assert_array_equal(fast[there], values)
    assert np.isnan(fast[~np.array(there)]).all()


def test_truth_words() -> None:
    assert [parse_truth(t) for t in ("Yes", " no ", "T", "0", "maybe", "")] == [
        True,
        False,
        True,
        False,
        None,
        None,
    ]


def test_codes_with_leading_zeros_are_no_numbers() -> None:
    assert looks_coded(["04109", "10115", "80331"])
    assert not looks_coded(["10115", "80331"])
    assert not looks_coded(["01", "12"])  # months
