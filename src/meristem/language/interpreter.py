"""The columnar interpreter: a program runs once over N rows.

`prepare` types a term and readies it once; `Prepared.run` runs it on columns as often as wanted. A row that fails
gets a reason code and is left out from then on; the others go on. Every primitive call costs its rows one unit of fuel
and one for every element of what it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError, Reason, TypeMismatch
from meristem.language.failing import Failing, Reasons, TooLarge, expand
from meristem.language.frames import Frame, Run, Value
from meristem.language.infer import Typed, default_variables, expect, infer
from meristem.language.kinds import ModuleKind
from meristem.language.plain import over_columns
from meristem.language.sizes import sizer
from meristem.language.terms import (
    Call,
    Field,
    Hole,
    If,
    Let,
    ListOf,
    Literal,
    Module,
    Record,
    Term,
    Variable,
)
from meristem.language.vocabulary import Primitive, Subroutine
from meristem.types import Type, format_type, unify
from meristem.values import (
    Column,
    Dense,
    Dists,
    Lists,
    Rows,
    Scalars,
    column_from,
    concatenate,
    filler,
    offsets_from,
)

Fit = Mapping[str, Mapping[str, NDArray[Any]]]
"""The arrays of a program's modules, by slot."""

DEFAULT_FUEL = 1_000_000


@dataclass(frozen=True)
class Result:
    """What a program gives for N rows.

    Args:
        column: N values; a filler of no meaning where the row failed.
        failures: Shape [N], a `Reason` a row; 0 where the row has its value.
    """

    column: Column
    failures: Reasons

    @property
    def failed(self) -> bool:
        """Whether any row failed."""
        return bool(self.failures.any())

    def to_list(self) -> list[Any]:
        """The values as Python values; an `EvaluationError` object where the row failed."""
        from meristem.errors import EvaluationError

        values: list[Any] = self.column.to_list()
        for i in np.flatnonzero(self.failures).tolist():
            values[i] = EvaluationError(Reason(int(self.failures[i])))
        return values


class Prepared:
    """A program that is typed and ready to run.

    Attributes:
        term: The term.
        type: The type of its result.
        root: The typed term.
    """

    def __init__(self, term: Term, inputs: Mapping[str, Type], root: Typed) -> None:
        self.term, self.inputs, self.root = term, dict(inputs), root
        self._ready: set[int] = set()
        ready(root)
        self.type = root.type
        if root.type.is_function:
            raise TypeMismatch(
                f"a program gives data, this one gives a function: {format_type(root.type, 6)}"
            )

    def run(
        self,
        inputs: Mapping[str, Column],
        fit: Fit | None = None,
        *,
        fuel: int = DEFAULT_FUEL,
        rows: int | None = None,
        memo: dict[Term, Column] | None = None,
    ) -> Result:
        """Run on columns of N rows.

        Args:
            inputs: A column for each input; more are allowed.
            fit: The arrays of the modules, by slot.
            fuel: What each row may spend.
            rows: N; needed only where there are no inputs.
            memo: Columns of parts that depend on the inputs only, known already: those are not run. Parts that are
                run without a failure are added.

        Raises:
            InputError: An input is missing, or not of its type.
        """
        count = self._check(inputs, rows)
        try:
            return self._run_once(inputs, fit or {}, fuel, count, memo)
        except TooLarge:
            if count == 1:
                return Result(filler(default_variables(self.type), 1), np.array([Reason.SIZE], np.int8))
        results = []
        for part in np.array_split(np.arange(count), 2):
            some = {name: column.take(part) for name, column in inputs.items() if name in self.inputs}
            known = None if memo is None else {term: column.take(part) for term, column in memo.items()}
            results.append(self.run(some, fit, fuel=fuel, rows=len(part), memo=known))
        column = concatenate([result.column for result in results])
        return Result(column, np.concatenate([result.failures for result in results]))

    def _check(self, inputs: Mapping[str, Column], rows: int | None) -> int:
        count = rows
        for name, type_ in self.inputs.items():
            column = inputs.get(name)
            if column is None:
                raise InputError(
                    f"expected the inputs {list(self.inputs)}, got {list(inputs)}: {name!r} is missing"
                )
            if column.type is not type_ and column.type != type_:
                try:
                    unify(type_, column.type, {})
                except TypeMismatch as error:
                    raise InputError(f"the input {name!r} does not have its type: {error}") from None
            if count is None:
                count = len(column)
            elif len(column) != count:
                raise InputError(f"all inputs must have {count} rows, {name!r} has {len(column)}")
        return 1 if count is None else count

    def _run_once(
        self, inputs: Mapping[str, Column], fit: Fit, fuel: int, count: int, memo: dict[Term, Column] | None
    ) -> Result:
        run = Run(count, fuel, fit, memo)
        frame = Frame(run, count)
        frame.inputs = inputs
        column = evaluate_node(self.root, frame)
        assert isinstance(column, Column)
        failures = run.finish()
        if run.failed:
            good = np.flatnonzero(failures == 0)
            column = expand(column.take(good), good, count) if len(good) else filler(self.type, count)
        return Result(column, failures)


