"""Across senses: sums learned on written digits, done with spoken ones: python benchmarks/hybrid.py senses [options].

Two models are grown first. One learns from lists of written digits what their sum is, with no digit label: it brings
the *program*. The other learns from a few labelled clips (5 of each digit) which digit is spoken: it brings an ear, not
yet a good one. Then

    ms.grow(Task.from_arrays(lists_of_clips, sums), parts=[sum_of_written, ear])

puts the ear into the program and trains it further from 1,000 answers, lists of 2 to 5 clips. The program is not given,
and no clip of a list has a label. Asked of lists of 3 to 5 from the official test part (recordings 0 to 4 of each
digit and speaker). Then again with one speaker kept out of all training, asked of that speaker's clips only.

Beside it in the same run: the lists without any part, the ear alone under the true sum, and the same network on digit
labels of all clips of the lists under the true sum, which is what knowing all labels would give.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tarfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from hybrid import lists, load, percent, spread

SAMPLES = 6000  # of a clip, three quarters of a second: longer ones lose their end
TARGET = 85.0


class Clips:
    """The recordings: `sounds` [N, SAMPLES], `digits` [N], `speakers` [N], and whether each is of the test part."""

    def __init__(self, folder: Path) -> None:
        with (folder / "recordings.csv").open() as file:
            rows = {row["file"]: row for row in csv.DictReader(file)}
        sounds, digits, speakers, test = [], [], [], []
        with tarfile.open(folder / "recordings.tar") as archive:
            for member in archive:
                row = rows.get(member.name)
                stream = archive.extractfile(member) if row else None
                if row is None or stream is None:
                    continue
                with wave.open(io.BytesIO(stream.read())) as sound:
                    data = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
                whole = np.zeros(SAMPLES, np.int16)
                whole[: min(len(data), SAMPLES)] = data[:SAMPLES]
                sounds.append(whole)
                digits.append(int(row["digit"]))
                speakers.append(row["speaker"])
                test.append(row["part"] == "test")
        self.sounds, self.digits = np.stack(sounds), np.array(digits)
        self.speakers, self.test = np.array(speakers), np.array(test)


def exact_share(model: Any, clips: Clips, at: Sequence[NDArray[np.int64]]) -> float:
    """The share of lists that a model answers exactly, in per cent."""
    answers, _ = model.answers_for([list(clips.sounds[rows]) for rows in at])
    wanted = [int(clips.digits[rows].sum()) for rows in at]
    return 100 * float(np.mean([a == b for a, b in zip(answers, wanted, strict=True)]))


def under_the_sum(
    reader: Any, clips: Clips, pool: NDArray[np.int64], at: Sequence[Any]
) -> tuple[float, float]:
    """Of a model that names one clip: per cent of clips right, and of lists whose sum is right."""
    seen = np.full(len(clips.digits), -1)
    answers, _ = reader.answers_for(list(clips.sounds[pool]))
    seen[pool] = [int(a) for a in answers]
    right = 100 * float((seen[pool] == clips.digits[pool]).mean())
    sums = [seen[rows].sum() == clips.digits[rows].sum() for rows in at]
    return right, 100 * float(np.mean(sums))


def written_sum(arguments: argparse.Namespace, seed: int) -> Any:
    """The part that brings the program: the sum of lists of written digits."""
    import meristem as ms

    images, digits = load(arguments.mnist, "train")
    rng = np.random.default_rng([seed, 31])
    at = lists(arguments.written, 2, 5, len(images), rng)
    task = ms.Task.from_arrays(
        [images[rows] for rows in at], [int(digits[rows].sum()) for rows in at], name="sum of written"
    )
    return ms.grow(task, budget=arguments.budget, seed=seed, quiet=True)


def one(
    arguments: argparse.Namespace, clips: Clips, program: Any, seed: int, unseen: str | None
) -> dict[str, float]:
    """One run: all speakers, or one of them kept for the test."""
    import meristem as ms

    rng = np.random.default_rng([seed, 37])
    own = np.ones(len(clips.digits), np.bool_) if unseen is None else clips.speakers != unseen
    train = np.flatnonzero(~clips.test & own)
    test = np.flatnonzero(clips.test if unseen is None else clips.speakers == unseen)
    few = np.concatenate(
        [rng.permutation(train[clips.digits[train] == d])[: arguments.labels // 10] for d in range(10)]
    )
    at = [train[rows] for rows in lists(arguments.lists, 2, 5, len(train), rng)]
    answers = [int(clips.digits[rows].sum()) for rows in at]
    asked = [test[rows] for rows in lists(600, 3, 5, len(test), rng)]
    began = time.process_time()
    ear = ms.grow(
        ms.Task.from_arrays(clips.sounds[few], clips.digits[few].tolist(), name="ear"),
        budget=arguments.budget,
        seed=seed,
        quiet=True,
    )
    first = time.process_time() - began
    task = ms.Task.from_arrays([list(clips.sounds[rows]) for rows in at], answers, name="sum of spoken")
    began = time.process_time()
    model = ms.grow(task, budget=arguments.budget, seed=seed, parts=[program, ear], quiet=True)
    seconds = time.process_time() - began
    report = model.report()
    found = {"exact": exact_share(model, clips, asked), "seconds": seconds}
    clip, ear_sum = under_the_sum(ear, clips, test, asked)
    found |= {"ear": ear_sum}
    print(
        f"  {'unseen ' + unseen if unseen else 'official split'}: {found['exact']:.1f} % of lists of 3 to 5 exact, "
        f"{seconds:.0f} CPU-s ({report.way}: {report.tried_programs[0].text}; held out {percent(report.accuracy)}, "
        f"plain network {percent(report.plain)}); the ear alone {clip:.1f} % of clips, {ear_sum:.1f} % of sums "
        f"({first:.0f} CPU-s)",
        flush=True,
    )
    if arguments.peers:
        alone = ms.grow(task, budget=arguments.budget, seed=seed, quiet=True)
        found["alone"] = exact_share(alone, clips, asked)
        used = np.unique(np.concatenate(at))
        every = ms.grow(
            ms.Task.from_arrays(clips.sounds[used], clips.digits[used].tolist(), name="all labels"),
            budget=arguments.budget,
            seed=seed,
            quiet=True,
        )
        clip, found["all labels"] = under_the_sum(every, clips, test, asked)
        print(
            f"    without parts {found['alone']:.1f} % ({alone.report().tried_programs[0].text}); with all "
            f"{len(used):,} clips labelled {clip:.1f} % of clips, {found['all labels']:.1f} % of sums",
            flush=True,
        )
    return found


def main(given: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--mnist", type=Path, default=Path("../shared/data/images/mnist"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data/signals/spoken_digits"))
    parser.add_argument("--budget", default="600s", help="wall time of each call of grow")
    parser.add_argument("--written", type=int, default=3_000, help="lists of written digits")
    parser.add_argument("--labels", type=int, default=50, help="labelled clips, as many of each digit")
    parser.add_argument("--lists", type=int, default=1_000, help="lists of spoken digits with their sum")
    parser.add_argument("--peers", action="store_true", help="also without parts, and with all labels")
    parser.add_argument("--quick", action="store_true", help="one seed, few lists of written digits")
    arguments = parser.parse_args(list(sys.argv[1:] if given is None else given))
    for folder in (arguments.mnist, arguments.data):
        if not folder.is_dir():
            sys.exit(f"expected data in {folder}, found no such folder; say where with --mnist and --data")
    if arguments.quick:
        arguments.seeds, arguments.written = 1, 600
    clips = Clips(arguments.data)
    names = sorted(set(clips.speakers.tolist()))
    known, unknown = [], []
    for seed in range(arguments.seeds):
        began = time.process_time()
        program = written_sum(arguments, seed)
        print(
            f"seed {seed}: written: {program.report().tried_programs[0].text}, "
            f"{percent(program.report().accuracy)} held out, {time.process_time() - began:.0f} CPU-s",
            flush=True,
        )
        known.append(one(arguments, clips, program, seed, None))
        unknown.append(one(arguments, clips, program, seed, names[seed % len(names)]))
    for title, runs in (("official split", known), ("unseen speaker", unknown)):
        print(
            f"senses, {title}: {spread([r['exact'] for r in runs], '.1f')} % of lists of 3 to 5 exact"
            + (f" (target {TARGET:.0f})" if runs is known else "")
            + f"; the ear alone {spread([r['ear'] for r in runs], '.1f')}"
            + "".join(
                f"; {key} {spread([r[key] for r in runs], '.1f')}"
                for key in ("alone", "all labels")
                if key in runs[0]
            )
            + f"; {spread([r['seconds'] for r in runs], '.0f')} CPU-s"
        )


if __name__ == "__main__":
    main()
