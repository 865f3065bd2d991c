"""Tables of predictions as files: CSV, TSV, Parquet, Arrow, JSON lines, and CSV on stdout."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from meristem.model import Model
    from meristem.task.raw import Raw

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_ROWS = 65_536  # of JSON lines made at a time


@dataclass(frozen=True)
class Format:
    """How a table is written: `csv`, `tsv`, `parquet`, `arrow` or `jsonl`, perhaps compressed by gzip."""

    name: str
    gzip: bool = False

    @property
    def text(self) -> bool:
        """Whether the file says nothing of types, so that labels stand there as they stood in the training table."""
        return self.name in ("csv", "tsv")


def format_of(out: str, option: str = "--out") -> Format:
    """The format that a file's name asks for; `-` is CSV.

    Args:
        out: The name.
        option: What it was given for, for the message.

    Raises:
        InputError: It is none that is written.
    """
    if out == "-":
        return Format("csv")
    path = Path(out)
    packed = path.suffix.lower() == ".gz"
    suffix = (path.with_suffix("") if packed else path).suffix.lower()
    name = _SUFFIXES.get(suffix)
    if name is None or (packed and name in ("parquet", "arrow")):
        raise InputError(
            f"{option}: expected a name that ends in .csv, .tsv, .parquet, .arrow or .jsonl (the text ones also in "
            f".gz), got {out!r}"
        )
    return Format(name, packed)


def write_table(table: pa.Table, out: str, how: Format) -> None:
    """Write a table to a file, whole or not at all, or to stdout."""
    data = table_bytes(table, how)
    if out == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from meristem.model.file import write_whole

    write_whole(out, data)


def table_bytes(table: pa.Table, how: Format) -> Any:
    """The bytes of a table in a format."""
    if how.name == "jsonl":
        data: Any = _json_lines(table)
    elif how.text:
        data = _delimited(table, "," if how.name == "csv" else "\t")
    else:
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        if how.name == "parquet":
            from pyarrow import parquet

            parquet.write_table(table, sink)
        else:
            from pyarrow import feather

            feather.write_feather(table, sink)
        data = sink.getvalue()
    return gzip.compress(data, mtime=0) if how.gzip else data


def _delimited(table: pa.Table, delimiter: str) -> bytes:
    """The text of a table, with quotes only where they are needed (Arrow's own writer quotes every text)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    head = io.StringIO()
    csv.writer(head, delimiter=delimiter, lineterminator="\n").writerow(table.column_names)
    parts = [head.getvalue().encode()]
    quote, nothing, between = (pa.scalar(text, pa.large_string()) for text in ('"', "", delimiter))
    for batch in table.to_batches(max_chunksize=_ROWS):
        cells = []
        for column in batch.columns:
            text = pc.fill_null(column.cast(pa.large_string()), "")
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                escaped = pc.binary_join_element_wise(
                    quote, pc.replace_substring(text, '"', '""'), quote, nothing
                )
                text = pc.if_else(pc.match_substring_regex(text, f'["\r\n{delimiter}]'), escaped, text)
            cells.append(text)
        lines = pc.binary_join_element_wise(*cells, between)
        parts.extend(f"{line}\n".encode("utf-8", "replace") for line in lines.to_pylist())
    return b"".join(parts)


def _json_lines(table: pa.Table) -> bytes:
    parts = []
    for batch in table.to_batches(max_chunksize=_ROWS):
        lines = (json.dumps(row, ensure_ascii=False, default=str) for row in batch.to_pylist())
        parts.append("".join(f"{line}\n" for line in lines))
    return "".join(parts).encode("utf-8", "replace")


def labels_column(model: Model, probabilities: NDArray[np.float64], text: bool) -> Any:
    """The predicted labels as an Arrow array [N]: as text, or with the values that they had in training."""
    import pyarrow as pa

    values = list(model.schema.target.values)
    if text or len({type(v) for v in values}) > 1:
        values = list(model.schema.target.type.labels)
    return pa.array(values).take(pa.array(decided(model, probabilities)))


def decided(model: Model, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """The codes [N] of the classes that a model answers, from its probabilities [N, K]."""
    from meristem.task.objective import METRICS, Scorer

    return Scorer(METRICS["accuracy"], costs=model.costs).decide(probabilities)


def arrow_column(raw: Raw, name: str) -> Any:
    """A raw column as an Arrow array [N]; what was text in a file stays as it was there.

    Raises:
        InputError: Its values are of a kind that is not read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from meristem.task import raw as raws

    if isinstance(raw, raws.Unreadable):
        raise InputError(f"--keep: the column {name!r} cannot be carried over: {raw.reason}")
    if isinstance(raw, raws.ArrowStrings | raws.Strings):
        if isinstance(raw, raws.ArrowStrings):
            array = raw.array
        else:
            pool = pa.array(list(raw.pool), pa.string())
            array = pool.take(pa.array(np.where(raw.codes < 0, 0, raw.codes), mask=raw.codes < 0))
        return pc.if_else(
            pc.equal(array, ""), pa.scalar(None, array.type), array
        )  # an empty cell stays empty
    if isinstance(raw, raws.Flags):
        return pa.array(raw.data, mask=~raw.present)
    if isinstance(raw, raws.Moments):
        return pa.array(raw.data, pa.timestamp("us"), mask=~raw.present)
    missing = np.isnan(raw.data)
    if raw.integer:
        return pa.array(np.where(missing, 0, raw.data).astype(np.int64), mask=missing)
    return pa.array(raw.data, mask=missing)
