"""Plain trees, each kept once: the form in which programs are compared.

A tree is a label and smaller trees. Labels say what a node costs, which of its children stand below binders and what
may not become part of a subroutine; the rest of the search knows nothing of the language that the trees come from.
Names bound inside a tree are de Bruijn indices, so trees that differ in names only are the same tree.

Equal trees are one number in a `Forest`, and the children of a node have smaller numbers than the node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = 0
"""The number of no tree: what stands where a node has fewer children than others."""

CLOSED = 1 << 30
"""The lowest free index of a tree without free indices."""


@dataclass(frozen=True)
class Label:
    """What a node is.

    Args:
        key: Tells labels apart; anything that can be hashed.
        cost: What one node with this label costs, without its children.
        binds: How many names it binds in each of its children; empty where none in any.
        bound: For a use of a bound name its de Bruijn index, else -1.
        barred: Whether it may not stand in the body of a subroutine: an input of a program, a fitted part.
        top: Whether it may be the root of a body; a function may not give back a function.
        lazy: Of each child whether it is run only sometimes; empty where all are run. The arguments of a subroutine are
            always run, so what may fail cannot become one from there.
        safe: Whether it never fails, whatever is inside it: a name, a constant, a function.
    """

    key: Any
    cost: float
    binds: tuple[int, ...] = ()
    bound: int = -1
    barred: bool = False
    top: bool = True
    lazy: tuple[bool, ...] = ()
    safe: bool = False


@dataclass(frozen=True)
class Costs:
    """What uses and definitions of subroutines cost, in the unit of the labels.

    Args:
        call: A call without its arguments.
        argument: What each argument adds to that, without the argument itself.
        parameter: A use of a parameter in a body.
        definition: What a definition costs beside its body.
    """

    call: float
    argument: float
    parameter: float
    definition: float = 0.0

    def of_call(self, arity: int) -> float:
        """A call of a subroutine of `arity` parameters, without its arguments."""
        return self.call + self.argument * arity


class Forest:
    """Trees, equal ones once."""

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self.labels: list[Label] = [Label(None, 0.0)]
        self.label_of: list[int] = [0]
        self.children_of: list[tuple[int, ...]] = [()]
        self.low: list[int] = [CLOSED]  # the least free index
        self.clean: list[bool] = [True]  # nothing barred inside
        self._labels: dict[Label, int] = {self.labels[0]: 0}
        self._nodes: dict[tuple[int, tuple[int, ...]], int] = {(0, ()): NONE}
        self._shifted: dict[tuple[int, int, int], int] = {}

    def __len__(self) -> int:
        return len(self.label_of)

    def label(self, label: Label) -> int:
        """The number of a label."""
        found = self._labels.get(label)
        if found is None:
            found = self._labels[label] = len(self.labels)
            self.labels.append(label)
        return found

    def node(self, label: int, children: tuple[int, ...] = ()) -> int:
        """The number of the tree with this label and these children."""
        key = (label, children)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = len(self.label_of)
            kind = self.labels[label]
            low = kind.bound if kind.bound >= 0 else CLOSED
            for child, binds in zip(children, kind.binds or (0,) * len(children), strict=True):
                inner = self.low[child]
                if inner < CLOSED and binds:
                    # Indices below `binds` are bound here. Whether others are free too, only a look inside shows.
                    inner = self._least_from(child, binds)
                low = min(low, inner)
            self.label_of.append(label)
            self.children_of.append(children)
            self.low.append(low)
            self.clean.append(not kind.barred and all(self.clean[child] for child in children))
        return found

    def _least_from(self, node: int, depth: int) -> int:
        """The least index free in `node` that points beyond `depth` binders around it, counted from there."""
        low = self.low[node]
        if low == CLOSED or low >= depth:
            return low if low == CLOSED else low - depth
        kind = self.labels[self.label_of[node]]
        if kind.bound >= 0:
            return CLOSED
        children = self.children_of[node]
        binds = kind.binds or (0,) * len(children)
        return min(
            (self._least_from(c, depth + b) for c, b in zip(children, binds, strict=True)), default=CLOSED
        )

    def parameter(self, index: int) -> int:
        """The tree that stands for parameter `index` in the body of a subroutine."""
        return self.node(
            self.label(Label(("parameter", index), self.costs.parameter, barred=True, safe=True))
        )

    def parameter_of(self, node: int) -> int:
        """Which parameter a tree is; -1 where it is none."""
        key = self.labels[self.label_of[node]].key
        return int(key[1]) if isinstance(key, tuple) and key[0] == "parameter" else -1

    def shift(self, node: int, by: int, cutoff: int = 0) -> int:
        """The tree with its free indices (those from `cutoff` on) raised by `by`, which may be negative."""
        if by == 0 or self.low[node] == CLOSED:
            return node
        key = (node, by, cutoff)
        found = self._shifted.get(key)
        if found is None:
            kind = self.labels[self.label_of[node]]
            children = self.children_of[node]
            if kind.bound >= 0:
                moved = replace(kind, key=("bound", kind.bound + by), bound=kind.bound + by)
                found = self.node(self.label(moved)) if kind.bound >= cutoff else node
            else:
                binds = kind.binds or (0,) * len(children)
                inner = [self.shift(c, by, cutoff + b) for c, b in zip(children, binds, strict=True)]
                found = self.node(self.label_of[node], tuple(inner))
            self._shifted[key] = found
        return found

    def put(self, body: int, arguments: Sequence[int], depth: int = 0) -> int:
        """The body of a subroutine with its parameters replaced by trees."""
        index = self.parameter_of(body)
        if index >= 0:
            return self.shift(arguments[index], depth)
        children = self.children_of[body]
        if not children or self.clean[body]:
            return body
        binds = self.labels[self.label_of[body]].binds or (0,) * len(children)
        inner = tuple(self.put(c, arguments, depth + b) for c, b in zip(children, binds, strict=True))
        return self.node(self.label_of[body], inner)

    def size(self, node: int) -> int:
        """The number of nodes of a tree; shared ones count as often as they stand there."""
        sizes: dict[int, int] = {}
        for inner in self.inside((node,)):
            sizes[inner] = 1 + sum(sizes[child] for child in self.children_of[inner])
        return sizes[node]

    def inside(self, roots: Iterable[int]) -> list[int]:
        """Every tree inside of these, each once, inner ones first."""
        seen = {NONE}
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack.extend(self.children_of[node])
        seen.discard(NONE)
        return sorted(seen)


class View:
    """Some trees of a forest as arrays. Nodes have places of their own here, inner ones first; place 0 is no tree.

    Args:
        forest: Where the trees are.
        roots: The trees; each counts as often as it stands here.

    Attributes:
        nodes: Of each place the number in the forest [N].
        labels: Of each place its label [N].
        children: Their places [N, A].
        own: What each costs by itself [N].
        roots: The places of the roots.
        levels: Places by height, leaves first; children stand in lower levels.
        down: `down[d]` has of each place that of the tree outside of `d` binders [N]; -1 where it uses one of them.
    """

    def __init__(self, forest: Forest, roots: Sequence[int]) -> None:
        self.forest = forest
        kept = forest.inside(roots)
        depths = self._depths(kept)
        wanted = [n for n in kept if 0 < forest.low[n] < CLOSED]
        lowered = [forest.shift(n, -d) for n in wanted for d in range(1, min(forest.low[n], depths) + 1)]
        if lowered:
            kept = forest.inside([*roots, *lowered])
        nodes = [NONE, *kept]
        self.nodes: Ints = np.array(nodes, np.int64)
        self.place = {node: place for place, node in enumerate(nodes)}
        count = len(nodes)
        width = max((len(forest.children_of[n]) for n in nodes), default=0)
        self.labels: Ints = np.array([forest.label_of[n] for n in nodes], np.int64)
        self.children: Ints = np.zeros((count, max(width, 1)), np.int64)
        heights = [0] * count
        place = self.place
        for i, node in enumerate(nodes):
            children = forest.children_of[node]
            if children:
                inner = [place[child] for child in children]
                self.children[i, : len(inner)] = inner
                heights[i] = 1 + max(heights[child] for child in inner)
        self.own: Floats = np.array([label.cost for label in forest.labels])[self.labels]
        self.safe = np.array([label.safe for label in forest.labels], bool)[self.labels]
        self.low: Ints = np.array([forest.low[n] for n in nodes], np.int64)
        self.clean = np.array([forest.clean[n] for n in nodes], bool) & (self.low == CLOSED)
        self.roots: Ints = np.array([place[root] for root in roots], np.int64)
        order = np.argsort(np.array(heights), kind="stable")
        edges = np.flatnonzero(np.diff(np.array(heights)[order])) + 1
        self.levels = np.split(order, edges)
        self.heights: Ints = np.array(heights, np.int64)
        everywhere = np.arange(count, dtype=np.int64)
        self.down: list[Ints] = [everywhere]
        for depth in range(1, depths + 1):
            row = np.where(self.low == CLOSED, everywhere, -1)
            for node in wanted:
                if forest.low[node] >= depth:
                    row[place[node]] = place[forest.shift(node, -depth)]
            self.down.append(row)

    def _depths(self, nodes: Sequence[int]) -> int:
        """The most binders that stand around anything."""
        forest = self.forest
        depth: dict[int, int] = {NONE: 0}
        for node in nodes:
            children = forest.children_of[node]
            binds = forest.labels[forest.label_of[node]].binds or (0,) * len(children)
            depth[node] = max((depth[c] + b for c, b in zip(children, binds, strict=True)), default=0)
        return max((depth[node] for node in nodes), default=0)

    def __len__(self) -> int:
        return len(self.nodes)

    def plain_costs(self) -> Floats:
        """What each tree costs as it stands [N]."""
        total = self.own.copy()
        for level in self.levels[1:]:
            total[level] += total[self.children[level]].sum(axis=1)
        return total

    def uses(self, weights: Floats) -> Floats:
        """How often each tree stands in the roots [N], where root `i` counts `weights[i]`."""
        total = np.zeros(len(self))
        np.add.at(total, self.roots, weights)
        for level in reversed(self.levels[1:]):
            inner = self.children[level]
            np.add.at(total, inner.ravel(), np.repeat(total[level], inner.shape[1]))
        total[NONE] = 0.0
        return total

    def spread(self, tasks: Ints) -> tuple[Ints, Ints]:
        """The first and the last task in whose trees each stands [N] and [N]; `tasks` [R] says whose each root is."""
        first = np.full(len(self), np.iinfo(np.int64).max)
        last = np.full(len(self), -1)
        np.minimum.at(first, self.roots, tasks)
        np.maximum.at(last, self.roots, tasks)
        for level in reversed(self.levels[1:]):
            inner = self.children[level]
            flat, width = inner.ravel(), inner.shape[1]
            np.minimum.at(first, flat, np.repeat(first[level], width))
            np.maximum.at(last, flat, np.repeat(last[level], width))
        return first, last


def key_of(forest: Forest, node: int) -> Any:
    """The key of a tree's label."""
    return forest.labels[forest.label_of[node]].key


__all__ = ["CLOSED", "NONE", "Costs", "Floats", "Forest", "Ints", "Label", "View", "key_of"]
