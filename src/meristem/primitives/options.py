"""Values that may be missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from meristem.errors import EvaluationError, Reason
from meristem.language.failures import failing
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import bools
from meristem.values import Column, Lists, Options, concatenate, filler, offsets_from


@primitive("() -> option[a]", examples=[((), None)])
def none() -> None:
    """No value."""
    return None


@primitive("a -> option[a]", examples=[((3,), 3)])
def some(item: Any) -> Any:
    """A value that is there."""
    return item


@some.columnar
def _(item: Column) -> Column:
    return Options(np.ones(len(item), np.bool_), item)


@primitive("option[a] -> bool", examples=[((3,), True), ((None,), False)])
def is_some(item: Any) -> bool:
    """Whether a value is there."""
    return item is not None


@is_some.columnar
def _(item: Options) -> Column:
    return bools(item.present)


@primitive("option[a] -> a", examples=[((3,), 3), ((None,), EvaluationError)])
def value(item: Any) -> Any:
    """The value, which must be there."""
    if item is None:
        raise EvaluationError(Reason.EMPTY)
    return item


@value.columnar
def _(item: Options) -> Any:
    if item.present.all():
        return item.values
    if not item.present.any():
        return failing(filler(item.values.type, len(item)), Reason.EMPTY, ~item.present)
    return failing(item.values.take(np.maximum(item.positions, 0)), Reason.EMPTY, ~item.present)


@primitive("option[a], a -> a", examples=[((3, 5), 3), ((None, 5), 5)])
def or_else(item: Any, other: Any) -> Any:
    """The value, or another one where it is missing."""
    return other if item is None else item


@or_else.columnar
def _(item: Options, other: Column) -> Column:
    there = len(item.values)
    place = np.where(item.present, item.positions, there + np.arange(len(item)))
    return concatenate([item.values, other]).take(place)


@primitive("list[option[a]] -> list[a]", examples=[(([1, None, 2],), [1, 2])])
def present(items: list[Any]) -> list[Any]:
    """The values of a list that are there."""
    return [item for item in items if item is not None]


@present.columnar
def _(items: Lists) -> Column:
    inner = items.items
    assert isinstance(inner, Options)
    counts = np.bincount(items.parents[inner.present], minlength=len(items))
    return Lists(offsets_from(counts), inner.values)


subroutine(
    "map_option",
    "(a) -> b, option[a] -> option[b]",
    "function, item",
    "if is_some(item) then some((function)(value(item))) else none()",
    doc="What a function gives for a value, if it is there.",
    examples=[(("x => x + 1", 3), 4), (("x => x + 1", None), None)],
)
