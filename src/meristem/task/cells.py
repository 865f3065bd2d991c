"""What the text of a cell means: missing, a number, a truth value."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def guess_style(texts: Sequence[str], comma: bool = False) -> tuple[NumberStyle, int]:
    """The style in which most of the texts are numbers, and how many are.

    Where all texts fit two styles ("1,234" alone), a comma groups thousands, unless `comma` says that this
    table writes decimal commas.
    """
    if _all_plain(texts):
        return PLAIN, len(texts)
    stripped = [t.strip() for t in texts]
    signs = any(_SIGN.search(t) for t in stripped)
    bare = [_SIGN.sub("", t).strip() for t in stripped] if signs else stripped
    styles = _STYLES
    if comma:
        styles = (PLAIN, NumberStyle(",", "."), *_STYLES[1:2], *_STYLES[3:])
    best, most = PLAIN, -1
    for style in styles:
        pattern = _PATTERNS[style]
        count = sum(pattern.fullmatch(t) is not None for t in bare)
        if count > most:
            best, most = style, count
        if most == len(bare):
            break
    return (NumberStyle(best.decimal, best.group, True) if signs else best), most


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
