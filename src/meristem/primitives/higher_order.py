"""Functions that take functions. Over columns each runs its function once for the items of all rows (`map`,
`filter`), or once a step for the rows still active (`fold`, `while`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from meristem.errors import EvaluationError, Reason
from meristem.language.closures import Closure
from meristem.language.failures import failing
from meristem.language.frames import Frame
from meristem.language.narrow import is_narrow, row_by_row
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import IntArray, identify, ranks, slices
from meristem.primitives._loops import Parts, living
from meristem.types import list_of
from meristem.values import (
    Column,
    Lists,
    Maps,
    Options,
    Pairs,
    Scalars,
    concatenate,
    filler,
    offsets_from,
)

Function = Callable[..., Any]


@primitive("(a) -> b, list[a] -> list[b]", name="map", examples=[(("x => x + 1", [1, 2]), [2, 3])])
def map_(function: Function, items: list[Any]) -> list[Any]:
    """What a function gives for each item."""
    return [function(item) for item in items]


@map_.columnar
def _(frame: Frame, function: Closure, items: Lists) -> Column:
    return Lists(items.offsets, function.call(frame, items.parents, items.items))


@primitive("(a) -> bool, list[a] -> list[a]", name="filter", examples=[(("x => x > 1", [1, 2]), [2])])
def filter_(test: Function, items: list[Any]) -> list[Any]:
    """The items for which a function gives true."""
    return [item for item in items if test(item)]


@filter_.columnar
def _(frame: Frame, test: Closure, items: Lists) -> Column:
    parents = items.parents
    kept = np.flatnonzero(_truth(test.call(frame, parents, items.items)))
    offsets = offsets_from(np.bincount(parents[kept], minlength=len(items)))
    return Lists(offsets, items.items.take(kept))


def _truth(column: Column) -> Any:
    assert isinstance(column, Scalars)
    return column.data


@primitive(
    "(b, a) -> b, b, list[a] -> b",
    examples=[(("(total, x) => total * 10 + x", 0, [1, 2, 3]), 123), (("(x, y) => maximum(x, y)", 5, []), 5)],
)
def fold(function: Function, start: Any, items: list[Any]) -> Any:
    """Goes through a list from left to right with one value, which a function makes from itself and the next item."""
    state = start
    for item in items:
        state = function(state, item)
    return state


@fold.columnar
def _(frame: Frame, function: Closure, start: Column, items: Lists) -> Column:
    return _go_through(frame, function, start, items, fold.function, every=False)


@primitive(
    "(b, a) -> b, b, list[a] -> list[b]", examples=[(("(total, x) => total + x", 0, [1, 2, 3]), [1, 3, 6])]
)
def scan(function: Function, start: Any, items: list[Any]) -> list[Any]:
    """As `fold`, but gives the value after each item."""
    state, states = start, []
    for item in items:
        state = function(state, item)
        states.append(state)
    return states


@scan.columnar
def _(frame: Frame, function: Closure, start: Column, items: Lists) -> Column:
    column = _go_through(frame, function, start, items, scan.function, every=True)
    return Lists(items.offsets, column)


def _go_through(
    frame: Frame, function: Closure, start: Column, items: Lists, plain: Function, every: bool
) -> Column:
    """The last state of each list [N], or with `every` the state after each item [number of items]."""
    result_type = function.node.children[0].type
    order = np.argsort(-items.lengths, kind="stable")  # longest first: the active rows come first
    waiting = items.lengths[order]
    parts = Parts(result_type, len(items.items) if every else frame.count)
    state, step = start.take(order), 0
    while len(order):
        kept = living(frame, order)
        if kept is not None:
            order, waiting, state = order[kept], waiting[kept], state.take(kept)
        active = int(np.searchsorted(-waiting, -step, side="left"))  # lists longer than `step`
        if active < len(order):
            if not every:
                parts.add(order[active:], state.take(np.arange(active, len(order))))
            order, waiting, state = order[:active], waiting[:active], state.take(np.arange(active))
        if not len(order):
            break
        if is_narrow(len(order), function):
            _finish_narrow(frame, function, order, state, items, step, plain, every, parts)
            break
        places = items.offsets[order] + step
        state = function.call(frame, order, state, items.items.take(places), distinct=True)
        if every:
            parts.add(places, state)
        step += 1
    return parts.column()


def _finish_narrow(
    frame: Frame,
    function: Closure,
    order: IntArray,
    state: Column,
    items: Lists,
    step: int,
    plain: Function,
    every: bool,
    parts: Parts,
) -> None:
    """The rest of `_go_through` for a few rows."""
    states = state.to_list()
    mine = items.take(order)
    lists = slices(mine, np.full(len(order), step), mine.lengths - step).to_list()
    type_ = function.node.children[0].type
    if not every:
        column = row_by_row(frame, order, type_, lambda i, f: plain(f, states[i], lists[i]), (function,))
        parts.add(order, column)
        return
    column = row_by_row(frame, order, list_of(type_), lambda i, f: plain(f, states[i], lists[i]), (function,))
    assert isinstance(column, Lists)
    lengths = column.lengths  # 0 where the row failed
    starts = np.repeat(items.offsets[order] + step - column.offsets[:-1], lengths)
    parts.add(starts + np.arange(len(column.items)), column.items)


@primitive(
    "(a, b) -> c, list[a], list[b] -> list[c]", examples=[(("(x, y) => x - y", [3, 5], [1, 1, 1]), [2, 4])]
)
def zip_with(function: Function, left: list[Any], right: list[Any]) -> list[Any]:
    """What a function gives for items at the same position of two lists, as far as the shorter one goes."""
    return [function(x, y) for x, y in zip(left, right, strict=False)]


@zip_with.columnar
def _(frame: Frame, function: Closure, left: Lists, right: Lists) -> Column:
    lengths, start = np.minimum(left.lengths, right.lengths), np.zeros(len(left), np.int64)
    first, second = slices(left, start, lengths), slices(right, start, lengths)
    return Lists(first.offsets, function.call(frame, first.parents, first.items, second.items))


@primitive(
    "(s) -> option[pair[a, s]], s -> list[a]",
    examples=[(("n => if n == 0 then none() else some(pair(n, n // 2))", 6), [6, 3, 1])],
)
def unfold(function: Function, start: Any) -> list[Any]:
    """Builds a list: a function gives the next item and the next state, or nothing at the end."""
    items = []
    state = start
    while (made := function(state)) is not None:
        item, state = made
        items.append(item)
    return items


@unfold.columnar
def _(frame: Frame, function: Closure, start: Column) -> Column:
    pair_type = function.node.children[0].type.item
    rows, state = np.arange(frame.count), start
    made: list[Column] = []
    owners: list[IntArray] = []
    while len(rows):
        if is_narrow(len(rows), function):
            states = state.to_list()
            column = row_by_row(
                frame,
                rows,
                list_of(pair_type.args[0]),
                lambda i, f, states=states: unfold.function(f, states[i]),
                (function,),
            )
            assert isinstance(column, Lists)
            made.append(column.items)
            owners.append(np.repeat(rows, column.lengths))
            break
        result = function.call(frame, rows, state, distinct=True)
        assert isinstance(result, Options)
        present = result.present.copy()
        kept = living(frame, rows)
        if kept is not None:
            dead = np.ones(len(rows), np.bool_)
            dead[kept] = False
            present &= ~dead
        going = np.flatnonzero(present)
        pairs = result.take(going).values
        assert isinstance(pairs, Pairs) or len(going) == 0
        rows = rows[going]
        if isinstance(pairs, Pairs) and len(going):
            made.append(pairs.first)
            owners.append(rows)
            state = pairs.second
    if not made:
        return Lists(np.zeros(frame.count + 1, np.int64), filler(pair_type.args[0], 0))
    owner = np.concatenate(owners)
    items = concatenate(made).take(np.argsort(owner, kind="stable"))
    return Lists(offsets_from(np.bincount(owner, minlength=frame.count)), items)


@primitive(
    "(a) -> a, int, a -> a", examples=[(("x => x * 2", 3, 1), 8), (("x => x", -1, 1), EvaluationError)]
)
def iterate(function: Function, count: int, start: Any) -> Any:
    """A function applied so many times over. A negative count fails."""
    if count < 0:
        raise EvaluationError(Reason.DOMAIN)
    state = start
    for _ in range(count):
        state = function(state)
    return state


@iterate.columnar
def _(frame: Frame, function: Closure, count: Scalars, start: Column) -> Any:
    bad = count.data < 0
    order = np.argsort(-count.data, kind="stable")
    waiting, state, step = count.data[order], start.take(order), 0
    parts = Parts(function.node.children[0].type, frame.count)
    while len(order):
        kept = living(frame, order)
        if kept is not None:
            order, waiting, state = order[kept], waiting[kept], state.take(kept)
        active = int(np.searchsorted(-waiting, -step, side="left"))
        if active < len(order):
            parts.add(order[active:], state.take(np.arange(active, len(order))))
            order, waiting, state = order[:active], waiting[:active], state.take(np.arange(active))
        if not len(order):
            break
        if is_narrow(len(order), function):
            states, left = state.to_list(), (waiting - step).tolist()
            column = row_by_row(
                frame,
                order,
                parts.type,
                lambda i, f, states=states, left=left: iterate.function(f, left[i], states[i]),
                (function,),
            )
            parts.add(order, column)
            break
        state = function.call(frame, order, state, distinct=True)
        step += 1
    return failing(parts.column(), Reason.DOMAIN, bad)


@primitive(
    "(a) -> bool, (a) -> a, a -> a",
    name="while",
    examples=[(("x => x < 100", "x => x * 2", 3), 192)],
)
def while_(test: Function, step: Function, start: Any) -> Any:
    """A function applied over and over, as long as a test holds."""
    state = start
    while test(state):
        state = step(state)
    return state


@while_.columnar
def _(frame: Frame, test: Closure, step: Closure, start: Column) -> Column:
    rows, state = np.arange(frame.count), start
    parts = Parts(step.node.children[0].type, frame.count)
    while len(rows):
        if is_narrow(len(rows), test, step):
            states = state.to_list()
            column = row_by_row(
                frame,
                rows,
                parts.type,
                lambda i, t, s, states=states: while_.function(t, s, states[i]),
                (test, step),
            )
            parts.add(rows, column)
            break
        holds = _truth(test.call(frame, rows, state, distinct=True))
        parts.add(rows[~holds], state.take(np.flatnonzero(~holds)))
        rows, state = rows[holds], state.take(np.flatnonzero(holds))
        kept = living(frame, rows)
        if kept is not None:
            rows, state = rows[kept], state.take(kept)
        if not len(rows):
            break
        state = step.call(frame, rows, state, distinct=True)
        kept = living(frame, rows)
        if kept is not None:
            rows, state = rows[kept], state.take(kept)
    return parts.column()


@primitive(
    "(a) -> bool, list[a] -> option[int]",
    examples=[(("x => x > 1", [1, 2, 3]), 1), (("x => x > 1", [1]), None)],
)
def find_index(test: Function, items: list[Any]) -> int | None:
    """The position of the first item for which a function gives true. Every item is tried."""
    return next((i for i, holds in enumerate([test(item) for item in items]) if holds), None)


@find_index.columnar
def _(frame: Frame, test: Closure, items: Lists) -> Column:
    from meristem.primitives.lists import first_true

    return first_true(items, _truth(test.call(frame, items.parents, items.items)))


@primitive("(a) -> k, list[a] -> list[a] where k: ord", examples=[(("x => negate(x)", [1, 3, 2]), [3, 2, 1])])
def sort_by(key: Function, items: list[Any]) -> list[Any]:
    """The items in rising order of what a function gives for them; equal ones stay in order."""
    return sorted(items, key=key)


@sort_by.columnar
def _(frame: Frame, key: Closure, items: Lists) -> Column:
    parents = items.parents
    order = np.lexsort((ranks(key.call(frame, parents, items.items)), parents))
    return Lists(items.offsets, items.items.take(order))


@primitive(
    "(a) -> k, list[a] -> map[k, list[a]] where k: key",
    examples=[(("x => x % 2", [1, 2, 3]), {1: [1, 3], 0: [2]})],
)
def group_by(key: Function, items: list[Any]) -> dict[Any, list[Any]]:
    """The items by what a function gives for them."""
    groups: dict[Any, list[Any]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


@group_by.columnar
def _(frame: Frame, key: Closure, items: Lists) -> Column:
    parents = items.parents
    keys = key.call(frame, parents, items.items)
    starts, members = groups_of(identify(keys), parents)
    owners = parents[starts]
    sizes = np.array([len(m) for m in members], np.int64)
    grouped = np.concatenate(members) if members else np.zeros(0, np.int64)
    lists = Lists(offsets_from(sizes), items.items.take(grouped))
    return Maps(offsets_from(np.bincount(owners, minlength=len(items))), keys.take(starts), lists)


def groups_of(ids: IntArray, parents: IntArray) -> tuple[IntArray, list[IntArray]]:
    """Items [M] with equal parents and ids: the place where each group begins, in rising order, and its members."""
    order = np.lexsort((ids, parents))
    new = np.ones(len(order), np.bool_)
    new[1:] = (ids[order][1:] != ids[order][:-1]) | (parents[order][1:] != parents[order][:-1])
    cuts = np.flatnonzero(new)
    members = np.split(order, cuts[1:]) if len(order) else []
    starts = order[cuts]
    by_place = np.argsort(starts)
    return starts[by_place], [members[i] for i in by_place.tolist()]


subroutine(
    "find",
    "(a) -> bool, list[a] -> option[a]",
    "test, items",
    "let i = find_index(test, items) in if is_some(i) then some(get(items, value(i))) else none()",
    doc="The first item for which a function gives true.",
    examples=[(("x => x > 1", [1, 2, 3]), 2)],
)
subroutine(
    "any",
    "(a) -> bool, list[a] -> bool",
    "test, items",
    "is_some(find_index(test, items))",
    doc="Whether a function gives true for any item.",
    examples=[(("x => x > 1", [1, 2]), True), (("x => x > 1", []), False)],
)
subroutine(
    "all",
    "(a) -> bool, list[a] -> bool",
    "test, items",
    "not is_some(find_index(item => not (test)(item), items))",
    doc="Whether a function gives true for all items.",
    examples=[(("x => x > 1", [1, 2]), False), (("x => x > 1", []), True)],
)
subroutine(
    "count",
    "(a) -> bool, list[a] -> int",
    "test, items",
    "length(filter(test, items))",
    doc="For how many items a function gives true.",
    examples=[(("x => x > 1", [1, 2, 3]), 2)],
)
subroutine(
    "flat_map",
    "(a) -> list[b], list[a] -> list[b]",
    "function, items",
    "flatten(map(function, items))",
    doc="The lists that a function gives for the items, end to end.",
    examples=[(("x => [x, x]", [1, 2]), [1, 1, 2, 2])],
)
subroutine(
    "take_while",
    "(a) -> bool, list[a] -> list[a]",
    "test, items",
    "take(items, or_else(find_index(item => not (test)(item), items), length(items)))",
    doc="The items before the first for which a function gives false.",
    examples=[(("x => x < 2", [1, 2, 1]), [1])],
)
subroutine(
    "drop_while",
    "(a) -> bool, list[a] -> list[a]",
    "test, items",
    "drop(items, or_else(find_index(item => not (test)(item), items), length(items)))",
    doc="The items from the first for which a function gives false.",
    examples=[(("x => x < 2", [1, 2, 1]), [2, 1])],
)
subroutine(
    "partition",
    "(a) -> bool, list[a] -> pair[list[a], list[a]]",
    "test, items",
    "pair(filter(test, items), filter(item => not (test)(item), items))",
    doc="The items for which a function gives true, and the others.",
    examples=[(("x => x > 1", [1, 2, 3]), ([2, 3], [1]))],
)
subroutine(
    "min_by",
    "(a) -> k, list[a] -> a where k: ord",
    "key, items",
    "first(sort_by(key, items))",
    doc="The first item for which a function gives the least.",
    examples=[(("x => negate(x)", [1, 3, 2]), 3), (("x => x", []), EvaluationError)],
)
subroutine(
    "max_by",
    "(a) -> k, list[a] -> a where k: ord",
    "key, items",
    "get(items, argmax(map(key, items)))",
    doc="The first item for which a function gives the most.",
    examples=[(("x => negate(x)", [1, 3, 2]), 1), (("x => x", []), EvaluationError)],
)
subroutine(
    "map_indexed",
    "(int, a) -> b, list[a] -> list[b]",
    "function, items",
    "zip_with(function, range(0, length(items)), items)",
    doc="What a function gives for each position and item.",
    examples=[(("(i, x) => i + x", [5, 6]), [5, 7])],
)
subroutine(
    "tabulate",
    "(int) -> a, int -> list[a]",
    "function, count",
    "map(function, range(0, count))",
    doc="What a function gives for 0, 1, 2, ...",
    examples=[(("i => i * i", 3), [0, 1, 4])],
)
subroutine(
    "sum_by",
    "(a) -> n, list[a] -> n where n: number",
    "function, items",
    "sum(map(function, items))",
    doc="The sum of what a function gives for the items.",
    examples=[(("x => x * x", [1, 2]), 5)],
)
