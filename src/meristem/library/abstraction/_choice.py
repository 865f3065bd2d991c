"""Which subroutines to have: the set with which programs and definitions together are shortest.

Taking the best one, writing the programs with it and looking again is greedy: the first choice is made as if it were
the only one. Here that is only the start. The length of a set is exact (`abstraction_rewrite`), so sets can be
compared: more are taken than wanted and the least useful dropped; then each in turn is taken out, and what is best
beside the others is put in its place, from all that was found so far and from a new search. It ends where no such
exchange makes anything shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from meristem.library.abstraction._rewrite import (
    Matches,
    Pattern,
    definition_costs,
    find_matches,
    in_order,
    least_costs,
    rewritten,
    written_out,
)
from meristem.library.abstraction._search import Found, Settings, plain_cost, search
from meristem.library.abstraction._trees import Floats, Forest, View

_WORTH = 0.7  # of what a subroutine saves, what a search must promise of another in its place
_CELLS = 6_000_000  # trees x sets compared in one pass


@dataclass(frozen=True)
class Limits:
    """What a choice may do.

    Args:
        count: The most subroutines.
        arities: The most parameters of one; each is tried on its own, and the best sets are merged.
        least: The fewest parameters of one.
        effort: Of one search.
        surplus: How many more than `count` are taken before the least useful are dropped.
        rounds: How often each is exchanged at most; 0 is greedy.
        shakes: How often some are taken out together and others put in their place, after that.
        keep: How many of the best patterns of one search are measured together with the others.
        tasks: In how many tasks one must be of use, 1 or 2.
    """

    count: int = 20
    arities: tuple[int, ...] = (2,)
    least: int = 0
    effort: int = 3_000_000
    surplus: int = 4
    rounds: int = 2
    shakes: int = 2
    keep: int = 12
    tasks: int = 2


@dataclass
class Choice:
    """A set of subroutines, and everything written with it.

    Attributes:
        patterns: The subroutines; the first are those that others call.
        programs: Each program as a tree with calls.
        bodies: Each body as a tree with calls.
        before: The length of the programs as they were.
        after: Their length with calls.
        definitions: The length of the bodies and of what defines them.
    """

    patterns: list[Pattern] = field(default_factory=list)
    programs: list[int] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    before: float = 0.0
    after: float = 0.0
    definitions: float = 0.0

    @property
    def total(self) -> float:
        """Programs and definitions."""
        return self.after + self.definitions


Set = tuple[Pattern, ...]


class Chooser:
    """Compares sets of subroutines over the same programs.

    Args:
        forest: Holds the programs.
        programs: Trees.
        weights: How much each counts.
        tasks: The task of each.
        limits: What may be done.
        stop: Asked between steps; True ends with the best so far.
        allowed: Whether a pattern may become a subroutine.
        tell: Told of each better set: how many subroutines, and the length in all.
    """

    def __init__(
        self,
        forest: Forest,
        programs: Sequence[int],
        weights: Sequence[float],
        tasks: Sequence[int],
        limits: Limits,
        stop: Callable[[], bool] = lambda: False,
        allowed: Callable[[Pattern], bool] = lambda pattern: True,
        tell: Callable[[int, float], None] = lambda count, length: None,
    ) -> None:
        self.forest, self.programs, self.limits = forest, list(programs), limits
        self.weights: Floats = np.asarray(weights, np.float64)
        self.tasks = list(tasks)
        self.stop, self.allowed, self.tell = stop, allowed, tell
        self.known: dict[Pattern, None] = {}
        self.refused: set[Pattern] = set()
        self.view = View(forest, self.programs)
        self.matches: dict[Pattern, Matches] = {}
        self.effort = limits.effort
        self.searches = 0
        self.exhaustive = 0  # searches that saw all
        self.lengths_of: dict[frozenset[Pattern], float] = {}
        self.searched: dict[tuple[frozenset[Pattern], int], list[Pattern]] = {}

    # -------------------------------------------------------------------------------------- lengths

    def learn(self, patterns: Sequence[Pattern]) -> None:
        """Take patterns into the view."""
        new = [p for p in patterns if p not in self.known]
        if new:
            self.known.update(dict.fromkeys(new))
            self.view = View(self.forest, [*self.programs, *(p.body for p in self.known)])
            self.matches = {}

    def matches_of(self, pattern: Pattern) -> Matches:
        """Where a pattern fits."""
        found = self.matches.get(pattern)
        if found is None:
            found = self.matches[pattern] = find_matches(self.view, pattern)
        return found

    def lengths(self, sets: Sequence[Set]) -> list[float]:
        """The length of the programs and definitions with each of these sets."""
        keys = [frozenset(s) for s in sets]
        missing = [s for s, key in zip(sets, keys, strict=True) if key not in self.lengths_of]
        if missing:
            self.learn([p for s in missing for p in s])
            block = max(1, min(64, _CELLS // len(self.view)))
            for at in range(0, len(missing), block):
                self._measure(missing[at : at + block])
        return [self.lengths_of[key] for key in keys]

    def _measure(self, sets: Sequence[Set]) -> None:
        used: dict[Pattern, list[int]] = {}
        for column, patterns in enumerate(sets):
            for pattern in patterns:
                used.setdefault(pattern, []).append(column)
        found = [(p, self.matches_of(p), columns) for p, columns in used.items()]
        cost = least_costs(self.view, [(matches, columns) for _, matches, columns in found], len(sets))
        own = definition_costs(self.view, found, cost)
        programs = self.view.roots[: len(self.programs)]
        totals = self.weights @ cost[programs]
        for column, patterns in enumerate(sets):
            definitions = sum(float(own[p][column]) + self.forest.costs.definition for p in patterns)
            self.lengths_of[frozenset(patterns)] = float(totals[column]) + definitions

    # -------------------------------------------------------------------------------------- finding more

    def more(self, patterns: Set, arity: int, floor: float) -> list[Pattern]:
        """What a search finds in the programs as they are written with these patterns; see `Settings.floor`."""
        key = frozenset(patterns), arity
        done = self.searched.get(key)
        if done is None:
            done = self.searched[key] = self._search(patterns, arity, floor)
        return done

    def _search(self, patterns: Set, arity: int, floor: float) -> list[Pattern]:
        self.learn(patterns)
        found = [self.matches_of(p) for p in patterns]
        programs, bodies = rewritten(
            self.view, patterns, found, self.view.roots[: len(self.programs)].tolist()
        )
        own = max(self.tasks, default=-1) + 1
        tasks = [*self.tasks, *range(own, own + len(patterns))]
        weights = np.concatenate((self.weights, np.ones(len(patterns))))
        limits = self.limits
        settings = Settings(arity, limits.least, self.effort, limits.keep, limits.tasks, floor)
        result: Found = search(View(self.forest, [*programs, *bodies]), weights, tasks, settings, self.stop)
        self.searches += 1
        self.exhaustive += result.complete
        known: dict[int, int] = {}
        plain = (
            in_order(self.forest, written_out(self.forest, c.body, known), c.arity) for c in result.candidates
        )
        return [p for p in dict.fromkeys(plain) if p not in patterns and self.may(p)]

    def may(self, pattern: Pattern) -> bool:
        """Whether a pattern may become a subroutine."""
        if pattern in self.refused:
            return False
        if pattern not in self.known and not self.allowed(pattern):
            self.refused.add(pattern)
            return False
        return True

    # -------------------------------------------------------------------------------------- sets

    def better(
        self, patterns: Set, length: float, arity: int, pool: bool, floor: float = 0.0
    ) -> tuple[Set, float]:
        """The set with one more that is shortest; the same set where none makes it shorter."""
        offers = self.more(patterns, arity, floor)
        if pool:
            offers = list(dict.fromkeys([*offers, *(p for p in self.known if p.arity <= arity)]))
        sets = [(*patterns, p) for p in offers if p not in patterns]
        if not sets:
            return patterns, length
        lengths = self.lengths(sets)
        best = int(np.argmin(lengths))
        return (sets[best], lengths[best]) if lengths[best] < length - 1e-6 else (patterns, length)

    def greedy(self, arity: int, patterns: Set = (), count: int | None = None) -> tuple[Set, float]:
        """Patterns one at a time, each the best beside those before."""
        length = self.lengths([patterns])[0]
        count = self.limits.count + self.limits.surplus if count is None else count
        while len(patterns) < count and not self.stop():
            found, shorter = self.better(patterns, length, arity, pool=False)
            if found is patterns:
                break
            patterns, length = self.pruned(found, shorter)
            self.tell(len(patterns), length)
        return patterns, length

    def pruned(self, patterns: Set, length: float, count: int | None = None) -> tuple[Set, float]:
        """The set without what does not pay; and with `count`, without the least useful beyond that many."""
        while patterns:
            without = [patterns[:i] + patterns[i + 1 :] for i in range(len(patterns))]
            lengths = self.lengths(without)
            best = int(np.argmin(lengths))
            surplus = count is not None and len(patterns) > count
            if lengths[best] > length + 1e-6 and not surplus:
                break
            patterns, length = without[best], lengths[best]
        return patterns, length

    def exchanged(self, patterns: Set, length: float, arity: int) -> tuple[Set, float]:
        """The set after exchanges, each of which made it shorter; the least useful are looked at first."""
        count = self.limits.count
        for _ in range(self.limits.rounds):
            start = length
            without = [tuple(p for p in patterns if p is not gone) for gone in patterns]
            order = np.argsort(self.lengths(without), kind="stable")
            for gone in [patterns[i] for i in order]:
                if self.stop():
                    return patterns, length
                rest = tuple(p for p in patterns if p is not gone)
                if len(rest) == len(patterns):
                    continue
                base = self.lengths([rest])[0]
                # What comes in its place has to save about as much as it did. The search knows less than the whole of
                # that: the programs are written with the others already.
                floor = _WORTH * (base - length) if len(patterns) >= count else 0.0
                found, shorter = self.better(rest, base, arity, pool=True, floor=floor)
                while len(found) < count and found is not rest:
                    more, less = self.better(found, shorter, arity, pool=True)
                    if more is found:
                        break
                    found, shorter = more, less
                found, shorter = self.pruned(found, shorter)
                if shorter < length - 1e-6:
                    patterns, length = found, shorter
                    self.tell(len(patterns), length)
            if length > start - 1e-6:
                break
        return patterns, length

    def begun(self, arity: int) -> tuple[Set, float]:
        """A set to begin with: the best of greedy ones that looked more and less hard, since less is often better."""
        best: tuple[Set, float] | None = None
        efforts = (
            (self.limits.effort, self.limits.effort // 3) if self.limits.rounds else (self.limits.effort,)
        )
        for effort in efforts:
            self.effort, self.searched = effort, {}
            found = self.pruned(*self.greedy(arity), self.limits.count)
            if best is None or found[1] < best[1]:
                best = found
            if self.stop():
                break
        self.effort, self.searched = self.limits.effort, {}
        assert best is not None
        return best

    def shaken(self, patterns: Set, length: float, arity: int) -> tuple[Set, float]:
        """The set after several at a time were taken out and the rest was filled up again, where that was shorter."""
        rng = Random(len(patterns))
        for _ in range(self.limits.shakes):
            if self.stop() or len(patterns) < 2:
                break
            gone = set(rng.sample(range(len(patterns)), min(3, len(patterns) - 1)))
            found = tuple(p for k, p in enumerate(patterns) if k not in gone)
            shorter = self.lengths([found])[0]
            while len(found) < self.limits.count and not self.stop():
                more, less = self.better(found, shorter, arity, pool=True)
                if more is found:
                    break
                found, shorter = more, less
            found, shorter = self.pruned(found, shorter)
            if shorter < length - 1e-6:
                patterns, length = found, shorter
                self.tell(len(patterns), length)
        return patterns, length

    def choose(self) -> Set:
        """The best set found under the limits."""
        limits = self.limits
        best: tuple[Set, float] = ((), self.lengths([()])[0])
        for arity in limits.arities:
            patterns, length = self.begun(arity)
            patterns, length = self.exchanged(patterns, length, arity)
            patterns, length = self.shaken(patterns, length, arity)
            if length < best[1] - 1e-6:
                best = patterns, length
            if self.stop():
                break
        patterns, length = best
        if len(limits.arities) > 1 and not self.stop():  # what was found for any arity, together
            best = self.exchanged(patterns, length, max(limits.arities))
        return best[0]

    def written(self, patterns: Set) -> Choice:
        """Everything written with a set; those that others call first."""
        self.learn(patterns)
        ordered = sorted(patterns, key=lambda p: (self.forest.size(p.body), p.body))
        found = [self.matches_of(p) for p in ordered]
        roots = self.view.roots[: len(self.programs)]
        programs, bodies = rewritten(self.view, ordered, found, roots.tolist())
        before = float(self.weights @ self.view.plain_costs()[roots])
        after = float(self.weights @ np.array([plain_cost(self.forest, tree) for tree in programs]))
        definitions = sum(plain_cost(self.forest, tree) + self.forest.costs.definition for tree in bodies)
        return Choice(ordered, programs, bodies, before, after, definitions)


__all__ = ["Choice", "Chooser", "Limits", "Set"]
