"""Objectives: what errors cost."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem.errors import InputError
from meristem.types import class_of

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


def costs(stated: Any) -> list[list[float]]:
    scorer = ms.Objective(costs=stated).scorer(class_of(*SPECIES), SPECIES)
    assert scorer.costs is not None
    found: list[list[float]] = scorer.costs.tolist()
    return found


def test_an_error_that_is_left_out_costs_one() -> None:
    assert costs({("Chinstrap", "Adelie"): 10}) == [[0, 1, 1], [10, 0, 1], [1, 1, 0]]
    assert costs({("Gentoo", "Gentoo"): 0.5, ("Adelie", "Gentoo"): 0}) == [[0, 1, 0], [1, 0, 1], [1, 1, 0.5]]


def test_a_matrix_is_taken_as_it_is() -> None:
    matrix = [[0, 2, 3], [4, 0, 5], [6, 7, 0]]
    assert costs(matrix) == matrix
    assert costs(np.array(matrix)) == matrix


def test_the_example_of_the_docs_grows_no_constant() -> None:
    task = ms.Task.from_table(PENGUINS, target="species")
    objective = ms.Objective(costs={("Chinstrap", "Adelie"): 10})
    model = ms.grow(task, objective=objective, budget=ms.Budget(trials=2, cores=0), quiet=True)
    report = model.report()
    assert report.baseline.score > 0.3
    assert report.best.score < 0.2
    assert "constant" not in model.source()


@pytest.mark.parametrize(
    "stated",
    [
        {("Adelie", "Gentoo"): 0, ("Chinstrap", "Gentoo"): 0},
        [[0, 1, 0], [1, 0, 0], [1, 1, 0]],
    ],
)
def test_costs_that_make_a_constant_answer_free_are_warned_of(stated: Any) -> None:
    with pytest.warns(UserWarning, match="'Gentoo' for every row costs nothing"):
        costs(stated)


def test_costs_that_do_not_are_not() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        costs({("Adelie", "Gentoo"): 0})


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({("Adelie", "Chinstrap"): "much"}, "expected a number as the cost of"),
        (
            {("Adelie", "Chinstrap"): -3},
            "got -3 where 'Adelie' is right and 'Chinstrap' is answered: that would pay",
        ),
        (
            [[0, 1, 1], [1, 0, 1], [1, 1, -2]],
            "got -2 where 'Gentoo' is right and 'Gentoo' is answered: a gain",
        ),
        ({("Adelie", "Chinstrap"): float("nan")}, "finite numbers"),
        ({("Adelie", "Emperor"): 1}, "among"),
        ([[0, 1], [1, 0]], "cost matrix of 3 x 3"),
        ([[0, 1, 1], [1, 0], [1]], "cost matrix of 3 x 3"),
        ([["a"] * 3] * 3, "cost matrix of 3 x 3"),
    ],
)
def test_costs_that_cannot_be_used(stated: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        costs(stated)
