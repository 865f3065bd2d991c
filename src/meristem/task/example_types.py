"""The types of examples: found from Python values, and values brought to types that were stated."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from meristem.errors import InputError
from meristem.types import (
    BOOL,
    DATETIME,
    INT,
    REAL,
    TEXT,
    Type,
    list_of,
    map_of,
    option_of,
    pair_of,
    substitute,
    variable,
    variables_of,
)
from meristem.values.columns import INT_MAX, INT_MIN
from meristem.values.dense import DENSE, as_dense

MOST_ELEMENTS = 100_000
"""Items and characters that one value of an example may have: searching runs each value a million times."""
_DEEPEST = 12  # lists inside of lists
_FEW = 6  # rows that a message names

Numbered = tuple[int, Any]
"""The number of an example, from 1, and a value of it."""


_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z")


class Cell(str):
    """A cell of a text file: what it says depends on the other cells of its column, or on a stated type."""

    __slots__ = ()


class CommaCell(Cell):
    """A cell of a column of numbers that are written with decimal commas, perhaps without one itself."""

    __slots__ = ()


_COMMA_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:,[0-9]+)?\Z")
_COMMA_OR_THOUSAND = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}\Z")


def comma_numbers(texts: Sequence[str], surely: bool) -> bool:
    """Whether all texts are numbers, some of them with a decimal comma.

    Args:
        texts: The cells of a column that are not empty.
        surely: Whether the table is known to write decimal commas; else a column in which every comma might group
            thousands (`1,234`) is none of them.

    >>> comma_numbers(["1,5", "2"], False), comma_numbers(["1,234", "2"], False), comma_numbers(["1", "2"], True)
    (True, False, False)
    """
    written = [text for text in texts if "," in text]
    if not written or not all(_COMMA_NUMBER.match(text.strip()) for text in texts):
        return False
    return surely or not all(_COMMA_OR_THOUSAND.match(text.strip()) for text in written)


class _Mixed(Exception):
    """Values that no type holds: which examples have what."""

    def __init__(self, kinds: Mapping[str, list[int]]) -> None:
        self.kinds = kinds


def plain_value(value: Any, number: int, what: str, depth: int = 0) -> Any:
    """A value with NumPy's scalars and arrays, dates and other sequences made plain.

    Args:
        value: Any value.
        number: Of its example, for messages.
        what: What it is of it (`the input 'x'`), for messages.
        depth: How deep it stands in the value of the example.

    Raises:
        InputError: It is of no kind that a program can have, or too large.
    """
    where = f"{what} of example {number}"
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | datetime):
        return value
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise InputError(
                f"expected whole numbers of 64 bits, got one of {len(str(abs(value)))} digits in {where}; "
                "give it as a real (a float) or as text"
            )
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"expected finite numbers, got {value!r} in {where}; use None for a missing one")
        return value
    if isinstance(value, str):
        if len(value) > MOST_ELEMENTS:
            raise InputError(
                f"expected texts of at most {MOST_ELEMENTS:,} characters, got {len(value):,} in {where}; "
                "a few short examples show as much"
            )
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise InputError(f"expected text that can be written as UTF-8, got half a character in {where}")
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if depth > _DEEPEST:
        raise InputError(f"expected values that nest at most {_DEEPEST} deep, {where} nests deeper")
    if isinstance(value, list | tuple | Mapping) and len(value) > MOST_ELEMENTS:
        raise InputError(
            f"expected lists of at most {MOST_ELEMENTS:,} items, got {len(value):,} in {where}; "
            "a few short examples show as much"
        )
    if isinstance(value, list | tuple):
        made = [plain_value(v, number, what, depth + 1) for v in value]
        return tuple(made) if isinstance(value, tuple) else made
    if isinstance(value, Mapping):
        return {_key(k, number, what): plain_value(v, number, what, depth + 1) for k, v in value.items()}
    raise InputError(
        "expected a number, a text, true or false, a date, None, a list, a pair or a dict, "
        f"got {type(value).__name__} in {where}"
    )


def _key(key: Any, number: int, what: str) -> Any:
    found = plain_value(key, number, what, _DEEPEST)
    if isinstance(found, list | dict):
        raise InputError(
            f"expected keys that are numbers or texts, got {found!r:.60} in {what} of example {number}"
        )
    return found


def type_of_values(values: Sequence[Numbered], what: str) -> Type:
    """The narrowest type that holds the values; what they leave open is `int`.

    Whole numbers among reals are reals; None makes an option; a tuple of two is a pair, and so is a list of two
    where the first and the second are of different types in every example.

    Raises:
        InputError: No type holds them all; says which examples have what.
    """
    try:
        found = _infer(list(values))
    except _Mixed as mixed:
        ranked = sorted(mixed.kinds.items(), key=lambda kind: (-len(kind[1]), kind[1][0]))
        said = "; ".join(f"{name} in {_examples(rows)}" for name, rows in ranked)
        raise InputError(
            f"expected values of one type for {what}, got {said}; correct the odd ones, or state the type"
        ) from None
    return substitute(found, dict.fromkeys(variables_of(found), INT))


def _examples(numbers: Sequence[int]) -> str:
    distinct = sorted(set(numbers))
    if len(distinct) == 1:
        return f"example {distinct[0]}"
    shown = ", ".join(map(str, distinct[:_FEW]))
    return f"examples {shown}" + (f" and {len(distinct) - _FEW:,} more" if len(distinct) > _FEW else "")


def _kind(value: Any) -> str:
    for name, kinds in (
        ("true or false", bool),
        ("a number", (int, float)),
        ("text", str),
        ("a date", datetime),
        ("a list", list),
        ("a tuple", tuple),
        ("a dict", dict),
    ):
        if isinstance(value, kinds):
            return name
    return type(value).__name__


def _infer(values: list[Numbered]) -> Type:
    here = [(n, v) for n, v in values if v is not None]
    if len(here) < len(values):
        inner = _infer(here)
        return inner if inner.name == "option" else option_of(inner)
    if not here:
        return variable("a")
    kinds: dict[str, list[int]] = {}
    for n, v in here:
        kinds.setdefault(_kind(v), []).append(n)
    if set(kinds) == {"a list", "a tuple"}:  # one of both is only how it was typed
        kinds = {"a list": [n for n, _ in here]}
    if len(kinds) > 1:
        raise _Mixed(kinds)
    kind = next(iter(kinds))
    if kind == "a number":
        return INT if all(isinstance(v, int) for _, v in here) else REAL
    if kind in ("true or false", "text", "a date"):
        return {"true or false": BOOL, "text": TEXT, "a date": DATETIME}[kind]
    if kind == "a dict":
        keys = _infer([(n, k) for n, v in here for k in v])
        return map_of(keys, _infer([(n, x) for n, v in here for x in v.values()]))
    pairs = all(len(v) == 2 for _, v in here)
    if kind == "a tuple" and pairs:
        return _pair(here)
    try:
        return list_of(_infer([(n, x) for n, v in here for x in v]))
    except _Mixed as mixed:
        if not pairs:
            raise _Mixed({f"{name} among the items": rows for name, rows in mixed.kinds.items()}) from None
        return _pair(here)


def _pair(values: list[Numbered]) -> Type:
    return pair_of(_infer([(n, v[0]) for n, v in values]), _infer([(n, v[1]) for n, v in values]))


# ---------------------------------------------------------------------------------------------- stated types


def conform(value: Any, type_: Type) -> Any:
    """A value as the type wants it where only its form differs.

    JSON and text files have no dates, no pairs, and only texts as keys; what stands there for one becomes one. A
    value that cannot be brought to the type is given back as it is: making a column of it says what is wrong.

    Raises:
        TypeMismatch: An image, signal or vector cannot be brought to its type.
    """
    name = type_.name
    if name == "option":
        return None if value is None else conform(value, type_.item)
    if name in DENSE:
        return value if isinstance(value, str) or value is None else as_dense(value, type_)
    if isinstance(value, np.ndarray) and name in ("list", "pair"):
        value = list(value)  # of arrays, where it has several dimensions
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, str):
        return _from_text(value, type_) if name != "text" else str(value)
    if name == "real" and type(value) is int:
        return float(value)
    if name == "int" and type(value) is float and value.is_integer() and INT_MIN <= value <= INT_MAX:
        return int(value)
    if name == "datetime" and isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    if name == "list" and isinstance(value, list | tuple):
        return [conform(v, type_.item) for v in value]
    if name == "pair" and isinstance(value, list | tuple) and len(value) == 2:
        return tuple(conform(v, t) for v, t in zip(value, type_.args, strict=True))
    if name == "map":
        if isinstance(value, list) and all(isinstance(v, list | tuple) and len(v) == 2 for v in value):
            value = {_hashable(k): v for k, v in value}
        if isinstance(value, Mapping):
            key, item = type_.args
            return {_hashable(conform(k, key)): conform(v, item) for k, v in value.items()}
    if name == "row" and isinstance(value, Mapping):
        return {n: conform(value[n], t) for n, t in type_.fields.items() if n in value}
    return value


def _hashable(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _from_text(text: str, type_: Type) -> Any:
    """What a text says of a type that is no text; the text itself where it says nothing."""
    name, said = type_.name, text.strip()
    if isinstance(text, CommaCell) and name in ("int", "real"):
        said = said.replace(",", ".")
    try:
        if name == "int":
            return int(said)
        if name == "real":
            return float(said)
        if name == "bool":
            return {"true": True, "false": False}.get(said.lower(), text)
        if name == "datetime":
            return datetime.fromisoformat(said)
        if name in ("list", "pair", "map", "row"):
            found = json.loads(said)
            return text if isinstance(found, str) else conform(found, type_)
    except (ValueError, RecursionError):
        pass
    return str(text)


# ---------------------------------------------------------------------------------------------- cells of text files


def cells(texts: Sequence[str]) -> list[Any]:
    """What the cells of one column of a text file say, all of one kind: ints, reals, truths, lists, or texts.

    A zero in front (`007`) makes them text, for there it counts.

    >>> cells(["1", "-2"]), cells(["1", "2.5"]), cells(["007"]), cells(["[1, 2]"]), cells(["true", "false"])
    ([1, -2], [1.0, 2.5], ['007'], [[1, 2]], [True, False])
    """
    read = _reader([text for text in texts if text != ""])
    return [str(text) if text == "" or read is None else read(text) for text in texts]


def _reader(texts: Sequence[str]) -> Callable[[str], Any] | None:
    """What reads all of the texts as something else than text; None where nothing does."""
    if not texts:
        return None
    if any(isinstance(t, CommaCell) for t in texts) and comma_numbers(texts, True):
        return lambda text: float(text.replace(",", "."))
    if all(_WHOLE.match(t) and t != "-0" and INT_MIN <= int(t) <= INT_MAX for t in texts):
        return int
    if all(_NUMBER.match(t) and any(c.isdigit() for c in t.lower().partition("e")[0]) for t in texts):
        return float
    if {t.lower() for t in texts} <= {"true", "false"}:
        return lambda text: text.lower() == "true"
    if all(t.startswith("[") and t.endswith("]") for t in texts):
        try:
            if all(isinstance(json.loads(t), list) for t in texts):
                return json.loads
        except (ValueError, RecursionError):
            return None
    return None


__all__ = [
    "MOST_ELEMENTS",
    "Cell",
    "CommaCell",
    "cells",
    "comma_numbers",
    "conform",
    "plain_value",
    "type_of_values",
]
