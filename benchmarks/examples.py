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
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from example_sets import DEFAULT, Given, NoData, Pair, dreamcoder, list_functions
from running import Reply, Request, ask_all, quantile, table

Results = dict[str, Any]


def request_of(given: Given, options: argparse.Namespace, *, test: tuple[Pair, ...] | None = None) -> Request:
    """The request to grow a program for a task."""
    test = given.test if test is None else test
    return {
        "name": given.name,
        "types": given.types,
        "names": list(given.names),
        "train": given.train,
        "test": [args for args, _ in test],
        "seconds": options.seconds,
        "seed": options.seed,
    }


def right(reply: Reply, test: tuple[Pair, ...]) -> bool:
    """Whether a program was found that is right on all pairs."""
    wanted = json.loads(json.dumps([answer for _, answer in test]))
    return reply["program"] is not None and bool(reply["answers"] == wanted)


class Teller:
    """Prints a line for each task as it ends, where that was asked for."""

    def __init__(self, options: argparse.Namespace, total: int) -> None:
        self.verbose, self.total, self.count = options.verbose, total, 0
        self._lock = threading.Lock()

    def __call__(self, request: Request, reply: Reply) -> None:
        with self._lock:
            self.count += 1
            if not self.verbose:
                if sys.stderr.isatty():
                    print(f"\r{self.count} of {self.total} ", end="", file=sys.stderr, flush=True)
                return
            wanted = request.get("wanted")
            verdict = "---" if reply["program"] is None else "   "
            if wanted is not None and reply["program"] is not None:
                verdict = "ok " if reply["answers"] == wanted else "BAD"
            said = reply["program"] if reply["program"] is not None else reply["why"]
            print(f"{verdict} {reply['seconds']:6.2f} s  {request['name']:<32} {said}", flush=True)


def grown(tasks: list[Given], options: argparse.Namespace) -> list[Reply]:
    """Replies for tasks, in order."""
    requests = []
    for given in tasks:
        request = request_of(given, options)
        if given.test:
            request["wanted"] = json.loads(json.dumps([answer for _, answer in given.test]))
        requests.append(("grow_one.py", request))
    return ask_all(requests, options.workers, Teller(options, len(requests)))


def summary(name: str, tasks: list[Given], replies: list[Reply]) -> Results:
    """Counts, times and memory of a set."""
    found = [r for r in replies if r["program"] is not None]
    good = [r for g, r in zip(tasks, replies, strict=True) if g.test and right(r, g.test)]
    return {
        "set": name,
        "tasks": len(tasks),
        "solved": len(found),
        "right": len(good),
        "median seconds": quantile((r["seconds"] for r in replies), 0.5),
        "90 % seconds": quantile((r["seconds"] for r in replies), 0.9),
        "median found at": quantile((r["found_at"] for r in found), 0.5),
        "90 % found at": quantile((r["found_at"] for r in found), 0.9),
        "memory": max((r["memory"] for r in replies), default=0),
        "crashed": sum(r["why"].startswith("crashed") for r in replies),
    }


def show(results: list[Results]) -> None:
    head = "set tasks solved right median 90_% found_at 90_% memory".replace("_", "\N{NO-BREAK SPACE}").split(
        " "
    )
    rows = []
    for r in results:
        count = max(r["tasks"], 1)
        rows.append(
            [
                r["set"],
                str(r["tasks"]),
                f"{r['solved']} ({100 * r['solved'] / count:.1f} %)",
                f"{r['right']} ({100 * r['right'] / count:.1f} %)",
                *(
                    f"{r[k]:.2f} s"
                    for k in ("median seconds", "90 % seconds", "median found at", "90 % found at")
                ),
                f"{r['memory'] / 1e6:.0f} MB",
            ]
        )
    print(table(head, rows))
    for r in results:
        if r["crashed"]:
            print(f"{r['set']}: {r['crashed']} workers crashed; see them with --verbose")


def thinned(tasks: list[Given], options: argparse.Namespace) -> list[Given]:
    """Every K-th task, or those whose name holds one of some texts."""
    if options.only:
        return [g for g in tasks if any(part in g.name for part in options.only)]
    return tasks[:: options.every]


def of_set(name: str, read: Callable[[Path], list[Given]]) -> Callable[[argparse.Namespace], Results]:
    """The benchmark of a set of tasks with pairs to test."""

    def run(options: argparse.Namespace) -> Results:
        tasks = thinned(read(options.data), options)
        replies = grown(tasks, options)
        result = summary(name, tasks, replies)
        show([result])
        result["each"] = [
            {"name": g.name, "right": right(r, g.test), **{k: v for k, v in r.items() if k != "answers"}}
            for g, r in zip(tasks, replies, strict=True)
        ]
        return result

    return run


BENCHMARKS: dict[str, Callable[[argparse.Namespace], Results]] = {
    "lists": of_set("list functions", list_functions),
    "dreamcoder": of_set("DreamCoder lists", dreamcoder),
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
