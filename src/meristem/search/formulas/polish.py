"""From a formula that matches the data to the one that is given: plain constants, few nodes, checked on all rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meristem.search.formulas.constants import snap
from meristem.search.formulas.expressions import Expr, Reals, constant, evaluate, size
from meristem.search.formulas.simplify import variants

_OPERATION = {
    "add": 3.0,
    "subtract": 3.0,
    "multiply": 3.0,
    "divide": 3.0,
    "negate": 3.0,
    "square": 4.0,
    "sqrt": 4.5,
}
_FUNCTION = {"exp": 5.0, "log": 5.0, "sin": 5.0, "cos": 5.0, "cube": 5.0, "power": 5.0}
_RARE = 7.0
"""Bits that say which operation it is: about what they are among formulas of textbooks."""


@dataclass(frozen=True)
class Fitted:
    """A formula over the inputs with what it misses.

    Args:
        expr: The formula.
        bits: Its description length.
        error: The largest difference, as a share of the answer's size.
    """

    expr: Expr
    bits: float
    error: float


def bits(expr: Expr, width: int) -> float:
    """The description length of a formula over `width` inputs."""
    if expr.op == "x":
        return 2.0 + math.log2(width)
    if expr.op == "c":
        return 2.0 + snap(expr.value, 1e-11)[1] + (0.5 if expr.value < 0 else 0.0)
    own = _OPERATION.get(expr.op) or _FUNCTION.get(expr.op) or _RARE
    if expr.op == "divide" and expr.args[1].op == "exp":
        own += 4.0  # it runs over where the opposite exponent would give 0
    return own + sum(bits(arg, width) for arg in expr.args)


def error_of(expr: Expr, columns: Reals, answers: Reals) -> float:
    """The largest difference from the answers, as a share of their size (or of a thousandth of their usual size)."""
    values = evaluate(expr, columns)
    if not np.isfinite(values).all():
        return math.inf
    floor = 1e-3 * float(np.sqrt(np.mean(answers**2)))
    return float((np.abs(values - answers) / np.maximum(np.abs(answers), max(floor, 1e-300))).max())


def polished(expr: Expr, columns: Reals, answers: Reals, tolerance: float) -> Fitted | None:
    """The plainest form of a formula that answers all rows within a tolerance; None if it does not."""
    error = error_of(expr, columns, answers)
    if not error <= max(tolerance, 1e-7):
        return None
    best: Fitted | None = None
    width = columns.shape[1]
    snapped = _snapped(expr, columns, answers, tolerance)
    start = [expr] if snapped is None else [snapped]
    for form in variants(start[0]):
        for candidate in (form, _snapped(form, columns, answers, tolerance)):
            if candidate is None:
                continue
            error = error_of(candidate, columns, answers)
            if error <= tolerance:
                cost = bits(candidate, width)
                if best is None or (cost, size(candidate)) < (best.bits, size(best.expr)):
                    best = Fitted(candidate, cost, error)
    return best


def _snapped(expr: Expr, columns: Reals, answers: Reals, tolerance: float) -> Expr | None:
    """The formula with plain numbers for its constants, as far as the data allow; None if it fails even as it is."""
    for looseness in (1e-7, 1e-9, 1e-11):
        candidate = _plain(expr, looseness)
        if error_of(candidate, columns, answers) <= tolerance:
            return candidate
    return expr if error_of(expr, columns, answers) <= tolerance else None


def _plain(expr: Expr, tolerance: float) -> Expr:
    if expr.op == "c":
        return constant(snap(expr.value, tolerance)[0])
    return Expr(expr.op, tuple(_plain(arg, tolerance) for arg in expr.args), expr.value)


__all__ = ["Fitted", "bits", "error_of", "polished"]
