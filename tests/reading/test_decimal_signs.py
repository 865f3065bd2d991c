"""A model grown on decimal commas reads decimal points, and the other way: never a thousand times too much."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from meristem.errors import InputError
from meristem.reading import read_table
from meristem.task import Task
from meristem.task.schema import Schema

COMMAS = "fare;age;y\n" + "".join(f"{k},{k % 7}5;{20 + k};{k % 3},5\n" for k in range(1, 30))
POINTS = "fare,age,y\n" + "".join(f"{k}.{k % 7}5,{20 + k},{k % 3}.5\n" for k in range(1, 30))
GROUPED = "fare,age,y\n" + "".join(f'"{k},{k % 7}50",{20 + k},{k % 3}.5\n' for k in range(1, 30))


def schema(tmp_path: Path, text: str) -> Schema:
    file = tmp_path / "train.csv"
    file.write_text(text)
    return Task.from_table(file, "y").schema


def fares(schema: Schema, tmp_path: Path, text: str) -> tuple[list[float], list[str]]:
    file = tmp_path / "new.csv"
    file.write_text(text)
    rows, notes = schema.rows(read_table(file))
    return rows.fields["fare"].to_list(), notes


@pytest.mark.parametrize(
    ("train", "new", "expected", "noted"),
    [
        (COMMAS, "fare;age\n7,925;30\n1.234,5;31\n", [7.925, 1234.5], False),
        (COMMAS, "fare,age\n7.925,30\n8.05,31\n", [7.925, 8.05], True),
        (COMMAS, "fare;age\n7.925;30\n8.05;31\n", [7.925, 8.05], True),
        (COMMAS, "fare,age\n7.925,30.5\n", [7.925], True),  # another column tells
        (COMMAS, "fare;age\n7.925;30,5\n", [7925.0], False),
        (POINTS, "fare;age\n7,925;30\n8,05;31\n", [7.925, 8.05], True),
        (POINTS, "fare;age\n7.925;30\n8.125;31\n", [7.925, 8.125], False),
        (POINTS, "fare,age\n7.925,30\n", [7.925], False),
        (GROUPED, 'fare,age\n"7,925",30\n', [7925.0], False),
        (GROUPED, "fare;age\n7,925;30,5\n", [7.925], True),
    ],
)
def test_a_new_table_is_read_as_it_is_written(
    tmp_path: Path, train: str, new: str, expected: list[float], noted: bool
) -> None:
    found, notes = fares(schema(tmp_path, train), tmp_path, new)
    assert found == expected
    assert any("'fare' have decimal" in note for note in notes) == noted


@pytest.mark.parametrize(
    ("train", "new", "text"),
    [
        (COMMAS, "fare,age\n7.925,30\n8.125,31\n", "7.925"),
        (GROUPED, "fare;age\n7,925;30\n", "7,925"),
        (COMMAS, "fare;age\n7.925;30\n8,5;30\n9.5;31\n", "7.925"),
    ],
)
def test_what_could_be_two_numbers_is_refused(tmp_path: Path, train: str, new: str, text: str) -> None:
    with pytest.raises(InputError, match=r"may be 7\.925 or 7925") as caught:
        fares(schema(tmp_path, train), tmp_path, new)
    assert repr(text) in str(caught.value)
    assert "'fare'" in str(caught.value)


def test_text_in_memory_is_held_to_the_same(tmp_path: Path) -> None:
    read = schema(tmp_path, COMMAS)
    with pytest.raises(InputError, match=r"'7\.925', which may be"):
        read.rows({"fare": "7.925", "age": 30})
    assert read.rows({"fare": "7,925", "age": 30})[0].fields["fare"].to_list() == [7.925]
    assert read.rows({"fare": 7.925, "age": 30})[0].fields["fare"].to_list() == [7.925]
    frame = pd.DataFrame({"fare": ["7.925", "8.5"], "age": [30, 31]})
    assert read.rows(frame)[0].fields["fare"].to_list() == [7.925, 8.5]


def test_long_columns_are_read_alike(tmp_path: Path) -> None:
    rows = 12_000
    new = "fare,age\n" + "".join(f"{k % 90 + 1}.{k % 9}25,30\n" for k in range(rows)) + "8.5,31\n"
    found, _ = fares(schema(tmp_path, COMMAS), tmp_path, new)
    assert found[:2] == [1.025, 2.125]
    assert max(found) < 100


def test_thousands_of_a_table_that_surely_writes_commas(tmp_path: Path) -> None:
    text = "people;share;y\n" + "".join(f"{k}.{k}00;{k},5;{k}\n" for k in range(1, 10))
    file = tmp_path / "train.csv"
    file.write_text(text)
    task = Task.from_table(file, "y")
    assert task.inputs["row"].fields["people"].to_list()[0] == 1100.0  # type: ignore[attr-defined]


def test_answers_too(tmp_path: Path) -> None:
    text = "x;y\n" + "".join(f"{k};{k * k},{k % 7}5\n" for k in range(1, 40))
    file, new = tmp_path / "train.csv", tmp_path / "new.csv"
    file.write_text(text)
    target = Task.from_table(file, "y").schema
    new.write_text("x,y\n3,7.925\n4,7.5\n")
    assert target.target_rows(read_table(new))[0].to_list() == [7.925, 7.5]
    new.write_text("x,y\n3,7.925\n4,7.125\n")
    with pytest.raises(InputError, match=r"may be 7\.925 or 7925"):
        target.target_rows(read_table(new))
