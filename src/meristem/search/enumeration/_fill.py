"""Filling the holes of a sketch: all fillings in the order of their cost.

What may stand in a hole outside of functions is a program like any other: a bank has them all, and many are tried at
once, as one more input of the sketch. What stands inside of a function, or is a function, comes from a bank of bodies;
its rows are values that the parameters may well have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.language.infer import expect
from meristem.language.interpreter import Result, prepare
from meristem.language.terms import Lambda, Term, Variable
from meristem.language.typed import default_variables
from meristem.search.enumeration._bank import Bank
from meristem.search.enumeration._blocks import Block
from meristem.search.enumeration._bodies import fresh
from meristem.search.enumeration._constants import numbers_in, texts_in
from meristem.search.enumeration._functions import Context
from meristem.search.enumeration._grammar import material_of
from meristem.search.enumeration._pools import FAIL
from meristem.search.enumeration._search import Search
from meristem.search.enumeration._settings import Settings
from meristem.search.enumeration.finder import differing, spread_out
from meristem.search.programs.check import same
from meristem.search.programs.problem import Found, Problem
from meristem.search.programs.sketch import fill_holes, places_of
from meristem.types import BOOL, INT, Type
from meristem.values import Column, column_from, hashable

_ROWS = 8  # values of a parameter that bodies are told apart by, an example
_BATCH = 1 << 13  # rows of one run of a sketch
_MOST_COST = 40


@dataclass
class _Place:
    """A hole.

    Args:
        type: What it must give.
        parameters: Of the function that it is, if it is one.
        inner: The names around it that are not inputs, and its parameters, with their types.
        context: The bank of bodies; None where it is a program of the inputs.
    """

    type: Type
    parameters: tuple[str, ...]
    inner: dict[str, Type]
    context: Context | None = None


def fill(term: Term, problem: Problem) -> Iterator[Found | None]:
    """Programs that a sketch becomes when its holes are filled, as far as they answer the examples.

    Args:
        term: The sketch, well typed for the problem.
        problem: The examples.
    """
    rows = np.array(sorted(spread_out(problem.answers, min(len(problem), 12), problem.seed)))
    inputs = {name: column.take(rows) for name, column in problem.inputs.items()}
    part = replace(problem, inputs=inputs, answers=problem.answers.take(rows), notes={})
    root = expect(term, problem.types, problem.answers.type)
    places = [
        _place(default_variables(type_), names, problem.types)
        for type_, names in places_of(root, dict(problem.types))
    ]
    more = [t for place in places for t in (place.type, *place.inner.values())]
    search = Search(part, Settings(conditionals=False, inverses=False), material_of(part, more))
    assert search.bodies is not None
    for place in places:
        if place.inner:
            place.context = _context(search, place, part)
    steps = search.run()
    reached = 0
    tried = 0
    for cost in range(len(places), _MOST_COST):
        for costs in _sums(cost, len(places)):
            if max(costs) > reached:
                while reached < max(costs):
                    step = next(steps, search)
                    if step is search:
                        return
                    yield None
                    reached = search.closed
                for place in places:
                    if place.context is not None:
                        inner = [
                            op
                            for op in search.material.operations
                            if op.result.name != "list" or op.result == place.type
                        ]
                        for _ in search.bodies.advance(place.context, inner, max(costs)):
                            yield None
            for found, count in _tried(term, problem, part, search, places, costs):
                tried += count
                problem.notes["programs"] = tried
                yield found


def _place(type: Type, names: Mapping[str, Type], inputs: Mapping[str, Type]) -> _Place:
    inner = {name: t for name, t in names.items() if name not in inputs}
    parameters: tuple[str, ...] = ()
    if type.is_function:
        parameters = tuple(fresh(f"x{i + 1}" if i else "x", names) for i in range(len(type.parameters)))
        inner |= dict(zip(parameters, type.parameters, strict=True))
        type = type.result
    return _Place(type, parameters, inner)


def _context(search: Search, place: _Place, problem: Problem) -> Context:
    """The bank of bodies of a hole: its rows are examples with values that the parameters may have."""
    context = Context(search.pools, search.bank, list(place.inner.items()), 100_000, 400)
    rng = np.random.default_rng([problem.seed, 5])
    columns = []
    for type in place.inner.values():
        values = _values(type, problem)
        try:
            column = column_from(values, type) if values else None
        except MeristemError:
            column = None
        columns.append(None if column is None else search.pools[type].intern(column))
    if any(column is None for column in columns):
        return context  # nothing is known of what a parameter may be; the hole stays empty
    keys = []
    for example in range(len(problem)):
        for _ in range(_ROWS):
            keys.append((example, *(int(rng.choice(ids)) for ids in columns if ids is not None)))
    context.add_rows(keys)
    return context


def _values(type: Type, problem: Problem) -> list[object]:
    """Values of a type that stand in the examples, at any depth."""
    found: dict[object, object] = {}

    def visit(value: object, of: Type) -> None:
        if of == type:
            found.setdefault(hashable(value), value)
        if of.name == "list":
            for item in value:  # type: ignore[attr-defined]
                visit(item, of.item)
        elif of.name == "pair":
            for item, t in zip(value, of.args, strict=True):  # type: ignore[call-overload]
                visit(item, t)

    for column in (*problem.inputs.values(), problem.answers):
        for value in column.to_list():
            visit(value, column.type)
            if type == INT:
                found.update({n: n for n in numbers_in(value)})
            if type.name == "text":
                found.update({c: c for text in texts_in(value) for c in (text, *text.split(), *text)})
    if type == INT:
        found.update({n: n for n in range(-1, 4)})
    if type == BOOL:
        found.update({True: True, False: False})
    return list(found.values())[:60]


def _sums(total: int, count: int) -> Iterator[tuple[int, ...]]:
    if count == 1:
        yield (total,)
        return
    for first in range(1, total - count + 2):
        for rest in _sums(total - first, count - 1):
            yield (first, *rest)


def _tried(
    term: Term, problem: Problem, part: Problem, search: Search, places: list[_Place], costs: tuple[int, ...]
) -> Iterator[tuple[Found | None, int]]:
    """All fillings whose parts have these costs; with each word to the caller how many were tried."""
    banks = [place.context.bank if place.context else search.bank for place in places]
    blocks = [_block(bank, place.type, cost) for bank, place, cost in zip(banks, places, costs, strict=True)]
    if any(block is None for block in blocks):
        return
    inside = [k for k, place in enumerate(places) if place.inner]
    outside = [k for k, place in enumerate(places) if not place.inner]
    sizes = {k: len(block) for k, block in enumerate(blocks) if block is not None}
    count = len(part)
    for bodies in product(*(range(sizes[k]) for k in inside)):
        parts: list[Term] = [Variable(f"?{k}") for k in range(len(places))]
        for k, index in zip(inside, bodies, strict=True):
            block = blocks[k]
            assert block is not None
            body = block.term(index)
            parts[k] = Lambda(places[k].parameters, body) if places[k].parameters else body
        types = {**part.types, **{f"?{k}": places[k].type for k in outside}}
        try:
            ready = prepare(fill_holes(term, parts), types, result=part.answers.type)
        except MeristemError:
            continue
        combinations = int(np.prod([sizes[k] for k in outside], dtype=np.int64))
        step = max(1, _BATCH // count)
        for start in range(0, combinations, step):
            chosen = np.unravel_index(
                np.arange(start, min(start + step, combinations)), [sizes[k] for k in outside] or [1]
            )
            number = len(chosen[0])
            tiled: dict[str, Column] = {
                n: c.take(np.tile(np.arange(count), number)) for n, c in part.inputs.items()
            }
            alive = np.ones(number, np.bool_)
            for k, indices in zip(outside, chosen, strict=False):
                block = blocks[k]
                assert block is not None
                ids = block.ids[:, indices].T.ravel()
                alive &= (block.ids[:, indices] != FAIL).all(axis=0)
                safe = np.where(ids == FAIL, ids[ids != FAIL][:1] if (ids != FAIL).any() else 0, ids)
                if not (ids != FAIL).any():
                    alive[:] = False
                    break
                tiled[f"?{k}"] = search.pools[places[k].type].column(safe)
            if not alive.any():
                continue
            right = _right(ready.run(tiled, fuel=20_000, rows=count * number), part, number) & alive
            yield None, number
            for position in np.flatnonzero(right).tolist():
                full = list(parts)
                for k, indices in zip(outside, chosen, strict=False):
                    block = blocks[k]
                    assert block is not None
                    full[k] = block.term(int(indices[position]))
                program = fill_holes(term, full)
                wrong = differing(program, problem)
                if len(wrong) <= problem.wrong * len(problem):
                    yield Found(program, float(sum(costs)), tuple(wrong.tolist())), 0


def _right(result: Result, part: Problem, number: int) -> NDArray[np.bool_]:
    wanted = part.answers.to_list()
    count = len(wanted)
    failed = (result.failures != 0).reshape(number, count).any(axis=1)
    values = result.column.to_list()
    right = np.zeros(number, np.bool_)
    for k in np.flatnonzero(~failed).tolist():
        row = values[k * count : (k + 1) * count]
        right[k] = all(
            same(got, want, part.answers.type, part.close) for got, want in zip(row, wanted, strict=True)
        )
    return right


def _block(bank: Bank, type: Type, cost: int) -> Block | None:
    return bank.blocks.get(type, {}).get(cost)


__all__ = ["fill"]
