"""Numbers and foreign text as a person reads them: short, and safe to show in a terminal or a page."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

# Characters that change how the text around them is shown: direction marks and overrides, invisible
# separators.
_TRICKS = {*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0xFFFE, 0xFFFF}

# Advance widths of the characters 32 to 126 in DejaVu Sans, in hundredths of the font size. It is the widest
# of the common interface fonts, so that what fits by this table fits in the others.
_REGULAR = (
    "32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 53"
    " 100 68 69 70 77 63 58 77 75 29 29 66 56 86 75 79 60 79 69 63 61 73 68 99 69 61 69 39 34 39 84 50"
    " 50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 82 59 59 52 64 34 64 84"
)
_BOLD = (
    "35 46 52 84 70 100 87 31 46 46 52 84 38 42 38 37 70 70 70 70 70 70 70 70 70 70 40 40 84 84 84 58"
    " 100 77 76 73 83 68 68 82 84 37 37 77 64 100 84 85 73 85 77 72 68 81 77 110 77 72 73 46 37 46 84 50"
    " 50 67 72 59 72 68 44 72 71 34 34 67 34 104 71 69 72 72 49 60 48 71 65 92 65 65 58 71 37 71 84"
)
CHIP = 26  # characters of a value on an edge of a picture
_WIDTHS = {False: [int(w) for w in _REGULAR.split()], True: [int(w) for w in _BOLD.split()]}


def clean(text: object, limit: int | None = None) -> str:
    """Foreign text made safe to show on one line: no control characters, no line breaks, no direction tricks.

    What is taken out leaves a `\N{REPLACEMENT CHARACTER}`, tabs and line breaks a space. Longer than `limit`
    characters is cut in the middle of a word, with an ellipsis. Escaping for HTML, XML or a terminal's markup
    is still to be done by the one who emits it.

    >>> clean("a\\nb\\x1b[31m", 6)
    'a b\ufffd[…'
    """
    raw = str(text)
    if limit is not None:
        raw = raw[: limit + 1]  # so that one huge cell costs nothing
    shown = "".join(_safe(c) for c in raw)
    return shown if limit is None or len(shown) <= limit else shown[: max(limit - 1, 0)] + "…"


def _safe(character: str) -> str:
    if " " <= character <= "~":
        return character
    if character in "\t\n\r\v\f\x85":
        return " "
    code = ord(character)
    if code in _TRICKS or unicodedata.category(character) in ("Cc", "Cs", "Cn"):
        return "\N{REPLACEMENT CHARACTER}"
    return character


def width(text: str, size: float = 1.0, *, bold: bool = False) -> float:
    """The width of a text in a common sans-serif font of this size; on the wide side."""
    table = _WIDTHS[bold]
    total = 0
    for character in text:
        code = ord(character)
        if 32 <= code < 127:
            total += table[code - 32]
        elif unicodedata.combining(character):
            pass
        elif unicodedata.east_asian_width(character) in "WF":
            total += 130 if code > 0x1F000 else 105
        elif character in "…—↦→≤≥":
            total += 100
        else:
            total += 74 if bold else 68
    return total * size / 100


def fit(text: str, room: float, size: float = 1.0, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis so that its `width` is at most `room`."""
    if width(text, size, bold=bold) <= room:
        return text
    kept = text[: max(int(room / (0.27 * size)) + 1, 0)]
    while kept and width(kept + "…", size, bold=bold) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, thousands grouped.

    >>> [number(x) for x in (0.08913, 12345.6, 1e-7, 2.0, None)]
    ['0.0891', '12,346', '1e-07', '2', 'unknown']
    """
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "infinite"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4 or magnitude > 9:
        return f"{value:.{digits - 1}e}".replace(".00e", "e").replace(".0e", "e")
    places = max(digits - 1 - magnitude, 0)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def numbers_alike(*values: float | None, digits: int = 3) -> list[str]:
    """Several numbers with equally many decimals, enough for the smallest, so that they can be compared.

    >>> numbers_alike(0.55, 0.4, 12.0)
    ['0.55', '0.40', '12.00']
    """
    known = [abs(v) for v in values if v is not None and math.isfinite(v) and v != 0]
    if not known or max(known) >= 1e9 or max(known) < 1e-4:
        return [number(v, digits) for v in values]
    smallest = max(min(known), max(known) / 100)
    places = max(digits - 1 - math.floor(math.log10(smallest)), 0)
    found = [number(v) if v is None or not math.isfinite(v) else f"{v:,.{places}f}" for v in values]
    while places and all(text.endswith("0") for text in found if text[-1].isdigit()):
        places -= 1
        found = [text[: -1 if places else -2] if text[-1].isdigit() else text for text in found]
    return found


def percent(share: float) -> str:
    """A share as per cent, whole above ten.

    >>> percent(0.123), percent(0.0312), percent(0.0004)
    ('12 %', '3.1 %', '0.04 %')
    """
    value = 100 * share
    if abs(value) >= 1e6:
        return f"{number(value)} %"
    if abs(value) >= 10 or value == 0:
        return f"{value:.0f} %"
    return f"{number(round(value, 1 if abs(value) >= 1 else 2), 2)} %"


def duration(seconds: float) -> str:
    """A time span.

    >>> duration(0.004), duration(4.21), duration(65), duration(7322)
    ('4 ms', '4.2 s', '65 s', '2 h 2 min')
    """
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    seconds = max(seconds, 0.0)
    if seconds > 1e10:
        return f"{number(seconds)} s"
    if seconds < 99.5:
        return f"{f'{seconds:.1f}'.removesuffix('.0')} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """An amount with its noun.

    >>> count(1, "row"), count(1200, "row"), count(2, "class", "classes")
    ('1 row', '1,200 rows', '2 classes')
    """
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def byte_size(count: int) -> str:
    """A number of bytes for a person.

    >>> byte_size(812), byte_size(48_213), byte_size(3_200_000)
    ('812 bytes', '48 kB', '3.2 MB')
    """
    if count < 1000:
        return f"{count} bytes"
    if count < 999_500:
        return f"{count / 1e3:.0f} kB" if count >= 9_950 else f"{count / 1e3:.1f} kB"
    return f"{count / 1e6:.1f} MB" if count < 99.5e6 else f"{count / 1e6:,.0f} MB"


def joined(parts: Sequence[str]) -> str:
    """Words as an enumeration.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
