"""Would more rows help? A learning curve through a few points, its forecast, and words for it.

The loss after n rows is taken to be `a + b * n ** -c` with a at or above the best possible loss, b >= 0 and
0 < c <= 1.5 (the form that fits learning curves best, Viering and Loog, 2022). Three to five points do not
determine three numbers, so every curve that could be true is weighed by how well it explains the points
(Bayes' rule on a grid), and the forecast is what these say together. That is why its interval can be believed
where the best-fitting curve's can not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.model.report import Curve, CurvePoint, Forecast
from meristem.model.sentences import the_metric
from meristem.model.words import number

RealArray = NDArray[np.float64]

Point = CurvePoint | tuple[int, float] | tuple[int, float, float | None]

_LOWEST_POWER, _HIGHEST_POWER = 0.02, 1.5
_USUAL_POWER, _POWER_SPREAD = 0.5, 0.6  # of log c: powers from 0.15 to 1.6 are likely
# Measured on five tables (logistic, ridge, forest; 8 draws each): the loss after training on other rows
# varies by 1 to 9 % relative at all rows, and by 2 to 6 times that at an eighth of them. With these values 47
# of 50 intervals held the loss that was then measured at twice the rows.
_USUAL_NOISE = 0.03  # relative, at all rows, before the points have spoken
_STEADIER = 0.4  # noise falls with this power of the rows
_NOISE_BELIEF = 3.0  # how many points the usual noise is worth
_GRID = (31, 31, 21)  # level at all rows, share that more rows can not take away, power
_ZOOMS = 3


def forecast(points: Iterable[Point], *, metric: str = "loss", greater: bool | None = None) -> Curve:
    """The curve through a few points, and what it says about twice the rows.

    Args:
        points: (rows, loss), with a standard error of the loss as a third where known; or `CurvePoint`s.
            Several for the same number of rows (other seeds) are averaged, and their spread is their standard
            error.
        metric: The loss's name, for the words. A name from `meristem.task.objective.METRICS` also says what
            the best possible value is; for others it is 0, or unknown where a loss is negative.
        greater: Whether the loss is minus a score of which more is better. None: as `METRICS` says, else no.

    Returns:
        A curve without a forecast where fewer than three numbers of rows are given.
    """
    merged = _merge(points)
    floor, greater = _floor(metric, greater, merged)
    if len(merged) < 3:
        return Curve(tuple(merged), None, "Too few points to say whether more rows would help.")
    above = np.array([p.loss for p in merged]) - floor
    if above[-1] <= 1e-9 * max(float(above[0]), 1e-300):
        return Curve(
            tuple(merged),
            None,
            "On the rows held out for this, no error is left that more rows could take away.",
        )
    rows = np.array([p.rows for p in merged], np.float64)
    spreads = [p.spread for p in merged]
    known = None
    if all(s is not None and s > 0 for s in spreads):
        known = np.array([s for s in spreads if s is not None])
    posterior = _Posterior.of(rows, above, known)
    middle, low, high = posterior.at_double()
    a, b, c = posterior.curve(middle)
    found = Forecast(a + floor, b, c, middle + floor, low + floor, high + floor)
    return Curve(tuple(merged), found, _words(posterior, metric, bool(greater)))


def _merge(points: Iterable[Point]) -> list[CurvePoint]:
    """One point for each number of rows, fewest first."""
    by_rows: dict[int, list[CurvePoint]] = {}
    for point in points:
        p = point if isinstance(point, CurvePoint) else CurvePoint(int(point[0]), float(point[1]), *point[2:])
        if p.rows > 0 and math.isfinite(p.loss):
            by_rows.setdefault(p.rows, []).append(p)
    merged = []
    for rows, same in sorted(by_rows.items()):
        losses = np.array([p.loss for p in same])
        spread = same[0].spread if len(same) == 1 else float(losses.std(ddof=1)) / math.sqrt(len(same))
        merged.append(CurvePoint(rows, float(losses.mean()), spread))
    return merged


def _floor(metric: str, greater: bool | None, points: Sequence[CurvePoint]) -> tuple[float, bool]:
    """The best loss there can be, and whether the score is better when greater."""
    from meristem.task.objective import METRICS

    known = METRICS.get(metric)
    if known is not None:
        greater = known.greater if greater is None else greater
        if known.limit is not None:
            return (-known.limit if known.greater else known.limit), greater
    losses = [p.loss for p in points] or [0.0]
    if min(losses) >= 0:
        return 0.0, bool(greater)
    # Nothing is known about the best value: what was gained so far may be gained three times more.
    return min(losses) - 3 * (max(losses) - min(losses)) - 0.05 * abs(min(losses)), bool(greater)


@dataclass(frozen=True)
class _Posterior:
    """Curves with their weights.

    A curve is (level, kept, power): its loss at all rows, the share of that loss which no number of rows
    takes away, and c. So a = level * kept and b = level * (1 - kept) * most ** c, and at twice the rows the
    loss is level * (kept + (1 - kept) * 2 ** -c).
    """

    most: float
    level: RealArray
    kept: RealArray
    power: RealArray
    weight: RealArray

    @classmethod
    def of(cls, rows: RealArray, losses: RealArray, spreads: RealArray | None) -> _Posterior:
        """Weigh a grid of curves, then finer ones where the weight is."""
        most = float(rows[-1])
        scale = float(losses[-1])
        reach = max(0.7, float(np.ptp(np.log(np.maximum(losses, 1e-12 * scale)))))
        bounds = [
            (math.log(scale) - reach, math.log(scale) + reach),
            (0.0, 1.0),
            (math.log(_LOWEST_POWER), math.log(_HIGHEST_POWER)),
        ]
        for zoom in range(_ZOOMS):
            axes = [np.linspace(low, high, size) for (low, high), size in zip(bounds, _GRID, strict=True)]
            level, kept, power = (g.ravel() for g in np.meshgrid(*axes, indexing="ij"))
            weight = _weigh(rows, losses, spreads, np.exp(level), kept, np.exp(power))
            if zoom + 1 < _ZOOMS:
                bounds = [
                    _support(axis, values, weight)
                    for axis, values in zip(axes, (level, kept, power), strict=True)
                ]
        return cls(most, np.exp(level), kept, np.exp(power), weight)

    def ratio(self) -> RealArray:
        """For each curve the loss at twice the rows, as a share of the loss at all rows."""
        found: RealArray = self.kept + (1 - self.kept) * 2.0**-self.power
        return found

    def at_double(self) -> tuple[float, float, float]:
        """The loss at twice the rows: median and 95 % interval."""
        return self._quantiles(self.level * self.ratio())

    def gain(self) -> tuple[float, float, float]:
        """The share of the loss that twice the rows take away: median and 95 % interval."""
        return self._quantiles(1 - self.ratio())

    def _quantiles(self, values: RealArray) -> tuple[float, float, float]:
        order = np.argsort(values, kind="stable")
        mass = np.cumsum(self.weight[order]) - self.weight[order] / 2
        low, middle, high = np.interp([0.025, 0.5, 0.975], mass, values[order]).tolist()
        return middle, low, high

    def curve(self, at_double: float) -> tuple[float, float, float]:
        """a, b and c of the likeliest curve among those that pass nearly through the forecast."""
        end = self.level * self.ratio()
        near = np.abs(end - at_double) <= 0.005 * at_double
        if not near.any():
            near = np.abs(end - at_double) <= np.abs(end - at_double).min() * 1.001
        best = int(np.argmax(np.where(near, self.weight, -1.0)))
        level, kept, power = float(self.level[best]), float(self.kept[best]), float(self.power[best])
        return level * kept, level * (1 - kept) * self.most**power, power


def _weigh(
    rows: RealArray,
    losses: RealArray,
    spreads: RealArray | None,
    level: RealArray,
    kept: RealArray,
    power: RealArray,
) -> RealArray:
    """The weight of each curve [G], summing to 1."""
    shape = (rows / rows[-1])[:, None] ** -power
    expected = level * (kept + (1 - kept) * shape)
    # A level may be anything, so its logarithm is flat; so is `kept`. Powers are mostly near a half.
    log_prior = -0.5 * (np.log(power / _USUAL_POWER) / _POWER_SPREAD) ** 2
    if spreads is not None:
        # A standard error from few seeds is itself uncertain; nothing is known better than to half a per
        # cent.
        sigma = np.hypot(spreads, 0.005 * np.abs(losses))[:, None]
        score = log_prior - 2.5 * np.log1p((((losses[:, None] - expected) / sigma) ** 2) / 4).sum(axis=0)
    else:
        # Relative errors, normal with an unknown size that is integrated out (inverse gamma).
        floor = 1e-12 * float(losses.max())
        errors = np.log(np.maximum(losses, floor))[:, None] - np.log(np.maximum(expected, floor))
        errors *= ((rows / rows[-1]) ** _STEADIER)[:, None]
        total = (errors**2).sum(axis=0) + _NOISE_BELIEF * _USUAL_NOISE**2
        score = log_prior - 0.5 * (_NOISE_BELIEF + len(rows)) * np.log(total)
    weight = np.exp(score - score.max())
    found: RealArray = weight / weight.sum()
    return found


def _support(axis: RealArray, values: RealArray, weight: RealArray) -> tuple[float, float]:
    """The part of an axis that holds nearly all of the weight, and one step more at each end."""
    mass = np.bincount(np.searchsorted(axis, values), weight, len(axis))
    reached = np.cumsum(mass)
    low = max(int(np.searchsorted(reached, 1e-4)) - 1, 0)
    high = min(int(np.searchsorted(reached, 1 - 1e-4)) + 1, len(axis) - 1)
    return float(axis[low]), float(axis[high])


def _words(posterior: _Posterior, metric: str, greater: bool) -> str:
    """What the forecast means for a person who could get more rows."""
    middle, low, high = posterior.gain()
    name = the_metric(metric)
    if greater:
        # A share of the distance to the best value says little; the score's own unit says it.
        level = float(posterior.level @ posterior.weight)
        shown: list[Any] = [number(level * g, 2) for g in (middle, low, high)]
        verb, unit = "raise", ""
    else:
        shown = [
            f"{100 * g:.0f}" if g >= 0.0995 else f"{100 * g:.1f}".removesuffix(".0")
            for g in (middle, low, high)
        ]
        verb, unit = "lower", " %"
    if high < 0.03 or (middle < 0.015 and low < 0.003):
        most = f"twice the rows would {verb} {name} by at most {shown[2]}{unit}"
        return f"No sign that more rows would help: {most}."
    text = f"Twice the rows would {verb} {name} by about {shown[0]}{unit}"
    text += f" (between {shown[1]} and {shown[2]}{unit})."
    if high - low > 0.3:
        return text + " That is a wide range: the points do not say more."
    return text
