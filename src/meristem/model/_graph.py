"""A term as a graph of boxes to draw: equal parts once, what is small as text inside of its user's box.

Names bound by `Let` become edges. The body of a function is a graph of its own inside the box that uses it,
with its parameters as inputs; what it takes from outside stands in it by name, and an edge says that it is
taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meristem.language.python_words import part_name
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
    free_variables,
)
from meristem.model.words import CHIP, clean, number

_MOST_NODES = 160  # in all; a program larger than this is not read as a picture
_MOST_VISITS = 20_000  # a stranger's term may share its parts so often that a walk would never end
_DEEPEST = 60
_INLINE = 34  # characters of a function written as text
_LINES = 7
_LINE = 34

_INFIX = {
    "add": "+",
    "subtract": "-",
    "sub": "-",
    "multiply": "*",
    "mul": "*",
    "divide": "/",
    "div": "/",
    "equal": "=",
    "eq": "=",
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "and_": "and",
    "or_": "or",
}


@dataclass
class Node:
    """One box.

    Args:
        kind: `algorithm`, `module`, `input` (of the program or function), `outer` (taken from outside of a
            function) or `more` (left out).
        title: Its name.
        lines: Small lines under it.
        inputs: Positions of the nodes it takes, each with what to write at the edge's end.
        inner: Functions inside it: what it is called, its graph.
        chip: What to write on the edge that leaves it.
    """

    kind: str
    title: str
    lines: list[str] = field(default_factory=list)
    inputs: list[tuple[int, str]] = field(default_factory=list)
    inner: list[tuple[str, Graph]] = field(default_factory=list)
    chip: str = ""


@dataclass
class Graph:
    """Nodes, those that are taken before those that take them, and which one is the result."""

    nodes: list[Node]
    result: int


def graph_of(
    term: Term, details: Mapping[Term, Iterable[str]], values: Mapping[Term, str]
) -> tuple[Graph, set[str]]:
    """The graph of a program, and the kinds of boxes that occur in it or inside of it."""
    shared = _Shared(details, values)
    return _Builder(shared).finish(term, 0), shared.kinds


@dataclass
class _Shared:
    """What the builders of a program's graphs share."""

    details: Mapping[Term, Iterable[str]]
    values: Mapping[Term, str]
    kinds: set[str] = field(default_factory=set)
    nodes: int = 0
    visits: int = 0
    scopes: int = 0


