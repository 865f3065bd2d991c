"""The plain Python meaning of a whole program, one row at a time.

Nothing here knows of columns: primitives are their plain functions, a function of the language is a Python callable.
Fuel is charged as the columnar interpreter charges it, so that a row has a value here if and only if it has one
there. It is what the tests hold the interpreter against, and what long loops over very few rows are run with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import EvaluationError, InputError, Reason
from meristem.language.infer import Binding, Typed
from meristem.language.interpreter import DEFAULT_FUEL, Fit, Prepared, prepare
from meristem.language.kinds import ModuleKind
from meristem.language.limits import MAX_ELEMENTS, bounded_by
from meristem.language.plain import call_plain
from meristem.language.sizes import plain_size
from meristem.language.terms import (
    Apply,
    Call,
    Field,
    If,
    Lambda,
    Let,
    ListOf,
    Literal,
    Module,
    Record,
    Term,
    Variable,
)
from meristem.language.vocabulary import Primitive
from meristem.types import Type
from meristem.values import Column, column_from


class Meter:
    """What one row may still spend, and what it knows already.

    Args:
        fuel: What it may spend.
        fit: The arrays of the modules, by slot.
        watch: Told of each part in place of running it; it calls `compute` itself.
    """

    __slots__ = ("_done", "fit", "fuel", "watch")

    def __init__(self, fuel: int, fit: Fit, watch: Watch | None = None) -> None:
        self.fuel, self.fit, self.watch = fuel, fit, watch
        self._done: dict[int, Any] = {}

    def charge(self, cost: int) -> None:
        """Spend; ends the row where nothing is left."""
        self.fuel -= cost
        if self.fuel < 0:
            raise EvaluationError(Reason.FUEL)

    def known(self, node: Typed) -> tuple[Any] | None:
        """The value of a part that depends on the inputs only, if it has been run outside of any branch."""
        return self._done.get(id(node))

    def remember(self, node: Typed, value: Any) -> None:
        """Keep such a value."""
        self._done[id(node)] = (value,)


Watch = Callable[[Typed, "Scope", Meter], Any]
"""What gives the value of a part in place of `compute`, to see what happens."""


class Scope:
    """What names stand for: those bound here, and those of the scope around.

    Args:
        around: The scope around; None for the program's own, whose values are the inputs.
        inputs: The inputs, by name.
    """

    __slots__ = ("around", "inputs", "values")

    def __init__(self, around: Scope | None, inputs: Mapping[str, Any] | None = None) -> None:
        self.around, self.inputs = around, inputs or {}
        self.values: dict[Binding, Any] = {}

    def look_up(self, binding: Binding) -> Any:
        """The value of a name."""
        scope = self
        while True:
            if binding in scope.values:
                return scope.values[binding]
            if scope.around is None:
                return scope.outermost(binding)
            scope = scope.around

    def outermost(self, binding: Binding) -> Any:
        """The value of a name that is bound in no scope around."""
        return self.inputs[binding.name]

    @property
    def is_root(self) -> bool:
        """Whether this is the scope of the whole program."""
        return self.around is None


class PlainFunction:
    """A function of the language as a Python callable."""

    __slots__ = ("meter", "node", "scope")

    def __init__(self, node: Typed, scope: Scope, meter: Meter) -> None:
        self.node, self.scope, self.meter = node, scope, meter

    def __call__(self, *args: Any) -> Any:
        """Run the body; costs one unit of fuel."""
        self.meter.charge(1)
        inner = Scope(self.scope)
        inner.values.update(zip(self.node.bindings, args, strict=True))
        return plain_value(self.node.children[0], inner, self.meter)


def plain_value(node: Typed, scope: Scope, meter: Meter) -> Any:
    """The value of a node in a scope.

    Raises:
        EvaluationError: It has none.
    """
    if meter.watch is not None:
        return meter.watch(node, scope, meter)
    return compute(node, scope, meter)


def compute(node: Typed, scope: Scope, meter: Meter) -> Any:
    """As `plain_value`, without telling who watches of this node; of those inside it is told."""
    if node.uses or not node.children:
        return _PLAIN[type(node.term)](node, scope, meter)
    known = meter.known(node)
    if known is not None:
        return known[0]
    value = _PLAIN[type(node.term)](node, scope, meter)
    if scope.is_root and not node.type.is_function:
        meter.remember(node, value)
    return value


def run_row(
    program: Prepared,
    inputs: Mapping[str, Any],
    fit: Fit | None = None,
    *,
    fuel: int = DEFAULT_FUEL,
    watch: Watch | None = None,
) -> tuple[Any, Reason]:
    """Run a program on one row of Python values: its value and OK, or None and why there is none."""
    try:
        with bounded_by(fuel):
            return plain_value(program.root, Scope(None, inputs), Meter(fuel, fit or {}, watch)), Reason.OK
    except EvaluationError as error:
        return None, error.reason
    except RecursionError:
        return None, Reason.SIZE


def evaluate_plainly(
    term: Term,
    inputs: Mapping[str, Column],
    fit: Fit | None = None,
    *,
    target: Type | None = None,
    fuel: int = DEFAULT_FUEL,
    rows: int | None = None,
) -> tuple[list[Any], NDArray[np.int8]]:
    """What `evaluate` does, without columns: the values (None where a row failed) and a reason a row, [N]."""
    program = prepare(term, {name: column.type for name, column in inputs.items()}, target=target)
    count = next((len(column) for column in inputs.values()), 1 if rows is None else rows)
    lists = {name: column.to_list() for name, column in inputs.items()}
    results = [
        run_row(program, {name: values[i] for name, values in lists.items()}, fit, fuel=fuel)
        for i in range(count)
    ]
    return [value for value, _ in results], np.array([reason for _, reason in results], np.int8)


# ---------------------------------------------------------------------------------------------- each kind of term


def _variable(node: Typed, scope: Scope, meter: Meter) -> Any:
    return scope.look_up(node.bindings[0])


def _literal(node: Typed, scope: Scope, meter: Meter) -> Any:
    assert isinstance(node.term, Literal)
    return float(node.term.value) if node.type.name == "real" else node.term.value


def _call(node: Typed, scope: Scope, meter: Meter) -> Any:
    args: list[Any] = [plain_value(child, scope, meter) for child in node.children]
    entry = node.entry
    if not isinstance(entry, Primitive):
        assert node.body is not None
        meter.charge(1)
        # Where the columnar interpreter stays in the frame of the caller, the names are bound in its scope.
        scope.values.update(zip(node.bindings, args, strict=True))
        return plain_value(node.body, scope, meter)
    if entry.rule is not None:
        args.insert(0, node.type.params)
    value, reason = call_plain(entry.function, args, node.type)
    if reason:
        raise EvaluationError(reason)
    meter.charge(1 + plain_size(value, node.type))
    return value


def _module(node: Typed, scope: Scope, meter: Meter) -> Any:
    args = [plain_value(child, scope, meter) for child in node.children]
    term, kind = node.term, node.entry
    assert isinstance(term, Module)
    assert isinstance(kind, ModuleKind)
    arrays = meter.fit.get(term.slot)
    if arrays is None:
        raise InputError(f"the part {term.slot} has no fit: fit the program before running it")
    columns = [column_from([arg], child.type) for arg, child in zip(args, node.children, strict=True)]
    value = kind.forward(arrays, columns, node.settings, node.type)[0]
    if isinstance(value, float | np.ndarray) and not np.isfinite(value).all():
        raise EvaluationError(Reason.NON_FINITE)
    return value


def _let(node: Typed, scope: Scope, meter: Meter) -> Any:
    for binding, child in zip(node.bindings, node.children, strict=False):
        scope.values[binding] = plain_value(child, scope, meter)
    return plain_value(node.children[-1], scope, meter)


def _if(node: Typed, scope: Scope, meter: Meter) -> Any:
    condition, then, otherwise = node.children
    taken = then if plain_value(condition, scope, meter) else otherwise
    return plain_value(taken, Scope(scope), meter)


def _lambda(node: Typed, scope: Scope, meter: Meter) -> Any:
    return PlainFunction(node, scope, meter)


def _apply(node: Typed, scope: Scope, meter: Meter) -> Any:
    function, *args = [plain_value(child, scope, meter) for child in node.children]
    return function(*args)


def _field(node: Typed, scope: Scope, meter: Meter) -> Any:
    assert isinstance(node.term, Field)
    return plain_value(node.children[0], scope, meter)[node.term.name]


def _record(node: Typed, scope: Scope, meter: Meter) -> Any:
    assert isinstance(node.term, Record)
    return {
        name: plain_value(child, scope, meter)
        for name, child in zip(node.term.names, node.children, strict=True)
    }


def _list(node: Typed, scope: Scope, meter: Meter) -> Any:
    value = [plain_value(child, scope, meter) for child in node.children]
    if len(value) > MAX_ELEMENTS:
        raise EvaluationError(Reason.SIZE)
    if value:
        meter.charge(plain_size(value, node.type))
    return value


_PLAIN: dict[type[Term], Callable[[Typed, Scope, Meter], Any]] = {
    Variable: _variable,
    Literal: _literal,
    Call: _call,
    If: _if,
    Let: _let,
    Lambda: _lambda,
    Apply: _apply,
    Field: _field,
    Record: _record,
    ListOf: _list,
    Module: _module,
}

__all__ = [
    "Meter",
    "PlainFunction",
    "Scope",
    "Watch",
    "compute",
    "evaluate_plainly",
    "plain_value",
    "run_row",
]
