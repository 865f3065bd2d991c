"""Arithmetic. `int` is 64 bits and overflow fails; a real that is not finite fails (`NON_FINITE`) wherever it arises.

The interpreter itself fails rows whose real is not finite, so the plain functions need not look for that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from meristem.errors import EvaluationError, Reason
from meristem.language.failures import failing
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import BoolArray, ints, real
from meristem.types import INT
from meristem.values import Scalars

N = TypeVar("N", int, float)
_LARGE = 2.0**62  # products of whole numbers are looked at one by one from here on
_LIMIT = 2.0**63


def _overflow(column: Scalars, where: BoolArray) -> Any:
    return failing(column, Reason.OVERFLOW, where)


@primitive(
    "n, n -> n where n: number",
    examples=[((1, 2), 3), ((0.5, 0.25), 0.75), ((2**63 - 1, 1), EvaluationError)],
)
def add(a: N, b: N) -> N:
    """The sum of two numbers."""
    return a + b


@add.columnar
def _(a: Scalars, b: Scalars) -> Any:
    with np.errstate(over="ignore"):
        total = a.data + b.data
    if a.type != INT:
        return real(total)
    return _overflow(ints(total), ((a.data ^ total) & (b.data ^ total)) < 0)


@primitive("n, n -> n where n: number", examples=[((1, 2), -1), ((-(2**63), 1), EvaluationError)])
def subtract(a: N, b: N) -> N:
    """The first number less the second."""
    return a - b


@subtract.columnar
def _(a: Scalars, b: Scalars) -> Any:
    with np.errstate(over="ignore"):
        rest = a.data - b.data
    if a.type != INT:
        return real(rest)
    return _overflow(ints(rest), ((a.data ^ b.data) & (a.data ^ rest)) < 0)


@primitive(
    "n, n -> n where n: number",
    examples=[
        ((3, -4), -12),
        ((0.5, 4.0), 2.0),
        ((2**40, 2**40), EvaluationError),
        ((1e200, 1e200), EvaluationError),
    ],
)
def multiply(a: N, b: N) -> N:
    """The product of two numbers."""
    return a * b


@multiply.columnar
def _(a: Scalars, b: Scalars) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):
        product = a.data * b.data
        if a.type != INT:
            return real(product)
        large = np.abs(a.data.astype(np.float64) * b.data.astype(np.float64)) > _LARGE
    for i in np.flatnonzero(large).tolist():
        large[i] = not -(2**63) <= int(a.data[i]) * int(b.data[i]) < 2**63
    return _overflow(ints(product), large)


@primitive("n -> n where n: number", examples=[((3,), -3), ((-0.5,), 0.5), ((-(2**63),), EvaluationError)])
def negate(a: N) -> N:
    """The number with its sign changed."""
    return -a


@negate.columnar
def _(a: Scalars) -> Any:
    return real(-a.data) if a.type != INT else _overflow(ints(-a.data), a.data == -(2**63))


@primitive(
    "n -> n where n: number", name="abs", examples=[((-3,), 3), ((0.5,), 0.5), ((-(2**63),), EvaluationError)]
)
def absolute(a: N) -> N:
    """The number without its sign."""
    return abs(a)


@absolute.columnar
def _(a: Scalars) -> Any:
    return real(np.abs(a.data)) if a.type != INT else _overflow(ints(np.abs(a.data)), a.data == -(2**63))


@primitive(
    "int, int -> int",
    examples=[((7, 2), 3), ((-7, 2), -4), ((1, 0), EvaluationError), ((-(2**63), -1), EvaluationError)],
)
def quotient(a: int, b: int) -> int:
    """Whole-number division, rounded down."""
    if b == 0:
        raise EvaluationError(Reason.DIVISION)
    return a // b


@quotient.columnar
def _(a: Scalars, b: Scalars) -> Any:
    lost = (a.data == -(2**63)) & (b.data == -1)
    zero = b.data == 0
    column = ints(a.data // np.where(zero | lost, 1, b.data))
    return failing(column, np.where(zero, Reason.DIVISION, np.where(lost, Reason.OVERFLOW, 0)))


@primitive("int, int -> int", examples=[((7, 2), 1), ((-7, 2), 1), ((7, -2), -1), ((1, 0), EvaluationError)])
def remainder(a: int, b: int) -> int:
    """What whole-number division leaves; it has the sign of the divisor."""
    if b == 0:
        raise EvaluationError(Reason.DIVISION)
    return a % b


@remainder.columnar
def _(a: Scalars, b: Scalars) -> Any:
    zero = b.data == 0
    # A divisor of -1 leaves nothing, and the least int by it would overflow on the way.
    return failing(ints(a.data % np.where(zero | (b.data == -1), 1, b.data)), Reason.DIVISION, zero)


@primitive(
    "real, real -> real",
    examples=[((1.0, 4.0), 0.25), ((1.0, 0.0), EvaluationError), ((1e300, 1e-300), EvaluationError)],
)
def divide(a: float, b: float) -> float:
    """The quotient of two reals."""
    if b == 0:
        raise EvaluationError(Reason.DIVISION)
    return a / b


@divide.columnar
def _(a: Scalars, b: Scalars) -> Any:
    zero = b.data == 0
    with np.errstate(over="ignore"):
        return failing(real(a.data / np.where(zero, 1.0, b.data)), Reason.DIVISION, zero)


@primitive("a, a -> a where a: ord", examples=[((1, 2), 1), (("b", "a"), "a")])
def minimum(a: Any, b: Any) -> Any:
    """The smaller of two values; the first if they are equal."""
    return b if b < a else a


@primitive("a, a -> a where a: ord", examples=[((1, 2), 2), (("b", "a"), "b")])
def maximum(a: Any, b: Any) -> Any:
    """The larger of two values; the first if they are equal."""
    return b if b > a else a


@primitive(
    "real, real -> real",
    examples=[((2.0, 0.5), math.sqrt(2.0)), ((-1.0, 0.5), EvaluationError), ((0.0, -1.0), EvaluationError)],
)
def power(a: float, b: float) -> float:
    """A real to the power of a real."""
    if (a == 0 and b < 0) or (a < 0 and not b.is_integer()):
        raise EvaluationError(Reason.DOMAIN)
    try:
        return math.pow(a, b)
    except OverflowError:
        raise EvaluationError(Reason.NON_FINITE) from None


@primitive("real -> real", examples=[((2.25,), 1.5), ((-1.0,), EvaluationError)])
def sqrt(a: float) -> float:
    """The square root."""
    if a < 0:
        raise EvaluationError(Reason.DOMAIN)
    return math.sqrt(a)


@sqrt.columnar
def _(a: Scalars) -> Any:
    below = a.data < 0
    return failing(real(np.sqrt(np.where(below, 0.0, a.data))), Reason.DOMAIN, below)


@primitive("real -> real", examples=[((0.0,), 1.0), ((1000.0,), EvaluationError)])
def exp(a: float) -> float:
    """Euler's number to that power."""
    try:
        return math.exp(a)
    except OverflowError:
        raise EvaluationError(Reason.NON_FINITE) from None


