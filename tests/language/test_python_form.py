"""The Python form: readable, faithful, safe, and able to stand alone."""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from typing import Any

import pytest

import meristem.primitives  # noqa: F401
from meristem.errors import TypeMismatch
from meristem.language import (
    VOCABULARY,
    Hole,
    Lambda,
    Let,
    Literal,
    Record,
    Variable,
    call,
    module,
    parse_term,
    primitive,
)
from meristem.language.python_form import to_python
from meristem.language.python_sources import definitions
from meristem.language.vocabulary import Primitive
from meristem.types import INT, TEXT, class_of, parse_type

LIST = parse_type("list[int]")


def body(text: str, **inputs: Any) -> str:
    return to_python(parse_term(text), inputs=inputs or {"xs": LIST, "n": INT, "t": TEXT})


def returned(text: str) -> str:
    return body(text).splitlines()[-1].strip().removeprefix("return ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("map(x => x * (n + 1), xs)", "[x * (n + 1) for x in xs]"),
        ("filter(x => x % 2 == 0 and x > n, xs)", "[x for x in xs if x % 2 == 0 and x > n]"),
        ("sort_by(x => 0 - x, xs)", "sorted(xs, key=lambda x: 0 - x)"),
        ("fold((total, x) => total * x, 1, xs)", "functools.reduce(lambda total, x: total * x, xs, 1)"),
        ("zip_with((x, y) => x - y, xs, xs)", "[x - y for x, y in zip(xs, xs)]"),
        ("if n > 0 then n else negate(n)", "n if n > 0 else -n"),
        ("n - (n - n) - -1", "n - (n - n) - -1"),
        ("(n < 3) == (n > 1)", "(n < 3) == (n > 1)"),
        ("not (n < 3 or n > 9)", "not (n < 3 or n > 9)"),
        ("any(x => x == n, xs)", "any(x == n for x in xs)"),
        ("length(concat_lists(xs, [n]))", "len(xs + [n])"),
        ("let f = x => x + n in map(f, xs)", "[f(item) for item in xs]"),
        ("negate(negate(n))", "-(-n)"),
        ("{a: n}.a", "{'a': n}['a']"),
        ('upper(concat_text(t, "!"))', "(t + '!').upper()"),
        ("map(x => pair(x, true), xs)", "[(x, True) for x in xs]"),
        ("is_some(index_of(xs, n))", "index_of(xs, n) is not None"),
    ],
)
def test_expressions(text: str, expected: str) -> None:
    assert returned(text) == expected


def test_statements() -> None:
    text = body("let total = sum(xs) in let step = (x, y) => let z = x * y in z + total in (step)(n, 2)")
    assert text.splitlines() == [
        "def program(xs: list[int], n: int, t: str) -> int:",
        '    """xs: list[int], n: int, t: text -> int"""',
        "    total = sum(xs)",
        "    def step(x, y):",
        "        z = x * y",
        "        return z + total",
        "    return step(n, 2)",
    ]


def test_modules_and_notes() -> None:
    inner = module("impute", call("numbers", Variable("row")), strategy="mean")
    term = module("logistic", inner, l2=1.0, label="second one")
    text = to_python(term, name="predict", inputs=["row"], notes={inner: ["3 means\nimport os", "caf\u00e9"]})
    assert text.splitlines() == [
        "def predict(row):",
        "    # 3 means\\nimport os",
        "    # café",
        "    impute_1 = impute(numbers(row), strategy='mean')",
        "    return logistic(impute_1, l2=1.0, label='second one')",
    ]


EVIL = "\"\"\"'''\\\n\r\x0c\u2028); import os #"


def test_names_and_texts_from_data_cannot_become_code() -> None:
    """Whatever stands in a name, the text is one function with as many statements as the term asks for."""
    import ast

    labels = class_of(EVIL, "b")
    row = parse_type("row{a: int}").__class__("row", (INT, TEXT), (EVIL, "class"))
    for term, types in (
        (call("concat_text", Variable(EVIL), Literal(EVIL, TEXT)), {EVIL: TEXT}),
        (Record((EVIL,), (Literal(EVIL, labels),)), {}),
        (Let(EVIL, Literal(1, INT), call("add", Variable(EVIL), Literal(1, INT))), {}),
        (call("map", Lambda((EVIL,), Variable(EVIL)), Variable("def")), {"def": LIST}),
        (parse_term("row.class"), {"row": row}),
    ):
        text = to_python(term, name=EVIL, inputs=types, notes={term: [EVIL]})
        tree = ast.parse(text)
        assert [type(node).__name__ for node in tree.body] == ["FunctionDef"]
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    hostile = module("k", label=EVIL, choice=EVIL)
    ast.parse(to_python(module("x y", hostile), inputs=[EVIL], notes={hostile: [EVIL]}))


