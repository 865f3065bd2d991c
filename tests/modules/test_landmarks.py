"""Landmarks of `rbf`: near the rows, and none of them a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import meristem as ms
import meristem.modules
from meristem.language.kinds import KINDS, FitContext, settings_of
from meristem.types import vector_of
from meristem.values import Dense

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def landmarks(x: NDArray[np.float64], count: int = 200, seed: int = 0) -> NDArray[Any]:
    kind = KINDS.find("rbf")
    context = FitContext(None, np.random.default_rng(seed))
    settings = settings_of(kind, {"landmarks": count})
    found: NDArray[Any] = kind.fit([Dense(vector_of(x.shape[1]), x)], settings, context).arrays["landmarks"]
    return found


def nearest(points: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """For each point the distance to the nearest row [N]."""
    found: NDArray[Any] = np.sqrt(((points[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)).min(axis=1)
    return found


@pytest.mark.parametrize("rows", [6, 25, 90, 700, 3000])
@pytest.mark.parametrize("repeats", [1, 4])
def test_no_landmark_is_a_row(rows: int, repeats: int) -> None:
    x = np.repeat(np.random.default_rng(rows).normal(size=(rows, 5)), repeats, axis=0)
    found = landmarks(x)
    assert 1 <= len(found) <= 200
    assert nearest(found.astype(np.float64), x).min() > 1e-3  # of a deviation; float32 keeps 1e-7


def test_categories_as_columns_do_not_show_a_row_either() -> None:
    rng = np.random.default_rng(0)
    x = np.eye(6)[rng.integers(0, 6, 400)]
    x = np.concatenate([x, np.eye(50)[rng.integers(0, 50, 400)]], axis=1)
    assert nearest(landmarks(x), x).min() > 0.1


def test_differences_of_two_models_do_not_show_a_row() -> None:
    """Groups of four and of three from the same rows: where one lies in the other, exact means would give a row."""
    rng = np.random.default_rng(3)
    places = np.repeat(rng.normal(0, 9, (60, 6)), 4, axis=0)  # four and four lie together
    x = places + rng.normal(size=(240, 6))
    threes, fours = landmarks(x, 80)[:80].astype(np.float64), landmarks(x, 60)[:60].astype(np.float64)
    guesses = (4 * fours[:, None, :] - 3 * threes[None, :, :]).reshape(-1, 6)
    assert nearest(guesses, x).min() > 0.1


def test_landmarks_lie_where_the_rows_lie() -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 9.0]])
    x = centres[rng.integers(0, 3, 300)] + rng.normal(0, 0.5, (300, 3))
    found = landmarks(x)
    assert len(found) == 200  # 100 means, and as many drawn around them
    assert np.quantile(nearest(found, x), 0.95) < 1.0  # a group or two are of what the others left over
    assert nearest(x, found).max() < 2.0


def test_a_few_equal_rows_still_fit() -> None:
    assert len(landmarks(np.ones((5, 3)))) == 1
    assert len(landmarks(np.array([[0.0, 1.0], [1.0, 0.0]] * 4))) == 1


def test_no_row_of_the_table_is_in_the_model() -> None:
    task = ms.Task.from_table(PENGUINS, target="species")
    sketch = "logistic(rbf(standardize(impute(numbers(row)))))"
    model = ms.grow(task, sketch=sketch, budget=ms.Budget(trials=1, cores=0), quiet=True)
    by_kind = {slot.rpartition("_")[0]: arrays for slot, arrays in model.program.fit.items()}
    assert "rbf" in by_kind
    scale, mean = by_kind["standardize"]["scale"], by_kind["standardize"]["mean"]
    numbers = [c.values.data for c in task.inputs["row"].fields.values() if c.type.item.name == "real"]  # type: ignore[attr-defined]
    full = [c for c in numbers if len(c) == len(task) - 2]  # two rows lack all measurements
    assert len(full) == 4
    # `impute` adds a column for each that had missing values: 0 in these rows.
    known = (np.pad(np.stack(full, axis=1), [(0, 0), (0, len(mean) - 4)]) - mean) / scale
    assert nearest(by_kind["rbf"]["landmarks"], known).min() > 1e-3
