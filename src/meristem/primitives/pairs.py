"""Pairs, and maps from keys to values. A map keeps its keys in the order in which they came."""

from __future__ import annotations

from typing import Any

import numpy as np

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import ints
from meristem.values import Column, Lists, Maps, Pairs


@primitive("a, b -> pair[a, b]", examples=[((1, "a"), (1, "a"))])
def pair(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values as one."""
    return left, right


@pair.columnar
def _(left: Column, right: Column) -> Column:
    return Pairs(left, right)


@primitive("pair[a, b] -> a", examples=[(((1, "a"),), 1)])
def left(both: tuple[Any, Any]) -> Any:
    """The first value of a pair."""
    return both[0]


@left.columnar
def _(both: Pairs) -> Column:
    return both.first


@primitive("pair[a, b] -> b", examples=[(((1, "a"),), "a")])
def right(both: tuple[Any, Any]) -> Any:
    """The second value of a pair."""
    return both[1]


@right.columnar
def _(both: Pairs) -> Column:
    return both.second


@primitive(
    "list[pair[k, v]] -> map[k, v] where k: key",
    examples=[(([(1, "a"), (2, "b"), (1, "c")],), {1: "c", 2: "b"})],
)
def map_of(items: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """A map from pairs of key and value; the last one with a key counts."""
    return dict(items)


@primitive(
    "map[k, v], k -> v where k: key", examples=[(({1: "a"}, 1), "a"), (({1: "a"}, 2), EvaluationError)]
)
def map_get(table: dict[Any, Any], key: Any) -> Any:
    """The value of a key, which must be there."""
    if key not in table:
        raise EvaluationError(Reason.NOT_FOUND)
    return table[key]


@primitive("map[k, v], k -> bool where k: key", examples=[(({1: "a"}, 1), True)])
def has_key(table: dict[Any, Any], key: Any) -> bool:
    """Whether a map has a key."""
    return key in table


@primitive("map[k, v], k, v -> map[k, v] where k: key", examples=[(({1: "a"}, 2, "b"), {1: "a", 2: "b"})])
def map_set(table: dict[Any, Any], key: Any, item: Any) -> dict[Any, Any]:
    """The map with a value set for a key."""
    return {**table, key: item}


@primitive("map[k, v], k -> map[k, v] where k: key", examples=[(({1: "a", 2: "b"}, 2), {1: "a"})])
def map_remove(table: dict[Any, Any], key: Any) -> dict[Any, Any]:
    """The map without a key; the same if it has none."""
    return {k: v for k, v in table.items() if k != key}


@primitive("map[k, v] -> list[k] where k: key", examples=[(({1: "a", 2: "b"},), [1, 2])])
def keys(table: dict[Any, Any]) -> list[Any]:
    """The keys of a map."""
    return list(table)


@keys.columnar
def _(table: Maps) -> Column:
    return Lists(table.offsets, table.keys)


@primitive("map[k, v] -> list[v] where k: key", examples=[(({1: "a", 2: "b"},), ["a", "b"])])
def values(table: dict[Any, Any]) -> list[Any]:
    """The values of a map."""
    return list(table.values())


@values.columnar
def _(table: Maps) -> Column:
    return Lists(table.offsets, table.values)


@primitive("map[k, v] -> list[pair[k, v]] where k: key", examples=[(({1: "a"},), [(1, "a")])])
def items(table: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """The keys and values of a map as pairs."""
    return list(table.items())


@items.columnar
def _(table: Maps) -> Column:
    return Lists(table.offsets, Pairs(table.keys, table.values))


@primitive("map[k, v] -> int where k: key", examples=[(({1: "a"},), 1)])
def map_size(table: dict[Any, Any]) -> int:
    """The number of keys of a map."""
    return len(table)


@map_size.columnar
def _(table: Maps) -> Column:
    return ints(np.diff(table.offsets))


subroutine(
    "swap",
    "pair[a, b] -> pair[b, a]",
    "both",
    "pair(right(both), left(both))",
    doc="The pair the other way round.",
    examples=[(((1, "a"),), ("a", 1))],
)
subroutine(
    "map_find",
    "map[k, v], k -> option[v] where k: key",
    "table, key",
    "if has_key(table, key) then some(map_get(table, key)) else none()",
    doc="The value of a key, if it is there.",
    examples=[(({1: "a"}, 1), "a"), (({1: "a"}, 2), None)],
)
subroutine(
    "map_values",
    "(v) -> w, map[k, v] -> map[k, w] where k: key",
    "function, table",
    "map_of(map(each => pair(left(each), (function)(right(each))), items(table)))",
    doc="The map with a function applied to each value.",
    examples=[(("x => x + 1", {"a": 1}), {"a": 2})],
)
subroutine(
    "tally",
    "list[a] -> map[a, int] where a: key",
    "values",
    "map_values(group => length(group), group_by(item => item, values))",
    doc="How often each item stands in a list.",
    examples=[((["a", "b", "a"],), {"a": 2, "b": 1})],
)
subroutine(
    "most_common",
    "list[a] -> a where a: key",
    "values",
    "let counts = items(tally(values)) in left(max_by(each => right(each), counts))",
    doc="The item that stands in a list most often; the first of several.",
    examples=[((["a", "b", "b"],), "b"), (([],), EvaluationError)],
)
subroutine(
    "unzip",
    "list[pair[a, b]] -> pair[list[a], list[b]]",
    "pairs",
    "pair(map(each => left(each), pairs), map(each => right(each), pairs))",
    doc="The first and the second values of pairs.",
    examples=[(([(1, "a"), (2, "b")],), ([1, 2], ["a", "b"]))],
)
