"""The text form where it has rules of its own: the minus in front of a term."""

from __future__ import annotations

import pytest

import meristem.primitives  # noqa: F401
from meristem.errors import TypeMismatch
from meristem.language import evaluate, format_term, parse_term
from meristem.types import INT
from meristem.values import column_from


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-x", "negate(x)"),
        ("-x * y", "negate(x) * y"),
        ("x - -y", "x - negate(y)"),
        ("-(x + y)", "negate(x + y)"),
        ("-length(xs)", "negate(length(xs))"),
        ("-row.age", "negate(row.age)"),
        ("-(f)(x)", "negate((f)(x))"),
        ("- -x", "negate(negate(x))"),
        ("--1", "negate(-1)"),
        ("x => -x", "x => negate(x)"),
        ("if -x < 0 then -x else x", "if negate(x) < 0 then negate(x) else x"),
        ("[-x, -1]", "[negate(x), -1]"),
        ("-1", "-1"),
        ("2 - 1", "2 - 1"),
    ],
)
def test_a_minus_in_front_of_a_term(text: str, same: str) -> None:
    term = parse_term(text)
    assert term == parse_term(same)
    assert parse_term(format_term(term)) == term


def test_a_minus_has_its_value() -> None:
    columns = {"x": column_from([1, -2], INT), "y": column_from([10, 20], INT)}
    assert evaluate(parse_term("-x * -(y - x) + -1"), columns).to_list() == [8, -45]


def test_a_minus_in_front_of_nothing_and_of_very_many() -> None:
    with pytest.raises(TypeMismatch, match="expected a name at position 1 of the term, got the end"):
        parse_term("-")
    with pytest.raises(TypeMismatch, match="nodes deep"):
        parse_term("-" * 100_000 + "x")
