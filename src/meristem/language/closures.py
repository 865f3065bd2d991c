"""Functions at run time: called once for all rows that need them (flattening, after Blelloch's NESL)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meristem.language.failures import expand
from meristem.language.frames import Frame, IntArray, Value, column_of
from meristem.language.infer import Binding, Typed
from meristem.language.limits import MAX_IN_FLIGHT
from meristem.values import Column, Dense, Dists, Lists, Maps, Options, Pairs, Rows, concatenate, filler


@dataclass(frozen=True)
class Outside:
    """What the body of a function uses from outside of it.

    Args:
        inputs: The program's inputs among that.
        constant: The parts of the body that depend on the program's inputs only.
        modules: Whether a module is called in it.
    """

    inputs: tuple[Binding, ...]
    constant: tuple[Typed, ...]
    modules: bool


class Closure:
    """A function: the typed `Lambda`, and the frame it was made in, where the names it uses are found.

    Args:
        node: The typed lambda; its bindings are the parameters, its only child the body.
        frame: The frame it was made in.
    """

    __slots__ = ("frame", "node")

    def __init__(self, node: Typed, frame: Frame) -> None:
        self.node, self.frame = node, frame

    def call(self, caller: Frame, index: IntArray | None, *args: Value, distinct: bool = False) -> Column:
        """Run the body once, over M rows.

        Each living row costs one unit of fuel. A row that fails makes the root row it comes from fail.

        Args:
            caller: The frame whose rule calls.
            index: Shape [M]: for each row the caller's row it belongs to; None where they are the same.
            args: A column [M] for each parameter (or a closure).
            distinct: Whether each of the caller's rows is called for at most once.

        Returns:
            A column [M], of no meaning in the rows that failed.
        """
        body = self.node.children[0]
        count = caller.count if index is None else len(index)
        if count == 0:
            return filler(body.type, 0)
        lexical = caller.rows_in(self.frame, index)
        distinct = caller.distinct and (distinct or index is None)
        inner = Frame(caller.run, count, self.frame, lexical, caller, index, distinct)
        inner.charge(1, None)
        return self._run(inner, args)

    def _run(self, inner: Frame, args: tuple[Value, ...]) -> Column:
        """Run the body for the living rows, in parts where what it uses would take too much room."""
        alive = inner.alive()
        if alive is not None:
            if len(alive) == 0:
                return filler(self.node.children[0].type, inner.count)
            return expand(self._run(*self._some(inner, args, alive)), alive, inner.count)
        rows = inner.index
        if rows is not None and len(rows) > 1 and self._captured(rows, inner.roots) > MAX_IN_FLIGHT:
            halves = np.array_split(np.arange(inner.count), 2)
            return concatenate([self._run(*self._some(inner, args, half)) for half in halves])
        inner.values.update(zip(self.node.bindings, args, strict=True))
        return column_of(self.node.children[0], inner)

    def _some(self, inner: Frame, args: tuple[Value, ...], rows: IntArray) -> tuple[Frame, tuple[Value, ...]]:
        """The frame of some of the rows of a call, and their arguments."""
        lexical = rows if inner.index is None else inner.index[rows]
        calling = rows if inner.caller_index is None else inner.caller_index[rows]
        frame = Frame(inner.run, len(rows), self.frame, lexical, inner.caller, calling, inner.distinct)
        return frame, tuple(arg.take(rows) if isinstance(arg, Column) else arg for arg in args)

    def _captured(self, lexical: IntArray, roots: IntArray | None) -> int:
        """How much room what the body uses from outside takes, repeated for these rows."""
        outside: Outside = self.node.cache
        room = sum(_room(self.frame.look_up(name), lexical) for name in (*self.node.uses, *outside.inputs))
        for node in outside.constant:
            known = self.frame.run.known(node)
            if known is not None:
                room += _room(known, np.arange(len(known)) if roots is None else roots)
        return room


def _room(value: Value, rows: IntArray) -> int:
    """About how many numbers `value.take(rows)` holds."""
    if isinstance(value, Lists | Maps):
        lengths = value.lengths if isinstance(value, Lists) else np.diff(value.offsets)
        total = int(lengths[rows].sum())
        if total > MAX_IN_FLIGHT or len(lengths) == 0:
            return total
        inner = value.pool if isinstance(value, Lists) else value.values
        if isinstance(inner, Lists | Maps | Pairs | Rows | Dense | Options):
            # The items that would be taken, each with the mean room of an item.
            every = np.arange(len(inner))
            return total * (1 + _room(inner, every) // max(len(inner), 1))
        return total
    if isinstance(value, Dense | Dists):
        data = value.data if isinstance(value, Dense) else value.probabilities
        return len(rows) * int(np.prod(data.shape[1:]))
    if isinstance(value, Pairs):
        return _room(value.first, rows) + _room(value.second, rows)
    if isinstance(value, Rows):
        return sum(_room(child, rows) for child in value.fields.values())
    if isinstance(value, Options):
        there = value.present[rows]
        return _room(value.values, value.positions[rows][there])
    return len(rows)


__all__ = ["Closure"]
