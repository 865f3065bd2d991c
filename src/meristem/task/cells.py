"""What the text of a cell means: missing, a number, a truth value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NOT_NUMBERS = ("NaN", "nan", "NAN", "-nan", "-NaN", "NaT")
MISSING = frozenset(
    ["", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "null", "NULL", "Null", "?", *_NOT_NUMBERS]
)
"""Text that stands for a missing cell in any column (blanks around it do not count). Words such as `unknown`
or `none` are values: somebody chose to write them."""

MISSING_NUMBER = MISSING | {"-", "--", "---", ".", "None", "none", "NONE", "#DIV/0!", "#VALUE!", "#REF!"}
"""The same where a number, a date or a truth value belongs: there these cannot be values."""

TRUE_WORDS = frozenset(["true", "yes", "y", "t", "on"])
FALSE_WORDS = frozenset(["false", "no", "n", "f", "off"])
TRUTH_PAIRS = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"))
"""Two words of one pair, and nothing else, make a column of truth values."""

_SIGNS = "$€£¥₹%"
_SPACES = " \u00a0\u202f\u2009"

POINTS, UNKNOWN, PERHAPS, COMMAS = -1, 0, 1, 2
"""What is known of the decimal signs of a whole table: surely points, nothing, perhaps commas (semicolons stand
between its cells), surely commas."""
_LONGEST_NUMBER = 60  # characters of a text that may be one


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written in a column of text.

    Args:
        decimal: The decimal sign, `.` or `,`.
        group: What stands between groups of three digits: nothing, `,`, `.`, `'` or a blank.
        signs: Whether a currency or percent sign may stand before or after (it is dropped: 12% reads as 12).
    """

    decimal: str = "."
    group: str = ""
    signs: bool = False

    def pattern(self) -> str:
        """The regular expression of a whole number text in this style, blanks and signs taken off."""
        decimal = re.escape(self.decimal)
        tail = rf"(?:{decimal}\d*)?(?:[eE][+-]?\d+)?"
        if not self.group:
            return rf"[+-]?(?:\d+{tail}|{decimal}\d+(?:[eE][+-]?\d+)?)"
        group = f"[{_SPACES}]" if self.group == " " else re.escape(self.group)
        return rf"[+-]?(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+){tail}"


PLAIN = NumberStyle()
_STYLES = (
    PLAIN,
    NumberStyle(".", ","),
    NumberStyle(",", "."),
    NumberStyle(",", " "),
    NumberStyle(".", " "),
    NumberStyle(".", "'"),
)
STYLES = frozenset(NumberStyle(s.decimal, s.group, signs) for s in _STYLES for signs in (False, True))
_PATTERNS = {style: re.compile(style.pattern()) for style in STYLES}
_SIGN = re.compile(f"[{_SIGNS}]")


def guess_style(texts: Sequence[str], comma: int = UNKNOWN) -> tuple[NumberStyle, int]:
    """The style in which most of the texts are numbers, and how many are.

    Where all texts fit two styles ("1,234" alone), a comma groups thousands, unless `comma` says that this
    table writes decimal commas; a point is decimal ("1.234" alone), unless that is sure.
    """
    if (comma < COMMAS or not any("." in t for t in texts)) and _all_plain(texts):
        return PLAIN, len(texts)
    stripped = [t.strip() for t in texts]
    signs = any(_SIGN.search(t) for t in stripped)
    bare = [_SIGN.sub("", t).strip() for t in stripped] if signs else stripped
    styles: tuple[NumberStyle, ...] = _STYLES
    if comma > UNKNOWN:
        styles = (PLAIN, NumberStyle(",", "."), *_STYLES[1:2], *_STYLES[3:])
    if comma == COMMAS and any("." in t for t in bare):
        styles = (NumberStyle(",", "."), *(s for s in styles if s != NumberStyle(",", ".")))
    best, most = PLAIN, -1
    for style in styles:
        pattern = _PATTERNS[style]
        count = sum(pattern.fullmatch(t) is not None for t in bare)
        if count > most:
            best, most = style, count
        if most == len(bare):
            break
    return (NumberStyle(best.decimal, best.group, True) if signs else best), most


def decimal_signs(text: str) -> str:
    """The signs that a number text may have as its decimal sign: `.`, `,`, both ("7.925"), or none ("12", "x").

    >>> [decimal_signs(t) for t in ("12.5", "12,5", "1.234,5", "7.925", "0.925", "12")]
    ['.', ',', ',', '.,', '.', '']
    """
    if ("." not in text and "," not in text) or len(text) > _LONGEST_NUMBER:
        return ""
    bare = _SIGN.sub("", text).strip()
    found = {s.decimal for s in _STYLES if _PATTERNS[s].fullmatch(bare)}
    return "".join(sign for sign in ".," if sign in found)


def table_signs(texts: Iterable[str]) -> int:
    """What the cells of a table say of its decimal signs: `POINTS`, `COMMAS`, or `UNKNOWN` where they do not agree."""
    found = [signs for t in texts if len(signs := decimal_signs(t)) == 1]
    commas = found.count(",")
    points = len(found) - commas
    if commas > 9 * points:
        return COMMAS
    return POINTS if points > 9 * commas else UNKNOWN


