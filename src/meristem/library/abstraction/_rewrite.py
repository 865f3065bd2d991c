"""The shortest way to write trees with given subroutines, and what that costs.

A subroutine is a tree with parameters. Where it fits a tree, the tree may be written as a call. Which of the calls that
are possible are best is a dynamic program over the trees, inner ones first: a tree costs the least of what it is by
itself and what each call at its root costs, with parts that cost their least. So subroutines that overlap are settled
exactly, whatever the order in which they were found. Bodies are trees like the programs and are written with the other
subroutines in the same pass; that never goes in a circle, since what stands inside a body is smaller than the body.

Many sets of subroutines are compared in one pass, a column each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meristem.library.abstraction._trees import CLOSED, NONE, Costs, Floats, Forest, Ints, Label, View


@dataclass(frozen=True)
class Pattern:
    """A subroutine: its body as a tree with parameters, and how many these are."""

    body: int
    arity: int


@dataclass(frozen=True)
class Matches:
    """Where a pattern fits: places [M] of a view, and there the places of its arguments [M, arity]."""

    places: Ints
    arguments: Ints


def find_matches(view: View, pattern: Pattern) -> Matches:
    """Where a pattern fits the trees of a view, in ascending order of places."""
    forest = view.forest
    places = np.flatnonzero(view.labels == forest.label_of[pattern.body])
    places = places[places != NONE]
    stack: list[tuple[int, Ints, int, bool]] = [(pattern.body, places, 0, False)]
    arguments: list[Ints | None] = [None] * pattern.arity
    always = [False] * pattern.arity  # whether the body runs the parameter whenever it is run

    def keep(mask: np.ndarray) -> None:
        nonlocal places
        if mask.all():
            return
        places = places[mask]
        stack[:] = [(node, at[mask], depth, lazy) for node, at, depth, lazy in stack]
        arguments[:] = [None if a is None else a[mask] for a in arguments]

    while stack:
        node, at, depth, lazy = stack.pop()
        index = forest.parameter_of(node)
        if index >= 0:
            found = view.down[depth][at] if depth < len(view.down) else np.full(len(at), -1)
            always[index] |= not lazy
            known = arguments[index]
            if known is None:
                arguments[index] = found
                keep(found >= 0)
            else:
                keep(found == known)
            continue
        if forest.clean[node]:
            keep(at == view.place.get(node, -1))
            continue
        right = view.labels[at] == forest.label_of[node]
        children = forest.children_of[node]
        label = forest.labels[forest.label_of[node]]
        binds = label.binds or (0,) * len(children)
        lazily = label.lazy or (False,) * len(children)
        for i in reversed(range(len(children))):
            stack.append((children[i], view.children[at, i], depth + binds[i], lazy or lazily[i]))
        keep(right)
    for index in range(pattern.arity):
        found_there = arguments[index]
        if not always[index] and found_there is not None:
            keep(view.safe[found_there])
    columns = [a for a in arguments if a is not None]
    table = np.stack(columns, axis=1) if columns else np.zeros((len(places), 0), np.int64)
    return Matches(places, table)


@dataclass(frozen=True)
class _Table:
    """Possible calls, sorted by height and by cell."""

    height: Ints  # of the place
    cell: Ints  # place * columns + column
    cost: Floats  # of the call without its arguments
    arguments: Ints  # cells of the arguments [M, W]


def _table(
    view: View, costs: Costs, found: Sequence[tuple[Matches, Sequence[int]]], columns: int, width: int
) -> _Table:
    heights, cells, prices, arguments = [], [], [], []
    for matches, where in found:
        if not len(matches.places) or not len(where):
            continue
        column = np.tile(np.asarray(where, np.int64), len(matches.places))
        places = np.repeat(matches.places, len(where))
        table = np.zeros((len(places), width), np.int64)
        arity = matches.arguments.shape[1]
        table[:, :arity] = np.repeat(matches.arguments, len(where), axis=0)
        heights.append(view.heights[places])
        cells.append(places * columns + column)
        prices.append(np.full(len(places), costs.of_call(arity)))
        arguments.append(table * columns + column[:, None])
    if not cells:
        empty = np.zeros(0, np.int64)
        return _Table(empty, empty, np.zeros(0), np.zeros((0, width), np.int64))
    height, cell = np.concatenate(heights), np.concatenate(cells)
    order = np.lexsort((cell, height))
    return _Table(height[order], cell[order], np.concatenate(prices)[order], np.concatenate(arguments)[order])


def least_costs(view: View, found: Sequence[tuple[Matches, Sequence[int]]], columns: int = 1) -> Floats:
    """What each tree of a view costs at least [N, columns].

    Args:
        view: The trees.
        found: The matches of each pattern, and in which columns it may be called.
        columns: How many sets of patterns are compared.
    """
    width = max((m.arguments.shape[1] for m, _ in found), default=0) or 1
    table = _table(view, view.forest.costs, found, columns, width)
    starts = np.searchsorted(table.height, np.arange(len(view.levels) + 1))
    cost = np.zeros((len(view), columns))
    flat = cost.reshape(-1)
    for height, level in enumerate(view.levels):
        if height:
            inner = view.children[level]
            total = cost[inner[:, 0]]
            for i in range(1, inner.shape[1]):
                total += cost[inner[:, i]]
            total += view.own[level][:, None]
            cost[level] = total
        else:
            cost[level] = view.own[level][:, None]
        a, b = starts[height], starts[height + 1]
        if a == b:
            continue
        price = table.cost[a:b] + flat[table.arguments[a:b]].sum(axis=1)
        cells = table.cell[a:b]
        first = np.flatnonzero(np.concatenate(([True], cells[1:] != cells[:-1])))
        cells = cells[first]
        flat[cells] = np.minimum(flat[cells], np.minimum.reduceat(price, first))
    return cost


def row_at(matches: Matches, place: int) -> int:
    """Which of the matches is at a place; -1 where none is."""
    row = int(np.searchsorted(matches.places, place))
    return row if row < len(matches.places) and matches.places[row] == place else -1


def definition_costs(
    view: View, found: Sequence[tuple[Pattern, Matches, Sequence[int]]], cost: Floats
) -> dict[Pattern, Floats]:
    """What each body costs [columns]: as any tree, but that it may not be a call of its own pattern.

    Args:
        view: Holds the bodies.
        found: Patterns, their matches, and the columns in which they may be called.
        cost: What each tree costs at least [N, columns].
    """
    result: dict[Pattern, Floats] = {}
    for pattern, _, _ in found:
        place = view.place[pattern.body]
        least = view.own[place] + cost[view.children[place]].sum(axis=0)
        for other, matches, columns in found:
            row = row_at(matches, place) if other != pattern else -1
            if row >= 0:
                price = view.forest.costs.of_call(other.arity) + cost[matches.arguments[row]].sum(axis=0)
                where = np.asarray(columns, np.int64)
                least[where] = np.minimum(least[where], price[where])
        result[pattern] = least
    return result


def rewritten(
    view: View, patterns: Sequence[Pattern], found: Sequence[Matches], roots: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Trees, and the bodies of patterns, written in the shortest way with calls of these patterns.

    Args:
        view: Holds the trees and the bodies.
        patterns: What may be called.
        found: The matches of each.
        roots: Places of trees.

    Returns:
        The numbers of the new trees, and of the new bodies. A call is a node whose label has the key `("call", body of
        the pattern)`.
    """
    forest = view.forest
    cost = least_costs(view, [(m, (0,)) for m in found])[:, 0]
    plain = view.own + cost[view.children].sum(axis=1)
    called: dict[int, tuple[int, Ints]] = {}
    for number, (pattern, matches) in enumerate(zip(patterns, found, strict=True)):
        price = forest.costs.of_call(pattern.arity) + cost[matches.arguments].sum(axis=1)
        better = (price <= cost[matches.places] + 1e-9) & (price < plain[matches.places] - 1e-9)
        for row in np.flatnonzero(better):
            called.setdefault(int(matches.places[row]), (number, matches.arguments[row]))
    defined: list[tuple[int, int, Ints] | None] = []
    for pattern in patterns:
        place = view.place[pattern.body]
        best, least = None, plain[place] - 1e-9
        for number, (other, matches) in enumerate(zip(patterns, found, strict=True)):
            at = row_at(matches, place) if other != pattern else -1
            if at >= 0:
                price_here = forest.costs.of_call(other.arity) + cost[matches.arguments[at]].sum()
                if price_here < least:
                    best, least = (place, number, matches.arguments[at]), price_here
        defined.append(best)
    stack = [int(root) for root in roots]
    for pattern, choice in zip(patterns, defined, strict=True):
        stack.extend(map(int, view.children[view.place[pattern.body]] if choice is None else choice[2]))
    wanted: set[int] = set()
    while stack:
        place = stack.pop()
        if place in wanted or place == NONE:
            continue
        wanted.add(place)
        stack.extend(map(int, called[place][1] if place in called else view.children[place]))
    labels = [call_label(forest, pattern) for pattern in patterns]
    made = {NONE: NONE}

    def as_it_is(place: int) -> int:
        width = len(forest.children_of[int(view.nodes[place])])
        inner = tuple(made[int(c)] for c in view.children[place][:width])
        return forest.node(int(view.labels[place]), inner)

    def as_call(number: int, arguments: Ints) -> int:
        return forest.node(labels[number], tuple(made[int(a)] for a in arguments))

    for place in sorted(wanted, key=lambda p: view.heights[p]):
        made[place] = as_call(*called[place]) if place in called else as_it_is(place)
    bodies = [
        as_it_is(view.place[pattern.body]) if choice is None else as_call(choice[1], choice[2])
        for pattern, choice in zip(patterns, defined, strict=True)
    ]
    return [made[int(root)] for root in roots], bodies


