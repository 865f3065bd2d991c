"""Shorter ways to write a formula. What comes out is checked on the data by whoever asks."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from meristem.search.formulas.constants import rational
from meristem.search.formulas.expressions import (
    ONE,
    Expr,
    constant,
    product,
    raised,
    size,
    unary,
    weighted_sum,
)

_LONGEST = 90  # nodes; nobody would read what is longer, simplified or not
Factors = tuple[float, dict[Expr, Fraction]]


@lru_cache(
    maxsize=4096
)  # parts are simplified again and again on the way up: without it the work doubles a level
def simplify(expr: Expr) -> Expr:
    """The formula with products and sums gathered: like factors and like terms together, constants into one."""
    if not expr.args:
        return expr
    if expr.op in ("add", "subtract", "negate"):
        return _sum(expr)
    if expr.op in ("multiply", "divide", "square", "cube", "sqrt") or _exponent(expr) is not None:
        return _product(expr)
    if expr.op == "power":
        return Expr("power", tuple(simplify(arg) for arg in expr.args))
    return unary(expr.op, *(simplify(arg) for arg in expr.args))


def _product(expr: Expr) -> Expr:
    scale, factors = _factors(expr)
    if scale == 0:
        return constant(0.0)
    # A quotient of two sums of which one stands with a constant factor stays as it is; signs go into differences.
    waves = {base: p for base, p in factors.items() if base.op == "exp"}
    if len(waves) > 1 or any(p != 1 for p in waves.values()):
        # Powers of exponentials are one exponential.
        whole = simplify(weighted_sum([(base.args[0], float(p)) for base, p in waves.items()]))
        factors = {base: p for base, p in factors.items() if base not in waves}
        factors[unary("exp", whole)] = Fraction(1)
    if scale < 0:
        for base, exponent in factors.items():
            if base.op == "subtract" and exponent.denominator == 1 and exponent.numerator % 2:
                turned = Expr("subtract", (base.args[1], base.args[0]))
                named = [(turned if b == base else b, p) for b, p in factors.items()]
                return product(named, -scale)
    return product(list(factors.items()), scale)


def _factors(expr: Expr) -> Factors:
    scale, factors = _factors_of(expr)
    return scale, dict(factors)


@lru_cache(maxsize=4096)
def _factors_of(expr: Expr) -> Factors:
    """A constant and powers of bases that are no products themselves."""
    op, args = expr.op, expr.args
    if op == "c":
        return expr.value, {}
    if op == "negate":
        scale, factors = _factors(args[0])
        return -scale, factors
    if op in ("multiply", "divide"):
        scale, factors = _factors(args[0])
        other, more = _factors(args[1])
        sign = 1 if op == "multiply" else -1
        if op == "divide" and (other == 0 or not math.isfinite(other)):
            return 1.0, {expr: Fraction(1)}
        factors = dict(factors)
        for base, power in more.items():
            whole = factors.pop(base, Fraction(0)) + sign * power
            if whole:
                factors[base] = whole
        return (scale * other if sign > 0 else scale / other), factors
    exponent = _exponent(expr)
    if exponent is not None:
        scale, factors = _factors(args[0])
        if scale > 0 or exponent.denominator == 1:
            front = raised(constant(scale), exponent).value if scale else 0.0
            return front, {base: p * exponent for base, p in factors.items()}
        return 1.0, {Expr(op, (simplify(args[0]), *args[1:])): Fraction(1)}
    inner = simplify(expr)
    if inner.op in ("c", "negate") or (inner.op in ("multiply", "divide") and expr.op in ("add", "subtract")):
        return _factors(inner)
    return 1.0, {inner: Fraction(1)}


def _exponent(expr: Expr) -> Fraction | None:
    """The exponent of a power that is a small fraction."""
    if expr.op == "power" and expr.args[1].op == "c":
        return rational(expr.args[1].value, 1e-12, 12)
    return {"square": Fraction(2), "cube": Fraction(3), "sqrt": Fraction(1, 2)}.get(expr.op)


def _terms(expr: Expr, scale: float, into: dict[Expr, float]) -> None:
    op = expr.op
    if op in ("add", "subtract"):
        _terms(expr.args[0], scale, into)
        _terms(expr.args[1], scale if op == "add" else -scale, into)
    elif op == "negate":
        _terms(expr.args[0], -scale, into)
    elif op == "c":
        into[ONE] = into.get(ONE, 0.0) + scale * expr.value
    elif op in ("multiply", "divide"):
        front, factors = _factors(expr)
        if front == 0:
            return
        only = next(iter(factors.items())) if len(factors) == 1 else None
        if only is not None and only[1] == 1 and only[0].op in ("add", "subtract"):
            _terms(only[0], scale * front, into)  # a constant times a sum
            return
        key = product(list(factors.items())) if factors else ONE
        into[key] = into.get(key, 0.0) + scale * front
    else:
        key = simplify(expr)
        into[key] = into.get(key, 0.0) + scale


def _sum(expr: Expr) -> Expr:
    terms: dict[Expr, float] = {}
    _terms(expr, 1.0, terms)
    most = max((abs(v) for v in terms.values()), default=0.0)
    kept = [(term, value) for term, value in terms.items() if abs(value) > 1e-13 * most]
    if not kept:
        return constant(0.0)
    plain = weighted_sum(kept)
    if len(kept) < 2:
        return plain
    # A factor that all terms share, in numbers or in letters, stands once.
    shared: dict[Expr, Fraction] | None = None
    split = []
    for term, value in kept:
        front, factors = _factors(term)
        split.append((value * front, factors))
        own = {b: p for b, p in factors.items() if term != ONE}
        if shared is None:
            shared = own
        else:
            both = {b: (p, own[b]) for b, p in shared.items() if b in own and (p > 0) == (own[b] > 0)}
            shared = {b: min(p, q, key=abs) for b, (p, q) in both.items()}
    best = plain
    numbers = [abs(value) for _, value in kept if abs(abs(value) - 1) > 1e-13]
    for scale in {1.0, *(numbers if len(numbers) > 1 else [])}:
        if scale == 1.0 and not shared:
            continue
        inner = []
        for value, factors in split:
            rest = {b: p - (shared or {}).get(b, Fraction(0)) for b, p in factors.items()}
            ratio = value / scale
            near = round(ratio)
            if near and abs(ratio - near) < 1e-12 * abs(ratio):
                ratio = float(near)
            inner.append((product([(b, p) for b, p in rest.items() if p]), ratio))
        outside = list((shared or {}).items())
        total = product([*outside, (weighted_sum(inner), Fraction(1))], scale)
        if size(total) < size(best):
            best = total
    return best


def variants(expr: Expr) -> list[Expr]:
    """The formula and shorter ways to write it, the shortest first."""
    found = [expr]
    if size(expr) > _LONGEST:
        return found
    current = expr
    for change in (_gathered, _gathered, _squared, _gathered, _squared, _gathered):
        following = change(current)
        if following not in found:
            found.append(following)
        current = following
    distinct = list(dict.fromkeys(found))
    # The root of a square may be the opposite of what was squared.
    distinct += [simplify(unary("negate", e)) for e in distinct[1:]]
    return sorted(distinct, key=size)


def _gathered(expr: Expr) -> Expr:
    return _turned(simplify(expr))


def _squared(expr: Expr) -> Expr:
    return _rewritten(expr, _perfect_square)


def _rewritten(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    if expr.args:
        expr = Expr(expr.op, tuple(_rewritten(arg, change) for arg in expr.args), expr.value)
    return change(expr)


def _perfect_square(expr: Expr) -> Expr:
    """a**2 - 2 a b + b**2 as (a - b)**2, within a sum."""
    if expr.op not in ("add", "subtract"):
        return expr
    terms: dict[Expr, float] = {}
    _terms(expr, 1.0, terms)
    squares = []
    for term, value in terms.items():
        if value > 0:
            front, factors = _factors(term)
            if all(p % 2 == 0 for p in factors.values()):
                squares.append((term, value * front, factors))
    for i, (term_a, a, of_a) in enumerate(squares):
        for term_b, b, of_b in squares[i + 1 :]:
            cross: dict[Expr, Fraction] = {}
            for factors in (of_a, of_b):
                for base, p in factors.items():
                    cross[base] = cross.get(base, Fraction(0)) + p / 2
            key = product([(base, p) for base, p in cross.items() if p]) if any(cross.values()) else ONE
            value = terms.get(key, 0.0)
            if not value or abs(value * value - 4 * a * b) > 1e-9 * value * value:
                continue
            rest = [(t, v) for t, v in terms.items() if t not in (term_a, term_b, key)]
            roots = [
                (product([(base, p / 2) for base, p in of.items()]), root)
                for of, root in ((of_a, a**0.5), (of_b, b**0.5 * (1 if value > 0 else -1)))
            ]
            whole = raised(weighted_sum(roots), Fraction(2))
            return weighted_sum([(whole, 1.0), *rest])
    return expr


def _turned(expr: Expr) -> Expr:
    """A quotient by an inverse as a product, and the sine of an arc cosine as a root."""

    def change(node: Expr) -> Expr:
        if node.op == "divide" and node.args[1].op == "divide" and node.args[1].args[0] == ONE:
            return Expr("multiply", (node.args[0], node.args[1].args[1]))
        exponent = _exponent(node)
        if exponent is not None and node.args[0].op == "exp":
            return unary("exp", simplify(Expr("multiply", (constant(float(exponent)), node.args[0].args[0]))))
        if node.op == "exp" and node.args[0].op == "multiply":
            for rate, inner in (node.args[0].args, node.args[0].args[::-1]):
                if inner.op == "log":
                    return Expr("power", (inner.args[0], rate))
        if node.args and (node.op, node.args[0].op) in (("sin", "acos"), ("cos", "asin")):
            inner = Expr("square", (node.args[0].args[0],))
            return Expr("sqrt", (Expr("subtract", (ONE, inner)),))
        return node

    return _rewritten(expr, change)


__all__ = ["simplify", "variants"]
