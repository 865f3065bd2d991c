"""Formulas whose results are rounded are found with the constants that people meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.text import format_term
from meristem.search.formulas.rounded import Rounded
from meristem.search.programs.check import Checker
from meristem.search.programs.problem import Problem
from meristem.types import parse_type
from meristem.values import column_from

CASES: dict[str, tuple[Callable[..., Any], dict[str, list[Any]], str, str]] = {
    "tax": (
        lambda x: round(x * 1.19, 2),
        {"x": [10.0, 20.0, 3.33, 99.99, 1234.56]},
        "real",
        "round_to(1.19 * x, 2)",
    ),
    "fahrenheit": (
        lambda x: round(1.8 * x + 32),
        {"x": [-40.0, -3.7, 0.0, 21.3, 36.6, 100.0, 251.4]},
        "int",
        "round(1.8 * x + 32.0)",
    ),
    "celsius": (
        lambda x: round((x - 32) * 5 / 9, 1),
        {"x": [-40.0, 0.0, 32.0, 72.5, 98.6, 212.0, 451.0]},
        "real",
        "round_to(5.0 * (x - 32.0) / 9.0, 1)",
    ),
    "per cent": (
        lambda a, b: round(100 * a / b, 1),
        {"a": [1, 2, 7, 5, 40], "b": [3, 9, 11, 5, 123]},
        "real",
        "round_to(100.0 * (to_real(a) / to_real(b)), 1)",
    ),
    "price with tax of its own": (
        lambda p, t: round(p + p * t / 100, 2),
        {"p": [10.0, 20.0, 33.33, 18.7], "t": [15, 20, 10, 18]},
        "real",
        "round_to(p + 0.01 * (p * to_real(t)), 2)",
    ),
    "whole boxes": (
        lambda n: -(-n // 12),
        {"n": [1, 11, 12, 13, 25, 100, 144, 145]},
        "int",
        "ceil(to_real(n) / 12.0)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_constants_that_were_meant(name: str) -> None:
    truth, inputs, type_, wanted = CASES[name]
    answers = [truth(*row) for row in zip(*inputs.values(), strict=True)]
    columns = {
        n: column_from(values, parse_type("int" if isinstance(values[0], int) else "real"))
        for n, values in inputs.items()
    }
    problem = Problem(columns, column_from(answers, parse_type(type_)))
    finder, checker = Rounded(), Checker(problem)
    assert finder.suits(problem)
    right = []
    for found in finder.find(problem):
        checked = None if found is None else checker.check(found.term)
        if checked is not None and not checked.wrong:
            assert found is not None
            right.append(found)
    assert format_term(min(right, key=lambda f: f.cost).term) == wanted


def test_random_answers_have_no_rounded_formula() -> None:
    rng = np.random.default_rng(0)
    problem = Problem(
        {"x": column_from(rng.normal(size=12).tolist(), parse_type("real"))},
        column_from(rng.normal(size=12).round(2).tolist(), parse_type("real")),
    )
    assert [found for found in Rounded().find(problem) if found is not None] == []


def test_what_is_not_rounded_is_left_to_others() -> None:
    x = column_from([1.0, 2.0, 3.0], parse_type("real"))
    assert not Rounded().suits(Problem({"x": x}, column_from([1 / 3, 2 / 3, 1.0], parse_type("real"))))
    assert not Rounded().suits(Problem({"x": x}, column_from(["a", "b", "c"], parse_type("text"))))
