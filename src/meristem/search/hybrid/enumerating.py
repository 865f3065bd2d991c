"""Programs over readings in the order of their cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Literal
from meristem.search.enumeration._blocks import Block, Leaves
from meristem.search.enumeration._grammar import Material, material_of
from meristem.search.enumeration._search import Search
from meristem.search.enumeration._settings import Settings
from meristem.search.hybrid.folds import fold_leaves
from meristem.search.hybrid.grid_folds import grid_leaves
from meristem.search.programs.problem import Problem
from meristem.types import INT, Type
from meristem.values import Column, Lists

COSTS: dict[str, int | None] = {
    # What is asked of a handful of things that are seen: totals, extremes, counts, order, repeats.
    "sum": 2,
    "max": 2,
    "min": 2,
    "length": 2,
    "first": 2,
    "last": 2,
    "sort": 2,
    "unique": 2,
    "product": 2,
    "count_of": 2,
    "contains": 2,
    "argmax": 3,
    "argmin": 3,
    "is_sorted": 3,
    "spread": 3,
    "most_common": 3,
    "sort_descending": 3,
    "group_runs": 3,
    "dedup_runs": 3,
    "lengths": 3,
    "longest": 4,
    "shortest": 4,
    "remainder": 2,
    "is_even": 2,
    "is_odd": 2,
    "less": 2,
    "less_equal": 2,
    "equal": 2,
    # Editing at a position: nothing that labels of seen things are made of.
    **dict.fromkeys(
        (
            "set_item",
            "swap_items",
            "insert_at",
            "remove_at",
            "repeat",
            "range",
            "append",
            "prepend",
            "concat_lists",
            "digits_of",
            "chunks",
            "windows",
            "transpose",
            "binary_search",
            "is_empty",
            "clamp",
            "power",
            "square",
            "sign",
            "increment",
            "decrement",
            "slice",
            "set_cell",
            "get_cell",
            "fixpoint",
            "mean_int",
            "interleave",
            "split_list",
            "rotate",
            "negate",
            "distance",
            "xor",
        )
    ),
}
"""Half bits of a use where readings are reasoned on; None leaves it out. What is not listed costs what it does."""
_GROWTH = 3  # as many programs a half bit, about
_CLASS_COST, _EDGE_COST, _DIGIT_COST = 2, 3, 3


@dataclass(frozen=True)
class Effort:
    """How far programs over readings are enumerated.

    Args:
        levels: The highest cost in half bits.
        kept: No higher cost is begun where more programs than this would be kept, going by three times as many a
            half bit. A count, and no time, so that what is found does not depend on the machine.
        most: Where the search stops keeping programs.
        rows: Readings that programs are told apart by.
    """

    levels: int = 12
    kept: int = 8_000
    most: int = 150_000
    rows: int = 110


USUAL = Effort()
FOR_GRIDS = Effort(kept=16_000)
"""What is asked of a grid is longer to say than what is asked of a list."""


def usual_effort(types: Mapping[str, Type]) -> Effort:
    """How far programs over readings of these types are enumerated where nothing else is said."""
    return FOR_GRIDS if any(t.name == "list" and t.item.name == "list" for t in types.values()) else USUAL


class ReadingSearch(Search):
    """A search for programs over readings: no goal, a prior of its own, folds as leaves.

    Args:
        inputs: Readings, a column [R] a variable.
        answers: Any column [R] of the type of the answers.
        classes: K.
        effort: How far.
        seed: Source of randomness.
    """

    def __init__(
        self, inputs: Mapping[str, Column], answers: Column, classes: int, effort: Effort, seed: int = 0
    ) -> None:
        settings = Settings(
            most=effort.most,
            bodies=1200,
            rows=6 * len(answers),
            sources=3,
            conditionals=False,
            inverses=False,
            levels=effort.levels,
        )
        problem = Problem(inputs, answers)
        super().__init__(problem, settings, _material(problem, classes))
        self.folds: dict[int, list[Leaves]] = {}
        for name, column in inputs.items():
            if isinstance(column, Lists):
                make = grid_leaves if isinstance(column.items, Lists) else fold_leaves
                for cost, leaves in make(name, column, classes, seed):
                    self.folds.setdefault(cost, []).append(leaves)

    def _leaves(self, level: int) -> None:
        super()._leaves(level)
        for leaves in self.folds.get(level, ()):
            self.bank.add(INT, level, leaves.ids, leaves)

    @property
    def kept(self) -> int:
        """How many programs there are that differ in what they give."""
        return sum(len(block) for blocks in self.bank.blocks.values() for block in blocks.values())

    def answering(self, type_: Type) -> Iterator[Block]:
        """The blocks of programs of a type, cheapest first."""
        for _, block in sorted(self.bank.blocks.get(type_, {}).items()):
            yield block


def enumerate_readings(
    search: ReadingSearch,
    effort: Effort,
    deadline: float = float("inf"),
    enough: Callable[[int], bool] | None = None,
) -> int:
    """Run a search level by level; gives the cost up to which all programs are there.

    Args:
        search: The search.
        effort: How far.
        deadline: `time.monotonic()` time to end by.
        enough: Asked after each level, by its cost, whether to stop.
    """
    level = 0
    for _ in search.run():
        if search.closed > level:
            level = search.closed
            if enough is not None and enough(level):
                break
            if _GROWTH * search.kept > effort.kept:
                break
        if time.monotonic() > deadline:
            break
    return level


def programs_of(search: ReadingSearch, output: Type) -> tuple[list[tuple[Block, int]], NDArray[np.int32]]:
    """All programs of the type of the answers that look at every input, as block and position, and their ids [R, P]."""
    names = set(search.problem.types)
    found: list[tuple[Block, int]] = []
    columns = []
    for block in search.answering(output):
        varied = (block.ids != block.ids[:1]).any(axis=0)
        kept: list[int] = np.flatnonzero(varied).tolist()
        if len(names) > 1:
            kept = [k for k in kept if block.term(k).free_names >= names]
        found += [(block, k) for k in kept]
        columns.append(block.ids[:, kept])
    rows = len(search.problem)
    return found, np.concatenate(columns, axis=1) if columns else np.zeros((rows, 0), np.int32)


def _material(problem: Problem, classes: int) -> Material:
    """What programs over readings are made of, priced for what labels ask; a threshold or modulus may be any class."""
    material = material_of(problem)
    operations = []
    for op in material.operations:
        cost = COSTS.get(op.name, op.cost)
        if cost is not None:
            op.cost = cost
            operations.append(op)
    edges = {classes: _CLASS_COST, classes - 1: _EDGE_COST}
    constants = [
        (term, type_, min(cost, _DIGIT_COST) if _is_class(value, type_, classes) else cost, value)
        for term, type_, cost, value in material.constants
        if not (type_ == INT and value in edges)
    ]
    shown = {value for _, type_, _, value in constants if type_ == INT} | set(edges)
    constants += [(Literal(v, INT), INT, _DIGIT_COST, v) for v in range(classes) if v not in shown]
    constants += [(Literal(value, INT), INT, cost, value) for value, cost in edges.items()]
    return Material(material.types, operations, constants)


def _is_class(value: object, type_: Type, classes: int) -> bool:
    return type_ == INT and isinstance(value, int) and 0 <= value < classes


__all__ = [
    "COSTS",
    "FOR_GRIDS",
    "USUAL",
    "Effort",
    "ReadingSearch",
    "enumerate_readings",
    "programs_of",
    "usual_effort",
]
