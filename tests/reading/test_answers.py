"""What the target is: classes or numbers, and the Python values that predictions have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from meristem.errors import InputError
from meristem.reading.answers import decide_target
from meristem.task.raw import raw_from_numpy, raw_from_values


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 1] * 10, (0, 1)),
        ([0.0, 1.0] * 10, (0.0, 1.0)),
        ([-1, 1] * 10, (-1, 1)),
        ([5, 7] * 10, (5, 7)),
        (["0", "1"] * 10, (0, 1)),
        (["0.0", "1.0"] * 10, (0.0, 1.0)),
        ([0, 1, 2] * 10, (0, 1, 2)),
        (list(range(10)) * 5, tuple(range(10))),
        ([1, 2, 3, 5, 6, 7] * 9, (1, 2, 3, 5, 6, 7)),
        ([True, False] * 10, (False, True)),
        (["True", "False", ""] * 10, (False, True)),
        (["yes", "no"] * 10, ("no", "yes")),
        (["a10", "a9", "b"] * 10, ("a9", "a10", "b")),
        (["a7", "a07", "a", "007", "7"] * 10, ("007", "7", "a", "a07", "a7")),
        (["None", "some", None] * 10, ("None", "some")),
        (["+", "-"] * 10, ("+", "-")),
        (["<=50K", ">50K"] * 10, ("<=50K", ">50K")),
        ([1, "x"] * 10, ("1", "x")),
    ],
)
def test_classes(values: list[Any], labels: tuple[Any, ...]) -> None:
    target, _ = decide_target("y", raw_from_values(values))
    assert target.kind == "classification"
    assert target.values == labels
    assert [type(v) for v in target.values] == [type(v) for v in labels]
    column, rows = target.convert(raw_from_values(values))
    known = [v for v in values if v not in (None, "")]
    assert len(rows) == len(known)
    assert [str(target.values[k]) for k in column.data] == [str(v) for v in known]


@pytest.mark.parametrize(
    "values",
    [
        [1.5, 2.5, 3.0],
        [3, 4, 5, 6, 7, 8, 9] * 50,
        list(range(1, 30)) * 50,
        [0, 1, 2, 3],
        [10, 20, 30] * 20,
        [0.5, 1.5] * 20,
        ["1,5", "2,5"] * 20,
        ["12", "NA", "15", "none"],
    ],
)
def test_numbers(values: list[Any]) -> None:
    assert decide_target("y", raw_from_values(values))[0].kind == "regression"


def test_kind_decides_where_the_answers_do_not() -> None:
    points = raw_from_values([3, 4, 5, 6, 7] * 20)
    assert decide_target("y", points, "classification")[0].values == (3, 4, 5, 6, 7)
    digits = raw_from_values(list(range(10)) * 10)
    assert decide_target("y", digits)[1][0].kind == "kind"
    assert decide_target("y", digits, "regression")[0].kind == "regression"
    assert decide_target("y", raw_from_values([True, False]), "regression")[0].kind == "regression"
    assert decide_target("y", raw_from_values([0.25, 0.75] * 4), "classification")[0].values == (0.25, 0.75)


def test_numpy_and_pandas_labels_become_plain_python_values() -> None:
    target, _ = decide_target("y", raw_from_numpy(np.array([0, 1] * 9, np.int8), "y"))
    assert type(target.values[0]) is int
    target, _ = decide_target("y", raw_from_values(pd.Series(["a", "b"] * 9, dtype="category").tolist()))
    assert target.values == ("a", "b")


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (
            ["12.5", "abc", "13"] + ["1"] * 60,
            None,
            "expected numbers in the target 'y', got 'abc' in row 2; correct",
        ),
        (["12.5", "abc", "13"], "regression", "expected numbers in the target 'y', got 'abc' in row 2"),
        (
            ["a", "b"],
            "regression",
            "expected numbers in the target 'y', got 'a' in row 1 and 1 more such rows",
        ),
        ([1.0, float("inf")], None, "expected finite numbers in the target 'y', got inf in row 2"),
        ([datetime(2024, 1, 1)], None, "the target 'y' holds dates; predict a number instead"),
        ([[1]], None, "the target 'y' cannot be used: it holds values of type list"),
        (
            [f"name {k}" for k in range(200)],
            None,
            "got 200 different texts in 200 rows, such as 'name 0'; group",
        ),
        (
            [k / 7 for k in range(2000)],
            "classification",
            "at most 1,000 classes in the target 'y', got 2,000",
        ),
        ([1, 2], "both", "expected kind 'classification' or 'regression', got 'both'"),
    ],
)
def test_what_cannot_be_predicted(values: list[Any], kind: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decide_target("y", raw_from_values(values), kind)


def test_a_target_of_numbers_with_typing_errors_says_where() -> None:
    values = [str(k / 3) for k in range(150)] + [f"x{k}" for k in range(60)]
    with pytest.raises(
        InputError, match="expected numbers in the target 'y', got 'x0' in row 151 and 59 more"
    ):
        decide_target("y", raw_from_values(values))
