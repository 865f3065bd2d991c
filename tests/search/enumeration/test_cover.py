"""Decision trees over programs and tests, against every tree there is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from meristem.search.enumeration._cover import (
    IF_COST,
    LONELY,
    Leaf,
    Programs,
    Split,
    Tree,
    best_tree,
    distinct,
)
from meristem.search.enumeration._cover import Tests as Predicates  # pytest would collect the name

Matrix = NDArray[np.bool_]


def tables(seed: int, programs: int, tests: int, rows: int) -> tuple[Programs, Predicates]:
    rng = np.random.default_rng(seed)
    holds = rng.random((tests, rows)) < 0.5
    unknown = (rng.random((tests, rows)) < 0.15) & (rng.random(tests) < 0.3)[:, None]
    return (
        Programs(rng.random((programs, rows)) < 0.45, rng.integers(1, 12, programs), list(range(programs))),
        Predicates(holds & ~unknown, ~holds & ~unknown, rng.integers(1, 12, tests), list(range(tests))),
    )


def support(side: Matrix, groups: NDArray[np.int64]) -> int:
    return len(set(groups[side].tolist()))


def cheapest(
    programs: Programs, tests: Predicates, rows: Matrix, groups: NDArray[np.int64], depth: int
) -> float:
    """The cost of the best tree, by trying all. A branch that rests on one group costs more; the whole does not."""

    def best(side: Matrix, depth: int, branch: bool) -> float:
        leaves = [c for s, c in zip(programs.solved, programs.costs.tolist(), strict=True) if s[side].all()]
        found = min(leaves, default=np.inf) + (LONELY if branch and support(side, groups) < 2 else 0)
        if depth:
            for holds, fails, cost in zip(tests.holds, tests.fails, tests.costs.tolist(), strict=True):
                a, b = side & holds, side & fails
                if a.any() and b.any() and not (side & ~a & ~b).any():
                    split = cost + IF_COST + best(a, depth - 1, True) + best(b, depth - 1, True)
                    found = min(found, split)
        return found

    return best(rows, depth, False)


def hold(tree: Tree, programs: Programs, tests: Predicates, side: Matrix) -> None:
    """See that a tree solves rows."""
    if isinstance(tree, Leaf):
        assert programs.solved[tree.program][side].all()
        assert programs.costs[tree.program] == tree.cost
        return
    a, b = side & tests.holds[tree.test], side & tests.fails[tree.test]
    assert a.any()
    assert b.any()
    assert (a | b)[side].all()
    hold(tree.then, programs, tests, a)
    hold(tree.otherwise, programs, tests, b)


def cost_of(
    tree: Tree, tests: Predicates, side: Matrix, groups: NDArray[np.int64], branch: bool = False
) -> int:
    """What a tree costs, from its parts."""
    if isinstance(tree, Leaf):
        return tree.cost + (LONELY if branch and support(side, groups) < 2 else 0)
    a, b = side & tests.holds[tree.test], side & tests.fails[tree.test]
    below = cost_of(tree.then, tests, a, groups, True) + cost_of(tree.otherwise, tests, b, groups, True)
    return int(tests.costs[tree.test]) + IF_COST + below


CASES = list(product(range(25), (3, 6)))


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("depth", [0, 1])
def test_one_split_is_the_best_there_is(depth: int, grouped: bool) -> None:
    found = 0
    for seed, count in CASES:
        programs, tests = tables(seed, 12, 9, count)
        groups = np.arange(count) // 2 if grouped else np.arange(count)
        rng = np.random.default_rng(seed)
        for rows in (np.ones(count, np.bool_), rng.random(count) < 0.7):
            if not rows.any():
                continue
            expected = cheapest(programs, tests, rows, groups, depth)
            tree = best_tree(programs, tests, rows, depth=depth, groups=groups if grouped else None)
            assert (np.inf if tree is None else tree.cost) == expected
            if tree is not None:
                found += isinstance(tree, Split)
                hold(tree, programs, tests, rows)
                assert best_tree(programs, tests, rows, tree.cost, depth, groups if grouped else None) is None
    assert found > 20 or depth == 0


@pytest.mark.parametrize("depth", [2, 3])
def test_deeper_trees_solve_all_rows_and_are_no_worse(depth: int) -> None:
    """These are searched greedily: never worse than a shallower one, mostly the best."""
    best = deeper = 0
    for seed, count in CASES:
        programs, tests = tables(seed, 12, 9, count)
        rows, groups = np.ones(count, np.bool_), np.arange(count)
        tree = best_tree(programs, tests, rows, depth=depth)
        shallow = cheapest(programs, tests, rows, groups, 1)
        if tree is None:
            assert shallow == np.inf
            continue
        hold(tree, programs, tests, rows)
        assert tree.cost <= shallow
        exact = cheapest(programs, tests, rows, groups, depth)
        best += tree.cost <= exact
        deeper += tree.cost < shallow
    assert best > 0.7 * len(CASES)
    assert deeper > 2


def test_the_cost_of_a_deep_tree_is_that_of_its_parts() -> None:
    for seed, count in CASES:
        programs, tests = tables(seed, 12, 9, count)
        rows, groups = np.ones(count, np.bool_), np.arange(count)
        tree = best_tree(programs, tests, rows, depth=3)
        if tree is not None:
            assert tree.cost == cost_of(tree, tests, rows, groups)


def test_a_row_that_no_program_solves_has_no_tree() -> None:
    programs, tests = tables(0, 8, 8, 5)
    programs.solved[:, 3] = False
    assert best_tree(programs, tests, np.ones(5, np.bool_)) is None
    assert best_tree(programs, tests, np.arange(5) == 3) is None


def test_no_tests() -> None:
    programs, _ = tables(0, 8, 8, 4)
    programs.solved[5] = True
    none = Predicates(np.empty((0, 4), np.bool_), np.empty((0, 4), np.bool_), np.empty(0, np.int64), [])
    whole = programs.solved.all(axis=1)
    tree = best_tree(programs, none, np.ones(4, np.bool_))
    assert isinstance(tree, Leaf)
    assert tree.cost == programs.costs[whole].min()


@pytest.mark.parametrize("width", [1, 7, 8, 9, 70])
def test_distinct_rows_are_the_first_of_each(width: int) -> None:
    rng = np.random.default_rng(width)
    matrix = rng.random((40, width)) < 0.5
    matrix = matrix[rng.integers(0, 40, 200)]
    seen: dict[tuple[bool, ...], int] = {}
    for k, row in enumerate(matrix.tolist()):
        seen.setdefault(tuple(row), k)
    assert distinct(matrix).tolist() == sorted(seen.values())
