"""Pools: a value keeps its id, an id gives its value, and what is too large has none."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.contract import same_value
from meristem.language.generate import random_value
from meristem.search.enumeration._pools import FAIL, MAX_INT, MAX_LENGTH, ListPool, Pools
from meristem.types import Type, parse_type
from meristem.values import column_from, hashable

TYPES = [
    "bool",
    "int",
    "real",
    "text",
    "datetime",
    "class['a', 'b', 'it''s']",
    "list[int]",
    "list[bool]",
    "list[real]",
    "list[text]",
    "list[list[int]]",
    "list[list[list[text]]]",
    "pair[int, text]",
    "pair[list[int], pair[bool, real]]",
    "list[pair[int, int]]",
    "option[int]",
    "option[text]",
    "option[list[option[int]]]",
    "list[option[text]]",
    "map[text, int]",
    "map[int, list[text]]",
    "list[map[text, int]]",
]


def small(type_: Type, value: Any) -> bool:
    """Whether a value is to be kept."""
    if type_.name == "int":
        return -MAX_INT < value < MAX_INT
    if type_.name == "list":
        return len(value) <= MAX_LENGTH and all(small(type_.item, item) for item in value)
    if type_.name == "pair":
        return all(small(t, v) for t, v in zip(type_.args, value, strict=True))
    if type_.name == "option":
        return value is None or small(type_.item, value)
    return True


def read(text: str) -> Type:
    if text.startswith("class"):
        return Type("class", params=("a", "b", "it's"))
    return parse_type(text)


@pytest.mark.parametrize("text", TYPES)
def test_values_come_back(text: str) -> None:
    type_, rng = read(text), Random(text)
    values = [random_value(rng, type_) for _ in range(300)]
    values += values[::-3]
    pools = Pools()
    pool = pools[type_]
    ids = pool.intern(column_from(values, type_))
    assert ids.dtype == np.int32
    kept = np.flatnonzero(ids != FAIL)
    assert kept.tolist() == [k for k, value in enumerate(values) if small(type_, value)]
    assert len(kept) > 100
    for value, back in zip([values[k] for k in kept], pool.column(ids[kept]).to_list(), strict=True):
        assert same_value(back, value)
    number: dict[Any, int] = {}
    for k in kept.tolist():  # equal values have equal ids, others have others
        assert number.setdefault(hashable(values[k]), int(ids[k])) == ids[k]
    assert len(set(number.values())) == len(number)
    hashes = pool.hashes(ids[kept])
    assert len(set(hashes.tolist())) == len(number)
    again = pool.intern(column_from(values[::-1], type_))
    assert again[::-1].tolist() == ids.tolist()


@pytest.mark.parametrize("text", TYPES)
def test_the_hash_of_a_failure_is_that_of_no_value(text: str) -> None:
    type_, rng = read(text), Random(text)
    pool = Pools()[type_]
    ids = pool.intern(column_from([random_value(rng, type_) for _ in range(50)], type_))
    ids = np.concatenate([ids[ids != FAIL], [FAIL]]).astype(np.int32)
    hashes = pool.hashes(ids)
    assert hashes[-1] not in hashes[:-1]


@pytest.mark.parametrize("text", TYPES)
def test_none_at_all(text: str) -> None:
    pool = Pools()[read(text)]
    ids = pool.intern(column_from([], read(text)))
    assert len(ids) == 0
    assert pool.column(ids).to_list() == []
    assert len(pool.hashes(ids)) == 0


def test_what_is_too_large_has_no_id() -> None:
    pools = Pools()
    for text, good, bad in (
        ("int", MAX_INT - 1, MAX_INT),
        ("int", 1 - MAX_INT, -MAX_INT),
        ("int", 0, 2**62),
        ("list[int]", [1] * MAX_LENGTH, [1] * (MAX_LENGTH + 1)),
        ("list[int]", [1, MAX_INT - 1], [1, MAX_INT]),
        ("list[list[int]]", [[], [1] * MAX_LENGTH], [[], [1] * (MAX_LENGTH + 1)]),
        ("text", "é" * 4 * MAX_LENGTH, "é" * (4 * MAX_LENGTH + 1)),
        ("list[text]", ["a"], ["a", "b" * (4 * MAX_LENGTH + 1)]),
        ("pair[int, list[int]]", (1, [2]), (1, [2] * (MAX_LENGTH + 1))),
        ("option[int]", None, MAX_INT),
        ("option[text]", "", "b" * (4 * MAX_LENGTH + 1)),
    ):
        type_ = parse_type(text)
        for values in ([good, bad, good], [bad, good, bad]):
            ids = pools[type_].intern(column_from(values, type_))
            assert [i == FAIL for i in ids.tolist()] == [v is bad for v in values], text
            kept = ids[ids != FAIL]
            assert pools[type_].column(kept).to_list() == [good] * len(kept)


def test_texts_of_all_kinds() -> None:
    type_ = parse_type("text")
    values = ["", "a", "A", " ", "\n", '"', "'", "é", "e\u0301", "\U0001f600", "\ud800", "a\x00", "a" * 1000]
    pool = Pools()[type_]
    ids = pool.intern(column_from(values, type_))
    assert len(set(ids.tolist())) == len(values)
    assert pool.column(ids).to_list() == values


def test_prefixes_that_are_kept_are_found() -> None:
    type_ = parse_type("list[int]")
    pool = Pools()[type_]
    assert isinstance(pool, ListPool)
    kept = [[], [4], [4, 5, 6], [4, 5, 6, 7, 8], [9], [5, 6]]
    ids = pool.intern(column_from(kept, type_))
    found = pool.known_prefixes(np.array([4, 5, 6, 7], np.int32))
    assert found.tolist() == [ids[0], ids[1], -1, ids[2], -1]


def test_hashes_do_not_depend_on_what_came_before() -> None:
    """The key of a program must be the same in every run, or results would depend on the order of the search."""
    type_ = parse_type("list[text]")
    value = ["b", "a"]
    first, second = Pools(), Pools()
    second[type_].intern(column_from([["z"], ["a"], []], type_))
    ids = [pools[type_].intern(column_from([value], type_)) for pools in (first, second)]
    assert first[type_].hashes(ids[0])[0] == second[type_].hashes(ids[1])[0]
