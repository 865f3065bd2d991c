"""The search for formulas as a finder of programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from meristem.search.formulas.exact import Exact
from meristem.search.formulas.expressions import Reals, to_term
from meristem.search.formulas.polish import Fitted
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.types import INT, REAL, Type
from meristem.values import Column, Scalars

_LEAST = 3  # examples: a line goes through any two


class Formulas(Finder):
    """Finds formulas over numbers: reals from reals or whole numbers.

    What is found answers every example; where the numbers leave several, the one of least description length comes
    last. Deterministic given the problem's seed.
    """

    name: ClassVar[str] = "formulas"

    def suits(self, problem: Problem) -> bool:
        """Numbers in, a real out, and at least three examples."""
        return (
            len(problem) >= _LEAST
            and problem.answers.type == REAL
            and bool(problem.inputs)
            and all(column.type in (INT, REAL) for column in problem.inputs.values())
        )

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """Search until no method has anything left; see `Finder.find`."""
        names = list(problem.inputs)
        types = [problem.inputs[name].type for name in names]
        columns = np.column_stack([_numbers(problem.inputs[name]) for name in names])
        answers = _numbers(problem.answers)
        search = Exact(columns, answers, max(problem.close, 1e-12), problem.seed, problem.memory)
        for fitted in search.run():
            yield None if fitted is None else self._found(fitted, names, types)

    @staticmethod
    def _found(fitted: Fitted, names: list[str], types: list[Type]) -> Found:
        return Found(to_term(fitted.expr, names, types), fitted.bits)


def _numbers(column: Column) -> Reals:
    assert isinstance(column, Scalars)
    return column.data.astype(np.float64)


__all__ = ["Formulas"]
