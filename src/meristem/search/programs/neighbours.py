"""Programs near one that fits: a part put for another that gives the same on the examples, a constant moved a little.

A search that keeps one program for each row of answers gives few that fit, and a program is a guess the more others
near it fit as well. These are found here: where a part of the program and a small term have the same values on all
examples, either may stand there, and nothing but further examples tells them apart.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from meristem.errors import MeristemError, Reason, TypeMismatch
from meristem.language.interpreter import Prepared, prepare
from meristem.language.plain import call_plain
from meristem.language.reference import run_row
from meristem.language.terms import Call, Hole, Lambda, Let, Literal, Module, Term, Variable
from meristem.language.vocabulary import VOCABULARY, Entry, Primitive
from meristem.search.programs.cost import description_length
from meristem.search.programs.problem import Problem
from meristem.types import INT, TEXT, Substitution, Type, rename_apart, substitute, unify, variables_of
from meristem.values import hashable

_MOST_TERMS = 4000  # small terms whose values are worked out
_MOST_EXAMPLES = 40
_FUEL = 5000
_INTS = (0, 1, 2, 3, -1)
_TEXTS = (" ", ",", "-", ".", "")
_LONGEST = 2000  # characters or items of a value; what is longer is left

Row = tuple[Any, ...]


class _Bank:
    """Small terms that have the values of a part on the examples.

    Args:
        problem: The examples and the names.
        seeds: Constants that are worth having.
        wanted: The values of the parts, by type.
        most: How many terms to try.
        deadline: When to stop at the latest.
    """

    def __init__(
        self,
        problem: Problem,
        seeds: Sequence[Literal],
        wanted: Mapping[Type, set[Row]],
        most: int,
        deadline: float,
    ) -> None:
        self.problem = problem
        self.count = min(len(problem), _MOST_EXAMPLES)
        self.wanted = wanted
        self.first = {type_: {row[0] for row in rows} for type_, rows in wanted.items()}
        self.by_row: dict[tuple[Type, Row], list[Term]] = {}
        self.leaves: list[tuple[Term, Type, list[Any]]] = []
        for name, column in problem.inputs.items():
            self.leaves.append((Variable(name), column.type, column.to_list()[: self.count]))
        for literal in dict.fromkeys(seeds):
            self.leaves.append((literal, literal.type, [literal.value] * self.count))
        for leaf in self.leaves:
            self._keep(*leaf)
        self.left, self.deadline = most, deadline
        self._grow()

    def _keep(self, term: Term, type_: Type, values: list[Any]) -> None:
        row = tuple(map(hashable, values))
        if row in self.wanted.get(type_, ()):
            self.by_row.setdefault((type_, row), []).append(term)

    def _grow(self) -> None:
        """Calls of leaves, then calls of one argument on what these gave."""
        entries = [e for e in VOCABULARY if not _unfit(e)]
        made: list[tuple[Term, Type, list[Any]]] = []
        for arity in (1, 2):
            for entry in entries:
                if entry.arity != arity:
                    continue
                for args in product(self.leaves, repeat=arity):
                    if all(isinstance(arg[0], Literal) for arg in args):
                        continue
                    made += self._call(entry, args)
                    if self.left <= 0:
                        return
        for entry in entries:
            if entry.arity == 1:
                for arg in made:
                    self._call(entry, (arg,), last=True)
                    if self.left <= 0:
                        return

    def _call(
        self, entry: Entry, args: Sequence[tuple[Term, Type, list[Any]]], last: bool = False
    ) -> list[tuple[Term, Type, list[Any]]]:
        """A call of small terms with its values; nothing where it has none, or, as the last step, where no part has
        them either: that shows at the first example mostly."""
        types = tuple([arg[1] for arg in args])
        result = _result(entry.name, entry.version, types)
        if result is None or (last and result not in self.wanted):
            return []
        self.left -= 1
        if self.left % 32 == 0 and time.monotonic() > self.deadline:
            self.left = 0
        values = self._values(entry, [arg[2] for arg in args], types, result, last)
        if values is None:
            return []
        found = (Call(entry.name, tuple(arg[0] for arg in args), entry.version), result, values)
        self._keep(*found)
        return [found]

    def _values(
        self, entry: Entry, columns: list[list[Any]], types: tuple[Type, ...], result: Type, last: bool
    ) -> list[Any] | None:
        """The values on the examples; None where one has none, or one that is large."""
        values: list[Any] = []
        program = None if isinstance(entry, Primitive) else _program(entry.name, entry.version, types, result)
        for row in zip(*columns, strict=True):
            value: Any
            reason: Reason | int
            if isinstance(entry, Primitive):
                value, reason = call_plain(entry.function, row, result)
            else:
                if program is None:
                    return None
                value, reason = run_row(program, {f"a{k}": v for k, v in enumerate(row)}, fuel=_FUEL)
            if reason or (isinstance(value, str | list | dict) and len(value) > _LONGEST):
                return None
            if last and not values and hashable(value) not in self.first[result]:
                return None
            values.append(value)
        return values


@lru_cache(20_000)
def _result(name: str, version: int, types: tuple[Type, ...]) -> Type | None:
    return result_type(VOCABULARY.find(name, version), types)


@lru_cache(5_000)
def _program(name: str, version: int, types: tuple[Type, ...], result: Type) -> Prepared | None:
    """A call of a subroutine, ready to run."""
    names = [f"a{k}" for k in range(len(types))]
    try:
        call = Call(name, tuple(map(Variable, names)), version)
        return prepare(call, dict(zip(names, types, strict=True)), result=result)
    except MeristemError:
        return None


def _unfit(entry: Entry) -> bool:
    if isinstance(entry, Primitive) and entry.rule is not None:
        return True
    return any(p.is_function for p in entry.type.parameters)


def result_type(entry: Entry, types: Sequence[Type]) -> Type | None:
    """What a function gives for arguments of these types; None where it does not take them."""
    scheme = rename_apart(entry.type, "~")
    solved: Substitution = {}
    try:
        for parameter, type_ in zip(scheme.parameters, types, strict=True):
            unify(parameter, type_, solved)
    except TypeMismatch:
        return None
    found = substitute(scheme.result, solved)
    return found if found.ground and not found.is_function else None


def neighbours(
    term: Term, problem: Problem, most: int = _MOST_TERMS, deadline: float = math.inf
) -> Iterator[tuple[Term, float]]:
    """Programs near one that fits, each with how many half bits it is longer (less where it is shorter).

    Those whose part has the same values on the examples come first: they fit for certain, as far as the first
    forty examples go. The others (constants moved, functions swapped) are guesses to be checked.

    Args:
        term: A program that fits.
        problem: Its examples.
        most: How many small terms to work out; bounds the time, about 10 microseconds each and example.
        deadline: When to stop at the latest, in `time.monotonic()` seconds.
    """
    own = description_length(term, len(problem.inputs))
    told = {term}

    def tell(changed: Term) -> Iterator[tuple[Term, float]]:
        if changed not in told:
            told.add(changed)
            yield changed, description_length(changed, len(problem.inputs)) - own

    for changed in [*_same_values(term, problem, most, deadline), *_nearby(term, problem)]:
        yield from tell(changed)


def _same_values(term: Term, problem: Problem, most: int, deadline: float) -> Iterator[Term]:
    """Programs with a part put for one of the same values."""
    seeds = [node for node in term.walk() if isinstance(node, Literal)]
    seeds += [Literal(v, INT) for v in _INTS]
    if any(t.name == "text" for column in problem.inputs.values() for t in column.type.walk()):
        seeds += [Literal(v, TEXT) for v in _TEXTS]
    count = min(len(problem), _MOST_EXAMPLES)
    rows = [{name: column[i] for name, column in problem.inputs.items()} for i in range(count)]
    wanted: dict[Type, set[Row]] = {}
    places: list[tuple[Path, Term, Type, Row]] = []
    for path, part in parts_of(term):
        if part.free_names - set(problem.inputs):
            continue
        try:
            program = prepare(part, problem.types)
        except MeristemError:
            continue
        values = []
        for given in rows:
            value, reason = run_row(program, given, fuel=_FUEL)
            if reason:
                break
            values.append(hashable(value))
        if len(values) == len(rows) and program.type.ground:
            places.append((path, part, program.type, tuple(values)))
            wanted.setdefault(program.type, set()).add(tuple(values))
    bank = _Bank(problem, seeds, wanted, most, deadline)
    for path, part, type_, row in places:
        for other in bank.by_row.get((type_, row), ())[:20]:
            if other != part:
                yield put(term, path, other)


Path = tuple[int, ...]


def parts_of(term: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    """Every part of a term with its place, outer ones first; functions are entered, but not given themselves."""
    if not isinstance(term, Lambda):
        yield path, term
    if term.size > 400:
        return
    for k, child in enumerate(term.children()):
        yield from parts_of(child, (*path, k))


def put(term: Term, path: Path, new: Term) -> Term:
    """The term with another part at a place."""
    if not path:
        return new
    children = list(term.children())
    children[path[0]] = put(children[path[0]], path[1:], new)
    return term.with_children(tuple(children))


def _nearby(term: Term, problem: Problem) -> Iterator[Term]:
    """Programs with a constant moved, a function swapped for one of the same type, an input for another."""
    inputs: Mapping[str, Type] = problem.types
    swaps: dict[str, list[Entry]] = {}
    for path, part in parts_of(term):
        if isinstance(part, Literal) and part.type == INT:
            for value in (part.value + 1, part.value - 1, part.value + 2, -part.value, 0, 1):
                if value != part.value:
                    yield put(term, path, Literal(value, INT))
        elif isinstance(part, Literal) and part.type == TEXT:
            for text in (part.value.strip(), part.value.lower(), part.value.upper(), *_TEXTS):
                if text != part.value:
                    yield put(term, path, Literal(text, TEXT))
        elif isinstance(part, Variable) and part.name in inputs:
            for name, type_ in inputs.items():
                if name != part.name and type_ == inputs[part.name]:
                    yield put(term, path, Variable(name))
        elif isinstance(part, Call) and part.args and part.version == 1:
            if part.name not in swaps:
                swaps[part.name] = _like(part.name)
            for entry in swaps[part.name]:
                yield put(term, path, Call(entry.name, part.args, entry.version))
            for k, arg in enumerate(part.args):  # without the call, and with two arguments exchanged
                if not isinstance(arg, Lambda):
                    yield put(term, path, arg)
                if k and not isinstance(arg, Lambda) and not isinstance(part.args[k - 1], Lambda):
                    swapped = list(part.args)
                    swapped[k - 1], swapped[k] = swapped[k], swapped[k - 1]
                    yield put(term, path, Call(part.name, tuple(swapped), part.version))


def _like(name: str) -> list[Entry]:
    """The functions whose type is that of another one, up to names of variables."""
    if name not in VOCABULARY:
        return []
    own = VOCABULARY.find(name)
    if isinstance(own, Primitive) and own.rule is not None:
        return []
    found = []
    for entry in VOCABULARY:
        if entry.name == name or (isinstance(entry, Primitive) and entry.rule is not None):
            continue
        if len(entry.type.parameters) == len(own.type.parameters) and _alike(entry.type, own.type):
            found.append(entry)
    return found


def _alike(left: Type, right: Type) -> bool:
    left, right = rename_apart(left, "~l"), rename_apart(right, "~r")
    try:
        unify(left, right, {})
    except TypeMismatch:
        return False
    return len(variables_of(left)) == len(variables_of(right))


def is_program(term: Term) -> bool:
    """Whether a term can be varied: it has no parts that are fitted or open."""
    return not any(isinstance(node, Module | Hole | Let) for node in term.walk())


__all__ = ["is_program", "neighbours", "parts_of", "put", "result_type"]
