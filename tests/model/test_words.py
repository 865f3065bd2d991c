from __future__ import annotations

import doctest
import math

import pytest

from meristem.model import words


def test_the_examples_in_the_docstrings() -> None:
    result = doctest.testmod(words)
    assert result.attempted > 5
    assert result.failed == 0


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("a\tb\nc", "a b c"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x00", "\ufffd"),
        ("abc\u202edef", "abc\ufffddef"),
        ("\ud800", "\ufffd"),
        ("naïve 漢字", "naïve 漢字"),
    ],
)
def test_clean_leaves_nothing_that_acts(raw: str, shown: str) -> None:
    assert words.clean(raw) == shown
    words.clean(raw).encode("utf-8")


def test_clean_cuts_and_takes_anything() -> None:
    assert words.clean("x" * 1_000_000, 5) == "xxxx…"
    assert words.clean("12345", 5) == "12345"
    assert words.clean(17) == "17"


def test_fit_holds_the_room_it_is_given() -> None:
    text = "a rather long name of a column"
    for room in (20.0, 60.0, 100.0):
        assert words.width(words.fit(text, room, 12), 12) <= room
    assert words.fit(text, 1000, 12) == text


def test_width_knows_wide_and_combining_characters() -> None:
    assert words.width("漢") > words.width("i")
    assert words.width("e\u0301") == words.width("e")
    assert words.width("W", bold=True) > words.width("W")


def test_numbers_survive_any_float() -> None:
    for value in (0.0, -0.0, 1e300, -1e300, 5e-324, math.inf, -math.inf, math.nan, 999.9999, 0.9999999):
        assert words.number(value)
        assert words.duration(value if math.isfinite(value) else 0.0)
        if math.isfinite(value):
            assert len(words.percent(value)) < 30
    assert words.numbers_alike(1e300, -1e300, None) == ["1e+300", "-1e+300", "unknown"]
    assert words.numbers_alike(0.5, 0.25) == ["0.50", "0.25"]
    assert words.numbers_alike(100.0, 20.0) == ["100", "20"]


def test_joined() -> None:
    assert words.joined([]) == ""
    assert words.joined(["a"]) == "a"
    assert words.joined(["a", "b"]) == "a and b"
