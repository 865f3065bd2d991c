"""Imports run downward only, and heavy packages are imported on first use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "meristem"

# From the top of the house to the ground; packages in one line may import each other.
LAYERS = [
    {"cli", "__main__"},
    {"adapters"},
    {"growth"},
    {"reading", "report"},
    {"search", "export"},
    {"training", "library", "executors"},
    {"task", "model"},
    {"primitives", "modules"},
    {"language"},
    {"values", "events"},
    {"types", "errors", "_version"},
]
LEVEL = {name: len(LAYERS) - depth for depth, names in enumerate(LAYERS) for name in names}

# Doors that users know may reach up, inside a function: (importer, imported package).
UPWARD = {("task/task.py", "reading"), ("model/model.py", "reading")}

HEAVY = {"pyarrow", "pandas", "polars", "scipy", "sklearn", "lightgbm", "torch", "rich", "typer", "optuna"}
# The contract runs the Python form of terms it made itself, to hold it against the interpreter: that is its purpose.
MAY_EXECUTE = {"language/contract.py"}
MAY_BE_HEAVY = {"adapters/sklearn.py"}  # loaded only by those who use it, and a class needs its base


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(tree: ast.AST) -> list[tuple[str, bool]]:
    """Each imported module, and whether it is imported when the file is."""
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, at_import: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside = at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                found.extend((alias.name, at_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module and child.level == 0:
                found.append((child.module, at_import))
            visit(child, inside)

    visit(tree, True)
    return found


def home(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downward(path: Path) -> None:
    name = home(path)
    if name == "__init__":
        return
    relative = path.relative_to(PACKAGE).as_posix()
    for module, at_import in imports(ast.parse(path.read_text())):
        parts = module.split(".")
        if parts[0] != "meristem" or len(parts) == 1 or parts[1] == name:
            continue
        if not at_import and (relative, parts[1]) in UPWARD:
            continue
        assert LEVEL[parts[1]] <= LEVEL[name], f"{relative} imports {module}, which stands above it"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_heavy_at_import_time(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    if relative in MAY_BE_HEAVY:
        return
    for module, at_import in imports(ast.parse(path.read_text())):
        if at_import:
            assert module.split(".")[0] not in HEAVY, f"{relative} imports {module} at import time"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_pickle_and_no_eval(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {module.split(".")[0] for module, _ in imports(tree)}
    assert not names & {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    if path.relative_to(PACKAGE).as_posix() in MAY_EXECUTE:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "compile"), f"line {node.lineno}"


def test_import_meristem_loads_next_to_nothing() -> None:
    code = "import meristem, sys; print(sorted(m for m in sys.modules if m.split('.')[0] in ('numpy', 'meristem')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['meristem', 'meristem._version']"
