"""Answers put together end to end, against every way to put them together."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.interpreter import evaluate
from meristem.language.terms import Term, Variable
from meristem.search.enumeration._bank import Bank
from meristem.search.enumeration._blocks import Leaves
from meristem.search.enumeration._chain import JOIN_COST, Chain
from meristem.search.enumeration._pools import Pools
from meristem.types import Type, parse_type
from meristem.values import column_from

TEXT, LISTS, INT = (parse_type(name) for name in ("text", "list[int]", "int"))
Part = tuple[Type, int, list[Any]]
"""Type, cost and values, one an example."""


class Case:
    """Answers, and programs that may be their parts: each is an input, so that terms can be run."""

    def __init__(
        self,
        type_: Type,
        answers: list[Any],
        parts: list[Part],
        rows: list[int] | None = None,
        alone: bool = False,
    ) -> None:
        self.rows = list(range(len(answers))) if rows is None else rows
        self.type, self.parts, self.alone = type_, parts, alone
        self.answers = [answers[row] for row in self.rows]
        pools = Pools()
        self.bank = Bank(pools, len(answers), 10_000)
        self.inputs = {}
        for k, (of, cost, values) in enumerate(
            sorted(parts, key=lambda part: part[1])
        ):  # of equals the cheapest stays
            column = column_from(values, of)
            self.inputs[f"p{k}"] = column
            ids = pools[of].intern(column)[:, None]
            self.bank.add(of, cost, ids, Leaves([Variable(f"p{k}")], ids))
        for cost in {part[1] for part in parts}:
            self.bank.close(cost)
        goal = pools[type_].intern(column_from(self.answers, type_))
        self.chain = Chain(pools, type_, goal, None if rows is None else np.array(rows), alone)

    def found(self, expansions: int = 10_000, most: float = np.inf) -> list[tuple[Term, int]]:
        return [each for each in self.chain.search(self.bank, expansions, most) if each is not None]

    def values(self, term: Term) -> list[Any]:
        result = evaluate(term, self.inputs, rows=self.bank.rows)
        assert not result.failed
        values = result.column.to_list()
        return [values[row] for row in self.rows]

    def cheapest(self) -> float:
        """The cost of the cheapest chain of two parts or more (or of one, where that counts), by trying all."""
        steps = []
        for of, cost, every in self.parts:
            values = [every[row] for row in self.rows]
            if of == self.type:
                steps.append((cost + JOIN_COST, values))
            elif self.type.args and of == self.type.item:
                steps.append((cost + 1 + JOIN_COST, [[v] for v in values]))

        @cache
        def left(state: tuple[int, ...], first: bool) -> float:
            if all(k == len(a) for k, a in zip(state, self.answers, strict=True)):
                return 0.0
            best = np.inf
            for cost, values in steps:
                if not any(map(len, values)):
                    continue
                rest = zip(self.answers, state, values, strict=True)
                if all(a[k : k + len(v)] == v for a, k, v in rest):
                    after = tuple(k + len(v) for k, v in zip(state, values, strict=True))
                    whole = all(k == len(a) for k, a in zip(after, self.answers, strict=True))
                    if not (first and whole) or self.alone:
                        best = min(best, cost + left(after, False))
            return float(best)

        return left((0,) * len(self.answers), True) - JOIN_COST


def random_case(seed: int, of_lists: bool, some: bool = False) -> Case:
    """A case; with `some` only some of the examples count, and one part alone is a chain."""
    rng = Random(seed)
    count = rng.randint(2, 4) if some else rng.randint(1, 3)

    def made(most: int) -> Any:
        items = [rng.choice("ab ") for _ in range(rng.randint(0, most))]
        return [ord(c) for c in items] if of_lists else "".join(items)

    pieces = [[made(3) for _ in range(count)] for _ in range(rng.randint(2, 4))]
    answers = [
        [x for p in pieces for x in p[e]] if of_lists else "".join(p[e] for p in pieces) for e in range(count)
    ]
    type_ = LISTS if of_lists else TEXT
    parts: list[Part] = [(type_, rng.randint(1, 5), piece) for piece in pieces]
    parts += [(type_, rng.randint(1, 5), [made(2) for _ in range(count)]) for _ in range(6)]
    parts += [(type_, rng.randint(1, 9), [a[: rng.randint(0, len(a))] for a in answers]) for _ in range(4)]
    if of_lists:
        parts += [
            (INT, rng.randint(1, 5), [rng.choice([32, 97, 98]) for _ in range(count)]) for _ in range(4)
        ]
    if not some:
        return Case(type_, answers, parts)
    rows = [e for e in range(count) if answers[e]][: rng.randint(1, count)]
    return Case(type_, answers, parts, rows or [0], alone=True)


@pytest.mark.parametrize("of_lists", [False, True])
@pytest.mark.parametrize("some", [False, True])
def test_the_cheapest_chain_is_found_and_makes_the_answers(of_lists: bool, some: bool) -> None:
    chains = 0
    for seed in range(60):
        case = random_case(seed, of_lists, some)
        if not any(case.answers):
            continue
        found = case.found()
        expected = case.cheapest()
        assert bool(found) == (expected < np.inf), seed
        if found:
            term, cost = found[0]
            assert case.values(term) == case.answers
            assert cost == expected, seed
            assert case.found(most=cost) == []
            chains += 1
    assert chains > 25


def test_a_chain_of_long_parts_makes_the_answers() -> None:
    """What is left is only estimated, so with long parts the chain need not be the cheapest."""
    rng = Random(0)
    answer = "".join(rng.choice("abcdefgh") for _ in range(60))
    halves: list[Part] = [(TEXT, 3, [answer[:50]]), (TEXT, 3, [answer[50:]])]
    case = Case(TEXT, [answer], [*halves, (TEXT, 1, [answer[:5]]), (TEXT, 1, [answer[5:]])])
    term, cost = case.found()[0]
    assert case.values(term) == [answer]
    assert case.cheapest() == 4 <= cost <= 8


@pytest.mark.parametrize("type_", [TEXT, LISTS])
def test_answers_that_are_all_empty(type_: Type) -> None:
    empty: Any = "" if type_ == TEXT else []
    some: Any = "a" if type_ == TEXT else [1]
    case = Case(
        type_, [empty, some, empty], [(type_, 1, [some, some, some]), (type_, 2, [empty] * 3)], [0, 2], True
    )
    assert all(case.values(term) == [empty, empty] for term, _ in case.found())


@pytest.mark.parametrize("type_", [TEXT, LISTS])
def test_what_is_left_after_some_parts(type_: Type) -> None:
    for seed in range(40):
        case = random_case(seed, type_ == LISTS)
        case.found()
        pool = case.chain.pools[type_]
        for ids, parts, cost in case.chain.remainders(10):
            assert cost == sum(block.cost + item + JOIN_COST for block, _, item in parts)
            made = case.chain.before(parts[:-1], case.chain.part_term(parts[-1]))
            for front, back, answer in zip(
                case.values(made), pool.column(ids).to_list(), case.answers, strict=True
            ):
                assert front + back == answer
                assert front or len(case.answers) > 1


def test_a_search_that_may_look_at_nothing_finds_nothing() -> None:
    case = Case(TEXT, ["ab"], [(TEXT, 1, ["a"]), (TEXT, 1, ["b"])])
    assert case.found(expansions=0) == []
    assert case.found(expansions=3)
