"""Which functions a search uses, and at which types: all of the vocabulary that can have to do with the task."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from meristem.errors import TypeMismatch
from meristem.language.vocabulary import VOCABULARY, Entry, Primitive
from meristem.primitives.tokens import TOKEN_CLASSES, tokens
from meristem.search.enumeration._constants import Constant, constants, strings_in
from meristem.search.enumeration._list_kernels import list_kernel
from meristem.search.enumeration._operations import Operation, kernel_of
from meristem.search.programs.prior import cost_of
from meristem.search.programs.problem import Problem
from meristem.types import BOOL, DATETIME, INT, TEXT, Type, list_of, satisfies, substitute, variables_of

_COMMUTATIVE = {"add", "multiply", "minimum", "maximum", "and", "or", "equal", "not_equal", "xor"}
_MOST_ARGUMENTS = 4


@dataclass
class Material:
    """What programs are made of.

    Args:
        types: The types that values on the way may have.
        operations: The functions, made for one search alone: each remembers its own results.
        constants: The constants.
    """

    types: list[Type]
    operations: list[Operation]
    constants: list[Constant]


def material_of(problem: Problem, more: Sequence[Type] = ()) -> Material:
    """What programs for a problem are made of.

    Args:
        problem: The problem.
        more: Types that may come up beside those of the problem.
    """
    strings = strings_in(problem)
    types = types_at_hand([*problem.types.values(), *more], problem.answers.type, strings)
    return Material(types, operations(types, strings), constants(problem))


_DATE = re.compile(r"\d+\W{1,2}\w+\W{1,2}\d+|\d{4}-\d\d")


def types_at_hand(inputs: Iterable[Type], output: Type, strings: Sequence[str] = ()) -> list[Type]:
    """The types that values inside of the program may have.

    Args:
        inputs: The types of the inputs.
        output: The type of the answer.
        strings: Texts among the inputs: where most look like dates, there are dates inside.
    """
    found: dict[Type, None] = {}

    def add(type: Type) -> None:
        if type not in found:
            found[type] = None
            for arg in type.args:
                add(arg)

    for type in (*inputs, output, INT, BOOL):
        add(type)
    if TEXT in found:
        add(list_of(TEXT))
        if 2 * sum(_DATE.search(string) is not None for string in strings) > len(strings):
            add(DATETIME)
    for type in list(found):
        if type.name == "map":
            for arg in type.args:
                add(list_of(arg))
    for type in list(found):
        # Lists of lists come up on the way (runs, windows, chunks), one level deeper than the task's own.
        if type.name == "list" and type.item.name in ("int", "text", "real") and list_of(type) not in found:
            add(list_of(type))
    return list(found)


def operations(types: list[Type], strings: Iterable[str] = ()) -> list[Operation]:
    """The first-order entries of the vocabulary at all of their instances among these types.

    Args:
        types: The types at hand.
        strings: Texts among the inputs: names of classes of characters are tried only where those occur.
    """
    found = []
    allowed = set(types)
    sample = list(strings)
    for entry in VOCABULARY:
        cost = cost_of(entry.name)
        if (
            cost is None
            or not entry.type.is_function
            or (isinstance(entry, Primitive) and entry.rule is not None)
        ):
            continue
        parameters = entry.type.parameters
        if not 1 <= len(parameters) <= _MOST_ARGUMENTS or any(p.is_function for p in parameters):
            continue
        kinds = {t.kind for t in entry.type.walk()}
        for instance in instances(entry.type, types):
            if not all(t in allowed for t in instance.args):
                continue
            # What is defined but seldom meant costs more: lists of lists, and texts in the order of their characters.
            unusual = int(any(t.name == "list" and t.item.name == "list" for t in instance.args))
            unusual += 2 * int(entry.name in ("is_even", "is_odd") and TEXT in types)
            unusual += 3 * int("ord" in kinds and any(TEXT in (t, *t.args) for t in instance.args))
            for bound, extra in _bound(entry, sample):
                free = tuple(t for i, t in enumerate(instance.parameters) if i not in dict(bound))
                kernel = None if bound else kernel_of(entry.name, free)
                lists = None if bound else list_kernel(entry.name, free)
                found.append(
                    Operation(
                        entry.name,
                        entry.version,
                        free,
                        instance.result,
                        cost + unusual + extra,
                        entry.name in _COMMUTATIVE,
                        kernel,
                        bound,
                        lists,
                    )
                )
    return found


def _bound(entry: Entry, strings: list[str]) -> Iterator[tuple[tuple[tuple[int, Any], ...], int]]:
    """Ways to fix arguments of an entry that are names of something (a class of characters), with what they cost."""
    for position, values in entry.hints.items():
        names = [v for v in values if isinstance(v, str) and v.isalpha() and len(v) > 1]
        patterns = DATETIME in entry.type.parameters or entry.type.result == DATETIME
        if patterns and values:
            for value in values:
                yield ((position, value),), 1
            return
        if names and len(names) == len(values):
            for place, name in enumerate(names):
                if name not in TOKEN_CLASSES or any(tokens.function(s, name) for s in strings):
                    yield ((position, name),), 1 if place < 4 else 2
            return
    yield (), 0


def instances(scheme: Type, types: list[Type]) -> Iterator[Type]:
    """A type at each choice of some types for its variables."""
    variables = {t.name: t for t in scheme.walk() if t.is_variable}
    assert set(variables) == variables_of(scheme)
    choices = [[t for t in types if _may_be(t, v.kind)] for v in variables.values()]
    for chosen in product(*choices):
        try:
            yield substitute(scheme, dict(zip(variables, chosen, strict=True)))
        except TypeMismatch:
            continue


def _may_be(type: Type, kind: str) -> bool:
    if kind == "ord":  # sorting lists of lists is defined, and hardly ever meant
        return type.name in ("int", "real", "text", "datetime")
    return kind == "any" or satisfies(type, kind)


__all__ = ["Material", "instances", "material_of", "operations", "types_at_hand"]
