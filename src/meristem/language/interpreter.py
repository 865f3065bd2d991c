"""The columnar interpreter: a program runs once over N rows.

`prepare` types a term and readies it once; `Prepared.run` runs it on columns as often as wanted. A row that fails
gets a reason code and is left out from then on; the others go on.

Fuel: every call of a primitive costs a row one unit and one for each element of what it makes (see `sizes`), every
call of a function one. Deep inside, rows cost the root row they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import EvaluationError, InputError, Reason, ResourceError, TypeMismatch
from meristem.language.failures import Reasons, expand
from meristem.language.frames import Frame, Run, column_of
from meristem.language.infer import Typed, expect, infer
from meristem.language.limits import MAX_RESULT, TooLarge, bounded_by
from meristem.language.nodes import ready
from meristem.language.terms import Term
from meristem.types import Type, format_type, unify
from meristem.values import Column, concatenate, filler

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
            ResourceError: The result takes too much room.
        """
        return self._run(inputs, fit or {}, fuel, self._check(inputs, rows), memo)

    def _run(
        self, inputs: Mapping[str, Column], fit: Fit, fuel: int, count: int, memo: dict[Term, Column] | None
    ) -> Result:
        try:
            with bounded_by(fuel):
                return self._run_once(inputs, fit, fuel, count, memo)
        except TooLarge:
            if count <= 1:
                return self._none(count, Reason.SIZE)
        except RecursionError:  # functions that call functions that call ...: no row gets through
            return self._none(count, Reason.SIZE)
        results: list[Result] = []
        total = 0
        for part in np.array_split(np.arange(count), 2):
            some = {name: column.take(part) for name, column in inputs.items() if name in self.inputs}
            known = None if memo is None else {term: column.take(part) for term, column in memo.items()}
            results.append(self._run(some, fit, fuel, len(part), known))
            sizes = 0 if self.root.size is None else self.root.size(results[-1].column)
            total += sizes * len(part) if isinstance(sizes, int) else int(sizes.sum())
            if total > MAX_RESULT:
                raise ResourceError(
                    f"a result may have {MAX_RESULT:,} elements over all rows, this one has {total:,}"
                )
        column = concatenate([result.column for result in results])
        return Result(column, np.concatenate([result.failures for result in results]))

    def _none(self, count: int, reason: Reason) -> Result:
        return Result(filler(self.type, count), np.full(count, reason, np.int8))

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
        column = column_of(self.root, frame)
        run.check_fuel()
        failures = run.failures
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


__all__ = ["DEFAULT_FUEL", "Fit", "Prepared", "Result", "evaluate", "prepare"]
