"""Dates as texts: written and read by a pattern, and read in the orders that people write. Names are English.

A pattern is a text in which these stand for parts of the date, and all else for itself (what stands in square brackets
too, without them):

=======================  ===============================================  ==============
`YYYY` `YY`              year, with four digits or two                    2024 24
`MMMM` `MMM` `MM` `M`    month: its name, three letters, digits           March Mar 03 3
`DD` `D` `Do`            day of the month                                 05 5 5th
`dddd` `ddd`             day of the week                                  Tuesday Tue
`HH` `H`                 hour from 0 to 23                                07 7
`hh` `h`                 hour from 1 to 12                                07 7
`AM` `am`                half of the day                                  AM am
`mm` `ss`                minute, second                                   05 09
`Q`                      quarter of the year; cannot be read              1
=======================  ===============================================  ==============
"""

from __future__ import annotations

import re
from datetime import datetime

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine

_PIECES = re.compile(
    r"\[[^\]]*\]|YYYY|YY|MMMM|MMM|MM|M|DD|Do|D|dddd|ddd|HH|H|hh|h|AM|am|mm|ss|Q|.", re.DOTALL
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIME = re.compile(
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]*)?)?(?:\s*([ap])\.?m\b\.?)?", re.IGNORECASE
)
_WORDS = re.compile(r"[0-9]+|[^\W\d_]+")

PATTERNS = (
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "D MMMM YYYY",
    "MMMM D, YYYY",
    "D MMM YYYY",
    "MMM D, YYYY",
    "DD.MM.YYYY",
    "M/D/YYYY",
    "YYYYMMDD",
    "YYYY-MM-DD HH:mm",
    "YYYY-MM-DD HH:mm:ss",
    "HH:mm",
    "h:mm AM",
    "MMMM",
    "MMM",
    "MMM YYYY",
    "MMMM YYYY",
    "YYYY-MM",
    "MM/YYYY",
    "dddd",
    "ddd",
    "[Q]Q YYYY",
    "DD-MMM-YY",
    "Do MMMM YYYY",
)


def _ranked(number: int) -> str:
    """A day of the month with the letters of its rank."""
    last = 0 if 10 < number < 14 else number % 10
    return f"{number}{'st' if last == 1 else 'nd' if last == 2 else 'rd' if last == 3 else 'th'}"


