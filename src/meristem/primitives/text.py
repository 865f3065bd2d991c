"""Texts: sequences of Unicode code points. Positions count from 0; a negative one fails."""

from __future__ import annotations

import math
import re
from typing import Any

from meristem.errors import EvaluationError, Reason, TypeMismatch
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import check_size
from meristem.types import TEXT, Type, format_type
from meristem.values import Scalars, Texts


@primitive("text -> int", examples=[(("abc",), 3), (("",), 0)])
def text_length(text: str) -> int:
    """The number of characters."""
    return len(text)


@primitive("text, text -> text", examples=[(("ab", "c"), "abc")])
def concat_text(left: str, right: str) -> str:
    """Two texts, end to end."""
    return left + right


@primitive("text -> list[text]", examples=[(("abc",), ["a", "b", "c"])])
def characters(text: str) -> list[str]:
    """The characters, one text each."""
    return list(text)


@primitive("list[text], text -> text", examples=[((["a", "b"], ", "), "a, b"), (([], ", "), "")])
def join_text(parts: list[str], separator: str) -> str:
    """Texts end to end, with another one between them."""
    check_size(sum(map(len, parts)) + len(separator) * max(len(parts) - 1, 0))
    return separator.join(parts)


@primitive(
    "text, text -> list[text]", examples=[(("a,b,", ","), ["a", "b", ""]), (("ab", ""), EvaluationError)]
)
def split(text: str, separator: str) -> list[str]:
    """The parts of a text between separators. An empty separator fails."""
    if not separator:
        raise EvaluationError(Reason.DOMAIN)
    return text.split(separator)


@primitive("text -> list[text]", examples=[((" a  b ",), ["a", "b"])])
def words(text: str) -> list[str]:
    """The parts of a text between white space."""
    return text.split()


@primitive("text -> text", examples=[(("aB",), "AB")])
def upper(text: str) -> str:
    """The text in capitals."""
    return text.upper()


@primitive("text -> text", examples=[(("aB",), "ab")])
def lower(text: str) -> str:
    """The text in small letters."""
    return text.lower()


@primitive("text -> text", examples=[(("ab cD",), "Ab Cd")])
def title(text: str) -> str:
    """The text with each word beginning with a capital."""
    return text.title()


@primitive("text -> text", examples=[((" a b ",), "a b")])
def strip(text: str) -> str:
    """The text without white space at its ends."""
    return text.strip()


@primitive(
    "text, text, text -> text", examples=[(("aba", "a", "c"), "cbc"), (("ab", "", "c"), EvaluationError)]
)
def replace(text: str, old: str, new: str) -> str:
    """The text with one text put for another wherever that stands. An empty text to replace fails."""
    if not old:
        raise EvaluationError(Reason.DOMAIN)
    check_size(len(text) + text.count(old) * max(len(new) - len(old), 0))
    return text.replace(old, new)


@primitive("text, text -> option[int]", examples=[(("abc", "c"), 2), (("abc", "d"), None)])
def text_find(text: str, part: str) -> int | None:
    """Where a text first stands in another, if it does."""
    place = text.find(part)
    return None if place < 0 else place


@primitive("text, text -> bool", examples=[(("abc", "ab"), True), (("abc", "b"), False)])
def starts_with(text: str, part: str) -> bool:
    """Whether a text begins with another."""
    return text.startswith(part)


@primitive("text, text -> bool", examples=[(("abc", "bc"), True), (("abc", "b"), False)])
def ends_with(text: str, part: str) -> bool:
    """Whether a text ends with another."""
    return text.endswith(part)


@primitive(
    "text, int, int -> text",
    examples=[
        (("abcd", 1, 3), "bc"),
        (("ab", 1, 9), "b"),
        (("ab", 2, 1), ""),
        (("ab", -1, 1), EvaluationError),
    ],
)
def text_slice(text: str, start: int, stop: int) -> str:
    """The characters from one position to before another, as far as there are any. Negative positions fail."""
    if start < 0 or stop < 0:
        raise EvaluationError(Reason.INDEX)
    return text[start:stop]


@primitive("text -> bool", examples=[(("07",), True), (("",), False), (("1a",), False), (("²",), False)])
def is_digits(text: str) -> bool:
    """Whether a text is made of the digits 0 to 9, at least one."""
    return text.isdecimal() and text.isascii()


@primitive("text -> bool", examples=[(("ab",), True), (("a1",), False), (("",), False)])
def is_letters(text: str) -> bool:
    """Whether a text is made of letters, at least one."""
    return text.isalpha()


@primitive("text -> int", examples=[(("A",), 65), (("",), EvaluationError)])
def code_of(text: str) -> int:
    """The code point of the first character."""
    if not text:
        raise EvaluationError(Reason.EMPTY)
    return ord(text[0])


