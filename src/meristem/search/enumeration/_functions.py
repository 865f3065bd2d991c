"""Functions as tables: what `map`, `filter` and their like are given.

The body of a function of `x` is an ordinary program whose rows are the items that `x` may be: its column of ids *is*
the function, as far as these items can tell. So bodies are enumerated in a bank like any other, equal functions merge
into one, and applying all functions of a block to a list is a gather.

A context serves several lists (its *sources*) at once. A row is an example with the values of the parameters there,
so the body may use the inputs of the program, and whatever cheap programs the outer bank has, as leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Call, Lambda, Term
from meristem.search.enumeration._bank import Bank, row_factors, usable
from meristem.search.enumeration._blocks import Block, Leaves
from meristem.search.enumeration._pools import FAIL, Ids, ListPool, Pools, weights
from meristem.search.hashing import Keys
from meristem.types import BOOL, INT, Type, list_of

IntArray = NDArray[np.int64]


@dataclass(eq=False)
class Source:
    """A list (or two lists side by side) that functions are applied to.

    Args:
        blocks: Where the list programs are.
        indices: Which they are.
        cost: Of the list programs together.
        items: The ids of each parameter at each position of all examples, end to end: one array [P] a parameter.
        rows: For each position its row in the context, [P].
        offsets: Where each example begins, [E + 1].
        failed: The examples where there is no list, [E].
    """

    blocks: tuple[Block, ...]
    indices: tuple[int, ...]
    cost: int
    items: tuple[Ids, ...]
    rows: IntArray
    offsets: IntArray
    failed: NDArray[np.bool_]

    def terms(self) -> tuple[Term, ...]:
        """The terms of the lists."""
        return tuple(block.term(index) for block, index in zip(self.blocks, self.indices, strict=True))


class Context:
    """A bank of function bodies.

    Args:
        pools: Where values are kept.
        outer: The bank of the program around.
        parameters: Names and types.
        limit: The most bodies kept.
        most_rows: Sources that would need more rows are refused.
        merge: As the bank's.
        indexed: Whether the first parameter is the position of the item rather than an item.
    """

    def __init__(
        self,
        pools: Pools,
        outer: Bank,
        parameters: Sequence[tuple[str, Type]],
        limit: int,
        most_rows: int,
        merge: bool = True,
        indexed: bool = False,
    ) -> None:
        self.pools, self.outer, self.parameters, self.indexed = pools, outer, tuple(parameters), indexed
        self.bank = Bank(pools, 0, limit, merge)
        self.sources: list[Source] = []
        self.level = 0  # all bodies up to this cost are there
        self._most_rows = most_rows
        self._known: dict[tuple[int, ...], int] = {}
        self._leaves: dict[Term, Callable[[slice], Ids]] = {}
        self.examples = np.empty(0, np.int64)
        self.values: list[Ids] = [np.empty(0, np.int32) for _ in parameters]

    @property
    def item(self) -> Type:
        """The type of the items of the lists that the functions are applied to."""
        return self.parameters[-1][1]

    def parameter(self, number: int, rows: slice) -> Ids:
        """The ids [rows, 1] of a parameter."""
        return self.values[number][rows][:, None]

    def add_source(
        self,
        blocks: tuple[Block, ...],
        indices: tuple[int, ...],
        items: tuple[Ids, ...],
        offsets: IntArray,
        failed: NDArray[np.bool_],
        known_only: bool = False,
    ) -> bool:
        """Add a list; False where it would take too many rows, or with `known_only` any new one."""
        examples = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        keys = list(zip(examples.tolist(), *(part.tolist() for part in items), strict=True))
        if (
            not keys
            or (known_only and any(key not in self._known for key in keys))
            or not self.add_rows(keys)
        ):
            return False
        rows = np.array([self._known[key] for key in keys], np.int64)
        cost = sum(block.cost for block in blocks)
        self.sources.append(Source(blocks, indices, cost, items, rows, offsets, failed))
        return True

    def add_rows(self, keys: Sequence[tuple[int, ...]]) -> bool:
        """Add rows: (example, ids of the parameters) each; False where they would be too many."""
        new = list(dict.fromkeys(key for key in keys if key not in self._known))
        if len(self._known) + len(new) > self._most_rows:
            return False
        for key in new:
            self._known[key] = len(self._known)
        if new:
            self.examples = np.concatenate([self.examples, [key[0] for key in new]])
            for number in range(len(self.parameters)):
                more = np.array([key[1 + number] for key in new], np.int32)
                self.values[number] = np.concatenate([self.values[number], more])
            self.bank.extend(self._leaf, len(self._known))
        return True

    def _leaf(self, term: Term, rows: slice) -> Ids:
        return self._leaves[term](rows)

    def add_leaf(self, term: Term, type: Type, cost: int, ids: Callable[[slice], Ids]) -> None:
        """Add a leaf: `ids` gives its values [rows, 1] at some rows."""
        self._leaves.setdefault(term, ids)
        self.bank.add(type, cost, ids(slice(0, self.bank.rows)), Leaves([term], np.empty((0, 1), np.int32)))

    def add_outer(self, block: Block, most: int) -> None:
        """Make the first programs of an outer block leaves of the bodies."""
        for index in range(min(len(block), most)):
            column = block.ids[:, index]

            def ids(rows: slice, column: Ids = column) -> Ids:
                return column[self.examples[rows]][:, None]

            self.add_leaf(block.term(index), block.type, block.cost, ids)


# --------------------------------------------------------------------------------------- higher-order rules


@dataclass
class Applied:
    """Programs that apply functions of one block to one source: `name(parameters => body, lists...)`."""

    name: str
    context: Context
    source: Source
    body: Block
    indices: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.indices)

    def term(self, index: int) -> Term:
        names = tuple(name for name, _ in self.context.parameters)
        return Call(
            self.name, (Lambda(names, self.body.term(int(self.indices[index]))), *self.source.terms())
        )

    def replay(self, rows: slice) -> Ids:
        raise NotImplementedError("a function inside of a function's body")


class Rule:
    """What a higher-order primitive makes of a source and the results of a block of bodies on it.

    Args:
        name: The primitive.
        cost: Of a use.
        result: From the item type and the body's type to the type of the result; None where it makes none.
    """

    def __init__(self, name: str, cost: int, result: Callable[[Type, Type], Type | None]) -> None:
        self.name, self.cost, self.result = name, cost, result


class Map(Rule):
    """A list of the results."""


class Kept(Rule):
    """Some of the items: those where a mask, made of the results, is true.

    Args:
        name: The primitive.
        cost: Of a use.
        mask: From the results of the items in order to the mask; None where the results are it.
    """

    def __init__(
        self, name: str, cost: int, mask: Callable[[NDArray[np.bool_]], NDArray[np.bool_]] | None = None
    ) -> None:
        super().__init__(name, cost, lambda item, body: list_of(item) if body == BOOL else None)
        self.each = mask is None  # whether an item is kept for its own sake
        self.mask = mask or (lambda results: results)


class _Ordered(Rule):
    def __init__(self, name: str, cost: int) -> None:
        super().__init__(name, cost, lambda item, body: list_of(item) if body == INT else None)


class _Scalar(Rule):
    def __init__(
        self,
        name: str,
        cost: int,
        result: Callable[[Type, Type], Type | None],
        made: Callable[[Ids, Ids], Ids],
    ) -> None:
        super().__init__(name, cost, result)
        self.made = made


def _chosen(pick: Callable[..., Any]) -> Callable[[Ids, Ids], Ids]:
    def made(results: Ids, items: Ids) -> Ids:
        if not len(items):
            return np.full(results.shape[1], FAIL, np.int32)
        found: Ids = items[pick(results, axis=0)]
        return found

    return made


def _of_bools(type: Type) -> Callable[[Type, Type], Type | None]:
    return lambda item, body: type if body == BOOL else None


RULES: tuple[Rule, ...] = (
    Map("map", 2, lambda item, body: list_of(body)),
    Kept("filter", 2),
    _Scalar("count", 3, _of_bools(INT), lambda results, items: results.sum(axis=0, dtype=np.int32)),
    _Scalar("any", 3, _of_bools(BOOL), lambda results, items: (results != 0).any(axis=0).astype(np.int32)),
    _Scalar("all", 3, _of_bools(BOOL), lambda results, items: (results != 0).all(axis=0).astype(np.int32)),
    Kept("take_while", 4, lambda mask: np.logical_and.accumulate(mask, axis=0)),
    Kept("drop_while", 4, lambda mask: ~np.logical_and.accumulate(mask, axis=0)),
    _Ordered("sort_by", 3),
    _Scalar("max_by", 4, lambda item, body: item if body == INT else None, _chosen(np.argmax)),
    _Scalar("min_by", 4, lambda item, body: item if body == INT else None, _chosen(np.argmin)),
)
"""For functions of an item."""

INDEXED_RULES: tuple[Rule, ...] = (
    Map("map_indexed", 3, lambda item, body: list_of(body)),
    Kept("filter_indexed", 3),
)
"""For functions of a position and an item."""

ZIPPED_RULES: tuple[Rule, ...] = (Map("zip_with", 3, lambda item, body: list_of(body)),)
"""For functions of an item of each of two lists."""


class Application:
    """One rule on one source for a run of bodies: keys first, values only of those that are new.

    Args:
        rule: The rule.
        context: The context.
        source: The source.
        block: The bodies.
        part: Which of them.
    """

    def __init__(self, rule: Rule, context: Context, source: Source, block: Block, part: slice) -> None:
        self.rule, self.context, self.source, self.block, self.part = rule, context, source, block, part
        self.pools = context.pools
        result = rule.result(context.item, block.type)
        assert result is not None
        self.type = result
        self.values = block.ids[:, part][source.rows]  # [P, N]
        self.items = source.items[-1]
        self.count = self.values.shape[1]
        self._bad: NDArray[np.bool_] | None = (
            (self.values == FAIL) if (block.ids[:, part] == FAIL).any() else None
        )
        self._scalars: Ids | None = None

    def _segments(self) -> list[slice]:
        offsets = self.source.offsets
        return [slice(int(offsets[e]), int(offsets[e + 1])) for e in range(len(offsets) - 1)]

    def failed(self) -> NDArray[np.bool_] | None:
        """Where there is no result, [E, N]; None where there is one everywhere."""
        failed = np.zeros((len(self.source.failed), self.count), np.bool_)
        failed[self.source.failed] = True
        if self._bad is not None:
            for e, segment in enumerate(self._segments()):
                failed[e] |= self._bad[segment].any(axis=0)
        return failed if failed.any() else None

    def keys(self) -> Keys:
        """The key of each program, [N]."""
        pool = self.pools[self.type]
        factors = row_factors(len(self.source.failed))
        failed = self.failed()
        if isinstance(self.rule, _Scalar):
            scalars = np.stack([self.rule.made(self.values[s], self.items[s]) for s in self._segments()])
            if failed is not None:
                scalars[failed] = FAIL
            self._scalars = scalars
            hashes = pool.hashes(scalars.ravel()).reshape(scalars.shape)
        else:
            assert isinstance(pool, ListPool)
            hashes = np.stack([self._list_hashes(pool, s) for s in self._segments()])
            if failed is not None:
                hashes[failed] = pool.hashes(np.array([FAIL], np.int32))[0]
        key: Keys = (hashes * factors[:, None]).sum(axis=0, dtype=np.uint64)
        return key

    def _list_hashes(self, pool: ListPool, segment: slice) -> Keys:
        values = self.values[segment]
        length = len(values)
        places = weights(length)
        if isinstance(self.rule, Map):
            hashes = pool.items.hashes(values.ravel()).reshape(values.shape)
            sums = (hashes * places[:, None]).sum(axis=0, dtype=np.uint64)
            return pool.hash_of(sums, np.full(self.count, length))
        own = pool.items.hashes(self.items[segment])
        if isinstance(self.rule, _Ordered):
            order = np.argsort(values, axis=0, kind="stable")
            sums = (own[order] * places[:, None]).sum(axis=0, dtype=np.uint64)
            return pool.hash_of(sums, np.full(self.count, length))
        assert isinstance(self.rule, Kept)
        mask = self.rule.mask(values != 0)
        lengths = mask.sum(axis=0)
        ranks = np.cumsum(mask, axis=0)
        terms = np.where(mask, own[:, None] * weights(length + 1)[np.maximum(ranks - 1, 0)], np.uint64(0))
        return pool.hash_of(terms.sum(axis=0, dtype=np.uint64), lengths)

    def ids(self, new: IntArray) -> Ids:
        """The ids [E, M] of the programs at these positions [M]."""
        if self._scalars is not None:
            return self._scalars[:, new]
        pool = self.pools[self.type]
        assert isinstance(pool, ListPool)
        ids = np.empty((len(self.source.failed), len(new)), np.int32)
        for e, segment in enumerate(self._segments()):
            values = self.values[segment][:, new]
            if isinstance(self.rule, Map):
                children, offsets = values.T.ravel(), np.arange(len(new) + 1) * len(values)
            elif isinstance(self.rule, _Ordered):
                order = np.argsort(values, axis=0, kind="stable")
                children, offsets = (
                    self.items[segment][order].T.ravel(),
                    np.arange(len(new) + 1) * len(values),
                )
            else:
                assert isinstance(self.rule, Kept)
                mask = self.rule.mask(values != 0).T
                children = np.broadcast_to(self.items[segment], mask.shape)[mask]
                offsets = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
            ids[e] = pool.intern_runs(np.ascontiguousarray(children), offsets)
        failed = self.failed()
        if failed is not None:
            ids[failed[:, new]] = FAIL
        return ids

    def into(self, bank: Bank, cost: int) -> None:
        """Add what is new to a bank."""
        new = bank.fresh(self.type, self.keys())
        if not len(new):
            return
        ids = self.ids(new)
        alive = usable(ids, bank.keep_failing)
        if not alive.all():
            ids, new = ids[:, alive], new[alive]
        if len(new):
            indices = (new + self.part.start).astype(np.int32)
            bank.hold(
                self.type, cost, ids, Applied(self.rule.name, self.context, self.source, self.block, indices)
            )


__all__ = [
    "INDEXED_RULES",
    "RULES",
    "ZIPPED_RULES",
    "Application",
    "Applied",
    "Context",
    "Kept",
    "Map",
    "Rule",
    "Source",
]
