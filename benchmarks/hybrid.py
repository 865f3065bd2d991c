"""Perception and reasoning in one program, measured: python benchmarks/hybrid.py PART [options].

    add      MNIST-Add: 30,000 pairs of digits with their sum; that it is a sum is not told
    hidden   twenty hidden programs over lists of 2 to 5 raw digits, no digit label ever: 3,000 answers for the first
             task, 300 for each later one, which has the first model as a part
    rank     the twenty again, by labels alone: where the truth comes before anything is trained (no images needed),
             among all programs that are enumerated and among the twenty; programs that the labels cannot tell apart
             (the first, the last and the most frequent of exchangeable digits, say) share a place
    sequences, labels, senses    sequences of tasks, few labels, and across senses: each has options of its own (-h)

One thread, CPU-seconds of the whole call of `grow`. The truths below make data and check what was found; no search
sees them. *Recovered*: the program that was found gives what the truth gives, classes renamed as the reader names
them, on all readings of one to four digits and on 10,000 longer ones.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
ELSEWHERE = {"sequences": "hybrid_sequences", "labels": "hybrid_labels", "senses": "hybrid_senses"}
"""Parts in files of their own beside this one: each has `main(argv)`."""


def longest_run(xs: Sequence[int]) -> int:
    """The length of the longest run of equal digits."""
    best = run = 1
    for before, after in pairwise(xs):
        run = run + 1 if before == after else 1
        best = max(best, run)
    return best


TRUTHS: dict[str, tuple[str, Callable[[list[int]], Any]]] = {
    "sum": ("the sum", sum),
    "product mod 10": ("the last digit of the product", lambda xs: math.prod(xs) % 10),
    "max": ("the largest", max),
    "min": ("the smallest", min),
    "range": ("the largest minus the smallest", lambda xs: max(xs) - min(xs)),
    "count of 3": ("how many are 3", lambda xs: xs.count(3)),
    "count of evens": ("how many are even (0 is)", lambda xs: sum(x % 2 == 0 for x in xs)),
    "parity of the sum": ("whether the sum is odd", lambda xs: sum(xs) % 2 == 1),
    "is sorted": ("whether each is at least the one before", lambda xs: xs == sorted(xs)),
    "contains a pair": ("whether two are equal, wherever they stand", lambda xs: len(set(xs)) < len(xs)),
    "first": ("the first", lambda xs: xs[0]),
    "last": ("the last", lambda xs: xs[-1]),
    "second largest": (
        "the second of the list sorted downward; none for one digit",
        lambda xs: sorted(xs)[-2],
    ),
    "alternating sum": ("first - second + third - ...", lambda xs: sum(xs[::2]) - sum(xs[1::2])),
    "longest run": ("the length of the longest run of equal digits", longest_run),
    "position of the maximum": ("where the first largest stands, from 0", lambda xs: xs.index(max(xs))),
    "number of distinct": ("how many different digits", lambda xs: len(set(xs))),
    "sum of the evens": ("the sum of those that are even", lambda xs: sum(x for x in xs if x % 2 == 0)),
    "majority": (
        "the digit that stands most often; of several the one that comes first",
        lambda xs: max(xs, key=lambda x: (xs.count(x), -xs.index(x))),
    ),
    "any above 7": ("whether one is 8 or 9", lambda xs: any(x > 7 for x in xs)),
}
PROGRAMS = {
    "sum": "sum(xs)",
    "product mod 10": "product(xs) % 10",
    "max": "max(xs)",
    "min": "min(xs)",
    "range": "spread(xs)",
    "count of 3": "count_of(xs, 3)",
    "count of evens": "count(x => is_even(x), xs)",
    "parity of the sum": "is_odd(sum(xs))",
    "is sorted": "is_sorted(xs)",
    "contains a pair": "xs != unique(xs)",
    "first": "first(xs)",
    "last": "last(xs)",
    "second largest": "kth_largest(xs, 1)",
    "alternating sum": "fold_right((x, total) => x - total, 0, xs)",
    "longest run": "longest_run(xs)",
    "position of the maximum": "argmax(xs)",
    "number of distinct": "length(unique(xs))",
    "sum of the evens": "sum(filter(x => is_even(x), xs))",
    "majority": "most_common(xs)",
    "any above 7": "7 < max(xs)",
}
"""The truths as programs, for `rank` alone: where each comes among the twenty."""
_UNDEFINED = object()
_TIED = 0.5  # nats within which labels do not tell two programs apart


def truth_of(name: str, xs: Sequence[int]) -> Any:
    """What a truth gives; `_UNDEFINED` where it has no value."""
    try:
        return TRUTHS[name][1](list(xs))
    except (IndexError, ValueError):
        return _UNDEFINED


def load(data: Path, kind: str) -> tuple[Images, NDArray[np.int64]]:
    """Images [N, 28, 28] and digits [N] of MNIST: `train` or `t10k`."""
    with gzip.open(data / f"{kind}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(data / f"{kind}-labels-idx1-ubyte.gz") as file:
        digits = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, digits.astype(np.int64)


def lists(count: int, low: int, high: int, pool: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Positions of images: `count` lists, their lengths in turns from `low` to `high`."""
    return [rng.integers(0, pool, low + k % (high - low + 1)) for k in range(count)]


