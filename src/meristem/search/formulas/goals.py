"""What is still to be explained: a target over some variables, and how its formula becomes one of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from meristem.search.formulas.expressions import (
    ONE,
    Expr,
    Reals,
    add,
    constant,
    divide,
    negate,
    subtract,
    unary,
)

Rebuild = Callable[[Expr], Expr]


@dataclass(frozen=True, eq=False)
class Goal:
    """A target over variables.

    Args:
        columns: Values of the variables [N, k].
        parts: What each variable is, as a formula of the inputs.
        target: The values to explain [N].
        rebuild: Makes the formula of the answers from one of the target; both are over the inputs.
        note: How it came about.
        depth: How many reductions led here.
    """

    columns: Reals
    parts: tuple[Expr, ...]
    target: Reals
    rebuild: Rebuild
    note: str = ""
    depth: int = 0

    @property
    def width(self) -> int:
        """The number of variables."""
        return int(self.columns.shape[1])


@dataclass(frozen=True)
class Step:
    """A function of one argument that can be taken off a target.

    Args:
        name: What is done to the target.
        forward: The target to what is inside; NaN where that can not be.
        wrap: The formula of what is inside to one of the target.
    """

    name: str
    forward: Callable[[Reals], Reals]
    wrap: Rebuild


def _only(allowed: Callable[[Reals], bool], function: Callable[[Reals], Reals]) -> Callable[[Reals], Reals]:
    def forward(values: Reals) -> Reals:
        return function(values) if allowed(values) else np.full_like(values, np.nan)

    return forward


def _positive(v: Reals) -> bool:
    return bool((v > 0).all())


STEPS: tuple[Step, ...] = (
    Step("square", _only(lambda v: bool((v >= 0).all()), np.square), lambda e: unary("sqrt", e)),
    Step(
        "square of minus",
        _only(lambda v: bool((v <= 0).all()), np.square),
        lambda e: negate(unary("sqrt", e)),
    ),
    Step("inverse", _only(lambda v: bool((v != 0).all()), np.reciprocal), lambda e: divide(ONE, e)),
    Step("log", _only(_positive, np.log), lambda e: unary("exp", e)),
    Step("minus 1", lambda v: v - 1, lambda e: add(e, ONE)),
    Step("plus 1", lambda v: v + 1, lambda e: subtract(e, ONE)),
    Step("sqrt", _only(_positive, np.sqrt), lambda e: unary("square", e)),
    Step("exp", _only(lambda v: bool((np.abs(v) < 30).all()), np.exp), lambda e: unary("log", e)),
    Step("sin", _only(lambda v: bool((np.abs(v) <= np.pi / 2).all()), np.sin), lambda e: unary("asin", e)),
    Step("cos", _only(lambda v: bool(((v >= 0) & (v <= np.pi)).all()), np.cos), lambda e: unary("acos", e)),
    Step("tan", _only(lambda v: bool((np.abs(v) < np.pi / 2).all()), np.tan), lambda e: unary("atan", e)),
    Step("asin", _only(lambda v: bool((np.abs(v) <= 1).all()), np.arcsin), lambda e: unary("sin", e)),
    Step("acos", _only(lambda v: bool((np.abs(v) <= 1).all()), np.arccos), lambda e: unary("cos", e)),
    Step("atanh", _only(lambda v: bool((np.abs(v) < 1).all()), np.arctanh), lambda e: unary("tanh", e)),
    Step("cube root", np.cbrt, lambda e: unary("cube", e)),
    Step("cube", _only(_positive, lambda v: v * v * v), lambda e: Expr("power", (e, constant(1 / 3)))),
)


_NAMED = {step.name: step for step in STEPS}


@dataclass(frozen=True, eq=False)
class Inside:
    """What is inside a target after some steps."""

    values: Reals
    wrap: Rebuild
    steps: tuple[str, ...] = ()


def insides(target: Reals, depth: int) -> Iterator[Inside]:
    """The target and what is inside it, up to `depth` steps, those of fewer steps first and no values twice."""
    seen: set[bytes] = set()
    level = [Inside(target, lambda e: e)]
    for at in range(depth + 1):
        following: list[Inside] = []
        for inside in level:
            key = _key(inside.values)
            if key is None or key in seen:
                continue
            seen.add(key)
            yield inside
            if at < depth:
                for step in STEPS:
                    with np.errstate(all="ignore"):
                        values = step.forward(inside.values)
                    following.append(
                        Inside(values, _after(inside.wrap, step.wrap), (*inside.steps, step.name))
                    )
        level = following


def inside_of(target: Reals, steps: tuple[str, ...]) -> Reals | None:
    """What is inside a target after the steps of these names; None where one of them can not be."""
    values = target
    for name in steps:
        with np.errstate(all="ignore"):
            values = _NAMED[name].forward(values)
        if not np.isfinite(values).all():
            return None
    return values


def _after(outer: Rebuild, inner: Rebuild) -> Rebuild:
    return lambda e: outer(inner(e))


def _key(values: Reals) -> bytes | None:
    size = np.abs(values)
    if not np.isfinite(values).all():
        return None
    most = float(size.max())
    if most == 0 or most > 1e60:
        return None
    normal = values / most
    if normal.std() < 1e-9:
        return None
    return np.round(normal[:8], 9).tobytes()


__all__ = ["STEPS", "Goal", "Inside", "Rebuild", "Step", "inside_of", "insides"]
