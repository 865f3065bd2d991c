"""Runs of equal items, and lists cut where an item stands."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import identify
from meristem.values import Column, Lists, offsets_from


@primitive(
    "list[a] -> list[list[a]] where a: eq",
    examples=[(([1, 1, 2, 1],), [[1, 1], [2], [1]]), (([],), [])],
)
def group_runs(items: list[Any]) -> list[list[Any]]:
    """The list cut into runs of equal neighbours."""
    return [list(run) for _, run in groupby(items)]


@group_runs.columnar
def _(items: Lists) -> Column:
    child = items.items
    new = _run_starts(items)
    cuts = np.flatnonzero(new)
    inner = Lists(np.append(cuts, len(child)).astype(np.int64), child)
    return Lists(offsets_from(np.bincount(items.parents[cuts], minlength=len(items))), inner)


def _run_starts(items: Lists) -> Any:
    """For each item whether it begins a run, [number of items]."""
    ids, parents = identify(items.items), items.parents
    new = np.ones(len(ids), np.bool_)
    new[1:] = (ids[1:] != ids[:-1]) | (parents[1:] != parents[:-1])
    return new


@primitive("list[a] -> list[a] where a: eq", cost=2, examples=[(([1, 1, 2, 2, 1],), [1, 2, 1]), (([],), [])])
def dedup_runs(items: list[Any]) -> list[Any]:
    """The list with one item for each run of equal neighbours."""
    return [item for item, _ in groupby(items)]


@dedup_runs.columnar
def _(items: Lists) -> Column:
    kept = np.flatnonzero(_run_starts(items))
    offsets = offsets_from(np.bincount(items.parents[kept], minlength=len(items)))
    return Lists(offsets, items.items.take(kept))


@primitive(
    "list[a], a -> list[list[a]] where a: eq",
    cost=2,
    examples=[(([1, 0, 2, 3, 0], 0), [[1], [2, 3], []]), (([], 0), [[]])],
)
def split_list(items: list[Any], item: Any) -> list[list[Any]]:
    """The parts of a list between the places where an item stands."""
    parts: list[list[Any]] = [[]]
    for each in items:
        if each == item:
            parts.append([])
        else:
            parts[-1].append(each)
    return parts


subroutine(
    "run_lengths",
    "list[a] -> list[int] where a: eq",
    "items",
    "map(run => length(run), group_runs(items))",
    doc="The lengths of the runs of equal neighbours.",
    cost=2,
    examples=[(([1, 1, 2, 1],), [2, 1, 1])],
)
subroutine(
    "run_length_encode",
    "list[a] -> list[pair[a, int]] where a: eq",
    "items",
    "map(run => pair(first(run), length(run)), group_runs(items))",
    doc="Each run of equal neighbours as its item and its length.",
    cost=2,
    examples=[((["a", "a", "b"],), [("a", 2), ("b", 1)])],
)
subroutine(
    "run_length_decode",
    "list[pair[a, int]] -> list[a]",
    "runs",
    "flat_map(run => repeat(left(run), right(run)), runs)",
    doc="Items, each so many times.",
    cost=3,
    examples=[(([("a", 2), ("b", 1)],), ["a", "a", "b"])],
)
subroutine(
    "longest_run",
    "list[a] -> int where a: eq",
    "items",
    "max_or(run_lengths(items), 0)",
    doc="The length of the longest run of equal neighbours.",
    cost=2,
    examples=[(([1, 1, 2],), 2), (([],), 0)],
)
subroutine(
    "character_runs",
    "text -> list[text]",
    "text",
    "map(run => concat_texts(run), group_runs(characters(text)))",
    doc="A text cut into runs of equal characters.",
    cost=3,
    examples=[(("aab",), ["aa", "b"])],
)
subroutine(
    "join_lists",
    "list[list[a]], a -> list[a]",
    "lists, item",
    "drop(flat_map(each => concat_lists([item], each), lists), 1)",
    doc="Lists end to end, with an item between them.",
    cost=3,
    examples=[(([[1], [2, 3]], 0), [1, 0, 2, 3]), (([], 0), [])],
)
