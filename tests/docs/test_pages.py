"""What the pages for developers show works as it stands there, and one file is all it takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A folder stands in for one of the package: files in it are found by themselves, as if they were there, by worker
# processes too.
PLUGIN = """
import pkgutil
own = pkgutil.iter_modules
def found(path=None, prefix=""):
    if isinstance(path, list) and path[0].endswith({ending!r}) and {folder!r} not in path:
        path.append({folder!r})
    return own(path, prefix)
pkgutil.iter_modules = found
"""


def blocks(page: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python, with the folder that stands in."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "src")])}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def stand_in(tmp_path: Path, package: str, name: str, template: str) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / name).write_text(template, encoding="utf-8")
    plugin = PLUGIN.format(ending=os.path.join("meristem", package), folder=str(folder))
    (tmp_path / "sitecustomize.py").write_text(plugin, encoding="utf-8")


def contract(tmp_path: Path, test: str, names: list[str]) -> set[str]:
    """The tests of a contract that ran for names."""
    words = " or ".join(names)
    done = run(tmp_path, "-m", "pytest", "-v", "-p", "no:cacheprovider", str(ROOT / test), "-k", words)
    ran = re.findall(r"::(\w+)\[([^\]]*)\] PASSED", done.stdout)
    return {test for test, case in ran if any(name in re.split(r"\W", case) for name in names)}


def test_a_primitive(tmp_path: Path) -> None:
    template, *trials = blocks("add-a-primitive.md")
    stand_in(tmp_path, "primitives", "intervals.py", template)
    first, second, source = run(tmp_path, "-c", "".join(trials)).stdout.split("\n", 2)
    assert first == "[[2, 4, 6, 8]]"
    assert second.startswith("[True, EvaluationError")
    assert "def " in source
    for name in ("interval", "within_interval", "overlap"):
        assert "test_contract" in contract(tmp_path, "tests/primitives/test_contract.py", [name])


def test_a_module_kind(tmp_path: Path) -> None:
    template, trial, _ = blocks("add-a-module-kind.md")
    stand_in(tmp_path, "modules", "winsorize.py", template)
    out = run(tmp_path, "-c", trial).stdout
    assert "winsorize(" in out
    assert len(contract(tmp_path, "tests/modules/test_kinds.py", ["winsorize"])) == 6


def test_a_network(tmp_path: Path) -> None:
    _, _, template = blocks("add-a-module-kind.md")
    stand_in(tmp_path, "modules", "patchnet.py", template)
    assert len(contract(tmp_path, "tests/modules/test_kinds.py", ["patchnet"])) == 6


def test_a_strategy(tmp_path: Path) -> None:
    template, *trials = blocks("add-a-strategy.md")
    stand_in(tmp_path, "search", "jump.py", template)
    assert len(trials) == 1
    out = run(tmp_path, "-c", trials[0]).stdout
    assert len(out.splitlines()) == 25
    assert "\njump " in out
    assert len(contract(tmp_path, "tests/search/test_strategies.py", ["jump"])) == 2


def test_a_finder(tmp_path: Path) -> None:
    template, *trials = blocks("add-a-finder.md")
    stand_in(tmp_path, os.path.join("search", "finders"), "affine.py", template)
    assert len(trials) == 1
    program, names = run(tmp_path, "-c", trials[0]).stdout.splitlines()
    assert program == "9 * x + 999"
    assert "'affine'" in names


@pytest.mark.parametrize(
    ("page", "folder"),
    [
        ("add-a-finder.md", "search/finders"),
        ("add-a-primitive.md", "primitives"),
        ("add-a-module-kind.md", "modules"),
        ("add-a-strategy.md", "search"),
    ],
)
def test_the_pages_say_where_the_file_goes(page: str, folder: str) -> None:
    assert f"`src/meristem/{folder}/" in (ROOT / "docs" / page).read_text(encoding="utf-8")


DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


def test_the_house_in_the_design_is_the_one_that_stands() -> None:
    (house,) = re.findall(r"\n((?:    \w.*\n)+)\nLoading a model", DESIGN)
    named = [line[:37].split() for line in house.splitlines()]  # what stands in them comes after
    package = ROOT / "src" / "meristem"
    there = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    there |= {path.stem for path in package.glob("*.py") if not path.stem.startswith("_")}
    assert {name for line in named for name in line} == there


def test_the_design_names_files_and_functions_that_are_there() -> None:
    from meristem.language import terms

    nodes = [kind for kind in terms.Term.__subclasses__() if kind.__module__ == terms.__name__]
    words = {11: "eleven", 12: "twelve", 13: "thirteen"}
    assert f"{words[len(nodes)]} kinds of nodes" in DESIGN
    paths = re.findall(r"`((?:\w+/)+\w+\.py)`", DESIGN)
    assert len(paths) >= 8
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "src" / "meristem" / path).exists(), path
    for name in re.findall(r"`(\w+)`", DESIGN):
        text = subprocess.run(
            ["grep", "-rlw", name, str(ROOT / "src")], capture_output=True, text=True, check=False
        ).stdout
        assert text, f"{name} is named in the design and nowhere in the code"
