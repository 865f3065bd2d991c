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

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from meristem.types import (
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

DTYPES: dict[str, Any] = {
    "bool": np.bool_,
    "int": np.int64,
    "real": np.float64,
    "datetime": np.int64,  # microseconds since 1970
    "class": np.int64,
}
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
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
            return EPOCH + raw * MICROSECOND
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
        data: Shape [N, *dimensions], floating; float32 for images (pixels 0 to 1) and signals (samples -1 to 1).
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

    Taking rows copies no items: the result points into the same ones until its own `offsets` or `items` are asked
    for. So a list that a function uses for each of its own items is not copied for each.

    Args:
        offsets: Shape [N + 1], int64, starting at 0; row i is `items[offsets[i]:offsets[i + 1]]`.
        items: The items of all rows, end to end.
    """

    def __init__(self, offsets: IntArray, items: Column, type: Type | None = None) -> None:
        self.type = list_of(items.type) if type is None else type
        self._offsets: IntArray | None = offsets
        self._starts: IntArray | None = None
        self._lengths: IntArray | None = None
        self.pool = items
        """The column that `starts` point into; it may hold more than the items of these lists."""

    @classmethod
    def view(cls, starts: IntArray, lengths: IntArray, pool: Column, type: Type | None = None) -> Lists:
        """Lists that are runs in a column: row i is `pool[starts[i]:starts[i] + lengths[i]]`."""
        made = cls(lengths, pool, type)
        made._offsets, made._starts, made._lengths = None, starts, lengths
        return made

    def __len__(self) -> int:
        return len(self._offsets) - 1 if self._offsets is not None else len(self.lengths)

    def _settle(self) -> IntArray:
        """Take the items that these lists are made of, end to end."""
        starts, lengths = self.starts, self.lengths
        offsets = offsets_from(lengths)
        index = np.arange(offsets[-1], dtype=np.int64) + np.repeat(starts - offsets[:-1], lengths)
        self.pool, self._starts, self._offsets = self.pool.take(index), None, offsets
        return offsets

    @property
    def offsets(self) -> IntArray:
        """Where each list begins and ends in `items`, [N + 1]."""
        return self._settle() if self._offsets is None else self._offsets

    @property
    def items(self) -> Column:
        """The items of all rows, end to end."""
        if self._offsets is None:
            self._settle()
        return self.pool

    @property
    def starts(self) -> IntArray:
        """Where each list begins in `pool`, [N]."""
        return self.offsets[:-1] if self._starts is None else self._starts

    @property
    def lengths(self) -> IntArray:
        """The length of each list, [N]."""
        if self._lengths is None:
            self._lengths = np.diff(self.offsets)
        return self._lengths

    @property
    def parents(self) -> IntArray:
        """For each item the row it belongs to, [number of items]."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    def take(self, rows: NDArray[Any]) -> Lists:
        return Lists.view(self.starts[rows], self.lengths[rows], self.pool, self.type)

    def __getitem__(self, row: int) -> list[Any]:
        start = int(self.starts[row])
        return [self.pool[i] for i in range(start, start + int(self.lengths[row]))]

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
