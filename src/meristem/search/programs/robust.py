"""Searching where some examples are wrong: any finder, on parts of the examples that may happen to be all right.

As in RANSAC (Fischler and Bolles, 1981): a program is searched for a few examples drawn at random, and what is found
is held against all of them. A third of the examples is drawn: of 12 with one wrong such a part is free of it two times
in three, of 20 with four wrong one time in six.
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
        turns = _FIRST_TURNS
        while True:
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


def _allowed(problem: Problem) -> int:
    return int(problem.wrong * len(problem) + 1e-9)


def _checked(found: Found, checker: Checker) -> Found | None:
    checked = checker.check(found.term)
    return None if checked is None else replace(found, wrong=checked.wrong)


def _part(problem: Problem, rng: Random) -> Problem:
    """Some of the examples, no two of them with the same inputs."""
    count = len(problem)
    size = min(max(round(_SHARE * count), _LEAST), _MOST, count - _allowed(problem))
    rows: Sequence[object] = [
        tuple(hashable(v) for v in row)
        for row in zip(*(column.to_list() for column in problem.inputs.values()), strict=True)
    ] or list(range(count))
    order = list(range(count))
    rng.shuffle(order)
    chosen: dict[object, int] = {}
    for k in order:
        chosen.setdefault(rows[k], k)
    places = np.array(sorted(list(chosen.values())[:size]), np.int64)
    inputs = {name: column.take(places) for name, column in problem.inputs.items()}
    return replace(problem, inputs=inputs, answers=problem.answers.take(places), wrong=0.0, notes={})


__all__ = ["Robust"]
