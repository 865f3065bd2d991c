"""Whether a budget is a budget: wall time and memory of whole runs of `meristem grow`.

    python benchmarks/budget.py --data FOLDER                          all of it, about 30 minutes
    python benchmarks/budget.py --data FOLDER --only titanic --seconds 5

Each run is a process of its own, as a user starts it; its time is from the start of the process to its end, its
memory that of all its processes together, looked at twenty times a second (pages that they share count once). The
limits: 1.05 x budget + 0.5 s, and what --memory says. Beside ten tables of the folder there are two made here from a
seed: one of 10,000 columns, one of 1,000,000 rows.

Results go to a file of JSON lines, one a run; what is in it already is not run again. Ends with exit code 1 if a
limit was passed or a run failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

TABLES = (
    "titanic.csv",
    "penguins.csv",
    "telco_churn.csv",
    "adult_income.csv",
    "bank_marketing.csv",
    "image_segment.csv",
    "sms_spam.csv",
    "california_housing.csv",
    "abalone.csv",
    "daily_min_temperatures.csv",
)
SECONDS = (5.0, 15.0, 30.0)
EVERY = 0.05  # seconds between looks at the memory


@dataclass(frozen=True)
class Run:
    """What one run took. Sizes in bytes, times in seconds."""

    table: str
    budget: float
    cores: int
    seconds: float
    most_seconds: float
    memory: int
    most_memory: int
    code: int
    score: float | None
    baseline: float | None
    candidates: dict[str, int]
    words: str

    @property
    def met(self) -> bool:
        return self.code == 0 and self.seconds <= self.most_seconds and self.memory <= self.most_memory


# ---------------------------------------------------------------------------------------------- measuring


def family(root: int) -> Iterator[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as stream:
                    parent = int(stream.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # it has ended meanwhile
            children.setdefault(parent, []).append(int(name))
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children.get(process, [])


def memory_of(process: int) -> int:
    """Bytes that a process holds, its part of shared pages included; 0 when it has ended."""
    try:
        with open(f"/proc/{process}/smaps_rollup") as stream:
            for line in stream:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def run_measured(command: list[str], folder: Path, longest: float) -> tuple[int, float, int, str, str]:
    """Exit code, seconds, peak memory, stdout and stderr of a command; ended by force after `longest` seconds."""
    peak = 0
    with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err)
        ended = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not ended.wait(EVERY):
                peak = max(peak, sum(memory_of(p) for p in family(process.pid)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            code = process.wait(longest)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = -9
        seconds = time.monotonic() - began
        ended.set()
        watcher.join()
    texts = ((folder / name).read_text("utf-8", "replace") for name in ("out", "err"))
    return code, seconds, peak, *texts


def measure(path: Path, target: str, budget: float, cores: int, memory: int, folder: Path) -> Run:
    """Grow a model of a table and see what it took."""
    command = [
        sys.executable,
        "-m",
        "meristem",
        "grow",
        str(path),
        "--target",
        target,
        "--budget",
        f"{budget}s",
    ]
    command += ["--cores", str(cores), "--memory", str(memory), "--out", "model.mst", "--json"]
    code, seconds, peak, out, err = run_measured(command, folder, 3 * budget + 60)
    try:
        found = json.loads(out)
    except ValueError:
        found = {"score": {}, "baseline": {}, "candidates": {}}
    return Run(
        table=path.name,
        budget=budget,
        cores=cores,
        seconds=round(seconds, 3),
        most_seconds=round(1.05 * budget + 0.5, 3),
        memory=peak,
        most_memory=memory,
        code=code,
        score=found["score"].get("value"),
        baseline=found["baseline"].get("value"),
        candidates=found["candidates"],
        words=err[-500:],
    )


# ---------------------------------------------------------------------------------------------- tables


def make_wide(path: Path) -> None:
    """1,000 rows of 10,000 columns; ten of them tell the answer."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    rng = np.random.default_rng(1)
    x = rng.normal(size=(1_000, 10_000)).round(3)
    table = {f"x{k}": x[:, k] for k in range(x.shape[1])}
    table["answer"] = (x[:, :10].sum(axis=1) + rng.normal(size=len(x))).round(3)
    csv.write_csv(pa.table(table), str(path))


