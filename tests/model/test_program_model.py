"""A program from examples as a user holds it: run, read, traced, explained, asked, saved, and hostile files."""

from __future__ import annotations

import ast
import json
import pickle
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem.errors import EvaluationError, FileFormatError, InputError
from meristem.language import parse_term
from meristem.model import ProgramModel, ProgramWarning
from meristem.model.file import pack, unpack
from meristem.model.program import Program
from meristem.model.program_page import page
from meristem.model.program_report import FoundProgram, ProgramReport
from meristem.model.questions import Rival
from meristem.model.report import Effort
from meristem.model.value_text import json_value, value_text
from meristem.search.programs.made_up import make_up
from meristem.types import parse_type
from meristem.values import column_from

RECORD: dict[str, Any] = ProgramReport(
    name="made",
    examples=1,
    further=0,
    types={"x": "int"},
    output="int",
    effort=Effort(1.0),
    program="x",
    bits=3.0,
    agreement=1.0,
    asked=0,
    considered=0,
    ended="it was made for a test",
).to_json()


def model_of(
    text: str,
    inputs: dict[str, tuple[str, list[Any]]],
    output: str,
    rivals: tuple[str, ...] = (),
    name: str = "made",
) -> ProgramModel:
    types = {n: parse_type(t) for n, (t, _) in inputs.items()}
    program = Program(parse_term(text), types, parse_type(output), {}, exact=True)
    examples = {n: column_from(values, types[n]) for n, (_, values) in inputs.items()}
    result = program.run(examples)
    assert not result.failures.any()
    found = tuple(Rival(parse_term(rival), 0.2) for rival in rivals)
    asked = make_up(examples, 8, 0) if rivals else {}
    return ProgramModel(program, name, "answer", examples, result.column, RECORD, found, asked)


@pytest.fixture(scope="module")
def initials() -> ProgramModel:
    texts = ["Ada Lovelace", "Alan Turing"]
    return model_of(
        'join_text(map(w => first_character(w), words(x)), ".")', {"x": ("text", texts)}, "text", ('"A.L"',)
    )


@pytest.fixture(scope="module")
def quotient() -> ProgramModel:
    return model_of("a // b", {"a": ("int", [7, 9]), "b": ("int", [2, 3])}, "int")


# ---------------------------------------------------------------------------------------------- running


def test_one_input(quotient: ProgramModel) -> None:
    assert quotient(7, 2) == 3
    assert quotient(7, b=2) == quotient(a=7, b=2) == 3
    for arguments, named in (
        ((1,), {}),
        ((1, 2, 3), {}),
        ((1,), {"c": 2}),
        ((), {"a": 1}),
        ((1, 2), {"a": 1}),
    ):
        with pytest.raises(InputError, match="expected the 2 inputs a: int, b: int, got"):
            quotient(*arguments, **named)
    with pytest.raises(InputError, match="the input 'b': expected int, got 'x'"):
        quotient(1, "x")
    with pytest.raises(EvaluationError, match="the program has no value for 7, 0: division by zero"):
        quotient(7, 0)


def test_many_inputs_and_what_fails(quotient: ProgramModel) -> None:
    assert quotient.predict([(7, 2), [9, 3], {"b": 2, "a": 8}]) == [3, 3, 4]
    assert quotient.predict([]) == []
    with pytest.warns(ProgramWarning) as caught:
        found = quotient.predict([(7, 0), (7, 2), "ab", (1, "x"), (5, 0), (1,)])
    assert found == [None, 3, None, None, None, None]
    text = str(caught[0].message)
    assert "no answer for 5 of 6 rows" in text
    assert "rows 1, 5: division by zero" in text
    for wrong in (5, "abc", {"a": 1, "b": 2}):
        with pytest.raises(InputError, match="for one input call the model"):
            quotient.predict(wrong)


def test_values_of_every_kind_come_and_go() -> None:
    pair = model_of("pair(right(x), left(x))", {"x": ("pair[int, text]", [(1, "a")])}, "pair[text, int]")
    assert pair((2, "b")) == ("b", 2)
    assert pair.predict([(2, "b"), [3, "c"]]) == [("b", 2), ("c", 3)]
    maps = model_of("keys(x)", {"x": ("map[text, int]", [{"a": 1}])}, "list[text]")
    assert maps.predict([{"x": 1, "y": 2}, {"b": 1}]) == [["x", "y"], ["b"]]
    options = model_of("or_else(x, 0)", {"x": ("option[int]", [None, 3])}, "int")
    assert options.predict([None, 5]) == [0, 5]
    dates = model_of("year(x)", {"x": ("datetime", [datetime(2024, 1, 2)])}, "int")
    assert dates("2025-03-04") == 2025
    reals = model_of("x + x", {"x": ("real", [1.5])}, "real")
    assert reals(2) == 4.0


