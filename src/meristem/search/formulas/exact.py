"""The search for a formula that answers exactly: goals and what they reduce to, quick methods first, then banks."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product as cartesian

import numpy as np

from meristem.search.formulas.bank import Bank
from meristem.search.formulas.expressions import Expr, Reals, constant, evaluate, is_whole, product, variable
from meristem.search.formulas.goals import Goal
from meristem.search.formulas.keys import Indices
from meristem.search.formulas.linear import products, quotients, sums
from meristem.search.formulas.lookup import Meeting
from meristem.search.formulas.polish import Fitted, polished
from meristem.search.formulas.rough import Rough, front, rough
from meristem.search.formulas.surrogate import Surrogate, surrogates
from meristem.search.formulas.symmetry import Reduction, reductions
from meristem.search.formulas.waves import waves

_PROBES = 8
_GOALS = 60
_ENOUGH = 40  # rows that a surrogate needs
_NEAR = 5  # goals through which formulas are sought that only come near
_KEYED = 1e-7  # tolerance from which values are no longer told apart by keys


@dataclass(order=True)
class _Waiting:
    rank: tuple[float, ...]
    goal: Goal = field(compare=False)
    penalty: float = field(compare=False, default=0.0)
    error: float = field(compare=False, default=1.0)


@dataclass(frozen=True)
class Rounds:
    """How far each round goes: entries in the banks, steps into the target, entries as a factor."""

    capacity: int
    depth: int
    factors: int
    factor_depth: int
    then: int


_ROUNDS = (
    Rounds(30_000, 3, 300, 1, 1),
    Rounds(150_000, 3, 2_000, 1, 2),
    Rounds(600_000, 4, 12_000, 1, 2),
    Rounds(2_500_000, 4, 60_000, 2, 2),
)


class Exact:
    """One search over the data of one problem.

    Args:
        columns: The inputs [N, d].
        answers: The wanted reals [N].
        tolerance: The largest relative difference of an answer.
        seed: Source of randomness.
        memory: Bytes to use at most.
    """

    def __init__(
        self,
        columns: Reals,
        answers: Reals,
        tolerance: float = 1e-9,
        seed: int = 0,
        memory: int = 1_000_000_000,
    ) -> None:
        self.columns, self.answers, self.tolerance = columns, answers, tolerance
        self.rng = np.random.default_rng(seed)
        self.memory = memory
        self.best: Fitted | None = None
        self.near: list[Rough] = []
        self.near_done = False
        self.made = 0
        self._tried: set[Expr] = set()

    def run(self) -> Iterator[Fitted | None]:
        """Formulas as they are found, and None in between."""
        if np.ptp(self.answers) == 0:
            yield self._checked(constant(float(self.answers[0])))
            return
        root = self.root()
        goals: list[Goal] = []
        yield from self._explore(root, goals)
        if not self._settled():
            yield from self.nearest(goals)
        # Keys of values are equal or not: with noise there is nothing to look up.
        for limits in _ROUNDS[1:] if self.tolerance < _KEYED else ():
            for goal in goals:
                if self._settled():
                    return
                yield from self._meet(goal, limits)
                extended = _extended(goal)
                if extended is not None and not self._settled():
                    yield from self._meet(extended, limits)

    def root(self) -> Goal:
        """The goal that the data state."""
        width = self.columns.shape[1]
        return Goal(self.columns, tuple(variable(j) for j in range(width)), self.answers, lambda e: e)

    def nearest(self, goals: list[Goal]) -> Iterator[Fitted | None]:
        """Formulas that come near, through the first goals; one with odd constants may turn out to be exact."""
        for goal in goals[:_NEAR]:
            bank, _ = self._bank(goal, 15_000)
            while bank.cost < 7 and not bank.full:
                for _ in bank.grow():
                    yield None
            for found in rough(goal, bank, self.columns, self.answers):
                if found is not None:
                    self.near.append(found)
                    yield self._checked(found.expr)
                else:
                    yield None
        self.near = front(self.near)
        self.near_done = True
        yield None

    def _settled(self) -> bool:
        return self.best is not None

    def _explore(self, root: Goal, goals: list[Goal]) -> Iterator[Fitted | None]:
        """Quick methods on the goal and on what it reduces to, the fewest variables first."""
        waiting = [_Waiting((root.width, 0.0), root)]
        seen: set[tuple[bytes, ...]] = set()
        after = 0
        while waiting and len(goals) < _GOALS:
            this = heapq.heappop(waiting)
            goal = this.goal
            goals.append(goal)
            yield from self._quick(goal)
            if self.best is not None:
                # A few more goals: the first formula need not be the plainest.
                after += 1
                if after > 1:
                    return
            if len(goal.target) < _ENOUGH or goal.width < 2:
                continue
            fits: list[Surrogate] = []
            for surrogate in surrogates(goal.columns, goal.target, self.rng):
                yield None
                if surrogate is not None:
                    fits.append(surrogate)
            fits.sort(key=lambda s: s.error)
            if fits and fits[0].error > 3 * this.error + 0.03:
                continue  # fewer variables than it depends on: the reduction was none
            for surrogate in fits[:3]:
                if surrogate.error > 4 * fits[0].error + 1e-3:
                    break
                for reduction in reductions(goal, surrogate):
                    self._push(waiting, seen, this, reduction, fits[0].error)
                yield None
            least = fits[0].error if fits else 1.0
            if least > 0.01:
                for reduced in waves(goal, least, self.rng):
                    yield None
                    if reduced is not None:
                        self._push(waiting, seen, this, reduced, least)

    def _push(
        self,
        waiting: list[_Waiting],
        seen: set[tuple[bytes, ...]],
        parent: _Waiting,
        reduction: Reduction,
        error: float,
    ) -> None:
        child = reduction.goal
        key = _signature(child)
        if key in seen or not np.isfinite(child.columns).all() or not np.isfinite(child.target).all():
            return
        seen.add(key)
        penalty = parent.penalty + reduction.strange + max(0.0, float(np.log10(reduction.left + 1e-9)) + 3)
        heapq.heappush(waiting, _Waiting((child.width + penalty, len(seen)), child, penalty, error))

    def _quick(self, goal: Goal) -> Iterator[Fitted | None]:
        bank, _ = self._bank(goal, 20_000)
        while bank.cost < 4 and not bank.full:
            for _ in bank.grow():
                yield None
        enough = len(goal.target) >= 12
        for method in (
            lambda: products(goal, bank, 1) if enough else iter(()),
            lambda: sums(goal, bank, 1, 40 if enough else 0),
            lambda: quotients(goal, 1) if enough else iter(()),
            lambda: self._meet(goal, _ROUNDS[0]) if self.best is None or self.best.bits > 120 else iter(()),
        ):
            before = self.best
            for found in method():
                if isinstance(found, Expr):
                    yield self._checked(goal.rebuild(_over(found, goal)))
                else:
                    yield found
            if self.best is not None and self.best is not before and self.best.bits < 60:
                return

    def _meet(self, goal: Goal, limits: Rounds) -> Iterator[Fitted | None]:
        capacity = min(limits.capacity, int(self.memory / (_PROBES * 8 * 3)))
        bank, probes = self._bank(goal, capacity)
        while not bank.full and bank.cost < 12:
            for _ in bank.grow():
                yield None
        self.made += bank.made
        meeting = Meeting(goal, bank, probes)
        yield from meeting.prepare()
        for found in meeting.direct(limits.depth):
            yield None if found is None else self._checked(goal.rebuild(_over(found, goal)))
        for found in meeting.with_factor(limits.factor_depth, limits.factors, limits.then):
            yield None if found is None else self._checked(goal.rebuild(_over(found, goal)))

    def _bank(self, goal: Goal, capacity: int) -> tuple[Bank, Indices]:
        probes = _probes(goal)
        return Bank(np.ascontiguousarray(goal.columns[probes]), capacity), probes

    def _checked(self, expr: Expr) -> Fitted | None:
        if expr in self._tried or not is_whole(expr):
            return None
        if len(self._tried) < 100_000:
            self._tried.add(expr)
        found = polished(expr, self.columns, self.answers, self.tolerance)
        if found is not None and (self.best is None or found.bits < self.best.bits):
            self.best = found
            return found
        return None


def _over(expr: Expr, goal: Goal) -> Expr:
    from meristem.search.formulas.expressions import substitute

    return substitute(expr, goal.parts)


def _probes(goal: Goal) -> Indices:
    """Rows that differ from each other and are not 0 in any variable, as far as there are such."""
    _, first = np.unique(goal.columns, axis=0, return_index=True)
    first.sort()
    whole = first[(goal.columns[first] != 0).all(axis=1) & (goal.target[first] != 0)]
    rows = whole if len(whole) >= min(_PROBES, len(first)) else first
    return rows[np.linspace(0, len(rows) - 1, min(_PROBES, len(rows))).astype(np.int64)]


def _extended(goal: Goal) -> Goal | None:
    """The goal with products and quotients of its variables as variables: the groups that most formulas have."""
    width = goal.width
    if not 2 <= width <= 6:
        return None
    powers = [p for p in cartesian((-2, -1, 0, 1, 2), repeat=width) if 0 < sum(map(abs, p)) <= 4]
    # Of a group and its inverse one is enough: the bank has inverses.
    powers = sorted((p for p in powers if next(v for v in p if v) > 0), key=lambda p: sum(map(abs, p)))[:120]
    exprs = [product([(variable(j), Fraction(p)) for j, p in enumerate(power) if p]) for power in powers]
    columns = np.stack([evaluate(expr, goal.columns) for expr in exprs], axis=1)
    if not np.isfinite(columns).all():
        return None
    parts = tuple(_over(expr, goal) for expr in exprs)
    return Goal(columns, parts, goal.target, goal.rebuild, "groups", goal.depth)


def _signature(goal: Goal) -> tuple[bytes, ...]:
    """The same for goals of the same variables in any order, up to factors, and the same target up to a factor."""

    def key(values: Reals) -> bytes:
        most = np.abs(values).max()
        return np.round(np.abs(values[:6] / most), 8).tobytes() if most > 0 else b""

    return (key(goal.target), *sorted(key(goal.columns[:, j]) for j in range(goal.width)))


__all__ = ["Exact"]
