"""Directed graphs. `graph[n, e]` is short for `map[n, list[pair[n, e]]]`: of each node the edges that leave it, each as
the node it leads to and what it carries (its weight). So a graph is a map, and all that works on maps works on it.

A node that only edges lead to counts as one without edges of its own; the functions that make graphs give it a key.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Any

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine

Graph = dict[Any, list[tuple[Any, Any]]]

_SQUARE = {"a": [("b", 1), ("c", 4)], "b": [("c", 1)], "c": [("a", 1)], "d": []}


@primitive(
    "list[pair[pair[n, n], e]] -> graph[n, e] where n: key",
    cost=2,
    examples=[
        (([(("a", "b"), 5), (("a", "c"), 2)],), {"a": [("b", 5), ("c", 2)], "b": [], "c": []}),
        (([((1, 2), 5), ((1, 2), 7)],), {1: [(2, 7)], 2: []}),
    ],
)
def weighted_graph(edges: list[tuple[tuple[Any, Any], Any]]) -> Graph:
    """A graph from edges with weights; of several edges between the same nodes the last counts."""
    graph: dict[Any, dict[Any, Any]] = {}
    for (start, stop), weight in edges:
        graph.setdefault(start, {})[stop] = weight
        graph.setdefault(stop, {})
    return {node: list(leaving.items()) for node, leaving in graph.items()}


@primitive(
    "graph[n, e] -> graph[n, e] where n: key",
    cost=2,
    examples=[(({"a": [("b", 5)]},), {"a": [], "b": [("a", 5)]})],
)
def reverse_edges(graph: Graph) -> Graph:
    """The graph with each edge the other way round."""
    turned: Graph = {node: [] for node in graph}
    for node, leaving in graph.items():
        for other, weight in leaving:
            turned.setdefault(other, []).append((node, weight))
    return turned


@primitive(
    "graph[n, e], n -> map[n, int] where n: key",
    cost=2,
    examples=[((_SQUARE, "b"), {"b": 0, "c": 1, "a": 2}), ((_SQUARE, "x"), EvaluationError)],
)
def steps_from(graph: Graph, start: Any) -> dict[Any, int]:
    """The nodes that edges lead to from a node, which must be there: near ones first, each with its number of steps."""
    if start not in graph:
        raise EvaluationError(Reason.NOT_FOUND)
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other, _ in graph.get(node, ()):
            if other not in steps:
                steps[other] = steps[node] + 1
                waiting.append(other)
    return steps


@primitive(
    "graph[n, e], n, n -> option[list[n]] where n: key, e: number",
    cost=2,
    examples=[
        ((_SQUARE, "a", "c"), ["a", "b", "c"]),
        ((_SQUARE, "a", "a"), ["a"]),
        ((_SQUARE, "a", "d"), None),
        ((_SQUARE, "x", "a"), None),
        (({1: [(2, -1)], 2: []}, 1, 2), EvaluationError),
    ],
)
def shortest_path(graph: Graph, start: Any, goal: Any) -> list[Any] | None:
    """The nodes along the way of least weight from one node to another, if there is a way. A negative weight fails."""
    if any(weight < 0 for leaving in graph.values() for _, weight in leaving):
        raise EvaluationError(Reason.DOMAIN)
    if start not in graph:
        return None
    before: dict[Any, Any] = {}
    least = {start: 0}
    done = set()
    waiting = [(0, 0, start)]  # Dijkstra's algorithm; the second number keeps nodes from being compared
    pushed = 0
    while waiting:
        cost, _, node = heapq.heappop(waiting)
        if node in done:
            continue
        done.add(node)
        if node == goal:
            path = [node]
            while node != start:
                node = before[node]
                path.append(node)
            return path[::-1]
        for other, weight in graph.get(node, ()):
            if other not in least or cost + weight < least[other]:
                least[other], before[other] = cost + weight, node
                pushed += 1
                heapq.heappush(waiting, (least[other], pushed, other))
    return None


@primitive(
    "graph[n, e] -> option[list[n]] where n: key",
    cost=3,
    examples=[(({"a": [("c", 1)], "b": [("a", 1)]},), ["b", "a", "c"]), ((_SQUARE,), None)],
)
def topological_order(graph: Graph) -> list[Any] | None:
    """The nodes in an order in which all edges lead forward, if there is one."""
    entering = dict.fromkeys(graph, 0)
    for leaving in graph.values():
        for other, _ in leaving:
            entering[other] = entering.get(other, 0) + 1
    waiting = deque([node for node, count in entering.items() if count == 0])
    order = []
    while waiting:
        node = waiting.popleft()
        order.append(node)
        for other, _ in graph.get(node, ()):
            entering[other] -= 1
            if entering[other] == 0:
                waiting.append(other)
    return order if len(order) == len(entering) else None


@primitive(
    "graph[n, e] -> list[list[n]] where n: key",
    cost=3,
    examples=[((_SQUARE,), [["a", "b", "c"], ["d"]]), (({},), [])],
)
def components(graph: Graph) -> list[list[Any]]:
    """The groups of nodes that edges join, whichever way they point, in the order in which they are met."""
    group: dict[
        Any, Any
    ] = {}  # of each node another of its group, nearer to the group's first (union and find)

    def first_of(node: Any) -> Any:
        while group[node] != node:
            group[node] = group[group[node]]
            node = group[node]
        return node

    for node, leaving in graph.items():
        group.setdefault(node, node)
        for other, _ in leaving:
            group.setdefault(other, other)
            group[first_of(other)] = first_of(node)
    found: dict[Any, list[Any]] = {}
    for node in group:
        found.setdefault(first_of(node), []).append(node)
    return list(found.values())


@primitive(
    "graph[n, e] -> list[pair[pair[n, n], e]] where n: key, e: number",
    cost=3,
    examples=[((_SQUARE,), [(("a", "b"), 1), (("b", "c"), 1)])],
)
def spanning_tree(graph: Graph) -> list[tuple[tuple[Any, Any], Any]]:
    """Edges of least weight that join all nodes that the graph joins, whichever way edges point; the lightest first."""
    group: dict[Any, Any] = {}

    def first_of(node: Any) -> Any:
        while group[node] != node:
            group[node] = group[group[node]]
            node = group[node]
        return node

    chosen = []
    edges = [((node, other), weight) for node, leaving in graph.items() for other, weight in leaving]
    for (node, other), weight in sorted(edges, key=lambda edge: edge[1]):  # Kruskal's algorithm
        one, two = (first_of(group.setdefault(each, each)) for each in (node, other))
        if one != two:
            group[one] = two
            chosen.append(((node, other), weight))
    return chosen


subroutine(
    "graph_of",
    "list[pair[n, n]] -> graph[n, int] where n: key",
    "edges",
    "weighted_graph(map(edge => pair(edge, 1), edges))",
    doc="A graph from edges, each from one node to another with the weight 1.",
    examples=[(([("a", "b"), ("a", "c")],), {"a": [("b", 1), ("c", 1)], "b": [], "c": []})],
)
subroutine(
    "graph_of_triples",
    "list[list[int]] -> graph[int, int]",
    "edges",
    "weighted_graph(map(edge => pair(pair(get(edge, 0), get(edge, 1)), get(edge, 2)), edges))",
    doc="A graph from lists of three whole numbers: a node, the node that an edge leads to, and its weight.",
    cost=3,
    examples=[(([[1, 2, 7]],), {1: [(2, 7)], 2: []}), (([[1]],), EvaluationError)],
)
subroutine(
    "graph_of_lists",
    "list[list[int]] -> graph[int, int]",
    "lists",
    "map_of(zip(range(0, length(lists)), map(leaving => map(node => pair(node, 1), leaving), lists)))",
    doc="A graph whose nodes are positions; each list has the positions that edges of weight 1 lead to.",
    cost=3,
    examples=[(([[1, 2], [], [0]],), {0: [(1, 1), (2, 1)], 1: [], 2: [(0, 1)]})],
)
subroutine(
    "edges",
    "graph[n, e] -> list[pair[pair[n, n], e]] where n: key",
    "graph",
    "flat_map(node => map(edge => pair(pair(left(node), left(edge)), right(edge)), right(node)), items(graph))",
    doc="All edges of a graph with their weights.",
    cost=2,
    examples=[(({"a": [("b", 5)], "b": []},), [(("a", "b"), 5)])],
)
subroutine(
    "edge_count",
    "graph[n, e] -> int where n: key",
    "graph",
    "length(flatten(values(graph)))",
    doc="The number of edges of a graph.",
    cost=2,
    examples=[((_SQUARE,), 4)],
)
subroutine(
    "neighbours",
    "graph[n, e], n -> list[n] where n: key",
    "graph, node",
    "map(edge => left(edge), map_get(graph, node))",
    doc="The nodes that edges lead to from a node, which must be there.",
    examples=[((_SQUARE, "a"), ["b", "c"]), ((_SQUARE, "x"), EvaluationError)],
)
subroutine(
    "degree",
    "graph[n, e], n -> int where n: key",
    "graph, node",
    "length(map_get(graph, node))",
    doc="How many edges leave a node, which must be there.",
    cost=2,
    examples=[((_SQUARE, "a"), 2), ((_SQUARE, "x"), EvaluationError)],
)
subroutine(
    "in_degree",
    "graph[n, e], n -> int where n: key",
    "graph, node",
    "degree(reverse_edges(graph), node)",
    doc="How many edges lead to a node, which must be there.",
    cost=2,
    examples=[((_SQUARE, "c"), 2), ((_SQUARE, "x"), EvaluationError)],
)
subroutine(
    "has_edge",
    "graph[n, e], n, n -> bool where n: key",
    "graph, start, stop",
    "has_key(graph, start) and any(edge => left(edge) == stop, map_get_or(graph, start, []))",
    doc="Whether an edge leads from one node to another.",
    cost=2,
    examples=[((_SQUARE, "a", "b"), True), ((_SQUARE, "b", "a"), False), ((_SQUARE, "x", "a"), False)],
)
subroutine(
    "edge_weight",
    "graph[n, e], n, n -> e where n: key",
    "graph, start, stop",
    "right(value(find(edge => left(edge) == stop, map_get(graph, start))))",
    doc="The weight of the edge from one node to another, which must be there.",
    cost=2,
    examples=[((_SQUARE, "a", "c"), 4), ((_SQUARE, "c", "b"), EvaluationError)],
)
subroutine(
    "add_edge",
    "graph[n, e], n, n, e -> graph[n, e] where n: key",
    "graph, start, stop, weight",
    "let leaving = filter(edge => left(edge) != stop, map_get_or(graph, start, [])) in "
    "let rest = map_get_or(graph, stop, []) in "
    "map_set(map_set(graph, stop, rest), start, append(leaving, pair(stop, weight)))",
    doc="The graph with one more edge, or another weight for it.",
    cost=3,
    examples=[(({"a": []}, "a", "b", 5), {"a": [("b", 5)], "b": []})],
)
subroutine(
    "undirected",
    "graph[n, e] -> graph[n, e] where n: key",
    "graph",
    "let both = weighted_graph(concat_lists(edges(reverse_edges(graph)), edges(graph))) in "
    "merge(map_values(leaving => take(leaving, 0), graph), both)",
    doc="The graph with an edge back for each edge that has none.",
    cost=2,
    examples=[(({"a": [("b", 5)], "c": []},), {"a": [("b", 5)], "c": [], "b": [("a", 5)]})],
)
subroutine(
    "reachable",
    "graph[n, e], n -> list[n] where n: key",
    "graph, start",
    "keys(steps_from(graph, start))",
    doc="The nodes that edges lead to from a node, itself first and near ones before far ones.",
    examples=[((_SQUARE, "b"), ["b", "c", "a"]), ((_SQUARE, "x"), EvaluationError)],
)
subroutine(
    "is_reachable",
    "graph[n, e], n, n -> bool where n: key",
    "graph, start, goal",
    "has_key(steps_from(graph, start), goal)",
    doc="Whether edges lead from one node to another.",
    cost=2,
    examples=[
        ((_SQUARE, "b", "a"), True),
        ((_SQUARE, "a", "d"), False),
        ((_SQUARE, "x", "a"), EvaluationError),
    ],
)
subroutine(
    "connected",
    "graph[n, e] -> bool where n: key",
    "graph",
    "length(components(graph)) <= 1",
    doc="Whether edges join all nodes, whichever way they point.",
    cost=2,
    examples=[((_SQUARE,), False), (({"a": [("b", 1)]},), True)],
)
subroutine(
    "path_cost",
    "graph[n, e], list[n] -> e where n: key, e: number",
    "graph, path",
    "sum(zip_with((start, stop) => edge_weight(graph, start, stop), path, drop(path, 1)))",
    doc="The sum of the weights along a way, whose edges must be there.",
    cost=3,
    examples=[((_SQUARE, ["a", "b", "c"]), 2), ((_SQUARE, ["b", "a"]), EvaluationError)],
)
subroutine(
    "path_length",
    "graph[n, e], n, n -> e where n: key, e: number",
    "graph, start, goal",
    "path_cost(graph, value(shortest_path(graph, start, goal)))",
    doc="The least sum of weights on a way from one node to another; there must be a way.",
    cost=2,
    examples=[((_SQUARE, "a", "c"), 2), ((_SQUARE, "a", "d"), EvaluationError)],
)
subroutine(
    "has_cycle",
    "graph[n, e] -> bool where n: key",
    "graph",
    "not is_some(topological_order(graph))",
    doc="Whether edges lead from some node back to itself.",
    cost=3,
    examples=[((_SQUARE,), True), (({"a": [("b", 1)]},), False)],
)
