"""Rows without a value: how a columnar rule says them, how they are left out, and what makes a value unfit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import Reason
from meristem.language.limits import MAX_ELEMENTS
from meristem.types import Type
from meristem.values import Column, Dense, Dists, concatenate, filler
from meristem.values.columns import INT_MAX, INT_MIN

Reasons = NDArray[np.int8]
"""A `Reason` a row, shape [N]; 0 where the row has its value."""


@dataclass(frozen=True)
class Failing:
    """What a columnar rule gives when some rows have no value."""

    column: Column
    reasons: Reasons


def failing(column: Column, reasons: NDArray[Any] | Reason, where: NDArray[np.bool_] | None = None) -> Any:
    """A column of N rows of which some have no value.

    Args:
        column: N values; those of the failing rows may be anything of the type.
        reasons: A `Reason` a row, [N]; or one reason for all rows of `where`.
        where: Shape [N]: which rows fail, with a single reason.

    Returns:
        The column itself where no row fails.
    """
    if isinstance(reasons, Reason):
        assert where is not None
        if not where.any():
            return column
        return Failing(column, np.where(where, np.int8(reasons), np.int8(0)))
    return Failing(column, reasons.astype(np.int8)) if reasons.any() else column


def expand(column: Column, rows: NDArray[np.int64], count: int) -> Column:
    """The values of `column` put at positions `rows` of a column of `count`; fillers stand elsewhere."""
    if len(rows) == count:
        return column
    if len(rows) == 0:
        return filler(column.type, count)
    index = np.full(count, len(rows), np.int64)
    index[rows] = np.arange(len(rows))
    if isinstance(column, Dists | Dense):  # no filler is known to have the right support or shape
        index[index == len(rows)] = 0
        return column.take(index)
    return concatenate([column, filler(column.type, 1)]).take(index)


def judge(value: Any, type_: Type) -> Reason:
    """Whether a Python value may stand in a column of a type: OK, or why not (`FAULT` for a wrong kind of value)."""
    name = type_.name
    if name == "real":
        if type(value) is not float:
            return Reason.FAULT
        return Reason.OK if math.isfinite(value) else Reason.NON_FINITE
    if name == "int":
        if type(value) is not int:
            return Reason.FAULT
        return Reason.OK if INT_MIN <= value <= INT_MAX else Reason.OVERFLOW
    if name == "bool":
        return Reason.OK if type(value) is bool else Reason.FAULT
    if name == "text":
        if not isinstance(value, str):
            return Reason.FAULT
        return Reason.OK if len(value) <= MAX_ELEMENTS else Reason.SIZE
    if name == "list":
        if not isinstance(value, list):
            return Reason.FAULT
        return Reason.SIZE if len(value) > MAX_ELEMENTS else _first(value, type_.item)
    if name == "map":
        if not isinstance(value, dict):
            return Reason.FAULT
        if len(value) > MAX_ELEMENTS:
            return Reason.SIZE
        return _first(value, type_.args[0]) or _first(value.values(), type_.args[1])
    if name == "pair":
        if not isinstance(value, tuple) or len(value) != 2:
            return Reason.FAULT
        return judge(value[0], type_.args[0]) or judge(value[1], type_.args[1])
    if name == "option":
        return Reason.OK if value is None else judge(value, type_.item)
    if name == "row":
        if not isinstance(value, Mapping) or tuple(value) != type_.params:
            return Reason.FAULT
        return next((r for n, t in type_.fields.items() if (r := judge(value[n], t))), Reason.OK)
    if name == "class":
        return Reason.OK if value in type_.params else Reason.FAULT
    if name == "datetime":
        return Reason.OK if isinstance(value, datetime) and value.tzinfo is None else Reason.FAULT
    if name in ("vector", "image", "signal"):
        array = np.asarray(value)
        if array.ndim != len(type_.params) or any(
            p is not None and p != s for p, s in zip(type_.params, array.shape, strict=True)
        ):
            return Reason.FAULT
        return Reason.OK if np.isfinite(array).all() else Reason.NON_FINITE
    return Reason.OK


def _first(values: Any, type_: Type) -> Reason:
    return next((r for v in values if (r := judge(v, type_))), Reason.OK)


__all__ = ["Failing", "Reasons", "expand", "failing", "judge"]
