"""Abstraction: the subroutines with which solved programs are shortest, and the programs written with them."""

from meristem.library.abstraction.step import (
    DEFAULT_COSTS,
    DEFAULT_LIMITS,
    Abstractions,
    Costs,
    Learned,
    Limits,
    Rewritten,
    Solved,
    sleep,
)

__all__ = [
    "DEFAULT_COSTS",
    "DEFAULT_LIMITS",
    "Abstractions",
    "Costs",
    "Learned",
    "Limits",
    "Rewritten",
    "Solved",
    "sleep",
]
