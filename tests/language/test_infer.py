"""Type inference: principal types, polymorphism, what is refused and how it is said."""

from __future__ import annotations

import re
import time

import pytest

import meristem.primitives  # noqa: F401
from meristem.errors import TypeMismatch
from meristem.language import Call, Field, Hole, Lambda, Literal, Variable, expect, infer, parse_term
from meristem.language.infer import default_variables
from meristem.types import INT, REAL, TEXT, Type, parse_type, row_of

ENV = {
    "n": INT,
    "r": REAL,
    "t": TEXT,
    "xs": parse_type("list[int]"),
    "row": parse_type("row{a: int, b: option[real]}"),
    "v": parse_type("vector[3]"),
    "w": parse_type("vector[_]"),
}


def type_of(text: str) -> str:
    return str(infer(parse_term(text), ENV).type)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n + 1", "int"),
        ("r / 2.0", "real"),
        ("map(x => to_real(x) * r, xs)", "list[real]"),
        ("map((x => x), xs)", "list[int]"),
        ("fold((best, x) => if x > best then x else best, 0, xs)", "int"),
        ("let f = x => x in pair((f)(n), (f)(t))", "pair[int, text]"),
        ("let e = [] in pair(append(e, n), append(e, t))", "pair[list[int], list[text]]"),
        ("group_by(x => x % 2, xs)", "map[int, list[int]]"),
        ("{a: n, b: [t]}.b", "list[text]"),
        ("map(p => left(p).a, [pair(row, n)])", "list[int]"),
        ("sort_by(p => right(p), zip(xs, xs))", "list[pair[int, int]]"),
        ("if true then v else w", "vector[_]"),
        ("[v, w]", "list[vector[_]]"),
        ("concat(v, v)", "vector[6]"),
        ("concat(v, w)", "vector[_]"),
        ("((f, x) => (f)((f)(x)))(y => y * 2, n)", "int"),
        ("map_option(x => x + 1.0, row.b)", "option[real]"),
        ("let n = t in let f = x => concat_text(x, n) in (f)(t)", "text"),
    ],
)
def test_types(text: str, expected: str) -> None:
    assert type_of(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("n + r", "expected int, got real"),
        ("n + true", "expected int, got bool"),
        ("t + t", "expected a number, got text"),
        ("sort([x => x])", "expected a type that has an order"),
        ("[x => x]", "functions cannot be stored in data"),
        ("pair(x => x, 1)", "functions cannot be stored in data"),
        ("or_else(none(), x => x)", "function"),
        ("some(none())", "option of an option"),
        ("map(x => none(), present([none()]))", ""),
        ("if true then x => x else x => x", "branches of an if may not be functions"),
        ("(x => y => x)(1)", "may not give back a function"),
        ("(f => (f)(f))(x => x)", "cannot contain itself"),
        ("(n)(1)", "expected a function, got int"),
        ("map(n, xs)", "int"),
        ("map((x, y) => x, xs)", "->"),
        ("((x, y) => x)(1)", "takes 2 argument(s), got 1"),
        ("(x, x) => x", "parameter stands twice"),
        ("length(xs, xs)", "takes 1 argument"),
        ("map(x => x.a, [])", "must be known where its field is taken"),
        ("{a: 1, a: 2}", "named once each"),
        ("join()", "at least one row"),
        ("n.a", "expected a row, got int"),
        ("equal(x => x, x => x)", "can be compared"),
        ("map_of([pair(xs, n)])", "can be a key"),
        ("tally([xs])", "can be a key"),
        ("equal(v, v)", "can be compared"),
        ("sort([[row]])", "has an order"),
        ("x", "unknown name 'x'"),
        ("map(x => y, xs)", "unknown name 'y'"),
        ("get#7(xs, 1)", "unknown version 7"),
    ],
)
def test_refused(text: str, words: str) -> None:
    if not words:
        assert type_of(text).startswith("list[option[")
        return
    with pytest.raises(TypeMismatch, match=re.escape(words)):
        infer(parse_term(text), ENV)


