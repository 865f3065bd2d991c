"""How many known formulas are recovered from points: exactly, on fresh points from a wider range, and as short.

    python benchmarks/formulas.py --data FOLDER                        all 119 Feynman formulas, 60 s of one core each
    python benchmarks/formulas.py --data FOLDER --every 4 --seconds 15
    python benchmarks/formulas.py --data FOLDER --set others           Nguyen, Keijzer, Livermore, Vladislavleva, ...
    python benchmarks/formulas.py --data FOLDER --only feynman_I_6_2 --noise 0.001

FOLDER holds `ground_truth_formulas.json` (formulas with ranges) and `symbolic_regression_benchmarks.csv`. A formula
counts as recovered if its relative error is below 1e-9 on 1,000 fresh points from ranges twice as wide and its size
is at most twice the truth's, both counted in nodes. Variables that are positive stay so, and points where the truth
has no value, or runs over on the way, are left out. The fresh points have seeds of their own. The last line also
counts those that hold where signs change too, which the data can not tell.

Beside it stands a plain peer in the same run: least squares over all monomials up to degree 4, the small terms
dropped; and gplearn, where it is installed and asked for (--gplearn).
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy starts its threads

import numpy as np  # noqa: E402

import meristem.primitives  # noqa: E402, F401
from meristem.language.interpreter import evaluate as interpret  # noqa: E402
from meristem.language.terms import Term  # noqa: E402
from meristem.language.text import format_term  # noqa: E402
from meristem.search.formulas import Formulas  # noqa: E402
from meristem.search.formulas.expressions import Expr, Reals, constant, evaluate, size, to_term, variable  # noqa: E402
from meristem.search.programs.problem import Found, Problem  # noqa: E402
from meristem.types import REAL  # noqa: E402
from meristem.values import Column, Scalars  # noqa: E402

EXACT = 1e-9
POINTS = 1000
_FUNCTIONS = {"sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs"}
_ALIASES = {"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "asin": "asin", "acos": "acos"}
_SIGNS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}


@dataclass(frozen=True)
class Known:
    """A formula with the ranges of its variables."""

    name: str
    text: str
    names: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    rows: int

    def truth(self) -> Expr:
        """The formula as a tree, as it is written."""
        return _read(ast.parse(self.text.strip(), mode="eval").body, self.names)

    def points(self, seed: int, rows: int, wider: float = 1.0, beyond: bool = False) -> tuple[Reals, Reals]:
        """Rows [n, d] from the ranges and the truth there [n]; rows without a value are drawn again."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        truth = to_term(self.truth(), self.names, [REAL] * len(self.names))
        kept_columns: list[Reals] = []
        kept: list[Reals] = []
        for _ in range(50):
            data = np.empty((rows, len(self.names)))
            for j, (low, high) in enumerate(self.ranges):
                more = (wider - 1) * (high - low) / 2
                start = low - more if beyond or low < 0 else max(low - more, 0.0)
                data[:, j] = rng.uniform(start, high + more, rows)
            values = _values(truth, self.names, data)
            good = np.isfinite(values) & (np.abs(values) < 1e50)
            kept_columns.append(data[good])
            kept.append(values[good])
            if sum(map(len, kept)) >= rows:
                break
        return np.concatenate(kept_columns)[:rows], np.concatenate(kept)[:rows]


def _read(node: ast.expr, names: Sequence[str]) -> Expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return constant(float(node.value))
    if isinstance(node, ast.Name):
        if node.id in names:
            return variable(names.index(node.id))
        if node.id == "pi":
            return constant(math.pi)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _read(node.operand, names)
        return constant(-inner.value) if inner.op == "c" else Expr("negate", (inner,))
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return _binary(_SIGNS[type(node.op)], _read(node.left, names), _read(node.right, names))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        args = [_read(arg, names) for arg in node.args]
        called = _ALIASES.get(node.func.id, node.func.id)
        if called in _FUNCTIONS or called in _ALIASES.values():
            return Expr(called, (args[0],))
        if called == "pow":
            return _binary("power", args[0], args[1])
        if called == "div":
            return _binary("divide", args[0], args[1])
        if called == "cot":
            return Expr("divide", (constant(1.0), Expr("tan", (args[0],))))
    raise ValueError(f"expected a formula of numbers, names and known functions, got {ast.dump(node)[:200]}")


def _binary(op: str, left: Expr, right: Expr) -> Expr:
    if op == "power" and right.op == "c" and right.value in (2.0, 3.0):
        return Expr("square" if right.value == 2 else "cube", (left,))
    return Expr(op, (left, right))


