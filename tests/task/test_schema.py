"""A schema reads new tables as the first one was read, and itself from JSON."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meristem.errors import FileFormatError, InputError, MeristemError
from meristem.task import Dropped, Feature, Schema, Target
from meristem.task.cells import NumberStyle
from meristem.types import BOOL, DATETIME, REAL, TEXT, class_of, option_of
from meristem.values import Options, Rows

COLOURS = Feature("colour", option_of(class_of("blue", "red", "1")))
SCHEMA = Schema(
    features=(
        Feature("size", option_of(REAL), words=("unknown",)),
        COLOURS,
        Feature("old", option_of(BOOL)),
        Feature("day", option_of(DATETIME), order="dmy"),
        Feature("note", option_of(TEXT)),
    ),
    target=Target("price", REAL),
    dropped=(Dropped("id", "it counts the rows"),),
    unused=("weight",),
)
ROW: dict[str, Any] = {"size": 1.5, "colour": "red", "old": True, "day": datetime(2024, 3, 1), "note": "a b"}


def values(rows: Rows, name: str) -> list[Any]:
    return rows.fields[name].to_list()


@pytest.mark.parametrize(
    "make",
    [
        lambda r: r,
        lambda r: [r],
        lambda r: {k: [v] for k, v in r.items()},
        lambda r: pd.DataFrame([r]),
        lambda r: pd.DataFrame([r]).iloc[0],
        lambda r: pl.DataFrame([r]),
        lambda r: pa.Table.from_pylist([r]),
        lambda r: dict(reversed(r.items())),
        lambda r: {k: str(v) if k != "day" else "1/3/2024" for k, v in r.items()},
    ],
)
def test_one_row_in_any_form(make: Callable[[Any], Any]) -> None:
    rows, warnings = SCHEMA.rows(make(ROW))
    assert warnings == []
    assert rows.type == SCHEMA.type
    assert rows.to_list() == [ROW]


def test_missing_values_in_any_form() -> None:
    for nothing in (None, float("nan"), pd.NA, "", " ", "NA", "?", np.float64("nan")):
        rows, warnings = SCHEMA.rows(dict.fromkeys(ROW, nothing))
        assert rows.to_list() == [dict.fromkeys(ROW)]
        assert warnings == []
    assert values(SCHEMA.rows({**ROW, "size": "unknown"})[0], "size") == [None]
    assert values(SCHEMA.rows({**ROW, "size": "-", "note": "-"})[0], "note") == ["-"]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *[(3, 3.0), (np.int8(3), 3.0), (np.float32(0.5), 0.5), (Decimal("2.5"), 2.5), (True, 1.0)],
        *[(" 7 ", 7.0), ("1e3", 1000.0), (np.array(4), 4.0), (1.5e308, 1.5e308)],
    ],
)
def test_what_counts_as_a_number(value: Any, number: float) -> None:
    assert values(SCHEMA.rows({**ROW, "size": value})[0], "size") == [number]


@pytest.mark.parametrize("value", [math.inf, -math.inf, "inf", "1e400", np.float32("inf")])
def test_infinities_become_missing_with_a_warning(value: Any) -> None:
    rows, warnings = SCHEMA.rows({**ROW, "size": value})
    assert values(rows, "size") == [None]
    assert warnings == ["1 infinite number in 'size', first in row 1: treated as missing"]
    assert SCHEMA.rows({**ROW, "size": 10**400})[1] == warnings


def test_categories_never_seen_are_missing_or_other_and_counted() -> None:
    frame = {**{k: [v] * 4 for k, v in ROW.items()}, "colour": ["red", "pink", "pink", "grey"]}
    rows, warnings = SCHEMA.rows(frame)
    assert values(rows, "colour") == ["red", None, None, None]
    seen = "values never seen in training in 'colour' ('pink', 'grey')"
    assert warnings == [f"3 {seen}, first in row 2: treated as missing"]
    other = Feature("colour", option_of(class_of("red", "(other)")), other=True)
    rows, warnings = Schema((other,), SCHEMA.target).rows({"colour": ["red", "pink", None]})
    assert values(rows, "colour") == ["red", "(other)", None]
    assert warnings == [
        "1 value never seen in training in 'colour' ('pink'), first in row 2: treated as the label (other)"
    ]


def test_a_case_that_two_labels_share_is_ambiguous() -> None:
    feature = Feature("paid", option_of(class_of("Ja", "ja", "nein")))
    rows, warnings = Schema((feature,), SCHEMA.target).rows({"paid": ["ja", "JA", "NEIN", "JA", "Ja"]})
    assert values(rows, "paid") == ["ja", None, "nein", None, "Ja"]
    assert warnings == [
        "2 values 'JA' in 'paid', ambiguous between 'Ja' and 'ja', first in row 2: treated as missing"
    ]


def test_numbers_and_their_text_are_one_category() -> None:
    for value in (1, 1.0, "1", " 1 ", np.int64(1)):
        assert values(SCHEMA.rows({**ROW, "colour": value})[0], "colour") == ["1"]


def test_columns_in_another_order_and_further_ones() -> None:
    shuffled = {"price": 3, "id": 7, "weight": 2, **dict(reversed(ROW.items()))}
    assert SCHEMA.rows(shuffled)[0].to_list() == [ROW]
    assert SCHEMA.rows(shuffled)[1] == []  # all known: the target, a column left out, the weights
    assert SCHEMA.rows({**shuffled, "new": 1})[1] == ["ignored columns that the model does not know: 'new'"]


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(InputError, match=r"expected the 2 columns 'size', 'day'.*it has 'Size'.*Rename it"):
        SCHEMA.rows({"Size": [1], "colour": ["red"], "old": [True], "note": ["x"]})
    with pytest.raises(InputError, match="the column 'note', which the table does not have"):
        SCHEMA.rows([{k: v for k, v in ROW.items() if k != "note"}])


def test_one_row_may_leave_out_what_is_not_known() -> None:
    rows, warnings = SCHEMA.rows({"colour": "red", "size": 1.5, "new": 3})
    assert rows.to_list() == [{"size": 1.5, "colour": "red", "old": None, "day": None, "note": None}]
    assert warnings == [
        "no value for 'old', 'day', 'note': treated as missing",
        "ignored columns that the model does not know: 'new'",
    ]
    with pytest.raises(InputError, match="expected the 5 columns"):
        SCHEMA.rows({"color": "red"})  # a table of something else


def test_categories_in_another_case_are_the_known_ones() -> None:
    three = Feature("size", option_of(class_of("S", "Medium", "medium", "straße", "NA-x")))
    schema = Schema((three,), SCHEMA.target)
    rows, warnings = schema.rows({"size": [" s ", "S", "MEDIUM", "Medium", "STRASSE", "na-X", "na"]})
    # "MEDIUM" could be two of them.
    assert values(rows, "size") == ["S", "S", None, "Medium", "straße", "NA-x", None]
    assert warnings == [
        "1 value never seen in training in 'size' ('na'), first in row 7: treated as missing",
        "1 value 'MEDIUM' in 'size', ambiguous between 'Medium' and 'medium', first in row 3: treated as missing",
    ]
    assert values(schema.rows({"size": "s"})[0], "size") == ["S"]


def test_a_warning_shows_the_beginning_of_long_values() -> None:
    (warning,) = SCHEMA.rows({**ROW, "colour": "x" * 1000})[1]
    assert len(warning) < 200


@pytest.mark.parametrize(
    ("order", "texts", "which"),
    [
        ("dmy", ["12/31/2024", "01/02/2024"], "month first"),
        ("mdy", ["31/12/2024", "01/02/2024", ""], "day first"),
        ("ymd", ["31.12.2024", "2024-01-02"], "day first"),
        ("dmy", ["31/12/2024", "01/02/2024"], ""),
        ("dmy", ["2024-12-31"], ""),
    ],
)
def test_dates_in_another_order_than_in_training(order: Any, texts: list[str], which: str) -> None:
    schema = Schema((Feature("day", option_of(DATETIME), order=order),), SCHEMA.target)
    rows, warnings = schema.rows({"day": texts})
    assert values(rows, "day")[0] == datetime(2024, 12, 31)
    assert [w for w in warnings if which and which in w] == warnings
    assert len(warnings) == bool(which)


def test_dates_that_could_be_in_two_orders_or_in_none_are_refused() -> None:
    schema = Schema((Feature("day", option_of(DATETIME), order="ymd"),), SCHEMA.target)
    with pytest.raises(InputError, match="whether the day or the month comes first"):
        schema.rows({"day": ["01/02/2024", "03/04/2024"]})
    with pytest.raises(
        InputError, match=r"expected dates such as 2024-12-31 .*got '31/12/2024' in row 1 and 1 more"
    ):
        schema.rows({"day": ["31/12/2024", "12/31/2024"]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": ["1", "tall", "2"]}, "expected numbers in the column 'size', got 'tall' in row 2; correct"),
        ({"size": ["tall", "wide", "2"]}, "got 'tall' in row 1 and 1 more such rows"),
        ({"size": [datetime(2024, 1, 1)] * 3}, "expected numbers in the column 'size', got dates"),
        (
            {"size": [[1], [2], [3]]},
            "expected numbers in the column 'size', but it holds values of type list",
        ),
        (
            {"day": ["1/3/2024", "2024", ""]},
            "dates such as 31/12/2024 in the column 'day', got '2024' in row 2",
        ),
        ({"day": [1, 2, 3]}, "expected dates in the column 'day', got numbers; pass them as dates or as"),
    ],
)
def test_values_of_the_wrong_kind_name_column_value_and_row(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SCHEMA.rows({**{k: [v] * 3 for k, v in ROW.items()}, **change})


def test_long_columns_read_as_short_ones() -> None:
    count = 5000
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.choice(["1.5", "2", " ", "NA", "unknown", "3e2"], count),
            "colour": rng.choice(["red", "blue", "1", "pink"], count),
            "old": rng.choice(["yes", "no", "?"], count),
            "day": rng.choice(["1/3/2024", "31/12/1999", ""], count),
            "note": rng.choice(["some words", "more", ""], count),
        }
    )
    whole, _ = SCHEMA.rows(frame)
    for start in range(0, count, 500):
        part, _ = SCHEMA.rows(frame.iloc[start : start + 500])
        assert part.to_list() == whole.take(np.arange(start, start + 500)).to_list()


def test_no_rows() -> None:
    rows, warnings = SCHEMA.rows({k: [] for k in ROW})
    assert len(rows) == 0
    assert rows.type == SCHEMA.type
    assert warnings == []


def test_dates_beyond_the_calendar_become_missing() -> None:
    frame = pa.table({**{k: [v] for k, v in ROW.items()}, "day": pa.array([2**61], pa.timestamp("us"))})
    rows, warnings = SCHEMA.rows(frame)
    assert values(rows, "day") == [None]
    assert warnings == ["1 date outside of the years 1 to 9999 in 'day', first in row 1: treated as missing"]


# ---------------------------------------------------------------------------------------------- answers


def test_answers_for_scoring() -> None:
    column, rows = SCHEMA.target_rows({"price": ["1.5", "", "2"]})
    assert column.to_list() == [1.5, 2.0]
    assert rows.tolist() == [0, 2]
    with pytest.raises(InputError, match="'price' is missing in 1 of 3 rows, first in row 2"):
        SCHEMA.target_column({"price": ["1.5", "", "2"]})
    with pytest.raises(InputError, match="expected finite numbers in the target 'price', got inf in row 1"):
        SCHEMA.target_column({"price": [math.inf]})
    with pytest.raises(InputError, match="the column 'price', which the table does not have"):
        SCHEMA.target_column({"Price": [1.0]})


@pytest.mark.parametrize(
    ("target", "answers", "codes"),
    [
        (Target("y", class_of("0", "1"), (0, 1)), [1, 0.0, "1", "1.0", True], [1, 0, 1, 1, 1]),
        (Target("y", class_of("False", "True"), (False, True)), [True, "false", "Yes", 1], [1, 0, 1, 1]),
        (Target("y", class_of("no", "yes"), ("no", "yes")), ["yes", " no"], [1, 0]),
    ],
)
def test_answers_that_are_classes(target: Target, answers: list[Any], codes: list[int]) -> None:
    for answer, code in zip(answers, codes, strict=True):
        assert Schema((COLOURS,), target).target_column({"y": [answer]}).data.tolist() == [code]


def test_a_class_never_seen_cannot_be_scored() -> None:
    target = Target("y", class_of("no", "yes"), ("no", "yes"))
    with pytest.raises(
        InputError, match="one of the classes 'no', 'yes' in the target 'y', got 'maybe' in row 2"
    ):
        Schema((COLOURS,), target).target_column({"y": ["no", "maybe"]})


# ---------------------------------------------------------------------------------------------- JSON


def round_trip(schema: Schema) -> Schema:
    return Schema.from_json(json.loads(json.dumps(schema.to_json())))


def test_json_round_trip() -> None:
    styled = Feature("n", option_of(REAL), integer=True, style=NumberStyle(",", ".", True))
    for target in (
        Target("y", REAL, integer=True),
        Target("y", class_of("0", "1"), (0.0, 1.0)),
        Target("y", class_of("0", "1"), (0, 1)),
        Target("y", class_of("False", "True"), (False, True)),
    ):
        schema = Schema((*SCHEMA.features, styled), target, SCHEMA.dropped, SCHEMA.unused)
        back = round_trip(schema)
        assert back == schema
        assert [type(v) for v in back.target.values] == [type(v) for v in target.values]


@given(st.lists(st.text(min_size=1), min_size=2, max_size=5, unique=True), st.text())
def test_json_round_trip_of_any_names_and_labels(labels: list[str], name: str) -> None:
    feature = Feature(name, option_of(class_of(*labels)), other=True, words=tuple(labels))
    schema = Schema((feature,), Target(name + "!", class_of(*labels), tuple(labels)))
    assert round_trip(schema) == schema


GOOD = SCHEMA.to_json()


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"version": True},
        {"features": {}},
        {"features": [3]},
        {"features": [{"name": "a"}]},
        {"features": [{"name": "a", "type": "int"}]},
        {"features": [{"name": "a", "type": "option[int]"}]},
        {"features": [{"name": "a", "type": "option[class[]]"}]},
        {"features": [{"name": "a", "type": "option[" * 5000}]},
        {"features": [{"name": 1, "type": "option[real]"}]},
        {"features": [{"name": "a", "type": "option[real]", "order": "ydm"}]},
        {"features": [{"name": "a", "type": "option[real]", "style": ["x", "", False]}]},
        {"features": [{"name": "a", "type": "option[real]", "style": [[], {}, False]}]},
        {"features": [{"name": "a", "type": "option[real]", "integer": 1}]},
        {"features": [{"name": "a", "type": "option[real]", "words": "abc"}]},
        {"features": [{"name": "a", "type": "option[real]", "more": 1}]},
        {"features": [{"name": "a", "type": "option[real]"}] * 2},
        {"features": [{"name": "price", "type": "option[real]"}]},
        {"target": {**GOOD["target"], "type": "text"}},
        {"target": {**GOOD["target"], "type": "class[a, b]", "values": ["a"]}},
        {"target": {**GOOD["target"], "type": "class[a, b]", "values": ["a", None]}},
        {"target": {**GOOD["target"], "type": "class[a, b]", "values": ["a", "a"]}},
        {"target": {**GOOD["target"], "type": "class[a, b]", "values": ["a", float("nan")]}},
        {"target": None},
        {"dropped": ["id"]},
        {"unused": [None]},
        {"weight": 3},
        {"group": ["a"]},
        {"extra": 1},
    ],
)
def test_a_damaged_schema_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(FileFormatError):
        Schema.from_json({**GOOD, **damage})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "name", "type"]), inner)
    ),
    max_leaves=10,
)


@given(st.sampled_from(list(GOOD)), json_values)
def test_any_json_gives_a_schema_or_a_clear_error(key: str, value: Any) -> None:
    for candidate in (value, {**GOOD, key: value}):
        try:
            Schema.from_json(candidate)
        except MeristemError as error:
            assert isinstance(error, FileFormatError)  # noqa: PT017 - both outcomes are right


# ---------------------------------------------------------------------------------------------- cost


def test_a_row_is_read_without_pandas_or_pyarrow() -> None:
    code = (
        "import json, sys; from meristem.task.schema import Schema; "
        f"s = Schema.from_json(json.loads({json.dumps(GOOD)!r})); "
        "r = s.rows({'size': 1, 'colour': 'red', 'old': 'yes', 'day': '1/3/2024', 'note': 'x'}); "
        "heavy = ('pyarrow', 'pandas', 'polars', 'scipy', 'sklearn', 'meristem.reading'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_row_takes_well_under_a_millisecond() -> None:
    features = [Feature(f"n{k}", option_of(REAL)) for k in range(10)]
    features += [Feature(f"c{k}", option_of(class_of("a", "b"))) for k in range(5)]
    schema = Schema(tuple(features), Target("y", REAL))
    row = {f.name: 1.5 if f.kind == "real" else "b" for f in features}
    schema.rows(row)
    start = time.process_time()
    for _ in range(200):
        schema.rows(row)
    assert (time.process_time() - start) / 200 < 0.001  # 0.065 ms where nothing else runs


def test_columns_share_no_slow_path_when_many() -> None:
    features = tuple(Feature(f"n{k}", option_of(REAL)) for k in range(2000))
    schema = Schema(features, Target("y", REAL))
    frame = pd.DataFrame(np.zeros((2, 2000)), columns=[f.name for f in features])
    start = time.process_time()
    rows, _ = schema.rows(frame)
    assert isinstance(rows.fields["n1999"], Options)
    assert time.process_time() - start < 0.5  # 0.02 s where nothing else runs
