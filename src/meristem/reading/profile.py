"""Profiles: what a raw column means. The rules are general; each threshold says why it is where it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.task.cells import (
    MISSING,
    MISSING_NUMBER,
    TRUTH_PAIRS,
    UNKNOWN,
    NumberStyle,
    guess_style,
    looks_coded,
)
from meristem.task.dates import ORDERS, Order, guess_order, parse_date
from meristem.task.features import Feature, lenient_moments, lenient_numbers, natural_key
from meristem.task.raw import ArrowStrings, Flags, Moments, Numbers, Raw, Strings, Unreadable, interned
from meristem.task.task import Finding
from meristem.types import BOOL, DATETIME, REAL, TEXT, class_of, option_of
from meristem.values import Options, Scalars

MOST_LABELS = 1_000
"""Labels kept of a category: more would make the model large, and each is rare by then."""
OTHER = "(other)"
_SAMPLE = 2_000
_MANY = 100_000
"""Rows from which on a column of distinct text is not made into Python strings only to be left out."""
_DISTINCT = 0.75
"""A text column is an identifier from this share of distinct values on: most rows then share theirs with no
other."""
_MOST_WORDS = 5
"""Distinct words among numbers or dates that may stand for missing ones."""
_MARKS, _MARKED, _AMOUNTS = 3, 0.2, 10
"""Words, and their share of the rows, that may mark missing numbers in a feature with so many distinct numbers: more
than that is a mixture, and with fewer numbers the words may be codes like them."""
_FEW = 20
"""Rows below which distinct values show nothing."""
_HUGE = 1e100
"""Numbers beyond this overflow when they are squared and summed."""
_ID_WORDS = frozenset(
    {"id", "ids", "idx", "index", "key", "uuid", "guid", "rowid", "rownum", "row", "unnamed", "#"}
)
_LAST_ID_WORDS = frozenset({"no", "nr", "num", "number", "code", "serial"})
"""`order_no` identifies, `no_of_rooms` does not."""


@dataclass(frozen=True)
class Profile:
    """What one column was found to be: a feature and its values, or a reason to leave it out."""

    feature: Feature | None
    findings: tuple[Finding, ...] = ()
    dropped: str = ""
    column: Options | None = None


def profile_column(name: str, raw: Raw, comma: int = UNKNOWN, keep: bool = False) -> Profile:
    """Find out what a raw column means.

    Args:
        name: The column's name.
        raw: Its values.
        comma: What is known of the table's decimal signs.
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
        feature = Feature(name, option_of(BOOL))
        return Profile(feature, column=feature.convert(raw, []))
    if isinstance(raw, Moments):
        if not raw.present.any():
            return _drop(name, "empty", "all its values are missing")
        if raw.present.all() and (raw.data == raw.data[0]).all():
            return _drop(name, "constant", "all its values are the same")
        feature = Feature(name, option_of(DATETIME))
        return Profile(feature, column=feature.convert(raw, []))
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
    return Profile(feature, tuple(found), column=feature.finite(data, []))


def _numeric_identifier(name: str, values: NDArray[np.float64], complete: bool) -> str:
    """Why whole numbers are an identifier; empty if they are none.

    Counting up by one from 0 or 1 through the whole table is what row numbers do. Other whole numbers that
    are all distinct may well be measurements (populations, prices), so they need a name that says so too.
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
    parts = [p.lower() for p in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|#", name)]
    return any(p in _ID_WORDS for p in parts) or (bool(parts) and parts[-1] in _LAST_ID_WORDS)


# ---------------------------------------------------------------------------------------------- text


@dataclass(frozen=True)
class Numerals:
    """A column of text that holds numbers.

    Args:
        style: How they are written.
        words: Words among them that stand for missing ones.
        values: The numbers [N], NaN where missing.
        marked: The rows in which such a word stands.
    """

    style: NumberStyle
    words: tuple[str, ...]
    values: NDArray[np.float64]
    marked: int = 0


def read_numerals(raw: Strings | ArrowStrings, comma: int, marks: bool = False) -> Numerals | None:
    """A column of text as numbers; None if it holds something else.

    A few words among many numbers ("12", "15", "unknown") stand for missing ones: at most five, in at most
    5 % of the rows that are not empty.

    Args:
        raw: The column.
        comma: What is known of the table's decimal signs.
        marks: Whether words may also stand in up to 20 % of these rows, if they are one, or up to three that each
            come again, among at least ten distinct numbers. Not for a target, where a word may be a class.
    """
    texts = sample_texts(raw, 100)
    if not texts:
        return None
    style, count = guess_style(texts, comma)
    if count < 0.5 * len(texts) or looks_coded(texts):
        return None
    values, bad = lenient_numbers(raw, style, MISSING_NUMBER)
    if not len(bad):
        return Numerals(style, (), values)
    strings = interned(raw)
    # The sample may have missed how the column writes its larger numbers: look at all of them.
    style, _ = guess_style([t for t in strings.pool if t.strip() not in MISSING_NUMBER], comma)
    values, bad = lenient_numbers(strings, style, MISSING_NUMBER)
    words = tuple(sorted({strings.pool[k].strip() for k in np.unique(strings.codes[bad]).tolist()}))
    missing = _may_be_missing(words, len(bad), strings) or (marks and _are_marks(words, bad, values, strings))
    return Numerals(style, words, values, len(bad)) if missing else None


def _are_marks(
    words: Sequence[str], bad: NDArray[np.int64], values: NDArray[np.float64], strings: Strings
) -> bool:
    """Whether the words in the rows `bad` of a column of numbers are somebody's mark for a missing one."""
    there = strings.codes[strings.codes >= 0]
    used = np.bincount(there, minlength=len(strings.pool))
    empty = np.array([t.strip() in MISSING_NUMBER for t in strings.pool], np.bool_)
    if len(words) > _MARKS or len(bad) > _MARKED * int(used[~empty].sum()):
        return False
    if any(re.search(r"\d", w) for w in words):
        return False
    tally = dict.fromkeys(words, 0)
    for code in np.unique(strings.codes[bad]).tolist():
        tally[strings.pool[code].strip()] += int(used[code])
    again = len(words) == 1 or min(tally.values()) > 1
    return again and len(np.unique(values[np.isfinite(values)])) >= _AMOUNTS


