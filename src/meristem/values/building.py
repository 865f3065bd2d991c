"""Making columns: from Python values, from one another, and from nothing; and reading their numbers out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from meristem.errors import TypeMismatch
from meristem.types import (
    BOOL,
    DATETIME,
    INT,
    REAL,
    TEXT,
    Type,
    list_of,
    map_of,
    option_of,
    pair_of,
    variable,
)
from meristem.values.columns import (
    DTYPES,
    EPOCH,
    MICROSECOND,
    Column,
    Dense,
    Dists,
    IntArray,
    Lists,
    Maps,
    Options,
    Pairs,
    RealArray,
    Rows,
    Scalars,
    Texts,
    offsets_from,
)
from meristem.values.dense import as_shaped


def concatenate(columns: Sequence[Column]) -> Column:
    """Columns of one type, end to end."""
    first = columns[0]
    if len(columns) == 1:
        return first
    # Columns of one type are of one class, so each is seen as what the first one is.
    every: Any = columns
    if isinstance(first, Scalars):
        return Scalars(first.type, np.concatenate([c.data for c in every]))
    if isinstance(first, Dense):
        full = [c.data for c in every if len(c)] or [first.data]
        if any(part.shape[1:] != full[0].shape[1:] for part in full):
            shapes = sorted({str(list(part.shape[1:])) for part in full})
            raise TypeMismatch(
                f"values of different shapes cannot stand in one column, got {' and '.join(shapes)}"
            )
        return Dense(first.type, np.concatenate(full))
    if isinstance(first, Texts):
        return _concatenate_texts(every)
    if isinstance(first, Lists):
        lengths = np.concatenate([c.lengths for c in every])
        return Lists(offsets_from(lengths), concatenate([c.items for c in every]))
    if isinstance(first, Maps):
        lengths = np.concatenate([np.diff(c.offsets) for c in every])
        keys = concatenate([c.keys for c in every])
        return Maps(offsets_from(lengths), keys, concatenate([c.values for c in every]))
    if isinstance(first, Pairs):
        return Pairs(concatenate([c.first for c in every]), concatenate([c.second for c in every]))
    if isinstance(first, Rows):
        fields = {n: concatenate([c.fields[n] for c in every]) for n in first.fields}
        return Rows(fields, sum(map(len, columns)))
    if isinstance(first, Options):
        present = np.concatenate([c.present for c in every])
        return Options(present, concatenate([c.values for c in every]))
    assert isinstance(first, Dists)
    support = first.support.to_list()
    if any(c.support.to_list() != support for c in every):
        raise TypeMismatch("distributions over different values cannot stand in one column")
    return Dists(np.concatenate([c.probabilities for c in every]), first.support)


def _concatenate_texts(columns: Sequence[Texts]) -> Texts:
    if all(c.pool is columns[0].pool for c in columns):
        return Texts(np.concatenate([c.ids for c in columns]), columns[0].pool)
    positions: dict[str, int] = {}
    parts = []
    for c in columns:
        used, inverse = np.unique(c.ids, return_inverse=True)
        new = [positions.setdefault(c.pool[i], len(positions)) for i in used.tolist()]
        parts.append(np.array(new, np.int64)[inverse])
    return Texts(np.concatenate(parts), list(positions))


def filler(type_: Type, count: int) -> Column:
    """A column of `count` values of a type that mean nothing: what stands in the rows that failed."""
    if type_.is_variable:  # no value of it was ever made, so any type does
        return Scalars(BOOL, np.zeros(count, np.bool_))
    if type_.name in DTYPES:
        return Scalars(type_, np.zeros(count, DTYPES[type_.name]))
    if type_.name == "text":
        return Texts(np.zeros(count, np.int64), [""])
    if type_.name in ("vector", "image", "signal"):
        dtype = np.float64 if type_.name == "vector" else np.float32
        return Dense(type_, np.zeros((count, *(p if isinstance(p, int) else 0 for p in type_.params)), dtype))
    if type_.name == "list":
        return Lists(np.zeros(count + 1, np.int64), filler(type_.item, 0))
    if type_.name == "map":
        return Maps(np.zeros(count + 1, np.int64), filler(type_.args[0], 0), filler(type_.args[1], 0))
    if type_.name == "pair":
        return Pairs(filler(type_.args[0], count), filler(type_.args[1], count))
    if type_.name == "row":
        return Rows({n: filler(t, count) for n, t in type_.fields.items()}, count)
    if type_.name == "option":
        return Options(np.zeros(count, np.bool_), filler(type_.item, 0))
    if type_.name == "dist" and type_.item.name == "class":
        k = len(type_.item.params)
        return Dists(np.full((count, k), 1 / max(k, 1)), Scalars(type_.item, np.arange(k)))
    raise TypeMismatch(f"there is no column of type {type_}")


def column_from(values: Sequence[Any], type_: Type) -> Column:
    """A column from Python values.

    Raises:
        TypeMismatch: A value is not of the type; says which one, and what it is.
    """
    name, n = type_.name, len(values)
    try:
        if name in DTYPES:
            return Scalars(type_, np.array([_raw(v, type_) for v in values], DTYPES[name]).reshape(n))
        if name == "text":
            for v in values:
                if not isinstance(v, str):
                    raise TypeMismatch(f"expected text, got {v!r}")
            return Texts.of(values)
        if name in ("vector", "image", "signal"):
            if n == 0:
                return filler(type_, 0)
            arrays = [as_shaped(v, type_) for v in values]
            if any(a.shape != arrays[0].shape for a in arrays):
                sizes = sorted({str(list(a.shape)) for a in arrays})
                raise TypeMismatch(
                    f"expected values of one size in a column of {type_}, got {' and '.join(sizes[:4])}"
                )
            return Dense(type_, np.stack(arrays))
        if name == "list":
            for v in values:
                if not isinstance(v, list | tuple):
                    raise TypeMismatch(f"expected a list, got {v!r}")
            offsets = offsets_from(np.array([len(v) for v in values], np.int64))
            return Lists(offsets, column_from([x for v in values for x in v], type_.item))
        if name == "map":
            for v in values:
                if not isinstance(v, dict):
                    raise TypeMismatch(f"expected a dict, got {v!r}")
            offsets = offsets_from(np.array([len(v) for v in values], np.int64))
            keys = column_from([k for v in values for k in v], type_.args[0])
            return Maps(offsets, keys, column_from([x for v in values for x in v.values()], type_.args[1]))
        if name == "pair":
            for v in values:
                if not isinstance(v, list | tuple) or len(v) != 2:
                    raise TypeMismatch(f"expected a pair, got {v!r}")
            first = column_from([v[0] for v in values], type_.args[0])
            return Pairs(first, column_from([v[1] for v in values], type_.args[1]))
        if name == "row":
            for v in values:
                if not isinstance(v, Mapping) or any(f not in v for f in type_.fields):
                    raise TypeMismatch(f"expected a record with {list(type_.fields)}, got {v!r}")
            return Rows({f: column_from([v[f] for v in values], t) for f, t in type_.fields.items()}, n)
        if name == "option":
            present = np.array([v is not None for v in values], np.bool_)
            return Options(present, column_from([v for v in values if v is not None], type_.item))
        if name == "dist":
            support = filler(type_, 0)
            assert isinstance(support, Dists)
            labels = support.support.to_list()
            table = [[float(v.get(label, 0.0)) for label in labels] for v in values]
            return Dists(np.array(table, np.float64).reshape(n, len(labels)), support.support)
    except OverflowError:
        raise TypeMismatch(f"an int outside of 64 bits cannot stand in a column of {type_}") from None
    if type_.is_variable and n == 0:
        return filler(type_, 0)
    raise TypeMismatch(f"there is no column of type {type_}")


def _raw(value: Any, type_: Type) -> Any:
    """The number that stands for a Python value in the buffer of a scalar column."""
    name = type_.name
    if isinstance(value, np.generic):
        value = value.item()
    if name == "bool" and isinstance(value, bool):
        return value
    if name == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if name == "real" and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise TypeMismatch(f"a real must be finite, got {value!r}; use an option for missing values")
        return float(value)
    if name == "datetime" and isinstance(value, datetime):
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return (naive - EPOCH) // MICROSECOND
    if name == "class" and value in type_.params:
        return type_.params.index(value)
    raise TypeMismatch(f"expected {type_}, got {value!r} ({type(value).__name__})")


def infer_type(values: Sequence[Any]) -> Type:
    """The type of Python values: the narrowest that holds them all (ints among reals become real, None an option).

    Raises:
        TypeMismatch: No type holds them all.
    """
    here = [v for v in values if v is not None]
    if len(here) < len(values):
        return option_of(infer_type(here))
    if not here:
        return variable("a")
    if all(isinstance(v, bool | np.bool_) for v in here):
        return BOOL
    if all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in here):
        return INT
    if all(isinstance(v, int | float | np.integer | np.floating) and not isinstance(v, bool) for v in here):
        return REAL
    if all(isinstance(v, str) for v in here):
        return TEXT
    if all(isinstance(v, datetime) for v in here):
        return DATETIME
    if all(isinstance(v, list) for v in here):
        return list_of(infer_type([x for v in here for x in v]))
    if all(isinstance(v, tuple) and len(v) == 2 for v in here):
        return pair_of(infer_type([v[0] for v in here]), infer_type([v[1] for v in here]))
    if all(isinstance(v, dict) for v in here):
        return map_of(
            infer_type([k for v in here for k in v]), infer_type([x for v in here for x in v.values()])
        )
    if all(isinstance(v, np.ndarray) and v.ndim == 1 for v in here):
        return Type("vector", params=(len(here[0]),))
    kinds = sorted({type(v).__name__ for v in here})
    raise TypeMismatch(f"expected values of one type, got {', '.join(kinds)}")


def reals(column: Column) -> RealArray:
    """The numbers of a column as float64 [N], NaN where missing; bools count 0 and 1, datetimes seconds.

    Raises:
        TypeMismatch: The column holds no numbers.
    """
    if isinstance(column, Options):
        values = reals(column.values)
        if len(values) == len(column):
            return values
        out = np.full(len(column), np.nan)
        out[column.present] = values
        return out
    if isinstance(column, Scalars) and column.type.name in ("bool", "int", "real"):
        return column.data.astype(np.float64)
    if isinstance(column, Scalars) and column.type.name == "datetime":
        return column.data / 1e6
    raise TypeMismatch(f"expected numbers, got a column of {column.type}")


def codes(column: Column) -> IntArray:
    """The class positions of a column [N], -1 where missing.

    Raises:
        TypeMismatch: The column holds no classes.
    """
    if isinstance(column, Options):
        out = np.full(len(column), -1, np.int64)
        out[column.present] = codes(column.values)
        return out
    if isinstance(column, Scalars) and column.type.name in ("class", "bool"):
        return column.data.astype(np.int64)
    raise TypeMismatch(f"expected classes, got a column of {column.type}")
