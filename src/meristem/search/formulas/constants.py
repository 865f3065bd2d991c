"""Plain numbers behind measured ones: small fractions, with pi, e or a root where these explain the digits."""

from __future__ import annotations

import math
from fractions import Fraction

_BASES: tuple[tuple[float, float], ...] = (
    (1.0, 0.0),
    (math.pi, 2.0),
    (1 / math.pi, 2.0),
    (math.pi**2, 4.0),
    (1 / math.pi**2, 4.0),
    (math.sqrt(math.pi), 5.0),
    (1 / math.sqrt(math.pi), 5.0),
    (math.sqrt(2.0), 4.0),
    (math.sqrt(3.0), 5.0),
    (math.sqrt(5.0), 6.0),
    (math.sqrt(2 * math.pi), 6.0),
    (1 / math.sqrt(2 * math.pi), 6.0),
    (math.e, 6.0),
    (1 / math.e, 6.0),
    (math.pi**3, 6.0),
    (1 / math.pi**3, 6.0),
)
FREE = 36.0
"""Bits of a constant that nothing explains: some ten digits and where the point stands."""


def snap(value: float, tolerance: float) -> tuple[float, float]:
    """The plainest number within a relative tolerance, and its bits.

    A fraction p/q times a base costs log2 |p| + log2 q + what the base costs. It is taken if that is well below the
    bits that the tolerance leaves open: otherwise some fraction would fit by chance.
    """
    if value == 0 or not math.isfinite(value):
        return value, 1.0
    open_bits = -math.log2(max(tolerance, 1e-15))
    best, bits = value, min(FREE, open_bits + 2 + abs(math.log2(abs(value))) * 0.1)
    allowed = open_bits * 0.72
    for base, cost in _BASES:
        ratio = value / base
        if not 1e-6 < abs(ratio) < 1e7:
            continue
        for limit in (1, 6, 60, 1000):
            part = Fraction(ratio).limit_denominator(limit)
            if part == 0 or abs(float(part) - ratio) > tolerance * abs(ratio):
                continue
            found = 1 + cost + math.log2(abs(part.numerator) + 1) + math.log2(part.denominator)
            if found < min(bits, allowed):
                best, bits = float(part) * base, found
            break
    return best, bits


def rational(value: float, tolerance: float, most: int = 6) -> Fraction | None:
    """The fraction with a denominator up to `most` within an absolute tolerance."""
    if not math.isfinite(value):
        return None
    part = Fraction(value).limit_denominator(most)
    return part if abs(float(part) - value) <= tolerance else None


__all__ = ["FREE", "rational", "snap"]
