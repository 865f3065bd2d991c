"""Every entry of the vocabulary keeps its contract; and the contract catches those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.errors import EvaluationError, Reason
from meristem.language import VOCABULARY, Primitive, Subroutine, failing, primitive, subroutine
from meristem.language.contract import BrokenContract, check_entry, same_value
from meristem.types import INT, parse_type
from meristem.values import Scalars

ENTRIES = sorted(VOCABULARY, key=lambda entry: entry.name)


@pytest.fixture(autouse=True)
def _strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERISTEM_STRICT", "1")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_contract(entry: Any) -> None:
    check_entry(entry, rounds=4)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_contract_at_length(entry: Any) -> None:
    check_entry(entry, seed=1, rounds=60)


def test_vocabulary_is_large_and_mostly_subroutines_are_short() -> None:
    assert len(ENTRIES) > 150
    assert {"map", "filter", "fold", "scan", "unfold", "iterate", "while"} <= {e.name for e in ENTRIES}


@pytest.fixture
def declared() -> Iterator[Callable[[Any], Any]]:
    """Takes an entry out of the vocabulary when the test is over."""
    names: list[str] = []

    def note(entry: Any) -> Any:
        names.append(entry.name)
        return entry

    yield note
    for name in names:
        VOCABULARY.remove(name)


def _wrong_rule(entry: Primitive, rule: Any) -> Primitive:
    entry.columnar(rule)
    return entry


def _broken(kind: str) -> Primitive | Subroutine:
    if kind == "example":

        @primitive("int -> int", examples=[((1,), 3)])
        def broken_example(a: int) -> int:
            """Two times a number."""
            return 2 * a

        return broken_example
    if kind == "columns":

        @primitive("int -> int", examples=[((1,), 1)])
        def broken_columns(a: int) -> int:
            """The number."""
            return a

        return _wrong_rule(broken_columns, lambda a: Scalars(INT, np.abs(a.data)))
    if kind == "failing rows":

        @primitive("int -> int", examples=[((1,), 1)])
        def broken_rows(a: int) -> int:
            """The number."""
            return a

        return _wrong_rule(broken_rows, lambda a: failing(a, Reason.DOMAIN, a.data < 0))
    if kind == "no failing example":

        @primitive("int -> int", examples=[((1,), 1)])
        def broken_silence(a: int) -> int:
            """The number, if it is positive."""
            if a < 0:
                raise EvaluationError(Reason.DOMAIN)
            return a

        return broken_silence
    if kind == "changes":

        @primitive("list[int] -> int", examples=[(([],), 0)])
        def broken_manners(items: list[int]) -> int:
            """The number of items."""
            items.append(1)
            return len(items) - 1

        return broken_manners
    if kind == "body":
        return subroutine("broken_body", "int -> int", "x", "x + 1", doc="x", examples=[((1,), 1)])

    @primitive("int -> int", examples=[((1,), 1)])
    def broken_words(a: int) -> int:
        return a

    return broken_words


@pytest.mark.parametrize(
    "kind", ["example", "columns", "failing rows", "no failing example", "changes", "body", "words"]
)
def test_contract_catches(kind: str, declared: Callable[[Any], Any]) -> None:
    entry = declared(_broken(kind))
    with pytest.raises(BrokenContract, match=entry.name):
        check_entry(entry)


def test_same_value() -> None:
    assert same_value([(1, "a")], [(1, "a")])
    assert not same_value([1], [1.0])
    assert not same_value([1], [True])
    assert not same_value({"a": [1]}, {"a": [2]})


@pytest.mark.parametrize("entry", [e for e in ENTRIES if isinstance(e, Subroutine)], ids=lambda e: e.name)
def test_body_is_as_general_as_declared(entry: Subroutine) -> None:
    from meristem.language.infer import infer_body
    from meristem.language.subroutines import body_of
    from meristem.types import Type, rename_apart

    declared = rename_apart(entry.type, "!")
    rigid: dict[str, Type] = {t.name: t for t in declared.walk() if t.is_variable}
    parameters = dict(zip(entry.parameters, declared.parameters, strict=True))
    _, bindings = infer_body(body_of(entry), parameters, declared.result)
    found: dict[str, Type] = {}
    for binding, type_ in zip(bindings, declared.parameters, strict=True):
        for ours, theirs in zip(type_.walk(), binding.type.walk(), strict=True):
            if ours.is_variable:
                assert theirs.is_variable, f"{entry.name}: {ours} must be {theirs}"
                assert theirs.kind == rigid[ours.name].kind
                assert found.setdefault(ours.name, theirs) == theirs
    assert len(set(found.values())) == len(found)
    assert parse_type(str(entry.type)) == entry.type
