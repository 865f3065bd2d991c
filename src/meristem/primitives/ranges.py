"""Lists of whole numbers in even steps."""

from __future__ import annotations

from meristem.errors import EvaluationError
from meristem.language.vocabulary import subroutine

subroutine(
    "count_up",
    "int -> list[int]",
    "count",
    "range(1, count + 1)",
    doc="The whole numbers from 1 to another, both included.",
    examples=[((3,), [1, 2, 3]), ((0,), []), ((10**12,), EvaluationError)],
)
subroutine(
    "count_down",
    "int -> list[int]",
    "count",
    "reverse(count_up(count))",
    doc="The whole numbers from one down to 1.",
    examples=[((3,), [3, 2, 1]), ((0,), [])],
)
subroutine(
    "range_through",
    "int, int -> list[int]",
    "start, stop",
    "if start <= stop then range(start, stop + 1) else reverse(range(stop, start + 1))",
    doc="The whole numbers from one to another, both included, up or down.",
    cost=2,
    examples=[((2, 4), [2, 3, 4]), ((4, 2), [4, 3, 2]), ((1, 1), [1])],
)
subroutine(
    "range_step",
    "int, int, int -> list[int]",
    "start, stop, step",
    "map(i => start + i * step, range(0, (stop - start + step - sign(step)) // step))",
    doc="The whole numbers from one to before another, in steps up or down. A step of 0 fails.",
    cost=2,
    examples=[
        ((0, 7, 3), [0, 3, 6]),
        ((7, 0, -3), [7, 4, 1]),
        ((0, 5, -1), []),
        ((0, 1, 0), EvaluationError),
    ],
)
subroutine(
    "indices",
    "list[a] -> list[int]",
    "items",
    "range(0, length(items))",
    doc="The positions of a list.",
    examples=[((["a", "b"],), [0, 1])],
)
subroutine(
    "multiples",
    "int, int -> list[int]",
    "number, count",
    "map(i => i * number, count_up(count))",
    doc="A number once, twice, ... so many times.",
    cost=2,
    examples=[((3, 3), [3, 6, 9])],
)
