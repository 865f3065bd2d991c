"""What loops over columns share: results that come at different times, put together at the end."""

from __future__ import annotations

import numpy as np

from meristem.language.failures import expand
from meristem.language.frames import Frame
from meristem.primitives._columns import IntArray
from meristem.types import Type
from meristem.values import Column, concatenate, filler


class Parts:
    """Values of some rows, given piece by piece. Rows that get none (they failed) get a filler.

    Args:
        type: The type of the values.
        count: The number of rows.
    """

    def __init__(self, type: Type, count: int) -> None:
        self.type, self.count = type, count
        self._rows: list[IntArray] = []
        self._columns: list[Column] = []

    def add(self, rows: IntArray, column: Column) -> None:
        """The values of these rows."""
        if len(rows):
            self._rows.append(rows)
            self._columns.append(column)

    def column(self) -> Column:
        """All values, in the order of the rows."""
        if not self._rows:
            return filler(self.type, self.count)
        rows, both = np.concatenate(self._rows), concatenate(self._columns)
        if len(rows) < self.count:
            return expand(both, rows, self.count)
        return both.take(np.argsort(rows, kind="stable"))


def living(frame: Frame, rows: IntArray) -> IntArray | None:
    """Positions in `rows` [M] of those that have not failed; None if none has."""
    alive = frame.alive()
    if alive is None:
        return None
    mask = np.zeros(frame.count, np.bool_)
    mask[alive] = True
    kept = np.flatnonzero(mask[rows])
    return None if len(kept) == len(rows) else kept


__all__ = ["Parts", "living"]