def make_long(path: Path) -> None:
    """1,000,000 rows of numbers and categories."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    rng = np.random.default_rng(2)
    rows = 1_000_000
    x = rng.normal(size=(rows, 8)).round(4)
    town = rng.integers(0, 50, rows)
    kind = rng.integers(0, 4, rows)
    chance = 1 / (1 + np.exp(-(x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + (town % 7) / 3 - 1 + (kind == 2))))
    table = {f"x{k}": x[:, k] for k in range(x.shape[1])}
    table["town"] = pa.array([f"town {k}" for k in range(50)]).take(pa.array(town))
    table["kind"] = pa.array(["a", "b", "c", "d"]).take(pa.array(kind))
    table["answer"] = pa.array(["no", "yes"]).take(pa.array((rng.random(rows) < chance).astype(np.int8)))
    csv.write_csv(pa.table(table), str(path))


MADE: dict[str, Callable[[Path], None]] = {
    "wide_10000_columns.csv": make_wide,
    "long_1000000_rows.csv": make_long,
}


def places(data: Path, folder: Path, only: list[str]) -> Iterator[tuple[str, Callable[[], Path], str]]:
    """Name, what gives the path, and target of each table. Those made here are made when they are asked for."""

    def wanted(name: str) -> bool:
        return not only or any(part in name for part in only)

    index = {}
    if any(wanted(name) for name in TABLES):
        index = {entry["file"]: entry["target"] for entry in json.loads((data / "INDEX.json").read_text())}
    for name in filter(wanted, TABLES):
        yield name, lambda name=name: (data / name).resolve(), index[name]  # type: ignore[misc]
    for name, make in MADE.items():
        if wanted(name):

            def made(name: str = name, make: Callable[[Path], None] = make) -> Path:
                path = folder / name
                if not path.exists():
                    print(f"making {name}", file=sys.stderr)
                    make(path)
                return path

            yield name, made, "answer"


# ---------------------------------------------------------------------------------------------- the report


def read_runs(path: Path) -> list[Run]:
    """The runs in a file of results; a line that was cut off by the end of an earlier run is left out."""
    runs = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            runs.append(Run(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return runs


def show(runs: list[Run]) -> None:
    width = max([len(r.table) for r in runs], default=5)
    head = f"{'table':<{width}}  budget    took   limit   memory    limit       score    baseline  candidates"
    print(head)
    for r in sorted(runs, key=lambda r: (r.table, r.budget)):
        score, baseline = ("" if v is None else f"{v:,.4g}" for v in (r.score, r.baseline))
        tried = sum(r.candidates.values())
        lost = tried - r.candidates.get("scored", 0)
        verdict = (
            "" if r.met else "  MISSED" if r.code == 0 else f"  FAILED ({r.code}): {r.words.strip()[-120:]}"
        )
        print(
            f"{r.table:<{width}}  {r.budget:>4.0f} s  {r.seconds:>6.2f}  {r.most_seconds:>6.2f}  "
            f"{r.memory / 1e6:>4.0f} MB  {r.most_memory / 1e6:>4.0f} MB  {score:>10}  {baseline:>10}  "
            f"{tried:>4}{f' ({lost} lost)' if lost else ''}{verdict}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data/tables"), help="folder of tables, with INDEX.json"
    )
    parser.add_argument(
        "--seconds", type=float, nargs="+", default=list(SECONDS), help="budgets (default 5 15 30)"
    )
    parser.add_argument("--only", nargs="+", default=[], help="only tables whose name holds one of these")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--memory", default="2GB", help="limit for all processes of a run (default 2GB)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/budget.jsonl"), help="results; those in it are not run again"
    )
    options = parser.parse_args()
    from meristem.task.budget import bytes_from

    memory = bytes_from(options.memory)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    done = {(r.table, r.budget, r.cores, r.most_memory): r for r in read_runs(options.out)}
    chosen: list[Run] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table, path, target in places(options.data, folder, options.only):
            for budget in options.seconds:
                key = (table, budget, options.cores, memory)
                if key not in done:
                    print(f"{table}, {budget:g} s", file=sys.stderr)
                    done[key] = measure(path(), target, budget, options.cores, memory, folder)
                    with options.out.open("a") as stream:
                        stream.write(json.dumps(asdict(done[key])) + "\n")
                chosen.append(done[key])
    show(chosen)
    return 0 if all(r.met for r in chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
