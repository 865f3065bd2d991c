"""Searching where some examples are wrong: any finder, on parts of the examples that may happen to be all right.

As in RANSAC (Fischler and Bolles, 1981): a program is searched for a few examples drawn at random, and what is found
is held against all of them. A third of the examples is drawn: of 12 with one wrong such a part is free of it two times
in three, of 20 with four wrong one time in six. Where few examples are given of which one may be wrong, there
is a surer way: each in turn is left out, one of these parts is free of it, and no more is lost than must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import numpy as np

from meristem.search.programs.check import Checker
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.values import hashable

_SHARE, _LEAST, _MOST = 0.34, 4, 10
_FIRST_TURNS = (
    150  # of the finder on the first parts (a tenth of a second or two); twice as many in each round
)
_PARTS_A_ROUND = 4
_FEW = 8  # examples, of which one may be wrong, up to which each is left out once
_SLICE = 25  # turns of one part before the next has some: what it works on stays near
_FIRST_EACH = 4000  # turns of each of these parts before parts are drawn: some five seconds


class Robust(Finder):
    """Runs another finder on parts of the examples.

    Args:
        finder: The other one.
    """

    name = "robust"

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self.name = f"{finder.name} on parts"  # type: ignore[misc]
        self.weight = finder.weight  # type: ignore[misc]

    def suits(self, problem: Problem) -> bool:
        """Whether wrong examples are tolerated, and there are enough to do without some."""
        if self.finder.tolerant:
            return False
        return _allowed(problem) > 0 and len(problem) > _LEAST and self.finder.suits(problem)

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """See `Finder.find`. Never comes to an end: another part may always be free of wrong examples."""
        rng = Random(f"parts {problem.seed}")
        checker = Checker(problem)
        if _allowed(problem) == 1 and len(problem) <= _FEW:
            yield from self._each_left_out(problem, checker)
        turns = _FIRST_TURNS
        while True:  # each part anew: its memory is free again, and the next round has twice as many turns
            for _ in range(_PARTS_A_ROUND):
                part = _part(problem, rng)
                before = problem.notes.get("programs", 0)
                for count, found in enumerate(self.finder.find(part), 1):
                    problem.notes["programs"] = before + part.notes.get("programs", 0)
                    yield None if found is None else _checked(found, checker)
                    if count >= turns:
                        break
                else:
                    yield None
            turns *= 2

    def _each_left_out(self, problem: Problem, checker: Checker) -> Iterator[Found | None]:
        """Search for all examples but one, for each of them side by side: none is begun anew.

        A restart would see the same programs again, and the one part that is right would have its turns too late.
        """
        parts = _left_out(problem)
        work = [(part, self.finder.find(part)) for part in parts]
        for _ in range(_FIRST_EACH // _SLICE):
            for part, generator in list(work):
                for _ in range(_SLICE):
                    try:
                        found = next(generator)
                    except StopIteration:
                        work.remove((part, generator))
                        yield None
                        break
                    problem.notes["programs"] = sum(each.notes.get("programs", 0) for each in parts)
                    yield None if found is None else _checked(found, checker)
            if not work:
                break
        for _, generator in work:
            close = getattr(generator, "close", None)
            if close is not None:
                close()


def _allowed(problem: Problem) -> int:
    return int(problem.wrong * len(problem) + 1e-9)


def _checked(found: Found, checker: Checker) -> Found | None:
    checked = checker.check(found.term)
    return None if checked is None else replace(found, wrong=checked.wrong)


def _part(problem: Problem, rng: Random) -> Problem:
    """Some of the examples, no two of them with the same inputs."""
    count = len(problem)
    rows = _rows(problem)
    size = min(max(round(_SHARE * count), _LEAST), _MOST, count - _allowed(problem))
    order = list(range(count))
    rng.shuffle(order)
    chosen: dict[object, int] = {}
    for k in order:
        chosen.setdefault(rows[k], k)
    return _taken(problem, sorted(list(chosen.values())[:size]), problem.memory)


def _left_out(problem: Problem) -> list[Problem]:
    """All examples but one, for each of them; without those where two have the same inputs."""
    count, rows = len(problem), _rows(problem)
    kept = [[k for k in range(count) if k != left] for left in range(count)]
    kept = [places for places in kept if len({rows[k] for k in places}) == len(places)]
    return [_taken(problem, places, problem.memory // len(kept)) for places in kept]


def _rows(problem: Problem) -> Sequence[object]:
    """The inputs of each example as something that can be compared."""
    return [
        tuple(hashable(v) for v in row)
        for row in zip(*(column.to_list() for column in problem.inputs.values()), strict=True)
    ] or list(range(len(problem)))


def _taken(problem: Problem, chosen: Sequence[int], memory: int) -> Problem:
    places = np.array(chosen, np.int64)
    inputs = {name: column.take(places) for name, column in problem.inputs.items()}
    return replace(
        problem, inputs=inputs, answers=problem.answers.take(places), wrong=0.0, memory=memory, notes={}
    )


__all__ = ["Robust"]
