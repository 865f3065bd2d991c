"""A smooth stand-in for an unknown function of scattered points: a polynomial, for its slopes.

It only proposes: whatever is built on its slopes is checked on the data themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from meristem.search.formulas.expressions import Reals

_SHARE = 0.55  # of the rows, as many coefficients at most
_HIGHEST = 18  # power of one variable in a polynomial whose terms are chosen
_MOST = 420  # coefficients, so that a fit takes under a tenth of a second


@dataclass(frozen=True, eq=False)
class Surrogate:
    """The slopes of a function at its points.

    Args:
        slopes: Of the target by each variable [N, k].
        error: The root mean square of what it misses on points held out, over the target's spread.
        form: How it was fitted.
        inner: Rows [M] away from the border of the data, where the slopes are good.
        relative: Whether the errors are shares of the target's size, row by row.
    """

    slopes: Reals
    error: float
    form: str
    inner: NDArray[np.intp]
    relative: bool


def exponents(width: int, degree: int) -> list[tuple[int, ...]]:
    """The exponents of all monomials up to a degree, by degree."""
    rows: list[tuple[int, ...]] = []
    for total in range(degree + 1):
        for chosen in combinations_with_replacement(range(width), total):
            row = [0] * width
            for j in chosen:
                row[j] += 1
            rows.append(tuple(row))
    return rows


def _count(width: int, degree: int) -> int:
    number = 1
    for j in range(degree):
        number = number * (width + j + 1) // (j + 1)
    return number


@dataclass(frozen=True, eq=False)
class _View:
    """A target as it is fitted: in which coordinates, of what function of it."""

    name: str
    coordinates: Reals
    stretch: Reals
    values: Reals
    back: Reals

    def surrogate(self, powers: list[tuple[int, ...]], error: float) -> Surrogate:
        fitted = _solve(_basis(self.coordinates, powers), self.values)
        slopes: Reals = _slopes(self.coordinates, powers, fitted) * self.stretch * self.back[:, None]
        inner = np.argsort(np.abs(self.coordinates).max(axis=1), kind="stable")[
            : max(20, len(self.values) // 2)
        ]
        relative = self.name.startswith(("log y", "1/y"))
        return Surrogate(slopes, error, f"{self.name}, {len(powers)} terms", inner, relative)


def surrogates(columns: Reals, target: Reals, rng: np.random.Generator) -> Iterator[Surrogate | None]:
    """Surrogates in several coordinates; yields None after each fit that is not of use.

    First polynomials of all terms up to a degree. Where these are poor, polynomials that grow by the terms that help
    most: a wave in two variables needs a high degree in these, not in the others.
    """
    total = len(target)
    order = rng.permutation(total)
    held, kept = order[: total // 6], order[total // 6 :]
    views = list(_views(columns, target))
    least = 1.0
    for view in views:
        best: tuple[float, int] | None = None
        worse = 0
        for degree in range(1, 13):
            if _count(columns.shape[1], degree) > min(_MOST, _SHARE * total):
                break
            error = _error(view, exponents(columns.shape[1], degree), kept, held)
            yield None
            if best is None or error < best[0]:
                best, worse = (error, degree), 0
            else:
                worse += 1
            if best[0] < 1e-11 or worse == 2:
                break
        if best is None or best[0] > 0.3:
            continue
        least = min(least, best[0])
        yield view.surrogate(exponents(columns.shape[1], best[1]), best[0])
    if least < 3e-3 or columns.shape[1] < 2:
        return
    for view in views:
        if view.name.startswith(("y,", "log y,")):
            yield from _grown(view, kept, held)


def _error(
    view: _View, powers: list[tuple[int, ...]], kept: NDArray[np.intp], held: NDArray[np.intp]
) -> float:
    rows = _basis(view.coordinates, powers)
    fitted = _solve(rows[kept], view.values[kept])
    return float(np.sqrt(np.mean((rows[held] @ fitted - view.values[held]) ** 2)) / view.values.std())


def held_out_error(
    columns: Reals, target: Reals, kept: NDArray[np.intp], held: NDArray[np.intp], most: int
) -> float:
    """What a polynomial of at most so many terms misses on rows held out, over the spread: the best of a few views."""
    degree, most = 1, min(most, int(0.6 * len(kept)))
    while _count(columns.shape[1], degree + 1) <= most and degree < 10:
        degree += 1
    powers = exponents(columns.shape[1], degree)
    views = [
        v for v in _views(columns, target) if v.name.startswith(("y,", "log y, log", "y squared, plain"))
    ]
    return min((_error(view, powers, kept, held) for view in views), default=np.inf)


def _grown(view: _View, kept: NDArray[np.intp], held: NDArray[np.intp]) -> Iterator[Surrogate | None]:
    """A polynomial whose terms are chosen: those next to the ones there are that go best with what is left over."""
    width = view.coordinates.shape[1]
    value, _ = _chebyshev(view.coordinates, _HIGHEST)
    powers = exponents(width, 1)
    columns = [_term(value, row) for row in powers]
    spread = float(view.values.std())
    near: dict[tuple[int, ...], Reals] = {}
    best: tuple[float, int] = (np.inf, 0)
    while len(powers) <= min(_MOST, _SHARE * len(view.values)):
        rows = np.stack(columns, axis=1)
        fitted = _solve(rows[kept], view.values[kept])
        left = view.values - rows @ fitted
        error = float(np.sqrt(np.mean(left[held] ** 2))) / spread
        yield None
        if error < best[0]:
            best = (error, len(powers))
        elif len(powers) > 1.8 * best[1] + 20:
            break
        if error < 1e-9:
            break
        there = set(powers)
        for row in powers:
            for j in range(width):
                following = (*row[:j], row[j] + 1, *row[j + 1 :])
                if following in there or following in near or following[j] > _HIGHEST:
                    continue
                if all(
                    not p or (*following[:i], p - 1, *following[i + 1 :]) in there
                    for i, p in enumerate(following)
                ):
                    near[following] = _term(value, following)
        if not near:
            break
        names = list(near)
        waiting = np.stack([near[name][kept] for name in names])
        strength = np.abs(waiting @ left[kept]) / np.sqrt((waiting * waiting).sum(axis=1))
        for at in np.argsort(-strength, kind="stable")[: max(3, len(powers) // 7)].tolist():
            powers.append(names[at])
            columns.append(near.pop(names[at]))
    if best[0] < 0.3:
        yield view.surrogate(powers[: best[1]], best[0])


def _term(value: Reals, row: tuple[int, ...]) -> Reals:
    result = np.ones(value.shape[1])
    for j, power in enumerate(row):
        if power:
            result = result * value[power][:, j]
    return result


def _views(columns: Reals, target: Reals) -> Iterator[_View]:
    total, width = columns.shape
    logs = [bool((columns[:, j] > 0).all()) for j in range(width)]
    forms = [("plain", [False] * width)]
    if any(logs):
        forms.append(("log", logs))
    shown: list[tuple[str, Reals, Reals]] = [("y", target, np.ones(total))]
    if (target > 0).all() or (target < 0).all():
        size = np.abs(target)
        shown.append(("log y", np.log(size), target))
        shown.append(("y squared", target * target, 0.5 / target))
        shown.append(("1/y", 1 / target, -target * target))
    for form, log in forms:
        coordinates, stretch = _coordinates(columns, log)
        for name, values, back in shown:
            if np.isfinite(values).all() and values.std() > 0:
                yield _View(f"{name}, {form}", coordinates, stretch, values, back)


def _coordinates(columns: Reals, log: list[bool]) -> tuple[Reals, Reals]:
    """Columns brought to -1..1, after logarithms where said; and the slope of each by its column [N, k]."""
    moved = columns.copy()
    slope = np.ones_like(columns)
    for j, use in enumerate(log):
        if use:
            moved[:, j] = np.log(columns[:, j])
            slope[:, j] = 1 / columns[:, j]
    low, high = moved.min(axis=0), moved.max(axis=0)
    half = np.where(high > low, (high - low) / 2, 1.0)
    return (moved - (low + high) / 2) / half, slope / half


def _chebyshev(coordinates: Reals, degree: int) -> tuple[Reals, Reals]:
    """Chebyshev polynomials [degree + 1, N, k] and their slopes."""
    value = np.ones((degree + 1, *coordinates.shape))
    slope = np.zeros_like(value)
    if degree:
        value[1], slope[1] = coordinates, 1.0
    for n in range(2, degree + 1):
        value[n] = 2 * coordinates * value[n - 1] - value[n - 2]
        slope[n] = 2 * value[n - 1] + 2 * coordinates * slope[n - 1] - slope[n - 2]
    return value, slope


def _basis(coordinates: Reals, powers: list[tuple[int, ...]]) -> Reals:
    value, _ = _chebyshev(coordinates, max(map(max, powers)))
    rows = np.ones((len(powers), len(coordinates)))
    for i, row in enumerate(powers):
        for j, power in enumerate(row):
            if power:
                rows[i] *= value[power][:, j]
    return rows.T


def _solve(rows: Reals, values: Reals) -> Reals:
    if rows.shape[1] > rows.shape[0]:
        return np.asarray(np.linalg.lstsq(rows, values, rcond=1e-12)[0], np.float64)
    q, r = np.linalg.qr(rows)
    size = np.abs(np.diag(r))
    if size.min() > 1e-10 * size.max():
        return np.asarray(np.linalg.solve(r, q.T @ values), np.float64)
    return np.asarray(np.linalg.lstsq(rows, values, rcond=1e-12)[0], np.float64)


def _slopes(coordinates: Reals, powers: list[tuple[int, ...]], fitted: Reals) -> Reals:
    value, slope = _chebyshev(coordinates, max(map(max, powers)))
    result = np.zeros_like(coordinates)
    for weight, row in zip(fitted, powers, strict=True):
        for by, power in enumerate(row):
            if not power:
                continue
            part = weight * slope[power][:, by]
            for j, other in enumerate(row):
                if other and j != by:
                    part = part * value[other][:, j]
            result[:, by] += part
    return result


__all__ = ["Surrogate", "exponents", "held_out_error", "surrogates"]
