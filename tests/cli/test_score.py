"""`meristem score`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from conftest import PENGUINS, Run
from meristem import Budget, Model, Task, grow, load


def test_classes(run: Run, penguins: Path, loaded: Model) -> None:
    result = run("score", penguins, PENGUINS, "--json")
    assert (result.code, len(result.err.splitlines())) == (
        0,
        1,
    )  # a warning: these are rows it was grown from
    found = json.loads(result.out)
    assert (found["metric"], found["rows"], found["left_out"]) == ("log_loss", 344, 0)
    frame = pd.read_csv(PENGUINS)
    y, p, label = frame["species"], loaded.predict_proba(frame), loaded.predict(frame)
    expected = {
        "log_loss": metrics.log_loss(y, p),
        "accuracy": metrics.accuracy_score(y, label),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, label),
        "f1": metrics.f1_score(y, label, average="macro"),
    }
    for name, value in expected.items():
        assert found["metrics"][name]["value"] == pytest.approx(value)
    assert set(found["metrics"]) == {*expected, "auc", "brier"}
    for metric in found["metrics"].values():
        if metric["low"] is not None:
            assert metric["low"] <= metric["value"] <= metric["high"]


def test_numbers(run: Run, prices: Path, prices_table: Path) -> None:
    found = json.loads(run("score", prices, prices_table, "--json").out)
    assert (found["rows"], found["left_out"]) == (119, 1)
    table = pd.read_csv(prices_table).dropna(subset="price")
    y, v = table["price"], load(prices).predict(table)
    assert found["metrics"]["rmse"]["value"] == pytest.approx(metrics.root_mean_squared_error(y, v))
    assert found["metrics"]["mae"]["value"] == pytest.approx(metrics.mean_absolute_error(y, v))
    assert found["metrics"]["r2"]["value"] == pytest.approx(metrics.r2_score(y, v))
    low, high = load(prices).predict_interval(table)
    coverage = found["metrics"]["coverage_90"]
    assert coverage["value"] == pytest.approx(np.mean((low <= y) & (y <= high)))
    assert coverage["low"] < coverage["value"] < coverage["high"]


def test_what_a_person_reads(run: Run, prices: Path, prices_table: Path) -> None:
    result = run("score", prices, prices_table)
    lines = result.out.splitlines()
    assert lines[0] == "price on 119 rows of prices.csv; 1 row without an answer left out"
    assert [line.split()[0] for line in lines[3:7]] == ["RMSE", "MAE", "R²", "answers"]
    assert lines[-1].startswith("When it was grown, on rows it had not learned from: RMSE ")
    assert max(map(len, lines[:-1])) <= 80


def test_the_metric_it_was_grown_for_comes_first(run: Run, prices_table: Path) -> None:
    arguments = ["--target", "price", "--metric", "rmsle", "--trials", "1", "--cores", "0", "--quiet"]
    assert run("grow", prices_table, *arguments, "--out", "m.mst").code == 0
    found = json.loads(run("score", "m.mst", prices_table, "--json").out)
    assert list(found["metrics"])[:2] == ["rmsle", "rmse"]


def test_costs_are_measured(run: Run) -> None:
    from meristem import Budget, Objective, Task, grow

    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    table = pd.DataFrame({"x": x, "y": np.where(x + rng.normal(size=80) > 0, "ill", "well")})
    objective = Objective(costs={("ill", "well"): 50, ("well", "ill"): 1})
    model = grow(
        Task.from_table(table, "y"), budget=Budget(trials=1, cores=0), objective=objective, quiet=True
    )
    model.save("m.mst")
    table.to_csv("t.csv", index=False)
    found = json.loads(run("score", "m.mst", "t.csv", "--json").out)
    label = model.predict(table)
    cost = 50 * ((table["y"] == "ill") & (label == "well")) + ((table["y"] == "well") & (label == "ill"))
    assert found["metrics"]["cost"]["value"] == pytest.approx(cost.mean())
    assert found["metrics"]["accuracy"]["value"] == pytest.approx((label == table["y"]).mean())


def weighted(folder: Path) -> Path:
    """A model with weights and groups, and the table it is from."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=90), rng.uniform(0.1, 9, 90)
    y = (2 * x + rng.normal(0, 1 + w / 4, 90)).round(3)
    table = pd.DataFrame({"x": x.round(3), "w": w.round(2), "who": np.arange(90) // 3, "y": y})
    table.to_csv(folder / "t.csv", index=False)
    task = Task.from_table(folder / "t.csv", "y", weight_column="w", group_column="who")
    grow(task, budget=Budget(trials=1, cores=0), quiet=True).save(folder / "m.mst")
    return folder / "t.csv"


def test_weights_count_where_the_table_has_them(run: Run) -> None:
    table = pd.read_csv(weighted(Path()))
    found = json.loads(run("score", "m.mst", "t.csv", "--json").out)
    error = (table["y"] - load("m.mst").predict(table)).abs()
    assert found["weights"] == "w"
    assert found["metrics"]["mae"]["value"] == pytest.approx(np.average(error, weights=table["w"]))
    assert found["metrics"]["mae"]["low"] < found["metrics"]["mae"]["value"] < found["metrics"]["mae"]["high"]
    assert "weighted by w" in run("score", "m.mst", "t.csv").out.splitlines()[0]

    table.drop(columns=["w", "who"]).to_csv("plain.csv", index=False)
    result = run("score", "m.mst", "plain.csv", "--json")
    assert "lacks the column 'w'" in result.err
    plain = json.loads(result.out)
    assert plain["weights"] is None
    assert plain["metrics"]["mae"]["value"] == pytest.approx(error.mean())

    table.assign(w=-1).to_csv("bad.csv", index=False)
    result = run("score", "m.mst", "bad.csv")
    assert result.code == 1
    assert "finite and not negative in 'w'" in result.err


def test_rows_of_one_group_are_drawn_together(run: Run) -> None:
    table = pd.read_csv(weighted(Path()))
    same = pd.concat([table.assign(who=table.index)] * 8)  # each row eight times, which adds nothing new
    same.to_csv("many.csv", index=False)
    same.assign(who=np.arange(len(same))).to_csv("loose.csv", index=False)
    width = {}
    for name in ("many", "loose"):
        rmse = json.loads(run("score", "m.mst", f"{name}.csv", "--json").out)["metrics"]["rmse"]
        width[name] = rmse["high"] - rmse["low"]
    assert width["many"] > 2 * width["loose"]
    table.assign(who="all").to_csv("one.csv", index=False)
    assert run("score", "m.mst", "one.csv", "--json").code == 0


def test_a_single_class_leaves_out_what_needs_two(run: Run, penguins: Path) -> None:
    frame = pd.read_csv(PENGUINS)
    frame[frame["species"] == "Gentoo"].to_csv("one.csv", index=False)
    found = json.loads(run("score", penguins, "one.csv", "--json").out)
    assert set(found["metrics"]) == {"log_loss", "accuracy", "brier"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="species"), "expected the column 'species'"),
        (lambda f: f.assign(species=""), "expected answers in the column 'species', all 344 rows have none"),
        (lambda f: f.assign(species="Emperor"), "a model cannot answer what it never saw"),
    ],
)
def test_answers_that_cannot_be_used(run: Run, penguins: Path, change: object, words: str) -> None:
    change(pd.read_csv(PENGUINS)).to_csv("t.csv", index=False)  # type: ignore[operator]
    result = run("score", penguins, "t.csv")
    assert result.code == 1
    assert words in result.err


def test_the_table_it_was_grown_from_is_noticed(
    run: Run, penguins: Path, prices: Path, prices_table: Path
) -> None:
    words = "these are the rows that the model was grown from"
    pd.read_csv(PENGUINS).sample(frac=1, random_state=0).to_csv("shuffled.csv", index=False)
    for model, table in ((penguins, PENGUINS), (penguins, "shuffled.csv"), (prices, prices_table)):
        result = run("score", model, table)
        assert result.code == 0
        assert words in result.err
    frame = pd.read_csv(PENGUINS)
    frame.loc[0, "body_mass_g"] += 1
    frame.to_csv("other.csv", index=False)
    assert words not in run("score", penguins, "other.csv").err
