"""Functions as tables: what applying them gives is what the interpreter gives for the term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.interpreter import prepare
from meristem.language.terms import Term
from meristem.search.enumeration import Search, Settings
from meristem.search.enumeration._blocks import Block
from meristem.search.enumeration._bodies import Bodies
from meristem.search.enumeration._functions import (
    INDEXED_RULES,
    RULES,
    ZIPPED_RULES,
    Application,
    Applied,
    Context,
    Rule,
)
from meristem.search.enumeration._pools import FAIL
from meristem.search.programs.problem import Problem
from meristem.types import Type, parse_type
from meristem.values import Column, column_from, hashable

Row = tuple[Any, ...]


@dataclass
class Grown:
    """A search that found nothing: its answers are made by no program."""

    search: Search
    inputs: dict[str, Column]
    rows: int

    @property
    def bodies(self) -> Bodies:
        assert self.search.bodies is not None
        return self.search.bodies

    def values(self, type_: Type, ids: Any) -> list[Row]:
        """The rows of values of ids [E, N]."""
        columns = []
        for row in ids:
            values: list[Any] = [None] * len(row)
            good = np.flatnonzero(row != FAIL)
            found = self.search.pools[type_].column(row[good]).to_list()
            for k, value in zip(good.tolist(), found, strict=True):
                values[k] = (hashable(value),)
            columns.append(values)
        return list(zip(*columns, strict=True))

    def evaluated(self, term: Term) -> Row:
        types = {name: column.type for name, column in self.inputs.items()}
        result = prepare(term, types).run(self.inputs, rows=self.rows)
        pairs = zip(result.column.to_list(), result.failures.tolist(), strict=True)
        return tuple(None if reason else (hashable(value),) for value, reason in pairs)


def grown(
    inputs: dict[str, tuple[str, list[Any]]], answers: tuple[str, list[Any]], levels: int, bodies: int = 5
) -> Grown:
    columns = {name: column_from(values, parse_type(text)) for name, (text, values) in inputs.items()}
    problem = Problem(columns, column_from(answers[1], parse_type(answers[0])))
    search = Search(problem, Settings(levels=levels, conditionals=False, inverses=False))
    for _ in search.run():
        pass
    assert search.bodies is not None
    for context, _, inner in search.bodies.contexts:
        for _ in search.bodies.advance(context, inner, bodies) if context.sources else ():
            pass
    return Grown(search, columns, len(problem))


LIST = "list[int]"
CASES: dict[str, Callable[[], Grown]] = {
    "lists": lambda: grown(
        {"xs": (LIST, [[3, 1, 2, 0], [], [5, 5, 9, 1], [7, -2]])}, (LIST, [[91, 17], [4], [], [8]]), 7, 6
    ),
    "lists and a number": lambda: grown(
        {"xs": (LIST, [[3, 0, 2], [1, 1], [6, 2, 2, 9]]), "n": ("int", [2, 9, 3])},
        (LIST, [[91], [4], [77]]),
        6,
    ),
    "two lists": lambda: grown(
        {"xs": (LIST, [[3, 1], [2, 0, 4], []]), "ys": (LIST, [[1, 1, 5], [0, 2], [9]])},
        ("int", [91, 47, 77]),
        6,
    ),
    "texts": lambda: grown(
        {"ws": ("list[text]", [["b", "a c", "b"], [], ["Zz", "", "y9"]])},
        ("list[text]", [["?"], ["!"], ["%"]]),
        6,
    ),
    "lists of lists": lambda: grown(
        {"g": ("list[list[int]]", [[[1, 2], []], [[3], [4, 5], [3]], []])}, (LIST, [[91], [4], [8]]), 6
    ),
}


@cache
def case_of(name: str) -> Grown:
    return CASES[name]()


def applications(case: Grown) -> list[tuple[Context, Rule, Application, Block]]:
    found = []
    for context, rules, *_ in case.bodies.contexts:
        for source in context.sources[:2]:
            for rule in rules:
                for type_, blocks in context.bank.blocks.items():
                    result = rule.result(context.parameters[-1][1], type_)
                    if result is None or result not in case.search.material.types:
                        continue
                    for block in blocks.values():
                        part = slice(0, min(len(block), 40))
                        found.append((context, rule, Application(rule, context, source, block, part), block))
    return found


@pytest.mark.parametrize("name", CASES)
def test_applying_a_function_is_running_the_term(name: str) -> None:
    case = case_of(name)
    looked, failing = 0, 0
    for context, rule, application, block in applications(case):
        keys = application.keys()
        every = np.arange(application.count)
        ids = application.ids(every)
        assert (case.search.bank.key_of(application.type, ids) == keys).all(), (
            "keys foretell what values give"
        )
        fails = np.flatnonzero((ids == FAIL).any(axis=0))[:1]
        some = np.union1d(every[:: max(1, len(every) // 2)][:2], fails)
        applied = Applied(rule.name, context, application.source, block, some.astype(np.int32))
        rows = case.values(application.type, ids[:, some])
        for index, row in enumerate(rows):
            assert row == case.evaluated(applied.term(index)), applied.term(index)
            looked += 1
            failing += None in row
    assert looked > 60
    assert failing > 3


def test_all_rules_were_held() -> None:
    held = {rule.name for name in CASES for _, rule, _, _ in applications(case_of(name))}
    assert held == {rule.name for rule in (*RULES, *INDEXED_RULES, *ZIPPED_RULES)}


@pytest.mark.parametrize("name", CASES)
def test_programs_of_a_search_give_what_it_says(name: str) -> None:
    """The banks of whole searches: leaves, operations and functions together."""
    case, looked = case_of(name), 0
    for type_, blocks in case.search.bank.blocks.items():
        for block in blocks.values():
            step = max(1, len(block) // 12)
            rows = case.values(type_, block.ids[:, ::step])
            for index, row in zip(range(0, len(block), step), rows, strict=True):
                term = block.term(index)
                assert row == case.evaluated(term), term
                looked += 1
    assert looked > 50


@pytest.mark.parametrize("name", CASES)
def test_no_program_is_there_twice(name: str) -> None:
    case = case_of(name)
    for type_, blocks in case.search.bank.blocks.items():
        rows = [row for block in blocks.values() for row in case.values(type_, block.ids)]
        assert len(set(rows)) == len(rows)