def prepare(
    term: Term, inputs: Mapping[str, Type], *, target: Type | None = None, result: Type | None = None
) -> Prepared:
    """Type a term and ready it for running.

    Args:
        term: A term without holes.
        inputs: The types of the program's inputs.
        target: The type of the task's answer, for modules with an open result.
        result: The type that the whole program must have, if that is known.

    Raises:
        TypeMismatch: It is not well typed, or has a hole.
    """
    root = infer(term, inputs, target) if result is None else expect(term, inputs, result, target)
    return Prepared(term, inputs, root)


def evaluate(
    term: Term,
    inputs: Mapping[str, Column],
    fit: Fit | None = None,
    *,
    target: Type | None = None,
    fuel: int = DEFAULT_FUEL,
    rows: int | None = None,
    memo: dict[Term, Column] | None = None,
) -> Result:
    """Type a term and run it on columns of N rows: `prepare` and `Prepared.run`."""
    types = {name: column.type for name, column in inputs.items()}
    return prepare(term, types, target=target).run(inputs, fit, fuel=fuel, rows=rows, memo=memo)


# ---------------------------------------------------------------------------------------------- making ready


def ready(root: Typed) -> None:
    """Close open types and look up what each node needs at run time."""
    for node in root.walk():
        node.type = default_variables(node.type)
        for binding in node.bindings:
            binding.type = default_variables(binding.type)
        if isinstance(node.term, Hole):
            raise TypeMismatch("a program with a hole cannot run; fill it first")
        node.run = _RUN[type(node.term)]
        node.size = sizer(node.type)


# ---------------------------------------------------------------------------------------------- running


def evaluate_node(node: Typed, frame: Frame) -> Value:
    """The value of a node in a frame: a column with a row for each of the frame's (of no meaning where it failed)."""
    if node.uses or not node.children:
        return node.run(node, frame)
    run = frame.run
    known = run.known(node)
    if known is not None:
        return known if frame.roots is None else known.take(frame.roots)
    value = node.run(node, frame)
    if frame.roots is None and isinstance(value, Column):
        run.remember(node, value)
    return value


def column_of(node: Typed, frame: Frame) -> Column:
    """The value of a node that is no function."""
    value = evaluate_node(node, frame)
    assert isinstance(value, Column)
    return value


def _variable(node: Typed, frame: Frame) -> Value:
    return frame.look_up(node.bindings[0])


def _literal(node: Typed, frame: Frame) -> Value:
    assert isinstance(node.term, Literal)
    single = node.cache
    if single is None:
        single = node.cache = column_from([node.term.value], node.type)
    return single if frame.count == 1 else single.take(np.zeros(frame.count, np.int64))


def _call(node: Typed, frame: Frame) -> Value:
    entry = node.entry
    if isinstance(entry, Subroutine):
        raise TypeMismatch(f"the subroutine {entry.name} is not expanded")
    assert isinstance(entry, Primitive)
    columns = [column_of(child, frame) for child in node.children]
    alive = frame.alive()
    count = frame.count
    if alive is not None:
        count = len(alive)
        if count == 0:
            return filler(node.type, frame.count)
        columns = [column.take(alive) for column in columns]
    reasons: Reasons | None = None
    rule = entry.columnar_rule
    if rule is not None:
        result = rule(*columns) if entry.rule is None else rule(node.type, *columns)
        if isinstance(result, Failing):
            result, reasons = result.column, result.reasons
    elif entry.rule is None:
        result, reasons = over_columns(entry.function, columns, count, node.type)
    else:
        params, function = node.type.params, entry.function
        result, reasons = over_columns(lambda *args: function(params, *args), columns, count, node.type)
    if result.type.name == "real":
        reasons = _finite(result.data, reasons)
    frame.charge(1 if node.size is None else 1 + node.size(result), alive)
    if reasons is not None and reasons.any():
        frame.fail(reasons, alive)
    return result if alive is None else expand(result, alive, frame.count)


