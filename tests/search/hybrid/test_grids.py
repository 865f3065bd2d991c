"""Grids of readings: their columns, folds over them, and programs found by labels alone."""

from __future__ import annotations

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.interpreter import evaluate
from meristem.language.text import format_term, parse_term
from meristem.search.enumeration._pools import FAIL
from meristem.search.hybrid import Effort, look_at, rank_known, rank_programs, reader_of, reading_problem
from meristem.search.hybrid.grid_folds import grid_leaves
from meristem.types import INT, list_of, parse_type
from meristem.values import Dense, Lists, column_from, offsets_from

GRID = list_of(list_of(INT))
SMALL = Effort(levels=8, rows=40)
SIZES = [(1, 2), (1, 3), (2, 2), (2, 3), (3, 3)]


def cheapest(grid: list[list[int]]) -> int:
    best: dict[tuple[int, int], int] = {}
    for i, row in enumerate(grid):
        for j, cost in enumerate(row):
            before = [best[k] for k in ((i - 1, j), (i, j - 1)) if k in best]
            best[i, j] = cost + min(before, default=0)
    return best[len(grid) - 1, len(grid[0]) - 1]


def dearest(grid: list[list[int]]) -> int:
    return -cheapest([[-x for x in row] for row in grid])


def grids(count: int, classes: int, seed: int) -> list[list[list[int]]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, classes, SIZES[k % len(SIZES)]).tolist() for k in range(count)]


def test_shapes_and_columns_of_grids_go_together() -> None:
    look = look_at({"one": parse_type("image[1, 1, 1]"), "grid": parse_type("list[list[image[1, 1, 1]]]")})
    assert [place.depth for place in look.places] == [0, 2]
    assert look.types == {"one": INT, "grid": GRID}
    wanted = [[[1, 2]], [[3, 4], [5, 6]], [[7, 8, 9], [1, 2, 3], [4, 5, 6]]]
    image = Dense(parse_type("image[1, 1, 1]"), np.zeros((15, 1, 1, 1)))
    inner = offsets_from(np.array([len(row) for grid in wanted for row in grid]))
    column = Lists(offsets_from(np.array([len(grid) for grid in wanted])), Lists(inner, image))
    inputs = {"one": Dense(image.type, np.zeros((3, 1, 1, 1))), "grid": column}
    shapes = look.shapes(inputs)
    assert shapes.tolist() == [[1, 2, 0, 0], [1, 2, 2, 0], [1, 3, 3, 3]]
    flat = [np.array([0, *(x for row in grid for x in row)]) for grid in wanted]
    found = look.columns(shapes, np.concatenate(flat), offsets_from(shapes.sum(axis=1)))
    assert found["grid"].to_list() == wanted
    assert found["one"].to_list() == [0, 0, 0]
    # Also for some of them only, where offsets do not begin at 0.
    assert look.shapes({name: c.take(np.array([2, 0])) for name, c in inputs.items()}).tolist() == [
        [1, 3, 3, 3],
        [1, 2, 0, 0],
    ]


def test_a_program_over_a_grid_reads_each_cell() -> None:
    look = look_at({"x": parse_type("list[list[image[8, 8, 1]]]")})
    reader = reader_of(look.image, 4, "sight")
    term = look.over_images(parse_term("sum(flatten(x))"), reader)
    shown = format_term(term)
    assert "map(row => map(" in shown
    assert "class_number(convnet" in shown


def test_folds_over_grids_are_what_the_interpreter_says() -> None:
    rows = [*grids(40, 5, 1), [[3]], [[1], [2]]]
    column = column_from(rows, GRID)
    assert isinstance(column, Lists)
    leaves = grid_leaves("way", column, 5, 0)
    terms = {format_term(each.terms[0]): each for _, each in leaves}
    assert len(terms) == len(leaves) > 100
    shown = [
        text for text in terms if "minimum(one, other)" in text and "way_ + x" in text and ", 0, way" in text
    ]
    assert terms[min(shown, key=len)].ids[:, 0].tolist() == [cheapest(grid) for grid in rows]
    rng = np.random.default_rng(2)
    for k in rng.choice(len(leaves), 25, replace=False):
        own = leaves[k][1]
        done = evaluate(own.terms[0], {"way": column}, rows=len(rows), fuel=10**6)
        assert not done.failures.any()
        assert done.column.to_list() == own.ids[:, 0].tolist()


def test_uneven_and_empty_grids_have_no_folds() -> None:
    column = column_from([[[1, 2], [3]], [], [[4]]], GRID)
    assert isinstance(column, Lists)
    from meristem.search.hybrid.grid_folds import _run

    plus = np.add.outer(np.arange(129), np.arange(5)).clip(0, 128).astype(np.int32)[None]
    both = np.minimum.outer(np.arange(129), np.arange(129)).astype(np.int32)[None]
    assert _run(both, plus, column, 0).ravel().tolist() == [FAIL, FAIL, 4]


@pytest.mark.parametrize(
    ("truth", "join"), [(cheapest, "minimum"), pytest.param(dearest, "maximum", marks=pytest.mark.slow)]
)
def test_ways_through_a_grid_are_found_by_their_costs_alone(truth: object, join: str) -> None:
    assert callable(truth)
    data = grids(600, 5, 3)
    answers = column_from([truth(grid) for grid in data], INT)
    look = look_at({"grid": parse_type("list[list[image[1, 1, 1]]]")})
    inner = offsets_from(np.array([len(row) for grid in data for row in grid]))
    images = Dense(look.image, np.zeros((int(inner[-1]), 1, 1, 1)))
    column = Lists(offsets_from(np.array([len(grid) for grid in data])), Lists(inner, images))
    problem = reading_problem(look, {"grid": column}, answers, 5)
    assert [2, 2, 0] in problem.shapes.tolist()  # grids of one row say nothing about ways
    best = rank_programs(problem, effort=SMALL, seed=0).programs[0]
    assert f"fold_grid((one, other) => {join}(one, other), (way, x) => way + x, 0, grid)" == format_term(
        best.term
    )


def test_the_way_is_found_from_readings_too() -> None:
    data = grids(80, 10, 4)
    look = look_at({"grid": parse_type("list[list[image[1, 1, 1]]]")})
    answers = column_from([cheapest(grid) for grid in data], INT)
    found = rank_known(look, {"grid": column_from(data, GRID)}, answers, 10, effort=SMALL, seed=0)
    assert found.programs[0].right == 1.0
    assert "minimum(one, other)" in format_term(found.programs[0].term)