def call_label(forest: Forest, pattern: Pattern) -> int:
    """The label of calls of a pattern."""
    return forest.label(Label(("call", pattern.body), forest.costs.of_call(pattern.arity)))


def written_out(forest: Forest, node: int, known: dict[int, int]) -> int:
    """A tree with all calls replaced by what they stand for.

    Args:
        forest: Where it is.
        node: The tree.
        known: What was written out before; extended.
    """
    for inner in forest.inside((node,)):
        if inner in known:
            continue
        label = forest.label_of[inner]
        children = tuple(known[child] for child in forest.children_of[inner])
        key = forest.labels[label].key
        if isinstance(key, tuple) and key[0] == "call":
            known[inner] = forest.put(key[1], children)
        else:
            known[inner] = forest.node(label, children)
    return known[node]


def in_order(forest: Forest, node: int, arity: int) -> Pattern:
    """A pattern whose parameters are numbered as they come first in its body."""
    order: dict[int, int] = {}
    stack = [node]
    while stack:
        inner = stack.pop()
        index = forest.parameter_of(inner)
        if index >= 0:
            order.setdefault(index, len(order))
        elif not forest.clean[inner]:
            stack.extend(reversed(forest.children_of[inner]))
    renamed = [forest.parameter(order[i]) if i in order else NONE for i in range(arity)]
    return Pattern(forest.put(node, renamed), len(order))


__all__ = [
    "CLOSED",
    "Matches",
    "Pattern",
    "call_label",
    "definition_costs",
    "find_matches",
    "in_order",
    "least_costs",
    "rewritten",
    "written_out",
]
