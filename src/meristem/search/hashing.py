"""Hash tables made of array operations.

Keys are added in batches. Open addressing: every key tries its slot, all at once; those that find another key there
step on, and try again together. A batch takes as many rounds as its longest chain, and each round is a handful of
gathers, so the cost a key is that of a few cache misses, several times less than sorting (`np.unique`) takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_LOAD = 0.5  # above, chains grow long


class HashTable:
    """64-bit keys, numbered from 0 in the order in which they first came.

    Args:
        expected: For how many keys to make room at the start.
    """

    def __init__(self, expected: int = 1024) -> None:
        self.count = 0
        self._make(max(10, int(2 * expected - 1).bit_length()))

    def _make(self, bits: int) -> None:
        self._bits = bits
        self._shift = np.uint64(64 - bits)
        self._mask = np.int64((1 << bits) - 1)
        self._keys = np.zeros(1 << bits, np.uint64)  # 0 stands for an empty slot
        self._numbers = np.full(1 << bits, -1, np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes in use."""
        return int(self._keys.nbytes + self._numbers.nbytes)

    def add(self, keys: Keys) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Add keys [N]. The key 0 is taken for another one: of 2^64 hashes, two may share a number.

        Returns:
            The number of each key, [N]; and the positions, in order, of those that were not there before (of equal
            ones the first).
        """
        keys = np.where(keys == 0, _PRIME, keys)
        if self.count + len(keys) > _LOAD * len(self._keys):
            # Many of the new keys may be known: grow by what they could need, in steps of two.
            self._grow(self.count + len(keys))
        numbers = np.empty(len(keys), np.int32)
        pending = np.arange(len(keys))
        slots = _first(keys, self._shift)
        wanted = keys
        new: list[NDArray[np.int64]] = []
        places: list[NDArray[np.int64]] = []
        while len(pending):
            there = self._keys[slots]
            empty = there == 0
            if empty.any():
                free = np.flatnonzero(empty)[::-1]  # reversed: of several writes the last one stays
                where = slots[free]
                self._keys[where] = wanted[free]
                self._numbers[where] = -2 - pending[free]
                there = self._keys[slots]
                own = (self._numbers[slots] == -2 - pending) & (there == wanted) & empty
                new.append(pending[own])
                places.append(slots[own])
            same = there == wanted
            numbers[pending[same]] = self._numbers[slots[same]]
            on = np.flatnonzero(~same)
            if not len(on):
                break
            pending, wanted = pending[on], wanted[on]
            slots = _on(slots[on], wanted, self._mask)
        if not new:
            return numbers, np.empty(0, np.int64)
        first, where = np.concatenate(new), np.concatenate(places)
        order = np.argsort(first, kind="stable")
        first, where = first[order], where[order]
        self._numbers[where] = self.count + np.arange(len(first), dtype=np.int32)
        self.count += len(first)
        fresh = np.flatnonzero(numbers < -1)  # these carry the position of the first of their key
        origin = -2 - numbers[fresh]
        numbers[first] = self._numbers[where]
        numbers[fresh] = numbers[origin]
        return numbers, first

    def find(self, keys: Keys) -> NDArray[np.int32]:
        """The number of each key [N], -1 where it is not there."""
        keys = np.where(keys == 0, _PRIME, keys)
        numbers = np.full(len(keys), -1, np.int32)
        pending = np.arange(len(keys))
        slots = _first(keys, self._shift)
        wanted = keys
        while len(pending):
            there = self._keys[slots]
            same = there == wanted
            numbers[pending[same]] = self._numbers[slots[same]]
            on = np.flatnonzero(~same & (there != 0))
            pending, wanted = pending[on], wanted[on]
            slots = _on(slots[on], wanted, self._mask)
        return numbers

    def _grow(self, count: int) -> None:
        bits = self._bits
        while count > _LOAD * (1 << bits):
            bits += 1
        keys, numbers = self._keys, self._numbers
        used = np.flatnonzero(keys)
        keys, numbers = keys[used], numbers[used]
        self._make(bits)
        pending = keys
        slots = _first(pending, self._shift)
        while len(pending):  # all differ, so only one of those that meet in a slot gets it
            free = self._keys[slots] == 0
            self._keys[slots[free]] = pending[free]
            self._numbers[slots[free]] = numbers[free]
            on = np.flatnonzero(self._keys[slots] != pending)
            # A slot may now hold the key of one and the number of another only if two wrote there: the last write of
            # both assignments is by the same element, since both use the same order.
            pending, numbers = pending[on], numbers[on]
            slots = _on(slots[on], pending, self._mask)


class HashSet:
    """64-bit keys, told apart only; about twice as fast as a table.

    Args:
        expected: For how many keys to make room at the start.
    """

    def __init__(self, expected: int = 1024) -> None:
        self.count = 0
        self._make(max(10, int(2 * expected - 1).bit_length()))

    def _make(self, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._mask = np.int64((1 << bits) - 1)
        self._keys = np.zeros(1 << bits, np.uint64)  # 0 stands for an empty slot
        self._owners = np.empty(
            1 << bits, np.int32
        )  # of a slot written in this batch: the position of its key

    @property
    def nbytes(self) -> int:
        """Bytes in use."""
        return int(self._keys.nbytes + self._owners.nbytes)

    def add(self, keys: Keys) -> NDArray[np.int64]:
        """Add keys [N]; the positions, in order, of those that were not there before (of equal ones the first)."""
        if self.count + len(keys) > _LOAD * len(self._keys):
            self._grow(self.count + len(keys))
        pending, wanted, slots = self._begin(keys)
        fresh = np.zeros(len(keys), np.bool_)
        while len(pending):
            there = self._keys[slots]
            free = np.flatnonzero(there == 0)
            left = np.flatnonzero((there != wanted) & (there != 0))
            if len(free):
                own, place, key = pending[free], slots[free], wanted[free]
                self._keys[place[::-1]] = key[::-1]  # reversed: of several writes the last one stays
                self._owners[place[::-1]] = own[::-1]
                won = self._owners[place] == own
                fresh[own[won]] = True
                # Those that lost to an equal key are done; those that lost to another one step on.
                lost = free[~won]
                left = np.concatenate([left, lost[self._keys[slots[lost]] != wanted[lost]]])
            pending, wanted = pending[left], wanted[left]
            slots = _on(slots[left], wanted, self._mask)
        new = np.flatnonzero(fresh)
        self.count += len(new)
        return new

    def has(self, keys: Keys) -> NDArray[np.bool_]:
        """Which keys [N] are there."""
        pending, wanted, slots = self._begin(keys)
        found = np.zeros(len(keys), np.bool_)
        while len(pending):
            there = self._keys[slots]
            found[pending[there == wanted]] = True
            left = np.flatnonzero((there != wanted) & (there != 0))
            pending, wanted = pending[left], wanted[left]
            slots = _on(slots[left], wanted, self._mask)
        return found

    def _begin(self, keys: Keys) -> tuple[NDArray[np.int64], Keys, NDArray[np.int64]]:
        keys = keys + _PRIME * (keys == 0)
        return np.arange(len(keys)), keys, _first(keys, self._shift)

    def _grow(self, count: int) -> None:
        keys = self._keys[self._keys != 0]
        bits = int(self._mask).bit_length()
        while count > _LOAD * (1 << bits):
            bits += 3 if bits < 20 else 1  # few steps while it is small
        self._make(bits)
        self.count = 0
        for start in range(0, len(keys), 1 << 16):
            self.add(keys[start : start + (1 << 16)])


def _first(keys: Keys, shift: np.uint64) -> NDArray[np.int64]:
    """The slot that each key tries first."""
    return (keys * _PRIME >> shift).astype(np.int64)


def _on(slots: NDArray[np.int64], keys: Keys, mask: np.int64) -> NDArray[np.int64]:
    """The slot that each key tries next: an odd step, so that every slot is reached."""
    return (slots + ((keys & np.uint64(0xFF)).astype(np.int64) << 1 | 1)) & mask


def mix(values: NDArray[np.uint64]) -> Keys:
    """Spread 64-bit numbers so that each bit of the result depends on every bit of the argument (SplitMix64)."""
    z = values + _PRIME
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


__all__ = ["HashSet", "HashTable", "Keys", "mix"]
