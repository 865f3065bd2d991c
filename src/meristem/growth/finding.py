"""The hunt for programs that fit: finders take turns, those that pay get more, and what they give is checked."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meristem import events
from meristem.errors import MeristemError, ResourceError
from meristem.growth.clock import Clock
from meristem.language.plain import strict
from meristem.language.terms import If, Term
from meristem.language.text import format_term
from meristem.model.program_report import FinderEnd
from meristem.search.programs.check import Checker
from meristem.search.programs.cost import exception_cost
from meristem.search.programs.problem import Finder, Found, Problem

_PAYING = 3.0  # how much more time a finder gets that gave the best program
_GRACE_SHARE, _GRACE_LEAST = 0.25, 0.2  # of the seconds spent, and seconds, without a likelier program
_GRACE_TURNS = 20  # the same where turns count
# A program is unlikely whose cost is beyond this times the cost up to which all programs were seen. Likelier ones may
# well come then, and the search goes on for longer.
_FAR = 1.5
_PATIENCE_TURNS = 500
_LONE_BRANCH = 3.0  # bits against a branch that rests on one example, beside what its finder counts
_MOST_KEPT = 2000  # programs that fit
_LEAST_EACH = 0.1  # seconds, times its weight, that each finder has had before the search may end


@dataclass(frozen=True)
class Fitting:
    """A program that fits the examples, checked.

    Args:
        term: The program.
        bits: Its description length, exceptions and lone branches counted.
        wrong: Positions of the examples that it does not answer.
        support: The least number of examples that a branch rests on.
        values: Its answers to the examples; None where it has none.
        finder: What found it.
        turn: At which turn of the hunt.
        seconds: How long after the start.
    """

    term: Term
    bits: float
    wrong: tuple[int, ...]
    support: int
    values: tuple[Any, ...]
    finder: str
    turn: int
    seconds: float

    @property
    def rank(self) -> tuple[float, int, str]:
        """What programs are sorted by, the likeliest first. It does not depend on when they were found."""
        return (round(self.bits, 9), self.term.size, self.term.digest)

    @property
    def branches(self) -> bool:
        """Whether it has branches at all."""
        return any(isinstance(node, If) for node in self.term.walk())


@dataclass
class _Turns:
    """A finder at work."""

    finder: Finder
    problem: Problem
    generator: Iterator[Found | None]
    seconds: float = 0.0
    turns: int = 0
    found: int = 0
    refuted: int = 0
    weight: float = 1.0
    end: str = ""

    @property
    def programs(self) -> int:
        return max(int(self.problem.notes.get("programs", 0)), 0)


class Hunt:
    """Runs finders until the best program is settled, the budget is spent, or nothing is left to try.

    With a budget in trials and none in seconds nothing depends on the clock: the same seed gives the same program.

    Args:
        problem: What is to be solved.
        finders: Ways of searching; those that do not suit are left out.
        trials: Turns of all finders together; None where only time counts.
        clock: When it must end.
        hub: Told of what happens.

    Attributes:
        fitting: What fits, by term.
        partial: The program that answers most of the examples, where none fits.
        ended: Why it ended, in words.
        exhausted: Whether every finder came to its end.
    """

    def __init__(
        self, problem: Problem, finders: Sequence[Finder], trials: int | None, clock: Clock, hub: events.Hub
    ) -> None:
        self.problem, self.trials, self.clock, self.hub = problem, trials, clock, hub
        self.checker = Checker(problem)
        self.allowed = int(problem.wrong * len(problem) + 1e-9)
        self.timed = clock.limit < float("inf")
        self.fitting: dict[Term, Fitting] = {}
        self.partial: Found | None = None
        self.best: Fitting | None = None
        self.ended, self.exhausted = "", False
        self.turn = self.settled_since = 0
        self.settled_at = 0.0
        self.work: list[_Turns] = []
        for finder in finders:
            own = replace(problem, notes={})
            try:
                if finder.suits(own):
                    self.work.append(_Turns(finder, own, finder.find(own), weight=finder.weight))
            except MeristemError:
                continue

    @property
    def considered(self) -> int:
        """How many programs were looked at, as far as the finders say."""
        return sum(each.programs for each in self.work)

    def run(self) -> None:
        """Search."""
        while True:
            alive = [each for each in self.work if not each.end]
            reason = self._reason(alive)
            if reason:
                self.ended = reason
                break
            # The one that has had least for its weight; of equals the first.
            each = min(alive, key=lambda w: (w.seconds if self.timed else w.turns) / w.weight)
            self._advance(each)
        for each in self.work:
            if not each.end:
                each.end = self.ended
                close = getattr(each.generator, "close", None)
                if close is not None:
                    close()

    def _reason(self, alive: list[_Turns]) -> str:
        """Why the search should end now; empty where it should not."""
        if self.clock.stopped:
            return "stopped by the user"
        if not alive:
            self.exhausted = True
            return "nothing is left to try" if self.work else "no way of searching suits these types"
        if self.trials is not None and self.turn >= self.trials:
            return f"all {self.trials:,} trials are used"
        if self.timed and self.clock.left <= 0:
            return "the time is used up"
        if self.best is None:
            return ""
        if self.timed:
            if any(each.seconds < _LEAST_EACH * each.finder.weight for each in alive):
                return ""
            spent = self.clock.elapsed
            grace = max(_GRACE_LEAST, _GRACE_SHARE * self.settled_at)
            if self._unlikely(alive):
                return ""  # the time that was given is used
            if spent - self.settled_at >= grace:
                return f"no likelier program came for {spent - self.settled_at:.1f} s"
        elif self.turn - self.settled_since >= max(
            (_PATIENCE_TURNS if self._unlikely(alive) else _GRACE_TURNS)
            * sum(each.finder.weight for each in self.work),
            _GRACE_SHARE * self.settled_since,
        ):
            return f"no likelier program came for {self.turn - self.settled_since:,} turns"
        return ""

    def _unlikely(self, alive: list[_Turns]) -> bool:
        """Whether the best program is so long that shorter ones which were not seen yet may well fit."""
        reached = max((each.problem.notes.get("reached", 0) for each in alive), default=0)
        return self.best is not None and 0 < _FAR * reached < 2 * self.best.bits  # costs are half bits

    def _advance(self, each: _Turns) -> None:
        """One turn of a finder."""
        began = time.monotonic()
        found: Found | None = None
        try:
            found = next(each.generator)
        except StopIteration:
            each.end = "nothing left to try"
        except (ResourceError, MemoryError):
            each.end = "out of memory"
        except Exception as error:
            # A defect of one finder must not take the others' work with it.
            if strict():
                raise
            each.end = f"failed: {type(error).__name__}: {error}"[:300]
            self.hub.errors.append(traceback.format_exc())
            self.hub.send(events.Warned(self.clock.elapsed, f"the search {each.finder.name!r} {each.end}"))
        each.turns += 1
        self.turn += 1
        if found is not None:
            self._take(found, each)
        each.seconds += time.monotonic() - began

    def _take(self, found: Found, each: _Turns) -> None:
        """Check a program that a finder gave; what the reference interpreter says counts."""
        checked = self.checker.check(found.term)
        if checked is None or (len(checked.wrong) > self.allowed and len(checked.wrong) > len(found.wrong)):
            each.refuted += 1
            return
        if len(checked.wrong) > self.allowed:
            if self.partial is None or len(checked.wrong) < len(self.partial.wrong):
                self.partial = replace(found, wrong=checked.wrong)
            return
        exceptions = len(checked.wrong) * exception_cost(self.problem.wrong) if checked.wrong else 0.0
        bits = 0.5 * (found.cost + exceptions) + (_LONE_BRANCH if found.support < 2 else 0.0)
        fitting = Fitting(
            found.term,
            float(bits),
            checked.wrong,
            found.support,
            checked.values,
            each.finder.name,
            self.turn,
            self.clock.elapsed,
        )
        each.found += 1
        before = self.fitting.get(found.term)
        if before is not None and before.bits <= fitting.bits:
            return
        if len(self.fitting) >= _MOST_KEPT and before is None:
            worst = max(self.fitting.values(), key=lambda f: f.rank)
            if worst.rank < fitting.rank:
                return
            del self.fitting[worst.term]
        self.fitting[found.term] = fitting
        text = format_term(found.term)
        now = self.clock.elapsed
        self.hub.send(
            events.CandidateEnded(now, self.turn, each.finder.name, text, "scored", fitting.bits, 0.0)
        )
        if self.best is None or fitting.rank < self.best.rank:
            self.best = fitting
            self.settled_since, self.settled_at = self.turn, now
            for other in self.work:
                other.weight = other.finder.weight * (_PAYING if other is each else 1.0)
            self.hub.send(events.Improved(now, fitting.bits, text))

    def offer(self, found: Found, finder: Finder) -> None:
        """Take a program that was found after the search, on parts of the examples."""
        each = _Turns(finder, self.problem, iter(()), end="what was left of the time")
        each.turns = 1
        self.work.append(each)
        self._take(found, each)

    def ends(self) -> list[FinderEnd]:
        """The finders and their ends, for the report."""
        return [
            FinderEnd(
                each.finder.name, each.seconds, each.turns, each.programs, each.found, each.refuted, each.end
            )
            for each in self.work
        ]


__all__ = ["Fitting", "Hunt"]
