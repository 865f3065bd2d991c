"""Running entries under fuel: what they give for inputs, how they behave, and whether what they claim is so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meristem.errors import MeristemError, Reason, ResourceError
from meristem.language.interpreter import Fit, Prepared, prepare
from meristem.language.reference import run_row
from meristem.language.terms import Lambda, Let, Term, Variable, rewrite
from meristem.library._files import digest_of
from meristem.library.card import canonical
from meristem.library.probes import can_probe, probes_of
from meristem.library.signature import Counts, count_properties
from meristem.model.value_text import json_value
from meristem.types import Type
from meristem.values import column_from, hashable

FUEL = 20_000
"""What one row may spend: entries are asked many rows, and what takes longer is not found by what it does."""
_CLOSE = 1e-6


@dataclass(frozen=True)
class Answer:
    """What a program gives for one row: a value, or the reason why there is none."""

    value: Any
    reason: Reason

    @property
    def there(self) -> bool:
        """Whether there is a value."""
        return self.reason == Reason.OK


@dataclass(frozen=True)
class Runner:
    """A program ready to run row by row.

    Args:
        program: It.
        names: Its inputs, in order.
        fit: Arrays by slot.
    """

    program: Prepared
    names: tuple[str, ...]
    fit: Fit | None = None

    def answer(self, inputs: Sequence[Any], fuel: int = FUEL) -> Answer:
        """What it gives for one row of inputs."""
        row: Mapping[str, Any] = dict(zip(self.names, inputs, strict=True))
        value, reason = run_row(self.program, row, self.fit, fuel=fuel)
        return Answer(None if reason else value, Reason(reason))

    def answers(self, rows: Sequence[Sequence[Any]], types: Sequence[Type], fuel: int = FUEL) -> list[Answer]:
        """What it gives for many rows of inputs; as `answer` for each, in less time."""
        if not rows:
            return []
        columns = {
            name: column_from([row[k] for row in rows], type_)
            for k, (name, type_) in enumerate(zip(self.names, types, strict=True))
        }
        try:
            result = self.program.run(columns, self.fit, fuel=fuel, rows=len(rows))
        except ResourceError:  # too much for all rows at once; one of them may be to blame
            return [self.answer(row, fuel) for row in rows]
        values, reasons = result.column.to_list(), result.failures.tolist()
        return [Answer(None if r else v, Reason(r)) for v, r in zip(values, reasons, strict=True)]


def runner_of(
    term: Term, names: Sequence[str], types: Sequence[Type], result: Type, fit: Fit | None = None
) -> Runner | None:
    """A program made ready for inputs of these types; None where it is not well typed for them."""
    try:
        program = prepare(term, dict(zip(names, types, strict=True)), target=result, result=result)
    except MeristemError:
        return None
    return Runner(program, tuple(names), fit)


def equal(left: Any, right: Any, close: float = _CLOSE) -> bool:
    """Whether two Python values are equal; reals may differ by `close` times their size."""
    if isinstance(left, float) and isinstance(right, float):
        if math.isinf(left) or math.isinf(right):
            return left == right
        return abs(left - right) <= close * max(1.0, abs(left), abs(right))
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(equal(a, b, close) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(v, right[k], close) for k, v in left.items())
    return bool(hashable(left) == hashable(right))


def behaviour_of(
    runner: Runner | None, types: Sequence[Type], examples: Sequence[tuple[Sequence[Any], Any]] = ()
) -> tuple[Counts, Counts, str | None]:
    """How often each property holds of what a program does, how often it can be asked, and a hash of what it does.

    The hash is of its answers to the probes of its types; programs that answer these alike have the same. None where
    there are no probes, or it answers fewer than half of them.

    Args:
        runner: The program; None where it cannot be run.
        types: Of its inputs.
        examples: Inputs and answers that are known, beside those that it is asked.
    """
    seen: list[tuple[Sequence[Any], Any, bool]] = [(inputs, answer, True) for inputs, answer in examples]
    same: str | None = None
    if runner is not None and types and all(map(can_probe, types)):
        given: list[Any] = []
        failed = 0
        rows = probes_of(tuple(types))
        for inputs, answer in zip(rows, runner.answers(rows, types), strict=True):
            failed += not answer.there
            seen.append((inputs, answer.value, answer.there))
            given.append([int(answer.reason), json_value(answer.value) if answer.there else None])
        if 2 * failed < len(given):
            same = digest_of(canonical([[str(t) for t in types], given]))
    holds, asked = count_properties(seen)
    return holds, asked, same


def inlined(term: Term, name: str, parameters: Sequence[str], body: Term, version: int = 1) -> Term:
    """A term with the body of a function in place of each of its calls.

    Arguments that are more than a name are bound once, so nothing is computed more often than by the call.
    """
    from meristem.language.terms import Call, Literal

    taken = {n.name for n in term.walk() if isinstance(n, Variable)} | set(body.free_names)
    count = 0

    def change(node: Term) -> Term:
        nonlocal count
        if not isinstance(node, Call) or node.name != name or node.version != version:
            return node
        renamed: dict[str, Term] = {}
        bound: list[tuple[str, Term]] = []
        for parameter, argument in zip(parameters, node.args, strict=True):
            if isinstance(argument, Variable | Literal | Lambda):
                renamed[parameter] = argument
            else:
                count += 1
                fresh = f"v{count}"
                while fresh in taken:
                    count += 1
                    fresh = f"v{count}"
                taken.add(fresh)
                renamed[parameter] = Variable(fresh)
                bound.append((fresh, argument))
        result = substituted(body, renamed)
        for fresh, argument in reversed(bound):
            uses = sum(isinstance(n, Variable) and n.name == fresh for n in result.walk())
            if uses == 1 and _strict(result, fresh):
                result = substituted(result, {fresh: argument})
            else:
                result = Let(fresh, argument, result)
        return result

    return rewrite(term, change)


def _strict(term: Term, name: str) -> bool:
    """Whether the one use of a name is evaluated once whenever the term is: under no function and no branch."""
    from meristem.language.terms import If

    stack = [term]
    while stack:
        node = stack.pop()
        if isinstance(node, Variable):
            if node.name == name:
                return True
            continue
        children = node.children()
        if isinstance(node, Lambda | Let):
            continue
        stack.extend(children[:1] if isinstance(node, If) else children)
    return False


def substituted(term: Term, values: Mapping[str, Term]) -> Term:
    """A term with other terms in place of free names; bound names inside are renamed where they would catch some."""
    if not values or not term.free_names & values.keys():
        return term
    inside = frozenset().union(*(value.free_names for value in values.values()))
    if isinstance(term, Variable):
        return values.get(term.name, term)
    if isinstance(term, Lambda):
        parameters, body = list(term.parameters), term.body
        for k, parameter in enumerate(parameters):
            if parameter in inside:
                fresh = _fresh(parameter, inside | body.free_names | values.keys() | set(parameters))
                body = substituted(body, {parameter: Variable(fresh)})
                parameters[k] = fresh
        rest = {name: value for name, value in values.items() if name not in parameters}
        return Lambda(tuple(parameters), substituted(body, rest))
    if isinstance(term, Let):
        name, body = term.name, term.body
        if name in inside:
            fresh = _fresh(name, inside | body.free_names | values.keys())
            body, name = substituted(body, {name: Variable(fresh)}), fresh
        rest = {other: value for other, value in values.items() if other != name}
        return Let(name, substituted(term.value, values), substituted(body, rest))
    return term.with_children(tuple(substituted(child, values) for child in term.children()))


def _fresh(name: str, taken: frozenset[str] | set[str]) -> str:
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


__all__ = ["FUEL", "Answer", "Runner", "behaviour_of", "equal", "inlined", "runner_of", "substituted"]
