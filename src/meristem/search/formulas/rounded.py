"""Formulas whose results are rounded: prices with tax, unit conversions, shares in per cent.

A rounded answer says between which bounds the formula was. For `a * e` and `a * e + c`, with e a product or quotient
of inputs, the bounds of all answers leave an interval for each constant, found exactly; the plainest number in it is
taken. No gradient could: what is rounded is flat nearly everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations, combinations_with_replacement, permutations
from typing import ClassVar

import numpy as np

from meristem.language.terms import Call, Literal, Term
from meristem.search.formulas.expressions import (
    Expr,
    Reals,
    add,
    constant,
    divide,
    evaluate,
    multiply,
    subtract,
    to_term,
    unary,
    variable,
)
from meristem.search.programs.cost import description_length, literal_cost
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.types import INT, REAL
from meristem.values import Scalars

_LEAST = 3  # examples
_ROWS = 200  # examples that bounds are taken from; the check is made on all
_DECIMALS = 4  # of answers that count as rounded
_MANY = 8  # inputs, beyond which no three are taken together
_PAIRED = 30  # products and quotients that are added in pairs
_DIGITS = 9  # of a constant
_DENOMINATORS = 16
_CERTAIN = 0.7  # of what the answers tell, in bits, the constants may take: with more, any would do


@dataclass(frozen=True)
class Rounding:
    """A way to round, and the bounds that it tells.

    Args:
        name: The primitive.
        below: How far below an answer the formula may have been, in units of the last digit.
        above: The same above.
    """

    name: str
    below: float
    above: float


_NEAREST = Rounding("round", 0.5, 0.5)
_WAYS = (_NEAREST, Rounding("floor", 0.0, 1.0), Rounding("ceil", 1.0, 0.0))


class Rounded(Finder):
    """Finds formulas whose results are rounded to so many digits, or to whole numbers."""

    name: ClassVar[str] = "rounded"

    def suits(self, problem: Problem) -> bool:
        """Numbers in, and whole numbers or reals of few digits out."""
        numbers = all(column.type in (INT, REAL) for column in problem.inputs.values())
        if len(problem) < _LEAST or not problem.inputs or not numbers:
            return False
        if problem.answers.type == INT:
            return True
        return problem.answers.type == REAL and _digits(problem.answers.to_list()) is not None

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """All forms with all roundings; see `Finder.find`."""
        names = list(problem.inputs)
        types = [problem.inputs[name].type for name in names]
        columns = np.column_stack([_numbers(problem.inputs[name]) for name in names])
        answers = _numbers(problem.answers)
        whole = problem.answers.type == INT
        digits = 0 if whole else _digits(problem.answers.to_list())
        assert digits is not None
        unit = 10.0**-digits
        rows = np.random.default_rng([problem.seed, 17]).permutation(len(answers))[:_ROWS]
        told = len(rows) * math.log2(1 + np.ptp(answers[rows]) / unit)
        bases = [(base, evaluate(base, columns)[rows]) for base in _bases(len(names))]
        bases = [(base, values) for base, values in bases if np.isfinite(values).all() and np.ptp(values)]
        for way in _WAYS if whole else (_NEAREST,):
            # What lies on a bound exactly may have been rounded either way.
            low = answers[rows] - (way.below + 1e-9) * unit
            high = answers[rows] + (way.above + 1e-9) * unit
            middle = (low + high) / 2
            single = (_fitting(base, values, low, high) for base, values in bases)
            for formula, bits in chain(*single, _sums(bases, middle, low, high)):
                if bits <= _CERTAIN * told:
                    inner = to_term(formula, names, types)
                    term = _rounded(inner, way, None if whole else digits)
                    yield Found(term, description_length(term, len(names)))
                yield None


def _sums(
    bases: list[tuple[Expr, Reals]], answers: Reals, low: Reals, high: Reals
) -> Iterator[tuple[Expr, float]]:
    """`a * e + b * f` within the bounds: least squares, then the fewest digits that both constants do with."""
    for (e, first), (f, second) in combinations(bases[:_PAIRED], 2):
        matrix = np.stack([first, second], axis=1)
        fitted, _, rank, _ = np.linalg.lstsq(matrix, answers, rcond=None)
        if rank < 2:
            continue
        for digits in range(_DECIMALS + 1):
            a, b = (round(float(value), digits) for value in fitted)
            if not a or not b:
                continue
            made = a * first + b * second
            if (made >= low).all() and (made <= high).all():
                joined = (add if b > 0 else subtract)(multiply(constant(a), e), multiply(constant(abs(b)), f))
                yield joined, literal_cost(a) + literal_cost(b)
                break


def _rounded(term: Term, way: Rounding, digits: int | None) -> Term:
    return Call(way.name, (term,)) if digits is None else Call("round_to", (term, Literal(digits, INT)))


def _bases(inputs: int) -> Iterator[Expr]:
    """Inputs, and products and quotients of two or three."""
    xs = [variable(k) for k in range(inputs)]
    yield from xs
    for a, b in combinations_with_replacement(xs, 2):
        yield multiply(a, b)
    for a, b in permutations(xs, 2):
        yield divide(a, b)
    for a, b in combinations_with_replacement(xs, 2):
        for c in xs if inputs <= _MANY else ():
            if c not in (a, b):
                yield divide(multiply(a, b), c)
        if a != b:
            yield add(a, b)
    for a, b in permutations(xs, 2):
        yield subtract(a, b)
    for a in xs:
        yield unary("sqrt", a)


def _fitting(base: Expr, values: Reals, low: Reals, high: Reals) -> Iterator[tuple[Expr, float]]:
    """`a * base` and `a * base + c` within the bounds, with the bits of their constants."""
    least, most = _slopes(values, low, high)
    origin = values != 0
    if (low[~origin] <= 0).all() and (high[~origin] >= 0).all() and origin.any():
        sides = np.sort(np.stack([low[origin] / values[origin], high[origin] / values[origin]]), axis=0)
        for factor, scaled, bits in _factors(base, float(sides[0].max()), float(sides[1].min())):
            if factor:
                yield scaled, bits
    for factor, scaled, bits in _factors(base, least, most):
        left, right = float((low - factor * values).max()), float((high - factor * values).min())
        for added in _plain(left, right):
            yield add(scaled, constant(added)), bits + literal_cost(added)
        if factor:
            # a * (base + s): the form of a scale with a zero of its own.
            for shift in _plain(*sorted((left / factor, right / factor))):
                for _, moved, _ in _factors(add(base, constant(shift)), factor, factor):
                    yield moved, bits + literal_cost(shift)


def _slopes(values: Reals, low: Reals, high: Reals) -> tuple[float, float]:
    """The least and the largest slope of a line that stays within all bounds: what each pair of points allows."""
    apart = values[None, :] - values[:, None]
    rising = apart > 0
    if not rising.any():
        return -np.inf, np.inf
    least = (low[None, :] - high[:, None])[rising] / apart[rising]
    most = (high[None, :] - low[:, None])[rising] / apart[rising]
    return float(least.max()), float(most.min())


def _factors(base: Expr, low: float, high: float) -> Iterator[tuple[float, Expr, float]]:
    """Plain factors within bounds: each with the base times it, and its bits."""
    for value in _plain(low, high):
        yield value, multiply(constant(value), base), literal_cost(value)
    share = _fraction(low, high)
    if share is not None and share.denominator > 1:
        top, bottom = float(share.numerator), float(share.denominator)
        scaled = multiply(constant(top), base)
        bits = literal_cost(bottom) + (0 if top == 1 else literal_cost(top))
        yield float(share), divide(scaled, constant(bottom)), bits


def _plain(low: float, high: float) -> Iterator[float]:
    """The number of fewest digits in an interval, if that is not empty; of several of as many the one nearest to 0."""
    if not (math.isfinite(low) and math.isfinite(high)) or low > high or max(-low, high) > 1e12:
        return
    for digits in range(-6, _DIGITS + 1):
        step = 10.0**digits
        first, last = math.ceil(low * step - 1e-9), math.floor(high * step + 1e-9)
        if first <= last:
            yield float(Decimal(min(max(0, first), last)).scaleb(-digits))
            return


def _fraction(low: float, high: float) -> Fraction | None:
    """The fraction of the smallest denominator in an interval."""
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        return None
    for bottom in range(1, _DENOMINATORS + 1):
        first, last = math.ceil(low * bottom - 1e-9), math.floor(high * bottom + 1e-9)
        if first <= last and (first or last):
            return Fraction(first or last, bottom)
    return None


def _digits(answers: list[float]) -> int | None:
    """The digits after the point that all answers can be written with; None where those are too many."""
    exponents = [Decimal(repr(answer)).normalize().as_tuple().exponent for answer in answers]
    most = max((-e for e in exponents if isinstance(e, int)), default=0)
    return max(most, 0) if most <= _DECIMALS else None


def _numbers(column: object) -> Reals:
    assert isinstance(column, Scalars)
    return column.data.astype(np.float64)


__all__ = ["Rounded"]
