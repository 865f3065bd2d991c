"""What a column is found to mean."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from meristem.reading.profile import MOST_LABELS, OTHER, Profile, profile_column
from meristem.task.cells import PERHAPS, NumberStyle
from meristem.task.raw import raw_from_arrow, raw_from_values


def profile(values: list[Any], name: str = "column", **options: bool) -> Profile:
    """The profile of a column, the same by the short and by the long way if it is text."""
    short = profile_column(name, raw_from_values(values), **options)
    if len(values) < 100 and all(v is None or isinstance(v, str) for v in values):
        long = profile_column(name, raw_from_arrow(pa.array(list(values) * 70, pa.string())), **options)
        if short.feature is not None and long.feature is not None:
            assert (long.feature.type, long.feature.words) == (short.feature.type, short.feature.words)
    return short


def kind(values: list[Any], name: str = "column") -> str:
    found = profile(values, name)
    return found.feature.kind if found.feature else found.findings[0].kind


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, 2.0, None], "real"),
        ([0, 1, 0, 1], "real"),
        (["1", "2", "x1", "x2"], "class"),
        (["29.85", " ", "1889.5", " "], "real"),
        (["1,5", "2,5", ""], "real"),
        (["yes", "no", "yes", ""], "bool"),
        (["Y", "N", "?"], "bool"),
        ([True, False, None], "bool"),
        (["true", "FALSE"], "bool"),
        (["yes", "no", "no service"], "class"),
        (["yes", "yes", ""], "class"),
        (["2024-01-31", "2024-02-01", "NA"], "datetime"),
        (["31.01.2024", "01.02.2024"], "datetime"),
        ([datetime(2024, 1, 1), datetime(2024, 1, 2)], "datetime"),
        (["10115", "04109", "80331", "04109"], "class"),
        (["+", "-", "+"], "class"),
        (["none", "some", "none"], "class"),
        (["unknown", "known", "unknown"], "class"),
        (["1-2", "3-4", "1-2"], "class"),
        ([1, "a", 2.0, "a"], "class"),
        ([7.0] * 5, "constant"),
        (["a"] * 5, "constant"),
        ([True] * 5, "constant"),
        (["2024-01-01"] * 5, "constant"),
        ([None] * 5, "empty"),
        (["", "NA", " ? "], "empty"),
        ([float("nan")] * 3, "empty"),
        ([1.0, 1.0, None], "real"),
        ([[1], [2]], "unreadable"),
    ],
)
def test_kinds_of_columns(values: list[Any], expected: str) -> None:
    assert kind(values) == expected


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("PassengerId", list(range(1, 6)), "identifier"),
        ("x", list(range(5)), "real"),  # too few to tell
        ("x", list(range(30)), "identifier"),  # counts the rows
        ("x", list(range(5, 35)), "real"),
        ("year", list(range(1990, 2020)), "real"),
        ("customer_id", [7 * k % 101 for k in range(30)], "identifier"),
        ("population", [7 * k % 101 for k in range(30)], "real"),
        ("store_id", [1, 2, 3] * 10, "real"),
        ("order_no", [7 * k % 101 for k in range(30)], "identifier"),
        ("no_of_rooms", [7 * k % 101 for k in range(30)], "real"),
        ("code", [f"{a}{b}-{a}" for a in LETTERS for b in LETTERS], "identifier"),
        ("name", [f"{a}{b}, mr. {a}" for a in LETTERS for b in LETTERS], "identifier"),
        ("few", list(LETTERS[:10]), "class"),
        ("city", list(LETTERS) * 2, "class"),
        ("price", [k + 0.5 for k in range(30)], "real"),
        ("when", [f"2024-01-{k + 1:02}" for k in range(30)], "datetime"),
    ],
)
def test_identifiers(name: str, values: list[Any], expected: str) -> None:
    assert (
        profile(values, name).feature is None if expected == "identifier" else kind(values, name) == expected
    )
    if expected == "identifier":
        assert kind(values, name) == "identifier"
        assert profile(values, name, keep=True).feature is not None


def test_sentences_are_text_and_names_are_not() -> None:
    words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "it", "rains"]
    rng = np.random.default_rng(0)
    sentences = [" ".join(rng.choice(words, 9)) for _ in range(100)]
    assert kind(sentences) == "text"
    assert kind([" ".join(rng.choice(words, 3)) for _ in range(100)]) == "identifier"
    assert kind(sentences[:4] * 25) == "class"


def test_a_few_words_among_numbers_are_missing() -> None:
    found = profile(["12", "15.5"] * 30 + ["unknown"] * 2)
    assert found.feature is not None
    assert found.feature.words == ("unknown",)
    assert found.findings[0].text == "'unknown' in 2 rows of 'column' is taken for missing"
    assert found.column is not None
    assert found.column.to_list()[-2:] == [None, None]
    assert kind(["12", "15.5"] * 10 + ["unknown"] * 9) == "class"
    assert kind(["12", "15.5"] * 30 + ["15x"]) == "class"


def test_a_few_words_among_dates_are_missing() -> None:
    found = profile(["2024-01-31", "2024-02-01"] * 30 + ["later"] * 2)
    assert found.feature is not None
    assert (found.feature.kind, found.feature.words) == ("datetime", ("later",))


def test_how_numbers_are_written_is_kept_for_later() -> None:
    found = profile(["1.234,5", "0,5", "7"])
    assert found.feature is not None
    assert found.feature.style == NumberStyle(",", ".")
    found = profile_column("column", raw_from_values(["1,234", "5,678"]), comma=PERHAPS)
    assert found.column is not None
    assert found.column.to_list() == [1.234, 5.678]


def test_whole_numbers_are_marked() -> None:
    for values, whole in (
        ([1, 2, 5], True),
        ([1.0, 2.0, None], True),
        (["1", "2"], True),
        ([1.5, 2.0], False),
    ):
        feature = profile(values).feature
        assert feature is not None
        assert feature.integer == whole


def test_open_dates_are_reported() -> None:
    found = profile(["05/06/2024", "01/02/2024", "07/03/2024"])
    assert [f.kind for f in found.findings] == ["ambiguous"]
    assert "read month first; nothing in them settles it" in found.findings[0].text
    assert profile(["05/06/2024", "13/02/2024"]).findings == ()


def test_a_date_beyond_the_sample_settles_the_order() -> None:
    values = [f"{1 + k % 12:02}/{1 + k % 11:02}/{1900 + k % 100}" for k in range(9000)]
    values[4321] = "25/12/1999"
    found = profile_column("day", raw_from_values(values))
    assert found.feature is not None
    assert found.feature.order == "dmy"


def test_labels_are_sorted_naturally_and_stripped() -> None:
    feature = profile(["a10", " a9", "b", "a9 "]).feature
    assert feature is not None
    assert feature.type.item.labels == ("a9", "a10", "b")


def test_rare_values_become_other() -> None:
    values = [f"v{k}" for k in range(1500) for _ in range(2 if k < 900 else 1)] * 2
    found = profile_column("column", raw_from_values(values))
    assert found.feature is not None
    labels = found.feature.type.item.labels
    assert found.feature.other
    assert len(labels) == MOST_LABELS
    assert labels[-1] == OTHER
    assert {f"v{k}" for k in range(900)} <= set(labels)
    assert found.findings[0].kind == "rare"
    assert found.column is not None
    assert found.column.present.all()


def test_infinities_and_enormous_numbers_are_reported() -> None:
    found = profile([1.0, float("inf"), 1e308])
    assert [f.kind for f in found.findings] == ["infinite", "huge"]
    assert found.column is not None
    assert found.column.to_list() == [1.0, None, 1e308]


def test_long_identifiers_are_found_without_python_strings() -> None:
    ids = raw_from_arrow(pa.array([f"u{k}" for k in range(100_000)]))
    found = profile_column("user", ids)
    assert found.dropped == "100,000 of its 100,000 values are distinct, so it identifies the rows"
