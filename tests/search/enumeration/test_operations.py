"""What a search computes with ids is what the vocabulary means: every operation, on arguments of all sorts."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.contract import same_value
from meristem.language.generate import random_value
from meristem.search.enumeration._grammar import operations, types_at_hand
from meristem.search.enumeration._list_kernels import ANY_ITEMS, INT_ITEMS, list_kernel
from meristem.search.enumeration._operations import (
    BOOL_KERNELS,
    ID_KERNELS,
    INT_KERNELS,
    Operation,
    kernel_of,
)
from meristem.search.enumeration._pools import FAIL, MAX_INT, MAX_LENGTH, ListPool, Pools
from meristem.types import Type, parse_type
from meristem.values import column_from
from plain_enumerator import FAILED, NATIVE, meaning_of

Args = tuple[Any, ...]


def grammar(*types: str) -> dict[str, Operation]:
    given = [parse_type(text) for text in types]
    found = operations(types_at_hand(given[:-1], given[-1]), ["Ada-Lovelace 1815, x@y.org (NY) 3.5"])
    return {
        f"{op.name}({', '.join(map(str, op.arguments))}){dict(op.bound) or ''}": op
        for op in found
        if op.result.name not in ("pair", "option")  # plain enumeration knows no failing inside of those
    }


OPERATIONS = grammar("list[int]", "list[bool]") | grammar("text", "list[text]", "int")
KERNELS = {name: op for name, op in OPERATIONS.items() if op.kernel or op.list_kernel}
OTHERS = {name: op for name, op in OPERATIONS.items() if name not in KERNELS}

EDGES: dict[str, list[Any]] = {
    "int": [
        0,
        1,
        -1,
        2,
        3,
        -2,
        7,
        -7,
        10,
        MAX_INT - 1,
        1 - MAX_INT,
        2**16,
        -(2**15),
        MAX_LENGTH,
        MAX_LENGTH + 1,
    ],
    "bool": [True, False],
    "text": ["", "a", " ", "ab ab", "\n", "é", "\U0001f600", "x" * 4 * MAX_LENGTH],
    "list[int]": [
        [],
        [0],
        [5, 5, 5],
        [3, 1, 2],
        [-1],
        list(range(MAX_LENGTH)),
        [MAX_INT - 1] * 3,
        [1 - MAX_INT],
    ],
    "list[bool]": [[], [True], [False] * MAX_LENGTH],
    "list[text]": [[], [""], ["b", "a", "b"], ["x"] * MAX_LENGTH],
    "list[list[int]]": [[], [[]], [[1], [], [1]], [[1]] * MAX_LENGTH],
}


def value_of(rng: Random, type_: Type, smaller: bool = False) -> Any:
    """Any value; or one of few, so that arguments have to do with one another."""
    if type_.name == "int" and (smaller or rng.random() < 0.5):
        return rng.randint(-3, 9)
    if type_.name == "list" and (smaller or rng.random() < 0.7):
        return [value_of(rng, type_.item, True) for _ in range(rng.randint(0, 7))]
    if type_.name == "text" and (smaller or rng.random() < 0.5):
        return "".join(rng.choice("ab -1") for _ in range(rng.randint(0, 7)))
    if str(type_) in EDGES and rng.random() < 0.6:
        return rng.choice(EDGES[str(type_)])
    return random_value(rng, type_)


def hold(operation: Operation, rows: list[Args], pools: Pools, rng: Random, meaning: Any) -> int:
    """Hold an operation against its meaning; some arguments are failures. Gives how many results there were."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    ids = [
        pools[type_].intern(column_from(values, type_))
        for type_, values in zip(operation.arguments, columns, strict=True)
    ]
    for part in ids:
        part[[k for k in range(len(rows)) if rng.random() < 0.05]] = FAIL
    before = [part.copy() for part in ids]
    found = operation.apply(pools, *ids)
    assert found.dtype == np.int32
    assert all((a == b).all() for a, b in zip(ids, before, strict=True)), "arguments are not to be changed"
    there = np.flatnonzero(found != FAIL)
    values = dict(zip(there.tolist(), pools[operation.result].column(found[there]).to_list(), strict=True))
    for k, row in enumerate(rows):
        expected = FAILED if any(part[k] == FAIL for part in ids) else meaning(*row)
        if expected is FAILED:
            assert k not in values, (operation.name, row, values[k])
        else:
            assert k in values, (operation.name, row, "no value", expected)
            assert same_value(values[k], expected), (operation.name, row, values[k], expected)
    return len(values)


