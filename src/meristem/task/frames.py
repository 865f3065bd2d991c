"""Frames: any table a user holds, seen as named raw columns.

pandas, Polars, PyArrow, anything with the Arrow C stream interface, dicts, lists of dicts, NumPy arrays. A
library is never imported to find out whether a value is one of its own: a frame that it made shows that it
is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from meristem.errors import InputError
from meristem.task.cells import UNKNOWN
from meristem.task.raw import (
    MANY,
    ArrowStrings,
    Flags,
    Moments,
    Numbers,
    Raw,
    Strings,
    Unreadable,
    interned,
    raw_from_arrow,
    raw_from_numpy,
    raw_from_objects,
    raw_from_values,
)

_WIDE = 64
"""From this many columns on, a pandas frame of numbers is taken out as one matrix, not column by column."""


class Frame:
    """A table as named raw columns, each made when asked for.

    Args:
        names: The columns' names, distinct.
        rows: Number of rows N.
        get: Gives the raw column [N] at a position.
        notes: What reading it had to decide, for the user to know.
        comma: What is known of its decimal signs: `POINTS`, `UNKNOWN`, `PERHAPS` or `COMMAS` of
            `meristem.task.cells`.
        delimiter: What stands between the cells of the text file that it comes from; empty for other sources.
    """

    def __init__(
        self,
        names: Sequence[str],
        rows: int,
        get: Callable[[int], Raw],
        notes: Sequence[str] = (),
        comma: int = UNKNOWN,
        delimiter: str = "",
    ) -> None:
        self.names, self.rows, self.notes, self.comma = tuple(names), rows, tuple(notes), comma
        self.delimiter = delimiter
        self._get = get
        self.places = {name: k for k, name in enumerate(self.names)}
        if len(self.places) < len(self.names):
            twice = sorted({n for n in self.names if self.names.count(n) > 1})
            raise InputError(
                f"expected distinct column names, got {_listed(twice)} more than once; rename the columns"
            )

    def __len__(self) -> int:
        return self.rows

    def column(self, name: str) -> Raw:
        """The raw column of a name, which must be there."""
        return self._get(self.places[name])


def _listed(names: Sequence[str], limit: int = 8) -> str:
    shown = ", ".join(repr(n) for n in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit:,} more"


def frame_of(source: Any) -> Frame:
    """Any table-like value as a frame.

    Raises:
        InputError: It is no table, or its columns differ in length.
    """
    if isinstance(source, Frame):
        return source
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if isinstance(source, np.ndarray):
        return _from_numpy(source)
    module = type(source).__module__.partition(".")[0]
    if module == "pandas" and hasattr(source, "columns"):
        return _from_pandas(source)
    if module == "pandas" and hasattr(source, "to_frame"):  # a Series: one row, its index are the names
        return _from_mapping(dict(zip(map(str, source.index), source.tolist(), strict=True)))
    if module == "polars":
        if hasattr(source, "collect"):
            source = source.collect()
        return _from_polars(source)
    if module == "pyarrow" and hasattr(source, "column_names"):
        return from_arrow(source)
    if hasattr(source, "__arrow_c_stream__"):
        import pyarrow as pa

        return from_arrow(pa.table(source))
    if isinstance(source, list | tuple):
        return _from_records(source)
    if hasattr(source, "__dataframe__"):
        import pyarrow.interchange

        return from_arrow(pyarrow.interchange.from_dataframe(source))
    raise InputError(
        "expected a table (a data frame, an Arrow table, a dict of columns, a list of dicts, a 2-d array), "
        f"got {type(source).__name__}"
    )


def is_column(value: Any) -> bool:
    """Whether a value in a dict is a column, not the value of one row."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)


def _from_mapping(source: Mapping[Any, Any]) -> Frame:
    values = list(source.values())
    names = [str(k) for k in source]
    columns = [is_column(v) for v in values]
    if not any(columns):
        return Frame(names, 1 if values else 0, lambda k: raw_from_values([values[k]]))
    if not all(columns):
        odd = names[columns.index(False)]
        raise InputError(
            "expected either one value a column (one row) or one list a column, got both: "
            f"{odd!r} is a single value"
        )
    lengths = {len(v) for v in values}
    if len(lengths) > 1:
        sizes = ", ".join(f"{n!r} has {len(v):,}" for n, v in list(zip(names, values, strict=True))[:6])
        raise InputError(f"expected columns of one length, got {sizes}")
    return Frame(names, lengths.pop(), lambda k: _raw_of(values[k], names[k]))


def _raw_of(values: Any, name: str) -> Raw:
    """A raw column from any sequence."""
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise InputError(
                f"expected one value a row in the column {name!r}, got an array of shape {values.shape}"
            )
        return raw_from_numpy(values, name)
    module = type(values).__module__.partition(".")[0]
    if module == "pandas":
        return raw_from_series(values, name)
    if module == "polars":
        return _raw_from_polars(values, name)
    if module == "pyarrow":
        return raw_from_arrow(values)
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        import pyarrow as pa

        return raw_from_arrow(pa.chunked_array(values))
    return raw_from_objects(list(values))


