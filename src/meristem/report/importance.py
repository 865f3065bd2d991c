"""How much each column matters: how much the loss grows when its values are shuffled among the rows."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from meristem.model.report import Importance
from meristem.values import Column, Rows

_WIDE = 200  # columns; more are searched by blocks, as most of them will not matter
_FIRST_BLOCKS = 16
_BORROWED = 4
_MOST_FOUND = 60  # columns that a search by blocks looks for


def permutation_importance(
    predict: Callable[[Rows], Any],
    rows: Rows,
    loss: Callable[[Any], float],
    *,
    rng: np.random.Generator,
    repeats: int = 5,
    deadline: float = math.inf,
) -> list[Importance]:
    """How much the loss grows when a column is shuffled, for each column; most important first.

    Every column is measured once before any is measured twice, so what a deadline cuts off is precision
    first. Columns that were not reached are left out. With very many columns, blocks of them are shuffled
    together, and the blocks that matter are halved until single columns remain.

    Args:
        predict: Rows -> prediction, of whatever kind `loss` takes.
        rows: The rows to measure on; a sample of some 1,000 is plenty. The model should not have been fitted
            to them, but even so the order of the columns is mostly right.
        loss: Prediction for exactly these rows -> loss, smaller is better.
        rng: Source of all randomness.
        repeats: Shuffles of each column; with two or more there is an interval (over shuffles, not over
            rows).
        deadline: `time.monotonic()` time to end by. A shuffle that is under way is finished.
    """
    names = list(rows.fields)
    if len(rows) < 2 or not names:
        return []
    predict(rows)  # the first run may prepare things; the second one tells how long one takes
    began = time.monotonic()
    if began >= deadline:
        return []
    base = float(loss(predict(rows)))
    one = time.monotonic() - began
    increases: dict[str, list[float]] = {}

    def measure(block: Sequence[str]) -> float:
        order = rng.permutation(len(rows))
        fields: dict[str, Column] = dict(rows.fields)
        for name in block:
            fields[name] = fields[name].take(order)
        return float(loss(predict(Rows(fields, len(rows))))) - base

    found = names
    if len(names) > _WIDE or (len(names) > _FIRST_BLOCKS and len(names) * one > deadline - time.monotonic()):
        found = _search(names, measure, increases, deadline)
        found.sort(key=lambda name: -increases[name][0])
    for repeat in range(repeats):
        for name in found:
            if time.monotonic() >= deadline:
                break
            if len(increases.get(name, ())) <= repeat:
                increases.setdefault(name, []).append(measure([name]))
    return sorted(_summaries(increases), key=lambda r: -r.mean)


def _search(
    names: list[str],
    measure: Callable[[Sequence[str]], float],
    increases: dict[str, list[float]],
    deadline: float,
) -> list[str]:
    """Columns that matter among very many: always halve the block whose shuffling hurts most."""
    size = math.ceil(len(names) / _FIRST_BLOCKS)
    waiting: list[tuple[float, int, list[str]]] = []
    new = [names[k : k + size] for k in range(0, len(names), size)]
    made = 0
    found: list[str] = []
    while len(found) < _MOST_FOUND:
        for block in new:
            if time.monotonic() >= deadline:
                return found
            increase = measure(block)
            if len(block) == 1:
                increases.setdefault(block[0], []).append(increase)
                found.append(block[0])
            elif increase > 0:
                heapq.heappush(waiting, (-increase, made, block))
                made += 1
        if not waiting:
            break
        block = heapq.heappop(waiting)[2]
        new = [block[: len(block) // 2], block[len(block) // 2 :]]
    return found


def _summaries(increases: dict[str, list[float]]) -> list[Importance]:
    """Means with 95 % intervals over shuffles.

    Two or three shuffles say little about their own spread, but those of all columns together do: a larger
    increase spreads in proportion more. So each spread is drawn towards what the others tell (as in Smyth,
    2004), with the weight of `_BORROWED` shuffles.
    """
    from scipy.special import stdtrit

    kept = {name: np.array(v) for name, v in increases.items() if np.isfinite(v).all()}
    means = {name: float(v.mean()) for name, v in kept.items()}
    spreads = {name: float(v.std(ddof=1)) for name, v in kept.items() if len(v) > 1}
    shares = [spreads[n] / abs(means[n]) for n in spreads if means[n]]
    usual = float(np.median(shares)) if shares else 0.0
    least = float(np.quantile(list(spreads.values()), 0.25)) if spreads else 0.0
    found = []
    for name, mean in means.items():
        if name not in spreads:
            found.append(Importance(name, mean))
            continue
        own = len(kept[name]) - 1
        expected = max(usual * abs(mean), least)
        variance = (_BORROWED * expected**2 + own * spreads[name] ** 2) / (_BORROWED + own)
        half = float(stdtrit(_BORROWED + own, 0.975)) * math.sqrt(variance / (own + 1))
        found.append(Importance(name, mean, mean - half, mean + half))
    return found
