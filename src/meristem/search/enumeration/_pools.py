"""Pools: every value that comes up during a search is kept once, and known by a small number, its id.

The outputs of a program are then a row of ids, comparing values is comparing ids, and a primitive runs once per
distinct argument. A bool or a small int is its own id; other values are kept in columnar form, found again by a hash
of their content. A value too large to be of use (`MAX_LENGTH`, `MAX_INT`) gets no id: it counts as a failure, which is
what keeps explosive programs (powers of powers, lists of lists of lists) from taking the room of useful ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.search.hashing import HashTable, Keys, mix
from meristem.types import Type
from meristem.values import Column, Lists, Options, Pairs, Scalars, Texts, column_from, hashable, offsets_from

Ids = NDArray[np.int32]

RunsOf = Callable[[Ids], tuple[Ids, NDArray[np.int64]]]
"""Ids of items end to end, and offsets [N + 1], for each of N ids."""

FAIL = np.int32(-(2**31))
"""The id of a value that is not there."""
NONE = np.int32(-1)
"""What a missing option holds."""

MAX_INT = 2**30
MAX_LENGTH = 256

_random = np.random.default_rng(20251)
_FAIL_HASH = np.uint64(_random.integers(1 << 63))
_BASE = 0xD1342543DE82EF95  # odd, so that its powers have inverses modulo 2^64
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)


def _powers(base: int) -> Keys:
    factors = np.full(MAX_LENGTH + 2, base, np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


_UP, _DOWN = _powers(_BASE), _powers(_BASE_INVERSE)
"""The powers of the base of list hashes, and their inverses."""


class Pool(ABC):
    """The values of one type.

    Args:
        type: The type.
    """

    def __init__(self, type: Type) -> None:
        self.type = type
        self._salt = np.uint64(int.from_bytes(str(type).encode()[:8].ljust(8, b"#"), "little"))

    @abstractmethod
    def intern(self, column: Column) -> Ids:
        """The id of each value of a column [N]; FAIL where it is too large."""

    @abstractmethod
    def column(self, ids: Ids) -> Column:
        """The values with these ids [N]; none of them may be FAIL."""

    @abstractmethod
    def hashes(self, ids: Ids) -> Keys:
        """A 64-bit hash of the content of each value [N]; FAIL has one too."""


class Numbers(Pool):
    """Bools, ints and classes: the id is the value (or the position of the label)."""

    def intern(self, column: Column) -> Ids:
        assert isinstance(column, Scalars)
        data = column.data
        if data.dtype == np.int64:
            small = (data < MAX_INT) & (data > -MAX_INT)
            if not small.all():
                return np.where(small, data, np.int64(FAIL)).astype(np.int32)
        return data.astype(np.int32)

    def column(self, ids: Ids) -> Column:
        return Scalars(self.type, ids.astype(bool if self.type.name == "bool" else np.int64))

    def hashes(self, ids: Ids) -> Keys:
        return mix(ids.astype(np.uint64) + self._salt)


class _Kept(Pool):
    """Values that are found by the hash of their content."""

    def __init__(self, type: Type) -> None:
        super().__init__(type)
        self._table = HashTable()
        self._hash = np.empty(1024, np.uint64)

    def __len__(self) -> int:
        return self._table.count

    def hashes(self, ids: Ids) -> Keys:
        failed = ids == FAIL
        if failed.any():
            return np.where(failed, _FAIL_HASH, self._hash[np.where(failed, 0, ids)])
        return self._hash[ids]

    def _number(self, keys: Keys) -> tuple[Ids, NDArray[np.int64]]:
        before = self._table.count
        ids, new = self._table.add(keys)
        self._hash = _room(self._hash, self._table.count)
        self._hash[before : self._table.count] = keys[new]
        return ids, new


class ListPool(_Kept):
    """Lists: runs of ids of their items.

    The hash of a list is that of its length and of a polynomial: the sum of the hashes of its items, each times a
    power of the base. Of what is kept, the sums up to every item are at hand. So a list that is a run of what is kept
    (what `take`, `drop` and `rest` give) is found, and kept, without looking at an item; one that is put together of
    two needs their sums only, and is copied only if it is new.
    """

    def __init__(self, type: Type, items: Pool) -> None:
        super().__init__(type)
        self.items = items
        self._starts = np.zeros(1024, np.int64)
        self._lengths = np.zeros(1024, np.int32)
        self._sums = np.zeros(1024, np.uint64)
        self._children = np.empty(4096, np.int32)
        self._bases = np.zeros(1024, np.int64)  # where the run begins that a list is a part of
        self._through = np.zeros(4096, np.uint64)  # for each item the sum of its run from the base through it
        self._used = 0

    def intern(self, column: Column) -> Ids:
        assert isinstance(column, Lists)
        lengths = column.lengths
        large = lengths > MAX_LENGTH
        if large.any():
            ids = np.full(len(column), FAIL, np.int32)
            rest = np.flatnonzero(~large)
            ids[rest] = self.intern(column.take(rest))
            return ids
        return self.intern_runs(self.items.intern(column.items), column.offsets)

    def intern_runs(self, children: Ids, offsets: NDArray[np.int64]) -> Ids:
        """The ids of lists given as runs of ids of their items; FAIL where an item is FAIL."""
        lengths = np.diff(offsets)
        sums = self.content_sums(children, offsets)
        ids, new = self._number(self.hash_of(sums, lengths))
        if len(new):
            sizes = lengths[new]
            taken = offsets_from(sizes)
            index = np.arange(taken[-1]) + np.repeat(offsets[new] - taken[:-1], sizes)
            self._store(children[index], taken, sums[new])
        failed = children == FAIL
        if failed.any():
            ids[np.repeat(np.arange(len(lengths)), lengths)[failed]] = FAIL
        return ids

    def content_sums(self, children: Ids, offsets: NDArray[np.int64]) -> Keys:
        """The sums of lists given as runs of ids of their items."""
        places = np.arange(len(children)) - np.repeat(offsets[:-1], np.diff(offsets))
        return _run_sums(self.items.hashes(children) * _UP[places], offsets)

    def intern_views(self, lists: Ids, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Ids:
        """The ids of runs of the items of some lists: where they begin among all items kept, and their lengths."""
        sums = self.view_sums(lists, starts, lengths)
        ids, new = self._number(self.hash_of(sums, lengths))
        if len(new):
            self._keep(self._bases[lists[new]], starts[new], lengths[new], sums[new])
        return ids

    def view_sums(self, lists: Ids, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Keys:
        """The sums of runs of the items of some lists."""
        bases = self._bases[lists]
        through = np.where(lengths > 0, self._through[np.maximum(starts + lengths - 1, 0)], np.uint64(0))
        before = np.where(
            (lengths > 0) & (starts > bases), self._through[np.maximum(starts - 1, 0)], np.uint64(0)
        )
        sums: Keys = (through - before) * _DOWN[starts - bases]
        return sums

    def intern_joined(self, first: Ids, second: Ids) -> Ids:
        """The ids of the lists `first[i] + second[i]`; FAIL where that is too long."""
        lengths = self.lengths(first) + self.lengths(second)
        return self._joined(lengths, self.joined_sums, (self.runs, self.runs), first, second)

    def joined_sums(self, first: Ids, second: Ids) -> Keys:
        """The sums of the lists `first[i] + second[i]`."""
        sums: Keys = self._sums[first] + _UP[self._lengths[first]] * self._sums[second]
        return sums

    def intern_appended(self, lists: Ids, items: Ids) -> Ids:
        """The ids of the lists `lists[i] + [items[i]]`; FAIL where that is too long."""
        return self._joined(
            self.lengths(lists) + 1, self.appended_sums, (self.runs, _single_runs), lists, items
        )

    def appended_sums(self, lists: Ids, items: Ids) -> Keys:
        """The sums of the lists `lists[i] + [items[i]]`."""
        sums: Keys = self._sums[lists] + _UP[self._lengths[lists]] * self.items.hashes(items)
        return sums

    def intern_prepended(self, items: Ids, lists: Ids) -> Ids:
        """The ids of the lists `[items[i]] + lists[i]`; FAIL where that is too long."""
        return self._joined(
            self.lengths(lists) + 1, self.prepended_sums, (_single_runs, self.runs), items, lists
        )

    def prepended_sums(self, items: Ids, lists: Ids) -> Keys:
        """The sums of the lists `[items[i]] + lists[i]`."""
        sums: Keys = self.items.hashes(items) + _UP[1] * self._sums[lists]
        return sums

    def _joined(
        self,
        lengths: NDArray[np.int64],
        sums_of: Callable[[Ids, Ids], Keys],
        runs_of: tuple[RunsOf, RunsOf],
        first: Ids,
        second: Ids,
    ) -> Ids:
        """The ids of lists put together of two parts: known by their sums, copied only where they are new."""
        large = lengths > MAX_LENGTH
        if large.any():
            ids = np.full(len(first), FAIL, np.int32)
            rest = np.flatnonzero(~large)
            ids[rest] = self._joined(lengths[rest], sums_of, runs_of, first[rest], second[rest])
            return ids
        sums = sums_of(first, second)
        ids, new = self._number(self.hash_of(sums, lengths))
        if len(new):
            offsets = offsets_from(lengths[new])
            children = np.empty(offsets[-1], np.int32)
            place = offsets[:-1]
            for part, runs in zip((first, second), runs_of, strict=True):
                items, own = runs(part[new])
                children[np.arange(len(items)) + np.repeat(place - own[:-1], np.diff(own))] = items
                place = place + np.diff(own)
            self._store(children, offsets, sums[new])
        return ids

    def hash_of(self, sums: Keys, lengths: NDArray[Any]) -> Keys:
        """The hash of lists from the weighted sums of their items' hashes."""
        return mix(sums + mix(lengths.astype(np.uint64) + self._salt))

    def _store(self, children: Ids, offsets: NDArray[np.int64], sums: Keys) -> None:
        """Keep new lists: their items end to end, where each begins, and their sums."""
        begin, end = self._used, self._used + len(children)
        self._children, self._through = _room(self._children, end), _room(self._through, end)
        lengths = np.diff(offsets)
        places = np.arange(len(children)) - np.repeat(offsets[:-1], lengths)
        total = np.zeros(len(children) + 1, np.uint64)
        np.cumsum(self.items.hashes(children) * _UP[places], out=total[1:])
        self._children[begin:end] = children
        self._through[begin:end] = total[1:] - np.repeat(total[offsets[:-1]], lengths)
        self._used = end
        starts = begin + offsets[:-1]
        self._keep(starts, starts, lengths, sums)

    def _keep(
        self, bases: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[Any], sums: Keys
    ) -> None:
        """Note where the newest lists are."""
        count = len(self)
        first = count - len(starts)
        self._bases, self._starts = _room(self._bases, count), _room(self._starts, count)
        self._lengths, self._sums = _room(self._lengths, count), _room(self._sums, count)
        self._bases[first:count] = bases
        self._starts[first:count] = starts
        self._lengths[first:count] = lengths
        self._sums[first:count] = sums

    def runs(self, ids: Ids) -> tuple[Ids, NDArray[np.int64]]:
        """The ids of the items of these lists, end to end, and their offsets [N + 1]."""
        lengths = self._lengths[ids].astype(np.int64)
        offsets = offsets_from(lengths)
        index = np.arange(offsets[-1]) + np.repeat(self._starts[ids] - offsets[:-1], lengths)
        return self._children[index], offsets

    def known_prefixes(self, children: Ids) -> Ids:
        """The ids of the lists that are the first 0, 1, ... of these items; -1 for one that is not kept."""
        terms = self.items.hashes(children) * _UP[: len(children)]
        sums = np.zeros(len(children) + 1, np.uint64)
        np.cumsum(terms, out=sums[1:])
        return self._table.find(self.hash_of(sums, np.arange(len(sums))))

    def lengths(self, ids: Ids) -> NDArray[np.int64]:
        """How long each list is."""
        return self._lengths[ids].astype(np.int64)

    def sums(self, ids: Ids) -> Keys:
        """The sum of the hashes of the items of each list, each times a power of the base."""
        sums: Keys = self._sums[ids]
        return sums

    def starts(self, ids: Ids) -> NDArray[np.int64]:
        """Where the items of each list begin among all items kept."""
        return self._starts[ids]

    def children(self, places: NDArray[np.int64]) -> Ids:
        """The items kept at these places."""
        return self._children[places]

    def column(self, ids: Ids) -> Column:
        children, offsets = self.runs(ids)
        return Lists(offsets, self.items.column(children), self.type)


