"""What a program does, as a vector: of some 150 properties of inputs and answers, how often each holds.

Programs cannot all be run to find the one that maps these inputs to these answers. But most are ruled out by what they
never do: "the answer is as long as the list", "it holds only items of the list", "it begins with the same item". An
entry keeps for each property the share of probes on which it held; examples are held against that share by
likelihood, one table look-up a property and entry, and only the likeliest are run. (The idea of property signatures:
Odena and Sutton, "Learning to represent programs with property signatures", 2020.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORM = 1
"""Raised when the properties change: entries are described anew then."""
INPUTS = 3  # of the first so many inputs relations to the answer are looked at
_LONGEST = 200  # items or characters that are looked at
UNKNOWN = 255
_LEVELS = 200  # shares are kept in so many steps

Property = Callable[[Any, Any], bool]


def _bucket(low: int, high: int) -> Property:
    return lambda given, answer: low <= len(answer) - len(given) <= high


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def _contains(outer: Sequence[Any], inner: Sequence[Any]) -> bool:
    if isinstance(outer, str) and isinstance(inner, str):
        return inner in outer
    width = len(inner)
    return any(outer[k : k + width] == inner for k in range(len(outer) - width + 1))


def _is_part(outer: Sequence[Any], inner: Sequence[Any]) -> bool:
    """Whether the items of one stand in the other in the same order."""
    rest = iter(outer)
    return all(any(item == other for other in rest) for item in inner)


def _ordered(values: Sequence[Any]) -> bool:
    return all(not (b < a) for a, b in pairwise(values))


# Of two sequences: lists or texts. `x` is the input, `y` the answer.
_SEQUENCES: tuple[Property, ...] = (
    *(_bucket(low, high) for low, high in ((-999, -4), (-3, -3), (-2, -2), (-1, -1), (0, 0), (1, 1), (2, 3), (4, 999))),
    lambda x, y: len(y) == 2 * len(x),
    lambda x, y: len(y) == len(x) // 2,
    lambda x, y: len(y) == (len(x) + 1) // 2,
    lambda x, y: x == y,
    lambda x, y: x[: len(y)] == y,
    lambda x, y: len(y) <= len(x) and x[len(x) - len(y) :] == y,
    lambda x, y: y[: len(x)] == x,
    lambda x, y: len(x) <= len(y) and y[len(y) - len(x) :] == x,
    lambda x, y: x[::-1] == y,
    lambda x, y: _contains(x, y),
    lambda x, y: _is_part(x, y),
    lambda x, y: all(item in x for item in y),
    lambda x, y: all(item in y for item in x),
    lambda x, y: x[:1] == y[:1],
    lambda x, y: x[-1:] == y[-1:],
    lambda x, y: x[-1:] == y[:1],
    lambda x, y: x[:1] == y[-1:],
    lambda x, y: x[1:2] == y[:1],
    lambda x, y: x[1:2] == y[1:2],
    lambda x, y: x[2:3] == y[2:3],
    lambda x, y: len(x) > 1 and x[-2:-1] == y[-1:],
    lambda x, y: sorted(x) == list(y),
    lambda x, y: sorted(x) == sorted(y),
    lambda x, y: len(set(x)) == len(y),
)  # fmt: skip
_NUMBER_LISTS: tuple[Property, ...] = (
    lambda x, y: sum(x) == sum(y),
    lambda x, y: sum(x) < sum(y),
    lambda x, y: max(x) == max(y),
    lambda x, y: min(x) == min(y),
    lambda x, y: max(x) < max(y),
    lambda x, y: min(x) > min(y),
    lambda x, y: len({b - a for a, b in zip(x, y, strict=False)}) == 1,
    lambda x, y: y[0] - x[0] == 1,
    lambda x, y: y[0] - x[0] == 2,
    lambda x, y: y[0] - x[0] == -1,
    lambda x, y: y[0] == 2 * x[0],
    lambda x, y: y[0] == x[0] * x[0],
    lambda x, y: y[0] == -x[0],
    lambda x, y: all((a - b) % 2 == 0 for a, b in zip(x, y, strict=False)),
    lambda x, y: y[-1] == sum(x),
    lambda x, y: y[0] == max(x),
    lambda x, y: y[0] == min(x),
    lambda x, y: y[0] == len(x),
)
_TEXTS: tuple[Property, ...] = (
    lambda x, y: x.lower() == y,
    lambda x, y: x.upper() == y,
    lambda x, y: x.lower() == y.lower(),
    lambda x, y: x.title() == y,
    lambda x, y: y in x.split(),
    lambda x, y: y == "".join(c for c in x if c.isalnum()),
    lambda x, y: y == "".join(c for c in x if c.isdigit()),
    lambda x, y: y == "".join(c for c in x if c.isalpha()),
    lambda x, y: y == "".join(w[:1] for w in x.split()),
    lambda x, y: y.lower() in x.lower(),
)
_SEQUENCE_NUMBER: tuple[Property, ...] = (
    lambda x, y: y == len(x),
    lambda x, y: y < len(x),
    lambda x, y: y == len(x) - 1,
    lambda x, y: y == len(set(x)),
)
_NUMBERS_NUMBER: tuple[Property, ...] = (
    lambda x, y: y in x,
    lambda x, y: y == x[0],
    lambda x, y: y == x[-1],
    lambda x, y: y == x[1],
    lambda x, y: y == max(x),
    lambda x, y: y == min(x),
    lambda x, y: y == sum(x),
    lambda x, y: y == sorted(x)[1],
    lambda x, y: y == sorted(x)[-2],
    lambda x, y: y == max(x) - min(x),
    lambda x, y: y > max(x),
    lambda x, y: y < min(x),
    lambda x, y: y == sum(v % 2 == 0 for v in x),
    lambda x, y: y == sum(v % 2 == 1 for v in x),
    lambda x, y: y == sum(v > 0 for v in x),
)
_SEQUENCE_ITEM: tuple[Property, ...] = (
    lambda x, y: y in x,
    lambda x, y: y == x[0],
    lambda x, y: y == x[-1],
    lambda x, y: y == x[1],
    lambda x, y: y == x[-2],
)
_NUMBER_SEQUENCE: tuple[Property, ...] = (
    lambda x, y: len(y) == x,
    lambda x, y: len(y) > x,
    lambda x, y: len(y) == x + 1,
    lambda x, y: x in y,
    lambda x, y: y[0] == x,
    lambda x, y: y[-1] == x,
)
_NUMBERS: tuple[Property, ...] = (
    lambda x, y: x == y,
    lambda x, y: y > x,
    lambda x, y: y == x + 1,
    lambda x, y: y == x - 1,
    lambda x, y: y == 2 * x,
    lambda x, y: y == -x,
    lambda x, y: y == x * x,
    lambda x, y: (x - y) % 2 == 0,
    lambda x, y: x % y == 0,
    lambda x, y: y % x == 0,
)
_RELATIONS: tuple[Property, ...] = (
    *_SEQUENCES, *_NUMBER_LISTS, *_TEXTS, *_SEQUENCE_NUMBER, *_NUMBERS_NUMBER, *_SEQUENCE_ITEM, *_NUMBER_SEQUENCE,
    *_NUMBERS,
)  # fmt: skip
_STARTS = np.cumsum([0, *map(len, (
    _SEQUENCES, _NUMBER_LISTS, _TEXTS, _SEQUENCE_NUMBER, _NUMBERS_NUMBER, _SEQUENCE_ITEM, _NUMBER_SEQUENCE, _NUMBERS,
))]).tolist()  # fmt: skip

One = Callable[[Any], bool]
_ANSWER_SEQUENCE: tuple[One, ...] = (
    *((lambda y, n=n: len(y) == n) for n in range(4)),
    lambda y: 4 <= len(y) <= 6,
    lambda y: len(y) > 6,
    _ordered,
    lambda y: _ordered(y[::-1]),
    lambda y: len(set(y)) == len(y),
    lambda y: len(set(y)) == 1,
    lambda y: y == y[::-1],
)
_ANSWER_NUMBERS: tuple[One, ...] = (
    lambda y: 0 in y,
    lambda y: min(y) > 0,
    lambda y: min(y) < 0,
    lambda y: max(y) > 99,
    lambda y: all(v % 2 == 0 for v in y),
    lambda y: all(v % 2 == 1 for v in y),
    lambda y: all(v % 3 == 0 for v in y),
    lambda y: y[0] == 0,
    lambda y: y[0] == 1,
)
_ANSWER_TEXT: tuple[One, ...] = (
    lambda y: y.isalnum(),
    lambda y: any(c.isdigit() for c in y),
    lambda y: y.isdigit(),
    lambda y: any(c.isspace() for c in y),
    lambda y: y == y.lower(),
    lambda y: y == y.upper(),
    lambda y: y[:1].isupper(),
    lambda y: any(c in y for c in "-/"),
    lambda y: any(c in y for c in ".,@"),
)
_ANSWER_NUMBER: tuple[One, ...] = (
    lambda y: y == 0,
    lambda y: y == 1,
    lambda y: y < 0,
    lambda y: 2 <= y <= 9,
    lambda y: y > 20,
    lambda y: y > 99,
    lambda y: y % 2 == 0,
    lambda y: y % 3 == 0,
    lambda y: y == int(y),
)
_ANSWERS = len(_ANSWER_SEQUENCE) + len(_ANSWER_NUMBERS) + len(_ANSWER_TEXT) + len(_ANSWER_NUMBER)
COUNT = 1 + _ANSWERS + INPUTS * len(_RELATIONS)
"""How many properties there are: whether there is an answer at all, of the answer, of each input and the answer."""

Counts = NDArray[np.int32]


def count_properties(examples: Iterable[tuple[Sequence[Any], Any, bool]]) -> tuple[Counts, Counts]:
    """On how many examples each property [COUNT] holds, and on how many it can be asked.

    Args:
        examples: Of each the inputs, the answer, and whether there is one.
    """
    holds, asked = np.zeros(COUNT, np.int32), np.zeros(COUNT, np.int32)
    for inputs, answer, there in examples:
        asked[0] += 1
        holds[0] += there
        if there:
            answer = _plain(answer)
            _of_answer(answer, holds, asked)
            for k, given in enumerate(inputs[:INPUTS]):
                _of_pair(_plain(given), answer, 1 + _ANSWERS + k * len(_RELATIONS), holds, asked)
    return holds, asked


def _plain(value: Any) -> Any:
    """A value as the properties see it: sequences cut, inner lists as tuples, bools as numbers."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, np.ndarray):
        value = value.ravel()[:_LONGEST].tolist()
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, list):
        return [_inner(item) for item in value[:_LONGEST]]
    return _inner(value) if isinstance(value, tuple) else value


