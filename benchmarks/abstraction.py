"""Subroutines that programs have in common: how much shorter they make programs, and what finding them costs.

    python benchmarks/abstraction.py drawings             Stitch's eight domains of drawings, with stitch-core beside it
    python benchmarks/abstraction.py drawings --arity 3 --only dials wheels
    python benchmarks/abstraction.py lists                programs that enumeration finds for list functions
    python benchmarks/abstraction.py all

`drawings`: 250 programs each, 10 subroutines, in Stitch's own measure: a name costs 100, an application 1. The ratio is
the length of the programs before over after, as stitch-core prints it; `all` counts the bodies of the subroutines too,
so that a body as long as a program gains nothing. stitch-core is optional (`pip install stitch-core`).

`lists`: each of the first half of the list functions is given to the enumeration for some seconds; the programs found
become one corpus. Lengths are in half bits under the prior of the enumeration.

The data is not in the repository; `--data` names the folder that holds `stitch/cogsci` and `list_functions`. Seconds
are processor time of this process.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from example_sets import DEFAULT, NoData, list_functions
from meristem.language.typed import ensure_stack
from meristem.library.abstraction._choice import Choice, Chooser, Limits
from meristem.library.abstraction._trees import Costs, Forest, Label

DOMAINS = ("nuts-bolts", "dials", "furniture", "wheels", "bridge", "house", "city", "castle")
COUNT = 10


# ---------------------------------------------------------------------------------------------- drawings


def read_expression(text: str) -> Any:
    """Nested tuples from an s-expression."""
    stack: list[list[Any]] = [[]]
    for token in re.findall(r"[()]|[^\s()]+", text):
        if token == "(":
            stack.append([])
        elif token == ")":
            inner = stack.pop()
            stack[-1].append(tuple(inner))
        else:
            stack[-1].append(token)
    return stack[0][0]


class Curried:
    """S-expressions of the lambda calculus as trees, in Stitch's measure.

    `(f a b)` is `((f a) b)`: an application has two children, so `(f a)` may be a part that programs share.
    """

    def __init__(self) -> None:
        self.forest = Forest(Costs(call=100.0, argument=1.0, parameter=100.0))
        self.application = self.forest.label(Label("application", 1.0))
        self.function = self.forest.label(Label("function", 1.0, (1,)))

    def tree(self, expression: Any) -> int:
        """The tree of nested tuples."""
        forest = self.forest
        if isinstance(expression, str):
            index = re.fullmatch(r"\$(\d+)", expression)
            if index:
                bound = int(index.group(1))
                return forest.node(forest.label(Label(("bound", bound), 100.0, bound=bound)))
            return forest.node(forest.label(Label(("name", expression), 100.0)))
        if expression[0] in ("lam", "lambda"):
            return forest.node(self.function, (self.tree(expression[1]),))
        made = self.tree(expression[0])
        for argument in expression[1:]:
            made = forest.node(self.application, (made, self.tree(argument)))
        return made


def ours(
    programs: Sequence[str], arity: int, effort: int, rounds: int, seconds: float
) -> tuple[Choice, float]:
    """Our subroutines for programs, and the processor time."""
    began = time.process_time()
    curried = Curried()
    ensure_stack(1000)
    trees = [curried.tree(read_expression(text)) for text in programs]
    limits = Limits(count=COUNT, arities=(arity,), effort=effort, rounds=rounds)
    chooser = Chooser(
        curried.forest,
        trees,
        [1.0] * len(trees),
        range(len(trees)),
        limits,
        lambda: time.process_time() - began > seconds,
    )
    choice = chooser.written(chooser.choose())
    return choice, time.process_time() - began


def check_written(curried_programs: Sequence[str], choice: Choice, arity: int) -> None:
    """Hold the result to what is claimed: as many subroutines, of as many parameters, as stated."""
    if len(choice.patterns) > COUNT or any(p.arity > arity for p in choice.patterns):
        raise AssertionError("more subroutines or parameters than allowed")
    if len(choice.programs) != len(curried_programs):
        raise AssertionError("programs were lost")


def theirs(programs: Sequence[str], arity: int) -> tuple[float, float, float] | None:
    """stitch-core's ratio, its ratio with bodies, and the processor time; None where it is not installed."""
    try:
        import stitch_core
    except ImportError:
        return None
    began = time.process_time()
    result = stitch_core.compress(list(programs), iterations=COUNT, max_arity=arity, threads=1, silent=True)
    seconds = time.process_time() - began
    told = result.json
    bodies = sum(expression_cost(read_expression(a.body)) for a in result.abstractions)
    before, after = told["original_cost"], told["final_cost"]
    return before / after, before / (after + bodies), seconds


