"""The search for formulas as a finder of programs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from typing import ClassVar

import numpy as np

from meristem.language.terms import Term
from meristem.search.formulas.exact import Exact
from meristem.search.formulas.expressions import Reals, evaluate, to_term
from meristem.search.formulas.rough import Rough, front, likeliest, spread_error
from meristem.search.programs.cost import description_length
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.types import INT, REAL, Type
from meristem.values import Column, Scalars

_LEAST = 3  # examples: a line goes through any two


class Formulas(Finder):
    """Finds formulas over numbers: reals from reals or whole numbers.

    What is found answers every example; where the numbers leave several, the one of least description length comes
    last. If nothing quick does, the likeliest formula that comes near is given once, with the examples that it does
    not answer. Deterministic given the problem's seed.
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
        given = False
        for fitted in search.run():
            problem.notes["programs"] = search.made
            yield None if fitted is None else _found(to_term(fitted.expr, names, types), problem)
            if search.near_done and search.near and search.best is None and not given:
                given = True
                yield _nearest(search.near, problem, columns, answers, names, types)


def pareto(
    columns: Reals, answers: Reals, names: list[str], seconds: float = 10.0, seed: int = 0
) -> list[tuple[Term, float, float]]:
    """Formulas for data with noise, the shortest first: each as a term, its bits, and its error.

    None is both longer and worse than another. The error is the root mean square of what is missed, over the standard
    deviation of the answers.

    Args:
        columns: The inputs, real [N, d].
        answers: The wanted reals [N].
        names: Of the inputs.
        seconds: CPU seconds.
        seed: Source of randomness.
    """
    search = Exact(columns, answers, 1e-9, seed)
    began = time.process_time()
    # What comes near, first: with noise there is nothing exact to find.
    for _ in chain(search.nearest([search.root()]), search.run()):
        if time.process_time() - began > seconds:
            break
    found = list(search.near)
    if search.best is not None:
        error = spread_error(search.best.expr, columns, answers)
        found.append(Rough(search.best.expr, search.best.bits, error))
    types = [REAL] * len(names)
    return [(to_term(each.expr, names, types), each.bits, each.error) for each in front(found)]


def _nearest(
    near: list[Rough], problem: Problem, columns: Reals, answers: Reals, names: list[str], types: list[Type]
) -> Found:
    """The likeliest of the formulas that come near, with the examples that it does not answer."""
    best = likeliest(near, len(answers))
    values = evaluate(best.expr, columns)
    size = np.maximum(1.0, np.maximum(np.abs(values), np.abs(answers)))
    wrong = np.flatnonzero(~(np.abs(values - answers) <= problem.close * size))
    return _found(to_term(best.expr, names, types), problem, tuple(wrong.tolist()))


def _found(term: Term, problem: Problem, wrong: tuple[int, ...] = ()) -> Found:
    """A formula with the description length that programs of all finders are compared by."""
    return Found(term, description_length(term, len(problem.inputs)), wrong)


def _numbers(column: Column) -> Reals:
    assert isinstance(column, Scalars)
    return column.data.astype(np.float64)


__all__ = ["Formulas", "pareto"]
