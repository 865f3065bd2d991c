"""What columnar rules share: comparing values of any type by numbers, whole-number arithmetic, ragged indices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import EvaluationError, Reason
from meristem.language.limits import beyond_fuel, make_room, most_elements
from meristem.types import BOOL, INT, REAL
from meristem.values import Column, Lists, Options, Pairs, Scalars, Texts, concatenate, offsets_from

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def check_size(elements: int) -> int:
    """A number of elements that one value may have.

    Raises:
        EvaluationError: It may not (`SIZE`).
    """
    if elements > most_elements():
        raise EvaluationError(Reason.SIZE)
    return elements


def bools(data: BoolArray) -> Scalars:
    """A column of truth values."""
    return Scalars(BOOL, data)


def ints(data: NDArray[Any]) -> Scalars:
    """A column of whole numbers."""
    return Scalars(INT, data.astype(np.int64, copy=False))


def real(data: NDArray[Any]) -> Scalars:
    """A column of reals."""
    return Scalars(REAL, data.astype(np.float64, copy=False))


def identify(column: Column) -> IntArray:
    """A number a row, [N], equal exactly where the values are."""
    if isinstance(column, Scalars):
        if column.type.name == "real":
            return (column.data + 0.0).view(np.int64)  # -0.0 becomes 0.0
        return column.data.astype(np.int64)
    if isinstance(column, Texts):
        return column.ids if _is_distinct(column) else _positions(column.to_list())
    if isinstance(column, Pairs):
        left = np.unique(identify(column.first), return_inverse=True)[1].reshape(-1).astype(np.int64)
        right, ids = np.unique(identify(column.second), return_inverse=True)
        return left * np.int64(max(len(right), 1)) + ids.reshape(-1)
    if isinstance(column, Options):
        out = np.full(len(column), -1, np.int64)
        out[column.present] = np.unique(identify(column.values), return_inverse=True)[1].reshape(-1)
        return out
    if isinstance(column, Lists):
        return _identify_lists(column)
    return _positions([key_of(value) for value in column.to_list()])


def _identify_lists(column: Lists) -> IntArray:
    """Lists of one length are the rows of a matrix, so those are told apart by sorting rows as bytes."""
    items = np.ascontiguousarray(identify(column.items))
    offsets, lengths = column.offsets, column.lengths
    out = np.zeros(len(column), np.int64)
    count = 0
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        if length == 0:
            distinct, codes = 1, np.zeros(len(rows), np.int64)
        else:
            matrix = items[offsets[rows][:, None] + np.arange(length)]
            view = matrix.view(np.dtype((np.void, 8 * length))).ravel()
            values, codes = np.unique(view, return_inverse=True)
            distinct = len(values)
        out[rows] = count + codes.reshape(-1)
        count += distinct
    return out


def key_of(value: Any) -> Any:
    """A value that can be hashed and is equal to that of another exactly where the two are equal."""
    if isinstance(value, list | tuple):
        return tuple(map(key_of, value))
    if isinstance(value, dict):
        return frozenset((k, key_of(v)) for k, v in value.items())
    return value


def _is_distinct(column: Texts) -> bool:
    """Whether no string stands twice in the pool (cheap to tell only for small ones)."""
    return len(set(column.pool)) == len(column.pool)


def _positions(values: list[Any]) -> IntArray:
    seen: dict[Any, int] = {}
    return np.fromiter((seen.setdefault(v, len(seen)) for v in values), np.int64, len(values))


def together(left: Column, right: Column) -> tuple[IntArray, IntArray]:
    """As `identify`, for two columns of one type, with numbers that can be compared between them."""
    if isinstance(left, Scalars) and isinstance(right, Scalars):
        return identify(left), identify(right)
    if (
        isinstance(left, Texts)
        and isinstance(right, Texts)
        and left.pool is right.pool
        and _is_distinct(left)
    ):
        return left.ids, right.ids
    both = identify(concatenate([left, right]))
    return both[: len(left)], both[len(left) :]


def ranks(column: Column) -> NDArray[Any]:
    """A number a row, [N], in the same order as the values (ints or reals)."""
    if isinstance(column, Scalars):
        return column.data
    if isinstance(column, Texts):
        used, inverse = np.unique(column.ids, return_inverse=True)
        strings = [column.pool[i] for i in used.tolist()]
        place = {s: i for i, s in enumerate(sorted(set(strings)))}
        numbers = np.array([place[s] for s in strings], np.int64)
        return numbers[inverse.reshape(-1)] if len(strings) else np.zeros(0, np.int64)
    values = column.to_list()
    order = sorted(range(len(values)), key=values.__getitem__)
    out = np.zeros(len(values), np.int64)
    rank = 0
    for before, after in pairwise(order):
        rank += values[before] != values[after]
        out[after] = rank
    return out


def within(lists: Lists) -> IntArray:
    """For each item its position in its own list, [number of items]."""
    return np.arange(len(lists.items), dtype=np.int64) - np.repeat(lists.offsets[:-1], lists.lengths)


def slices(lists: Lists, starts: IntArray, lengths: IntArray) -> Lists:
    """Of each list the items from `starts` [N] on, `lengths` [N] of them."""
    return Lists.view(lists.starts + starts, lengths, lists.pool, lists.type)


def parts(items: Lists, counts: IntArray, steps: IntArray, sizes: IntArray) -> Lists:
    """Of each list `counts` [N] parts: each begins `steps` [N] items after the one before it and has `sizes` [N] items,
    or as many as there are."""
    offsets = offsets_from(counts)
    begin = (np.arange(offsets[-1], dtype=np.int64) - np.repeat(offsets[:-1], counts)) * np.repeat(
        steps, counts
    )
    lengths = np.minimum(np.repeat(sizes, counts), np.repeat(items.lengths, counts) - begin)
    return Lists(
        offsets, Lists.view(np.repeat(items.starts, counts) + begin, lengths, items.pool, items.type)
    )


def room_for(lengths: IntArray) -> tuple[IntArray, BoolArray]:
    """Lengths of lists about to be made, with 0 where one is too long or cannot be paid for; and which those are.

    Raises:
        TooLarge: All of them together are too long.
    """
    large = lengths > most_elements()
    kept = np.where(large, 0, lengths)
    large |= beyond_fuel(kept)
    kept = np.where(large, 0, lengths)
    make_room(int(kept.sum()))
    return kept, large


__all__ = [
    "BoolArray",
    "IntArray",
    "bools",
    "check_size",
    "identify",
    "ints",
    "key_of",
    "parts",
    "ranks",
    "real",
    "room_for",
    "slices",
    "together",
    "within",
]