def expression_cost(expression: Any) -> float:
    """The length of a body in Stitch's measure."""
    if isinstance(expression, str):
        return 100.0
    if expression[0] in ("lam", "lambda"):
        return 1.0 + expression_cost(expression[1])
    return sum(map(expression_cost, expression)) + len(expression) - 1


def drawings(options: argparse.Namespace) -> dict[str, Any]:
    """Measure on Stitch's domains."""
    folder = options.data / "stitch" / "cogsci"
    if not folder.exists():
        raise NoData(
            f"expected Stitch's programs at {folder}, found nothing; name the folder above with --data"
        )
    results: dict[str, Any] = {}
    print(
        f"{'domain':12}{'stitch':>8}{'all':>7}{'CPU s':>8}   {'ours':>7}{'all':>8}{'CPU s':>8}   subroutines"
    )
    for domain in options.only or (DOMAINS[:4] if options.quick else DOMAINS):
        programs = json.loads((folder / f"{domain}.json").read_text())
        peer = theirs(programs, options.arity)
        choice, seconds = ours(programs, options.arity, options.effort, options.rounds, options.seconds)
        check_written(programs, choice, options.arity)
        ratio, with_bodies = choice.before / choice.after, choice.before / choice.total
        left = f"{peer[0]:8.2f}{peer[1]:7.2f}{peer[2]:8.2f}" if peer else f"{'not installed':>23}"
        verdict = "" if peer is None else "  better" if ratio > peer[0] else "  NOT BETTER"
        print(
            f"{domain:12}{left}   {ratio:7.2f}{with_bodies:8.2f}{seconds:8.2f}   {len(choice.patterns)}{verdict}",
            flush=True,
        )
        results[domain] = {"stitch": peer, "ratio": ratio, "all": with_bodies, "seconds": seconds}
    return results


# ---------------------------------------------------------------------------------------------- lists


def solve(task: Any, seconds: float, most: int) -> list[Any]:
    """The shortest programs that enumeration finds first for a list function, each right on all of its pairs."""
    from meristem.search.enumeration.finder import Enumerate
    from meristem.search.programs.problem import Problem
    from meristem.types import parse_type
    from meristem.values import column_from

    takes, gives = (parse_type(part) for part in task.types.split("->"))
    pairs = task.train
    problem = Problem(
        {"x": column_from([pair[0][0] for pair in pairs], takes)},
        column_from([pair[1] for pair in pairs], gives),
    )
    found = []
    began = time.process_time()
    for each in Enumerate().find(problem):
        if each is not None:
            found.append(each)
        if len(found) >= most or time.process_time() - began > seconds:
            break
    least = min((each.cost for each in found), default=0.0)
    return [each.term for each in found if each.cost <= least + 2]


