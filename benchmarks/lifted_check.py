"""Perception trained inside of a program that is given, from final answers only: what the lifting itself is worth.

    python benchmarks/lifted_check.py --data FOLDER                    all, three seeds, about 12 CPU-minutes
    python benchmarks/lifted_check.py --data FOLDER --what add --seeds 0

FOLDER holds MNIST as idx files. `add`: 30,000 pairs labelled by the sum, the share of 5,000 pairs of test digits that
are answered right. `sums`: 3,000 lists of 2-5 digits labelled by the sum, the root of the mean squared error and the
share answered right on 2,000 lists of 6-8 test digits. `programs`: as `sums` with the programs below; parity and
the like have no gradient but that of the likelihood. One thread, CPU-seconds of training; answers come from the
interpreter, with NumPy only.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy starts its threads

import numpy as np  # noqa: E402

import meristem.modules  # noqa: E402
import meristem.primitives  # noqa: E402, F401
from meristem.language.interpreter import prepare  # noqa: E402
from meristem.language.terms import Let, Term  # noqa: E402
from meristem.language.text import parse_term  # noqa: E402
from meristem.reading.idx import read_idx  # noqa: E402
from meristem.training.lifted import train_lifted  # noqa: E402
from meristem.training.rows import Examples  # noqa: E402
from meristem.types import INT, list_of, parse_type  # noqa: E402
from meristem.values import Dense, Lists, Scalars, offsets_from  # noqa: E402

IMAGE = parse_type("image[28, 28, 1]")
READ = "class_number(convnet{{; class[10]}}@digit({}))"
PROGRAMS = {
    "max": "max(ds)",
    "range": "max(ds) - min(ds)",
    "second largest": "get(sort(ds), length(ds) - 2)",
    "argmax": "argmax(ds)",
    "product mod 10": "product(ds) % 10",
    "parity of the sum": "sum(ds) % 2",
    "is sorted": "ds == sort(ds)",
    "longest run": "longest_run(ds)",
    "majority even": "length(filter(d => d % 2 == 0, ds)) * 2 > length(ds)",
    "distinct": "length(unique(ds))",
}


class Digits:
    """Images and classes of one part of MNIST."""

    def __init__(self, folder: Path, part: str) -> None:
        images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
        self.images = (images[..., None] / np.float32(255)).astype(np.float32)
        self.classes = read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(np.int64)

    def pairs(self, count: int, rng: np.random.Generator) -> Examples:
        """Pairs of digits, no digit twice, with their sums."""
        first, second = rng.permutation(len(self.images))[: 2 * count].reshape(2, count)
        images = {"a": Dense(IMAGE, self.images[first]), "b": Dense(IMAGE, self.images[second])}
        return Examples(images, Scalars(INT, self.classes[first] + self.classes[second]))

    def lists(self, truth: Term, count: int, low: int, high: int, rng: np.random.Generator) -> Examples:
        """Lists of digits with the answers of a program over their classes."""
        offsets = offsets_from(rng.integers(low, high + 1, count))
        chosen = rng.integers(0, len(self.images), offsets[-1])
        classes = Lists(offsets, Scalars(INT, self.classes[chosen]))
        answers = prepare(truth, {"ds": list_of(INT)}).run({"ds": classes}).column
        return Examples({"xs": Lists(offsets, Dense(IMAGE, self.images[chosen]))}, answers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/images/mnist"), metavar="FOLDER")
    parser.add_argument("--what", choices=["add", "sums", "programs", "all"], default="all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    train, test = Digits(options.data, "train"), Digits(options.data, "t10k")
    if options.what in ("add", "all"):
        term = parse_term(f"{READ.format('a')} + {READ.format('b')}")
        for seed in options.seeds:
            rng = np.random.default_rng(seed)
            run("add", seed, term, train.pairs(30_000, rng), test.pairs(5_000, rng), rng)
    chosen = {"sum": "sum(ds)"} if options.what in ("sums", "all") else {}
    if options.what in ("programs", "all"):
        chosen |= PROGRAMS
    for name, text in chosen.items():
        truth = parse_term(text)
        term = Let("ds", parse_term(f"map(x => {READ.format('x')}, xs)"), truth)
        for seed in options.seeds:
            rng = np.random.default_rng(seed)
            data = train.lists(truth, 3_000, 2, 5, rng), test.lists(truth, 2_000, 6, 8, rng)
            run(name, seed, term, *data, rng)


def run(name: str, seed: int, term: Term, data: Examples, held: Examples, rng: np.random.Generator) -> None:
    """Train, answer, and print a line."""
    found = train_lifted(term, data, rng=rng)
    types = {key: column.type for key, column in held.inputs.items()}
    done = prepare(term, types, target=held.target.type).run(dict(held.inputs), found.fit)
    wanted = np.asarray(held.target.to_list(), float)
    error = np.asarray(done.column.to_list(), float) - wanted
    right = float(((error == 0) & (done.failures == 0)).mean())
    print(
        f"{name:18} seed {seed}: {100 * right:6.2f} % right, RMSE {np.sqrt((error**2).mean()):5.2f}; loss "
        f"{found.loss:.3f} of {found.entropy:.3f} nats; {len(found.losses):,} steps, {found.cpu_seconds:.1f} CPU-s",
        flush=True,
    )


if __name__ == "__main__":
    main()
