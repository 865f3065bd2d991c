"""Truth values and comparisons. `and` and `or` take both of their arguments; `if` runs one branch only."""

from __future__ import annotations

from typing import Any

from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import BoolArray, bools, ranks, together
from meristem.values import Column, Scalars, concatenate


@primitive("bool, bool -> bool", examples=[((True, False), False), ((True, True), True)])
def and_(a: bool, b: bool) -> bool:
    """Whether both hold."""
    return a and b


@and_.columnar
def _(a: Scalars, b: Scalars) -> Column:
    return bools(a.data & b.data)


@primitive("bool, bool -> bool", examples=[((True, False), True), ((False, False), False)])
def or_(a: bool, b: bool) -> bool:
    """Whether one of them holds, or both."""
    return a or b


@or_.columnar
def _(a: Scalars, b: Scalars) -> Column:
    return bools(a.data | b.data)


@primitive("bool -> bool", examples=[((True,), False)])
def not_(a: bool) -> bool:
    """Whether it does not hold."""
    return not a


@not_.columnar
def _(a: Scalars) -> Column:
    return bools(~a.data)


@primitive("a, a -> bool where a: eq", examples=[((1, 1), True), (("a", "b"), False), (([1], [1]), True)])
def equal(a: Any, b: Any) -> bool:
    """Whether two values are the same. Maps are, when they hold the same, in whatever order."""
    return bool(a == b)


@primitive("a, a -> bool where a: eq", examples=[((1, 1), False), (("a", "b"), True)])
def not_equal(a: Any, b: Any) -> bool:
    """Whether two values differ."""
    return bool(a != b)


def _same(a: Column, b: Column) -> BoolArray:
    left, right = together(a, b)
    same: BoolArray = left == right
    return same


@equal.columnar
def _(a: Column, b: Column) -> Column:
    return bools(_same(a, b))


@not_equal.columnar
def _(a: Column, b: Column) -> Column:
    return bools(~_same(a, b))


@primitive("a, a -> bool where a: ord", examples=[((1, 2), True), (("b", "a"), False), (([1], [1, 0]), True)])
def less(a: Any, b: Any) -> bool:
    """Whether the first is smaller. Texts compare by code point, lists and pairs item by item, false before true."""
    return bool(a < b)


@primitive("a, a -> bool where a: ord", examples=[((1, 1), True), ((2, 1), False)])
def less_equal(a: Any, b: Any) -> bool:
    """Whether the first is smaller or equal."""
    return bool(a <= b)


@primitive("a, a -> bool where a: ord", examples=[((2, 1), True), ((1, 1), False)])
def greater(a: Any, b: Any) -> bool:
    """Whether the first is larger."""
    return bool(a > b)


@primitive("a, a -> bool where a: ord", examples=[((1, 1), True), ((0, 1), False)])
def greater_equal(a: Any, b: Any) -> bool:
    """Whether the first is larger or equal."""
    return bool(a >= b)


def _ordered(a: Column, b: Column) -> tuple[Any, Any]:
    if isinstance(a, Scalars) and isinstance(b, Scalars):
        return a.data, b.data
    both = ranks(concatenate([a, b]))
    return both[: len(a)], both[len(a) :]


@less.columnar
def _(a: Column, b: Column) -> Column:
    x, y = _ordered(a, b)
    return bools(x < y)


@less_equal.columnar
def _(a: Column, b: Column) -> Column:
    x, y = _ordered(a, b)
    return bools(x <= y)


@greater.columnar
def _(a: Column, b: Column) -> Column:
    x, y = _ordered(a, b)
    return bools(x > y)


@greater_equal.columnar
def _(a: Column, b: Column) -> Column:
    x, y = _ordered(a, b)
    return bools(x >= y)


subroutine(
    "xor",
    "bool, bool -> bool",
    "a, b",
    "a != b",
    doc="Whether exactly one of them holds.",
    examples=[((True, False), True), ((True, True), False)],
)
subroutine(
    "between",
    "a, a, a -> bool where a: ord",
    "x, low, high",
    "low <= x and x <= high",
    doc="Whether a value lies between two bounds, both included.",
    examples=[((2, 1, 3), True), ((4, 1, 3), False)],
)
