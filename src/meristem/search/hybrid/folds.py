"""Folds over readings, found by running step tables: `fold((total, x) => body, start, xs)` and `fold_right`.

A step is a program of two numbers. Over readings the second is a class and the first is small, so a step *is* a table
[states, classes], and running thousands of folds on all lists is a gather a position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Call, Lambda, Literal, Term, Variable
from meristem.search.enumeration._blocks import Leaves
from meristem.search.enumeration._pools import FAIL, Ids
from meristem.search.enumeration._search import Search
from meristem.search.enumeration._settings import Settings
from meristem.search.programs.problem import Problem
from meristem.types import INT
from meristem.values import Column, Lists, Scalars, column_from

REACH = 64
"""States go from minus this to this: nine times five items, and some."""
_BODIES = 5  # cost of a step
_COST = {"fold": 3, "fold_right": 4}
_MOST = 400  # steps


def fold_leaves(name: str, column: Column, classes: int, seed: int) -> list[tuple[int, Leaves]]:
    """Folds over a list of readings, as leaves of a search with their costs.

    Args:
        name: The variable of the list.
        column: Its values, [R] lists of ints from 0 to `classes` - 1.
        classes: K.
        seed: Source of randomness.
    """
    assert isinstance(column, Lists)
    assert isinstance(column.items, Scalars)
    total, item = fresh_name("total", name), fresh_name("x", name)
    grid = step_grid(total, item, classes)
    bodies = step_bodies(total, item, classes, seed)
    if not bodies:
        return []
    tables = np.stack([run_table(term, grid) for _, term in bodies]).reshape(len(bodies), -1, classes)
    found: list[tuple[int, Leaves]] = []
    values, offsets = column.items.data, column.offsets
    for form in ("fold", "fold_right"):
        for start, start_cost in ((0, 1), (1, 2)):
            ids = _run(tables, values, offsets, start, form == "fold_right")
            for k, (cost, body) in enumerate(bodies):
                if not (ids[:, k] != FAIL).all():
                    continue
                names = (total, item) if form == "fold" else (item, total)
                term = Call(form, (Lambda(names, body), Literal(start, INT), Variable(name)))
                found.append((_COST[form] + cost + start_cost, Leaves([term], ids[:, [k]])))
    return found


def step_grid(total: str, item: str, classes: int) -> dict[str, Column]:
    """All states with all classes, as inputs of steps: a row for each of [states, classes]."""
    return {
        total: column_from(np.repeat(np.arange(-REACH, REACH + 1), classes).tolist(), INT),
        item: column_from(np.tile(np.arange(classes), 2 * REACH + 1).tolist(), INT),
    }


def step_bodies(total: str, item: str, classes: int, seed: int, most: int = _MOST) -> list[tuple[int, Term]]:
    """Programs of a state and a class, cheapest first, with their costs; each looks at both."""
    rng = np.random.default_rng([seed, 23])
    states = np.concatenate([np.arange(-4, 3 * classes // 2), rng.integers(0, REACH // 2, 40)])
    pairs = np.stack([rng.choice(states, 160), rng.integers(0, classes, 160)], axis=1)
    known = {total: column_from(pairs[:, 0].tolist(), INT), item: column_from(pairs[:, 1].tolist(), INT)}
    problem = Problem(known, column_from([0] * len(pairs), INT))
    settings = Settings(most=4000, conditionals=False, inverses=False, functions=False, levels=_BODIES + 2)
    search = Search(problem, settings)
    for _ in search.run():
        pass
    bodies: list[tuple[int, Term]] = []
    for cost, block in sorted(search.bank.blocks.get(INT, {}).items()):
        for index in range(len(block)):
            if len(bodies) >= most:
                break
            term = block.term(index)
            if term.free_names == {total, item}:
                bodies.append((cost, term))
    return bodies


def fresh_name(name: str, other: str) -> str:
    """A name that is not another one."""
    return name if name != other else name + "_"


def run_table(term: Term, grid: dict[str, Column]) -> NDArray[np.int32]:
    """The states [states x classes] that a step leads to, as positions; -1 beyond the reach or where it fails."""
    from meristem.language.interpreter import evaluate

    rows = len(next(iter(grid.values())))
    result = evaluate(term, grid, rows=rows, fuel=10_000)
    assert isinstance(result.column, Scalars)
    data = result.column.data
    bad = (result.failures != 0) | (np.abs(data) > REACH)
    table: NDArray[np.int32] = np.where(bad, -1, data + REACH).astype(np.int32)
    return table


def _run(
    tables: NDArray[np.int32], values: NDArray[np.int64], offsets: NDArray[np.int64], start: int, right: bool
) -> Ids:
    """What all folds give for all lists, [R, folds]."""
    rows, count = len(offsets) - 1, len(tables)
    state = np.full((rows, count), start + REACH, np.int32)
    lengths = np.diff(offsets)
    which = np.arange(count)
    for t in range(int(lengths.max(initial=0))):
        here = np.flatnonzero(lengths > t)
        at = offsets[here + 1] - 1 - t if right else offsets[here] + t
        item = values[at]
        before = state[here]
        after = tables[which[None, :], np.maximum(before, 0), item[:, None]]
        state[here] = np.where(before < 0, -1, after)
    ids: Ids = np.where(state < 0, FAIL, state - REACH).astype(np.int32)
    return ids


__all__ = ["REACH", "fold_leaves", "fresh_name", "run_table", "step_bodies", "step_grid"]
