"""Files of examples: JSON, JSON lines, tables and SyGuS-IF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meristem import Task
from meristem.errors import InputError
from meristem.reading.examples import is_example_file, read_inputs
from meristem.types import parse_type

SYGUS = r"""
; a comment with a ( in it
(set-logic SLIA)
(synth-fun f ((name String) (k Int)) String
    ((Start String (ntString)) (ntString String (name " " "." (str.++ ntString ntString)))))
(declare-var name String)
(constraint (= (f "say ""hi""; (now)" 1) "a\x41\u{1f331}\u00e9"))
(constraint (= "" (f "" (- 2))))
(check-synth)
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_json(tmp_path: Path) -> None:
    task = Task.from_examples(write(tmp_path, "double.json", "[[1, 2], [3, 6]]"))
    assert (task.name, task.inputs["x"].to_list(), task.answers.to_list()) == ("double", [1, 3], [2, 6])
    several = Task.from_examples(write(tmp_path, "s.json", "[[[1, 2], 3], [[4, 5], 9]]"), names=["a", "b"])
    assert several.inputs["b"].to_list() == [2, 5]
    whole = {
        "name": "rest",
        "names": ["items", "count"],
        "types": "list[int], int -> list[int]",
        "examples": [{"inputs": [[1, 2], 1], "output": [2]}, {"inputs": [[], 0], "output": []}],
        "further": [[[5, 6], 2]],
    }
    task = Task.from_examples(write(tmp_path, "whole.json", json.dumps(whole)))
    assert (task.name, list(task.inputs)) == ("rest", ["items", "count"])
    assert task.further["items"].to_list() == [[5, 6]]


def test_json_lines(tmp_path: Path) -> None:
    text = '{"input": "a\\n\\"b\\" 🌱", "output": 1}\n\n{"input": "c", "output": 2}\n'
    for name in ("t.jsonl", "t.json"):  # JSON lines are told by their content too
        task = Task.from_examples(write(tmp_path, name, text))
        assert task.inputs["x"].to_list() == ['a\n"b" 🌱', "c"]


def test_tables(tmp_path: Path) -> None:
    path = write(
        tmp_path, "names.csv", 'name;code;short\n"Ada ""A"" Byron";007;A.\nGrace Hopper;012;\nAlan;100;B.\n'
    )
    task = Task.from_examples(path)
    assert task.name == "names"
    assert task.output == "short"
    assert task.inputs["name"].to_list() == ['Ada "A" Byron', "Alan"]
    assert task.inputs["code"].to_list() == ["007", "100"]
    assert task.further["name"].to_list() == ["Grace Hopper"]
    assert task.numbers == (1, 3)
    stated = Task.from_examples(path, types={"code": "int"}, names=["code"], target="short")
    assert stated.inputs["code"].to_list() == [7, 100]
    lists = Task.from_examples(write(tmp_path, "l.csv", 'xs,n\n"[1, 2]",2\n[],0\n'))
    assert str(lists.inputs["xs"].type) == "list[int]"
    empty = Task.from_examples(write(tmp_path, "e.csv", "a,b,c\nx,,1\n,y,2\nz,w,3\n"))
    assert empty.inputs["a"].to_list() == ["x", "", "z"]
    gaps = Task.from_examples(write(tmp_path, "g.csv", "a,b\n1,1\n,2\n3,3\n"))
    assert str(gaps.inputs["a"].type) == "option[int]"


def test_further_from_a_table(tmp_path: Path) -> None:
    path = write(tmp_path, "more.csv", "x\n5\n6\n")
    assert Task.from_examples([(1, 2), (2, 4)], further=path).further["x"].to_list() == [5, 6]
    assert Task.from_examples([("1", 2), ("b", 4)], further=path).further["x"].to_list() == ["5", "6"]


def test_inputs_for_a_program(tmp_path: Path) -> None:
    types = {"code": parse_type("text"), "n": parse_type("int")}
    table = write(tmp_path, "in.csv", "n,code\n1,007\n2,\n")
    assert read_inputs(table, types) == [("007", 1), ("", 2)]
    lines = write(tmp_path, "in.jsonl", '["007", 1]\n{"n": 2, "code": ""}\n{"inputs": ["x", 3]}\n')
    assert read_inputs(lines, types) == [("007", 1), ("", 2), ("x", 3)]
    with pytest.raises(InputError, match="no column 'code'"):
        read_inputs(write(tmp_path, "bad.csv", "n,c\n1,2\n"), types)


def test_sygus(tmp_path: Path) -> None:
    task = Task.from_examples(write(tmp_path, "f.sl", SYGUS))
    assert {n: str(t) for n, t in task.input_types.items()} == {"name": "text", "k": "int"}
    assert task.inputs["name"].to_list() == ['say "hi"; (now)', ""]
    assert task.inputs["k"].to_list() == [1, -2]
    assert task.answers.to_list() == ["aA🌱é", ""]


def test_sygus_of_booleans(tmp_path: Path) -> None:
    text = '(synth-fun p ((s String)) Bool)(constraint (p "a"))(constraint (not (p "b")))(constraint (= (p "c") true))'
    task = Task.from_examples(write(tmp_path, "p.sl", text))
    assert task.answers.to_list() == [True, False, True]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "[[1, 2]", "is no JSON"),
        ("a.json", "", "is empty"),
        ("a.json", "3", "expected a list of examples"),
        ("a.json", '{"a": 1}', "an object with 'examples'"),
        ("a.json", '{"examples": 3}', "'examples': expected a list"),
        ("a.json", '{"examples": [[1, 2]], "names": "x"}', "'names': expected a list"),
        ("a.json", "[" * 100_000, "nests too deep"),
        ("a.jsonl", '{"input": 1, "output": 2}\n{]\n', "line 2, is no JSON"),
        ("a.sl", "(set-logic SLIA", "never closed"),
        ("a.sl", "(check-synth))", "a ')' too many"),
        ("a.sl", "hello", "is this a SyGuS-IF file?"),
        ("a.sl", "(check-synth)", "has no synth-fun"),
        ("a.sl", "(synth-fun f ((x String)) String)", "no constraints"),
        ("a.sl", "(synth-fun f ((x Real)) String)", "a sort String, Int or Bool, got 'Real'"),
        ("a.sl", "(synth-fun f ((x (_ BitVec 64))) Int)", "got '_ BitVec 64'"),
        (
            "a.sl",
            '(synth-fun f ((x String)) String)\n(constraint (= (f "a") (f "b")))',
            "line 2: expected an example",
        ),
        ("a.sl", '(synth-fun f ((x String)) String)(constraint (= (f x) "b"))', "expected a value, got 'x'"),
        (
            "a.sl",
            '(synth-fun f ((x String)) String)(constraint (= (f "a" "b") "b"))',
            "takes 1 inputs, got 2",
        ),
        ("a.sl", '(synth-fun f ((x String)) String)(constraint (= (f "a) "b"))', "is a quote open?"),
        ("a.sl", "(synth-inv f ((x Int)))", "only problems given by examples"),
        ("a.sl", "(launch)", "expected a command of SyGuS-IF"),
        ("a.sl", "(" * 500, "nest more than"),
        ("a.csv", "only\n1\n2\n", "two columns or more"),
    ],
)
def test_damaged_files_are_said_clearly(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        Task.from_examples(write(tmp_path, name, text))
    assert words in str(caught.value)


def test_what_is_not_utf8_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'["\xff"]')
    with pytest.raises(InputError, match="expected UTF-8"):
        Task.from_examples(path)
    with pytest.raises(InputError, match="no file"):
        Task.from_examples(tmp_path / "nothing.json")


