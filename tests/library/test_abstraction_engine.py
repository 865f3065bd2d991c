"""Patterns in plain trees: the search and the rewriting against slow ones, and sets against greedy."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from meristem.library.abstraction._choice import Chooser, Limits
from meristem.library.abstraction._rewrite import (
    Pattern,
    definition_costs,
    find_matches,
    in_order,
    least_costs,
    rewritten,
    written_out,
)
from meristem.library.abstraction._search import Settings, plain_cost, search
from meristem.library.abstraction._trees import CLOSED, Costs, Forest, Label, View, key_of

Tree = tuple[Any, ...]  # (name, child, ...); parameters are ("#", index)
COSTS = Costs(call=3.0, argument=1.0, parameter=2.0, definition=1.0)
NAME = 4.0


def put(forest: Forest, tree: Tree) -> int:
    if tree[0] == "#":
        return forest.parameter(tree[1])
    return forest.node(forest.label(Label(tree[0], NAME)), tuple(put(forest, child) for child in tree[1:]))


def random_tree(rng: Random, depth: int) -> Tree:
    if depth == 0 or rng.random() < 0.25:
        return (rng.choice("ab"),)
    head = rng.choice(["f", "g", "h"])
    return (head, *(random_tree(rng, depth - 1) for _ in range({"f": 2, "g": 1, "h": 2}[head])))


# ------------------------------------------------------------------------------------ slow and plain


def match(pattern: Tree, tree: Tree, found: dict[int, Tree]) -> bool:
    if pattern[0] == "#":
        return found.setdefault(pattern[1], tree) == tree
    same = pattern[0] == tree[0] and len(pattern) == len(tree)
    return same and all(match(p, t, found) for p, t in zip(pattern[1:], tree[1:], strict=True))


def slow_cost(tree: Tree, patterns: list[Tree]) -> float:
    """The least cost of a tree, by trying everything at every node."""
    best = (2.0 if tree[0] == "#" else NAME) + sum(slow_cost(child, patterns) for child in inside_of(tree))
    for pattern in patterns:
        found: dict[int, Tree] = {}
        if match(pattern, tree, found):
            arguments = sum(slow_cost(a, patterns) for a in found.values())
            best = min(best, COSTS.of_call(len(found)) + arguments)
    return best


def parts(tree: Tree) -> list[Tree]:
    """Every tree inside; what stands in a mark or a parameter is none."""
    return [tree, *(inner for child in inside_of(tree) for inner in parts(child))]


def inside_of(tree: Tree) -> Tree:
    return () if tree[0] in "#?" else tree[1:]


def shapes(tree: Tree) -> list[Tree]:
    """A tree with any of its parts replaced by marks."""
    inside = [(tree[0], *inner) for inner in product(*(shapes(child) for child in tree[1:]))]
    return [*inside, ("?", tree)]


def number_marks(shape: Tree, arity: int) -> list[Tree]:
    """A shape with its marks numbered in every way that gives equal numbers to equal parts only."""
    marks = [part[1] for part in parts(shape) if part[0] == "?"]
    ways = []
    for numbers in product(range(arity), repeat=len(marks)):
        new = [n for i, n in enumerate(numbers) if n not in numbers[:i]]
        alike = all(
            marks[i] == marks[j] for i in range(len(marks)) for j in range(i) if numbers[i] == numbers[j]
        )
        if new == sorted(new) and new == list(range(len(new))) and alike:
            ways.append(numbered(shape, iter(numbers)))
    return ways


def numbered(shape: Tree, numbers: Any) -> Tree:
    if shape[0] == "?":
        return ("#", next(numbers))
    return (shape[0], *(numbered(child, numbers) for child in shape[1:]))


def slow_best(trees: list[Tree], arity: int) -> float:
    """The most that one pattern saves, by trying all."""
    before = sum(slow_cost(tree, []) for tree in trees)
    candidates = {
        pattern
        for tree in trees
        for part in parts(tree)
        for shape in shapes(part)
        if shape[0] != "?"
        for pattern in number_marks(shape, arity)
    }
    best = 0.0
    for pattern in candidates:
        tasks = sum(any(match(pattern, part, {}) for part in parts(tree)) for tree in trees)
        if tasks > 1:
            after = sum(slow_cost(tree, [pattern]) for tree in trees)
            best = max(best, before - after - slow_cost(pattern, []) - COSTS.definition)
    return best


# ------------------------------------------------------------------------------------ tests


@pytest.mark.parametrize("seed", range(12))
def test_search_finds_the_best_pattern(seed: int) -> None:
    rng = Random(seed)
    trees = [random_tree(rng, 3) for _ in range(4)]
    trees = [tree for tree in trees if len(parts(tree)) <= 9] or [("f", ("a",), ("b",))]
    forest = Forest(COSTS)
    roots = [put(forest, tree) for tree in trees]
    view = View(forest, roots)
    for arity in (0, 1, 2):
        for lookahead in (True, False):
            settings = Settings(arity=arity, keep=1, lookahead=lookahead)
            found = search(view, np.ones(len(roots)), range(len(roots)), settings)
            assert found.complete
            saving = found.candidates[0].saving if found.candidates else 0.0
            assert saving == pytest.approx(slow_best(trees, arity))


@pytest.mark.parametrize("seed", range(8))
def test_rewriting_is_the_shortest_and_writes_back(seed: int) -> None:
    rng = Random(seed)
    trees = [random_tree(rng, 4) for _ in range(5)]
    patterns: list[Tree] = [
        ("f", ("#", 0), ("a",)),
        ("g", ("f", ("#", 0), ("#", 1))),
        ("h", ("#", 0), ("#", 0)),
        ("f", ("g", ("#", 0)), ("#", 1)),
    ]
    forest = Forest(COSTS)
    roots = [put(forest, tree) for tree in trees]
    known = [Pattern(put(forest, p), len({q[1] for q in parts(p) if q[0] == "#"})) for p in patterns]
    view = View(forest, [*roots, *(p.body for p in known)])
    matches = [find_matches(view, p) for p in known]
    cost = least_costs(view, [(m, (0,)) for m in matches] + [(matches[0], (1,))], 2)
    for tree, place in zip(trees, view.roots, strict=False):
        assert cost[place, 0] == pytest.approx(slow_cost(tree, patterns))
        assert cost[place, 1] == pytest.approx(slow_cost(tree, patterns[:1]))
    roots_there = [int(p) for p in view.roots[: len(roots)]]
    written, bodies = rewritten(view, known, matches, roots_there)
    for node, place in zip(written, roots_there, strict=True):
        assert plain_cost(forest, node) == pytest.approx(cost[place, 0])
    memo: dict[int, int] = {}
    assert [written_out(forest, node, memo) for node in [*written, *bodies]] == [
        *roots,
        *(p.body for p in known),
    ]


def test_a_body_may_stand_in_another_as_it_is() -> None:
    """The inner pattern with the same parameters is a part of the outer body, and is called there."""
    forest = Forest(COSTS)
    inner: Tree = ("f", ("g", ("g", ("#", 0))), ("g", ("g", ("b",))))
    outer: Tree = ("h", inner, ("g", ("a",)))
    patterns = [Pattern(put(forest, inner), 1), Pattern(put(forest, outer), 1)]
    constant = Pattern(put(forest, ("g", ("g", ("b",)))), 0)
    patterns.append(constant)
    view = View(forest, [p.body for p in patterns])
    matches = [find_matches(view, p) for p in patterns]
    _, bodies = rewritten(view, patterns, matches, [])
    called = [{key_of(forest, n) for n in forest.inside((body,))} for body in bodies]
    assert ("call", patterns[0].body) in called[1]
    assert ("call", constant.body) in called[0]
    assert not any(key[0] == "call" for key in called[2])
    cost = least_costs(view, [(m, (0,)) for m in matches])
    own = definition_costs(view, [(p, m, (0,)) for p, m in zip(patterns, matches, strict=True)], cost)
    assert [own[p][0] for p in patterns] == [plain_cost(forest, body) for body in bodies]


def bound(forest: Forest, index: int) -> int:
    return forest.node(forest.label(Label(("bound", index), NAME, bound=index)))


def binder(forest: Forest, body: int, width: int = 1) -> int:
    return forest.node(forest.label(Label(("binder", width), NAME, (width,))), (body,))


def test_free_indices_and_shifts() -> None:
    forest = Forest(COSTS)
    pair = forest.label(Label("pair", NAME))
    inside = forest.node(pair, (bound(forest, 0), bound(forest, 3)))
    assert forest.low[inside] == 0
    once = binder(forest, inside)
    assert forest.low[once] == 2
    assert forest.low[binder(forest, once, 3)] == CLOSED
    moved = forest.shift(once, 4)
    assert forest.low[moved] == 6
    assert forest.shift(moved, -4) == once
    body = binder(forest, forest.node(pair, (forest.parameter(0), bound(forest, 0))))
    assert forest.put(body, [bound(forest, 1)]) == binder(
        forest, forest.node(pair, (bound(forest, 2), bound(forest, 0)))
    )


def test_arguments_do_not_take_bound_names_along() -> None:
    """`x => f(x, a)` and `x => f(x, g(x))` share no body with a parameter for `a` and `g(x)`."""
    forest = Forest(COSTS)
    f, g = (forest.label(Label(name, NAME)) for name in "fg")
    a, b = (forest.node(forest.label(Label(name, NAME))) for name in "ab")

    def program(argument: int) -> int:
        return binder(forest, forest.node(f, (bound(forest, 0), argument)))

    pattern = Pattern(program(forest.parameter(0)), 1)
    captured = forest.node(g, (bound(forest, 0),))
    outer = binder(forest, program(forest.node(g, (bound(forest, 1),))))
    view = View(forest, [program(a), program(b), program(captured), outer, pattern.body])
    matches = find_matches(view, pattern)
    found = dict(zip(view.nodes[matches.places], view.nodes[matches.arguments[:, 0]], strict=True))
    del found[pattern.body]
    inner = forest.children_of[outer][0]  # one binder further out `g` is of index 0
    assert found == {program(a): a, program(b): b, inner: captured}
    written, _ = rewritten(view, [pattern], [matches], [int(view.roots[3])])
    assert written_out(forest, written[0], {}) == outer


def test_what_may_fail_is_not_moved_out_of_a_branch() -> None:
    forest = Forest(COSTS)
    choice = forest.label(Label("if", NAME, lazy=(False, True, True)))
    risky, test = (forest.node(forest.label(Label(n, NAME))) for n in ("risky", "test"))
    constant = forest.node(forest.label(Label("constant", NAME, safe=True)))
    kept = forest.node(choice, (test, constant, risky))
    pattern = Pattern(forest.node(choice, (forest.parameter(0), forest.parameter(1), risky)), 2)
    refused = forest.node(choice, (test, risky, risky))
    view = View(forest, [kept, refused])
    assert view.nodes[find_matches(view, pattern).places].tolist() == [kept]


def corpus(seed: int) -> tuple[Forest, list[int]]:
    """Programs made of a few hidden templates, put into each other."""
    rng = Random(seed)
    forest = Forest(COSTS)
    templates = [random_tree(rng, 4) for _ in range(5)]

    def grown(tree: Tree, depth: int) -> Tree:
        if len(tree) == 1 and depth and rng.random() < 0.4:
            return grown(rng.choice(templates), depth - 1)
        return (tree[0], *(grown(child, depth) for child in tree[1:]))

    return forest, [put(forest, grown(rng.choice(templates), 2)) for _ in range(20)]


def chosen_total(seed: int, rounds: int, surplus: int) -> float:
    forest, roots = corpus(seed)
    limits = Limits(count=3, rounds=rounds, surplus=surplus)
    chooser = Chooser(forest, roots, [1.0] * len(roots), range(len(roots)), limits)
    choice = chooser.written(chooser.choose())
    assert len(choice.patterns) <= 3
    assert choice.total == pytest.approx(chooser.lengths([tuple(choice.patterns)])[0])
    memo: dict[int, int] = {}
    assert [written_out(forest, tree, memo) for tree in choice.programs] == roots
    assert [written_out(forest, tree, memo) for tree in choice.bodies] == [p.body for p in choice.patterns]
    return choice.total


def test_exchanges_are_never_worse_than_greedy_and_may_be_better() -> None:
    better = 0
    for seed in (0, 4):  # in the second one choice of greedy is wrong
        greedy = chosen_total(seed, rounds=0, surplus=0)
        exchanged = chosen_total(seed, rounds=3, surplus=2)
        assert exchanged <= greedy + 1e-9
        better += exchanged < greedy - 1e-9
    assert better


def test_a_set_is_shorter_than_none_and_ends_in_time() -> None:
    forest, roots = corpus(0)
    chooser = Chooser(forest, roots, [1.0] * len(roots), range(len(roots)), Limits(), stop=lambda: True)
    choice = chooser.written(chooser.choose())
    assert choice.patterns == []
    assert choice.after == choice.before


def test_parameters_are_numbered_as_they_come() -> None:
    forest = Forest(COSTS)
    body = put(forest, ("f", ("#", 1), ("h", ("#", 0), ("#", 1))))
    assert in_order(forest, body, 2) == Pattern(put(forest, ("f", ("#", 0), ("h", ("#", 1), ("#", 0)))), 2)
