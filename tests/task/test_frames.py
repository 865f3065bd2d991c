"""Any table a user holds comes to the same raw columns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from meristem.errors import InputError
from meristem.task.features import texts_of
from meristem.task.frames import frame_of
from meristem.task.raw import ArrowStrings, Flags, Moments, Numbers, Strings, Unreadable, raw_from_values

ROWS: list[dict[str, Any]] = [
    {"i": 1, "f": 0.5, "b": True, "s": "a", "d": datetime(2024, 1, 2, 3), "n": None},
    {"i": 2, "f": None, "b": False, "s": None, "d": datetime(1969, 12, 31), "n": None},
    {"i": -3, "f": 1e300, "b": True, "s": "a", "d": datetime(2024, 1, 2, 3), "n": None},
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}


class Stream:
    """Something that only speaks the Arrow C stream interface."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(schema)


MAKERS: dict[str, Callable[[int], Any]] = {
    "records": lambda k: ROWS * k,
    "dict": lambda k: {n: v * k for n, v in COLUMNS.items()},
    "dict of arrays": lambda k: {n: np.array(v * k, object) for n, v in COLUMNS.items()},
    "dict of series": lambda k: {n: pd.Series(v * k) for n, v in COLUMNS.items()},
    "pandas": lambda k: pd.DataFrame(ROWS * k),
    "pandas object": lambda k: pd.DataFrame(ROWS * k).astype(object),
    "pandas nullable": lambda k: pd.DataFrame(ROWS * k).convert_dtypes(),
    "pandas arrow": lambda k: pa.Table.from_pylist(ROWS * k).to_pandas(types_mapper=pd.ArrowDtype),
    "polars": lambda k: pl.DataFrame(ROWS * k),
    "polars lazy": lambda k: pl.DataFrame(ROWS * k).lazy(),
    "arrow": lambda k: pa.Table.from_pylist(ROWS * k),
    "arrow chunks": lambda k: pa.concat_tables([pa.Table.from_pylist(ROWS)] * k),
    "arrow batch": lambda k: pa.Table.from_pylist(ROWS * k).combine_chunks().to_batches()[0],
    "stream": lambda k: Stream(pa.Table.from_pylist(ROWS * k)),
}


@pytest.mark.parametrize("repeat", [1, 1000], ids=["short", "long"])
@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_of_table_gives_the_same_columns(kind: str, repeat: int) -> None:
    frame = frame_of(MAKERS[kind](repeat))
    assert frame.names == tuple(COLUMNS)
    assert len(frame) == 3 * repeat
    i, f, b, s, d = (frame.column(n) for n in "ifbsd")
    assert isinstance(i, Numbers)
    assert i.integer
    np.testing.assert_array_equal(i.data, [1, 2, -3] * repeat)
    assert isinstance(f, Numbers)
    assert not f.integer
    np.testing.assert_array_equal(f.data, [0.5, np.nan, 1e300] * repeat)
    assert isinstance(b, Flags)
    np.testing.assert_array_equal(b.data, [True, False, True] * repeat)
    assert b.present.all()
    texts = texts_of(s)
    assert [texts.pool[c] if c >= 0 else None for c in texts.codes] == ["a", None, "a"] * repeat
    assert isinstance(d, Moments)
    np.testing.assert_array_equal(d.data, [1704164400000000, -86400000000, 1704164400000000] * repeat)
    n = frame.column("n")
    assert len(n) == 3 * repeat
    assert not isinstance(n, Unreadable)
    assert (texts_of(n).codes == -1).all()


def test_other_types_of_columns() -> None:
    frame = frame_of(
        pa.table(
            {
                "category": pa.array(["x", None, "x"]).dictionary_encode(),
                "date": pa.array([date(1970, 1, 2), None, None]),
                "zone": pa.array([datetime(1970, 1, 1)] * 3, pa.timestamp("s", "Europe/Berlin")),
                "time": pa.array([time(0, 1), time(0), time(1)]),
                "span": pa.array([timedelta(seconds=1.5)] * 3),
                "decimal": pa.array([Decimal("1.5"), None, Decimal(2)]),
                "list": pa.array([[1], [2], []]),
                "large": pa.array([2**60, 1, 2]),
                "view": pa.array(["p", "q", None], pa.string_view()),
            }
        )
    )
    assert texts_of(frame.column("category")).codes.tolist() == [0, -1, 0]
    assert frame.column("date").data.tolist()[0] == 86_400_000_000  # type: ignore[union-attr]
    assert frame.column("zone").data.tolist() == [0, 0, 0]  # type: ignore[union-attr]
    assert frame.column("time").data.tolist() == [60, 0, 3600]  # type: ignore[union-attr]
    assert frame.column("span").data.tolist() == [1.5] * 3  # type: ignore[union-attr]
    np.testing.assert_array_equal(frame.column("decimal").data, [1.5, np.nan, 2])  # type: ignore[union-attr]
    assert "list" in frame.column("list").reason  # type: ignore[union-attr]
    assert frame.column("large").data[0] == 2**60  # type: ignore[union-attr]
    assert texts_of(frame.column("view")).codes.tolist() == [0, 1, -1]


