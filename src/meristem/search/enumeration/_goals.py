"""Functions from their results: `goal = map(?, xs)` and `goal = filter(?, xs)` say what the function must give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from meristem.language.terms import Call, Lambda, Term
from meristem.search.enumeration._bodies import Bodies
from meristem.search.enumeration._functions import Context, Kept, Map, Rule, Source
from meristem.search.enumeration._partial import Wanted
from meristem.search.enumeration._pools import Ids, ListPool, Pools
from meristem.types import BOOL, INT, TEXT, Type

Answer = tuple[Term, float, int]
"""A program, its cost, and the fewest examples that a branch of it rests on."""
MANY = 1_000_000
"""What a program without branches rests on."""

_GOALS = 12  # goals that functions are looked for


@dataclass
class Goal:
    """Values to be made, and what a program becomes that makes them.

    Args:
        type: Their type.
        ids: [E].
        wrap: From a program that makes them to one that answers the task.
        cost: What the wrapping adds.
        depth: How many steps back from the answers.

    Attributes:
        wanted: What decision trees for it are made of, if any are grown.
        functions: What a function must give so that it makes the values of a source, by the source and the rule; None
            where none can.
    """

    type: Type
    ids: Ids
    wrap: Callable[[Term], Term]
    cost: int
    depth: int
    wanted: Wanted | None = None
    functions: dict[tuple[int, int, str], Wanted | None] = field(default_factory=dict)


def meet(
    goals: list[Goal], bodies: Bodies, level: int, best: Callable[[], float], conditionals: bool
) -> Iterator[Answer | None]:
    """Look for functions that make goals from lists; yields None now and then.

    Args:
        goals: The goals.
        bodies: The functions.
        level: The cost up to which whole programs are there.
        best: What a program must cost less than.
        conditionals: Whether bodies may be put together of several by tests.
    """
    for context, rules, inner in bodies.contexts:
        ahead = False
        for number, source in enumerate(context.sources):
            for goal in goals[:_GOALS]:
                for rule in rules:
                    if not _can_give(rule, goal.type, context):
                        continue
                    key = (id(context), number, rule.name)
                    if key not in goal.functions:
                        goal.functions[key] = wanted_of(rule, goal, source, bodies.pools)
                    wanted = goal.functions[key]
                    if wanted is not None:
                        if not ahead:
                            ahead = True
                            # What a function must give is known, so it costs little to look at longer ones than those
                            # that are applied to lists at this level.
                            reach = level + bodies.settings.ahead - source.cost - rule.cost
                            for _ in bodies.advance(context, inner, reach, bodies.settings.bodies // 40):
                                yield None
                        yield from _meet(goal, context, source, rule, wanted, best, conditionals)
                        yield None


def _can_give(rule: Rule, type: Type, context: Context) -> bool:
    if type.name != "list":
        return False
    if isinstance(rule, Map):
        return type.item in (INT, TEXT, BOOL, context.item)
    return isinstance(rule, Kept) and rule.each and type.item == context.item


def wanted_of(rule: Rule, goal: Goal, source: Source, pools: Pools) -> Wanted | None:
    """What a function must give on the items of a source so that the rule makes the goal; None where none can."""
    pool = pools[goal.type]
    assert isinstance(pool, ListPool)
    lengths = np.diff(source.offsets)
    sizes = pool.lengths(goal.ids)
    groups = np.repeat(np.arange(len(lengths)), lengths)
    if source.failed.any():
        return None
    if isinstance(rule, Map):
        if not (sizes == lengths).all() or not lengths.any():
            return None
        return Wanted(pool.runs(goal.ids)[0], source.rows, groups)
    if (sizes > lengths).any() or (sizes == lengths).all():
        return None
    kept = np.zeros(int(source.offsets[-1]), np.int32)
    for e, goal_id in enumerate(goal.ids.tolist()):
        segment = slice(int(source.offsets[e]), int(source.offsets[e + 1]))
        children = pool.runs(np.array([goal_id], np.int32))[0].tolist()
        mask = subsequence(source.items[-1][segment].tolist(), children, by_value=len(source.items) == 1)
        if mask is None:
            return None
        kept[segment] = mask
    return Wanted(kept, source.rows, groups)


def _meet(
    goal: Goal,
    context: Context,
    source: Source,
    rule: Rule,
    wanted: Wanted,
    best: Callable[[], float],
    conditionals: bool,
) -> Iterator[Answer]:
    filters = isinstance(rule, Kept)
    type = BOOL if filters else goal.type.item
    base = goal.cost + source.cost + rule.cost
    lists = source.terms()
    names = tuple(name for name, _ in context.parameters)

    def program(body: Term) -> Term:
        return goal.wrap(Call(rule.name, (Lambda(names, body), *lists)))

    for of, blocks in context.bank.blocks.items():
        if of not in (type, BOOL):
            continue
        for cost, block in blocks.items():
            if id(block) in wanted.seen:
                continue
            wanted.seen.add(id(block))
            for index in wanted.look(block, values=of == type, tests=of == BOOL)[:5]:
                yield program(block.term(index)), base + cost, MANY
    if not conditionals:
        return
    if filters:
        joined = wanted.joined(best() - base)
        if joined is not None:
            yield program(joined[0]), base + joined[1], MANY
    else:
        tree = wanted.tree(best() - base)
        if tree is not None:
            yield program(tree[0]), base + tree[1], tree[2]


def subsequence(items: list[int], wanted: list[int], by_value: bool) -> list[bool] | None:
    """Which items are kept so that `wanted` is left; None where there is no way, or more than one.

    Args:
        items: What there is.
        wanted: What is left of it.
        by_value: Whether equal items are kept or dropped together.
    """
    if by_value:
        inside = set(wanted)
        mask = [item in inside for item in items]
        return mask if [item for item in items if item in inside] == wanted else None
    forward = _greedy(items, wanted)
    backward = _greedy(items[::-1], wanted[::-1])
    # From the front each is taken as early as can be, from the back as late: where both agree, there is one way.
    return forward if forward is not None and backward is not None and forward == backward[::-1] else None


def _greedy(items: list[int], wanted: list[int]) -> list[bool] | None:
    kept: list[bool] = []
    k = 0
    for item in items:
        kept.append(k < len(wanted) and wanted[k] == item)
        k += kept[-1]
    return kept if k == len(wanted) else None


__all__ = ["MANY", "Answer", "Goal", "meet", "subsequence", "wanted_of"]