class TextPool(_Kept):
    """Strings."""

    def __init__(self, type: Type) -> None:
        super().__init__(type)
        self.strings: list[str] = []
        self._ids: dict[str, int] = {}

    def intern(self, column: Column) -> Ids:
        assert isinstance(column, Texts)
        used, codes = np.unique(column.ids, return_inverse=True)
        return np.array([self.id_of(column.pool[i]) for i in used.tolist()], np.int32)[codes]

    def id_of(self, string: str) -> int:
        """The id of one string."""
        known = self._ids.get(string)
        if known is not None:
            return known
        if len(string) > 4 * MAX_LENGTH:
            return int(FAIL)
        number = len(self.strings)
        self._ids[string] = number
        self.strings.append(string)
        self._hash = _room(self._hash, number + 1)
        self._hash[number] = _hash_text(string)
        return number

    def known(self, string: str) -> int | None:
        """The id of a string if it is kept."""
        return self._ids.get(string)

    def __len__(self) -> int:
        return len(self.strings)

    def column(self, ids: Ids) -> Column:
        return Texts(ids.astype(np.int64), self.strings)


class PairPool(_Kept):
    """Pairs: two ids."""

    def __init__(self, type: Type, first: Pool, second: Pool) -> None:
        super().__init__(type)
        self.first, self.second = first, second
        self._parts = np.empty((2, 1024), np.int32)

    def intern(self, column: Column) -> Ids:
        assert isinstance(column, Pairs)
        return self.intern_parts(self.first.intern(column.first), self.second.intern(column.second))

    def intern_parts(self, first: Ids, second: Ids) -> Ids:
        """The ids of pairs with these parts [N]."""
        keys = mix(
            self.first.hashes(first) * np.uint64(_BASE)
            + self.second.hashes(second) * np.uint64(_BASE_INVERSE)
            + self._salt
        )
        ids, new = self._number(keys)
        while self._parts.shape[1] < len(self):
            self._parts = np.concatenate([self._parts, self._parts], axis=1)
        self._parts[0, len(self) - len(new) : len(self)] = first[new]
        self._parts[1, len(self) - len(new) : len(self)] = second[new]
        ids[(first == FAIL) | (second == FAIL)] = FAIL
        return ids

    def column(self, ids: Ids) -> Column:
        return Pairs(self.first.column(self._parts[0, ids]), self.second.column(self._parts[1, ids]))


