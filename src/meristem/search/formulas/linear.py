"""Sums of many terms at once: a target in the span of a dictionary, of its logarithms, or a quotient of two sums.

With more rows than dictionary entries an exact sum shows by a residual of rounding size, and its terms are read off
the one solution. One orthonormal basis serves thousands of targets by a product of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product as cartesian

import numpy as np
from numpy.typing import NDArray

from meristem.search.formulas.bank import Bank
from meristem.search.formulas.constants import rational
from meristem.search.formulas.expressions import (
    ONE,
    ZERO,
    Expr,
    Reals,
    add,
    divide,
    evaluate,
    multiply,
    product,
    subtract,
    unary,
    variable,
    weighted_sum,
)
from meristem.search.formulas.goals import Goal, Inside, insides
from meristem.search.formulas.surrogate import exponents
from meristem.search.formulas.waves import angles

_EXACT = 3e-11  # what may be left over, as a share of the target's spread
_TERMS = 14


class Dictionary:
    """Columns and their formulas; those that depend on earlier ones are left out.

    Args:
        exprs: Formulas over the variables of a goal, the likeliest first.
        rows: Their values [K, N].
    """

    def __init__(self, exprs: Sequence[Expr], rows: Reals) -> None:
        with np.errstate(all="ignore"):
            size = np.sqrt((rows * rows).mean(axis=1))
            good = np.isfinite(rows).all(axis=1) & (size > 1e-100) & (size < 1e100)
        kept = np.flatnonzero(good)
        matrix = (rows[kept] / size[kept, None]).T
        if matrix.shape[1]:
            r: Reals = np.linalg.qr(matrix, mode="r")  # type: ignore[assignment]  # a plain array in this mode
            count = min(r.shape)
            free = np.abs(np.diag(r)[:count]) > 1e-9 * np.sqrt(len(matrix))
            kept, matrix = kept[:count][free], matrix[:, :count][:, free]
        self.exprs = [exprs[i] for i in kept.tolist()]
        self.matrix = matrix / np.sqrt(max(1, len(matrix)))
        self.scale = size[kept] * np.sqrt(max(1, len(matrix)))
        self.q, self.r = np.linalg.qr(self.matrix)

    def spans(self, targets: Reals) -> Iterator[tuple[int, list[tuple[int, float]]]]:
        """Which targets [m, N] are sums of few entries: the entries and their coefficients."""
        if not self.exprs:
            return
        centred = targets - targets.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred * centred).sum(axis=1))
        inside = targets @ self.q
        left = targets - inside @ self.q.T
        rest = np.sqrt((left * left).sum(axis=1))
        for row in np.flatnonzero(rest < _EXACT * spread).tolist():
            whole = np.linalg.solve(self.r, inside[row])
            order = np.argsort(-np.abs(whole), kind="stable")
            found = self._few(targets[row], order, float(spread[row]))
            if found is not None:
                yield row, found

    def _few(self, target: Reals, order: NDArray[np.intp], spread: float) -> list[tuple[int, float]] | None:
        for count in range(1, min(_TERMS, len(order)) + 1):
            chosen = order[:count]
            fitted, *_ = np.linalg.lstsq(self.matrix[:, chosen], target, rcond=None)
            if float(np.linalg.norm(self.matrix[:, chosen] @ fitted - target)) < _EXACT * spread:
                values = fitted / self.scale[chosen]
                terms = [(int(j), float(v)) for j, v in zip(chosen, values, strict=True)]
                strength = np.abs(fitted)
                return [t for t, s in zip(terms, strength, strict=True) if s > 1e-10 * strength.max()]
        return None


def monomials(columns: Reals, degree: int, inverse: bool, most: int) -> tuple[list[Expr], Reals]:
    """Products of powers of the variables, by degree; with negative exponents too if `inverse`."""
    width = columns.shape[1]
    if inverse:
        reach = range(-degree, degree + 1)
        powers = (
            [p for p in cartesian(reach, repeat=width) if sum(map(abs, p)) <= degree] if width <= 6 else []
        )
        powers.sort(key=lambda p: (sum(map(abs, p)), [-v for v in p]))
    else:
        powers = exponents(width, degree)
    if len(powers) > most:
        return [], np.zeros((0, len(columns)))
    exprs = []
    rows = np.ones((len(powers), len(columns)))
    with np.errstate(all="ignore"):
        for i, power in enumerate(powers):
            for j, exponent in enumerate(power):
                if exponent:
                    rows[i] *= columns[:, j] ** exponent
            exprs.append(_monomial(power))
    return exprs, rows


def _monomial(power: Sequence[int]) -> Expr:
    return product([(variable(j), Fraction(p)) for j, p in enumerate(power) if p])


def dictionaries(goal: Goal, bank: Bank) -> Iterator[Dictionary | None]:
    """Dictionaries for a goal, small ones first."""
    total = len(goal.target)
    most = min(360, int(0.6 * total))
    width = goal.width
    if width + 2 <= total:
        yield Dictionary(*monomials(goal.columns, 1, False, total))
    if total < 12:
        return
    for inverse in (False, True):
        tried = 0
        for degree in (2, 3, 4, 5, 6):
            exprs, rows = monomials(goal.columns, degree, inverse, most)
            if exprs and (degree > 2 or len(exprs) < total // 2):
                best = (exprs, rows)
                tried = degree
            else:
                break
        yield None
        if tried:
            yield Dictionary(*best)
    # Waves and such of one variable times powers of all.
    base, rows = monomials(goal.columns, 2, False, most)
    if not base:
        base, rows = monomials(goal.columns, 1, False, most)
    exprs = list(base)
    stack = [rows]
    for j in range(width):
        for op, function in (
            ("sin", np.sin),
            ("cos", np.cos),
            ("sqrt", np.sqrt),
            ("exp", np.exp),
            ("log", np.log),
        ):
            with np.errstate(all="ignore"):
                wave = function(goal.columns[:, j])
            if np.isfinite(wave).all() and len(exprs) + len(base) <= most:
                front = unary(op, variable(j))
                exprs += [multiply(e, front) if e != ONE else front for e in base]
                stack.append(rows * wave)
    yield None
    if len(stack) > 1:
        yield Dictionary(exprs, np.concatenate(stack))
    count = min(bank.count, most)
    yield None
    yield Dictionary([bank.expr(i) for i in range(count)], bank.columns(count, goal.columns))


def sums(goal: Goal, bank: Bank, depth: int, front: int) -> Iterator[Expr | None]:
    """Targets, after a step or two and times one of the first entries of a bank, as sums."""
    own = list(insides(goal.target, depth))
    rows = bank.columns(front, goal.columns)
    # As a factor an entry has an effect only if it is not constant; 1 stands for no factor.
    usable = [i for i in range(len(rows)) if np.isfinite(rows[i]).all() and np.ptp(rows[i]) > 0]
    for dictionary in dictionaries(goal, bank):
        yield None
        if dictionary is None:
            continue
        for inside in own:
            targets = np.stack([inside.values, *(inside.values * rows[i] for i in usable)])
            good = np.flatnonzero(np.abs(targets).max(axis=1) < 1e100)
            for row, terms in dictionary.spans(targets[good]):
                at = int(good[row])
                total = weighted_sum([(dictionary.exprs[j], v) for j, v in terms])
                yield inside.wrap(total if at == 0 else divide(total, bank.expr(usable[at - 1])))
            yield None


def products(goal: Goal, bank: Bank, depth: int) -> Iterator[Expr | None]:
    """Targets as products of powers of the first entries of a bank."""
    count = min(bank.count, int(0.5 * len(goal.target)), 340)
    first = [bank.expr(i) for i in range(count)]
    yield None
    some = [(first, bank.columns(count, goal.columns)), *_groups(goal, count)]
    for exprs, rows in some:
        with np.errstate(all="ignore"):
            logs = np.log(np.abs(rows))
        named = list(exprs)
        for j in range(goal.width):
            named.append(unary("exp", variable(j)))
            logs = np.concatenate([logs, goal.columns[:, j][None]])
        one = np.ones((1, len(goal.target)))
        yield None
        dictionary = Dictionary([Expr("c", (), np.e), *named], np.concatenate([one, logs]))
        yield None
        for inside in insides(goal.target, depth):
            if (inside.values == 0).any():
                continue
            for _, terms in dictionary.spans(np.log(np.abs(inside.values))[None]):
                expr = _powers(dictionary, terms, inside)
                if expr is not None:
                    yield expr
            yield None


def _groups(goal: Goal, most: int) -> list[tuple[list[Expr], Reals]]:
    """Factors that formulas are made of: variables, sums of two, and lots of waves of groups of a few, 1 beside one."""
    plain = [variable(j) for j in range(goal.width)]
    base = list(plain)
    base += [f(a, b) for i, a in enumerate(plain) for b in plain[:i] for f in (add, subtract)]
    base = base[: most // 2]
    further: list[Expr] = []
    for total in (1, 2, 3, 4):
        for power in cartesian((-1, 0, 1), repeat=goal.width) if goal.width <= 6 else ():
            if sum(map(abs, power)) == total and next(p for p in power if p) > 0:
                group = _monomial(power)
                square = unary("square", group)
                further += [*_waves(group), add(ONE, group), subtract(ONE, group)]
                further += [add(ONE, square), subtract(ONE, square)]
    for angle, used in angles(goal.width, 6):
        if len(used) > 1 and "s" in {e.op[0] for e in (angle, *angle.args)}:
            further += _waves(angle)
    size = max(1, most - len(base))
    lots = [further[at : at + size] for at in range(0, min(len(further), 5 * size), size)]
    return [
        (exprs, np.stack([evaluate(expr, goal.columns) for expr in exprs]))
        for exprs in ([*base, *lot] for lot in lots)
    ]


def _waves(angle: Expr) -> list[Expr]:
    half = divide(angle, Expr("c", (), 2.0))
    return [unary("sin", angle), unary("cos", angle), unary("sin", half), unary("cos", half)]


def _powers(dictionary: Dictionary, terms: list[tuple[int, float]], inside: Inside) -> Expr | None:
    scale = 1.0
    factors: list[tuple[Expr, Fraction]] = []
    for j, value in terms:
        base = dictionary.exprs[j]
        if base.op == "c":
            scale = float(np.exp(value))
            continue
        exponent = rational(value, 1e-7, 12)
        if exponent is None:
            if base.op != "exp":
                return None
            factors.append((unary("exp", multiply(Expr("c", (), value), base.args[0])), Fraction(1)))
        elif base.op == "exp":
            factors.append(
                (unary("exp", multiply(Expr("c", (), float(exponent)), base.args[0])), Fraction(1))
            )
        else:
            factors.append((base, exponent))
    return inside.wrap(product(factors, scale))


def quotients(goal: Goal, depth: int) -> Iterator[Expr | None]:
    """Targets as quotients of two polynomials, in the variables and the sine and cosine of one of them."""
    total = len(goal.target)
    most = min(330, int(0.7 * total))
    own = list(insides(goal.target, depth))
    for atoms, columns in _atoms(goal):
        for degree in (1, 2, 3, 4, 5, 6):
            exprs, rows = monomials(columns, degree, False, most // 2)
            if not exprs:
                break
            size = np.sqrt((rows * rows).mean(axis=1))
            plain = (rows / size[:, None]).T
            for inside in own:
                spread = float(np.sqrt(np.mean(inside.values**2)))
                if len(exprs) * 2 > total * 0.8:
                    break
                both = np.concatenate([plain, plain * (inside.values / spread)[:, None]], axis=1)
                r: Reals = np.linalg.qr(both, mode="r")  # type: ignore[assignment]
                _, sizes, basis = np.linalg.svd(r)
                yield None
                null = int((sizes < 1e-12 * sizes[0]).sum())
                if null == 0 or null == len(sizes):
                    continue
                for solution in _sparse(basis[len(sizes) - null :]):
                    top = [(j, v / size[j]) for j, v in enumerate(solution[: len(exprs)]) if v]
                    below = [(j, -v / size[j] / spread) for j, v in enumerate(solution[len(exprs) :]) if v]
                    if not below:
                        continue
                    unit = below[0][1] if len(below) == 1 else max((v for _, v in below), key=abs)
                    small = min((abs(v) for _, v in (*top, *below)), default=1.0)
                    for by in dict.fromkeys((unit, small)):
                        above = weighted_sum([(exprs[j], v / by) for j, v in top]) if top else ZERO
                        under = weighted_sum([(exprs[j], v / by) for j, v in below])
                        yield inside.wrap(_named(divide(above, under), atoms))
                break_here = null > 0
                if break_here and not inside.steps:
                    return


def _atoms(goal: Goal) -> Iterator[tuple[list[Expr], Reals]]:
    plain = [variable(j) for j in range(goal.width)]
    yield plain, goal.columns
    for j in range(goal.width):
        for op, function in (("cos", np.cos), ("sin", np.sin), ("exp", np.exp), ("sqrt", np.sqrt)):
            with np.errstate(all="ignore"):
                wave = function(goal.columns[:, j])
            if np.isfinite(wave).all() and np.abs(wave).max() < 1e8:
                atoms = list(plain)
                atoms[j] = unary(op, variable(j))
                columns = goal.columns.copy()
                columns[:, j] = wave
                yield atoms, columns


def _named(expr: Expr, atoms: list[Expr]) -> Expr:
    from meristem.search.formulas.expressions import substitute

    return substitute(expr, atoms)


def _sparse(null: Reals) -> Iterator[list[float]]:
    """Vectors of a null space with few entries: its reduced rows, from either end, cleaned of rounding."""
    for turned in (False, True):
        matrix = null[:, ::-1].copy() if turned else null.copy()
        rows = 0
        for column in range(matrix.shape[1]):
            if rows == len(matrix):
                break
            pivot = rows + int(np.argmax(np.abs(matrix[rows:, column])))
            if abs(matrix[pivot, column]) < 1e-7:
                continue
            matrix[[rows, pivot]] = matrix[[pivot, rows]]
            matrix[rows] /= matrix[rows, column]
            for other in range(len(matrix)):
                if other != rows:
                    matrix[other] -= matrix[other, column] * matrix[rows]
            rows += 1
        if turned:
            matrix = matrix[:, ::-1]
        for row in matrix[:3]:
            most = np.abs(row).max()
            clean = np.where(np.abs(row) < 1e-9 * most, 0.0, row)
            if np.count_nonzero(clean) <= _TERMS:
                yield clean.tolist()


__all__ = ["Dictionary", "dictionaries", "monomials", "products", "quotients", "sums"]
