"""Formulas that come near: for data with noise, and for constants that no bank holds.

The entries of a bank are regressed on the target, singly and in twos and threes, plainly and through a function of
one argument; the best of each size have all their constants fitted together on all rows, those within functions too.
What is left is a front: no shorter formula comes nearer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from meristem.search.formulas.bank import Bank
from meristem.search.formulas.expressions import (
    Expr,
    Reals,
    constant,
    evaluate,
    unary,
    weighted_sum,
)
from meristem.search.formulas.goals import STEPS, Goal
from meristem.search.formulas.polish import bits

_ENTRIES = 12_000
_ROWS = 160
_STEPS = ("log", "square", "inverse", "sqrt", "exp")
_FUNCTIONS = frozenset(("exp", "log", "sin", "cos", "tan", "tanh", "atan"))


@dataclass(frozen=True)
class Rough:
    """A formula that comes near.

    Args:
        expr: The formula over the inputs.
        bits: Its description length.
        error: The root mean square of what it misses, over that of the answers' deviations from their mean.
    """

    expr: Expr
    bits: float
    error: float


def rough(goal: Goal, bank: Bank, columns: Reals, answers: Reals, most: int = 24) -> Iterator[Rough | None]:
    """Formulas of the answers that come near, with fitted constants; None in between.

    Args:
        goal: What is looked for through the bank.
        bank: A bank over the goal's variables.
        columns: The inputs [N, d].
        answers: The wanted reals [N].
        most: How many have their constants fitted.
    """
    rng = np.random.default_rng(len(answers))
    rows = np.sort(rng.permutation(len(answers))[:_ROWS])
    values = bank.columns(_ENTRIES, goal.columns[rows])
    yield None
    usable = np.flatnonzero(np.isfinite(values).all(axis=1) & (np.abs(values).max(axis=1) < 1e30))
    values = values[usable]
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred * centred).sum(axis=1))
    alive = spread > 1e-9 * np.abs(values).max(axis=1)
    usable, unit = usable[alive], centred[alive] / spread[alive, None]
    sizes = np.array([bank.cost_of(int(i)) for i in usable])
    found: list[tuple[float, float, Expr]] = []
    for name in ("", *_STEPS):
        step = next((s for s in STEPS if s.name == name), None)
        with np.errstate(all="ignore"):
            target = goal.target if step is None else step.forward(goal.target)
        if not np.isfinite(target).all() or np.ptp(target) == 0:
            continue
        for chosen in _chosen(unit, sizes, target[rows]):
            exprs = [bank.expr(int(usable[i])) for i in chosen]
            matrix = np.stack([*(evaluate(e, goal.columns) for e in exprs), np.ones(len(target))], axis=1)
            if not np.isfinite(matrix).all():
                continue
            fitted = np.linalg.lstsq(matrix, target, rcond=None)[0]
            total = weighted_sum(list(zip([*exprs, constant(1.0)], fitted.tolist(), strict=True)))
            whole = _lifted(goal, total if step is None else step.wrap(total))
            error = spread_error(whole, columns, answers)
            if np.isfinite(error):
                found.append((error, bits(whole, columns.shape[1]), whole))
        yield None
    found.sort(key=lambda entry: len(answers) * np.log2(entry[0] + 1e-12) + entry[1])
    for error, _, expr in found[:most]:
        for form in dict.fromkeys((expr, _loosened(expr))):
            better = fitted_constants(form, columns, answers)
            left = spread_error(better, columns, answers)
            if left <= error * 1.0001:
                yield Rough(better, bits(better, columns.shape[1]), left)
            yield None


def _chosen(unit: Reals, sizes: Reals, target: Reals) -> Iterator[tuple[int, ...]]:
    """Entries that together go well with a target: the best single one of each cost, and what goes best beside."""
    own = target - target.mean()
    match = np.abs(unit @ own)
    starts: list[int] = []
    for cost in np.unique(sizes):
        of_cost = np.flatnonzero(sizes == cost)
        starts += of_cost[np.argsort(-match[of_cost], kind="stable")[:4]].tolist()
    for first in starts:
        yield (first,)
        base = unit[[first]]
        chosen = [first]
        for _ in range(2):
            left = own - base.T @ (base @ own)
            others = unit - (unit @ base.T) @ base
            size = np.sqrt((others * others).sum(axis=1))
            gain = np.where(size > 1e-6, np.abs(others @ left) / np.maximum(size, 1e-6), 0.0)
            # Two entries of like gain: the cheaper one.
            following = int(np.argmax(gain * (1 - 0.01 * sizes)))
            chosen.append(following)
            base = np.concatenate([base, (others[following] / max(size[following], 1e-12))[None]])
            yield tuple(chosen)


def _lifted(goal: Goal, expr: Expr) -> Expr:
    from meristem.search.formulas.expressions import substitute

    return goal.rebuild(substitute(expr, goal.parts))


def spread_error(expr: Expr, columns: Reals, answers: Reals) -> float:
    """The root mean square of what a formula misses, over the answers' deviation; infinite where it has no value."""
    values = evaluate(expr, columns)
    if not np.isfinite(values).all():
        return np.inf
    return float(np.sqrt(np.mean((values - answers) ** 2)) / max(float(answers.std()), 1e-300))


