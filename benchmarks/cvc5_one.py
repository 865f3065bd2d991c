"""One run of cvc5 in a process of its own: a request as JSON on the standard input, its answer as JSON on the output.

Called by `examples.py`, as `grow_one.py` is. At the limit of processor time the process ends by a signal.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import Any

from sygus_terms import converted, evaluate, function_of


def memory() -> int:
    """The most bytes this process has held."""
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) * 1024 for line in stream if line.startswith("VmHWM"))


def solve(request: dict[str, Any]) -> dict[str, Any]:
    """Have cvc5 find a function in the file's own grammar, and answer the tests with it."""
    import cvc5

    text = converted(request["text"], request["train"])
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, request["seconds"])
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("sygus", "true")
    solver.setOption("sygus-pbe", "true")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SYGUS_2_1, text, "examples")
    said = []
    while True:
        command = parser.nextCommand()
        if command.isNull():
            break
        said.append(str(command.invoke(solver, parser.getSymbolManager())))
    seconds = time.process_time() - began
    signal.setitimer(signal.ITIMER_PROF, 0)
    answer = "".join(said).strip()
    reply: dict[str, Any] = {"program": None, "answers": [], "why": answer[:200], "seconds": seconds}
    reply["memory"] = memory()
    found = function_of(answer) if answer.startswith("(") else None
    if found is not None:
        names, body = found
        reply["program"] = answer

        def run(args: list[Any]) -> Any:
            return evaluate(body, dict(zip(names, args, strict=True)))

        wrong = [args for args, wanted in request["train"] if run(args) != wanted]
        if wrong:
            raise ValueError(f"cvc5's answer {answer!r} is wrong for {wrong[0]!r}")
        reply |= {"answers": [run(args) for args in request["test"]], "found_at": seconds, "why": "solved"}
    return reply


if __name__ == "__main__":
    json.dump(solve(json.load(sys.stdin)), sys.stdout)
