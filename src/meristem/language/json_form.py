"""The exact JSON form of a term: what is stored.

A term is a table of nodes, inner ones first; a node names its children by their places in the table, the last node is
the term. So equal parts are stored once, and reading needs no deep stack::

    {"meristem-term": 1, "nodes": [["var", "row"], ["call", "numbers", 1, [0]],
                                   ["module", "impute", 1, [], null, "", [1]]]}
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from meristem.errors import FileFormatError, MeristemError
from meristem.language.infer import MAX_DEPTH, MAX_NODES
from meristem.language.terms import (
    Apply,
    Call,
    Field,
    Hole,
    If,
    Lambda,
    Let,
    ListOf,
    Literal,
    Module,
    Record,
    Term,
    Variable,
)
from meristem.types import INT, Type, parse_type

VERSION = 1
_MAX_NAME = 10_000


def to_json(term: Term) -> dict[str, Any]:
    """The JSON form of a term (plain dicts, lists, strings and numbers)."""
    places: dict[Term, int] = {}
    nodes: list[Any] = []
    stack: list[tuple[Term, bool]] = [(term, False)]
    while stack:
        node, opened = stack.pop()
        if node in places:
            continue
        if opened:
            nodes.append(_encode(node, [places[child] for child in node.children()]))
            places[node] = len(places)
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children()))
    return {"meristem-term": VERSION, "nodes": nodes}


def from_json(value: Any) -> Term:
    """Read a term from its JSON form. Checks every part of it; what it gives may still be ill typed.

    Raises:
        FileFormatError: It is not the JSON form of a term, or of a version this program does not know.
    """
    _expect(isinstance(value, dict) and "meristem-term" in value, "a term in its JSON form", value)
    _expect(
        value["meristem-term"] == VERSION, f"version {VERSION} of the form of terms", value["meristem-term"]
    )
    nodes = value.get("nodes")
    _expect(isinstance(nodes, list) and 0 < len(nodes) <= MAX_NODES, f"1 to {MAX_NODES:,} nodes", nodes)
    terms: list[Term] = []
    for node in nodes:
        _expect(isinstance(node, list) and len(node) > 0 and isinstance(node[0], str), "a node", node)
        decode = _DECODE.get(node[0])
        if decode is None:
            raise FileFormatError(f"unknown kind of node {node[0][:40]!r}")
        try:
            term: Term = decode(node, terms)
        except FileFormatError:
            raise
        except (MeristemError, ValueError, TypeError, KeyError) as error:
            raise FileFormatError(f"a damaged node of the kind {node[0]!r}: {error}") from None
        _expect(term.depth <= MAX_DEPTH, f"a term at most {MAX_DEPTH:,} nodes deep", term.depth)
        _expect(term.size <= MAX_NODES, f"a term of at most {MAX_NODES:,} nodes", term.size)
        terms.append(term)
    return terms[-1]


def _encode(term: Term, places: list[int]) -> list[Any]:
    if isinstance(term, Variable):
        return ["var", term.name]
    if isinstance(term, Literal):
        raw = term.value
        if isinstance(raw, datetime):
            raw = raw.isoformat()
        if isinstance(raw, float) and not math.isfinite(raw):
            raise FileFormatError(f"a literal must be finite, got {raw!r}")
        return ["lit", str(term.type), raw]
    if isinstance(term, Call):
        return ["call", term.name, term.version, places]
    if isinstance(term, If):
        return ["if", *places]
    if isinstance(term, Let):
        return ["let", term.name, *places]
    if isinstance(term, Lambda):
        return ["lambda", list(term.parameters), *places]
    if isinstance(term, Apply):
        return ["apply", places]
    if isinstance(term, Field):
        return ["field", term.name, *places]
    if isinstance(term, Record):
        return ["record", list(term.names), places]
    if isinstance(term, ListOf):
        return ["list", places]
    if isinstance(term, Module):
        output = None if term.output is None else str(term.output)
        choices = [[name, value] for name, value in term.choices]
        return ["module", term.kind, term.version, choices, output, term.label, places]
    assert isinstance(term, Hole)
    return ["hole", None if term.type is None else str(term.type)]


def _expect(condition: bool, wanted: str, got: Any) -> None:
    if not condition:
        text = repr(got) if isinstance(got, int | str) else type(got).__name__
        raise FileFormatError(f"expected {wanted}, got {text[:60]}")


def _name(value: Any) -> str:
    _expect(isinstance(value, str) and len(value) <= _MAX_NAME, "a name", value)
    return str(value)


def _names(value: Any) -> tuple[str, ...]:
    _expect(isinstance(value, list), "a list of names", value)
    return tuple(_name(v) for v in value)


def _version(value: Any) -> int:
    _expect(type(value) is int and 0 <= value < 1_000_000, "a version number", value)
    return int(value)


def _type(value: Any) -> Type:
    _expect(isinstance(value, str), "a type as text", value)
    return parse_type(value)


def _child(place: Any, terms: list[Term]) -> Term:
    _expect(type(place) is int and 0 <= place < len(terms), "the place of an earlier node", place)
    return terms[int(place)]


def _children(places: Any, terms: list[Term]) -> tuple[Term, ...]:
    _expect(isinstance(places, list), "a list of places", places)
    return tuple(_child(place, terms) for place in places)


def _length(node: list[Any], length: int) -> None:
    _expect(len(node) == length, f"a node of {length} parts", len(node))


def _literal(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 3)
    type_, raw = _type(node[1]), node[2]
    if type_.name == "datetime":
        _expect(isinstance(raw, str), "a date as text", raw)
        moment = datetime.fromisoformat(raw)
        _expect(moment.tzinfo is None, "a date without a zone", raw)
        return Literal(moment, type_)
    _expect(isinstance(raw, bool | int | float | str), "a literal", raw)
    _expect(not isinstance(raw, float) or math.isfinite(raw), "a finite number", raw)
    _expect(type_ != INT or -(2**63) <= raw < 2**63, "an int of 64 bits", raw)
    return Literal(raw, type_)


def _module(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 7)
    _expect(isinstance(node[3], list), "a list of choices", node[3])
    choices = []
    for each in node[3]:
        _expect(isinstance(each, list) and len(each) == 2, "a choice and its value", each)
        _expect(isinstance(each[1], bool | int | float | str), "the value of a choice", each[1])
        _expect(not isinstance(each[1], float) or math.isfinite(each[1]), "a finite number", each[1])
        choices.append((_name(each[0]), each[1]))
    names = [name for name, _ in choices]
    _expect(len(set(names)) == len(names), "each choice once", names)
    output = None if node[4] is None else _type(node[4])
    return Module(
        _name(node[1]), _children(node[6], terms), tuple(choices), output, _name(node[5]), _version(node[2])
    )


def _variable(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 2)
    return Variable(_name(node[1]))


def _call(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 4)
    return Call(_name(node[1]), _children(node[3], terms), _version(node[2]))


def _if(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 4)
    return If(*(_child(place, terms) for place in node[1:]))


def _let(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 4)
    return Let(_name(node[1]), _child(node[2], terms), _child(node[3], terms))


def _lambda(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 3)
    return Lambda(_names(node[1]), _child(node[2], terms))


def _apply(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 2)
    children = _children(node[1], terms)
    _expect(len(children) > 0, "a function and its arguments", children)
    return Apply(children[0], children[1:])


def _field(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 3)
    return Field(_child(node[2], terms), _name(node[1]))


def _record(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 3)
    names, values = _names(node[1]), _children(node[2], terms)
    _expect(len(names) == len(values), "as many names as values", len(values))
    return Record(names, values)


def _list(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 2)
    return ListOf(_children(node[1], terms))


def _hole(node: list[Any], terms: list[Term]) -> Term:
    _length(node, 2)
    return Hole(None if node[1] is None else _type(node[1]))


_DECODE: dict[str, Callable[[list[Any], list[Term]], Term]] = {
    "var": _variable,
    "lit": _literal,
    "call": _call,
    "if": _if,
    "let": _let,
    "lambda": _lambda,
    "apply": _apply,
    "field": _field,
    "record": _record,
    "list": _list,
    "module": _module,
    "hole": _hole,
}

__all__ = ["VERSION", "from_json", "to_json"]
