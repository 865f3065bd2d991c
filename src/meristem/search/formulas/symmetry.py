"""Fewer variables: what a function does not change under tells which combinations of its inputs it depends on.

From the slopes of a stand-in: `x_i f_i = p f` makes x_i ** p a factor. Generators of scalings, sum w_i x_i f_i = p f,
leave products of powers (the pi groups of dimensional analysis, found without units). `f_i = +-f_j + q` leaves sums
and differences. And f_i g_j = f_j g_i says that x_i and x_j enter by g(x_i, x_j) alone. All of these are proposals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np

from meristem.search.formulas.constants import rational
from meristem.search.formulas.expressions import (
    Expr,
    Reals,
    add,
    constant,
    divide,
    evaluate,
    multiply,
    product,
    substitute,
    subtract,
    unary,
    variable,
)
from meristem.search.formulas.expressions import size as size_of
from meristem.search.formulas.goals import Goal, Rebuild
from meristem.search.formulas.surrogate import Surrogate

_LOOSE = 0.12  # share of a generator's size that may be left over, at most


@dataclass(frozen=True, eq=False)
class Reduction:
    """A goal of fewer variables.

    Args:
        goal: The goal.
        left: What is left over of the property that led to it, as a share.
        kind: The property.
        strange: How unusual the new variables are; 0 for plain ones.
    """

    goal: Goal
    left: float
    kind: str
    strange: float = 0.0


def reductions(goal: Goal, surrogate: Surrogate) -> list[Reduction]:
    """Ways to fewer variables that the slopes of a surrogate allow."""
    with np.errstate(all="ignore"):
        return list(_reductions(goal, surrogate))


def _reductions(goal: Goal, surrogate: Surrogate) -> Iterator[Reduction]:
    tolerance = min(_LOOSE, max(1e-6, 12 * surrogate.error))
    rows = surrogate.inner
    slopes = surrogate.slopes[rows]
    target = goal.target[rows]
    columns = goal.columns[rows]
    weight = 1 / np.abs(target) if surrogate.relative else np.ones_like(target)
    slopes, target = slopes * weight[:, None], target * weight
    good = np.isfinite(slopes).all(axis=1)
    slopes, target, columns = slopes[good], target[good], columns[good]
    whole = float(target @ target) * float((slopes * slopes).sum())
    if len(target) < 8 or not 1e-200 < whole < 1e200:
        return
    yield from _factors(goal, columns * slopes, target, tolerance)
    yield from _differences(goal, slopes, columns, tolerance)
    yield from _scalings(goal, columns * slopes, target, tolerance)
    yield from _own(goal, slopes, columns, target, weight[good], tolerance)
    yield from _pairs(goal, slopes, columns, tolerance)


# ------------------------------------------------------------------------------------------------- single variables


def _factors(goal: Goal, stretched: Reals, target: Reals, tolerance: float) -> Iterator[Reduction]:
    """Variables that are factors by themselves, or do not matter; and those that are summands."""
    square = float(target @ target)
    powers: dict[int, Fraction] = {}
    worst = 0.0
    for j in range(goal.width):
        power = float(stretched[:, j] @ target) / square
        left = float(np.linalg.norm(stretched[:, j] - power * target)) / np.sqrt(square)
        exponent = rational(power, max(3 * tolerance, 0.02), 2)
        if exponent is not None and left < tolerance * max(1.0, abs(power)) and abs(exponent) <= 8:
            powers[j] = exponent
            worst = max(worst, left)
    if powers and len(powers) < goal.width:
        rest = [j for j in range(goal.width) if j not in powers]
        named = [(variable(j), p) for j, p in powers.items()]
        yield Reduction(_divided(goal, named, [variable(j) for j in rest]), worst, "factors")


def _own(
    goal: Goal, slopes: Reals, columns: Reals, target: Reals, weight: Reals, tolerance: float
) -> Iterator[Reduction]:
    """Functions of one variable that are a factor, f_i h = f h', or a summand, f_i = c h'."""
    reach = np.ptp(columns, axis=0)
    size = np.sqrt(np.mean(slopes**2, axis=0)) * reach
    found: list[tuple[float, int, Expr, float]] = []
    for j in range(goal.width):
        if size[j] < 5 * tolerance * size.max():
            continue
        for form in _SINGLE:
            column = columns[:, [j]]
            value, slope = evaluate(form, column), _slopes(form, column)[0]
            if not (np.isfinite(value).all() and np.isfinite(slope).all()):
                continue
            one, two = slopes[:, j] * value, target * slope
            whole = float(np.linalg.norm(one) + np.linalg.norm(two))
            left = float(np.linalg.norm(one - two)) / whole if whole else 1.0
            if left < tolerance and form.op not in ("x", "square", "sqrt", "cube"):
                found.append((left, j, form, 0.0))
            slope = slope * weight
            square = float(slope @ slope)
            if not 1e-200 < square < 1e200:
                continue
            scale = float(slopes[:, j] @ slope) / square
            left = float(np.linalg.norm(slopes[:, j] - scale * slope) / np.linalg.norm(slopes[:, j]))
            plain = rational(scale, max(tolerance, 0.01) * abs(scale), 2)
            if left < tolerance and plain is not None and 0 < abs(plain) <= 6:
                found.append((left, j, form, float(plain)))
    found.sort(key=lambda entry: (max(entry[0], 0.2 * tolerance), size_of(entry[2])))
    for left, j, form, scale in found[:5]:
        front = substitute(form, (variable(j),))
        rest: list[Expr] = [variable(n) for n in range(goal.width) if n != j]
        if not rest:
            continue
        if scale:
            reduced = _lessened(goal, multiply(constant(scale), front), rest)
        else:
            reduced = _divided(goal, [(front, Fraction(1))], rest)
        yield Reduction(reduced, left, "own", 0.3 + 0.1 * size_of(form))


def _lessened(goal: Goal, summand: Expr, fresh: list[Expr]) -> Goal:
    own = substitute(summand, goal.parts)
    columns = np.stack([evaluate(expr, goal.columns) for expr in fresh], axis=1)
    parts = tuple(substitute(expr, goal.parts) for expr in fresh)
    target = goal.target - evaluate(summand, goal.columns)
    rebuild = goal.rebuild
    return Goal(columns, parts, target, lambda e: rebuild(add(e, own)), "summand", goal.depth + 1)


def _divided(
    goal: Goal,
    factors: list[tuple[Expr, Fraction]],
    fresh: list[Expr],
) -> Goal:
    """The goal over a product of powers of its variables, with new variables."""
    front = product(factors)
    values = evaluate(front, goal.columns)
    own = substitute(front, goal.parts)
    with np.errstate(all="ignore"):
        target = goal.target / values
    columns = np.stack([evaluate(expr, goal.columns) for expr in fresh], axis=1)
    parts = tuple(substitute(expr, goal.parts) for expr in fresh)
    return Goal(columns, parts, target, _times(goal.rebuild, own), "factors", goal.depth + 1)


def _times(rebuild: Rebuild, front: Expr) -> Rebuild:
    return lambda e: rebuild(multiply(front, e))


# ------------------------------------------------------------------------------------------------- sums, differences


def _differences(goal: Goal, slopes: Reals, columns: Reals, tolerance: float) -> Iterator[Reduction]:
    """Variables that enter by their sum or difference, as many pairs at once as there are."""
    reach = np.ptp(columns, axis=0)
    size = np.sqrt(np.mean(slopes**2, axis=0))
    strongest = float((size * reach).max())
    found: list[tuple[float, int, int, int]] = []
    for i, j in combinations(range(goal.width), 2):
        if min(size[i] * reach[i], size[j] * reach[j]) < 5 * tolerance * strongest:
            continue
        for sign in (1, -1):
            left = float(np.sqrt(np.mean((slopes[:, i] - sign * slopes[:, j]) ** 2)) / (size[i] + size[j]))
            if left < tolerance:
                found.append((left, i, j, sign))
    if not found:
        return
    found.sort()
    used: set[int] = set()
    chosen: list[tuple[float, int, int, int]] = []
    for entry in found:
        if entry[1] not in used and entry[2] not in used:
            chosen.append(entry)
            used |= {entry[1], entry[2]}
    choices = [chosen]
    if len(chosen) > 1:
        choices.append(chosen[:1])
    for some in choices:
        gone = {j for _, _, j, _ in some}
        exprs = [variable(j) for j in range(goal.width)]
        for _, i, j, sign in some:
            exprs[i] = add(variable(i), variable(j)) if sign > 0 else subtract(variable(i), variable(j))
        kept = [exprs[j] for j in range(goal.width) if j not in gone]
        yield Reduction(_renamed(goal, kept, "differences"), max(e[0] for e in some), "differences")


def _renamed(goal: Goal, exprs: list[Expr], note: str) -> Goal:
    columns = np.stack([evaluate(expr, goal.columns) for expr in exprs], axis=1)
    parts = tuple(substitute(expr, goal.parts) for expr in exprs)
    return Goal(columns, parts, goal.target, goal.rebuild, note, goal.depth + 1)


# ------------------------------------------------------------------------------------------------- scalings


def _scalings(goal: Goal, stretched: Reals, target: Reals, tolerance: float) -> Iterator[Reduction]:
    """Products of powers that are all the function depends on, beside a factor that is one itself.

    The null space of [x_1 f_1, ..., x_k f_k, -f] holds the generators (w, p). What a product of powers with exponents
    a needs so as not to change is w . a = 0; a factor needs w . b = p.
    """
    k = goal.width
    matrix = np.column_stack([stretched, -target])
    _, sizes, rows = np.linalg.svd(matrix, full_matrices=True)
    sizes = np.concatenate([sizes, np.zeros(k + 1 - len(sizes))])
    sizes = sizes / max(float(sizes[0]), 1e-300)
    counts = [s for s in range(1, k + 1) if sizes[k + 1 - s] < tolerance]
    for count in sorted(counts, reverse=True):
        generators = rows[k + 1 - count :]
        left = float(sizes[k + 1 - count])
        yield from _scaling(goal, generators, left, max(0.03, min(0.1, 10 * left)))


def _scaling(goal: Goal, generators: Reals, left: float, tolerance: float) -> Iterator[Reduction]:
    k, count = goal.width, len(generators)
    weights, power = generators[:, :k], generators[:, k]
    if np.linalg.matrix_rank(weights, tol=1e-3) < count:
        return
    _, _, basis = np.linalg.svd(weights, full_matrices=True)
    across = basis[count:]  # [k - count, k]: exponents that the generators leave alone
    groups = _plain_rows(across, tolerance)
    fronts = _plain_fronts(weights, power, tolerance)
    if (groups is None and count < k) or not fronts:
        return
    matrices = groups if groups else [()]
    for exponents in matrices[:2]:
        fresh: list[Expr] = []
        for row in exponents:
            fresh.append(product([(variable(j), p) for j, p in enumerate(row) if p]))
        for front in fronts[:1]:
            named = [(variable(j), p) for j, p in enumerate(front) if p]
            if not fresh:
                fresh = [constant(1.0)]
            if len(fresh) < k:
                strange = sum(max(0.0, float(abs(p)) - 1) for row in exponents for p in row)
                strange += sum(float(p.denominator > 1) for p in front)
                yield Reduction(_divided(goal, named, fresh), left, "scaling", 0.25 * strange)


def _plain_rows(across: Reals, tolerance: float) -> list[tuple[tuple[Fraction, ...], ...]] | None:
    """Bases of a row space in small fractions, the plainest first."""
    count, k = across.shape
    found: list[tuple[float, tuple[tuple[Fraction, ...], ...]]] = []
    for pivots in combinations(range(k), count):
        square = across[:, pivots]
        if count and abs(np.linalg.det(square)) < 1e-3:
            continue
        reduced = np.asarray(np.linalg.solve(square, across), np.float64)
        if np.abs(reduced).max(initial=0) > 6.5:
            continue
        rows = _fractions(reduced, tolerance)
        if rows is not None:
            rows = [_whole(row) for row in rows]
            if any(abs(p) > 4 for row in rows for p in row):
                continue
            cost = float(sum(abs(p) + 2 * (p.denominator > 1) + 0.3 * (p < 0) for row in rows for p in row))
            found.append((cost, tuple(rows)))
    found.sort(key=lambda pair: pair[0])
    distinct = list(dict.fromkeys(rows for _, rows in found))
    return distinct or None


def _plain_fronts(weights: Reals, power: Reals, tolerance: float) -> list[tuple[Fraction, ...]]:
    """Exponents of a factor with the powers asked for, the plainest first."""
    count, k = weights.shape
    found: list[tuple[float, tuple[Fraction, ...]]] = []
    for pivots in combinations(range(k), count):
        square = weights[:, pivots]
        if abs(np.linalg.det(square)) < 1e-3:
            continue
        front = np.zeros((1, k))
        front[0, pivots] = np.linalg.solve(square, power)
        if np.abs(front).max() > 8:
            continue
        rows = _fractions(front, tolerance)
        if rows is not None:
            cost = float(sum(abs(p) + 3 * (p.denominator > 1) + 0.3 * (p < 0) for p in rows[0]))
            found.append((cost, rows[0]))
    found.sort(key=lambda pair: pair[0])
    return list(dict.fromkeys(row for _, row in found))


def _fractions(matrix: Reals, tolerance: float) -> list[tuple[Fraction, ...]] | None:
    rows = []
    for row in matrix.tolist():
        own = []
        for value in row:
            part = rational(value, tolerance, 2)
            if part is None:
                part = rational(value, tolerance / 3, 3)
            if part is None:
                return None
            own.append(part)
        rows.append(tuple(own))
    return rows


def _whole(row: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """The row without denominators."""
    common = 1
    for p in row:
        common = common * p.denominator // np.gcd(common, p.denominator)
    return tuple(p * int(common) for p in row)


# ------------------------------------------------------------------------------------------------- pairs


def _forms() -> list[Expr]:
    """Ways in which two variables may enter together."""
    x, y = variable(0), variable(1)
    one, two = constant(1.0), constant(2.0)
    forms = [multiply(x, y), divide(x, y), add(unary("square", x), unary("square", y))]
    forms += [subtract(unary("square", x), unary("square", y)), divide(multiply(x, y), add(x, y))]
    for a, b in ((x, y), (y, x)):
        forms += [
            multiply(a, unary("square", b)),
            divide(a, unary("square", b)),
            multiply(a, add(one, b)),
            multiply(a, subtract(one, b)),
            divide(a, add(one, b)),
            divide(a, subtract(one, b)),
            multiply(a, unary("sin", b)),
            multiply(a, unary("cos", b)),
            multiply(a, unary("exp", b)),
            divide(a, unary("exp", b)),
            multiply(a, unary("log", b)),
            add(a, unary("square", b)),
            subtract(a, unary("square", b)),
            add(a, divide(one, b)),
            subtract(a, divide(one, b)),
            add(a, unary("sqrt", b)),
            add(a, multiply(two, b)),
            subtract(a, multiply(two, b)),
            add(a, unary("sin", b)),
            add(a, unary("cos", b)),
            subtract(a, unary("cos", b)),
            add(a, unary("exp", b)),
            add(a, unary("log", b)),
            multiply(a, subtract(one, unary("cos", b))),
            divide(subtract(one, a), add(one, b)),
        ]
    return forms


def _single() -> list[Expr]:
    """Ways in which one variable may enter by itself."""
    x, one = variable(0), constant(1.0)
    half = divide(x, constant(2.0))
    forms = [unary(op, x) for op in ("sin", "cos", "exp", "log", "square", "sqrt", "cube", "tan", "tanh")]
    forms += [x, add(x, one), subtract(one, x), unary("sin", half), unary("cos", half)]
    squares = [
        unary("square", e) for e in (unary("sin", x), unary("cos", x), unary("sin", half), unary("cos", half))
    ]
    forms += squares
    forms += [unary("exp", subtract(constant(0.0), e)) for e in (x, unary("square", x), half)]
    forms += [add(unary("square", x), one), subtract(one, unary("square", x))]
    forms += [add(one, unary("cos", x)), subtract(one, unary("cos", x)), add(x, constant(2.0))]
    forms += [subtract(unary("exp", x), one), unary("sqrt", subtract(one, unary("square", x)))]
    forms += [divide(one, form) for form in forms[11:]]
    return forms


_FORMS = _forms()
_SINGLE = _single()


def _pairs(goal: Goal, slopes: Reals, columns: Reals, tolerance: float) -> Iterator[Reduction]:
    """Two variables that enter by one value."""
    if goal.width < 2:
        return
    size = np.sqrt(np.mean((slopes * np.ptp(columns, axis=0)) ** 2, axis=0))
    found: list[tuple[float, int, int, Expr]] = []
    for i, j in combinations(range(goal.width), 2):
        if min(size[i], size[j]) < 5 * tolerance * size.max():
            continue
        both = columns[:, [i, j]]
        for form in _FORMS:
            first, second = _slopes(form, both)
            one, two = slopes[:, i] * second, slopes[:, j] * first
            if not (np.isfinite(one).all() and np.isfinite(two).all()):
                continue
            whole = float(np.linalg.norm(one) + np.linalg.norm(two))
            left = float(np.linalg.norm(one - two)) / whole if whole else 1.0
            if left < tolerance:
                found.append((left, i, j, form))
    found.sort(key=lambda entry: (max(entry[0], 0.2 * tolerance), size_of(entry[3])))
    for left, i, j, form in found[:5]:
        exprs = [variable(n) for n in range(goal.width)]
        exprs[i] = substitute(form, (variable(i), variable(j)))
        kept = [e for n, e in enumerate(exprs) if n != j]
        yield Reduction(_renamed(goal, kept, "pair"), left, "pair", 0.3 + 0.1 * size_of(form))


def _slopes(form: Expr, both: Reals) -> list[Reals]:
    step = 1e-6 * np.abs(both).max()
    result = []
    for j in range(both.shape[1]):
        up, down = both.copy(), both.copy()
        up[:, j] += step
        down[:, j] -= step
        result.append((evaluate(form, up) - evaluate(form, down)) / (2 * step))
    return result


__all__ = ["Reduction", "reductions"]
