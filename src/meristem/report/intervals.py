"""95 % intervals of a score, by the bootstrap: how much it would differ on other rows of the same kind.

Rows that belong together (groups) are drawn together. A mean over rows gets the better interval: corrected
for bias and skewness (BCa: Efron, 1987), widened for few rows (Hesterberg, 2015, section 4.5), and Wilson's
where every row counts 0 or 1. Any other metric gets the plain bootstrap, within a time limit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

RealArray = NDArray[np.float64]
Interval = tuple[float | None, float | None]
"""Low and high; both None where no interval can be given."""

MetricFunction = Callable[[NDArray[Any], NDArray[Any], RealArray | None], float]
"""(answers [N], predictions [N] or [N, K], weights [N] or None) -> score."""

UNKNOWN: Interval = (None, None)
_LEVEL = 0.95
_MOST_UNITS = 5_000  # more rows than this are summed into random blocks first: the interval is the same
_BLOCKS = 2_000
_MOST_ROWS = 20_000  # a metric that is no mean is drawn on so many rows, and its spread scaled
_PROBE = 30
_FEWEST = 40  # resamples, for any interval at all
_CHUNK = 400_000  # draws at a time; bounds the memory


def bootstrap_mean(
    values: NDArray[Any],
    *,
    rng: np.random.Generator,
    weights: NDArray[Any] | None = None,
    groups: NDArray[Any] | None = None,
    repeats: int = 1000,
    transform: Callable[[RealArray], RealArray] | None = None,
) -> Interval:
    """The 95 % interval of a (weighted) mean over rows.

    Args:
        values: What each row adds, [N], finite.
        rng: Source of all randomness.
        weights: How much each row counts, [N], not negative.
        groups: A number for each row [N]; rows of one group are drawn together.
        repeats: Resamples. 1000 puts the ends within about a tenth of the interval's half width.
        transform: Applied to the mean, rising; the square root makes an RMSE from squared errors.

    >>> low, high = bootstrap_mean(np.arange(100.0), rng=np.random.default_rng(0))
    >>> round(low), round(high)
    (44, 55)
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2 or not np.isfinite(values).all():
        return UNKNOWN
    shape = transform or (lambda mean: mean)
    if weights is None and groups is None and np.isin(values, (0.0, 1.0)).all():
        ends = shape(np.array(_wilson(float(values.mean()), len(values))))
        return float(ends[0]), float(ends[1])
    above, below = _units(values, weights, groups, rng)
    count = len(above)
    if count < 2 or below.sum() <= 0:
        return UNKNOWN
    means: list[RealArray] = []
    step = max(_CHUNK // count, 1)
    for start in range(0, repeats, step):
        drawn = rng.integers(0, count, (min(step, repeats - start), count))
        mass = below[drawn].sum(axis=1)
        usable = mass > 0
        means.append(above[drawn].sum(axis=1)[usable] / mass[usable])
    estimate = float(shape(np.array([above.sum() / below.sum()]))[0])
    left_out = shape(_without_each(above, below))
    return _bca(np.sort(shape(np.concatenate(means))), estimate, left_out)


def bootstrap(
    y: NDArray[Any],
    prediction: NDArray[Any],
    metric: MetricFunction,
    *,
    rng: np.random.Generator,
    weights: NDArray[Any] | None = None,
    groups: NDArray[Any] | None = None,
    repeats: int = 1000,
    seconds: float = 1.0,
) -> Interval:
    """The 95 % interval of any metric.

    Args:
        y: Answers, [N].
        prediction: Predictions, [N] or [N, K].
        metric: The score of answers, predictions and weights. Never called with fewer than one row.
        rng: Source of all randomness.
        weights: How much each row counts, [N].
        groups: A number for each row [N]; rows of one group are drawn together.
        repeats: The most resamples.
        seconds: Wall time to stay within. When it ends early, so does the drawing: an interval needs 40
            resamples.
    """
    end = time.monotonic() + seconds
    count = len(y)
    if count < 2:
        return UNKNOWN
    score = metric(y, prediction, weights)
    began = time.monotonic()
    kind = _mean_kind(y, prediction, metric, weights, rng)
    one = (time.monotonic() - began) / (2 * _PROBE)
    if kind and count * one < 0.6 * (end - time.monotonic()):
        each = np.array([metric(y[k : k + 1], prediction[k : k + 1], None) for k in range(count)], np.float64)
        # A few rows may agree by chance (all of them right, say): the mean of all must be the score.
        whole = float(np.average(each if kind == "mean" else each**2, weights=weights))
        if not math.isclose(
            whole if kind == "mean" else math.sqrt(max(whole, 0.0)), score, rel_tol=1e-6, abs_tol=1e-9
        ):
            kind = ""
        if kind == "mean":
            return bootstrap_mean(each, rng=rng, weights=weights, groups=groups, repeats=repeats)
        if kind == "root":
            return bootstrap_mean(
                each**2, rng=rng, weights=weights, groups=groups, repeats=repeats, transform=np.sqrt
            )
    members = None if groups is None else _members(groups)
    units = count if members is None else len(members)
    if units < 2:
        return UNKNOWN
    drawn_units = min(units, max(int(units * _MOST_ROWS / count), 2))
    scores: list[float] = []
    tried = 0
    while tried < repeats and (tried < 3 or time.monotonic() < end):
        tried += 1
        drawn = rng.integers(0, units, drawn_units)
        rows = drawn if members is None else np.concatenate([members[k] for k in drawn])
        try:
            value = metric(y[rows], prediction[rows], None if weights is None else weights[rows])
        except Exception:  # a metric may be the user's, and a resample may lack what it needs (a class, say)
            continue
        if math.isfinite(value):
            scores.append(float(value))
    if len(scores) < max(_FEWEST, 0.9 * tried):
        return UNKNOWN
    return _plain(np.sort(np.array(scores)), score, units, drawn_units)


def _mean_kind(
    y: NDArray[Any],
    prediction: NDArray[Any],
    metric: MetricFunction,
    weights: NDArray[Any] | None,
    rng: np.random.Generator,
) -> str:
    """`mean` or `root` if a metric is the mean of itself over single rows, or the root of the mean square."""
    rows = rng.choice(len(y), min(_PROBE, len(y)), replace=False)
    w = None if weights is None else weights[rows]
    if w is not None and w.sum() <= 0:
        return ""
    try:
        each = np.array(
            [metric(y[k : k + 1], prediction[k : k + 1], None) for k in rows.tolist()], np.float64
        )
        together = float(metric(y[rows], prediction[rows], w))
    except Exception:  # the same as above: what fails on one row is no mean over rows
        return ""
    if not (np.isfinite(each).all() and math.isfinite(together)):
        return ""
    if math.isclose(float(np.average(each, weights=w)), together, rel_tol=1e-9, abs_tol=1e-12):
        return "mean"
    if (each >= 0).all() and math.isclose(
        math.sqrt(float(np.average(each**2, weights=w))), together, rel_tol=1e-9, abs_tol=1e-12
    ):
        return "root"
    return ""


def _members(groups: NDArray[Any]) -> list[NDArray[np.int64]]:
    """The rows of each group."""
    _, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.split(np.argsort(inverse, kind="stable"), np.cumsum(sizes)[:-1])


def _units(
    values: RealArray, weights: NDArray[Any] | None, groups: NDArray[Any] | None, rng: np.random.Generator
) -> tuple[RealArray, RealArray]:
    """What is drawn, as the numerator and the denominator that each unit adds to the mean."""
    below = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    above = values * below
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        above, below = _sums(group, above), _sums(group, below)
    if len(above) > _MOST_UNITS:
        # Sums of equally many random rows vary as rows do, a thousandth as often.
        block = rng.permutation(np.arange(len(above)) % _BLOCKS)
        above, below = _sums(block, above), _sums(block, below)
    return above, below


def _sums(place: NDArray[np.int64], values: RealArray) -> RealArray:
    return np.bincount(place, values).astype(np.float64)


def _without_each(above: RealArray, below: RealArray) -> RealArray:
    """The mean without each unit in turn."""
    rest = below.sum() - below
    found: RealArray = (above.sum() - above) / np.where(rest > 0, rest, below.sum())
    return found


def _bca(sorted_: RealArray, estimate: float, left_out: RealArray) -> Interval:
    from scipy.special import ndtr, ndtri

    if len(sorted_) < _FEWEST or not np.isfinite(sorted_).all():
        return UNKNOWN
    if sorted_[0] == sorted_[-1]:
        return float(sorted_[0]), float(sorted_[-1])
    gaps = left_out.mean() - left_out
    power = float((gaps**2).sum()) ** 1.5
    skew = float((gaps**3).sum()) / (6 * power) if power > 0 else 0.0
    below = (np.searchsorted(sorted_, estimate, "left") + np.searchsorted(sorted_, estimate, "right")) / 2
    bias = float(ndtri(min(max(below / len(sorted_), 0.02), 0.98)))
    ends = []
    for z in (-_spread(len(left_out)), _spread(len(left_out))):
        moved = bias + z
        # Where the correction is larger than what it corrects, it is left out.
        level = bias + moved / (1 - skew * moved) if 1 - skew * moved > 0.3 else z
        ends.append(float(np.quantile(sorted_, float(ndtr(level)))))
    return ends[0], ends[1]


def _plain(sorted_: RealArray, score: float, units: int, drawn: int) -> Interval:
    """The interval of a metric that is no mean, from its values on resamples of `drawn` out of `units`."""
    from scipy.special import ndtr

    z = _spread(units)
    if drawn < units or len(sorted_) < 200:
        # Too few resamples for their own ends, or resamples smaller than the data: the normal shape with
        # their spread, which falls with the root of the number of units.
        half = z * float(sorted_.std(ddof=1)) * math.sqrt(drawn / units)
        return score - half, score + half
    low, high = np.quantile(sorted_, [float(ndtr(-z)), float(ndtr(z))])
    return float(low), float(high)


def _spread(count: int) -> float:
    """How many standard errors reach each way: 1.96, or more where there are few units."""
    from scipy.special import stdtrit

    return float(stdtrit(count - 1, (1 + _LEVEL) / 2)) * math.sqrt(count / (count - 1))


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval of a share; it holds at 0 and 1 too."""
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(middle - half, 0.0), min(middle + half, 1.0)
