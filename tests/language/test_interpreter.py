"""The columnar interpreter: what it shares, what fails, what it costs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from declared import declared
from meristem.errors import EvaluationError, InputError, Reason, ResourceError, TypeMismatch
from meristem.language import (
    VOCABULARY,
    Fitted,
    Lambda,
    ListOf,
    Literal,
    ModuleKind,
    Variable,
    call,
    evaluate,
    failing,
    parse_term,
    prepare,
    primitive,
    subroutine,
)
from meristem.language import closures as closures_module
from meristem.language import infer as infer_function
from meristem.language import interpreter as interpreter_module
from meristem.language import limits as limits_module
from meristem.language.reference import evaluate_plainly
from meristem.types import INT, REAL, parse_type
from meristem.values import Column, Scalars, column_from

XS = column_from([[3, 1, 2], [], [5, 5, 0, -1]], parse_type("list[int]"))


class Reader(ModuleKind):
    name = "test_reader"
    mode = "gradient"
    doc = "Two times a number, as a network would read it."
    sizes: ClassVar[list[int]] = []

    def type_of(self, inputs: Sequence[Any], target: Any) -> Any:
        if [t.name for t in inputs] != ["int"]:
            raise TypeMismatch(f"test_reader takes an int, got {inputs}")
        return INT

    def fit(self, inputs: Any, settings: Any, context: Any) -> Fitted:
        return Fitted({})

    def validate(self, arrays: Any, inputs: Any, output: Any) -> None:
        """Any arrays do."""

    def forward(self, arrays: Mapping[str, Any], inputs: Any, settings: Any, output: Any) -> Column:
        self.sizes.append(len(inputs[0]))
        return Scalars(INT, inputs[0].data * 2)


@pytest.fixture(scope="module", autouse=True)
def _kinds() -> Iterator[None]:
    with declared(Reader()):
        yield


def run(text: str, fuel: int = 1_000_000, **inputs: Column) -> Any:
    """A program's values, `EvaluationError` objects where it fails; the plain meaning must agree."""
    term = parse_term(text)
    fit: dict[str, dict[str, Any]] = {node.slot: {} for node in term.walk() if hasattr(node, "slot")}
    result = evaluate(term, inputs, fit, fuel=fuel)
    values, reasons = evaluate_plainly(term, inputs, fit, fuel=fuel)
    assert (reasons != 0).tolist() == (result.failures != 0).tolist()
    for value, other, reason in zip(values, result.column.to_list(), reasons, strict=True):
        assert reason or value == other
    return result.to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("map(x => x + length(xs), xs)", [[6, 4, 5], [], [9, 9, 4, 3]]),
        ("filter(x => x > 1, xs)", [[3, 2], [], [5, 5]]),
        ("fold((total, x) => total * 2 + x, 1, xs)", [24, 1, 75]),
        ("scan((total, x) => total + x, 0, xs)", [[3, 4, 6], [], [5, 10, 10, 9]]),
        ("map(x => map(y => x * y, xs), take(xs, 2))", [[[9, 3, 6], [3, 1, 2]], [], [[25, 25, 0, -5]] * 2]),
        (
            "let f = x => [x, x] in pair((f)(true), (f)(length(xs)))",
            [([True] * 2, [n] * 2) for n in (3, 0, 4)],
        ),
        ("let e = [] in pair(append(e, 1), append(e, true))", [([1], [True])] * 3),
        ("(h => (h)(1, c => (h)(2, d => (c)(10))))((x, k) => (k)(w => w + x))", [11] * 3),
        (
            "unfold(n => if n == 0 then none() else some(pair(n, n // 2)), length(xs))",
            [[3, 1], [], [4, 2, 1]],
        ),
        ("iterate(x => x * x, 2, length(xs))", [81, 0, 256]),
        ("sort_by(x => 0 - x, xs)", [[3, 2, 1], [], [5, 5, 0, -1]]),
        ('{most: max(append(xs, 0)), "the least": min(append(xs, 0))}."the least"', [0, 0, -1]),
        ("if length(xs) == 0 then [7] else xs", [[3, 1, 2], [7], [5, 5, 0, -1]]),
    ],
)
def test_programs(text: str, expected: list[Any]) -> None:
    assert run(text, xs=XS) == expected