class OptionPool(_Kept):
    """Options: id 0 is the missing one, the others one more than the number of their value."""

    def __init__(self, type: Type, values: Pool) -> None:
        super().__init__(type)
        self.values = values
        self._value = np.empty(1024, np.int32)

    def intern(self, column: Column) -> Ids:
        assert isinstance(column, Options)
        inner = np.full(len(column), NONE, np.int32)
        inner[column.present] = self.values.intern(column.values)
        some = np.where(column.present, inner, 0)
        hashes = np.zeros(len(column), np.uint64)
        if column.present.any():
            hashes[column.present] = self.values.hashes(some[column.present])
        ids, new = self._number(mix(hashes + self._salt + column.present.astype(np.uint64)))
        self._value = _room(self._value, len(self))
        self._value[len(self) - len(new) : len(self)] = np.where(column.present, inner, NONE)[new]
        ids[column.present & (inner == FAIL)] = FAIL
        return ids

    def column(self, ids: Ids) -> Column:
        inner = self._value[ids]
        present = self._present(ids)
        return Options(present, self.values.column(inner[present]))

    def _present(self, ids: Ids) -> NDArray[np.bool_]:
        missing = self._table.find(mix(np.zeros(1, np.uint64) + self._salt))[0]
        present: NDArray[np.bool_] = ids != missing
        return present