@primitive("real -> real", examples=[((1.0,), 0.0), ((0.0,), EvaluationError)])
def log(a: float) -> float:
    """The natural logarithm."""
    if a <= 0:
        raise EvaluationError(Reason.DOMAIN)
    return math.log(a)


@primitive("real -> real", examples=[((0.0,), 0.0)])
def sin(a: float) -> float:
    """The sine of an angle in radians."""
    return math.sin(a)


@primitive("real -> real", examples=[((0.0,), 1.0)])
def cos(a: float) -> float:
    """The cosine of an angle in radians."""
    return math.cos(a)


@primitive("real -> real", examples=[((0.0,), 0.0)])
def tan(a: float) -> float:
    """The tangent of an angle in radians."""
    return math.tan(a)


@primitive("real -> real", examples=[((0.0,), 0.0), ((2.0,), EvaluationError)])
def asin(a: float) -> float:
    """The angle in radians, from -pi/2 to pi/2, that has this sine."""
    if not -1 <= a <= 1:
        raise EvaluationError(Reason.DOMAIN)
    return math.asin(a)


@primitive("real -> real", examples=[((1.0,), 0.0), ((-2.0,), EvaluationError)])
def acos(a: float) -> float:
    """The angle in radians, from 0 to pi, that has this cosine."""
    if not -1 <= a <= 1:
        raise EvaluationError(Reason.DOMAIN)
    return math.acos(a)