def _may_be_missing(words: Sequence[str], count: int, strings: Strings) -> bool:
    """Whether words in `count` rows of a column of numbers or dates may stand for missing ones."""
    present = int((strings.codes >= 0).sum())
    return (
        len(words) <= _MOST_WORDS and count <= 0.05 * present and not any(re.search(r"\d", w) for w in words)
    )


@lru_cache(maxsize=8)
def _spread(count: int, most: int) -> Any:
    """About `most` rows spread over `count`, as an Arrow array; the same for each column of a table."""
    import pyarrow as pa

    return pa.array(np.unique(np.linspace(0, count - 1, most).astype(np.int64)))


def sample_texts(raw: Strings | ArrowStrings, most: int) -> list[str]:
    """About `most` distinct texts of a column that are not missing, stripped, in order of appearance."""
    if isinstance(raw, ArrowStrings):
        count = len(raw)
        texts = raw.array.take(_spread(count, min(most, count))).to_pylist()
        distinct = dict.fromkeys(t.strip() for t in texts if t is not None)
        found = [t for t in distinct if t not in MISSING_NUMBER]
        if len(found) > 1:
            return found
        raw = raw.strings()
    found = []
    for text in raw.pool:
        word = text.strip()
        if word not in MISSING_NUMBER:
            found.append(word)
            if len(found) == most:
                break
    return found


def _profile_text(name: str, raw: Strings | ArrowStrings, comma: int, keep: bool) -> Profile:
    numerals = read_numerals(raw, comma, marks=True)
    if numerals is not None:
        feature = Feature(name, option_of(REAL), style=numerals.style, words=numerals.words)
        findings = [_words_finding(name, numerals.words, numerals.marked)] if numerals.words else []
        return _profile_numbers(feature, numerals.values, keep, findings)
    dates = _profile_dates(name, raw)
    if dates is not None:
        return dates
    if isinstance(raw, ArrowStrings) and not keep and len(raw) >= _MANY:
        reason = _plain_identifier(raw)
        if reason:
            return _drop(name, "identifier", reason)
    return _profile_words(name, interned(raw), keep)


def _words_finding(name: str, words: Sequence[str], rows: int) -> Finding:
    listed = ", ".join(repr(w) for w in words)
    where = "1 row" if rows == 1 else f"{rows:,} rows"
    verb = "is" if len(words) == 1 else "are"
    return Finding("mixed", name, f"{listed} in {where} of {name!r} {verb} taken for missing")


