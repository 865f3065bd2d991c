"""The search for one subroutine that shortens given trees most.

Top down, guided by the trees, as in Stitch (Bowers et al., POPL 2023): a partial pattern has holes, and the places
where it fits are known. A hole becomes one of the labels that stand there, a parameter that is there already, or a new
parameter. What a pattern can save at most is what all trees that it still fits cost; where that is no more than the
best so far saves, it is dropped.

Written for arrays: the best patterns are taken many at a time, their places lie in one array, and grouping by (pattern,
label) is one sort. Two things are added to the bound. A hole has to become something, so a pattern saves no more than
the best that any *one* of its holes allows; that hole is filled next. And where more holes are left than parameters,
one of the surplus must become a label or equal another hole.

What a pattern saves at most and what it saves in truth differ where it overlaps with itself. So patterns that could be
the best are set apart and measured exactly, many in one pass over the trees.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from meristem.library.abstraction._rewrite import Matches, least_costs
from meristem.library.abstraction._trees import Floats, Forest, Ints, View

_BATCH = 256  # partial patterns that are taken together
_PAIRS = 1_000_000  # and their places at most
_BLOCK = 64  # patterns measured in one pass
_CELLS = 4_000_000  # trees x patterns of a pass at most


@dataclass(frozen=True)
class Settings:
    """What a search may do.

    Args:
        arity: The most parameters.
        least: The fewest.
        effort: Places of patterns looked at, at most; what time and memory grow with.
        keep: How many of the best patterns are given.
        tasks: In how many tasks a pattern must stand, 1 or 2.
        floor: What a pattern must save more than to be of interest.
        lookahead: Whether the bound looks at all holes. Off, it finds the same in more steps.
    """

    arity: int = 2
    least: int = 0
    effort: int = 5_000_000
    keep: int = 16
    tasks: int = 2
    floor: float = 0.0
    lookahead: bool = True


@dataclass(frozen=True)
class Candidate:
    """A pattern that shortens the trees.

    Args:
        body: A tree with parameters.
        arity: How many it has.
        saving: How much shorter the trees are with it, its definition counted.
    """

    body: int
    arity: int
    saving: float


@dataclass
class Found:
    """What a search found, best first, and whether it saw all there is."""

    candidates: list[Candidate]
    complete: bool
    expanded: int
    pairs: int


_Step = tuple[int, str, int]
"""Which hole was filled; with a label, a whole tree or a parameter; which."""


class _Partial:
    """A pattern with holes, and where it fits."""

    __slots__ = (
        "body",
        "bound",
        "depths",
        "holes",
        "overlap",
        "parameters",
        "parent",
        "pick",
        "places",
        "room",
        "step",
    )

    def __init__(
        self,
        places: Ints,
        room: Floats,
        holes: Ints,
        depths: tuple[int, ...],
        parameters: Ints,
        body: float,
        bound: float,
        parent: _Partial | None,
        step: _Step | None,
    ) -> None:
        self.places = places  # [M]
        self.room = room  # [M] what a call may still save there
        self.holes = holes  # [H, M] what stands in the holes
        self.depths = depths  # of each hole: how many binders of the pattern stand around it
        self.parameters = parameters  # [P, M] the arguments
        self.body = body  # what the body costs so far
        self.bound = bound  # what it can save at most
        self.parent, self.step = parent, step
        self.pick = 0  # the hole to fill next
        self.overlap: float = 0.0  # how many other uses a use stands in the way of
        if parent is not None:
            self.overlap = parent.overlap


class _Search:
    def __init__(self, view: View, weights: Floats, tasks: Ints, settings: Settings) -> None:
        self.view, self.settings = view, settings
        self.forest: Forest = view.forest
        self.price = view.forest.costs
        self.root_weights = weights
        self.weight = view.uses(weights)
        self.cost = view.plain_costs()
        self.first, self.last = view.spread(tasks)
        labels = view.forest.labels
        self.label_count = len(labels)
        self.label_cost = np.array([label.cost for label in labels])
        self.label_bound = np.array([label.bound for label in labels])
        self.label_barred = np.array([label.barred for label in labels])
        self.label_top = np.array([label.top for label in labels])
        self.label_binds = [label.binds for label in labels]
        self.arity_of = np.zeros(len(labels), np.int64)
        for node, children in zip(view.nodes, (view.forest.children_of[n] for n in view.nodes), strict=True):
            self.arity_of[view.forest.label_of[node]] = len(children)
        self.total = float(self.cost[view.roots] @ weights)
        self.marked = np.zeros(len(view), bool)
        self.best = settings.floor  # the exact saving of the `keep`-th best
        self.kept: list[Candidate] = []
        self.pending: list[tuple[float, int, int, Matches]] = []

    # -------------------------------------------------------------------------------------- whole patterns

    def constants(self) -> None:
        """Patterns without parameters: trees that stand as they are in several places."""
        call = self.price.of_call(0)
        saving = self.weight * (self.cost - call) - self.cost - self.price.definition
        good = self.view.clean & (saving > 0)
        if self.settings.tasks > 1:
            good &= self.first < self.last
        good &= self.label_top[self.view.labels]
        good[0] = False
        places = np.flatnonzero(good)
        for place in places[np.argsort(-saving[places], kind="stable")][: 2 * self.settings.keep]:
            at = np.array([place])
            self.offer(
                float(saving[place]), int(self.view.nodes[place]), 0, Matches(at, np.zeros((1, 0), np.int64))
            )

    def offer(self, bound: float, body: int, arity: int, matches: Matches) -> None:
        """Set a whole pattern apart to be measured."""
        self.pending.append((bound, body, arity, matches))

    def measure(self) -> None:
        """Measure the patterns that were set apart, and keep the best."""
        pending = sorted((p for p in self.pending if p[0] > self.best), key=lambda p: -p[0])
        self.pending = []
        block = max(1, min(_BLOCK, _CELLS // len(self.view)))
        while pending:
            taken, pending = pending[:block], pending[block:]
            cost = least_costs(self.view, [(p[3], (i,)) for i, p in enumerate(taken)], len(taken))
            lengths = self.root_weights @ cost[self.view.roots]
            for (_, body, arity, _), length in zip(taken, lengths, strict=True):
                own = plain_cost(self.forest, body)
                saving = self.total - float(length) - own - self.price.definition
                if saving > self.best:
                    self.keep(Candidate(body, arity, saving))
            pending = [p for p in pending if p[0] > self.best]

    def keep(self, candidate: Candidate) -> None:
        if any(candidate.body == other.body for other in self.kept):
            return
        self.kept.append(candidate)
        self.kept.sort(key=lambda c: (-c.saving, c.body))
        del self.kept[self.settings.keep :]
        if len(self.kept) == self.settings.keep:
            self.best = max(self.best, self.kept[-1].saving)

    # -------------------------------------------------------------------------------------- bounds

    def look_ahead(self, partial: _Partial) -> None:
        """Choose the hole to fill next, and lower the bound by what the holes allow."""
        holes = partial.holes
        count = len(holes)
        weight = self.weight[partial.places]
        gain = weight * np.maximum(partial.room, 0)
        # What a label allows: only the places that have it are left.
        keys = self.view.labels[holes] + (np.arange(count) * self.label_count)[:, None]
        sums = np.bincount(keys.ravel(), np.concatenate((gain,) * count), count * self.label_count)
        fixed = sums.reshape(count, self.label_count).max(axis=1)
        for arguments in partial.parameters:
            if not any(partial.depths):
                np.maximum(fixed, (holes == arguments) @ gain, out=fixed)
            else:
                for i, depth in enumerate(partial.depths):
                    fixed[i] = max(fixed[i], gain[self.view.down[depth][holes[i]] == arguments].sum())
        free = self.settings.arity - len(partial.parameters)
        allowed = fixed
        if free > 0:
            left = np.maximum(partial.room - self.price.argument - self.cost[holes], 0)
            allowed = np.maximum(fixed, left @ weight)
        partial.pick = int(allowed.argmin())
        bound = float(allowed[partial.pick])
        if free < count:
            # Of any `free + 1` holes one becomes a label or a parameter that is there, or two become the same one.
            few = np.argsort(fixed, kind="stable")[: free + 1]
            surplus = float(fixed[few].max())
            for i in range(free + 1):
                for j in range(i):
                    if surplus >= bound:
                        break
                    a, b = int(few[i]), int(few[j])
                    same = (
                        self.view.down[partial.depths[a]][holes[a]]
                        == self.view.down[partial.depths[b]][holes[b]]
                    )
                    surplus = max(surplus, float(gain[same].sum()))
            bound = min(bound, surplus)
        partial.bound = min(partial.bound, bound - partial.body - self.price.definition)

    # -------------------------------------------------------------------------------------- steps

    def start(self) -> _Partial:
        places = np.flatnonzero((self.weight > 0) & self.label_top[self.view.labels])
        room = self.cost[places] - self.price.call
        places, room = places[room > 0], room[room > 0]
        none = np.zeros((0, len(places)), np.int64)
        return _Partial(places, room, places[None], (0,), none, 0.0, np.inf, None, None)

    def expand(self, batch: list[_Partial]) -> list[_Partial]:
        """Fill the chosen hole of each pattern in every way that may still be the best."""
        view, settings = self.view, self.settings
        counts = np.array([len(p.places) for p in batch])
        offsets = np.concatenate(([0], np.cumsum(counts)))
        starts = offsets[:-1]
        args = np.concatenate([p.holes[p.pick] for p in batch])
        places = np.concatenate([p.places for p in batch])
        room = np.concatenate([p.room for p in batch])
        weight = self.weight[places]
        gain = weight * np.maximum(room, 0)
        depth = np.array([p.depths[p.pick] for p in batch])
        body = np.array([p.body for p in batch])
        first, last = self.first[places], self.last[places]
        children: list[_Partial] = []

        # Labels: group the places by pattern and label.
        keys = np.repeat(np.arange(len(batch)), counts) * self.label_count + view.labels[args]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        begin = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        end = np.append(begin[1:], len(keys))
        owner, label = np.divmod(keys[begin], self.label_count)
        sorted_args = args[order]
        least = np.minimum.reduceat(sorted_args, begin)
        whole = (least == np.maximum.reduceat(sorted_args, begin)) & view.clean[least]
        grown = body[owner] + np.where(whole, self.cost[least], self.label_cost[label])
        bound = np.add.reduceat(gain[order], begin) - grown - self.price.definition
        good = (bound > self.best) & (end - begin > 1)
        good &= ~self.label_barred[label] & (self.label_bound[label] < depth[owner])
        if settings.tasks > 1:
            good &= np.minimum.reduceat(first[order], begin) < np.maximum.reduceat(last[order], begin)
        for group in np.flatnonzero(good):
            number = int(owner[group])
            rows = order[begin[group] : end[group]] - offsets[number]
            what = int(least[group]) if whole[group] else int(label[group])
            children.append(
                self.with_label(
                    batch[number], rows, what, bool(whole[group]), float(grown[group]), float(bound[group])
                )
            )

        # Where the hole holds the same closed tree everywhere, that tree is in the body: a parameter only costs more.
        least_all = np.minimum.reduceat(args, starts)
        settled = (least_all == np.maximum.reduceat(args, starts)) & view.clean[least_all]
        taken = np.add.reduceat(weight * np.maximum(room - self.price.argument - self.cost[args], 0), starts)
        taken -= body + self.price.parameter + self.price.definition
        for number, partial in enumerate(batch):
            if settled[number] or partial.parent is None:
                continue
            lowered = partial.holes[partial.pick]
            if depth[number]:
                lowered = view.down[depth[number]][lowered]
            everywhere = False
            for index, arguments in enumerate(partial.parameters):
                same = np.flatnonzero(arguments == lowered)
                everywhere |= len(same) == len(lowered)
                grown_by = partial.body + self.price.parameter
                most = float(gain[offsets[number] + same].sum()) - grown_by - self.price.definition
                if len(same) > 1 and most > self.best:
                    children.append(self.with_parameter(partial, same, index, lowered, grown_by, most))
            if not everywhere and len(partial.parameters) < settings.arity and taken[number] > self.best:
                rows = np.flatnonzero(lowered >= 0)
                index = len(partial.parameters)
                if len(rows) > 1:
                    grown_by = partial.body + self.price.parameter
                    children.append(
                        self.with_parameter(partial, rows, index, lowered, grown_by, float(taken[number]))
                    )
        return children

    def with_label(
        self, partial: _Partial, rows: Ints, what: int, whole: bool, body: float, bound: float
    ) -> _Partial:
        """A pattern with a label (or a whole tree) in its hole."""
        holes = _without(partial.holes, partial.pick, rows)
        depths = partial.depths[: partial.pick] + partial.depths[partial.pick + 1 :]
        width = 0 if whole else int(self.arity_of[what])
        if width:
            inner = self.view.children[partial.holes[partial.pick][rows], :width].T
            holes = np.concatenate((holes, inner))
            around = partial.depths[partial.pick]
            depths += tuple(around + b for b in self.label_binds[what] or (0,) * width)
        step = (partial.pick, "tree" if whole else "label", int(self.view.nodes[what]) if whole else what)
        places, room = partial.places[rows], partial.room[rows]
        child = _Partial(places, room, holes, depths, partial.parameters[:, rows], body, bound, partial, step)
        if width and partial.parent is not None:
            gain = self.weight[places] * np.maximum(room, 0)
            self.marked[places] = True
            child.overlap += float(gain @ self.marked[partial.holes[partial.pick][rows]]) / float(gain.sum())
            self.marked[places] = False
        return child

    def with_parameter(
        self, partial: _Partial, rows: Ints, index: int, lowered: Ints, body: float, bound: float
    ) -> _Partial:
        """A pattern with a parameter in its hole."""
        holes = _without(partial.holes, partial.pick, rows)
        depths = partial.depths[: partial.pick] + partial.depths[partial.pick + 1 :]
        parameters, room = partial.parameters[:, rows], partial.room[rows]
        if index == len(parameters):
            parameters = np.concatenate((parameters, lowered[rows][None]))
            room = room - self.price.argument - self.cost[lowered[rows]]
        step = (partial.pick, "parameter", index)
        return _Partial(partial.places[rows], room, holes, depths, parameters, body, bound, partial, step)

    # -------------------------------------------------------------------------------------- all of it

    def run(self, stop: Callable[[], bool]) -> Found:
        if self.settings.least == 0:
            self.constants()
        self.measure()
        start = self.start()
        heap: list[tuple[float, int, _Partial]] = [(-np.inf, 0, start)] if len(start.places) else []
        count = expanded = pairs = 0
        complete = True
        while heap:
            if pairs > self.settings.effort or stop():
                complete = False
                break
            batch: list[_Partial] = []
            size = 0
            while heap and len(batch) < _BATCH and size < _PAIRS:
                partial = heapq.heappop(heap)[2]
                if partial.bound > self.best:
                    batch.append(partial)
                    size += partial.holes.size
            if not batch:
                break
            expanded, pairs = expanded + len(batch), pairs + size
            for child in self.expand(batch):
                if not len(child.holes):
                    if len(child.parameters) < self.settings.least:
                        continue
                    self.offer(child.bound, self.body_of(child), len(child.parameters), _matches(child))
                    continue
                if self.settings.lookahead:
                    self.look_ahead(child)
                    if child.bound <= self.best:
                        continue
                count += 1
                heapq.heappush(heap, (-child.bound / (1 + child.overlap), count, child))
            if len(self.pending) >= _BLOCK:
                self.measure()
        self.measure()
        return Found(self.kept, complete, expanded, pairs)

    def body_of(self, partial: _Partial) -> int:
        """The tree of a pattern, from the steps that made it."""
        steps: list[_Step] = []
        at: _Partial | None = partial
        while at is not None and at.step is not None:
            steps.append(at.step)
            at = at.parent
        # Each hole is a cell (label or tree, cells inside) that its step fills.
        top = _Cell()
        cells, made = [top], [top]
        for pick, kind, what in reversed(steps):
            cell = cells.pop(pick)
            if kind == "tree":
                cell.tree = what
            elif kind == "parameter":
                cell.tree = self.forest.parameter(what)
            else:
                cell.label = what
                cell.inner = [_Cell() for _ in range(int(self.arity_of[what]))]
                cells.extend(cell.inner)
                made.extend(cell.inner)
        for cell in reversed(made):  # inner ones were made later
            if cell.label >= 0:
                cell.tree = self.forest.node(cell.label, tuple(inner.tree for inner in cell.inner))
        return top.tree


class _Cell:
    """A hole, and what it was filled with."""

    __slots__ = ("inner", "label", "tree")

    def __init__(self) -> None:
        self.label, self.tree = -1, 0
        self.inner: list[_Cell] = []


def _matches(partial: _Partial) -> Matches:
    return Matches(partial.places, partial.parameters.T)


def _without(holes: Ints, pick: int, rows: Ints) -> Ints:
    kept = np.empty((len(holes) - 1, len(rows)), np.int64)
    np.take(holes[:pick], rows, axis=1, out=kept[:pick], mode="clip")
    np.take(holes[pick + 1 :], rows, axis=1, out=kept[pick:], mode="clip")
    return kept


def plain_cost(forest: Forest, node: int) -> float:
    """What a tree costs as it stands."""
    costs = {0: 0.0}
    for inner in forest.inside((node,)):
        own = forest.labels[forest.label_of[inner]].cost
        costs[inner] = own + sum(costs[child] for child in forest.children_of[inner])
    return costs[node]


def search(
    view: View,
    weights: Floats,
    tasks: Sequence[int],
    settings: Settings,
    stop: Callable[[], bool] = lambda: False,
) -> Found:
    """The patterns that shorten the roots of a view most, each by itself.

    Args:
        view: The trees.
        weights: How much each root counts [R].
        tasks: The task of each root [R]; roots of one task count as one where a pattern must stand in several.
        settings: What the search may do.
        stop: Asked now and then; True ends the search with what it has.
    """
    return _Search(view, np.asarray(weights, np.float64), np.asarray(tasks, np.int64), settings).run(stop)


__all__ = ["Candidate", "Found", "Settings", "plain_cost", "search"]
