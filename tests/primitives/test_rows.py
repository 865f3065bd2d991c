"""Primitives whose type is a rule: columns against the plain functions, on random rows."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language import evaluate, parse_term, prepare
from meristem.language.contract import same_value
from meristem.language.generate import random_type, random_value
from meristem.language.reference import run_row
from meristem.types import Type, class_of, option_of, parse_type, row_of
from meristem.values import Dists, Scalars, column_from

TERMS = [
    "numbers(row)",
    "categories(row)",
    "dates(row)",
    "texts(row)",
    "date_parts(dates(row))",
    'select(row, "b", "odd name")',
    "select(row)",
    "join(numbers(row), texts(row), categories(row))",
    'join(select(row, "a"), date_parts(dates(row)))',
    "map(each => join({a: each}, texts(row)), [1, 2])",
]


def random_row(rng: Random) -> Type:
    fields = {
        "a": parse_type("int"),
        "b": class_of("red", "blue"),
        "odd name": option_of(parse_type("datetime")),
    }
    for i in range(rng.randint(0, 6)):
        type_ = random_type(rng, 1)
        fields[f"f{i}"] = option_of(type_) if rng.random() < 0.5 else type_
    return row_of(fields)


@pytest.mark.parametrize("text", TERMS)
def test_columns_agree_with_the_plain_functions(text: str) -> None:
    rng = Random(text)
    for _ in range(15):
        type_ = random_row(rng)
        rows = [random_value(rng, type_) for _ in range(7)]
        program = prepare(parse_term(text), {"row": type_})
        result = program.run({"row": column_from(rows, type_)})
        assert not result.failed
        found = result.column.to_list()
        for row, value in zip(rows, found, strict=True):
            expected, reason = run_row(program, {"row": row})
            assert not reason
            assert same_value(value, expected), (text, row)
        assert [t.type for t in [result.column]] == [program.type]


def test_concat() -> None:
    types = {"v": parse_type("vector[2]"), "w": parse_type("vector[_]")}
    columns = {
        "v": column_from([[1.0, 2.0], [3.0, 4.0]], types["v"]),
        "w": column_from([[5.0], [6.0]], types["w"]),
    }
    program = prepare(parse_term("concat(v, w, v)"), types)
    result = program.run(columns).column.to_list()
    for i, row in enumerate(result):
        expected, _ = run_row(program, {name: column[i] for name, column in columns.items()})
        assert row.tolist() == expected.tolist()
    assert result[1].tolist() == [3.0, 4.0, 6.0, 3.0, 4.0]
    assert evaluate(parse_term("entries(concat(v))"), columns).to_list() == [[1.0, 2.0], [3.0, 4.0]]


def test_label() -> None:
    type_ = class_of("3", "the blue")
    column = column_from(["the blue", "3"], type_)
    assert evaluate(parse_term("label(x)"), {"x": column}).to_list() == ["the blue", "3"]
    result = evaluate(parse_term("parse_int(label(x))"), {"x": column})
    assert result.failures.tolist()[1] == 0
    assert result.column[1] == 3


def test_distributions() -> None:
    type_ = class_of("cat", "dog", "fox")
    support = Scalars(type_, np.arange(3))
    column = Dists(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]), support)
    assert evaluate(parse_term("most_likely(d)"), {"d": column}).to_list() == ["dog", "cat"]
    text = 'probability(d, "dog" as class[cat, dog, fox])'
    assert evaluate(parse_term(text), {"d": column}).to_list() == [0.5, 0.4]
    joined = evaluate(parse_term("if probability(d, most_likely(d)) > 0.45 then d else d"), {"d": column})
    values: list[Any] = joined.to_list()
    assert values[1] == pytest.approx({"cat": 0.4, "dog": 0.4, "fox": 0.2})
