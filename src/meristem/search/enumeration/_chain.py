"""Answers that are put together end to end: texts and lists as a chain of parts, each made by one program.

A state says how much of each answer is made. A program takes every answer a step on if what it gives stands there in
each of them. The cheapest chain is a shortest path, looked for by A* (what is left is only estimated, so it need not be
the very cheapest); so `a + " " + b + "." + c` costs as much search as its
parts do, where bottom-up enumeration would have to come to their whole cost.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Call, ListOf, Term
from meristem.search.enumeration._bank import Bank
from meristem.search.enumeration._blocks import Block
from meristem.search.enumeration._pools import Ids, ListPool, Pools, TextPool
from meristem.types import Type

State = tuple[int, ...]
Part = tuple[Block, int, bool]
"""A block, the position in it, and whether the program gives one item of a list rather than a list."""

JOIN_COST = 2
_EDGES = 40  # of a state; the cheapest
_ENDINGS = 4  # ends of all answers that are looked behind, a block
_STEP_LEFT = 0.15  # what a character or item that is still to be made is taken to cost, in A*


@dataclass
class Chain:
    """The search for chains that make certain answers.

    Args:
        pools: Where values are kept.
        type: Of the answers: text or a list.
        ids: The answers [E] of the examples that count.
        rows: Which examples those are, [E]; all of the bank's where None.
        alone: Whether one program that makes all answers is a chain, too.
    """

    pools: Pools
    type: Type
    ids: Ids
    rows: NDArray[np.int64] | None = None
    alone: bool = False
    _answers: list[Any] = field(default_factory=list)
    _tails: dict[tuple[int, int], tuple[int, dict[int, int]]] = field(default_factory=dict)
    _sorted: dict[int, tuple[Ids, NDArray[np.int64]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pool = self.pools[self.type]
        for goal in self.ids.tolist():
            if isinstance(pool, TextPool):
                self._answers.append(pool.strings[goal])
            else:
                assert isinstance(pool, ListPool)
                self._answers.append(pool.runs(np.array([goal], np.int32))[0])
        self.lengths = tuple(map(len, self._answers))
        self._rows = np.arange(len(self.ids)) if self.rows is None else self.rows
        self.nearest: list[tuple[State, int, list[Part]]] = []

    def search(self, bank: Bank, expansions: int, most: float) -> Iterator[tuple[Term, int] | None]:
        """The cheapest chain that costs less than `most`, as a term with its cost.

        Sets `nearest`: states on the way, with their cost and parts, those with least left to make first.
        """
        blocks = sorted(bank.blocks.get(self.type, {}).values(), key=lambda b: b.cost)
        items = []
        if self.type.name == "list":
            items = sorted(bank.blocks.get(self.type.item, {}).values(), key=lambda b: b.cost)
        start = (0,) * len(self.lengths)
        self.nearest = []
        if start == self.lengths:  # nothing is to be made: one program that makes nothing, or none
            found = next(((b, k) for b in blocks for k in b.positions(self.ids, self._rows)[:1]), None)
            if self.alone and found is not None:
                yield found[0].term(found[1]), found[0].cost
            return
        heap: list[tuple[float, int, int, State]] = [(self._left(start), 0, 0, start)]
        best: dict[State, int] = {start: 0}
        came: dict[State, tuple[State, Part]] = {}
        count = 0
        done: set[State] = set()
        while heap and expansions > 0:
            estimate, _, cost, state = heapq.heappop(heap)
            if state in done or estimate - JOIN_COST >= most:
                continue
            done.add(state)
            parts: list[Part] = []
            back = state
            while back != start:
                back, part = came[back]
                parts.insert(0, part)
            if state == self.lengths:
                if len(parts) > 1 or self.alone:
                    yield self._term(parts), cost - JOIN_COST
                break
            if parts:
                self.nearest.append((state, cost, parts))
            expansions -= 1
            if expansions % 8 == 0:
                yield None
            for part, following in self._edges(state, blocks, items):
                total = cost + part[0].cost + part[2] + JOIN_COST
                if following not in best or total < best[following]:
                    if state == start and following == self.lengths and not self.alone:
                        continue  # that is one program, not a chain
                    best[following] = total
                    came[following] = (state, part)
                    count += 1
                    heapq.heappush(heap, (total + self._left(following), count, total, following))
        self.nearest.sort(key=lambda near: near[1] + 4 * self._left(near[0]))

    def remainders(self, most: int) -> list[tuple[Ids, list[Part], int]]:
        """What is left of the answers after some parts: ids [E], the parts, and what they cost with the joining."""
        pool = self.pools[self.type]
        found = []
        for state, cost, parts in self.nearest[:most]:
            tails = [a[k:] for a, k in zip(self._answers, state, strict=True)]
            if isinstance(pool, TextPool):
                ids = np.array([pool.id_of(tail) for tail in tails], np.int32)
            else:
                assert isinstance(pool, ListPool)
                offsets = np.concatenate([[0], np.cumsum([len(t) for t in tails])])
                ids = pool.intern_runs(np.concatenate(tails), offsets)
            found.append((ids, parts, cost))
        return found

    def endings(self, block: Block) -> Iterator[tuple[int, Ids]]:
        """Programs of a block that all answers end with: which, and what stands before, ids [E]; a few at most."""
        heads = [self._heads(answer) for answer in self._answers]
        left = np.arange(len(block))
        for row, head in zip(self._rows.tolist(), heads, strict=True):
            left = left[np.isin(block.ids[row, left], np.fromiter(head, np.int32, len(head)))]
        for index in left[:_ENDINGS].tolist():
            own = block.ids[self._rows, index].tolist()
            yield index, np.array([head[value] for head, value in zip(heads, own, strict=True)], np.int32)

    def _heads(self, answer: Any) -> dict[int, int]:
        """For each end of an answer that is known, by its id, the id of what stands before it."""
        pool = self.pools[self.type]
        if isinstance(pool, TextPool):
            ends = {k: pool.known(answer[k:]) for k in range(1, len(answer))}
            return {end: pool.id_of(answer[:k]) for k, end in ends.items() if end is not None}
        assert isinstance(pool, ListPool)
        found = {}
        for k in range(1, len(answer)):
            end = int(pool.known_prefixes(answer[k:])[-1])
            if end >= 0:
                found[end] = int(pool.intern_runs(answer[:k], np.array([0, k]))[0])
        return found

    def before(self, parts: list[Part], rest: Term) -> Term:
        """Parts and then the rest, end to end."""
        for part in reversed(parts):
            rest = self.join(self.part_term(part), rest)
        return rest

    def part_term(self, part: Part) -> Term:
        """The term of a part, a text or list."""
        block, index, item = part
        return ListOf((block.term(index),)) if item else block.term(index)

    def join(self, first: Term, rest: Term) -> Term:
        """Two parts end to end."""
        if isinstance(first, ListOf) and isinstance(rest, ListOf):
            return ListOf((*first.items, *rest.items))
        if isinstance(first, ListOf) and len(first.items) == 1:
            return Call("prepend", (first.items[0], rest))
        if isinstance(rest, ListOf) and len(rest.items) == 1:
            return Call("append", (first, rest.items[0]))
        return Call("concat_text" if self.type.name == "text" else "concat_lists", (first, rest))

    def _left(self, state: State) -> float:
        return _STEP_LEFT * sum(n - k for n, k in zip(self.lengths, state, strict=True)) / len(state)

    def _term(self, parts: list[Part]) -> Term:
        return self.before(parts[:-1], self.part_term(parts[-1]))

    def _edges(self, state: State, blocks: list[Block], items: list[Block]) -> list[tuple[Part, State]]:
        found: dict[State, Part] = {}
        tails = [self._tail(e, k) for e, k in enumerate(state)]
        for block in blocks:
            for index, following in self._fitting(block, tails):
                if following != state and following not in found:
                    found[following] = (block, index, False)
        if items and all(k < n for k, n in zip(state, self.lengths, strict=True)):
            wanted = np.array([a[k] for a, k in zip(self._answers, state, strict=True)], np.int32)
            following = tuple(k + 1 for k in state)
            for block in items:
                if following in found and found[following][0].cost <= block.cost:
                    break
                equal = block.positions(wanted, self._rows)
                if equal:
                    found[following] = (block, equal[0], True)
                    break
        edges = [(part, following) for following, part in found.items()]
        edges.sort(key=lambda edge: edge[0][0].cost)
        return edges[:_EDGES]

    def _fitting(self, block: Block, tails: list[dict[int, int]]) -> Iterator[tuple[int, State]]:
        order = self._sorted.get(id(block))
        if order is None:
            first = block.ids[self._rows[0]]
            by_first = np.argsort(first, kind="stable")
            order = self._sorted[id(block)] = (first[by_first], by_first)
        values, positions = order
        wanted = np.fromiter(tails[0], np.int32, len(tails[0]))
        starts, stops = np.searchsorted(values, wanted), np.searchsorted(values, wanted, "right")
        chosen = [positions[a:b] for a, b in zip(starts.tolist(), stops.tolist(), strict=True) if b > a]
        if not chosen:
            return
        left = np.sort(np.concatenate(chosen))
        for row in range(1, len(tails)):
            ids = block.ids[self._rows[row], left]
            left = left[np.isin(ids, np.fromiter(tails[row], np.int32, len(tails[row])))]
            if not len(left):
                return
        for index in left[:400].tolist():
            ids = block.ids[self._rows, index].tolist()
            yield index, tuple(tail[value] for value, tail in zip(ids, tails, strict=True))

    def _tail(self, example: int, begin: int) -> dict[int, int]:
        """What may stand in an answer from a position on: the id of each value known so far, and where it ends."""
        pool = self.pools[self.type]
        size = len(pool)  # type: ignore[arg-type]
        known = self._tails.get((example, begin))
        if known is not None and known[0] == size:
            return known[1]
        answer = self._answers[example]
        found: dict[int, int] = {}
        if isinstance(pool, TextPool):
            for end in range(begin, len(answer) + 1):
                number = pool.known(answer[begin:end])
                if number is not None:
                    found[number] = end
        else:
            assert isinstance(pool, ListPool)
            for length, number in enumerate(pool.known_prefixes(answer[begin:]).tolist()):
                if number >= 0:
                    found[number] = begin + length
        self._tails[example, begin] = (size, found)
        return found


__all__ = ["JOIN_COST", "Chain", "Part"]
