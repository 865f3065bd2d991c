"""Typed terms: what inference gives, the limits on terms, and which types values may have."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from meristem.errors import TypeMismatch
from meristem.language.kinds import ModuleKind
from meristem.language.terms import Choice, Term
from meristem.language.vocabulary import Entry
from meristem.types import BOOL, INT, Type, format_type, satisfies

MAX_DEPTH = 1000
MAX_NODES = 100_000


class TermTypeError(TypeMismatch):
    """A term is not well typed; the message ends with the offending part in text form."""


class Binding:
    """One place that binds a name: an input, a parameter, or a `let`. Compared by identity."""

    __slots__ = ("local", "name", "type")

    def __init__(self, name: str, type: Type, local: bool) -> None:
        self.name, self.type, self.local = name, type, local

    def __repr__(self) -> str:
        return f"<{self.name}: {self.type}>"


NO_BINDINGS: frozenset[Binding] = frozenset()


class Typed:
    """A term with the types of all of its nodes.

    Attributes:
        term: The term.
        type: Its type. May hold variables where nothing says what it is (`[]`).
        children: The typed terms inside. For a `Let` the values, one for each type it is used at, and last the body;
            for a `Variable` none.
        bindings: What a `Lambda`, `Let` or a subroutine call binds; the one a `Variable` stands for.
        uses: The bindings inside that are not inputs of the program and are bound further out. Where it is empty the
            node depends on the inputs only.
        entry: For a `Call` the primitive or subroutine, for a `Module` its kind.
        settings: For a `Module` every choice.
        body: For a call of a subroutine its typed body.
    """

    __slots__ = (
        "bindings",
        "body",
        "cache",
        "children",
        "entry",
        "modules",
        "run",
        "settings",
        "size",
        "term",
        "type",
        "uses",
    )

    def __init__(
        self,
        term: Term,
        type: Type,
        children: tuple[Typed, ...] = (),
        bindings: tuple[Binding, ...] = (),
        uses: frozenset[Binding] = NO_BINDINGS,
    ) -> None:
        self.term, self.type, self.children, self.bindings, self.uses = term, type, children, bindings, uses
        self.entry: Entry | ModuleKind | None = None
        self.settings: dict[str, Choice] = {}
        self.body: Typed | None = None
        self.run: Any = None  # set by the interpreter: what runs this node,
        self.size: Any = None  # what counts the elements of its value,
        self.modules = False  # whether a module is called inside,
        self.cache: Any = None  # and what it keeps between runs

    def __repr__(self) -> str:
        return f"<{type(self.term).__name__}: {self.type}>"

    def walk(self) -> Iterator[Typed]:
        """Every distinct node, inner ones first, this one last. Bodies of subroutines are not entered."""
        seen: set[int] = set()
        stack: list[tuple[Typed, bool]] = [(self, False)]
        while stack:
            node, opened = stack.pop()
            if opened:
                yield node
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(node.children))


def check_size(term: Term) -> None:
    """Refuse terms that are too deep or too large to work with."""
    if term.depth > MAX_DEPTH:
        raise TypeMismatch(f"a term may be {MAX_DEPTH:,} nodes deep, this one is {term.depth:,}")
    if term.size > MAX_NODES:
        raise TypeMismatch(f"a term may have {MAX_NODES:,} nodes, this one has {term.size:,}")


def ensure_stack(depth: int) -> None:
    """Make room on Python's stack for walking a term of that depth.

    Python calls do not use the C stack (since 3.11), so a higher limit is safe; terms are at most 1,000 deep.
    """
    needed = 16 * depth + 400
    if sys.getrecursionlimit() < needed:
        sys.setrecursionlimit(needed)


_CHECKED: dict[Type, None] = {}


def check_type(type_: Type) -> None:
    """Refuse types that no value may have: options of options, and functions stored in data or given back.

    Raises:
        TypeMismatch: Says which part.
    """
    if type_ in _CHECKED:
        return
    for arg in type_.args:
        check_type(arg)
    name = type_.name
    if name == "option" and type_.item.name == "option":
        raise TypeMismatch(
            f"an option of an option cannot be told apart from an option: {format_type(type_, 6)}"
        )
    if name == "map" and not satisfies(type_.args[0], "key") and not type_.args[0].is_variable:
        raise TypeMismatch(f"expected a type that can be a key, got {format_type(type_.args[0], 6)}")
    if type_.is_function and type_.result.is_function:
        raise TypeMismatch("a function may not give back a function; give it all arguments at once")
    if not type_.is_function and any(arg.is_function for arg in type_.args):
        raise TypeMismatch(f"functions cannot be stored in data: {format_type(type_, 6)}")
    if type_.args:
        if len(_CHECKED) > 50_000:
            _CHECKED.clear()
        _CHECKED[type_] = None


def default_variables(type_: Type) -> Type:
    """A type with its open variables closed: int where a number is wanted, bool elsewhere."""
    if type_.ground:
        return type_
    if type_.is_variable:
        return INT if type_.kind == "number" else BOOL
    return Type(type_.name, tuple(map(default_variables, type_.args)), type_.params)


__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "NO_BINDINGS",
    "Binding",
    "TermTypeError",
    "Typed",
    "check_size",
    "check_type",
    "default_variables",
    "ensure_stack",
]
