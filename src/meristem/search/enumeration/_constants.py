"""Constants worth trying: small numbers, and what the examples themselves show."""

from __future__ import annotations

from collections import Counter
from typing import Any

from meristem.language.terms import ListOf, Literal, Term
from meristem.search.programs.problem import Problem
from meristem.types import BOOL, INT, Type

Constant = tuple[Term, Type, int, Any]
"""Term, type, cost, value."""


_NUMBERS = {0: 2, 1: 2, 2: 3, 3: 4, 4: 4, 5: 4, -1: 4, 6: 5, 7: 5, 8: 5, 9: 5, 10: 5}
"""Numbers that are tried always, and their cost."""


def constants(problem: Problem) -> list[Constant]:
    """The constants to search with. Numbers that the answers show again and again are cheaper than others."""
    found: dict[tuple[str, Any], Constant] = {}

    def add(value: Any, type: Type, cost: int) -> None:
        key = (str(type), repr(value))
        if key not in found or found[key][2] > cost:
            found[key] = (literal(value, type), type, cost, value)

    for value, cost in _NUMBERS.items():
        add(value, INT, cost)
    for flag in (True, False):
        add(flag, BOOL, 4)
    answers = problem.answers.to_list()
    given = [column.to_list() for column in problem.inputs.values()]
    inputs = [[column[i] for column in given] for i in range(len(answers))]
    for value, cost in shown_numbers(inputs, answers):
        add(value, INT, cost)
    for type in {problem.answers.type, *problem.types.values()}:
        if type.name == "list":
            add([], type, 3)
    if all(answer == answers[0] for answer in answers[1:]) and problem.answers.type.name == "list":
        add(answers[0], problem.answers.type, 6 + len(answers[0]))
    for run, cost in shown_runs(answers):
        add(run, problem.answers.type, cost)
    return list(found.values())


def literal(value: Any, type: Type) -> Term:
    """The term of a constant."""
    if type.name == "list":
        return ListOf(tuple(literal(item, type.item) for item in value))
    return Literal(value, type)


def numbers_in(value: Any) -> set[int]:
    """The whole numbers inside of a value."""
    if isinstance(value, bool):
        return set()
    if isinstance(value, int):
        return {value}
    if isinstance(value, list | tuple):
        return set().union(*(numbers_in(item) for item in value)) if value else set()
    return set()


def shown_numbers(inputs: list[Any], answers: list[Any]) -> list[tuple[int, int]]:
    """Numbers that stand in answers but not in their inputs, with a cost by how often they do."""
    counted: Counter[int] = Counter()
    for given, answer in zip(inputs, answers, strict=True):
        counted.update(numbers_in(answer) - numbers_in(given))
    found = []
    for value, count in counted.most_common(24):
        share = count / len(answers)
        if abs(value) < 2**30 and (share >= 0.3 or len(answers) <= 3):
            found.append((value, 4 if share > 0.6 else 5))
    return found


def shown_runs(answers: list[Any]) -> list[tuple[list[Any], int]]:
    """What all of the lists begin or end with, where that is more than one item."""
    if not answers or not all(isinstance(answer, list) for answer in answers):
        return []
    found = []
    for flip in (False, True):
        lists = [answer[::-1] if flip else answer for answer in answers]
        size = 0
        while all(len(a) > size for a in lists) and all(a[size] == lists[0][size] for a in lists):
            size += 1
        if size >= 2 and len(answers) >= 2:
            run = lists[0][:size]
            found.append((run[::-1] if flip else run, 5 + size))
    return found


__all__ = ["constants", "literal"]
