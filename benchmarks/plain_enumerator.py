"""Bottom-up enumeration in plain Python: what the columnar enumerator is compared with, for speed and for equality.

The same operations at the same costs, through the plain Python functions of the vocabulary; a program's outputs are a
tuple, and a dictionary tells which came before. This is how enumerative synthesizers are mostly written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import EvaluationError
from meristem.language.interpreter import prepare
from meristem.language.reference import run_row
from meristem.language.terms import Variable
from meristem.language.vocabulary import VOCABULARY, Primitive
from meristem.search.enumeration._operations import FUEL, Operation
from meristem.search.enumeration._pools import MAX_INT, MAX_LENGTH
from meristem.types import Type
from meristem.values import hashable

FAILED = None
"""What stands in a row where a program has no value."""

Row = tuple[Any, ...]
"""A program's outputs, one an example; lists are tuples."""

Meaning = Callable[..., Any]


NATIVE: dict[str, Meaning] = {
    "increment": lambda a: a + 1,
    "decrement": lambda a: a - 1,
    "square": lambda a: a * a,
    "is_even": lambda a: a % 2 == 0,
    "is_odd": lambda a: a % 2 == 1,
    "double": lambda a: 2 * a,
    "prepend": lambda item, items: [item, *items],
    "contains": lambda items, item: item in items,
    "is_empty": lambda items: not items,
    "rest": lambda items: items[1:],
    "initial": lambda items: items[:-1],
    "sort_descending": lambda items: sorted(items, reverse=True),
    "count_of": lambda items, item: items.count(item),
}
"""Subroutines of the vocabulary as a person writes them in Python: where there is one it is used, so that plain Python
is not held up by an interpreter. A test holds each against the subroutine."""


def compiled(operation: Operation) -> bool:
    """Whether plain Python has one function for an operation."""
    return operation.name in NATIVE or isinstance(VOCABULARY.find(operation.name), Primitive)


def meaning_of(operation: Operation, native: bool = True) -> Meaning:
    """A function of Python values that gives what an operation gives; `FAILED` where it gives nothing.

    Args:
        operation: The operation.
        native: Whether the plain function is called itself, where there is one. Otherwise the reference interpreter
            runs the operation, with its fuel.
    """
    bounded = bound_of(operation.result)
    if native and not operation.bound and compiled(operation):
        entry = VOCABULARY.find(operation.name)
        function = entry.function if isinstance(entry, Primitive) else NATIVE[operation.name]

        def call(*args: Any) -> Any:
            try:
                return bounded(function(*args))
            except EvaluationError:
                return FAILED

        return call
    names = [f"x{k}" for k in range(len(operation.arguments))]
    term = operation.term(tuple(Variable(name) for name in names))
    program = prepare(term, dict(zip(names, operation.arguments, strict=True)), result=operation.result)

    def run(*args: Any) -> Any:
        value, reason = run_row(program, dict(zip(names, args, strict=True)), fuel=FUEL)
        return FAILED if reason else bounded(value)

    return run


def bound_of(type: Type) -> Callable[[Any], Any]:
    """From a value to itself; to `FAILED` where it is too large to be kept."""
    if type.name == "int":
        return lambda value: value if -MAX_INT < value < MAX_INT else FAILED
    if type.name == "text":
        return lambda value: value if len(value) <= 4 * MAX_LENGTH else FAILED
    if type.name == "list":
        if type.item.name in ("bool", "real"):
            return lambda value: value if len(value) <= MAX_LENGTH else FAILED
        inner = bound_of(type.item)

        def bounded(value: Any) -> Any:
            if len(value) > MAX_LENGTH:
                return FAILED
            return FAILED if any(inner(item) is FAILED for item in value) else value

        return bounded
    if type.name in ("pair", "option"):
        raise TypeError(f"plain enumeration knows no failing inside of {type}")
    return lambda value: value


@dataclass
class PlainBank:
    """Programs by type and cost, as the lists of their outputs and as the tuples that tell them apart."""

    operations: Sequence[Operation]
    native: bool = True
    levels: dict[tuple[Type, int], list[list[Any]]] = field(default_factory=dict)
    rows: dict[tuple[Type, int], list[Row]] = field(default_factory=dict)
    seen: dict[Type, dict[Row, None]] = field(default_factory=dict)
    tried: int = 0

    def __post_init__(self) -> None:
        self.meanings = [meaning_of(operation, self.native) for operation in self.operations]

    def add(self, type: Type, cost: int, outputs: list[Any]) -> None:
        """Add a program by its outputs, unless an equal one is there."""
        self.tried += 1
        if type.name == "list" and type.item.name in ("int", "bool", "text"):
            row: Row = tuple([None if value is None else tuple(value) for value in outputs])
        elif type.name in ("int", "bool", "text"):
            row = tuple(outputs)
        else:
            row = tuple(map(hashable, outputs))
        seen = self.seen.setdefault(type, {})
        if row in seen:
            return
        seen[row] = None
        if any(value is not FAILED for value in outputs):
            self.levels.setdefault((type, cost), []).append(outputs)
            self.rows.setdefault((type, cost), []).append(row)

    def run(
        self, operation: Operation, meaning: Meaning, parts: Sequence[list[list[Any]]], cost: int
    ) -> None:
        """All programs that an operation makes of some programs."""
        if len(parts) == 1:
            for a in parts[0]:
                self.add(operation.result, cost, [FAILED if x is FAILED else meaning(x) for x in a])
            return
        if len(parts) == 2:
            same = operation.commutative and parts[0] is parts[1]
            for k, a in enumerate(parts[0]):
                for b in parts[1][k:] if same else parts[1]:
                    outputs = [
                        FAILED if x is FAILED or y is FAILED else meaning(x, y)
                        for x, y in zip(a, b, strict=True)
                    ]
                    self.add(operation.result, cost, outputs)
            return
        for chosen in _product(parts):
            outputs = [
                FAILED if any(x is FAILED for x in args) else meaning(*args)
                for args in zip(*chosen, strict=True)
            ]
            self.add(operation.result, cost, outputs)

    def level(self, cost: int) -> None:
        """All programs of a cost, from those of lower costs."""
        for operation, meaning in zip(self.operations, self.meanings, strict=True):
            for parts in self._splits(operation.arguments, cost - operation.cost, operation.commutative):
                self.run(operation, meaning, parts, cost)

    def _splits(
        self, arguments: tuple[Type, ...], total: int, ordered: bool = False
    ) -> Iterator[list[list[list[Any]]]]:
        """The programs whose costs sum to a total; `ordered`: of two arguments the cheaper one comes first."""
        if len(arguments) == 1:
            part = self.levels.get((arguments[0], total))
            if part:
                yield [part]
            return
        for cost in range(1, total // 2 + 1 if ordered else total):
            part = self.levels.get((arguments[0], cost))
            if part:
                for rest in self._splits(arguments[1:], total - cost):
                    yield [part, *rest]


def _product(parts: Sequence[list[list[Any]]]) -> Iterator[list[list[Any]]]:
    if not parts:
        yield []
        return
    for first in parts[0]:
        for rest in _product(parts[1:]):
            yield [first, *rest]


__all__ = ["FAILED", "NATIVE", "PlainBank", "Row", "bound_of", "compiled", "meaning_of"]
