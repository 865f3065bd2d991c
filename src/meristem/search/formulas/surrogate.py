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


def surrogates(columns: Reals, target: Reals, rng: np.random.Generator) -> Iterator[Surrogate | None]:
    """Surrogates in several coordinates; yields None after each fit that is not of use."""
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
    order = rng.permutation(total)
    held = order[: total // 6]
    kept = order[total // 6 :]
    for form, log in forms:
        coordinates, stretch = _coordinates(columns, log)
        for name, values, back in shown:
            spread = float(values.std())
            if not np.isfinite(spread) or spread == 0:
                continue
            best: tuple[float, int] | None = None
            worse = 0
            for degree in range(1, 13):
                terms = _count(width, degree)
                if terms > min(_MOST, _SHARE * total):
                    break
                rows = _basis(coordinates, exponents(width, degree))
                fitted = _solve(rows[kept], values[kept])
                error = float(np.sqrt(np.mean((rows[held] @ fitted - values[held]) ** 2))) / spread
                yield None
                if best is None or error < best[0]:
                    best, worse = (error, degree), 0
                else:
                    worse += 1
                if best[0] < 1e-11 or worse == 2:
                    break
            if best is None or best[0] > 0.3:
                continue
            powers = exponents(width, best[1])
            fitted = _solve(_basis(coordinates, powers), values)
            slopes: Reals = _slopes(coordinates, powers, fitted) * stretch * back[:, None]
            inner = np.argsort(np.abs(coordinates).max(axis=1), kind="stable")[: max(20, total // 2)]
            yield Surrogate(
                slopes, best[0], f"{name}, {form}, degree {best[1]}", inner, name in ("log y", "1/y")
            )


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


__all__ = ["Surrogate", "exponents", "surrogates"]
