"""What stands around a search for programs: checks, made-up inputs, agreement, neighbours, costs, sketches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pytest

from meristem import Task
from meristem.errors import InputError, MeristemError, Reason
from meristem.language import format_term, parse_term
from meristem.language.generate import random_type, random_value
from meristem.search.programs import Finder, Found, Problem
from meristem.search.programs.agreement import agree, answers_by, input_weights
from meristem.search.programs.check import Checker, same
from meristem.search.programs.cost import description_length, exception_cost
from meristem.search.programs.made_up import joined, make_up
from meristem.search.programs.neighbours import neighbours, parts_of, put
from meristem.search.programs.recall import Try
from meristem.search.programs.registry import Finders
from meristem.search.programs.robust import Robust
from meristem.search.programs.sketch import (
    Sketch,
    check_sketch,
    fill_holes,
    holes_of,
    random_fillings,
    typings,
)
from meristem.types import parse_type
from meristem.values import column_from, hashable


def problem(examples: Any, wrong: float = 0.0, **options: Any) -> Problem:
    task = Task.from_examples(examples, **options)
    return Problem(task.inputs, task.answers, task.further, wrong)


@pytest.mark.parametrize(
    ("left", "right", "type_", "wanted"),
    [
        (1.0, 1.0 + 1e-12, "real", True),
        (1.0, 1.001, "real", False),
        (1e12, 1e12 + 1, "real", True),
        ([1.0, 2.0], [1.0, 2.0 + 1e-12], "list[real]", True),
        ([1.0], [1.0, 2.0], "list[real]", False),
        ((1.0, "a"), (1.0 + 1e-12, "a"), "pair[real, text]", True),
        (None, None, "option[real]", True),
        (None, 1.0, "option[real]", False),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}, "map[text, real]", True),
        ({"a": 1.0}, {"b": 1.0}, "map[text, real]", False),
        ("a", "a", "text", True),
        ([], [], "list[int]", True),
    ],
)
def test_equal_values(left: Any, right: Any, type_: str, wanted: bool) -> None:
    assert same(left, right, parse_type(type_), 1e-9) is wanted


def test_programs_are_checked_row_by_row() -> None:
    checker = Checker(problem([([1, 2], 1), ([], 0), ([5], 6)]))
    found = checker.check(parse_term("first(x)"))
    assert found is not None
    assert found.values == (1, None, 5)
    assert found.reasons == (Reason.OK, Reason.EMPTY, Reason.OK)
    assert found.wrong == (1, 2)
    assert checker.check(parse_term("text_length(x)")) is None
    assert checker.check(parse_term("x")) is None  # of another type than the answers
    endless = checker.check(parse_term("iterate(y => y + 1, 900000, 0)"))
    assert endless is not None
    assert set(endless.reasons) == {Reason.FUEL}


def test_made_up_inputs_are_like_the_given_ones_and_new() -> None:
    rng = Random(3)
    for seed in range(40):
        types = {"a": random_type(rng, 3), "b": random_type(rng, 2)}
        given = {
            name: column_from([random_value(rng, type_) for _ in range(5)], type_)
            for name, type_ in types.items()
        }
        made = make_up(given, 30, seed)
        again = make_up(given, 30, seed)
        rows = list(zip(*(column.to_list() for column in made.values()), strict=True))
        assert rows == list(zip(*(column.to_list() for column in again.values()), strict=True))
        assert {name: column.type for name, column in made.items()} == types
        keys = [tuple(hashable(v) for v in row) for row in rows]
        old = {
            tuple(hashable(v) for v in row)
            for row in zip(*(c.to_list() for c in given.values()), strict=True)
        }
        assert len(set(keys)) == len(keys)
        assert not old & set(keys)
        both = joined(given, made)
        assert len(both["a"]) == 5 + len(rows)


def test_made_up_counts_stay_counts() -> None:
    given = {"n": column_from([1, 5, 9], parse_type("int"))}
    assert min(make_up(given, 40, 0)["n"].to_list()) >= 1


def test_the_choice_is_the_program_that_most_of_the_mass_agrees_with() -> None:
    inputs = {"x": column_from([1, 2, 3], parse_type("int"))}
    terms = [parse_term(text) for text in ("x * x", "x + x", "2 * x", "10 // (x - 2)")]
    says = answers_by(terms, inputs, parse_type("int"))
    assert says[1].tolist() == says[2].tolist()
    assert says[3].tolist()[1] == -1
    found = agree(says, [5.0, 5.5, 5.5, 9.0])
    assert found.best == 1  # two that agree outvote one that is a little likelier
    assert agree(says, [2.0, 5.5, 5.5, 9.0]).best == 0  # and do not where it is much likelier
    assert agree(says, [5.0, 5.5, 5.5, 9.0], chosen=0).best == 0
    assert 0 < found.share < 1
    assert found.mass.sum() == pytest.approx(1)
    assert agree(says[:1], [3.0]).share == pytest.approx(1)
    nothing = agree(np.zeros((2, 0), np.int64), [1.0, 2.0])
    assert (nothing.best, nothing.share) == (0, 1.0)


def test_inputs_that_the_user_gave_weigh_more() -> None:
    weights = input_weights(2, 8, 4)
    assert weights[:2].tolist() == [1, 1]
    assert weights[2:].sum() == pytest.approx(1)
    assert weights[2] == pytest.approx(2 * weights[-1])
    assert input_weights(0, 2, 1).tolist() == [1, 1, 0.5]


def test_gently_made_up_texts_are_made_of_whole_words() -> None:
    given = {"x": column_from(["Ada Lovelace", "Grace Hopper", "Emmy B Noether"], parse_type("text"))}
    known = {"Ada", "Lovelace", "Grace", "Hopper", "Emmy", "B", "Noether"}
    known |= {w.lower() for w in known} | {w.upper() for w in known}
    made = make_up(given, 40, 0, gentle=True)["x"].to_list()
    assert len(made) == 40
    assert all(set(text.split(" ")) <= known for text in made)


def test_neighbours_show_what_the_examples_leave_open() -> None:
    given = problem([("Ada Lovelace", "Lovelace"), ("Alan Turing", "Turing")])
    checker = Checker(given)
    near = {}
    for term, longer in neighbours(parse_term("last_word(x)"), given):
        found = checker.check(term)
        if found is not None and not found.wrong:
            near[format_term(term)] = longer
    assert "nth_word(x, 1)" in near
    assert "last_word(x)" not in near
    assert all(longer > -4 for longer in near.values())
    few = list(neighbours(parse_term("last_word(x)"), given, most=10))
    assert len(few) < len(list(neighbours(parse_term("last_word(x)"), given)))
    began = time.monotonic()
    list(neighbours(parse_term("last_word(x)"), given, deadline=began))
    assert time.monotonic() - began < 2


def test_parts_can_be_put_elsewhere() -> None:
    term = parse_term("map(y => y + 1, reverse(x))")
    for path, part in parts_of(term):
        assert put(term, path, part) == term
    places = {format_term(part): path for path, part in parts_of(term)}
    assert format_term(put(term, places["reverse(x)"], parse_term("x"))) == "map(y => y + 1, x)"


def test_longer_programs_cost_more() -> None:
    texts = ["x", "sort(x)", "reverse(sort(x))", "map(y => y + 1, reverse(sort(x)))"]
    costs = [description_length(parse_term(text), 1) for text in texts]
    assert costs == sorted(costs)
    assert description_length(parse_term('"a long text"'), 1) > description_length(parse_term('"a"'), 1)
    assert description_length(parse_term("123456"), 1) > description_length(parse_term("2"), 1)
    assert exception_cost(0.01) > exception_cost(0.1) > exception_cost(0.4) > 0


def test_programs_at_hand_are_tried() -> None:
    given = problem([([3, 1], [1, 3]), ([2], [2]), ([5, 4], [4, 5])])
    finder = Try([parse_term(text) for text in ("text_length(x)", "reverse(x)", "x")])
    assert finder.suits(given)
    assert not Try([]).suits(given)
    found = list(finder.find(given))
    assert found[0] is None
    assert isinstance(found[1], Found)
    assert found[1].wrong == ()
    assert isinstance(found[2], Found)
    assert found[2].wrong == (0, 2)


def test_sketches_are_checked_against_the_examples() -> None:
    given = problem([([3, 1], [1, 3])])
    check_sketch(parse_term("take(sort(?), ?)"), given)
    for text in ("text_length(?)", "sort(y)", "? + 1", "sort_by(?)"):
        with pytest.raises(InputError, match="the sketch cannot be used"):
            check_sketch(parse_term(text), given)


def test_holes_are_filled() -> None:
    term = parse_term("take(?, ? + 1)")
    assert holes_of(term) == 2
    filled = fill_holes(term, [parse_term("x"), parse_term("2")])
    assert format_term(filled) == "take(x, 2 + 1)"
    given = problem([([3, 1], [1, 3]), ([5, 2, 4], [2, 4, 5])])
    found = next(f for f in islice(random_fillings(parse_term("sort(?)"), given), 2000) if f is not None)
    assert found.wrong == ()
    whole = list(Sketch(parse_term("sort(x)")).find(given))
    assert [f.wrong for f in whole if f is not None] == [()]


def test_holes_inside_of_functions_know_their_parameters() -> None:
    given = problem([("ab c", ["AB", "C"]), ("d", ["D"])])
    found = next(
        f for f in islice(random_fillings(parse_term("map(w => upper(?), words(x))"), given), 3000) if f
    )
    assert "w" in format_term(found.term)


def test_a_name_of_a_finder_is_taken_once() -> None:
    class One(Finder):
        name = "one"

        def suits(self, problem: Problem) -> bool:
            return True

        def find(self, problem: Problem) -> Iterator[Found | None]:
            yield None

    finders = Finders()
    finders.add(One())
    assert "one" in finders
    assert [f.name for f in finders] == ["one"]
    with pytest.raises(MeristemError, match="declared twice"):
        finders.add(One())


def test_the_registered_finders() -> None:
    from meristem.search.finders import FINDERS

    assert "enumerate" in FINDERS


def test_wrong_examples_are_searched_around() -> None:
    class Exact(Finder):
        """Knows one program, and gives it where it answers all examples it was shown."""

        name = "exact"

        def suits(self, problem: Problem) -> bool:
            return True

        def find(self, problem: Problem) -> Iterator[Found | None]:
            shown.append(len(problem))
            checked = Checker(problem).check(parse_term("2 * x"))
            yield Found(parse_term("2 * x"), 5) if checked and not checked.wrong else None

    shown: list[int] = []
    examples = [(k, 2 * k) for k in range(12)] + [(3, 99), (20, 7)]
    given = problem(examples, wrong=0.2)
    finder = Robust(Exact())
    assert finder.name == "exact on parts"
    assert finder.suits(given)
    assert not finder.suits(problem(examples))
    found = [f for f in islice(finder.find(given), 60) if f is not None]
    assert found
    assert all(f.wrong == (12, 13) for f in found)
    assert set(shown) == {5}
    again = [f for f in islice(finder.find(given), 60) if f is not None]
    assert len(again) == len(found)  # the same seed draws the same parts


def test_with_few_examples_each_is_left_out_once() -> None:
    class Slow(Finder):
        """Gives the one program it knows after many turns, where it answers all examples it was shown."""

        name = "slow"

        def suits(self, problem: Problem) -> bool:
            return True

        def find(self, problem: Problem) -> Iterator[Found | None]:
            begun.append(tuple(problem.inputs["x"].to_list()))
            yield from [None] * 900
            checked = Checker(problem).check(parse_term("2 * x"))
            yield Found(parse_term("2 * x"), 5) if checked and not checked.wrong else None

    begun: list[tuple[int, ...]] = []
    given = problem([(1, 2), (2, 4), (3, 99), (4, 8), (5, 10)], wrong=0.2)
    found = next(f for f in islice(Robust(Slow()).find(given), 5000) if f is not None)
    assert found.wrong == (2,)
    assert sorted(begun) == [(1, 2, 3, 4), (1, 2, 3, 5), (1, 2, 4, 5), (1, 3, 4, 5), (2, 3, 4, 5)]
    begun.clear()
    twice = problem([(1, 2), (2, 4), (2, 5), (4, 8), (5, 10)], wrong=0.2)
    assert next(f for f in Robust(Slow()).find(twice) if f is not None).wrong == (2,)
    assert begun == [(1, 2, 4, 5), (1, 2, 4, 5)]


def test_holes_whose_type_is_open_get_every_type() -> None:
    given = problem([(["ccc", "a"], ["a", "ccc"])])
    found = [format_term(t) for t in typings(parse_term("sort_by(?, ?)"), given)]
    assert found == [f'sort_by(?: "(text) -> {t}", ?: list[text])' for t in ("int", "text", "bool")]
    assert [format_term(t) for t in typings(parse_term("sort(?)"), given)] == ["sort(?: list[text])"]
    assert len(typings(parse_term("zip(?, ?)"), problem([(1, [(1, 2.0)])]))) == 1
