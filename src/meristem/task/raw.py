"""Raw columns: what a frame holds before anything is decided about its meaning.

Every source (a Python list, a NumPy array, an Arrow array, a column of a file) is brought into one of a few
forms, so that typing a column and converting it at prediction are written once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers: float64 [N], NaN where missing. `integer` says that the source held integers only."""

    data: NDArray[np.float64]
    integer: bool = False

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Flags:
    """Truth values: `data` bool [N], of no meaning where `present` [N] is False."""

    data: NDArray[np.bool_]
    present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Moments:
    """Points in time: microseconds since 1970 (UTC), int64 [N], of no meaning where not `present`."""

    data: NDArray[np.int64]
    present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Strings:
    """Strings: positions [N] in a pool of distinct ones, -1 where there is none.

    `mixed` says that the source held other values beside text, written out here as text.
    """

    codes: NDArray[np.int64]
    pool: Sequence[str]
    mixed: bool = False

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class ArrowStrings:
    """Strings as an Arrow array (`string` or `large_string`), for columns too long for Python objects."""

    array: Any

    def __len__(self) -> int:
        return len(self.array)

    def strings(self) -> Strings:
        """The same, interned."""
        encoded = self.array.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return Strings(codes, encoded.dictionary.to_pylist())


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A column whose values this package does not read, and why."""

    length: int
    reason: str

    def __len__(self) -> int:
        return self.length


Raw = Numbers | Flags | Moments | Strings | ArrowStrings | Unreadable


def interned(raw: Strings | ArrowStrings) -> Strings:
    """The strings of a column, interned."""
    return raw.strings() if isinstance(raw, ArrowStrings) else raw


def number_text(value: float) -> str:
    """A number as the text of a label. Whole ones have no decimal point, so that 1 and 1.0 are one label."""
    if math.isfinite(value) and value == int(value) and abs(value) < 2**63:
        return str(int(value))
    return repr(float(value))


def moment_text(micros: int) -> str:
    """A moment as the text of a label: the time is left out at midnight."""
    return str(np.datetime64(micros, "us")).removesuffix("T00:00:00.000000")


def micros_of(moment: date) -> int:
    """Microseconds since 1970 of a date or a datetime; one with a zone is brought to UTC."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return (moment - _EPOCH) // _MICROSECOND


def is_missing(value: Any) -> bool:
    """Whether a Python value stands for a missing one: None, NaN, NaT, pandas.NA."""
    if value is None:
        return True
    if isinstance(value, float | np.floating):
        return value != value
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    if isinstance(value, Decimal):
        return value.is_nan()
    return type(value).__name__ in ("NAType", "NaTType")  # pandas' own, without importing pandas


def raw_from_values(values: Iterable[Any]) -> Raw:
    """A raw column from Python values of any kinds."""
    items = list(values)
    kinds: set[str] = set()
    clean: list[Any] = []
    for value in items:
        kind = type(value)
        if kind is str:
            kinds.add("text")
        elif kind is int:
            kinds.add("int")
        elif kind is float:
            if value != value:
                value = None
            else:
                kinds.add("real")
        elif value is None:
            pass
        else:
            value, name = _unusual(value)
            if name:
                kinds.add(name)
        clean.append(value)
    return _assemble(clean, kinds)


def _unusual(value: Any) -> tuple[Any, str]:
    """A plain Python value for a less common one, and the name of its kind ('' when missing)."""
    if is_missing(value):
        return None, ""
    if isinstance(value, bool | np.bool_):
        return bool(value), "bool"
    if isinstance(value, int | np.integer):
        return int(value), "int"
    if isinstance(value, float | np.floating | Decimal | Fraction):
        return float(value), "real"
    if isinstance(value, str):
        return str(value), "text"
    if isinstance(value, datetime | date):
        return value, "moment"
    if isinstance(value, np.datetime64):
        return _EPOCH + int(value.astype("datetime64[us]").astype(np.int64)) * _MICROSECOND, "moment"
    if isinstance(value, timedelta):
        return value.total_seconds(), "real"
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6, "real"
    if isinstance(value, np.timedelta64):
        return float(value / np.timedelta64(1, "s")), "real"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return _unusual(value.item())
    return value, f"other:{type(value).__name__}"


def _assemble(values: list[Any], kinds: set[str]) -> Raw:
    count = len(values)
    others = sorted(k[6:] for k in kinds if k.startswith("other:"))
    if others:
        return Unreadable(count, f"it holds values of type {', '.join(others)}")
    if not kinds:
        return Numbers(np.full(count, np.nan))
    if kinds == {"bool"}:
        present = np.fromiter((v is not None for v in values), np.bool_, count)
        return Flags(np.fromiter((v is True for v in values), np.bool_, count), present)
    if kinds <= {"int", "real", "bool"}:
        data = np.fromiter((np.nan if v is None else _float(v) for v in values), np.float64, count)
        return Numbers(data, "real" not in kinds)
    if kinds == {"moment"}:
        present = np.fromiter((v is not None for v in values), np.bool_, count)
        return Moments(np.array([0 if v is None else micros_of(v) for v in values], np.int64), present)
    positions: dict[str, int] = {}
    if kinds == {"text"}:
        codes = [-1 if v is None else positions.setdefault(v, len(positions)) for v in values]
    else:
        codes = [-1 if v is None else positions.setdefault(_written(v), len(positions)) for v in values]
    return Strings(np.array(codes, np.int64), list(positions), mixed=kinds != {"text"})


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an int beyond 1e308: as far away as an infinity
        return math.inf if value > 0 else -math.inf


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return number_text(_float(value))  # by way of float, as in a column of numbers alone
    return moment_text(micros_of(value))


