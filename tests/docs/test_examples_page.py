"""What docs/examples.md shows works as it stands there: the commands, and the Python."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from meristem import ProgramModel, load
from meristem.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
    assert len(commands) >= 5
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "meristem"
        assert main(words[1:]) == 0, (command, capsys.readouterr().err)
    top = load("top.mst")
    assert isinstance(top, ProgramModel)
    assert top([5, 1, 9, 3], 2) == [9, 5]
    filled = (folder / "filled.csv").read_text(encoding="utf-8")
    assert filled == (folder / "again.csv").read_text(encoding="utf-8")
    assert filled.splitlines()[-2:] == ["(0221) 555-0163,0221 555 0163", "0341.555-0108,0341 555 0108"]
    assert (folder / "top.html").exists()


def test_the_python(folder: Path) -> None:
    code = "".join(block for kind, block in BLOCKS if kind == "python").replace('"20s"', '"6s"')
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "def initials(x: str) -> str:" in done.stdout
    assert "\nAT\n['AT', 'LE']\n" in done.stdout
    assert "What is the answer for x = " in done.stdout
    assert "take(sort_by(" in done.stdout
    assert done.stdout.endswith("[6]\n")


def test_the_file_of_sygus() -> None:
    from meristem import Task

    task = Task.from_examples(ROOT / "examples" / "initials.sl")
    assert task.answers.to_list() == ["A.L.", "G.B.H.", "E.N."]