def _inner(value: Any) -> Any:
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        return tuple(_inner(item) for item in value)
    if isinstance(value, np.ndarray):
        return tuple(value.ravel()[:_LONGEST].tolist())
    return value


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_number, value))


def _ask(
    tests: Sequence[Callable[..., bool]], start: int, values: tuple[Any, ...], holds: Counts, asked: Counts
) -> None:
    for k, test in enumerate(tests):
        try:
            found = test(*values)
        except (TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError):
            continue  # it cannot be asked of these values
        asked[start + k] += 1
        holds[start + k] += bool(found)


def _of_answer(answer: Any, holds: Counts, asked: Counts) -> None:
    start = 1
    sequence = isinstance(answer, list | str)
    numbers, text, number = _is_numbers(answer) and answer, isinstance(answer, str), _number(answer)
    for tests, fits in (
        (_ANSWER_SEQUENCE, sequence),
        (_ANSWER_NUMBERS, numbers),
        (_ANSWER_TEXT, text),
        (_ANSWER_NUMBER, number),
    ):
        if fits:
            _ask(tests, start, (answer,), holds, asked)
        start += len(tests)


def _of_pair(given: Any, answer: Any, start: int, holds: Counts, asked: Counts) -> None:
    both = isinstance(given, list) and isinstance(answer, list)
    texts = isinstance(given, str) and isinstance(answer, str)
    one, other = isinstance(given, list | str), isinstance(answer, list | str)
    fits = (
        both or texts,
        both and _is_numbers(given) and _is_numbers(answer),
        texts,
        one and _number(answer),
        _is_numbers(given) and _number(answer),
        isinstance(given, list) and not _number(answer),
        _number(given) and other,
        _number(given) and _number(answer),
    )
    for group, fit in enumerate(fits):
        if fit:
            low, high = _STARTS[group], _STARTS[group + 1]
            _ask(_RELATIONS[low:high], start + low, (given, answer), holds, asked)


