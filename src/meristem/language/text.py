"""The compact text form of a term: what people read and type. Every term round-trips.

=======================================  ==========================================================
`row`  `` `odd name` ``                  a name
`1`  `1.5`  `true`  `"text"`             literals; `"cat" as class[cat, dog]`, `"2024-01-31T00:00:00" as datetime`
`numbers(row)`  `sort#2(x)`              a call; of version 2
`x + 1 < y and not z`                    calls of `add`, `less`, `and`, `not` (see `INFIX`)
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
import re
from datetime import datetime

from meristem.errors import TypeMismatch
from meristem.language.infer import MAX_DEPTH, MAX_NODES, check_size, ensure_stack
from meristem.language.kinds import KINDS
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
from meristem.language.vocabulary import VOCABULARY
from meristem.types import BOOL, DATETIME, INT, REAL, TEXT, Type, parse_type

INFIX: dict[str, tuple[str, int]] = {
    "or": ("or", 1),
    "and": ("and", 2),
    "equal": ("==", 4),
    "not_equal": ("!=", 4),
    "less": ("<", 4),
    "less_equal": ("<=", 4),
    "greater": (">", 4),
    "greater_equal": (">=", 4),
    "add": ("+", 5),
    "subtract": ("-", 5),
    "multiply": ("*", 6),
    "divide": ("/", 6),
    "quotient": ("//", 6),
    "remainder": ("%", 6),
}
"""Two-argument functions that are written between their arguments, and how strongly they bind."""

_NOT_LEVEL, _COMPARISON, _TIGHT = 3, 4, 9
_OPERATORS = {symbol: (name, level) for name, (symbol, level) in INFIX.items()}
_KEYWORDS = {"let", "in", "if", "then", "else", "true", "false", "as", "and", "or", "not"}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


# ---------------------------------------------------------------------------------------------- writing


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
    if _PLAIN.match(name) and name not in _KEYWORDS:
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
            if choices or output or version or label or not _is_kind(term.kind)
            else ""
        )
        out.append(f"{_name(term.kind)}{version}{braces}{label}(")
        _join(term.args, out)
        out.append(")")
    elif isinstance(term, Field):
        _write(term.record, _TIGHT, out)
        name = term.name
        out.append("." + (name if _PLAIN.match(name) else _quoted(name)))
    elif isinstance(term, ListOf):
        out.append("[")
        _join(term.items, out)
        out.append("]")
    elif isinstance(term, Record):
        out.append("{")
        for i, (name, value) in enumerate(zip(term.names, term.values, strict=True)):
            out.append(f"{', ' if i else ''}{name if _PLAIN.match(name) else _quoted(name)}: ")
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


def _is_kind(name: str) -> bool:
    """Whether a name alone says a module: a kind of it is declared, and no function is."""
    return name in KINDS and name not in VOCABULARY


def _write_call(term: Call, level: int, out: list[str]) -> None:
    if term.version == 1 and len(term.args) == 2 and term.name in INFIX:
        symbol, own = INFIX[term.name]
        if own < level:
            out.append("(")
        _write(term.args[0], own + (own == _COMPARISON), out)  # comparisons do not chain
        out.append(f" {symbol} ")
        _write(term.args[1], own + 1, out)
        if own < level:
            out.append(")")
    elif term.version == 1 and len(term.args) == 1 and term.name == "not":
        if level > _NOT_LEVEL:
            out.append("(")
        out.append("not ")
        _write(term.args[0], _NOT_LEVEL, out)
        if level > _NOT_LEVEL:
            out.append(")")
    else:
        word = term.name if term.name in ("and", "or", "not") else _name(term.name)
        stated = term.version != 1 or _is_kind(term.name)
        out.append(word + (f"#{term.version}" if stated else "") + "(")
        _join(term.args, out)
        out.append(")")


# ---------------------------------------------------------------------------------------------- reading

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<text>"(?:[^"\\]|\\.)*")
  | (?P<tick>`(?:[^`\\]|\\.)*`)
  | (?P<sign>=>|==|!=|<=|>=|//|[-+*/%<>=()\[\]{}.,:;?@\#])
    )""",
    re.VERBOSE | re.DOTALL,
)


def parse_term(text: str) -> Term:
    """Read a term from its text form.

    Raises:
        TypeMismatch: The text is not a term; says where.
    """
    parser = _Parser(text)
    term = parser.term()
    if parser.kind:
        raise parser.unexpected("the end")
    return term


