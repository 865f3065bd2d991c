"""Numbers as texts: read from and written in the forms that tables and reports have; rounding to steps."""

from __future__ import annotations

import math
import re

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives.text import parse_int, parse_real

_AMOUNT = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<unit>[$€£¥]?)\s*(?P<inner>[+-]?)"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?P<rest>(?:\.[0-9]*)?)\s*(?P<after>[$€£¥%]?)\Z"
)


@primitive("text -> option[int]", cost=2, examples=[((" -12",), -12), (("1.5",), None), (("",), None)])
def parse_int_or_none(text: str) -> int | None:
    """The whole number that a text says, if it says one."""
    try:
        number = parse_int(text)
    except EvaluationError:
        return None
    return number if -(2**63) <= number < 2**63 else None


@primitive("text -> option[real]", cost=2, examples=[(("1.5",), 1.5), (("12",), 12.0), (("n/a",), None)])
def parse_real_or_none(text: str) -> float | None:
    """The number that a text says, if it says one."""
    try:
        return float(parse_real(text))
    except EvaluationError:
        return None


@primitive(
    "text -> real",
    cost=2,
    examples=[
        (("$1,234.50",), 1234.5),
        (("-£3",), -3.0),
        (("12 %",), 12.0),
        (("(1,000)",), -1000.0),
        (("1,23",), EvaluationError),
        ((".",), EvaluationError),
    ],
)
def parse_number(text: str) -> float:
    """The number of an amount: with thousands separators, a sign of currency or per cent, or parentheses for minus."""
    shown = text.strip()
    negative = shown.startswith("(") and shown.endswith(")")
    match = _AMOUNT.match(shown[1:-1].strip() if negative else shown) if len(shown) <= 400 else None
    if (
        match is None
        or (match["sign"] and match["inner"])
        or (match["unit"] and match["after"] not in ("", "%"))
    ):
        raise EvaluationError(Reason.PARSE)
    digits = match["whole"].replace(",", "") + match["rest"]
    if digits in ("", "."):
        raise EvaluationError(Reason.PARSE)
    number = float(digits)
    if not math.isfinite(number):
        raise EvaluationError(Reason.NON_FINITE)
    return -number if negative != ("-" in (match["sign"], match["inner"])) else number


@primitive(
    "text, int -> int",
    cost=3,
    examples=[
        (("ff", 16), 255),
        (("-101", 2), -5),
        (("2", 2), EvaluationError),
        (("", 10), EvaluationError),
        (("1", 1), EvaluationError),
    ],
)
def parse_base(text: str, base: int) -> int:
    """The whole number that a text says in digits of a base, 2 to 36, the letters being digits beyond 9."""
    digits = text.strip()
    if not 2 <= base <= 36:
        raise EvaluationError(Reason.DOMAIN)
    body = digits[1:] if digits[:1] in ("+", "-") else digits
    if not body or len(body) > 64 or not (body.isascii() and body.isalnum()):
        raise EvaluationError(Reason.PARSE)
    total = 0
    for digit in body.lower():
        worth = ord(digit) - (48 if digit <= "9" else 87)
        if worth >= base:
            raise EvaluationError(Reason.PARSE)
        total = total * base + worth
    return -total if digits[0] == "-" else total


@primitive(
    "int, int -> text",
    cost=3,
    examples=[((255, 16), "ff"), ((-5, 2), "-101"), ((0, 2), "0"), ((1, 37), EvaluationError)],
)
def show_base(number: int, base: int) -> str:
    """A whole number in digits of a base, 2 to 36, with letters for digits beyond 9."""
    if not 2 <= base <= 36:
        raise EvaluationError(Reason.DOMAIN)
    left, digits = abs(number), ""
    while left or not digits:
        left, digit = divmod(left, base)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return "-" + digits if number < 0 else digits


@primitive("int -> text", cost=2, examples=[((1234567,), "1,234,567"), ((-12,), "-12")])
def group_thousands(number: int) -> str:
    """A whole number with a comma between thousands."""
    return f"{number:,}"


@primitive(
    "real, int -> text",
    cost=2,
    examples=[((1234.5, 2), "1,234.50"), ((-0.5, 0), "-0"), ((1.0, 21), EvaluationError)],
)
def format_amount(number: float, digits: int) -> str:
    """A real with a comma between thousands and so many digits after the point, 0 to 20."""
    if not 0 <= digits <= 20:
        raise EvaluationError(Reason.DOMAIN)
    return f"{number:,.{digits}f}"


@primitive(
    "real, int -> real",
    cost=2,
    examples=[
        ((2.675, 1), 2.7),
        ((1234.5, -2), 1200.0),
        ((1e308, -308), 1e308),
        ((1.0, 99), EvaluationError),
    ],
)
def round_to(number: float, digits: int) -> float:
    """The nearest real with so many digits after the point, or zeros before it; -308 to 20."""
    if not -308 <= digits <= 20:
        raise EvaluationError(Reason.DOMAIN)
    try:
        return float(round(number, digits))
    except OverflowError:
        raise EvaluationError(Reason.NON_FINITE) from None