class _Builder:
    """Builds one graph; a function's body gets a builder of its own."""

    def __init__(self, shared: _Shared) -> None:
        self.shared = shared
        self.nodes: list[Node] = []
        self.known: dict[object, int] = {}
        self.visited: dict[tuple[Term, int], int] = {}
        self.scope = 0  # changes wherever names are bound differently
        self.bound: dict[str, int] = {}
        self.parameters: frozenset[str] = frozenset()
        self.taken: dict[str, int] = {}  # names from outside of a function
        self.inside = False

    def finish(self, term: Term, depth: int) -> Graph:
        result = self.node(term, depth)
        return Graph(self.nodes, result)

    def add(self, node: Node, key: object = None, term: Term | None = None) -> int:
        """Add a node, or find the one equal to it."""
        full = (node.kind, node.title, tuple(node.lines), tuple(node.inputs), key)
        if full in self.known:
            return self.known[full]
        if term is not None and term in self.shared.values:
            node.chip = clean(self.shared.values[term], CHIP)
        self.shared.kinds.add(node.kind)
        self.shared.nodes += 1
        self.nodes.append(node)
        self.known[full] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def node(self, term: Term, depth: int) -> int:
        """The position of the node that gives a term's value."""
        key = (term, self.scope)
        if key not in self.visited:
            self.shared.visits += 1
            self.visited[key] = self.new_node(term, depth)
        return self.visited[key]

    def new_node(self, term: Term, depth: int) -> int:
        shared = self.shared
        if depth > _DEEPEST or shared.nodes >= _MOST_NODES or shared.visits > _MOST_VISITS:
            return self.add(Node("more", "…", ["more parts,", "not drawn"]))
        if isinstance(term, Variable):
            return self.variable(term)
        if isinstance(term, Literal):
            return self.add(Node("algorithm", literal_text(term)), "literal", term)
        if isinstance(term, Let):
            return self.let(term, depth)
        if isinstance(term, Lambda):
            return self.box(Node("algorithm", "function"), (), (term,), depth, term)
        if isinstance(term, Module):
            return self.module(term, depth)
        if isinstance(term, Call):
            return self.call(term, depth)
        if isinstance(term, If):
            names = ("condition", "then", "else")
            return self.box(Node("algorithm", "if"), names, term.children(), depth, term)
        if isinstance(term, Apply):
            called = ("function", *("" for _ in term.args))
            return self.box(Node("algorithm", "apply"), called, term.children(), depth, term)
        if isinstance(term, Field):
            if isinstance(term.record, Variable) and term.record.name not in self.bound:
                self.variable_taken(term.record.name)
                return self.add(
                    Node("algorithm", f"{clean(term.record.name, 12)}.{clean(term.name, 20)}"), "field", term
                )
            return self.box(Node("algorithm", "." + clean(term.name, 24)), (), (term.record,), depth, term)
        if isinstance(term, Record):
            fields = tuple(clean(name, 12) for name in term.names)
            return self.box(Node("algorithm", "record"), fields, term.values, depth, term)
        if isinstance(term, ListOf):
            return self.box(Node("algorithm", "list"), (), term.items, depth, term)
        assert isinstance(term, Hole)
        return self.add(Node("more", "?", [] if term.type is None else [clean(term.type, _LINE)]))

    def variable(self, term: Variable) -> int:
        if term.name in self.bound:
            return self.bound[term.name]
        outer = self.inside and term.name not in self.parameters
        if outer:
            self.variable_taken(term.name)
        return self.add(Node("outer" if outer else "input", clean(term.name, 24)), "variable", term)

    def variable_taken(self, name: str) -> None:
        """Note that a function's body takes this name from outside."""
        if self.inside and name not in self.parameters:
            self.taken.setdefault(name, len(self.taken))

    def let(self, term: Let, depth: int) -> int:
        value = self.node(term.value, depth + 1)
        bound, scope = self.bound, self.scope
        self.shared.scopes += 1
        self.bound, self.scope = {**bound, term.name: value}, self.shared.scopes
        result = self.node(term.body, depth + 1)
        self.bound, self.scope = bound, scope
        return result

    def module(self, term: Module, depth: int) -> int:
        stated = [f"{clean(n, 20)} {_setting(v)}" for n, v in term.choices]
        lines = wrap(stated, _LINE)[:3]
        for line in self.shared.details.get(term, ()):
            lines += wrap(clean(line, 200).split(" "), _LINE, " ")
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], "…"]
        node = Node("module", clean(part_name(term), 24), lines)
        # Nodes with fits of their own are never one box, even when the picture can not tell them apart.
        return self.box(node, (), term.args, depth, term, key=(term.choices, term.label, term.version))

    def call(self, term: Call, depth: int) -> int:
        title = clean(term.name, 24)
        shown = [self.inline(arg) for arg in term.args]
        node = Node("algorithm", title)
        if any(text is not None for text in shown):
            # A dot stands for what an edge brings. Where that is the first argument alone it goes without
            # saying, and so do functions at the end, which are drawn below.
            places = [
                text if text is not None else "ƒ" if isinstance(arg, Lambda) else "·"
                for arg, text in zip(term.args, shown, strict=True)
            ]
            if len(places) == 2 and term.name in _INFIX:
                places = [f"{places[0]} {_INFIX[term.name]} {places[1]}"]
            else:
                while places[-1] == "ƒ":
                    places.pop()
                if places[0] == "·" and places.count("·") == 1:
                    places = places[1:]
            node.lines = wrap(places, _LINE)
        for arg, text in zip(term.args, shown, strict=True):
            if text is not None and isinstance(arg, Lambda):
                for name in sorted(free_variables(arg)):
                    self.take(node, name)
        kept = tuple(arg for arg, text in zip(term.args, shown, strict=True) if text is None)
        key = tuple("" if text is None else arg.digest for arg, text in zip(term.args, shown, strict=True))
        return self.box(node, (), kept, depth, term, key=key)

    def inline(self, term: Term) -> str | None:
        """The text of an argument that is small enough to stand inside its user's box."""
        if isinstance(term, Literal):
            return literal_text(term)
        if isinstance(term, ListOf) and not term.items:
            return "[]"
        if isinstance(term, Lambda) and term.size <= 9:
            text = text_of(term)
            names = {v.name for v in term.walk() if isinstance(v, Variable)}
            if text is not None and len(text) <= _INLINE and not names & self.bound.keys():
                return text
        return None

    def box(
        self,
        node: Node,
        names: tuple[str, ...],
        args: tuple[Term, ...],
        depth: int,
        term: Term,
        key: object = None,
    ) -> int:
        """A node over arguments; functions among them go inside of it."""
        functions: list[str] = []
        for place, arg in enumerate(args):
            name = names[place] if place < len(names) else ""
            if isinstance(arg, Lambda):
                functions.append(arg.digest)
                self.function(node, name, arg, depth)
            else:
                node.inputs.append((self.node(arg, depth + 1), name))
        return self.add(node, (key, tuple(functions)), term)

    def function(self, node: Node, name: str, term: Lambda, depth: int) -> None:
        builder = _Builder(self.shared)
        builder.inside, builder.parameters = True, frozenset(term.parameters)
        graph = builder.finish(term.body, depth + 1)
        header = ", ".join(clean(p, 12) for p in term.parameters) + " ↦"
        node.inner.append((f"{name} {header}".strip(), graph))
        for taken in builder.taken:
            self.take(node, taken)

    def take(self, node: Node, name: str) -> None:
        """Let a node take a name from its surroundings, if it does not yet."""
        position = self.variable(Variable(name))
        if name in self.bound and (called := f"called {clean(name, 20)}") not in self.nodes[position].lines:
            self.nodes[position].lines.append(called)
        if all(position != there for there, _ in node.inputs):
            node.inputs.append((position, ""))


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else clean(value, 20)


