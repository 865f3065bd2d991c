"""Profiles: what a raw column means. The rules are general; each threshold says why it is where it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meristem.task.cells import (
    MISSING,
    MISSING_NUMBER,
    PLAIN,
    TRUTH_PAIRS,
    NumberStyle,
    guess_style,
    looks_coded,
)
from meristem.task.dates import guess_order, parse_dates
from meristem.task.features import Feature, lenient_numbers, natural_key
from meristem.task.raw import ArrowStrings, Flags, Moments, Numbers, Raw, Strings, Unreadable, interned
from meristem.task.task import Finding
from meristem.types import BOOL, DATETIME, REAL, TEXT, class_of, option_of

MOST_LABELS = 1_000
"""Labels kept of a category: more would make the model large, and each is rare by then."""
OTHER = "(other)"
_SAMPLE = 2_000
_DISTINCT = 0.75
"""A text column is an identifier from this share of distinct values on: most rows then share theirs with no other."""
_FEW = 20
"""Rows below which distinct values show nothing."""
_HUGE = 1e100
"""Numbers beyond this overflow when they are squared and summed."""
_ID_WORDS = frozenset(
    "id ids idx index key uuid guid rowid rownum rowid row no nr num number unnamed serial code".split()
)


@dataclass(frozen=True)
class Profile:
    """What one column was found to be: a feature, or a reason to leave it out."""

    feature: Feature | None
    findings: tuple[Finding, ...] = ()
    dropped: str = ""
    integers: bool = False


def profile_column(name: str, raw: Raw, comma: bool = False, keep: bool = False) -> Profile:
    """Find out what a raw column means.

    Args:
        name: The column's name.
        raw: Its values.
        comma: Whether the table is likely to write decimal commas.
        keep: Never take it for an identifier.
    """
    if isinstance(raw, Unreadable):
        return _drop(name, "unreadable", raw.reason)
    if isinstance(raw, Numbers):
        return _profile_numbers(Feature(name, option_of(REAL)), raw.data, keep)
    if isinstance(raw, Flags):
        if not raw.present.any():
            return _drop(name, "empty", "all its values are missing")
        if raw.present.all() and (raw.data.all() or not raw.data.any()):
            return _drop(name, "constant", "all its values are the same")
        return Profile(Feature(name, option_of(BOOL)))
    if isinstance(raw, Moments):
        if not raw.present.any():
            return _drop(name, "empty", "all its values are missing")
        if raw.present.all() and (raw.data == raw.data[0]).all():
            return _drop(name, "constant", "all its values are the same")
        return Profile(Feature(name, option_of(DATETIME)))
    return _profile_text(name, raw, comma, keep)


def _drop(name: str, kind: str, reason: str) -> Profile:
    return Profile(None, (Finding(kind, name, f"left out {name!r}: {reason}"),), reason)


# ---------------------------------------------------------------------------------------------- numbers


def _profile_numbers(
    feature: Feature, data: NDArray[np.float64], keep: bool, findings: Sequence[Finding] = ()
) -> Profile:
    name, found = feature.name, list(findings)
    finite = np.isfinite(data)
    values = data if finite.all() else data[finite]
    if not len(values):
        return _drop(name, "empty", "all its values are missing")
    infinite = int(np.isinf(data).sum())
    if infinite:
        found.append(
            Finding("infinite", name, f"{infinite:,} infinite numbers in {name!r} are treated as missing")
        )
    low, high = float(values.min()), float(values.max())
    if low == high and len(values) == len(data):
        return _drop(name, "constant", "all its values are the same")
    if max(-low, high) > _HUGE:
        found.append(
            Finding(
                "huge",
                name,
                f"{name!r} holds numbers as large as {max(-low, high):.0e}: is that an error code?",
            )
        )
    whole = bool((values == np.floor(values)).all()) and max(-low, high) < 2**63
    if whole and not keep:
        reason = _numeric_identifier(name, values, complete=len(values) == len(data))
        if reason:
            return _drop(name, "identifier", reason)
    feature = Feature(name, feature.type, integer=whole, style=feature.style, words=feature.words)
    return Profile(feature, tuple(found), integers=whole)


def _numeric_identifier(name: str, values: NDArray[np.float64], complete: bool) -> str:
    """Why whole numbers are an identifier; empty if they are none.

    Counting up by one from 0 or 1 through the whole table is what row numbers do. Other whole numbers that are
    all distinct may well be measurements (populations, prices), so they need a name that says so too.
    """
    count = len(values)
    if count < 3 or not complete:
        return ""
    named = _names_identifier(name)
    steps = np.diff(values)
    if (steps == 1).all() and values[0] in (0, 1) and (named or count >= _FEW):
        return "it counts the rows"
    if named and count >= _FEW and len(np.unique(values)) >= _DISTINCT * count:
        return "its name and its distinct whole numbers say that it identifies the rows"
    return ""


def _names_identifier(name: str) -> bool:
    """Whether a name speaks of an identifier: `id`, `PassengerId`, `row_no`, `unnamed_1`, `#`."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|#", name)
    return any(p.lower() in _ID_WORDS or p == "#" for p in parts)


# ---------------------------------------------------------------------------------------------- text


