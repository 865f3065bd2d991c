"""Columns as a JSON specification and named arrays, and back: how they travel to workers and into files.

Nothing is pickled. What is read back is checked: a damaged or hostile specification gives a `FileFormatError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, MeristemError
from meristem.types import Type, parse_type
from meristem.values.building import filler
from meristem.values.columns import (
    Column,
    Dense,
    Dists,
    Lists,
    Maps,
    Options,
    Pairs,
    Rows,
    Scalars,
    Texts,
)
from meristem.values.dense import from_bytes, to_bytes

Arrays = dict[str, NDArray[Any]]


def encode_strings(strings: Sequence[str], name: str, arrays: Arrays) -> None:
    """Put strings into `arrays` as UTF-8 bytes and offsets, under names that begin with `name`."""
    parts = [s.encode("utf-8", "surrogatepass") for s in strings]
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(p) for p in parts], out=offsets[1:])
    arrays[name + ".bytes"] = np.frombuffer(b"".join(parts), np.uint8)
    arrays[name + ".offsets"] = offsets


def decode_strings(name: str, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Read strings that `encode_strings` wrote."""
    data, offsets = _array(arrays, name + ".bytes"), _array(arrays, name + ".offsets")
    _check_offsets(offsets, len(data), name)
    raw, ends = data.tobytes(), offsets.tolist()
    try:
        return [raw[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(ends)]
    except UnicodeDecodeError:
        raise FileFormatError(f"the strings of {name!r} are not UTF-8") from None


def encode_column(column: Column, name: str, arrays: Arrays) -> None:
    """Put a column into `arrays`, under names that begin with `name`. Its type is all that is needed to read it."""
    if isinstance(column, Scalars | Dense):
        packed = to_bytes(column.data) if column.type.name == "image" else None
        arrays[name] = column.data if packed is None else packed
    elif isinstance(column, Texts):
        used, inverse = np.unique(column.ids, return_inverse=True)
        arrays[name] = inverse.astype(np.int64)
        encode_strings([column.pool[i] for i in used.tolist()], name + ".pool", arrays)
    elif isinstance(column, Options):
        arrays[name] = column.present
        encode_column(column.values, name + ".v", arrays)
    elif isinstance(column, Lists):
        arrays[name] = column.offsets
        encode_column(column.items, name + ".i", arrays)
    elif isinstance(column, Maps):
        arrays[name] = column.offsets
        encode_column(column.keys, name + ".k", arrays)
        encode_column(column.values, name + ".v", arrays)
    elif isinstance(column, Pairs):
        encode_column(column.first, name + ".1", arrays)
        encode_column(column.second, name + ".2", arrays)
    elif isinstance(column, Rows):
        arrays[name] = np.array([len(column)], np.int64)
        for k, child in enumerate(column.fields.values()):
            encode_column(child, f"{name}.f{k}", arrays)
    else:
        assert isinstance(column, Dists)
        arrays[name] = column.probabilities


def decode_column(type_: Type, name: str, arrays: Mapping[str, NDArray[Any]]) -> Column:
    """Read a column that `encode_column` wrote.

    Raises:
        FileFormatError: The arrays do not make a column of that type.
    """
    head = type_.name
    if head == "pair":
        first, second = (
            decode_column(t, f"{name}.{k}", arrays) for t, k in zip(type_.args, "12", strict=True)
        )
        if len(first) != len(second):
            raise FileFormatError(f"the two parts of the pairs {name!r} differ in length")
        return Pairs(first, second)
    data = _array(arrays, name)
    if head in ("bool", "int", "real", "datetime", "class"):
        expected = filler(type_, 0)
        assert isinstance(expected, Scalars)
        if data.dtype != expected.data.dtype or data.ndim != 1:
            raise FileFormatError(f"the column {name!r} of {type_} has the wrong dtype {data.dtype}")
        if head == "class" and data.size and (data.min() < 0 or data.max() >= len(type_.params)):
            raise FileFormatError(f"the column {name!r} has labels outside of its class")
        return Scalars(type_, data)
    if head == "text":
        pool = decode_strings(name + ".pool", arrays)
        if (
            data.dtype != np.int64
            or data.ndim != 1
            or (data.size and (data.min() < 0 or data.max() >= len(pool)))
        ):
            raise FileFormatError(f"the text column {name!r} has ids outside of its pool")
        return Texts(data, pool)
    if head in ("vector", "image", "signal"):
        wanted = zip(type_.params, data.shape[1:], strict=False)
        if data.ndim != 1 + len(type_.params) or any(w is not None and w != s for w, s in wanted):
            raise FileFormatError(f"the column {name!r} of {type_} has the wrong shape {data.shape}")
        if head == "image" and data.dtype == np.uint8:
            data = from_bytes(data)
        if data.dtype.kind != "f":
            raise FileFormatError(f"the column {name!r} of {type_} has the wrong dtype {data.dtype}")
        return Dense(type_, data)
    if head == "option":
        values = decode_column(type_.item, name + ".v", arrays)
        if data.dtype != np.bool_ or data.ndim != 1 or int(data.sum()) != len(values):
            raise FileFormatError(f"the mask of the column {name!r} does not fit its values")
        return Options(data, values)
    if head == "list":
        items = decode_column(type_.item, name + ".i", arrays)
        _check_offsets(data, len(items), name)
        return Lists(data, items)
    if head == "map":
        keys = decode_column(type_.args[0], name + ".k", arrays)
        values = decode_column(type_.args[1], name + ".v", arrays)
        _check_offsets(data, len(keys), name)
        _check_offsets(data, len(values), name)
        return Maps(data, keys, values)
    if head == "row":
        fields = {
            n: decode_column(t, f"{name}.f{k}", arrays) for k, (n, t) in enumerate(type_.fields.items())
        }
        count = int(data[0]) if data.dtype == np.int64 and data.shape == (1,) else -1
        if count < 0 or any(len(c) != count for c in fields.values()):
            raise FileFormatError(f"the fields of {name!r} differ in length")
        return Rows(fields, count)
    if head == "dist":
        empty = filler(type_, 0)
        assert isinstance(empty, Dists)
        if data.dtype != np.float64 or data.ndim != 2 or data.shape[1] != len(empty.support):
            raise FileFormatError(f"the distributions {name!r} have the wrong shape {data.shape}")
        return Dists(data, empty.support)
    raise FileFormatError(f"there is no column of type {type_}")


def read_type(text: Any) -> Type:
    """Read a type that came from a file."""
    if not isinstance(text, str):
        raise FileFormatError(f"expected a type as text, got {type(text).__name__}")
    try:
        return parse_type(text)
    except MeristemError as error:
        raise FileFormatError(str(error)) from None


def _array(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise FileFormatError(f"the array {name!r} is missing")
    return arrays[name]


def _check_offsets(offsets: NDArray[Any], total: int, name: str) -> None:
    if (
        offsets.dtype != np.int64
        or offsets.ndim != 1
        or len(offsets) == 0
        or offsets[0] != 0
        or offsets[-1] != total
        or bool((np.diff(offsets) < 0).any())
    ):
        raise FileFormatError(f"the offsets of {name!r} do not fit its items")
