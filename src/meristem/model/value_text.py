"""Values of programs as a person reads them, and as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.model.words import clean

_LIMIT = 72


def value_text(value: Any, limit: int = _LIMIT) -> str:
    """A value as Python writes it, on one line, cut in the middle of what is long.

    >>> value_text(list(range(100)), 30)
    '[0, 1, 2, 3, … 96 more]'
    >>> value_text("a\\nb"), value_text(1.5), value_text(None)
    ("'a\\\\nb'", '1.5', 'None')
    """
    whole = _whole(value, limit)
    return clean(whole if whole is not None else _cut(value, limit))


def _whole(value: Any, limit: int) -> str | None:
    """The whole text of a value, or None where it is longer."""
    if isinstance(value, list | tuple | dict) and len(value) > limit:
        return None
    if isinstance(value, str) and len(value) > limit:
        return None
    if isinstance(value, np.ndarray) and value.ndim > 1:  # its numbers say nothing to a person
        return shape_text(value)
    if isinstance(value, list | tuple) and any(isinstance(v, list | tuple | np.ndarray) for v in value):
        parts = [_whole(v, limit) for v in value]
        if any(part is None for part in parts):
            return None
        inner = ", ".join(map(str, parts))
        made = f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(parts) == 1 else ''})"
        return made if len(made) <= limit else None
    text = repr(plain_value(value)) if not isinstance(value, datetime) else _moment(value)
    return text if len(text) <= limit else None


def shape_text(value: NDArray[Any]) -> str:
    """What an image or a signal is: its size."""
    if value.ndim == 2:
        return f"signal of {len(value):,} samples"
    return f"image {value.shape[1]} x {value.shape[0]}"


def _moment(value: datetime) -> str:
    return value.isoformat(sep=" ") if value.time() != value.time().min else value.date().isoformat()


def _cut(value: Any, limit: int) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, str):
        return repr(value[: max(limit - 14, 8)]) + f"… {len(value):,} characters"
    if isinstance(value, dict):
        parts = (f"{value_text(k, limit // 3)}: {value_text(v, limit // 3)}" for k, v in value.items())
        return "{" + _some(parts, len(value), limit) + "}"
    if isinstance(value, list):
        return "[" + _some((value_text(v, limit // 2) for v in value), len(value), limit) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(value_text(v, limit // 2) for v in value) + ")"
    text = repr(value)
    return text[: limit - 1] + "…"


def _some(parts: Any, total: int, limit: int) -> str:
    shown: list[str] = []
    used = 12
    for part in parts:
        used += len(part) + 2
        if shown and used > limit:
            break
        shown.append(part)
    rest = total - len(shown)
    return ", ".join(shown) + (f", … {rest:,} more" if rest else "")


def plain_value(value: Any) -> Any:
    """A value of Python's own kinds: arrays become lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return value


def json_value(value: Any) -> Any:
    """A value as JSON has it: pairs become lists, dates texts, and maps whose keys are no texts lists of pairs."""
    value = plain_value(value)
    if isinstance(value, list | tuple):
        return [json_value(v) for v in value]
    if isinstance(value, Mapping):
        if all(isinstance(k, str) for k in value):
            return {k: json_value(v) for k, v in value.items()}
        return [[json_value(k), json_value(v)] for k, v in value.items()]
    return value.isoformat() if isinstance(value, datetime) else value


__all__ = ["json_value", "plain_value", "value_text"]
