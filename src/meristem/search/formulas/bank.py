"""Formulas from small to large over a few probe points, each once up to a factor.

A bank is arrays: an operator, its arguments, and the values at the probes. Two formulas of which one is a multiple of
the other are one entry: whoever looks something up finds the factor from the data. Sums therefore come with a few
factors of their second part, and functions that know an angle or a rate with a few factors of their argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from meristem.search.formulas.expressions import (
    ONE,
    Expr,
    Reals,
    add,
    constant,
    divide,
    multiply,
    subtract,
    unary,
    variable,
)
from meristem.search.formulas.keys import Indices, row_keys, scale_free
from meristem.search.hashing import HashSet

_PI = math.pi
_INNER = (1.0, 0.5, 2.0, _PI, 2 * _PI, 0.5 / _PI, -1.0, -0.5, -2.0, -0.5 / _PI, 3.0, 1 / 3, 4.0, 0.25)
"""Factors within a function; those from the second on cost one more, from the seventh on two more."""
_OUTER = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 4.0, -4.0, 1 / 3, -1 / 3, 0.25, -0.25, _PI)
"""Factors of the second part of a sum; those from the third on cost one more, from the seventh on two more."""

(
    _LEAF,
    _ONE,
    _SQUARE,
    _CUBE,
    _SQRT,
    _INVERSE,
    _EXP,
    _LOG,
    _SIN,
    _COS,
    _TAN,
    _TANH,
    _ASIN,
    _ACOS,
    _ATAN,
    _ABS,
) = range(16)
_ADD, _MULTIPLY, _DIVIDE = 16, 17, 18
_PLAIN = {_SQUARE: "square", _CUBE: "cube", _SQRT: "sqrt", _LOG: "log", _ABS: "abs"}
_SCALED = {
    _EXP: "exp",
    _SIN: "sin",
    _COS: "cos",
    _TAN: "tan",
    _TANH: "tanh",
    _ASIN: "asin",
    _ACOS: "acos",
    _ATAN: "atan",
}
_EXTRA = {_TAN: 1, _TANH: 1, _ASIN: 1, _ACOS: 1, _ATAN: 1, _CUBE: 1, _ABS: 1}
_EVEN = frozenset((_COS,))
_ODD = frozenset((_SIN, _TAN, _TANH, _ASIN, _ATAN))
_BLOCK = 60_000


@dataclass
class Level:
    """The entries of one cost: their numbers in the bank run from `start` to `stop`."""

    start: int
    stop: int


@dataclass
class Bank:
    """All formulas over some variables up to a cost.

    Args:
        probes: Values of the variables at the probes [p, d].
        capacity: The most entries.
        few: Whether only arithmetic, powers and roots are used: reaches further where no more is needed.
    """

    probes: Reals
    capacity: int = 400_000
    few: bool = False
    levels: list[Level] = field(default_factory=list)
    cost: int = 0
    made: int = 0

    def __post_init__(self) -> None:
        width = len(self.probes)
        self._op = np.zeros(self.capacity, np.int16)
        self._a = np.zeros(self.capacity, np.int32)
        self._b = np.zeros(self.capacity, np.int32)
        self._scale = np.zeros(self.capacity, np.float64)
        self.values = np.zeros((self.capacity, width))
        self.count = 0
        self._seen = HashSet(self.capacity)
        self.levels = [Level(0, 0)]

    @property
    def full(self) -> bool:
        """Whether nothing more is kept."""
        return self.count >= self.capacity

    def grow(self) -> Iterator[None]:
        """Make the next level; yields between blocks."""
        self.cost += 1
        start = self.count
        if self.cost == 1:
            d = self.probes.shape[1]
            leaves = np.arange(d)
            self._keep(np.ascontiguousarray(self.probes.T), _LEAF, leaves, leaves, 1.0)
            nothing = np.zeros(1, np.int64)
            self._keep(np.ones((1, len(self.probes))), _ONE, nothing, nothing, 1.0)
        else:
            yield from self._unary()
            for low in range(1, self.cost - 1):
                yield from self._binary(low, self.cost - 1 - low, 0)
                if low < self.cost - 2:
                    yield from self._binary(low, self.cost - 2 - low, 1)
                if low < self.cost - 3:
                    yield from self._binary(low, self.cost - 3 - low, 2)
        self.levels.append(Level(start, self.count))

    def _unary(self) -> Iterator[None]:
        for extra in (0, 1, 2):
            if self.cost - 1 - extra < 1:
                continue
            level = self.levels[self.cost - 1 - extra]
            for at in range(level.start, level.stop, _BLOCK):
                rows = np.arange(at, min(at + _BLOCK, level.stop))
                for op in (*_PLAIN, _INVERSE):
                    if _EXTRA.get(op, 0) == extra:
                        yield from self._apply(op, rows, 1.0)
                if self.few:
                    continue
                for op in _SCALED:
                    wanted = extra - _EXTRA.get(op, 0)
                    if wanted >= 0:
                        for scale in (_INNER[:1], _INNER[1:7], _INNER[7:])[wanted]:
                            if scale > 0 or op not in _EVEN | _ODD:
                                yield from self._apply(op, rows, scale)

    def _apply(self, op: int, rows: Indices, scale: float) -> Iterator[None]:
        with np.errstate(all="ignore"):
            inner = self.values[rows]
            if scale != 1:
                inner = inner * scale
            self._keep(_run(op, inner), op, rows, rows, scale)
        yield None

    def _binary(self, low: int, high: int, extra: int) -> Iterator[None]:
        """Sums, products and quotients of the entries of two levels; `extra` says which factors a sum has."""
        left, right = self.levels[low], self.levels[high]
        factors = (_OUTER[:2], _OUTER[2:6], _OUTER[6:])[extra]
        width = max(1, _BLOCK // max(1, right.stop - right.start))
        for at in range(left.start, left.stop, width):
            if self.full:
                return
            rows = np.arange(at, min(at + width, left.stop))
            for across in range(right.start, right.stop, _BLOCK):
                columns = np.arange(across, min(across + _BLOCK, right.stop))
                a = np.repeat(rows, len(columns))
                b = np.tile(columns, len(rows))
                if low == high:
                    some = a <= b
                    half_a, half_b = a[some], b[some]
                else:
                    half_a, half_b = a, b
                x, y = self.values[half_a], self.values[half_b]
                with np.errstate(all="ignore"):
                    if extra == 0 and low <= high:
                        self._keep(x * y, _MULTIPLY, half_a, half_b, 1.0)
                        yield None
                        # The quotient the other way is the inverse of this one.
                        self._keep(x / y, _DIVIDE, half_a, half_b, 1.0)
                        self._keep(y / x, _DIVIDE, half_b, half_a, 1.0)
                        yield None
                    for factor in factors:
                        if extra == 0 and low > high:
                            continue  # with 1 and -1 the order does not count
                        self._keep(x + factor * y, _ADD, half_a, half_b, factor)
                        yield None
                        if extra and low == high and abs(factor) != 1:
                            self._keep(y + factor * x, _ADD, half_b, half_a, factor)

    def _keep(self, values: Reals, op: int, a: Indices, b: Indices, scale: float) -> None:
        """Keep what is new, finite, and neither all but 0 anywhere nor beyond reason."""
        self.made += len(values)
        if self.full:
            return
        size = np.abs(values)
        most = size.max(axis=1)
        with np.errstate(all="ignore"):
            size[size == 0] = (
                np.inf
            )  # an exact 0 is a value as any other; a tiny one is what rounding left of it
            good = np.flatnonzero((most < 1e60) & (size.min(axis=1) > 1e-11 * most) & (most > 1e-60))
        if not len(good):
            return
        rows = values if len(good) == len(values) else values[good]
        new = self._seen.add(row_keys(scale_free(rows)))[: self.capacity - self.count]
        if not len(new):
            return
        there = slice(self.count, self.count + len(new))
        self.values[there] = rows[new]
        chosen = good[new]
        self._op[there], self._a[there], self._b[there], self._scale[there] = op, a[chosen], b[chosen], scale
        self.count += len(new)

    def cost_of(self, index: int) -> int:
        """The cost of an entry."""
        return next(cost for cost, level in enumerate(self.levels) if level.start <= index < level.stop)

    def columns(self, count: int, columns: Reals) -> Reals:
        """Values of the first `count` entries over other rows of the variables [count, N]."""
        count = min(count, self.count)
        rows = np.ones((count, len(columns)))
        with np.errstate(all="ignore"):
            for i in range(count):
                op, scale = int(self._op[i]), float(self._scale[i])
                a, b = int(self._a[i]), int(self._b[i])
                if op == _LEAF:
                    rows[i] = columns[:, a]
                elif op == _MULTIPLY:
                    rows[i] = rows[a] * rows[b]
                elif op == _DIVIDE:
                    rows[i] = rows[a] / rows[b]
                elif op == _ADD:
                    rows[i] = rows[a] + scale * rows[b]
                elif op != _ONE:
                    rows[i] = _run(op, scale * rows[a])
        return rows

    def expr(self, index: int) -> Expr:
        """The formula of an entry."""
        op, scale = int(self._op[index]), float(self._scale[index])
        if op == _LEAF:
            return variable(int(self._a[index]))
        if op == _ONE:
            return ONE
        a = self.expr(int(self._a[index]))
        if op in _PLAIN:
            return unary(_PLAIN[op], a)
        if op == _INVERSE:
            return divide(ONE, a)
        if op in _SCALED:
            if abs(scale) == 0.5 or abs(scale) == 0.25:
                inner = divide(a, constant(1 / scale))
            else:
                inner = multiply(constant(scale), a)
            return unary(_SCALED[op], inner)
        b = self.expr(int(self._b[index]))
        if op == _MULTIPLY:
            return multiply(a, b)
        if op == _DIVIDE:
            return divide(a, b)
        return (
            add(a, multiply(constant(scale), b)) if scale > 0 else subtract(a, multiply(constant(-scale), b))
        )


def _run(op: int, x: Reals) -> Reals:
    if op == _INVERSE:
        return 1.0 / x
    from meristem.search.formulas.expressions import UNARY

    return UNARY[_PLAIN.get(op) or _SCALED[op]](x)


__all__ = ["Bank", "Level"]
