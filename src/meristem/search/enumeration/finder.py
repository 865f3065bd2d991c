"""Enumeration as a finder: which examples are searched with, and the check of what was found on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.language.interpreter import evaluate
from meristem.language.terms import Term
from meristem.search.enumeration._grammar import Material, material_of
from meristem.search.enumeration._search import Search
from meristem.search.enumeration._settings import Settings
from meristem.search.programs.check import same
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.values import Column, hashable


def differing(term: Term, problem: Problem) -> NDArray[np.int64]:
    """Positions of the examples that a program does not answer."""
    count = len(problem)
    try:
        result = evaluate(term, problem.inputs, rows=count, fuel=200_000)
    except MeristemError:
        return np.arange(count)
    of = problem.answers.type
    if result.column.type != of:
        return np.arange(count)
    wrong = result.failures != 0
    for i, (got, wanted) in enumerate(zip(result.column.to_list(), problem.answers.to_list(), strict=True)):
        wrong[i] = wrong[i] or not same(got, wanted, of, problem.close)
    return np.flatnonzero(wrong)


@dataclass(frozen=True)
class Enumerate(Finder):
    """Bottom-up enumeration, cheapest programs first.

    Args:
        settings: What the search may do.
        material: What programs for a problem are made of.
    """

    name = "enumerate"
    settings: Settings = field(default_factory=Settings)
    material: Callable[[Problem], Material] = material_of

    def suits(self, problem: Problem) -> bool:
        """Whether there is anything to enumerate over."""
        return len(problem) > 0

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """See `Finder.find`."""
        count = len(problem)
        chosen = spread_out(problem.answers, min(count, self.settings.examples), problem.seed)
        told: set[Term] = set()
        while True:
            part = _take(problem, np.array(sorted(chosen)))
            missed: list[int] = []
            search = Search(part, self.settings, self.material(part))
            before = problem.notes.get("programs", 0)
            for found in search.run():
                if found is None:
                    problem.notes["programs"] = before + search.tried
                    problem.notes["reached"] = search.closed
                    yield None
                    continue
                if found.term in told:
                    continue
                told.add(found.term)
                wrong = differing(found.term, problem)
                if len(wrong) <= problem.wrong * count:
                    yield replace(found, wrong=tuple(wrong.tolist()))
                elif wrong[0] not in chosen:
                    missed += [int(w) for w in wrong[:2] if w not in chosen]
                    if len(missed) >= 4:  # what fits the chosen ones is wrong elsewhere: choose better
                        break
            if not missed:
                return
            chosen |= set(missed)


def spread_out(answers: Column, count: int, seed: int) -> set[int]:
    """Positions of examples that differ from one another: of each answer one, as long as there is room."""
    order = np.random.default_rng([seed, 31]).permutation(len(answers)).tolist()
    values = answers.to_list()
    seen: set[object] = set()
    first = [i for i in order if not (hashable(values[i]) in seen or seen.add(hashable(values[i])))]  # type: ignore[func-returns-value]
    rest = [i for i in order if i not in set(first)]
    return set((first + rest)[:count])


def _take(problem: Problem, rows: NDArray[np.int64]) -> Problem:
    inputs = {name: column.take(rows) for name, column in problem.inputs.items()}
    return replace(problem, inputs=inputs, answers=problem.answers.take(rows))


__all__ = ["Enumerate", "differing", "spread_out"]
