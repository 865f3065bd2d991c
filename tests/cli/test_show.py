"""`meristem show`."""

from __future__ import annotations

import ast
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import Run
from meristem import Model


def test_everything_in_order(run: Run, penguins: Path, loaded: Model) -> None:
    result = run("show", penguins)
    assert (result.code, result.err) == (0, "")
    titles = ["species from penguins", "What it looks at", "What was tried", "The program", "What it reads"]
    places = [result.out.index(f"{title}\n") for title in titles]
    assert places == sorted(places)
    assert loaded.source() in result.out
    assert loaded.hash[:12] in result.out
    assert "\x1b" not in result.out
    assert max(len(line) for line in result.out.splitlines() if not line.startswith(" ")) <= 100


def test_source_alone_is_python(run: Run, penguins: Path, loaded: Model) -> None:
    result = run("show", penguins, "--source")
    assert result.out == loaded.source()
    ast.parse(result.out)


def test_json_is_one_object(run: Run, penguins: Path, loaded: Model) -> None:
    found = json.loads(run("show", penguins, "--json").out)
    assert found["hash"] == loaded.hash
    assert found["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert {f["name"]: f["kind"] for f in found["features"]}["island"] == "class"
    assert found["report"] == loaded.record
    assert found["modules"]


def test_page_and_picture(run: Run, penguins: Path, loaded: Model) -> None:
    result = run("show", penguins, "--html", "r.html", "--svg", "p.svg")
    assert (result.code, result.out) == (0, "")
    assert result.err == "the report is in r.html\nthe picture is in p.svg\n"
    assert Path("p.svg").read_text(encoding="utf-8") == loaded.picture()
    ElementTree.parse("p.svg")
    page = Path("r.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "<svg" in page
    assert "def predict(row)" in page


@pytest.mark.parametrize("option", ["--html", "--svg"])
def test_files_never_replace_the_model(run: Run, penguins: Path, option: str) -> None:
    before = penguins.read_bytes()
    result = run("show", penguins, option, penguins)
    assert result.code == 1
    assert "would be replaced" in result.err
    assert penguins.read_bytes() == before


def in_terminal(*arguments: str, **environment: str) -> bytes:
    """What a command writes to a terminal of 80 columns."""
    here, there = pty.openpty()
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    environment = {**plain, "TERM": "xterm-256color", **environment}
    command = [sys.executable, "-m", "meristem", *arguments]
    process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment)
    os.close(there)
    parts = []
    while True:
        try:
            part = os.read(here, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(here)
    assert process.wait() == 0
    return b"".join(parts)


def test_colours_only_where_they_are_wanted(penguins: Path) -> None:
    shown = in_terminal("show", str(penguins))
    assert b"\x1b[1m" in shown
    assert b"species from penguins" in shown
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert b"\x1b" not in in_terminal("show", str(penguins), **environment)