# ------------------------------------------------------------------------------------------------ checking


def classes_as_digits(model: Any, images: Images, digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each class of a model's reader the digit that it mostly stands for."""
    from meristem.growth.readers import readers_of
    from meristem.search.hybrid import look_at
    from meristem.task import Task

    task = Task.from_arrays(images[:2000], digits[:2000].tolist())
    look = look_at(task.input_types)
    (reader,) = readers_of([model], look)
    (column,) = reader.read(look, task.inputs, reader.fit).values()
    seen = np.asarray(column.to_list())
    table = np.zeros((reader.classes, 10))
    np.add.at(table, (seen, digits[:2000]), 1)
    return table.argmax(axis=1)


def exact_answers(model: Any, readings: Sequence[Sequence[int]]) -> list[Any]:
    """What the exact rest of a model's program gives for readings; `_UNDEFINED` where it fails."""
    from meristem.training.lifted import split_term
    from meristem.types import INT, list_of
    from meristem.values import column_from

    split = split_term(model.term, dict(model.program.inputs), target=model.program.target)
    (name,) = split.inputs
    (reader,) = split.readers
    flat = np.array([v for xs in readings for v in xs], np.int64)
    from meristem.values import Lists, offsets_from

    offsets = offsets_from(np.array([len(xs) for xs in readings]))
    inputs = {
        name: column_from([list(range(len(xs))) for xs in readings], list_of(INT)),
        reader.name: Lists(offsets, reader.column(flat)),
    }
    done = split.remainder.run(inputs, rows=len(readings), fuel=10_000 * len(readings))
    return [
        value if reason == 0 else _UNDEFINED
        for value, reason in zip(done.column.to_list(), done.failures.tolist(), strict=True)
    ]


def recovered(model: Any, name: str, digit_of: NDArray[np.int64], rng: np.random.Generator) -> float:
    """The share of readings on which a program gives what the truth gives; 1 is recovered."""
    readings = [list(map(int, np.unravel_index(k, (10,) * n))) for n in range(1, 5) for k in range(10**n)]
    readings += [rng.integers(0, 10, 5 + k % 6).tolist() for k in range(10_000)]
    classes = len(digit_of)
    if len(set(digit_of.tolist())) < 10 or classes != 10:
        return 0.0
    class_of = np.argsort(digit_of)
    found = exact_answers(model, [[int(class_of[v]) for v in xs] for xs in readings])
    same = []
    for xs, got in zip(readings, found, strict=True):
        wanted = truth_of(name, xs)
        if wanted is not _UNDEFINED:
            same.append(got is not _UNDEFINED and got == wanted)
    return float(np.mean(same))


def test_share(model: Any, wanted: Callable[[list[int]], Any], images: Images, digits: Any, at: Any) -> float:
    """The share of lists of test images that a model answers."""
    answers, _ = model.answers_for([list(images[rows] / 255.0) for rows in at])
    return float(
        np.mean([got == wanted(digits[rows].tolist()) for got, rows in zip(answers, at, strict=True)])
    )


def reference_digits(
    images: Images, digits: NDArray[np.int64], test: Images, rng: np.random.Generator
) -> NDArray[np.int64]:
    """What the same network says of the test images when it is trained on the digit labels of the same images."""
    from meristem.language.kinds import KINDS, FitContext, settings_of
    from meristem.types import class_of, parse_type
    from meristem.values import Dense, column_from

    kind = KINDS.find("convnet")
    settings = settings_of(kind, {})
    image, labels = parse_type("image[28, 28, 1]"), class_of(*map(str, range(10)))
    target = column_from([str(d) for d in digits], labels)
    column = Dense(image, images[..., None].astype(np.float32) / 255)
    fitted = kind.fit([column], settings, FitContext(target, rng))
    seen = kind.forward(
        fitted.arrays, [Dense(image, test[..., None].astype(np.float32) / 255)], settings, labels
    )
    return np.asarray(seen.data)  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------ the parts


def add(arguments: argparse.Namespace) -> None:
    """MNIST-Add, the program not given."""
    import meristem as ms

    images, digits = load(arguments.data, "train")
    test, truth = load(arguments.data, "t10k")
    shares, spent = [], []
    for seed in range(arguments.seeds):
        rng = np.random.default_rng([seed, 1])
        order = rng.permutation(len(images))[: 2 * arguments.pairs].reshape(-1, 2)
        began = time.process_time()
        task = ms.Task.from_arrays(images[order], digits[order].sum(axis=1).tolist(), name="add")
        model = ms.grow(task, budget=arguments.budget, seed=seed, quiet=True)
        seconds = time.process_time() - began
        pairs = rng.permutation(len(test)).reshape(-1, 2)
        share = test_share(model, sum, test, truth, list(pairs))
        report = model.report()
        shares.append(100 * share)
        spent.append(seconds)
        print(
            f"seed {seed}: {100 * share:.2f} % of {len(pairs):,} test pairs, {seconds:.0f} CPU-s ({stages(report)}), "
            f"{short(report)}; plain network {percent(report.plain)} held out",
            flush=True,
        )
    print(f"add: {spread(shares, '.2f')} % of pairs right, {spread(spent, '.0f')} CPU-s")


def hidden(arguments: argparse.Namespace) -> None:
    """The twenty hidden programs."""
    import meristem as ms

    images, digits = load(arguments.data, "train")
    test, truth = load(arguments.data, "t10k")
    names = [n for n in TRUTHS if not arguments.only or n in arguments.only]
    names.sort(key=lambda n: n != arguments.begin)
    counts: list[int] = []
    firsts: list[float] = []
    later: list[float] = []
    below: list[float] = []
    for seed in range(arguments.seeds):
        rng = np.random.default_rng([seed, 2])
        part: Any = None
        digit_of = said = None
        hits = 0
        for number, name in enumerate(names):
            at = lists(arguments.first if part is None else arguments.later, 2, 5, len(images), rng)
            answers = [truth_of(name, digits[rows].tolist()) for rows in at]
            began = time.process_time()
            task = ms.Task.from_arrays([images[rows] for rows in at], answers, name=name)
            model = ms.grow(
                task, budget=arguments.budget, seed=seed, parts=[] if part is None else [part], quiet=True
            )
            seconds = time.process_time() - began
            report = model.report()
            if part is None or digit_of is None or said is None:
                part = model
                firsts.append(seconds)
                used = np.concatenate(at)
                digit_of = classes_as_digits(model, test, truth)
                said = reference_digits(images[used], digits[used], test, np.random.default_rng(seed))
            else:
                later.append(seconds)
            own = digit_of if report.way == "part as it is" else classes_as_digits(model, test, truth)
            share = recovered(model, name, own, rng)
            hits += share == 1
            long = lists(300, 6, 8, len(test), rng)
            quality = test_share(model, TRUTHS[name][1], test, truth, long)
            ceiling = float(
                np.mean([truth_of(name, said[r].tolist()) == truth_of(name, truth[r].tolist()) for r in long])
            )
            below.append(100 * (ceiling - quality))
            hundred = test_share(model, TRUTHS[name][1], test, truth, lists(30, 100, 100, len(test), rng))
            print(
                f"seed {seed} {number + 1:2d} {name:24s} {'recovered' if share == 1 else f'{share:.3f} equal':12s} "
                f"{seconds:5.1f} CPU-s  6-8: {100 * quality:5.1f} % (true program, digit labels {100 * ceiling:5.1f})  "
                f"100: {100 * hundred:5.1f} %  {report.way}: {short(report)}",
                flush=True,
            )
        counts.append(hits)
        print(f"seed {seed}: {hits} of {len(names)} recovered")
    far = sum(gap > 3 for gap in below)
    print(
        f"hidden: {spread(counts, '.1f')} of {len(names)} recovered; first task {spread(firsts, '.0f')} CPU-s, "
        f"later ones {spread(later or [0.0], '.1f')}; 6-8: {np.mean(below):.1f} points below the true program on a "
        f"reader that learned digit labels, more than 3 below in {far} of {len(below)}"
    )


def rank(arguments: argparse.Namespace) -> None:
    """Where the truth comes by the labels alone."""
    from meristem.language.interpreter import evaluate
    from meristem.language.text import parse_term
    from meristem.search.hybrid import look_at, rank_programs, reading_problem
    from meristem.search.hybrid.relabelling import same_up_to_classes
    from meristem.search.hybrid.scoring import fine, longer
    from meristem.types import BOOL, INT, list_of, parse_type
    from meristem.values import Dense, Lists, column_from, offsets_from

    image = parse_type("image[1, 1, 1]")
    look = look_at({"xs": parse_type("list[image[1, 1, 1]]")})
    sizes = (2, 3)
    every = [list(map(int, np.unravel_index(k, (10,) * n))) for n in sizes for k in range(10**n)]
    blocks = [slice(0, 100), slice(100, 1100)]
    for seed in range(arguments.seeds):
        places, among, spent = [], [], []
        for name in TRUTHS:
            rng = np.random.default_rng([seed, 3])
            data = [rng.integers(0, 10, 2 + k % 4).tolist() for k in range(arguments.first)]
            answers = [truth_of(name, xs) for xs in data]
            offsets = offsets_from(np.array([len(xs) for xs in data]))
            images = {"xs": Lists(offsets, Dense(image, np.zeros((int(offsets[-1]), 1, 1, 1))))}
            target = column_from(answers, BOOL if isinstance(answers[0], bool) else INT)
            problem = reading_problem(look, images, target, 10)
            ranking = rank_programs(problem, seed=seed)
            wanted = np.array([int(truth_of(name, xs)) for xs in every])
            place = 0
            for program in ranking.programs:
                done = evaluate(
                    program.term, {"xs": column_from(every, list_of(INT))}, rows=len(every), fuel=10**7
                )
                got = np.where(
                    done.failures != 0, -(10**9), np.asarray(done.column.to_list()).astype(np.int64)
                )
                if same_up_to_classes(got, wanted, 10, blocks, sizes) is not None:
                    place = 1 + sum(p.score > program.score + _TIED for p in ranking.programs)
                    break
            places.append(place)
            scored = longer(problem, fine(problem, [(parse_term(text), 0.0) for text in PROGRAMS.values()]))
            own = next((s.score for s in scored if s.term == parse_term(PROGRAMS[name])), -math.inf)
            among.append(1 + sum(s.score > own + _TIED for s in scored))
            spent.append(ranking.cpu_seconds)
            print(
                f"seed {seed} {name:24s} {place or 'beyond ' + str(len(ranking.programs)):>3} of "
                f"{ranking.candidates:,}  {among[-1]:2d} of {len(scored)}  {spent[-1]:.1f} CPU-s",
                flush=True,
            )
        print(
            f"seed {seed}: first {sum(p == 1 for p in places)}, within three {sum(1 <= p <= 3 for p in places)} of "
            f"{len(places)}; among the twenty first {sum(p == 1 for p in among)}, within three "
            f"{sum(p <= 3 for p in among)}; {np.mean(spent):.1f} CPU-s each"
        )


# ------------------------------------------------------------------------------------------------ words


def short(report: Any) -> str:
    """The program that was found, over readings."""
    return report.tried_programs[0].text if report.tried_programs else report.program


def stages(report: Any) -> str:
    """What each stage took."""
    return ", ".join(f"{name} {seconds}" for name, seconds in report.stages.items())


def percent(share: float | None) -> str:
    """A share for a person."""
    return "-" if share is None else f"{100 * share:.1f} %"


def spread(values: Sequence[float], form: str) -> str:
    """Mean and range."""
    return f"{np.mean(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def main(given: Sequence[str] | None = None) -> None:
    """Run one part."""
    words = list(sys.argv[1:] if given is None else given)
    if words and words[0] in ELSEWHERE:
        importlib.import_module(ELSEWHERE[words[0]]).main(words[1:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["add", "hidden", "rank", *ELSEWHERE])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/images/mnist"))
    parser.add_argument("--budget", default="600s", help="wall time of each call of grow")
    parser.add_argument("--pairs", type=int, default=30_000)
    parser.add_argument("--first", type=int, default=3_000, help="answers for the first task")
    parser.add_argument("--later", type=int, default=300, help="answers for each later one")
    parser.add_argument("--only", nargs="*", default=[], help="some of the hidden programs, by name")
    parser.add_argument("--begin", default="sum", help="the hidden program that is the first task")
    arguments = parser.parse_args(words)
    if arguments.part != "rank" and not arguments.data.is_dir():
        sys.exit(
            f"expected MNIST's four files in {arguments.data}, found no such folder; say where with --data"
        )
    {"add": add, "hidden": hidden, "rank": rank}[arguments.part](arguments)


if __name__ == "__main__":
    main()
