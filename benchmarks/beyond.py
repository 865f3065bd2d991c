"""Whether programs are right beyond the examples: fifty tasks, truths written by hand, inputs ten times longer."""

from __future__ import annotations

import argparse
import sys

from example_runs import Results, Teller, request_of, right, tell_failures
from example_sets import Given, dreamcoder, list_functions, sygus
from running import ask_all, table
from truths import TRUTHS, Truth

_INPUTS = 20


def chosen(options: argparse.Namespace) -> list[tuple[Truth, Given]]:
    """The truths with their tasks. Ends the program where one disagrees with a pair."""
    sets = {
        name: {given.name: given for given in read(options.data)}
        for name, read in (("lists", list_functions), ("dreamcoder", dreamcoder), ("sygus", sygus))
    }
    found = [(truth, sets[truth.set][truth.name]) for truth in TRUTHS]
    for truth, given in found:
        wrong = truth.disagrees(given)
        if wrong:
            sys.exit(
                f"the truth of {truth.name} gives {truth.function(*wrong[0][0])!r} for the pair {wrong[0]!r}"
            )
    if options.only:
        return [(t, g) for t, g in found if any(part in g.name for part in options.only)]
    return found[:: options.every]


def run(options: argparse.Namespace) -> Results:
    """The benchmark."""
    tasks = chosen(options)
    further = [truth.beyond(given, _INPUTS, options.seed) for truth, given in tasks]
    requests = []
    for (_, given), pairs in zip(tasks, further, strict=True):
        test = (*given.test, *pairs)
        request = request_of(given, options, test=test)
        request["wanted"] = [answer for _, answer in test]
        requests.append(("grow_one.py", request))
    replies = ask_all(requests, options.workers, Teller(options, len(requests)))
    each = []
    for (truth, given), pairs, reply in zip(tasks, further, replies, strict=True):
        known = len(given.test)
        near = {**reply, "answers": reply["answers"][:known]}
        far = {**reply, "answers": reply["answers"][known:]}
        good = sum(a == answer for a, (_, answer) in zip(far["answers"], pairs, strict=False))
        each.append(
            {
                "set": truth.set,
                "name": given.name,
                "program": reply["program"],
                "found": reply["program"] is not None,
                "right": right(near, given.test),
                "right beyond": right(far, pairs),
                "share beyond": good / len(pairs),
                "seconds": reply["seconds"],
                "why": reply["why"],
            }
        )
    rows = []
    for name in (*dict.fromkeys(e["set"] for e in each), "all"):
        some = [e for e in each if name in (e["set"], "all")]
        counts = (sum(e[k] for e in some) for k in ("found", "right", "right beyond"))
        rows.append([name, str(len(some)), *(f"{n} ({100 * n / len(some):.0f} %)" for n in counts)])
    print(f"{_INPUTS} inputs a task, ten times as long as those to learn from; right: on every one of them")
    print(table(["set", "tasks", "solved", "right on the pairs to test", "right on longer inputs"], rows))
    tell_failures("beyond", replies)
    for e in each:
        if e["right"] and not e["right beyond"]:
            print(
                f"right near, wrong far ({100 * e['share beyond']:.0f} % right): {e['name']}: {e['program']}"
            )
    return {"inputs": _INPUTS, "each": each}


__all__ = ["run"]