def reasons(text: str, **inputs: Column) -> list[int]:
    return evaluate(parse_term(text), inputs).failures.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first(xs)", [0, Reason.EMPTY, 0]),
        ("get(xs, 3)", [Reason.INDEX, Reason.INDEX, 0]),
        ("map(x => 6 // x, xs)", [0, 0, Reason.DIVISION]),
        ("sum(map(x => x * 4000000000000000000, xs))", [Reason.OVERFLOW, 0, Reason.OVERFLOW]),
        ("map(x => exp(to_real(x) * 200.0), xs)", [0, 0, Reason.NON_FINITE]),
        ("map(x => sqrt(to_real(x)), xs)", [0, 0, Reason.DOMAIN]),
        ("map_get(map_of(zip(xs, xs)), 5)", [Reason.NOT_FOUND, Reason.NOT_FOUND, 0]),
        ('parse_int(if length(xs) == 3 then "7" else "x")', [0, Reason.PARSE, Reason.PARSE]),
        ("if length(xs) == 0 then 0 else first(xs) // (first(xs) - 5)", [0, 0, Reason.DIVISION]),
        ("length(range(0, length(xs) * 500000))", [Reason.SIZE, 0, Reason.SIZE]),
    ],
)
def test_one_failing_row_stops_no_other(text: str, expected: list[int]) -> None:
    assert reasons(text, xs=XS) == expected
    run(text, xs=XS)


def test_only_the_branch_taken_is_run() -> None:
    assert run("if length(xs) > 0 then first(xs) else 0", xs=XS) == [3, 0, 5]
    assert run("if true then 1 else while(x => true, x => x, 1)") == [1]


def test_a_module_in_a_map_runs_once_for_the_items_of_all_rows() -> None:
    Reader.sizes.clear()
    term = parse_term("sum(map(x => test_reader{}(x), xs))")
    fit: dict[str, dict[str, Any]] = {node.slot: {} for node in term.walk() if hasattr(node, "slot")}
    assert evaluate(term, {"xs": XS}, fit).to_list() == [12, 0, 18]
    assert Reader.sizes == [7]


def test_a_module_in_a_fold_runs_once_a_step() -> None:
    Reader.sizes.clear()
    term = parse_term("fold((total, x) => total + test_reader{}(x), 0, xs)")
    fit: dict[str, dict[str, Any]] = {node.slot: {} for node in term.walk() if hasattr(node, "slot")}
    assert evaluate(term, {"xs": XS}, fit).to_list() == [12, 0, 18]
    assert Reader.sizes == [2, 2, 2, 1]


def test_a_module_that_has_no_fit_is_told_from_inside_a_function_too() -> None:
    for few in (XS, XS.take(np.array([0]))):
        with pytest.raises(InputError, match="has no fit"):
            evaluate(parse_term("map(x => test_reader{}(x), xs)"), {"xs": few})


# ---------------------------------------------------------------------------------------------- fuel and room


@pytest.mark.parametrize(
    "text",
    [
        "while(x => true, x => x + 1, 0)",
        "while(x => true, x => x, xs)",
        "unfold(x => some(pair(x, x)), 0)",
        "iterate(x => x, 9000000000000000000, 0)",
        "iterate(v => concat_lists(v, v), 1000000, append(xs, 1))",
        'iterate(t => concat_text(t, t), 60, "ab")',
        "fold((n, x) => while(m => true, m => m, n), 0, [1])",
        "map(x => length(range(0, 9000)), range(0, 9000))",
        "let f1 = x => x + 1 in let f2 = x => (f1)((f1)(x)) in let f3 = x => (f2)((f2)(x)) in "
        "while(x => true, x => (f3)((f3)(x)), 0)",
        "while(x => x < 9, x => 3, 0)",
    ],
)
@pytest.mark.parametrize("rows", [1, 3, 200])
def test_runaway_programs_end_by_fuel(text: str, rows: int) -> None:
    column = column_from([[1, 2]] * rows, parse_type("list[int]"))
    start = time.process_time()
    result = evaluate(parse_term(text), {"xs": column}, fuel=20_000, rows=rows)
    assert set(result.failures.tolist()) <= {int(Reason.FUEL), int(Reason.SIZE)}
    assert result.failures.all()
    assert time.process_time() - start < 3


