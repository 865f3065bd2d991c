"""Random programs for a task: typed, of the functions and constants that can have to do with it.

Every function is used at ground types only, and a parameter's name says its type. So the type of any part of any
program follows from the part alone, and parts move between programs without inference. Making one never runs into a
dead end: each type has a least size, functions of types that nothing makes are left out, and where the size is used
up the smallest term is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from random import Random
from typing import TypeVar

from meristem.errors import MeristemError, TypeMismatch
from meristem.language.infer import expect
from meristem.language.terms import Call, If, Lambda, ListOf, Literal, Term, Variable
from meristem.language.typed import Typed, check_type
from meristem.language.vocabulary import VOCABULARY, Primitive
from meristem.search.enumeration._constants import constants, strings_in
from meristem.search.enumeration._grammar import operations, types_at_hand
from meristem.search.programs.neighbours import Path
from meristem.search.programs.prior import cost_of
from meristem.search.programs.problem import Problem
from meristem.types import BOOL, TEXT, Type, function_of, list_of, satisfies, substitute

_LETTERS = "yzuvwst"
_LEAF = 0.25  # how often a place is filled with a name or a constant though there is room
_BRANCH = 0.04  # how often with an `if`
_MOST_VARIABLES = 3  # of a function that takes functions: its instances grow with the power of that
_MOST_KNOWN = 50_000  # terms whose type is remembered
_HIGHER = 1.0  # half bits off for functions that take functions: they have many instances

Item = TypeVar("Item")


@dataclass(frozen=True)
class Production:
    """A function at ground types.

    Args:
        name: Of the function.
        version: Of the function.
        arguments: The types of all of its arguments; functions among them are given as lambdas.
        result: The type it gives.
        weight: How often it is used, beside others of the same result.
        fixed: Arguments that are names of something, by position.
    """

    name: str
    version: int
    arguments: tuple[Type, ...]
    result: Type
    weight: float
    fixed: Mapping[int, Term]


@dataclass(frozen=True)
class Place:
    """A part of a program: where it stands, its type, and the parameters that are known there."""

    path: Path
    part: Term
    type: Type
    scope: tuple[str, ...]


class Grammar:
    """What programs for a problem are made of.

    Args:
        problem: Its types decide which functions there are, its examples which constants.

    Attributes:
        leaves: Inputs and constants by type, with weights.
        productions: Functions by result, each with the least size of a call of it.
        least: The least size of a term of each type that can be made at all.
    """

    def __init__(self, problem: Problem) -> None:
        self.inputs = problem.types
        self.types = types_at_hand(self.inputs.values(), problem.answers.type)
        self.leaves: dict[Type, list[tuple[Term, float]]] = {}
        self.known: dict[Term, Type] = {}
        for name, type_ in self.inputs.items():
            self.leaves.setdefault(type_, []).append((Variable(name), 2.0))
        for term, type_, cost, _ in constants(problem):
            if self.known.setdefault(term, type_) != type_:
                continue  # an empty list is of one type here, so that a part alone says its type
            self.leaves.setdefault(type_, []).append((term, 2.0 ** (-cost / 2)))
        found = [*self._plain(problem), *self._higher()]
        self.least: dict[Type, int] = dict.fromkeys(self.leaves, 1)
        self._measure(found)
        self.productions: dict[Type, list[tuple[Production, int]]] = {}
        self.results: dict[tuple[str, tuple[Type, ...]], Type] = {}
        self.alike: dict[tuple[tuple[Type, ...], Type], list[Production]] = {}
        for each in found:
            size = self._size(each)
            if size is not None:
                self.productions.setdefault(each.result, []).append((each, size))
                self.results[each.name, each.arguments] = each.result
                if not each.fixed:
                    self.alike.setdefault((each.arguments, each.result), []).append(each)
        self._names: dict[str, Type] = {}
        self._typed: dict[Term, Type] = {}

    def _plain(self, problem: Problem) -> Iterator[Production]:
        for each in operations(self.types, strings_in(problem)):
            arguments = list(each.arguments)
            for position, _ in each.bound:
                arguments.insert(position, TEXT)
            fixed: dict[int, Term] = {position: Literal(value, TEXT) for position, value in each.bound}
            yield Production(
                each.name, each.version, tuple(arguments), each.result, 2.0 ** (-each.cost / 2), fixed
            )

    def _higher(self) -> Iterator[Production]:
        """Functions that take functions, at the types at hand."""
        for entry in VOCABULARY:
            cost = cost_of(entry.name)
            open_ = {t.name: t for t in entry.type.walk() if t.is_variable}
            if (
                cost is None
                or (isinstance(entry, Primitive) and entry.rule is not None)
                or not any(p.is_function for p in entry.type.parameters)
                or len(open_) > _MOST_VARIABLES
            ):
                continue
            choices = [[t for t in self.types if satisfies(t, v.kind)] for v in open_.values()]
            found = []
            for chosen in product(*choices):
                try:
                    instance = substitute(entry.type, dict(zip(open_, chosen, strict=True)))
                    check_type(instance)
                except TypeMismatch:
                    continue
                inner = [t for p in instance.parameters for t in (p.args if p.is_function else (p,))]
                if instance.result in self.types and all(t in self.types for t in inner):
                    found.append(instance)
            for instance in found:
                shared = sum(other.result == instance.result for other in found)
                weight = 2.0 ** ((_HIGHER - cost) / 2) / shared
                yield Production(entry.name, entry.version, instance.parameters, instance.result, weight, {})

    def _measure(self, found: Sequence[Production]) -> None:
        """The least size of each type, from below."""
        changed = True
        while changed:
            changed = False
            for each in found:
                size = self._size(each)
                if size is not None and size < self.least.get(each.result, math.inf):
                    self.least[each.result] = size
                    changed = True

    def _size(self, each: Production) -> int | None:
        """The least size of a call; None where an argument cannot be made."""
        sizes = [1 if k in each.fixed else self._needs(t, ()) for k, t in enumerate(each.arguments)]
        return None if None in sizes else 1 + sum(s for s in sizes if s is not None)

    def _needs(self, type_: Type, around: Sequence[Type]) -> int | None:
        if type_.is_function:
            inner = self._needs(type_.result, (*around, *type_.parameters))
            return None if inner is None else 1 + inner
        return 1 if type_ in around else self.least.get(type_)

    # ------------------------------------------------------------------------------------------ making terms

    def grow(self, rng: Random, type_: Type, scope: Sequence[str] = (), size: int = 8) -> Term | None:
        """A random term.

        Args:
            rng: Source of randomness.
            type_: Its type; may be a function.
            scope: The parameters it may use, beside the inputs.
            size: About how many nodes it may have; more where the smallest term has more.

        Returns:
            It; None only where no term has that type.
        """
        if self._needs(type_, [self._names[name] for name in scope]) is None:
            return None
        return self._grown(rng, type_, tuple(scope), size)

    def _grown(self, rng: Random, type_: Type, scope: tuple[str, ...], size: int) -> Term:
        if type_.is_function:
            names: list[str] = []
            for parameter in type_.parameters:
                names.append(self._name(parameter, (*scope, *names)))
            return Lambda(tuple(names), self._grown(rng, type_.result, (*scope, *names), size - 1))
        around = [self._names[name] for name in scope]
        leaves = [(Variable(n), 2.0) for n, t in zip(scope, around, strict=True) if t == type_]
        choices: list[tuple[Term, float]] = [*leaves, *self.leaves.get(type_, ())]
        if choices and (size <= 1 or rng.random() < _LEAF):
            return _weighted(rng, choices)
        least = self._needs(type_, around) or 1
        if rng.random() < _BRANCH and size > 1 + 2 * least + self.least[BOOL]:
            share = (size - 1) // 3
            return If(
                self._grown(rng, BOOL, scope, share),
                self._grown(rng, type_, scope, share),
                self._grown(rng, type_, scope, share),
            )
        # Sizes are counted without the scope here, so there is always one where there is no leaf.
        rows = self.productions.get(type_, ())
        fitting = [(p, p.weight) for p, needed in rows if needed <= size]
        if not fitting:
            if choices:
                return _weighted(rng, choices)
            fitting = [(p, 1.0) for p, needed in rows if needed == self.least[type_]]
        return self.call(rng, _weighted(rng, fitting), scope, size - 1)

    def call(
        self,
        rng: Random,
        each: Production,
        scope: tuple[str, ...],
        size: int,
        given: Mapping[int, Term] | None = None,
    ) -> Term:
        """A call with random arguments, `size` nodes for all of them together; `given` ones stand as they are."""
        told = {**each.fixed, **(given or {})}
        around = [self._names[name] for name in scope]
        needs = [0 if k in told else self._needs(t, around) or 1 for k, t in enumerate(each.arguments)]
        spare = max(size - sum(needs), 0)
        cuts = sorted(rng.randint(0, spare) for _ in needs[1:])
        extra = [b - a for a, b in zip([0, *cuts], [*cuts, spare], strict=True)] if needs else []
        args = tuple(
            told[k] if k in told else self._grown(rng, t, scope, needs[k] + extra[k])
            for k, t in enumerate(each.arguments)
        )
        return Call(each.name, args, each.version)

    def _name(self, type_: Type, taken: Sequence[str]) -> str:
        """A parameter's name, which says its type, and is not taken."""
        number = self.types.index(type_) if type_ in self.types else len(self.types)
        letter = _LETTERS[number % len(_LETTERS)] + "_" * (number // len(_LETTERS))
        count = 0
        while True:
            name = letter + (str(count) if count else "")
            count += 1
            if name not in taken and name not in self.inputs and self._names.get(name, type_) == type_:
                self._names[name] = type_
                return name

    # ----------------------------------------------------------------------------------------- reading terms

    def type_of(self, term: Term) -> Type:
        """The type of any part of a program that was made here.

        Raises:
            TypeMismatch: It was not, or is not well typed.
        """
        known = self.known.get(term) or self._typed.get(term)
        if known is not None:
            return known
        found: Type | None
        if isinstance(term, Variable):
            found = self.inputs.get(term.name) or self._names.get(term.name)
        elif isinstance(term, Literal):
            found = term.type
        elif isinstance(term, Lambda):
            found = function_of(*(self._names[n] for n in term.parameters), self.type_of(term.body))
        elif isinstance(term, If):
            found = self.type_of(term.then)
        elif isinstance(term, Call):
            found = self.results.get((term.name, tuple(self.type_of(arg) for arg in term.args)))
        elif isinstance(term, ListOf) and term.items:
            found = list_of(self.type_of(term.items[0]))
        else:
            found = None
        if found is None:
            raise TypeMismatch(f"a {type(term).__name__} here is of no known type")
        if len(self._typed) >= _MOST_KNOWN:
            self._typed.clear()
        self._typed[term] = found
        return found

    def places(self, term: Term) -> list[Place]:
        """The parts of a program that may be exchanged: all but functions and fixed names."""
        found: list[Place] = []

        def visit(node: Term, path: Path, scope: tuple[str, ...]) -> None:
            if isinstance(node, Lambda):
                visit(node.body, (*path, 0), (*scope, *node.parameters))
                return
            found.append(Place(path, node, self.type_of(node), scope))
            if isinstance(node, ListOf):  # a constant is one place
                return
            for k, child in enumerate(node.children()):
                if not (isinstance(node, Call) and k in _named(node.name)):
                    visit(child, (*path, k), scope)

        visit(term, (), ())
        return found

    def admit(self, term: Term, type_: Type) -> Term | None:
        """A program from elsewhere with its parameters renamed to what they are called here; None where it uses
        what there is not here."""
        try:
            renamed = self._renamed(expect(term, self.inputs, type_), {}, ())
            self.places(renamed)
        except (MeristemError, KeyError):
            return None
        return renamed

    def _renamed(self, node: Typed, names: Mapping[str, str], scope: tuple[str, ...]) -> Term:
        term = node.term
        if isinstance(term, Variable):
            return Variable(names.get(term.name, term.name))
        if isinstance(term, ListOf):
            if not node.type.ground or self.known.setdefault(term, node.type) != node.type:
                raise TypeMismatch("a list of another type is written the same")
            return term
        if isinstance(term, Lambda):
            told: list[str] = []
            for binding in node.bindings:
                told.append(self._name(binding.type, (*scope, *told)))
            inner = {**names, **dict(zip(term.parameters, told, strict=True))}
            return Lambda(tuple(told), self._renamed(node.children[0], inner, (*scope, *told)))
        if not isinstance(term, Literal | Call | If):
            raise TypeMismatch("this kind of term is not made here")
        return term.with_children(tuple(self._renamed(child, names, scope) for child in node.children))


@lru_cache(2000)
def _named(name: str) -> tuple[int, ...]:
    """The arguments of a function that are names of classes of characters and the like."""
    hints = VOCABULARY.find(name).hints
    return tuple(k for k, values in hints.items() if any(isinstance(v, str) and len(v) > 1 for v in values))


def _weighted(rng: Random, choices: Sequence[tuple[Item, float]]) -> Item:
    return rng.choices([c for c, _ in choices], [w for _, w in choices])[0]


__all__ = ["Grammar", "Place", "Production"]
