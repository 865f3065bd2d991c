"""The contract of primitives and subroutines: what a test runs for every entry, and anyone may run for their own.

>>> from meristem.language import VOCABULARY
>>> import meristem.primitives
>>> check_entry(VOCABULARY.find("sort"))
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

from meristem.errors import BrokenContract, EvaluationError, Reason, TypeMismatch
from meristem.language.generate import random_term, random_type, random_value
from meristem.language.infer import check_type, default_variables, expect
from meristem.language.interpreter import prepare
from meristem.language.plain import call_plain
from meristem.language.python_form import to_python
from meristem.language.reference import run_row
from meristem.language.terms import Call, Lambda, Term, Variable
from meristem.language.text import parse_term
from meristem.language.vocabulary import Entry, Primitive
from meristem.types import Substitution, Type, class_of, rename_apart, substitute, unify
from meristem.values import column_from, infer_type

_ROWS = 9
_FUEL = 5_000


def check_entry(entry: Entry, *, seed: int = 0, rounds: int = 6) -> None:
    """Hold an entry to its contract.

    Its name is plain, it has a line of documentation and a cost. Its examples hold by its plain function or body, in
    columns, and as Python. On random arguments of its type columns and plain Python agree, down to which rows fail;
    its Python form gives the same values; arguments are left as they were, and a second run gives the same. A
    primitive that fails on random arguments has an example of that. Entries whose type is a rule are checked for the
    declaration only.

    Args:
        entry: A primitive or a subroutine of the vocabulary.
        seed: Seed of the random arguments.
        rounds: How many columns of random arguments.

    Raises:
        BrokenContract: Says what does not hold.
    """
    _declaration(entry)
    if isinstance(entry, Primitive) and entry.rule is not None:
        return
    for args, expected in entry.examples:
        _example(entry, args, expected)
    rng = Random(f"{entry.name} {seed}")
    failed = False
    for _ in range(rounds):
        failed |= _random_columns(entry, rng)
    fails = any(_is_failure(expected) for _, expected in entry.examples)
    own = isinstance(entry, Primitive) and not entry.higher_order  # elsewhere it may be another's failure
    _hold(fails or not failed or not own, entry, "it can fail, and no example shows when")


def same_value(left: Any, right: Any) -> bool:
    """Whether two Python values are the same value of the same type, through and through."""
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return bool(np.array_equal(left, right))
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same_value, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same_value(left[key], right[key]) for key in left)
    return bool(left == right)


def _hold(condition: bool, entry: Entry, message: str) -> None:
    if not condition:
        raise BrokenContract(f"{entry.name}: {message}")


def _is_failure(expected: Any) -> bool:
    return expected is EvaluationError or isinstance(expected, Reason)


def _declaration(entry: Entry) -> None:
    _hold(re.fullmatch(r"[a-z][a-z0-9_]*", entry.name) is not None, entry, "expected a name in small letters")
    _hold(bool(entry.doc), entry, "expected a docstring whose first line says what it gives")
    _hold(entry.cost >= 1, entry, f"expected a cost of at least 1, got {entry.cost}")
    if isinstance(entry, Primitive) and entry.rule is not None:
        return
    _hold(bool(entry.examples), entry, "expected examples")
    for args, _ in entry.examples:
        wanted = len(entry.type.parameters)
        _hold(len(args) == wanted, entry, f"expected {wanted} argument(s) in each example, got {args!r}")


# ---------------------------------------------------------------------------------------------- examples


def _example(entry: Entry, args: tuple[Any, ...], expected: Any) -> None:
    scheme = _fit(entry, args, expected)
    before = copy.deepcopy(args)
    ways = _as_program(entry, scheme, args)
    if isinstance(entry, Primitive) and not entry.higher_order:
        ways["by its function"] = call_plain(entry.function, args, default_variables(scheme.result))
    _hold(same_value(list(args), list(before)), entry, f"changes its arguments {before!r}")
    for way, (found, reason) in ways.items():
        shown = f"{entry.name}{args!r}, {way}"
        if _is_failure(expected):
            right = reason == expected if isinstance(expected, Reason) else bool(reason)
            _hold(right, entry, f"expected {expected} of {shown}, got {found!r} {reason!r}")
        else:
            good = not reason and same_value(found, expected)
            _hold(good, entry, f"expected {expected!r} of {shown}, got {found!r} {reason!r}")


def _fit(entry: Entry, args: tuple[Any, ...], expected: Any) -> Type:
    """The type of an entry at the types of these arguments."""
    solution: Substitution = {}
    pairs = [*zip(entry.type.parameters, args, strict=True)]
    if not _is_failure(expected):
        pairs.append((entry.type.result, expected))
    try:
        for type_, value in pairs:
            _fit_value(type_, value, solution)
    except TypeMismatch as error:
        raise BrokenContract(f"{entry.name}: the example {args!r} is not of its type: {error}") from None
    return substitute(entry.type, solution)


def _fit_value(type_: Type, value: Any, solution: Substitution) -> None:
    type_ = substitute(type_, solution)
    if value is None or type_.ground or type_.is_function:
        return
    if type_.name == "option":
        _fit_value(type_.item, value, solution)
    elif type_.name == "list" and isinstance(value, list):
        for item in value:
            _fit_value(type_.item, item, solution)
    elif type_.name == "pair" and isinstance(value, tuple):
        for inner, item in zip(type_.args, value, strict=True):
            _fit_value(inner, item, solution)
    elif type_.name == "map" and isinstance(value, dict):
        for key, item in value.items():
            _fit_value(type_.args[0], key, solution)
            _fit_value(type_.args[1], item, solution)
    elif type_.name == "dist" and isinstance(value, dict):
        unify(type_.item, class_of(*value), solution)
    else:
        unify(type_, rename_apart(infer_type([value]), f"~{len(solution)}"), solution)


def _as_program(entry: Entry, scheme: Type, args: tuple[Any, ...]) -> dict[str, tuple[Any, Reason]]:
    """Row by row in plain Python, in columns, and by the text of its Python form."""
    parts: list[Term] = []
    types: dict[str, Type] = {}
    row: dict[str, Any] = {}
    for i, (type_, arg) in enumerate(zip(scheme.parameters, args, strict=True)):
        if type_.is_function:
            parts.append(parse_term(arg))
        else:
            name = f"argument{i}"
            types[name], row[name] = type_, arg
            parts.append(Variable(name))
    term = Call(entry.name, tuple(parts), entry.version)
    typed = expect(term, types, scheme.result)
    for node in typed.walk():  # what the functions say about the types of empty lists
        if isinstance(node.term, Variable) and node.term.name in types:
            types[node.term.name] = default_variables(node.type)
    program = prepare(term, types, result=typed.type)
    columns = {n: column_from([a, a], types[n]) for n, a in row.items()}
    result = program.run(columns, rows=2)
    reason = Reason(int(result.failures[1]))
    ways = {
        "row by row": run_row(program, row),
        "in columns": (None if reason else result.column[1], reason),
    }
    if not reason:
        ways["as Python"] = _run_python(term, types, program.type, list(row.values()))
    return ways


def _run_python(
    term: Term, types: Mapping[str, Type], result: Type, args: Sequence[Any]
) -> tuple[Any, Reason]:
    text = to_python(term, inputs=types, result=result, standalone=True)
    names: dict[str, Any] = {}
    exec(compile(text, "<python form>", "exec"), names)  # our own text of our own vocabulary, in a check
    try:
        return names["program"](*args), Reason.OK
    except ArithmeticError:
        return None, Reason.FAULT


# ---------------------------------------------------------------------------------------------- random arguments


def _random_columns(entry: Entry, rng: Random) -> bool:
    """One column of random arguments; gives whether a row failed."""
    scheme = _random_instance(entry, rng)
    args: list[Term] = []
    types: dict[str, Type] = {}
    for i, type_ in enumerate(scheme.parameters):
        if type_.is_function:
            args.append(_random_function(rng, type_))
        else:
            types[f"argument{i}"] = type_
            args.append(Variable(f"argument{i}"))
    term = Call(entry.name, tuple(args), entry.version)
    program = prepare(term, types, result=scheme.result)
    rows = [{n: _random_argument(rng, entry, n, t) for n, t in types.items()} for _ in range(_ROWS)]
    columns = {n: column_from([row[n] for row in rows], t) for n, t in types.items()}
    result = program.run(columns, fuel=_FUEL, rows=_ROWS)
    again = program.run(columns, fuel=_FUEL, rows=_ROWS)
    found = result.column.to_list()
    _hold(same_value(found, again.column.to_list()), entry, "a second run gives something else")
    for i, row in enumerate(rows):
        before = copy.deepcopy(row)
        expected, reason = run_row(program, row, fuel=_FUEL)
        _hold(same_value(row, before), entry, f"changes its arguments {before!r}")
        shown = f"{term} of {row!r}"
        agree = bool(reason) == bool(result.failures[i])
        why = f"plainly {expected!r} {reason!r}, in columns {found[i]!r} {Reason(int(result.failures[i]))!r}"
        _hold(agree, entry, f"only one way fails on {shown}: {why}")
        _hold(bool(reason) or same_value(expected, found[i]), entry, f"two answers for {shown}: {why}")
        if not reason and i < 3:
            text, _ = _run_python(term, types, scheme.result, list(row.values()))
            _hold(same_value(text, expected), entry, f"two answers for {shown}: {why}, as Python {text!r}")
    return bool((result.failures != 0).any())


def _random_instance(entry: Entry, rng: Random) -> Type:
    while True:
        solution: Substitution = {}
        for inner in entry.type.walk():
            if inner.is_variable and inner.name not in solution:
                solution[inner.name] = random_type(rng, 2, inner.kind)
            if inner.name == "dist" and inner.item.is_variable:
                solution[inner.item.name] = class_of("red", "the blue")
        scheme = substitute(entry.type, solution)
        try:
            for inner in (*scheme.parameters, scheme.result):
                check_type(inner)
        except TypeMismatch:  # an option of an option, say
            continue
        return scheme


def _random_argument(rng: Random, entry: Entry, name: str, type_: Type) -> Any:
    """A random value; mostly one of those that the entry says are worth trying."""
    hints = entry.hints.get(int(name.removeprefix("argument")))
    return rng.choice(hints) if hints and rng.random() < 0.8 else random_value(rng, type_)


def _random_function(rng: Random, type_: Type) -> Term:
    names = [f"x{i}" for i in range(len(type_.parameters))]
    body = random_term(rng, type_.result, dict(zip(names, type_.parameters, strict=True)), 6)
    return Lambda(tuple(names), body)


__all__ = ["BrokenContract", "check_entry", "same_value"]
