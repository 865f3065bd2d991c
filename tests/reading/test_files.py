"""Files of other kinds, and files that are no tables."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from meristem.errors import InputError
from meristem.reading import read_table
from meristem.task import Task

TABLE = pa.table({"x": [1.5, None, 3.0, 2.0], "s": ["a", "b", None, "a"], "y": [1, 0, 1, 0]})


def write_stream(table: pa.Table, path: str) -> None:
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def write_file(table: pa.Table, path: str) -> None:
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


WRITERS: dict[str, Callable[[pa.Table, str], None]] = {
    "data.parquet": parquet.write_table,
    "data.pq": parquet.write_table,
    "data.feather": feather.write_feather,
    "data.arrow": write_file,
    "data.arrows": write_stream,
    "no_suffix": parquet.write_table,
    "wrong.csv": parquet.write_table,
}


@pytest.mark.parametrize("name", WRITERS)
def test_files_are_known_by_their_first_bytes(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    WRITERS[name](TABLE, str(file))
    task = Task.from_table(file, "y")
    assert task.inputs["row"].to_list()[1] == {"x": None, "s": "b"}
    assert task.target.to_list() == ["1", "0", "1", "0"]
    assert task.schema.target.values == (0, 1)


def test_a_path_may_be_text(tmp_path: Path) -> None:
    file = tmp_path / "my.data.csv"
    file.write_text("x,y\n1.5,2.5\n2.5,3.5\n0.5,9.5\n")
    assert Task.from_table(str(file), "y").name == "my"
    assert Task.from_table(str(file), "y", name="mine").name == "mine"


def bad(tmp_path: Path, name: str, content: bytes) -> Path:
    file = tmp_path / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty; expected a table with a header line and rows"),
        ("a.csv", b"\n\n  \n", "holds only blank lines"),
        ("a.csv", b"\xef\xbb\xbf\n", "holds only blank lines"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "is a PNG image, not a table; CSV, TSV"),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00\x00", "is a PNG image, not a table"),
        ("a.xlsx", b"PK\x03\x04abc", "Excel workbook"),
        ("a.pkl", b"\x80\x04\x95abc", "a pickle, which is not read because it could run code"),
        ("a.csv", b"x,y\n1\x00,2\n", "no text table: it holds zero bytes"),
        ("a.csv", bytes(range(1, 9)) * 50, "no text table: it looks binary"),
        ("a.xyz", b"x,y\n1,2\n", "ends in '.xyz', which is no table this package reads"),
        ("a.json", b"[1, 2]", "ends in '.json'"),
        ("a.parquet", b"PAR1garbage", "cannot read .* as Parquet: .* damaged or was cut off"),
        ("a.parquet", b"x,y\n1,2\n", "cannot read .* as Parquet"),
        ("a.feather", b"ARROW1\x00\x00garbage", "cannot read .* as Arrow: .* damaged or was cut off"),
        ("a.arrows", b"garbage", "cannot read .* as Arrow"),
        (
            "a.csv.gz",
            gzip.compress(b"x,y\n" + bytes(range(256)) * 500, mtime=0)[:100],
            "damaged or was cut off",
        ),
        ("a.csv", b"x,x\n1,2\n", "expected distinct column names in .*, got 'x' 2 times; rename"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_table(bad(tmp_path, name, content))


def test_truncated_at_every_length(tmp_path: Path) -> None:
    file = tmp_path / "whole.parquet"
    parquet.write_table(TABLE, file)
    whole = file.read_bytes()
    for length in range(0, len(whole), 97):
        with pytest.raises(InputError):
            read_table(bad(tmp_path, "cut.parquet", whole[:length]))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text("x\n1\n")
    with pytest.raises(InputError, match=r"there is no file '.*house\.csv'; did you mean '.*houses\.csv'"):
        read_table(tmp_path / "house.csv")
    with pytest.raises(InputError, match=r"the folder '.*nowhere' does not exist either"):
        read_table(tmp_path / "nowhere" / "house.csv")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file, got the folder"):
        read_table(tmp_path)


def test_a_parquet_file_with_two_columns_of_one_name(tmp_path: Path) -> None:
    file = tmp_path / "twice.arrow"
    write_file(pa.table([[1], [2]], names=["a", "a"]), str(file))
    with pytest.raises(InputError, match="has several columns named 'a'; rename them"):
        read_table(file)