def test_a_message_names_the_innermost_part_that_is_wrong() -> None:
    with pytest.raises(TypeMismatch) as error:
        infer(parse_term("map(x => length(map(y => concat_text(t, x + y), xs)), xs)"), ENV)
    assert str(error.value).endswith("in x + y")
    assert "expected text, got int" in str(error.value)


def test_every_node_has_a_type() -> None:
    root = infer(parse_term("map(x => if x > n then [x] else [], xs)"), ENV)
    types = {
        type(node.term).__name__: str(node.type) for node in root.walk() if isinstance(node.term, Lambda)
    }
    assert types == {"Lambda": "(int) -> list[int]"}
    empties = [node.type for node in root.walk() if node.term == parse_term("[]")]
    assert empties == [parse_type("list[int]")]
    assert all(node.type.ground for node in root.walk())


def test_parts_that_depend_on_inputs_only_are_typed_once() -> None:
    part = parse_term("map(x => x + n, xs)")
    root = infer(Call("concat_lists", (part, Call("concat_lists", (part, part)))), ENV)
    assert len({id(node) for node in root.walk() if node.term == part}) == 1
    again = infer(parse_term("pair(pair([], 1), pair(append([], 1), append([], true)))"), {})
    empties = {str(node.type) for node in again.walk() if node.term == parse_term("[]")}
    assert {"list[int]", "list[bool]"} <= empties


def test_an_input_may_be_hidden_by_a_parameter() -> None:
    root = infer(parse_term("pair(xs, map(xs => [xs, n], xs))"), ENV)
    assert str(root.type) == "pair[list[int], list[list[int]]]"
    assert type_of("let n = t in pair(n, (n => n + 1)(length(xs)))") == "pair[text, int]"


def test_holes() -> None:
    root = infer(Call("add", (Hole(), Variable("r"))), ENV)
    assert root.children[0].type == REAL
    assert infer(Hole(parse_type("list[a]")), {}).type.name == "list"
    with pytest.raises(TypeMismatch):
        infer(Call("add", (Hole(TEXT), Variable("r"))), ENV)


def test_expected_results() -> None:
    assert str(expect(parse_term("sum([])"), {}, REAL).type) == "real"
    with pytest.raises(TypeMismatch, match="expected text, got int"):
        expect(parse_term("n"), ENV, TEXT)


def test_open_types() -> None:
    root = infer(parse_term("pair([], sum([]))"), {})
    assert not root.type.ground
    assert str(default_variables(root.type)) == "pair[list[bool], int]"


@pytest.mark.parametrize("value", [None, [1], b"x", object()])
def test_literals_are_scalars(value: object) -> None:
    with pytest.raises(TypeMismatch):
        infer(Literal(value, INT), {})
    with pytest.raises(TypeMismatch):
        infer(Literal(value, parse_type("list[int]")), {})


def test_literals_are_of_their_type() -> None:
    for value, type_ in ((2**63, INT), (float("nan"), REAL), ("a", INT), (True, INT)):
        with pytest.raises(TypeMismatch):
            infer(Literal(value, type_), {})


def test_wide_rows_are_typed_fast() -> None:
    wide = row_of({f"c{i}": parse_type("option[real]") for i in range(20_000)})
    term: object = Variable("row")
    for _ in range(50):
        term = Call("numbers", (term,))  # type: ignore[arg-type]
    start = time.process_time()
    infer(term, {"row": wide})  # type: ignore[arg-type]
    infer(Field(Variable("row"), "c19999"), {"row": wide})
    assert time.process_time() - start < 5


def test_growing_types_are_refused() -> None:
    text = "x"
    for _ in range(64):
        text = f"let x = pair(x, x) in {text}"
    start = time.process_time()
    with pytest.raises(TypeMismatch, match="parts"):
        infer(parse_term(text), {"x": INT})
    with pytest.raises(TypeMismatch, match="parts"):
        infer(parse_term(f"x => {text}"), {})
    assert time.process_time() - start < 20
    assert Type("int").size == 1
