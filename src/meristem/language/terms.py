"""Terms: the structure of a program. Immutable, compared and hashed by content; they hold no parameters.

A term is one of the thirteen classes below. A module node is `(kind, choices, slot)`: its arrays live in a `Fit`
under the slot. The slot is derived from the content of the node, so equal nodes share one fit and terms can be put
together without renaming. A node with a label is a named part: it has one fit wherever it is applied.
"""

# ruff: noqa: D102 - `children`, `with_children` and `free_names` are documented on `Term`.

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from meristem.types import Type

Choice = bool | int | float | str
"""The value of a module's choice."""


@dataclass(frozen=True, eq=False)
class Term:
    """Base of all terms."""

    def children(self) -> tuple[Term, ...]:
        """The terms directly inside, in order of evaluation."""
        return ()

    def with_children(self, children: tuple[Term, ...]) -> Term:
        """The same node over other children (as many as `children()` gave)."""
        return self

    def walk(self) -> Iterator[Term]:
        """Every term inside, inner ones first, this one last. Shared ones come as often as they stand there."""
        stack: list[tuple[Term, bool]] = [(self, False)]
        while stack:
            term, opened = stack.pop()
            if opened:
                yield term
            else:
                stack.append((term, True))
                stack.extend((child, False) for child in reversed(term.children()))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, as hexadecimal. The same in every process and version of Python."""
        _inner_first(self, "digest")
        own = [type(self).__name__]
        for f in fields(self):
            value = getattr(self, f.name)
            if not _holds_terms(value):
                own.append(f"{f.name}={_canonical(value)}")
        for child in self.children():
            own.append(child.digest)
        return hashlib.sha256("\n".join(own).encode("utf-8", "surrogatepass")).hexdigest()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Term) and self.digest == other.digest)

    @cached_property
    def size(self) -> int:
        """The number of nodes; a shared one counts as often as it stands there."""
        _inner_first(self, "size")
        return 1 + sum(child.size for child in self.children())

    @cached_property
    def depth(self) -> int:
        """The number of nodes on the longest way down, at least 1."""
        _inner_first(self, "depth")
        return 1 + max((child.depth for child in self.children()), default=0)

    @cached_property
    def free_names(self) -> frozenset[str]:
        """The names that are used inside and not bound there."""
        _inner_first(self, "free_names")
        return frozenset().union(*(child.free_names for child in self.children()))


def _inner_first(term: Term, name: str) -> None:
    """Compute a cached property of everything inside a term, inner terms first: deep terms need no deep stack."""
    stack = [child for child in term.children() if name not in child.__dict__]
    while stack:
        missing = [child for child in stack[-1].children() if name not in child.__dict__]
        if missing:
            stack.extend(missing)
        else:
            getattr(stack.pop(), name)


def _holds_terms(value: Any) -> bool:
    if isinstance(value, Term):
        return True
    return isinstance(value, tuple) and any(_holds_terms(v) for v in value)


def _canonical(value: Any) -> str:
    if isinstance(value, Type):
        return str(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, tuple):
        return "(" + ",".join(_canonical(v) for v in value) + ")"
    if value is None or isinstance(value, bool | int | str):
        return f"{type(value).__name__}:{json.dumps(value)}"
    return repr(value)


@dataclass(frozen=True, eq=False)
class Variable(Term):
    """A name bound by an enclosing `Lambda` or `Let`, or an input of the program."""

    name: str

    @cached_property
    def free_names(self) -> frozenset[str]:
        return frozenset((self.name,))


@dataclass(frozen=True, eq=False)
class Literal(Term):
    """A constant of a scalar type. `value` is what `column_from` takes: bool, int, float, str, datetime, a label."""

    value: Any
    type: Type


@dataclass(frozen=True, eq=False)
class Call(Term):
    """A primitive or a subroutine applied to all of its arguments. Version 0 stands for the newest one."""

    name: str
    args: tuple[Term, ...] = ()
    version: int = 1

    def children(self) -> tuple[Term, ...]:
        return self.args

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return Call(self.name, children, self.version)


@dataclass(frozen=True, eq=False)
class If(Term):
    """One of two branches; only the one taken is run."""

    condition: Term
    then: Term
    otherwise: Term

    def children(self) -> tuple[Term, ...]:
        return (self.condition, self.then, self.otherwise)

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return If(*children)


@dataclass(frozen=True, eq=False)
class Let(Term):
    """`body` with `name` bound to `value`; `name` may be used at several types (let-polymorphism)."""

    name: str
    value: Term
    body: Term

    def children(self) -> tuple[Term, ...]:
        return (self.value, self.body)

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return Let(self.name, *children)

    @cached_property
    def free_names(self) -> frozenset[str]:
        _inner_first(self, "free_names")
        return self.value.free_names | (self.body.free_names - {self.name})


@dataclass(frozen=True, eq=False)
class Lambda(Term):
    """A function of one or more parameters."""

    parameters: tuple[str, ...]
    body: Term

    def children(self) -> tuple[Term, ...]:
        return (self.body,)

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return Lambda(self.parameters, *children)

    @cached_property
    def free_names(self) -> frozenset[str]:
        _inner_first(self, "free_names")
        return self.body.free_names.difference(self.parameters)


@dataclass(frozen=True, eq=False)
class Apply(Term):
    """A term that gives a function, applied to arguments."""

    function: Term
    args: tuple[Term, ...]

    def children(self) -> tuple[Term, ...]:
        return (self.function, *self.args)

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return Apply(children[0], children[1:])


@dataclass(frozen=True, eq=False)
class Field(Term):
    """One field of a record."""

    record: Term
    name: str

    def children(self) -> tuple[Term, ...]:
        return (self.record,)

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return Field(children[0], self.name)


@dataclass(frozen=True, eq=False)
class Record(Term):
    """A record made of named terms."""

    names: tuple[str, ...]
    values: tuple[Term, ...]

    def children(self) -> tuple[Term, ...]:
        return self.values

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return Record(self.names, children)


@dataclass(frozen=True, eq=False)
class ListOf(Term):
    """A list made of terms."""

    items: tuple[Term, ...] = ()

    def children(self) -> tuple[Term, ...]:
        return self.items

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return ListOf(children)


@dataclass(frozen=True, eq=False)
class Module(Term):
    """A fitted part: a module kind with its choices, applied to arguments.

    Args:
        kind: The name of a module kind.
        args: What it is applied to.
        choices: Its settings as (name, value), sorted by name; those left out have their default.
        output: Its result type where the kind leaves it open and it is not the task's target.
        label: The name of the part. All nodes that differ in their arguments only share one fit then: the two of
            `digit(first)` and `digit(second)` are one reader. Without a label the arguments tell nodes apart too.
        version: Version of the kind.
    """

    kind: str
    args: tuple[Term, ...] = ()
    choices: tuple[tuple[str, Choice], ...] = ()
    output: Type | None = None
    label: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(sorted(self.choices, key=lambda choice: choice[0])))

    def children(self) -> tuple[Term, ...]:
        return self.args

    def with_children(self, children: tuple[Term, ...]) -> Term:
        return replace(self, args=children)

    @cached_property
    def slot(self) -> str:
        """The key of this node's arrays in a `Fit`."""
        named = replace(self, args=()) if self.label and self.args else self
        return f"{self.kind}_{named.digest[:10]}"

    @cached_property
    def settings(self) -> dict[str, Choice]:
        """The stated choices."""
        return dict(self.choices)


