"""Arguments that are given by name, as people write them: `take(x, count=2)`. They are read, and never written.

`sort(x, key=f)` is `sort_by(f, x)`: where a function has no argument of a name, but the function with `_by` at its end
has one, that one is meant.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

from meristem.errors import TypeMismatch
from meristem.language.terms import Call, Term
from meristem.language.vocabulary import VOCABULARY, Entry, Subroutine


def parameter_names(entry: Entry) -> tuple[str, ...]:
    """The names of a function's parameters, in order."""
    if isinstance(entry, Subroutine):
        return entry.parameters
    names = tuple(inspect.signature(entry.function).parameters)
    return names[1:] if entry.rule is not None else names  # the first gets what the rule says of the result


def call_by_name(name: str, version: int, args: Sequence[Term], named: Mapping[str, Term]) -> Call:
    """A call with some arguments given by name: the others take the places that are left, in order.

    Raises:
        TypeMismatch: The function has no such argument, or not as many.
    """
    entry = VOCABULARY.find(name, version)
    parameters = parameter_names(entry)
    if not set(named) <= set(parameters) and version == 1 and f"{name}_by" in VOCABULARY:
        by = VOCABULARY.find(f"{name}_by", 1)
        if set(named) <= set(parameter_names(by)):
            entry, parameters = by, parameter_names(by)
    unknown = [each for each in named if each not in parameters]
    if unknown:
        raise TypeMismatch(f"{name} has no argument {unknown[0]!r}; it has {', '.join(parameters) or 'none'}")
    if len(args) + len(named) != len(parameters):
        raise TypeMismatch(
            f"{entry.name} takes {len(parameters)} argument(s): {', '.join(parameters)}; got {len(args) + len(named)}"
        )
    rest = iter(args)
    return Call(entry.name, tuple(named[p] if p in named else next(rest) for p in parameters), entry.version)


__all__ = ["call_by_name", "parameter_names"]
