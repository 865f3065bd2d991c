"""Tasks to requests, replies to results: what the benchmarks of programs from examples share."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from example_sets import Given, Pair
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
            if reply.get("failed"):
                said = f"{reply['failed'][0]}; {said}"
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


def tell_failures(name: str, replies: list[Reply]) -> None:
    """Say how many workers died, and in how many a way of searching ended by an error: defects, both."""
    crashed = sum(reply["why"].startswith("crashed") for reply in replies)
    failed = [reply["failed"][0] for reply in replies if reply.get("failed")]
    if crashed:
        print(f"{name}: {crashed} workers crashed; see them with --verbose")
    if failed:
        print(f"{name}: a search ended by an error in {len(failed)} tasks, such as: {failed[0]}")


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
        tell_failures(name, replies)
        result["each"] = [
            {"name": g.name, "right": right(r, g.test), **{k: v for k, v in r.items() if k != "answers"}}
            for g, r in zip(tasks, replies, strict=True)
        ]
        return result

    return run


__all__ = [
    "Results",
    "Teller",
    "grown",
    "of_set",
    "request_of",
    "right",
    "show",
    "summary",
    "tell_failures",
    "thinned",
]
