"""Answers: what the target column is, classes or numbers."""

from __future__ import annotations

import numpy as np

from meristem.errors import InputError
from meristem.reading.profile import number_style
from meristem.task.cells import MISSING
from meristem.task.features import lenient_numbers, natural_key, texts_of
from meristem.task.raw import ArrowStrings, Flags, Moments, Numbers, Raw, Strings, Unreadable, number_text
from meristem.task.schema import Label, Target, class_type
from meristem.task.task import Finding, Kind
from meristem.types import REAL

MOST_CLASSES = 20
"""Whole numbers with more distinct values than this are amounts, unless `kind` says otherwise."""
_ROWS_A_CLASS = 5
"""And so are those with fewer rows a value than this, on average."""
_TOO_MANY = 1_000


def decide_target(name: str, raw: Raw, kind: Kind | None, comma: bool) -> tuple[Target, list[Finding]]:
    """What the target column answers.

    Text and truth values are classes, fractions are numbers. Whole numbers are classes if there are two, or if
    they are few (at most 20 values, 5 rows each on average) and look like codes: they begin at -1, 0 or 1 and leave
    few gaps. So 0/1 and 1..7 are classes; a wine's points from 3 to 9, ages and counts up to 29 are numbers.

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
        return _numbers(name, Target(name, REAL), raw.data, raw.integer, kind)
    style = None if raw_is_words(raw) else number_style(raw, comma)
    if style is not None and not style[1]:
        data, _ = lenient_numbers(raw, style[0], Target(name, REAL).missing_words)
        texts = texts_of(raw) if len(raw) < 100_000 else None
        written = any("." in t or "e" in t.lower() for t in texts.pool) if texts else True
        whole = _whole(data) and not (written and texts is not None)
        return _numbers(name, Target(name, REAL, style=style[0]), data, whole, kind)
    if kind == "regression":
        bad = style[1][0] if style else texts_of(raw).pool[0]
        raise InputError(
            f"expected numbers in the target {name!r} for a regression, got text such as {bad!r}; "
            "correct those cells or leave them empty, or ask for a classification"
        )
    if style is not None:
        raise (
            InputError(
                f"expected numbers or labels in the target {name!r}, got numbers and the text {style[1][0]!r}; "
                "leave the cell empty if the answer is not known, or pass kind='classification' if all are labels"
            )
            if kind is None
            else InputError(f"the target {name!r} mixes numbers and text; use one of them")
        )
    return _labels(name, raw)


def raw_is_words(raw: Strings | ArrowStrings) -> bool:
    """Whether a short column surely holds words: a quick way around looking for numbers."""
    return (
        isinstance(raw, Strings)
        and bool(raw.pool)
        and len(raw.pool) <= 2
        and all(t.isalpha() for t in raw.pool)
    )


def _whole(data: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    values = data[np.isfinite(data)]
    return bool((values == np.floor(values)).all())


def _numbers(
    name: str,
    target: Target,
    data: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    integer: bool,
    kind: Kind | None,
) -> tuple[Target, list[Finding]]:
    if np.isinf(data).any():
        row = int(np.isinf(data).argmax()) + 1
        raise InputError(
            f"expected finite numbers in the target {name!r}, got {data[row - 1]} in row {row}; "
            "remove such rows or leave the cell empty"
        )
    values = np.unique(data[~np.isnan(data)])
    rows = int((~np.isnan(data)).sum())
    coded = _coded(values, rows)
    if kind == "regression" or (kind is None and not coded):
        whole = bool(len(values)) and _whole(data)
        return Target(name, REAL, integer=whole, style=target.style), []
    if len(values) > _TOO_MANY:
        raise InputError(
            f"expected at most {_TOO_MANY:,} classes in the target {name!r}, got {len(values):,} different numbers; "
            "pass kind='regression' to predict them as numbers"
        )
    findings = []
    if kind is None and len(values) > 2:
        text = f"the {len(values)} whole numbers in {name!r} are read as classes; kind='regression' reads them as amounts"
        findings.append(Finding("kind", name, text))
    labels = tuple(number_text(v) for v in values.tolist())
    originals: tuple[Label, ...] = tuple(int(v) if integer else v for v in values.tolist())
    return Target(name, class_type(labels), originals, style=target.style), findings


def _coded(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], rows: int) -> bool:
    """Whether distinct, sorted numbers look like codes of classes."""
    if not len(values) or not (values == np.floor(values)).all():
        return False
    if len(values) <= 2:
        return rows >= 4 or len(values) < 2
    span = float(values[-1] - values[0]) + 1
    few = len(values) <= MOST_CLASSES and len(values) * _ROWS_A_CLASS <= rows
    return few and values[0] in (-1, 0, 1) and len(values) >= 0.75 * span


def _labels(name: str, raw: Raw) -> tuple[Target, list[Finding]]:
    texts = texts_of(raw)
    used = np.zeros(len(texts.pool) + 1, np.bool_)
    used[texts.codes] = True
    words = {t.strip() for t, u in zip(texts.pool, used[:-1].tolist(), strict=True) if u} - MISSING
    rows = int((texts.codes >= 0).sum())
    if len(words) > _TOO_MANY or (len(words) > 50 and len(words) > 0.5 * rows):
        example = sorted(words)[0]
        raise InputError(
            f"expected a few classes or numbers in the target {name!r}, got {len(words):,} different texts in "
            f"{rows:,} rows, such as {example[:60]!r}; group them into classes first"
        )
    labels = sorted(words, key=natural_key)
    if {w.lower() for w in words} == {"true", "false"} and len(words) == 2:
        labels.sort(key=str.lower)
        return Target(name, class_type(labels), (False, True)), []
    return Target(name, class_type(labels), tuple(labels)), []