def rows_for(operation: Operation, rng: Random, count: int) -> list[Args]:
    return [tuple(value_of(rng, t) for t in operation.arguments) for _ in range(count)]


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_say_what_the_vocabulary_means(name: str) -> None:
    operation, rng, pools = KERNELS[name], Random(name), Pools()
    meaning = meaning_of(operation, native=False)
    results = 0
    for count in (1, 80, 80):  # later arguments were met before
        results += hold(operation, rows_for(operation, rng, count), pools, rng, meaning)
    assert results > 20


def test_all_kernels_were_held() -> None:
    held = {op.name for op in KERNELS.values()}
    every = set(INT_KERNELS) | set(BOOL_KERNELS) | set(ID_KERNELS) | set(ANY_ITEMS) | set(INT_ITEMS)
    left_out = {"greater", "greater_equal"}  # the search says these with the arguments exchanged
    assert every - held == left_out
    for name in left_out:
        int_ = parse_type("int")
        operation = Operation(
            name, 1, (int_, int_), parse_type("bool"), 1, kernel=kernel_of(name, (int_, int_))
        )
        assert operation.kernel is not None
        rng = Random(name)
        meaning = meaning_of(operation, native=False)
        assert hold(operation, rows_for(operation, rng, 100), Pools(), rng, meaning) > 50


def test_kernels_at_other_items() -> None:
    """Kernels for lists of anything, at a type where an id is not the value."""
    rng = Random(5)
    texts, text = parse_type("list[text]"), parse_type("text")
    for name, arguments, result in (
        ("first", (texts,), text),
        ("get", (texts, parse_type("int")), text),
        ("prepend", (text, texts), texts),
        ("count_of", (texts, text), parse_type("int")),
        ("concat_lists", (texts, texts), texts),
    ):
        operation = Operation(name, 1, arguments, result, 1, list_kernel=list_kernel(name, arguments))
        assert operation.list_kernel is not None
        meaning = meaning_of(operation, native=False)
        assert hold(operation, rows_for(operation, rng, 150), Pools(), rng, meaning) > 20


@pytest.mark.parametrize("part", range(8))
def test_all_other_operations(part: int) -> None:
    """Those that run through the interpreter: what was met before is remembered rightly, for each argument."""
    rng, pools = Random(part), Pools()
    for operation in list(OTHERS.values())[part::8]:
        meaning = meaning_of(operation, native=False)
        rows = rows_for(operation, rng, 12)
        rows += [rng.choice(rows)[:1] + rng.choice(rows)[1:] for _ in range(8)]
        hold(operation, rows[:10], pools, rng, meaning)
        hold(operation, rows, pools, rng, meaning)


@pytest.mark.parametrize("name", sorted(NATIVE))
def test_plain_functions_of_the_benchmark_are_the_subroutines(name: str) -> None:
    """Plain enumeration is only a fair match where it does the same."""
    found = [op for op in OPERATIONS.values() if op.name == name]
    assert found
    for operation in found:
        rng = Random(name)
        plain, meaning = meaning_of(operation), meaning_of(operation, native=False)
        for row in rows_for(operation, rng, 60):
            assert same_value(plain(*row), meaning(*row)), row


def test_a_list_that_grows_too_long_fails_alone() -> None:
    pools = Pools()
    lists = parse_type("list[int]")
    concat = next(op for op in OPERATIONS.values() if op.name == "concat_lists" and op.arguments[0] == lists)
    a = pools[lists].intern(column_from([[1] * MAX_LENGTH, [2] * 10, []], lists))
    b = pools[lists].intern(column_from([[3], [3] * (MAX_LENGTH - 10), []], lists))
    found = concat.apply(pools, a, b)
    assert found[0] == FAIL
    pool = pools[lists]
    assert isinstance(pool, ListPool)
    assert pool.lengths(found[1:]).tolist() == [MAX_LENGTH, 0]
