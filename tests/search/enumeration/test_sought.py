"""Goal tests: what a full bank finds by looking only is what it would have made."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import meristem.primitives  # noqa: F401
from meristem.language.terms import Variable
from meristem.search.enumeration._bank import Bank
from meristem.search.enumeration._blocks import Leaves
from meristem.search.enumeration._grammar import operations, types_at_hand
from meristem.search.enumeration._list_kernels import ANY_ITEMS, INT_ITEMS
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._pools import FAIL, Pools
from meristem.types import INT, list_of
from meristem.values import column_from

LISTS = list_of(INT)
OPERATIONS = [
    op
    for op in operations(types_at_hand([LISTS, INT], LISTS))
    if set(op.arguments) <= {LISTS, INT} and (op.kernel is not None or op.list_kernel is not None)
]


def test_every_kernel_is_among_them() -> None:
    assert {op.name for op in OPERATIONS} >= {*ANY_ITEMS, *INT_ITEMS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: f"{op.name}-{len(op.arguments)}")
def test_looking_is_making_and_comparing(operation: Operation) -> None:
    rng = np.random.default_rng(3)
    pools = Pools()
    rows, count = 3, 40
    columns = {
        LISTS: [[rng.integers(0, 3, rng.integers(0, 4)).tolist() for _ in range(count)] for _ in range(rows)],
        INT: [rng.integers(-1, 4, count).tolist() for _ in range(rows)],
    }
    ids = {of: np.stack([pools[of].intern(column_from(v, of)) for v in columns[of]]) for of in columns}
    ids[INT][:, 7] = FAIL  # programs that fail, too
    ids[LISTS][1, 11] = FAIL
    bank = Bank(pools, rows, 0)
    blocks = []
    for of in operation.arguments:
        maker = Bank(pools, rows, 1_000, merge=False)
        maker.add(of, 1, ids[of], Leaves([Variable(f"p{k}") for k in range(count)], ids[of]))
        blocks += maker.close(1)
    # What most of a sample of programs give is the goal, so that there is something to find; and one that few give.
    shape = tuple(len(block) for block in blocks)
    places = np.unravel_index(np.arange(int(np.prod(shape))), shape)
    made = np.stack(
        [
            operation.apply(pools, *(b.ids[r, p] for b, p in zip(blocks, places, strict=True)))
            for r in range(rows)
        ]
    )
    whole = made[:, (made != FAIL).all(axis=0)]
    distinct, counts = np.unique(whole, axis=1, return_counts=True)
    for goal in (distinct[:, np.argmax(counts)], distinct[:, np.argmin(counts)]):
        bank.goals, bank.met = {operation.result: goal}, []
        for _ in bank.look_for(operation, [tuple(blocks)]):
            pass
        (met,) = bank.met
        found = set(zip(*(i.tolist() for i in met.indices), strict=True))
        wanted = {
            place
            for place, column in zip(product(*map(range, shape)), made.T, strict=True)
            if (column == goal).all()
        }
        assert found == set(sorted(wanted)[:20])


def test_what_is_looked_at_is_not_kept() -> None:
    pools = Pools()
    (concat,) = (op for op in OPERATIONS if op.name == "concat_lists")
    ids = pools[LISTS].intern(column_from([[k] for k in range(50)], LISTS))[None, :]
    bank = Bank(pools, 1, 0)
    bank.goals[LISTS] = pools[LISTS].intern(column_from([[3, 4]], LISTS))
    maker = Bank(pools, 1, 1_000)
    maker.add(LISTS, 1, ids, Leaves([Variable(f"p{k}") for k in range(50)], ids))
    (block,) = maker.close(1)
    before = pools[LISTS].intern(column_from([[9, 9, 9]], LISTS))[0]
    for _ in bank.look_for(concat, [(block, block)]):
        pass
    assert [made.term(0) for made in bank.met] == [concat.term((Variable("p3"), Variable("p4")))]
    assert pools[LISTS].intern(column_from([[8, 8, 8]], LISTS))[0] == before + 1
