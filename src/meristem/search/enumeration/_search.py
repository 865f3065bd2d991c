"""The search: levels of rising cost, goals met from both ends, conditionals, functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from meristem.language.terms import Call, If, Term, Variable
from meristem.search.enumeration._bank import Bank, splits
from meristem.search.enumeration._blocks import Block, Leaves
from meristem.search.enumeration._bodies import Bodies
from meristem.search.enumeration._chain import JOIN_COST, Chain, Part
from meristem.search.enumeration._cover import IF_COST, LONELY
from meristem.search.enumeration._edits import edited, nearly
from meristem.search.enumeration._goals import MANY, Goal, meet
from meristem.search.enumeration._grammar import Material, material_of
from meristem.search.enumeration._partial import Wanted
from meristem.search.enumeration._pools import ListPool, Pools, TextPool
from meristem.search.enumeration._settings import Settings
from meristem.search.programs.problem import Found, Problem
from meristem.types import BOOL, TEXT, Type
from meristem.values import column_from

Progress = Iterator[Found | None]

_TREES = 14  # goals that decision trees are grown for
_GOALS = 400  # goals in all
_ENDS = 6  # cost up to which a program may be the end of all answers, with a goal for what stands before
_CASES = 24  # tests whose two sides are made as chains, a level


class Search:
    """One search.

    Args:
        problem: The examples to search with.
        settings: What it may do.
        material: What programs are made of; what the vocabulary has for the problem where None.
    """

    def __init__(self, problem: Problem, settings: Settings, material: Material | None = None) -> None:
        self.problem, self.settings = problem, settings
        self.pools = Pools()
        self.count = len(problem)
        self.output = problem.answers.type
        self.material = material_of(problem) if material is None else material
        self.bank = Bank(self.pools, self.count, settings.most, settings.merge)
        self.goal_ids = self.pools[self.output].intern(problem.answers)
        self.bank.goals[self.output] = self.goal_ids
        self.wanted = Wanted(self.goal_ids, None, np.arange(self.count))
        self.goals = [Goal(self.output, self.goal_ids, lambda term: term, 0, 0, self.wanted)]
        self._goal_of: dict[tuple[Type, int], Goal] = {}
        self._sides: dict[bytes, Chain] = {}
        can_join = self.output.name in ("text", "list")
        self.chain = Chain(self.pools, self.output, self.goal_ids) if can_join else None
        self.level = self.closed = 0
        self.best = float("inf")
        self._names = set(problem.types)
        self.bodies: Bodies | None = None
        if settings.functions:
            self.bodies = Bodies(self.pools, self.bank, self.material, self._names, settings)

    # ----------------------------------------------------------------------------------------- the levels

    def run(self) -> Progress:
        """Search, level after level, until a level costs more than the best program found."""
        for level in range(1, self.settings.levels + 1):
            self.level = level
            self._leaves(level)
            for operation in self.material.operations:
                choices = list(
                    splits(self.bank, operation.arguments, level - operation.cost, operation.commutative)
                )
                for _ in self.bank.combine(operation, choices, level):
                    yield None
                yield from self._met(level)
            if self.bodies is not None:
                for _ in self.bodies.apply(level):
                    yield None
            closed = self.bank.close(level)
            self.closed = level
            for block in closed:
                yield from self._look(block)
            if self.settings.inverses:
                yield from self._chains()
            if self.settings.conditionals:
                yield from self._conditionals()
            if self.bodies is not None:
                self.bodies.add_sources(level)
                if self.settings.inverses:
                    yield from self._functions(self.bodies)
            yield None
            if self.best <= level + 1 and self.settings.inverses:
                return

    @property
    def tried(self) -> int:
        """How many programs were made so far, those equal to earlier ones counted."""
        return self.bank.tried + (0 if self.bodies is None else self.bodies.tried)

    def _found(self, term: Term, cost: float, support: int = MANY) -> Found:
        unused = len(self._names - term.free_names)
        cost = cost + 2.0 * unused
        self.best = min(self.best, cost)
        return Found(term, cost, (), support)

    def _leaves(self, level: int) -> None:
        if level == 1:
            for name, column in self.problem.inputs.items():
                ids = self.pools[column.type].intern(column)[:, None]
                self.bank.add(column.type, 1, ids, Leaves([Variable(name)], ids))
        for term, type, cost, value in self.material.constants:
            if cost == level:
                ids = np.repeat(self.pools[type].intern(column_from([value], type)), self.count)[:, None]
                self.bank.add(type, cost, ids, Leaves([term], ids))

    def _met(self, cost: int) -> Progress:
        while self.bank.met:
            made = self.bank.met.pop()
            for index in range(len(made)):
                yield self._found(made.term(index), cost)

    # -------------------------------------------------------------------------------------------- goals

    def _look(self, block: Block) -> Progress:
        """Meet goals with a new block."""
        for goal in self.goals:
            if goal.wanted is not None and block.type in (goal.type, BOOL):
                answers = goal.wanted.look(block, values=block.type == goal.type)
                for index in answers[:20] if goal.depth == 0 else ():
                    yield self._found(block.term(index), block.cost)
        if not self.settings.inverses:
            return
        for goal in self.goals[1:]:
            if goal.type == block.type:
                for index in block.positions(goal.ids)[:3]:
                    yield self._found(goal.wrap(block.term(index)), goal.cost + block.cost)
        for goal in self.goals[:_TREES]:
            if goal.type == block.type == TEXT:
                yield from self._edited(goal, block)
        if block.type == self.output and self.chain is not None and block.cost <= _ENDS:
            yield from self._endings(self.chain, block)

    def _edited(self, goal: Goal, block: Block) -> Progress:
        """Texts that are right but for a few words."""
        pool = self.pools[TEXT]
        assert isinstance(pool, TextPool)
        for index in nearly(block, goal.ids):
            found = edited(block, index, goal.ids, pool)
            if found is not None and goal.cost + found[1] < self.best:
                yield self._found(goal.wrap(found[0]), goal.cost + found[1], found[2])
        yield None

    def _endings(self, chain: Chain, block: Block) -> Progress:
        """What stands before an ending that all answers share is a goal of its own."""
        for index, ids in chain.endings(block):
            part = block.term(index)

            def wrap(term: Term, part: Term = part) -> Term:
                return chain.join(term, part)

            yield from self._add_goal(Goal(self.output, ids, wrap, block.cost + JOIN_COST, 1))

    def _add_goal(self, goal: Goal) -> Progress:
        """A new goal: perhaps a program that is there already meets it."""
        key = int(self.bank.key_of(goal.type, goal.ids[:, None])[0])
        known = self._goal_of.get((goal.type, key))
        if known is not None:
            if goal.cost < known.cost:  # a cheaper way to the same
                known.wrap, known.cost = goal.wrap, goal.cost
            return
        if len(self.goals) >= _GOALS:
            return
        self._goal_of[goal.type, key] = goal
        self.goals.append(goal)
        if len(self.goals) <= _TREES:
            goal.wanted = Wanted(goal.ids, None, np.arange(self.count))
            for of in (goal.type, BOOL):
                for block in self.bank.blocks.get(of, {}).values():
                    goal.wanted.look(block, values=of == goal.type)
            if goal.type == TEXT:
                for block in self.bank.blocks.get(TEXT, {}).values():
                    yield from self._edited(goal, block)
        table = self.bank.seen.get(goal.type)
        if table is not None and table.has(np.array([key], np.uint64))[0]:
            for block in self.bank.blocks.get(goal.type, {}).values():
                for index in block.positions(goal.ids)[:1]:
                    yield self._found(goal.wrap(block.term(index)), goal.cost + block.cost)

    def _chains(self) -> Progress:
        """Answers made of parts end to end; what is left after a cheap first part is a goal of its own."""
        if self.chain is None:
            return
        for found in self.chain.search(self.bank, self.settings.expansions, self.best):
            yield None if found is None else self._found(*found)
        yield from self._interleaved()
        chain = self.chain
        for ids, parts, cost in chain.remainders(12):

            def wrap(term: Term, parts: list[Part] = parts) -> Term:
                return chain.before(parts, term)

            yield from self._add_goal(Goal(self.output, ids, wrap, cost, 1))

    def _interleaved(self) -> Progress:
        """`goal = interleave(p, ?)` and `goal = interleave(?, p)`."""
        pool = self.pools[self.output]
        if not isinstance(pool, ListPool) or (pool.lengths(self.goal_ids) % 2).any():
            return
        children, offsets = pool.runs(self.goal_ids)
        even = (
            np.arange(len(children)) % 2 == 0
        )  # each list begins at an even place, since all lengths are even
        halves = [pool.intern_runs(children[side], offsets // 2) for side in (even, ~even)]
        for first, known, left in ((True, halves[0], halves[1]), (False, halves[1], halves[0])):
            for block in self.bank.blocks.get(self.output, {}).values():
                for index in block.positions(known)[:1]:
                    part = block.term(index)

                    def wrap(term: Term, part: Term = part, first: bool = first) -> Term:
                        return Call("interleave", (part, term) if first else (term, part))

                    yield from self._add_goal(Goal(self.output, left, wrap, block.cost + 4, 1))

    def _conditionals(self) -> Progress:
        for goal in self.goals[:_TREES]:
            found = None if goal.wanted is None else goal.wanted.tree(self.best - goal.cost)
            if found is not None:
                term, cost, support = found
                yield self._found(goal.wrap(term), goal.cost + cost, support)
        if self.chain is not None and self.count > 1 and self.best > 1.5 * self.level:
            yield from self._chains_by_case()

    def _chains_by_case(self) -> Progress:
        """`if test then chain else chain`: of the tests, those with the best split of the examples are tried."""
        costs: dict[bytes, tuple[Term, int] | None] = {}
        for holds, (block, index), cost in self.wanted.splits(_CASES):
            sides: list[tuple[Term, int]] = []
            total = cost + IF_COST
            for mask in (holds, ~holds):
                key = mask.tobytes()
                if key not in costs:
                    if key not in self._sides:
                        rows = np.flatnonzero(mask)
                        self._sides[key] = Chain(
                            self.pools, self.output, self.goal_ids[rows], rows, alone=True
                        )
                    costs[key] = next(
                        (found for found in self._sides[key].search(self.bank, 30, self.best) if found), None
                    )
                    yield None
                side = costs[key]
                if side is None:
                    break
                sides.append(side)
                total += side[1] + (LONELY if mask.sum() < 2 else 0)
            if len(sides) == 2 and total < self.best:
                term = If(block.term(index), sides[0][0], sides[1][0])
                yield self._found(term, total, int(min(holds.sum(), (~holds).sum())))

    def _functions(self, bodies: Bodies) -> Progress:
        for answer in meet(self.goals, bodies, self.level, lambda: self.best, self.settings.conditionals):
            yield None if answer is None else self._found(*answer)


__all__ = ["Search"]