def test_names_do_not_clash() -> None:
    term = parse_term(
        "let sum = sum(xs) in let len = length(xs) in map(sum => sum + len, [sum, `a b`, `a-b`])"
    )
    types = {"xs": LIST, "a b": INT, "a-b": INT}
    names: dict[str, Any] = {}
    exec(to_python(term, inputs=types, standalone=True), names)
    assert names["program"]([1, 2], 10, 20) == [5, 12, 22]


def test_equal_terms_with_other_meanings() -> None:
    long = "concat_lists(concat_lists(xs, [x, x, x, x, x, x]), concat_lists(xs, [x, x, x, x, x, x]))"
    term = parse_term(
        f"length({long}) + (let x = 2 in sum({long})) + (let x = 3 in sum({long})) + sum({long})"
    )
    names: dict[str, Any] = {}
    exec(to_python(term, inputs={"xs": LIST, "x": INT}, standalone=True), names)
    assert names["program"]([1], 1) == 14 + 26 + 38 + 14


PROGRAM = """
let tallied = sort_by(p => 0 - right(p), items(tally(map(w => lower(strip(w)), words(t))))) in
join_text(map(p => concat_text(left(p), concat_text(": ", show(right(p)))), take(tallied, 2)), ", ")
"""


def test_a_text_that_stands_alone_runs_in_a_bare_interpreter() -> None:
    text = to_python(parse_term(PROGRAM), inputs={"t": TEXT}, standalone=True)
    assert "meristem" not in text
    script = text + "\nprint(program('b a B c a b'))\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "b: 3, a: 2"


def test_failures_stand_alone_too() -> None:
    text = to_python(parse_term("get(xs, parse_int(t))"), inputs={"xs": LIST, "t": TEXT}, standalone=True)
    script = (
        text
        + "\ntry:\n    program([1], '-1')\nexcept EvaluationError as error:\n    print('no value:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "no value: index"


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (module("logistic", Variable("row")), "fitted numbers"),
        (Hole(INT), "hole"),
        (call("numbers", Variable("row")), "types of fields"),
    ],
)
def test_what_cannot_stand_alone(term: Any, words: str) -> None:
    import meristem.modules  # noqa: F401

    row = parse_type("row{a: int}")
    if words == "fitted numbers":
        term = module("standardize", module("impute", call("numbers", Variable("row"))))
    with pytest.raises(TypeMismatch, match=words):
        to_python(term, inputs={"row": row}, standalone=True)


def test_deep_terms() -> None:
    term: Any = Variable("n")
    for i in range(300):
        term = call("add", call("multiply", term, Literal(i, INT)), Literal(1, INT))
    names: dict[str, Any] = {}
    exec(to_python(term, inputs={"n": INT}, standalone=True), names)
    assert names["program"](0) > 0


def test_an_older_version_has_a_name_of_its_own() -> None:
    for version in (1, 2):

        @primitive("int -> int", version=version, name="test_older", examples=[((1,), version)])
        def test_older(a: int) -> int:
            """A number."""
            return a

    try:
        text = to_python(parse_term("test_older#1(n) + test_older#2(n)"), inputs={"n": INT})
    finally:
        VOCABULARY.remove("test_older")
    assert text.splitlines()[-1].strip() == "return test_older_v1(n) + test_older(n)"


def test_every_name_in_a_text_that_stands_alone_is_defined() -> None:
    """In annotations too: they are never worked out, but people and linters read them."""
    checked = 0
    for entry in VOCABULARY:
        if not isinstance(entry, Primitive):
            continue
        text = "\n".join(["from __future__ import annotations", *definitions({f"own_{entry.name}": entry})])
        tree = ast.parse(text)
        known = set(dir(builtins))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                known |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                known.add(node.name)
            elif isinstance(node, ast.arg):
                known.add(node.arg)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                known.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                known.add(node.id)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert used <= known, f"{entry.name}: {used - known}"
        assert "meristem" not in text, entry.name
        checked += "Any" in used
    assert checked > 10
