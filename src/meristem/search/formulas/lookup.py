"""Meeting in the middle: what a target leaves after a step and a factor or summand is looked up in a bank.

Looked up are `a * e + b` and `a * e ** p` for any numbers a, b, p: both are one key, of the values brought to
(v - v0) / (v1 - v0), plainly or by their logarithms. So a target y is found as u((a * f + b) op e) for a function u of
one argument, an entry e of the front of the bank and any entry f.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from meristem.search.formulas.bank import Bank
from meristem.search.formulas.constants import rational
from meristem.search.formulas.expressions import (
    Expr,
    Reals,
    add,
    constant,
    divide,
    evaluate,
    multiply,
    raised,
    subtract,
    weighted_sum,
)
from meristem.search.formulas.goals import STEPS, Goal, Inside, Rebuild, inside_of, insides
from meristem.search.formulas.keys import Indices, Keys, affine, row_keys

_CHUNK = 20_000
_BLOCK = 150_000  # entries of a table: sorting them takes well under a tenth of a second


@dataclass(frozen=True, eq=False)
class Table:
    """Keys of the entries of a bank, sorted."""

    keys: Keys
    where: Indices

    def find(self, keys: Keys) -> tuple[Indices, Indices]:
        """Positions of the keys that are there, and the entries they name."""
        if not len(self.keys):
            empty = np.zeros(0, np.int64)
            return empty, empty
        at = np.searchsorted(self.keys, keys)
        at[at == len(self.keys)] = 0
        hit = np.flatnonzero(self.keys[at] == keys)
        return hit, self.where[at[hit]]


def _table(rows: Reals, start: int) -> Table:
    good = np.flatnonzero(np.isfinite(rows).all(axis=1))
    keys = row_keys(rows[good])
    order = np.argsort(keys, kind="stable")
    keys, good = keys[order], good[order]
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    return Table(keys[first], good[first] + start)


class Meeting:
    """Looks targets up in a bank.

    Args:
        goal: The goal.
        bank: A bank over the goal's variables at `probes`.
        probes: Rows of the goal's columns at which the bank's values were taken.
    """

    def __init__(self, goal: Goal, bank: Bank, probes: Indices) -> None:
        self.goal, self.bank, self.probes = goal, bank, probes
        self.tables: list[tuple[Table, bool]] = []
        self.looked = 0

    def prepare(self) -> Iterator[None]:
        """Make the tables of keys, plain and of logarithms; yields between blocks."""
        for start in range(0, self.bank.count, _BLOCK):
            values = self.bank.values[start : min(start + _BLOCK, self.bank.count)]
            with np.errstate(all="ignore"):
                self.tables.append((_table(affine(values), start), False))
                yield None
                self.tables.append((_table(affine(np.log(np.abs(values))), start), True))
            yield None

    def direct(self, depth: int) -> Iterator[Expr | None]:
        """The target and what is inside it, by steps only."""
        part: list[Inside] = []
        # The steps are taken at the probes; only a hit has them taken at all rows.
        for inside in insides(self.goal.target[self.probes], depth):
            part.append(inside)
            if len(part) == 300:
                yield from self._looked_up(part)
                part = []
        if part:
            yield from self._looked_up(part)

    def _looked_up(self, part: list[Inside]) -> Iterator[Expr | None]:
        for row, entry, logs in self._hits(np.stack([inside.values for inside in part])):
            values = inside_of(self.goal.target, part[row].steps)
            expr = None if values is None else self._fitted(values, entry, logs)
            if expr is not None:
                yield part[row].wrap(expr)
        yield None

    def with_factor(self, depth: int, most: int, then: int = 0) -> Iterator[Expr | None]:
        """The same after an entry among the first `most` is divided out or taken off, and up to `then` more steps."""
        count = min(most, self.bank.count)
        front = self.bank.values[:count]
        for inside in insides(self.goal.target, depth):
            own = inside.values[self.probes]
            for sign in ("over", "times", "less", "plus"):
                if sign in ("less", "plus") and then == 0:
                    continue  # the affine key with a factor covers it
                with np.errstate(all="ignore"):
                    rows = _joined(own, front, sign)
                for name, moved in _moved(rows, then, sign):
                    for start in range(0, count, _CHUNK):
                        for row, entry, logs in self._hits(moved[start : start + _CHUNK]):
                            yield self._check(inside, start + row, sign, name, entry, logs)
                        yield None

    def _hits(self, rows: Reals) -> Iterator[tuple[int, int, bool]]:
        self.looked += len(rows)
        with np.errstate(all="ignore"):
            for logs in (False, True):
                keyed = affine(np.log(np.abs(rows))) if logs else affine(rows)
                good = np.flatnonzero(np.isfinite(keyed).all(axis=1))
                if not len(good):
                    continue
                keys = row_keys(keyed[good])
                for table, of_logs in self.tables:
                    if of_logs == logs:
                        where, entries = table.find(keys)
                        for at, entry in zip(good[where][:50].tolist(), entries[:50].tolist(), strict=True):
                            yield at, entry, logs

    def _check(self, inside: Inside, front: int, sign: str, name: str, entry: int, logs: bool) -> Expr | None:
        other = self.bank.expr(front)
        values = evaluate(other, self.goal.columns)
        wrap: Rebuild = lambda e: e  # noqa: E731 - the step's own wrap takes its place
        with np.errstate(all="ignore"):
            target = _joined(inside.values, values, sign)
            if name:
                step = next(s for s in STEPS if s.name == name)
                target = step.forward(target)
                wrap = step.wrap
        if not np.isfinite(target).all():
            return None
        expr = self._fitted(target, entry, logs)
        if expr is None:
            return None
        back = {"over": multiply, "times": divide, "less": add, "plus": subtract}[sign]
        return inside.wrap(back(wrap(expr), other))

    def _fitted(self, target: Reals, entry: int, logs: bool) -> Expr | None:
        """`a * e + b` or `a * e ** p` with the numbers from all rows; None where it does not hold there."""
        expr = self.bank.expr(entry)
        values = evaluate(expr, self.goal.columns)
        if not np.isfinite(values).all():
            return None
        if logs:
            with np.errstate(all="ignore"):
                fit = line(np.log(np.abs(values)), np.log(np.abs(target)))
            if fit is None:
                return None
            exponent = rational(fit[0], 1e-7, 6)
            if exponent is None:
                return None
            power = float(exponent)
            if (values < 0).any() and exponent.denominator != 1:
                return None
            with np.errstate(all="ignore"):
                scale = float(np.median(target / values**power))
            return multiply(constant(scale), raised(expr, exponent))
        fit = line(values, target)
        if fit is None:
            return None
        terms = [(expr, fit[0])]
        if abs(fit[1]) > 1e-10 * float(np.abs(target).max()):
            terms.append((constant(1.0), fit[1]))
        return weighted_sum(terms)


def _joined(own: Reals, other: Reals, sign: str) -> Reals:
    if sign == "over":
        return own / other
    if sign == "times":
        return own * other
    return own - other if sign == "less" else own + other


def _moved(rows: Reals, then: int, sign: str) -> Iterator[tuple[str, Reals]]:
    if sign in ("over", "times"):
        yield "", rows
    if not then:
        return
    with np.errstate(all="ignore"):
        size = np.abs(rows)
        yield "square", np.where(np.all(rows >= 0, axis=1)[:, None], rows * rows, np.nan)
        yield "exp", np.exp(np.where(size < 30, rows, np.nan))
        yield "log", np.log(rows)
        yield "inverse", 1 / rows
        if then > 1:
            yield "asin", np.arcsin(rows)
            yield "acos", np.arccos(rows)
            yield "atanh", np.arctanh(rows)
            yield "sqrt", np.sqrt(rows)
            yield "sin", np.sin(np.where(size <= np.pi / 2, rows, np.nan))
            yield "cos", np.cos(np.where((rows >= 0) & (rows <= np.pi), rows, np.nan))


def line(values: Reals, target: Reals) -> tuple[float, float] | None:
    """Slope and intercept that hold at all rows to about eight digits."""
    if not (np.isfinite(values).all() and np.isfinite(target).all()):
        return None
    middle, mean = float(values.mean()), float(target.mean())
    centred = values - middle
    square = float(centred @ centred)
    if square <= 0:
        return None
    slope = float(centred @ (target - mean)) / square
    rest = target - mean - slope * centred
    spread = float(np.abs(target - mean).max())
    if not float(np.abs(rest).max()) <= 1e-7 * spread:
        return None
    return slope, mean - slope * middle


__all__ = ["Meeting", "Table", "line"]