@primitive(
    "int -> text",
    cost=3,
    examples=[((1994,), "MCMXCIV"), ((0,), EvaluationError), ((4000,), EvaluationError)],
)
def show_roman(number: int) -> str:
    """A whole number from 1 to 3999 in Roman numerals."""
    if not 0 < number < 4000:
        raise EvaluationError(Reason.DOMAIN)
    ones = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    tens = ("", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC")
    hundreds = ("", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM")
    return "M" * (number // 1000) + hundreds[number // 100 % 10] + tens[number // 10 % 10] + ones[number % 10]


subroutine(
    "zero_pad",
    "int, int -> text",
    "number, width",
    'if number < 0 then concat_text("-", pad_left(show(abs(number)), width - 1, "0")) '
    'else pad_left(show(number), width, "0")',
    doc="A whole number as text with zeros before it up to a width.",
    hints={1: (2, 3, 4, 5, 6)},
    examples=[((7, 3), "007"), ((-7, 3), "-07"), ((1234, 3), "1234")],
)
subroutine(
    "parse_decimal_comma",
    "text -> real",
    "text",
    'parse_number(replace(replace(text, ".", ""), ",", "."))',
    doc="The number of an amount with a comma before the decimals and points between thousands.",
    cost=3,
    examples=[(("1.234,50 €",), 1234.5), (("x",), EvaluationError)],
)
subroutine(
    "parse_percent",
    "text -> real",
    "text",
    'parse_number(concat_text(text_before(text, "%"), "%")) / 100.0',
    doc="The share that a text says in per cent.",
    cost=3,
    examples=[(("12%",), 0.12), (("5 %",), 0.05), (("-1,250.0 %",), -12.5), (("12",), EvaluationError)],
)
subroutine(
    "first_number",
    "text -> real",
    "text",
    'parse_real(first(tokens(text, "number")))',
    doc="The first number in a text.",
    cost=2,
    examples=[(("add 2.5 cups of 3",), 2.5), (("none",), EvaluationError)],
)
subroutine(
    "first_int",
    "text -> int",
    "text",
    'parse_int(first(tokens(text, "digits")))',
    doc="The first digits in a text as a whole number.",
    cost=2,
    examples=[(("736 miles",), 736), (("none",), EvaluationError)],
)
subroutine(
    "ints_in",
    "text -> list[int]",
    "text",
    'map(digits => parse_int(digits), tokens(text, "digits"))',
    doc="All runs of digits in a text as whole numbers.",
    cost=2,
    examples=[(("7 0 12",), [7, 0, 12])],
)
subroutine(
    "join_ints",
    "list[int], text -> text",
    "numbers, separator",
    "join_text(map(number => show(number), numbers), separator)",
    doc="Whole numbers as text with a separator between them.",
    cost=2,
    hints={1: (" ", ", ", ",", "")},
    examples=[(([1, 2], "-"), "1-2")],
)
subroutine(
    "format_percent",
    "real, int -> text",
    "share, digits",
    'concat_text(format_real(share * 100.0, digits), "%")',
    doc="A share as per cent with so many digits after the point.",
    cost=2,
    hints={1: (0, 1, 2)},
    examples=[((0.125, 1), "12.5%"), ((0.5, -1), EvaluationError)],
)
subroutine(
    "ordinal",
    "int -> text",
    "number",
    "let last = abs(number) % 10 in let teens = abs(number) // 10 % 10 == 1 in concat_text(show(number), "
    'if teens then "th" else if last == 1 then "st" else if last == 2 then "nd" '
    'else if last == 3 then "rd" else "th")',
    doc="A whole number with the letters of its rank: 1st, 2nd, 3rd.",
    cost=3,
    examples=[((1,), "1st"), ((12,), "12th"), ((23,), "23rd")],
)
subroutine(
    "floor_to",
    "real, real -> real",
    "number, step",
    "to_real(floor(number / step)) * step",
    doc="The next multiple of a step below or at a number.",
    cost=2,
    examples=[((7.5, 2.0), 6.0), ((1.0, 0.0), EvaluationError)],
)
subroutine(
    "ceil_to",
    "real, real -> real",
    "number, step",
    "to_real(ceil(number / step)) * step",
    doc="The next multiple of a step above or at a number.",
    cost=2,
    examples=[((7.5, 2.0), 8.0), ((1.0, 0.0), EvaluationError)],
)
subroutine(
    "round_near",
    "real, real -> real",
    "number, step",
    "to_real(round_half_up(number / step)) * step",
    doc="The nearest multiple of a step; the upper one of two equally near.",
    cost=2,
    examples=[((7.3, 0.5), 7.5), ((1.0, 0.0), EvaluationError)],
)
subroutine(
    "round_half_up",
    "real -> int",
    "number",
    "floor(number + 0.5)",
    doc="The nearest whole number; the upper one of two equally near.",
    cost=2,
    examples=[((2.5,), 3), ((-2.5,), -2), ((1e300,), EvaluationError)],
)
subroutine(
    "floor_multiple",
    "int, int -> int",
    "number, step",
    "number // step * step",
    doc="The next multiple of a whole number below or at another.",
    cost=2,
    examples=[((17, 5), 15), ((1, 0), EvaluationError)],
)
subroutine(
    "ceil_multiple",
    "int, int -> int",
    "number, step",
    "negate(negate(number) // step) * step",
    doc="The next multiple of a whole number above or at another.",
    cost=2,
    examples=[((17, 5), 20), ((1, 0), EvaluationError)],
)
subroutine(
    "round_multiple",
    "int, int -> int",
    "number, step",
    "(number + abs(step) // 2) // abs(step) * abs(step)",
    doc="The nearest multiple of a whole number; the upper one of two equally near.",
    cost=2,
    examples=[((17, 5), 15), ((18, 5), 20), ((1, 0), EvaluationError)],
)
