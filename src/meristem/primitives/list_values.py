"""Lists by the values in them: items removed, replaced, found and counted; lists as sets; order."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from meristem.errors import EvaluationError
from meristem.language.vocabulary import primitive, subroutine


@primitive(
    "list[a], a -> option[int] where a: ord", cost=3, examples=[(([1, 3, 5], 3), 1), (([1, 3], 2), None)]
)
def binary_search(items: list[Any], item: Any) -> int | None:
    """Where an item stands in a list in rising order, if it does."""
    place = bisect_left(items, item)
    return place if place < len(items) and items[place] == item else None


subroutine(
    "remove",
    "list[a], a -> list[a] where a: eq",
    "items, item",
    "filter(each => each != item, items)",
    doc="The list without an item, wherever it stands.",
    examples=[(([1, 2, 1], 1), [2])],
)
subroutine(
    "remove_first",
    "list[a], a -> list[a] where a: eq",
    "items, item",
    "let place = index_of(items, item) in if is_some(place) then remove_at(items, value(place)) else items",
    doc="The list without an item where it first stands.",
    cost=2,
    examples=[(([1, 2, 1], 1), [2, 1]), (([1], 2), [1])],
)
subroutine(
    "replace_all",
    "list[a], a, a -> list[a] where a: eq",
    "items, old, new",
    "map(each => if each == old then new else each, items)",
    doc="The list with one item put for another wherever that stands.",
    examples=[(([1, 2, 1], 1, 9), [9, 2, 9])],
)
subroutine(
    "is_member",
    "a, list[a] -> bool where a: eq",
    "item, items",
    "contains(items, item)",
    doc="Whether an item stands in a list.",
    cost=2,
    examples=[((1, [3, 1]), True), ((2, [3, 1]), False)],
)
subroutine(
    "positions",
    "list[a], a -> list[int] where a: eq",
    "items, item",
    "indices_where(each => each == item, items)",
    doc="All positions at which an item stands.",
    cost=2,
    examples=[(([3, 1, 3], 3), [0, 2])],
)
subroutine(
    "indices_where",
    "(a) -> bool, list[a] -> list[int]",
    "test, items",
    "filter(i => (test)(get(items, i)), range(0, length(items)))",
    doc="The positions of the items for which a function gives true.",
    cost=2,
    examples=[(("x => x > 1", [1, 2, 3]), [1, 2])],
)
subroutine(
    "filter_indexed",
    "(int, a) -> bool, list[a] -> list[a]",
    "test, items",
    "map(each => right(each), filter(each => (test)(left(each), right(each)), enumerate(items)))",
    doc="The items for which a function of position and item gives true.",
    cost=2,
    examples=[(("(i, x) => x > i", [0, 2, 1, 7]), [2, 7])],
)
subroutine(
    "reject",
    "(a) -> bool, list[a] -> list[a]",
    "test, items",
    "filter(item => not (test)(item), items)",
    doc="The items for which a function gives false.",
    cost=2,
    examples=[(("x => x > 1", [1, 2, 3]), [1])],
)
subroutine(
    "last_index_of",
    "list[a], a -> option[int] where a: eq",
    "items, item",
    "map_option(place => length(items) - 1 - place, index_of(reverse(items), item))",
    doc="Where an item last stands, if it does.",
    cost=2,
    examples=[(([3, 1, 3], 3), 2), (([3], 1), None)],
)
subroutine(
    "find_last",
    "(a) -> bool, list[a] -> option[a]",
    "test, items",
    "find(test, reverse(items))",
    doc="The last item for which a function gives true.",
    cost=2,
    examples=[(("x => x < 3", [1, 2, 3]), 2), (("x => x > 3", [1, 2, 3]), None)],
)
subroutine(
    "intersection",
    "list[a], list[a] -> list[a] where a: eq",
    "items, other",
    "filter(each => contains(other, each), items)",
    doc="The items of a list that stand in another too.",
    cost=2,
    examples=[(([1, 2, 3, 2], [2, 5]), [2, 2])],
)
subroutine(
    "difference",
    "list[a], list[a] -> list[a] where a: eq",
    "items, other",
    "filter(each => not contains(other, each), items)",
    doc="The items of a list that do not stand in another.",
    cost=2,
    examples=[(([1, 2, 3, 2], [2, 5]), [1, 3])],
)
subroutine(
    "union",
    "list[a], list[a] -> list[a] where a: eq",
    "items, other",
    "unique(concat_lists(items, other))",
    doc="The different items of two lists.",
    cost=2,
    examples=[(([1, 2], [2, 5]), [1, 2, 5])],
)
subroutine(
    "is_subset",
    "list[a], list[a] -> bool where a: eq",
    "items, other",
    "all(each => contains(other, each), items)",
    doc="Whether all items of a list stand in another.",
    cost=2,
    examples=[(([1, 2], [2, 1, 5]), True), (([3], []), False)],
)
subroutine(
    "list_starts_with",
    "list[a], list[a] -> bool where a: eq",
    "items, part",
    "take(items, length(part)) == part",
    doc="Whether a list begins with the items of another.",
    cost=2,
    examples=[(([1, 2, 3], [1, 2]), True), (([1], [1, 2]), False)],
)
subroutine(
    "list_ends_with",
    "list[a], list[a] -> bool where a: eq",
    "items, part",
    "take_last(items, length(part)) == part",
    doc="Whether a list ends with the items of another.",
    cost=2,
    examples=[(([1, 2, 3], [2, 3]), True), (([1], [2, 1]), False)],
)
subroutine(
    "contains_list",
    "list[a], list[a] -> bool where a: eq",
    "items, part",
    "is_empty(part) or contains(windows(items, maximum(length(part), 1)), part)",
    doc="Whether the items of a list stand in another, next to each other and in that order.",
    cost=3,
    examples=[(([1, 2, 3], [2, 3]), True), (([1, 2, 3], [1, 3]), False), (([], []), True)],
)
subroutine(
    "duplicates",
    "list[a] -> list[a] where a: eq",
    "items",
    "unique(filter(each => count_of(items, each) > 1, items))",
    doc="The different items that stand in a list more than once.",
    cost=2,
    examples=[(([1, 2, 1, 3, 2, 1],), [1, 2])],
)
subroutine(
    "only_once",
    "list[a] -> list[a] where a: eq",
    "items",
    "filter(each => count_of(items, each) == 1, items)",
    doc="The items that stand in a list exactly once.",
    cost=2,
    examples=[(([1, 2, 1, 3],), [2, 3])],
)
subroutine(
    "counts",
    "list[a] -> list[int] where a: eq",
    "items",
    "map(each => count_of(items, each), unique(items))",
    doc="How often each different item stands in a list, in the order in which they first stand.",
    cost=2,
    examples=[((["a", "b", "a"],), [2, 1])],
)
subroutine(
    "frequencies",
    "list[a] -> list[pair[a, int]] where a: eq",
    "items",
    "map(each => pair(each, count_of(items, each)), unique(items))",
    doc="Each different item with how often it stands in a list.",
    cost=2,
    examples=[((["a", "b", "a"],), [("a", 2), ("b", 1)])],
)
subroutine(
    "mode",
    "list[a] -> a where a: eq",
    "items",
    "max_by(each => count_of(items, each), items)",
    doc="The item that stands in a list most often; the first of several.",
    examples=[(([3, 1, 1],), 1), (([],), EvaluationError)],
)
subroutine(
    "least_common",
    "list[a] -> a where a: eq",
    "items",
    "min_by(each => count_of(items, each), items)",
    doc="The item that stands in a list least often; the first of several.",
    cost=2,
    examples=[(([3, 1, 3],), 1), (([],), EvaluationError)],
)
subroutine(
    "sort_by_count",
    "list[a] -> list[a] where a: eq",
    "items",
    "sort_by(each => negate(count_of(items, each)), unique(items))",
    doc="The different items, the most frequent first.",
    cost=2,
    examples=[(([3, 1, 2, 1, 2, 1],), [1, 2, 3])],
)
subroutine(
    "sort_by_descending",
    "(a) -> k, list[a] -> list[a] where k: ord",
    "key, items",
    "reverse(sort_by(key, reverse(items)))",
    doc="The items in falling order of what a function gives for them; equal ones stay in order.",
    cost=2,
    examples=[(("x => x % 10", [11, 25, 31]), [25, 11, 31])],
)
subroutine(
    "argsort",
    "list[a] -> list[int] where a: ord",
    "items",
    "sort_by(i => get(items, i), range(0, length(items)))",
    doc="The positions of the items in rising order.",
    cost=3,
    examples=[(([30, 10, 20],), [1, 2, 0])],
)
subroutine(
    "kth_smallest",
    "list[a], int -> a where a: ord",
    "items, k",
    "get(sort(items), k)",
    doc="The item at a position of the list in rising order, from 0.",
    examples=[(([3, 1, 2], 1), 2), (([3], 1), EvaluationError)],
)
subroutine(
    "kth_largest",
    "list[a], int -> a where a: ord",
    "items, k",
    "get(sort_descending(items), k)",
    doc="The item at a position of the list in falling order, from 0.",
    examples=[(([3, 1, 2], 0), 3), (([3], 1), EvaluationError)],
)
subroutine(
    "largest_items",
    "list[a], int -> list[a] where a: ord",
    "items, count",
    "take(sort_descending(items), count)",
    doc="The largest items, at most so many, in falling order.",
    cost=2,
    examples=[(([3, 1, 2], 2), [3, 2]), (([3], -1), EvaluationError)],
)
subroutine(
    "smallest_items",
    "list[a], int -> list[a] where a: ord",
    "items, count",
    "take(sort(items), count)",
    doc="The smallest items, at most so many, in rising order.",
    cost=2,
    examples=[(([3, 1, 2], 2), [1, 2])],
)
subroutine(
    "min_or",
    "list[a], a -> a where a: ord",
    "items, other",
    "if is_empty(items) then other else min(items)",
    doc="The smallest item, or another value where there is none.",
    cost=2,
    examples=[(([3, 1], 0), 1), (([], 0), 0)],
)
subroutine(
    "max_or",
    "list[a], a -> a where a: ord",
    "items, other",
    "if is_empty(items) then other else max(items)",
    doc="The largest item, or another value where there is none.",
    cost=2,
    examples=[(([3, 1], 0), 3), (([], 0), 0)],
)
subroutine(
    "insertion_point",
    "list[a], a -> int where a: ord",
    "items, item",
    "count(each => each < item, items)",
    doc="How many items are smaller than a value.",
    cost=2,
    examples=[(([1, 3, 5], 4), 2)],
)
subroutine(
    "insert_sorted",
    "list[a], a -> list[a] where a: ord",
    "items, item",
    "concat_lists(append(filter(each => each <= item, items), item), filter(each => each > item, items))",
    doc="The list with one more item between those that are not larger and those that are.",
    cost=2,
    examples=[(([1, 3, 5], 4), [1, 3, 4, 5])],
)
subroutine(
    "all_equal",
    "list[a] -> bool where a: eq",
    "items",
    "length(unique(items)) <= 1",
    doc="Whether all items are the same.",
    cost=2,
    examples=[(([1, 1],), True), (([1, 2],), False), (([],), True)],
)
subroutine(
    "all_different",
    "list[a] -> bool where a: eq",
    "items",
    "length(unique(items)) == length(items)",
    doc="Whether no item stands in a list twice.",
    cost=2,
    examples=[(([1, 2],), True), (([1, 1],), False)],
)
subroutine(
    "is_palindrome_list",
    "list[a] -> bool where a: eq",
    "items",
    "items == reverse(items)",
    doc="Whether a list is the same backwards.",
    cost=2,
    examples=[(([1, 2, 1],), True), (([1, 2],), False)],
)
subroutine(
    "is_increasing",
    "list[a] -> bool where a: ord",
    "items",
    "all(each => each, zip_with((before, after) => before < after, items, drop(items, 1)))",
    doc="Whether each item is larger than the one before it.",
    cost=2,
    examples=[(([1, 2, 4],), True), (([1, 1],), False)],
)
