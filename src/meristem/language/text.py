"""The compact text form of a term: what people read and type. Every term round-trips.

=======================================  ==========================================================
`row`  `` `odd name` ``                  a name
`1`  `1.5`  `true`  `"text"`             literals; `"cat" as class[cat, dog]`, `"2024-01-31T00:00:00" as datetime`
`numbers(row)`  `sort#2(x)`              a call; of version 2
`sort(x, key=f)`                         read as `sort_by(f, x)`: arguments by name, see `keywords`; never written so
`x + 1 < y and not z`  `-x`              calls of `add`, `less`, `and`, `not` (see `INFIX`), of `negate`
`standardize(x)`  `ridge{l2: 1.0}(x)`    a module; all of it: `kind#version{choice: value; output type}@label(args)`
`row.age`  `row."odd name"`              a field
`x => x + 1`  `(x, y) => x`              a function
`(f)(x)`                                 a function applied
`let a = e in body`
`if c then a else b`
`[a, b]`  `{name: e}`                    a list, a record
`?`  `?: real`                           a hole
=======================================  ==========================================================

The braces of a module may be left out when they are empty and its kind is declared; a function of the same name is then
written with its version.
"""

from __future__ import annotations

import json
import math
from datetime import datetime

from meristem.errors import TypeMismatch
from meristem.language.infer import check_size, ensure_stack
from meristem.language.syntax import COMPARISON, INFIX, KEYWORDS, NOT_LEVEL, PLAIN, TIGHT, is_kind
from meristem.language.terms import (
    Apply,
    Call,
    Choice,
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
from meristem.language.text_reader import parse_term
from meristem.types import BOOL, INT, REAL, TEXT, Type


def format_term(term: Term) -> str:
    """The text form of a term, on one line.

    Raises:
        TypeMismatch: It is too deep or too large to be written.
    """
    check_size(term)
    ensure_stack(term.depth)
    out: list[str] = []
    _write(term, 0, out)
    return "".join(out)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _name(name: str) -> str:
    if PLAIN.match(name) and name not in KEYWORDS:
        return name
    return "`" + _quoted(name)[1:-1].replace("`", "\\u0060") + "`"


def _type(type_: Type) -> str:
    return str(type_) if type_.ground and not type_.is_function else _quoted(str(type_))


def _choice(value: Choice) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _literal(term: Literal) -> str:
    value, type_ = term.value, term.type
    if type_ == BOOL and isinstance(value, bool):
        return "true" if value else "false"
    if type_ == INT and type(value) is int:
        return str(value)
    if type_ == REAL and isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if type_ == TEXT and isinstance(value, str):
        return _quoted(value)
    if isinstance(value, datetime):
        return f'"{value.isoformat()}" as {_type(type_)}'
    if isinstance(value, bool | int | float | str) and not (
        isinstance(value, float) and not math.isfinite(value)
    ):
        return f"{_choice(value)} as {_type(type_)}"
    raise TypeMismatch(f"a literal is a scalar, a text, a date or a label, not {value!r}")


def _join(terms: tuple[Term, ...], out: list[str]) -> None:
    for i, term in enumerate(terms):
        if i:
            out.append(", ")
        _write(term, 0, out)


def _wrapped(term: Term, out: list[str]) -> None:
    out.append("(")
    _write(term, 0, out)
    out.append(")")


def _write(term: Term, level: int, out: list[str]) -> None:
    """Write a term where what stands around binds with `level`: parentheses where it binds less."""
    if isinstance(term, Variable):
        out.append(_name(term.name))
    elif isinstance(term, Literal):
        text = _literal(term)
        open_ = level > 0 and (" as " in text or text.startswith("-"))
        out.append(f"({text})" if open_ else text)
    elif isinstance(term, Call):
        _write_call(term, level, out)
    elif isinstance(term, Module):
        version = "" if term.version == 1 else f"#{term.version}"
        choices = ", ".join(f"{_name(name)}: {_choice(value)}" for name, value in term.choices)
        output = "" if term.output is None else f"; {_type(term.output)}"
        label = f"@{_name(term.label)}" if term.label else ""
        braces = (
            f"{{{choices}{output}}}"
            if choices or output or version or label or not is_kind(term.kind)
            else ""
        )
        out.append(f"{_name(term.kind)}{version}{braces}{label}(")
        _join(term.args, out)
        out.append(")")
    elif isinstance(term, Field):
        _write(term.record, TIGHT, out)
        name = term.name
        out.append("." + (name if PLAIN.match(name) else _quoted(name)))
    elif isinstance(term, ListOf):
        out.append("[")
        _join(term.items, out)
        out.append("]")
    elif isinstance(term, Record):
        out.append("{")
        for i, (name, value) in enumerate(zip(term.names, term.values, strict=True)):
            out.append(f"{', ' if i else ''}{name if PLAIN.match(name) else _quoted(name)}: ")
            _write(value, 0, out)
        out.append("}")
    elif isinstance(term, Apply):
        _wrapped(term.function, out)
        out.append("(")
        _join(term.args, out)
        out.append(")")
    elif isinstance(term, Hole) and term.type is None:
        out.append("?")
    elif level > 0:  # all that follow reach as far to the right as they can
        _wrapped(term, out)
    elif isinstance(term, Hole):
        out.append(f"?: {_type(term.type)}" if term.type is not None else "?")
    elif isinstance(term, If):
        for word, part in zip(("if ", " then ", " else "), term.children(), strict=True):
            out.append(word)
            _write(part, 0, out)
    elif isinstance(term, Let):
        out.append(f"let {_name(term.name)} = ")
        _write(term.value, 0, out)
        out.append(" in ")
        _write(term.body, 0, out)
    else:
        assert isinstance(term, Lambda)
        names = ", ".join(map(_name, term.parameters))
        out.append(f"{names} => " if len(term.parameters) == 1 else f"({names}) => ")
        _write(term.body, 0, out)


def _write_call(term: Call, level: int, out: list[str]) -> None:
    if term.version == 1 and len(term.args) == 2 and term.name in INFIX:
        symbol, own = INFIX[term.name]
        if own < level:
            out.append("(")
        _write(term.args[0], own + (own == COMPARISON), out)  # comparisons do not chain
        out.append(f" {symbol} ")
        _write(term.args[1], own + 1, out)
        if own < level:
            out.append(")")
    elif term.version == 1 and len(term.args) == 1 and term.name == "not":
        if level > NOT_LEVEL:
            out.append("(")
        out.append("not ")
        _write(term.args[0], NOT_LEVEL, out)
        if level > NOT_LEVEL:
            out.append(")")
    else:
        word = term.name if term.name in ("and", "or", "not") else _name(term.name)
        stated = term.version != 1 or is_kind(term.name)
        out.append(word + (f"#{term.version}" if stated else "") + "(")
        _join(term.args, out)
        out.append(")")


__all__ = ["INFIX", "format_term", "parse_term"]