def test_heavy_programs_end() -> None:
    model = model_of("length(repeat(x, x))", {"x": ("int", [3])}, "int")
    with pytest.raises(EvaluationError, match=r"too many steps|too large"):
        model(10**9)
    with pytest.warns(ProgramWarning, match=r"too many steps|too large"):
        assert model.predict([2, 10**9, 3]) == [2, None, 3]


# ---------------------------------------------------------------------------------------------- reading


PROGRAMS = [
    ('join_text(map(w => first_character(w), words(x)), ".")', "text", "text"),
    ("map(y => if y > 2 then y * 2 else 0 - y, reverse(sort(x)))", "list[int]", "list[int]"),
    ("fold((t, y) => t + y, 0, filter(y => is_even(y), x))", "list[int]", "int"),
    ("get(sort(x), length(x) // 2)", "list[int]", "int"),
    ("group_by(y => y % 3, x)", "list[int]", "map[int, list[int]]"),
    ("zip(x, drop(x, 1))", "list[int]", "list[pair[int, int]]"),
    ('upper(text_slice(replace(x, " ", "-"), 0, 5))', "text", "text"),
    ('text_find(x, "a")', "text", "option[int]"),
    ('parse_int(keep_class(x, "digits"))', "text", "int"),
    ("sum(map(y => y * y, x)) / 2.0", "list[real]", "real"),
]


