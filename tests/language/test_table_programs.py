"""First-order programs over table rows: typed, run in columns, written and read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from declared import declared
from meristem.errors import FileFormatError, InputError, Reason, TypeMismatch
from meristem.language import (
    Call,
    Field,
    Fitted,
    Hole,
    If,
    Let,
    ListOf,
    Literal,
    ModuleKind,
    Real,
    Record,
    Variable,
    call,
    evaluate,
    format_term,
    from_json,
    infer,
    module,
    parse_term,
    prepare,
    to_json,
)
from meristem.types import BOOL, DATETIME, INT, REAL, TEXT, class_of, parse_type, row_of, vector_of
from meristem.values import Column, Dense, Rows, Scalars, column_from, reals

ROW = parse_type(
    "row{age: option[real], kids: int, pet: class[cat, dog], born: option[datetime], note: text}"
)
PEOPLE = [
    {"age": 30.5, "kids": 2, "pet": "cat", "born": datetime(1990, 2, 28, 13, 30), "note": "x"},
    {"age": None, "kids": 0, "pet": "dog", "born": None, "note": "y"},
    {"age": 1e300, "kids": 1, "pet": "dog", "born": datetime(1969, 12, 31), "note": "x"},
]


class Widen(ModuleKind):
    name = "test_widen"
    mode = "unsupervised"
    choices: ClassVar = {"scale": Real(1.0, 0.0, 1e9)}
    doc = "Numbers of a row as a vector, times a scale; missing as zero."
    calls = 0

    def type_of(self, inputs: Sequence[Any], target: Any) -> Any:
        if len(inputs) != 1 or inputs[0].name != "row":
            raise TypeMismatch("test_widen takes a row")
        return vector_of(len(inputs[0].args))

    def fit(self, inputs: Any, settings: Any, context: Any) -> Fitted:
        return Fitted({})

    def validate(self, arrays: Any, inputs: Any, output: Any) -> None:
        """Any arrays do."""

    def forward(self, arrays: Mapping[str, Any], inputs: Any, settings: Any, output: Any) -> Column:
        type(self).calls += 1
        (row,) = inputs
        data = np.stack([np.nan_to_num(reals(c)) for c in row.fields.values()], axis=1)
        with np.errstate(over="ignore"):
            return Dense(output, data * settings["scale"] + arrays["shift"])


class Total(ModuleKind):
    name = "test_total"
    mode = "supervised"
    doc = "The sum of a vector, as the target's type."

    def type_of(self, inputs: Sequence[Any], target: Any) -> Any:
        return target or REAL

    def fit(self, inputs: Any, settings: Any, context: Any) -> Fitted:
        return Fitted({})

    def validate(self, arrays: Any, inputs: Any, output: Any) -> None:
        """Any arrays do."""

    def forward(self, arrays: Any, inputs: Any, settings: Any, output: Any) -> Column:
        return Scalars(REAL, inputs[0].data.sum(axis=1))


@pytest.fixture(scope="module", autouse=True)
def _kinds() -> Iterator[None]:
    with declared(Widen(), Total()):
        yield


ROWS = column_from(PEOPLE, ROW)
PROGRAM = parse_term(
    "test_total{}(concat(test_widen{}(numbers(row)), test_widen{scale: 2.0}(date_parts(dates(row)))))"
)


def fit_of(term: Any) -> dict[str, dict[str, Any]]:
    return {node.slot: {"shift": np.zeros(1)} for node in term.walk() if hasattr(node, "slot")}


def test_types_of_row_primitives() -> None:
    root = infer(PROGRAM, {"row": ROW})
    assert root.type == REAL
    types = {format_term(node.term): node.type for node in root.walk()}
    assert types["numbers(row)"] == parse_type("row{age: option[real], kids: int}")
    assert types["dates(row)"] == parse_type("row{born: option[datetime]}")
    assert root.children[0].type == vector_of(8)
    assert infer(parse_term("categories(row)"), {"row": ROW}).type == row_of({"pet": class_of("cat", "dog")})
    assert infer(parse_term("texts(row)"), {"row": ROW}).type == row_of({"note": TEXT})
    joined = infer(parse_term('join(texts(row), select(row, "kids", "pet"))'), {"row": ROW}).type
    assert list(joined.fields) == ["note", "kids", "pet"]


def test_program_runs_and_a_failing_row_stops_no_other() -> None:
    term = parse_term("test_total{}(test_widen{scale: 1000000000.0}(numbers(row)))")
    result = evaluate(term, {"row": ROWS}, fit_of(term))
    assert result.failures.tolist() == [0, 0, Reason.NON_FINITE]
    assert result.column.to_list() == [32.5e9, 0.0, 0.0]


def test_date_parts() -> None:
    result = evaluate(parse_term("date_parts(dates(row))"), {"row": ROWS}).column.to_list()
    names = ["born.year", "born.month", "born.day", "born.weekday", "born.hour", "born.elapsed"]
    assert list(result[0]) == names
    assert list(result[0].values()) == [1990.0, 2.0, 28.0, 2.0, 13.5, 7363.5625]
    assert list(result[1].values()) == [None] * 6
    assert list(result[2].values()) == [1969.0, 12.0, 31.0, 2.0, 0.0, -1.0]


def test_equal_parts_run_once_and_memo_is_used_and_filled() -> None:
    part = parse_term("test_widen{}(numbers(row))")
    term = module("test_total", call("concat", part, part))
    before = Widen.calls
    memo: dict[Any, Column] = {}
    first = evaluate(term, {"row": ROWS}, fit_of(term), memo=memo)
    assert Widen.calls == before + 1
    assert part in memo
    assert term in memo
    del memo[term], memo[term.args[0]]
    memo[part] = Dense(vector_of(2), np.full((3, 2), 7.0))
    second = evaluate(term, {"row": ROWS}, fit_of(term), memo=memo)
    assert Widen.calls == before + 1
    assert second.column.to_list() == [28.0] * 3 != first.column.to_list()


def test_prepare_once_run_often() -> None:
    program = prepare(PROGRAM, {"row": ROW}, target=REAL)
    fit = fit_of(PROGRAM)
    all_rows = program.run({"row": ROWS}, fit)
    for i in range(3):
        one = program.run({"row": ROWS.take(np.array([i]))}, fit)
        assert one.column.to_list() == [all_rows.column[i]]
        assert one.failures.tolist() == [all_rows.failures[i]]
    none = program.run({"row": ROWS.take(np.array([], np.int64))}, fit)
    assert len(none.column) == 0
    assert len(none.failures) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("numbers(row.age)", "takes a row"),
        ("numbers(raw)", "unknown name 'raw'"),
        ("nothing_like_it(row)", "unknown function"),
        ("no_such_kind{}(row)", "unknown module kind"),
        ("test_widen{depth: 3}(row)", "has no choice 'depth'"),
        ("test_widen{scale: -1.0}(row)", "out of range"),
        ("row.height", "no field 'height'"),
        ("join(row, row)", "in two of them"),
        ('select(row, "height")', "no field 'height'"),
        ("if row.kids then 1 else 2", "expected bool, got int"),
        ("[1, true]", "expected int, got bool"),
        ('"mouse" as class[cat, dog]', "expected class"),
    ],
)
def test_ill_typed(text: str, words: str) -> None:
    with pytest.raises(TypeMismatch, match=words):
        infer(parse_term(text), {"row": ROW})


def test_message_names_the_part() -> None:
    with pytest.raises(TypeMismatch, match=r"in concat\(row\.kids\)"):
        infer(parse_term("test_total{}(concat(row.kids))"), {"row": ROW})


def test_missing_input_fit_and_hole() -> None:
    with pytest.raises(InputError, match="'row' is missing"):
        prepare(PROGRAM, {"row": ROW}).run({})
    with pytest.raises(InputError, match="has no fit"):
        evaluate(PROGRAM, {"row": ROWS})
    with pytest.raises(InputError, match="does not have its type"):
        prepare(PROGRAM, {"row": ROW}).run({"row": column_from([1], INT)})
    with pytest.raises(TypeMismatch, match="hole"):
        prepare(Hole(REAL), {})


def test_wide_table() -> None:
    fields: dict[str, Column] = {f"c{i}": Scalars(REAL, np.arange(3.0)) for i in range(10_000)}
    fields["word"] = column_from(["a", "b", "c"], TEXT)
    column = Rows(fields)
    result = evaluate(parse_term("numbers(row)"), {"row": column})
    assert isinstance(result.column, Rows)
    assert len(result.column.fields) == 10_000


TERMS = [
    PROGRAM,
    Variable("odd name"),
    Variable("let"),
    Variable('tick`\\"'),
    Literal(-1, INT),
    Literal(1, REAL),
    Literal(-2.5e-300, REAL),
    Literal('a\n"b" \u00e9 \ud800', TEXT),
    Literal(True, BOOL),
    Literal("cat", class_of("cat", "the dog")),
    Literal(datetime(2024, 2, 29, 1, 2, 3, 4), DATETIME),
    Field(Field(Variable("row"), "a b"), "if"),
    Call("f", (Literal(-1, INT), Literal(datetime(2024, 1, 1), DATETIME)), 3),
    parse_term("(f)(x, y => y + 1)"),
    parse_term("let a = x => x in (a)(if p then -1 else (2 + 3) * 4)"),
    parse_term("not (a or b and not c) == (d - (e - g)) or not(h, i)"),
    parse_term("(a < b) < c"),
    Hole(),
    Hole(REAL),
    Hole(parse_type("(n, list[a]) -> row{x: n} where n: number")),
    call("add", Hole(REAL), Hole(REAL)),
    Record(("a", "odd name", "let"), (Variable("x"), ListOf(()), ListOf((Literal(1, INT),)))),
    module("k", Variable("x"), label="a b", output=class_of("1", "2 3"), a=1, b=-1.5, c="x", d=True),
    Let("x", Literal(1, INT), If(Literal(True, BOOL), Variable("x"), Variable("x"))),
]


@pytest.mark.parametrize("term", TERMS, ids=range(len(TERMS)))
def test_forms_round_trip(term: Any) -> None:
    assert parse_term(format_term(term)) == term
    assert from_json(json.loads(json.dumps(to_json(term)))) == term


def test_json_keeps_shared_parts_shared() -> None:
    term: Any = Variable("x")
    for _ in range(15):
        term = call("add", term, term)
    assert len(to_json(term)["nodes"]) == 16
    assert from_json(to_json(term)) == term
    for _ in range(85):
        term = call("add", term, term)
    with pytest.raises(TypeMismatch, match="nodes"):
        infer(term, {"x": INT})
    with pytest.raises(FileFormatError, match="nodes"):
        from_json(to_json(term))


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"meristem-term": 2, "nodes": [["var", "x"]]},
        {"meristem-term": 1, "nodes": []},
        {"meristem-term": 1, "nodes": [["var"]]},
        {"meristem-term": 1, "nodes": [["var", 3]]},
        {"meristem-term": 1, "nodes": [["what", 3]]},
        {"meristem-term": 1, "nodes": [["call", "f", 1, [0]]]},
        {"meristem-term": 1, "nodes": [["call", "f", True, []]]},
        {"meristem-term": 1, "nodes": [["lit", "int", 2**70]]},
        {"meristem-term": 1, "nodes": [["lit", "real", float("inf")]]},
        {"meristem-term": 1, "nodes": [["lit", "no type", 1]]},
        {"meristem-term": 1, "nodes": [["lit", "datetime", "soon"]]},
        {"meristem-term": 1, "nodes": [["list", [-1]]]},
        {"meristem-term": 1, "nodes": [["module", "k", 1, [["a", []]], None, "", []]]},
        {"meristem-term": 1, "nodes": [["hole", "list[" * 2000]]},
        {"meristem-term": 1, "nodes": [["list", []]] + [["list", [i]] for i in range(1500)]},
    ],
)
def test_hostile_json(value: Any) -> None:
    with pytest.raises(FileFormatError):
        from_json(value)


NO_TERMS = [
    "",
    "f(",
    "1 +",
    "let a = 1",
    "a < b < c",
    "(" * 5000,
    "not " * 5000,
    "\0",
    '"\\q"',
    "f#(1)",
    "1 2",
    "9" * 400,
]


@pytest.mark.parametrize("text", NO_TERMS, ids=range(len(NO_TERMS)))
def test_text_that_is_no_term(text: str) -> None:
    with pytest.raises(TypeMismatch):
        parse_term(text)


def test_deep_terms() -> None:
    term: Any = Variable("x")
    for _ in range(900):
        term = ListOf((term,))
    assert parse_term(format_term(term)) == term
    for _ in range(5000):
        term = ListOf((term,))
    with pytest.raises(TypeMismatch, match="deep"):
        infer(term, {"x": INT})
    with pytest.raises(TypeMismatch, match="deep"):
        format_term(term)
    with pytest.raises(FileFormatError, match="deep"):
        from_json(to_json(term))