def style_of_new(texts: Sequence[str], stated: NumberStyle, comma: int = UNKNOWN) -> tuple[NumberStyle, str]:
    """How the numbers of a column are written in a table that comes after the training table.

    What its own texts show counts most, then what the whole table shows, then how the training table wrote them. A
    text that could be two numbers, one a thousand times the other, is never read by the last alone where that would
    be unusual.

    Args:
        texts: The column's texts, or a sample.
        stated: The style in training.
        comma: What is known of the table.

    Returns:
        The style, and a text that cannot be read for sure; where there is one, the empty text otherwise.
    """
    signs = [decimal_signs(t) for t in texts]
    own = set(signs) - {"", ".,"}
    unclear = next((t.strip() for t, s in zip(texts, signs, strict=True) if s == ".,"), "")
    if len(own) == 1:
        (decimal,) = own
        return (stated if decimal == stated.decimal else _style_with(decimal, texts)), ""
    if own or not unclear:  # both signs are there, or no text could be two numbers
        return stated, unclear
    separators = {sign for t, s in zip(texts, signs, strict=True) if s == ".," for sign in ".," if sign in t}
    if len(separators) > 1:
        return stated, unclear
    if comma in (POINTS, COMMAS):
        decimal = "." if comma == POINTS else ","
        return (stated if decimal == stated.decimal else _style_with(decimal, texts)), ""
    (separator,) = separators
    # Most tables and every program write decimal points, so a point that would group thousands needs more than the
    # training table's word for it; so does a comma that would, where semicolons hint at decimal commas.
    doubtful = (separator == "." and stated.decimal == "," and comma != PERHAPS) or (
        separator == "," and stated.decimal == "." and comma == PERHAPS
    )
    return stated, unclear if doubtful else ""


def _style_with(decimal: str, texts: Sequence[str]) -> NumberStyle:
    """The style with a decimal sign in which most of the texts are numbers."""
    signs = any(_SIGN.search(t) for t in texts)
    bare = [_SIGN.sub("", t).strip() for t in texts]
    fitting = [s for s in _STYLES if s.decimal == decimal]
    best = max(fitting, key=lambda s: sum(_PATTERNS[s].fullmatch(t) is not None for t in bare))
    return NumberStyle(best.decimal, best.group, signs)


def _all_plain(texts: Sequence[str]) -> bool:
    """Whether all texts surely are plain numbers: ten times as fast as the patterns, for most columns."""
    try:
        for text in texts:
            float(text)
    except ValueError:
        return False
    joined = "".join(texts)  # what float takes and a number is not: 1_000, inf and nan, other scripts' digits
    return joined.isascii() and "_" not in joined and "n" not in joined.lower()


def parse_number(text: str, style: NumberStyle) -> float | None:
    """The number a text stands for (it may be infinite), or None."""
    text = text.strip()
    if style.signs:
        text = _SIGN.sub("", text).strip()
    # A text that is not in this style may still be written plainly, as numbers from a program are.
    if (style.group or style.decimal != ".") and _PATTERNS[style].fullmatch(text):
        if style.group == " ":
            text = re.sub(f"[{_SPACES}]", "", text)
        elif style.group:
            text = text.replace(style.group, "")
        text = text.replace(style.decimal, ".")
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def parse_numbers(pool: Sequence[str], style: NumberStyle) -> tuple[NDArray[np.float64], list[int]]:
    """The numbers of distinct texts [K], NaN where one is no number, and the positions of those."""
    if style == PLAIN:
        try:
            if not any("_" in t for t in pool):
                return np.array([float(t) for t in pool], np.float64).reshape(len(pool)), []
        except ValueError:
            pass
    values = np.full(len(pool), np.nan)
    bad = []
    for k, text in enumerate(pool):
        value = parse_number(text, style)
        if value is None:
            bad.append(k)
        else:
            values[k] = value
    return values, bad


def arrow_numbers(array: Any, style: NumberStyle, missing: frozenset[str]) -> NDArray[np.float64] | None:
    """The numbers of a long Arrow string array [N], NaN where missing.

    None if some text is no number as Arrow reads them: the slow way then finds which.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if style == PLAIN:
        # Most columns need no more than this, and looking every cell up among the missing ones costs five
        # times it.
        blank = pc.equal(pc.binary_length(array), 0)
        filled = pc.if_else(blank, None, array) if pc.any(blank).as_py() else array
        try:
            return _numpy_numbers(pc.cast(filled, pa.float64()))
        except pa.ArrowInvalid:
            pass
    text = pc.utf8_trim_whitespace(array)
    text = pc.if_else(pc.is_in(text, value_set=pa.array(sorted(missing), array.type)), None, text)
    if style.signs:
        text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, f"[{_SIGNS}]", ""))
    if style.group or style.decimal != ".":
        if not pc.all(pc.match_substring_regex(text, f"^(?:{style.pattern()})$")).as_py():
            return None
        if style.group == " ":
            text = pc.replace_substring_regex(text, f"[{_SPACES}]", "")
        elif style.group:
            text = pc.replace_substring(text, style.group, "")
        text = pc.replace_substring(text, style.decimal, ".")
    try:
        return _numpy_numbers(pc.cast(text, pa.float64()))
    except pa.ArrowInvalid:
        return None


def _numpy_numbers(numbers: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    return values.astype(np.float64, copy=False)


def parse_truth(text: str) -> bool | None:
    """The truth value a word stands for, or None."""
    word = text.strip().lower()
    if word in TRUE_WORDS or word == "1":
        return True
    if word in FALSE_WORDS or word == "0":
        return False
    return None


def looks_coded(texts: Sequence[str]) -> bool:
    """Whether numbers are codes (00123, 04109): all of one length of 3 digits or more, some with a leading
    zero."""
    lengths = {len(t) for t in texts}
    if len(lengths) != 1 or min(lengths) < 3:
        return False
    return all(t.isascii() and t.isdigit() for t in texts) and any(t[0] == "0" for t in texts)