@pytest.mark.parametrize(("text", "given", "output"), PROGRAMS)
def test_the_source_runs_in_a_bare_interpreter_and_gives_the_same(
    text: str, given: str, output: str, tmp_path: Path
) -> None:
    values = {
        "text": ["Ada Lovelace 12", "a 7-b", "x1 'q' \"z\" \n 🌱"],
        "list[int]": [[3, 1, 2], [4, 4, 0, -7], [5]],
        "list[real]": [[1.5, 2.0], [0.0], [-3.25]],
    }[given]
    model = model_of(text, {"x": (given, values)}, output, name="class")
    source = model.source()
    tree = ast.parse(source)
    name = next(node.name for node in reversed(tree.body) if isinstance(node, ast.FunctionDef))
    made = make_up(model.examples, 40, 1)["x"].to_list()
    answers, failures = model.answers_for(made)
    script = tmp_path / "program.py"
    good = [[v, a] for k, (v, a) in enumerate(zip(made, answers, strict=True)) if k not in failures]
    assert len(good) > 10
    check = (
        f"\nimport sys\nfor v, a in {good!r}:\n    assert {name}(v) == a, (v, a, {name}(v))\n"
        "assert not [m for m in sys.modules if m.startswith(('meristem', 'numpy'))]\nprint('same')\n"
    )
    script.write_text(source + check, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "same", done.stderr


def test_the_short_source_leaves_definitions_out(initials: ProgramModel) -> None:
    assert initials.short_source().startswith("def made(x: str) -> str:")
    assert len(initials.short_source()) < len(initials.source())


def test_a_trace_can_be_read(initials: ProgramModel) -> None:
    trace = initials.trace("Grace Hopper")
    assert trace.value == "G.H"
    text = str(trace)
    assert text.startswith("x = 'Grace Hopper'\n1  words(x)")
    assert "w = 'Grace'" in text
    assert text.endswith("result  'G.H'")
    assert [step.number for step in trace.steps] == [1, 2, 3]
    assert trace.steps[2].text == 'join_text(#2, ".")'


def test_a_trace_says_where_it_fails(quotient: ProgramModel) -> None:
    trace = quotient.trace(7, 0)
    assert trace.failure == "division by zero"
    assert "fails: division by zero" in str(trace)


def test_a_long_trace_is_bounded() -> None:
    model = model_of("map(y => sum(map(z => z * y, x)), x)", {"x": ("list[int]", [[1, 2]])}, "list[int]")
    text = str(model.trace(list(range(500))))
    assert len(text.splitlines()) < 80
    assert max(map(len, text.splitlines())) < 200
    assert "495 more" in text


def test_an_explanation_uses_the_values(initials: ProgramModel) -> None:
    text = initials.explain()
    assert text.startswith("Given x = 'Ada Lovelace':")
    assert "words('Ada Lovelace') gives ['Ada', 'Lovelace']" in text
    assert "For w = 'Ada' it gives 'A'" in text
    assert text.endswith("So the answer is 'A.L'.")
    assert "['Bob']" in initials.explain("Bob")
    branch = model_of('if x > 3 then "big" else show(x)', {"x": ("int", [5])}, "text")
    assert "Because x > 3 is true, it takes the first way, which gives 'big'." in branch.explain()
    assert "second way" in branch.explain(1)
    assert "the same for every input" in model_of("5", {"x": ("int", [1])}, "int").explain()
    assert "an input as it is" in model_of("x", {"x": ("int", [1])}, "int").explain()
    assert "there is no answer: division by zero" in model_of("1 // x", {"x": ("int", [1])}, "int").explain(0)


def test_pictures_and_pages(initials: ProgramModel) -> None:
    svg = initials.picture()
    assert svg.startswith("<svg ")
    assert "Ada" in svg
    whole = page(initials)
    assert "<script" not in whole
    assert "Questions" in whole
    assert initials._repr_html_().startswith("<div><svg ")


def test_what_a_page_shows_is_escaped() -> None:
    model = model_of("x", {"x": ("text", ["<script>alert(1)</script>"])}, "text", name="<b>\x1b[31m")
    whole = page(model)
    assert "<script" not in whole
    assert "<b>" not in whole
    assert "\x1b" not in whole


# ---------------------------------------------------------------------------------------------- questions


def test_questions_run_the_programs_again(initials: ProgramModel) -> None:
    found = initials.questions(2)
    assert len(found) == 2
    for question in found:
        assert question.answers[0].chosen
        assert question.answers[0].value == initials(*question.arguments)
        assert {a.value for a in question.answers} == {"A.L", initials(*question.arguments)}
    assert "What is the answer for x = " in str(found[0])
    assert initials.questions(0) == []
    for wrong in (-1, True, "two"):
        with pytest.raises(InputError, match="number of questions"):
            initials.questions(wrong)


def test_failures_are_answers_too() -> None:
    model = model_of("x", {"x": ("int", [1, 2])}, "int", ("2 // x * x",))
    shown = [str(q) for q in model.questions(8)]
    assert shown
    assert all("this program" in text for text in shown)


# ---------------------------------------------------------------------------------------------- files


def test_what_is_saved_comes_back(initials: ProgramModel, tmp_path: Path) -> None:
    path = tmp_path / "näme.mst"
    initials.save(path)
    again = ms.load(path)
    assert isinstance(again, ProgramModel)
    assert (again.hash, again.name, again.output) == (initials.hash, "made", "answer")
    assert again("Grace Hopper") == "G.H"
    assert [str(q) for q in again.questions(9)] == [str(q) for q in initials.questions(9)]
    assert again.explain() == initials.explain()
    assert again.source() == initials.source()
    assert again.to_bytes() == initials.to_bytes()
    assert pickle.loads(pickle.dumps(again)).hash == again.hash
    assert str(again.report()) == str(initials.report())


def test_every_type_is_saved() -> None:
    inputs: dict[str, tuple[str, list[Any]]] = {
        "a": ("list[pair[int, text]]", [[(1, "x")], []]),
        "b": ("map[text, option[real]]", [{"k": None, "q": 1.5}, {}]),
        "c": ("datetime", [datetime(2024, 1, 2), datetime(1969, 12, 31)]),
        'od"d\n🌱': ("bool", [True, False]),
    }
    model = model_of("length(a)", inputs, "int")
    again = ProgramModel.from_bytes(model.to_bytes())
    assert {n: c.to_list() for n, c in again.examples.items()} == {n: v for n, (_, v) in inputs.items()}


def test_loading_and_running_needs_nothing_heavy(initials: ProgramModel, tmp_path: Path) -> None:
    initials.save(tmp_path / "m.mst")
    code = (
        "import sys, meristem as ms; m = ms.load(sys.argv[1]); m('a b'); m.predict(['a b']); m.questions();"
        "m.trace('a'); m.explain(); m.source();"
        "heavy = {'pyarrow', 'sklearn', 'lightgbm', 'torch', 'scipy', 'pandas'};"
        "above = ('meristem.search', 'meristem.growth', 'meristem.reading');"
        "print([n for n in sys.modules if n.split('.')[0] in heavy or n.startswith(above)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "m.mst")], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


def altered(model: ProgramModel, change: Any) -> bytes:
    parts, fit, extra = unpack(model.to_bytes())
    change(parts, extra)
    return pack(parts, fit, extra, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p, e: p["program"].update(inputs={"x": "text"}), "what goes in"),
        (lambda p, e: p["program"].update(inputs=[["x", "text"], ["x", "text"]]), "stands twice"),
        (lambda p, e: p["program"].update(inputs=[["x", "int"]]), "not well formed"),
        (lambda p, e: p["program"].update(target="list[a]"), "types are those of no data"),
        (lambda p, e: p["program"].update(target="int"), "not well formed"),
        (lambda p, e: p["program"].update(hash="0"), "hash of its program"),
        (lambda p, e: p["program"].update(rivals=[{"term": None, "share": 0.1}]), "JSON form"),
        (lambda p, e: p["program"].update(rivals=[{"share": 7}]), "other programs are damaged"),
        (lambda p, e: p["program"].update(rivals="many"), "other programs are damaged"),
        (lambda p, e: p["program"].pop("term"), "JSON form"),
        (lambda p, e: p["schema"].update(name=3), "names are damaged"),
        (lambda p, e: p["schema"].update(kind="else"), "no program|damaged|schema"),
        (lambda p, e: p.update(report=[]), "damaged"),
        (lambda p, e: e.update(answers=np.zeros(7, np.int64)), "outside of its pool|differ in length"),
        (lambda p, e: e.pop("example.0"), "missing"),
        (lambda p, e: e.pop("asked.0"), "missing"),
    ],
)
def test_hostile_files_are_refused(initials: ProgramModel, change: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.mst"
    path.write_bytes(altered(initials, change))
    with pytest.raises(FileFormatError, match=words):
        ms.load(path)


def test_a_rival_that_is_ill_typed_is_refused(initials: ProgramModel) -> None:
    from meristem.language import to_json

    def change(parts: Any, extra: Any) -> None:
        parts["program"]["rivals"] = [{"term": to_json(parse_term("text_length(x)")), "share": 0.5}]

    with pytest.raises(FileFormatError, match="not well formed"):
        ProgramModel.from_bytes(altered(initials, change))


def test_random_damage_is_found(initials: ProgramModel) -> None:
    data, rng = initials.to_bytes(), Random(0)
    for _ in range(300):
        broken = bytearray(data)
        broken[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        with pytest.raises(FileFormatError):
            ProgramModel.from_bytes(bytes(broken))


def test_a_model_of_a_table_is_no_program(initials: ProgramModel) -> None:
    fixture = Path(__file__).parents[1] / "fixtures" / "format-1-number.mst"
    assert isinstance(ms.load(fixture), ms.Model)
    with pytest.raises(FileFormatError, match="no program from examples"):
        ProgramModel.from_bytes(fixture.read_bytes())
    with pytest.raises(FileFormatError):
        ms.Model.from_bytes(initials.to_bytes())


# ---------------------------------------------------------------------------------------------- words


def test_reports_travel_as_json() -> None:
    report = ProgramReport.from_json(RECORD)
    assert ProgramReport.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert report.verdict().startswith("It answers the example. One example leaves almost everything open")
    for wrong in ([], {}, {**RECORD, "format": 9}, {**RECORD, "more": 1}, {**RECORD, "bits": "x"}):
        with pytest.raises(FileFormatError):
            ProgramReport.from_json(wrong)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (list(range(50)), "[0, 1, 2, 3, 4, 5, … 44 more]"),
        ("a\x1b[31m\u202e", "'a\\x1b[31m\\u202e'"),
        ({"a": 1}, "{'a': 1}"),
        ((1, "a"), "(1, 'a')"),
        (datetime(2024, 1, 2), "2024-01-02"),
        ("x" * 100, "'" + "x" * 16 + "'… 100 characters"),
    ],
)
def test_values_are_shown_short(value: Any, wanted: str) -> None:
    assert value_text(value, 30) == wanted


def test_values_as_json() -> None:
    value = {1: [(datetime(2024, 1, 2), None)], 2: []}
    assert json_value(value) == [[1, [["2024-01-02T00:00:00", None]]], [2, []]]
    assert json_value(np.array([1, 2])) == [1, 2]


def test_the_report_lists_the_likeliest_first() -> None:
    found = [
        FoundProgram(text, bits, share, "enumerate", 1, 0.1)
        for text, bits, share in (("a", 4.0, 0.1), ("b", 3.0, 0.5), ("c", 6.0, 0.05), ("d", 3.5, 0.2))
    ]
    effort = Effort(seconds=1.0)
    report = ProgramReport(
        "f", 2, 0, {"x": "int"}, "int", effort, "b", 3.0, 1.0, 0, 4, "the end", programs=tuple(found)
    )
    lines = report.text().splitlines()
    listed = lines[next(k for k, line in enumerate(lines) if line.startswith("Likeliest")) + 1 :]
    assert [line.split()[-1] for line in listed if line.strip()] == ["b", "d", "a", "c"]