class Values(_Kept):
    """Values of any other type, as Python values."""

    def __init__(self, type: Type) -> None:
        super().__init__(type)
        self._values: list[Any] = []
        self._ids: dict[Any, int] = {}

    def intern(self, column: Column) -> Ids:
        ids = np.empty(len(column), np.int32)
        for i, value in enumerate(column.to_list()):
            key = hashable(value)
            number = self._ids.get(key)
            if number is None:
                if hasattr(value, "__len__") and len(value) > MAX_LENGTH:
                    ids[i] = FAIL
                    continue
                number = self._ids[key] = len(self._values)
                self._values.append(value)
                self._hash = _room(self._hash, number + 1)
                self._hash[number] = _hash_text(repr(key))
            ids[i] = number
        return ids

    def __len__(self) -> int:
        return len(self._values)

    def column(self, ids: Ids) -> Column:
        return column_from([self._values[i] for i in ids.tolist()], self.type)


class Pools:
    """The pools of a search, one a type, made when first asked for."""

    def __init__(self) -> None:
        self._pools: dict[Type, Pool] = {}

    def __getitem__(self, type: Type) -> Pool:
        pool = self._pools.get(type)
        if pool is None:
            pool = self._pools[type] = self._make(type)
        return pool

    def _make(self, type: Type) -> Pool:
        if type.name in ("bool", "int", "class"):
            return Numbers(type)
        if type.name == "list":
            return ListPool(type, self[type.item])
        if type.name == "text":
            return TextPool(type)
        if type.name == "pair":
            return PairPool(type, self[type.args[0]], self[type.args[1]])
        if type.name == "option":
            return OptionPool(type, self[type.item])
        return Values(type)


