"""Heads on frozen features: few labels, classes without any, weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import meristem.modules  # noqa: F401
from meristem.language.kinds import KINDS, FitContext, settings_of
from meristem.types import Type, class_of
from meristem.values import Dense, Dists, Scalars

TEN = class_of(*map(str, range(10)))


def features(a_class: int, seed: int, width: int = 40) -> tuple[Dense, Scalars]:
    """Ten clouds whose middles are drawn once; rows of them by seed."""
    middles = np.random.default_rng(99).normal(size=(10, width))
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(10), a_class)
    x = middles[y] + rng.normal(size=(len(y), width)) * 0.9
    return Dense(Type("vector", params=(width,)), x), Scalars(TEN, y)


def shares(name: str, train: tuple[Dense, Scalars], x: Dense, **choices: Any) -> np.ndarray[Any, Any]:
    kind = KINDS.find(name)
    settings = settings_of(kind, choices)
    fitted = kind.fit([train[0]], settings, FitContext(train[1], np.random.default_rng(0)))
    output = kind.type_of([x.type], TEN)
    result = kind.forward(fitted.arrays, [x], settings, output)
    assert isinstance(result, Dists)
    return result.probabilities


@pytest.mark.parametrize("name", ["ridge_head", "nearest_mean"])
@pytest.mark.parametrize(("labels", "least"), [(1, 0.75), (5, 0.95)])
def test_few_labels_do(name: str, labels: int, least: float) -> None:
    held, truth = features(50, 7)
    p = shares(name, features(labels, 1), held)
    assert (p.argmax(axis=1) == truth.data).mean() > least
    # The probabilities are honest enough to be used: better than even shares, not surer than they are right.
    picked = p[np.arange(len(p)), truth.data]
    assert -np.log(picked).mean() < np.log(10)


@pytest.mark.parametrize("name", ["ridge_head", "nearest_mean"])
def test_a_class_without_rows_is_never_the_answer(name: str) -> None:
    x, y = features(3, 2)
    some = np.flatnonzero(y.data != 4)
    p = shares(name, (x.take(some), y.take(some)), features(20, 8)[0])
    assert not (p.argmax(axis=1) == 4).any()
    assert np.isfinite(p).all()


def test_ridge_left_out_answers_are_exact() -> None:
    from meristem.modules.ridge_head import _eigen, _ridge

    rng = np.random.default_rng(0)
    x, b = rng.normal(size=(12, 30)), rng.normal(size=(12, 2))
    a, b = (x - x.mean(0)) / np.sqrt(12), (b - b.mean(0)) / np.sqrt(12)
    alone = _ridge(a, b, _eigen(a), 0.3)[1] * np.sqrt(12)
    # By hand: leave row 5 out, centre again, solve with the same penalty.
    keep = np.arange(12) != 5
    rows, answers = a[keep] * np.sqrt(12), b[keep] * np.sqrt(12)
    middle, mean = rows.mean(0), answers.mean(0)
    centred = rows - middle
    w = np.linalg.solve(centred.T @ centred / 12 + 0.3 * np.eye(30), centred.T @ (answers - mean) / 12)
    np.testing.assert_allclose(alone[5], (a[5] * np.sqrt(12) - middle) @ w + mean, atol=1e-8)
