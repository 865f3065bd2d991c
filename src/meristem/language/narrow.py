"""Long loops over very few rows.

A step over columns costs the same for one row as for a thousand, so such loops go on row by row in plain Python, with
the same meaning and the same fuel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from meristem.errors import EvaluationError
from meristem.language.closures import Closure, Outside
from meristem.language.failures import expand
from meristem.language.frames import Frame, IntArray, Run
from meristem.language.infer import Binding, Typed
from meristem.language.reference import Meter, PlainFunction, Scope
from meristem.types import Type
from meristem.values import Column, column_from, filler

FEW = 4
"""Rows up to which plain Python is the faster one: a step costs it about a microsecond an operation and a row,
and columns about ten microseconds an operation."""


def is_narrow(rows: int, *functions: Closure) -> bool:
    """Whether a loop over so many rows that calls these functions had better go on in plain Python."""
    return rows <= FEW and not any(_has_module(function) for function in functions)


def _has_module(function: Closure) -> bool:
    """Whether a network or the like is called inside: those want many rows at once."""
    outside: Outside = function.node.cache
    return outside.modules or any(
        isinstance(value, Closure) and _has_module(value)
        for value in (function.frame.look_up(binding) for binding in function.node.uses)
    )


def row_by_row(
    frame: Frame, rows: IntArray, type_: Type, finish: Callable[..., Any], functions: tuple[Closure, ...]
) -> Column:
    """Finish a loop in plain Python.

    Args:
        frame: The frame of the loop.
        rows: Shape [M]: the rows of the frame that still run.
        type_: The type of the result.
        finish: Gives the result of the loop from the position in `rows` and the functions as Python callables.
        functions: The functions that the loop calls.

    Returns:
        The results, a column [M].
    """
    run = frame.run
    values: list[Any] = []
    good: list[int] = []
    for position, row in enumerate(rows.tolist()):
        root = row if frame.roots is None else int(frame.roots[row])
        meter = _RowMeter(run, root)
        plain = [_plain_function(function, frame, row, meter) for function in functions]
        try:
            values.append(finish(position, *plain))
            good.append(position)
        except EvaluationError as error:
            run.fail(np.array([error.reason], np.int8), np.array([root]))
        meter.settle()
    if not good:
        return filler(type_, len(rows))
    return expand(column_from(values, type_), np.array(good), len(rows))


class _RowMeter(Meter):
    """A meter that spends from one row of a columnar run."""

    __slots__ = ("_root", "_run")

    def __init__(self, run: Run, root: int) -> None:
        super().__init__(int(run.fuel[root]) - run.pending, run.fit)
        self._run, self._root = run, root

    def settle(self) -> None:
        """Tell the run what was spent."""
        self._run.fuel[self._root] = self.fuel + self._run.pending
        self._run.check_fuel()

    def known(self, node: Typed) -> tuple[Any] | None:
        column = self._run.known(node)
        return None if column is None else (_value_at(column, self._root),)


class _RowScope(Scope):
    """The names seen from one row of a frame."""

    __slots__ = ("_frame", "_meter", "_row")

    def __init__(self, frame: Frame, row: int, meter: Meter) -> None:
        super().__init__(None)
        self._frame, self._row, self._meter = frame, row, meter

    def outermost(self, binding: Binding) -> Any:
        found = self._frame.look_up(binding)
        value = (
            _value_at(found, self._row)
            if isinstance(found, Column)
            else _plain_function(found, self._frame, self._row, self._meter)
        )
        self.values[binding] = value
        return value


def _plain_function(function: Closure, frame: Frame, row: int, meter: Meter) -> PlainFunction:
    """A function as seen from one row of a frame."""
    home = frame.rows_in(function.frame, np.array([row]))
    assert home is not None
    return PlainFunction(function.node, _RowScope(function.frame, int(home[0]), meter), meter)


def _value_at(column: Column, row: int) -> Any:
    return column.take(np.array([row])).to_list()[0]


__all__ = ["FEW", "is_narrow", "row_by_row"]
