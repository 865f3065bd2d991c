"""A thin driver of the columnar bank: level after level from some leaves, and nothing else.

What the search does besides (functions, conditionals, goals) is left out, so that this can be compared with plain
enumeration level by level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from meristem.language.terms import Literal, Term
from meristem.search.enumeration._bank import Bank, splits
from meristem.search.enumeration._blocks import Leaves
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._pools import FAIL, Pools
from meristem.types import Type
from meristem.values import column_from, hashable

Leaf = tuple[Term, Type, int, list[Any]]
"""A term, its type and cost, and its values, one an example."""


class BankLevels:
    """Levels of a bank.

    Args:
        operations: What programs are made with.
        leaves: Inputs and constants.
        rows: The number of examples.
        limit: The most programs kept.
    """

    def __init__(
        self, operations: Sequence[Operation], leaves: Sequence[Leaf], rows: int, limit: int = 50_000_000
    ) -> None:
        self.operations, self.leaves = operations, leaves
        self.pools = Pools()
        self.bank = Bank(self.pools, rows, limit)

    def level(self, cost: int) -> None:
        """All programs of a cost, from those of lower costs."""
        for term, type, of, values in self.leaves:
            if of == cost:
                ids = self.pools[type].intern(column_from(values, type))[:, None]
                self.bank.add(type, cost, ids, Leaves([term], ids))
        for operation in self.operations:
            choices = list(
                splits(self.bank, operation.arguments, cost - operation.cost, operation.commutative)
            )
            if choices:
                for _ in self.bank.combine(operation, choices, cost):
                    pass
        self.bank.close(cost)

    def rows(self, type: Type, cost: int) -> Iterator[tuple[Any, ...]]:
        """The outputs of the programs of a type and cost; None where one fails."""
        block = self.bank.blocks.get(type, {}).get(cost)
        if block is None:
            return
        columns = []
        for ids in block.ids:
            values: list[Any] = [None] * len(ids)
            good = np.flatnonzero(ids != FAIL)
            for k, value in zip(good.tolist(), self.pools[type].column(ids[good]).to_list(), strict=True):
                values[k] = hashable(value)
            columns.append(values)
        yield from zip(*columns, strict=True)


def constant(value: Any, type: Type, cost: int, rows: int) -> Leaf:
    """A constant as a leaf."""
    return Literal(value, type), type, cost, [value] * rows


__all__ = ["BankLevels", "Leaf", "constant"]
