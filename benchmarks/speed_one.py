"""Rates of the columnar bank and of plain Python on the same operations, in a process of its own.

Called by `examples.py speed`. One core; seconds are processor time. A *candidate* is a program that was run on all
examples and looked up among those that came before; a *goal test* only holds what it makes against the wanted answers,
as a bank does that is full.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

import meristem.primitives  # noqa: F401
from bank_levels import BankLevels, Leaf, constant
from meristem.language.terms import Variable
from meristem.search.enumeration._bank import Bank
from meristem.search.enumeration._blocks import Block, Made
from meristem.search.enumeration._constants import _NUMBERS
from meristem.search.enumeration._grammar import operations, types_at_hand
from meristem.search.enumeration._operations import Operation
from meristem.search.enumeration._pools import Pools
from meristem.search.hashing import HashTable
from meristem.types import Type, parse_type
from meristem.values import column_from
from plain_enumerator import PlainBank, compiled, meaning_of

EXAMPLES = 5
LISTS, INT, BOOL = (parse_type(name) for name in ("list[int]", "int", "bool"))
Numbers = dict[str, Any]

KINDS: dict[str, tuple[tuple[str, ...], tuple[Type, ...]]] = {
    "list": (("reverse", "rest", "sort", "unique", "length", "sum", "max", "last"), (LISTS,)),
    "list x int": (("take", "drop", "get", "append", "contains"), (LISTS, INT)),
    "list x list": (("concat_lists", "equal"), (LISTS, LISTS)),
    "int": (("increment", "negate", "square", "is_even"), (INT,)),
    "int x int": (("add", "subtract", "multiply", "minimum", "less", "equal"), (INT, INT)),
}
"""Kinds of operations, and some of each."""


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def resident() -> int:
    """Bytes this process holds now."""
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) * 1024 for line in stream if line.startswith("VmRSS"))


def examples(seed: int) -> list[list[int]]:
    """Five lists, as tasks have them."""
    rng = Random(seed)
    return [[rng.randint(0, 20) for _ in range(rng.randint(4, 12))] for _ in range(EXAMPLES)]


def leaves(seed: int) -> list[Leaf]:
    """The input and the numbers that a search always tries, at their costs."""
    numbers = [constant(value, INT, cost, EXAMPLES) for value, cost in _NUMBERS.items() if 0 <= value <= 5]
    return [(Variable("x"), LISTS, 1, examples(seed)), *numbers]


def vocabulary(all_of_it: bool) -> list[Operation]:
    found = operations(types_at_hand([LISTS], LISTS))
    return found if all_of_it else [op for op in found if compiled(op)]


def array_bytes(bank: Bank) -> int:
    """Bytes of what a bank keeps: ids, how programs were made, and the table."""
    total = sum(table.nbytes for table in bank.seen.values())
    for of in bank.blocks.values():
        for block in of.values():
            total += block.ids.nbytes
            for fragment in block.fragments:
                if isinstance(fragment, Made):
                    total += sum(part.nbytes for part in fragment.indices)
    return total


# ------------------------------------------------------------------------------------------- level by level


def plain_levels(seconds: float, seed: int) -> tuple[list[Numbers], PlainBank]:
    """Levels of plain Python until it has had its time."""
    bank, rows, spent = PlainBank(vocabulary(False)), [], 0.0
    for level in range(1, 40):
        for _, type_, cost, values in leaves(seed):
            if cost == level:
                bank.add(type_, cost, values)
        before = bank.tried
        took, _ = timed(lambda level=level: bank.level(level))  # type: ignore[misc]
        spent += took
        kept = sum(map(len, bank.rows.values()))
        rows.append({"level": level, "candidates": bank.tried - before, "kept": kept, "seconds": took})
        if spent + 4 * took > seconds:  # a level takes some four times as long as the one before
            break
    return rows, bank


def bank_levels(
    seconds: float, seed: int, all_of_it: bool, most: int
) -> tuple[list[Numbers], BankLevels, Numbers]:
    """Levels of the columnar bank until it has had its time, or holds so many programs."""
    gc.collect()
    start = resident()
    levels, rows, spent = BankLevels(vocabulary(all_of_it), leaves(seed), EXAMPLES, most), [], 0.0
    for level in range(1, 40):
        before = levels.bank.tried
        took, _ = timed(lambda level=level: levels.level(level))  # type: ignore[misc]
        spent += took
        candidates = levels.bank.tried - before
        rows.append({"level": level, "candidates": candidates, "kept": levels.bank.count, "seconds": took})
        if spent + 4 * took > seconds or levels.bank.count >= most:
            break
    memory = {
        "candidates": levels.bank.tried,
        "kept": levels.bank.count,
        "array_bytes": array_bytes(levels.bank),
        "resident_bytes": resident() - start,
    }
    return rows, levels, memory


def equal(plain: PlainBank, levels: BankLevels, last: int) -> list[str]:
    """Where the programs of the two differ, type by type and level by level."""
    differing = []
    for type_ in {op.result for op in plain.operations} | {LISTS, INT}:
        for level in range(1, last + 1):
            if set(levels.rows(type_, level)) != set(plain.rows.get((type_, level), ())):
                differing.append(f"{type_} at {level}")
    return differing


# ------------------------------------------------------------------------------------------- kinds of operations


def programs(seed: int) -> tuple[Pools, dict[Type, Block], dict[Type, list[list[Any]]]]:
    """Distinct list and int programs over five examples: from a bank grown for a moment."""
    _, levels, _ = bank_levels(3.0, seed, False, 400_000)
    blocks, values = {}, {}
    for type_ in (LISTS, INT):
        ids = np.concatenate([b.ids for b in levels.bank.blocks[type_].values()], axis=1)
        ids = ids[:, (ids != np.int32(-(2**31))).all(axis=0)]
        blocks[type_] = Block(type_, 1, np.ascontiguousarray(ids), [])
        some = ids[:, :2_000]
        columns = [levels.pools[type_].column(row).to_list() for row in some]
        values[type_] = [list(row) for row in zip(*columns, strict=True)]
    return levels.pools, blocks, values


def part(block: Block, count: int) -> Block:
    return Block(block.type, block.cost, np.ascontiguousarray(block.ids[:, :count]), [])


def kinds(seed: int) -> dict[str, Numbers]:
    """Candidates a second of each kind of operation: all are run, hashed, looked up; what is new is kept."""
    pools, blocks, values = programs(seed)
    found = {}
    every = vocabulary(True)
    for kind, (names, types) in KINDS.items():
        ops = [op for name in names for op in every if op.name == name and op.arguments == types]
        assert len(ops) == len(names)
        sizes = (200_000,) if len(types) == 1 else (3_000, 1_000)
        if types == (LISTS, LISTS):
            sizes = (1_000, 1_000)
        chosen = tuple(part(blocks[t], n) for t, n in zip(types, sizes, strict=True))
        bank = Bank(pools, EXAMPLES, 100_000_000)

        def columnar(
            bank: Bank = bank, ops: list[Operation] = ops, chosen: tuple[Block, ...] = chosen
        ) -> None:
            for op in ops:
                for _ in bank.combine(op, [chosen], 2):
                    pass

        first, _ = timed(columnar)  # results are computed, and interned
        tried = bank.tried
        plain = PlainBank([])
        fewer = [values[t][: 2_000 if len(types) == 1 else 120] for t in types]

        def in_python(
            plain: PlainBank = plain, ops: list[Operation] = ops, fewer: list[list[list[Any]]] = fewer
        ) -> None:
            for op in ops:
                plain.run(op, meaning_of(op), fewer, 2)

        slow, _ = timed(in_python)
        found[kind] = {
            "operations": len(ops),
            "candidates": tried,
            "kept": bank.count,
            "rate": tried / first,
            "plain rate": plain.tried / slow,
        }
    return found


# ------------------------------------------------------------------------------------------- tables and goals


def tables(seed: int) -> list[Numbers]:
    """Keys a second: the hash table, and sorting (`np.unique`), in batches of a bank's size and in one."""
    found = []
    rng = np.random.default_rng(seed)
    total = 1 << 21
    for share in (1.0, 0.3, 0.03):
        universe = rng.integers(0, 1 << 63, int(total * share), dtype=np.uint64)
        keys = universe[rng.integers(0, len(universe), total)] if share < 1 else universe
        row: Numbers = {"distinct": len(np.unique(keys)) / total}
        for name, batch in (("one batch", total), ("batches of 2^18", 1 << 18)):
            parts = [keys[k : k + batch] for k in range(0, total, batch)]
            table = HashTable(4096)
            row[f"table, {name}"] = total / timed(lambda: [table.add(p) for p in parts])[0]  # noqa: B023
            row[f"np.unique, {name}"] = total / timed(lambda: sorted_batches(parts))[0]  # noqa: B023
        found.append(row)
    return found


