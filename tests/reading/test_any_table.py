"""For any table: a task or one clear error, and the schema reads the table as the task did."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meristem.errors import InputError
from meristem.task import Schema, Task
from meristem.task.raw import is_missing

WORDS = [
    "",
    " ",
    "NA",
    "?",
    "-",
    "none",
    "yes",
    "no",
    "N",
    "true",
    "1",
    "0",
    "1.0",
    "01",
    "1,5",
    "1,234",
    "$5",
    "12%",
]
WORDS += [
    "2024-01-31",
    "31.01.2024",
    "1/2/2024",
    "inf",
    "nan",
    "1e400",
    "a",
    "b",
    " a",
    "É",
    "🐧",
    "'x\"",
    "a\nb",
    "\t",
]
CELLS = st.one_of(
    st.sampled_from(WORDS),
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.datetimes(),
    st.dates(),
    st.timedeltas(timedelta(-9), timedelta(9)),
    st.sampled_from(
        [Decimal("1.5"), np.float32(2), np.int8(3), pd.NA, pd.NaT, date(1, 1, 1), datetime.max, b"x", [1]]
    ),
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    rows = draw(st.integers(1, 30))
    names = draw(st.lists(st.text(max_size=5), min_size=1, max_size=4, unique=True))
    table = {}
    for name in names:
        pool = draw(
            st.lists(
                draw(st.sampled_from([CELLS, st.sampled_from(WORDS), st.floats()])), min_size=1, max_size=4
            )
        )
        table[name] = draw(st.lists(st.sampled_from(pool), min_size=rows, max_size=rows))
    return table


def check(source: Any, answers: list[float], columns: dict[str, list[Any]] | None = None) -> None:
    try:
        task = Task.from_table(source, answers)
    except InputError:
        return
    schema = Schema.from_json(json.loads(json.dumps(task.schema.to_json())))
    assert schema == task.schema
    rows, _ = schema.rows(source)
    assert rows.to_list() == task.inputs["row"].to_list()
    if any({"True", "False"} & set(f.words) for f in schema.features):
        return  # truth values among dates: alone, one is an error; among many dates it is a missing one
    if columns is not None:  # each row alone reads as it does among the others
        for k, expected in enumerate(rows.to_list()):
            one, _ = schema.rows({name: values[k] for name, values in columns.items() if name in rows.fields})
            assert one[0] == expected


quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(tables())
def test_tables_of_python_values(table: dict[str, list[Any]]) -> None:
    cells = {
        name: values for name, values in table.items() if not any(isinstance(v, list | bytes) for v in values)
    }
    count = len(next(iter(table.values())))
    check(table, [k / 7 for k in range(count)], cells)


@quick
@given(tables())
def test_tables_of_pandas(table: dict[str, list[Any]]) -> None:
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in table.items()})
    check(frame, [k / 7 for k in range(len(frame))])
    check(frame.infer_objects(), [k / 7 for k in range(len(frame))])


@quick
@given(tables())
def test_long_tables_of_text_read_like_short_ones(table: dict[str, list[Any]]) -> None:
    texts = {n: [None if is_missing(v) else str(v) for v in values] for n, values in table.items()}
    count = len(next(iter(texts.values())))
    times = 2000 // count + 1
    try:
        task = Task.from_table(
            {n: values * times for n, values in texts.items()}, [k / 7 for k in range(count * times)]
        )
    except InputError:
        return
    short, _ = task.schema.rows(texts)
    long = task.inputs["row"].take(np.arange(count))
    assert short.to_list() == long.to_list()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text(",;\t\n\"'01a. \r|é", max_size=100).map(str.encode)))
def test_files_of_any_bytes(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(content)
    try:
        task = Task.from_table(file, "a")
    except InputError:
        return
    assert len(task) >= 2
