"""Whether a program answers the examples, by the reference interpreter: the word that counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import meristem.primitives  # noqa: F401  (declare the vocabulary)
from meristem.errors import MeristemError, Reason
from meristem.language.interpreter import Prepared, prepare
from meristem.language.reference import run_row
from meristem.language.terms import Term
from meristem.search.programs.problem import Problem
from meristem.types import Type

CHECK_FUEL = 200_000
"""What a program may spend on one example: what takes longer is not what a person would write for it."""


def same(left: Any, right: Any, type_: Type, close: float) -> bool:
    """Whether two Python values of a type are equal; reals may differ by `close` times their size."""
    name = type_.name
    if left is None or right is None:
        return left is right
    if name == "real":
        if math.isinf(left) or math.isinf(right):
            return bool(left == right)
        return bool(abs(left - right) <= close * max(1.0, abs(left), abs(right)))
    if name == "list":
        return len(left) == len(right) and all(
            same(a, b, type_.item, close) for a, b in zip(left, right, strict=True)
        )
    if name == "pair":
        return all(same(a, b, t, close) for a, b, t in zip(left, right, type_.args, strict=True))
    if name == "option":
        return same(left, right, type_.item, close)
    if name == "map":  # the order of keys says nothing
        return left.keys() == right.keys() and all(
            same(v, right[k], type_.args[1], close) for k, v in left.items()
        )
    if name == "row":
        return all(same(left[n], right[n], t, close) for n, t in type_.fields.items())
    return bool(left == right)


@dataclass(frozen=True)
class Checked:
    """What a program gives for the examples.

    Args:
        program: It, ready to run.
        values: Its answers; None where it has none.
        reasons: OK, or why there is none.
        wrong: Positions of the examples it does not answer.
    """

    program: Prepared
    values: tuple[Any, ...]
    reasons: tuple[Reason, ...]
    wrong: tuple[int, ...]


class Checker:
    """Checks programs against the examples of a problem, row by row."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        lists = {name: column.to_list() for name, column in problem.inputs.items()}
        count = len(problem)
        self.rows: list[Mapping[str, Any]] = [{n: v[i] for n, v in lists.items()} for i in range(count)]
        self.answers = problem.answers.to_list()

    def check(self, term: Term) -> Checked | None:
        """What the program gives for each example; None where it is not well typed for the problem."""
        problem = self.problem
        type_ = problem.answers.type
        try:
            program = prepare(term, problem.types, target=type_, result=type_)
        except MeristemError:
            return None
        values, reasons, wrong = [], [], []
        for k, (row, answer) in enumerate(zip(self.rows, self.answers, strict=True)):
            value, reason = run_row(program, row, fuel=CHECK_FUEL)
            values.append(value)
            reasons.append(Reason(reason))
            if reason or not same(value, answer, type_, problem.close):
                wrong.append(k)
        return Checked(program, tuple(values), tuple(reasons), tuple(wrong))


__all__ = ["CHECK_FUEL", "Checked", "Checker", "same"]
