"""Functions of items: the contexts that their bodies are made in, the lists they are applied to, and their use."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator

import numpy as np

from meristem.language.terms import Variable
from meristem.search.enumeration._bank import Bank, splits
from meristem.search.enumeration._blocks import Block
from meristem.search.enumeration._functions import (
    INDEXED_RULES,
    RULES,
    ZIPPED_RULES,
    Application,
    Applied,
    Context,
    Rule,
)
from meristem.search.enumeration._grammar import Material
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._pools import FAIL, Ids, ListPool, Pools
from meristem.search.enumeration._settings import Settings
from meristem.types import BOOL, INT, TEXT, Type, list_of
from meristem.values import column_from

_ITEMS = ("int", "text", "list", "bool", "real", "pair")  # what functions of the items of a list are made for
_CHEAP = 5  # lists up to this cost are all worth applying functions to
_PAIRED = 8  # pairs of lists up to this cost together
_OUTER = 60  # programs of a block of the outer bank that may stand in a body


class Bodies:
    """All functions of a search.

    Args:
        pools: Where values are kept.
        bank: The bank of whole programs.
        material: What bodies are made of.
        names: Names that parameters must not have.
        settings: How many.

    Attributes:
        contexts: The contexts, each with what applies its functions and what its bodies are made by.
    """

    def __init__(
        self, pools: Pools, bank: Bank, material: Material, names: set[str], settings: Settings
    ) -> None:
        self.pools, self.bank, self.material, self.settings = pools, bank, material, settings
        self.contexts: list[tuple[Context, tuple[Rule, ...], list[Operation]]] = []
        x, i, y = (fresh(name, names) for name in ("x", "i", "y"))
        for type in material.types:
            if type.name != "list" or type.item.name not in _ITEMS:
                continue
            item = type.item
            scalars = {INT, BOOL, item} | ({TEXT} if TEXT in material.types else set())
            inner = [op for op in material.operations if op.result in scalars or op.result == type]
            self._add([(x, item)], RULES, inner)
            if item.name != "list":
                self._add([(i, INT), (x, item)], INDEXED_RULES, inner, indexed=True)
                self._add([(x, item), (y, item)], ZIPPED_RULES, inner)

    def _add(
        self,
        parameters: list[tuple[str, Type]],
        rules: tuple[Rule, ...],
        inner: list[Operation],
        indexed: bool = False,
    ) -> None:
        s = self.settings
        context = Context(self.pools, self.bank, parameters, s.bodies, s.rows, s.merge, indexed)
        self.contexts.append((context, rules, inner))

    @property
    def tried(self) -> int:
        """How many bodies were made so far, those equal to earlier ones counted."""
        return sum(context.bank.tried for context, _, _ in self.contexts)

    def advance(
        self, context: Context, inner: list[Operation], level: int, most: float = math.inf
    ) -> Iterator[None]:
        """Make all bodies up to a cost; no more levels once there are so many."""
        bank = context.bank
        while context.level < level and bank.count < most:
            cost = context.level + 1
            if cost == 1:
                for number, (name, type) in enumerate(context.parameters):
                    _add_parameter(context, number, name, type)
            for term, type, of, value in self.material.constants:
                if of == cost:
                    only = self.pools[type].intern(column_from([value], type))[0]

                    def ids(rows: slice, only: np.int32 = only) -> Ids:
                        return np.full((len(context.examples[rows]), 1), only, np.int32)

                    context.add_leaf(term, type, cost, ids)
            for type, blocks in self.bank.blocks.items():
                block = blocks.get(cost)
                if block is not None and ((type.name in ("int", "bool", "text") and cost <= 8) or cost <= 3):
                    context.add_outer(block, _OUTER)
            for operation in inner:
                choices = list(
                    splits(bank, operation.arguments, cost - operation.cost, operation.commutative)
                )
                for _ in bank.combine(operation, choices, cost):
                    yield None
            bank.close(cost)
            context.level = cost

    def apply(self, level: int) -> Iterator[None]:
        """Apply functions to lists: all uses of this cost."""
        for context, rules, inner in self.contexts:
            if not context.sources:
                continue
            least = min(source.cost for source in context.sources) + min(rule.cost for rule in rules)
            for _ in self.advance(context, inner, level - least):
                yield None
            for source in context.sources:
                step = max(64, (1 << 18) // max(1, len(source.rows)))
                for rule in rules:
                    for block in self._applicable(context, rule, level - rule.cost - source.cost):
                        for start in range(0, len(block), step):
                            part = slice(start, start + step)
                            Application(rule, context, source, block, part).into(self.bank, level)
                            yield None

    def _applicable(self, context: Context, rule: Rule, cost: int) -> Iterator[Block]:
        for type, blocks in context.bank.blocks.items():
            if cost in blocks and rule.result(context.item, type) in self.material.types:
                yield blocks[cost]

    # ------------------------------------------------------------------------------------------- sources

    def add_sources(self, level: int) -> None:
        """Take lists that were just made as ones to apply functions to."""
        for context, _, _ in self.contexts:
            of = list_of(context.item)
            if context.indexed or len(context.parameters) == 1:
                block = self.bank.blocks.get(of, {}).get(level)
                for index in [] if block is None else _likely_sources(block, 300):
                    if len(context.sources) >= self.settings.more_sources:
                        break
                    assert block is not None
                    # Parts and orders of lists that are sources already (what a filter keeps) take no new rows.
                    known_only = len(context.sources) >= self.settings.sources
                    self._add_source(context, (block,), (index,), known_only)
            elif level <= _PAIRED:
                self._add_pairs(context, of, level)

    def _add_pairs(self, context: Context, of: Type, level: int) -> None:
        for first in range(1, level):
            a, b = (self.bank.blocks.get(of, {}).get(c) for c in (first, level - first))
            if a is None or b is None:
                continue
            for j in range(min(len(a), 8)):
                for k in range(min(len(b), 8)):
                    if len(context.sources) < self.settings.sources and (a is not b or j < k):
                        self._add_source(context, (a, b), (j, k))

    def _add_source(
        self,
        context: Context,
        blocks: tuple[Block, ...],
        indices: tuple[int, ...],
        known_only: bool = False,
    ) -> None:
        pool = self.pools[list_of(context.item)]
        assert isinstance(pool, ListPool)
        columns = [block.ids[:, index] for block, index in zip(blocks, indices, strict=True)]
        failed = np.any([column == FAIL for column in columns], axis=0)
        if failed.all():
            return
        runs = [pool.runs(np.where(failed, _empty(pool), column)) for column in columns]
        lengths = np.min([np.diff(offsets) for _, offsets in runs], axis=0)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        items = [children[places + np.repeat(starts[:-1], lengths)] for children, starts in runs]
        if context.indexed:
            items.insert(0, places.astype(np.int32))
        context.add_source(blocks, indices, tuple(items), offsets, failed, known_only)


def _add_parameter(context: Context, number: int, name: str, type: Type) -> None:
    context.add_leaf(Variable(name), type, 1, lambda rows: context.parameter(number, rows))


def fresh(name: str, names: Container[str]) -> str:
    """A name, or one like it that is not among some names."""
    while name in names:
        name += "_"
    return name


def _likely_sources(block: Block, most: int) -> list[int]:
    """Programs of a block to apply functions to: those that functions made first.

    A list that was filtered is often mapped next. Of others there are many, and the cheapest are sources already.
    """
    made: list[int] = []
    others: list[int] = []
    start = 0
    for fragment in block.fragments:
        (made if isinstance(fragment, Applied) else others).extend(range(start, start + len(fragment)))
        start += len(fragment)
    return [*made[: most // 2], *others[: most // 2 if block.cost <= _CHEAP else 8]]


def _empty(pool: ListPool) -> np.int32:
    return np.int32(pool.intern_runs(np.empty(0, np.int32), np.array([0, 0]))[0])


__all__ = ["Bodies", "fresh"]
