"""Folds over grids of readings, `fold_grid((one, other) => join, (way, x) => step, start, grid)`: joins with all steps.

As with folds over lists (`folds.py`) a step is a table [states, classes], and a join is one [states, states]; a cell is
two gathers for thousands of programs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Call, Lambda, Literal, Variable
from meristem.search.enumeration._blocks import Leaves
from meristem.search.enumeration._pools import FAIL, Ids
from meristem.search.hybrid.folds import REACH, fresh_name, run_table, step_bodies, step_grid
from meristem.types import INT
from meristem.values import Lists, Scalars, column_from

_JOINS, _STEPS = 12, 40
_COST = 2
_MENTIONS = 2  # half bits of naming both parameters, which every join and step does


def grid_leaves(name: str, column: Lists, classes: int, seed: int) -> list[tuple[int, Leaves]]:
    """Folds over a grid of readings, as leaves of a search with their costs.

    Args:
        name: The variable of the grid.
        column: Its values, [R] lists of equally long lists of ints from 0 to `classes` - 1.
        classes: K.
        seed: Source of randomness.
    """
    one, other, way, item = (fresh_name(each, name) for each in ("one", "other", "way", "x"))
    steps = step_bodies(way, item, classes, seed, _STEPS)
    joins = step_bodies(one, other, REACH // 2, seed, _JOINS)
    if not steps or not joins:
        return []
    cells = step_grid(way, item, classes)
    step_tables = np.stack([run_table(body, cells) for _, body in steps]).reshape(len(steps), -1, classes)
    states = np.arange(-REACH, REACH + 1)
    both = {
        one: column_from(np.repeat(states, len(states)).tolist(), INT),
        other: column_from(np.tile(states, len(states)).tolist(), INT),
    }
    join_tables = np.stack([run_table(body, both) for _, body in joins]).reshape(len(joins), len(states), -1)
    found: list[tuple[int, Leaves]] = []
    for start, start_cost in ((0, 1), (1, 2)):
        ids = _run(join_tables, step_tables, column, start).reshape(len(column), len(joins), len(steps))
        whole = (ids != FAIL).all(axis=0)
        for j, (join_cost, join) in enumerate(joins):
            for k, (step_cost, step) in enumerate(steps):
                if not whole[j, k]:
                    continue
                functions = (Lambda((one, other), join), Lambda((way, item), step))
                term = Call("fold_grid", (*functions, Literal(start, INT), Variable(name)))
                cost = _COST + join_cost - _MENTIONS + step_cost - _MENTIONS + start_cost
                found.append((cost, Leaves([term], np.ascontiguousarray(ids[:, j, [k]]))))
    return found


def _run(joins: NDArray[np.int32], steps: NDArray[np.int32], column: Lists, start: int) -> Ids:
    """What all folds give for all grids, [R, joins x steps]; FAIL for grids without cells or of uneven rows."""
    inner = column.items
    assert isinstance(inner, Lists)
    assert isinstance(inner.items, Scalars)
    values = inner.items.data
    high = np.diff(column.offsets)
    lengths = np.diff(inner.offsets)
    rows, count = len(column), len(joins) * len(steps)
    j, k = np.divmod(np.arange(count), len(steps))
    even = np.array(
        [
            h > 0 and len(set(lengths[a : a + h].tolist())) == 1
            for a, h in zip(column.offsets, high, strict=False)
        ]
    )
    wide = np.where(even, lengths[np.minimum(column.offsets[:-1], len(lengths) - 1)], 0)
    ids: Ids = np.full((rows, count), FAIL, np.int32)
    above: list[NDArray[np.int32]] = []
    for i in range(int(high[even].max(initial=0))):
        current: list[NDArray[np.int32]] = []
        for c in range(int(wide.max(initial=0))):
            state = np.full((rows, count), -1, np.int32)
            here = np.flatnonzero((high > i) & (wide > c))
            if i and c:
                left, up = current[c - 1][here], above[c][here]
                before = joins[j[None, :], np.maximum(left, 0), np.maximum(up, 0)]
                before = np.where((left < 0) | (up < 0), -1, before)
            elif i or c:
                before = (above[c] if i else current[c - 1])[here]
            else:
                before = np.full((len(here), count), start + REACH, np.int32)
            item = values[inner.offsets[column.offsets[here] + i] + c]
            after = steps[k[None, :], np.maximum(before, 0), item[:, None]]
            state[here] = np.where(before < 0, -1, after)
            current.append(state)
            last = here[(high[here] == i + 1) & (wide[here] == c + 1)]
            ids[last] = np.where(state[last] < 0, FAIL, state[last] - REACH)
        above = current
    return ids


__all__ = ["grid_leaves"]
