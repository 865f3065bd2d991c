"""Errors are one line on stderr and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

import meristem.cli.show
from conftest import PENGUINS, Run

ONE = ["--trials", "1", "--cores", "0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grwo"], "Did you mean 'grow'?"),
        (["grow"], "Missing argument 'DATA'"),
        (["grow", "x.csv"], "Missing option '--target'"),
        (["grow", "x.csv", "--target", "y", "--bugdet", "5s"], "--bugdet"),
        (["grow", "x.csv", "--target", "y", "--trials", "many"], "--trials"),
        (["grow", "x.csv", "--target", "y", "--trials", "-1"], "--trials: expected a number of trials"),
        (["grow", "x.csv", "--target", "y", "--budget", "soon"], "--budget: expected a time such as 60s"),
        (["grow", "x.csv", "--target", "y", "--memory", "lots"], "--memory: expected a size such as 100kB"),
        (["grow", "x.csv", "--target", "y", "--max-size", "0"], "--max-size: expected a size above 0"),
        (["grow", "x.csv", "--target", "y", "--cores", "-2"], "--cores: expected a number of cores"),
        (["grow", "x.csv", "--target", "y", "--metric", "goodness"], "--metric: expected a metric among"),
        (["grow", "x.csv", "--target", "y", "--seed", "-1"], "--seed: expected 0 or more"),
        (["grow", "x.json", "--budget", "0s"], "--budget: expected a time above 0"),
        (["predict", "m.mst"], "Missing argument 'DATA'"),
    ],
)
def test_wrong_use_is_exit_code_2(run: Run, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert words in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grow", "nowhere.csv", "--target", "y"], "there is no file 'nowhere.csv'"),
        (["grow", PENGUINS, "--target", "specis", *ONE], "did you mean 'species'?"),
        (
            ["grow", PENGUINS, "--target", "species", "--metric", "rmse", *ONE],
            "does not fit a target of classes",
        ),
        (["grow", PENGUINS, "--target", "species", "--out", "no/such/m.mst"], "there is no folder 'no/such'"),
        (["grow", PENGUINS, "--target", "species", "--out", "."], "expected a file, got the folder"),
        (["grow", PENGUINS, "--target", "species", "--out", PENGUINS], "would be replaced"),
        (["grow", PENGUINS, "--target", "species", "--report", "penguins.mst"], "is where the model goes"),
        (["predict", "nowhere.mst", PENGUINS], "cannot read 'nowhere.mst'"),
        (["show", PENGUINS], "not a Meristem model"),
        (["score", PENGUINS, PENGUINS], "not a Meristem model"),
    ],
)
def test_input_that_cannot_be_used_is_exit_code_1(run: Run, arguments: list[object], words: str) -> None:
    before = PENGUINS.read_bytes()
    result = run(*arguments)
    assert result.code == 1
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert words in result.err
    assert PENGUINS.read_bytes() == before


def test_a_damaged_model_is_refused(run: Run, penguins: Path) -> None:
    data = bytearray(penguins.read_bytes())
    data[len(data) // 2] ^= 1
    Path("broken.mst").write_bytes(data)
    result = run("show", "broken.mst")
    assert result.code == 1
    assert "broken.mst is damaged: its checksum does not match" in result.err


def test_debug_shows_the_traceback(run: Run) -> None:
    plain = run("show", "nowhere.mst")
    assert "Traceback" not in plain.err
    for arguments in (["show", "nowhere.mst", "--debug"], ["--debug", "show", "nowhere.mst"]):
        result = run(*arguments)
        assert result.code == 1
        assert "Traceback" in result.err
        assert result.err.rstrip().rsplit("\n", 1)[1] == plain.err.rstrip()


def test_a_defect_is_exit_code_70(run: Run, penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(meristem.cli.show, "show_command", broken)
    result = run("show", penguins)
    assert result.code == 70
    assert result.err.startswith("error: ZeroDivisionError: by zero; this is a defect in Meristem")


def test_interrupted_is_exit_code_130(run: Run, penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(meristem.cli.show, "show_command", interrupted)
    assert run("show", penguins).code == 130


def test_names_cannot_steer_the_terminal(run: Run) -> None:
    result = run("show", "a\x1b[2Jb\nc.mst")
    assert result.code == 1
    assert "\x1b" not in result.err
    assert result.err.count("\n") == 1


def test_a_metric_that_cannot_fit_is_refused_before_a_large_table_is_read(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("large.csv").write_text("x,y\n" + "1,cat\n2,dog\n" * 200_000)
    monkeypatch.setattr("meristem.task.Task.from_table", lambda *_, **__: pytest.fail("the table was read"))
    result = run("grow", "large.csv", "--target", "y", "--metric", "rmse", *ONE)
    assert result.code == 1
    assert "does not fit a target of classes" in result.err


def test_a_size_that_no_model_has_writes_none(run: Run) -> None:
    result = run("grow", PENGUINS, "--target", "species", "--max-size", "500", "--quiet", *ONE)
    assert result.code == 1
    assert "at most 500 bytes (max_size), but the smallest one found" in result.err
    assert list(Path().iterdir()) == []
