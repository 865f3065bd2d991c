"""A number that tells whether two tables hold the same examples, and nothing about any of them.

Each example is hashed, and the hashes are added up. So the order of the rows does not matter, and what is kept are
64 bits for all of them together: no value can be read off, and whoever wants to check a guess at one row has to know
all the others.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from meristem.values import Column, Options, Rows, Scalars, Texts

_FEWEST = 20  # examples; of fewer a sum would say something about each
_MOST_COLUMNS = 50
_MOST_CELLS = 5_000_000  # hashing one takes some 20 ns; wide columns of very long tables are left out

Hashes = NDArray[np.uint64]


def fingerprint(rows: Column, answers: Column) -> str:
    """The fingerprint of N examples as 16 hexadecimal digits; empty where they are few, or no table.

    It is made from the answers and the first columns, at most 50.

    Args:
        rows: What is read of a table, [N].
        answers: [N].
    """
    count = len(answers)
    if not isinstance(rows, Rows) or count < _FEWEST:
        return ""
    kept = max(min(_MOST_COLUMNS, _MOST_CELLS // count), 1)
    total = _mixed(_hashes(answers))
    for column in list(rows.fields.values())[:kept]:
        total = _mixed(total ^ _hashes(column))
    return f"{int(total.sum(dtype=np.uint64)):016x}"


def _hashes(column: Column) -> Hashes:
    """A number for each value; equal values have equal numbers."""
    if isinstance(column, Options):
        found = np.zeros(len(column), np.uint64)
        found[column.present] = _hashes(column.values)
        return found
    if isinstance(column, Texts):
        pool = [
            hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest() for text in column.pool
        ]
        return np.frombuffer(b"".join(pool), "<u8").astype(np.uint64)[column.ids]
    if isinstance(column, Scalars):
        data = column.data
        # Adding 0 makes the two zeros one; a missing value is 0, and a present one never is.
        bits = (
            (data + 0.0).view(np.uint64)
            if data.dtype == np.float64
            else data.astype(np.int64).view(np.uint64)
        )
        return _mixed(bits) | np.uint64(1)
    return np.ones(len(column), np.uint64)  # of what tables do not hold, nothing


def _mixed(numbers: Hashes) -> Hashes:
    """Numbers of which every bit depends on every bit of the given ones (the finisher of SplitMix64)."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
