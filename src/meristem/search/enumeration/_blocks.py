"""Blocks: the programs of one type and one cost as arrays, and how each was made from which others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Term
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._pools import FAIL, Ids, Pools
from meristem.search.hashing import Keys
from meristem.types import Type

_SAMPLE = 2048  # programs by which the variety of a row is judged

Indices = tuple[NDArray[np.int32], ...]
"""Which programs of some blocks: [N] a block."""


class Fragment(Protocol):
    """How some programs of a block were made."""

    def __len__(self) -> int: ...

    def term(self, index: int) -> Term:
        """The term of one of them."""
        ...

    def replay(self, rows: slice) -> Ids:
        """The ids of all of them at some rows of their context, [rows, N], from what they are made of."""
        ...


class Block:
    """The programs of one type and one cost.

    Args:
        type: The type.
        cost: The cost.
        ids: Shape [R, N].
        fragments: How they were made, in order.
    """

    def __init__(self, type: Type, cost: int, ids: Ids, fragments: Sequence[Fragment]) -> None:
        self.type, self.cost, self.ids, self.fragments = type, cost, ids, list(fragments)
        self.hashes: Keys | None = None  # of the content of each value, [R, N], where someone needed them
        self._compressed: dict[tuple[int, int, int], tuple[Ids, NDArray[np.int64]]] = {}

    def __len__(self) -> int:
        return int(self.ids.shape[1])

    def term(self, index: int) -> Term:
        """The term of a program."""
        for fragment in self.fragments:
            if index < len(fragment):
                return fragment.term(index)
            index -= len(fragment)
        raise IndexError(index)

    def positions(self, ids: Ids, rows: NDArray[np.int64] | None = None) -> list[int]:
        """The programs that give these ids [E], at these rows [E]; at the first E where None."""
        numbers = np.arange(len(ids)) if rows is None else rows
        left = np.flatnonzero(self.ids[numbers[0]] == ids[0])
        for row, wanted in zip(numbers[1:].tolist(), ids[1:].tolist(), strict=True):
            if not len(left):
                break
            left = left[self.ids[row, left] == wanted]
        found: list[int] = left.tolist()
        return found

    def extend(self, ids: Ids) -> None:
        """Add rows [new rows, N]."""
        self.ids = np.concatenate([self.ids, ids])
        self._compressed.clear()
        self.__dict__.pop("variety", None)
        self.hashes = None

    def compressed(self, row: int, start: int, stop: int) -> tuple[Ids, NDArray[np.int64]]:
        """The distinct ids of programs `start` to `stop` at a row, and for each program the position of its."""
        known = self._compressed.get((row, start, stop))
        if known is None:
            known = self._compressed[row, start, stop] = compress(self.ids[row, start:stop])
        return known

    @cached_property
    def variety(self) -> NDArray[np.int64]:
        """About how many distinct values the programs have at each row, [R], by some of them."""
        some = np.sort(self.ids[:, :: max(1, len(self) // _SAMPLE)], axis=1)
        counts: NDArray[np.int64] = 1 + (some[:, 1:] != some[:, :-1]).sum(axis=1)
        return counts


@dataclass
class Leaves:
    """Inputs, constants, and programs of an outer context."""

    terms: list[Term]
    ids: Ids

    def __len__(self) -> int:
        return len(self.terms)

    def term(self, index: int) -> Term:
        return self.terms[index]

    def replay(self, rows: slice) -> Ids:
        return self.ids[rows]


@dataclass
class Made:
    """Programs that an operation made: the positions of its arguments in their blocks, [N] each."""

    pools: Pools
    operation: Operation
    blocks: tuple[Block, ...]
    indices: tuple[NDArray[np.int32], ...]

    def __len__(self) -> int:
        return len(self.indices[0])

    def term(self, index: int) -> Term:
        parts = tuple(b.term(int(i[index])) for b, i in zip(self.blocks, self.indices, strict=True))
        return self.operation.term(parts)

    def replay(self, rows: slice) -> Ids:
        columns = [b.ids[rows][:, i] for b, i in zip(self.blocks, self.indices, strict=True)]
        shape = columns[0].shape
        return self.operation.apply(self.pools, *(c.ravel() for c in columns)).reshape(shape)


def compress(ids: Ids) -> tuple[Ids, NDArray[np.int64]]:
    """The distinct ids, and for each id its position among them."""
    if len(ids) > 64:
        failed = ids == FAIL
        fails = bool(failed.any())
        if fails and failed.all():
            return ids[:1], np.zeros(len(ids), np.int64)
        low = int(ids[~failed].min()) if fails else int(ids.min())
        if fails:
            ids = np.where(failed, np.int32(low - 1), ids)
            low -= 1
        span = int(ids.max()) - low + 1
        if span < 4 * len(ids) + 1024:  # marking is several times faster than sorting
            shifted = ids - np.int32(low)
            marks = np.zeros(span, np.bool_)
            marks[shifted] = True
            distinct = np.flatnonzero(marks)
            positions = np.cumsum(marks) - 1
            values = (distinct + low).astype(np.int32)
            if fails:
                values[0] = FAIL
            return values, positions[shifted]
        distinct32, codes = np.unique(ids, return_inverse=True)
        if fails:
            distinct32[0] = FAIL
        return distinct32, codes
    return np.unique(ids, return_inverse=True)


__all__ = ["Block", "Fragment", "Indices", "Leaves", "Made", "compress"]
