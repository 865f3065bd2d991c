"""Vectors of reals and distributions: what modules give, and exact code takes on with."""

from __future__ import annotations

from typing import Any

import numpy as np

from meristem.language.vocabulary import primitive
from meristem.primitives._columns import real
from meristem.types import REAL
from meristem.values import Column, Dense, Dists, Lists, Scalars


@primitive("vector[_] -> list[real]", examples=[((np.array([0.5, 2.0]),), [0.5, 2.0])])
def entries(vector: Any) -> list[float]:
    """The entries of a vector as a list."""
    return [float(x) for x in vector]


@entries.columnar
def _(vector: Dense) -> Column:
    count, dimension = vector.data.shape
    offsets = np.arange(count + 1, dtype=np.int64) * dimension
    return Lists(offsets, Scalars(REAL, vector.data.astype(np.float64, copy=False).ravel()))


@primitive("dist[a] -> a", examples=[(({"cat": 0.25, "dog": 0.75},), "dog")])
def most_likely(dist: dict[Any, float]) -> Any:
    """The value with the highest probability; the first of several."""
    return max(dist, key=dist.__getitem__)


@most_likely.columnar
def _(dist: Dists) -> Column:
    return dist.support.take(dist.probabilities.argmax(axis=1))


@primitive("dist[a], a -> real where a: eq", examples=[(({"cat": 0.25, "dog": 0.75}, "cat"), 0.25)])
def probability(dist: dict[Any, float], item: Any) -> float:
    """The probability of a value; zero where it is none of those."""
    return dist.get(item, 0.0)


@probability.columnar
def _(dist: Dists, item: Column) -> Column:
    from meristem.primitives._columns import together

    support, items = together(dist.support, item)
    hits = items[:, None] == support[None, :]
    return real(np.where(hits, dist.probabilities, 0.0).sum(axis=1))