def lists(options: argparse.Namespace) -> dict[str, Any]:
    """Measure on programs of our own."""
    import meristem.primitives  # noqa: F401
    from meristem.language.contract import check_entry
    from meristem.language.text import format_term
    from meristem.library.abstraction import Solved, sleep
    from meristem.types import INT, list_of

    tasks = list_functions(options.data)
    tasks = tasks[: len(tasks) // 2][:: 4 if options.quick else 1]
    began = time.process_time()
    corpus = []
    for task in tasks:
        terms = solve(task, options.solve_seconds, options.programs)
        corpus += [Solved(task.name, term, {"x": list_of(INT)}, weight=1 / len(terms)) for term in terms]
    solved = len({each.task for each in corpus})
    print(
        f"{solved} of {len(tasks)} tasks solved in {time.process_time() - began:.0f} CPU-s, {len(corpus)} programs"
    )
    began = time.process_time()
    result = sleep(corpus, options.seconds, price=price_of_node)
    seconds = time.process_time() - began
    changed = sum(p.changed for p in result.programs)
    unheld = [p for p in result.programs if p.reason]
    for each in result.learned:
        entry = each.entry
        print(f"  {entry.name}{format_parameters(entry)}: {entry.body}")
        print(
            f"      {entry.doc} {entry.type}; {each.uses} uses in {len(each.tasks)} tasks, saves {each.saving:.0f}"
        )
    with result.declared():
        for entry in result.subroutines:
            if entry.examples:
                check_entry(entry)
    for program in [p for p in result.programs if p.changed][:4]:
        print(f"  {format_term(program.solved.term)}  ->  {format_term(program.term)}")
    print(
        f"length {result.before:.0f} -> {result.after:.0f} and {result.definitions:.0f} of definitions, in half bits: "
        f"{result.before / result.after:.2f} times shorter, {result.before / (result.after + result.definitions):.2f} "
        f"with definitions; {changed} of {len(result.programs)} programs written anew and verified, {len(unheld)} did "
        f"not hold; {len(result.learned)} subroutines, {seconds:.1f} CPU-s"
    )
    return {
        "solved": solved,
        "programs": len(corpus),
        "before": result.before,
        "after": result.after,
        "definitions": result.definitions,
        "seconds": seconds,
        "subroutines": [each.entry.name for each in result.learned],
    }


def format_parameters(entry: Any) -> str:
    """The parameters of a subroutine as they are called."""
    return f"({', '.join(entry.parameters)})"


def price_of_node(node: Any) -> float:
    """What a node costs under the prior of the enumeration, without what is inside it."""
    from meristem.language.terms import Call, If, Literal, Variable
    from meristem.search.programs.cost import literal_cost
    from meristem.search.programs.prior import OTHER, cost_of

    if isinstance(node, Variable):
        return 1.0
    if isinstance(node, Literal):
        return literal_cost(node.value)
    if isinstance(node, Call):
        known = cost_of(node.name)
        return OTHER + 1.0 if known is None else float(known)
    return 3.0 if isinstance(node, If) else 2.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["drawings", "lists", "all"])
    parser.add_argument("--arity", type=int, default=2, help="drawings: the most parameters (default 2)")
    parser.add_argument("--effort", type=float, default=3e6, help="drawings: places looked at by one search")
    parser.add_argument("--rounds", type=int, default=2, help="drawings: rounds of exchanges; 0 is greedy")
    parser.add_argument("--only", nargs="+", default=[], choices=DOMAINS, help="drawings: only these domains")
    parser.add_argument("--seconds", type=float, default=300.0, help="at most for one corpus (default 300)")
    parser.add_argument("--solve-seconds", type=float, default=3.0, help="lists: processor time a task")
    parser.add_argument("--programs", type=int, default=3, help="lists: programs kept of a task (default 3)")
    parser.add_argument(
        "--seeds", type=int, default=1, help="nothing here is drawn at random; accepted and ignored"
    )
    parser.add_argument("--quick", action="store_true", help="the four small domains, every fourth task")
    parser.add_argument("--data", type=Path, default=DEFAULT, help="folder of the sets")
    parser.add_argument("--json", type=Path, help="write all results to this file")
    options = parser.parse_args()
    options.effort = int(options.effort)
    np.seterr(all="raise", under="ignore")
    results: dict[str, Any] = {}
    try:
        for name, run in (("drawings", drawings), ("lists", lists)):
            if options.what in (name, "all"):
                results[name] = run(options)
    except NoData as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
