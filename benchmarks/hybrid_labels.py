"""Few labels: letters of one alphabet with a part grown on others: python benchmarks/hybrid.py labels [options].

Omniglot's small background sets, eight alphabets, 242 characters, 20 drawings of each by 20 people. For each seed one
alphabet is drawn, and

    part = ms.grow(Task.from_arrays(drawings, letters))                       # of the seven other alphabets
    model = ms.grow(Task.from_arrays(drawings, letters), parts=[part])        # of this one, few drawings a letter

for 1, 2, 5, 10 and 15 drawings a letter, asked of the 5 drawings that are left out of each. Beside it in the same run:
the same call without parts, and a ridge head on raw pixels (its penalty by exact leave-one-out). At last 20 letters of
the alphabet with one drawing each, the mean of several draws: 20-way one-shot, within one alphabet.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from hybrid import spread

COUNTS = (1, 2, 5, 10, 15)
HELD = 5  # drawings of each letter that are asked
SIDE = 28
_ARCHIVES = ("images_background_small1.zip", "images_background_small2.zip")
_ONE_SHOT = 4  # draws


class Drawings:
    """All drawings, ink bright: `images` [N, SIDE, SIDE], `alphabets` [N], `letters` [N]."""

    def __init__(self, folder: Path) -> None:
        from PIL import Image

        found: dict[tuple[str, str, str], NDArray[np.uint8]] = {}
        for name in _ARCHIVES:  # Greek and Latin are in both
            with zipfile.ZipFile(folder / name) as archive:
                for path in archive.namelist():
                    if path.endswith(".png"):
                        alphabet, letter, drawing = path.split("/")[-3:]
                        with Image.open(io.BytesIO(archive.read(path))) as image:
                            small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
                        found[alphabet, letter, drawing] = 255 - np.asarray(small, np.uint8)
        keys = sorted(found)
        self.images = np.stack([found[key] for key in keys])
        self.alphabets = np.array([key[0] for key in keys])
        self.letters = np.array(["/".join(key[:2]) for key in keys])


def task_of(drawings: Drawings, rows: NDArray[np.int64], name: str) -> Any:
    """The task to tell letters."""
    import meristem as ms

    return ms.Task.from_arrays(drawings.images[rows], drawings.letters[rows].tolist(), name=name)


def right_share(model: Any, drawings: Drawings, rows: NDArray[np.int64]) -> float:
    """Per cent of drawings that a model names."""
    answers, _ = model.answers_for(list(drawings.images[rows]))
    return 100 * float(np.mean([a == b for a, b in zip(answers, drawings.letters[rows], strict=True)]))


def raw_ridge(drawings: Drawings, rows: NDArray[np.int64], asked: NDArray[np.int64]) -> float:
    """Per cent that a ridge head on raw pixels names."""
    import meristem.modules  # noqa: F401
    from meristem.modules._heads import fit_linear_head
    from meristem.types import class_of

    names, codes = np.unique(drawings.letters[rows], return_inverse=True)
    pixels = drawings.images.reshape(len(drawings.images), -1) / 255.0
    weights, bias = fit_linear_head(
        "ridge_head", pixels[rows], codes, class_of(*names.tolist()), np.random.default_rng(0)
    )
    said = names[(pixels[asked] @ weights + bias).argmax(axis=1)]
    return 100 * float((said == drawings.letters[asked]).mean())


def dealt(
    drawings: Drawings, letters: Sequence[str], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The drawings to learn from [letters, 15] in random order, and those that are asked [letters x 5]."""
    learn, asked = [], []
    for letter in letters:
        rows = rng.permutation(np.flatnonzero(drawings.letters == letter))
        learn.append(rows[HELD:])
        asked.append(rows[:HELD])
    return np.stack(learn), np.concatenate(asked)


def main(given: Sequence[str] | None = None) -> None:
    """Run it."""
    import meristem as ms

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/images/omniglot"))
    parser.add_argument("--budget", default="900s", help="wall time of each call of grow")
    parser.add_argument("--counts", type=int, nargs="*", default=list(COUNTS))
    parser.add_argument("--quick", action="store_true", help="one seed, a part of two alphabets, 5 drawings")
    arguments = parser.parse_args(list(sys.argv[1:] if given is None else given))
    if not arguments.data.is_dir():
        sys.exit(
            f"expected Omniglot's archives in {arguments.data}, found no such folder; say where with --data"
        )
    if arguments.quick:
        arguments.seeds, arguments.counts = 1, [5]
    drawings = Drawings(arguments.data)
    names = sorted(set(drawings.alphabets.tolist()))
    order = np.random.default_rng(1).permutation(len(names))
    results: dict[tuple[str, int], list[float]] = {}
    once: list[float] = []
    for seed in range(arguments.seeds):
        mine = names[order[seed % len(names)]]
        others = [n for n in names if n != mine][: 2 if arguments.quick else None]
        base = np.flatnonzero(np.isin(drawings.alphabets, others))
        began = time.process_time()
        part = ms.grow(task_of(drawings, base, "letters"), budget=arguments.budget, seed=seed, quiet=True)
        letters = sorted(set(drawings.letters[drawings.alphabets == mine].tolist()))
        print(
            f"seed {seed}: {mine}, {len(letters)} letters; the part: {len(set(drawings.letters[base]))} letters of "
            f"{len(others)} alphabets, {100 * part.report().accuracy:.1f} % held out, "
            f"{time.process_time() - began:.0f} CPU-s",
            flush=True,
        )
        learn, asked = dealt(drawings, letters, np.random.default_rng([seed, 41]))
        for count in arguments.counts:
            rows = learn[:, :count].ravel()
            task = task_of(drawings, rows, mine)
            said = []
            for way, parts in (("with parts", [part]), ("alone", [])):
                began = time.process_time()
                model = ms.grow(task, budget=arguments.budget, seed=seed, parts=parts, quiet=True)
                seconds = time.process_time() - began
                share = right_share(model, drawings, asked)
                results.setdefault((way, count), []).append(share)
                said.append(f"{way} {share:.1f} % ({model.report().way}, {seconds:.0f} CPU-s)")
            share = raw_ridge(drawings, rows, asked)
            results.setdefault(("ridge on pixels", count), []).append(share)
            print(f"  {count:2d} a letter: {', '.join(said)}, ridge on pixels {share:.1f} %", flush=True)
        shares = []
        for draw in range(_ONE_SHOT):
            rng = np.random.default_rng([seed, 43, draw])
            some = [letters[k] for k in rng.permutation(len(letters))[:20]]
            learn, asked = dealt(drawings, some, rng)
            model = ms.grow(
                task_of(drawings, learn[:, 0], mine),
                budget=arguments.budget,
                seed=seed,
                parts=[part],
                quiet=True,
            )
            shares.append(right_share(model, drawings, asked))
        once.append(float(np.mean(shares)))
        print(f"  {len(some)}-way one-shot: {once[-1]:.1f} %", flush=True)
    for way in ("with parts", "alone", "ridge on pixels"):
        line = "; ".join(f"{n}: {spread(results[way, n], '.1f')}" for n in arguments.counts)
        print(f"labels, {way}, per cent by drawings a letter: {line}")
    print(f"labels, one-shot among 20 letters with parts: {spread(once, '.1f')} %")
    if {5, 15} <= set(arguments.counts):
        five, fifteen = np.mean(results["with parts", 5]), np.mean(results["alone", 15])
        print(f"labels: 5 with parts {five:.1f} %, 15 alone {fifteen:.1f} % (target: at least as good)")


if __name__ == "__main__":
    main()
