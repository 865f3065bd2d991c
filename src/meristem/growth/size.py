"""How many rows a budget can use, and a row that is typical for the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.task.budget import Budget
from meristem.values import Column, Options, Rows, Scalars, codes, filler, reals

if TYPE_CHECKING:
    from meristem.task import Task

# Cells that boosting with early stopping passes in a second of one core on one fold, measured with 20 columns.
_CELLS_A_SECOND = 400_000
_LEAST_ROWS = 500
_BYTES_A_CELL = 60  # of float64 and float32 copies, bins and buffers while a model is fitted
_LEAST_SECONDS = 2.0
_WIDE = 1000  # columns from which nobody looks at the values of one row


def sample_rows(task: Task, budget: Budget, seed: int) -> NDArray[np.int64] | None:
    """Positions of the rows to use, in order, or None for all.

    A random choice; where rows are ordered by time the latest ones.
    """
    width = max(1, len(task.schema.features))
    most = len(task)
    if budget.limit < float("inf"):
        most = int(_CELLS_A_SECOND * max(budget.limit, _LEAST_SECONDS) / width)
    if budget.memory is not None:
        share = budget.memory_bytes / (max(budget.workers, 1) + 1)
        most = min(most, int(share / (_BYTES_A_CELL * width)))
    most = max(most, _LEAST_ROWS)
    if most >= len(task):
        return None
    if task.ordered:
        return np.arange(len(task) - most, len(task), dtype=np.int64)
    rng = np.random.default_rng([seed, 2])
    chosen: NDArray[np.int64] = np.sort(rng.choice(len(task), most, replace=False)).astype(np.int64)
    return chosen


def trial_cells(budget: Budget) -> float | None:
    """Rows times columns that one candidate may train on, so that several candidates fit the budget."""
    if budget.limit == float("inf"):
        return None
    return 0.25 * _CELLS_A_SECOND * max(budget.limit, _LEAST_SECONDS) * max(budget.workers, 1)


def typical_row(task: Task) -> Column | None:
    """A row [1] of medians and most frequent labels. No row of the data: a model file must not carry one."""
    row = task.inputs.get("row")
    if not isinstance(row, Rows) or len(row.fields) > _WIDE:
        return None
    return Rows({name: _typical(column) for name, column in row.fields.items()}, 1)


def _typical(column: Column) -> Column:
    inner = column.values if isinstance(column, Options) else column
    value: Any = None
    if len(inner) and isinstance(inner, Scalars):
        if inner.type.name in ("class", "bool"):
            value = np.argmax(np.bincount(codes(inner))).astype(inner.data.dtype)
        elif inner.type.name == "datetime":
            value = np.int64(np.sort(inner.data)[len(inner) // 2])
        else:
            value = np.median(reals(inner)).astype(inner.data.dtype)
    if value is None:
        return filler(column.type, 1)
    found = Scalars(inner.type, np.array([value]))
    return Options(np.ones(1, np.bool_), found) if isinstance(column, Options) else found