def _written(date: datetime, piece: str) -> str:
    """What one piece of a pattern stands for."""
    if piece == "YYYY":
        return f"{date.year:04}"
    if piece == "YY":
        return f"{date.year % 100:02}"
    if piece in ("MMMM", "MMM"):
        name = _MONTHS[date.month - 1]
        return name if piece == "MMMM" else name[:3]
    if piece in ("dddd", "ddd"):
        name = _WEEKDAYS[date.weekday()]
        return name if piece == "dddd" else name[:3]
    if piece == "Do":
        return _ranked(date.day)
    if piece in ("AM", "am"):
        half = "AM" if date.hour < 12 else "PM"
        return half if piece == "AM" else half.lower()
    if piece == "Q":
        return str((date.month + 2) // 3)
    if piece in ("MM", "M", "DD", "D", "HH", "H", "hh", "h", "mm", "ss"):
        number = {
            "M": date.month,
            "D": date.day,
            "H": date.hour,
            "h": (date.hour + 11) % 12 + 1,
            "m": date.minute,
            "s": date.second,
        }[piece[0]]
        return f"{number:02}" if len(piece) == 2 else str(number)
    return piece[1:-1] if len(piece) > 1 else piece


@primitive(
    "datetime, text -> text",
    cost=2,
    hints={1: PATTERNS},
    examples=[
        ((datetime(2024, 3, 5), "D MMM YYYY"), "5 Mar 2024"),
        ((datetime(2024, 3, 5, 13, 4), "dddd [the] Do, h:mm am"), "Tuesday the 5th, 1:04 pm"),
        ((datetime(2024, 3, 5), "[Q]Q/YY"), "Q1/24"),
        ((datetime(2024, 3, 5), ""), ""),
    ],
)
def format_date(date: datetime, pattern: str) -> str:
    """A date as text by a pattern such as `YYYY-MM-DD` or `D MMMM YYYY`."""
    return "".join([_written(date, piece) for piece in _PIECES.findall(pattern)])


def _named(name: str, names: tuple[str, ...]) -> int:
    """The position of the name that begins with some letters, at least three; -1 where there is none."""
    if len(name) < 3:
        return -1
    for i, each in enumerate(names):
        if each.lower().startswith(name.lower()):
            return i
    return -1


def _full_year(digits: str) -> int:
    """A year of two digits is one from 1969 to 2068."""
    return int(digits) + (0 if len(digits) > 2 else 1900 if int(digits) > 68 else 2000)


def _made(parts: dict[str, int]) -> datetime:
    """The date of its parts; a calendar that does not have it fails."""
    hour = parts.get("H", 0)
    if "h" in parts:
        if not 1 <= parts["h"] <= 12:
            raise EvaluationError(Reason.PARSE)
        hour = parts["h"] % 12 + 12 * parts.get("A", 0)
    try:
        return datetime(
            parts.get("Y", 1900),
            parts.get("M", 1),
            parts.get("D", 1),
            hour,
            parts.get("m", 0),
            parts.get("s", 0),
        )
    except ValueError:
        raise EvaluationError(Reason.PARSE) from None


@primitive(
    "text, text -> datetime",
    cost=2,
    hints={1: PATTERNS},
    examples=[
        (("5 mar 2024", "D MMM YYYY"), datetime(2024, 3, 5)),
        (("20240305", "YYYYMMDD"), datetime(2024, 3, 5)),
        (("Tue 3/5/24, 1:04 pm", "ddd M/D/YY, h:mm AM"), datetime(2024, 3, 5, 13, 4)),
        (("the 5th of March 2024", "[the] Do of MMMM YYYY"), datetime(2024, 3, 5)),
        (("2024-02-30", "YYYY-MM-DD"), EvaluationError),
        (("5/3", "D/M/YYYY"), EvaluationError),
        (("1", "Q"), EvaluationError),
    ],
)
def parse_date_as(text: str, pattern: str) -> datetime:
    """The date that a text says by a pattern; what the pattern leaves out is that of the beginning of 1900."""
    rest = text.strip()
    parts: dict[str, int] = {}
    for piece in _PIECES.findall(pattern):
        if piece in ("MMMM", "MMM", "dddd", "ddd"):
            length = next((i for i, letter in enumerate(rest) if not letter.isalpha()), len(rest))
            place = _named(rest[:length], _MONTHS if piece[0] == "M" else _WEEKDAYS)
            if place < 0:
                raise EvaluationError(Reason.PARSE)
            if piece[0] == "M":
                parts["M"] = place + 1
        elif piece in ("AM", "am"):
            length = 2
            if rest[:2].lower() not in ("am", "pm"):
                raise EvaluationError(Reason.PARSE)
            parts["A"] = int(rest[:1].lower() == "p")
        elif piece == "Q":
            raise EvaluationError(Reason.PARSE)
        elif piece in ("YYYY", "YY", "MM", "M", "DD", "Do", "D", "HH", "H", "hh", "h", "mm", "ss"):
            most = 4 if piece == "YYYY" else 2
            length = next((i for i, c in enumerate(rest[:most]) if not "0" <= c <= "9"), min(most, len(rest)))
            if length == 0 or (piece[0] == "Y" and length < most):
                raise EvaluationError(Reason.PARSE)
            parts[piece[0]] = _full_year(rest[:length]) if piece[0] == "Y" else int(rest[:length])
            if piece == "Do":
                if rest[length : length + 2].lower() not in ("st", "nd", "rd", "th"):
                    raise EvaluationError(Reason.PARSE)
                length += 2
        else:
            said = piece[1:-1] if len(piece) > 1 else piece
            length = len(said)
            if rest[:length] != said:
                raise EvaluationError(Reason.PARSE)
        rest = rest[length:]
    if rest:
        raise EvaluationError(Reason.PARSE)
    return _made(parts)


@primitive(
    "text, bool -> datetime",
    cost=3,
    examples=[
        (("3/4/2024", True), datetime(2024, 4, 3)),
        (("3/4/2024", False), datetime(2024, 3, 4)),
        (("Sunday, March 3rd, 2024 at 1:05 PM", True), datetime(2024, 3, 3, 13, 5)),
        (("3-Sept-24", False), datetime(2024, 9, 3)),
        (("2024.3.4", True), datetime(2024, 3, 4)),
        (("20240304", True), datetime(2024, 3, 4)),
        (("13/13/2024", True), EvaluationError),
        (("soon", True), EvaluationError),
    ],
)
def parse_any_date(text: str, day_first: bool) -> datetime:
    """The date that a text says in a usual order, with the day or the month first where both are numbers."""
    parts: dict[str, int] = {}
    time = _TIME.search(text)
    if time is not None:
        text = text[: time.start()] + " " + text[time.end() :]
        parts["h" if time[4] else "H"] = int(time[1])
        parts["m"], parts["s"] = int(time[2]), int(time[3] or 0)
        parts["A"] = int((time[4] or "").lower() == "p")
    numbers: list[str] = []
    for word in _WORDS.findall(text):
        month = _named(word, _MONTHS)
        if word[0].isdecimal() and word.isascii():
            numbers += [word[:4], word[4:6], word[6:]] if len(word) == 8 else [word]
        elif month >= 0 and "M" not in parts:
            parts["M"] = month + 1
        elif _named(word, _WEEKDAYS) < 0 and word.lower() not in (
            "st",
            "nd",
            "rd",
            "th",
            "of",
            "the",
            "at",
            "t",
        ):
            raise EvaluationError(Reason.PARSE)
    year_first = bool(numbers) and len(numbers[0]) > 2
    if len(numbers) != (2 if "M" in parts else 3) or max(map(len, numbers)) > 4:
        raise EvaluationError(Reason.PARSE)
    parts["Y"] = _full_year(numbers.pop(0 if year_first else -1))
    if "M" not in parts:
        parts["M"] = int(numbers.pop(1 if day_first and not year_first else 0))
    parts["D"] = int(numbers[0])
    return _made(parts)


subroutine(
    "parse_date_day_first",
    "text -> datetime",
    "text",
    "parse_any_date(text, true)",
    doc="The date that a text says in a usual order, the day before the month where both are numbers.",
    cost=2,
    examples=[(("3.4.24",), datetime(2024, 4, 3)), (("x",), EvaluationError)],
)
subroutine(
    "parse_date_month_first",
    "text -> datetime",
    "text",
    "parse_any_date(text, false)",
    doc="The date that a text says in a usual order, the month before the day where both are numbers.",
    cost=2,
    examples=[(("3/4/24",), datetime(2024, 3, 4)), (("x",), EvaluationError)],
)
subroutine(
    "weekday_name",
    "datetime -> text",
    "date",
    'format_date(date, "dddd")',
    doc="The name of the day of the week.",
    cost=2,
    examples=[((datetime(2024, 3, 5),), "Tuesday")],
)
subroutine(
    "month_name",
    "datetime -> text",
    "date",
    'format_date(date, "MMMM")',
    doc="The name of the month.",
    cost=2,
    examples=[((datetime(2024, 3, 5),), "March")],
)
subroutine(
    "iso_date",
    "datetime -> text",
    "date",
    'format_date(date, "YYYY-MM-DD")',
    doc="The day of a date as text in the form of ISO 8601.",
    examples=[((datetime(2024, 3, 5, 12),), "2024-03-05")],
)
