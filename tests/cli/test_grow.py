"""`meristem grow`, in this process and in its own."""

from __future__ import annotations

import gzip
import json
import shlex
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from conftest import PENGUINS, Run, start
from meristem import load

QUICK = ["--target", "species", "--trials", "2", "--cores", "0"]


def test_it_says_what_came_out_and_what_to_type_next(run: Run) -> None:
    result = run("grow", PENGUINS, *QUICK, "--report", "r.html")
    assert result.code == 0
    model = load("penguins.mst")
    out = result.out
    assert "log-loss 0.0" in out
    assert "95 % interval" in out
    assert "Clearly better than" in out
    assert model.source() in out
    assert "  penguins.mst  the model" in out
    assert "  r.html  the report" in out
    assert "def predict(row)" in Path("r.html").read_text(encoding="utf-8")
    assert "growing a model for penguins: 2 trials" in result.err
    # What it says to type works when typed, with tables of one's own.
    frame = pd.read_csv(PENGUINS)
    frame.drop(columns="species").to_csv("new.csv", index=False)
    frame[::2].to_csv("held-out.csv", index=False)
    commands = [line.strip() for line in out.splitlines() if line.startswith("  meristem ")]
    assert [c.split()[1] for c in commands] == ["predict", "score", "show"]
    assert not any(PENGUINS.name in command for command in commands)
    for command in commands:
        assert run(*shlex.split(command)[1:]).code == 0
    assert len(pd.read_csv("predictions.csv")) == 344


def test_json_is_all_there_is_on_stdout(run: Run) -> None:
    result = run("grow", PENGUINS, *QUICK, "--json", "--out", "m.mst", "--report", "r.html")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    model = load("m.mst")
    assert found["model"] == "m.mst"
    assert found["bytes"] == Path("m.mst").stat().st_size
    assert found["report"] == "r.html"
    assert found["hash"] == model.hash
    assert found["source"] == model.source()
    best = model.report().best
    assert found["score"] == {"value": best.score, "low": best.low, "high": best.high}
    assert found["score"]["value"] < found["baseline"]["value"]
    assert found["candidates"] == {"scored": 2}
    assert found["stopped"] is False


def test_quiet_is_one_line(run: Run) -> None:
    result = run("grow", PENGUINS, *QUICK, "--quiet", "--out", "m.mst")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("log-loss 0.0")
    assert result.out.endswith("; saved in m.mst\n")
    assert result.out.count("\n") == 1


def test_a_budget_that_was_too_short_is_said(run: Run) -> None:
    assert json.loads(run("grow", PENGUINS, *QUICK, "--json").out)["warnings"] == []
    short = ["--target", "species", "--budget", "0.01s", "--cores", "1"]
    words = "the model is always the class shares: only the baseline was finished in the time given"
    words += ". Give it more seconds."
    told = run("grow", PENGUINS, *short, "--json", "--out", "short.mst").out
    assert json.loads(told)["warnings"] == [words]
    result = run("grow", PENGUINS, *short, "--quiet", "--out", "quiet.mst")
    assert result.code == 0
    assert f"warning: {words}" in result.err


def test_the_same_seed_gives_the_same_model(run: Run) -> None:
    hashes = []
    for seed in ("1", "1"):
        found = json.loads(run("grow", PENGUINS, *QUICK, "--seed", seed, "--json").out)
        hashes.append(found["hash"])
    assert hashes[0] == hashes[1]


def test_options_reach_the_run(run: Run, prices_table: Path) -> None:
    frame = pd.read_csv(prices_table)
    frame["year"] = [2000 + k // 20 for k in range(120)]
    frame["weight"] = 1.0
    frame.to_csv("t.csv", index=False)
    columns = ["--time-column", "year", "--group-column", "town", "--weight-column", "weight"]
    limits = [
        "--trials",
        "1",
        "--cores",
        "0",
        "--memory",
        "4GB",
        "--max-size",
        "60kB",
        "--metric",
        "mae",
        "--seed",
        "5",
    ]
    found = json.loads(run("grow", "t.csv", "--target", "price", *columns, *limits, "--json").out)
    model = load("t.mst")
    assert found["metric"] == "mae"
    assert found["seed"] == 5
    assert found["bytes"] <= 60_000
    assert set(model.schema.unused) == {"town", "weight"}
    assert "year" in [f.name for f in model.schema.features]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("sales.2024.csv.gz", "sales.2024.mst"),
        ("in/sales.parquet", "sales.mst"),
        ("-odd.csv", "-odd.mst"),
        ("my data.tsv", "my data.mst"),
        ("plain", "plain.mst"),
    ],
)
def test_the_model_is_named_after_the_table(data: str, expected: str) -> None:
    from meristem.cli.places import default_model_path

    assert str(default_model_path(Path(data))) == expected


def test_odd_names_can_be_typed_as_they_are_printed(run: Run) -> None:
    Path("my 'data' $x.csv.gz").write_bytes(gzip.compress(PENGUINS.read_bytes(), mtime=0))
    result = run("grow", "my 'data' $x.csv.gz", *QUICK)
    commands = [line.strip() for line in result.out.splitlines() if line.startswith("  meristem ")]
    assert shlex.split(commands[0])[2] == "my 'data' $x.mst"
    assert run(*shlex.split(commands[-1])[1:]).code == 0


