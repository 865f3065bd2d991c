"""Graphs against brute force on random small ones, and their type."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest

import meristem.primitives  # noqa: F401
from meristem.errors import TypeMismatch
from meristem.language import VOCABULARY, evaluate, parse_term
from meristem.types import INT, REAL, graph_of, parse_type
from meristem.values import column_from

Edges = dict[tuple[int, int], int]


def random_edges(rng: Random) -> tuple[int, Edges]:
    size = rng.randint(1, 6)
    chance = rng.choice([0.1, 0.25, 0.5])
    pairs = [(a, b) for a in range(size) for b in range(size) if rng.random() < chance]
    rng.shuffle(pairs)
    return size, {pair: rng.randint(0, 5) for pair in pairs}


def least_costs(size: int, edges: Edges) -> dict[tuple[int, int], int]:
    """Floyd and Warshall's algorithm."""
    least = {**edges, **{(node, node): 0 for node in range(size)}}
    for middle in range(size):
        for a in range(size):
            for b in range(size):
                if (a, middle) in least and (middle, b) in least:
                    cost = least[a, middle] + least[middle, b]
                    least[a, b] = min(cost, least.get((a, b), cost))
    return least


def plain(name: str, *args: Any) -> Any:
    return VOCABULARY.find(name)(*args)  # type: ignore[operator]


def run(term: str, graph: Any, **more: int) -> Any:
    columns = {"g": column_from([graph], parse_type("graph[int, int]"))}
    columns.update({name: column_from([value], INT) for name, value in more.items()})
    result = evaluate(parse_term(term), columns)
    return result.to_list()[0]


@pytest.mark.parametrize("seed", range(40))
def test_paths_groups_and_orders(seed: int) -> None:
    size, edges = random_edges(Random(seed))
    graph: dict[int, list[tuple[int, int]]] = {node: [] for node in range(size)}
    graph.update(plain("weighted_graph", list(edges.items())))
    least, both = least_costs(size, edges), least_costs(size, {(b, a): 1 for a, b in edges} | edges)
    for a in range(size):
        steps = plain("steps_from", graph, a)
        assert set(steps) == {b for b in range(size) if (a, b) in least}
        assert list(steps.values()) == sorted(steps.values())
        for b in range(size):
            path = plain("shortest_path", graph, a, b)
            assert (path is None) == ((a, b) not in least)
            if path is not None:
                assert sum(edges[step] for step in pairwise(path)) == least[a, b]
                assert run("path_length(g, a, b)", graph, a=a, b=b) == least[a, b]
    groups = plain("components", graph)
    assert sorted(node for group in groups for node in group) == list(range(size))
    assert all(((a, b) in both) == any({a, b} <= set(group) for group in groups) for a, b in least)
    tree = plain("spanning_tree", graph)
    assert len(tree) == size - len(groups)
    assert len(plain("components", {n: [] for n in graph} | plain("weighted_graph", tree))) == len(groups)
    order = plain("topological_order", graph)
    cyclic = any((b, a) in least for a, b in edges)
    assert (order is None) == cyclic
    if order is not None:
        assert all(order.index(a) < order.index(b) for a, b in edges)
    back = run("edges(undirected(g))", graph)
    assert {pair for pair, _ in back} == set(edges) | {(b, a) for a, b in edges}


def test_the_type_of_graphs_is_short_for_a_map() -> None:
    assert (
        parse_type("graph[int, real]") == graph_of(INT, REAL) == parse_type("map[int, list[pair[int, real]]]")
    )
    with pytest.raises(TypeMismatch, match="2 type"):
        parse_type("graph[int]")
    with pytest.raises(TypeMismatch):
        evaluate(
            parse_term("graph_of(x)"), {"x": column_from([], parse_type("list[pair[list[int], list[int]]]"))}
        )
