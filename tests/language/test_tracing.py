"""Stepping through a run: what is told is what happens."""

from __future__ import annotations

from random import Random
from typing import Any

from meristem.errors import Reason
from meristem.language import parse_term, prepare
from meristem.language.generate import random_term, random_type, random_value
from meristem.language.reference import run_row
from meristem.language.tracing import Step, Traced, trace
from meristem.types import parse_type


def traced(text: str, **inputs: tuple[str, Any]) -> Traced:
    program = prepare(parse_term(text), {name: parse_type(type_) for name, (type_, _) in inputs.items()})
    return trace(program, {name: value for name, (_, value) in inputs.items()})


def test_steps_come_in_the_order_of_evaluation() -> None:
    found = traced('join_text(map(w => upper(w), words(x)), "-")', x=("text", "a b"))
    assert found.value == "A-B"
    assert [(step.entry.name if step.entry else "", step.value) for step in found.steps] == [
        ("words", ["a", "b"]),
        ("map", ["A", "B"]),
        ("join_text", "A-B"),
    ]
    calls = found.steps[1].calls
    assert [(call.arguments, call.value) for call in calls] == [({"w": "a"}, "A"), ({"w": "b"}, "B")]
    assert [step.value for call in calls for step in call.steps] == ["A", "B"]


def test_functions_inside_of_subroutines_are_seen_and_their_insides_are_not() -> None:
    found = traced("max_by(y => 0 - y, x)", x=("list[int]", [3, 1, 2]))
    (step,) = found.steps
    assert step.value == 1
    assert [call.arguments["y"] for call in step.calls][:3] == [3, 1, 2]


def test_only_the_first_calls_are_kept() -> None:
    found = traced("map(y => y + 1, x)", x=("list[int]", list(range(100))))
    (step,) = found.steps
    assert len(step.calls) == 5
    assert step.more == 95
    assert found.value == list(range(1, 101))


def test_a_run_that_never_ends_is_cut() -> None:
    program = prepare(parse_term("iterate(y => y + 1, 900000, x)"), {"x": parse_type("int")})
    found = trace(program, {"x": 0}, fuel=20_000)
    assert found.reason == Reason.FUEL
    assert sum(1 for _ in every(found.steps)) < 3000


def test_the_way_that_is_not_taken_has_no_steps() -> None:
    found = traced("if x > 3 then x + 1 else 10 // 0", x=("int", 5))
    assert [step.value for step in found.steps] == [True, 6, 6]


def test_failures_have_their_reason_where_they_happen() -> None:
    found = traced("10 // first(drop(x, 2)) + 1", x=("list[int]", [1, 2, 0]))
    assert found.reason == Reason.DIVISION
    assert [step.reason for step in found.steps] == [Reason.OK, Reason.OK, Reason.DIVISION, Reason.DIVISION]


def every(steps: list[Step]) -> Any:
    for step in steps:
        yield step
        for call in step.calls:
            yield from every(call.steps)


def test_watching_changes_nothing() -> None:
    rng = Random(5)
    for _ in range(150):
        inputs = {"a": random_type(rng, 2), "b": random_type(rng, 2)}
        term = random_term(rng, random_type(rng, 2), inputs, 14)
        program = prepare(term, inputs)
        row = {name: random_value(rng, type_) for name, type_ in inputs.items()}
        value, reason = run_row(program, row, fuel=20_000)
        found = trace(program, row, fuel=20_000)
        assert (found.reason, found.value) == (reason, value) or (value != value)
