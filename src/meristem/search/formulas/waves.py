"""Waves as variables: what swings is no polynomial of its angle, but it may be one of the sine or cosine.

For each angle that a few variables can form, a low polynomial in its wave and in the other variables is fitted. Only
with the right one is little left over; that one becomes a variable in the place of those it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from meristem.search.formulas.expressions import (
    Expr,
    add,
    constant,
    divide,
    evaluate,
    multiply,
    substitute,
    subtract,
    unary,
    variable,
)
from meristem.search.formulas.goals import Goal
from meristem.search.formulas.surrogate import held_out_error
from meristem.search.formulas.symmetry import Reduction

_TURN = 1.2  # radians that an angle must span: below, polynomials do as well
_TURNS = 60.0  # and that it may span
_TERMS = 150


def angles(width: int, widest: int = 5) -> Iterator[tuple[Expr, tuple[int, ...]]]:
    """Angles over so many variables, and which variables they use; of three only up to the width `widest`."""
    for j in range(width):
        yield variable(j), (j,)
    for i, j in combinations(range(width), 2):
        a, b = variable(i), variable(j)
        yield subtract(a, b), (i, j)
        yield add(a, b), (i, j)
        yield multiply(a, b), (i, j)
        yield divide(a, b), (i, j)
        yield divide(b, a), (i, j)
    if width <= widest:
        for i, j, k in combinations(range(width), 3):
            for three in ((i, j, k), (j, k, i), (k, i, j)):
                a, b, c = map(variable, three)
                yield divide(multiply(a, b), c), (i, j, k)
                yield multiply(subtract(a, b), c), (i, j, k)
            yield multiply(multiply(variable(i), variable(j)), variable(k)), (i, j, k)


def waves(goal: Goal, baseline: float, rng: np.random.Generator) -> Iterator[Reduction | None]:
    """Goals with a wave as a variable that leave much less over than polynomials do (`baseline`)."""
    order = rng.permutation(len(goal.target))
    held, kept = order[: len(order) // 5], order[len(order) // 5 :]
    found: list[tuple[float, int, Goal]] = []
    for angle, used in angles(goal.width):
        turns = evaluate(angle, goal.columns)
        reach = float(np.ptp(turns))
        if not _TURN <= reach <= _TURNS:
            continue
        half = divide(angle, constant(2.0))
        for wave in (unary("cos", angle), unary("sin", angle), unary("sin", half), unary("cos", half)):
            exprs = [variable(j) for j in range(goal.width) if j not in used]
            columns = np.stack([evaluate(e, goal.columns) for e in (*exprs, wave)], axis=1)
            error = held_out_error(columns, goal.target, kept, held, _TERMS)
            yield None
            if error < min(0.3, 0.4 * baseline):
                parts = tuple(substitute(e, goal.parts) for e in (*exprs, wave))
                child = Goal(columns, parts, goal.target, goal.rebuild, "wave", goal.depth + 1)
                found.append((max(error, 1e-7), len(found), child))
    found.sort()
    for error, _, child in found[:3]:
        if error <= 3 * found[0][0]:
            yield Reduction(child, error, "wave", 0.5)


__all__ = ["angles", "waves"]
