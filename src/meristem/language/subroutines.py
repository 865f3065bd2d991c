"""Subroutines: their bodies, typed anew for the types they are called at."""

from __future__ import annotations

from collections.abc import Callable

from meristem.errors import TypeMismatch
from meristem.language.infer import Typed, infer_body
from meristem.language.terms import Term
from meristem.language.text import parse_term
from meristem.language.vocabulary import Subroutine

_MAX_KEPT = 256


def body_of(entry: Subroutine) -> Term:
    """The body of a subroutine; read from its text on first use."""
    if entry.parsed is None:
        entry.parsed = parse_term(entry.body)
    term: Term = entry.parsed
    return term


def expand_call(node: Typed, inside: tuple[str, ...], ready: Callable[[Typed, tuple[str, ...]], int]) -> int:
    """Give a call of a subroutine its body, typed for its arguments; and how deep that is.

    Raises:
        TypeMismatch: The subroutine refers to itself.
    """
    entry = node.entry
    assert isinstance(entry, Subroutine)
    name = f"{entry.name}#{entry.version}"
    if name in inside:
        raise TypeMismatch(f"a subroutine may not refer to itself: {' -> '.join((*inside, name))}")
    types = (*(child.type for child in node.children), node.type)
    found = entry.expansions.get(types)
    if found is None:
        parameters = dict(zip(entry.parameters, types[:-1], strict=True))
        body, bindings = infer_body(body_of(entry), parameters, node.type)
        found = body, bindings, ready(body, (*inside, name))
        if len(entry.expansions) >= _MAX_KEPT:
            entry.expansions.clear()
        entry.expansions[types] = found
    node.body, node.bindings, depth = found
    return depth


__all__ = ["body_of", "expand_call"]