def raw_from_numpy(array: NDArray[Any], name: str) -> Raw:
    """A raw column from a one-dimensional NumPy array."""
    kind = array.dtype.kind
    if kind == "f":
        return Numbers(array.astype(np.float64, copy=False))
    if kind in "iu":
        return Numbers(array.astype(np.float64), integer=True)
    if kind == "b":
        return Flags(array, np.ones(len(array), np.bool_))
    if kind == "M":
        present = ~np.isnat(array)
        micros: NDArray[np.int64] = array.astype("datetime64[us]").view(np.int64)
        return Moments(micros, present)
    if kind == "m":
        return Numbers((array / np.timedelta64(1, "s")).astype(np.float64))
    if kind == "U":
        return raw_from_values(array.tolist())
    if kind == "O":
        return raw_from_objects(array)
    if kind == "S":
        return raw_from_values([b.decode("utf-8", "replace") for b in array.tolist()])
    return Unreadable(len(array), f"it holds values of type {array.dtype}")


_FEW = 64
"""Below this many rows, Arrow's calls cost more than a loop over Python strings."""
MANY = 2_000
"""From this many rows on, columns of Python strings go through Arrow: importing it then pays."""


def raw_from_objects(values: NDArray[Any] | list[Any]) -> Raw:
    """A raw column from many Python objects: text through Arrow where that is faster, the rest one by one."""
    if len(values) >= MANY:
        first = next((v for v in values if not is_missing(v)), None)
        if isinstance(first, str):
            import pyarrow as pa

            try:
                return raw_from_arrow(pa.array(values, from_pandas=True))
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                pass  # values of several kinds
    return raw_from_values(values.tolist() if isinstance(values, np.ndarray) else values)


def raw_from_arrow(column: Any) -> Raw:
    """A raw column from a PyArrow array or chunked array of any type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = column.type
    count = len(column)
    if pa.types.is_dictionary(type_):
        if pa.types.is_string(type_.value_type) or pa.types.is_large_string(type_.value_type):
            whole = _one_array(column.unify_dictionaries() if isinstance(column, pa.ChunkedArray) else column)
            codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
            return _distinct(codes, whole.dictionary.to_pylist())
        column = column.cast(type_.value_type)
        type_ = column.type
    if pa.types.is_null(type_):
        return Numbers(np.full(count, np.nan))
    if pa.types.is_boolean(type_):
        present = _numpy(pc.is_valid(column))
        return Flags(_numpy(pc.fill_null(column, False)).astype(np.bool_), present.astype(np.bool_))
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        data = _numpy(column.cast(pa.float64(), safe=False)).astype(np.float64, copy=False)
        return Numbers(data, pa.types.is_integer(type_))
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        micros = column.cast(pa.timestamp("us", getattr(type_, "tz", None)), safe=False).cast(pa.int64())
        return Moments(_numpy(pc.fill_null(micros, 0)), _numpy(pc.is_valid(column)).astype(np.bool_))
    if pa.types.is_time(type_) or pa.types.is_duration(type_):
        if pa.types.is_time(type_):
            micros = column.cast(pa.time64("us"), safe=False).cast(pa.int64())
        else:
            micros = column.cast(pa.duration("us"), safe=False).cast(pa.int64())
        return Numbers(_numpy(micros.cast(pa.float64(), safe=False)).astype(np.float64) / 1e6)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or str(type_) == "string_view":
        if str(type_) == "string_view" or (pa.types.is_string(type_) and column.nbytes > 1_500_000_000):
            column = column.cast(pa.large_string())  # 32-bit offsets hold at most 2 GB in one array
        array = _one_array(column)
        return ArrowStrings(array) if count >= _FEW else raw_from_values(array.to_pylist())
    return Unreadable(count, f"it holds values of the Arrow type {type_}")


def _distinct(codes: NDArray[np.int64], pool: list[Any]) -> Strings:
    """Interned strings from a dictionary that may hold a string twice, or None."""
    positions: dict[str, int] = {}
    new = [-1 if s is None else positions.setdefault(s, len(positions)) for s in pool]
    return Strings(np.array([*new, -1], np.int64)[codes], list(positions))


def _one_array(column: Any) -> Any:
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        if column.num_chunks == 1:
            return column.chunk(0)
        combined = column.combine_chunks()
        return combined if not isinstance(combined, pa.ChunkedArray) else pa.concat_arrays(combined.chunks)
    return column


def _numpy(array: Any) -> NDArray[Any]:
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        result: NDArray[Any] = array.to_numpy()
    else:
        result = array.to_numpy(zero_copy_only=False)
    return result
