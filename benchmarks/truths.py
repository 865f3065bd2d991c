"""What fifty tasks of the sets ask for, as a person writes it: derived from their pairs, and held against all of them.

With a truth there are answers for inputs that no set has: lists ten times as long, longer names. A program that is
right there has learned the function, not the examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from example_sets import Given, Pair

Numbers = list[int]
Maker = Callable[[Random, Given], tuple[Any, ...]]


def longer_list(rng: Random, given: Given) -> tuple[Any, ...]:
    """A list ten times as long as one of the given, of items that occur there; for a number one ten times as large."""
    inputs = [args[0] for args, _ in given.train]
    if isinstance(inputs[0], int):
        return (10 * rng.choice(inputs) + rng.randint(0, 9),)
    items = [item for each in inputs for item in each]
    return ([rng.choice(items) for _ in range(10 * max(len(rng.choice(inputs)), 1))],)


def _letters(rng: Random, least: int = 30, most: int = 90) -> str:
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(least, most)))


def _digits(rng: Random, least: int = 20, most: int = 40) -> str:
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(least, most)))


def _names(rng: Random, given: Given) -> tuple[Any, ...]:
    """A long name for each input."""
    return tuple(_letters(rng).capitalize() for _ in given.names)


def _full_name(rng: Random, given: Given) -> tuple[Any, ...]:
    return (f"{_letters(rng).capitalize()} {_letters(rng).capitalize()}",)


def _phone(rng: Random, given: Given) -> tuple[Any, ...]:
    return ("-".join(_digits(rng) for _ in range(3)),)


def _country_phone(rng: Random, given: Given) -> tuple[Any, ...]:
    return (f"+{_digits(rng)} {'-'.join(_digits(rng) for _ in range(3))}",)


def _labelled(rng: Random, given: Given) -> tuple[Any, ...]:
    words = " ".join(_letters(rng, 3, 12) for _ in range(rng.randint(5, 20)))
    return (f"{_letters(rng)}= {words}",)


def _sentence(rng: Random, given: Given) -> tuple[Any, ...]:
    return (" ".join(_letters(rng, 3, 12) for _ in range(rng.randint(20, 40))),)


@dataclass(frozen=True)
class Truth:
    """A task and the function it asks for.

    Args:
        set: `lists`, `dreamcoder` or `sygus`.
        name: Of the task.
        function: From its inputs to the answer.
        maker: Makes inputs some ten times as long.
    """

    set: str
    name: str
    function: Callable[..., Any]
    maker: Maker = longer_list

    def disagrees(self, given: Given) -> list[Pair]:
        """The pairs of a task for which this gives something else."""
        return [
            (args, answer) for args, answer in (*given.train, *given.test) if self.function(*args) != answer
        ]

    def beyond(self, given: Given, count: int, seed: int) -> tuple[Pair, ...]:
        """Longer inputs, with their answers."""
        rng = Random(f"{seed} {self.name}")
        inputs = [self.maker(rng, given) for _ in range(count)]
        return tuple((args, self.function(*args)) for args in inputs)


def _swapped(x: Numbers, a: int, b: int) -> Numbers:
    made = list(x)
    made[a], made[b] = made[b], made[a]
    return made


def _set(x: Numbers, index: int, item: int) -> Numbers:
    return [*x[:index], item, *x[index + 1 :]] if len(x) > index else x


def _distinct(x: Numbers) -> Numbers:
    return list(dict.fromkeys(x))


def _without_first(x: Numbers, item: int) -> Numbers:
    return x[: x.index(item)] + x[x.index(item) + 1 :] if item in x else x


def _flat(pairs: Sequence[tuple[int, int]]) -> Numbers:
    return [part for pair in pairs for part in pair]


def _records(x: Numbers) -> Numbers:
    return [item for k, item in enumerate(x) if all(item > other for other in x[:k])]


def _zigzag(x: Numbers) -> Numbers:
    ends = [x[k // 2] if k % 2 == 0 else x[-1 - k // 2] for k in range(len(x))]
    return ends + ends[::-1]


def _walk(x: Numbers) -> Numbers:
    path = x[:1]
    for item in x[1:]:
        while path[-1] != item:
            path.append(path[-1] + (1 if item > path[-1] else -1))
    return path


def _counts(x: Numbers) -> dict[int, int]:
    return Counter(x)  # in the order in which items first came


def _after_zeros(x: Numbers) -> Numbers:
    return [item for k, item in enumerate(x) if k == 0 or x[k - 1] == 0]


LISTS: dict[str, Callable[[Numbers], Numbers]] = {
    "c006": lambda x: x[:2],
    "c012": lambda x: x[2:7],
    "c016": lambda x: _set(x, 1, 8),
    "c020": lambda x: [x[0], 8, *x[1:]],
    "c024": lambda x: x[:1] + x[2:],
    "c032": lambda x: _swapped(x, 0, 3),
    "c046": lambda x: [9, 6, 3, 8, 5, *x],
    "c050": lambda x: [x[0]] * 5 + x,
    "c062": lambda x: x[x[0] + 1 :],
    "c066": lambda x: _swapped(x, 0, -1),
    "c072": lambda x: [item + k + 1 for k, item in enumerate(x)],
    "c074": lambda x: x[::2],
    "c104": lambda x: x[:-1] + x[1:],
    "c106": _distinct,
    "c134": lambda x: _without_first(x, 7),
    "c136": lambda x: [item for item in x if item != 3],
    "c144": lambda x: x[:1] * len(x),
    "c146": lambda x: _flat([(item, k + 1) for k, item in enumerate(x)]),
    "c152": lambda x: _flat(list(_counts(x).items())),
    "c154": lambda x: [item * (k + 1) for k, item in enumerate(x)],
    "c160": lambda x: [item + len(x) - 1 - k for k, item in enumerate(x)],
    "c164": lambda x: [item for item in x if item % 2 == 0][::-1],
    "c168": lambda x: [sorted(x)[-2]],
    "c170": lambda x: list(accumulate(x)),
    "c174": _records,
    "c176": _zigzag,
    "c184": lambda x: [x[0], sum(x[1:-1]), x[-1]],
    "c188": lambda x: list(range(min(x), max(x) + 1)),
    "c192": lambda x: sorted(x)[1:-1],
    "c196": lambda x: [x.count(item) for item in x],
    "c206": lambda x: [a + b for a, b in zip(x, x[::-1], strict=True)],
    "c234": _walk,
    "c238": lambda x: [len(x) - len(set(x))],
    "c248": _after_zeros,
}
"""List functions."""

DREAMCODER: dict[str, Callable[[Any], Any]] = {
    "append-index-k with k=2": lambda x: [*x, x[1]],
    "bool-identify-geq-k with k=4": lambda x: [item >= 4 for item in x],
    "caesar-cipher-k-modulo-n with k=2 and n=5": lambda x: [(item + 2) % 5 for item in x],
    "count-head-in-tail": lambda x: x[1:].count(x[0]),
    "kth-largest with k=3": lambda x: sorted(x)[-3],
    "keep-mod-k with k=3": lambda x: [item for item in x if item % 3 == 0],
    "range": lambda n: list(range(n)),
    "remove-index-k with k=3": lambda x: x[:2] + x[3:],
    "rotate-k with k=3": lambda x: x[-3:] + x[:-3],
}
"""DreamCoder's lists."""

STRINGS: dict[str, tuple[Callable[..., Any], Maker]] = {
    "dr-name": (lambda name: "Dr. " + name.split(" ")[0], _full_name),
    "exceljet3": (lambda text: text.split("= ", 1)[1], _labelled),
    "name-combine-2": (lambda first, last: f"{first} {last[0]}.", _names),
    "phone-1": (lambda text: text.split("-")[1], _phone),
    "phone-4": (lambda text: text.replace("-", "."), _phone),
    "phone-5": (lambda text: text[1:].split(" ")[0], _country_phone),
    "count-total-characters-in-a-cell": (len, _sentence),
}
"""SyGuS strings."""

TRUTHS: tuple[Truth, ...] = (
    *(Truth("lists", name, function) for name, function in LISTS.items()),
    *(Truth("dreamcoder", name, function) for name, function in DREAMCODER.items()),
    *(Truth("sygus", name, function, maker) for name, (function, maker) in STRINGS.items()),
)


__all__ = ["TRUTHS", "Truth"]
