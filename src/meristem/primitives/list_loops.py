"""Going through lists: sums and other folds, running values, nested lists, loops with a count."""

from __future__ import annotations

from meristem.errors import EvaluationError
from meristem.language.vocabulary import subroutine

subroutine(
    "reduce",
    "(a, a) -> a, list[a] -> a",
    "function, items",
    "fold(function, first(items), drop(items, 1))",
    doc="Goes through a list that is not empty from left to right, starting with its first item.",
    cost=2,
    examples=[(("(x, y) => x - y", [9, 2, 3]), 4), (("(x, y) => x", []), EvaluationError)],
)
subroutine(
    "fold_right",
    "(a, b) -> b, b, list[a] -> b",
    "function, start, items",
    "fold((state, item) => (function)(item, state), start, reverse(items))",
    doc="Goes through a list from right to left with one value.",
    cost=2,
    examples=[(("(x, total) => x - total", 0, [9, 2, 3]), 10)],
)
subroutine(
    "scan_from",
    "(b, a) -> b, b, list[a] -> list[b]",
    "function, start, items",
    "prepend(start, scan(function, start, items))",
    doc="As `scan`, with the start as the first value.",
    cost=3,
    examples=[(("(total, x) => total + x", 0, [1, 2]), [0, 1, 3])],
)
subroutine(
    "cumulative_max",
    "list[a] -> list[a] where a: ord",
    "items",
    "if is_empty(items) then items else scan((most, item) => maximum(most, item), first(items), items)",
    doc="The largest of the items so far.",
    cost=2,
    examples=[(([1, 3, 2],), [1, 3, 3]), (([],), [])],
)
subroutine(
    "cumulative_min",
    "list[a] -> list[a] where a: ord",
    "items",
    "if is_empty(items) then items else scan((least, item) => minimum(least, item), first(items), items)",
    doc="The smallest of the items so far.",
    cost=2,
    examples=[(([2, 3, 1],), [2, 2, 1])],
)
subroutine(
    "cumulative_product",
    "list[int] -> list[int]",
    "items",
    "scan((total, item) => total * item, 1, items)",
    doc="The products of the items so far.",
    cost=2,
    examples=[(([1, 2, 3],), [1, 2, 6])],
)
subroutine(
    "iterate_list",
    "(a) -> a, int, a -> list[a]",
    "function, count, start",
    "scan((state, step) => if step == 0 then state else (function)(state), start, range(0, count))",
    doc="A value, what a function gives for it, what it gives for that, ... so many.",
    cost=3,
    examples=[(("x => x * 2", 4, 1), [1, 2, 4, 8])],
)
subroutine(
    "fixpoint",
    "(a) -> a, a -> a where a: eq",
    "function, start",
    "left(while(state => left(state) != right(state), "
    "state => pair(right(state), (function)(right(state))), pair(start, (function)(start))))",
    doc="A function applied over and over until nothing changes.",
    cost=3,
    examples=[(("x => x // 2", 9), 0)],
)
subroutine(
    "iterate_until",
    "(a) -> bool, (a) -> a, a -> a",
    "test, step, start",
    "while(state => not (test)(state), step, start)",
    doc="A function applied over and over until a test holds.",
    cost=3,
    examples=[(("x => x > 50", "x => x * 2", 3), 96)],
)
subroutine(
    "fold_indexed",
    "(b, int, a) -> b, b, list[a] -> b",
    "function, start, items",
    "fold((state, each) => (function)(state, left(each), right(each)), start, enumerate(items))",
    doc="As `fold`, with the position of each item.",
    cost=3,
    examples=[(("(total, i, x) => total + i * x", 0, [5, 6, 7]), 20)],
)
subroutine(
    "zip_with3",
    "(a, b, c) -> d, list[a], list[b], list[c] -> list[d]",
    "function, one, two, three",
    "zip_with((both, z) => (function)(left(both), right(both), z), zip(one, two), three)",
    doc="What a function gives for items at the same position of three lists, as far as the shortest goes.",
    cost=3,
    examples=[(("(x, y, z) => x * y + z", [1, 2], [3, 4], [5, 6]), [8, 14])],
)
subroutine(
    "add_lists",
    "list[n], list[n] -> list[n] where n: number",
    "left, right",
    "zip_with((x, y) => x + y, left, right)",
    doc="The sums of numbers at the same position of two lists.",
    cost=2,
    examples=[(([1, 2], [3, 4]), [4, 6])],
)
subroutine(
    "subtract_lists",
    "list[n], list[n] -> list[n] where n: number",
    "left, right",
    "zip_with((x, y) => x - y, left, right)",
    doc="The numbers of one list less those at the same position of another.",
    cost=2,
    examples=[(([1, 2], [3, 5]), [-2, -3])],
)
subroutine(
    "multiply_lists",
    "list[n], list[n] -> list[n] where n: number",
    "left, right",
    "zip_with((x, y) => x * y, left, right)",
    doc="The products of numbers at the same position of two lists.",
    cost=2,
    examples=[(([1, 2], [3, 4]), [3, 8])],
)
subroutine(
    "dot",
    "list[n], list[n] -> n where n: number",
    "left, right",
    "sum(multiply_lists(left, right))",
    doc="The sum of the products of numbers at the same position of two lists.",
    cost=2,
    examples=[(([1, 2], [3, 4]), 11)],
)
subroutine(
    "spread",
    "list[n] -> n where n: number",
    "items",
    "max(items) - min(items)",
    doc="How much the largest number is above the smallest.",
    cost=2,
    examples=[(([3, 1, 7],), 6), (([],), EvaluationError)],
)
subroutine(
    "mean_int",
    "list[int] -> int",
    "items",
    "sum(items) // length(items)",
    doc="The mean of whole numbers, rounded down.",
    cost=2,
    examples=[(([1, 2, 4],), 2), (([],), EvaluationError)],
)
subroutine(
    "variance",
    "list[real] -> real",
    "items",
    "let middle = mean(items) in mean(map(item => (item - middle) * (item - middle), items))",
    doc="The mean squared distance of reals from their mean.",
    cost=3,
    examples=[(([1.0, 3.0],), 1.0), (([],), EvaluationError)],
)
subroutine(
    "standard_deviation",
    "list[real] -> real",
    "items",
    "sqrt(variance(items))",
    doc="The square root of the mean squared distance of reals from their mean.",
    cost=3,
    examples=[(([1.0, 3.0],), 1.0)],
)
subroutine(
    "map_nested",
    "(a) -> b, list[list[a]] -> list[list[b]]",
    "function, lists",
    "map(items => map(function, items), lists)",
    doc="What a function gives for each item of each list.",
    cost=2,
    examples=[(("x => x + 1", [[1], [2, 3]]), [[2], [3, 4]])],
)
subroutine(
    "filter_nested",
    "(a) -> bool, list[list[a]] -> list[list[a]]",
    "test, lists",
    "map(items => filter(test, items), lists)",
    doc="Of each list the items for which a function gives true.",
    cost=2,
    examples=[(("x => x > 1", [[1], [2, 3]]), [[], [2, 3]])],
)
subroutine(
    "lengths",
    "list[list[a]] -> list[int]",
    "lists",
    "map(items => length(items), lists)",
    doc="The lengths of lists.",
    cost=2,
    examples=[(([[1], [2, 3], []],), [1, 2, 0])],
)
subroutine(
    "longest",
    "list[list[a]] -> list[a]",
    "lists",
    "max_by(items => length(items), lists)",
    doc="The first of the longest lists.",
    cost=2,
    examples=[(([[1], [2, 3], [4, 5]],), [2, 3]), (([],), EvaluationError)],
)
subroutine(
    "shortest",
    "list[list[a]] -> list[a]",
    "lists",
    "min_by(items => length(items), lists)",
    doc="The first of the shortest lists.",
    cost=2,
    examples=[(([[2, 3], [1], [4]],), [1])],
)
subroutine(
    "longest_text",
    "list[text] -> text",
    "texts",
    "max_by(text => text_length(text), texts)",
    doc="The first of the longest texts.",
    cost=2,
    examples=[((["a", "bcd", "efg"],), "bcd"), (([],), EvaluationError)],
)
subroutine(
    "shortest_text",
    "list[text] -> text",
    "texts",
    "min_by(text => text_length(text), texts)",
    doc="The first of the shortest texts.",
    cost=2,
    examples=[((["bcd", "a", "e"],), "a")],
)
subroutine(
    "set_cell",
    "list[list[a]], int, int, a -> list[list[a]]",
    "table, row, column, item",
    "set_item(table, row, set_item(get(table, row), column, item))",
    doc="A table given as rows, with another item at a row and column.",
    cost=3,
    examples=[(([[1, 2], [3, 4]], 1, 0, 9), [[1, 2], [9, 4]]), (([[1]], 1, 0, 9), EvaluationError)],
)
subroutine(
    "get_cell",
    "list[list[a]], int, int -> a",
    "table, row, column",
    "get(get(table, row), column)",
    doc="The item at a row and column of a table given as rows.",
    cost=2,
    examples=[(([[1, 2], [3, 4]], 1, 0), 3), (([[1]], 0, 1), EvaluationError)],
)
