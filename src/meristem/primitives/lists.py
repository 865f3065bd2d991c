"""Lists. Positions count from 0; a negative one is outside of the list and fails, as does one past the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from meristem.errors import EvaluationError, Reason
from meristem.language.failures import failing
from meristem.language.limits import make_room
from meristem.language.vocabulary import primitive
from meristem.primitives._columns import (
    check_size,
    identify,
    ints,
    key_of,
    parts,
    ranks,
    room_for,
    slices,
    together,
    within,
)
from meristem.types import INT
from meristem.values import Column, Lists, Options, Pairs, Scalars, concatenate, filler, offsets_from


@primitive("list[a] -> int", examples=[(([3, 1],), 2), (([],), 0)])
def length(items: list[Any]) -> int:
    """The number of items."""
    return len(items)


@length.columnar
def _(items: Lists) -> Column:
    return ints(items.lengths)


@primitive(
    "list[a], int -> a",
    examples=[(([3, 1], 1), 1), (([3, 1], 2), EvaluationError), (([3, 1], -1), EvaluationError)],
)
def get(items: list[Any], index: int) -> Any:
    """The item at a position."""
    if not 0 <= index < len(items):
        raise EvaluationError(Reason.INDEX)
    return items[index]


@get.columnar
def _(items: Lists, index: Scalars) -> Any:
    outside = (index.data < 0) | (index.data >= items.lengths)
    return _at(items.pool, np.where(outside, 0, items.starts + index.data), outside, Reason.INDEX)


def _at(pool: Column, places: Any, bad: Any, reason: Reason) -> Any:
    """The items at places in a column, where not `bad`."""
    if not bad.any():
        return pool.take(places)
    if bad.all():
        return failing(filler(pool.type, len(bad)), reason, bad)
    good = np.flatnonzero(~bad)
    return failing(pool.take(np.where(bad, places[good[0]], places)), reason, bad)


@primitive("list[a] -> a", examples=[(([3, 1],), 3), (([],), EvaluationError)])
def first(items: list[Any]) -> Any:
    """The first item."""
    if not items:
        raise EvaluationError(Reason.EMPTY)
    return items[0]


@first.columnar
def _(items: Lists) -> Any:
    return _at(items.pool, items.starts, items.lengths == 0, Reason.EMPTY)


@primitive("list[a] -> a", examples=[(([3, 1],), 1), (([],), EvaluationError)])
def last(items: list[Any]) -> Any:
    """The last item."""
    if not items:
        raise EvaluationError(Reason.EMPTY)
    return items[-1]


@last.columnar
def _(items: Lists) -> Any:
    return _at(items.pool, items.starts + items.lengths - 1, items.lengths == 0, Reason.EMPTY)


@primitive(
    "list[a], int -> list[a]", examples=[(([3, 1], 1), [3]), (([3], 5), [3]), (([3], -1), EvaluationError)]
)
def take(items: list[Any], count: int) -> list[Any]:
    """The first items, at most so many. A negative count fails."""
    if count < 0:
        raise EvaluationError(Reason.DOMAIN)
    return items[:count]


@take.columnar
def _(items: Lists, count: Scalars) -> Any:
    kept = np.clip(count.data, 0, items.lengths)
    return failing(slices(items, np.zeros(len(items), np.int64), kept), Reason.DOMAIN, count.data < 0)


@primitive(
    "list[a], int -> list[a]", examples=[(([3, 1], 1), [1]), (([3], 5), []), (([3], -1), EvaluationError)]
)
def drop(items: list[Any], count: int) -> list[Any]:
    """All but the first items. A negative count fails."""
    if count < 0:
        raise EvaluationError(Reason.DOMAIN)
    return items[count:]


@drop.columnar
def _(items: Lists, count: Scalars) -> Any:
    lost = np.clip(count.data, 0, items.lengths)
    return failing(slices(items, lost, items.lengths - lost), Reason.DOMAIN, count.data < 0)


@primitive(
    "int, int -> list[int]",
    name="range",
    examples=[((0, 3), [0, 1, 2]), ((3, 0), []), ((0, 10**12), EvaluationError)],
)
def range_(start: int, stop: int) -> list[int]:
    """The whole numbers from the first to before the second."""
    check_size(stop - start)
    return list(range(start, stop))


@range_.columnar
def _(start: Scalars, stop: Scalars) -> Any:
    span = stop.data - start.data  # wraps around where it is beyond 64 bits; then both signs tell
    wrapped = (stop.data > start.data) & (span < 0)
    lengths, large = room_for(np.where(wrapped, 2**62, np.where(stop.data > start.data, span, 0)))
    offsets = offsets_from(lengths)
    numbers = np.arange(offsets[-1]) + np.repeat(start.data - offsets[:-1], lengths)
    return failing(Lists(offsets, ints(numbers)), Reason.SIZE, large)


@primitive(
    "a, int -> list[a]",
    examples=[((7, 2), [7, 7]), ((7, -1), EvaluationError), ((7, 10**12), EvaluationError)],
)
def repeat(item: Any, count: int) -> list[Any]:
    """A list of one item so many times. A negative count fails."""
    if count < 0:
        raise EvaluationError(Reason.DOMAIN)
    return [item] * check_size(count)


@repeat.columnar
def _(item: Column, count: Scalars) -> Any:
    lengths, large = room_for(np.maximum(count.data, 0))
    column = Lists(offsets_from(lengths), item.take(np.repeat(np.arange(len(item)), lengths)))
    return failing(column, np.where(count.data < 0, Reason.DOMAIN, np.where(large, Reason.SIZE, 0)))


@primitive("list[a], a -> list[a]", examples=[(([3], 1), [3, 1])])
def append(items: list[Any], item: Any) -> list[Any]:
    """The list with one more item at its end."""
    return [*items, item]


@append.columnar
def _(items: Lists, item: Column) -> Column:
    ones = Lists(np.arange(len(item) + 1, dtype=np.int64), item)
    return _end_to_end(items, ones)


@primitive("list[a], list[a] -> list[a]", examples=[(([3], [1, 2]), [3, 1, 2])])
def concat_lists(left: list[Any], right: list[Any]) -> list[Any]:
    """Two lists, end to end."""
    return left + right


@concat_lists.columnar
def _(left: Lists, right: Lists) -> Column:
    return _end_to_end(left, right)


def _end_to_end(left: Lists, right: Lists) -> Lists:
    make_room(len(left.items) + len(right.items))
    offsets = offsets_from(left.lengths + right.lengths)
    order = np.empty(offsets[-1], np.int64)
    order[np.repeat(offsets[:-1], left.lengths) + within(left)] = np.arange(len(left.items))
    starts = np.repeat(offsets[:-1] + left.lengths, right.lengths)
    order[starts + within(right)] = np.arange(len(left.items), len(left.items) + len(right.items))
    return Lists(offsets, concatenate([left.items, right.items]).take(order))


@primitive("list[a] -> list[a]", examples=[(([3, 1, 2],), [2, 1, 3])])
def reverse(items: list[Any]) -> list[Any]:
    """The items from last to first."""
    return items[::-1]


@reverse.columnar
def _(items: Lists) -> Column:
    place = np.repeat(items.offsets[1:] - 1, items.lengths) - within(items)
    return Lists(items.offsets, items.items.take(place))


@primitive("list[list[a]] -> list[a]", examples=[(([[3], [], [1, 2]],), [3, 1, 2])])
def flatten(lists: list[list[Any]]) -> list[Any]:
    """The items of all lists in a list, end to end."""
    check_size(sum(map(len, lists)))
    return [item for items in lists for item in items]


@flatten.columnar
def _(lists: Lists) -> Column:
    inner = lists.items
    assert isinstance(inner, Lists)
    return Lists(inner.offsets[lists.offsets], inner.items)


@primitive(
    "list[a] -> list[a] where a: ord", examples=[(([3, 1, 2],), [1, 2, 3]), ((["b", "a"],), ["a", "b"])]
)
def sort(items: list[Any]) -> list[Any]:
    """The items in rising order."""
    return sorted(items)


@sort.columnar
def _(items: Lists) -> Column:
    return Lists(items.offsets, items.items.take(np.lexsort((ranks(items.items), items.parents))))


@primitive("list[a] -> list[a] where a: eq", examples=[(([3, 1, 3],), [3, 1])])
def unique(items: list[Any]) -> list[Any]:
    """The different items, each where it first stands."""
    seen: set[Any] = set()
    kept = []
    for item in items:
        key = key_of(item)
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


@unique.columnar
def _(items: Lists) -> Column:
    parents = items.parents
    ids = identify(items.items)
    order = np.lexsort((ids, parents))
    ids, rows = ids[order], parents[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (ids[1:] != ids[:-1]) | (rows[1:] != rows[:-1])
    kept = np.sort(order[new])  # lexsort is stable, so the first of equal items comes first
    return Lists(offsets_from(np.bincount(parents[kept], minlength=len(items))), items.items.take(kept))


@primitive("list[a], a -> option[int] where a: eq", examples=[(([3, 1, 3], 3), 0), (([3], 1), None)])
def index_of(items: list[Any], item: Any) -> int | None:
    """Where an item first stands, if it does."""
    return items.index(item) if item in items else None


@index_of.columnar
def _(items: Lists, item: Column) -> Column:
    parents = items.parents
    left, right = together(items.items, item)
    return first_true(items, left == right[parents])


def first_true(items: Lists, holds: Any) -> Options:
    """Of each list the position of the first item for which something holds."""
    found = np.flatnonzero(holds)
    rows, where = np.unique(items.parents[found], return_index=True)
    present = np.zeros(len(items), np.bool_)
    present[rows] = True
    return Options(present, ints(found[where] - items.offsets[rows]))


@primitive("list[a], list[b] -> list[pair[a, b]]", name="zip", examples=[(([1, 2], ["a"]), [(1, "a")])])
def zip_(left: list[Any], right: list[Any]) -> list[tuple[Any, Any]]:
    """Pairs of items that stand at the same position, as far as the shorter list goes."""
    return list(zip(left, right, strict=False))


@zip_.columnar
def _(left: Lists, right: Lists) -> Column:
    lengths = np.minimum(left.lengths, right.lengths)
    start = np.zeros(len(left), np.int64)
    first, second = slices(left, start, lengths), slices(right, start, lengths)
    return Lists(first.offsets, Pairs(first.items, second.items))


@primitive(
    "list[n] -> n where n: number",
    name="sum",
    examples=[(([1, 2, 3],), 6), (([0.1, 0.2, 0.3],), 0.1 + 0.2 + 0.3), (([2**62, 2**62],), EvaluationError)],
)
def sum_(items: list[Any]) -> Any:
    """The sum of numbers, added from left to right; of none it is zero."""
    total = items[0] if items else 0
    for item in items[1:]:
        total = total + item
        if isinstance(total, int) and not -(2**63) <= total < 2**63:
            raise EvaluationError(Reason.OVERFLOW)
    return total


@primitive("list[a] -> a where a: ord", name="min", examples=[(([3, 1, 2],), 1), (([],), EvaluationError)])
def min_(items: list[Any]) -> Any:
    """The smallest item."""
    if not items:
        raise EvaluationError(Reason.EMPTY)
    return min(items)


@primitive("list[a] -> a where a: ord", name="max", examples=[(([3, 1, 2],), 3), (([],), EvaluationError)])
def max_(items: list[Any]) -> Any:
    """The largest item."""
    if not items:
        raise EvaluationError(Reason.EMPTY)
    return max(items)


def _extreme(items: Lists, largest: bool) -> Any:
    """For each list the place of its first smallest or largest item in the child column."""
    parents, rank = items.parents, ranks(items.items)
    if largest:  # the largest, and of equal ones the first
        _, rank = np.unique(rank, return_inverse=True)
        rank = -rank.reshape(-1)
    order = np.lexsort((rank, parents))
    empty = items.lengths == 0
    starts = np.where(empty, 0, items.offsets[:-1])
    places = order[starts] if len(order) else starts
    return _at(items.items, places, empty, Reason.EMPTY)


@min_.columnar
def _(items: Lists) -> Any:
    return _extreme(items, largest=False)


@max_.columnar
def _(items: Lists) -> Any:
    return _extreme(items, largest=True)


@primitive("list[a], int, a -> list[a]", examples=[(([3, 1], 0, 7), [7, 1]), (([3], 1, 7), EvaluationError)])
def set_item(items: list[Any], index: int, item: Any) -> list[Any]:
    """The list with another item at a position."""
    if not 0 <= index < len(items):
        raise EvaluationError(Reason.INDEX)
    return [*items[:index], item, *items[index + 1 :]]


@set_item.columnar
def _(items: Lists, index: Scalars, item: Column) -> Any:
    outside = (index.data < 0) | (index.data >= items.lengths)
    both = concatenate([items.items, item])
    order = np.arange(len(items.items))
    good = np.flatnonzero(~outside)
    order[items.offsets[good] + index.data[good]] = len(items.items) + good
    return failing(Lists(items.offsets, both.take(order)), Reason.INDEX, outside)


@primitive(
    "list[a], int -> list[list[a]]", examples=[(([1, 2, 3], 2), [[1, 2], [3]]), (([1], 0), EvaluationError)]
)
def chunks(items: list[Any], size: int) -> list[list[Any]]:
    """The list cut into lists of so many items; the last may be shorter. A size below 1 fails."""
    if size < 1:
        raise EvaluationError(Reason.DOMAIN)
    return [items[i : i + size] for i in range(0, len(items), size)]


@chunks.columnar
def _(items: Lists, size: Scalars) -> Any:
    sizes = np.maximum(size.data, 1)
    counts = items.lengths // sizes + (items.lengths % sizes > 0)
    return failing(parts(items, counts, sizes, sizes), Reason.DOMAIN, size.data < 1)


@primitive(
    "list[a], int -> list[list[a]]",
    examples=[(([1, 2, 3], 2), [[1, 2], [2, 3]]), (([1], 0), EvaluationError)],
)
def windows(items: list[Any], size: int) -> list[list[Any]]:
    """All runs of so many neighbouring items. A size below 1 fails."""
    if size < 1:
        raise EvaluationError(Reason.DOMAIN)
    check_size(size * max(len(items) - size + 1, 0))
    return [items[i : i + size] for i in range(len(items) - size + 1)]


@windows.columnar
def _(items: Lists, size: Scalars) -> Any:
    sizes = np.maximum(size.data, 1)
    counts = np.maximum(items.lengths - sizes + 1, 0)
    _, large = room_for(np.where(counts > 0, counts * np.minimum(sizes, items.lengths), 0))
    column = parts(items, np.where(large, 0, counts), np.ones_like(sizes), sizes)
    return failing(column, np.where(size.data < 1, Reason.DOMAIN, np.where(large, Reason.SIZE, 0)))


@primitive(
    "list[list[a]] -> list[list[a]]",
    examples=[(([[1, 2], [3, 4]],), [[1, 3], [2, 4]]), (([[1], []],), EvaluationError)],
)
def transpose(rows: list[list[Any]]) -> list[list[Any]]:
    """The columns of a table given as rows of equal length. Unequal lengths fail."""
    if len({len(row) for row in rows}) > 1:
        raise EvaluationError(Reason.DOMAIN)
    return [list(column) for column in zip(*rows, strict=True)]


@sum_.columnar
def _(items: Lists) -> Any:
    """Adds the first items of all lists, then the second ones, ...: the order of the plain function."""
    child = items.pool
    assert isinstance(child, Scalars)
    lengths, starts = items.lengths, items.starts
    totals = np.zeros(len(items), child.data.dtype)
    bad = np.zeros(len(items), np.bool_)
    longest = int(lengths.max()) if len(lengths) else 0
    if longest > 4 * len(items):  # few long lists: one after the other
        for row in np.flatnonzero(lengths).tolist():
            part = child.data[starts[row] : starts[row] + lengths[row]]
            with np.errstate(over="ignore", invalid="ignore"):
                running = np.cumsum(part)
            totals[row] = running[-1]
            if child.type == INT:
                before = running[:-1]
                bad[row] = bool((((before ^ running[1:]) & (part[1:] ^ running[1:])) < 0).any())
    else:
        order = np.argsort(-lengths, kind="stable")
        waiting = lengths[order]
        active = int((waiting > 0).sum())
        totals[order[:active]] = child.data[starts[order[:active]]]
        for step in range(1, longest):
            active = int(np.searchsorted(-waiting, -step))  # lists longer than `step`
            rows = order[:active]
            term, before = child.data[starts[rows] + step], totals[rows]
            with np.errstate(over="ignore", invalid="ignore"):
                after = before + term
            totals[rows] = after
            if child.type == INT:
                bad[rows] |= ((before ^ after) & (term ^ after)) < 0
    return failing(Scalars(child.type, totals), Reason.OVERFLOW, bad)