def _room(array: NDArray[Any], count: int) -> NDArray[Any]:
    """The array, or a longer one that begins with it. What lies beyond is left untouched: it costs no memory yet."""
    if len(array) >= count:
        return array
    longer = np.empty(max(2 * len(array), count), array.dtype)
    longer[: len(array)] = array
    return longer


def _single_runs(items: Ids) -> tuple[Ids, NDArray[np.int64]]:
    """Items as runs of one each."""
    return items, np.arange(len(items) + 1)


def _run_sums(terms: Keys, offsets: NDArray[np.int64]) -> Keys:
    """The sum of each run, modulo 2^64; an empty one gives 0."""
    sums = np.zeros(len(terms) + 1, np.uint64)
    np.cumsum(terms, out=sums[1:])
    return sums[offsets[1:]] - sums[offsets[:-1]]


def _hash_text(string: str) -> np.uint64:
    # `hash` differs from process to process; this does not, and so neither does the order of what is found.
    from hashlib import blake2b

    return np.uint64(
        int.from_bytes(blake2b(string.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    )


def weights(count: int) -> Keys:
    """The factors of the first `count` positions of a list."""
    return _UP[:count]


__all__ = [
    "FAIL",
    "MAX_INT",
    "MAX_LENGTH",
    "Ids",
    "ListPool",
    "Numbers",
    "Pool",
    "Pools",
    "TextPool",
    "weights",
]
