"""Formulas as small trees: evaluation over columns, size, and the way to a term."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Call, Literal, Term, Variable
from meristem.types import INT, REAL, Type

Reals = NDArray[np.float64]


class Expr(NamedTuple):
    """A node: `x` is an input (its number in `value`), `c` a constant, all else the name of a primitive."""

    op: str
    args: tuple[Any, ...] = ()
    value: float = 0.0


def variable(index: int) -> Expr:
    """The input of that number."""
    return Expr("x", (), index)


def constant(value: float) -> Expr:
    """A constant."""
    return Expr("c", (), float(value))


ZERO, ONE = constant(0.0), constant(1.0)

UNARY: dict[str, Callable[[Reals], Reals]] = {
    "negate": np.negative,
    "square": np.square,
    "cube": lambda a: a * a * a,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "abs": np.abs,
}
BINARY: dict[str, Callable[[Reals, Reals], Reals]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
}


def evaluate(expr: Expr, columns: Reals) -> Reals:
    """The values [N] of a formula over columns [N, d]; what has no value is NaN or infinite."""
    with np.errstate(all="ignore"):
        return np.broadcast_to(_evaluate(expr, columns, {}), (len(columns),)).astype(np.float64)


def _evaluate(expr: Expr, columns: Reals, known: dict[Expr, Any]) -> Any:
    if expr.op == "x":
        return columns[:, int(expr.value)]
    if expr.op == "c":
        return np.float64(expr.value)
    found = known.get(expr)
    if found is None:
        parts = [_evaluate(arg, columns, known) for arg in expr.args]
        found = UNARY[expr.op](parts[0]) if len(parts) == 1 else BINARY[expr.op](parts[0], parts[1])
        known[expr] = found
    return found


def size(expr: Expr) -> int:
    """The number of nodes."""
    return 1 + sum(size(arg) for arg in expr.args)


def uses(expr: Expr) -> set[int]:
    """The numbers of the inputs that stand in a formula."""
    if expr.op == "x":
        return {int(expr.value)}
    return set().union(*(uses(arg) for arg in expr.args)) if expr.args else set()


def substitute(expr: Expr, parts: Sequence[Expr]) -> Expr:
    """The formula with its inputs replaced by formulas."""
    if expr.op == "x":
        return parts[int(expr.value)]
    if not expr.args:
        return expr
    return Expr(expr.op, tuple(substitute(arg, parts) for arg in expr.args), expr.value)


def to_term(expr: Expr, names: Sequence[str], types: Sequence[Type]) -> Term:
    """The formula in the package's language, over inputs of these names and types (`int` or `real`)."""
    if expr.op == "c":
        return Literal(expr.value, REAL)
    if expr.op == "x":
        index = int(expr.value)
        own = Variable(names[index])
        return Call("to_real", (own,)) if types[index] == INT else own
    return Call(expr.op, tuple(to_term(arg, names, types) for arg in expr.args))


# ------------------------------------------------------------------- building, with the simplest rewriting on the way


def add(a: Expr, b: Expr) -> Expr:
    """The sum."""
    if a.op == "c" and b.op == "c":
        return constant(a.value + b.value)
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    if b.op == "negate":
        return subtract(a, b.args[0])
    if a.op == "negate":
        return subtract(b, a.args[0])
    if b.op == "c" and b.value < 0:
        return Expr("subtract", (a, constant(-b.value)))
    return Expr("add", (a, b))


def subtract(a: Expr, b: Expr) -> Expr:
    """The difference."""
    if a.op == "c" and b.op == "c":
        return constant(a.value - b.value)
    if b == ZERO:
        return a
    if a == ZERO:
        return negate(b)
    if b.op == "negate":
        return add(a, b.args[0])
    if b.op == "c" and b.value < 0:
        return Expr("add", (a, constant(-b.value)))
    return Expr("subtract", (a, b))


def negate(a: Expr) -> Expr:
    """The opposite."""
    if a.op == "c":
        return constant(-a.value)
    if a.op == "negate":
        return a.args[0]  # type: ignore[no-any-return]
    if a.op == "subtract":
        return Expr("subtract", (a.args[1], a.args[0]))
    return Expr("negate", (a,))


def multiply(a: Expr, b: Expr) -> Expr:
    """The product."""
    if a.op == "c" and b.op == "c":
        return constant(a.value * b.value)
    if b.op == "c":
        a, b = b, a
    if a.op == "c":
        if a.value == 0:
            return ZERO
        if a.value == 1:
            return b
        if a.value == -1:
            return negate(b)
    return Expr("multiply", (a, b))


