"""Features: one column's name, its type, and how raw values of any origin become a column of that type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.task.cells import (
    MISSING,
    MISSING_NUMBER,
    PERHAPS,
    PLAIN,
    UNKNOWN,
    NumberStyle,
    arrow_numbers,
    parse_numbers,
    parse_truth,
    style_of_new,
)
from meristem.task.dates import ORDERS, Order, arrow_dates, parse_dates
from meristem.task.raw import (
    ArrowStrings,
    Flags,
    Moments,
    Numbers,
    Raw,
    Strings,
    Unreadable,
    interned,
    moment_text,
    number_text,
    raw_from_values,
)
from meristem.types import BOOL, DATETIME, REAL, Type
from meristem.values import Options, Scalars, Texts, filler

_HERE, _AWAY = np.ones(1, np.bool_), np.zeros(1, np.bool_)
_LONGEST_SHOWN = 30  # characters of a value in a warning
_SIGN_SAMPLE = 5_000  # texts of a column that are asked for its decimal sign
_SIGN_NAMES = {".": "point", ",": "comma"}
_FIRST_MOMENT, _LAST_MOMENT = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999


@dataclass(frozen=True)
class Feature:
    """A column that a model reads.

    Args:
        name: Its name.
        type: `option[real]`, `option[bool]`, `option[class[...]]`, `option[datetime]` or `option[text]`.
        integer: Of numbers: all were whole (for display).
        other: Of a class: the last label takes in all values that are not labels (else they are missing).
        style: How numbers are written where they come as text.
        order: How dates are written where they come as text.
        words: Further words that stand for a missing number or date in this column.
    """

    name: str
    type: Type
    integer: bool = False
    other: bool = False
    style: NumberStyle = PLAIN
    order: Order = "ymd"
    words: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """`real`, `bool`, `class`, `datetime` or `text`."""
        return self.type.item.name

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each label of a class."""
        return {label: k for k, label in enumerate(self.type.item.labels)}

    @cached_property
    def folded(self) -> dict[str, int]:
        """The position of each label of a class by its lower case, where that is no other's too."""
        places: dict[str, list[int]] = {}
        for label, place in self.index.items():
            places.setdefault(label.casefold(), []).append(place)
        return {text: found[0] for text, found in places.items() if len(found) == 1}

    @cached_property
    def _shared(self) -> frozenset[str]:
        """The lower cases that several labels share."""
        return frozenset(label.casefold() for label in self.index) - self.folded.keys()

    @cached_property
    def missing_words(self) -> frozenset[str]:
        """The text that stands for a missing cell in this column."""
        known = MISSING if self.kind in ("class", "text") else MISSING_NUMBER
        return known | frozenset(self.words)

    @cached_property
    def _absent(self) -> Options:
        return Options(_AWAY, filler(self.type.item, 0))

    # ------------------------------------------------------------------------------------------ whole columns

    def convert(self, raw: Raw, warnings: list[str], comma: int = UNKNOWN) -> Options:
        """A column of this feature's type from raw values [N]; adds to `warnings` what could not be kept.

        Args:
            raw: The values.
            warnings: What the user should know.
            comma: What is known of the table's decimal signs.

        Raises:
            InputError: The values cannot be of that type; names the column, the first such value and its row.
        """
        if isinstance(raw, Unreadable):
            raise InputError(f"expected {self._plainly()} in the column {self.name!r}, but {raw.reason}")
        if self.kind == "real":
            style = style_in(raw, self.name, self.style, self.missing_words, comma, warnings)
            return self.finite(numbers_of(raw, self.name, style, self.missing_words), warnings)
        if self.kind == "class":
            return self._classes(raw, warnings)
        if self.kind == "bool":
            return self._flags(raw, warnings)
        if self.kind == "datetime":
            data, present = moments_of(raw, self.name, self.order, self.missing_words, warnings)
            outside = present & ((data < _FIRST_MOMENT) | (data > _LAST_MOMENT))
            if outside.any():
                warnings.append(_counted(outside, "date", f"outside of the years 1 to 9999 in {self.name!r}"))
                present = present & ~outside
            return Options(present, Scalars(DATETIME, data if present.all() else data[present]))
        return self._texts(raw)

    def finite(self, values: NDArray[np.float64], warnings: list[str]) -> Options:
        """A column of numbers [N] without those that are missing (NaN) or infinite."""
        present = np.isfinite(values)
        if present.all():
            return Options(present, Scalars(REAL, values))
        infinite = np.isinf(values)
        if infinite.any():
            warnings.append(_counted(infinite, "infinite number", f"in {self.name!r}"))
        return Options(present, Scalars(REAL, values[present]))

    def _classes(self, raw: Raw, warnings: list[str]) -> Options:
        texts = texts_of(raw)
        unseen = len(self.index) - 1 if self.other else -1
        table = np.full(len(texts.pool) + 1, -1, np.int64)
        strange = []
        likes: dict[int, list[str]] = {}
        for k, text in enumerate(texts.pool):
            word = text.strip()
            place = self.index.get(word)
            if place is None and word not in self.missing_words:
                place = self.folded.get(word.casefold())
                if place is None:
                    place = unseen
                    if like := self._like(word):
                        likes[k] = like
                    else:
                        strange.append(k)
            table[k] = -1 if place is None else place
        codes = table[texts.codes]
        if strange and self.index:
            rows = np.isin(texts.codes, strange)
            if rows.any():
                became = "the label (other)" if self.other else "missing"
                examples = ", ".join(_short(texts.pool[k]) for k in strange[:3])
                warnings.append(
                    _counted(rows, "value", f"never seen in training in {self.name!r} ({examples})", became)
                )
        for k, like in likes.items():
            rows = texts.codes == k
            if rows.any():
                which = f"{_short(texts.pool[k])} in {self.name!r}, ambiguous between {' and '.join(map(_short, like))}"
                became = "the label (other)" if self.other else "missing"
                warnings.append(_counted(rows, "value", which, became))
        present = codes >= 0
        return Options(present, Scalars(self.type.item, codes if present.all() else codes[present]))

    def _like(self, word: str) -> list[str]:
        """The labels that a word may mean, where several differ from it only by their case."""
        folded = word.casefold()
        return [] if folded not in self._shared else [t for t in self.index if t.casefold() == folded]

    def _flags(self, raw: Raw, warnings: list[str]) -> Options:
        strange = np.zeros(len(raw), np.bool_)
        if isinstance(raw, Flags):
            data, present = raw.data, raw.present
        elif isinstance(raw, Numbers):
            data, present = raw.data == 1, (raw.data == 0) | (raw.data == 1)
            strange = ~present & ~np.isnan(raw.data)
        else:
            texts = texts_of(raw)
            table = np.full(len(texts.pool) + 1, -1, np.int64)
            for k, text in enumerate(texts.pool):
                value = parse_truth(text)
                table[k] = (
                    int(value) if value is not None else (-1 if text.strip() in self.missing_words else -2)
                )
            codes = table[texts.codes]
            data, present, strange = codes == 1, codes >= 0, codes == -2
        if strange.any():
            warnings.append(_counted(strange, "value", f"neither yes nor no in {self.name!r}"))
        return Options(present, Scalars(BOOL, data if present.all() else data[present]))

    def _texts(self, raw: Raw) -> Options:
        texts = texts_of(raw)
        there = np.array([t.strip() not in self.missing_words for t in texts.pool] + [False], np.bool_)
        present = there[texts.codes]
        return Options(present, Texts(texts.codes[present], texts.pool))

    def _plainly(self) -> str:
        names = {
            "real": "numbers",
            "bool": "yes or no",
            "class": "categories",
            "datetime": "dates",
            "text": "text",
        }
        return names[self.kind]

    # ------------------------------------------------------------------------------------------ one value

    def convert_one(self, value: Any, warnings: list[str]) -> Options:
        """A column of one row from one Python value. The common cases take a few microseconds."""
        kind = type(value)
        name = self.kind
        if name == "real" and (kind is float or kind is int):
            if -1e308 < value < 1e308:
                return Options(_HERE, Scalars(REAL, np.array([value], np.float64)))
        elif name == "class" and kind is str:
            place = self.index.get(value)
            if place is not None:
                return Options(_HERE, Scalars(self.type.item, np.array([place], np.int64)))
        elif value is None:
            return self._absent
        return self.convert(raw_from_values([value]), warnings)


