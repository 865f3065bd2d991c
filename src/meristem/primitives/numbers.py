"""Whole numbers: divisors, primes, digits, bits, powers. Reals: shares, roots and parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from meristem.errors import EvaluationError, Reason
from meristem.language.failures import failing
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import ints
from meristem.values import Scalars

_MOST = 10**10  # numbers up to here are taken apart by trial: at most 50,000 divisions


@primitive(
    "int, int -> int",
    cost=2,
    examples=[((12, -18), 6), ((0, 0), 0), ((-(2**63), 0), EvaluationError)],
)
def gcd(a: int, b: int) -> int:
    """The greatest common divisor of two whole numbers."""
    return math.gcd(a, b)


@gcd.columnar
def _(a: Scalars, b: Scalars) -> Any:
    lost = ((a.data == -(2**63)) | (a.data == 0)) & ((b.data == -(2**63)) | (b.data == 0))
    lost &= (a.data != 0) | (b.data != 0)
    return failing(ints(np.gcd(np.where(lost, 1, a.data), b.data)), Reason.OVERFLOW, lost)


@primitive(
    "int, int -> int",
    cost=2,
    examples=[
        ((3, 4), 81),
        ((-1, 10**9), 1),
        ((2, -1), EvaluationError),
        ((2, 63), EvaluationError),
        ((10, 10**18), EvaluationError),
    ],
)
def power_int(base: int, exponent: int) -> int:
    """A whole number multiplied by itself so many times. A negative exponent fails."""
    if exponent < 0:
        raise EvaluationError(Reason.DOMAIN)
    if -2 < base < 2:
        return base if exponent % 2 else abs(base) if exponent else 1
    if exponent > 63:
        raise EvaluationError(Reason.OVERFLOW)
    product: int = base**exponent
    return product


@primitive("int -> int", cost=2, examples=[((17,), 4), ((0,), 0), ((-1,), EvaluationError)])
def isqrt(number: int) -> int:
    """The square root of a whole number, rounded down. A negative number fails."""
    if number < 0:
        raise EvaluationError(Reason.DOMAIN)
    return math.isqrt(number)


@primitive(
    "int -> bool", cost=2, examples=[((97,), True), ((91,), False), ((1,), False), ((2**61 - 1,), True)]
)
def is_prime(number: int) -> bool:
    """Whether a whole number is prime."""
    small = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    if number < 2 or any(number % p == 0 for p in small):
        return number in small
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in small:  # Miller and Rabin's test; these bases tell for all numbers below 3.3e24
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


@primitive(
    "int -> list[int]",
    cost=3,
    examples=[
        ((360,), [2, 2, 2, 3, 3, 5]),
        ((1,), []),
        ((0,), EvaluationError),
        ((10**11,), EvaluationError),
    ],
)
def prime_factors(number: int) -> list[int]:
    """The prime factors of a whole number from 1 to 10,000,000,000, in rising order."""
    if not 0 < number <= _MOST:
        raise EvaluationError(Reason.DOMAIN)
    factors, factor = [], 2
    while factor * factor <= number:
        while number % factor == 0:
            factors.append(factor)
            number //= factor
        factor += 1 + (factor > 2)
    return [*factors, number] if number > 1 else factors


@primitive(
    "int -> list[int]",
    cost=3,
    examples=[((12,), [1, 2, 3, 4, 6, 12]), ((0,), EvaluationError), ((10**11,), EvaluationError)],
)
def divisors(number: int) -> list[int]:
    """All divisors of a whole number from 1 to 10,000,000,000, in rising order."""
    found, new, last = [1], [1], 0
    for factor in prime_factors(number):
        # Of a factor that repeats, only what the last one made is taken once more.
        new = [factor * divisor for divisor in (new if factor == last else found)]
        found, last = found + new, factor
    return sorted(found)


@primitive(
    "int, int -> int",
    cost=3,
    examples=[((5, 2), 10), ((2, 5), 0), ((-1, 1), EvaluationError), ((100, 50), EvaluationError)],
)
def choose(n: int, k: int) -> int:
    """In how many ways so many things can be chosen out of others. Negative numbers fail."""
    if n < 0 or k < 0:
        raise EvaluationError(Reason.DOMAIN)
    if k > n:
        return 0
    k = min(k, n - k)
    total = 1
    for i in range(1, k + 1):
        total = total * (n - k + i) // i
        if total >= 2**63:
            raise EvaluationError(Reason.OVERFLOW)
    return total


@primitive("int, int -> int", cost=3, examples=[((12, 10), 8), ((-1, 5), 5)])
def bit_and(a: int, b: int) -> int:
    """The bits that are set in both of two whole numbers."""
    return a & b


@bit_and.columnar
def _(a: Scalars, b: Scalars) -> Any:
    return ints(a.data & b.data)


@primitive("int, int -> int", cost=3, examples=[((12, 10), 14), ((-2, 1), -1)])
def bit_or(a: int, b: int) -> int:
    """The bits that are set in one of two whole numbers, or in both."""
    return a | b


@bit_or.columnar
def _(a: Scalars, b: Scalars) -> Any:
    return ints(a.data | b.data)


@primitive("int, int -> int", cost=3, examples=[((12, 10), 6), ((-1, 1), -2)])
def bit_xor(a: int, b: int) -> int:
    """The bits that are set in exactly one of two whole numbers."""
    return a ^ b


@bit_xor.columnar
def _(a: Scalars, b: Scalars) -> Any:
    return ints(a.data ^ b.data)


@primitive("int -> int", cost=3, examples=[((13,), 3), ((0,), 0), ((-1,), EvaluationError)])
def bit_count(number: int) -> int:
    """How many bits of a whole number are set. A negative number fails."""
    if number < 0:
        raise EvaluationError(Reason.DOMAIN)
    return number.bit_count()


@primitive(
    "int, int -> list[int]",
    cost=3,
    examples=[((6, 2), [1, 1, 0]), ((0, 2), [0]), ((-1, 2), EvaluationError), ((5, 1), EvaluationError)],
)
def to_digits(number: int, base: int) -> list[int]:
    """The digits of a whole number in a base. A negative number, and a base below 2, fail."""
    if number < 0 or base < 2:
        raise EvaluationError(Reason.DOMAIN)
    digits = [number % base]
    while number >= base:
        number //= base
        digits.append(number % base)
    return digits[::-1]


subroutine(
    "shift_left",
    "int, int -> int",
    "number, places",
    "number * power_int(2, places)",
    doc="A whole number with its bits moved up by so many places.",
    cost=3,
    examples=[((5, 2), 20), ((1, -1), EvaluationError)],
)
subroutine(
    "shift_right",
    "int, int -> int",
    "number, places",
    "number // power_int(2, places)",
    doc="A whole number with its bits moved down by so many places.",
    cost=3,
    examples=[((20, 2), 5), ((-1, 3), -1), ((1, -1), EvaluationError)],
)
subroutine(
    "double",
    "n -> n where n: number",
    "x",
    "x + x",
    doc="A number taken twice.",
    examples=[((3,), 6), ((0.5,), 1.0)],
)
subroutine(
    "half", "int -> int", "x", "x // 2", doc="Half of a whole number, rounded down.", examples=[((7,), 3)]
)
subroutine(
    "cube",
    "n -> n where n: number",
    "x",
    "x * x * x",
    doc="A number to the power of three.",
    cost=2,
    examples=[((2,), 8)],
)
subroutine(
    "is_multiple",
    "int, int -> bool",
    "number, divisor",
    "number % divisor == 0",
    doc="Whether a whole number is a multiple of another.",
    examples=[((6, 3), True), ((7, 3), False), ((1, 0), EvaluationError)],
)
subroutine(
    "is_positive",
    "n -> bool where n: number",
    "x",
    "x > x - x",
    doc="Whether a number is larger than zero.",
    examples=[((2,), True), ((0.0,), False)],
)
subroutine(
    "is_negative",
    "n -> bool where n: number",
    "x",
    "x < x - x",
    doc="Whether a number is smaller than zero.",
    examples=[((-2,), True), ((0.0,), False)],
)
subroutine(
    "is_zero",
    "n -> bool where n: number",
    "x",
    "x == x - x",
    doc="Whether a number is zero.",
    examples=[((0,), True), ((0.5,), False)],
)
subroutine(
    "lcm",
    "int, int -> int",
    "a, b",
    "if a == 0 or b == 0 then 0 else abs(a // gcd(a, b) * b)",
    doc="The least common multiple of two whole numbers.",
    cost=2,
    examples=[((4, 6), 12), ((0, 5), 0)],
)
subroutine(
    "are_coprime",
    "int, int -> bool",
    "a, b",
    "gcd(a, b) == 1",
    doc="Whether two whole numbers have no common divisor but 1.",
    cost=3,
    examples=[((4, 9), True), ((4, 6), False)],
)
subroutine(
    "is_square",
    "int -> bool",
    "number",
    "number >= 0 and square(isqrt(maximum(number, 0))) == number",
    doc="Whether a whole number is the square of another.",
    cost=2,
    examples=[((16,), True), ((15,), False), ((-4,), False)],
)
subroutine(
    "factorial",
    "int -> int",
    "number",
    "right(iterate(both => pair(left(both) + 1, right(both) * left(both)), number, pair(1, 1)))",
    doc="The product of the whole numbers from 1 to another. A negative number fails.",
    cost=2,
    examples=[((5,), 120), ((0,), 1), ((-1,), EvaluationError), ((21,), EvaluationError)],
)
subroutine(
    "triangular",
    "int -> int",
    "number",
    "number * (number + 1) // 2",
    doc="The sum of the whole numbers from 1 to another.",
    cost=2,
    examples=[((4,), 10)],
)
subroutine(
    "fibonacci",
    "int -> int",
    "index",
    "left(iterate(both => pair(right(both), left(both) + right(both)), index, pair(0, 1)))",
    doc="The number at a position of the Fibonacci sequence 0, 1, 1, 2, ...",
    cost=3,
    examples=[((7,), 13), ((-1,), EvaluationError), ((93,), EvaluationError)],
)
subroutine(
    "primes_below",
    "int -> list[int]",
    "limit",
    "filter(number => is_prime(number), range(2, limit))",
    doc="The primes smaller than a number.",
    cost=3,
    examples=[((12,), [2, 3, 5, 7, 11])],
)
subroutine(
    "from_digits",
    "list[int] -> int",
    "digits",
    "fold((number, digit) => number * 10 + digit, 0, digits)",
    doc="The whole number with these decimal digits.",
    cost=2,
    examples=[(([1, 2, 0],), 120), (([],), 0)],
)
subroutine(
    "digit_sum",
    "int -> int",
    "number",
    "sum(digits_of(number))",
    doc="The sum of the decimal digits of a whole number.",
    cost=2,
    examples=[((-120,), 3)],
)
subroutine(
    "digit_count",
    "int -> int",
    "number",
    "length(digits_of(number))",
    doc="The number of decimal digits of a whole number.",
    cost=2,
    examples=[((-120,), 3), ((0,), 1)],
)
subroutine(
    "reverse_digits",
    "int -> int",
    "number",
    "sign(number) * from_digits(reverse(digits_of(number)))",
    doc="The whole number with its decimal digits in reverse.",
    cost=2,
    examples=[((120,), 21), ((-35,), -53)],
)
subroutine(
    "from_digits_in",
    "list[int], int -> int",
    "digits, base",
    "fold((number, digit) => number * base + digit, 0, digits)",
    doc="The whole number with these digits in a base.",
    cost=3,
    examples=[(([1, 1, 0], 2), 6)],
)
subroutine(
    "divide_with_remainder",
    "int, int -> pair[int, int]",
    "a, b",
    "pair(a // b, a % b)",
    doc="Whole-number division: how often, and what is left.",
    cost=3,
    examples=[((7, 2), (3, 1)), ((1, 0), EvaluationError)],
)
subroutine(
    "truncate",
    "real -> int",
    "number",
    "if number < 0.0 then ceil(number) else floor(number)",
    doc="The whole part of a real.",
    cost=2,
    examples=[((-2.7,), -2), ((2.7,), 2)],
)
subroutine(
    "fraction",
    "real -> real",
    "number",
    "number - to_real(floor(number))",
    doc="How much a real is above the next whole number below it.",
    cost=2,
    examples=[((2.75,), 0.75), ((-0.25,), 0.75), ((1e300,), EvaluationError)],
)
subroutine(
    "percent_change",
    "real, real -> real",
    "before, after",
    "(after - before) / before * 100.0",
    doc="How much a number has grown, in per cent.",
    cost=3,
    examples=[((50.0, 60.0), 20.0), ((0.0, 1.0), EvaluationError)],
)
subroutine(
    "divide_ints",
    "int, int -> real",
    "a, b",
    "to_real(a) / to_real(b)",
    doc="The quotient of two whole numbers as a real.",
    cost=2,
    examples=[((1, 4), 0.25), ((1, 0), EvaluationError)],
)
