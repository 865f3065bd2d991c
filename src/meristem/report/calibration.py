"""Whether a model is as sure as it should be: reliability of probabilities, coverage of intervals.

Both are to be given predictions for rows that the model was not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.model.report import Bin, Calibration, Coverage, Quantile

RealArray = NDArray[np.float64]

_LEVELS = (0.5, 0.8, 0.9, 0.95)
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SIMULATIONS = 400
_FOLDS = 5


def reliability(
    y: NDArray[Any],
    probabilities: NDArray[Any],
    weights: NDArray[Any] | None = None,
    *,
    labels: Sequence[str] = (),
    bins: int = 10,
    seed: int = 0,
) -> Calibration:
    """The reliability curve of class probabilities, and the expected calibration error.

    With two classes it is about the second one; with more about the class that was chosen, and how often it
    was right. Bins hold equally many rows, so that none rests on a handful.

    Args:
        y: Class codes, [N].
        probabilities: [N, K].
        weights: How much each row counts, [N].
        labels: Names of the classes, for words.
        bins: The most bins; fewer where there are few rows.
        seed: For the error that perfect probabilities would show by chance.
    """
    count = len(y)
    if count == 0:
        return Calibration()
    w = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    if probabilities.shape[1] == 2:
        p, hit = probabilities[:, 1], (y == 1).astype(np.float64)
        about = labels[1] if len(labels) == 2 else "the second class"
    else:
        p = probabilities.max(axis=1)
        hit = (probabilities.argmax(axis=1) == y).astype(np.float64)
        about = "the chosen class"
    p = np.clip(p.astype(np.float64), 0.0, 1.0)
    place = _equal_mass(p, w, max(min(bins, count // 15), 2))
    mass = np.bincount(place, w)
    kept = mass > 0
    total = float(mass.sum())
    predicted = np.bincount(place, w * p)[kept] / mass[kept]
    observed = np.bincount(place, w * hit)[kept] / mass[kept]
    rows = np.bincount(place)[kept]
    share = mass[kept] / total
    error = float(share @ np.abs(predicted - observed))
    found = tuple(
        Bin(a, b, c) for a, b, c in zip(predicted.tolist(), observed.tolist(), rows.tolist(), strict=True)
    )
    return Calibration(bins=found, error=error, chance=_chance(p, w, place, seed), about=about)


def _equal_mass(p: RealArray, w: RealArray, bins: int) -> NDArray[np.int64]:
    """A bin for each row; equal values share one."""
    values, inverse = np.unique(p, return_inverse=True)
    mass = np.bincount(inverse, w, len(values))
    middle = (np.cumsum(mass) - mass / 2) / max(float(mass.sum()), 1e-300)
    of_value = np.minimum((middle * bins).astype(np.int64), bins - 1)
    found: NDArray[np.int64] = of_value[inverse]
    return found


def _chance(p: RealArray, w: RealArray, place: NDArray[np.int64], seed: int) -> float:
    """The calibration error that perfect probabilities stay below in 95 of 100 draws of the answers.

    The sum of (answer - p) over a bin has variance sum p (1 - p); with some ten rows it is normal enough for
    this.
    """
    spread = np.sqrt(np.bincount(place, w**2 * p * (1 - p)))
    draws = np.random.default_rng(seed).standard_normal((_SIMULATIONS, len(spread))) * spread
    return float(np.quantile(np.abs(draws).sum(axis=1) / max(float(w.sum()), 1e-300), 0.95))


def coverage(
    y: NDArray[Any],
    prediction: NDArray[Any],
    weights: NDArray[Any] | None = None,
    *,
    levels: Sequence[float] = _LEVELS,
    seed: int = 0,
) -> Calibration:
    """Whether intervals made from residuals hold what they promise, and quantiles of the residuals.

    An interval is made from four fifths of the rows and tried on the other fifth, for each fifth.

    Args:
        y: Answers, [N].
        prediction: Predictions, [N].
        weights: How much each row counts, [N].
        levels: Shares that intervals promise to hold.
        seed: For the division of the rows.
    """
    residuals = np.asarray(y, np.float64) - np.asarray(prediction, np.float64)
    count = len(residuals)
    if count < 2 * _FOLDS:
        return Calibration()
    w = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    fold = np.random.default_rng(seed).permutation(np.arange(count) % _FOLDS)
    held = np.zeros((len(levels), count))
    for k in range(_FOLDS):
        ends = [((1 - level) / 2, (1 + level) / 2) for level in levels]
        quantiles = _quantiles(residuals[fold != k], w[fold != k], [q for pair in ends for q in pair])
        test = residuals[fold == k]
        for i in range(len(levels)):
            held[i, fold == k] = (test >= quantiles[2 * i]) & (test <= quantiles[2 * i + 1])
    observed = (held @ w / w.sum()).tolist()
    values = _quantiles(residuals, w, _QUANTILES).tolist()
    return Calibration(
        coverage=tuple(Coverage(a, b) for a, b in zip(levels, observed, strict=True)),
        residuals=tuple(Quantile(a, b) for a, b in zip(_QUANTILES, values, strict=True)),
    )


def _quantiles(values: RealArray, weights: RealArray, levels: Sequence[float]) -> RealArray:
    """Weighted quantiles, linear between the values."""
    order = np.argsort(values, kind="stable")
    mass = weights[order]
    middle = np.cumsum(mass) - mass / 2
    found: RealArray = np.interp(np.asarray(levels) * mass.sum(), middle, values[order])
    return found