def _short(text: str) -> str:
    return repr(text) if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]!r}..."


def _counted(rows: NDArray[np.bool_], thing: str, what: str, became: str = "missing") -> str:
    count = int(rows.sum())
    things = thing if count == 1 else f"{thing}s"
    return f"{count:,} {things} {what}, first in row {int(rows.argmax()) + 1}: treated as {became}"


def texts_of(raw: Raw) -> Strings:
    """Any raw column as text: whole numbers without a decimal point."""
    if isinstance(raw, Strings | ArrowStrings):
        return interned(raw)
    if isinstance(raw, Numbers):
        values, inverse = np.unique(raw.data, return_inverse=True)
        there = ~np.isnan(values)
        pool = [number_text(v) for v in values[there].tolist()]
        places = np.where(there, np.cumsum(there) - 1, -1)
        return Strings(places[inverse].astype(np.int64), pool)
    if isinstance(raw, Flags):
        return Strings(np.where(raw.present, raw.data.astype(np.int64), -1), ["False", "True"])
    if isinstance(raw, Moments):
        values, inverse = np.unique(raw.data, return_inverse=True)
        pool = [moment_text(v) for v in values.tolist()]
        return Strings(np.where(raw.present, inverse, -1).astype(np.int64), pool)
    return Strings(np.full(len(raw), -1, np.int64), [])


