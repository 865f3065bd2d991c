"""Programs that are at hand: tried first, as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meristem.language.terms import Term
from meristem.search.programs.check import Checker
from meristem.search.programs.cost import description_length
from meristem.search.programs.problem import Finder, Found, Problem


class Try(Finder):
    """Tries programs that were given: of other models, or written by a user.

    Args:
        terms: The programs, without holes.
    """

    name = "recall"

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)

    def suits(self, problem: Problem) -> bool:
        """Whether there is anything to try."""
        return bool(self.terms)

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """Gives each program that is well typed here, also those that answer some of the examples only."""
        checker = Checker(problem)
        for term in self.terms:
            checked = checker.check(term)
            if checked is None:
                yield None
            else:
                yield Found(term, description_length(term, len(problem.inputs)), checked.wrong)


__all__ = ["Try"]