def wrap(parts: Iterable[str], limit: int, gap: str = ", ") -> list[str]:
    """Parts joined into lines of at most so many characters; a longer part is cut."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(gap) + len(part) <= limit:
            lines[-1] += gap + part
        else:
            lines.append(clean(part, limit))
    return lines


def literal_text(term: Literal) -> str:
    """A constant as text, short."""
    value = term.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return clean(f"{value:,}" if abs(value) >= 10_000 else value, 24)
    if isinstance(value, float):
        return number(value, 4)
    if isinstance(value, str):
        return clean(json.dumps(value, ensure_ascii=False), 24)
    return clean(value, 24)


def text_of(term: Term) -> str | None:
    """A small term as text; None where it holds a fitted part or something that needs more room."""
    if isinstance(term, Variable):
        return clean(term.name, 12)
    if isinstance(term, Literal):
        return literal_text(term)
    if isinstance(term, Field):
        record = text_of(term.record)
        return None if record is None else f"{record}.{clean(term.name, 16)}"
    if isinstance(term, Lambda):
        body = text_of(term.body)
        names = ", ".join(clean(p, 12) for p in term.parameters)
        head = names if len(term.parameters) == 1 else f"({names})"
        return None if body is None else f"{head} ↦ {body}"
    if isinstance(term, Call):
        args = [text_of(arg) for arg in term.args]
        if any(arg is None for arg in args):
            return None
        if term.name in _INFIX and len(args) == 2:
            sides = [
                f"({text})" if isinstance(arg, Call) and arg.name in _INFIX else text
                for arg, text in zip(term.args, args, strict=True)
            ]
            return f"{sides[0]} {_INFIX[term.name]} {sides[1]}"
        return f"{clean(term.name, 24)}({', '.join(arg for arg in args if arg is not None)})"
    return None
