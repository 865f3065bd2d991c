"""How many elements a value has, for fuel: list items and map entries at every depth, characters, vector entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.types import Type
from meristem.values import Column, Dense, Lists, Maps, Options, Pairs, Rows, Texts

Sizes = NDArray[np.int64] | int

_DENSE = 8  # vector entries that cost as much as one list item: they are made in bulk


def has_size(type_: Type) -> bool:
    """Whether values of a type can have elements. Text counts only where it is the whole value, not inside others."""
    return type_.name in ("list", "map", "vector", "image", "signal") or any(has_size(a) for a in type_.args)


def sizer(type_: Type) -> Callable[[Column], Sizes] | None:
    """What counts the elements of each row of a column; None where there are none to count."""
    if type_.is_function:
        return None
    if type_.name == "text":
        return _characters
    return _elements if has_size(type_) else None


def _characters(column: Column) -> Sizes:
    assert isinstance(column, Texts)
    if len(column) == 1:
        return len(column[0])
    if len(column.pool) > len(column):
        return np.fromiter(map(len, column.to_list()), np.int64, len(column))
    return np.fromiter(map(len, column.pool), np.int64, len(column.pool))[column.ids]


def _elements(column: Column) -> Sizes:
    if isinstance(column, Lists):
        if not has_size(column.type.item):
            return column.lengths
        return _within(column.offsets, column.items)
    if isinstance(column, Maps):
        inner = _within(column.offsets, column.values)
        return inner + _within(column.offsets, column.keys) - np.diff(column.offsets)
    if isinstance(column, Pairs):
        return _elements(column.first) + _elements(column.second)
    if isinstance(column, Options):
        sizes = _elements(column.values)
        out = np.zeros(len(column), np.int64)
        out[column.present] = sizes
        return out
    if isinstance(column, Rows):
        total: Sizes = 0
        for name, child in column.fields.items():
            del name
            if has_size(child.type):
                total = total + _elements(child)
        return total
    if isinstance(column, Dense):
        return int(np.prod(column.data.shape[1:])) // _DENSE
    return 0


def _within(offsets: NDArray[np.int64], items: Column) -> NDArray[np.int64]:
    """The number of items of each row, and of their elements."""
    lengths = np.diff(offsets)
    if not has_size(items.type):
        return lengths
    inner = _elements(items)
    if isinstance(inner, int):
        return lengths * (1 + inner)
    totals = np.zeros(len(inner) + 1, np.int64)
    np.cumsum(inner, out=totals[1:])
    counted: NDArray[np.int64] = lengths + totals[offsets[1:]] - totals[offsets[:-1]]
    return counted


def plain_size(value: Any, type_: Type) -> int:
    """The same for one Python value."""
    if type_.name == "text":
        return len(value)
    return _plain(value, type_) if has_size(type_) else 0


def _plain(value: Any, type_: Type) -> int:
    name = type_.name
    if value is None or not has_size(type_):
        return 0
    if name == "list":
        item = type_.item
        return len(value) + (sum(_plain(v, item) for v in value) if has_size(item) else 0)
    if name == "map":
        key, item = type_.args
        return len(value) + sum(_plain(k, key) + _plain(v, item) for k, v in value.items())
    if name == "pair":
        return _plain(value[0], type_.args[0]) + _plain(value[1], type_.args[1])
    if name == "option":
        return _plain(value, type_.item)
    if name == "row":
        return sum(_plain(value[n], t) for n, t in type_.fields.items())
    if name in ("vector", "image", "signal"):
        return int(np.size(value)) // _DENSE
    return 0


__all__ = ["Sizes", "has_size", "plain_size", "sizer"]
