"""What each way of pruning, and of searching backwards, is worth: the same tasks with one of them switched off.

    python benchmarks/ablation.py [--seconds 6] [--every 10] [--data FOLDER]

List functions, 8 pairs to learn. One process; seconds are processor time. Solved: a program was found that is right on
all pairs to learn. The mean is over the tasks that the full search solves, with the limit where one is not solved.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import meristem.primitives  # noqa: F401
from example_sets import DEFAULT, Given, NoData, list_functions
from meristem.search.enumeration import Enumerate, Settings
from meristem.search.programs import Problem
from meristem.types import list_of, parse_type
from meristem.values import column_from
from running import table

LISTS = list_of(parse_type("int"))
SWITCHES = {
    "all": {},
    "no conditionals": {"conditionals": False},
    "no inverses": {"inverses": False},
    "no functions": {"functions": False},
    "no longer functions where their results are known": {"ahead": 0},
    "equal programs kept": {"merge": False},
    "few kept (10,000), then goal tests only": {"most": 10_000},
}


def seconds_to_solve(given: Given, settings: Settings, limit: float) -> float | None:
    """Processor seconds until the first program that fits; None where there was none in time."""
    problem = Problem(
        {"x": column_from([args[0] for args, _ in given.train], LISTS)},
        column_from([answer for _, answer in given.train], LISTS),
    )
    began = time.process_time()
    for found in Enumerate(settings).find(problem):
        spent = time.process_time() - began
        if found is not None:
            return spent
        if spent > limit:
            return None
    return None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--data", type=Path, default=DEFAULT)
    options = parser.parse_args()
    try:
        tasks = list_functions(options.data)[:: options.every]
    except NoData as error:
        print(error)
        return 1
    times = {
        name: [
            seconds_to_solve(given, replace(Settings(), **switched), options.seconds)  # type: ignore[arg-type]
            for given in tasks
        ]
        for name, switched in SWITCHES.items()
    }
    base = [k for k, spent in enumerate(times["all"]) if spent is not None]
    rows = []
    for name, spent in times.items():
        solved = sum(s is not None for s in spent)
        mean = sum(s if (s := spent[k]) is not None else options.seconds for k in base) / max(1, len(base))
        rows.append([name, f"{solved} of {len(tasks)}", f"{mean:.2f} s"])
    print(table([f"list functions, {options.seconds:g} s", "solved", "mean"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
