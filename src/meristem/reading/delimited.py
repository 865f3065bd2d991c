"""Text tables to frames: encoding, delimiter and header found out, then PyArrow reads every cell as text."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from meristem.errors import InputError
from meristem.task.cells import MISSING_NUMBER, PERHAPS, UNKNOWN, guess_style, table_signs
from meristem.task.frames import Frame, from_arrow

_HEAD = 1 << 18
"""Bytes looked at to find encoding, delimiter and header."""
_BLOCK = 1 << 24
"""Bytes that PyArrow parses at once: room for a row of some 10,000 columns, few enough to keep memory
even."""
_LARGEST_BLOCK = 1 << 30
_BEGINNING_ROWS = 2_000
_SIGN_ROWS, _SIGN_COLUMNS = 100, 200
"""Cells that are asked for the table's decimal sign."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", ";", "\t", "|")
KNOWN = "CSV, TSV (also .gz), Parquet, Arrow IPC and Feather"


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Args:
        encoding: The name of its encoding.
        delimiter: What stands between cells.
        header: Whether its first record names the columns.
        names: The names of the columns.
        empty: Whether it has no other record.
    """

    encoding: str
    delimiter: str
    header: bool
    names: tuple[str, ...]
    empty: bool = False


def read_delimited(place: Path) -> Frame:
    """Read a text table as a frame of text columns.

    Raises:
        InputError: It is no text, has no rows, or a row has more or fewer cells than the header.
    """
    head, whole = _head(place)
    encoding = _encoding(place, head)
    text = _decode(head, encoding)
    dialect = sniff(text, encoding, whole, tab_first=place.suffix.lower() in (".tsv", ".tab"))
    if not dialect.names:
        raise InputError(
            f"{str(place)!r} holds only blank lines; expected a table with a header line and rows"
        )
    names, notes = _named(dialect)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(
            f"expected distinct column names in {str(place)!r}, got {twice[0]!r} "
            f"{names.count(twice[0])} times; rename the columns in its first line"
        )
    if encoding == "cp1252":
        notes.append("the file is not UTF-8; it was read as Windows-1252 (Western European)")
    table = _parse(place, dialect, names)
    return from_arrow(table, notes, _commas(table, dialect.delimiter), dialect.delimiter)


def read_beginning(place: Path) -> tuple[tuple[str, ...], list[list[str]], int]:
    """The columns' names, some thousand rows, and what is known of decimal signs, from the first bytes of a text table.

    Raises:
        InputError: It is no text.
    """
    head, whole = _head(place)
    encoding = _encoding(place, head)
    text = _decode(head, encoding)
    dialect = sniff(text, encoding, whole, tab_first=place.suffix.lower() in (".tsv", ".tab"))
    records = _records(text, dialect.delimiter, whole, most=_BEGINNING_ROWS)
    if not whole and records:
        records.pop()  # it may have been cut
    rows = records[1:] if dialect.header else records
    shown = table_signs(cell for row in rows[:_SIGN_ROWS] for cell in row)
    hint = PERHAPS if dialect.delimiter == ";" else UNKNOWN
    return tuple(_named(dialect)[0]), rows, shown if shown != UNKNOWN else hint


def _commas(table: Any, delimiter: str) -> int:
    """What is known of the decimal signs of a table: by a sample of its cells, then by its delimiter."""
    import pyarrow as pa

    picked = {k * table.num_rows // _SIGN_ROWS for k in range(_SIGN_ROWS)} if table.num_rows else set()
    rows = pa.array(sorted(picked), pa.int64())
    step = table.num_columns // _SIGN_COLUMNS + 1
    sample = (
        text for k in range(0, table.num_columns, step) for text in table.column(k).take(rows).to_pylist()
    )
    shown = table_signs(sample)
    return shown if shown != UNKNOWN else PERHAPS if delimiter == ";" else UNKNOWN


def open_text(place: Path) -> IO[bytes]:
    """The decompressed bytes of a file."""
    with place.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.open(place)  # type: ignore[return-value]
    if start.startswith(b"BZh"):
        import bz2

        return bz2.open(place)
    if start == b"\x28\xb5\x2f\xfd" or start == b"\x04\x22\x4d\x18":
        import pyarrow as pa

        stream: IO[bytes] = pa.input_stream(str(place), compression="zstd" if start[0] == 0x28 else "lz4")
        return stream
    return place.open("rb")


def _head(place: Path) -> tuple[bytes, bool]:
    """The first bytes of a file, and whether that is all of it."""
    try:
        with open_text(place) as file:
            head = file.read(_HEAD)
            # A row of a very wide table may be longer: go on to its end.
            while len(head) >= _HEAD and head.count(b"\n") < 20 and len(head) < 1 << 26:
                more = file.read(len(head))
                head += more
                if not more:
                    break
            return head, not file.read(1)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(
            f"cannot read {str(place)!r}: {error}; the file is damaged or was cut off, get it again"
        ) from None


def _encoding(place: Path, head: bytes) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if not head.strip():
        raise InputError(
            f"{str(place)!r} holds only blank lines; expected a table with a header line and rows"
        )
    zeros = head.count(0)
    if zeros:
        if zeros > len(head) * 0.3:  # every second byte is zero: UTF-16 without its mark
            return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
        raise InputError(f"{str(place)!r} is no text table: it holds zero bytes; {KNOWN} can be read")
    controls = sum(head.count(c) for c in range(32) if c not in (9, 10, 12, 13, 27))
    if controls > len(head) * 0.02:
        raise InputError(f"{str(place)!r} is no text table: it looks binary; {KNOWN} can be read")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
        return "utf-8"
    except UnicodeDecodeError:
        return "cp1252"


def _decode(head: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(head, final=False)


def sniff(text: str, encoding: str, whole: bool, tab_first: bool = False) -> Dialect:
    """Find the delimiter and the header in the first lines of a text table.

    The delimiter is the one that cuts most lines into as many cells as the first; `whole` says that the text
    does not break off in the middle of a line.
    """
    best: tuple[float, int, list[list[str]], str] | None = None
    order = ("\t", *(d for d in _DELIMITERS if d != "\t")) if tab_first else _DELIMITERS
    for delimiter in order:
        records = _records(text, delimiter, whole)
        if not records:
            return Dialect(encoding, delimiter, True, ())
        width = len(records[0])
        even = sum(len(r) == width for r in records) / len(records) if width > 1 else 0.0
        if best is None or (even, width) > best[:2]:
            best = (even, width, records, delimiter)
    assert best is not None
    records, delimiter = best[2], best[3]
    header = _has_header(records, comma=PERHAPS if delimiter == ";" else UNKNOWN)
    first = records[0]
    names = tuple(c.strip() for c in first) if header else tuple(f"column{k + 1}" for k in range(len(first)))
    return Dialect(encoding, delimiter, header, names, empty=whole and header and len(records) == 1)


def _records(text: str, delimiter: str, whole: bool, most: int = 200) -> list[list[str]]:
    """The first records of a text table; blank lines left out."""
    csv.field_size_limit(1 << 27)
    records = []
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) > most:
                break
    except csv.Error:
        pass
    if not whole and 1 < len(records) <= most:
        records.pop()  # it may have been cut
    return records


def _has_header(records: list[list[str]], comma: int) -> bool:
    """Whether the first record names the columns.

    It does not if some of its cells are numbers above columns of numbers, unless others are words above
    numbers, or those numbers count up by one (years).
    """
    first, rest = records[0], records[1:100]
    if not rest:
        return not all(_is_number(c, comma) for c in first if c.strip()) or not any(c.strip() for c in first)
    against, counting = 0, []
    for k, cell in enumerate(first):
        below = [r[k] for r in rest if k < len(r) and r[k].strip() not in MISSING_NUMBER]
        if not below or sum(_is_number(c, comma) for c in below) < 0.9 * len(below):
            continue
        if not _is_number(cell, comma):
            if cell.strip() not in MISSING_NUMBER:
                return True
            continue
        against += 1
        counting.append(cell.strip())
    if not against:
        return True
    whole = [int(c) for c in counting if c.isascii() and c.isdigit() and len(c) < 10]
    return (
        len(whole) == len(counting) > 1
        and whole == list(range(whole[0], whole[0] + len(whole)))
        and whole[0] > 1500
    )


def _is_number(cell: str, comma: int) -> bool:
    return bool(cell.strip()) and guess_style([cell], comma)[1] == 1


def _named(dialect: Dialect) -> tuple[list[str], list[str]]:
    """The columns' names, those without one given one, and notes."""
    notes = []
    names = list(dialect.names)
    if not dialect.header:
        notes.append(
            "the first line holds numbers, so the file has no header: "
            f"the columns are named column1 to column{len(names)}"
        )
    blank = [k for k, n in enumerate(names) if not n]
    for k in blank:
        names[k] = f"unnamed_{k + 1}"
    if blank:
        more = ", ..." if len(blank) > 4 else ""
        notes.append(f"columns without a name were named {', '.join(names[k] for k in blank[:4])}{more}")
    return names, notes


