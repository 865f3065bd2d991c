"""Programs that stand alone carry the functions and constants of many files: a name means one thing in all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import meristem.primitives  # noqa: F401
from meristem.language import VOCABULARY, Primitive
from meristem.language.python_sources import _globals_of
from meristem.language.python_words import function_name


def meanings() -> dict[str, list[Any]]:
    """What the names stand for that the plain functions of primitives use, directly or through others."""
    found: dict[str, list[Any]] = {}
    seen: set[Callable[..., Any]] = set()

    def visit(function: Callable[..., Any]) -> None:
        if function in seen:
            return
        seen.add(function)
        for name in _globals_of(function.__code__) & function.__globals__.keys():
            value = function.__globals__[name]
            if not any(value is other or value == other for other in found.setdefault(name, [])):
                found[name].append(value)
            if isinstance(value, Primitive):
                visit(value.function)
            elif inspect.isfunction(value) and value.__module__.startswith("meristem."):
                visit(value)

    for entry in VOCABULARY:
        if isinstance(entry, Primitive):
            visit(entry.function)
    return found


def test_a_name_means_one_thing() -> None:
    twice = {name: values for name, values in meanings().items() if len(values) > 1}
    assert not twice


def test_no_entry_is_called_as_what_another_uses() -> None:
    own = {function_name(entry): entry for entry in VOCABULARY}
    assert len(own) == len(list(VOCABULARY))
    for name, values in meanings().items():
        assert name not in own or values == [own[name]]


def test_hints_belong_to_arguments_of_their_type() -> None:
    kinds = {"text": str, "int": int, "real": float, "bool": bool}
    for entry in VOCABULARY:
        for position, values in entry.hints.items():
            assert values
            assert len(set(values)) == len(values)
            assert {type(value) for value in values} == {kinds[entry.type.parameters[position].name]}
