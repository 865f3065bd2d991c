"""Evolution of typed programs: what it makes is well typed, the same again, and comes to programs that answer."""

from __future__ import annotations

import time
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pytest

from meristem import Task
from meristem.language import format_term, parse_term
from meristem.language.generate import random_type, random_value
from meristem.language.infer import expect, infer
from meristem.language.interpreter import evaluate
from meristem.language.terms import Lambda, Term
from meristem.search.programs.check import Checker
from meristem.search.programs.evolve_programs import EvolvePrograms, Individual, Values, _Run
from meristem.search.programs.nearness import nearness
from meristem.search.programs.problem import Found, Problem
from meristem.search.programs.random_programs import Grammar
from meristem.search.programs.robust import Robust
from meristem.types import parse_type
from meristem.values import column_from

LISTS: list[Any] = [
    ([3, 1, 2], [1, 2]),
    ([5, 9, 7, 1], [1, 5]),
    ([4, 4, 8], [4, 4]),
    ([9, 2, 6, 7, 3], [2, 3]),
    ([10, 20], [10, 20]),
]


def problem(examples: Any, wrong: float = 0.0, seed: int = 0, **options: Any) -> Problem:
    task = Task.from_examples(examples, **options)
    return Problem(task.inputs, task.answers, task.further, wrong, seed=seed)


def answering(finder: EvolvePrograms, given: Problem, turns: int) -> Found | None:
    allowed = int(given.wrong * len(given))
    return next((f for f in islice(finder.find(given), turns) if f and len(f.wrong) <= allowed), None)


def test_nearness() -> None:
    def near(got: Any, wanted: Any, type_: str) -> float:
        return nearness(got, wanted, parse_type(type_))

    assert near([1, 2], [1, 2], "list[int]") == near("", "", "text") == near(None, None, "option[int]") == 1
    assert near([], [5], "list[int]") < near([5, 6, 7], [5], "list[int]") < near([5, 6], [5], "list[int]") < 1
    assert near([9, 1, 2, 3], [1, 2, 3], "list[int]") > near([9, 3, 2, 1], [1, 2, 3], "list[int]")
    assert near(-100, 10, "int") < near(8, 10, "int") < near(9, 10, "int") <= 0.9
    assert near("xyz", "abc", "text") < near("abx", "abc", "text") < 1
    assert near(True, False, "bool") == 0
    assert near(float("inf"), 1.0, "real") == 0
    assert near((1, "a"), (1, "b"), "pair[int, text]") == pytest.approx(0.9 * (1 + 0.9 * 0.2) / 2)
    assert 0 < near({"a": 1}, {"a": 1, "b": 2}, "map[text, int]") < 1
    rng = Random(5)
    for _ in range(300):
        type_ = random_type(rng, 3)
        got, wanted = random_value(rng, type_), random_value(rng, type_)
        assert 0 <= nearness(got, wanted, type_) <= 1
        assert nearness(wanted, wanted, type_) == 1


@pytest.mark.parametrize(
    "examples",
    [
        LISTS,
        [("a-b", "b"), ("c-dd", "dd"), ("x-y", "y")],
        [((1, "a"), {"a": 1}), ((2, "b"), {"b": 2})],
        [([[1, 2], [3]], 2), ([[]], 1), ([[4]], 1)],
        [((1.5, True), None), ((2.5, False), 2.5)],
    ],
    ids=["lists", "texts", "maps", "nested", "options"],
)
def test_random_programs_are_well_typed_and_never_dead_end(examples: Any) -> None:
    given = problem(examples)
    grammar, rng = Grammar(given), Random(2)
    for type_, least in grammar.least.items():
        for size in (0, 1, 2, 5, 12, 40):
            for _ in range(6):
                term = grammar.grow(rng, type_, (), size)
                assert term is not None
                expect(term, given.types, type_)
                assert grammar.type_of(term) == type_
                assert term.size <= max(size, least) + 2
    for place in grammar.places(parse_term("1")):
        assert place.type == parse_type("int")


def test_what_no_term_makes_gives_none() -> None:
    assert Grammar(problem(LISTS)).grow(Random(0), parse_type("datetime")) is None