def _finite(data: NDArray[Any], reasons: Reasons | None) -> Reasons | None:
    """Reasons extended by the rows [N] of `data` [N, ...] that are not finite."""
    good = np.isfinite(data)
    if good.all():
        return reasons
    bad = ~good.reshape(len(data), -1).all(axis=1)
    if reasons is None:
        reasons = np.zeros(len(data), np.int8)
    return np.where((reasons == 0) & bad, np.int8(Reason.NON_FINITE), reasons)


def _module(node: Typed, frame: Frame) -> Value:
    term = node.term
    assert isinstance(term, Module) and isinstance(node.entry, ModuleKind)
    columns = [column_of(child, frame) for child in node.children]
    arrays = frame.run.fit.get(term.slot)
    if arrays is None:
        raise InputError(f"the part {term.slot} has no fit: fit the program before running it")
    alive = frame.alive()
    if alive is not None:
        if len(alive) == 0:
            return filler(node.type, frame.count)
        columns = [column.take(alive) for column in columns]
    result = node.entry.forward(arrays, columns, node.settings, node.type)
    data = result.data if isinstance(result, Dense) or result.type.name == "real" else None  # type: ignore[attr-defined]
    if isinstance(result, Dists):
        data = result.probabilities
    if data is not None:
        reasons = _finite(data, None)
        if reasons is not None:
            frame.fail(reasons, alive)
    return result if alive is None else expand(result, alive, frame.count)


def _let(node: Typed, frame: Frame) -> Value:
    for binding, child in zip(node.bindings, node.children, strict=False):
        frame.values[binding] = evaluate_node(child, frame)
    return evaluate_node(node.children[-1], frame)


def _if(node: Typed, frame: Frame) -> Value:
    condition, *branches = node.children
    test = column_of(condition, frame)
    assert isinstance(test, Scalars)
    alive = frame.alive()
    rows = np.arange(frame.count) if alive is None else alive
    taken = test.data[rows]
    parts: list[Column] = []
    places: list[NDArray[np.int64]] = []
    for branch, index in zip(branches, (rows[taken], rows[~taken]), strict=True):
        if len(index) == 0:
            continue
        if len(index) == frame.count:
            return evaluate_node(branch, frame)
        parts.append(column_of(branch, frame.part(index)))
        places.append(index)
    if not parts:
        return filler(node.type, frame.count)
    if len(parts) == 1:
        return expand(parts[0], places[0], frame.count)
    order = np.concatenate(places)
    both = concatenate(parts)
    return (
        expand(both, order, frame.count)
        if len(order) < frame.count
        else both.take(np.argsort(order, kind="stable"))
    )


def _field(node: Typed, frame: Frame) -> Value:
    record = column_of(node.children[0], frame)
    assert isinstance(record, Rows) and isinstance(node.term, Field)
    return record.fields[node.term.name]


def _record(node: Typed, frame: Frame) -> Value:
    assert isinstance(node.term, Record)
    return Rows(
        {n: column_of(c, frame) for n, c in zip(node.term.names, node.children, strict=True)}, frame.count
    )


def _list(node: Typed, frame: Frame) -> Value:
    columns = [column_of(child, frame) for child in node.children]
    k, n = len(columns), frame.count
    if k == 0:
        return Lists(np.zeros(n + 1, np.int64), filler(node.type.item, 0))
    offsets = offsets_from(np.full(n, k, np.int64))
    if k == 1:
        made = Lists(offsets, columns[0])
    else:
        index = np.arange(n * k).reshape(k, n).T.ravel()
        made = Lists(offsets, concatenate(columns).take(index))
    if node.size is not None:
        cost = node.size(made)
        frame.charge(
            cost if frame.alive() is None or isinstance(cost, int) else cost[frame.alive()], frame.alive()
        )
    return made


_RUN: dict[type[Term], Callable[[Typed, Frame], Value]] = {
    Variable: _variable,
    Literal: _literal,
    Call: _call,
    If: _if,
    Let: _let,
    Field: _field,
    Record: _record,
    ListOf: _list,
    Module: _module,
}

__all__ = ["DEFAULT_FUEL", "Fit", "Prepared", "Result", "evaluate", "prepare"]
