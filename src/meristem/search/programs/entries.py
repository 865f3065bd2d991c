"""Recall from a library: entries of a fitting type tried as they are, those that may do it first."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING

from meristem.language.terms import Term, Variable
from meristem.library.running import substituted
from meristem.search.programs.check import Checker
from meristem.search.programs.cost import description_length
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.task.examples import ExampleTask

if TYPE_CHECKING:
    from meristem.library import Entry, Library

_MOST = 150  # entries that are tried, in all orders of the inputs together: 1 ms or 2 each
_MOST_INPUTS = 3  # up to which inputs are tried in every order
_PATIENCE = 40  # entries that are tried after one that fits: a likelier one may come, hardly after that
_TURN = 0.05  # seconds between chances for the caller to stop
_NEW, _OFTEN = 7.0, 3.0  # half bits of an entry that nothing used, and of one that very much did


def entry_cost(uses: int) -> float:
    """Half bits of naming an entry: the less the more often it was used, as of any word.

    A list of entries that each get the chance (uses + 1) / (all uses + entries) would need the whole library; what
    the logarithm of the uses takes off is the same but for a constant.
    """
    return max(_NEW - 2 * math.log2(1 + uses), _OFTEN)


def as_task(problem: Problem, order: Sequence[str] | None = None) -> ExampleTask:
    """The examples of a problem as a library looks at them, the inputs in an order of our own."""
    inputs = {name: problem.inputs[name] for name in (order or problem.inputs)}
    return ExampleTask("", inputs, problem.answers, {}, numbers=tuple(range(1, len(problem) + 1)))


class Recall(Finder):
    """Tries the programs of a library as they are.

    Args:
        library: It.
        origins: Filled with the entry that each program found is of.
        deadline: `time.monotonic()` time to end by.
    """

    name = "library"

    def __init__(
        self, library: Library, origins: dict[Term, tuple[Entry, ...]], deadline: float = math.inf
    ) -> None:
        self.library, self.origins, self.deadline = library, origins, deadline

    def suits(self, problem: Problem) -> bool:
        """Whether there is anything to try."""
        return len(problem) > 0 and len(problem.inputs) > 0

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """Gives each entry that answers examples, with the inputs in each order that its type allows."""
        checker, finding = Checker(problem), self.library.finding
        uses = self.library.use_counts()
        names = list(problem.inputs)
        orders = list(permutations(names)) if len(names) <= _MOST_INPUTS else [tuple(names)]
        candidates: list[tuple[float, int, tuple[str, ...]]] = []
        for order in orders:
            task = as_task(problem, order)
            for k, (place, score) in enumerate(finding.likeliest(task)):
                if k >= _MOST:
                    break
                candidates.append((-score, int(finding.numbers[place]), order))
            yield None
        candidates.sort()
        said = time.monotonic()
        tried: set[Term] = set()
        left = _MOST
        for _, number, order in candidates:
            if left <= 0 or time.monotonic() > self.deadline:
                return
            known = finding.term_of(number)
            if known is None:
                continue
            term = renamed(known[0], known[1], order)
            if term in tried:
                continue
            tried.add(term)
            left -= 1
            problem.notes["programs"] = len(tried)
            checked = checker.check(term)
            if checked is not None and len(checked.wrong) < len(problem):
                entries = self.library.numbered([number])
                if entries:
                    self.origins[term] = (entries[0],)
                    unused = len(names) - len(term.free_names)
                    named = entry_cost(uses.get(number, 0)) + len(term.free_names) + 2.0 * unused
                    cost = min(named, description_length(term, len(names)))
                    found = Found(term, cost, checked.wrong)
                    if not checked.wrong:
                        left = min(left, _PATIENCE)
                    said = time.monotonic()
                    yield found
            if time.monotonic() - said > _TURN:
                said = time.monotonic()
                yield None


def renamed(term: Term, parameters: Sequence[str], names: Sequence[str]) -> Term:
    """A program with other names for its inputs."""
    values: Mapping[str, Term] = {
        old: Variable(new) for old, new in zip(parameters, names, strict=True) if old != new
    }
    return substituted(term, values)


__all__ = ["Recall", "as_task", "entry_cost", "renamed"]
