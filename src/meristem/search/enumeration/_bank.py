"""Banks: all programs of a context found so far, as arrays.

A context has R rows: the examples of the task, or the items that a function's parameter stands for. A program is a
column of R ids, found equal to another by a 64-bit key of it. Programs of one type and one cost form a block. A block
says of each program which operation made it from which others; only an answer becomes a term.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Term
from meristem.search.enumeration._blocks import Block, Fragment, Indices, Leaves, Made
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._pools import FAIL, Ids, Pools
from meristem.search.hashing import HashSet, Keys
from meristem.types import Type

Bounds = Sequence[tuple[int, int]]

_ROW_FACTORS = np.random.default_rng(77).integers(1, 1 << 63, 1 << 14, dtype=np.uint64) << np.uint64(
    1
) | np.uint64(1)

_CHUNK = 1 << 18  # candidates looked at together: their keys (2 MB) stay in the cache
_FEW = 0.02  # of the programs of a box; that many are looked at one by one
_FLAT = 1 << 16  # cells; below, one pass over all rows beats a pass a row


class Bank:
    """The programs of one context.

    Args:
        pools: Where values are kept.
        rows: R.
        limit: The most programs it may hold; beyond, none is kept, and what is made is only held against `goals`.
        merge: Whether a program that equals an earlier one is dropped.

    Attributes:
        goals: Columns of ids [R] to look for once it is full, by type.
        met: Programs that gave one of them.
    """

    def __init__(self, pools: Pools, rows: int, limit: int, merge: bool = True) -> None:
        self.pools, self.rows, self.limit, self.merge = pools, rows, limit, merge
        self.blocks: dict[Type, dict[int, Block]] = {}
        self.seen: dict[Type, HashSet] = {}
        self.count = 0
        self.tried = 0
        self._pending: dict[tuple[Type, int], list[tuple[Ids, Fragment]]] = {}
        self.keep_failing = True
        self.goals: dict[Type, Ids] = {}
        self.met: list[Made] = []

    def is_full(self) -> bool:
        """Whether no more programs are kept."""
        return self.count >= self.limit

    # ------------------------------------------------------------------------------------------- adding

    def add(self, type: Type, cost: int, ids: Ids, fragment: Leaves) -> None:
        """Add leaves: ids [R, N]."""
        new = self.fresh(type, self.key_of(type, ids))
        if len(new):
            kept = Leaves([fragment.terms[i] for i in new.tolist()], ids[:, new])
            self._hold(type, cost, kept.ids, kept)

    def fresh(self, type: Type, keys: Keys) -> NDArray[np.int64]:
        """Positions of the keys that no program of this type has had; from now on one has."""
        self.tried += len(keys)
        table = self.seen.get(type)
        if table is None:
            table = self.seen[type] = HashSet(4096)
        if self.is_full():
            return np.empty(0, np.int64)
        return table.add(keys) if self.merge else np.arange(len(keys))

    def _hold(self, type: Type, cost: int, ids: Ids, fragment: Fragment) -> None:
        self.count += ids.shape[1]
        self._pending.setdefault((type, cost), []).append((ids, fragment))

    def hold(self, type: Type, cost: int, ids: Ids, fragment: Fragment) -> None:
        """Keep programs whose keys were fresh."""
        self._hold(type, cost, ids, fragment)

    def extend(self, leaf: Callable[[Term, slice], Ids], rows: int) -> None:
        """Add rows to the context: all programs are run on them.

        Args:
            leaf: Gives the ids [new rows, 1] of a leaf at the new rows.
            rows: R from now on.

        Programs that were equal on the old rows stay merged, though the new rows might tell them apart: the one kept
        is the cheaper, and so the likelier.
        """
        new = slice(self.rows, rows)
        self.rows = rows
        for block in sorted((b for of in self.blocks.values() for b in of.values()), key=lambda b: b.cost):
            more = []
            for fragment in block.fragments:
                if isinstance(fragment, Leaves):
                    added = np.concatenate([leaf(term, new) for term in fragment.terms], axis=1)
                    fragment.ids = np.concatenate([fragment.ids, added])
                more.append(fragment.replay(new))
            block.extend(np.concatenate(more, axis=1))
        self.seen = {}
        for type, of in self.blocks.items():
            for block in of.values():
                self.fresh(type, self.key_of(type, block.ids))

    def close(self, cost: int) -> list[Block]:
        """Make blocks of what was added at a cost."""
        made = []
        for type, level in [key for key in self._pending if key[1] == cost]:
            parts = self._pending.pop((type, level))
            ids = parts[0][0] if len(parts) == 1 else np.concatenate([p[0] for p in parts], axis=1)
            block = Block(type, cost, np.ascontiguousarray(ids), [p[1] for p in parts])
            self.blocks.setdefault(type, {})[cost] = block
            made.append(block)
        return made

    def key_of(self, type: Type, ids: Ids) -> Keys:
        """The key of programs with these ids [R, N]."""
        return combine_hashes(self.pools[type].hashes(ids.ravel()).reshape(ids.shape))

    # ---------------------------------------------------------------------------------------- operations

    def combine(
        self, operation: Operation, choices: Sequence[tuple[Block, ...]], cost: int
    ) -> Iterator[None]:
        """All programs `operation(a, b, ...)` with a, b, ... from the blocks of a choice. Yields now and then.

        What is small is put together: one run over many small products costs little more than over one of them.
        """
        if self.is_full():
            yield from self.look_for(operation, choices)
            return
        if operation.arguments and len(operation.arguments) == 1:
            for (block,) in choices:
                yield from self._unary(operation, block, cost)
            return
        most = _FLAT if operation.kernel is None else 8 * _FLAT
        waiting: list[tuple[tuple[Block, ...], Indices]] = []
        cells = 0
        for blocks in choices:
            sizes = [len(block) for block in blocks]
            triangle = operation.commutative and blocks[0] is blocks[1]
            for bounds in _boxes(sizes, _chunks(sizes, _CHUNK)):
                if self.is_full():
                    return
                if triangle and bounds[0][0] >= bounds[1][1]:
                    continue
                count = int(np.prod([b - a for a, b in bounds]))
                if count * self.rows > most:
                    self._crossed(operation, blocks, bounds, cost, triangle)
                    yield
                    continue
                if cells + count * self.rows > most:
                    self._flat(operation, waiting, cost)
                    waiting, cells = [], 0
                    yield
                waiting.append((blocks, _product(bounds, triangle)))
                cells += count * self.rows
        if waiting:
            self._flat(operation, waiting, cost)
            yield

    def look_for(self, operation: Operation, choices: Sequence[tuple[Block, ...]]) -> Iterator[None]:
        """Hold what an operation makes against the goal of its type; what gives it goes to `met`, nothing is kept.

        The row with the fewest distinct arguments goes first, all combinations of them at once. Few programs pass it,
        and the other rows are looked at for those only.
        """
        goal = self.goals.get(operation.result)
        if goal is None:
            return
        for blocks in choices:
            sizes = [len(block) for block in blocks]
            for bounds in _boxes(sizes, _chunks(sizes, 16 * _CHUNK)):
                self.tried += int(np.prod([b - a for a, b in bounds]))
                places = self._passing(operation, goal, blocks, bounds)
                if len(places[0]):
                    self.met.append(Made(self.pools, operation, blocks, tuple(p[:20] for p in places)))
                yield

    def _passing(self, operation: Operation, goal: Ids, blocks: tuple[Block, ...], bounds: Bounds) -> Indices:
        """Which programs of a box give the goal."""
        variety = np.prod([block.variety.astype(np.float64) for block in blocks], axis=0)
        rows = np.argsort(variety, kind="stable").tolist()
        shape = tuple(b - a for a, b in bounds)
        right: NDArray[np.bool_] | None = None
        # While many are right, all are looked at once more: a table a row; then only those that were right so far.
        while rows and (right is None or np.count_nonzero(right) > _FEW * math.prod(shape)):
            table, codes = self._right(operation, goal, blocks, bounds, rows.pop(0))
            if not table.any():
                return tuple(np.empty(0, np.int32) for _ in blocks)
            passing = spread(table, codes)
            right = passing if right is None else right & passing
        assert right is not None  # a bank has rows
        found = np.unravel_index(np.flatnonzero(right), shape)
        places = tuple((p + a).astype(np.int32) for p, (a, _) in zip(found, bounds, strict=True))
        for row in rows:
            kept = operation.gives(
                self.pools, int(goal[row]), *(b.ids[row, p] for b, p in zip(blocks, places, strict=True))
            )
            places = tuple(place[kept] for place in places)
            if not len(places[0]):
                break
        return places

    def _right(
        self, operation: Operation, goal: Ids, blocks: tuple[Block, ...], bounds: Bounds, row: int
    ) -> tuple[NDArray[np.bool_], list[NDArray[np.int64]]]:
        """Which combinations of distinct arguments give the goal at a row; for each program the place of its own."""
        parts = [block.compressed(row, a, b) for block, (a, b) in zip(blocks, bounds, strict=True)]
        distinct = [part[0] for part in parts]
        grids = np.meshgrid(*distinct, indexing="ij", copy=False)
        right = operation.gives(self.pools, int(goal[row]), *(grid.ravel() for grid in grids))
        return right.reshape(tuple(map(len, distinct))), [part[1] for part in parts]

    def _unary(self, operation: Operation, block: Block, cost: int) -> Iterator[None]:
        step = max(1, (1 << 20) // self.rows)
        for start in range(0, len(block), step):
            if self.is_full():
                return
            part = block.ids[:, start : start + step]
            ids = operation.apply(self.pools, part.ravel()).reshape(part.shape)
            self._take(
                operation, (block,), (np.arange(start, start + part.shape[1], dtype=np.int32),), ids, cost
            )
            yield

    def _flat(
        self, operation: Operation, waiting: Sequence[tuple[tuple[Block, ...], Indices]], cost: int
    ) -> None:
        columns = [
            np.concatenate([blocks[k].ids[:, indices[k]] for blocks, indices in waiting], axis=1)
            for k in range(len(operation.arguments))
        ]
        shape = columns[0].shape
        ids = operation.apply(self.pools, *(c.ravel() for c in columns)).reshape(shape)
        new = self.fresh(operation.result, self.key_of(operation.result, ids))
        if not len(new):
            return
        bounds = np.cumsum([0] + [len(indices[0]) for _, indices in waiting])
        starts = np.searchsorted(new, bounds)
        for number, (blocks, indices) in enumerate(waiting):
            own = new[starts[number] : starts[number + 1]]
            if len(own):
                chosen = own - bounds[number]
                self._keep(operation, blocks, tuple(i[chosen] for i in indices), ids[:, own], cost)

    def _take(
        self,
        operation: Operation,
        blocks: tuple[Block, ...],
        indices: Indices,
        ids: Ids,
        cost: int,
    ) -> None:
        new = self.fresh(operation.result, self.key_of(operation.result, ids))
        if len(new):
            self._keep(operation, blocks, tuple(i[new] for i in indices), ids[:, new], cost)

    def _keep(
        self,
        operation: Operation,
        blocks: tuple[Block, ...],
        indices: Indices,
        ids: Ids,
        cost: int,
    ) -> None:
        alive = usable(ids, self.keep_failing)
        if not alive.all():
            ids, indices = ids[:, alive], tuple(i[alive] for i in indices)
        if ids.shape[1]:
            self.hold(operation.result, cost, ids, Made(self.pools, operation, blocks, indices))

    def _crossed(
        self,
        operation: Operation,
        blocks: tuple[Block, ...],
        bounds: Bounds,
        cost: int,
        triangle: bool,
    ) -> None:
        """The same over a table a row: an operation runs once for each pair of *distinct* arguments of a row."""
        parts = [
            [block.compressed(row, a, b) for row in range(self.rows)]
            for block, (a, b) in zip(blocks, bounds, strict=True)
        ]
        shape = tuple(b - a for a, b in bounds)
        tables = self._tables(operation, parts)
        keys = np.zeros(shape, np.uint64)
        pool = self.pools[operation.result]
        for row, table in enumerate(tables):
            hashes = pool.hashes(table.ravel()) * _ROW_FACTORS[row]
            keys += spread(hashes.reshape(table.shape), [part[row][1] for part in parts])
        flat = keys.ravel()
        if triangle:
            first = np.arange(bounds[0][0], bounds[0][1])[:, None]
            second = np.arange(bounds[1][0], bounds[1][1])[None, :]
            half = np.flatnonzero((first <= second).ravel())
            flat = flat[half]
        new = self.fresh(operation.result, flat)
        if not len(new):
            return
        if triangle:
            new = half[new]
        places = np.unravel_index(new, shape)
        ids = np.empty((self.rows, len(new)), np.int32)
        for row, table in enumerate(tables):
            ids[row] = table[tuple(part[row][1][place] for part, place in zip(parts, places, strict=True))]
        indices = tuple((place + a).astype(np.int32) for place, (a, _) in zip(places, bounds, strict=True))
        self._keep(operation, blocks, indices, ids, cost)

    def _tables(self, operation: Operation, parts: list[list[tuple[Ids, NDArray[np.int64]]]]) -> list[Ids]:
        """For each row the results for all combinations of its distinct arguments."""
        arguments: list[list[Ids]] = [[] for _ in parts]
        shapes = []
        for row in range(self.rows):
            distinct = [part[row][0] for part in parts]
            shapes.append(tuple(map(len, distinct)))
            grids = np.meshgrid(*distinct, indexing="ij", copy=False)
            for collected, grid in zip(arguments, grids, strict=True):
                collected.append(grid.ravel())
        results = operation.apply(self.pools, *(np.concatenate(a) for a in arguments))
        tables, start = [], 0
        for shape in shapes:
            size = int(np.prod(shape))
            tables.append(results[start : start + size].reshape(shape))
            start += size
        return tables


def splits(
    bank: Bank, arguments: Sequence[Type], total: int, ordered: bool = False
) -> Iterator[tuple[Block, ...]]:
    """The blocks whose costs sum to a total, one for each argument; `ordered`: each pair of blocks once."""
    if len(arguments) == 1:
        block = bank.blocks.get(arguments[0], {}).get(total)
        if block is not None:
            yield (block,)
        return
    for cost, block in bank.blocks.get(arguments[0], {}).items():
        if cost < total and not (ordered and 2 * cost > total):
            for rest in splits(bank, arguments[1:], total - cost):
                yield (block, *rest)


def spread(table: NDArray[Any], codes: Sequence[NDArray[np.int64]]) -> NDArray[Any]:
    """`table[codes[0][:, None, ...], codes[1][None, :, ...], ...]`: an entry for each combination of programs."""
    for axis, code in enumerate(codes):
        table = np.take(table, code, axis=axis)
    return table


def combine_hashes(hashes: Keys) -> Keys:
    """One key for each program from the hashes of its values, [R, N]."""
    if hashes.size < 1 << 16:
        key: Keys = np.add.reduce(hashes * _ROW_FACTORS[: len(hashes), None], axis=0)
        return key
    key = hashes[0] * _ROW_FACTORS[0]
    for row in range(1, len(hashes)):
        key += hashes[row] * _ROW_FACTORS[row]
    return key


def row_factors(count: int) -> Keys:
    """What the hash of each row is multiplied by, [count]."""
    return _ROW_FACTORS[:count]


def usable(ids: Ids, keep_failing: bool) -> NDArray[np.bool_]:
    """Which programs [N] are worth keeping: those with a value somewhere, or everywhere."""
    there = ids != FAIL
    alive: NDArray[np.bool_] = there.any(axis=0) if keep_failing else there.all(axis=0)
    return alive


def _chunks(sizes: Sequence[int], most: int) -> list[int]:
    """How many programs of each block to take at a time so that a box holds at most so many combinations."""
    steps = list(sizes)
    while np.prod([float(s) for s in steps]) > most:
        largest = int(np.argmax(steps))
        steps[largest] = (steps[largest] + 1) // 2
    return steps


def _product(bounds: Bounds, triangle: bool) -> Indices:
    """The positions of all combinations; of two from one block only those in order."""
    grids = np.meshgrid(*(np.arange(a, b, dtype=np.int32) for a, b in bounds), indexing="ij")
    indices = tuple(grid.ravel() for grid in grids)
    if triangle:
        kept = np.flatnonzero(indices[0] <= indices[1])
        indices = tuple(i[kept] for i in indices)
    return indices


def _boxes(sizes: Sequence[int], steps: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """The combinations of chunks."""
    ranges = [
        [(a, min(a + step, size)) for a in range(0, size, step)]
        for size, step in zip(sizes, steps, strict=True)
    ]
    for box in product(*ranges):
        yield list(box)


__all__ = ["Bank", "combine_hashes", "row_factors", "splits", "spread", "usable"]
