"""What holds learned subroutines to the programs they come from: types, answers, and examples of their use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import MeristemError
from meristem.language.contract import same_value
from meristem.language.interpreter import Fit, evaluate, prepare
from meristem.language.terms import Call, Lambda, Literal, Module, Term
from meristem.language.text import format_term
from meristem.language.vocabulary import VOCABULARY, Subroutine
from meristem.library.probes import can_probe, probes_of
from meristem.types import Type
from meristem.values import Column, column_from

FUEL = 100_000
_ROWS = 12
_EXAMPLES = 3
_LONGEST = 200  # characters of an example's arguments


@dataclass(frozen=True)
class Solved:
    """A program that solved a task.

    Args:
        task: The name of the task. Several programs may have the same one.
        term: The program.
        inputs: The types of its inputs.
        fit: The arrays of its modules, by slot.
        target: The type of the task's answer, where modules leave theirs open.
        rows: Inputs to compare answers on, a column [N] each; made up from the types where left out.
        weight: How much it counts; several programs of one task may share a 1.
    """

    task: str
    term: Term
    inputs: Mapping[str, Type]
    fit: Fit = field(default_factory=dict)
    target: Type | None = None
    rows: Mapping[str, Column] | None = None
    weight: float = 1.0


@contextmanager
def known(entries: Collection[Subroutine]) -> Iterator[None]:
    """The vocabulary with more subroutines in it, which are gone at the end."""
    added: list[Subroutine] = []
    try:
        for entry in entries:
            VOCABULARY.add(entry)
            added.append(entry)
        yield
    finally:
        for each in added:
            VOCABULARY.remove(each.name)


def rows_of(program: Solved) -> Mapping[str, Column] | None:
    """Inputs to ask a program; None where none can be made up."""
    if program.rows is not None:
        return program.rows
    types = tuple(program.inputs.values())
    if not types or not all(map(can_probe, types)):
        return None
    rows = probes_of(types, _ROWS)
    return {
        name: column_from([row[k] for row in rows], type_)
        for k, (name, type_) in enumerate(program.inputs.items())
    }


def answers_of(term: Term, program: Solved, fit: Fit) -> list[Any] | None:
    """What a term gives for the rows of a program, an error object where it fails; None where it cannot be run."""
    rows = rows_of(program)
    if rows is None:
        return None
    count = len(next(iter(rows.values()))) if rows else 1
    return list(evaluate(term, rows, fit=fit, target=program.target, rows=count, fuel=FUEL).to_list())


def result_type(term: Term, program: Solved) -> Type:
    """The type of what a term gives for the inputs of a program."""
    return prepare(term, program.inputs, target=program.target).type


def agrees(program: Solved, rewritten: Term, fit: Fit) -> tuple[bool, bool]:
    """Whether a rewritten program is of the same type and gives the same answers; and whether it could be asked."""
    try:
        if result_type(program.term, program) != result_type(rewritten, program):
            return False, False
        if not _has_fit(program.term, program.fit):
            return True, False
        before = answers_of(program.term, program, program.fit)
        after = answers_of(rewritten, program, fit)
    except MeristemError:
        return False, False
    if before is None or after is None:
        return True, False
    for old, new in zip(before, after, strict=True):
        if isinstance(old, Exception) or isinstance(new, Exception):
            if not (isinstance(old, Exception) and isinstance(new, Exception)):
                return False, True
        elif not same_value(old, new):
            return False, True
    return True, True


def _has_fit(term: Term, fit: Fit) -> bool:
    return all(node.slot in fit for node in term.walk() if isinstance(node, Module))


def uses_of(name: str, term: Term) -> list[Call]:
    """The calls of a subroutine in a term, each once."""
    return list(dict.fromkeys(n for n in term.walk() if isinstance(n, Call) and n.name == name))


def examples_of(
    entry: Subroutine, programs: Sequence[tuple[Solved, Term]]
) -> list[tuple[tuple[Any, ...], Any]]:
    """Calls of a subroutine with what they give, as the programs make them.

    Args:
        entry: The subroutine; it must be known.
        programs: Those that call it, and their rewritten terms.
    """
    found: list[tuple[tuple[Any, ...], Any]] = []
    for program, term in programs:
        for use in uses_of(entry.name, term):
            if len(found) >= _EXAMPLES:
                return found
            if use.free_names <= set(program.inputs) and not any(isinstance(n, Module) for n in use.walk()):
                found.extend(_example(use, program, found))
    return found


def _example(
    use: Call, program: Solved, before: Sequence[tuple[tuple[Any, ...], Any]]
) -> list[tuple[tuple[Any, ...], Any]]:
    """The first row of a program for which a call of it makes an example unlike those before."""
    rows = rows_of(program)
    if rows is None or any(isinstance(arg, Lambda) and arg.free_names for arg in use.args):
        return []
    count = len(next(iter(rows.values()))) if rows else 1
    try:
        columns = [
            [format_term(arg)] * count
            if isinstance(arg, Lambda)
            else evaluate(arg, rows, rows=count, fuel=FUEL).to_list()
            for arg in use.args
        ]
        results = evaluate(use, rows, rows=count, fuel=FUEL).to_list()
    except MeristemError:
        return []
    shown = {repr(args) for args, _ in before}
    for *args, result in zip(*columns, results, strict=True):
        if any(isinstance(value, Exception) for value in (*args, result)) or _says_nothing(args, result):
            continue
        if repr(tuple(args)) not in shown and len(repr((args, result))) <= _LONGEST:
            return [(tuple(args), result)]
    return []


def _says_nothing(args: Sequence[Any], result: Any) -> bool:
    return result in ([], "", None) or any(
        value in ([], "", None) for value in args if isinstance(value, list | str)
    )


def hints_of(entry: Subroutine, terms: Sequence[Term], most: int = 8) -> dict[int, tuple[Any, ...]]:
    """Of each parameter that is mostly given constants, which ones."""
    uses = [use for term in terms for use in uses_of(entry.name, term)]
    hints: dict[int, tuple[Any, ...]] = {}
    for position, type_ in enumerate(entry.type.parameters):
        if not type_.ground:  # a search that takes a constant for it would not know at which type
            continue
        values = [use.args[position] for use in uses]
        constants = [v.value for v in values if isinstance(v, Literal)]
        if constants and 2 * len(constants) > len(values):
            hints[position] = tuple(dict.fromkeys(constants))[:most]
    return hints


__all__ = [
    "FUEL",
    "Solved",
    "agrees",
    "examples_of",
    "hints_of",
    "known",
    "result_type",
    "rows_of",
    "uses_of",
]
