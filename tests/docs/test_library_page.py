"""What docs/library.md shows works as it stands there: the commands, and the Python."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from meristem.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MERISTEM_LIBRARY", str(tmp_path / "own"))
    commands = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
    assert len(commands) >= 2
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "meristem"
        assert main(words[1:]) == 0, (command, capsys.readouterr().err)
    assert "top_scores@1" in capsys.readouterr().out


def test_the_python(tmp_path: Path) -> None:
    code = "".join(block for kind, block in BLOCKS if kind == "python")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two least" in done.stdout
    assert (tmp_path / "least.pack").exists()


def test_every_command_is_named() -> None:
    names = re.findall(
        r'@library\.command\("?(\w+)?"?', (ROOT / "src/meristem/cli/library_app.py").read_text()
    )
    source = (ROOT / "src/meristem/cli/library_app.py").read_text()
    functions = re.findall(r"@library\.command\([^)]*\)\n    def (\w+?)_?\(", source)
    assert len(functions) == len(names) >= 11
    for name in functions:
        assert re.search(rf"\b{name}_?\b", PAGE), name