@primitive("real -> real", examples=[((0.0,), 0.0)])
def atan(a: float) -> float:
    """The angle in radians, from -pi/2 to pi/2, that has this tangent."""
    return math.atan(a)


@primitive("real -> real", examples=[((0.0,), 0.0), ((1000.0,), EvaluationError)])
def sinh(a: float) -> float:
    """The hyperbolic sine."""
    try:
        return math.sinh(a)
    except OverflowError:
        raise EvaluationError(Reason.NON_FINITE) from None


@primitive("real -> real", examples=[((0.0,), 1.0), ((1000.0,), EvaluationError)])
def cosh(a: float) -> float:
    """The hyperbolic cosine."""
    try:
        return math.cosh(a)
    except OverflowError:
        raise EvaluationError(Reason.NON_FINITE) from None


@primitive("real -> real", examples=[((0.0,), 0.0)])
def tanh(a: float) -> float:
    """The hyperbolic tangent."""
    return math.tanh(a)


def _by_rows(function: Callable[[float], float], low: float, high: float) -> Callable[[Scalars], Any]:
    """A columnar rule that takes the very function of the plain meaning: NumPy's differ from it in the last digit.

    Outside low..high there is no value.
    """

    def rule(a: Scalars) -> Any:
        outside = (a.data < low) | (a.data > high)
        inside = np.where(outside, 0.0, a.data)
        column = real(np.fromiter(map(function, inside.tolist()), np.float64, len(inside)))
        return failing(column, Reason.DOMAIN, outside)

    return rule


_UNBOUNDED = math.inf
sin.columnar(_by_rows(math.sin, -_UNBOUNDED, _UNBOUNDED))
cos.columnar(_by_rows(math.cos, -_UNBOUNDED, _UNBOUNDED))
tan.columnar(_by_rows(math.tan, -_UNBOUNDED, _UNBOUNDED))
asin.columnar(_by_rows(math.asin, -1.0, 1.0))
acos.columnar(_by_rows(math.acos, -1.0, 1.0))
atan.columnar(_by_rows(math.atan, -_UNBOUNDED, _UNBOUNDED))
tanh.columnar(_by_rows(math.tanh, -_UNBOUNDED, _UNBOUNDED))


def _or_infinite(function: Callable[[float], float]) -> Callable[[Scalars], Any]:
    """The same for functions that grow beyond the largest real; the interpreter fails rows that are not finite."""

    def value(a: float) -> float:
        try:
            return function(a)
        except OverflowError:
            return math.inf

    return lambda a: real(np.fromiter(map(value, a.data.tolist()), np.float64, len(a.data)))


exp.columnar(_or_infinite(math.exp))
sinh.columnar(_or_infinite(math.sinh))
cosh.columnar(_or_infinite(math.cosh))


@log.columnar
def _(a: Scalars) -> Any:
    outside = a.data <= 0
    values = map(math.log, np.where(outside, 1.0, a.data).tolist())
    return failing(real(np.fromiter(values, np.float64, len(a.data))), Reason.DOMAIN, outside)


@power.columnar
def _(a: Scalars, b: Scalars) -> Any:
    with np.errstate(invalid="ignore"):
        broken = ((a.data == 0) & (b.data < 0)) | ((a.data < 0) & (b.data != np.floor(b.data)))
    rows = zip(np.where(broken, 1.0, a.data).tolist(), b.data.tolist(), strict=True)
    values = (_power(x, y) for x, y in rows)
    return failing(real(np.fromiter(values, np.float64, len(a.data))), Reason.DOMAIN, broken)


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.inf


