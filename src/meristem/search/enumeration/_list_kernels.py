"""Kernels of the list functions that a search calls most: from ids to ids, past columns and interpreter.

Each says the same as the primitive or subroutine of its name (a test holds that); it exists because these few make up
most of the work, and are several times faster on runs of ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.search.enumeration._pools import FAIL, MAX_INT, Ids, ListPool
from meristem.types import Type

IntArray = NDArray[np.int64]


def _views(
    pool: ListPool, a: Ids, starts: IntArray, lengths: IntArray, bad: NDArray[np.bool_] | None = None
) -> Ids:
    """The lists that are runs of the items of lists `a`."""
    if bad is None or not bad.any():
        return pool.intern_views(a, starts, lengths)
    starts = np.where(bad, pool.starts(a), starts)
    return np.where(bad, FAIL, pool.intern_views(a, starts, np.where(bad, 0, lengths)))


def _length(pool: ListPool, a: Ids) -> IntArray:
    return pool.lengths(a)


def _first(pool: ListPool, a: Ids) -> Ids:
    lengths = pool.lengths(a)
    return np.where(lengths == 0, FAIL, pool.children(np.where(lengths == 0, 0, pool.starts(a))))


def _last(pool: ListPool, a: Ids) -> Ids:
    lengths = pool.lengths(a)
    return np.where(
        lengths == 0, FAIL, pool.children(np.where(lengths == 0, 0, pool.starts(a) + lengths - 1))
    )


def _get(pool: ListPool, a: Ids, k: Ids) -> Ids:
    bad = (k < 0) | (k >= pool.lengths(a))
    return np.where(bad, FAIL, pool.children(np.where(bad, 0, pool.starts(a) + k)))


def _rest(pool: ListPool, a: Ids) -> Ids:
    lengths = pool.lengths(a)
    return _views(pool, a, pool.starts(a) + (lengths > 0), np.maximum(lengths - 1, 0))


def _initial(pool: ListPool, a: Ids) -> Ids:
    return _views(pool, a, pool.starts(a), np.maximum(pool.lengths(a) - 1, 0))


def _take(pool: ListPool, a: Ids, k: Ids) -> Ids:
    kept: IntArray = np.minimum(pool.lengths(a), k)
    return _views(pool, a, pool.starts(a), kept, k < 0)


def _drop(pool: ListPool, a: Ids, k: Ids) -> Ids:
    lengths = pool.lengths(a)
    lost: IntArray = np.clip(k, 0, lengths)
    return _views(pool, a, pool.starts(a) + lost, lengths - lost, k < 0)


def _take_last(pool: ListPool, a: Ids, k: Ids) -> Ids:
    lengths = pool.lengths(a)
    kept: IntArray = np.clip(k, 0, lengths).astype(np.int64)
    return _views(pool, a, pool.starts(a) + lengths - kept, kept)


def _reverse(pool: ListPool, a: Ids) -> Ids:
    children, offsets = pool.runs(a)
    lengths = np.diff(offsets)
    index = np.repeat(offsets[:-1] + offsets[1:] - 1, lengths) - np.arange(len(children))
    return pool.intern_runs(children[index], offsets)


def _append(pool: ListPool, a: Ids, x: Ids) -> Ids:
    return pool.intern_appended(a, x)


def _prepend(pool: ListPool, x: Ids, a: Ids) -> Ids:
    return pool.intern_prepended(x, a)


def _concat(pool: ListPool, a: Ids, b: Ids) -> Ids:
    return pool.intern_joined(a, b)


def _equal_items(pool: ListPool, a: Ids, x: Ids) -> IntArray:
    children, offsets = pool.runs(a)
    same = np.zeros(len(children) + 1, np.int64)
    np.cumsum(children == np.repeat(x, np.diff(offsets)), out=same[1:])
    return same[offsets[1:]] - same[offsets[:-1]]


def _contains(pool: ListPool, a: Ids, x: Ids) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = _equal_items(pool, a, x) > 0
    return inside


def _sorted(pool: ListPool, a: Ids) -> Ids:
    children, offsets = pool.runs(a)
    owner = np.repeat(np.arange(len(a), dtype=np.int64), np.diff(offsets))
    keys = np.sort(owner * 2**32 + (children.astype(np.int64) + MAX_INT))
    return pool.intern_runs(((keys & (2**32 - 1)) - MAX_INT).astype(np.int32), offsets)


def _sum(pool: ListPool, a: Ids) -> IntArray:
    children, offsets = pool.runs(a)
    sums = np.zeros(len(children) + 1, np.int64)
    np.cumsum(children, out=sums[1:])
    return sums[offsets[1:]] - sums[offsets[:-1]]


def _extreme(reduce: Any) -> Callable[[ListPool, Ids], Ids]:
    def kernel(pool: ListPool, a: Ids) -> Ids:
        children, offsets = pool.runs(a)
        results = np.full(len(a), FAIL, np.int32)
        full = np.flatnonzero(np.diff(offsets))
        if len(full):
            results[full] = reduce.reduceat(children, offsets[full])
        return results

    return kernel


def _is_empty(pool: ListPool, a: Ids) -> NDArray[np.bool_]:
    empty: NDArray[np.bool_] = pool.lengths(a) == 0
    return empty


Kernel = Callable[..., Any]

ANY_ITEMS: dict[str, Kernel] = {
    "length": _length,
    "first": _first,
    "last": _last,
    "get": _get,
    "rest": _rest,
    "initial": _initial,
    "take": _take,
    "drop": _drop,
    "take_last": _take_last,
    "reverse": _reverse,
    "append": _append,
    "prepend": _prepend,
    "concat_lists": _concat,
    "contains": _contains,
    "count_of": _equal_items,
    "is_empty": _is_empty,
}
"""For lists of anything."""

INT_ITEMS: dict[str, Kernel] = {
    "sort": _sorted,
    "sum": _sum,
    "max": _extreme(np.maximum),
    "min": _extreme(np.minimum),
}
"""For lists of whole numbers, whose ids are their values."""


def list_kernel(name: str, arguments: tuple[Type, ...]) -> tuple[Kernel, Type] | None:
    """The kernel of an entry at these argument types, and the type of the list whose pool it works on."""
    of = arguments[1] if name == "prepend" else arguments[0]
    if of.name != "list":
        return None
    if name in ANY_ITEMS:
        return ANY_ITEMS[name], of
    if name in INT_ITEMS and of.item.name == "int":
        return INT_ITEMS[name], of
    return None


__all__ = ["ANY_ITEMS", "INT_ITEMS", "list_kernel"]
