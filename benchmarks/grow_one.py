"""Grow one program in a process of its own: a request as JSON on the standard input, what came as JSON on the output.

Called by `examples.py`. Seconds are processor time: on a busy machine it is the fairer figure. Everything else is as
`meristem.grow` does it, with its defaults.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import Any

import meristem as ms
from meristem import events
from meristem.errors import InputError, MeristemError
from meristem.growth.clock import Clock
from meristem.growth.programs import grow_program
from meristem.language.text import format_term
from meristem.task.budget import Budget


class ProcessorClock(Clock):
    """A clock that counts the processor time of this process."""

    @property
    def elapsed(self) -> float:
        return time.process_time() - self.began

    @property
    def left(self) -> float:
        return self.search_end - time.process_time()


def memory() -> int:
    """The most bytes this process has held."""
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) * 1024 for line in stream if line.startswith("VmHWM"))


def grow(request: dict[str, Any]) -> dict[str, Any]:
    """Grow a program from the pairs of a request, and answer its tests."""
    pairs = [(tuple(args) if len(args) > 1 else args[0], answer) for args, answer in request["train"]]
    seconds = request["seconds"]
    before = memory()
    clock = ProcessorClock(seconds, began=time.process_time())
    reply: dict[str, Any] = {"program": None, "answers": [], "why": ""}
    failed: list[str] = []

    def listen(event: events.Event) -> None:
        """A way of searching that ends by an error is a defect, and others may hide it."""
        if isinstance(event, events.Warned) and " failed: " in event.text:
            failed.append(event.text)

    try:
        task = ms.Task.from_examples(pairs, names=request["names"], types=request["types"], name="f")
        model = grow_program(
            task, Budget.of(seconds), clock, seed=request["seed"], quiet=True, listeners=[listen]
        )
    except InputError as error:
        reply["why"] = f"refused: {error}"
    except MeristemError as error:
        reply["why"] = f"not found: {error}"
    else:
        report = model.report()
        chosen = next((p for p in report.programs if p.text == format_term(model.term)), None)
        reply |= {
            "program": format_term(model.term),
            "cost": report.bits,
            "finder": None if chosen is None else chosen.finder,
            "found_at": None if chosen is None else chosen.seconds,
            "first_at": min(p.seconds for p in report.programs),
            "fitting": len(report.programs),
            "looked": report.considered,
            "why": report.ended,
        }
    reply["seconds"], reply["failed"] = clock.elapsed, failed
    reply["memory"], reply["memory_before"] = memory(), before
    if reply["program"] is not None and request["test"]:
        rows = [tuple(args) if len(args) > 1 else args[0] for args in request["test"]]
        reply["answers"] = model.answers_for(rows)[0]
    return reply


def main() -> int:
    request = json.load(sys.stdin)
    # Nothing that growing does may take this long; if it does, that is said, and the others go on.
    signal.setitimer(signal.ITIMER_PROF, 2 * request["seconds"] + 30)
    json.dump(grow(request), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
