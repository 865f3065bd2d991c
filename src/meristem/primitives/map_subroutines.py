"""What can be written with the primitives of maps: joining, turning round, choosing, counting by a key."""

from __future__ import annotations

from meristem.errors import EvaluationError
from meristem.language.vocabulary import subroutine

subroutine(
    "map_get_or",
    "map[k, v], k, v -> v where k: key",
    "table, key, other",
    "if has_key(table, key) then map_get(table, key) else other",
    doc="The value of a key, or another one where it is not there.",
    examples=[(({"a": 1}, "a", 0), 1), (({"a": 1}, "b", 0), 0)],
)
subroutine(
    "merge",
    "map[k, v], map[k, v] -> map[k, v] where k: key",
    "table, other",
    "map_of(concat_lists(items(table), items(other)))",
    doc="The keys and values of two maps; where both have a key the second counts.",
    cost=2,
    examples=[(({"a": 1, "b": 2}, {"b": 3}), {"a": 1, "b": 3})],
)
subroutine(
    "invert",
    "map[k, v] -> map[v, k] where k: key, v: key",
    "table",
    "map_of(map(each => swap(each), items(table)))",
    doc="The map from values to keys; of equal values the last key counts.",
    cost=2,
    examples=[(({"a": 1, "b": 2},), {1: "a", 2: "b"})],
)
subroutine(
    "filter_values",
    "(v) -> bool, map[k, v] -> map[k, v] where k: key",
    "test, table",
    "map_of(filter(each => (test)(right(each)), items(table)))",
    doc="The keys and values of a map for whose values a function gives true.",
    cost=2,
    examples=[(("x => x > 1", {"a": 1, "b": 2}), {"b": 2})],
)
subroutine(
    "filter_keys",
    "(k) -> bool, map[k, v] -> map[k, v] where k: key",
    "test, table",
    "map_of(filter(each => (test)(left(each)), items(table)))",
    doc="The keys and values of a map for whose keys a function gives true.",
    cost=2,
    examples=[(("x => x > 1", {1: "a", 2: "b"}), {2: "b"})],
)
subroutine(
    "map_update",
    "(v) -> v, map[k, v], k, v -> map[k, v] where k: key",
    "function, table, key, other",
    "map_set(table, key, (function)(map_get_or(table, key, other)))",
    doc="The map with a function applied to the value of a key, or to another value where it is not there.",
    cost=3,
    examples=[(("x => x + 1", {"a": 1}, "a", 0), {"a": 2}), (("x => x + 1", {}, "a", 0), {"a": 1})],
)
subroutine(
    "count_by",
    "(a) -> k, list[a] -> map[k, int] where k: key",
    "key, values",
    "map_values(group => length(group), group_by(key, values))",
    doc="How many items there are for each result of a function.",
    cost=2,
    examples=[(("x => x % 2", [1, 2, 3]), {1: 2, 0: 1})],
)
subroutine(
    "index_by",
    "(a) -> k, list[a] -> map[k, a] where k: key",
    "key, values",
    "map_of(map(each => pair((key)(each), each), values))",
    doc="A map from what a function gives for an item to that item; the last one counts.",
    cost=3,
    examples=[(("x => text_length(x)", ["a", "bc", "d"]), {1: "d", 2: "bc"})],
)
subroutine(
    "sum_by_key",
    "list[pair[k, n]] -> map[k, n] where k: key, n: number",
    "entries",
    "map_values(group => reduce((total, each) => total + each, map(each => right(each), group)), "
    "group_by(each => left(each), entries))",
    doc="The sum of the numbers that stand with each key.",
    cost=3,
    examples=[(([("a", 1), ("b", 2), ("a", 5)],), {"a": 6, "b": 2})],
)
subroutine(
    "zip_map",
    "list[k], list[v] -> map[k, v] where k: key",
    "keys, values",
    "map_of(zip(keys, values))",
    doc="A map from the items of one list to those at the same position of another.",
    cost=2,
    examples=[((["a", "b"], [1, 2]), {"a": 1, "b": 2})],
)
subroutine(
    "keys_where",
    "(v) -> bool, map[k, v] -> list[k] where k: key",
    "test, table",
    "keys(filter_values(test, table))",
    doc="The keys for whose values a function gives true.",
    cost=2,
    examples=[(("x => x > 1", {"a": 1, "b": 2}), ["b"])],
)
subroutine(
    "key_of_max",
    "map[k, v] -> k where k: key, v: ord",
    "table",
    "left(max_by(each => right(each), items(table)))",
    doc="The first key with the largest value.",
    cost=2,
    examples=[(({"a": 1, "b": 2},), "b"), (({},), EvaluationError)],
)
subroutine(
    "key_of_min",
    "map[k, v] -> k where k: key, v: ord",
    "table",
    "left(min_by(each => right(each), items(table)))",
    doc="The first key with the smallest value.",
    cost=2,
    examples=[(({"a": 1, "b": 2},), "a")],
)
subroutine(
    "sort_by_key",
    "map[k, v] -> list[pair[k, v]] where k: key",
    "table",
    "sort_by(each => left(each), items(table))",
    doc="The keys and values of a map in rising order of the keys.",
    cost=2,
    examples=[(({"b": 1, "a": 2},), [("a", 2), ("b", 1)])],
)
subroutine(
    "groups",
    "(a) -> k, list[a] -> list[list[a]] where k: key",
    "key, values",
    "values(group_by(key, values))",
    doc="The items in groups for which a function gives the same.",
    cost=2,
    examples=[(("x => x % 2", [1, 2, 3]), [[1, 3], [2]])],
)
subroutine(
    "look_up_all",
    "map[k, v], list[k] -> list[v] where k: key",
    "table, keys",
    "map(key => map_get(table, key), keys)",
    doc="The values of several keys, which must all be there.",
    cost=2,
    examples=[(({"a": 1, "b": 2}, ["b", "a"]), [2, 1]), (({"a": 1}, ["b"]), EvaluationError)],
)
