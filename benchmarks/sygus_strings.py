"""SyGuS strings: programs grown from the examples of each file, and cvc5 on the same files under the same limit.

Three questions, each for both systems. *Fits*: is a program found that is right on all examples of the file? *Left
out*: grown without one of the examples, is the program right on that one? (For files of 3 to 30 different examples;
some are left out in turn, the same ones for both.) *Long*: grown from the short variant of a file, is the program right
on every example of its long variant? The first says how well a system searches, the others how well it guesses what was
meant. A file whose examples contradict each other has no program, and counts for none.

cvc5 searches the grammar that each file brings, with the constants it needs; Meristem reads the examples only.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from random import Random

from example_runs import Results, Teller, request_of, right, tell_failures, thinned
from example_sets import Given, Pair, sygus
from running import Reply, Request, ask_all, quantile, table

_LEAST, _MOST = 3, 30


def left_out(given: Given, folds: int) -> list[int]:
    """Which examples are left out in turn."""
    count = len(given.train)
    if given.contradictory or not _LEAST <= count <= _MOST:
        return []
    return sorted(Random(given.name).sample(range(count), min(folds, count)))


def without(given: Given, place: int, options: argparse.Namespace) -> tuple[Request, tuple[Pair, ...]]:
    """The request to grow a program without one example, and that example."""
    asked = given.train[place]
    rest = given.train[:place] + given.train[place + 1 :]
    learned = Given(f"{given.name} -{place + 1}", given.types, rest, (asked,), given.names, given.text)
    return {**request_of(learned, options), "seconds": options.fold_seconds}, (asked,)


def systems() -> dict[str, str]:
    """The scripts of the systems that are there, by name."""
    found = {"meristem": "grow_one.py"}
    if find_spec("cvc5") is not None:
        found["cvc5"] = "cvc5_one.py"
    else:
        print("cvc5 is not installed and is left out; `pip install cvc5` brings it")
    return found


def measured(name: str, script: str, files: list[Given], options: argparse.Namespace) -> Results:
    """All three questions to one system."""
    requests: list[Request] = []
    wanted: list[tuple[Given, str, tuple[Pair, ...]]] = []
    for given in files:
        if not given.contradictory:
            requests.append(request_of(given, options))
            wanted.append((given, "whole", given.test))
        for place in left_out(given, options.folds):
            request, asked = without(given, place, options)
            requests.append(request)
            wanted.append((given, "left out", asked))
    for request, (given, _, test) in zip(requests, wanted, strict=True):
        request["text"] = given.text
        if test:
            request["wanted"] = [answer for _, answer in test]
    replies = ask_all(((script, r) for r in requests), options.workers, Teller(options, len(requests)))
    tell_failures(name, replies)
    return result_of(name, files, list(zip(wanted, replies, strict=True)))


def result_of(
    name: str, files: list[Given], told: list[tuple[tuple[Given, str, tuple[Pair, ...]], Reply]]
) -> Results:
    """What a system did with the files."""
    whole = [(given, test, reply) for (given, kind, test), reply in told if kind == "whole"]
    folds = [(given, right(reply, test)) for (given, kind, test), reply in told if kind == "left out"]
    long = [(given, right(reply, test)) for given, test, reply in whole if test]
    fits = [reply for _, _, reply in whole if reply["program"] is not None]
    by_file = {given.name: [ok for other, ok in folds if other is given] for given, _ in folds}
    return {
        "system": name,
        "files": len(files),
        "contradictory": [given.name for given in files if given.contradictory],
        "fits": len(fits),
        "folds": len(folds),
        "folds right": sum(ok for _, ok in folds),
        "files with folds": len(by_file),
        "files with all folds right": sum(all(each) for each in by_file.values()),
        "long": len(long),
        "long right": sum(ok for _, ok in long),
        "median seconds": quantile((reply["seconds"] for _, _, reply in whole), 0.5),
        "90 % seconds": quantile((reply["seconds"] for _, _, reply in whole), 0.9),
        "median found at": quantile((reply["found_at"] for reply in fits), 0.5),
        "memory": max((reply["memory"] for _, _, reply in whole), default=0),
        "each": [
            {
                "name": given.name,
                "fits": reply["program"] is not None,
                "long right": right(reply, test) if test else None,
                "left out": by_file.get(given.name),
                **{k: reply.get(k) for k in ("program", "seconds", "found_at", "first_at", "why")},
            }
            for given, test, reply in whole
        ],
    }


def run(options: argparse.Namespace) -> Results:
    """The benchmark."""
    files = thinned(sygus(options.data), options)
    results = {name: measured(name, script, files, options) for name, script in systems().items()}
    some = next(iter(results.values()))
    said = ", ".join(some["contradictory"]) or "none"
    print(f"{some['files']} files; contradictory, so without a program for either: {said}")
    print(
        f"left out in turn: {options.folds} examples of each file of {_LEAST} to {_MOST}, "
        f"{options.fold_seconds:g} s each; whole files: {options.seconds:g} s"
    )
    head = [
        "system",
        "fits",
        "left out right",
        "files with all right",
        "long right",
        "median",
        "90 %",
        "memory",
    ]
    rows = [
        [
            name,
            _share(r["fits"], r["files"]),
            _share(r["folds right"], r["folds"]),
            _share(r["files with all folds right"], r["files with folds"]),
            _share(r["long right"], r["long"]),
            f"{r['median seconds']:.2f} s",
            f"{r['90 % seconds']:.2f} s",
            f"{r['memory'] / 1e6:.0f} MB",
        ]
        for name, r in results.items()
    ]
    print(table(head, rows))
    return results


def _share(count: int, of: int) -> str:
    return f"{count} of {of} ({100 * count / max(of, 1):.1f} %)"


__all__ = ["run"]