def test_every_change_is_well_typed() -> None:
    given = problem(LISTS)
    run = _Run(EvolvePrograms(population=30), given)
    for _ in run.begin():
        pass
    assert run.small
    assert run.parts
    population: list[Individual] = []
    for _ in range(200):
        term = run.grammar.grow(run.rng, run.type, (), 10)
        assert term is not None
        each = run.individual(term)
        if each is not None:
            population.append(each)
    functions = changed = 0
    for _ in range(300):
        parent = run.rng.choice(population)
        child = run.change(parent, population)
        if child is None:
            continue
        changed += 1
        functions += any(isinstance(node, Lambda) for node in child.walk())
        expect(child, given.types, run.type)
        assert run.grammar.type_of(child) == run.type
        made = run.individual(child)
        if made is not None and child.size < 30:
            population[run.rng.randrange(len(population))] = made
    assert changed > 150
    assert functions > 25


def test_values_are_those_of_the_interpreter() -> None:
    given = problem([([1, 2, 3], 1), ([], 0), ([7], 3), ([0, 5], 1)])
    grammar, rng = Grammar(given), Random(4)
    values = Values(dict(given.inputs), len(given), 10**8, grammar)
    terms: list[Term] = [parse_term("if is_empty(x) then 0 else 9 // first(x)")]
    for _ in range(200):
        term = grammar.grow(rng, given.answers.type, (), 12)
        assert term is not None
        terms.append(term)
    failing = 0
    for term in terms:
        found = values.of(term)
        whole = evaluate(term, given.inputs, fuel=2000, rows=len(given))
        if found is None:
            assert whole.failures.all(), format_term(term)
            continue
        good = np.flatnonzero(whole.failures == 0)
        failing += len(good) < len(given)
        # The same but for fuel, which is counted for each part here.
        assert not found[1][good].any(), format_term(term)
        assert found[0].take(good).to_list() == whole.column.take(good).to_list(), format_term(term)
    assert failing > 2


def test_two_partial_programs_are_put_together() -> None:
    # What is to be found is longer than what comes of random terms in so many turns.
    truth = parse_term("if length(x) < 4 then cumulative_sum(sort(x)) else map(y => y * 3 + 1, reverse(x))")
    rng = np.random.default_rng(1)
    inputs = [rng.integers(0, 30, n).tolist() for n in (3, 5, 2, 6, 3, 4, 3, 7)]
    answers = evaluate(truth, {"x": column_from(inputs, parse_type("list[int]"))}).to_list()
    given = problem(list(zip(inputs, answers, strict=True)))
    halves = (parse_term("cumulative_sum(sort(x))"), parse_term("map(k => k * 3 + 1, reverse(x))"))
    assert answering(EvolvePrograms(60, small=False), given, 800) is None
    found = answering(EvolvePrograms(60, small=False, starts=halves), given, 800)
    assert found is not None
    checked = Checker(given).check(found.term)
    assert checked is not None
    assert not checked.wrong


def test_a_short_program_is_found_and_told_once() -> None:
    given = problem(LISTS)
    told = [f for f in islice(EvolvePrograms(60).find(given), 500) if f is not None]
    assert any(not f.wrong for f in told)
    assert len({f.term for f in told}) == len(told)
    for each in told:
        assert infer(each.term, given.types).type == given.answers.type
        checked = Checker(given).check(each.term)
        assert checked is not None
        assert checked.wrong == each.wrong


def test_wrong_examples_are_tolerated_and_named() -> None:
    given = problem([*LISTS[:4], ([1, 2, 3], [77])], wrong=0.2)
    found = answering(EvolvePrograms(60, small=False), given, 1500)
    assert found is not None
    assert found.wrong == (4,)
    assert not Robust(EvolvePrograms()).suits(given)


def test_the_same_seed_gives_the_same_programs() -> None:
    def run(seed: int, small: bool, turns: int) -> list[Any]:
        given = problem(LISTS, seed=seed)
        found = list(islice(EvolvePrograms(40, small=small).find(given), turns))
        return [f and (f.term, f.cost) for f in found] + [given.notes["programs"]]

    assert run(1, True, 150) == run(1, True, 150)
    assert run(1, False, 60) == run(1, False, 60) != run(2, False, 60)


def test_it_gives_word_often_and_comes_to_an_end() -> None:
    given = problem([("ab", "b"), ("cd", "a"), ("x", "zz")])
    began, turns, worst = time.process_time(), 0, 0.0
    for _ in EvolvePrograms(40, most=300).find(given):
        now = time.process_time()
        worst, began, turns = max(worst, now - began), now, turns + 1
    assert given.notes["programs"] <= 300 + 40
    assert turns > 20
    assert worst < 1.0  # a tenth of that on an idle machine
    assert not EvolvePrograms().suits(problem([(1, 2)]))
