"""Examples as a task: types found and stated, duplicates, contradictions, and what cannot be used."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from meristem import Task
from meristem.errors import InputError
from meristem.task.example_types import MOST_ELEMENTS, cells, conform
from meristem.types import parse_type


def types(examples: Any, **options: Any) -> str:
    task = Task.from_examples(examples, **options)
    inputs = ", ".join(f"{name}: {type_}" for name, type_ in task.input_types.items())
    return f"{inputs} -> {task.answers.type}"


@pytest.mark.parametrize(
    ("examples", "wanted"),
    [
        ([(1, 2), (3, 6)], "x: int -> int"),
        ([(1, 2.5), (2, 3)], "x: int -> real"),
        ([((1, 2.0), 3), ((2, 1), 3)], "x1: int, x2: real -> int"),
        ([("a", True), ("b", False)], "x: text -> bool"),
        ([("a", None), ("b", "x")], "x: text -> option[text]"),
        ([([1, 2], []), ([], [1])], "x: list[int] -> list[int]"),
        ([([[1.5], [2]], [1]), ([[]], [])], "x: list[list[real]] -> list[int]"),
        ([([], 0), ([], 0)], "x: list[int] -> int"),
        ([([1, "a"], "a"), ([2, "b"], "b")], "x: pair[int, text] -> text"),
        ([([(1, "a")], 1), ([], 2)], "x: list[pair[int, text]] -> int"),
        ([({"a": 1}, 2), ({}, 0)], "x: map[text, int] -> int"),
        ([({1: "a"}, 2), ({2: "b"}, 0)], "x: map[int, text] -> int"),
        ([([1, None], 1), ([2], 2)], "x: list[option[int]] -> int"),
        ([(date(2024, 1, 5), 5), (datetime(2024, 2, 6, 3), 6)], "x: datetime -> int"),
        ([("2024-01-05", 5), ("2024-02-06", 6)], "x: text -> int"),
        ([(np.int64(1), np.float64(2.5)), (np.int32(2), 3.5)], "x: int -> real"),
        ([(np.array([1, 2]), 3), ([4], 4)], "x: list[int] -> int"),
        ([((1, 2, 3), 6), ((4, 5, 6), 15)], "x1: int, x2: int, x3: int -> int"),
        ([(([1, 2],), 3), (([3],), 3)], "x: list[int] -> int"),
        ([{"input": "a", "output": 1}, {"input": "b", "output": 2}], "x: text -> int"),
        ([{"input": [1, 2], "output": 1}, {"input": [3], "output": 2}], "x: list[int] -> int"),
        ([{"inputs": [1, "a"], "output": 1}, {"inputs": [2, "b"], "output": 2}], "x1: int, x2: text -> int"),
        (
            [{"inputs": {"n": 1, "s": "a"}, "output": 1}, {"inputs": {"s": "b", "n": 2}, "output": 2}],
            "n: int, s: text -> int",
        ),
        ([{"a": 1, "b": "x", "c": 2}, {"a": 2, "b": "y", "c": 3}], "a: int, b: text -> int"),
        ({"name": ["Ada", "Alan"], "short": ["A", "B"]}, "name: text -> text"),
    ],
)
def test_types_are_found(examples: Any, wanted: str) -> None:
    assert types(examples) == wanted


def test_types_are_stated() -> None:
    pairs = [([1, 2], 3), ([4], 4)]
    assert types(pairs, types="list[real] -> real") == "x: list[real] -> real"
    assert types(pairs, types="list[real]") == "x: list[real] -> int"
    assert types(pairs, types={"x": "list[real]"}, output="real") == "x: list[real] -> real"
    assert types([((1, 2), 3), ((2, 3), 5)], names=["p"]) == "p: pair[int, int] -> int"
    assert (
        types([((1, 2), 3), ((2, 3), 5)], names=["a", "b"], types=["real", "int"]) == "a: real, b: int -> int"
    )
    dated = Task.from_examples([("2024-01-05", 5), ("2024-02-06T10:00", 6)], types="datetime -> int")
    assert dated.inputs["x"].to_list() == [datetime(2024, 1, 5), datetime(2024, 2, 6, 10)]


def test_names_of_the_output_and_the_task() -> None:
    task = Task.from_examples([{"a": 1, "b": 2}, {"a": 3, "b": 6}], name="twice")
    assert (task.name, task.output, list(task.inputs), len(task)) == ("twice", "b", ["a"], 2)
    assert "2 examples" in repr(task)
    chosen = Task.from_examples([{"a": 1, "b": 2, "c": 7}, {"a": 3, "b": 6, "c": 7}], target="b", names=["c"])
    assert (chosen.output, list(chosen.inputs)) == ("b", ["c"])


def test_rows_without_an_answer_are_further_inputs() -> None:
    task = Task.from_examples([{"input": 1, "output": 2}, {"input": 5}], further=[7, 8])
    assert task.inputs["x"].to_list() == [1]
    assert task.further["x"].to_list() == [5, 7, 8]
    two = Task.from_examples([((1, "a"), 2), ((2, "b"), 3)], further=[(5, "c"), {"x1": 6, "x2": "d"}])
    assert two.further["x2"].to_list() == ["c", "d"]


def test_equal_examples_count_once() -> None:
    task = Task.from_examples([([1], 1), ([2], 2), ([1], 1)])
    assert len(task) == 2
    assert any("count once" in finding.text for finding in task.findings)


def test_contradictions_are_named_with_their_values() -> None:
    task = Task.from_examples([("a", 1), ("b", 2), ("a", 3)])
    assert task.contradictions == ((0, 2),)
    assert task.contradiction_words() == "(example 1: 'a' -> 1) and (example 3: 'a' -> 3)"
    assert any(finding.kind == "contradiction" for finding in task.findings)


def test_one_example_is_warned_of() -> None:
    (finding,) = Task.from_examples([(1, 2)]).findings
    assert "one example" in finding.text


@pytest.mark.parametrize(
    ("examples", "options", "words"),
    [
        ([], {}, "at least one example, got none"),
        ([(1, 2), ("a", 3), (4, 5)], {}, "a number in examples 1, 3; text in example 2"),
        ([(1, 2), (3, True)], {}, "for the output, got a number in example 1; true or false in example 2"),
        (
            [([1, "a", 2], 1), ([3], 2)],
            {},
            "a number among the items in examples 1, 2; text among the items in example 1",
        ),
        ([((1, 2), 3), ((1,), 3)], {}, "2 in example 1 and 1 in example 2"),
        ([("x" * (MOST_ELEMENTS + 1), 1)], {}, "characters, got 100,001 in the input of example 1"),
        ([([0] * (MOST_ELEMENTS + 1), 1)], {}, "at most 100,000 items"),
        ([(2**63, 1)], {}, "64 bits, got one of 19 digits"),
        ([(float("inf"), 1)], {}, "finite numbers, got inf"),
        ([("\ud800", 1)], {}, "half a character"),
        ([(1, {1, 2})], {}, "got set in the output of example 1"),
        ([(1, 2, 3)], {}, "several inputs are written as ((x1, x2), output)"),
        ([1, 2], {}, "expected a pair (input, output) as example 1, got 1"),
        ([((), 1)], {}, "at least one input"),
        ([{"input": 1}], {}, "examples with answers"),
        ([{"input": 1, "output": 2}, {"in": 1, "output": 2}], {}, "'input' and 'output' in example 2"),
        ([{"a": 1}, {"a": 2}], {}, "two columns or more"),
        ([{"a": 1, "b": 2}], {"target": "c"}, "no column 'c'"),
        ([{"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 3}], {}, "the field 'a' in example 2"),
        ([(1, 2)], {"types": "text -> int"}, "expected text, got 1"),
        ([(1, 2)], {"types": "int, int -> int"}, "expected 1 inputs, got 2"),
        ([(1, 2)], {"types": {"y": "int"}}, "no input 'y'; the inputs are 'x'"),
        ([(1, 2)], {"types": "lists[int]"}, "types are written as list[int]"),
        ([(1, 2)], {"types": "list[a]"}, "the type of data"),
        ([(1, 2)], {"names": ["a", "b"]}, "expected a list or tuple of inputs"),
        ([((1, 2), 2)], {"names": ["a", "a"]}, "distinct names"),
        ([(1, 2)], {"further": 5}, "further: expected a list of inputs"),
        ([(1, 2)], {"further": ["a"]}, "text in example 1"),
        (5, {}, "expected examples as pairs"),
    ],
)
def test_what_cannot_be_used_is_said_clearly(examples: Any, options: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        Task.from_examples(examples, **options)
    assert words in str(caught.value)


def test_deep_values_are_refused() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(InputError, match="nest"):
        Task.from_examples([(deep, 1)])


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["1", "-2", ""], [1, -2, ""]),
        (["1", "2.50"], [1.0, 2.5]),
        (["1e3", ".5"], [1000.0, 0.5]),
        (["007", "12"], ["007", "12"]),
        (["-0"], [-0.0]),
        (["9" * 30], [float("9" * 30)]),
        (["e", "-"], ["e", "-"]),
        (["True", "false"], [True, False]),
        (["[1, 2]", "[]"], [[1, 2], []]),
        (["[1, 2", "[]"], ["[1, 2", "[]"]),
        (["1", "x"], ["1", "x"]),
        ([], []),
    ],
)
def test_cells_of_text_files(texts: list[str], wanted: list[Any]) -> None:
    assert cells(texts) == wanted


@pytest.mark.parametrize(
    ("value", "type_", "wanted"),
    [
        ([["a", 1]], "map[text, int]", {"a": 1}),
        ({"1": "a"}, "map[int, text]", {1: "a"}),
        ([1, "a"], "pair[int, text]", (1, "a")),
        ("[1, 2]", "list[real]", [1.0, 2.0]),
        (3.0, "int", 3),
        (3.5, "int", 3.5),
        ("true", "bool", True),
        ("2024-01-05", "datetime", datetime(2024, 1, 5)),
        (None, "option[int]", None),
        ("abc", "int", "abc"),
    ],
)
def test_values_take_the_form_of_a_stated_type(value: Any, type_: str, wanted: Any) -> None:
    found = conform(value, parse_type(type_))
    assert found == wanted
    assert type(found) is type(wanted)
