"""Arguments that are given by name."""

from __future__ import annotations

import pytest

import meristem.primitives  # noqa: F401  (declare the vocabulary)
from meristem.errors import TypeMismatch
from meristem.language import VOCABULARY, format_term, parse_term
from meristem.language.keywords import parameter_names


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sort(x, key=y => y + 1)", "sort_by(y => y + 1, x)"),
        ("sort(?, key=?)", "sort_by(?, ?)"),
        ("take(items=x, count=2)", "take(x, 2)"),
        ("take(x, count=2)", "take(x, 2)"),
        ("max(x, key=y => y == 1)", "max_by(y => y == 1, x)"),
        ("take_last(x, count=1)", "take_last(x, 1)"),
        ("sort(y == z)", "sort(y == z)"),
        ("map(y => y, x)", "map(y => y, x)"),
    ],
)
def test_they_are_put_in_their_places(typed: str, meant: str) -> None:
    assert format_term(parse_term(typed)) == meant


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("take(x, much=2)", "take has no argument 'much'; it has items, count"),
        ("take(count=2)", "take takes 2 argument(s): items, count; got 1"),
        ("take(x, count=2, count=3)", "stands there twice"),
        ("take(count=2, x)", "expected an argument with its name"),
        ("nothing(x, key=2)", "unknown function 'nothing'"),
    ],
)
def test_those_that_do_not_fit_are_refused(typed: str, words: str) -> None:
    with pytest.raises(TypeMismatch) as caught:
        parse_term(typed)
    assert words in str(caught.value)


def test_every_function_has_as_many_names_as_arguments() -> None:
    for entry in VOCABULARY:
        if entry.arity is not None:
            assert len(parameter_names(entry)) == entry.arity, entry.name