def test_pandas_and_polars_extension_types() -> None:
    frame = frame_of(
        pd.DataFrame(
            {
                "category": pd.Categorical(["b", None, "b"], categories=["a", "b"]),
                "number": pd.Categorical([3, 4, 3]),
                "zone": pd.to_datetime(["1970-01-01 01:00"] * 3).tz_localize("Europe/Berlin"),
                "span": pd.to_timedelta(["1s", None, "2s"]),
                "int": pd.array([1, None, 3], "Int64"),
            }
        )
    )
    texts = texts_of(frame.column("category"))
    assert [texts.pool[c] if c >= 0 else None for c in texts.codes] == ["b", None, "b"]
    assert frame.column("number").data.tolist() == [3, 4, 3]  # type: ignore[union-attr]
    assert frame.column("zone").data.tolist() == [0, 0, 0]  # type: ignore[union-attr]
    np.testing.assert_array_equal(frame.column("span").data, [1, np.nan, 2])  # type: ignore[union-attr]
    np.testing.assert_array_equal(frame.column("int").data, [1, np.nan, 3])  # type: ignore[union-attr]
    polars = frame_of(pl.DataFrame({"c": ["x", "y", None]}, schema={"c": pl.Categorical}))
    assert texts_of(polars.column("c")).codes.tolist() == [0, 1, -1]


def test_arrays_name_their_columns_by_position_and_records_arrays_by_field() -> None:
    frame = frame_of(np.array([[1, 2], [3, 4]], np.int32))
    assert frame.names == ("x0", "x1")
    assert frame.column("x1").integer  # type: ignore[union-attr]
    assert frame.column("x1").data.tolist() == [2, 4]  # type: ignore[union-attr]
    fields = frame_of(np.array([(1, "a")], [("n", int), ("s", "U3")]))
    assert fields.names == ("n", "s")
    assert texts_of(fields.column("s")).pool == ["a"]


def test_wide_pandas_frames_of_numbers_come_out_as_one_matrix() -> None:
    wide = pd.DataFrame({f"c{k}": np.arange(5) * (1.5 if k % 2 else 1) for k in range(100)})
    frame = frame_of(wide)
    for name in ("c0", "c99"):
        raw = frame.column(name)
        assert isinstance(raw, Numbers)
        assert raw.integer == (name == "c0")
        assert raw.data.tolist() == wide[name].tolist()


def test_one_row_as_a_dict_or_a_pandas_row() -> None:
    row = {"a": 1.0, "b": "x", "c": np.float64(2), "d": np.array(3)}
    assert len(frame_of(row)) == 1
    assert frame_of(row).column("d").data.tolist() == [3]  # type: ignore[union-attr]
    assert frame_of(pd.DataFrame([row]).iloc[0]).names == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, "a", None, 2.0], ["1", "a", None, "2"]),
        ([True, "x"], ["True", "x"]),
        ([Decimal("1.50"), "x"], ["1.5", "x"]),
    ],
)
def test_columns_of_mixed_values_become_text(values: list[Any], expected: list[str | None]) -> None:
    raw = raw_from_values(values)
    assert isinstance(raw, Strings)
    assert raw.mixed
    assert [raw.pool[c] if c >= 0 else None for c in raw.codes] == expected


def test_missing_values_of_every_library() -> None:
    values = [
        None,
        float("nan"),
        np.nan,
        np.float32("nan"),
        pd.NA,
        pd.NaT,
        Decimal("nan"),
        np.datetime64("NaT"),
        1.0,
    ]
    raw = raw_from_values(values)
    assert isinstance(raw, Numbers)
    assert np.isnan(raw.data).tolist() == [True] * 8 + [False]


def test_an_int_beyond_all_floats_is_infinite() -> None:
    assert raw_from_values([10**400, -(10**400)]).data.tolist() == [np.inf, -np.inf]  # type: ignore[union-attr]


def test_values_that_are_no_cells_are_unreadable_with_a_reason() -> None:
    raw = raw_from_values([[1, 2], {"a": 1}])
    assert isinstance(raw, Unreadable)
    assert raw.reason == "it holds values of type dict, list"


def test_long_columns_of_text_stay_in_arrow() -> None:
    assert isinstance(frame_of(pd.DataFrame({"s": ["a"] * 5000})).column("s"), ArrowStrings)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (3, "expected a table .* got int"),
        ("x", "expected a table .* got str"),
        (np.zeros(3), "expected a 2-d array with a row for each example, got 1 dimensions"),
        ([1, 2], "expected a list of dicts, one a row, got int in row 1"),
        ({"a": [1, 2], "b": [1]}, "expected columns of one length, got 'a' has 2, 'b' has 1"),
        ({"a": [1, 2], "b": 1}, "either one value a column .* got both: 'b' is a single value"),
        ({"a": np.zeros((2, 2))}, r"one value a row in the column 'a', got an array of shape \(2, 2\)"),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "expected distinct column names, got 'a' more than once",
        ),
        (pa.table([[1], [2]], names=["a", "a"]), "expected distinct column names, got 'a' more than once"),
    ],
)
def test_what_is_no_table(source: Any, message: str) -> None:
    def read() -> None:
        frame = frame_of(source)
        for name in frame.names:
            frame.column(name)

    with pytest.raises(InputError, match=message):
        read()


def test_a_dict_is_read_without_pyarrow_or_pandas() -> None:
    code = (
        "import sys; from meristem.task.frames import frame_of; "
        "frame_of({'a': [1, 2], 'b': ['x', None]}).column('b'); "
        "print([m for m in ('pyarrow', 'pandas', 'polars', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