def number_style(raw: Strings | ArrowStrings, comma: bool) -> tuple[NumberStyle, tuple[str, ...]] | None:
    """How a column of text writes numbers, and words in it that are none; None if it holds something else.

    A few words among many numbers ("12", "15", "unknown") stand for missing ones: at most five, in at most 5 % of
    the rows that are not empty.
    """
    texts = _sample(raw)
    if not texts:
        return None
    style, count = guess_style(texts, comma)
    if count < 0.5 * len(texts) or looks_coded(texts):
        return None
    _, bad = lenient_numbers(raw, style, MISSING_NUMBER)
    if not len(bad):
        return style, ()
    strings = interned(raw)
    places = sorted(set(strings.codes[bad].tolist()))
    if len(places) > _FEW:
        style, count = guess_style([t for t in strings.pool if t.strip() not in MISSING_NUMBER], comma)
        _, bad = lenient_numbers(strings, style, MISSING_NUMBER)
        places = sorted(set(strings.codes[bad].tolist()))
    words = tuple(sorted({strings.pool[k].strip() for k in places}))
    present = int((strings.codes >= 0).sum())
    if not words:
        return style, ()
    if len(words) > 5 or len(bad) > 0.05 * present or any(re.search(r"\d", w) for w in words):
        return None
    return style, words


def _sample(raw: Strings | ArrowStrings) -> list[str]:
    """Distinct texts of a column that are not missing, as stripped text in order of appearance; a few thousand."""
    if isinstance(raw, ArrowStrings):
        count = len(raw)
        rows = (
            np.unique(np.linspace(0, count - 1, _SAMPLE).astype(np.int64)) if count else np.empty(0, np.int64)
        )
        texts = raw.array.take(rows).to_pylist()
        distinct = dict.fromkeys(t.strip() for t in texts if t is not None)
        found = [t for t in distinct if t not in MISSING_NUMBER]
        if found:
            return found
        raw = raw.strings()
    distinct = dict.fromkeys(t.strip() for t in raw.pool)
    return [t for t in distinct if t not in MISSING_NUMBER][:_SAMPLE]


def _profile_text(name: str, raw: Strings | ArrowStrings, comma: bool, keep: bool) -> Profile:
    findings: list[Finding] = []
    style = number_style(raw, comma)
    if style is not None:
        feature = Feature(name, option_of(REAL), style=style[0], words=style[1])
        if style[1]:
            words = ", ".join(repr(w) for w in style[1])
            findings.append(
                Finding("mixed", name, f"{name!r} holds numbers; {words} among them count as missing")
            )
        data, _ = lenient_numbers(raw, style[0], feature.missing_words)
        return _profile_numbers(feature, data, keep, findings)
    strings = interned(raw)
    counts = np.bincount(strings.codes[strings.codes >= 0], minlength=len(strings.pool))
    tally: dict[str, int] = {}
    for text, count in zip(strings.pool, counts.tolist(), strict=True):
        word = text.strip()
        if count and word not in MISSING:
            tally[word] = tally.get(word, 0) + count
    present, rows = sum(tally.values()), len(strings)
    if not tally:
        return _drop(name, "empty", "all its values are missing")
    if strings.mixed:
        findings.append(
            Finding("mixed", name, f"{name!r} holds values of several kinds; all are read as text")
        )
    strict = [t for t in tally if t not in MISSING_NUMBER]
    lowered = {t.lower() for t in strict}
    if len(lowered) == 2 and any(lowered == set(pair) for pair in TRUTH_PAIRS):
        return Profile(Feature(name, option_of(BOOL)), tuple(findings))
    dates = _profile_dates(name, strict)
    if dates is not None:
        feature, notes = dates
        if len(strict) == 1 and present == rows:
            return _drop(name, "constant", "all its values are the same")
        return Profile(feature, (*findings, *notes))
    if len(tally) == 1 and present == rows:
        return _drop(name, "constant", "all its values are the same")
    distinct = len(tally) / present
    texts = list(tally)[:500]
    words_each = sum(len(t.split()) for t in texts) / len(texts)
    length = sum(map(len, texts)) / len(texts)
    if words_each >= 5 and length >= 25 and distinct >= 0.3 and len(tally) > 5:
        return Profile(Feature(name, option_of(TEXT)), tuple(findings))
    if not keep and present >= _FEW and distinct >= _DISTINCT:
        reason = f"{len(tally):,} of its {present:,} values are distinct, so it identifies the rows"
        return _drop(name, "identifier", reason)
    labels, other = _labels(tally)
    if other:
        findings.append(
            Finding(
                "rare",
                name,
                f"{name!r} has {len(tally):,} values; the {len(labels) - 1:,} most frequent are kept",
            )
        )
    return Profile(Feature(name, option_of(class_of(*labels)), other=other), tuple(findings))


def _labels(tally: dict[str, int]) -> tuple[list[str], bool]:
    """The labels of a category in natural order, and whether the last one takes in the rare ones."""
    if len(tally) <= MOST_LABELS:
        return sorted(tally, key=natural_key), False
    common = sorted(tally, key=lambda t: (-tally[t], t))[: MOST_LABELS - 1]
    return [*sorted((t for t in common if t != OTHER), key=natural_key), OTHER], True


def _profile_dates(name: str, texts: list[str]) -> tuple[Feature, tuple[Finding, ...]] | None:
    if not texts or not any(c.isdigit() for c in texts[0]):
        return None
    guess = guess_order(texts[:_SAMPLE])
    if guess is None:
        return None
    order, ambiguous = guess
    _, bad = parse_dates(texts, order)
    if bad and order != "ymd":
        order = "dmy" if order == "mdy" else "mdy"
        _, bad = parse_dates(texts, order)
    if bad:
        return None
    notes: tuple[Finding, ...] = ()
    if ambiguous:
        which = "day first" if order == "dmy" else "month first"
        notes = (
            Finding("ambiguous", name, f"the dates in {name!r} are read {which}; nothing in them settles it"),
        )
    return Feature(name, option_of(DATETIME), order=order), notes


__all__ = ["MOST_LABELS", "OTHER", "PLAIN", "Profile", "number_style", "profile_column"]
