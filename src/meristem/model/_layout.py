"""Placing the boxes of a directed graph without cycles in layers, with short edges that cross little.

The method is the usual one (Sugiyama, Tagawa and Toda, 1981): give every box a layer, put a corner into every
layer that a long edge passes, order the layers by sweeps that put each item at the mean place of its
neighbours, then find places. Here the last step is exact for one layer: the places nearest to the wanted
ones, in this order and at these distances, are an isotonic regression.

`along` is the direction of the flow, `across` the other one; who draws decides which is x.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]

_SWEEPS = 12
_STRAIGHT = 4.0  # how much more a corner of a long edge wants its place than a box does


@dataclass(frozen=True)
class Box:
    """What is to be placed: its extents, with whatever must stay free behind it included in `along`."""

    along: float
    across: float


@dataclass(frozen=True)
class Edge:
    """From the far side of one box (its middle) to `port`, a distance from the near corner of another one."""

    source: int
    target: int
    port: float


@dataclass(frozen=True)
class Layout:
    """Where things are, as (along, across).

    Args:
        places: The near corner of every box.
        routes: For every edge the points it passes. Between the first two, and so on in pairs, it runs along
            a layer (straight); between a pair and the next it bends.
        size: The extents of everything.
    """

    places: list[Point]
    routes: list[list[Point]]
    size: Point


@dataclass(eq=False)
class _Item:
    """A box, or the corner (`box` -1) of a long edge.

    `into` and `out` hold (neighbour, port here, port there).
    """

    across: float
    layer: int
    box: int
    place: float = 0.0
    into: list[tuple[_Item, float, float]] = field(default_factory=list)
    out: list[tuple[_Item, float, float]] = field(default_factory=list)


def arrange(boxes: Sequence[Box], edges: Sequence[Edge], gap_along: float, gap_across: float) -> Layout:
    """Place boxes. Edges must go from a lower to a higher position in `boxes`. Deterministic."""
    if not boxes:
        return Layout([], [], (0.0, 0.0))
    layers_of = _layers(len(boxes), edges)
    items = [_Item(b.across, layer, k) for k, (b, layer) in enumerate(zip(boxes, layers_of, strict=True))]
    chains = [_chain(items, edge, layers_of) for edge in edges]
    layers = _order(items, chains)
    _place(layers, chains, gap_across)

    depth = len(layers)
    deepest = [0.0] * depth
    for box, layer in zip(boxes, layers_of, strict=True):
        deepest[layer] = max(deepest[layer], box.along)
    crowd = [0] * depth  # bends between a layer and the next; many need more room
    for chain in chains:
        for item in chain[:-1]:
            crowd[item.layer] += 1
    start = [0.0] * depth
    for k in range(1, depth):
        start[k] = start[k - 1] + deepest[k - 1] + gap_along + min(3.0 * crowd[k - 1], gap_along)

    places = [(start[item.layer], item.place) for item in items]
    routes = []
    for edge, chain in zip(edges, chains, strict=True):
        route: list[Point] = []
        for item in chain[:-1]:
            middle = item.place + item.across / 2
            near = start[item.layer] + (boxes[item.box].along if item.box >= 0 else 0.0)
            route += [(near, middle), (start[item.layer] + deepest[item.layer], middle)]
        last = items[edge.target]
        routes.append([*route, (start[last.layer], last.place + edge.port)])
    return Layout(places, routes, (start[-1] + deepest[-1], max(i.place + i.across for i in items)))


def _layers(number: int, edges: Sequence[Edge]) -> list[int]:
    """A layer for every box: as early as its sources allow, or later where that makes edges shorter."""
    sources: list[list[int]] = [[] for _ in range(number)]
    targets: list[list[int]] = [[] for _ in range(number)]
    for edge in edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    layers = [0] * number
    for k in range(number):
        layers[k] = max((layers[s] + 1 for s in sources[k]), default=0)
    for k in reversed(range(number)):
        if targets[k] and len(sources[k]) <= len(targets[k]):
            layers[k] = min(layers[t] for t in targets[k]) - 1
    lowest = min(layers)
    return [layer - lowest for layer in layers]


def _chain(items: list[_Item], edge: Edge, layers: Sequence[int]) -> list[_Item]:
    """The items an edge passes: its source, a corner for each layer between, its target. Links them."""
    source, target = items[edge.source], items[edge.target]
    chain = [source]
    chain += [_Item(0.0, layer, -1) for layer in range(layers[edge.source] + 1, layers[edge.target])]
    chain.append(target)
    for before, after in pairwise(chain):
        port = edge.port if after is target else 0.0
        before.out.append((after, before.across / 2, port))
        after.into.append((before, port, before.across / 2))
    return chain


def _order(items: list[_Item], chains: list[list[_Item]]) -> list[list[_Item]]:
    """The items of each layer in the order with the fewest crossings found."""
    layers: list[list[_Item]] = [[] for _ in range(max(i.layer for i in items) + 1)]
    seen: set[int] = set()
    # First the order in which the last box uses things: it follows the order of arguments.
    stack = [item for item in items if not item.out]
    while stack:
        item = stack.pop()
        if id(item) not in seen:
            seen.add(id(item))
            layers[item.layer].append(item)
            ordered = sorted(item.into, key=lambda link: -link[1])
            stack.extend(link[0] for link in ordered)
    assert len(seen) == len(items) + sum(len(chain) - 2 for chain in chains)

    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        backwards = sweep % 2 == 0
        for layer in reversed(layers) if backwards else layers:
            _sort_by_neighbours(layer, layers, backwards)
        _swap(layers)
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _sort_by_neighbours(layer: list[_Item], layers: list[list[_Item]], backwards: bool) -> None:
    """Sort one layer by the mean rank of the neighbours on one side; those without any stay."""
    ranks = {id(item): k for other in layers for k, item in enumerate(other)}
    keys: list[float] = []
    for k, item in enumerate(layer):
        links = item.out if backwards else item.into
        # A port moves an item by less than a rank, in the order of arguments.
        wanted = [ranks[id(other)] + 0.9 * there / max(other.across, 1.0) for other, _, there in links]
        keys.append(sum(wanted) / len(wanted) if wanted else float(k))
    order = sorted(range(len(layer)), key=lambda k: (keys[k], k))
    layer[:] = [layer[k] for k in order]


def _between(left: Sequence[_Item], right: Sequence[_Item]) -> int:
    """Crossings of the edges between two neighbouring layers."""
    ranks = {id(item): k for k, item in enumerate(right)}
    ends = [
        end
        for item in left
        for end in sorted((ranks[id(other)], there) for other, _, there in item.out if id(other) in ranks)
    ]
    passed: list[tuple[int, float]] = []
    crossings = 0
    for end in ends:
        crossings += len(passed) - bisect_left(passed, (end[0], end[1] + 1e-9))
        insort(passed, end)
    return crossings


def _crossings(layers: Sequence[Sequence[_Item]]) -> int:
    return sum(_between(left, right) for left, right in pairwise(layers))


def _swap(layers: list[list[_Item]]) -> None:
    """Exchange neighbours in a layer wherever that removes crossings."""
    for k, layer in enumerate(layers):
        if len(layer) > 40:  # the pass is quadratic; beyond this a picture is no longer read edge by edge
            continue

        def local(k: int = k) -> int:
            before = _between(layers[k - 1], layers[k]) if k else 0
            return before + (_between(layers[k], layers[k + 1]) if k + 1 < len(layers) else 0)

        now = local()
        for i in range(len(layer) - 1):
            if now == 0:
                break
            layer[i], layer[i + 1] = layer[i + 1], layer[i]
            swapped = local()
            if swapped < now:
                now = swapped
            else:
                layer[i], layer[i + 1] = layer[i + 1], layer[i]


def _place(layers: list[list[_Item]], chains: list[list[_Item]], gap: float) -> None:
    """Give every item its place across: near its neighbours, in order, `gap` apart."""
    for layer in layers:
        edge = 0.0
        for item in layer:
            item.place = edge
            edge += item.across + gap
    for sweep in range(_SWEEPS):
        backwards = sweep % 2 == 0
        for layer in reversed(layers) if backwards else layers:
            _settle(layer, gap, "out" if backwards else "into")
    for sweep in range(_SWEEPS):
        for layer in reversed(layers) if sweep % 2 == 0 else layers:
            _settle(layer, gap, "both")
        if sweep >= _SWEEPS - 3:
            _straighten(layers, chains, gap)
    top = min(item.place for layer in layers for item in layer)
    for layer in layers:
        for item in layer:
            item.place -= top


def _settle(layer: list[_Item], gap: float, side: str) -> None:
    """Move the items of one layer as near as their order and distances allow to where their neighbours are.

    Towards one side the squares of the distances count, which centres a box among many; between both sides
    the distances themselves, which makes edges straight.
    """
    before = 0.0
    blocks: list[
        tuple[list[tuple[float, float]], float, int]
    ] = []  # wanted places with weights, level, how many
    offsets = []
    for item in layer:
        links = item.into if side == "into" else item.out if side == "out" else item.into + item.out
        weight = _STRAIGHT if item.box < 0 else 1.0
        # place[i + 1] >= place[i] + across[i] + gap: take off the sum of what lies before, and it says
        # "not decreasing".
        goals = [(other.place + there - here - before, weight) for other, here, there in links]
        goals = goals or [(item.place - before, 0.1)]
        level = _middle(goals, item.place - before) if side == "both" else _mean(goals)
        many = 1
        while blocks and blocks[-1][1] > level:
            last, old, members = blocks.pop()
            goals, many = last + goals, many + members
            level = _middle(goals, old) if side == "both" else _mean(goals)
        blocks.append((goals, level, many))
        offsets.append(before)
        before += item.across + gap
    levels = [level for _, level, many in blocks for _ in range(many)]
    for item, level, offset in zip(layer, levels, offsets, strict=True):
        item.place = level + offset


def _mean(goals: list[tuple[float, float]]) -> float:
    return sum(goal * weight for goal, weight in goals) / sum(weight for _, weight in goals)


def _middle(goals: list[tuple[float, float]], now: float) -> float:
    """The weighted median; of an interval of medians the end that is nearer to `now`."""
    goals = sorted(goals)
    half = sum(weight for _, weight in goals) / 2
    passed = 0.0
    for k, (goal, weight) in enumerate(goals):
        passed += weight
        if passed > half + 1e-9:
            return goal
        if passed > half - 1e-9:
            high = goals[k + 1][0]
            return goal if abs(goal - now) <= abs(high - now) else high
    return goals[-1][0]


def _straighten(layers: list[list[_Item]], chains: list[list[_Item]], gap: float) -> None:
    """Bring the corners of each long edge to one level, where there is room for that."""
    where = {id(item): k for layer in layers for k, item in enumerate(layer)}
    for chain in chains:
        corners = chain[1:-1]
        if not corners:
            continue
        low, high = float("-inf"), float("inf")
        for item in corners:
            layer, k = layers[item.layer], where[id(item)]
            if k:
                low = max(low, layer[k - 1].place + layer[k - 1].across + gap)
            if k + 1 < len(layer):
                high = min(high, layer[k + 1].place - gap)
        if low > high:
            continue
        ends = [corners[-1].out[0][0].place + corners[-1].out[0][2], chain[0].place + chain[0].across / 2]
        free = [end for end in ends if low <= end <= high]
        now = sum(item.place for item in corners) / len(corners)
        level = free[0] if free else min(max(now, low), high)
        for item in corners:
            item.place = level
