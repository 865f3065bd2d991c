"""Reading the text form of a term (see `text` for the form)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import datetime

from meristem.errors import TypeMismatch
from meristem.language.keywords import call_by_name
from meristem.language.syntax import COMPARISON, KEYWORDS, NOT_LEVEL, OPERATORS, is_kind
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
from meristem.language.typed import MAX_DEPTH, MAX_NODES, ensure_stack
from meristem.types import BOOL, DATETIME, INT, REAL, TEXT, Type, parse_type

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
        if self.kind == "word" and self.token not in KEYWORDS:
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

    def deeper(self, read: Callable[[], Term]) -> Term:
        """What is read one level further down."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TypeMismatch(f"a term may be {MAX_DEPTH:,} nodes deep, this one is deeper")
        ensure_stack(self.depth)
        try:
            return read()
        finally:
            self.depth -= 1

    def term(self) -> Term:
        return self.count(self.deeper(self.whole))

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
        if level == NOT_LEVEL:
            return self.negation()
        if level > 6:
            return self.postfix()
        left = self.infix(level + 1)
        while self.token in OPERATORS and self.kind in ("sign", "word"):
            name, own = OPERATORS[self.token]
            if own != level:
                break
            self.advance()
            left = self.count(Call(name, (left, self.infix(level + 1))))
            if level == COMPARISON and OPERATORS.get(self.token, ("", 0))[1] == COMPARISON:
                raise self.unexpected("'and' between comparisons")
        return left

    def negation(self) -> Term:
        if not self.at("not"):
            return self.infix(NOT_LEVEL + 1)
        state = self.position, self.start, self.kind, self.token
        self.advance()
        if self.at("(") or self.at("#"):
            # `not(a, b)` and `not#2(a)` are calls; `not (a) == b` is a negation of what follows.
            version = self.version()
            if version != 1 or self.call_arity() != 1:
                self.position, self.start, self.kind, self.token = state
                return self.infix(NOT_LEVEL + 1)
        return self.count(Call("not", (self.deeper(self.negation),)))

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

    def call(self, name: str, version: int) -> Call:
        """A call; arguments may be given by name, after those that are not: `sort(x, key=f)`."""
        self.expect("(")
        found: list[Term] = []
        named: dict[str, Term] = {}
        while not self.accept(")"):
            word = self.keyword()
            if word is None and named:
                raise self.unexpected("an argument with its name")
            if word is not None and word in named:
                raise TypeMismatch(f"the argument {word!r} of {name} stands there twice")
            if word is None:
                found.append(self.term())
            else:
                named[word] = self.term()
            if not self.at(")"):
                self.expect(",")
        return call_by_name(name, version, found, named) if named else Call(name, tuple(found), version)

    def keyword(self) -> str | None:
        """The name and the sign `=` of an argument given by name, if one begins here; otherwise nothing is read."""
        if self.kind != "word" or self.token in KEYWORDS:
            return None
        state = self.position, self.start, self.kind, self.token
        word = self.advance()
        if self.accept("="):
            return word
        self.position, self.start, self.kind, self.token = state
        return None

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
            if self.kind == "number":
                return self.number("-" + self.advance())
            return self.count(Call("negate", (self.deeper(self.postfix),)))
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
        if self.at("(") and is_kind(name):
            return Module(name, self.arguments())
        if self.at("#"):
            version = self.version()
            if not self.at("(") and not self.at("{"):
                raise self.unexpected("'(' or '{'")
        if self.at("("):
            return self.call(name, version)
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


__all__ = ["parse_term"]
