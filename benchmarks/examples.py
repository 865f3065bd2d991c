"""Programs grown from input-output examples: how many are found, how many are right, in what time.

    python benchmarks/examples.py all                     everything, about two hours on two cores
    python benchmarks/examples.py lists --seconds 10      125 list functions: 8 pairs to learn, 8 to test
    python benchmarks/examples.py dreamcoder              217 tasks of DreamCoder: 10 pairs to learn, 5 to test
    python benchmarks/examples.py sygus                   105 files of SyGuS strings, with cvc5 beside it
    python benchmarks/examples.py speed                   candidates a second against plain Python
    python benchmarks/examples.py beyond                  fifty of these tasks on inputs ten times longer

All sets are run with one vocabulary and one setting: what `meristem.grow` does without arguments. Each task has a
process of its own; seconds are processor time of that process, without starting it. A task is solved when the program
that growing chose is right on all pairs it learned from, and right when it is right on all pairs to test.

The sets are not in the repository; `--data` names their folder (see `example_sets.py`). cvc5 is optional: with
`pip install cvc5` it runs on the same files under the same limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import beyond
import enumeration_speed
import sygus_strings
from example_runs import Results, of_set
from example_sets import DEFAULT, NoData, dreamcoder, list_functions

BENCHMARKS: dict[str, Callable[[argparse.Namespace], Results]] = {
    "lists": of_set("list functions", list_functions),
    "dreamcoder": of_set("DreamCoder lists", dreamcoder),
    "sygus": sygus_strings.run,
    "speed": enumeration_speed.run,
    "beyond": beyond.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=[*BENCHMARKS, "all"])
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="processor time for each task (default 10)"
    )
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only every K-th task")
    parser.add_argument("--only", nargs="+", default=[], help="only tasks whose name holds one of these")
    parser.add_argument(
        "--folds", type=int, default=3, help="sygus: examples left out in turn, a file (default 3)"
    )
    parser.add_argument(
        "--fold-seconds", type=float, default=5.0, help="sygus: processor time with one left out (default 5)"
    )
    parser.add_argument("--data", type=Path, default=DEFAULT, help="folder of the sets")
    parser.add_argument(
        "--workers", type=int, choices=(1, 2), default=2, help="processes at a time (default 2)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all results to this file")
    parser.add_argument("--verbose", action="store_true", help="print a line for each task")
    options = parser.parse_args()
    results: dict[str, Results] = {}
    try:
        for name, run in BENCHMARKS.items():
            if options.what in (name, "all"):
                print(f"--- {name}", flush=True)
                results[name] = run(options)
                if options.json:
                    options.json.write_text(json.dumps(results, indent=1))
    except NoData as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
