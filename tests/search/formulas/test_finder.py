"""The finder of formulas finds what it should, in terms that the interpreter runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.interpreter import evaluate
from meristem.search.formulas import Formulas, pareto
from meristem.search.programs.problem import Found, Problem
from meristem.types import INT, REAL, TEXT
from meristem.values import Scalars, column_from


def _problem(truth: Callable[..., Any], low: float, high: float, width: int, rows: int = 300) -> Problem:
    rng = np.random.default_rng(7)
    data = rng.uniform(low, high, (width, rows))
    inputs = {f"x{j}": Scalars(REAL, data[j]) for j in range(width)}
    return Problem(inputs, Scalars(REAL, truth(*data)))


def _first(problem: Problem, seconds: float = 20.0) -> Found:
    began = time.process_time()
    for found in Formulas().find(problem):
        if found is not None and not found.wrong:
            return found
        if time.process_time() - began > seconds:
            break
    raise AssertionError("nothing was found")


CASES: dict[str, tuple[Callable[..., Any], int]] = {
    "power law": (lambda a, b, c: 0.5 * a**2 * np.sqrt(b) / (np.pi * c), 3),
    "sum of products": (lambda a, b, c, d: a * b - 2 * c * d + 3, 4),
    "relativity": (lambda m, v: m / np.sqrt(1 - v**2 / 36), 2),
    "wave": (lambda a, w, t: a * np.sin(w * t), 3),
    "exponential of a group": (lambda n, m, g, k: n * np.exp(-m * g / k), 4),
    "arc sine": (lambda a, b: np.arcsin(a / (b * 8)), 2),
    "lens": (lambda a, b, n: 1 / (1 / a + n / b), 3),
    "distance": (lambda a, b, c, d: np.sqrt((a - b) ** 2 + (c - d) ** 2), 4),
}


@pytest.mark.parametrize("name", CASES)
def test_finds(name: str) -> None:
    truth, width = CASES[name]
    found = _first(_problem(truth, 1.0, 4.0, width))
    fresh = _problem(truth, 0.7, 5.0, width, 200)
    result = evaluate(found.term, fresh.inputs)
    wanted = fresh.answers.data  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.array(result.to_list(), float), wanted, rtol=1e-9)


def test_whole_numbers_of_a_small_table() -> None:
    x = list(range(1, 9))
    inputs = {"n": column_from(x, INT)}
    answers = column_from([n * (n + 1) / 2 for n in x], REAL)
    found = _first(Problem(inputs, answers))
    result = evaluate(found.term, {"n": column_from([20, 100], INT)})
    assert result.to_list() == pytest.approx([210.0, 5050.0])


def test_what_suits() -> None:
    three = column_from([1.0, 2.0, 3.0], REAL)
    assert Formulas().suits(Problem({"a": three}, three))
    assert not Formulas().suits(Problem({"a": column_from(["a", "b", "c"], TEXT)}, three))
    assert not Formulas().suits(Problem({"a": three}, column_from([1, 2, 3], INT)))
    assert not Formulas().suits(Problem({"a": three.take(np.arange(2))}, three.take(np.arange(2))))


def test_yields_often() -> None:
    rng = np.random.default_rng(0)
    inputs = {f"x{j}": Scalars(REAL, rng.uniform(1, 3, 1000)) for j in range(4)}
    noise = Problem(inputs, Scalars(REAL, rng.normal(size=1000)))
    gaps = []
    last = began = time.process_time()
    for found in Formulas().find(noise):
        assert found is None or len(found.wrong) > 900
        now = time.process_time()
        gaps.append(now - last)
        last = now
        if now - began > 4:
            break
    assert max(gaps) < 0.6
    assert np.mean(gaps) < 0.1


def test_same_seed_same_formula() -> None:
    problem = _problem(CASES["wave"][0], 1.0, 4.0, 3)
    assert _first(problem).term == _first(problem).term


def test_small_tables() -> None:
    p, r, n = [100.0, 200.0, 150.0, 300.0, 250.0], [0.05, 0.03, 0.07, 0.02, 0.04], [1.0, 2.0, 3.0, 4.0, 5.0]
    answers = [a * (1 + b) ** c for a, b, c in zip(p, r, n, strict=True)]
    inputs = {name: column_from(values, REAL) for name, values in (("p", p), ("r", r), ("n", n))}
    found = _first(Problem(inputs, column_from(answers, REAL)))
    fresh = {"p": column_from([80.0], REAL), "r": column_from([0.1], REAL), "n": column_from([10.0], REAL)}
    assert evaluate(found.term, fresh).to_list() == pytest.approx([80 * 1.1**10])


def test_a_rate_that_is_no_plain_number() -> None:
    t = list(range(12))
    inputs = {"t": column_from(t, INT)}
    found = _first(Problem(inputs, column_from([5.3 * np.exp(-0.3713 * s) + 2 for s in t], REAL)))
    assert not found.wrong
    result = evaluate(found.term, {"t": column_from([20], INT)})
    assert result.to_list() == pytest.approx([5.3 * np.exp(-0.3713 * 20) + 2], rel=1e-6)


def test_noise_gives_a_front() -> None:
    rng = np.random.default_rng(3)
    data = rng.uniform(0.5, 4, (150, 2))
    answers = 6.87 + 2.5 * np.sqrt(data[:, 0] * data[:, 1]) + rng.normal(size=150) * 0.01
    found = pareto(data, answers, ["a", "b"], seconds=4.0)
    sizes = [bits for _, bits, _ in found]
    errors = [error for _, _, error in found]
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.02
    assert min(size for size, error in zip(sizes, errors, strict=True) if error < 0.02) < 150


def test_a_constant() -> None:
    inputs = {"x": column_from([1.0, 2.0, 3.0], REAL)}
    found = _first(Problem(inputs, column_from([2.5, 2.5, 2.5], REAL)))
    assert evaluate(found.term, inputs).to_list() == [2.5, 2.5, 2.5]


@pytest.mark.parametrize("rows", [3, 5, 11, 20, 45])
def test_any_number_of_rows(rows: int) -> None:
    rng = np.random.default_rng(rows)
    data = rng.normal(size=(3, rows)) * np.array([[1e-3], [1.0], [1e6]])
    inputs = {f"x{j}": Scalars(REAL, column) for j, column in enumerate(data)}
    answers = np.sin(5 * data[1]) * np.exp(data[0]) + data[2] ** 3
    began = time.process_time()
    for found in Formulas().find(Problem(inputs, Scalars(REAL, answers))):
        assert found is None or found.cost > 0
        if time.process_time() - began > 2:
            break