def numbers_of(
    raw: Raw, name: str, style: NumberStyle = PLAIN, missing: frozenset[str] = MISSING_NUMBER
) -> NDArray[np.float64]:
    """The numbers of a raw column [N], NaN where missing, infinities as they are.

    Raises:
        InputError: A value is no number.
    """
    if isinstance(raw, Numbers):
        return raw.data
    if isinstance(raw, Flags):
        return np.where(raw.present, raw.data.astype(np.float64), np.nan)
    if isinstance(raw, Strings | ArrowStrings):
        values, bad = lenient_numbers(raw, style, missing)
        if len(bad):
            texts, row = interned(raw), int(bad[0])
            more = f" and {len(bad) - 1:,} more such rows" if len(bad) > 1 else ""
            raise InputError(
                f"expected numbers in the column {name!r}, got {texts.pool[texts.codes[row]]!r} in row "
                f"{row + 1}{more}; correct the values or leave them empty (empty, NA and ? mean missing)"
            )
        return values
    if isinstance(raw, Moments) and not raw.present.any():
        return np.full(len(raw), np.nan)
    what = "dates" if isinstance(raw, Moments) else f"something else: {raw.reason}"
    raise InputError(f"expected numbers in the column {name!r}, got {what}")


def style_in(
    raw: Raw, name: str, stated: NumberStyle, missing: frozenset[str], comma: int, warnings: list[str]
) -> NumberStyle:
    """How a column of a new table writes numbers; adds to `warnings` where that is not as in training.

    Raises:
        InputError: A text could be two numbers, and nothing tells which.
    """
    if not isinstance(raw, Strings | ArrowStrings):
        return stated
    if isinstance(
        raw, ArrowStrings
    ):  # long: a sample must do, Python strings of all cells would take seconds
        picked = np.unique(np.linspace(0, len(raw) - 1, min(_SIGN_SAMPLE, len(raw))).astype(np.int64))
        pool: Sequence[str] = list(
            dict.fromkeys(t for t in raw.array.take(picked).to_pylist() if t is not None)
        )
    else:
        pool = raw.pool[:: len(raw.pool) // _SIGN_SAMPLE + 1]
    texts = [t for t in pool if t.strip() not in missing]
    if stated == PLAIN and comma < PERHAPS and not any("," in t for t in texts):
        return stated
    style, unclear = style_of_new(texts, stated, comma)
    if unclear:
        separator = "." if "." in unclear else ","
        other = "," if separator == "." else "."
        short, long = unclear.replace(separator, "."), unclear.replace(separator, "")
        raise InputError(
            f"expected numbers that can be read in one way in the column {name!r}, got {unclear!r}, which may be "
            f"{short} or {long}: the model was grown from a table with decimal {_SIGN_NAMES[stated.decimal]}s, and "
            f"nothing tells whether this one has them; write {unclear.replace(separator, other)!r} or {long!r}, "
            "or pass numbers"
        )
    if style.decimal != stated.decimal:
        warnings.append(
            f"numbers in {name!r} have decimal {_SIGN_NAMES[style.decimal]}s here, decimal "
            f"{_SIGN_NAMES[stated.decimal]}s in training: read as they are written here"
        )
    return style


def lenient_numbers(
    raw: Strings | ArrowStrings, style: NumberStyle, missing: frozenset[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The numbers of a column of text [N], NaN where missing or unreadable, and the rows that are
    unreadable."""
    if isinstance(raw, ArrowStrings):
        fast = arrow_numbers(raw.array, style, missing)
        if fast is not None:
            return fast, np.empty(0, np.int64)
        raw = raw.strings()
    there = [t.strip() not in missing for t in raw.pool]
    places = [k for k, t in enumerate(there) if t]
    values, bad = parse_numbers([raw.pool[k] for k in places], style)
    table = np.full(len(raw.pool) + 1, np.nan)
    table[places] = values
    wrong = np.zeros(len(raw.pool) + 1, np.bool_)
    wrong[[places[k] for k in bad]] = True
    return table[raw.codes], np.flatnonzero(wrong[raw.codes])


def moments_of(
    raw: Raw,
    name: str,
    order: Order = "ymd",
    missing: frozenset[str] = MISSING_NUMBER,
    warnings: list[str] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The moments of a raw column [N] in microseconds since 1970, and where there is one [N].

    Dates that cannot be in `order` are read in the one other order that fits them all; `warnings` gets a word on it.

    Raises:
        InputError: A value is no date.
    """
    if isinstance(raw, Moments):
        return raw.data, raw.present
    if isinstance(raw, Strings | ArrowStrings):
        data, present, bad = lenient_moments(raw, order, missing)
        if len(bad):
            others = [(o, lenient_moments(raw, o, missing)) for o in ORDERS[1:] if o != order]
            fitting = [(o, found) for o, found in others if not len(found[2])]
            if len(fitting) == 1:
                other, (data, present, _) = fitting[0]
                if warnings is not None:
                    which = "day first" if other == "dmy" else "month first"
                    warnings.append(
                        f"the dates in {name!r} are read {which}, other than in training: they fit no other order"
                    )
                return data, present
            texts, row = interned(raw), int(bad[0])
            if fitting:
                raise InputError(
                    f"expected dates such as 2024-12-31 in the column {name!r}, as in training, got "
                    f"{texts.pool[texts.codes[row]]!r} in row {row + 1}, and nothing in the column tells whether the "
                    "day or the month comes first; write the year first"
                )
            example = {"ymd": "2024-12-31", "dmy": "31/12/2024", "mdy": "12/31/2024"}[order]
            more = f" and {len(bad) - 1:,} more such rows" if len(bad) > 1 else ""
            raise InputError(
                f"expected dates such as {example} in the column {name!r}, got "
                f"{texts.pool[texts.codes[row]]!r} in row {row + 1}{more}; "
                "correct the values or leave them empty"
            )
        return data, present
    if isinstance(raw, Numbers) and np.isnan(raw.data).all():
        return np.zeros(len(raw), np.int64), np.zeros(len(raw), np.bool_)
    what = {"Numbers": "numbers", "Flags": "truth values"}.get(type(raw).__name__, "values that are not read")
    raise InputError(
        f"expected dates in the column {name!r}, got {what}; pass them as dates or as text such as 2024-12-31"
    )


def lenient_moments(
    raw: Strings | ArrowStrings, order: Order, missing: frozenset[str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """The moments of a column of text [N], where there is one [N], and the rows that hold something else."""
    if isinstance(raw, ArrowStrings):
        fast = arrow_dates(raw.array, missing)
        if fast is not None:
            return *fast, np.empty(0, np.int64)
        raw = raw.strings()
    places = [k for k, t in enumerate(raw.pool) if t.strip() not in missing]
    moments, bad = parse_dates([raw.pool[k] for k in places], order)
    # One place more than the pool has: it stands for code -1, a missing cell.
    table = np.zeros(len(raw.pool) + 1, np.int64)
    there, wrong = np.zeros(len(table), np.bool_), np.zeros(len(table), np.bool_)
    table[places] = moments
    wrong[[places[k] for k in bad]] = True
    there[places] = True
    there &= ~wrong
    return table[raw.codes], there[raw.codes], np.flatnonzero(wrong[raw.codes])


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sorts "a2" before "a10"."""
    key = []
    for part in re.split(r"([0-9]+)", text):
        digits = part.lstrip("0")
        if part and part[0].isascii() and part[0].isdigit():
            key.append((0, len(digits), digits))  # more digits, larger number; int() refuses very long ones
        elif part:
            key.append((1, 0, part))
    return [*key, (-1, 0, text)]  # so that no two texts are equal: "a07" and "a7" have one order, always
