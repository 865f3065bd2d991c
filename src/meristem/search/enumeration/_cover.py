"""Conditionals by divide and conquer: programs that are right on some rows, joined by tests that tell them apart.

After Alur, Radhakrishna and Udupa, "Scaling enumerative program synthesis via divide and conquer" (TACAS 2017). Which
program solves which row, and which test holds where, are bit matrices; that a program solves all rows on one side of a
test is one entry of their product, so all (program, test) pairs are looked at in a matrix multiplication.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]

IF_COST = 3
LONELY = 6
"""What a branch costs more that rests on one row alone: it may just copy that row's answer."""


_WIDTH = (0, 0, 8, 5)
"""By depth: how many tests are tried whose one side needs a tree of its own."""


@dataclass(frozen=True)
class Leaf:
    """One program for all rows."""

    program: int
    cost: int


@dataclass(frozen=True)
class Split:
    """Rows where a test holds go one way, the others the other way."""

    test: int
    then: Tree
    otherwise: Tree
    cost: int


Tree = Leaf | Split


@dataclass
class Programs:
    """Programs by what they solve: of those that solve the same rows only the cheapest.

    Args:
        solved: Shape [N, P].
        costs: Shape [N].
        origin: Where each comes from.
    """

    solved: BoolArray
    costs: NDArray[np.int64]
    origin: list[Any]


@dataclass
class Tests:
    """Boolean programs: where they hold and where they do not [M, P] (neither where they fail), and costs [M]."""

    holds: BoolArray
    fails: BoolArray
    costs: NDArray[np.int64]
    origin: list[Any]


def distinct(matrix: BoolArray) -> NDArray[np.int64]:
    """Positions of the first of each distinct row, in order."""
    packed = np.ascontiguousarray(np.packbits(matrix, axis=1))
    view = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    positions: NDArray[np.int64] = np.sort(np.unique(view, return_index=True)[1])
    return positions


def best_tree(
    programs: Programs,
    tests: Tests,
    rows: BoolArray,
    most: float = np.inf,
    depth: int = 3,
    groups: NDArray[np.int64] | None = None,
) -> Tree | None:
    """The cheapest decision tree found that solves all `rows` [P].

    Args:
        programs: What may stand at a leaf.
        tests: What may stand at a split.
        rows: Which rows count.
        most: Only trees below this cost.
        depth: The most splits from top to bottom.
        groups: For each row what it belongs to [P]: a branch rests on so many groups. Each row for itself if None.
    """
    if not programs.solved[:, rows].any(axis=0).all():
        return None  # a row that no program solves
    alone = (~programs.solved[:, rows]).sum(axis=1) == 0
    best: Tree | None = None
    if alone.any():
        index = int(np.flatnonzero(alone)[np.argmin(programs.costs[alone])])
        if programs.costs[index] < most:
            best, most = Leaf(index, int(programs.costs[index])), float(programs.costs[index])
    if depth == 0 or not len(tests.costs):
        return best
    unsolved = (~programs.solved[:, rows]).astype(np.float32)
    holds, fails = tests.holds[:, rows], tests.fails[:, rows]
    whole = (
        (holds | fails).all(axis=1) & holds.any(axis=1) & fails.any(axis=1) & (tests.costs + IF_COST < most)
    )
    index_of = np.flatnonzero(whole)
    if not len(index_of):
        return best
    holds, fails = holds[index_of], fails[index_of]
    then, then_cost = _cheapest(unsolved, holds, programs.costs)
    other, other_cost = _cheapest(unsolved, fails, programs.costs)
    penalty = LONELY * (
        (_support(holds, groups, rows) < 2).astype(np.int64) + (_support(fails, groups, rows) < 2)
    )
    costs = tests.costs[index_of] + IF_COST + then_cost + other_cost + penalty
    k = int(np.argmin(costs))
    if costs[k] < most:
        most = float(costs[k])
        best = Split(
            int(index_of[k]),
            Leaf(int(then[k]), int(then_cost[k])),
            Leaf(int(other[k]), int(other_cost[k])),
            int(most),
        )
    if depth > 1:
        # One side is solved by one program; the other gets a tree of its own. The most rows solved go first.
        one = np.minimum(then_cost, other_cost)
        half = np.flatnonzero(np.isfinite(one) & ~np.isfinite(np.maximum(then_cost, other_cost)))
        if len(half):
            solved = np.where(np.isfinite(then_cost[half]), holds[half].sum(axis=1), fails[half].sum(axis=1))
            worth = tests.costs[index_of[half]] + one[half] - 16.0 * solved / max(1, rows.sum())
            order = np.argsort(worth, kind="stable")[: _WIDTH[min(depth, 3)]]
            for k in half[order].tolist():
                test = int(index_of[k])
                left = bool(np.isfinite(then_cost[k]))
                rest = rows.copy()
                rest[rows] = fails[k] if left else holds[k]
                side = holds[k] if left else fails[k]
                lonely = LONELY * int(_support(side[None], groups, rows)[0] < 2)
                spent = tests.costs[test] + IF_COST + one[k] + lonely
                sub = best_tree(programs, tests, rest, most - spent, depth - 1, groups)
                if sub is not None and spent + sub.cost < most:
                    most = float(spent + sub.cost)
                    leaf = Leaf(int(then[k] if left else other[k]), int(one[k]))
                    best = Split(test, leaf if left else sub, sub if left else leaf, int(most))
    return best


def _cheapest(
    unsolved: NDArray[np.float32], sides: BoolArray, costs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each side [M, P] the cheapest program that solves all of it, and its cost; infinite where none does."""
    order = np.argsort(costs, kind="stable")
    solves = (unsolved[order] @ sides.T.astype(np.float32)) == 0  # [N, M]
    first = np.argmax(solves, axis=0)
    there = solves[first, np.arange(solves.shape[1])]
    return order[first], np.where(there, costs[order[first]].astype(np.float64), np.inf)


def _support(sides: BoolArray, groups: NDArray[np.int64] | None, rows: BoolArray) -> NDArray[np.int64]:
    if groups is None:
        counted: NDArray[np.int64] = sides.sum(axis=1)
        return counted
    of = groups[rows]
    count = np.zeros(len(sides), np.int64)
    for group in np.unique(of).tolist():
        count += sides[:, of == group].any(axis=1)
    return count


__all__ = ["IF_COST", "LONELY", "Leaf", "Programs", "Split", "Tests", "Tree", "best_tree", "distinct"]