@dataclass(frozen=True, eq=False)
class Hole(Term):
    """A place that search is to fill. `type` is None where it follows from the surroundings."""

    type: Type | None = None


def module(kind: str, *args: Term, label: str = "", output: Type | None = None, **choices: Choice) -> Module:
    """A module node. The keyword arguments are its choices."""
    return Module(kind, args, tuple(sorted(choices.items())), output, label)


def call(name: str, *args: Term, version: int = 1) -> Call:
    """A primitive or subroutine applied to arguments."""
    return Call(name, args, version)


def rewrite(term: Term, change: Callable[[Term], Term]) -> Term:
    """Apply `change` to every node, inner ones first."""
    results: list[Term] = []
    for node in term.walk():
        count = len(node.children())
        if count:
            inner = tuple(results[-count:])
            del results[-count:]
            if any(a is not b for a, b in zip(inner, node.children(), strict=True)):
                node = node.with_children(inner)
        results.append(change(node))
    return results[0]


def modules_of(term: Term) -> list[Module]:
    """The distinct module nodes of a term, inner ones first."""
    return list(dict.fromkeys(node for node in term.walk() if isinstance(node, Module)))


def free_variables(term: Term) -> set[str]:
    """The names a term uses and does not bind."""
    return set(term.free_names)


__all__ = [
    "Apply",
    "Call",
    "Choice",
    "Field",
    "Hole",
    "If",
    "Lambda",
    "Let",
    "ListOf",
    "Literal",
    "Module",
    "Record",
    "Term",
    "Variable",
    "call",
    "free_variables",
    "module",
    "modules_of",
    "rewrite",
]