def _profile_dates(name: str, raw: Strings | ArrowStrings) -> Profile | None:
    texts = sample_texts(raw, _SAMPLE)
    if not texts or not any(c.isdigit() for c in texts[0] + texts[-1]):
        return None
    readable = [t for t in texts if any(parse_date(t, order) is not None for order in ORDERS)]
    if not readable or len(texts) - len(readable) > max(_MOST_WORDS, 0.1 * len(texts)):
        return None
    guess = guess_order(readable)
    if guess is None:
        return None
    order, ambiguous = guess
    data, present, bad = lenient_moments(raw, order, MISSING_NUMBER)
    if len(bad) and ambiguous:  # what the sample left open, a date beyond it settles
        other: Order = "dmy" if order == "mdy" else "mdy"
        second = lenient_moments(raw, other, MISSING_NUMBER)
        if len(second[2]) < len(bad):
            order, (data, present, bad) = other, second
        ambiguous = False
    findings: list[Finding] = []
    words: tuple[str, ...] = ()
    if len(bad):
        strings = interned(raw)
        words = tuple(sorted({strings.pool[k].strip() for k in np.unique(strings.codes[bad]).tolist()}))
        if not _may_be_missing(words, len(bad), strings):
            return None
        findings.append(_words_finding(name, words, len(bad)))
    if present.all() and (data == data[0]).all():
        return _drop(name, "constant", "all its values are the same")
    if ambiguous:
        which = "day first" if order == "dmy" else "month first"
        text = f"the dates in {name!r} are read {which}; nothing in them settles it"
        findings.append(Finding("ambiguous", name, text))
    feature = Feature(name, option_of(DATETIME), order=order, words=words)
    values = Scalars(DATETIME, data if present.all() else data[present])
    return Profile(feature, tuple(findings), column=Options(present, values))


def _plain_identifier(raw: ArrowStrings) -> str:
    """Why a long column is an identifier, found without making a Python string of each of its values."""
    import pyarrow.compute as pc

    present, distinct = (
        len(raw) - raw.array.null_count,
        pc.count_distinct(raw.array, mode="only_valid").as_py(),
    )
    if distinct < _DISTINCT * present or _is_prose(sample_texts(raw, _SAMPLE)):
        return ""
    missing = pc.sum(pc.is_in(pc.utf8_trim_whitespace(raw.array), value_set=_arrow_missing(raw))).as_py() or 0
    return _distinct_reason(distinct, present - missing) if missing < 0.2 * present else ""


def _arrow_missing(raw: ArrowStrings) -> Any:
    import pyarrow as pa

    return pa.array(sorted(MISSING), raw.array.type)


def _distinct_reason(distinct: int, present: int) -> str:
    return f"{distinct:,} of its {present:,} values are distinct, so it identifies the rows"


def _is_prose(texts: Sequence[str]) -> bool:
    """Whether texts are sentences rather than names: five words and 25 letters or more, on average.

    Names of persons, cars and places have up to four words.
    """
    words = sum(len(t.split()) for t in texts)
    return words >= 5 * len(texts) and sum(map(len, texts)) >= 25 * len(texts)


def _profile_words(name: str, strings: Strings, keep: bool) -> Profile:
    """Truth values, sentences, identifiers or categories."""
    counts = np.bincount(strings.codes[strings.codes >= 0], minlength=len(strings.pool))
    tally: dict[str, int] = {}
    for text, count in zip(strings.pool, counts.tolist(), strict=True):
        word = text.strip()
        if count and word not in MISSING:
            tally[word] = tally.get(word, 0) + count
    present, rows = sum(tally.values()), len(strings)
    if not tally:
        return _drop(name, "empty", "all its values are missing")
    findings: list[Finding] = []
    if strings.mixed:
        text = f"{name!r} holds values of several kinds; all are read as text"
        findings.append(Finding("mixed", name, text))
    lowered = {t.lower() for t in tally if t not in MISSING_NUMBER}
    if any(lowered == set(pair) for pair in TRUTH_PAIRS):
        return _converted(Feature(name, option_of(BOOL)), strings, findings)
    if len(tally) == 1 and present == rows:
        return _drop(name, "constant", "all its values are the same")
    distinct = len(tally) / present
    if len(tally) > 5 and distinct >= 0.3 and _is_prose(list(tally)[:_SAMPLE]):
        return _converted(Feature(name, option_of(TEXT)), strings, findings)
    if not keep and present >= _FEW and distinct >= _DISTINCT:
        return _drop(name, "identifier", _distinct_reason(len(tally), present))
    labels, other = _labels(tally)
    if other:
        kept = f"the {len(labels) - 1:,} most frequent are kept, the others are one: {OTHER}"
        findings.append(Finding("rare", name, f"{name!r} has {len(tally):,} values; {kept}"))
    return _converted(Feature(name, option_of(class_of(*labels)), other=other), strings, findings)


def _converted(feature: Feature, strings: Strings, findings: Sequence[Finding]) -> Profile:
    return Profile(feature, tuple(findings), column=feature.convert(strings, []))


def _labels(tally: dict[str, int]) -> tuple[list[str], bool]:
    """The labels of a category in natural order, and whether the last one takes in the rare ones."""
    if len(tally) <= MOST_LABELS:
        return sorted(tally, key=natural_key), False
    common = sorted(tally, key=lambda t: (-tally[t], t))[: MOST_LABELS - 1]
    return [*sorted((t for t in common if t != OTHER), key=natural_key), OTHER], True
