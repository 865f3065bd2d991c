"""What can be written with the primitives of lists."""

from __future__ import annotations

from meristem.errors import EvaluationError
from meristem.language.vocabulary import subroutine

subroutine(
    "prepend",
    "a, list[a] -> list[a]",
    "item, items",
    "concat_lists([item], items)",
    doc="The list with one more item at its start.",
    examples=[((3, [1]), [3, 1])],
)
subroutine(
    "contains",
    "list[a], a -> bool where a: eq",
    "items, item",
    "is_some(index_of(items, item))",
    doc="Whether an item stands in a list.",
    examples=[(([3, 1], 1), True)],
)
subroutine(
    "is_empty",
    "list[a] -> bool",
    "items",
    "length(items) == 0",
    doc="Whether a list has no items.",
    examples=[(([],), True)],
)
subroutine(
    "slice",
    "list[a], int, int -> list[a]",
    "items, start, stop",
    "drop(take(items, stop), start)",
    doc="The items from one position to before another.",
    examples=[(([1, 2, 3, 4], 1, 3), [2, 3]), (([1], -1, 3), EvaluationError)],
)
subroutine(
    "rest",
    "list[a] -> list[a]",
    "items",
    "drop(items, 1)",
    doc="All items but the first.",
    examples=[(([1, 2, 3],), [2, 3])],
)
subroutine(
    "initial",
    "list[a] -> list[a]",
    "items",
    "take(items, maximum(length(items) - 1, 0))",
    doc="All items but the last.",
    examples=[(([1, 2, 3],), [1, 2])],
)
subroutine(
    "take_last",
    "list[a], int -> list[a]",
    "items, count",
    "drop(items, maximum(length(items) - count, 0))",
    doc="The last items, at most so many.",
    examples=[(([1, 2, 3], 2), [2, 3])],
)
subroutine(
    "remove_at",
    "list[a], int -> list[a]",
    "items, index",
    "concat_lists(take(items, index), drop(items, index + 1))",
    doc="The list without the item at a position.",
    examples=[(([1, 2, 3], 1), [1, 3])],
)
subroutine(
    "insert_at",
    "list[a], int, a -> list[a]",
    "items, index, item",
    "concat_lists(append(take(items, index), item), drop(items, index))",
    doc="The list with one more item at a position.",
    examples=[(([1, 3], 1, 2), [1, 2, 3])],
)
subroutine(
    "enumerate",
    "list[a] -> list[pair[int, a]]",
    "items",
    "zip(range(0, length(items)), items)",
    doc="Each item with its position.",
    examples=[((["a", "b"],), [(0, "a"), (1, "b")])],
)
subroutine(
    "sort_descending",
    "list[a] -> list[a] where a: ord",
    "items",
    "reverse(sort(items))",
    doc="The items in falling order.",
    examples=[(([3, 1, 2],), [3, 2, 1])],
)
subroutine(
    "product",
    "list[int] -> int",
    "items",
    "fold((total, item) => total * item, 1, items)",
    doc="The product of whole numbers; of none it is one.",
    examples=[(([2, 3, 4],), 24)],
)
subroutine(
    "mean",
    "list[real] -> real",
    "items",
    "sum(items) / to_real(length(items))",
    doc="The mean of reals.",
    examples=[(([1.0, 2.0],), 1.5), (([],), EvaluationError)],
)
subroutine(
    "median",
    "list[real] -> real",
    "items",
    "let s = sort(items) in let n = length(s) in (get(s, (n - 1) // 2) + get(s, n // 2)) / 2.0",
    doc="The middle of reals in order; the mean of the two middle ones.",
    examples=[(([3.0, 1.0, 2.0],), 2.0), (([4.0, 1.0],), 2.5)],
)
subroutine(
    "argmax",
    "list[a] -> int where a: ord",
    "items",
    "value(index_of(items, max(items)))",
    doc="The position of the first largest item.",
    examples=[(([1, 3, 3],), 1), (([],), EvaluationError)],
)
subroutine(
    "argmin",
    "list[a] -> int where a: ord",
    "items",
    "value(index_of(items, min(items)))",
    doc="The position of the first smallest item.",
    examples=[(([2, 1, 1],), 1)],
)
subroutine(
    "count_of",
    "list[a], a -> int where a: eq",
    "items, item",
    "count(each => each == item, items)",
    doc="How often an item stands in a list.",
    examples=[(([1, 2, 1], 1), 2)],
)
subroutine(
    "first_or_none",
    "list[a] -> option[a]",
    "items",
    "if length(items) == 0 then none() else some(first(items))",
    doc="The first item, if there is one.",
    examples=[(([3, 1],), 3), (([],), None)],
)
subroutine(
    "cumulative_sum",
    "list[n] -> list[n] where n: number",
    "items",
    "scan((total, item) => total + item, sum(take(items, 0)), items)",
    doc="The sums of the items so far.",
    examples=[(([1, 2, 3],), [1, 3, 6])],
)
subroutine(
    "differences",
    "list[n] -> list[n] where n: number",
    "items",
    "zip_with((before, after) => after - before, items, drop(items, 1))",
    doc="How much each item is above the one before it.",
    examples=[(([1, 4, 2],), [3, -2])],
)
subroutine(
    "is_sorted",
    "list[a] -> bool where a: ord",
    "items",
    "items == sort(items)",
    doc="Whether the items are in rising order.",
    examples=[(([1, 1, 2],), True), (([2, 1],), False)],
)
