"""Leaks, duplicates and rare classes are reported; nothing is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from meristem.task import Task

RNG = np.random.default_rng(0)
N = 400
X = RNG.normal(size=N)
Y = RNG.normal(size=N)
COIN = RNG.choice(["heads", "tails"], N)


def leaks(columns: dict[str, Any], target: Any) -> set[str]:
    task = Task.from_table({**columns, "noise": RNG.normal(size=N)}, target=target)
    return {f.column for f in task.findings if f.kind == "leak"}


@pytest.mark.parametrize(
    "copy",
    [
        Y,
        -3 * Y + 1,
        np.exp(3 * Y),
        np.where(RNG.random(N) < 0.01, np.nan, Y),
        Y + 0.01 * RNG.normal(size=N),
        [f"{v:.3f}" for v in Y],
    ],
    ids=["same", "linear", "monotone", "with gaps", "a little noise", "as text"],
)
def test_near_copies_of_a_number(copy: Any) -> None:
    assert leaks({"copy": copy}, Y) == {"copy"}


@pytest.mark.parametrize(
    "column", [X, Y + 0.3 * RNG.normal(size=N), np.round(Y)], ids=["noise", "strong", "rounded"]
)
def test_honest_numbers(column: Any) -> None:
    assert leaks({"x": column}, Y) == set()


def test_copies_of_a_class() -> None:
    assert leaks({"copy": np.where(COIN == "heads", "H", "T")}, COIN) == {"copy"}
    assert leaks({"copy": np.where(COIN == "heads", 2.5, 7.5)}, COIN) == {"copy"}
    assert leaks({"copy": np.where(COIN == "heads", X**2, -(X**2))}, COIN) == {"copy"}
    assert leaks({"copy": COIN == "heads"}, COIN) == {"copy"}


def test_a_column_that_is_zero_nearly_everywhere_is_no_leak_in_a_sorted_table() -> None:
    rare = np.where(RNG.random(N) < 0.02, 1.0, 0.0)
    assert leaks({"x": rare, "c": np.where(rare == 1, "a", "b")}, np.sort(COIN)) == set()


def test_a_rare_class_found_by_one_column() -> None:
    answers = np.where(np.arange(N) % 20 == 0, "rare", "common")
    assert leaks({"x": (np.arange(N) % 20 == 0) + 0.1 * RNG.random(N)}, answers) == {"x"}
    assert leaks({"x": X}, answers) == set()


def test_two_rows_of_a_class_say_nothing() -> None:
    answers = np.where(np.arange(N) < 2, "rare", "common")
    assert leaks({"x": np.arange(N) + 0.5, "c": np.where(np.arange(N) < 2, "a", "b")}, answers) == set()
    many = np.where(np.arange(100 * N) == 7, "rare", "common")  # not even in the sample
    task = Task.from_table({"x": RNG.normal(size=100 * N)}, many)
    assert not [f for f in task.findings if f.kind == "leak"]


def test_categories_count_only_within_themselves() -> None:
    names = [f"{k % 200}" + "n" for k in range(N)]  # two rows each: too few to say anything
    assert leaks({"x": names}, np.where(np.arange(N) % 200 < 100, "a", "b")) == {"x"}
    assert leaks({"x": [f"{k}" + "n" * (k % 2) for k in range(N)]}, COIN) == set()


def test_duplicates_are_counted_over_features_and_target() -> None:
    base = {"x": [1.5, -0.0, None, 1.5, 0.0, None, 1.5], "c": ["a", "b", None, "a", "b", None, "a"]}
    task = Task.from_table({**base, "y": [1.5, 2.5, 3.5, 1.5, 2.5, 3.5, 9.5]}, "y")
    assert [f.text for f in task.findings if f.kind == "duplicates"] == [
        "3 rows repeat an earlier row exactly (42.9 % of all)"
    ]
    assert len(task) == 7
    task = Task.from_table({**base, "y": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 9.5]}, "y")
    assert [f for f in task.findings if f.kind == "duplicates"] == []


def test_classes_with_a_single_row() -> None:
    task = Task.from_table({"x": RNG.normal(size=9), "y": ["a"] * 4 + ["b"] * 4 + ["c"]}, "y")
    assert [f.text for f in task.findings if f.kind == "rare"] == ["1 class of 'y' with a single row: 'c'"]
