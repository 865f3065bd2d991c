"""Keys of rows of reals that are equal up to rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meristem.search.formulas.expressions import Reals
from meristem.search.hashing import Keys

Indices = NDArray[np.int64]

_KEPT = 31  # bits of the mantissa that count: about 9.3 digits; rounding noise is at 52
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))


def row_keys(rows: Reals) -> Keys:
    """A key [n] of each row [n, p]; rows that agree in about nine digits have the same one (nearly always).

    A value just at the border of rounding falls either way: with noise at the 50th bit one row in some 10^4 is
    missed, which costs a duplicate or, seldom, a formula; never a wrong one, since all hits are checked.
    """
    half = np.uint64(1 << (52 - _KEPT - 1))
    bits = np.ascontiguousarray(rows).view(np.uint64)
    key = np.zeros(len(rows), np.uint64)
    shift = np.uint64(52 - _KEPT)
    for j in range(rows.shape[1]):
        key ^= (bits[:, j] + half) >> shift
        key *= _MIX[j & 1]
        key ^= key >> np.uint64(29)
    return key


def _weights(count: int) -> Reals:
    """Fixed positive weights without a pattern that data could share; they sum to 1."""
    weights: Reals = 1.0 + np.mod(np.arange(1, count + 1) * 0.6180339887498949, 1.0)
    weights /= weights.sum()
    return weights


def scale_free(rows: Reals) -> Reals:
    """Rows over their weighted size, with the sign of their first value: the same for all multiples of a row."""
    with np.errstate(all="ignore"):
        size = np.abs(rows) @ _weights(rows.shape[1])
        sign = np.where(rows[:, 0] == 0, np.sign(rows.sum(axis=1)), np.sign(rows[:, 0]))
        result: Reals = rows / (size * sign)[:, None] + 0.0
        return result


def affine(rows: Reals) -> Reals:
    """Rows less their weighted mean, over their size: the same for all a * row + b. Constant rows become NaN."""
    with np.errstate(all="ignore"):
        mean = rows @ _weights(rows.shape[1])
        away = rows - mean[:, None]
        # Where the values hardly differ, only noise would be compared.
        away[np.abs(away).max(axis=1) < 1e-6 * np.abs(mean)] = np.nan
        return scale_free(away)


__all__ = ["Indices", "Keys", "affine", "row_keys", "scale_free"]