def sorted_batches(parts: list[np.ndarray[Any, np.dtype[np.uint64]]]) -> int:
    """What a bank does without a hash table: each batch sorted, looked up in all before, and merged with them."""
    seen = np.empty(0, np.uint64)
    for keys in parts:
        fresh, _ = np.unique(keys, return_index=True)
        if len(seen):
            places = np.minimum(np.searchsorted(seen, fresh), len(seen) - 1)
            fresh = fresh[seen[places] != fresh]
        seen = np.sort(np.concatenate([seen, fresh]), kind="stable") if len(seen) else fresh
    return len(seen)


def goals(seed: int) -> dict[str, Numbers]:
    """Last level: programs a second that are made and held against the wanted answers, none of them kept."""
    pools, blocks, _ = programs(seed)
    every = vocabulary(True)
    found = {}
    for kind, (names, types) in KINDS.items():
        if len(types) == 1:
            continue
        sizes = (1_000, 1_000) if types == (LISTS, LISTS) else (10_000, 3_000)
        chosen = tuple(part(blocks[t], n) for t, n in zip(types, sizes, strict=True))
        ops = [op for name in names for op in every if op.name == name and op.arguments == types]
        bank = Bank(pools, EXAMPLES, 0)
        for of in {op.result for op in ops}:
            # What nothing gives: were it given, more rows would have to be looked at for the few that pass the first.
            values = {
                LISTS: [[91, 17]] * EXAMPLES,
                INT: [9_999_991] * EXAMPLES,
                BOOL: [True, False] * EXAMPLES,
            }[of]
            bank.goals[of] = pools[of].intern(column_from(values[:EXAMPLES], of))

        def test(bank: Bank = bank, ops: list[Operation] = ops, chosen: tuple[Block, ...] = chosen) -> None:
            for op in ops:
                for _ in bank.combine(op, [chosen], 2):
                    pass

        took, _ = timed(test)
        found[kind] = {"programs": bank.tried, "rate": bank.tried / took}
    return found


def main() -> int:
    request = json.load(sys.stdin)
    seed, seconds = request["seed"], request["seconds"]
    plain_rows, plain = plain_levels(seconds, seed)
    # As deep as plain Python came, to compare; then as deep as the same seconds allow.
    rows, levels, memory = bank_levels(seconds, seed, False, 8_000_000)
    last = min(len(plain_rows), len(rows))
    differing = equal(plain, levels, last)
    del plain, levels
    whole_rows, whole, whole_memory = bank_levels(seconds, seed, True, 8_000_000)
    del whole
    json.dump(
        {
            "operations": len(vocabulary(False)),
            "all operations": len(vocabulary(True)),
            "plain": plain_rows,
            "bank": rows,
            "bank memory": memory,
            "equal to level": last,
            "differing": differing,
            "whole vocabulary": whole_rows,
            "whole vocabulary memory": whole_memory,
            "kinds": kinds(seed),
            "tables": tables(seed),
            "goal tests": goals(seed),
        },
        sys.stdout,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