def test_fuel_is_counted_for_each_row_by_itself() -> None:
    column = column_from([10, 100_000, 20], INT)
    result = evaluate(parse_term("sum(map(x => x, range(0, n)))"), {"n": column}, fuel=1_000)
    assert result.failures.tolist() == [0, Reason.SIZE, 0]
    result = evaluate(parse_term("iterate(x => x + 1, n, 0)"), {"n": column}, fuel=1_000)
    assert result.failures.tolist() == [0, Reason.FUEL, 0]


def test_fuel_is_exact() -> None:
    """The least fuel that is enough is the same by columns and by plain Python."""
    term = parse_term("map(x => if x > 1 then sum(range(0, x)) else length(xs), xs)")
    for fuel in range(0, 45):
        columns = evaluate(term, {"xs": XS}, fuel=fuel).failures != 0
        plain = evaluate_plainly(term, {"xs": XS}, fuel=fuel)[1] != 0
        assert columns.tolist() == plain.tolist(), fuel
    assert not evaluate(term, {"xs": XS}, fuel=60).failed


def test_nested_doubling_ends() -> None:
    text = "x"
    for _ in range(40):
        text = f"let x = [x, x] in {text}"
    start = time.process_time()
    result = evaluate(parse_term(text), {"x": column_from([1, 2], INT)}, fuel=100_000)
    assert result.failures.tolist() == [Reason.FUEL] * 2
    for text in ("pair(x, x)", "{a: x, b: x}"):
        whole = "x"
        for _ in range(40):
            whole = f"let x = {text} in {whole}"
        with pytest.raises(TypeMismatch, match="parts"):
            evaluate(parse_term(whole), {"x": column_from([1, 2], INT)})
    assert time.process_time() - start < 10


def test_too_much_at_once_is_run_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    column = column_from(list(range(300)), INT)
    term = parse_term("sum(map(x => x + n, range(0, n)))")
    whole = evaluate(term, {"n": column}).to_list()
    monkeypatch.setattr(limits_module, "MAX_IN_FLIGHT", 1_000)
    monkeypatch.setattr(closures_module, "MAX_IN_FLIGHT", 1_000)
    assert evaluate(term, {"n": column}).to_list() == whole
    squares = "sum(map(x => sum(map(y => y * x, xs)), xs))"
    expected = [sum(range(n)) ** 2 for n in range(60)]
    assert (
        run(squares, xs=column_from([list(range(n)) for n in range(60)], parse_type("list[int]"))) == expected
    )


def test_a_single_row_that_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "MAX_IN_FLIGHT", 1_000)
    result = evaluate(parse_term("range(0, n)"), {"n": column_from([5_000, 10], INT)})
    assert result.failures.tolist() == [Reason.SIZE, 0]


def test_a_result_that_takes_too_much_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "MAX_IN_FLIGHT", 10_000)
    monkeypatch.setattr(interpreter_module, "MAX_RESULT", 100_000)
    column = column_from([5_000] * 400, INT)
    with pytest.raises(ResourceError, match="elements over all rows"):
        evaluate(parse_term("range(0, n)"), {"n": column})


