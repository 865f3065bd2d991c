"""Records of a table: choosing fields by their type or name, putting records together, taking dates apart.

Their types depend on the names of fields, which no scheme can say, so each has a `rule`. The plain functions take the
names of the result's fields first, the columnar rules the result type.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from meristem.errors import TypeMismatch
from meristem.language.vocabulary import primitive
from meristem.types import REAL, Type, format_type, option_of, row_of, vector_of
from meristem.values import Column, Dense, Options, Rows, Scalars

_PARTS = ("year", "month", "day", "weekday", "hour", "elapsed")
_DAY = 86_400_000_000  # microseconds


def _row(type_: Type, name: str) -> Type:
    if type_.name != "row":
        raise TypeMismatch(f"{name} takes a row, got {format_type(type_, 6)}")
    return type_


def _chosen(type_: Type, name: str, heads: tuple[str, ...]) -> Type:
    """The row of the fields whose type, or option of a type, begins with one of `heads`."""
    fields = zip(_row(type_, name).params, type_.args, strict=True)
    return row_of({str(n): t for n, t in fields if (t.item if t.name == "option" else t).name in heads})


def _kept(result: Type, row: Rows) -> Rows:
    fields = row.fields
    return Rows({str(name): fields[str(name)] for name in result.params}, len(row), result)


def _numbers_type(row: Type) -> Type:
    return _chosen(row, "numbers", ("int", "real", "bool"))


def _categories_type(row: Type) -> Type:
    return _chosen(row, "categories", ("class",))


def _dates_type(row: Type) -> Type:
    return _chosen(row, "dates", ("datetime",))


def _texts_type(row: Type) -> Type:
    return _chosen(row, "texts", ("text",))


@primitive(_numbers_type)
def numbers(names: Sequence[str], row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record that are numbers or truth values, missing or not."""
    return {name: row[name] for name in names}


@primitive(_categories_type)
def categories(names: Sequence[str], row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record that are categories, missing or not."""
    return {name: row[name] for name in names}


@primitive(_dates_type)
def dates(names: Sequence[str], row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record that are dates, missing or not."""
    return {name: row[name] for name in names}


@primitive(_texts_type)
def texts(names: Sequence[str], row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record that are texts, missing or not."""
    return {name: row[name] for name in names}


@numbers.columnar
@categories.columnar
@dates.columnar
@texts.columnar
def _(result: Type, row: Rows) -> Rows:
    return _kept(result, row)


def _select_type(row: Type, *names: Type, literals: Sequence[Any]) -> Type:
    fields = dict(zip(_row(row, "select").params, row.args, strict=True))
    chosen: dict[str, Type] = {}
    for name in literals[1:]:
        if not isinstance(name, str):
            raise TypeMismatch("select takes a row and the names of fields as literal texts")
        if name not in fields:
            raise TypeMismatch(f"there is no field {name!r} in {format_type(row, 12)}")
        if name in chosen:
            raise TypeMismatch(f"select takes each field once, {name!r} stands twice")
        chosen[name] = fields[name]
    return row_of(chosen)


@primitive(_select_type, literals=True)
def select(names: Sequence[str], row: dict[str, Any], *chosen: str) -> dict[str, Any]:
    """The named fields of a record, in that order."""
    return {name: row[name] for name in names}


@select.columnar
def _(result: Type, row: Rows, *chosen: Column) -> Rows:
    return _kept(result, row)


def _join_type(*rows: Type) -> Type:
    fields: dict[str, Type] = {}
    if not rows:
        raise TypeMismatch("join takes at least one row")
    for row in rows:
        for name, type_ in _row(row, "join").fields.items():
            if name in fields:
                raise TypeMismatch(f"join takes rows with different fields, {name!r} is in two of them")
            fields[name] = type_
    return row_of(fields)


@primitive(_join_type)
def join(names: Sequence[str], *rows: dict[str, Any]) -> dict[str, Any]:
    """One record with the fields of several, all different."""
    return {name: value for row in rows for name, value in row.items()}


@join.columnar
def _(result: Type, *rows: Rows) -> Rows:
    return Rows({name: column for row in rows for name, column in row.fields.items()}, len(rows[0]), result)


def _concat_type(*vectors: Type) -> Type:
    if not vectors:
        raise TypeMismatch("concat takes at least one vector")
    total: int | None = 0
    for type_ in vectors:
        if type_.name != "vector":
            raise TypeMismatch(f"concat takes vectors, got {format_type(type_, 6)}")
        dimension = type_.params[0]
        total = None if total is None or not isinstance(dimension, int) else total + dimension
    return vector_of(total)


@primitive(_concat_type)
def concat(dimension: Sequence[Any], *vectors: Any) -> Any:
    """Several vectors, end to end."""
    return np.concatenate(vectors)


@concat.columnar
def _(result: Type, *vectors: Dense) -> Dense:
    return (
        vectors[0] if len(vectors) == 1 else Dense(result, np.concatenate([v.data for v in vectors], axis=1))
    )


def _date_parts_type(row: Type) -> Type:
    fields: dict[str, Type] = {}
    for name, type_ in _row(row, "date_parts").fields.items():
        if (type_.item if type_.name == "option" else type_).name != "datetime":
            raise TypeMismatch(
                f"date_parts takes a row of dates, the field {name!r} is {format_type(type_, 6)}"
            )
        for part in _PARTS:
            if f"{name}.{part}" in fields:
                raise TypeMismatch(f"date_parts would make the field {name}.{part} twice; rename a field")
            fields[f"{name}.{part}"] = option_of(REAL)
    return row_of(fields)


@primitive(_date_parts_type)
def date_parts(names: Sequence[str], row: dict[str, datetime | None]) -> dict[str, float | None]:
    """Year, month, day, weekday (Monday 0), hour with fraction, and days since 1970 of each date of a record."""
    values: list[float | None] = []
    for date in row.values():
        if date is None:
            values += [None] * 6
            continue
        seconds = date.hour * 3600 + date.minute * 60 + date.second + date.microsecond / 1e6
        days = date.toordinal() - 719163  # the ordinal of 1970-01-01
        values += [float(x) for x in (date.year, date.month, date.day, date.weekday())]
        values += [seconds / 3600, days + seconds / 86400]
    return dict(zip(names, values, strict=True))


@date_parts.columnar
def _(result: Type, row: Rows) -> Rows:
    fields: list[Column] = []
    for column in row.fields.values():
        present = column.present if isinstance(column, Options) else np.ones(len(row), np.bool_)
        values = column.values if isinstance(column, Options) else column
        assert isinstance(values, Scalars)
        micros = values.data
        days = micros // _DAY
        stamps = days.astype("datetime64[D]")
        years = stamps.astype("datetime64[Y]").astype(np.int64)
        months = stamps.astype("datetime64[M]").astype(np.int64)
        day = (stamps - stamps.astype("datetime64[M]")).astype(np.int64) + 1
        # The same steps as the plain function takes, so that both round alike.
        of_day = micros - days * _DAY
        seconds = of_day // 1_000_000 + of_day % 1_000_000 / 1e6
        parts = (years + 1970, months % 12 + 1, day, (days + 3) % 7, seconds / 3600, days + seconds / 86400)
        fields += [Options(present, Scalars(REAL, part.astype(np.float64))) for part in parts]
    return Rows(dict(zip(map(str, result.params), fields, strict=True)), len(row), result)
