from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from meristem.report.fingerprint import fingerprint
from meristem.types import REAL, Type, class_of, option_of
from meristem.values import Rows, Scalars, column_from

N = 40


def table() -> tuple[dict[str, list[Any]], dict[str, Type]]:
    values = {
        "a": [k / 7 if k % 5 else None for k in range(N)],
        "b": [k % 3 == 0 for k in range(N)],
        "c": [("x", "y")[k % 2] for k in range(N)],
        "d": [datetime(2020, 1, 1) + timedelta(days=k) for k in range(N)],
        "e": [f"text {k}" if k % 4 else None for k in range(N)],
    }
    inner = {"a": REAL, "b": Type("bool"), "c": class_of("x", "y"), "d": Type("datetime"), "e": Type("text")}
    return values, {name: option_of(t) for name, t in inner.items()}


def of(values: dict[str, list[Any]], types: dict[str, Type], answers: list[float]) -> str:
    columns = {name: column_from(v, types[name]) for name, v in values.items()}
    return fingerprint(Rows(columns, len(answers)), column_from(answers, REAL))


def test_the_same_examples_in_any_order_have_the_same_one() -> None:
    values, types = table()
    answers = [float(k) for k in range(N)]
    first = of(values, types, answers)
    assert len(first) == 16
    order = np.random.default_rng(0).permutation(N).tolist()
    mixed = {name: [v[k] for k in order] for name, v in values.items()}
    assert of(mixed, types, [answers[k] for k in order]) == first
    assert of(mixed, types, answers) != first


@pytest.mark.parametrize(
    ("column", "value"),
    [("a", 0.0), ("a", 1.0), ("b", False), ("c", "y"), ("d", None), ("e", "text"), ("e", "")],
)
def test_any_other_value_is_another_one(column: str, value: Any) -> None:
    values, types = table()
    answers = [float(k) for k in range(N)]
    before = of(values, types, answers)
    assert values[column][0] != value
    values[column][0] = value
    assert of(values, types, answers) != before


def test_of_few_rows_nothing_is_kept() -> None:
    column = column_from([1.0] * 19, REAL)
    assert fingerprint(Rows({"a": column}, 19), column) == ""


def test_a_million_rows_are_quick() -> None:
    column = Scalars(REAL, np.random.default_rng(0).normal(size=1_000_000))
    began = time.process_time()
    assert fingerprint(Rows({f"c{k}": column for k in range(30)}, 1_000_000), column)
    assert time.process_time() - began < 2
