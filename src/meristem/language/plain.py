"""Running a plain Python function over whole columns: one call for each distinct row of arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import EvaluationError, InputError, MeristemError, Reason, ResourceError
from meristem.language.failures import Reasons, judge
from meristem.language.limits import TooLarge
from meristem.language.sizes import plain_size
from meristem.types import Type
from meristem.values import Column, Scalars, Texts, column_from, filler

_FEW = 8  # rows below which looking for repeated arguments costs more than it saves


def strict() -> bool:
    """Whether unexpected errors are raised rather than recorded (`MERISTEM_STRICT=1`, as in the tests)."""
    return os.environ.get("MERISTEM_STRICT") == "1"


def call_plain(function: Callable[..., Any], args: Sequence[Any], type_: Type) -> tuple[Any, Reason]:
    """One call: the value and OK, or None and why there is none.

    Raises:
        Exception: Whatever the function raises and did not declare, when `strict()`.
    """
    try:
        value = function(*args)
    except EvaluationError as error:
        return None, error.reason
    except (
        InputError,
        ResourceError,
        RecursionError,
    ):  # not of the primitive, but of a function it was given
        raise
    except Exception:
        if strict():
            raise
        return None, Reason.FAULT
    if type_.name == "real" and type(value) is int:  # a sum of no reals is 0
        value = float(value)
    reason = judge(value, type_)
    if reason == Reason.FAULT and strict():
        raise MeristemError(f"{function} should give {type_}, gave {value!r} for {args!r}")
    return (None, reason) if reason else (value, Reason.OK)


def over_columns(
    function: Callable[..., Any],
    columns: Sequence[Column],
    count: int,
    type_: Type,
    room: int | None = None,
) -> tuple[Column, Reasons]:
    """A plain function over columns of `count` rows: the results and a reason a row.

    Args:
        function: The function of Python values.
        columns: Its arguments.
        count: The number of rows.
        type_: The type of its results.
        room: How many elements all results may have together; None where they have none.

    Raises:
        TooLarge: They have more.
    """
    distinct = _distinct(columns) if count > _FEW else None
    if distinct is not None:
        first, inverse = distinct
        if len(first) < count:
            column, reasons = over_columns(
                function, [c.take(first) for c in columns], len(first), type_, room
            )
            return column.take(inverse), reasons[inverse]
    lists = [column.to_list() for column in columns]
    reasons = np.zeros(count, np.int8)
    values: list[Any] = []
    rows = zip(*lists, strict=True) if lists else ((),) * count
    for i, row in enumerate(rows):
        value, reason = call_plain(function, row, type_)
        reasons[i] = reason
        if room is not None and not reason:
            room -= plain_size(value, type_)
            if room < 0:  # some row cannot pay for it; fewer rows at a time will show which
                raise TooLarge("the rows of a step cannot pay for what it makes")
        if not reason:
            values.append(value)
    good = column_from(values, type_)
    if len(values) == count:
        return good, reasons
    from meristem.language.failures import expand

    return (expand(good, np.flatnonzero(reasons == 0), count) if values else filler(type_, count)), reasons


def _distinct(columns: Sequence[Column]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """For each distinct row its first position, and for each row which distinct one it is; None if not told cheaply."""
    keys: NDArray[np.int64] | None = None
    for column in columns:
        if isinstance(column, Texts):
            raw = column.ids
        elif isinstance(column, Scalars):
            raw = column.data.view(np.int64) if column.type.name == "real" else column.data.astype(np.int64)
        else:
            return None
        if keys is None:
            keys = raw
            continue
        # Number each side densely, so that the combined key stays small.
        left, a = np.unique(keys, return_inverse=True)
        right, b = np.unique(raw, return_inverse=True)
        if len(left) * len(right) >= 2**62:
            return None
        keys = a.astype(np.int64) * len(right) + b
    if keys is None:
        return None
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


__all__ = ["call_plain", "over_columns", "strict"]