class _Parser:
    """Recursive descent, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text, self.position, self.start = text, 0, 0
        self.kind, self.token = "", ""
        self.depth = self.nodes = 0
        self.advance()

    def advance(self) -> str:
        """Go on by one token; gives the one left behind."""
        left = self.token
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            rest = self.text[self.position :].strip()
            if rest:
                raise TypeMismatch(f"cannot read the term at position {self.position}: {rest[:30]!r}")
            self.start, self.kind, self.token = len(self.text), "", ""
        else:
            self.kind = match.lastgroup or ""
            self.token = match.group(self.kind)
            self.start = match.start(self.kind)
            self.position = match.end()
        return left

    def unexpected(self, wanted: str) -> TypeMismatch:
        got = repr(self.token) if self.kind else "the end"
        return TypeMismatch(f"expected {wanted} at position {self.start} of the term, got {got}")

    def at(self, token: str) -> bool:
        return self.token == token and self.kind in ("sign", "word")

    def accept(self, token: str) -> bool:
        if self.at(token):
            self.advance()
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise self.unexpected(repr(token))

    def string(self, raw: str) -> str:
        try:
            return str(json.loads(raw, strict=False))
        except ValueError:
            raise TypeMismatch(f"cannot read the text {raw[:40]}") from None

    def name(self) -> str:
        if self.kind == "word" and self.token not in _KEYWORDS:
            return self.advance()
        if self.kind == "tick":
            body = self.advance()[1:-1]
            return self.string('"' + body + '"')
        raise self.unexpected("a name")

    def field_name(self) -> str:
        if self.kind == "word":
            return self.advance()
        if self.kind == "text":
            return self.string(self.advance())
        raise self.unexpected("the name of a field")

    def type(self) -> Type:
        if self.kind == "text":
            return parse_type(self.string(self.advance()))
        if self.kind != "word":
            raise self.unexpected("a type")
        begin, end = self.start, self.position  # a name, then what stands in brackets
        self.advance()
        opened = 0
        while opened or self.at("[") or self.at("{"):
            if not self.kind:
                raise self.unexpected("the end of a type")
            opened += self.kind == "sign" and self.token in "[{("
            opened -= self.kind == "sign" and self.token in "]})"
            end = self.position
            self.advance()
            if not opened:
                break
        return parse_type(self.text[begin:end])

    def count(self, term: Term) -> Term:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise TypeMismatch(f"a term may have {MAX_NODES:,} nodes, this one has more")
        return term

    def term(self) -> Term:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TypeMismatch(f"a term may be {MAX_DEPTH:,} nodes deep, this one is deeper")
        ensure_stack(self.depth)
        try:
            return self.count(self.whole())
        finally:
            self.depth -= 1

    def whole(self) -> Term:
        if self.accept("let"):
            name = self.name()
            self.expect("=")
            value = self.term()
            self.expect("in")
            return Let(name, value, self.term())
        if self.accept("if"):
            condition = self.term()
            self.expect("then")
            then = self.term()
            self.expect("else")
            return If(condition, then, self.term())
        parameters = self.parameters()
        if parameters is not None:
            return Lambda(parameters, self.term())
        return self.infix(1)

    def parameters(self) -> tuple[str, ...] | None:
        """The parameters of a function, if one begins here; otherwise nothing is read."""
        state = self.position, self.start, self.kind, self.token
        names: list[str] = []
        try:
            if self.accept("("):
                while not self.accept(")"):
                    names.append(self.name())
                    if not self.at(")"):
                        self.expect(",")
            else:
                names.append(self.name())
            if self.accept("=>"):
                return tuple(names)
        except TypeMismatch:
            pass
        self.position, self.start, self.kind, self.token = state
        return None

    def infix(self, level: int) -> Term:
        if level == _NOT_LEVEL:
            return self.negation()
        if level > 6:
            return self.postfix()
        left = self.infix(level + 1)
        while self.token in _OPERATORS and self.kind in ("sign", "word"):
            name, own = _OPERATORS[self.token]
            if own != level:
                break
            self.advance()
            left = self.count(Call(name, (left, self.infix(level + 1))))
            if level == _COMPARISON and _OPERATORS.get(self.token, ("", 0))[1] == _COMPARISON:
                raise self.unexpected("'and' between comparisons")
        return left

    def negation(self) -> Term:
        if not self.at("not"):
            return self.infix(_NOT_LEVEL + 1)
        state = self.position, self.start, self.kind, self.token
        self.advance()
        if self.at("(") or self.at("#"):
            # `not(a, b)` and `not#2(a)` are calls; `not (a) == b` is a negation of what follows.
            version = self.version()
            if version != 1 or self.call_arity() != 1:
                self.position, self.start, self.kind, self.token = state
                return self.infix(_NOT_LEVEL + 1)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TypeMismatch(f"a term may be {MAX_DEPTH:,} nodes deep, this one is deeper")
        ensure_stack(self.depth)
        inner = self.negation()
        self.depth -= 1
        return self.count(Call("not", (inner,)))

    def call_arity(self) -> int:
        """How many terms, parted by commas, stand in the parentheses that begin here. Nothing is read."""
        state = self.position, self.start, self.kind, self.token
        opened, commas, empty = 0, 0, True
        while self.kind:
            if self.kind == "sign" and self.token in "([{":
                opened += 1
                empty = empty and opened == 1
            elif self.kind == "sign" and self.token in ")]}":
                opened -= 1
                if opened == 0:
                    break
            else:
                empty = False
                commas += self.token == "," and opened == 1
            self.advance()
        self.position, self.start, self.kind, self.token = state
        return 0 if empty else 1 + commas

    def version(self) -> int:
        if not self.accept("#"):
            return 1
        if self.kind != "number" or not self.token.isdigit() or len(self.token) > 6:
            raise self.unexpected("a version number")
        return int(self.advance())

    def postfix(self) -> Term:
        wrapped = self.at("(")
        term = self.primary()
        while True:
            if self.at("."):
                self.advance()
                term, wrapped = self.count(Field(term, self.field_name())), False
            elif wrapped and self.at("("):
                term = self.count(Apply(term, self.arguments()))
            elif self.at("as"):
                if not isinstance(term, Literal):
                    raise self.unexpected("a literal before 'as'")
                self.advance()
                term = self.typed_literal(term, self.type())
            else:
                return term

    def typed_literal(self, term: Literal, type_: Type) -> Term:
        if type_ == DATETIME:
            try:
                return Literal(datetime.fromisoformat(term.value), type_)
            except (TypeError, ValueError):
                raise TypeMismatch(
                    f'expected a date such as "2024-01-31T00:00:00", got {term.value!r}'
                ) from None
        return Literal(term.value, type_)

    def arguments(self) -> tuple[Term, ...]:
        self.expect("(")
        return self.sequence(")")

    def sequence(self, close: str) -> tuple[Term, ...]:
        found: list[Term] = []
        while not self.accept(close):
            found.append(self.term())
            if not self.at(close):
                self.expect(",")
        return tuple(found)

    def primary(self) -> Term:
        if self.kind == "number":
            return self.number(self.advance())
        if self.kind == "text":
            return Literal(self.string(self.advance()), TEXT)
        if self.accept("-"):
            if self.kind != "number":
                raise self.unexpected("a number")
            return self.number("-" + self.advance())
        if self.at("true") or self.at("false"):
            return Literal(self.advance() == "true", BOOL)
        if self.accept("("):
            term = self.term()
            self.expect(")")
            return term
        if self.accept("["):
            return ListOf(self.sequence("]"))
        if self.accept("{"):
            return self.record()
        if self.accept("?"):
            return Hole(self.type() if self.accept(":") else None)
        if self.at("and") or self.at("or") or self.at("not"):
            name = self.advance()
            version = self.version()
            return Call(name, self.arguments(), version)
        name = self.name()
        version = 1
        if self.at("(") and _is_kind(name):
            return Module(name, self.arguments())
        if self.at("#"):
            version = self.version()
            if not self.at("(") and not self.at("{"):
                raise self.unexpected("'(' or '{'")
        if self.at("("):
            return Call(name, self.arguments(), version)
        if self.at("{"):
            return self.module(name, version)
        return Variable(name)

    def number(self, digits: str) -> Term:
        if re.fullmatch(r"-?\d+", digits):
            if len(digits) > 20:
                raise TypeMismatch(f"an int has 64 bits, got one of {len(digits)} digits")
            return Literal(int(digits), INT)
        value = float(digits)
        if not math.isfinite(value):
            raise TypeMismatch(f"a real must be finite, got {digits}")
        return Literal(value, REAL)

    def record(self) -> Term:
        names: list[str] = []
        values: list[Term] = []
        while not self.accept("}"):
            names.append(self.field_name())
            self.expect(":")
            values.append(self.term())
            if not self.at("}"):
                self.expect(",")
        return Record(tuple(names), tuple(values))

    def module(self, name: str, version: int) -> Term:
        self.expect("{")
        choices: list[tuple[str, Choice]] = []
        output = None
        while not self.at("}") and not self.at(";"):
            key = self.name()
            self.expect(":")
            negative = self.accept("-")
            if self.kind not in ("number", "text") and not self.at("true") and not self.at("false"):
                raise self.unexpected("the value of a choice")
            value = self.primary()
            assert isinstance(value, Literal)
            choices.append((key, -value.value if negative else value.value))
            if not self.at("}") and not self.at(";"):
                self.expect(",")
        if self.accept(";"):
            output = self.type()
        self.expect("}")
        label = self.name() if self.accept("@") else ""
        return Module(name, self.arguments(), tuple(choices), output, label, version)


__all__ = ["INFIX", "format_term", "parse_term"]
