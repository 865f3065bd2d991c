"""The task a user holds."""

from __future__ import annotations

import numpy as np

import meristem as ms
from meristem.types import REAL, option_of, row_of


def small() -> ms.Task:
    return ms.Task.from_table(
        {"x": [1.0, 2.5, None, 4.0], "y": [1.5, 3.1, 4.2, 0.1], "w": [1, 1, 0, 2], "g": ["a", "b", "a", "c"]},
        "y",
        weight_column="w",
        group_column="g",
    )


def test_a_task_says_what_it_is() -> None:
    task = small()
    assert task.kind == "regression"
    assert len(task) == 4
    assert task.input_types == {"row": row_of({"x": option_of(REAL)})}
    assert repr(task) == "<task 'table': 4 examples, regression of 'y'>"


def test_taking_rows_takes_everything() -> None:
    part = small().take(np.array([3, 0, 0]))
    assert part.inputs["row"].to_list() == [{"x": 4.0}, {"x": 1.0}, {"x": 1.0}]
    assert part.target.to_list() == [0.1, 1.5, 1.5]
    assert part.weights is not None
    np.testing.assert_allclose(part.weights, [2, 1, 1])
    assert part.groups is not None
    assert part.groups.tolist() == [2, 0, 0]
    assert part.schema is small().schema or part.schema == small().schema
    assert len(small().take(np.array([], np.int64))) == 0
