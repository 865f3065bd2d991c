"""Frames: which rows are being run, what their names stand for, and what they may still spend.

The root frame has the N rows of the inputs. Other frames hold rows that come from theirs: those that take
one branch of an `if`, or the items of their lists. A row that fails makes the root row it comes from fail,
so failures and fuel are kept once, for root rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray

from meristem.errors import Reason
from meristem.language.failures import Reasons
from meristem.language.infer import Binding, Typed
from meristem.language.terms import Term
from meristem.values import Column

if TYPE_CHECKING:
    from meristem.language.closures import Closure

Value = Union[Column, "Closure"]
IntArray = NDArray[np.int64]


class Run:
    """What all frames of one run share.

    Args:
        count: N, the number of root rows.
        fuel: What each may spend.
        fit: The arrays of the modules, by slot.
        memo: Columns of parts that depend on the inputs only.
    """

    def __init__(
        self,
        count: int,
        fuel: int,
        fit: Mapping[str, Mapping[str, NDArray[Any]]],
        memo: dict[Term, Column] | None,
    ) -> None:
        self.count, self.fit, self.memo = count, fit, memo
        self.fuel = np.full(count, fuel, np.int64)
        self.failures: Reasons = np.zeros(count, np.int8)
        self.version = 0  # counts changes of `failures`
        self.pending = 0  # what every root row has spent beside what `fuel` says
        self.least = fuel  # no living root row has less in `fuel`
        self._done: dict[int, Column] = {}

    @property
    def failed(self) -> bool:
        """Whether any row has failed."""
        return self.version > 0

    def known(self, node: Typed) -> Column | None:
        """The column of a node that depends on the inputs only, if it has been run on all root rows."""
        found = self._done.get(id(node))
        if found is None and self.memo is not None:
            found = self.memo.get(node.term)
        return found

    def remember(self, node: Typed, column: Column) -> None:
        """Keep such a column."""
        self._done[id(node)] = column
        if self.memo is not None and not self.failed:
            self.memo[node.term] = column

    def fail(self, reasons: Reasons, roots: NDArray[Any] | None) -> None:
        """Record failures [M] of rows that come from root rows `roots` [M] (if None: all, in order)."""
        bad = np.flatnonzero(reasons)
        rows = bad if roots is None else roots[bad]
        new = self.failures[rows] == 0
        self.failures[rows[new]] = reasons[bad[new]]
        self.version += 1

    def check_fuel(self) -> None:
        """Fail the living rows that have spent more than they had."""
        spent = (self.fuel < self.pending) & (self.failures == 0)
        if spent.any():
            self.failures[spent] = Reason.FUEL
            self.version += 1
        alive = self.fuel[self.failures == 0]
        self.least = int(alive.min()) if len(alive) else 1 << 62


class Frame:
    """Rows being run.

    Args:
        run: What is shared.
        count: The number of rows.
        parent: The frame whose names are seen here; None for the root.
        index: Shape [count]: for each row the parent's row it belongs to; None where they are the same.
        caller: The frame whose evaluation made this one (the parent, except where a function is called).
        caller_index: Shape [count]: for each row the caller's row it comes from.
        distinct: Whether no two rows come from the same root row.
    """

    __slots__ = (
        "_alive",
        "_checked",
        "caller",
        "caller_index",
        "count",
        "distinct",
        "index",
        "inputs",
        "parent",
        "roots",
        "run",
        "values",
    )

    def __init__(
        self,
        run: Run,
        count: int,
        parent: Frame | None = None,
        index: IntArray | None = None,
        caller: Frame | None = None,
        caller_index: IntArray | None = None,
        distinct: bool = True,
    ) -> None:
        self.run, self.count, self.parent, self.index, self.distinct = run, count, parent, index, distinct
        self.caller, self.caller_index = (parent, index) if caller is None else (caller, caller_index)
        self.values: dict[Binding, Value] = {}
        self.inputs: Mapping[str, Column] = {}
        self.roots: IntArray | None = None  # None: row i comes from root row i
        if self.caller is not None:
            above, here = self.caller.roots, self.caller_index
            self.roots = above if here is None else here if above is None else above[here]
        self._checked = 0
        self._alive: IntArray | None = None

    @property
    def is_root(self) -> bool:
        """Whether this is the frame of the whole program."""
        return self.parent is None

    def part(self, index: IntArray) -> Frame:
        """The frame of some of the rows, each at most once, in order."""
        whole = len(index) == self.count
        return Frame(self.run, len(index), self, None if whole else index, distinct=self.distinct)

    def alive(self) -> IntArray | None:
        """The positions of the rows that have not failed; None if none has."""
        run = self.run
        if run.version != self._checked:
            failures = run.failures if self.roots is None else run.failures[self.roots]
            good = np.flatnonzero(failures == 0)
            self._alive = None if len(good) == self.count else good
            self._checked = run.version
        return self._alive

    def look_up(self, binding: Binding) -> Value:
        """What a name stands for, in the rows of this frame."""
        found = self.values.get(binding)
        if found is not None:
            return found
        if self.parent is None:
            return self.inputs[binding.name]
        found = self.parent.look_up(binding)
        if self.index is not None and isinstance(found, Column):
            found = found.take(self.index)
            self.values[binding] = found
        return found

    def rows_in(self, home: Frame, index: IntArray | None) -> IntArray | None:
        """For rows that come from this frame's rows `index`, the rows of an earlier frame they come from."""
        frame: Frame = self
        while frame is not home:
            step = frame.caller_index
            if step is not None:
                index = step if index is None else step[index]
            assert frame.caller is not None
            frame = frame.caller
        return index

    def fail(self, reasons: Reasons, rows: IntArray | None) -> None:
        """Record reasons [M] of the rows at `rows` [M] (if None: all, in order)."""
        roots = self.roots
        if rows is not None:
            roots = rows if roots is None else roots[rows]
        self.run.fail(reasons, roots)

    def room(self) -> int:
        """How many elements the rows can pay for, all together."""
        left = self.run.fuel[self.run.failures == 0] - self.run.pending
        return int(left.sum())

    def beyond(self, elements: IntArray, rows: IntArray | None) -> NDArray[np.bool_]:
        """Which of the rows at `rows` [M] cannot pay if each makes so many elements [M]."""
        run = self.run
        if self.roots is None:
            roots = np.arange(run.count) if rows is None else rows
        else:
            roots = self.roots if rows is None else self.roots[rows]
        total = np.bincount(roots, elements, minlength=run.count)
        lost: NDArray[np.bool_] = (total > run.fuel - run.pending)[roots]
        return lost

    def charge(self, cost: NDArray[np.int64] | int, rows: IntArray | None) -> None:
        """Take fuel from the rows at `rows` [M] (if None: all): the same from each, or `cost` [M]."""
        run = self.run
        if self.roots is None:
            if isinstance(cost, int):
                run.pending += cost
                if run.pending > run.least:
                    run.check_fuel()
                return
            if rows is None:
                run.fuel -= cost
            else:
                run.fuel[rows] -= cost
        else:
            roots = self.roots if rows is None else self.roots[rows]
            if self.distinct:
                left = run.fuel[roots] - cost
                run.fuel[roots] = left
                least = int(left.min()) if len(left) else run.least
                run.least = min(run.least, least)
                if least < run.pending:
                    run.check_fuel()
                return
            if isinstance(cost, int):
                run.fuel -= np.bincount(roots, minlength=run.count) * cost
            else:
                run.fuel -= np.bincount(roots, cost, minlength=run.count).astype(np.int64)
        run.check_fuel()


def value_of(node: Typed, frame: Frame) -> Value:
    """The value of a node in a frame: a row for each of the frame's, of no meaning in those that failed.

    Parts that depend on the inputs only are run once where they stand outside of every branch and function.
    """
    if node.uses or not node.children:
        value: Value = node.run(node, frame)
        return value
    run = frame.run
    known = run.known(node)
    if known is not None:
        return known if frame.roots is None else known.take(frame.roots)
    value = node.run(node, frame)
    if frame.parent is None and isinstance(value, Column):
        run.remember(node, value)
    return value


def column_of(node: Typed, frame: Frame) -> Column:
    """The value of a node that is no function."""
    value = value_of(node, frame)
    assert isinstance(value, Column)
    return value


__all__ = ["Frame", "IntArray", "Run", "Value", "column_of", "value_of"]
