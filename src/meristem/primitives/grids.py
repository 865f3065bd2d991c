"""Going through grids, lists of equally long rows: what is known of a cell comes from those above and on the left.

One pass solves what paths to the right and down can be asked: with `minimum` to join and `+` to go on, the last cell
has the cost of the cheapest way to it (Bellman's dynamic programming; exact min-plus messages). `maximum` and `+` give
the dearest, `+` and a step that hands on what came the number of ways, `or` and `and` whether there is one.
"""

from __future__ import annotations

from meristem.errors import EvaluationError
from meristem.language.vocabulary import subroutine

_GRID = [[1, 2, 3], [9, 1, 1]]
_LEAST, _PLUS = "(one, other) => minimum(one, other)", "(way, x) => way + x"

subroutine(
    "scan_grid",
    "(b, b) -> b, (b, a) -> b, b, list[list[a]] -> list[list[b]]",
    "join, step, start, grid",
    "let top = scan(step, start, first(grid)) in concat_lists([top], scan((above, row) => "
    "let left_most = (step)(first(above), first(row)) in concat_lists([left_most], "
    "scan((before, cell) => (step)((join)(before, left(cell)), right(cell)), left_most, "
    "zip(rest(above), rest(row)))), top, rest(grid)))",
    doc="For each cell of a grid a value, made by a step from what comes to it and the cell: the values on the left "
    "and above joined, the only one of them at the edges, the start at the first cell. Rows are equally long.",
    cost=3,
    examples=[
        ((_LEAST, _PLUS, 0, _GRID), [[1, 3, 6], [10, 4, 5]]),
        ((_LEAST, _PLUS, 0, []), EvaluationError),
        ((_LEAST, _PLUS, 0, [[1], []]), EvaluationError),
    ],
)
subroutine(
    "fold_grid",
    "(b, b) -> b, (b, a) -> b, b, list[list[a]] -> b",
    "join, step, start, grid",
    "last(last(scan_grid(join, step, start, grid)))",
    doc="Goes through a grid by moves right and down, joins what comes to each cell, and gives the value of the "
    "last one. With `minimum` and `+`: the cost of the cheapest way there. See `scan_grid`.",
    cost=2,
    examples=[
        ((_LEAST, _PLUS, 0, _GRID), 5),
        (("(one, other) => maximum(one, other)", _PLUS, 0, _GRID), 12),
        (("(one, other) => one + other", "(ways, x) => ways", 1, _GRID), 3),
        (("(one, other) => one or other", "(free, x) => free and x < 9", True, _GRID), True),
        ((_LEAST, _PLUS, 0, [[]]), EvaluationError),
    ],
)
