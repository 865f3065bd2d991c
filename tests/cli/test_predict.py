"""`meristem predict`."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import PENGUINS, Run
from meristem import Model, load


def test_classes_with_their_probabilities(run: Run, penguins: Path, loaded: Model) -> None:
    result = run("predict", penguins, PENGUINS, "--out", "p.csv")
    assert (result.code, result.out, result.err) == (0, "344 predictions in p.csv\n", "")
    found = pd.read_csv("p.csv")
    assert found.columns.tolist() == [
        "prediction",
        "probability_Adelie",
        "probability_Chinstrap",
        "probability_Gentoo",
    ]
    frame = pd.read_csv(PENGUINS)
    assert found["prediction"].tolist() == loaded.predict(frame).tolist()
    np.testing.assert_array_equal(found.iloc[:, 1:].to_numpy(), loaded.predict_proba(frame))


def test_numbers_with_their_bounds(run: Run, prices: Path, prices_table: Path) -> None:
    assert run("predict", prices, prices_table, "--out", "p.csv", "--keep", "id", "-k", "town").code == 0
    found = pd.read_csv("p.csv")
    assert found.columns.tolist() == ["id", "town", "prediction", "low", "high"]
    table = pd.read_csv(prices_table)
    assert found["id"].tolist() == table["id"].tolist()
    assert found["town"].tolist() == table["town"].tolist()  # one holds a comma, and is quoted
    np.testing.assert_array_equal(found["prediction"], load(prices).predict(table))
    low, high = load(prices).predict_interval(table)
    np.testing.assert_array_equal(found[["low", "high"]].to_numpy().T, [low, high])


def test_rows_with_gaps_stay_in_their_place(run: Run, penguins: Path) -> None:
    lines = PENGUINS.read_text().splitlines()
    head, row = lines[0], lines[1].split(",")
    gaps = ["," * (len(row) - 1), lines[60], ",".join(["?"] * len(row)), lines[300]]
    Path("new.csv").write_text("\n".join([head, *gaps]) + "\n")
    result = run("predict", penguins, "new.csv")
    assert result.code == 0
    found = pd.read_csv(io.StringIO(result.out))
    assert len(found) == 4
    assert found["prediction"][1] == lines[60].split(",")[0]
    assert found["prediction"][3] == lines[300].split(",")[0]


@pytest.mark.parametrize(
    "name", ["p.csv", "p.csv.gz", "p.tsv", "p.parquet", "p.arrow", "p.feather", "p.jsonl"]
)
def test_every_format_holds_the_same(run: Run, penguins: Path, name: str) -> None:
    assert run("predict", penguins, PENGUINS, "--out", name, "--keep", "bill_length_mm", "--quiet").out == ""
    readers = {
        "csv": pd.read_csv,
        "gz": pd.read_csv,
        "tsv": lambda p: pd.read_csv(p, sep="\t"),
        "parquet": pd.read_parquet,
        "arrow": pd.read_feather,
        "feather": pd.read_feather,
        "jsonl": lambda p: pd.read_json(p, lines=True, precise_float=True),
    }
    found = readers[name.rsplit(".", 1)[1]](name)
    assert (
        run("predict", penguins, PENGUINS, "--out", "same.csv", "--keep", "bill_length_mm", "--quiet").code
        == 0
    )
    expected = pd.read_csv("same.csv")
    found["bill_length_mm"] = pd.to_numeric(
        found["bill_length_mm"]
    )  # in a file of text it is text, and stays so
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_classes_keep_their_types_where_the_format_has_types(run: Run, folder: Path) -> None:
    from meristem import Budget, Task, grow

    flags = {"x": [0.0, 1.0, 2.0, 3.0] * 5, "y": [False, False, True, True] * 5}
    model = grow(Task.from_table(flags, "y"), budget=Budget(trials=1, cores=0), quiet=True)
    model.save("flags.mst")
    Path("new.csv").write_text("x\n0\n3\n")
    assert run("predict", "flags.mst", "new.csv", "--no-proba").out == "prediction\nFalse\nTrue\n"
    assert run("predict", "flags.mst", "new.csv", "--no-proba", "--out", "p.jsonl").code == 0
    assert [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()] == [
        {"prediction": False},
        {"prediction": True},
    ]


def test_stdout_gets_the_table_and_nothing_else(run: Run, penguins: Path) -> None:
    table = run("predict", penguins, PENGUINS, "--no-proba")
    lines = table.out.splitlines()
    assert lines[0] == "prediction"
    assert len(lines) == 345
    assert set(lines[1:]) <= {"Adelie", "Chinstrap", "Gentoo"}


def test_other_kinds_of_columns_are_carried_over(run: Run, penguins: Path) -> None:
    frame = pd.read_csv(PENGUINS)
    frame["when"] = pd.Timestamp("2024-02-29 12:00:00")
    frame["flag"] = [True, False] * 172
    frame["count"] = range(344)
    frame["note"] = ['say "hi"', "two\nlines"] * 172
    frame.to_parquet("in.parquet")
    names = ["when", "flag", "count", "note"]
    keep = [part for name in names for part in ("--keep", name)]
    assert run("predict", penguins, "in.parquet", "--out", "out.parquet", *keep).code == 0
    found = pd.read_parquet("out.parquet")
    pd.testing.assert_frame_equal(found[names], frame[names], check_dtype=False)
    assert run("predict", penguins, "in.parquet", "--out", "out.csv", *keep).code == 0
    text = pd.read_csv("out.csv", parse_dates=["when"])
    pd.testing.assert_frame_equal(text[names], frame[names], check_dtype=False)


def test_what_could_not_be_used_is_said_on_stderr(run: Run, penguins: Path) -> None:
    text = PENGUINS.read_text().replace("Torgersen", "Atlantis")
    Path("new.csv").write_text(text)
    result = run("predict", penguins, "new.csv")
    assert result.code == 0
    assert result.err.startswith("warning: ")
    assert "Atlantis" in result.err
    assert len(result.out.splitlines()) == 345


def test_a_table_of_no_rows_gives_no_predictions(run: Run, penguins: Path) -> None:
    Path("empty.csv").write_text(PENGUINS.read_text().splitlines()[0] + "\n")
    result = run("predict", penguins, "empty.csv", "--no-proba")
    assert (result.code, result.out) == (0, "prediction\n")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--out", "p.xlsx"], "expected a name that ends in .csv"),
        (["--out", "no/p.csv"], "there is no folder 'no'"),
        (["--out", PENGUINS], "would be replaced"),
        (["--keep", "iland"], "--keep: there is no column 'iland'; did you mean 'island'?"),
    ],
)
def test_clear_words_before_any_work(run: Run, penguins: Path, extra: list[object], words: str) -> None:
    result = run("predict", penguins, PENGUINS, *extra)
    assert result.code == 1
    assert words in result.err
    assert not list(Path().iterdir())


def test_a_missing_column_is_named_and_nothing_is_written(run: Run, penguins: Path) -> None:
    frame = pd.read_csv(PENGUINS).drop(columns="island")
    frame.to_csv("new.csv", index=False)
    Path("p.csv").write_text("precious")
    result = run("predict", penguins, "new.csv", "--out", "p.csv")
    assert result.code == 1
    assert "expected the column 'island'" in result.err
    assert Path("p.csv").read_text() == "precious"
    assert sorted(p.name for p in Path().iterdir()) == ["new.csv", "p.csv"]


def test_a_kept_column_cannot_hide_a_prediction(run: Run, penguins: Path) -> None:
    frame = pd.read_csv(PENGUINS)
    frame["prediction"] = 1
    frame.to_csv("new.csv", index=False)
    result = run("predict", penguins, "new.csv", "--keep", "prediction")
    assert result.code == 1
    assert "has the name of a column of predictions" in result.err


def test_gzip_repeats_to_the_byte(run: Run, penguins: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        assert run("predict", penguins, PENGUINS, "--out", name).code == 0
    assert Path("a.csv.gz").read_bytes() == Path("b.csv.gz").read_bytes()
    assert gzip.decompress(Path("a.csv.gz").read_bytes()).startswith(b"prediction,")
