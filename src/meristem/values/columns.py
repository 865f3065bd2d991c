"""Columns: N values of one type, laid out in arrays (in the spirit of Apache Arrow).

A column is immutable. What it is made of depends on its type:

=====================================  ==========================================================
`bool int real datetime class[...]`    `Scalars`: one buffer (a class is the position of its label)
`text`                                 `Texts`: ids into a pool of distinct strings
`vector image signal`                  `Dense`: one array [N, ...]
`list[a]`                              `Lists`: offsets [N + 1] and one child column
`map[k, v]`                            `Maps`: offsets, keys, values (keys distinct in a row, in order of insertion)
`pair[a, b]`                           `Pairs`: two columns
`row{...}`                             `Rows`: one column a field
`option[a]`                            `Options`: a mask [N] and a child column that holds the present values only
`dist[a]`                              `Dists`: probabilities [N, K] and a column of the K values (a weighted leaf)
=====================================  ==========================================================

A Python value that a column gives back, or is made from: bool, int, float, str, `datetime` (without a zone), the
label for a class, a list, a dict for maps and rows, a tuple for a pair, None or the value for an option, an array
for a dense value, a dict from value to probability for a dist.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.types import (
    BOOL,
    INT,
    REAL,
    TEXT,
    Type,
    dist_of,
    list_of,
    map_of,
    option_of,
    pair_of,
    row_of,
)

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
RealArray = NDArray[np.float64]

_DTYPES: dict[str, Any] = {
    "bool": np.bool_,
    "int": np.int64,
    "real": np.float64,
    "datetime": np.int64,  # microseconds since 1970
    "class": np.int64,
}
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class Column(ABC):
    """N values of one type."""

    type: Type

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, rows: NDArray[Any]) -> Column:
        """The values at positions `rows` [M], in that order. A position may come several times."""

    @abstractmethod
    def __getitem__(self, row: int) -> Any:
        """The Python value at one position."""

    @abstractmethod
    def children(self) -> tuple[Column, ...]:
        """The columns this one is made of."""

    def to_list(self) -> list[Any]:
        """All values as Python values."""
        return [self[i] for i in range(len(self))]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_list())

    def __repr__(self) -> str:
        return f"<column of {len(self)} {self.type}>"


@final
class Scalars(Column):
    """A buffer of bools, ints, reals, datetimes or class positions.

    Args:
        type: `bool`, `int`, `real`, `datetime` or `class[...]`.
        data: Shape [N]; the dtype of that type.
    """

    def __init__(self, type: Type, data: NDArray[Any]) -> None:
        self.type, self.data = type, data

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: NDArray[Any]) -> Scalars:
        return Scalars(self.type, self.data[rows])

    def __getitem__(self, row: int) -> Any:
        return self._value(self.data[row].item())

    def _value(self, raw: Any) -> Any:
        if self.type.name == "class":
            return self.type.params[raw]
        if self.type.name == "datetime":
            return _EPOCH + raw * _MICROSECOND
        return raw

    def to_list(self) -> list[Any]:
        raw = self.data.tolist()
        return raw if self.type.name in ("bool", "int", "real") else [self._value(x) for x in raw]

    def children(self) -> tuple[Column, ...]:
        return ()


@final
class Texts(Column):
    """Interned strings.

    Args:
        ids: Shape [N], int64: positions in the pool.
        pool: The distinct strings. Columns made from one another share it, so it may hold more than occur.
    """

    type = TEXT

    def __init__(self, ids: IntArray, pool: Sequence[str]) -> None:
        self.ids, self.pool = ids, pool

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[Any]) -> Texts:
        return Texts(self.ids[rows], self.pool)

    def __getitem__(self, row: int) -> str:
        return str(self.pool[self.ids[row]])

    def to_list(self) -> list[Any]:
        pool = self.pool
        return [pool[i] for i in self.ids.tolist()]

    def children(self) -> tuple[Column, ...]:
        return ()

    @classmethod
    def of(cls, strings: Sequence[str]) -> Texts:
        """Intern strings."""
        positions: dict[str, int] = {}
        ids = np.fromiter((positions.setdefault(s, len(positions)) for s in strings), np.int64, len(strings))
        return cls(ids, list(positions))


@final
class Dense(Column):
    """Vectors, images or signals of one shape.

    Args:
        type: `vector[d]`, `image[h, w, c]` or `signal[t, c]`.
        data: Shape [N, *dimensions], floating.
    """

    def __init__(self, type: Type, data: NDArray[Any]) -> None:
        self.type, self.data = Type(type.name, params=data.shape[1:]), data

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: NDArray[Any]) -> Dense:
        return Dense(self.type, self.data[rows])

    def __getitem__(self, row: int) -> NDArray[Any]:
        value: NDArray[Any] = self.data[row]
        return value

    def children(self) -> tuple[Column, ...]:
        return ()


@final
class Lists(Column):
    """Lists of any length.

    Args:
        offsets: Shape [N + 1], int64, starting at 0; row i is `items[offsets[i]:offsets[i + 1]]`.
        items: The items of all rows, end to end.
    """

    def __init__(self, offsets: IntArray, items: Column) -> None:
        self.offsets, self.items, self.type = offsets, items, list_of(items.type)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> IntArray:
        """The length of each list, [N]."""
        return np.diff(self.offsets)

    @property
    def parents(self) -> IntArray:
        """For each item the row it belongs to, [number of items]."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    def take(self, rows: NDArray[Any]) -> Lists:
        offsets, index = ragged_take(self.offsets, rows)
        return Lists(offsets, self.items.take(index))

    def __getitem__(self, row: int) -> list[Any]:
        return [self.items[i] for i in range(self.offsets[row], self.offsets[row + 1])]

    def to_list(self) -> list[Any]:
        items, ends = self.items.to_list(), self.offsets.tolist()
        return [items[a:b] for a, b in pairwise(ends)]

    def children(self) -> tuple[Column, ...]:
        return (self.items,)


