"""Inputs that every entry of a type is asked, so that what entries do can be compared.

They depend on the type alone: the same in every process, version and library. A change of them is a new `FORM`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from meristem.types import Type

FORM = 1
COUNT = 20
_WORDS = (
    "Ada", "Lovelace", "sum", "42", "over", "the", "Hill", "x", "BLUE", "7", "a-b", "2024", "lamp", "Grace", "tree",
)  # fmt: skip
_SIGNS = (" ", " ", " ", "-", ", ", "_", ".", "@")
_START = datetime(2024, 2, 28, 22, 15)
_DEPTH = 6
SMALL = {"text", "int", "real", "bool", "datetime", "class"}


def can_probe(type_: Type) -> bool:
    """Whether there are probes of a type: it is ground and made of plain values only."""
    return (
        type_.ground
        and _depth(type_) <= _DEPTH
        and all(t.name in (*SMALL, "list", "option", "pair", "map", "row") for t in type_.walk())
        and all(t.params for t in type_.walk() if t.name == "class")
    )


def _depth(type_: Type) -> int:
    return 1 + max((_depth(arg) for arg in type_.args), default=0)


def probes_of(types: tuple[Type, ...], count: int = COUNT) -> list[tuple[Any, ...]]:
    """Rows of inputs of these types, each of which `can_probe`."""
    rng = Random(f"meristem probes {FORM}: {', '.join(map(str, types))}")
    return [tuple(_value(rng, type_, k, 0) for type_ in types) for k in range(count)]


def _value(rng: Random, type_: Type, k: int, depth: int) -> Any:
    """A value as people give them in examples: small numbers, a few items, words; the first ones plainest."""
    name = type_.name
    if name == "bool":
        return rng.random() < 0.5
    if name == "int":
        wide = rng.random()
        if depth == 0:
            return rng.randint(0, 5) if wide < 0.7 else rng.randint(-9, 40)
        return rng.randint(0, 9) if wide < 0.6 else rng.randint(-20, 99)
    if name == "real":
        return round(rng.uniform(-9, 30), 2)
    if name == "text":
        words = [rng.choice(_WORDS) for _ in range(rng.choice((1, 1, 2, 2, 3)) if depth == 0 else 1)]
        text = words[0]
        for word in words[1:]:
            text += rng.choice(_SIGNS) + word
        return text
    if name == "datetime":
        return _START + timedelta(minutes=rng.randint(0, 600_000))
    if name == "class":
        return rng.choice(type_.params)
    if name == "list":
        room = 2 + min(k, 6) if depth == 0 else 3
        return [_value(rng, type_.item, k, depth + 1) for _ in range(rng.randint(0 if k > 3 else 1, room))]
    if name == "map":
        key, item = type_.args
        pairs = [
            (_value(rng, key, k, depth + 1), _value(rng, item, k, depth + 1))
            for _ in range(rng.randint(1, 4))
        ]
        return dict(pairs)
    if name == "pair":
        return _value(rng, type_.args[0], k, depth + 1), _value(rng, type_.args[1], k, depth + 1)
    if name == "option":
        return None if rng.random() < 0.25 else _value(rng, type_.item, k, depth)
    return {field: _value(rng, inner, k, depth + 1) for field, inner in type_.fields.items()}


__all__ = ["COUNT", "FORM", "can_probe", "probes_of"]
