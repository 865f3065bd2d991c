"""Models and tables that the tests of the command line share, made once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meristem import Budget, Model, Task, grow
from meristem.cli import main

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
QUICK = Budget(trials=2, cores=0)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="session")
def penguins(folder: Path) -> Path:
    """A model of three classes from numbers and categories with gaps."""
    model = grow(Task.from_table(PENGUINS, "species"), budget=QUICK, quiet=True)
    model.save(folder / "penguins.mst")
    return folder / "penguins.mst"


@pytest.fixture(scope="session")
def prices_table(folder: Path) -> Path:
    """120 rows: a number to predict from two numbers and a category; one answer is missing."""
    rng = np.random.default_rng(0)
    area, age = rng.uniform(30, 200, 120), rng.integers(0, 90, 120)
    town = rng.choice(["Ulm", "Köln", "a, b"], 120)
    price = 3 * area - age + 40 * (town == "Ulm") + rng.normal(0, 10, 120)
    lines = ["id,area,age,town,price"]
    for k in range(120):
        answer = "" if k == 7 else f"{price[k]:.2f}"
        lines.append(f'h{k},{area[k]:.1f},{age[k]},"{town[k]}",{answer}')
    path = folder / "prices.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def prices(folder: Path, prices_table: Path) -> Path:
    """A model of a number."""
    model = grow(Task.from_table(prices_table, "price"), budget=QUICK, quiet=True)
    model.save(folder / "prices.mst")
    return folder / "prices.mst"


@pytest.fixture
def loaded(penguins: Path) -> Model:
    from meristem import load

    return load(penguins)


Run = Callable[..., "Result"]


class Result:
    """What a call of the command line gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own."""
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "meristem", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        **options,
    )