def test_a_time_is_a_time_from_the_start_of_the_process(tmp_path: Path) -> None:
    began = time.monotonic()
    process = start("grow", PENGUINS, "--target", "species", "--budget", "4s", "--cores", "1", cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    seconds = time.monotonic() - began
    assert process.returncode == 0, err
    assert seconds <= 1.05 * 4 + 0.5
    assert b"log-loss" in out
    effort = load(tmp_path / "penguins.mst").report().effort
    assert effort.budget_seconds == 4
    assert 3 < effort.seconds <= 4.5
    assert b"growing a model for penguins: 4 s, 1 worker" in err


def test_no_time_at_all_still_gives_a_model(run: Run) -> None:
    result = run("grow", PENGUINS, "--target", "species", "--budget", "0s", "--cores", "0", "--quiet")
    assert result.code == 0
    assert "--budget: 0 s leave no time to search" in result.err
    assert load("penguins.mst").predict(PENGUINS_ROW).tolist() == ["Adelie"]


def test_a_file_that_was_there_is_replaced_aloud(run: Run) -> None:
    assert "replaced" not in run("grow", PENGUINS, *QUICK).out
    before = Path("penguins.mst").read_bytes()
    result = run("grow", PENGUINS, *QUICK, "--seed", "1")
    assert "it replaced the file of that name" in result.out
    assert Path("penguins.mst").read_bytes() != before
    assert "saved in penguins.mst, in place of" in run("grow", PENGUINS, *QUICK, "--quiet").out
    assert json.loads(run("grow", PENGUINS, *QUICK, "--json").out)["replaced"] is True


def test_a_baseline_does_not_replace_a_model_that_nobody_named(run: Run) -> None:
    Path("penguins.mst").write_text("precious")
    bare = ["--target", "species", "--trials", "0", "--cores", "0", "--quiet"]
    result = run("grow", PENGUINS, *bare)
    assert result.code == 1
    assert "'penguins.mst' is there already and was kept" in result.err
    assert "--out" in result.err
    assert Path("penguins.mst").read_text() == "precious"
    assert run("grow", PENGUINS, *bare, "--out", "penguins.mst").code == 0


def test_a_target_that_is_mostly_empty_may_be_one_to_fill(run: Run) -> None:
    rows = [f"{k}.5,{k % 7},{k % 3 if k % 3 == 0 or k < 6 else ''}" for k in range(60)]
    Path("c.csv").write_text("\n".join(["a,b,clean", *rows]) + "\n")
    result = run("grow", "c.csv", "--target", "clean", "--trials", "1", "--cores", "0", "--quiet")
    assert "36 of 60 cells of 'clean' are empty" in result.err
    assert "add --as-program" in result.err
    Path("d.csv").write_text("name,clean\nada b,Ada\nbob c,\ncyd d,\n")
    result = run("grow", "d.csv", "--target", "clean", "--trials", "1", "--cores", "0")
    assert result.code == 1
    assert "add --as-program" in result.err


PENGUINS_ROW = {
    "island": "Biscoe",
    "bill_length_mm": 50.0,
    "bill_depth_mm": 15.0,
    "flipper_length_mm": 220.0,
    "body_mass_g": 5000.0,
    "sex": "MALE",
}


def interrupted(tmp_path: Path, times: int) -> tuple[int, bytes, bytes]:
    """A run that would take minutes, with Ctrl-C pressed so often once it searches."""
    process = start("grow", PENGUINS, "--target", "species", "--budget", "200s", "--cores", "1", cwd=tmp_path)
    assert process.stderr is not None
    shown = b""
    while b"baseline" not in shown:
        line = process.stderr.readline()
        assert line, shown
        shown += line
    time.sleep(2.0)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, shown + err


def test_one_interrupt_keeps_the_best(tmp_path: Path) -> None:
    code, out, err = interrupted(tmp_path, 1)
    assert code == 0, err
    assert b"stopped early: this is the best found so far" in err
    assert b"log-loss" in out
    assert load(tmp_path / "penguins.mst").report().best.score < 0.2


def test_two_interrupts_end_it(tmp_path: Path) -> None:
    code, out, err = interrupted(tmp_path, 2)
    assert code == 130
    assert out == b""
    assert err.endswith(b"stopped: nothing was saved\n")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_leaves_is_no_error(tmp_path: Path, penguins: Path) -> None:
    text = PENGUINS.read_text().splitlines()
    (tmp_path / "long.csv").write_text("\n".join([text[0], *text[1:] * 20]) + "\n")
    process = start("predict", penguins, tmp_path / "long.csv")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"prediction")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 0
    process.stderr.close()


def test_a_poor_terminal_and_no_home(tmp_path: Path) -> None:
    environment = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "HOME": "/nowhere",
        "TERM": "",
    }
    table = tmp_path / "Größe.csv"
    table.write_text(
        "größe,art\n" + "\n".join(f"{k % 7},{'ä' if k % 7 > 3 else 'ß'}" for k in range(40)), encoding="utf-8"
    )
    process = start(
        "grow", table, "--target", "art", "--trials", "1", "--cores", "0", cwd=tmp_path, env=environment
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert b"The program" in out