@primitive("int -> text", examples=[((65,), "A"), ((-1,), EvaluationError), ((0xD800,), EvaluationError)])
def character(code: int) -> str:
    """The character of a code point. Numbers that are none, and surrogates, fail."""
    if not 0 <= code < 0x110000 or 0xD800 <= code < 0xE000:
        raise EvaluationError(Reason.DOMAIN)
    return chr(code)


@primitive("text, int, text -> text", examples=[(("7", 3, "0"), "007"), (("7", 3, ""), EvaluationError)])
def pad_left(text: str, width: int, fill: str) -> str:
    """The text filled up on its left to a width with one character. A fill that is none fails."""
    if len(fill) != 1:
        raise EvaluationError(Reason.DOMAIN)
    check_size(width)
    return text.rjust(width, fill)


_INT = re.compile(r"[+-]?[0-9]{1,19}\Z")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")


@primitive(
    "text -> int", examples=[((" -12 ",), -12), (("1.5",), EvaluationError), (("9" * 19,), EvaluationError)]
)
def parse_int(text: str) -> int:
    """The whole number that a text says in digits, with white space around it or not."""
    digits = text.strip()
    if len(digits) > 20 or _INT.match(digits) is None:
        raise EvaluationError(Reason.PARSE)
    return int(digits)


@primitive(
    "text -> real",
    examples=[
        ((" -1.5e1 ",), -15.0),
        (("12",), 12.0),
        (("1,5",), EvaluationError),
        (("nan",), EvaluationError),
    ],
)
def parse_real(text: str) -> float:
    """The number that a text says, with a decimal point, with white space around it or not."""
    digits = text.strip()
    if len(digits) > 400 or _REAL.match(digits) is None:
        raise EvaluationError(Reason.PARSE)
    number = float(digits)
    if not math.isfinite(number):
        raise EvaluationError(Reason.NON_FINITE)
    return number


@primitive("n -> text where n: number", examples=[((-12,), "-12"), ((0.5,), "0.5")])
def show(number: float) -> str:
    """A number as text: the shortest that reads as the same number."""
    return repr(number)


@primitive(
    "real, int -> text",
    examples=[
        ((1.005, 1), "1.0"),
        ((2.0, 0), "2"),
        ((1.0, -1), EvaluationError),
        ((1.0, 99), EvaluationError),
    ],
)
def format_real(number: float, digits: int) -> str:
    """A real as text with so many digits after the point, 0 to 20."""
    if not 0 <= digits <= 20:
        raise EvaluationError(Reason.DOMAIN)
    return f"{number:.{digits}f}"


def _label_type(type_: Type) -> Type:
    if type_.name != "class":
        raise TypeMismatch(f"label takes a class, got {format_type(type_, 6)}")
    return TEXT


@primitive(_label_type)
def label(nothing: Any, item: str) -> str:
    """The label of a class as text."""
    return item


@label.columnar
def _(result: Type, item: Scalars) -> Texts:
    return Texts(item.data, item.type.labels or ("",))


subroutine(
    "text_contains",
    "text, text -> bool",
    "text, part",
    "is_some(text_find(text, part))",
    doc="Whether a text stands in another.",
    examples=[(("abc", "b"), True)],
)
subroutine(
    "text_reverse",
    "text -> text",
    "text",
    'join_text(reverse(characters(text)), "")',
    doc="The characters from last to first.",
    examples=[(("abc",), "cba")],
)
subroutine(
    "text_repeat",
    "text, int -> text",
    "text, count",
    'join_text(repeat(text, count), "")',
    doc="A text so many times over.",
    examples=[(("ab", 2), "abab"), (("a", -1), EvaluationError)],
)
subroutine(
    "lines",
    "text -> list[text]",
    "text",
    'split(text, "\\n")',
    doc="The parts of a text between line ends.",
    examples=[(("a\nb",), ["a", "b"])],
)
subroutine(
    "character_at",
    "text, int -> text",
    "text, index",
    "get(characters(text), index)",
    doc="The character at a position.",
    examples=[(("abc", 1), "b"), (("abc", 3), EvaluationError)],
)
subroutine(
    "is_palindrome",
    "text -> bool",
    "text",
    "text == text_reverse(text)",
    doc="Whether a text reads the same backwards.",
    examples=[(("abba",), True)],
)
subroutine(
    "text_empty",
    "text -> bool",
    "text",
    "text_length(text) == 0",
    doc="Whether a text has no characters.",
    examples=[(("",), True)],
)
subroutine(
    "digits_of",
    "int -> list[int]",
    "number",
    "map(digit => parse_int(digit), characters(show(abs(number))))",
    doc="The decimal digits of a whole number.",
    examples=[((-120,), [1, 2, 0])],
)
subroutine(
    "initials",
    "text -> text",
    "text",
    'join_text(map(word => text_slice(word, 0, 1), words(text)), "")',
    doc="The first characters of the words.",
    examples=[(("Ada Lovelace",), "AL")],
)
