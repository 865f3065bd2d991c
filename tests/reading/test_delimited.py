"""Text tables in the encodings, delimiters and shapes that people have."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from meristem.errors import InputError
from meristem.reading import read_table
from meristem.reading.delimited import sniff
from meristem.task import Task
from meristem.task.cells import COMMAS, PERHAPS, POINTS, UNKNOWN
from meristem.task.features import texts_of
from meristem.task.frames import Frame

TABLE = [["name", "größe", "note"], ["Zoë", "1,5", "a"], ["Jörg", "2,25", "b; c"], ["Ana", "", "d"]]


def written(delimiter: str, newline: str = "\n") -> str:
    def cell(text: str) -> str:
        return f'"{text}"' if delimiter in text or "\n" in text else text

    return "".join(delimiter.join(map(cell, row)) + newline for row in TABLE)


def cells(frame: Frame) -> list[list[str | None]]:
    columns = []
    for name in frame.names:
        texts = texts_of(frame.column(name))
        columns.append([texts.pool[c] if c >= 0 else None for c in texts.codes])
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(written(delimiter, newline).encode(encoding))
    frame = read_table(file)
    assert frame.names == tuple(TABLE[0])
    assert cells(frame) == TABLE[1:]
    assert frame.comma == COMMAS
    assert any("Windows-1252" in note for note in frame.notes) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("a;b\n7,5;x\n8,25;y\n", COMMAS),
        ("a\tb\n7,5\tx\n8,25\ty\n", COMMAS),
        ("a;b\n7.5;x\n8.25;y\n", POINTS),
        ("a;b\n7.925;x\n8.125;y\n", PERHAPS),
        ("a;b\n7;x\n8;y\n", PERHAPS),
        ("a,b\n7.925,x\n8.125,y\n", UNKNOWN),
        ("a;b\n7.5;x\n8,25;y\n", PERHAPS),
    ],
)
def test_what_is_known_of_decimal_signs(tmp_path: Path, text: str, known: int) -> None:
    file = tmp_path / "data.csv"
    file.write_text(text)
    assert read_table(file).comma == known


def test_a_byte_that_is_not_utf8_far_down_the_file(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(b"x,y\n" + b"1,a\n" * 200_000 + "2,é\n".encode("cp1252"))
    assert cells(read_table(file))[-1] == ["2", "é"]


def test_a_byte_that_no_windows_page_has(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(b"x,y\n1,\x81\n2,b\n")
    assert cells(read_table(file)) == [["1", "\x81"], ["2", "b"]]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_compressed_files(tmp_path: Path, compress: object) -> None:
    file = tmp_path / "data.csv.gz"
    file.write_bytes(compress(written(",").encode()))  # type: ignore[operator]
    assert cells(read_table(file)) == TABLE[1:]


def test_zstandard(tmp_path: Path) -> None:
    file = tmp_path / "data.csv.zst"
    with pa.output_stream(str(file), compression="zstd") as stream:
        stream.write(written(",").encode())
    assert cells(read_table(file)) == TABLE[1:]


def test_quotes_around_newlines_delimiters_and_quotes(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text('text,y\n"one\ntwo, ""three""",1\n"",2\n"a;b",3\n')
    assert cells(read_table(file)) == [['one\ntwo, "three"', "1"], ["", "2"], ["a;b", "3"]]


def test_a_decimal_comma_does_not_make_the_comma_the_delimiter() -> None:
    text = "a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n"
    assert sniff(text, "utf-8", True).delimiter == ";"


def test_one_column_without_delimiters_keeps_its_blank_lines(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("x\n1\n\n3\n")
    assert cells(read_table(file)) == [["1"], [""], ["3"]]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("1,2\n3,4\n5,6\n", False),
        ("x,2\ny,4\nz,6\n", False),
        ("country,2019,2020,2021\nNorway,1,2,3\nChad,4,5,6\n", True),
        ("id,1\n5,2\n7,3\n", True),
        ("red,small\nblue,large\n", True),
        ("1.5,a\n,b\n2.5,c\n", False),
        ("a,b\n", True),
        ("1,2\n", False),
        ('"1","x"\n"2","y"\n', False),
    ],
)
def test_whether_the_first_line_names_the_columns(text: str, header: bool) -> None:
    assert sniff(text, "utf-8", True).header == header


def test_a_file_without_header_gets_names_and_a_note(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("5.1,3.5,a\n4.9,3.0,b\n4.7,3.2,a\n4.6,3.1,b\n")
    task = Task.from_table(file, "column3")
    assert list(task.inputs["row"].type.fields) == ["column1", "column2"]
    assert any("the file has no header" in f.text for f in task.findings)
    with pytest.raises(
        InputError, match=r"no column 'species' .*'column1', 'column2', 'column3' .*no header"
    ):
        Task.from_table(file, "species")


def test_columns_without_a_name_get_one(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text(",x, y \n0,1.5,a\n1,2.5,b\n")
    frame = read_table(file)
    assert frame.names == ("unnamed_1", "x", "y")
    assert frame.notes == ("columns without a name were named unnamed_1",)


def test_long_rows_and_many_columns(tmp_path: Path) -> None:
    file = tmp_path / "wide.csv"
    names = [f"column_with_a_long_name_{k}" for k in range(3000)]
    file.write_text(",".join(names) + "\n" + (",".join(["1.5"] * 3000) + "\n") * 3)
    frame = read_table(file)
    assert len(frame.names) == 3000
    assert len(frame) == 3


def test_a_cell_longer_than_a_block_of_the_parser(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("text,y\n" + "x" * 20_000_000 + ",1\nshort,2\n")
    frame = read_table(file)
    assert [len(row[0] or "") for row in cells(frame)] == [20_000_000, 5]


def test_cells_of_thousands_of_digits(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    long = "7" * 6000
    file.write_text(f"{long},{long}1\n1.5,2.5\n3.5,4.5\n")
    assert len(read_table(file)) == 3
    file.write_text("c,y\n" + f"a{long},1.5\na0{long},2.5\nb,7.5\n" * 9)
    assert Task.from_table(file, "y").inputs["row"].type.fields["c"].item.labels == (
        f"a0{long}",
        f"a{long}",
        "b",
    )


def test_ragged_rows_name_the_line(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text('a,b\n1,"2\n3"\n4,5\n6\n')
    with pytest.raises(
        InputError, match=r"expected 2 cells in every row .* got 1 cell in line 5; a ',' inside"
    ):
        read_table(file)


def test_names_that_are_emoji_or_code(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text(
        '🐧,"<script>alert(1)</script>","__import__(\'os\')",y\n' + "1.5,a,2,x\n2.5,b,1,y\n3.5,a,7,x\n" * 10
    )
    task = Task.from_table(file, "y")
    assert list(task.inputs["row"].type.fields) == ["🐧", "<script>alert(1)</script>", "__import__('os')"]
