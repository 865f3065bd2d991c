"""Tokens: the longest runs of characters of one class in a text. Positions by token hold for texts of any length.

A class is said by its name, one of `TOKEN_CLASSES`; any other name fails. `number` is a decimal number, with a sign
where no letter or digit stands before it (so `938-242` holds two numbers without one); `capitalized` is a capital with
the small letters after it. A combining mark belongs to the letter before it.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine

# What finds the tokens of each class in a text of ASCII characters: several times faster than by character.
_ASCII = (
    ("word", "[0-9A-Za-z]+"),
    ("digits", "[0-9]+"),
    ("letters", "[A-Za-z]+"),
    ("number", r"(?:(?<![^\W_])[+-])?[0-9]+(?:\.[0-9]+)?"),
    ("upper", "[A-Z]+"),
    ("lower", "[a-z]+"),
    ("capitalized", "[A-Z][a-z]+"),
    ("space", r"\s+"),
    ("nonspace", r"\S+"),
    ("punctuation", r"[^\s0-9A-Za-z]+"),
)
TOKEN_CLASSES = tuple(kind for kind, _ in _ASCII)


def _pattern(kind: str) -> str:
    """What finds the tokens of a class in a text of ASCII characters."""
    for name, pattern in _ASCII:
        if name == kind:
            return pattern
    raise EvaluationError(Reason.DOMAIN)


def _belongs(character: str, kind: str) -> bool:
    """Whether a character is of a class."""
    mark = unicodedata.combining(character) > 0
    if kind == "word":
        return character.isalnum() or mark
    if kind == "letters":
        return character.isalpha() or mark
    if kind == "digits":
        return "0" <= character <= "9"
    if kind == "upper":
        return character.isupper()
    if kind == "lower":
        return character.islower()
    if kind == "punctuation":
        return not (character.isspace() or character.isalnum() or mark)
    return character.isspace() == (kind == "space")


def _spans_by_character(text: str, kind: str) -> list[tuple[int, int]]:
    """Where each token begins, and the position after its end, whatever the text."""
    if kind == "capitalized":
        lower = _spans_by_character(text, "lower")
        return [(start - 1, stop) for start, stop in lower if start and text[start - 1].isupper()]
    found = []
    place = 0
    for inside, run in groupby(text, lambda character: _belongs(character, kind)):
        start, place = place, place + sum(1 for _ in run)
        if inside:
            found.append((start, place))
    return found


def _spans(text: str, kind: str) -> list[tuple[int, int]]:
    """Where each token begins, and the position after its end."""
    pattern = _pattern(kind)
    if text.isascii() or kind == "number":
        return [match.span() for match in re.finditer(pattern, text)]
    return _spans_by_character(text, kind)


_HINTS = {1: TOKEN_CLASSES}


@primitive(
    "text, text -> list[text]",
    hints=_HINTS,
    examples=[
        (("AIX 5.1, no. 7b", "digits"), ["5", "1", "7"]),
        (("AIX 5.1, no. 7b", "word"), ["AIX", "5", "1", "no", "7b"]),
        (("938-242 is -1.5", "number"), ["938", "242", "-1.5"]),
        (("NancyFreeHafer USA", "capitalized"), ["Nancy", "Free", "Hafer"]),
        (("a, (b)", "punctuation"), [",", "(", ")"]),
        (("cafe\u0301 \u00e9t\u00e9", "letters"), ["cafe\u0301", "\u00e9t\u00e9"]),
        (("a  b", "space"), ["  "]),
        (("", "word"), []),
        (("a", "wordy"), EvaluationError),
    ],
)
def tokens(text: str, kind: str) -> list[str]:
    """The longest runs of characters of a class (see `TOKEN_CLASSES`)."""
    return [text[start:stop] for start, stop in _spans(text, kind)]


@primitive(
    "text, text -> list[pair[int, int]]",
    cost=2,
    hints=_HINTS,
    examples=[(("ab 12", "word"), [(0, 2), (3, 5)]), (("a", ""), EvaluationError)],
)
def token_spans(text: str, kind: str) -> list[tuple[int, int]]:
    """Where each token of a class begins, and the position after its end."""
    return _spans(text, kind)


@primitive(
    "text, text -> list[text]",
    cost=2,
    hints=_HINTS,
    examples=[
        (("a1b22", "digits"), ["a", "b", ""]),
        (("ab", "digits"), ["ab"]),
        (("", "digits"), [""]),
        (("ab", "?"), EvaluationError),
    ],
)
def split_by_class(text: str, kind: str) -> list[str]:
    """The parts of a text before, between and after the tokens of a class."""
    parts = []
    place = 0
    for start, stop in _spans(text, kind):
        parts.append(text[place:start])
        place = stop
    return [*parts, text[place:]]


subroutine(
    "nth_token",
    "text, text, int -> text",
    "text, kind, n",
    "get(tokens(text, kind), n)",
    doc="The token of a class at a position among those, from 0.",
    hints=_HINTS,
    examples=[(("a 1 b 23", "digits", 1), "23"), (("a", "digits", 0), EvaluationError)],
)
subroutine(
    "nth_last_token",
    "text, text, int -> text",
    "text, kind, n",
    "get(reverse(tokens(text, kind)), n)",
    doc="The token of a class at a position from the end: 0 is the last.",
    hints=_HINTS,
    examples=[(("a 1 b 23", "digits", 1), "1"), (("a", "digits", 0), EvaluationError)],
)
subroutine(
    "first_token",
    "text, text -> text",
    "text, kind",
    "first(tokens(text, kind))",
    doc="The first token of a class.",
    hints=_HINTS,
    examples=[(("Ada B 12", "digits"), "12"), (("", "word"), EvaluationError)],
)
subroutine(
    "last_token",
    "text, text -> text",
    "text, kind",
    "last(tokens(text, kind))",
    doc="The last token of a class.",
    hints=_HINTS,
    examples=[(("Ada B 12", "letters"), "B"), (("", "word"), EvaluationError)],
)
subroutine(
    "count_tokens",
    "text, text -> int",
    "text, kind",
    "length(tokens(text, kind))",
    doc="The number of tokens of a class.",
    cost=2,
    hints=_HINTS,
    examples=[(("a 1 b 23", "digits"), 2)],
)
subroutine(
    "keep_class",
    "text, text -> text",
    "text, kind",
    'join_text(tokens(text, kind), "")',
    doc="The characters of a class, without all others.",
    hints=_HINTS,
    examples=[(("(06) 12-34", "digits"), "061234")],
)
subroutine(
    "remove_class",
    "text, text -> text",
    "text, kind",
    'join_text(split_by_class(text, kind), "")',
    doc="The text without the characters of a class.",
    hints=_HINTS,
    examples=[(("34 jim 5", "digits"), " jim ")],
)
subroutine(
    "replace_class",
    "text, text, text -> text",
    "text, kind, new",
    "join_text(split_by_class(text, kind), new)",
    doc="The text with another text put for each token of a class.",
    cost=2,
    hints=_HINTS,
    examples=[(("a  b c", "space", "_"), "a_b_c"), (("call 555 12", "digits", "#"), "call # #")],
)
subroutine(
    "is_class",
    "text, text -> bool",
    "text, kind",
    "tokens(text, kind) == [text]",
    doc="Whether a text is one token of a class.",
    hints=_HINTS,
    examples=[(("-1.5", "number"), True), (("a b", "letters"), False), (("", "letters"), False)],
)
subroutine(
    "has_class",
    "text, text -> bool",
    "text, kind",
    "not is_empty(tokens(text, kind))",
    doc="Whether a text has a token of a class.",
    hints=_HINTS,
    examples=[(("worth 2 birds", "digits"), True), (("two", "digits"), False)],
)
subroutine(
    "token_start",
    "text, text, int -> int",
    "text, kind, n",
    "left(get(token_spans(text, kind), n))",
    doc="Where the token of a class at a position among those begins.",
    cost=2,
    hints=_HINTS,
    examples=[(("ab 12 cd", "word", 1), 3), (("ab", "word", 1), EvaluationError)],
)
subroutine(
    "token_end",
    "text, text, int -> int",
    "text, kind, n",
    "right(get(token_spans(text, kind), n))",
    doc="The position after the token of a class at a position among those.",
    cost=2,
    hints=_HINTS,
    examples=[(("ab 12 cd", "word", 1), 5)],
)
subroutine(
    "text_before_token",
    "text, text, int -> text",
    "text, kind, n",
    "text_slice(text, 0, token_start(text, kind, n))",
    doc="What stands before the token of a class at a position among those.",
    cost=2,
    hints=_HINTS,
    examples=[(("apples30", "digits", 0), "apples")],
)
subroutine(
    "text_after_token",
    "text, text, int -> text",
    "text, kind, n",
    "text_slice(text, token_end(text, kind, n), text_length(text))",
    doc="What stands after the token of a class at a position among those.",
    cost=2,
    hints=_HINTS,
    examples=[(("12 Oak St", "digits", 0), " Oak St")],
)
subroutine(
    "text_from_token",
    "text, text, int -> text",
    "text, kind, n",
    "text_slice(text, token_start(text, kind, n), text_length(text))",
    doc="The text from the token of a class at a position among those on.",
    cost=2,
    hints=_HINTS,
    examples=[(("on 3 May 2024", "digits", 0), "3 May 2024")],
)
subroutine(
    "text_through_token",
    "text, text, int -> text",
    "text, kind, n",
    "text_slice(text, 0, token_end(text, kind, n))",
    doc="The text up to the end of the token of a class at a position among those.",
    cost=2,
    hints=_HINTS,
    examples=[(("item 7 of 9", "digits", 0), "item 7")],
)
subroutine(
    "text_before_last_token",
    "text, text -> text",
    "text, kind",
    "text_slice(text, 0, left(last(token_spans(text, kind))))",
    doc="What stands before the last token of a class.",
    cost=2,
    hints=_HINTS,
    examples=[(("Item 1 AQ", "letters"), "Item 1 "), (("1", "letters"), EvaluationError)],
)
subroutine(
    "text_after_last_token",
    "text, text -> text",
    "text, kind",
    "text_slice(text, right(last(token_spans(text, kind))), text_length(text))",
    doc="What stands after the last token of a class.",
    cost=2,
    hints=_HINTS,
    examples=[(("geb. 14 oct 1956 Kerk", "digits"), " Kerk")],
)