def _parse(place: Path, dialect: Dialect, names: list[str]) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if dialect.empty:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    block = _BLOCK
    encoding = "utf-8" if dialect.encoding == "utf-8-sig" else dialect.encoding
    while True:
        try:
            with open_text(place) as file:
                if dialect.encoding == "utf-8-sig":
                    file.read(3)
                return arrow_csv.read_csv(
                    file,
                    read_options=arrow_csv.ReadOptions(
                        use_threads=False,
                        block_size=block,
                        column_names=names,
                        skip_rows=0,
                        skip_rows_after_names=1 if dialect.header else 0,
                        encoding=encoding,
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        delimiter=dialect.delimiter,
                        newlines_in_values=True,
                        ignore_empty_lines=len(names) > 1,  # in a single column a blank line is an empty cell
                    ),
                    convert_options=arrow_csv.ConvertOptions(
                        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                    ),
                )
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            message = str(error)
            if "straddling" in message and block < _LARGEST_BLOCK:
                block *= 4
                continue
            if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in message:
                if encoding == "utf-8":
                    encoding = "cp1252"
                    continue
                if encoding == "cp1252":  # five bytes are not assigned there; latin-1 has them all
                    encoding = "latin-1"
                    continue
            raise _ragged(place, dialect, len(names), message) from None
        except (OSError, EOFError) as error:
            raise InputError(
                f"cannot read {str(place)!r}: {error}; the file is damaged or was cut off, get it again"
            ) from None


def _ragged(place: Path, dialect: Dialect, width: int, message: str) -> InputError:
    """The error for the first record whose width differs, found by reading again, slowly."""
    with open_text(place) as raw:
        text = io.TextIOWrapper(raw, dialect.encoding, errors="replace", newline="")
        reader = csv.reader((line.replace("\0", "") for line in text), delimiter=dialect.delimiter)
        try:
            for record in reader:
                if record and len(record) != width:
                    cells = "cell" if len(record) == 1 else "cells"
                    return InputError(
                        f"expected {width:,} cells in every row of {str(place)!r}, as in its first line, "
                        f"got {len(record):,} {cells} in line {reader.line_num:,}; a {dialect.delimiter!r} "
                        "inside of a value needs quotes around the value"
                    )
        except (csv.Error, UnicodeError) as error:
            message = str(error)
    return InputError(f"cannot read {str(place)!r} as a text table: {message[:200]}")