# --------------------------------------------------------------------------------------------------------- the sets


def feynman(folder: Path) -> Iterator[Known]:
    """The formulas with ranges."""
    for name, entry in json.loads((folder / "ground_truth_formulas.json").read_text()).items():
        if entry["ranges"]:
            text = entry["equations"][0].split("=", 1)[1]
            names = tuple(entry["ranges"])
            yield Known(name, text, names, tuple((a, b) for a, b in entry["ranges"].values()), POINTS)


def others(folder: Path) -> Iterator[Known]:
    """Formulas of other benchmarks, with as many rows as each asks for (a fifth of them at most on a grid)."""
    with (folder / "symbolic_regression_benchmarks.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            spec = json.loads(row["train_spec"]) if row["train_spec"] not in ("", "None") else {}
            if not spec:
                continue
            count = int(row["variables"])
            ranges, rows = [], 20
            for j in range(count):
                own = spec.get(f"x{j + 1}") or spec["all"]
                kind, (low, high, step) = next(iter(own.items()))
                ranges.append((float(low), float(high)))
                rows = int(step) if kind == "U" else (int((high - low) / step) + 1 if step < 1 else int(step))
            names = tuple(f"x{j + 1}" for j in range(count))
            known = Known(row["name"], row["expression"], names, tuple(ranges), max(10, min(rows, POINTS)))
            try:
                known.truth()
            except (ValueError, SyntaxError):
                continue
            yield known


# ---------------------------------------------------------------------------------------------------------- one run


@dataclass
class Run:
    """What came of one formula."""

    name: str
    truth: str
    found: str
    seconds: float
    first: float
    error: float
    beyond: float
    size: int
    truth_size: int
    peer_error: float
    peer_size: int

    @property
    def exact(self) -> bool:
        return self.error < EXACT

    @property
    def recovered(self) -> bool:
        return self.exact and self.size <= 2 * self.truth_size


def error_on(values: Reals, wanted: Reals) -> float:
    """The largest relative error; where the truth is below a millionth of its usual size, relative to that."""
    if not np.isfinite(values).all():
        return math.inf
    floor = 1e-6 * float(np.sqrt(np.mean(wanted**2)))
    return float((np.abs(values - wanted) / np.maximum(np.abs(wanted), max(floor, 1e-300))).max())


def run(known: Known, seconds: float, seed: int, noise: float, gplearn: bool) -> Run:
    """Grow a formula from points, within so many seconds of CPU time, and test it."""
    columns, answers = known.points(seed, known.rows)
    if noise:
        answers = answers + np.random.default_rng(seed).normal(size=len(answers)) * noise * answers.std()
    inputs = {name: Scalars(REAL, np.ascontiguousarray(columns[:, j])) for j, name in enumerate(known.names)}
    problem = Problem(inputs, Scalars(REAL, answers), seed=seed)
    best: Found | None = None
    first = math.inf
    began = time.process_time()
    for found in Formulas().find(problem):
        spent = time.process_time() - began
        if found is not None and (best is None or _rank(found) < _rank(best)):
            first = min(first, spent)
            best = found
        if spent > seconds:
            break
    spent = time.process_time() - began
    fresh, wanted = known.points(seed + 1_000_003, POINTS, 2.0)
    beyond, wanted_beyond = known.points(seed + 2_000_003, POINTS, 2.0, beyond=True)
    peer_error, peer_size = (_gplearn if gplearn else _polynomials)(columns, answers, fresh, wanted)
    return Run(
        known.name,
        known.text.strip(),
        format_term(best.term) if best else "",
        round(spent, 2),
        round(first, 2),
        error_on(_values(best.term, known.names, fresh), wanted) if best else math.inf,
        error_on(_values(best.term, known.names, beyond), wanted_beyond) if best else math.inf,
        best.term.size if best else 0,
        size(known.truth()),
        peer_error,
        peer_size,
    )


def _rank(found: Found) -> tuple[bool, float]:
    """One that answers everything before one that comes near."""
    return bool(found.wrong), found.cost


def _values(term: Term, names: Sequence[str], columns: Reals) -> Reals:
    """What the interpreter makes of a term, NaN where it fails."""
    inputs: Mapping[str, Column] = {
        name: Scalars(REAL, np.ascontiguousarray(columns[:, j])) for j, name in enumerate(names)
    }
    result = interpret(term, inputs)
    return np.array(
        [value if isinstance(value, float) else math.nan for value in result.to_list()], np.float64
    )


def _polynomials(columns: Reals, answers: Reals, fresh: Reals, wanted: Reals) -> tuple[float, int]:
    """Least squares over all monomials up to degree 4 (or as many as a third of the rows carry), small ones dropped."""
    from meristem.search.formulas.linear import monomials

    degree = next(
        d for d in (4, 3, 2, 1, 0) if len(monomials(columns, d, False, 10**6)[0]) <= len(answers) / 3
    )
    exprs, rows = monomials(columns, degree, False, 10**6)
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-300)
    fitted = np.linalg.lstsq((rows / scale[:, None]).T, answers, rcond=None)[0]
    kept = np.flatnonzero(np.abs(fitted) > 1e-9 * np.abs(fitted).max())
    fitted = np.linalg.lstsq((rows[kept] / scale[kept, None]).T, answers, rcond=None)[0] / scale[kept]
    values = sum(
        (w * evaluate(exprs[i], fresh) for w, i in zip(fitted, kept, strict=True)), np.zeros(len(fresh))
    )
    return error_on(values, wanted), sum(size(exprs[i]) + 2 for i in kept)