def _loosened(expr: Expr) -> Expr:
    """The formula with a constant of its own as a factor of each function's argument."""
    args = tuple(_loosened(arg) for arg in expr.args)
    if expr.op in _FUNCTIONS and args[0].op != "c":
        has = args[0].op in ("multiply", "divide") and any(a.op == "c" for a in args[0].args)
        return unary(expr.op, args[0] if has else Expr("multiply", (constant(1.0), args[0])))
    return Expr(expr.op, args, expr.value)


def _constants(expr: Expr, into: list[float]) -> None:
    if expr.op == "c":
        into.append(expr.value)
    for arg in expr.args:
        _constants(arg, into)


def _with(expr: Expr, values: Iterator[float]) -> Expr:
    if expr.op == "c":
        return constant(next(values))
    return Expr(expr.op, tuple(_with(arg, values) for arg in expr.args), expr.value)


def fitted_constants(expr: Expr, columns: Reals, answers: Reals, rounds: int = 25) -> Expr:
    """The formula with its constants at a least sum of squares near where they are (Levenberg-Marquardt)."""
    start: list[float] = []
    _constants(expr, start)
    if not start or len(start) > 12:
        return expr
    values = np.array(start)

    def missed(at: Reals) -> Reals:
        return evaluate(_with(expr, iter(at.tolist())), columns) - answers

    left = missed(values)
    if not np.isfinite(left).all():
        return expr
    square, damping = float(left @ left), 1e-3
    for _ in range(rounds):
        slopes = np.empty((len(answers), len(values)))
        for j in range(len(values)):
            step = 1e-7 * max(abs(values[j]), 1e-3)
            moved = values.copy()
            moved[j] += step
            back = values.copy()
            back[j] -= step
            slopes[:, j] = (missed(moved) - missed(back)) / (2 * step)
        if not np.isfinite(slopes).all():
            break
        normal, pull = slopes.T @ slopes, slopes.T @ left
        before = square
        for _ in range(6):
            scaled = normal + damping * np.diag(np.diag(normal) + 1e-30)
            try:
                tried = values - np.linalg.solve(scaled, pull)
            except np.linalg.LinAlgError:
                damping *= 10
                continue
            now = missed(tried)
            found = float(now @ now) if np.isfinite(now).all() else np.inf
            if found < square:
                values, left, square = tried, now, found
                damping = max(damping / 10, 1e-12)
                break
            damping *= 10
        if square >= before * (1 - 1e-10):
            break
    return _with(expr, iter(values.tolist()))


def front(candidates: list[Rough]) -> list[Rough]:
    """Those of which none is shorter and nearer, the shortest first."""
    kept: list[Rough] = []
    for each in sorted(candidates, key=lambda c: (c.bits, c.error)):
        if not kept or each.error < kept[-1].error * 0.999:
            kept.append(each)
    return kept


def likeliest(candidates: list[Rough], rows: int) -> Rough:
    """The least description length: the formula's bits and what each row then still takes."""
    return min(candidates, key=lambda c: c.bits + rows * float(np.log2(c.error + 1e-13)))


__all__ = ["Rough", "fitted_constants", "front", "likeliest", "rough", "spread_error"]