def divide(a: Expr, b: Expr) -> Expr:
    """The quotient."""
    if b.op == "c" and b.value not in (0.0, 1.0):
        if a.op == "c":
            return constant(a.value / b.value)
        return Expr("divide", (a, b))
    return a if b == ONE else Expr("divide", (a, b))


def unary(op: str, a: Expr) -> Expr:
    """A function of one argument."""
    return negate(a) if op == "negate" else Expr(op, (a,))


def raised(a: Expr, exponent: Fraction | float) -> Expr:
    """A power, by the shortest of the primitives."""
    if exponent == 1:
        return a
    if exponent == 0:
        return ONE
    if exponent < 0:
        return divide(ONE, raised(a, -exponent))
    if a.op == "c":
        with np.errstate(all="ignore"):
            return constant(float(np.power(np.float64(a.value), float(exponent))))
    if exponent == 2:
        return Expr("square", (a,))
    if exponent == 3:
        return Expr("cube", (a,))
    if exponent == 4:
        return Expr("square", (Expr("square", (a,)),))
    if exponent == Fraction(1, 2):
        return Expr("sqrt", (a,))
    if exponent == Fraction(3, 2):
        return Expr("cube", (Expr("sqrt", (a,)),))
    return Expr("power", (a, constant(float(exponent))))


def product(factors: Sequence[tuple[Expr, Fraction]], scale: float = 1.0) -> Expr:
    """`scale` times the product of powers. Factors of like exponents stand under one power."""
    groups: dict[Fraction, tuple[list[Expr], list[Expr]]] = {}
    for base, exponent in factors:
        if exponent:
            groups.setdefault(abs(exponent), ([], []))[0 if exponent > 0 else 1].append(base)
    above: list[Expr] = []
    below: list[Expr] = []
    for exponent, (up, down) in sorted(groups.items()):
        if up and down and exponent != 1:
            above.append(raised(divide(_times(up), _times(down)), exponent))
        elif exponent == 1:
            above += up
            below += down
        elif up:
            above.append(raised(_times(up), exponent))
        else:
            below.append(raised(_times(down), exponent))
    inverse = 1 / scale if scale else 0.0
    if not above and below:
        return divide(constant(scale), _times(below))
    whole = 1 < abs(inverse) < 1e15 and abs(inverse - round(inverse)) < 1e-12 * abs(inverse)
    if below and scale != 1 and whole:
        return divide(_times(above), multiply(constant(float(round(inverse))), _times(below)))
    top = multiply(constant(scale), _times(above))
    if not below:
        return top
    if top.op == "negate":
        return negate(divide(top.args[0], _times(below)))
    return divide(top, _times(below))


def _times(parts: Sequence[Expr]) -> Expr:
    total = ONE
    for part in parts:
        total = multiply(total, part) if total != ONE else part
    return total


def weighted_sum(terms: Sequence[tuple[Expr, float]]) -> Expr:
    """The sum of terms with coefficients; positive ones first, so that no sign stands alone."""
    total = ZERO
    for term, scale in sorted(terms, key=lambda pair: pair[1] < 0):
        if scale < 0 and total != ZERO:
            total = subtract(total, _scaled(term, -scale))
        else:
            total = add(total, _scaled(term, scale))
    return total


def _scaled(term: Expr, scale: float) -> Expr:
    if term.op == "divide" and term.args[0] == ONE:
        return divide(constant(scale), term.args[1])
    return multiply(constant(scale), term)


def show(expr: Expr, names: Sequence[str]) -> str:
    """A short reading, for messages."""
    if expr.op == "x":
        return names[int(expr.value)]
    if expr.op == "c":
        return f"{expr.value:.10g}"
    parts = [show(arg, names) for arg in expr.args]
    sign = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}.get(expr.op)
    return f"({parts[0]} {sign} {parts[1]})" if sign else f"{expr.op}({parts[0]})"


def is_whole(expr: Expr) -> bool:
    """Whether all constants of a formula are finite."""
    return math.isfinite(expr.value) and all(is_whole(arg) for arg in expr.args)


__all__ = [
    "BINARY",
    "ONE",
    "UNARY",
    "ZERO",
    "Expr",
    "Reals",
    "add",
    "constant",
    "divide",
    "evaluate",
    "is_whole",
    "multiply",
    "negate",
    "product",
    "raised",
    "show",
    "size",
    "substitute",
    "subtract",
    "to_term",
    "unary",
    "uses",
    "variable",
    "weighted_sum",
]
