"""What programs of a bank do on wanted rows: which of them they answer, and where tests hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Call, If, Literal, Term
from meristem.search.enumeration._blocks import Block
from meristem.search.enumeration._cover import Leaf, Programs, Tests, Tree, best_tree, distinct
from meristem.search.enumeration._pools import Ids
from meristem.types import BOOL

BoolArray = NDArray[np.bool_]
Origin = tuple[Block, int]

_MOST = 1_500  # programs or tests told apart; a product of two such matrices takes some 50 ms


class Wanted:
    """A column of ids to be made by one program, or by a decision tree over several.

    Args:
        ids: The wanted ids [P].
        rows: Where they stand in the context [P]; None for all rows.
        groups: The example that each row belongs to, [P].
    """

    def __init__(self, ids: Ids, rows: NDArray[np.int64] | None, groups: NDArray[np.int64]) -> None:
        self.ids, self.rows, self.groups = ids, rows, groups
        self._programs: dict[bytes, tuple[int, Origin]] = {}
        self._tests: dict[bytes, tuple[int, Origin]] = {}
        self._changed = False
        self.seen: set[int] = set()

    def look(self, block: Block, values: bool = True, tests: bool = True) -> list[int]:
        """Take in a block of the wanted type or of bools; returns the programs that answer all rows."""
        answers: list[int] = []
        if values:
            answers = self._values(block)
        if tests and block.type == BOOL:
            self._tests_of(block)
        return answers

    def _columns(self, block: Block, part: slice) -> Ids:
        ids = block.ids[:, part]
        return ids if self.rows is None else ids[self.rows]

    def _values(self, block: Block) -> list[int]:
        answers: list[int] = []
        for start in range(0, len(block), 1 << 14):
            solved = (self._columns(block, slice(start, start + (1 << 14))) == self.ids[:, None]).T
            some = np.flatnonzero(solved.any(axis=1))
            if not len(some):
                continue
            solved = solved[some]
            answers += (start + some[solved.all(axis=1)]).tolist()
            for k in distinct(solved)[: 2 * _MOST].tolist():
                self._note(self._programs, solved[k], block, start + int(some[k]))
        return answers

    def _tests_of(self, block: Block) -> None:
        for start in range(0, len(block), 1 << 14):
            ids = self._columns(block, slice(start, start + (1 << 14))).T
            both = np.concatenate([ids == 1, ids == 0], axis=1)
            for k in distinct(both)[: 2 * _MOST].tolist():
                self._note(self._tests, both[k], block, start + k)

    def _note(self, table: dict[bytes, tuple[int, Origin]], row: BoolArray, block: Block, index: int) -> None:
        key = np.packbits(row).tobytes()
        if key not in table and len(table) < _MOST:
            table[key] = (block.cost, (block, index))
            self._changed = True

    def tree(self, most: float, depth: int = 3) -> tuple[Term, int, int] | None:
        """The best conditional for all rows below a cost: its term, cost and least support of a branch."""
        if not self._changed or len(self._programs) < 2 or not self._tests:
            return None
        self._changed = False
        count = len(self.ids)
        programs = Programs(
            _unpack(list(self._programs), count),
            _costs(self._programs),
            [o for _, o in self._programs.values()],
        )
        both = _unpack(list(self._tests), 2 * count)
        tests = Tests(
            both[:, :count], both[:, count:], _costs(self._tests), [o for _, o in self._tests.values()]
        )
        rows = np.ones(count, np.bool_)
        tree = best_tree(programs, tests, rows, most, depth, self.groups)
        if tree is None or isinstance(tree, Leaf):
            return None
        support = _least(tree, tests, rows, self.groups)
        return _term(tree, programs, tests), tree.cost, support

    def splits(self, most: int) -> list[tuple[BoolArray, Origin, int]]:
        """Tests that hold on some rows and fail on all others: where they hold [P], where they are, what they cost."""
        count = len(self.ids)
        if not self._tests:
            return []
        both = _unpack(list(self._tests), 2 * count)
        holds, fails = both[:, :count], both[:, count:]
        whole = (holds | fails).all(axis=1) & holds.any(axis=1) & fails.any(axis=1)
        entries = list(self._tests.values())
        chosen = sorted(np.flatnonzero(whole).tolist(), key=lambda k: entries[k][0])[:most]
        return [(holds[k], entries[k][1], entries[k][0]) for k in chosen]

    def joined(self, most: float) -> tuple[Term, int] | None:
        """For wanted bools: the best `and` or `or` of two tests below a cost."""
        if len(self._tests) < 2:
            return None
        count = len(self.ids)
        both = _unpack(list(self._tests), 2 * count)
        holds, fails = both[:, :count], both[:, count:]
        whole = (holds | fails).all(axis=1)
        costs, origins = _costs(self._tests), [o for _, o in self._tests.values()]
        wanted = self.ids == 1
        best: tuple[Term, int] | None = None
        for name, sides in (("and", holds), ("or", fails)):
            goal = wanted if name == "and" else ~wanted
            # Each of the two holds wherever it must; together they hold nowhere else.
            wide = np.flatnonzero(whole & sides[:, goal].all(axis=1))
            if len(wide) < 2:
                continue
            rest = sides[wide][:, ~goal].astype(np.float32)
            clash = (rest @ rest.T) == 0
            total = np.where(clash, costs[wide][:, None] + costs[wide][None, :] + 3, 10**6)
            a, b = np.unravel_index(int(np.argmin(total)), total.shape)
            if total[a, b] < min(most, 10**6):
                most = float(total[a, b])
                parts = [origins[int(wide[k])] for k in sorted((a, b))]
                best = Call(name, tuple(block.term(index) for block, index in parts)), int(most)
        return best


def _unpack(keys: list[bytes], count: int) -> BoolArray:
    packed = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1)
    return np.unpackbits(packed, axis=1)[:, :count].astype(np.bool_)


def _costs(table: dict[bytes, tuple[int, Origin]]) -> NDArray[np.int64]:
    return np.array([cost for cost, _ in table.values()], np.int64)


def _term(tree: Tree, programs: Programs, tests: Tests) -> Term:
    if isinstance(tree, Leaf):
        block, index = programs.origin[tree.program]
        term: Term = block.term(index)
        return term
    block, index = tests.origin[tree.test]
    then, otherwise = _term(tree.then, programs, tests), _term(tree.otherwise, programs, tests)
    test: Term = block.term(index)
    if isinstance(test, Call) and test.name in ("not",):
        return If(test.args[0], otherwise, then)
    if then == Literal(True, BOOL) and otherwise == Literal(False, BOOL):
        return test
    return If(test, then, otherwise)


def _least(tree: Tree, tests: Tests, rows: BoolArray, groups: NDArray[np.int64]) -> int:
    if isinstance(tree, Leaf):
        return len(np.unique(groups[rows]))
    return min(
        _least(tree.then, tests, rows & tests.holds[tree.test], groups),
        _least(tree.otherwise, tests, rows & tests.fails[tree.test], groups),
    )


__all__ = ["Wanted"]