def _gplearn(columns: Reals, answers: Reals, fresh: Reals, wanted: Reals) -> tuple[float, int]:
    """Genetic programming as it comes, with the functions that these formulas need."""
    import warnings

    from gplearn.genetic import SymbolicRegressor  # type: ignore[import-not-found]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = ("add", "sub", "mul", "div", "sqrt", "log", "sin", "cos", "inv", "neg")
        model = SymbolicRegressor(population_size=2000, generations=30, function_set=names, random_state=0)
        model.fit(columns, answers)
    return error_on(np.asarray(model.predict(fresh), np.float64), wanted), int(model._program.length_)


# --------------------------------------------------------------------------------------------------------- the whole


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the formulas")
    parser.add_argument("--set", choices=("feynman", "others"), default="feynman")
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds a formula")
    parser.add_argument("--only", default="", help="a part of the names to run")
    parser.add_argument("--every", type=int, default=1, help="every K-th formula")
    parser.add_argument("--offset", type=int, default=0, help="the first of these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noise", type=float, default=0.0, help="share of the answers' spread")
    parser.add_argument("--workers", type=int, default=2, choices=(1, 2))
    parser.add_argument("--gplearn", action="store_true", help="gplearn as the peer instead of polynomials")
    parser.add_argument("--json", type=Path, help="where to write the results, a line each")
    given = parser.parse_args()
    known = list((feynman if given.set == "feynman" else others)(given.data))
    known = [k for k in known if given.only in k.name][given.offset :: given.every]
    runs: list[Run] = []
    for result in _spread(known, given):
        runs.append(result)
        print(_line(result), flush=True)
    if given.json:
        given.json.write_text("".join(json.dumps(asdict(r)) + "\n" for r in runs))
    print(summary(runs))
    return 0


def _spread(known: Sequence[Known], given: Any) -> Iterator[Run]:
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(run, k, given.seconds, given.seed, given.noise, given.gplearn) for k in known]
        for job in as_completed(jobs):
            yield job.result()


def _line(result: Run) -> str:
    mark = "recovered" if result.recovered else "long     " if result.exact else "-        "
    found = re.sub(r"(\d\.\d{6})\d+", r"\1", result.found) or "nothing"
    return (
        f"{mark} {result.name:22} {result.seconds:6.1f} s  error {result.error:8.1e}  size {result.size:3}"
        f" of {result.truth_size:3}  {found}"
    )


def summary(runs: Sequence[Run]) -> str:
    """The figures of all runs."""
    total = max(1, len(runs))
    recovered = sum(r.recovered for r in runs)
    seconds = sorted(r.first for r in runs if r.recovered)
    middle = f", median {seconds[len(seconds) // 2]:.1f} s to the first fit" if seconds else ""
    return (
        f"recovered {recovered} of {len(runs)} ({100 * recovered / total:.1f} %){middle}; "
        f"exact at any size {sum(r.exact for r in runs)}; "
        f"beyond the signs of the data too {sum(r.recovered and r.beyond < EXACT for r in runs)}; "
        f"CPU seconds in all {sum(r.seconds for r in runs):.0f}\n"
        f"peer: exact {sum(r.peer_error < EXACT for r in runs)} of {len(runs)}, recovered "
        f"{sum(r.peer_error < EXACT and r.peer_size <= 2 * r.truth_size for r in runs)}"
    )


if __name__ == "__main__":
    sys.exit(main())
