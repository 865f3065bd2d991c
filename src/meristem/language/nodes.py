"""How each kind of term runs over the rows of a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import BrokenContract, EvaluationError, InputError, Reason, ResourceError, TypeMismatch
from meristem.language.closures import Closure, Outside
from meristem.language.failures import Failing, Reasons, expand
from meristem.language.frames import Frame, Value, column_of, value_of
from meristem.language.infer import MAX_DEPTH, Binding, Typed, default_variables, ensure_stack
from meristem.language.kinds import ModuleKind, expected_column, found_column, run_kind
from meristem.language.limits import MAX_ELEMENTS, MAX_IN_FLIGHT, make_room, note_payer
from meristem.language.plain import call_plain, over_columns, strict
from meristem.language.sizes import sizer
from meristem.language.subroutines import expand_call
from meristem.language.terms import (
    Apply,
    Call,
    Field,
    Hole,
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
from meristem.language.vocabulary import Primitive, Subroutine
from meristem.types import Type
from meristem.values import (
    Column,
    Dense,
    Dists,
    Lists,
    Maps,
    Rows,
    Scalars,
    Texts,
    column_from,
    concatenate,
    filler,
    offsets_from,
)

# ---------------------------------------------------------------------------------------------- making ready


def ready(root: Typed, inside: tuple[str, ...] = ()) -> int:
    """Close open types, expand subroutines, and look up what each node needs at run time.

    Args:
        root: A typed term.
        inside: The names of the subroutines whose bodies this one stands in.

    Returns:
        How deep it is with the bodies of its subroutines.

    Raises:
        TypeMismatch: It has a hole, a subroutine refers to itself, or it is too deep.
    """
    depths: dict[int, int] = {}
    for node in root.walk():
        node.type = default_variables(node.type)
        for binding in node.bindings:
            binding.type = default_variables(binding.type)
        depth = max((depths[id(child)] for child in node.children), default=0)
        if isinstance(node.term, Hole):
            raise TypeMismatch("a program with a hole cannot run; fill it first")
        node.modules = isinstance(node.term, Module) or any(child.modules for child in node.children)
        if isinstance(node.entry, Subroutine):
            depth = max(depth, expand_call(node, inside, ready))
        elif isinstance(node.term, Lambda):
            node.cache = _outside(node)
        if node.body is not None:
            node.modules = node.modules or node.body.modules
        depths[id(node)] = depth + 1
        node.run = _RUN[type(node.term)] if not isinstance(node.entry, Subroutine) else _subroutine
        node.size = sizer(node.type)
    if depths[id(root)] > MAX_DEPTH:
        raise TypeMismatch(f"a term may be {MAX_DEPTH:,} nodes deep with the bodies of its subroutines")
    ensure_stack(depths[id(root)])
    return depths[id(root)]


def _outside(node: Typed) -> Outside:
    """What the body of a function uses from outside of it."""
    inputs: dict[Binding, None] = {}
    constant: list[Typed] = []
    for inner in node.children[0].walk():
        if isinstance(inner.term, Variable) and not inner.bindings[0].local:
            inputs[inner.bindings[0]] = None
        elif not inner.uses and inner.children and not inner.type.is_function:
            constant.append(inner)
    return Outside(tuple(inputs), tuple(constant), node.modules)


# ---------------------------------------------------------------------------------------------- running


def _variable(node: Typed, frame: Frame) -> Value:
    return frame.look_up(node.bindings[0])


def _literal(node: Typed, frame: Frame) -> Value:
    single: Column | None = node.cache
    if single is None:
        assert isinstance(node.term, Literal)
        single = node.cache = column_from([node.term.value], node.type)
    return single if frame.count == 1 else single.take(np.zeros(frame.count, np.int64))


def _call(node: Typed, frame: Frame) -> Value:
    entry = node.entry
    assert isinstance(entry, Primitive)
    args = [value_of(child, frame) for child in node.children]
    alive = frame.alive()
    inner = frame
    if alive is not None:
        if len(alive) == 0:
            return filler(node.type, frame.count)
        args = [arg.take(alive) if isinstance(arg, Column) else arg for arg in args]
        if entry.higher_order:
            inner = frame.part(alive)
    elif frame.count == 0 and entry.rule is None:
        return filler(node.type, 0)
    result: Any
    reasons: Reasons | None = None
    rule: Callable[..., Any] | None = entry.columnar_rule
    if rule is None and entry.higher_order:
        result = _row_by_row(entry, inner, args, node)
    elif rule is None:
        function = entry.function if entry.rule is None else _with_params(entry, node)
        columns = [arg for arg in args if isinstance(arg, Column)]
        count = frame.count if alive is None else len(alive)
        room = None if node.size is None else min(inner.room(), MAX_IN_FLIGHT)
        result, reasons = over_columns(function, columns, count, node.type, room)
    else:
        if entry.rule is not None:
            result = rule(node.type, *args)
        elif entry.higher_order:
            result = rule(inner, *args)
        else:
            if node.size is not None:
                note_payer(lambda elements: frame.beyond(elements, alive))
            result = _guarded(rule, args, node, frame.count if alive is None else len(alive))
        if isinstance(result, Failing):
            result, reasons = result.column, result.reasons
        _check_rule(entry, result, reasons, node.type, frame.count if alive is None else len(alive))
    if result.type.name == "real":
        reasons = _finite(result.data, reasons)
    if node.size is None:
        frame.charge(1, alive)
    else:
        sizes = node.size(result)
        if not isinstance(sizes, int) and len(sizes) and int(sizes.max()) > MAX_ELEMENTS:
            reasons = _oversized(result, reasons)
        frame.charge(1 + sizes, alive)
    if reasons is not None and reasons.any():
        frame.fail(reasons, alive)
    return result if alive is None else expand(result, alive, frame.count)


def _check_rule(entry: Primitive, result: Any, reasons: Reasons | None, type_: Type, rows: int) -> None:
    """Hold what a columnar rule gave to what it should give.

    Raises:
        BrokenContract: It is no column of the primitive's result type with a value for each row.
    """
    right = isinstance(result, Column) and result.type.name == type_.name and len(result) == rows
    if right and (reasons is None or len(reasons) == rows):
        return
    got = found_column(result) if not right or reasons is None else f"{len(reasons):,} reasons"
    raise BrokenContract(
        f"the columnar rule of the primitive {entry.name} ({entry.place}): expected "
        f"{expected_column(type_, rows)}, got {got}; a rule takes columns of N rows and gives one of N rows, and "
        "says rows without a value by failing(column, reason, rows)"
    )


def _guarded(rule: Callable[..., Any], args: list[Value], node: Typed, count: int) -> Any:
    """Run a columnar rule; what it does not declare is a fault of all its rows."""
    try:
        return rule(*args)
    except (ResourceError, RecursionError, MemoryError):
        raise
    except Exception:
        if strict():
            raise
        return Failing(filler(node.type, count), np.full(count, Reason.FAULT, np.int8))


def _row_by_row(entry: Primitive, frame: Frame, args: list[Value], node: Typed) -> Column:
    """A primitive that takes functions and has no columnar rule."""
    from meristem.language.narrow import row_by_row

    functions = tuple(arg for arg in args if isinstance(arg, Closure))
    lists = [arg.to_list() if isinstance(arg, Column) else None for arg in args]

    def finish(row: int, *plain: Any) -> Any:
        waiting = iter(plain)
        given = [next(waiting) if values is None else values[row] for values in lists]
        value, reason = call_plain(entry.function, given, node.type)
        if reason:
            raise EvaluationError(reason)
        return value

    return row_by_row(frame, np.arange(frame.count), node.type, finish, functions)


def _with_params(entry: Primitive, node: Typed) -> Callable[..., Any]:
    params, function = node.type.params, entry.function
    return lambda *args: function(params, *args)


def _finite(data: NDArray[Any], reasons: Reasons | None) -> Reasons | None:
    """Reasons extended by the rows [N] of `data` [N, ...] that are not finite."""
    good = np.isfinite(data)
    if good.all():
        return reasons
    bad = ~good.reshape(len(data), -1).all(axis=1)
    if reasons is None:
        reasons = np.zeros(len(data), np.int8)
    return np.where((reasons == 0) & bad, np.int8(Reason.NON_FINITE), reasons)


def _oversized(column: Column, reasons: Reasons | None) -> Reasons | None:
    """Reasons extended by the rows whose list, map or text is too long."""
    if isinstance(column, Lists):
        lengths = column.lengths
    elif isinstance(column, Maps):
        lengths = np.diff(column.offsets)
    elif isinstance(column, Texts):
        lengths = np.fromiter(map(len, column.to_list()), np.int64, len(column))
    else:
        return reasons
    known = np.zeros(len(column), np.int8) if reasons is None else reasons
    return np.where((known == 0) & (lengths > MAX_ELEMENTS), np.int8(Reason.SIZE), known)


def _subroutine(node: Typed, frame: Frame) -> Value:
    assert node.body is not None
    args = [value_of(child, frame) for child in node.children]  # all first: they may call it too
    frame.charge(1, frame.alive())
    frame.values.update(zip(node.bindings, args, strict=True))
    return value_of(node.body, frame)


def _module(node: Typed, frame: Frame) -> Value:
    term, kind = node.term, node.entry
    assert isinstance(term, Module)
    assert isinstance(kind, ModuleKind)
    columns = [column_of(child, frame) for child in node.children]
    arrays = frame.run.fit.get(term.slot)
    if arrays is None:
        raise InputError(f"the part {term.slot} has no fit: fit the program before running it")
    alive = frame.alive()
    if alive is not None:
        if len(alive) == 0:
            return filler(node.type, frame.count)
        columns = [column.take(alive) for column in columns]
    count = frame.count if alive is None else len(alive)
    result = run_kind(kind, arrays, columns, node.settings, node.type, count)
    data: NDArray[Any] | None = None
    if isinstance(result, Dense) or (isinstance(result, Scalars) and result.type.name == "real"):
        data = result.data
    elif isinstance(result, Dists):
        data = result.probabilities
    if data is not None:
        reasons = _finite(data, None)
        if reasons is not None:
            frame.fail(reasons, alive)
    return result if alive is None else expand(result, alive, frame.count)


def _let(node: Typed, frame: Frame) -> Value:
    for binding, child in zip(node.bindings, node.children, strict=False):
        frame.values[binding] = value_of(child, frame)
    return value_of(node.children[-1], frame)


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
        if len(index):
            parts.append(column_of(branch, frame.part(index)))
            places.append(index)
    if not parts:
        return filler(node.type, frame.count)
    if len(parts) == 1:
        return expand(parts[0], places[0], frame.count)
    order = np.concatenate(places)
    both = concatenate(parts)
    if len(order) < frame.count:
        return expand(both, order, frame.count)
    return both.take(np.argsort(order, kind="stable"))


def _lambda(node: Typed, frame: Frame) -> Value:
    return Closure(node, frame)


def _apply(node: Typed, frame: Frame) -> Value:
    function = value_of(node.children[0], frame)
    assert isinstance(function, Closure)
    args = [value_of(child, frame) for child in node.children[1:]]
    return function.call(frame, None, *args)


def _field(node: Typed, frame: Frame) -> Value:
    record = column_of(node.children[0], frame)
    assert isinstance(record, Rows)
    assert isinstance(node.term, Field)
    return record.fields[node.term.name]


def _record(node: Typed, frame: Frame) -> Value:
    assert isinstance(node.term, Record)
    fields = {n: column_of(c, frame) for n, c in zip(node.term.names, node.children, strict=True)}
    return Rows(fields, frame.count)


def _list(node: Typed, frame: Frame) -> Value:
    columns = [column_of(child, frame) for child in node.children]
    k, n = len(columns), frame.count
    if k == 0:
        return Lists(np.zeros(n + 1, np.int64), filler(node.type.item, 0))
    alive = frame.alive()
    if alive is not None:
        n = len(alive)
        if n == 0:
            return filler(node.type, frame.count)
        columns = [column.take(alive) for column in columns]
    make_room(n * k)
    offsets = offsets_from(np.full(n, k, np.int64))
    if k == 1:
        made = Lists(offsets, columns[0])
    else:
        index = np.arange(n * k).reshape(k, n).T.ravel()
        made = Lists(offsets, concatenate(columns).take(index))
    frame.charge(node.size(made), alive)
    return made if alive is None else expand(made, alive, frame.count)


_RUN: dict[type[Term], Callable[[Typed, Frame], Value]] = {
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

__all__ = ["ready"]
