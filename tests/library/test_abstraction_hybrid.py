"""Programs that differ in a fitted part only share a subroutine that takes the part as a function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import meristem.modules
import meristem.primitives  # noqa: F401
from declared import declared
from meristem.errors import InputError
from meristem.language.interpreter import evaluate
from meristem.language.kinds import FitContext, Fitted, ModuleKind, Settings
from meristem.language.terms import Module, Term
from meristem.language.text import parse_term
from meristem.library.abstraction import Abstractions, Solved, sleep
from meristem.library.abstraction._terms import named_parts, same_inlined
from meristem.types import INT, TEXT, Type, list_of
from meristem.values import Column, Scalars, Texts, column_from

LISTS = {"xs": list_of(TEXT)}
WORDS = ["a", "bcd", "", "ef"]


class Measure(ModuleKind):
    """A part with one fitted number: how much the length of a text counts."""

    name = "measure_for_test"
    mode = "supervised"
    choices = {}  # noqa: RUF012 - as every kind declares them
    doc = "a number of a text"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        return INT

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        return Fitted({"times": np.array([1])})

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        (texts,) = inputs
        assert isinstance(texts, Texts)
        lengths = np.array([len(text) for text in texts.to_list()], np.int64)
        return Scalars(INT, lengths * arrays["times"][0])

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        if set(arrays) != {"times"}:
            raise InputError("expected times")


class Score(Measure):
    """Another kind of part with the same type."""

    name = "score_for_test"


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    with declared(Measure(), Score()):
        yield


def fit_of(term: Term, times: int) -> dict[str, dict[str, NDArray[Any]]]:
    return {node.slot: {"times": np.array([times])} for node in term.walk() if isinstance(node, Module)}


def solved(task: str, text: str, times: int) -> Solved:
    term = parse_term(text)
    return Solved(task, term, LISTS, fit_of(term, times))


def column_of(words: list[str]) -> Column:
    return column_from([words], LISTS["xs"])


def check_same(result: Abstractions) -> None:
    """What was rewritten gives the same answers with the same arrays, and is the old program when written out."""
    bodies = {each.entry.name: (each.entry.parameters, each.body) for each in result.learned}
    with result.declared():
        for program in result.programs:
            column = {"xs": column_of(WORDS)}
            old = evaluate(program.solved.term, column, program.solved.fit, rows=1).to_list()
            new = evaluate(program.term, column, program.fit, rows=1).to_list()
            assert old == new
            assert same_inlined(program.term, bodies, named_parts(program.solved.term)[0])


def test_sum_of_reader() -> None:
    """A sum over one part and a sum over another become one sum that takes the part."""
    texts = {
        "digits": "measure_for_test{}@digit",
        "letters": "score_for_test{}@letter",
        "marks": "measure_for_test{}@mark",
    }
    programs = [
        solved(task, f"sum(map(x => 2 * {part}(x) + 1, filter(x => x != 'a', xs)))".replace("'", '"'), k + 2)
        for k, (task, part) in enumerate(texts.items())
    ]
    result = sleep(programs, 20)
    assert len(result.learned) == 1
    learned = result.learned[0]
    assert "reader" in learned.entry.parameters
    assert not any(isinstance(node, Module) for node in learned.body.walk())
    position = learned.entry.parameters.index("reader")
    assert learned.entry.type.parameters[position].is_function
    assert learned.tasks == ("digits", "letters", "marks")
    assert all(p.changed and p.asked and p.term.size < p.solved.term.size for p in result.programs)
    assert {len(p.fit) for p in result.programs} == {1}
    check_same(result)


def test_parts_without_labels_keep_their_arrays() -> None:
    """Without a label the fit of a part goes by where it stands; it is carried along."""
    programs = [
        solved(f"{kind} {k}", f"sum(map(z => negate({kind}(z) * {k} + 7), xs)) * 2", 3)
        for kind in ("measure_for_test", "score_for_test")
        for k in (4, 5)
    ]
    result = sleep(programs, 20)
    assert result.learned
    assert all(p.changed for p in result.programs)
    check_same(result)


def test_labels_are_given_to_parts_that_have_none() -> None:
    term = parse_term(
        "measure_for_test(first(xs)) + measure_for_test(last(xs)) + measure_for_test{}@m(last(xs))"
    )
    named, slots = named_parts(term)
    old = [n for n in term.walk() if isinstance(n, Module)]
    new = [n for n in named.walk() if isinstance(n, Module)]
    assert all(n.label for n in new)
    assert len({n.slot for n in new}) == 3
    assert [slots.get(n.slot, n.slot) for n in old] == [n.slot for n in new]
    assert len(slots) == 2
