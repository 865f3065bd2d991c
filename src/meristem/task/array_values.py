"""Columns from arrays: nested lists of images, signals and vectors, with types that are found where none are stated.

What an array is goes by its shape, without the dimension of the examples:

====================  =============================================================================================
[]                    a number, a truth value
[d]                   `vector[d]` of reals, a list of whole numbers, or `signal[d, 1]` of 16 bit samples
[h, w]                `image[h, w, 1]`; `signal[t, c]` of 16 bit samples, and of reals in at most 8 columns and long
[h, w, c]             `image[h, w, c]` with up to 4 channels; a list of gray images elsewhere
[n, h, w, c]          a list of images; a list of lists of gray images where c is above 4
[n, m, h, w, c]       a list of lists of images
====================  =============================================================================================

Stated types settle what this guesses wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError, TypeMismatch
from meristem.task.example_types import conform, plain_value, type_of_values
from meristem.types import BOOL, INT, REAL, Type, format_type, list_of, unify
from meristem.values import Column, Dense, Lists, Pairs, Scalars, column_from, offsets_from
from meristem.values.dense import DENSE, dense_numbers, of_length, resized

IntArray = NDArray[np.int64]
Resize = int | tuple[int, ...] | None

_CHANNELS = 4  # more are no channels of an image
_SENSORS = 8  # columns of a signal of reals
_LONG = 4  # times as long as wide: a signal
_FEW = 4  # sizes and examples that a message names


def guess_type(dtype: np.dtype[Any], shape: tuple[int, ...]) -> Type:
    """The type of a value of this dtype and shape; see the head of this file."""
    kind, count = dtype.kind, len(shape)
    if count == 0:
        return BOOL if kind == "b" else INT if kind in "iu" else REAL
    if count == 1:
        if dtype == np.int16:
            return Type("signal", params=(shape[0], 1))
        return Type("vector", params=shape) if kind == "f" else list_of(guess_type(dtype, ()))
    if count == 2:
        long = shape[1] <= _SENSORS and shape[0] >= 32 and shape[0] > _LONG * shape[1]
        if dtype == np.int16 or (long and kind == "f"):
            return Type("signal", params=shape)
        return Type("image", params=(*shape, 1))
    if shape[-1] <= _CHANNELS and count == 3:
        return Type("image", params=shape)
    return list_of(guess_type(dtype, shape[1:]))


class Builder:
    """Makes the column of one input, and notes what the user should know.

    Args:
        what: The input in messages.
        resize: The size that images (height, width) and signals (samples) are brought to.
    """

    def __init__(self, what: str, resize: Resize = None) -> None:
        self.what, self.resize = what, resize
        self.notes: list[str] = []

    def column(self, values: Any, stated: Type | None) -> Column:
        """The column of N values: an array [N, ...], a list of N values, or a column as it is.

        Raises:
            InputError: They do not make one; says which examples are at fault.
        """
        if isinstance(values, Column):
            return self._as_stated(values, stated)
        if not isinstance(values, list | tuple) and hasattr(values, "__array__"):
            values = np.asarray(values)
        if isinstance(values, np.ndarray) and values.dtype != object:
            if values.ndim == 0:
                raise InputError(f"expected an array [N, ...] as {self.what}, got a single number")
            rows = np.arange(len(values), dtype=np.int64)
            return self._from_array(values, stated, rows)
        if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
            raise InputError(f"expected an array or a list as {self.what}, got {type(values).__name__}")
        return self._build(list(values), stated, np.arange(len(values), dtype=np.int64))

    def _as_stated(self, column: Column, stated: Type | None) -> Column:
        if stated is not None:
            try:
                unify(stated, column.type, {})
            except TypeMismatch as error:
                raise InputError(f"{self.what}: {error}") from None
        return column

    # ------------------------------------------------------------------------------------------ lists of values

    def _build(self, values: list[Any], stated: Type | None, rows: IntArray) -> Column:
        """The column of values, the examples that they belong to being `rows`."""
        if not values:
            return self._empty(stated)
        values = [
            np.asarray(v) if not isinstance(v, list | tuple) and hasattr(v, "__array__") else v
            for v in values
        ]
        arrays = [isinstance(v, np.ndarray) and v.ndim > 0 and v.dtype != object for v in values]
        if stated is not None and stated.name in DENSE and any(isinstance(v, list | tuple) for v in values):
            values = [self._array_of(v, row) for v, row in zip(values, rows, strict=True)]
            arrays = [True] * len(values)
        if all(arrays):
            return self._from_arrays(values, stated, rows)
        nested = [a or isinstance(v, list | tuple) for a, v in zip(arrays, values, strict=True)]
        if not any(nested):
            return self._plain(values, stated, rows)
        if not all(nested):
            k = nested.index(False)
            kind = "nothing" if values[k] is None else type(values[k]).__name__
            raise InputError(
                f"expected values of one kind as {self.what}, got {kind} in example {rows[k] + 1} and an array or a "
                f"list in example {rows[nested.index(True)] + 1}"
            )
        pairs = all(isinstance(v, tuple) and len(v) == 2 for v in values)
        if stated.name == "pair" if stated is not None else pairs:
            return self._pairs(values, stated, rows)
        if stated is not None and stated.name != "list":
            return self._plain(values, stated, rows)
        lengths = np.array([len(v) for v in values], np.int64)
        items = list(chain.from_iterable(values))
        inner = self._build(items, None if stated is None else stated.item, np.repeat(rows, lengths))
        self._note_empty(lengths)
        return Lists(offsets_from(lengths), inner)

    def _note_empty(self, lengths: IntArray) -> None:
        empty = int((lengths == 0).sum())
        if empty:
            self.notes.append(
                f"{empty:,} of {len(lengths):,} lists in {self.what} are empty; they count as lists of no items"
            )

    def _empty(self, stated: Type | None) -> Column:
        if stated is None:
            raise InputError(
                f"expected something in {self.what}, got empty lists only: what would be in them is not known; give "
                "at least one list with items"
            )
        from meristem.values import filler

        return filler(stated, 0)

    def _array_of(self, value: Any, row: int) -> NDArray[Any]:
        try:
            return np.asarray(value)
        except ValueError:
            raise InputError(
                f"expected an array in {self.what}, got lists of unequal lengths in example {row + 1}"
            ) from None

    def _pairs(self, values: list[Any], stated: Type | None, rows: IntArray) -> Column:
        first, second = (None, None) if stated is None else stated.args
        for v, row in zip(values, rows, strict=True):
            if len(v) != 2:
                raise InputError(f"expected pairs in {self.what}, got {len(v)} values in example {row + 1}")
        return Pairs(
            self._build([v[0] for v in values], first, rows),
            self._build([v[1] for v in values], second, rows),
        )

    def _plain(self, values: list[Any], stated: Type | None, rows: IntArray) -> Column:
        numbers = (rows + 1).tolist()
        plain = [(n, plain_value(v, n, self.what)) for n, v in zip(numbers, values, strict=True)]
        type_ = stated if stated is not None else type_of_values(plain, self.what)
        try:
            return column_from([conform(v, type_) for _, v in plain], type_)
        except TypeMismatch:
            for n, v in plain:  # once more one by one, to say which
                try:
                    column_from([conform(v, type_)], type_)
                except TypeMismatch as error:
                    raise InputError(f"{self.what} of example {n}: {error}") from None
            raise

    # ------------------------------------------------------------------------------------------ arrays

    def _from_arrays(self, values: list[NDArray[Any]], stated: Type | None, rows: IntArray) -> Column:
        """The column of values that are arrays, perhaps of different sizes."""
        depths = sorted({v.ndim for v in values})
        if len(depths) > 1:
            raise InputError(
                f"expected arrays of as many dimensions in every example of {self.what}, got "
                f"{' and '.join(map(str, depths))}"
            )
        if len({v.shape for v in values}) == 1 and len({v.dtype for v in values}) == 1:
            return self._from_array(np.stack(values), stated, rows)
        largest = max(values, key=lambda v: v.size)
        type_ = stated if stated is not None else guess_type(_common(values), largest.shape)
        if type_.name in DENSE:
            return self._sized(values, type_, rows)
        if type_.name == "pair":
            return self._pairs(values, type_, rows)
        if type_.name != "list":
            raise InputError(f"expected {format_type(type_, 6)} as {self.what}, got arrays of several sizes")
        lengths = np.array([len(v) for v in values], np.int64)
        self._note_empty(lengths)
        rest = {v.shape[1:] for v in values if len(v)}
        inside = np.repeat(rows, lengths)
        item = type_.item if stated is not None else None
        if len(rest) == 1 and next(iter(rest)) == ():
            inner = self._from_array(np.concatenate(values), item, inside)
        else:
            inner = self._build([each for v in values for each in v], item, inside)
        return Lists(offsets_from(lengths), inner)

    def _sized(self, values: list[NDArray[Any]], type_: Type, rows: IntArray) -> Column:
        """Images, signals or vectors of several sizes or dtypes, brought to one size where that is wanted."""
        count = len(type_.params)
        full = [v[..., None] if v.ndim == count - 1 and type_.name != "vector" else v for v in values]
        for v, row in zip(full, rows, strict=True):
            if v.ndim != count:
                raise InputError(
                    f"expected {type_} in {self.what}, got shape {list(v.shape)} in example {row + 1}"
                )
        ready = [self._numbers(v, type_, int(row)) for v, row in zip(full, rows, strict=True)]
        channels = {v.shape[-1] for v in ready}
        if len(channels) > 1 and type_.name != "vector":
            self._refuse_sizes(ready, rows, "make them all gray or all coloured")
        if self.resize is not None and type_.name != "vector":
            ready = [self._resized(v, type_) for v in ready]
        elif type_.name == "signal":
            lengths = [len(v) for v in ready]
            if len(set(lengths)) > 1:
                self.notes.append(
                    f"the signals in {self.what} have {min(lengths):,} to {max(lengths):,} samples; silence was added "
                    "to the shorter ones (resize= sets another length)"
                )
                ready = [of_length(v, max(lengths)) for v in ready]
        if len({v.shape for v in ready}) > 1:
            advice = "pass resize=(height, width)" if type_.name == "image" else "make them equally long"
            self._refuse_sizes(ready, rows, advice)
        return self._checked(np.stack(ready), type_, rows)

    def _refuse_sizes(self, values: list[NDArray[Any]], rows: IntArray, advice: str) -> None:
        sizes: dict[tuple[int, ...], list[int]] = {}
        for v, row in zip(values, rows, strict=True):
            sizes.setdefault(v.shape, []).append(int(row) + 1)
        ranked = sorted(sizes.items(), key=lambda item: -len(item[1]))
        said = [
            f"{' x '.join(map(str, shape))} ({len(found):,} of them, the first in example {found[0]})"
            for shape, found in ranked[:_FEW]
        ]
        more = f" and {len(ranked) - _FEW:,} more sizes" if len(ranked) > _FEW else ""
        raise InputError(f"expected values of one size in {self.what}, got {', '.join(said)}{more}; {advice}")

    def _resized(self, array: NDArray[Any], type_: Type) -> NDArray[Any]:
        if type_.name == "signal":
            if not isinstance(self.resize, int):
                raise InputError(f"resize: expected a number of samples for signals, got {self.resize!r}")
            return of_length(array, self.resize)
        size = (self.resize, self.resize) if isinstance(self.resize, int) else self.resize
        if size is None or len(size) != 2:
            raise InputError(f"resize: expected (height, width) for images, got {self.resize!r}")
        return resized(array, *size)

    def _numbers(self, array: NDArray[Any], type_: Type, row: int | None = None) -> NDArray[Any]:
        try:
            return dense_numbers(array, type_.name)
        except TypeMismatch as error:
            where = "" if row is None else f" in example {row + 1}"
            raise InputError(f"{self.what}{where}: {error}") from None

    def _from_array(self, array: NDArray[Any], stated: Type | None, rows: IntArray) -> Column:
        """The column of one array [N, ...]."""
        if array.dtype.kind not in "biuf":
            return self._plain(array.tolist(), stated, rows)
        if not len(array) and stated is None and array.ndim < 2:
            return self._empty(stated)
        type_ = stated if stated is not None else guess_type(array.dtype, array.shape[1:])
        if type_.name in DENSE:
            if array.ndim == len(type_.params) and type_.name != "vector":
                array = array[..., None]
            if array.ndim != len(type_.params) + 1:
                raise InputError(
                    f"expected {type_} as {self.what}, got an array of shape {list(array.shape)}"
                )
            array = self._numbers(array, type_)
            if self.resize is not None and type_.name != "vector" and len(array):
                array = np.stack([self._resized(each, type_) for each in array])
            return self._checked(array, type_, rows)
        if type_.name == "list" and array.ndim > 1:
            count, length = array.shape[:2]
            item = type_.item if stated is not None else None
            if not count * length:
                self._note_empty(np.zeros(count, np.int64))
            inner = self._from_array(array.reshape(-1, *array.shape[2:]), item, np.repeat(rows, length))
            return Lists(np.arange(count + 1, dtype=np.int64) * length, inner)
        if type_.name == "pair" and array.ndim > 1 and array.shape[1] == 2:
            parts = (self._from_array(array[:, k], type_.args[k], rows) for k in range(2))
            return Pairs(*parts)
        if array.ndim == 1 and type_.name == "int" and array.dtype.kind in "iu" and array.dtype != np.uint64:
            return Scalars(INT, array.astype(np.int64))
        return self._plain(array.tolist(), stated, rows)

    def _checked(self, array: NDArray[Any], type_: Type, rows: IntArray) -> Column:
        """Dense values without gaps, of the size that is stated."""
        wanted = zip(type_.params, array.shape[1:], strict=True)
        if any(w is not None and w != s for w, s in wanted) and self.resize is None:
            raise InputError(f"expected {type_} as {self.what}, got values of shape {list(array.shape[1:])}")
        if 0 in array.shape[1:]:
            raise InputError(
                f"expected {type_.name}s with something in them as {self.what}, got shape {list(array.shape[1:])}"
            )
        bad = np.zeros(len(array), np.bool_)
        for k in range(0, len(array), 4096):  # in parts: the mask of all would be as large as the data
            good = np.isfinite(array[k : k + 4096])
            bad[k : k + 4096] = ~good.reshape(len(good), -1).all(axis=1)
        if bad.any():
            examples = np.unique(rows[bad]) + 1
            shown = ", ".join(map(str, examples[:_FEW].tolist()))
            more = f" and {len(examples) - _FEW:,} more" if len(examples) > _FEW else ""
            which = f"example{'s' if len(examples) > 1 else ''} {shown}{more}"
            raise InputError(
                f"expected finite numbers in {self.what}, got NaN or infinite ones in {which}; leave these "
                "out, or fill in what is missing"
            )
        return Dense(type_, array)


def _common(values: Sequence[NDArray[Any]]) -> np.dtype[Any]:
    kinds = {v.dtype for v in values}
    return kinds.pop() if len(kinds) == 1 else np.dtype(np.float32)


__all__ = ["Builder", "Resize", "guess_type"]
