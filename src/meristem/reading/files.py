"""Files to frames: what a file is told by its first bytes, and only then by its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from meristem.errors import InputError
from meristem.reading.delimited import KNOWN, read_delimited
from meristem.task.frames import Frame, from_arrow

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".psv", ".data", ".dat")
COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")

_FOREIGN = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook (export the sheet as CSV)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (export the sheet as CSV)"),
    (b"SQLite format 3", "an SQLite database (export the table as CSV)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file (load it and pass the array)"),
    (b"FEA1", "a Feather file of version 1 (write it again as version 2)"),
    (b"\x80\x03", "a pickle, which is not read because it could run code"),
    (b"\x80\x04", "a pickle, which is not read because it could run code"),
    (b"\x80\x05", "a pickle, which is not read because it could run code"),
    (b"\x7fELF", "a program"),
)


def read_table(path: str | os.PathLike[str]) -> Frame:
    """Read a file as a frame: CSV and its relatives, Parquet, Arrow IPC (file or stream), Feather.

    Columns of text files stay text: what they mean is decided by the schema that reads them.

    Raises:
        InputError: The file is not there, empty, damaged or no table; says which.
    """
    place = Path(path)
    if place.is_dir():
        raise InputError(f"expected a file, got the folder {str(place)!r}; pass one table in it")
    try:
        with place.open("rb") as file:
            head = file.read(16)
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        raise InputError(f"there is no file {str(place)!r}{_similar(place)}") from None
    except OSError as error:
        raise InputError(f"cannot read {str(place)!r}: {error.strerror or error}") from None
    if size == 0:
        raise InputError(f"{str(place)!r} is empty; expected a table with a header line and rows")
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise InputError(f"{str(place)!r} is {what}, not a table; {KNOWN} can be read")
    if head.startswith(b"PAR1") or place.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(place)
    if head.startswith(b"ARROW1") or place.suffix.lower() in (".arrow", ".feather", ".ipc", ".arrows"):
        return _read_arrow(place, head)
    suffixes = [s.lower() for s in place.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    if suffixes and suffixes[-1] not in TEXT_SUFFIXES:
        raise InputError(
            f"{str(place)!r} ends in {suffixes[-1]!r}, which is no table this package reads: {KNOWN}; "
            "rename it to .csv if it is a text file with one row a line"
        )
    return read_delimited(place)


def _similar(place: Path) -> str:
    """A hint at a file with a similar name, or at the current folder."""
    import difflib

    try:
        names = [p.name for p in place.parent.iterdir() if p.is_file()][:10_000]
    except OSError:
        return f" (the folder {str(place.parent)!r} does not exist either)"
    close = difflib.get_close_matches(place.name, names, 1)
    return (
        f"; did you mean {str(place.with_name(close[0]))!r}?"
        if close
        else f" (looked in {str(Path.cwd())!r})"
    )


def _read_parquet(place: Path) -> Frame:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        # On one thread: reading must not take more than its share of a busy machine.
        return from_arrow(_distinct_names(place, parquet.ParquetFile(place).read(use_threads=False)))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"cannot read {str(place)!r} as Parquet: {_short(error)}; "
            "the file is damaged or was cut off, get it again"
        ) from None


def _read_arrow(place: Path, head: bytes) -> Frame:
    import pyarrow as pa

    try:
        with pa.memory_map(str(place)) as source:
            if head.startswith(b"ARROW1"):
                table = pa.ipc.open_file(source).read_all()
            else:
                table = pa.ipc.open_stream(source).read_all()
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"cannot read {str(place)!r} as Arrow: {_short(error)}; "
            "the file is damaged or was cut off, get it again"
        ) from None
    return from_arrow(_distinct_names(place, table))


def _distinct_names(place: Path, table: Any) -> Any:
    names = table.column_names
    twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InputError(
            f"{str(place)!r} has several columns named {twice[0]!r}; rename them, each needs its own name"
        )
    return table


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