@final
class Maps(Column):
    """Maps with distinct keys in a row, kept in the order of insertion.

    Args:
        offsets: Shape [N + 1], int64, starting at 0.
        keys: The keys of all rows, end to end.
        values: Their values.
    """

    def __init__(self, offsets: IntArray, keys: Column, values: Column) -> None:
        self.offsets, self.keys, self.values = offsets, keys, values
        self.type = map_of(keys.type, values.type)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, rows: NDArray[Any]) -> Maps:
        offsets, index = ragged_take(self.offsets, rows)
        return Maps(offsets, self.keys.take(index), self.values.take(index))

    def __getitem__(self, row: int) -> dict[Any, Any]:
        return {
            hashable(self.keys[i]): self.values[i] for i in range(self.offsets[row], self.offsets[row + 1])
        }

    def children(self) -> tuple[Column, ...]:
        return (self.keys, self.values)


@final
class Pairs(Column):
    """Pairs: a column of first and a column of second parts, [N] each."""

    def __init__(self, first: Column, second: Column) -> None:
        self.first, self.second, self.type = first, second, pair_of(first.type, second.type)

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: NDArray[Any]) -> Pairs:
        return Pairs(self.first.take(rows), self.second.take(rows))

    def __getitem__(self, row: int) -> tuple[Any, Any]:
        return self.first[row], self.second[row]

    def to_list(self) -> list[Any]:
        return list(zip(self.first.to_list(), self.second.to_list(), strict=True))

    def children(self) -> tuple[Column, ...]:
        return (self.first, self.second)


@final
class Rows(Column):
    """Records: one column [N] a field.

    Args:
        fields: The columns, by name.
        count: N; needed where there is no field.
        type: The type where it is known already (making it takes a while for thousands of fields).
    """

    def __init__(
        self, fields: Mapping[str, Column], count: int | None = None, type: Type | None = None
    ) -> None:
        self.fields = dict(fields)
        self.count = len(next(iter(self.fields.values()))) if count is None else count
        self.type = (
            row_of({name: column.type for name, column in self.fields.items()}) if type is None else type
        )

    def __len__(self) -> int:
        return self.count

    def take(self, rows: NDArray[Any]) -> Rows:
        return Rows({name: column.take(rows) for name, column in self.fields.items()}, len(rows), self.type)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {name: column[row] for name, column in self.fields.items()}

    def to_list(self) -> list[Any]:
        if not self.fields:
            return [{} for _ in range(self.count)]
        names, columns = list(self.fields), [column.to_list() for column in self.fields.values()]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def children(self) -> tuple[Column, ...]:
        return tuple(self.fields.values())


