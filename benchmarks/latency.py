"""What starting and predicting cost, each in fresh processes, in seconds of processor time.

    python benchmarks/latency.py                     models grown here, in some seconds
    python benchmarks/latency.py --model my.mst      a model of yours

Processor time, not wall time: on a busy machine it is the fairer figure. Prints a table, and ends with exit code 1 if
a target is missed, or if loading and predicting imports what it must not.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "penguins.csv"
HEAVY = ("torch", "sklearn", "lightgbm", "optuna", "scipy", "pandas", "polars", "pyarrow", "rich", "typer")
"""What loading a model and predicting a dict must not import. A data frame brings its own library, no more."""

# Run in a fresh process with the path of a model. A row: the typical one that the model file holds.
ROW = """
import meristem as ms
model = ms.load({path!r})
row = {{}}
for name, column in model.example.fields.items():
    value = column[0]
    row[name] = value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
"""
FIRST = ROW + "model.predict(row)\n"
LATER = """
import json, statistics, sys, time

def each(source):
    for _ in range(20):
        model.predict(source)
    times = []
    for _ in range(10):
        began = time.process_time()
        for _ in range(20):
            model.predict(source)
        times.append((time.process_time() - began) / 20)
    return statistics.median(times)

found = {"dict": each(row), "imported": [name for name in HEAVY if name in sys.modules]}
import pandas
found["frame"] = each(pandas.DataFrame([row]))
found["imported with a frame"] = [name for name in ("torch", "sklearn", "lightgbm") if name in sys.modules]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Line:
    """One measurement: seconds of each repeat, and the most it may be."""

    what: str
    seconds: list[float]
    target: float | None

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def met(self) -> bool:
        return self.target is None or self.median < self.target


def processor_seconds(arguments: list[str]) -> float:
    """User and system time of a process, from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def repeated(measure: Callable[[], float], repeats: int) -> list[float]:
    measure()  # the first one reads the files from the disk
    return [measure() for _ in range(repeats)]


def grow_models(folder: Path) -> dict[str, Path]:
    """A small model of one program, and a blend of boosted trees on categories and numbers."""
    import numpy as np

    import meristem as ms

    budget = ms.Budget(trials=2, cores=0)
    small = ms.grow(ms.Task.from_table(EXAMPLE, "species"), budget=budget, quiet=True)
    rng = np.random.default_rng(0)
    rows = 1500
    table = {f"number {k}": rng.normal(size=rows) for k in range(12)}
    table |= {f"category {k}": rng.choice([f"label {j}" for j in range(5 + 10 * k)], rows) for k in range(3)}
    signal = (
        table["number 0"] * table["number 1"]
        + np.sin(3 * table["number 2"])
        + (table["category 0"] == "label 1")
    )
    table["answer"] = signal + rng.normal(0, 0.3, rows)
    blend = ms.grow(ms.Task.from_table(table, "answer"), budget=ms.Budget(trials=6, cores=0), quiet=True)
    models = {"penguins": small, "15 columns, a blend": blend}
    paths = {}
    for k, (name, model) in enumerate(models.items()):
        paths[name] = folder / f"{k}.mst"
        model.save(paths[name])
        members = max(len(model.report().members), 1)
        programs = "1 program" if members == 1 else f"{members} programs"
        print(f"{name}: {programs}, {paths[name].stat().st_size / 1000:.0f} kB", file=sys.stderr)
    return paths


def measure_all(models: dict[str, Path], repeats: int) -> tuple[list[Line], dict[str, list[str]]]:
    bare = repeated(lambda: processor_seconds(["-c", "pass"]), repeats)
    base = statistics.median(bare)
    lines = [Line("a bare interpreter", bare, None)]
    started = repeated(lambda: processor_seconds(["-c", "import meristem"]), repeats)
    lines.append(Line("import meristem, beyond that", [s - base for s in started], 0.05))
    lines.append(
        Line(
            "meristem --help", repeated(lambda: processor_seconds(["-m", "meristem", "--help"]), repeats), 0.4
        )
    )
    imported: dict[str, list[str]] = {}
    for name, path in models.items():
        code = FIRST.format(path=str(path))
        first = repeated(lambda code=code: processor_seconds(["-c", code]), repeats)  # type: ignore[misc]
        lines.append(Line(f"{name}: load and first prediction", first, 0.6))
        code = ROW.format(path=str(path)) + f"HEAVY = {HEAVY!r}\n" + LATER
        later = []
        for _ in range(repeats):
            done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
            later.append(json.loads(done.stdout))
        lines.append(Line(f"{name}: a row from a dict", [found["dict"] for found in later], 1e-3))
        lines.append(Line(f"{name}: a row from a data frame", [found["frame"] for found in later], 3e-3))
        imported[f"{name}: predicting a dict"] = later[0]["imported"]
        imported[f"{name}: predicting a data frame"] = later[0]["imported with a frame"]
    return lines, imported


def shown(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms" if seconds < 0.1 else f"{seconds:.3f} s"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="measure this model file instead of models grown here")
    parser.add_argument("--repeats", type=int, default=7, help="processes for each measurement (default 7)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        models = {options.model.name: options.model.resolve()} if options.model else grow_models(Path(folder))
        lines, imported = measure_all(models, options.repeats)
    unwanted = {what: names for what, names in imported.items() if names}
    met = all(line.met for line in lines) and not unwanted
    if options.json:
        rows = [
            {"what": line.what, "seconds": line.seconds, "median": line.median, "target": line.target}
            for line in lines
        ]
        print(json.dumps({"lines": rows, "unwanted imports": unwanted, "met": met}, indent=1))
        return 0 if met else 1
    width = max(len(line.what) for line in lines)
    print(f"{'processor time':<{width}}  {'median':>10}  {'least':>10}  {'most':>10}  {'target':>9}")
    for line in lines:
        target = "" if line.target is None else shown(line.target)
        verdict = "" if line.target is None else "  met" if line.met else "  MISSED"
        least, most = shown(min(line.seconds)), shown(max(line.seconds))
        print(
            f"{line.what:<{width}}  {shown(line.median):>10}  {least:>10}  {most:>10}  {target:>9}{verdict}"
        )
    for what in imported:
        print(
            f"{what} imports {', '.join(unwanted[what]) + ': MISSED' if what in unwanted else 'nothing heavy'}"
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