def test_functions_over_functions_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty levels of `f(f(x))` are 2 to the power of 60 calls; typing them each anew is refused."""
    monkeypatch.setattr(sys.modules[infer_function.__module__], "MAX_NODES", 10_000)
    text = "(f60)(0)"
    for level in range(60, 0, -1):
        text = f"let f{level} = x => (f{level - 1})((f{level - 1})(x)) in {text}"
    start = time.process_time()
    with pytest.raises(TypeMismatch, match="nodes"):
        evaluate(parse_term(f"let f0 = x => x + 1 in {text}"), {})
    assert time.process_time() - start < 20


def test_nested_calls_of_functions_end() -> None:
    text = "x => x + 1"
    for _ in range(40):
        text = f"(f => x => (f)((f)(x)))({text})"
    with pytest.raises(TypeMismatch, match="may not give back a function"):
        evaluate(parse_term(text), {})
    assert run("(f => (f)((f)(1)))(x => x * 2)") == [4]


def test_deep_programs_run() -> None:
    term: Any = Literal(1, INT)
    for _ in range(450):
        term = call("add", term, Literal(1, INT))
    for _ in range(450):
        term = ListOf((term,))
    value = evaluate(term, {}).to_list()[0]
    for _ in range(450):
        (value,) = value
    assert value == 451
    nested: Any = Variable("x")
    for _ in range(150):
        nested = parse_term("if x > 0 then (y => y)(1) else 2").with_children(
            (parse_term("x > 0"), nested, Literal(2, INT))
        )
    assert evaluate(nested, {"x": column_from([1, 0], INT)}).to_list() == [1, 2]


def test_deep_functions_run() -> None:
    term: Any = Variable("x0")
    for level in range(250, 0, -1):
        term = call(
            "map", Lambda((f"x{level}",), term if level < 250 else Variable("x1")), ListOf((Variable("n"),))
        )
    value = evaluate(term, {"n": column_from([5, 6], INT)}).to_list()[1]
    for _ in range(250):
        (value,) = value
    assert value == 6


def test_vectors_of_unknown_length_do_not_mix() -> None:
    columns = {
        "v": column_from([[1.0], [2.0]], parse_type("vector[_]")),
        "w": column_from([[1.0, 2.0], [3.0, 4.0]], parse_type("vector[_]")),
    }
    types = {name: parse_type("vector[_]") for name in columns}
    program = prepare(parse_term("if sum(entries(v)) > 1.0 then v else w"), types)
    with pytest.raises(TypeMismatch, match="different shapes"):
        program.run(columns)


# ---------------------------------------------------------------------------------------------- errors and additions


@pytest.fixture
def added() -> Any:
    names: list[str] = []
    yield names
    for name in names:
        VOCABULARY.remove(name)


def test_an_undeclared_error_is_a_fault_and_is_raised_when_strict(
    added: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @primitive("int -> int", examples=[((1,), 1)])
    def defective(a: int) -> int:
        """Fails in ways it does not say."""
        return [1, 2, 3][a]

    added.append("defective")
    column = column_from([0, 9, 1], INT)
    monkeypatch.delenv("MERISTEM_STRICT", raising=False)
    result = evaluate(parse_term("defective(x)"), {"x": column})
    assert result.failures.tolist() == [0, Reason.FAULT, 0]
    monkeypatch.setenv("MERISTEM_STRICT", "1")
    with pytest.raises(IndexError):
        evaluate(parse_term("defective(x)"), {"x": column})
    defective.columnar(lambda a: a.nothing_like_it)
    with pytest.raises(AttributeError):
        evaluate(parse_term("defective(x)"), {"x": column})
    monkeypatch.delenv("MERISTEM_STRICT")
    result = evaluate(parse_term("if x < 5 then x else defective(x)"), {"x": column})
    assert result.failures.tolist() == [0, Reason.FAULT, 0]


def test_equal_arguments_are_worked_out_once(added: list[str]) -> None:
    seen: list[int] = []

    @primitive("int, text -> int", examples=[((1, "a"), 1)])
    def counted(a: int, b: str) -> int:
        """A number and the length of a text."""
        seen.append(a)
        if a == 2:
            raise EvaluationError(Reason.DOMAIN)
        return a + len(b)

    added.append("counted")
    numbers, texts = column_from([1, 2, 3] * 100, INT), column_from(["a", "b"] * 150, parse_type("text"))
    result = evaluate(parse_term("counted(x, t)"), {"x": numbers, "t": texts})
    assert len(seen) == 6
    assert result.failures.tolist() == [0, Reason.DOMAIN, 0] * 100
    assert result.column.to_list()[:4] == [2, 0, 4, 2]


def test_a_primitive_that_takes_a_function_needs_no_columnar_rule(added: list[str]) -> None:
    @primitive("(a) -> b, a, a -> list[b]", examples=[(("x => x + 1", 1, 2), [2, 3])])
    def both(function: Any, left: Any, right: Any) -> list[Any]:
        """What a function gives for two values."""
        return [function(left), function(right)]

    added.append("both")
    column = column_from([0, 1, 2, 3, 4, 5], INT)
    result = evaluate(parse_term("both(v => 12 // v + x, x, 3)"), {"x": column})
    assert result.failures.tolist() == [Reason.DIVISION, 0, 0, 0, 0, 0]
    assert result.column.to_list()[1:3] == [[13, 5], [8, 6]]


def test_a_columnar_rule_may_fail_rows(added: list[str]) -> None:
    @primitive("int -> int", examples=[((1,), 1), ((-1,), EvaluationError)])
    def positive(a: int) -> int:
        """The number, if it is positive."""
        if a < 0:
            raise EvaluationError(Reason.DOMAIN)
        return a

    positive.columnar(lambda a: failing(a, Reason.DOMAIN, a.data < 0))
    added.append("positive")
    result = evaluate(parse_term("positive(x) + 1"), {"x": column_from([1, -5, 2], INT)})
    assert result.failures.tolist() == [0, Reason.DOMAIN, 0]
    assert result.column.to_list() == [2, 0, 3]


def test_subroutines(added: list[str]) -> None:
    added += ["test_twice", "test_loop", "test_loop_too"]
    subroutine("test_twice", "(a) -> a, a -> a", "f, x", "(f)((f)(x))", doc="A function applied twice.")
    assert run("test_twice(x => x + length(xs), 1)", xs=XS) == [7, 1, 9]
    assert run('test_twice(t => test_twice(s => concat_text(s, "!"), t), "a")') == ["a!!!!"]
    subroutine("test_loop", "int -> int", "x", "test_loop_too(x)", doc="Refers to itself.")
    subroutine("test_loop_too", "int -> int", "x", "test_loop(x)", doc="Refers to itself.")
    with pytest.raises(TypeMismatch, match="refer to itself: test_loop#1 -> test_loop_too#1 -> test_loop#1"):
        evaluate(parse_term("test_loop(1)"), {})


def test_versions_of_a_primitive(added: list[str]) -> None:
    added.append("test_versions")
    for version in (1, 2):

        @primitive("int -> int", version=version, name="test_versions", examples=[((1,), version)])
        def _(a: int, version: int = version) -> int:
            """A number times the version."""
            return a * version

    assert run("[test_versions(5), test_versions#2(5), test_versions#0(5)]") == [[5, 10, 10]]
    with pytest.raises(TypeMismatch, match="version 3"):
        run("test_versions#3(5)")


def test_open_types_are_closed() -> None:
    assert run("length([])") == [0]
    assert run("[]") == [[]]
    assert run("sum([])") == [0]
    assert prepare(parse_term("sum([])"), {}, result=REAL).run({}).to_list() == [0.0]


def test_no_rows() -> None:
    empty = XS.take(np.array([], np.int64))
    for text in (
        "map(x => first(xs), xs)",
        "first(xs)",
        "fold((a, x) => a + x, 0, xs)",
        "max(xs)",
        "transpose([xs])",
    ):
        result = evaluate(parse_term(text), {"xs": empty})
        assert len(result.column) == 0
        assert result.failures.shape == (0,)
