"""Programs from examples on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from conftest import Run, start
from meristem import ProgramModel, load

SORT = [[[3, 1, 2], [1, 2, 3]], [[5, 4], [4, 5]], [[], []], [[9, 7, 8, 7], [7, 7, 8, 9]]]
NAMES = 'name,id,short\nAda Lovelace,007,Lovelace\nAlan Turing,012,Turing\n"Grace ""G"" Hopper",100,\nBob  Ek,101,\n'


@pytest.fixture(scope="module")
def sort_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from meristem.cli import main

    folder = tmp_path_factory.mktemp("programs")
    (folder / "tidy.json").write_text(json.dumps(SORT))
    out = folder / "tidy.mst"
    assert main(["grow", str(folder / "tidy.json"), "--budget", "10s", "--out", str(out), "--quiet"]) == 0
    return out


def write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_grow_tells_the_program(run: Run) -> None:
    result = run("grow", write("tidy.json", json.dumps(SORT)), "--budget", "10s", "--report", "r.html")
    assert result.code == 0, result.err
    assert "It answers all 4 examples" in result.out
    assert "return sorted(x)" in result.out
    assert "meristem predict tidy.mst new.csv" in result.out
    assert Path("r.html").read_text().startswith("<!DOCTYPE html>")
    model = load("tidy.mst")
    assert isinstance(model, ProgramModel)
    assert model([2, 1]) == [1, 2]


def test_grow_as_json(run: Run) -> None:
    data = write("tidy.jsonl", "".join(json.dumps({"input": i, "output": o}) + "\n" for i, o in SORT))
    result = run("grow", data, "--budget", "10s", "--json", "--seed", 4)
    assert result.code == 0, result.err
    assert result.err == ""
    found = json.loads(result.out)
    assert (found["kind"], found["program"], found["seed"], found["examples"]) == ("program", "sort(x)", 4, 4)
    assert found["inputs"] == {"x": "list[int]"}
    assert all({"inputs", "answers"} == set(question) for question in found["questions"])


def test_grow_from_sygus(run: Run) -> None:
    text = '(synth-fun f ((s String)) String)(constraint (= (f "ab") "AB"))(constraint (= (f "c d") "C D"))'
    result = run("grow", write("up.sl", text), "--budget", "10s", "--quiet")
    assert result.code == 0, result.err
    assert result.out == "upper(s); saved in up.mst\n"


def test_a_column_is_filled_from_a_few_examples(run: Run) -> None:
    data = write("names.csv", NAMES)
    result = run(
        "grow", data, "--as-program", "--target", "short", "--budget", "10s", "--out-table", "full.csv"
    )
    assert result.code == 0, result.err
    full = Path("full.csv").read_text(encoding="utf-8").splitlines()
    assert full[0] == "name,id,short"
    assert full[1:] == [
        "Ada Lovelace,007,Lovelace",
        "Alan Turing,012,Turing",
        '"Grace ""G"" Hopper",100,Hopper',
        "Bob  Ek,101,Ek",
    ]
    filled = run("predict", "names.mst", data, "--fill")
    assert filled.out.splitlines() == full
    kept = run("predict", "names.mst", data, "--keep", "id")
    assert kept.out.splitlines() == ["id,prediction", "007,Lovelace", "012,Turing", "100,Hopper", "101,Ek"]


def test_predict_in_other_forms(run: Run, sort_model: Path) -> None:
    data = write("in.jsonl", "[3, 1]\n[]\n")
    assert run("predict", sort_model, data).out.splitlines() == ["prediction", '"[1, 3]"', "[]"]
    assert run("predict", sort_model, data, "--out", "out.jsonl").out == "2 predictions in out.jsonl\n"
    assert [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()] == [
        {"prediction": [1, 3]},
        {"prediction": []},
    ]
    run("predict", sort_model, data, "--out", "out.parquet", "--quiet")
    assert parquet.read_table("out.parquet").to_pylist() == [{"prediction": [1, 3]}, {"prediction": []}]
    table = write("in.csv", 'x\n"[2, 1]"\nabc\n')
    result = run("predict", sort_model, table)
    assert (
        result.out.splitlines() == ["prediction", '"[1, 2]"', '""']
        or result.out.splitlines()[1] == '"[1, 2]"'
    )
    assert "no answer for 1 of 2 rows" in result.err


def test_score_counts_and_names_the_wrong_ones(run: Run, sort_model: Path) -> None:
    data = write("more.json", json.dumps([[[2, 1], [1, 2]], [[1, 2], [2, 1]]]))
    result = run("score", sort_model, data)
    assert result.out == "1 of 2 examples right\n  example 2: [1, 2] -> [2, 1], the program gives [1, 2]\n"
    found = json.loads(run("score", sort_model, data, "--json").out)
    assert found == {"rows": 2, "right": 1, "share": 0.5, "wrong": [2]}


def test_show(run: Run, sort_model: Path) -> None:
    result = run("show", sort_model)
    assert "What it does with the first example" in result.out
    assert "sort([3, 1, 2]) gives [1, 2, 3]" in result.out
    found = json.loads(run("show", sort_model, "--json").out)
    assert found["kind"] == "program"
    assert found["explanation"][0].startswith("Given x = ")
    assert run("show", sort_model, "--html", "p.html", "--svg", "p.svg").code == 0
    assert Path("p.svg").read_text().startswith("<svg ")
    assert Path("p.html").exists()


def test_the_source_can_be_run_as_it_is_printed(run: Run, sort_model: Path) -> None:
    Path("program.py").write_text(run("show", sort_model, "--source").out)
    code = "import program; print(program.tidy([3, 2]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=".")
    assert done.stdout == "[2, 3]\n"


def test_sketch_and_wrong_and_types(run: Run) -> None:
    data = write("s.json", json.dumps([[[3, 1, 2], [1, 2]], [[5, 4, 9, 7], [4, 5]], [[8], [8]]]))
    result = run("grow", data, "--sketch", "take(sort(?), ?)", "--budget", "10s", "--json")
    assert json.loads(result.out)["program"] == "take(sort(x), 2)"
    noisy = write("n.json", json.dumps([[k, 971 if k == 4 else 2 * k] for k in range(1, 13)]))
    result = run("grow", noisy, "--wrong", "0.1", "--budget", "10s", "--json", "--types", "int -> int")
    assert json.loads(result.out)["wrong"] == [4]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["grow", "t.csv"], 2, "--as-program"),
        (["grow", "t.csv", "--target", "b", "--wrong", "0.1"], 2, "--wrong is for programs"),
        (["grow", "e.json", "--metric", "rmse"], 2, "--metric is for models of a table"),
        (["grow", "e.json", "--wrong", "0.7"], 2, "--wrong"),
        (["grow", "e.json", "--budget", "soon"], 2, "--budget"),
        (["grow", "e.json", "--out-table", "o.csv"], 2, "--out-table"),
        (["grow", "t.csv", "--as-program", "--out-table", "o.xyz"], 1, "--out-table: expected a name"),
        (["grow", "t.csv", "--as-program", "--out-table", "t.csv"], 1, "would be replaced"),
        (["grow", "c.json"], 1, "(example 1: 1 -> 2) and (example 2: 1 -> 3)"),
        (["grow", "m.json"], 1, "text in example 2"),
        (["grow", "none.json"], 1, "no file"),
        (["grow", "empty.json"], 1, "is empty"),
        (["grow", "hard.json", "--budget", "1s", "--quiet"], 1, "found none"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(run: Run, arguments: list[str], code: int, words: str) -> None:
    write("t.csv", "a,b\n1,2\n2,4\n")
    write("e.json", "[[1, 2], [2, 4]]")
    write("c.json", "[[1, 2], [1, 3]]")
    write("m.json", '[[1, 2], ["a", 3]]')
    write("empty.json", "")
    write("hard.json", "[[1, 839471], [2, 17], [3, 55555], [4, -81], [5, 31337]]")
    result = run(*arguments)
    assert result.code == code, result.err
    assert words in result.err
    assert result.out == ""
    assert result.err.splitlines()[-1].startswith("error: ")


def test_predict_says_what_is_missing(run: Run, sort_model: Path) -> None:
    result = run("predict", sort_model, write("in.csv", "y\n1\n"))
    assert result.code == 1
    assert "no column 'x'" in result.err
    result = run("predict", sort_model, write("in.json", "[[1]]"), "--fill")
    assert "--fill: expected a table" in result.err


def test_the_budget_counts_from_the_start_of_the_process(tmp_path: Path) -> None:
    hard = tmp_path / "hard.json"
    hard.write_text("[[1, 839471], [2, 17], [3, 55555], [4, -81], [5, 31337]]")
    began = time.monotonic()
    process = start("grow", hard, "--budget", "2s", cwd=tmp_path)
    assert process.wait(10) == 1
    assert time.monotonic() - began < 2 * 1.05 + 0.5 + 0.4
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()


def test_decimal_commas_go_in_and_come_out(run: Run) -> None:
    data = write("price.csv", "x;y\n1,5;3,0\n2,25;4,5\n10,0;20,0\n3,5;\n")
    result = run(
        "grow", data, "--as-program", "--budget", "5s", "--out", "p.mst", "--out-table", "filled.csv"
    )
    assert result.code == 0, result.err
    assert "x: real -> real" in result.out
    assert "'x' has decimal commas: '1,5' is read as 1.5" in " ".join(result.out.split())
    assert Path("filled.csv").read_text().splitlines()[-1] == '"3,5","7,0"'
    result = run("predict", "p.mst", write("new.csv", "x\tz\n0,125\ta\n"), "--out", "-")
    assert result.out == "prediction\n0.25\n", result.err


def test_inputs_that_the_program_does_not_use_may_be_missing(run: Run) -> None:
    names = write("names.csv", "name,id,short\nAda Lovelace,7,Lovelace\nAlan Turing,12,Turing\nKo Ek,9,Ek\n")
    assert run("grow", names, "--as-program", "--budget", "10s", "--out", "n.mst", "--quiet").code == 0
    model = load("n.mst")
    assert isinstance(model, ProgramModel)
    assert (model.names, model.needed) == (("name", "id"), ("name",))
    result = run("predict", "n.mst", write("new.csv", "name,other\nGrace Hopper,x\n"), "--out", "-")
    assert result.out == "prediction\nHopper\n", result.err
    result = run("predict", "n.mst", write("bad.csv", "name,id\nGrace Hopper,none\n"), "--out", "-")
    assert result.out == "prediction\nHopper\n", result.err
    result = run("predict", "n.mst", write("new.json", '[{"name": "Bob Ek"}]'), "--out", "-")
    assert result.out == "prediction\nEk\n", result.err
    result = run("score", "n.mst", write("more.csv", "name,short\nGrace Hopper,Hopper\nBob Ek,E\n"))
    assert result.out.startswith("1 of 2 examples right"), result.err
    result = run("predict", "n.mst", write("none.csv", "id\n1\n"), "--out", "-")
    assert result.code == 1
    assert "there is no column 'name'" in result.err


def test_errors_are_json_where_that_was_asked_for(run: Run) -> None:
    clash = write("clash.json", "[[1, 2], [1, 3]]")
    result = run("grow", clash, "--budget", "2s", "--json")
    assert result.code == 1
    found = json.loads(result.out)
    assert found["code"] == 1
    assert "contradict" in found["error"]
    assert "contradict" in result.err
    table = run("grow", write("t.csv", "a,b\n1,2\n"), "--target", "c", "--json")
    assert (table.code, json.loads(table.out)["code"]) == (1, 1)
    assert run("grow", clash, "--budget", "2s").out == ""
