"""Sketches: a user's own program with typed holes, which search fills."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from itertools import islice, product
from random import Random

from meristem.errors import InputError, MeristemError, TypeMismatch
from meristem.language.generate import random_term
from meristem.language.infer import expect
from meristem.language.terms import Hole, Lambda, Let, Term
from meristem.language.typed import Typed, default_variables
from meristem.search.programs.check import Checker
from meristem.search.programs.cost import description_length
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.types import BOOL, INT, REAL, TEXT, Type, satisfies, substitute

_TURN = 0.05  # seconds between two words to the caller
_TRIES_A_TURN = 50
_MOST_TYPINGS = 9
_END = object()
_SIZES = (1, 3, 3, 5, 5, 7, 9)


def holes_of(term: Term) -> int:
    """How many holes a term has."""
    return sum(isinstance(node, Hole) for node in term.walk())


def check_sketch(term: Term, problem: Problem) -> None:
    """See that a sketch can be the program of a problem.

    Raises:
        InputError: It is not well typed for the problem's inputs and answers; says where.
    """
    try:
        expect(term, problem.types, problem.answers.type)
    except TypeMismatch as error:
        raise InputError(f"the sketch cannot be used: {error}") from None


class Sketch(Finder):
    """Fills the holes of a sketch.

    Args:
        term: The sketch; without holes it is tried as it is.
    """

    name = "sketch"

    def __init__(self, term: Term) -> None:
        self.term = term

    def suits(self, problem: Problem) -> bool:
        """Always: whether the sketch fits the problem was seen before."""
        return True

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """Gives fillings that answer the examples."""
        if not holes_of(self.term):
            checked = Checker(problem).check(self.term)
            if checked is not None:
                yield Found(self.term, description_length(self.term, len(problem.inputs)), checked.wrong)
            return
        fill = getattr(import_module("meristem.search.enumeration"), "fill", random_fillings)
        notes = [dict[str, int]() for _ in range(_MOST_TYPINGS)]
        work = [
            fill(term, replace(problem, notes=own))
            for term, own in zip(typings(self.term, problem), notes, strict=False)
        ]
        while work:
            for each in list(work):  # in turns
                found = next(each, _END)
                problem.notes["programs"] = sum(own.get("programs", 0) for own in notes)
                if isinstance(found, Found):
                    yield found
                elif found is None:
                    yield None
                else:
                    work.remove(each)


def typings(term: Term, problem: Problem) -> list[Term]:
    """A sketch with each hole's type stated, once for every choice of what its surroundings leave open.

    The key of a sort may be a number, a text, or whether something holds: nothing says which.
    """
    root = expect(term, problem.types, problem.answers.type)
    types = [type_ for type_, _ in places_of(root, dict(problem.types))]
    open_ = list(dict.fromkeys(v for type_ in types for v in type_.walk() if v.is_variable))
    at_hand = [t for t in (INT, TEXT, BOOL, REAL) if t in (INT, BOOL) or _occurs(t, problem)]
    choices = [[t for t in at_hand if satisfies(t, v.kind)] or [INT] for v in open_]
    found = []
    for chosen in islice(product(*choices), _MOST_TYPINGS):
        known = {v.name: t for v, t in zip(open_, chosen, strict=True)}
        found.append(fill_holes(term, [Hole(substitute(type_, known)) for type_ in types]))
    return found


def _occurs(type_: Type, problem: Problem) -> bool:
    return any(t == type_ for each in (problem.answers.type, *problem.types.values()) for t in each.walk())


def random_fillings(term: Term, problem: Problem) -> Iterator[Found | None]:
    """Fill the holes of a term with random terms of their types, and give those programs that answer.

    What is tried when nothing better can: it knows nothing of what the holes should give. Small terms come most.
    """
    rng = Random(f"sketch {problem.seed}")
    checker = Checker(problem)
    root = expect(term, problem.types, problem.answers.type)
    places = places_of(root, dict(problem.types))
    allowed = int(problem.wrong * len(problem))
    tried: set[Term] = set()
    began, count = time.monotonic(), 0
    while True:
        for _ in range(_TRIES_A_TURN):
            try:
                parts = [_filling(rng, type_, around, rng.choice(_SIZES)) for type_, around in places]
            except MeristemError:
                return  # no term has the type of a hole
            filled = fill_holes(term, parts)
            count += 1
            if filled in tried:
                continue
            tried.add(filled)
            checked = checker.check(filled)
            if checked is not None and len(checked.wrong) <= allowed:
                yield Found(filled, description_length(filled, len(problem.inputs)), checked.wrong)
        problem.notes["programs"] = count
        if time.monotonic() - began > _TURN or count % (4 * _TRIES_A_TURN) == 0:
            began = time.monotonic()
            yield None


def _filling(rng: Random, type_: Type, around: dict[str, Type], size: int) -> Term:
    return random_term(rng, default_variables(type_), around, size)


def places_of(root: Typed, inputs: dict[str, Type]) -> list[tuple[Type, dict[str, Type]]]:
    """The type of each hole in the order of the text, and the names that are known there with their types."""
    found: list[tuple[Type, dict[str, Type]]] = []

    def visit(node: Typed, names: dict[str, Type]) -> None:
        if isinstance(node.term, Hole):
            found.append((node.type, names))
        elif isinstance(node.term, Lambda):
            visit(node.children[0], {**names, **{b.name: b.type for b in node.bindings}})
        elif isinstance(node.term, Let):
            for child in node.children[:1]:
                visit(child, names)
            named = {b.name: b.type for b in node.bindings if not b.type.is_function}
            visit(node.children[-1], {**names, **named})
        else:
            for child in node.children:
                visit(child, names)

    visit(root, inputs)
    return found


def fill_holes(term: Term, parts: list[Term]) -> Term:
    """The term with its holes filled, in the order of the text."""
    rest = iter(parts)

    def visit(node: Term) -> Term:
        if isinstance(node, Hole):
            return next(rest)
        children = node.children()
        return node.with_children(tuple(visit(child) for child in children)) if children else node

    return visit(term)


__all__ = ["Sketch", "check_sketch", "fill_holes", "holes_of", "places_of", "random_fillings"]
