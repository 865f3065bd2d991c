"""A bank that is full keeps nothing more, and still finds what it is asked for."""

from __future__ import annotations

import pytest

import meristem.primitives  # noqa: F401
from meristem.language.interpreter import evaluate
from meristem.search.enumeration import Search, Settings
from meristem.search.programs import Found, Problem
from meristem.types import parse_type
from meristem.values import column_from

LISTS = parse_type("list[int]")
INPUTS = [[3, 1, 2, 5], [9, 9, 4], [7, 0, 1, 1, 6], [2, 8, 3]]


@pytest.mark.parametrize("most", [60, 600])
def test_a_full_bank_is_held_against_the_goal(most: int) -> None:
    answers = [[*items[:2], 7, *items[2:]] for items in INPUTS]
    problem = Problem({"x": column_from(INPUTS, LISTS)}, column_from(answers, LISTS))
    search = Search(problem, Settings(most=most, inverses=False, functions=False, conditionals=False))
    found: Found | None = None
    steps = search.run()
    while found is None and search.level < 13:
        found = next(steps)
    assert found is not None, "insert_at(x, 2, 7), or the like"
    assert evaluate(found.term, problem.inputs).to_list() == answers
    assert search.bank.is_full()
    assert search.bank.count < most + 200_000, "what was made before it was full"
    stored = sum(len(b) for of in search.bank.blocks.values() for b in of.values())
    assert stored <= search.bank.count
