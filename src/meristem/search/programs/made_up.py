"""Inputs made up like the given ones: recombined and changed a little. What programs give for them tells them apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from meristem.types import Type
from meristem.values import Column, column_from, concatenate, hashable

_TOKEN = re.compile(r"[^\W\d_]+|\d+|\s+|[^\w\s]|_")
_LONGEST = 60  # items or characters of what is made up, or as many as the longest given one has
_TRIES = 20


def make_up(given: Mapping[str, Column], count: int, seed: int, gentle: bool = False) -> dict[str, Column]:
    """Up to `count` rows of inputs that are like the given ones and none of them.

    Args:
        given: The inputs by name, a column [N] each, N at least 1.
        count: How many to make.
        seed: Source of all randomness: the same one gives the same rows.
        gentle: Whether texts change by whole words only, so that a person would take them for given ones.
    """
    rng = Random(f"inputs {seed} {gentle}")
    names = list(given)
    lists = {name: column.to_list() for name, column in given.items()}
    makers = {name: _Maker(lists[name], given[name].type, rng, gentle) for name in names}
    size = len(next(iter(lists.values()))) if names else 0
    seen = {tuple(hashable(lists[n][i]) for n in names) for i in range(size)}
    made: dict[str, list[Any]] = {name: [] for name in names}
    for _ in range(_TRIES * count if size else 0):
        if len(made[names[0]]) == count:
            break
        base = rng.randrange(size)
        # One input is changed at least; the others stay, change too, or come from another example.
        changed = rng.randrange(len(names))
        row = []
        for place, name in enumerate(names):
            roll = rng.random()
            if place == changed or roll < 0.3:
                row.append(makers[name].like(lists[name][base]))
            else:
                row.append(lists[name][base if roll < 0.7 else rng.randrange(size)])
        key = tuple(hashable(v) for v in row)
        if key not in seen:
            seen.add(key)
            for name, value in zip(names, row, strict=True):
                made[name].append(value)
    return {name: column_from(values, given[name].type) for name, values in made.items()}


def joined(first: Mapping[str, Column], second: Mapping[str, Column]) -> dict[str, Column]:
    """The rows of one set of inputs, then those of the other."""
    return {name: concatenate([column, second[name]]) for name, column in first.items()}


class _Maker:
    """Makes values like those of one input.

    Args:
        values: The given ones.
        type: Their type.
        rng: Source of randomness.
        gentle: Whether texts change by whole words only.
    """

    def __init__(self, values: Sequence[Any], type: Type, rng: Random, gentle: bool) -> None:
        self.values, self.type, self.rng, self.gentle = values, type, rng, gentle
        self.inner: tuple[_Maker, ...] = ()
        name = type.name
        if name in ("list", "option"):
            flat = [v for v in values if v is not None]
            items = [x for v in flat for x in v] if name == "list" else flat
            self.inner = (_Maker(items, type.item, rng, gentle),)
        elif name == "pair":
            self.inner = tuple(_Maker([v[k] for v in values], type.args[k], rng, gentle) for k in (0, 1))
        elif name == "map":
            keys = [k for v in values for k in v]
            self.inner = (
                _Maker(keys, type.args[0], rng, gentle),
                _Maker([x for v in values for x in v.values()], type.args[1], rng, gentle),
            )
        elif name == "text":
            self.tokens: dict[str, list[str]] = {}
            for text in values:
                for token in _TOKEN.findall(text[:2000]):
                    self.tokens.setdefault(_token_class(token), []).append(token)
        if name in ("int", "real"):
            self.low: Any = min(values, default=0)
            self.high: Any = max(values, default=9)
        if name in ("list", "text", "map"):
            self.longest = max([*map(len, values), _LONGEST])

    def like(self, value: Any) -> Any:
        """A value like one of the given ones, mostly another one."""
        method = getattr(self, f"_{self.type.name}", None)
        if method is None:
            return self.rng.choice(self.values) if self.values else value
        return method(value)

    def any(self) -> Any:
        """A value like any of the given ones."""
        return self.like(self.rng.choice(self.values)) if self.values else None

    def _bool(self, value: bool) -> bool:
        return not value

    def _int(self, value: int) -> int:
        rng = self.rng
        made = rng.choice(
            (
                value + 1,
                value - 1,
                value + rng.choice((-10, -3, -2, 2, 3, 10)),
                rng.randint(self.low, self.high),
                rng.randint(self.low, self.high),
                2 * self.high - value if rng.random() < 0.3 else rng.randint(self.low, self.high),
                rng.choice((0, 1)),
            )
        )
        if self.low >= 0:  # where all given ones are counts, so are those made up
            made = abs(made)
        if self.low >= 1:
            made = max(made, 1)
        return int(min(max(made, -(2**62)), 2**62))

    def _real(self, value: float) -> float:
        rng = self.rng
        span = (self.high - self.low) or abs(self.high) or 1.0
        made = rng.choice((rng.uniform(self.low, self.high), value + rng.gauss(0, 0.1 * span), value / 2))
        if self.low >= 0:
            made = abs(made)
        return float(f"{made:.4g}")

    def _datetime(self, value: Any) -> Any:
        try:
            return value + timedelta(days=self.rng.choice((-400, -31, -1, 1, 7, 31, 366)))
        except OverflowError:
            return value

    def _text(self, value: str) -> str:
        return self._reworded(value) if self.gentle else self._recombined(value)

    def _reworded(self, value: str) -> str:
        """The text with other words or numbers in the places of some, with one word more or less, or in other case."""
        rng = self.rng
        tokens = _TOKEN.findall(value[: self.longest])
        words = [k for k, token in enumerate(tokens) if _token_class(token) in ("letters", "digits")]
        for k in words:
            if rng.random() < 0.6:
                kind = _token_class(tokens[k])
                digits = "".join(rng.choice("0123456789") for _ in tokens[k])
                tokens[k] = digits if kind == "digits" else rng.choice(self.tokens.get(kind) or [tokens[k]])
        roll = rng.random()
        if len(words) > 1 and roll < 0.2:  # a word with what parts it from the one before
            place = rng.randrange(1, len(words))
            between = tokens[words[place - 1] + 1 : words[place]]
            again = rng.choice(self.tokens.get(_token_class(tokens[words[place]])) or [""])
            tokens[words[place] : words[place]] = [again, *between]
        elif len(words) > 2 and roll < 0.35:
            place = rng.randrange(1, len(words))
            del tokens[words[place - 1] + 1 : words[place] + 1]
        text = "".join(tokens)[: self.longest]
        return rng.choice((str.lower, str.upper))(text) if roll > 0.93 else text

    def _recombined(self, value: str) -> str:
        rng = self.rng
        tokens = _TOKEN.findall(value[: self.longest])
        words = [k for k, token in enumerate(tokens) if _token_class(token) in ("letters", "digits")]
        for _ in range(rng.choice((1, 1, 2))):
            roll = rng.random()
            if words and roll < 0.72:  # another word or number where one stands
                k = rng.choice(words)
                tokens[k] = self.token(tokens[k]) if k < len(tokens) else ""
            elif tokens and roll < 0.8:  # less
                del tokens[rng.randrange(len(tokens))]
            elif tokens and roll < 0.88:  # one piece twice: a third name, a second separator
                k = rng.randrange(len(tokens))
                around = tokens[max(k - 1, 0) : k + 1]
                tokens[k + 1 : k + 1] = around
            elif tokens and roll < 0.93:
                k = rng.randrange(len(tokens))
                tokens[k] = rng.choice((str.upper, str.lower, str.title))(tokens[k])
            elif self.values:  # the beginning of one and the end of another
                other = _TOKEN.findall(rng.choice(self.values)[: self.longest])
                tokens = tokens[: rng.randint(0, len(tokens))] + other[rng.randint(0, len(other)) :]
            words = [k for k, token in enumerate(tokens) if _token_class(token) in ("letters", "digits")]
        return "".join(tokens)[: self.longest]

    def token(self, old: str) -> str:
        """Another token of the same class."""
        rng = self.rng
        kind = _token_class(old)
        if kind == "digits" and rng.random() < 0.6:
            length = max(len(old) + rng.choice((0, 0, 0, 0, 1, -1)), 1)
            return "".join(rng.choice("0123456789") for _ in range(length))
        found = rng.choice(self.tokens.get(kind) or [old])
        if kind == "letters" and rng.random() < 0.25:
            found = found[: rng.randint(1, len(found))]
        return found

    def _list(self, value: list[Any]) -> list[Any]:
        rng, item = self.rng, self.inner[0]
        made = list(value)
        for _ in range(rng.choice((1, 1, 2, 3))):
            roll = rng.random()
            place = rng.randint(0, len(made))
            if roll < 0.3 and made:
                k = min(place, len(made) - 1)
                made[k] = item.like(made[k])
            elif roll < 0.5 and item.values and len(made) < self.longest:
                made.insert(place, item.any())
            elif roll < 0.65 and made:
                del made[min(place, len(made) - 1)]
            elif roll < 0.75 and made and len(made) < self.longest:
                made.insert(place, rng.choice(made))  # the same item twice
            elif roll < 0.85:
                rng.shuffle(made)
            elif self.values:
                other = rng.choice(self.values)
                made = (made[:place] + list(other)[rng.randint(0, len(other)) :])[: self.longest]
        return made

    def _pair(self, value: tuple[Any, Any]) -> tuple[Any, Any]:
        first, second = value
        if self.rng.random() < 0.6:
            first = self.inner[0].like(first)
        if self.rng.random() < 0.6:
            second = self.inner[1].like(second)
        return first, second

    def _map(self, value: dict[Any, Any]) -> dict[Any, Any]:
        rng, (keys, items) = self.rng, self.inner
        made = dict(value)
        if made and rng.random() < 0.4:
            del made[rng.choice(list(made))]
        if keys.values and items.values and rng.random() < 0.6 and len(made) < self.longest:
            made[rng.choice(keys.values) if rng.random() < 0.6 else keys.any()] = items.any()
        elif made:
            key = rng.choice(list(made))
            made[key] = items.like(made[key])
        return made

    def _option(self, value: Any) -> Any:
        if value is None or self.rng.random() < 0.2:
            return self.inner[0].any() if value is None else None
        return self.inner[0].like(value)


def _token_class(token: str) -> str:
    if token.isdigit():
        return "digits"
    if token[:1].isalpha():
        return "letters"
    return "space" if token.isspace() else "sign"


__all__ = ["joined", "make_up"]