def pack(holds: Counts, asked: Counts) -> bytes:
    """The signature: of each property how often it holds, one byte each, 255 where it cannot be asked."""
    share = (holds + 0.25) / (asked + 0.5)
    levels = np.rint(share * _LEVELS).astype(np.uint8)
    return np.where(asked == 0, UNKNOWN, levels).astype(np.uint8).tobytes()


def unpack(rows: Sequence[bytes]) -> NDArray[np.uint8]:
    """Signatures [COUNT, N] of N entries."""
    if not rows:
        return np.zeros((COUNT, 0), np.uint8)
    return np.ascontiguousarray(np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), COUNT).T)


_SHARES = np.clip(np.arange(256) / _LEVELS, 0.5 / _LEVELS, 1 - 0.5 / _LEVELS)
_YES, _NO = np.log(_SHARES).astype(np.float32), np.log1p(-_SHARES).astype(np.float32)
_UNASKED = np.float32(np.log(0.35))  # an entry of which it cannot be asked does something else, as a rule


def likelihoods(signatures: NDArray[np.uint8], holds: Counts, asked: Counts) -> NDArray[np.float32]:
    """How likely each of N entries is to give these answers: log-likelihoods [N], properties taken as independent.

    Args:
        signatures: [COUNT, N].
        holds: On how many examples each property holds, [COUNT].
        asked: On how many it can be asked, [COUNT].
    """
    total = np.zeros(signatures.shape[1], np.float32)
    for k in np.flatnonzero(asked):
        table = np.float32(holds[k]) * _YES + np.float32(asked[k] - holds[k]) * _NO
        table[UNKNOWN] = _UNASKED * np.float32(asked[k])
        total += table[signatures[k]]
    return total


__all__ = ["COUNT", "FORM", "UNKNOWN", "count_properties", "likelihoods", "pack", "unpack"]
