"""How long it takes to find an entry of a library of 100,000: by type, by words, by what it does.

Times are CPU seconds, one thread. The library is filled with distinct random programs over lists, texts and numbers.
Each is looked for by fresh examples: inputs that neither the entry nor any probe has seen. Beside it stand the peers
that need no index: unifying every entry's type, and running every entry of a fitting type until one answers.

    python benchmarks/library_speed.py --entries 100000 --folder /tmp/library   # fills it where it is not there yet
    python benchmarks/library_speed.py --quick
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from meristem.errors import MeristemError
from meristem.language import Term, format_term
from meristem.library import Library
from meristem.library.describe import describe
from meristem.library.finding import answers_row, task_type, unifies
from meristem.library.probes import _value, probes_of
from meristem.library.running import runner_of
from meristem.model import Program, ProgramModel
from meristem.search.programs import Problem
from meristem.search.programs.random_programs import Grammar
from meristem.task import Task
from meristem.task.examples import ExampleTask
from meristem.types import Type, function_of, parse_type, rename_apart
from meristem.values import column_from, read_type

TARGET = 0.050
SHAPES = [
    ("list[int] -> list[int]", 40),
    ("(list[int], int) -> list[int]", 15),
    ("list[int] -> int", 15),
    ("text -> text", 15),
    ("(list[int], int) -> int", 4),
    ("list[text] -> list[text]", 4),
    ("text -> int", 3),
    ("list[text] -> text", 2),
    ("(int, int) -> int", 2),
]


def _problem(shape: Type) -> Problem:
    rows = probes_of(shape.parameters, 12)
    inputs = {f"x{k}": column_from([r[k] for r in rows], t) for k, t in enumerate(shape.parameters)}
    answers = column_from([_value(Random(k), shape.result, 5, 0) for k in range(12)], shape.result)
    return Problem(inputs, answers)


def programs(seed: int, shape: Type, count: int) -> Iterator[tuple[Term, Problem, list[Any]]]:
    """Random programs of a type that differ on twelve inputs, with what they give there."""
    problem = _problem(shape)
    grammar, rng = Grammar(problem), Random(seed)
    names, types = list(problem.types), list(problem.types.values())
    rows = probes_of(shape.parameters, 12)
    seen: set[str] = set()
    tries = 0
    while len(seen) < count and tries < 60 * count:
        tries += 1
        term = grammar.grow(rng, shape.result, size=rng.randint(3, 11))
        if term is None or not term.free_names:
            continue
        runner = runner_of(term, names, types, shape.result)
        if runner is None:
            continue
        answers = runner.answers(rows, types, 2_000)
        good = [a.value for a in answers if a.there]
        key = repr(good)
        if len(good) < 10 or key in seen or len({repr(v) for v in good}) < 3:
            continue
        seen.add(key)
        yield term, problem, [a.value if a.there else None for a in answers]


def fill(library: Library, count: int, seed: int) -> None:
    """Put `count` entries in."""
    total = sum(weight for _, weight in SHAPES)
    began, done = time.process_time(), 0
    for number, (text, weight) in enumerate(SHAPES):
        shape = parse_type(text)
        shape = shape if shape.is_function else function_of(shape)
        waiting: list[Any] = []
        for term, problem, answers in programs(seed + number, shape, max(count * weight // total, 3)):
            rows = np.array([k for k, a in enumerate(answers) if a is not None][:4])
            inputs = {n: c.take(rows) for n, c in problem.inputs.items()}
            wanted = column_from([answers[k] for k in rows], shape.result)
            model = ProgramModel(
                Program(term, problem.types, shape.result, {}, exact=True),
                f"task {done}",
                "output",
                inputs,
                wanted,
                {},
            )
            waiting.append((f"entry {done}", describe(model), []))
            done += 1
            if len(waiting) == 200:
                library.put(waiting)
                waiting = []
        library.put(waiting)
        print(f"  {done:,} entries, {text}, {time.process_time() - began:.0f} s", flush=True)


def question(entry: Any, seed: int, count: int) -> ExampleTask | None:
    """Fresh examples of what an entry does: inputs that nothing has seen."""
    types = list(entry.card.input_types)
    runner = runner_of(entry.term, entry.parameters, types, entry.card.output_type)
    if runner is None:
        return None
    rng = Random(f"fresh {seed} {entry.number}")
    found: list[Any] = []
    for k in range(40):
        row = tuple(_value(rng, t, 3 + k % 5, 0) for t in types)
        answer = runner.answer(row, 2_000)
        if answer.there and answer.value not in ([], ""):
            found.append((row if len(row) > 1 else row[0], answer.value))
        if len(found) == count:
            break
    if len({repr(v) for _, v in found}) < min(3, count):
        return None
    try:
        return Task.from_examples(
            found, names=entry.parameters, types=[str(t) for t in types], output=str(entry.card.output_type)
        )
    except MeristemError:
        return None


def _line(what: str, times: list[float], more: str = "") -> None:
    ordered = sorted(times)
    high = ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]
    print(
        f"  {what:<34} median {1000 * statistics.median(times):7.1f} ms   95 % {1000 * high:7.1f} ms   "
        f"target {1000 * TARGET:.0f} ms   {more}"
    )


def measure(library: Library, queries: int, examples: int, seed: int) -> None:
    """All ways of searching."""
    began = time.process_time()
    library.finding.refresh()
    print(
        f"  reading the arrays of {len(library.finding.numbers):,} entries: {time.process_time() - began:.2f} s, once"
    )
    rng = Random(seed)
    numbers = library.finding.numbers.tolist()
    chosen = [e for e in library.numbered(rng.sample(numbers, min(6 * queries, len(numbers)))) if e.card.term]
    types, words = [], []
    for entry in chosen[:queries]:
        began = time.process_time()
        library.search(type=function_of(*entry.card.input_types, entry.card.output_type))
        types.append(time.process_time() - began)
        wanted = " ".join(rng.sample(entry.card.parts, min(2, len(entry.card.parts))))
        began = time.process_time()
        library.search(wanted or entry.name)
        words.append(time.process_time() - began)
    _line("by type (unification)", types, f"{len(library.finding._parsed):,} distinct types")
    _line("by words", words)
    asked = [(e, q) for e in chosen if (q := question(e, seed, examples)) is not None][:queries]
    taken, found, first, later = [], 0, [], 0
    for entry, task in asked:
        began = time.process_time()
        matches = library.search(examples=task, limit=1)
        taken.append(time.process_time() - began)
        found += bool(matches)
        later += bool(matches) or bool(library.search(examples=task, limit=1, seconds=1.0))
        place = next(
            (
                k
                for k, (p, _) in enumerate(library.finding.likeliest(task))
                if library.finding.numbers[p] == entry.number
            ),
            len(numbers),
        )
        first.append(place + 1)
    ranks = sorted(first)
    _line(
        f"by what it does ({examples} examples)",
        taken,
        f"found {found} of {len(asked)}, {later} in a second; the entry itself is at place {ranks[len(ranks) // 2]} "
        f"in the median, {ranks[int(0.9 * len(ranks))]:,} at 90 %",
    )
    likely = []
    for _, task in asked:
        began = time.process_time()
        library.search(task=task)
        likely.append(time.process_time() - began)
    _line("by likeness of task", likely)
    peers(library, asked, min(5, queries))


def peers(library: Library, asked: list[tuple[Any, ExampleTask]], queries: int) -> None:
    """What needs no index: every entry's type unified, every entry run."""
    rows = library.index.rows("SELECT type FROM entry WHERE removed IS NULL")
    times = []
    for _, task in asked[:queries]:
        wanted = rename_apart(task_type(task), "~w")
        began = time.process_time()
        sum(unifies(rename_apart(read_type(text), "~e"), wanted) for (text,) in rows[:20_000])
        times.append((time.process_time() - began) * len(rows) / min(len(rows), 20_000))
    _line("peer: every type read and unified", times, "scaled up from 20,000")
    times = []
    for _, task in asked[:queries]:
        library.finding._terms.clear()
        types, result = list(task.input_types.values()), task.answers.type
        numbers = library.finding.numbers[library.finding.fitting(task_type(task))[library.finding.type_of]]
        began, tried = time.process_time(), 0
        for number in numbers.tolist()[:400]:
            known = library.finding.term_of(number)
            runner = runner_of(known[0], known[1], types, result) if known else None
            tried += 1
            if runner is not None:
                all(answers_row(runner, task.arguments(k), task.answers[k]) for k in range(len(task)))
        times.append((time.process_time() - began) / max(tried, 1) * len(numbers) / 2)
    _line("peer: every fitting entry run", times, "half of them, scaled up from 400")


def main() -> None:
    """The benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--examples", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument(
        "--folder", type=Path, default=None, help="kept, and used again where it is full already"
    )
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    count = 1_000 if options.quick else options.entries
    folder = options.folder or Path(tempfile.mkdtemp(prefix="meristem-library-"))
    try:
        with Library(folder) as library:
            if not len(library):
                print(f"filling {folder} with {count:,} entries")
                fill(library, count, 0)
            print(f"{len(library):,} entries, {(folder / 'index.sqlite').stat().st_size / 1e6:.0f} MB")
            for seed in range(options.seeds):
                measure(library, 20 if options.quick else options.queries, options.examples, seed)
            example = library.finding.numbers[len(library) // 2]
            print(f"an entry: {format_term(library.numbered([int(example)])[0].term)}")
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
