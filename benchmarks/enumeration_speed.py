"""Candidates a second: the columnar bank against plain Python with the same operations, costs and examples."""

from __future__ import annotations

import argparse
from typing import Any

from example_runs import Results
from running import ask, table


def _rate(value: float) -> str:
    return f"{value / 1e6:,.2f} M/s" if value >= 1e5 else f"{value / 1e3:,.0f} k/s"


def _whole(rows: list[dict[str, Any]]) -> list[str]:
    """Level, candidates, seconds, rates of a run."""
    candidates, seconds = sum(r["candidates"] for r in rows), sum(r["seconds"] for r in rows)
    last = rows[-1]
    return [
        str(last["level"]),
        f"{candidates:,}",
        f"{last['kept']:,}",
        f"{seconds:.2f} s",
        _rate(candidates / seconds),
        _rate(last["candidates"] / last["seconds"]),
    ]


def run(options: argparse.Namespace) -> Results:
    """The benchmark."""
    found = ask("speed_one.py", {"seconds": options.seconds, "seed": options.seed})
    if "bank" not in found:
        print(f"speed: {found['why']}")
        return found
    few, many = found["operations"], found["all operations"]
    head = [
        "level by level, 5 examples",
        "to level",
        "candidates",
        "distinct",
        "time",
        "candidates",
        "last level",
    ]
    print(
        table(
            head,
            [
                [f"plain Python, {few} operations", *_whole(found["plain"])],
                [f"columnar bank, {few} operations", *_whole(found["bank"])],
                [f"columnar bank, all {many}", *_whole(found["whole vocabulary"])],
            ],
        )
    )
    differing = ", ".join(found["differing"]) or "none"
    last = found["equal to level"]
    plain, bank = (next(r for r in found[name] if r["level"] == last) for name in ("plain", "bank"))
    print(f"at level {last}: {plain['seconds'] / bank['seconds']:.1f} times as fast as plain Python")
    print(f"programs that differ between the two, to level {last}: {differing}\n")
    rows = [
        [
            kind,
            str(each["operations"]),
            f"{each['candidates']:,}",
            f"{100 * each['kept'] / each['candidates']:.0f} %",
            _rate(each["rate"]),
            _rate(each["plain rate"]),
            f"{each['rate'] / each['plain rate']:.0f}",
        ]
        for kind, each in found["kinds"].items()
    ]
    print(
        table(["one large level of", "operations", "candidates", "distinct", "bank", "plain", "times"], rows)
    )
    rows = [
        [kind, f"{each['programs']:,}", _rate(each["rate"])] for kind, each in found["goal tests"].items()
    ]
    print(table(["last level, goal tests only", "candidates", "a second"], rows) + "\n")
    names = [name for name in found["tables"][0] if name != "distinct"]
    rows = [[f"{100 * r['distinct']:.0f} %", *(_rate(r[name]) for name in names)] for r in found["tables"]]
    print(table(["keys, distinct", *names], rows) + "\n")
    for name, memory in (
        ("the same operations", found["bank memory"]),
        ("all", found["whole vocabulary memory"]),
    ):
        candidates, kept = memory["candidates"] / 1e6, memory["kept"] / 1e6
        arrays, resident = memory["array_bytes"] / 1e6, memory["resident_bytes"] / 1e6
        print(
            f"memory, {name}: {arrays / candidates:.0f} MB of arrays for a million candidates, "
            f"{arrays / kept:.0f} for a million kept; with the values, and all else the process took, "
            f"{resident / candidates:.0f} and {resident / kept:.0f} MB"
        )
    return found


__all__ = ["run"]
