"""Random well-typed programs over the whole vocabulary: every way to run them agrees, every form reads back."""

from __future__ import annotations

import contextlib
import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import meristem.primitives  # noqa: F401
from meristem.errors import FileFormatError, TypeMismatch
from meristem.language import format_term, from_json, infer, parse_term, prepare, to_json
from meristem.language import narrow as narrow_module
from meristem.language.contract import same_value
from meristem.language.generate import random_term, random_type, random_value
from meristem.language.infer import default_variables
from meristem.language.python_form import to_python
from meristem.language.reference import run_row
from meristem.types import INT, parse_type, substitute
from meristem.values import column_from

FUEL = (50, 2_000)


def hold_against_the_reference(seed: int, size: int) -> None:
    rng = Random(seed)
    inputs = {name: random_type(rng, 3) for name in ("x", "y", "odd name")[: rng.randint(0, 3)]}
    type_ = random_type(rng, 3)
    term = random_term(rng, type_, inputs, size)
    text = format_term(term)
    assert parse_term(text) == term
    assert from_json(json.loads(json.dumps(to_json(term)))) == term

    count, fuel = rng.choice([1, 3, 6, 30]), rng.choice(FUEL)
    lists = {name: [random_value(rng, t) for _ in range(count)] for name, t in inputs.items()}
    columns = {name: column_from(values, inputs[name]) for name, values in lists.items()}
    program = prepare(term, inputs, result=type_)
    assert program.type == type_
    result = program.run(columns, fuel=fuel, rows=count)
    found = result.column.to_list()
    python: dict[str, Any] = {}
    source = to_python(term, inputs=inputs, result=type_, standalone=True)
    exec(compile(source, "<python form>", "exec"), python)
    for i in range(count):
        row = {name: values[i] for name, values in lists.items()}
        expected, reason = run_row(program, row, fuel=fuel)
        assert bool(reason) == bool(result.failures[i]), (text, row, reason, result.failures[i])
        if not reason:
            assert same_value(found[i], expected), (text, row)
            if i < 3:
                assert same_value(python["program"](*row.values()), expected), (text, row, source)


@pytest.fixture(params=[0, narrow_module.FEW], ids=["columns only", "narrow loops in Python"])
def narrow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow_module, "FEW", request.param)
    monkeypatch.setenv("MERISTEM_STRICT", "1")


@pytest.mark.usefixtures("narrow")
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**40), st.integers(1, 25))
def test_random_programs(seed: int, size: int) -> None:
    hold_against_the_reference(seed, size)


@pytest.mark.slow
@pytest.mark.usefixtures("narrow")
def test_many_random_programs() -> None:
    for seed in range(3_000):
        hold_against_the_reference(seed, 8 + seed % 30)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**40))
def test_generation_never_ends_dead(seed: int) -> None:
    rng = Random(seed)
    type_ = random_type(rng, 4)
    for size in (0, 1, 40):
        term = random_term(rng, type_, {}, size)
        assert default_variables(prepare(term, {}, result=type_).type) == type_
        assert term.size < 40 * max(size, 1) + 60


def test_generation_uses_the_whole_vocabulary() -> None:
    from meristem.language import VOCABULARY, Call, Primitive

    rng, seen = Random(1), set()
    lists = parse_type("pair[list[int], list[int]]")
    for i in range(1_200):
        type_ = random_type(rng, 3) if i % 4 else lists
        term = random_term(rng, type_, {"v": parse_type("vector[2]")}, 20)
        seen |= {node.name for node in term.walk() if isinstance(node, Call)}
    wanted = {e.name: e for e in VOCABULARY if not (isinstance(e, Primitive) and e.rule is not None)}
    missing = sorted(wanted.keys() - seen)
    assert len(missing) < len(wanted) / 10
    for name in missing:  # rare ones: asked for by their own type
        for _ in range(3_000):
            type_ = substitute(wanted[name].type.result, {t.name: INT for t in wanted[name].type.walk()})
            term = random_term(rng, type_, {"v": parse_type("vector[2]")}, 8)
            seen |= {node.name for node in term.walk() if isinstance(node, Call)}
            if name in seen:
                break
    # Nothing makes a distribution but a module.
    assert wanted.keys() - seen == {"most_likely", "probability"}


def test_random_terms_are_well_typed_without_their_result_type() -> None:
    rng = Random(7)
    for _ in range(200):
        infer(random_term(rng, random_type(rng, 3), {}, 20), {})


def damaged(value: Any, rng: Random) -> Any:
    """A JSON value with something in it replaced."""
    if rng.random() < 0.15 or not isinstance(value, list | dict) or not value:
        return rng.choice(
            [None, True, -1, 0, 3, 10**30, 1.5, float("nan"), "", "int", "list[", [], {}, [[]], value]
        )
    value = list(value) if isinstance(value, list) else dict(value)
    key = rng.choice(range(len(value)) if isinstance(value, list) else list(value))
    value[key] = damaged(value[key], rng)
    return value


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**40))
def test_damaged_forms_are_refused_with_a_clear_error_or_are_terms(seed: int) -> None:
    rng = Random(seed)
    term = random_term(rng, random_type(rng, 3), {"x": random_type(rng, 2)}, 12)
    form = to_json(term)
    for _ in range(4):
        form = damaged(form, rng)
    try:
        term = from_json(form)
    except FileFormatError:
        pass
    else:
        assert from_json(to_json(term)) == term
        with contextlib.suppress(TypeMismatch):
            prepare(term, {})
    text = list(format_term(term))
    for _ in range(3):
        place = rng.randrange(len(text) + 1)
        text[place : place + rng.randint(0, 2)] = rng.choice(
            ["", "(", "]", " ", "let ", "=>", '"', "`", "#", "\\", "9", "?:"]
        )
    try:
        again = parse_term("".join(text))
    except TypeMismatch:
        return
    assert parse_term(format_term(again)) == again