@final
class Options(Column):
    """Values that may be missing.

    Args:
        present: Shape [N], bool.
        values: The present values only, in order; its length is the number of True in `present`.
    """

    def __init__(self, present: BoolArray, values: Column) -> None:
        self.present, self.values, self.type = present, values, option_of(values.type)

    def __len__(self) -> int:
        return len(self.present)

    @property
    def positions(self) -> IntArray:
        """For each row the position of its value in `values`, [N]; of no meaning where it is missing."""
        return np.cumsum(self.present, dtype=np.int64) - 1

    def take(self, rows: NDArray[Any]) -> Options:
        if len(self.values) == len(self.present):
            return Options(self.present[rows], self.values.take(rows))
        present = self.present[rows]
        return Options(present, self.values.take(self.positions[rows][present]))

    def __getitem__(self, row: int) -> Any:
        return self.values[int(self.positions[row])] if self.present[row] else None

    def to_list(self) -> list[Any]:
        values = iter(self.values.to_list())
        return [next(values) if there else None for there in self.present.tolist()]

    def children(self) -> tuple[Column, ...]:
        return (self.values,)


@final
class Dists(Column):
    """Probability distributions over K values: a weighted leaf.

    Args:
        probabilities: Shape [N, K]; each row sums to 1.
        support: The K values, a column.
    """

    def __init__(self, probabilities: RealArray, support: Column) -> None:
        self.probabilities, self.support, self.type = probabilities, support, dist_of(support.type)

    def __len__(self) -> int:
        return len(self.probabilities)

    def take(self, rows: NDArray[Any]) -> Dists:
        return Dists(self.probabilities[rows], self.support)

    def __getitem__(self, row: int) -> dict[Any, float]:
        return dict(zip(map(hashable, self.support.to_list()), self.probabilities[row].tolist(), strict=True))

    def children(self) -> tuple[Column, ...]:
        return (self.support,)


# ---------------------------------------------------------------------------------------------- building


def ragged_take(offsets: IntArray, rows: NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Offsets of the chosen rows of a ragged array, and the positions of their items.

    >>> ragged_take(np.array([0, 2, 2, 5]), np.array([2, 0]))
    (array([0, 3, 5]), array([2, 3, 4, 0, 1]))
    """
    starts, lengths = offsets[rows], offsets[1:][rows] - offsets[rows]
    taken = offsets_from(lengths)
    index = np.arange(taken[-1], dtype=np.int64) + np.repeat(starts - taken[:-1], lengths)
    return taken, index


def offsets_from(lengths: NDArray[Any]) -> IntArray:
    """Offsets [N + 1] of rows with these lengths [N]."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def hashable(value: Any) -> Any:
    """A value that can be a dictionary's key and stands for `value` (lists become tuples)."""
    if isinstance(value, list):
        return tuple(hashable(v) for v in value)
    if isinstance(value, tuple):
        return tuple(hashable(v) for v in value)
    if isinstance(value, dict):
        return tuple((hashable(k), hashable(v)) for k, v in value.items())
    if isinstance(value, np.ndarray):
        return tuple(value.ravel().tolist())
    return value


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
    if type_.name in _DTYPES:
        return Scalars(type_, np.zeros(count, _DTYPES[type_.name]))
    if type_.name == "text":
        return Texts(np.zeros(count, np.int64), [""])
    if type_.name in ("vector", "image", "signal"):
        return Dense(type_, np.zeros((count, *(p if isinstance(p, int) else 0 for p in type_.params))))
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
        if name in _DTYPES:
            return Scalars(type_, np.array([_raw(v, type_) for v in values], _DTYPES[name]).reshape(n))
        if name == "text":
            for v in values:
                if not isinstance(v, str):
                    raise TypeMismatch(f"expected text, got {v!r}")
            return Texts.of(values)
        if name in ("vector", "image", "signal"):
            if n == 0:
                return filler(type_, 0)
            arrays = [np.asarray(v, np.float64) for v in values]
            for a in arrays:
                if a.ndim != len(type_.params) or any(
                    p is not None and p != s for p, s in zip(type_.params, a.shape, strict=True)
                ):
                    raise TypeMismatch(f"expected {type_}, got an array of shape {a.shape}")
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
        return (naive - _EPOCH) // _MICROSECOND
    if name == "class" and value in type_.params:
        return type_.params.index(value)
    raise TypeMismatch(f"expected {type_}, got {value!r} ({type(value).__name__})")


def infer_type(values: Sequence[Any]) -> Type:
    """The type of Python values: the narrowest that holds them all (ints among reals become real, None an option).

    Raises:
        TypeMismatch: No type holds them all.
    """
    from meristem.types import DATETIME, variable

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
