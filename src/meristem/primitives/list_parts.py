"""Parts of lists by position: slices, steps, rotations, items moved or put in; lists cut up and put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from meristem.errors import EvaluationError, Reason
from meristem.language.failures import failing
from meristem.language.vocabulary import primitive, subroutine
from meristem.values import Lists, Scalars, offsets_from


@primitive(
    "list[a], int -> list[a]", examples=[(([1, 2, 3, 4, 5], 2), [1, 3, 5]), (([1], 0), EvaluationError)]
)
def every_nth(items: list[Any], step: int) -> list[Any]:
    """The items at the positions 0, step, twice the step, ... A step below 1 fails."""
    if step < 1:
        raise EvaluationError(Reason.DOMAIN)
    return items[::step]


@every_nth.columnar
def _(items: Lists, step: Scalars) -> Any:
    steps = np.maximum(step.data, 1)
    lengths = -(-items.lengths // steps)
    offsets = offsets_from(lengths)
    place = np.arange(offsets[-1], dtype=np.int64) - np.repeat(offsets[:-1], lengths)
    taken = place * np.repeat(steps, lengths) + np.repeat(items.starts, lengths)
    return failing(Lists(offsets, items.pool.take(taken)), Reason.DOMAIN, step.data < 1)


subroutine(
    "every_nth_from",
    "list[a], int, int -> list[a]",
    "items, start, step",
    "every_nth(drop(items, start), step)",
    doc="The items at a position, a step on, two steps on, ...",
    cost=2,
    examples=[(([1, 2, 3, 4, 5], 1, 2), [2, 4]), (([1], 0, 0), EvaluationError)],
)
subroutine(
    "second_item",
    "list[a] -> a",
    "items",
    "get(items, 1)",
    doc="The second item.",
    examples=[(([3, 1],), 1), (([3],), EvaluationError)],
)
subroutine(
    "third_item",
    "list[a] -> a",
    "items",
    "get(items, 2)",
    doc="The third item.",
    cost=2,
    examples=[(([3, 1, 7],), 7), (([3],), EvaluationError)],
)
subroutine(
    "get_last",
    "list[a], int -> a",
    "items, index",
    "get(items, length(items) - 1 - index)",
    doc="The item at a position from the end: 0 is the last.",
    cost=2,
    examples=[(([3, 1, 7], 1), 1), (([3], 1), EvaluationError)],
)
subroutine(
    "get_or",
    "list[a], int, a -> a",
    "items, index, other",
    "if index >= 0 and index < length(items) then get(items, index) else other",
    doc="The item at a position, or another value where there is none.",
    cost=2,
    examples=[(([3, 1], 1, 0), 1), (([3], 1, 0), 0), (([3], -1, 0), 0)],
)
subroutine(
    "get_cyclic",
    "list[a], int -> a",
    "items, index",
    "get(items, index % length(items))",
    doc="The item at a position, going round past the ends.",
    cost=2,
    examples=[(([3, 1, 7], 4), 1), (([3, 1], -1), 1), (([], 0), EvaluationError)],
)
subroutine(
    "middle",
    "list[a] -> a",
    "items",
    "get(items, length(items) // 2)",
    doc="The item in the middle; the later one of two.",
    cost=2,
    examples=[(([3, 1, 7],), 1), (([3, 1],), 1), (([],), EvaluationError)],
)
subroutine(
    "first_or",
    "list[a], a -> a",
    "items, other",
    "if is_empty(items) then other else first(items)",
    doc="The first item, or another value where there is none.",
    cost=2,
    examples=[(([3, 1], 0), 3), (([], 0), 0)],
)
subroutine(
    "last_or",
    "list[a], a -> a",
    "items, other",
    "if is_empty(items) then other else last(items)",
    doc="The last item, or another value where there is none.",
    cost=2,
    examples=[(([3, 1], 0), 1), (([], 0), 0)],
)
subroutine(
    "drop_last",
    "list[a], int -> list[a]",
    "items, count",
    "take(items, maximum(length(items) - count, 0))",
    doc="All but the last items.",
    examples=[(([1, 2, 3], 2), [1]), (([1], 5), [])],
)
subroutine(
    "remove_slice",
    "list[a], int, int -> list[a]",
    "items, start, stop",
    "concat_lists(take(items, start), drop(items, maximum(start, stop)))",
    doc="The list without the items from one position to before another.",
    cost=2,
    examples=[(([1, 2, 3, 4], 1, 3), [1, 4]), (([1], -1, 1), EvaluationError)],
)
subroutine(
    "replace_slice",
    "list[a], int, int, list[a] -> list[a]",
    "items, start, stop, new",
    "concat_lists(concat_lists(take(items, start), new), drop(items, maximum(start, stop)))",
    doc="The list with other items put for those from one position to before another.",
    cost=3,
    examples=[(([1, 2, 3, 4], 1, 3, [9]), [1, 9, 4])],
)
subroutine(
    "insert_all",
    "list[a], int, list[a] -> list[a]",
    "items, index, new",
    "concat_lists(concat_lists(take(items, index), new), drop(items, index))",
    doc="The list with the items of another put in at a position.",
    cost=2,
    examples=[(([1, 4], 1, [2, 3]), [1, 2, 3, 4])],
)
subroutine(
    "reverse_slice",
    "list[a], int, int -> list[a]",
    "items, start, stop",
    "replace_slice(items, start, stop, reverse(slice(items, start, stop)))",
    doc="The list with the items from one position to before another in reverse.",
    cost=3,
    examples=[(([1, 2, 3, 4], 1, 3), [1, 3, 2, 4])],
)
subroutine(
    "swap_items",
    "list[a], int, int -> list[a]",
    "items, i, j",
    "set_item(set_item(items, i, get(items, j)), j, get(items, i))",
    doc="The list with the items at two positions exchanged.",
    cost=2,
    examples=[(([1, 2, 3], 0, 2), [3, 2, 1]), (([1], 0, 1), EvaluationError)],
)
subroutine(
    "move_item",
    "list[a], int, int -> list[a]",
    "items, index, place",
    "insert_at(remove_at(items, index), place, get(items, index))",
    doc="The list with the item at a position taken out and put in at another.",
    cost=3,
    examples=[(([1, 2, 3], 0, 2), [2, 3, 1]), (([1], 1, 0), EvaluationError)],
)
subroutine(
    "update_at",
    "(a) -> a, list[a], int -> list[a]",
    "function, items, index",
    "set_item(items, index, (function)(get(items, index)))",
    doc="The list with a function applied to the item at a position.",
    cost=2,
    examples=[(("x => x * 2", [1, 2], 1), [1, 4]), (("x => x", [1], 1), EvaluationError)],
)
subroutine(
    "rotate",
    "list[a], int -> list[a]",
    "items, count",
    "if is_empty(items) then items else let k = count % length(items) in "
    "concat_lists(drop(items, k), take(items, k))",
    doc="The list with so many first items moved to its end.",
    cost=2,
    examples=[(([1, 2, 3, 4], 1), [2, 3, 4, 1]), (([1, 2, 3], -1), [3, 1, 2]), (([], 1), [])],
)
subroutine(
    "rotate_right",
    "list[a], int -> list[a]",
    "items, count",
    "reverse(rotate(reverse(items), count))",
    doc="The list with so many last items moved to its start.",
    cost=2,
    examples=[(([1, 2, 3, 4], 1), [4, 1, 2, 3])],
)
subroutine(
    "split_at",
    "list[a], int -> pair[list[a], list[a]]",
    "items, index",
    "pair(take(items, index), drop(items, index))",
    doc="The items before a position, and the others.",
    cost=2,
    examples=[(([1, 2, 3], 1), ([1], [2, 3])), (([1], -1), EvaluationError)],
)
subroutine(
    "first_half",
    "list[a] -> list[a]",
    "items",
    "take(items, length(items) // 2)",
    doc="The first half of a list; the shorter one where the halves differ.",
    cost=2,
    examples=[(([1, 2, 3],), [1])],
)
subroutine(
    "second_half",
    "list[a] -> list[a]",
    "items",
    "drop(items, length(items) // 2)",
    doc="The second half of a list; the longer one where the halves differ.",
    cost=2,
    examples=[(([1, 2, 3],), [2, 3])],
)
subroutine(
    "pairwise",
    "list[a] -> list[pair[a, a]]",
    "items",
    "zip(items, drop(items, 1))",
    doc="All pairs of neighbours.",
    cost=2,
    examples=[(([1, 2, 3],), [(1, 2), (2, 3)]), (([1],), [])],
)
subroutine(
    "interleave",
    "list[a], list[a] -> list[a]",
    "left, right",
    "flatten(zip_with((x, y) => [x, y], left, right))",
    doc="The items of two lists by turns, as far as the shorter list goes.",
    cost=2,
    examples=[(([1, 2], [7, 8, 9]), [1, 7, 2, 8])],
)
subroutine(
    "intersperse",
    "list[a], a -> list[a]",
    "items, item",
    "drop(flat_map(each => [item, each], items), 1)",
    doc="The list with an item put between any two.",
    cost=2,
    examples=[(([1, 2, 3], 0), [1, 0, 2, 0, 3]), (([], 0), [])],
)
subroutine(
    "repeat_list",
    "list[a], int -> list[a]",
    "items, count",
    "flatten(repeat(items, count))",
    doc="A list so many times over.",
    examples=[(([1, 2], 2), [1, 2, 1, 2]), (([1], -1), EvaluationError)],
)
subroutine(
    "repeat_each",
    "list[a], int -> list[a]",
    "items, count",
    "flat_map(item => repeat(item, count), items)",
    doc="The list with each item so many times.",
    cost=2,
    examples=[(([1, 2], 2), [1, 1, 2, 2])],
)
subroutine(
    "palindrome_of",
    "list[a] -> list[a]",
    "items",
    "concat_lists(items, reverse(items))",
    doc="A list and its reverse, end to end.",
    cost=2,
    examples=[(([1, 2],), [1, 2, 2, 1])],
)
subroutine(
    "surround_list",
    "list[a], list[a], list[a] -> list[a]",
    "before, items, after",
    "concat_lists(concat_lists(before, items), after)",
    doc="Three lists, end to end.",
    cost=2,
    examples=[(([1], [2, 3], [4]), [1, 2, 3, 4])],
)
subroutine(
    "pad_list",
    "list[a], int, a -> list[a]",
    "items, size, fill",
    "concat_lists(items, repeat(fill, maximum(size - length(items), 0)))",
    doc="The list filled up at its end to a length.",
    cost=2,
    examples=[(([1], 3, 0), [1, 0, 0]), (([1, 2], 1, 0), [1, 2])],
)
subroutine(
    "pad_list_left",
    "list[a], int, a -> list[a]",
    "items, size, fill",
    "concat_lists(repeat(fill, maximum(size - length(items), 0)), items)",
    doc="The list filled up at its start to a length.",
    cost=2,
    examples=[(([1], 3, 0), [0, 0, 1])],
)
subroutine(
    "prefixes",
    "list[a] -> list[list[a]]",
    "items",
    "map(count => take(items, count), count_up(length(items)))",
    doc="The first item, the first two, ... and the whole list.",
    cost=3,
    examples=[(([1, 2],), [[1], [1, 2]])],
)
subroutine(
    "suffixes",
    "list[a] -> list[list[a]]",
    "items",
    "map(start => drop(items, start), range(0, length(items)))",
    doc="The whole list, all but its first item, ... and its last item.",
    cost=3,
    examples=[(([1, 2],), [[1, 2], [2]])],
)
subroutine(
    "pairs_of",
    "list[a] -> list[pair[a, a]]",
    "items",
    "flatten(map(start => let each = get(items, start) in "
    "map(other => pair(each, other), drop(items, start + 1)), range(0, length(items))))",
    doc="All pairs of an item and a later one.",
    cost=3,
    examples=[(([1, 2, 3],), [(1, 2), (1, 3), (2, 3)])],
)
subroutine(
    "cartesian",
    "list[a], list[b] -> list[pair[a, b]]",
    "left, right",
    "flat_map(x => map(y => pair(x, y), right), left)",
    doc="All pairs of an item of one list and an item of another.",
    cost=3,
    examples=[(([1, 2], ["a", "b"]), [(1, "a"), (1, "b"), (2, "a"), (2, "b")])],
)
subroutine(
    "take_until",
    "(a) -> bool, list[a] -> list[a]",
    "test, items",
    "take(items, or_else(map_option(place => place + 1, find_index(test, items)), length(items)))",
    doc="The items up to and with the first for which a function gives true.",
    cost=2,
    examples=[(("x => x > 1", [1, 2, 3]), [1, 2]), (("x => x > 9", [1]), [1])],
)