def raw_of(values: Any, name: str) -> Raw:
    """A raw column from any sequence of values: a list, an array, a series."""
    return _raw_of(values, name)


def _from_numpy(array: np.ndarray[Any, Any]) -> Frame:
    if array.dtype.names:
        fields = array.dtype.names
        return Frame(fields, len(array), lambda k: raw_from_numpy(array[fields[k]], fields[k]))
    if array.ndim != 2:
        raise InputError(f"expected a 2-d array with a row for each example, got {array.ndim} dimensions")
    names = [f"x{k}" for k in range(array.shape[1])]
    if array.dtype.kind in "iufb" and array.dtype != np.float64:
        integer = array.dtype.kind in "iu"
        if array.dtype.kind != "b":
            array = np.asfortranarray(array, np.float64)
            return Frame(names, len(array), lambda k: Numbers(array[:, k], integer))
    return Frame(names, len(array), lambda k: raw_from_numpy(array[:, k], names[k]))


def _from_records(records: Sequence[Any]) -> Frame:
    if not records:
        return Frame((), 0, lambda k: raw_from_values([]))
    names: dict[Any, None] = {}
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise InputError(
                f"expected a list of dicts, one a row, got {type(record).__name__} in row {row + 1}"
            )
        names.update(dict.fromkeys(record))
    keys = list(names)

    def get(k: int) -> Raw:
        return raw_from_objects([r.get(keys[k]) for r in records])

    return Frame([str(k) for k in keys], len(records), get)


def _from_pandas(frame: Any) -> Frame:
    names = [_column_name(c) for c in frame.columns]
    rows = len(frame)
    if len(names) >= _WIDE:
        kinds = {d if isinstance(d, np.dtype) else None for d in set(frame.dtypes)}
        if None not in kinds and all(d is not None and d.kind in "iuf" for d in kinds):
            integers = [d.kind in "iu" for d in frame.dtypes]
            matrix = np.asfortranarray(frame.to_numpy(np.float64))
            return Frame(names, rows, lambda k: Numbers(matrix[:, k], integers[k]))
    return Frame(names, rows, lambda k: raw_from_series(frame.iloc[:, k], names[k]))


def _column_name(name: Any) -> str:
    if isinstance(name, tuple):  # a column of a pandas MultiIndex
        return ".".join(str(part) for part in name)
    return str(name)


def raw_from_series(series: Any, name: str) -> Raw:
    """A raw column from a pandas series or index."""
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return raw_from_numpy(series.to_numpy(), name)
    label = str(dtype)
    if label == "category":
        categories = raw_from_values(series.cat.categories.tolist())
        codes = series.cat.codes.to_numpy().astype(np.int64)
        return _gather(categories, codes)
    if len(series) < MANY or label == "object":
        if label.startswith("datetime64"):
            return raw_from_numpy(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), name)
        return raw_from_values(series.tolist())
    import pyarrow as pa

    try:
        return raw_from_arrow(pa.array(series, from_pandas=True))
    except (pa.ArrowException, TypeError, ValueError):
        return raw_from_values(series.tolist())


def _gather(pool: Raw, codes: np.ndarray[Any, np.dtype[np.int64]]) -> Raw:
    """The raw column that holds `pool[code]` for each code, missing where it is -1."""
    if isinstance(pool, Unreadable):
        return Unreadable(len(codes), pool.reason)
    if isinstance(pool, Strings | ArrowStrings):
        pool = interned(pool)
        return Strings(np.append(pool.codes, -1)[codes], pool.pool, pool.mixed)
    if isinstance(pool, Numbers):
        return Numbers(np.append(pool.data, np.nan)[codes], pool.integer)
    present = np.append(pool.present, False)[codes]
    if isinstance(pool, Flags):
        return Flags(np.append(pool.data, False)[codes], present)
    assert isinstance(pool, Moments)
    return Moments(np.append(pool.data, 0)[codes], present)


def _from_polars(frame: Any) -> Frame:
    names = list(frame.columns)
    return Frame(names, frame.height, lambda k: _raw_from_polars(frame.to_series(k), names[k]))


def _raw_from_polars(series: Any, name: str) -> Raw:
    polars = sys.modules["polars"]
    dtype = series.dtype
    if dtype == polars.Categorical or dtype == polars.Enum:
        series = series.cast(polars.String)
    elif dtype.is_numeric() and not dtype.is_decimal() and series.null_count() == 0:
        return raw_from_numpy(series.to_numpy(), name)
    elif len(series) < MANY:
        return raw_from_values(series.to_list())
    if dtype == polars.Object:
        return raw_from_values(series.to_list())
    return raw_from_arrow(series.to_arrow())


def from_arrow(table: Any, notes: Sequence[str] = (), comma: int = UNKNOWN, delimiter: str = "") -> Frame:
    """A PyArrow table or record batch as a frame."""
    names = table.column_names
    return Frame(names, table.num_rows, lambda k: raw_from_arrow(table.column(k)), notes, comma, delimiter)
