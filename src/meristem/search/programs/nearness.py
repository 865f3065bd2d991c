"""How near a value is to the wanted one, from 0 to 1: what a search climbs along where few answers are right."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from meristem.search.programs.check import same
from meristem.types import Type
from meristem.values import hashable

_WRONG = 0.9  # the most for a value that is not equal
_LONGEST = 300  # items or characters that are looked at


def nearness(got: Any, wanted: Any, type_: Type, close: float = 1e-9) -> float:
    """1 where two values of a type are equal, less the less they have in common; 0.9 at most where they differ.

    Lists and texts: items in the same place from the front or from the back, items of the same value anywhere, and
    how near their lengths are. Numbers: their distance, relative to the wanted one.
    """
    if same(got, wanted, type_, close):
        return 1.0
    return _WRONG * _common(got, wanted, type_, close)


def _common(got: Any, wanted: Any, type_: Type, close: float) -> float:
    name = type_.name
    if got is None or wanted is None:
        return 0.0
    if name in ("int", "real"):
        try:
            distance = abs(float(got) - float(wanted)) / (1.0 + abs(float(wanted)))
        except OverflowError:
            return 0.0
        return 1.0 / (1.0 + 2.0 * distance) if math.isfinite(distance) else 0.0
    if name == "text":
        return _sequences(got[:_LONGEST], wanted[:_LONGEST], None, close)
    if name == "list":
        return _sequences(got[:_LONGEST], wanted[:_LONGEST], type_.item, close)
    if name == "pair":
        return sum(nearness(g, w, t, close) for g, w, t in zip(got, wanted, type_.args, strict=True)) / 2
    if name == "option":
        return nearness(got, wanted, type_.item, close)
    if name == "map":
        keys = got.keys() | wanted.keys()
        both = got.keys() & wanted.keys()
        parts = [0.5 + 0.5 * nearness(got[k], wanted[k], type_.args[1], close) for k in both]
        return sum(parts) / len(keys)
    if name == "row":
        parts = [nearness(got[n], wanted[n], t, close) for n, t in type_.fields.items()]
        return sum(parts) / max(len(parts), 1)
    return 0.0


def _sequences(got: Any, wanted: Any, item: Type | None, close: float) -> float:
    """Of two lists, or two texts (no type of items)."""
    longest = max(len(got), len(wanted))
    if not longest:
        return 1.0
    length = min(len(got), len(wanted)) / longest

    def places(left: Any, right: Any) -> float:
        total: float
        if item is None or item.name == "bool":
            total = sum(a == b for a, b in zip(left, right, strict=False))
        else:
            total = sum(nearness(a, b, item, close) ** 2 for a, b in zip(left, right, strict=False))
        return total / longest

    front = places(got, wanted)
    back = front if len(got) == len(wanted) else places(got[::-1], wanted[::-1])
    one, other = Counter(map(hashable, got)), Counter(map(hashable, wanted))
    shared = 2 * (one & other).total() / (len(got) + len(wanted))
    return 0.5 * max(front, back) + 0.3 * shared + 0.2 * length


__all__ = ["nearness"]