@primitive("int -> real", examples=[((3,), 3.0)])
def to_real(a: int) -> float:
    """A whole number as a real (rounded to the nearest one beyond 2 to the power of 53)."""
    return float(a)


@to_real.columnar
def _(a: Scalars) -> Any:
    return real(a.data)


@primitive("real -> int", examples=[((2.7,), 2), ((-2.1,), -3), ((1e300,), EvaluationError)])
def floor(a: float) -> int:
    """The next whole number below or at a real."""
    return math.floor(a)


@primitive("real -> int", examples=[((2.1,), 3), ((-2.7,), -2), ((1e300,), EvaluationError)])
def ceil(a: float) -> int:
    """The next whole number above or at a real."""
    return math.ceil(a)


@primitive(
    "real -> int",
    name="round",
    examples=[((2.5,), 2), ((3.5,), 4), ((-0.4,), 0), ((1e300,), EvaluationError)],
)
def round_(a: float) -> int:
    """The nearest whole number; of two equally near ones the even one."""
    return round(a)


def _whole(data: NDArray[np.float64]) -> Any:
    outside = (data < -_LIMIT) | (data >= _LIMIT)
    return _overflow(ints(np.where(outside, 0.0, data)), outside)


@floor.columnar
def _(a: Scalars) -> Any:
    return _whole(np.floor(a.data))


@ceil.columnar
def _(a: Scalars) -> Any:
    return _whole(np.ceil(a.data))


@round_.columnar
def _(a: Scalars) -> Any:
    return _whole(np.rint(a.data))


@minimum.columnar
def _(a: Any, b: Any) -> Any:
    return _pick(a, b, smaller=True)


@maximum.columnar
def _(a: Any, b: Any) -> Any:
    return _pick(a, b, smaller=False)


def _pick(a: Any, b: Any, smaller: bool) -> Any:
    from meristem.primitives._columns import ranks
    from meristem.values import concatenate

    both = concatenate([a, b])
    if isinstance(a, Scalars) and isinstance(b, Scalars):
        second = b.data < a.data if smaller else b.data > a.data
    else:
        rank = ranks(both)
        left, right = rank[: len(a)], rank[len(a) :]
        second = right < left if smaller else right > left
    return both.take(np.arange(len(a)) + len(a) * second)


subroutine(
    "square",
    "n -> n where n: number",
    "x",
    "x * x",
    doc="A number times itself.",
    examples=[((3,), 9), ((2**40,), EvaluationError)],
)
subroutine("increment", "int -> int", "x", "x + 1", doc="One more.", examples=[((3,), 4)])
subroutine("decrement", "int -> int", "x", "x - 1", doc="One less.", examples=[((3,), 2)])
subroutine(
    "is_even",
    "int -> bool",
    "x",
    "x % 2 == 0",
    doc="Whether a whole number is even.",
    examples=[((4,), True), ((-3,), False)],
)
subroutine(
    "is_odd",
    "int -> bool",
    "x",
    "x % 2 == 1",
    doc="Whether a whole number is odd.",
    examples=[((4,), False), ((-3,), True)],
)
subroutine(
    "sign",
    "n -> int where n: number",
    "x",
    "if x > x - x then 1 else if x < x - x then -1 else 0",
    doc="-1, 0 or 1 as a number is negative, zero or positive.",
    examples=[((-2.5,), -1), ((0,), 0), ((7,), 1)],
)
subroutine(
    "clamp",
    "a, a, a -> a where a: ord",
    "x, low, high",
    "minimum(maximum(x, low), high)",
    doc="A value held between two bounds.",
    examples=[((5, 0, 3), 3), ((-1, 0, 3), 0)],
)
subroutine(
    "distance",
    "n, n -> n where n: number",
    "a, b",
    "abs(a - b)",
    doc="How far two numbers are apart.",
    examples=[((3, 5), 2)],
)
