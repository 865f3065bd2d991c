"""The hash table made of array operations, against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meristem.search.enumeration._bank import spread
from meristem.search.enumeration._blocks import compress
from meristem.search.enumeration._pools import FAIL
from meristem.search.hashing import HashTable, mix

_PRIME = 0x9E3779B97F4A7C15
_INVERSE = pow(_PRIME, -1, 1 << 64)


def colliding(count: int, slot: int = 0) -> list[int]:
    """Keys that all begin at one slot, whatever the size of the table: their product with the factor is small."""
    return [(slot << 63 | product) * _INVERSE % (1 << 64) for product in range(1, count + 1)]


class Model:
    """What the table should say."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}

    def add(self, keys: list[int]) -> tuple[list[int], list[int]]:
        new = []
        keys = [key or 0x9E3779B97F4A7C15 for key in keys]  # 0 is taken for that one
        for k, key in enumerate(keys):
            if key not in self.numbers:
                self.numbers[key] = len(self.numbers)
                new.append(k)
        return [self.numbers[key] for key in keys], new


def hold(batches: list[list[int]], expected: int = 1) -> None:
    table, model = HashTable(expected), Model()
    for keys in batches:
        array = np.array(keys, np.uint64)
        before = array.copy()
        numbers, new = table.add(array)
        assert (array == before).all(), "the keys are the caller's"
        assert (numbers.tolist(), new.tolist()) == model.add(keys)
        assert table.count == len(model.numbers)
    every = np.array(list(model.numbers), np.uint64)
    assert table.find(every).tolist() == list(model.numbers.values())
    others = mix(every + np.uint64(12345))
    unknown = others[~np.isin(others, every)]
    assert (table.find(unknown) == -1).all()


few = st.integers(0, 20)
wide = st.integers(0, 2**64 - 1)
crowded = st.sampled_from(colliding(300))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(few | wide | crowded, max_size=200), max_size=6))
def test_numbers_are_those_of_a_dictionary(batches: list[list[int]]) -> None:
    hold(batches)


@pytest.mark.parametrize(
    "keys", [colliding(2_000), colliding(1_000) + colliding(1_000, 1), list(range(3_000))]
)
def test_keys_that_meet_in_one_slot_stay_apart(keys: list[int]) -> None:
    hold([keys[:700], keys[300:1_500], keys], expected=4)


@pytest.mark.parametrize("distinct", [1, 50, 5_000, 10**9])
def test_large_batches(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    batches = [mix(rng.integers(0, distinct, 30_000).astype(np.uint64)) for _ in range(3)]
    hold([batch.tolist() for batch in batches])


def test_no_keys() -> None:
    table = HashTable()
    numbers, new = table.add(np.empty(0, np.uint64))
    assert len(numbers) == len(new) == table.count == 0
    assert len(table.find(np.empty(0, np.uint64))) == 0


def test_mixing_loses_nothing_and_spreads() -> None:
    values = np.arange(100_000, dtype=np.uint64)
    mixed = mix(values)
    assert len(np.unique(mixed)) == len(values)
    bits = (mixed[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.01


@pytest.mark.parametrize("count", [1, 60, 3_000])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("failing", [0.0, 0.2, 1.0])
def test_distinct_ids_and_where_they_stand(count: int, wide: bool, failing: float) -> None:
    """What a table over the distinct arguments of a row rests on, by marking where ids are close together."""
    rng = np.random.default_rng([count, wide, int(10 * failing)])
    ids = rng.integers(-(2**29), 2**29, 40).astype(np.int32) if wide else np.arange(-20, 20, dtype=np.int32)
    ids = ids[rng.integers(0, 40, count)]
    ids[rng.random(count) < failing] = FAIL
    before = ids.copy()
    values, positions = compress(ids)
    assert (ids == before).all()
    assert len(set(values.tolist())) == len(values)
    assert set(values.tolist()) == set(ids.tolist())
    assert (values[positions] == ids).all()


def test_a_table_spread_over_programs() -> None:
    rng = np.random.default_rng(3)
    table = rng.integers(0, 99, (3, 4, 2))
    codes = [rng.integers(0, size, 7) for size in table.shape]
    expected = table[codes[0][:, None, None], codes[1][None, :, None], codes[2][None, None, :]]
    assert (spread(table, codes) == expected).all()
