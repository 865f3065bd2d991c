"""Answers: what the target column is, classes or numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.reading.profile import read_numerals, sample_texts
from meristem.task.cells import MISSING, MISSING_NUMBER, UNKNOWN, guess_style
from meristem.task.features import lenient_numbers, natural_key
from meristem.task.raw import (
    ArrowStrings,
    Flags,
    Moments,
    Numbers,
    Raw,
    Strings,
    Unreadable,
    interned,
    number_text,
)
from meristem.task.schema import Label, Target, class_type
from meristem.task.task import Finding, Kind
from meristem.types import REAL

MOST_CLASSES = 20
"""Whole numbers with more distinct values than this are amounts, unless `kind` says otherwise."""
_ROWS_A_CLASS = 5
"""And so are those with fewer rows a value than this, on average."""
_TOO_MANY = 1_000


def decide_target(
    name: str, raw: Raw, kind: Kind | None = None, comma: int = UNKNOWN
) -> tuple[Target, list[Finding]]:
    """What the target column answers.

    Text and truth values are classes, fractions are numbers. Whole numbers are classes if there are two, or
    if they are few (at most 20 values, 5 rows each on average) and look like codes: they begin at -1, 0 or 1
    and leave few gaps. So 0/1 and 1..7 are classes; a wine's points from 3 to 9, ages and counts up to 29
    are numbers.

    Raises:
        InputError: It holds neither, or not what `kind` asks for.
    """
    if kind not in (None, "classification", "regression"):
        raise InputError(f"expected kind 'classification' or 'regression', got {kind!r}")
    if isinstance(raw, Unreadable):
        raise InputError(f"the target {name!r} cannot be used: {raw.reason}; pass numbers or labels")
    if isinstance(raw, Moments):
        raise InputError(
            f"the target {name!r} holds dates; predict a number instead, such as the days since a fixed date"
        )
    if isinstance(raw, Flags):
        if kind == "regression":
            return Target(name, REAL), []
        return Target(name, class_type(["False", "True"]), (False, True)), []
    if isinstance(raw, Numbers):
        return _from_numbers(name, Target(name, REAL), raw.data, raw.integer, kind)
    return _from_text(name, raw, kind, comma)


def _from_text(
    name: str, raw: Strings | ArrowStrings, kind: Kind | None, comma: int
) -> tuple[Target, list[Finding]]:
    sample = sample_texts(raw, 200)
    if not sample:
        return Target(name, REAL), []  # all answers are missing; the caller says so
    numerals = read_numerals(raw, comma)
    if numerals is not None and not numerals.words:
        # "1.0" answers with 1.0, "1" with 1: what the file has is what predictions look like.
        whole = _whole(numerals.values) and all(t.lstrip("+-").isdigit() for t in sample)
        return _from_numbers(name, Target(name, REAL, style=numerals.style), numerals.values, whole, kind)
    if kind == "classification" or (kind is None and numerals is None):
        return _from_labels(name, raw, comma)
    text, row, more = _first_word(raw, comma)
    raise InputError(
        f"expected numbers in the target {name!r}, got {text!r} in row {row}{more}; correct the value or "
        "leave the cell empty, or pass kind='classification' if all of them are labels"
    )


def _first_word(raw: Strings | ArrowStrings, comma: int) -> tuple[str, int, str]:
    """The first text that is no number, its row, and how many more there are."""
    style, _ = guess_style(sample_texts(raw, 200), comma)
    _, bad = lenient_numbers(raw, style, MISSING_NUMBER)
    strings, row = interned(raw), int(bad[0])
    more = f" and {len(bad) - 1:,} more such rows" if len(bad) > 1 else ""
    return strings.pool[strings.codes[row]][:60], row + 1, more


def _whole(data: NDArray[np.float64]) -> bool:
    values = data[np.isfinite(data)]
    return bool((values == np.floor(values)).all())


def _from_numbers(
    name: str, target: Target, data: NDArray[np.float64], integer: bool, kind: Kind | None
) -> tuple[Target, list[Finding]]:
    if np.isinf(data).any():
        row = int(np.isinf(data).argmax()) + 1
        raise InputError(
            f"expected finite numbers in the target {name!r}, got {data[row - 1]} in row {row}; "
            "remove such rows or leave the cell empty"
        )
    known = data[~np.isnan(data)]
    values = np.unique(known)
    if kind == "regression" or (kind is None and not _coded(values, len(known))):
        return Target(name, REAL, integer=bool(len(values)) and _whole(data), style=target.style), []
    if len(values) > _TOO_MANY:
        raise InputError(
            f"expected at most {_TOO_MANY:,} classes in the target {name!r}, got {len(values):,} different "
            "numbers; pass kind='regression' to predict them as numbers"
        )
    findings = []
    if kind is None and len(values) > 2:
        what = f"the {len(values)} whole numbers in {name!r} are read as classes"
        findings.append(Finding("kind", name, f"{what}; kind='regression' reads them as amounts"))
    labels = tuple(number_text(v) for v in values.tolist())
    originals: tuple[Label, ...] = tuple(int(v) if integer else v for v in values.tolist())
    return Target(name, class_type(labels), originals, style=target.style), findings


def _coded(values: NDArray[np.float64], rows: int) -> bool:
    """Whether distinct, sorted numbers look like codes of classes."""
    if not len(values) or not (values == np.floor(values)).all():
        return False
    if len(values) <= 2:
        return rows >= 4 or len(values) < 2
    span = float(values[-1] - values[0]) + 1
    few = len(values) <= MOST_CLASSES and len(values) * _ROWS_A_CLASS <= rows
    return few and values[0] in (-1, 0, 1) and len(values) >= 0.75 * span


def _from_labels(name: str, raw: Strings | ArrowStrings, comma: int) -> tuple[Target, list[Finding]]:
    texts = interned(raw)
    used = np.zeros(len(texts.pool) + 1, np.bool_)
    used[texts.codes] = True
    words = {t.strip() for t, u in zip(texts.pool, used[:-1].tolist(), strict=True) if u} - MISSING
    rows = int((texts.codes >= 0).sum())
    if len(words) > _TOO_MANY or (len(words) > 50 and len(words) > 0.5 * rows):
        numbers = guess_style(sample_texts(raw, 200), comma)[1]
        if numbers > 100:
            text, row, more = _first_word(raw, comma)
            raise InputError(
                f"expected numbers in the target {name!r}, got {text!r} in row {row}{more}; "
                "correct the value or leave the cell empty"
            )
        raise InputError(
            f"expected a few classes or numbers in the target {name!r}, got {len(words):,} different texts "
            f"in {rows:,} rows, such as {min(words)[:60]!r}; group them into classes first"
        )
    if len(words) == 2 and {w.lower() for w in words} == {"true", "false"}:
        return Target(name, class_type(sorted(words, key=str.lower)), (False, True)), []
    labels = sorted(words, key=natural_key)
    return Target(name, class_type(labels), tuple(labels)), []
