"""The search: levels of rising cost, goals met from both ends, conditionals, functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from meristem.language.terms import Call, If, Lambda, Term, Variable
from meristem.search.enumeration._bank import Bank, Block, Leaves
from meristem.search.enumeration._chain import Chain, Part
from meristem.search.enumeration._constants import constants, strings_in
from meristem.search.enumeration._cover import IF_COST, LONELY
from meristem.search.enumeration._functions import (
    INDEXED_RULES,
    RULES,
    ZIPPED_RULES,
    Application,
    Applied,
    Context,
    Rule,
    Source,
)
from meristem.search.enumeration._grammar import operations, types_at_hand
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._partial import Wanted
from meristem.search.enumeration._pools import FAIL, Ids, ListPool, Pools
from meristem.search.programs.problem import Found, Problem
from meristem.types import BOOL, INT, TEXT, Type, list_of
from meristem.values import column_from

Progress = Iterator[Found | None]

_TREES = 14  # goals that decision trees are grown for
_CHEAP = 5  # lists up to this cost are all worth applying functions to
_CASES = 24  # tests whose two sides are made as chains, a level


@dataclass(frozen=True)
class Settings:
    """What a search may do. Each switch can be turned off, to measure what it is worth.

    Args:
        most: Programs kept in the bank of the whole program.
        bodies: Programs kept in a bank of function bodies.
        rows: Rows of a context of functions: distinct (example, parameters).
        sources: Lists that functions of one kind are applied to.
        more_sources: The same, those counted that hold no items but of the first ones.
        examples: Examples that are searched with; the others check what was found.
        conditionals: Whether programs that are right on some examples are joined by tests. Adds programs only.
        inverses: Whether answers are taken apart (`concat_lists(p, ?)`, `interleave(?, p)`, `map(?, xs)`). Adds
            programs only.
        functions: Whether there are functions at all.
        merge: Whether of programs with equal outputs only the cheapest is kept. Sound: any program made of one of them
            gives what the same made of the other gives.
        levels: The highest cost.
        expansions: States of a chain of parts that are looked at, a level.
    """

    most: int = 3_000_000
    bodies: int = 120_000
    rows: int = 600
    sources: int = 24
    more_sources: int = 80
    examples: int = 16
    conditionals: bool = True
    inverses: bool = True
    functions: bool = True
    merge: bool = True
    levels: int = 60
    expansions: int = 120


@dataclass
class Goal:
    """Values to be made, and what a program becomes that makes them.

    Args:
        type: Their type.
        ids: [E].
        wrap: From a program that makes them to one that answers the task.
        cost: What the wrapping adds.
        depth: How many steps back from the answers.
    """

    type: Type
    ids: Ids
    wrap: Callable[[Term], Term]
    cost: int
    depth: int
    functions: dict[tuple[int, int, str], Wanted] = field(default_factory=dict)
    wanted: Wanted | None = None


class Search:
    """One search.

    Args:
        problem: The examples to search with.
        settings: What it may do.
        more: Types that may come up beside those of the problem.
    """

    def __init__(self, problem: Problem, settings: Settings, more: Sequence[Type] = ()) -> None:
        self.problem, self.settings = problem, settings
        self.pools = Pools()
        self.count = len(problem)
        self.output = problem.answers.type
        types = types_at_hand([*problem.types.values(), *more], self.output, strings_in(problem))
        self.types = types
        self.operations = operations(types, strings_in(problem))
        self.bank = Bank(self.pools, self.count, settings.most, settings.merge)
        self.goal_ids = self.pools[self.output].intern(problem.answers)
        self.bank.goals[self.output] = self.goal_ids
        self.goals = [Goal(self.output, self.goal_ids, lambda term: term, 0, 0)]
        self._goal_of: dict[tuple[Type, int], Goal] = {}
        self.contexts: list[tuple[Context, tuple[Rule, ...], list[Operation]]] = []
        self.wanted = self.goals[0].wanted = Wanted(self.goal_ids, None, np.arange(self.count))
        self._sides: dict[bytes, Chain] = {}
        can_join = self.output.name == "text" or self.output.name == "list"
        self.chain = Chain(self.pools, self.output, self.goal_ids) if can_join else None
        self.level = self.closed = 0
        self.best = float("inf")
        self.constants = constants(problem)
        self._names = set(problem.types)
        if settings.functions:
            self._make_contexts()

    # ----------------------------------------------------------------------------------------- the levels

    def run(self) -> Progress:
        """Search, level after level, until a level costs more than the best program found."""
        for level in range(1, self.settings.levels + 1):
            self.level = level
            self._leaves(level)
            for operation in self.operations:
                choices = list(
                    _splits(self.bank, operation.arguments, level - operation.cost, operation.commutative)
                )
                for _ in self.bank.combine(operation, choices, level):
                    yield None
                while self.bank.met:
                    made = self.bank.met.pop()
                    for index in range(len(made)):
                        yield self._found(made.term(index), level)
            if self.settings.functions:
                yield from self._apply_functions(level)
            closed = self.bank.close(level)
            self.closed = level
            for block in closed:
                yield from self._look(block)
            if self.settings.inverses:
                yield from self._chains(level)
            if self.settings.conditionals:
                yield from self._conditionals()
            if self.settings.functions:
                self._new_sources(level)
                yield from self._function_goals(level)
            yield None
            if self.best <= level + 1 and self.settings.inverses:
                return

    @property
    def tried(self) -> int:
        """How many programs were made so far, those equal to earlier ones counted."""
        return self.bank.tried + sum(context.bank.tried for context, _, _ in self.contexts)

    def _found(self, term: Term, cost: float, support: int = 1_000_000) -> Found:
        unused = len(self._names - term.free_names)
        cost = cost + 2.0 * unused
        self.best = min(self.best, cost)
        return Found(term, cost, (), support)

    def _leaves(self, level: int) -> None:
        if level == 1:
            for name, column in self.problem.inputs.items():
                ids = self.pools[column.type].intern(column)[:, None]
                self.bank.add(column.type, 1, ids, Leaves([Variable(name)], ids))
        for term, type, cost, value in self.constants:
            if cost == level:
                ids = np.repeat(self.pools[type].intern(column_from([value], type)), self.count)[:, None]
                self.bank.add(type, cost, ids, Leaves([term], ids))

    # -------------------------------------------------------------------------------------------- goals

    def _look(self, block: Block) -> Progress:
        """Meet goals with a new block."""
        if block.type == self.output:
            for index in self.wanted.look(block, tests=False)[:20]:
                yield self._found(block.term(index), block.cost)
        for goal in self.goals:
            if goal.wanted is not None and (goal.type == block.type or block.type == BOOL):
                if goal.depth == 0 and block.type == self.output:
                    continue  # seen above
                goal.wanted.look(block, values=goal.type == block.type)
        if block.type == BOOL == self.output:
            self.wanted.look(block, values=False)
        if not self.settings.inverses:
            return
        for goal in self.goals[1:]:
            if goal.type == block.type:
                for index in _matching(block, goal.ids)[:3]:
                    yield self._found(goal.wrap(block.term(index)), goal.cost + block.cost)

    def _add_goal(self, goal: Goal) -> Progress:
        """A new goal: perhaps a program that is there already meets it."""
        key = int(self.bank.key_of(goal.type, goal.ids[:, None])[0])
        known = self._goal_of.get((goal.type, key))
        if known is not None:
            if goal.cost < known.cost:  # a cheaper way to the same
                known.wrap, known.cost = goal.wrap, goal.cost
            return
        if len(self.goals) >= 400:
            return
        self._goal_of[goal.type, key] = goal
        self.goals.append(goal)
        if len(self.goals) <= _TREES:
            goal.wanted = Wanted(goal.ids, None, np.arange(self.count))
            for of in (goal.type, BOOL):
                for block in self.bank.blocks.get(of, {}).values():
                    goal.wanted.look(block, values=of == goal.type)
        table = self.bank.seen.get(goal.type)
        if table is not None and table.has(np.array([key], np.uint64))[0]:
            for block in self.bank.blocks.get(goal.type, {}).values():
                for index in _matching(block, goal.ids)[:1]:
                    yield self._found(goal.wrap(block.term(index)), goal.cost + block.cost)

    def _chains(self, level: int) -> Progress:
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
                for index in _matching(block, known)[:1]:
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

    # ---------------------------------------------------------------------------------------- functions

    def _make_contexts(self) -> None:
        x, i, y = (self._fresh(name) for name in ("x", "i", "y"))
        for type in self.types:
            if type.name != "list" or type.item.name not in ("int", "text", "list", "bool", "real"):
                continue
            item = type.item
            scalars = {INT, BOOL, item} | ({TEXT} if TEXT in self.types else set())
            inner = [op for op in self.operations if op.result in scalars or op.result == type]
            kinds: list[tuple[list[tuple[str, Type]], tuple[Rule, ...]]] = [([(x, item)], RULES)]
            if item.name != "list":
                kinds.append(([(i, INT), (x, item)], INDEXED_RULES))
                kinds.append(([(x, item), (y, item)], ZIPPED_RULES))
            for parameters, rules in kinds:
                s = self.settings
                context = Context(self.pools, self.bank, parameters, s.bodies, s.rows, s.merge)
                self.contexts.append((context, rules, inner))

    def _parameter(self, context: Context, number: int, name: str, type: Type) -> None:
        context.add_leaf(Variable(name), type, 1, lambda rows: context.parameter(number, rows))

    def _fresh(self, name: str) -> str:
        while name in self._names:
            name += "_"
        return name

    def advance(self, context: Context, inner: list[Operation], level: int) -> Iterator[None]:
        """Make all bodies up to a cost."""
        bank = context.bank
        while context.level < level:
            cost = context.level + 1
            if cost == 1:
                for number, (name, type) in enumerate(context.parameters):
                    self._parameter(context, number, name, type)
            for term, type, of, value in self.constants:
                if of == cost:
                    only = self.pools[type].intern(column_from([value], type))[0]

                    def ids(rows: slice, only: np.int32 = only) -> Ids:
                        return np.full((len(context.examples[rows]), 1), only, np.int32)

                    context.add_leaf(term, type, cost, ids)
            for type, blocks in self.bank.blocks.items():
                block = blocks.get(cost)
                if block is not None and ((type.name in ("int", "bool", "text") and cost <= 8) or cost <= 3):
                    context.add_outer(block, 60)
            for operation in inner:
                choices = list(
                    _splits(bank, operation.arguments, cost - operation.cost, operation.commutative)
                )
                for _ in bank.combine(operation, choices, cost):
                    yield None
            bank.close(cost)
            context.level = cost

    def _apply_functions(self, level: int) -> Progress:
        for context, rules, inner in self.contexts:
            if not context.sources:
                continue
            least = min(source.cost for source in context.sources)
            for _ in self.advance(context, inner, level - least - min(rule.cost for rule in rules)):
                yield None
            for source in context.sources:
                for rule in rules:
                    cost = level - rule.cost - source.cost
                    for type, blocks in context.bank.blocks.items():
                        block = blocks.get(cost)
                        if block is None:
                            continue
                        result = rule.result(context.parameters[-1][1], type)
                        if result is None or result not in self.types:
                            continue
                        step = max(64, (1 << 18) // max(1, len(source.rows)))
                        for start in range(0, len(block), step):
                            Application(rule, context, source, block, slice(start, start + step)).into(
                                self.bank, level
                            )
                            yield None

    def _new_sources(self, level: int) -> None:
        for context, _, _ in self.contexts:
            types = [list_of(type) for _, type in context.parameters]
            indexed = (
                len(types) == 2
                and context.parameters[0][1] == INT
                and context.parameters[0][0].startswith("i")
            )
            if indexed or len(types) == 1:
                block = self.bank.blocks.get(types[-1], {}).get(level)
                for index in [] if block is None else _likely_sources(block, 300):
                    if len(context.sources) >= self.settings.more_sources:
                        break
                    assert block is not None
                    # Parts and orders of lists that are sources already (what a filter keeps) take no new rows.
                    self._add_source(
                        context, (block,), (index,), indexed, len(context.sources) >= self.settings.sources
                    )
            elif level <= 8:
                for first in range(1, level):
                    a, b = (self.bank.blocks.get(types[-1], {}).get(c) for c in (first, level - first))
                    if a is None or b is None:
                        continue
                    for j in range(min(len(a), 8)):
                        for k in range(min(len(b), 8)):
                            if len(context.sources) < self.settings.sources and (a is not b or j < k):
                                self._add_source(context, (a, b), (j, k), False)

    def _add_source(
        self,
        context: Context,
        blocks: tuple[Block, ...],
        indices: tuple[int, ...],
        indexed: bool,
        known_only: bool = False,
    ) -> None:
        pool = self.pools[list_of(context.parameters[-1][1])]
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
        if indexed:
            items.insert(0, places.astype(np.int32))
        context.add_source(blocks, indices, tuple(items), offsets, failed, known_only)

    # ------------------------------------------------------------------------------------ function goals

    def _function_goals(self, level: int) -> Progress:
        """`goal = map(?, xs)` and `goal = filter(?, xs)`: the wanted results of the function are known."""
        if not self.settings.inverses:
            return
        for context, rules, _ in self.contexts:
            names = [rule.name for rule in rules]
            item = context.parameters[-1][1]
            for number, source in enumerate(context.sources):
                for goal in self.goals[:12]:
                    if goal.type.name != "list":
                        continue
                    for name in names:
                        if name in ("map", "map_indexed", "zip_with") and goal.type.item in (
                            INT,
                            TEXT,
                            BOOL,
                            item,
                        ):
                            make = self._wanted_map
                        elif name in ("filter", "filter_indexed") and goal.type.item == item:
                            make = self._wanted_filter
                        else:
                            continue
                        key = (id(context), number, name)
                        if key not in goal.functions:
                            made = make(goal, source)
                            goal.functions[key] = made if made is not None else _NOTHING
                        wanted = goal.functions[key]
                        if wanted is not _NOTHING:
                            yield from self._meet(goal, context, source, name, wanted)
                            yield None

    def _wanted_map(self, goal: Goal, source: Source) -> Wanted | None:
        pool = self.pools[goal.type]
        assert isinstance(pool, ListPool)
        lengths = np.diff(source.offsets)
        if source.failed.any() or not (pool.lengths(goal.ids) == lengths).all() or not lengths.any():
            return None
        children, _ = pool.runs(goal.ids)
        return Wanted(children, source.rows, np.repeat(np.arange(len(lengths)), lengths))

    def _wanted_filter(self, goal: Goal, source: Source) -> Wanted | None:
        pool = self.pools[goal.type]
        assert isinstance(pool, ListPool)
        lengths = np.diff(source.offsets)
        sizes = pool.lengths(goal.ids)
        if source.failed.any() or (sizes > lengths).any() or (sizes == lengths).all():
            return None
        kept = np.zeros(int(source.offsets[-1]), np.int32)
        for e, goal_id in enumerate(goal.ids.tolist()):
            items = source.items[-1][source.offsets[e] : source.offsets[e + 1]].tolist()
            children = pool.runs(np.array([goal_id], np.int32))[0].tolist()
            mask = _subsequence(items, children, by_value=len(source.items) == 1)
            if mask is None:
                return None
            kept[source.offsets[e] : source.offsets[e + 1]] = mask
        return Wanted(kept, source.rows, np.repeat(np.arange(len(lengths)), lengths))

    def _meet(self, goal: Goal, context: Context, source: Source, name: str, wanted: Wanted) -> Progress:
        filters = name.startswith("filter")
        type = BOOL if filters else goal.type.item
        base = goal.cost + source.cost + (2 if name in ("map", "filter") else 3)
        lists = source.terms()
        names = tuple(n for n, _ in context.parameters)

        def program(body: Term) -> Term:
            return goal.wrap(Call(name, (Lambda(names, body), *lists)))

        for of, blocks in context.bank.blocks.items():
            for cost, block in blocks.items():
                # A block that gets new rows is another block for this purpose; that is rare, and looking twice is safe.
                mark = id(block)
                if of not in (type, BOOL) or mark in wanted.seen:
                    continue
                wanted.seen.add(mark)
                for index in wanted.look(block, values=of == type, tests=of == BOOL)[:5]:
                    yield self._found(program(block.term(index)), base + cost)
        if self.settings.conditionals:
            if filters:
                joined = wanted.joined(self.best - base)
                if joined is not None:
                    yield self._found(program(joined[0]), base + joined[1])
            else:
                tree = wanted.tree(self.best - base)
                if tree is not None:
                    yield self._found(program(tree[0]), base + tree[1], tree[2])


_NOTHING = Wanted(np.empty(0, np.int32), None, np.empty(0, np.int64))


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


def _splits(
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
            for rest in _splits(bank, arguments[1:], total - cost):
                yield (block, *rest)


def _matching(block: Block, ids: Ids) -> list[int]:
    """The programs of a block with these ids [E]."""
    left = np.flatnonzero(block.ids[0] == ids[0])
    for row in range(1, len(ids)):
        if not len(left):
            break
        left = left[block.ids[row, left] == ids[row]]
    found: list[int] = left.tolist()
    return found


def _subsequence(items: list[int], wanted: list[int], by_value: bool) -> list[bool] | None:
    """Which items are kept so that `wanted` is left; None where there is no way, or it is not plain."""
    if by_value:
        inside = set(wanted)
        mask = [item in inside for item in items]
        return mask if [item for item in items if item in inside] == wanted else None
    if len(set(items)) < len(items):  # which of two equal ones was kept cannot be seen
        kept, k = [], 0
        for item in items:
            match = k < len(wanted) and wanted[k] == item
            kept.append(match)
            k += match
        return kept if k == len(wanted) and _same_backwards(items, wanted, kept) else None
    kept, k = [], 0
    for item in items:
        match = k < len(wanted) and wanted[k] == item
        kept.append(match)
        k += match
    return kept if k == len(wanted) else None


def _same_backwards(items: list[int], wanted: list[int], kept: list[bool]) -> bool:
    other, k = [], len(wanted) - 1
    for item in reversed(items):
        match = k >= 0 and wanted[k] == item
        other.append(match)
        k -= match
    return kept == other[::-1]


def _empty(pool: ListPool) -> np.int32:
    return np.int32(pool.intern_runs(np.empty(0, np.int32), np.array([0, 0]))[0])


__all__ = ["Goal", "Search", "Settings"]
