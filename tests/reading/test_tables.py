"""Tables become tasks; roles of columns; bad input gets one clear sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from meristem.errors import InputError
from meristem.task import Finding, Schema, Task
from meristem.types import class_of

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def found(task: Task, kind: str) -> list[Finding]:
    return [f for f in task.findings if f.kind == kind]


def test_penguins() -> None:
    task = Task.from_table(PENGUINS, "species")
    assert (task.name, len(task), task.kind) == ("penguins", 344, "classification")
    assert task.target.type == class_of("Adelie", "Chinstrap", "Gentoo")
    row = task.inputs["row"]
    assert row[3] == {
        "island": "Torgersen",
        "bill_length_mm": None,
        "bill_depth_mm": None,
        "flipper_length_mm": None,
        "body_mass_g": None,
        "sex": None,
    }
    assert row[0]["bill_length_mm"] == 39.1
    integers = {f.name for f in task.schema.features if f.integer}
    assert integers == {"flipper_length_mm", "body_mass_g"}
    assert task.findings == ()


def test_the_schema_reads_the_training_table_as_it_was_read() -> None:
    task = Task.from_table(PENGUINS, "species")
    schema = Schema.from_json(json.loads(json.dumps(task.schema.to_json())))
    rows, warnings = schema.rows(pd.read_csv(PENGUINS))
    assert rows.to_list() == task.inputs["row"].to_list()
    assert warnings == []


def test_the_same_table_from_a_file_a_frame_and_a_dict_is_the_same_task(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "n": [1.5, None, 3.0, 2.5] * 10,
            "c": ["a", "b", None, "a"] * 10,
            "b": ["yes", "no", "yes", None] * 10,
            "d": ["2024-01-31", "2024-02-01", None, "2024-02-03"] * 10,
            "y": [1, 0, 1, 0] * 10,
        }
    )
    file = tmp_path / "table.csv"
    frame.to_csv(file, index=False)
    first = Task.from_table(file, "y")
    for source in (frame, frame.to_dict("list"), frame.to_dict("records"), pa.Table.from_pandas(frame)):
        task = Task.from_table(source, "y")
        assert task.schema == first.schema
        assert task.inputs["row"].to_list() == first.inputs["row"].to_list()
        assert task.target.to_list() == first.target.to_list()
        assert task.findings == first.findings


def test_answers_beside_the_table() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    for answers in (list("ab") * 20, np.array(list("ab") * 20), pd.Series(list("ab") * 20), tuple("ab" * 20)):
        task = Task.from_table(x, answers)
        assert list(task.inputs["row"].type.fields) == ["x0", "x1", "x2"]
        assert task.schema.target.values == ("a", "b")
        assert task.schema.target.name == "target"
    assert Task.from_table(x, pd.Series(x[:, 0], name="price")).schema.target.name == "price"
    assert Task.from_table(x, x[:, :1]).kind == "regression"
    assert Task.from_table(x, pd.DataFrame({"price": x[:, 0]})).schema.target.name == "price"
    assert Task.from_table({"target": x[:, 0]}, list("ab") * 20).schema.target.name == "target_"


def test_a_target_in_a_list_is_no_feature() -> None:
    task = Task.from_table(PENGUINS, ["species"])
    assert "species" not in task.inputs["row"].type.fields


def test_columns_left_out_are_named_with_their_reason() -> None:
    n = 30
    table = {
        "id": list(range(1, n + 1)),
        "same": [1] * n,
        "nothing": [None] * n,
        "nested": [[k] for k in range(n)],
        "x": np.random.default_rng(0).normal(size=n),
        "y": np.random.default_rng(1).normal(size=n),
    }
    task = Task.from_table(table, "y")
    assert {d.name: d.reason for d in task.schema.dropped} == {
        "id": "it counts the rows",
        "same": "all its values are the same",
        "nothing": "all its values are missing",
        "nested": "it holds values of type list",
    }
    assert [(f.kind, f.column) for f in task.findings] == [
        ("identifier", "id"),
        ("constant", "same"),
        ("empty", "nothing"),
        ("unreadable", "nested"),
    ]
    assert task.findings[0].text == "left out 'id': it counts the rows"


def test_identifiers_stay_if_nothing_else_is_left() -> None:
    y = np.random.default_rng(0).normal(size=50)
    task = Task.from_table({"x": np.arange(50), "y": y}, "y")
    assert list(task.inputs["row"].type.fields) == ["x"]
    names = [f"name {chr(97 + k % 26)}{k}" for k in range(50)]
    task = Task.from_table({"name": names, "y": y}, "y")
    assert str(task.inputs["row"].type) == "row{name: option[text]}"
    assert task.schema.dropped == ()


def test_rows_without_an_answer_are_left_out() -> None:
    task = Task.from_table({"x": [1.0, 2.0, 3.0, 4.5], "y": [1.5, None, 2.5, float("nan")]}, "y")
    assert task.inputs["row"].to_list() == [{"x": 1.0}, {"x": 3.0}]
    assert found(task, "rows_dropped")[0].text == "left out 2 of 4 rows without an answer in 'y'"


# ---------------------------------------------------------------------------------------------- roles


def test_rows_are_sorted_by_time() -> None:
    table = {
        "day": ["3/1/2024", "1/2/2024", "", "2/28/2024", "1/2/2024"],
        "x": [3.0, 1.0, 9.0, 4.0, 2.0],
        "y": [3.5, 1.5, 9.5, 4.5, 2.5],
        "w": [1, 1, 5, 1, 1],
    }
    task = Task.from_table(table, "y", time_column="day", weight_column="w")
    assert task.ordered
    assert task.target.to_list() == [1.5, 2.5, 4.5, 3.5]
    assert [r["x"] for r in task.inputs["row"].to_list()] == [1.0, 2.0, 4.0, 3.0]
    assert list(task.inputs["row"].type.fields) == ["day", "x"]
    assert task.weights is not None
    assert task.weights.tolist() == [1, 1, 1, 1]
    assert found(task, "rows_dropped")[0].text == "left out 1 of 5 rows without a time in 'day'"


def test_a_counting_time_column_stays_a_feature() -> None:
    y = np.random.default_rng(0).normal(size=40)
    task = Task.from_table({"step": np.arange(40)[::-1], "y": y}, "y", time_column="step")
    assert task.target.to_list() == y[::-1].tolist()


def test_a_class_that_only_rows_without_time_had_is_no_class() -> None:
    table = {"t": [1.5, 2.5, 3.5, None], "x": [1.0, 2.5, 7.0, 4.0], "y": ["b", "c", "b", "a"]}
    task = Task.from_table(table, "y", time_column="t")
    assert task.schema.target.values == ("b", "c")
    assert task.target.to_list() == ["b", "c", "b"]


def test_groups_and_weights_are_no_features() -> None:
    table = {
        "x": [1.0, 2.5, 3.0, 5.0],
        "who": ["b", "a", None, "b"],
        "w": [1, 2, 0, 1],
        "y": [1.5, 2.5, 3.5, 4.5],
    }
    task = Task.from_table(table, "y", group_column="who", weight_column="w")
    assert list(task.inputs["row"].type.fields) == ["x"]
    assert task.groups is not None
    codes = task.groups.tolist()
    assert codes[0] == codes[3]
    assert len(set(codes)) == 3
    assert task.weights is not None
    assert task.weights.tolist() == [1, 2, 0, 1]
    assert (task.schema.weight, task.schema.group) == ("w", "who")
    assert Schema.from_json(task.schema.to_json()) == task.schema
    assert task.schema.unused == ("who", "w")
    assert found(task, "note")[0].text == "1 row without a value in 'who' made one group"
    assert task.schema.rows(table)[1] == []


def test_weights_may_have_decimal_commas(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("x;w;y\n1;0,5;1,5\n2;1,5;2,5\n4;1;3,5\n")
    assert Task.from_table(file, "y", weight_column="w").weights.tolist() == [0.5, 1.5, 1.0]  # type: ignore[union-attr]


def test_weights_have_mean_one_even_when_enormous() -> None:
    table = {"x": [1.0, 2.5, 3.0], "w": [1e308, 1e308, 0.5e308], "y": [1.5, 2.5, 3.5]}
    task = Task.from_table(table, "y", weight_column="w")
    assert task.weights is not None
    np.testing.assert_allclose(task.weights, [1.2, 1.2, 0.6])


# ---------------------------------------------------------------------------------------------- bad input

GOOD: dict[str, list[Any]] = {
    "x": [1.0, 2.5, 3.0, 5.0],
    "c": ["a", "b", "a", "b"],
    "w": [1, 1, 2, 1],
    "y": [1.5, 2.5, 3.5, 4.5],
}


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"target": "Y"}, "there is no column 'Y' for the target; did you mean 'y'"),
        ({}, {"target": "price"}, "no column 'price' for the target; there are 'x', 'c', 'w', 'y'"),
        ({}, {"target": None}, "expected the name of the column to predict; there are"),
        ({}, {"target": 3}, "expected the name of a column, or one answer a row, as target, got int"),
        (
            {},
            {"target": ["x", "y"]},
            "expected one column to predict, got 2: 'x', 'y'; grow one model for each",
        ),
        ({}, {"target": [1.0, 2.0]}, "expected one answer for each of 4 rows as target, got 2"),
        ({}, {"target": np.zeros((4, 2))}, "expected one column of answers as target, got 2"),
        ({}, {"time_column": "day"}, "no column 'day' for the time_column"),
        ({}, {"group_column": "whom"}, "no column 'whom' for the group_column"),
        ({}, {"weight_column": "weight"}, "no column 'weight' for the weight_column"),
        ({}, {"weight_column": 2}, "expected the name of a column as weight_column, got 2"),
        ({}, {"weight_column": "y"}, "the column 'y' cannot be both target and weight_column"),
        ({}, {"time_column": "w", "weight_column": "w"}, "cannot be both time_column and weight_column"),
        ({}, {"time_column": "c"}, "expected dates or numbers in the time column 'c', but it holds neither"),
        ({"w": [1, -1, 1, 1]}, {"weight_column": "w"}, "not negative in 'w', got a negative one in row 2"),
        ({"w": [1, 1, None, 1]}, {"weight_column": "w"}, "got a missing one in row 3"),
        ({"w": [1, 1, 1, float("inf")]}, {"weight_column": "w"}, "got an infinite one in row 4"),
        ({"w": [0, 0, 0, 0]}, {"weight_column": "w"}, "expected a weight above 0 in 'w', all 4 are 0"),
        (
            {"w": ["a", "b", "c", "d"]},
            {"weight_column": "w"},
            "expected numbers in the column 'w', got 'a' in row 1",
        ),
        ({"c": ["a"] * 4}, {"group_column": "c"}, "expected at least two groups in 'c', all rows are of one"),
        (
            {"y": [None] * 4},
            {},
            "expected answers in the target 'y', all 4 are missing; is it the right column",
        ),
        ({"y": ["NA", "", "?", " "]}, {}, "all 4 are missing"),
        ({"y": ["a"] * 4}, {}, "at least two classes in the target 'y', got only 'a' in all 4 rows"),
        ({"y": [1, 1, 1, 1]}, {}, "at least two classes in the target 'y', got only 1 in all 4 rows"),
        ({"y": [1.5, None, None, None]}, {}, "expected at least 2 rows with an answer in 'y', got 1"),
        (
            {"y": [1.5, 2.5, 3.5, float("inf")]},
            {},
            "expected finite numbers in the target 'y', got inf in row 4",
        ),
        ({"y": ["1.5", "2.5", "about 3", "4"]}, {"kind": "regression"}, "got 'about 3' in row 3"),
        (
            {"x": [1.0] * 4, "c": ["a"] * 4, "w": [None] * 4},
            {},
            "expected a column to predict 'y' from, none is left",
        ),
    ],
)
def test_what_cannot_be_read(change: dict[str, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Task.from_table({**GOOD, **change}, **{"target": "y", **options})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"x": [], "y": []}, "expected rows below the header, got none"),
        ({"x": [1.5], "y": [2.5]}, "expected at least 2 rows with an answer in 'y', got 1"),
        ({"y": [1.5, 2.5]}, r"expected a column to predict 'y' from, none is left \(there is no other\)"),
        ({}, "expected a table with columns, got one without any"),
        ([], "expected a table with columns, got one without any"),
        (7, "expected a table"),
    ],
)
def test_tables_too_small(source: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Task.from_table(source, "y")


def test_a_file_with_only_a_header(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    for text in ("x,y\n", "x,y"):
        file.write_text(text)
        with pytest.raises(InputError, match="expected rows below the header, got none"):
            Task.from_table(file, "y")


def test_enormous_numbers_pass_and_are_reported() -> None:
    task = Task.from_table({"x": [1e308, -1e308, 1.0, 2.0] * 10, "y": [1e300, 2e300, 1.5, 3.0] * 10}, "y")
    assert found(task, "huge")[0].text == "'x' holds numbers as large as 1e+308: is that an error code?"
    assert task.target[0] == 1e300


def answers() -> Iterator[str]:
    yield "a"


def test_answers_that_can_be_read_once_only() -> None:
    with pytest.raises(InputError, match="one answer a row, as target, got generator"):
        Task.from_table(GOOD, answers())


def test_columns_to_keep_are_never_taken_for_identifiers() -> None:
    table = {
        "id": list(range(100, 160)),
        "x": [i % 7 / 2 for i in range(60)],
        "y": [i % 5 * 1.5 for i in range(60)],
    }
    assert "id" not in Task.from_table(table, target="y").schema.type.fields
    assert "id" in Task.from_table(table, target="y", keep=["id"]).schema.type.fields
