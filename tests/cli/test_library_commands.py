"""`meristem library` and `meristem grow --library`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conftest import Run
from meristem.library import Library

sys.path.insert(0, str(Path(__file__).parents[1] / "library"))

from library_samples import EVENS, filled, program


@pytest.fixture
def place(tmp_path: Path) -> Path:
    filled(tmp_path / "lib").close()
    return tmp_path / "lib"


def test_list_search_show(run: Run, place: Path) -> None:
    done = run("library", "list", "-L", place)
    assert done.code == 0
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["evens@1", "large 0@1", "two least@2"]
    assert len(json.loads(run("library", "list", "-L", place, "--all", "--json").out)) == 4
    assert "evens@1" in run("library", "search", "filter", "-L", place).out
    assert "two least@2" in run("library", "search", "--type", "list[text] -> list[text]", "-L", place).out
    assert run("library", "search", "-L", place).code == 2
    done = run("library", "show", "two least", "-L", place)
    assert "take(sort(x), 3)" in done.out
    assert "made with: two least@1" in done.out
    assert "used by: two least@2" in run("library", "show", "two least@1", "-L", place).out
    assert "def two_least" in run("library", "show", "two least", "--source", "-L", place).out
    assert json.loads(run("library", "show", "evens", "--json", "-L", place).out)["name"] == "evens"
    done = run("library", "show", "nothing", "-L", place)
    assert done.code == 1
    assert "no entry 'nothing'" in done.err


def test_search_by_examples(run: Run, place: Path, tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text(
        '[{"input": [1, 2, 4], "output": [2, 4]}, {"input": [3, 6], "output": [6]}]'
    )
    done = run("library", "search", "--examples", tmp_path / "some.json", "--json", "-L", place)
    assert [each["name"] for each in json.loads(done.out)] == ["evens"]


def test_versions(run: Run, place: Path) -> None:
    done = run("library", "diff", "two least", "-L", place)
    assert "+program: take(sort(x), 3)" in done.out
    assert run("library", "history", "two least", "-L", place).out.count("two least@") == 2
    assert run("library", "diff", "evens", "-L", place).code == 1
    assert run("library", "diff", "evens", "two least", "-L", place).code == 0


def test_rm_gc_fsck(run: Run, place: Path) -> None:
    assert run("library", "rm", "evens", "nothing", "-L", place).code == 1
    assert "evens" in run("library", "list", "-L", place).out
    assert run("library", "rm", "evens", "-L", place).code == 0
    assert "evens" not in run("library", "list", "-L", place).out
    assert "deleted: 1 entry" in run("library", "gc", "-L", place).out
    done = run("library", "fsck", "-L", place)
    assert (done.code, done.out.split(":")[0]) == (0, "whole")
    data = bytearray((place / "index.sqlite").read_bytes())
    data[-1] ^= 1
    (place / "index.sqlite").write_bytes(data)
    done = run("library", "fsck", "--json", "-L", place)
    assert done.code == 1
    assert json.loads(done.out)["ok"] is False


def test_packs(run: Run, place: Path, tmp_path: Path) -> None:
    pack = tmp_path / "some.pack"
    assert run("library", "export", pack, "evens", "-L", place).code == 0
    done = run("library", "import", pack, "--json", "-L", tmp_path / "new")
    assert json.loads(done.out)["added"] == ["evens@1"]
    pack.write_bytes(pack.read_bytes()[:-1])
    done = run("library", "import", pack, "-L", tmp_path / "new")
    assert done.code == 1
    assert "not complete" in done.err or "damaged" in done.err


def test_add_and_picture(run: Run, place: Path, tmp_path: Path) -> None:
    program(EVENS, name="other evens").save(tmp_path / "model.mst")
    assert run("library", "add", tmp_path / "model.mst", "--name", "even ones", "-L", place).code == 0
    assert run("library", "show", "even ones", "--out", tmp_path / "back.mst", "-L", place).code == 0
    assert (tmp_path / "back.mst").read_bytes() == (tmp_path / "model.mst").read_bytes()
    assert run("library", "picture", tmp_path / "shelves.svg", "-L", place).code == 0
    assert (tmp_path / "shelves.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_grow_with_a_library(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERISTEM_LIBRARY", str(tmp_path / "own"))
    (tmp_path / "double.json").write_text('[{"input": 1, "output": 2}, {"input": 4, "output": 8}]')
    done = run("grow", tmp_path / "double.json", "--trials", 40, "--library", "default", "--quiet")
    assert done.code == 0, done.err
    assert "double@1" in run("library", "list").out
    done = run(
        "grow", tmp_path / "double.json", "--trials", 40, "-L", tmp_path / "own", "--quiet", "--name", "again"
    )
    assert done.code == 0, done.err
    with Library(tmp_path / "own") as library:
        assert [use.user for use in library["double"].uses()] == ["again@1"]