def test_files_of_examples_are_told_from_tables(tmp_path: Path) -> None:
    assert is_example_file("a.JSON")
    assert is_example_file("a.sl")
    assert not is_example_file("a.csv")
    assert is_example_file(write(tmp_path, "a.txt", "[[1, 2]]"))
    assert not is_example_file(write(tmp_path, "b.txt", "a,b\n1,2\n"))


def test_decimal_commas_are_numbers_and_said(tmp_path: Path) -> None:
    text = "x;y\n1,5;3,0\n2,25;4,5\n10,0;20,0\n7;\n"
    task = Task.from_examples(write(tmp_path, "f.csv", text))
    assert task.inputs["x"].to_list() == [1.5, 2.25, 10.0]
    assert task.answers.to_list() == [3.0, 4.5, 20.0]
    assert task.further["x"].to_list() == [7.0]
    said = [finding.text for finding in task.findings]
    assert said == [
        "'x' has decimal commas: '1,5' is read as 1.5",
        "'y' has decimal commas: '3,0' is read as 3.0",
    ]
    real = {"x": parse_type("real")}
    assert read_inputs(write(tmp_path, "new.csv", "x;z\n1,234;a\n-2;b\n"), real) == [(1.234,), (-2.0,)]
    stated = Task.from_examples(tmp_path / "f.csv", types="text -> text")
    assert stated.answers.to_list() == ["3,0", "4,5", "20,0"]
    assert not stated.findings


def test_commas_that_are_no_decimal_ones_stay(tmp_path: Path) -> None:
    for name, text in {
        "thousands.csv": "x;y\n1,234;a\n2,500;b\n",  # might be either
        "cells.csv": 'x,y\n"1,5",a\n"2,5",b\n',  # a comma stands between cells here
        "points.csv": "x;y\n1,5;1.5\n2,5;2.5\n2,25;2.25\n",  # from one form to the other
        "words.csv": "x;y\n1,5;a\nnone;b\n",
    }.items():
        task = Task.from_examples(write(tmp_path, name, text))
        assert str(task.inputs["x"].type) == "text", name
        assert not task.findings
