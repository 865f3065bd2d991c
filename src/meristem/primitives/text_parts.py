"""Parts of texts: between separators, by position, by occurrence. What is not there fails unless said otherwise."""

from __future__ import annotations

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine

_SEPARATORS = {1: (" ", ",", ", ", "-", ".", "/", ":", "@", "_", ";", "|", "\n")}


@primitive("text, text -> option[int]", cost=2, examples=[(("abab", "ab"), 2), (("abc", "d"), None)])
def text_find_last(text: str, part: str) -> int | None:
    """Where a text last stands in another, if it does."""
    place = text.rfind(part)
    return None if place < 0 else place


@primitive(
    "text, int, int -> text",
    examples=[
        (("abcd", 1, 2), "bc"),
        (("abcd", 2, 9), "cd"),
        (("abcd", 4, 1), ""),
        (("abcd", -1, 2), ""),
        (("abcd", 1, -1), ""),
    ],
)
def substring(text: str, start: int, length: int) -> str:
    """So many characters from a position on, as far as there are any; none for a position outside of the text."""
    return text[start : start + length] if start >= 0 and length > 0 else ""


@primitive(
    "text, text, int -> int",
    cost=2,
    examples=[(("abab", "b", 2), 3), (("abab", "c", 0), -1), (("ab", "a", -1), -1), (("ab", "", 3), -1)],
)
def text_index(text: str, part: str, start: int) -> int:
    """Where a text stands in another at or after a position, -1 where it does not."""
    return text.find(part, start) if 0 <= start <= len(text) else -1


@primitive(
    "text, text -> list[int]",
    cost=2,
    hints=_SEPARATORS,
    examples=[(("banana", "an"), [1, 3]), (("aaa", "aa"), [0]), (("ab", ""), EvaluationError)],
)
def find_all(text: str, part: str) -> list[int]:
    """All places where a text stands in another, without overlap. An empty text fails."""
    if not part:
        raise EvaluationError(Reason.DOMAIN)
    places = []
    place = text.find(part)
    while place >= 0:
        places.append(place)
        place = text.find(part, place + len(part))
    return places


subroutine(
    "char_at",
    "text, int -> text",
    "text, index",
    "substring(text, index, 1)",
    doc="The character at a position; no character where there is none.",
    examples=[(("abc", 1), "b"), (("abc", 3), ""), (("abc", -1), "")],
)
subroutine(
    "first_character",
    "text -> text",
    "text",
    "character_at(text, 0)",
    doc="The first character.",
    examples=[(("abc",), "a"), (("",), EvaluationError)],
)
subroutine(
    "last_character",
    "text -> text",
    "text",
    "character_at(text, text_length(text) - 1)",
    doc="The last character.",
    examples=[(("abc",), "c"), (("",), EvaluationError)],
)
subroutine(
    "text_take",
    "text, int -> text",
    "text, count",
    "text_slice(text, 0, count)",
    doc="The first characters, at most so many.",
    examples=[(("abc", 2), "ab"), (("abc", -1), EvaluationError)],
)
subroutine(
    "text_drop",
    "text, int -> text",
    "text, count",
    "text_slice(text, count, text_length(text))",
    doc="All but the first characters.",
    examples=[(("abc", 1), "bc"), (("abc", 5), ""), (("abc", -1), EvaluationError)],
)
subroutine(
    "text_take_last",
    "text, int -> text",
    "text, count",
    "text_slice(text, maximum(text_length(text) - count, 0), text_length(text))",
    doc="The last characters, at most so many.",
    examples=[(("abc", 2), "bc"), (("abc", 5), "abc")],
)
subroutine(
    "text_drop_last",
    "text, int -> text",
    "text, count",
    "text_slice(text, 0, maximum(text_length(text) - count, 0))",
    doc="All but the last characters.",
    examples=[(("abc", 1), "ab"), (("abc", 5), "")],
)
subroutine(
    "text_before",
    "text, text -> text",
    "text, part",
    "text_slice(text, 0, value(text_find(text, part)))",
    doc="What stands before the first place of another text, which must be there.",
    hints=_SEPARATORS,
    examples=[(("a.b.c", "."), "a"), (("abc", "."), EvaluationError)],
)
subroutine(
    "text_after",
    "text, text -> text",
    "text, part",
    "text_slice(text, value(text_find(text, part)) + text_length(part), text_length(text))",
    doc="What stands after the first place of another text, which must be there.",
    hints=_SEPARATORS,
    examples=[(("a.b.c", "."), "b.c"), (("abc", "."), EvaluationError)],
)
subroutine(
    "text_before_last",
    "text, text -> text",
    "text, part",
    "text_slice(text, 0, value(text_find_last(text, part)))",
    doc="What stands before the last place of another text, which must be there.",
    hints=_SEPARATORS,
    examples=[(("a.b.c", "."), "a.b"), (("abc", "."), EvaluationError)],
)
subroutine(
    "text_after_last",
    "text, text -> text",
    "text, part",
    "text_slice(text, value(text_find_last(text, part)) + text_length(part), text_length(text))",
    doc="What stands after the last place of another text, which must be there.",
    hints=_SEPARATORS,
    examples=[(("a.b.c", "."), "c"), (("abc", "."), EvaluationError)],
)
subroutine(
    "text_between",
    "text, text, text -> text",
    "text, left, right",
    "text_before(text_after(text, left), right)",
    doc="What stands between the first place of a text and the next place of another.",
    examples=[(("f(a) + g(b)", "(", ")"), "a"), (("f(a", "(", ")"), EvaluationError)],
)
subroutine(
    "text_from",
    "text, text -> text",
    "text, part",
    "text_slice(text, value(text_find(text, part)), text_length(text))",
    doc="The text from the first place of another on, which must be there.",
    cost=2,
    hints=_SEPARATORS,
    examples=[(("see www.a.org", "www"), "www.a.org"), (("a", "b"), EvaluationError)],
)
subroutine(
    "text_through",
    "text, text -> text",
    "text, part",
    "text_slice(text, 0, value(text_find(text, part)) + text_length(part))",
    doc="The text up to the end of the first place of another, which must be there.",
    cost=2,
    hints=_SEPARATORS,
    examples=[(("11 PM - yes", "PM"), "11 PM"), (("a", "b"), EvaluationError)],
)
subroutine(
    "find_nth",
    "text, text, int -> int",
    "text, part, n",
    "get(find_all(text, part), n)",
    doc="Where a text stands in another for the time that a number says, from 0.",
    cost=2,
    hints=_SEPARATORS,
    examples=[(("a_b_c", "_", 1), 3), (("a_b", "_", 1), EvaluationError)],
)
subroutine(
    "count_text",
    "text, text -> int",
    "text, part",
    "length(split(text, part)) - 1",
    doc="How often a text stands in another, without overlap.",
    examples=[(("Hannah", "n"), 2), (("Hannah", "x"), 0), (("ab", ""), EvaluationError)],
)
subroutine(
    "nth_field",
    "text, text, int -> text",
    "text, separator, n",
    "get(split(text, separator), n)",
    doc="The part between separators at a position, from 0.",
    hints=_SEPARATORS,
    examples=[(("938-242-504", "-", 1), "242"), (("a-b", "-", 2), EvaluationError)],
)
subroutine(
    "nth_last_field",
    "text, text, int -> text",
    "text, separator, n",
    "get(reverse(split(text, separator)), n)",
    doc="The part between separators at a position from the end: 0 is the last.",
    cost=2,
    hints=_SEPARATORS,
    examples=[(("938-242-504", "-", 1), "242"), (("a/b/c", "/", 0), "c")],
)
subroutine(
    "nth_word",
    "text, int -> text",
    "text, n",
    "get(words(text), n)",
    doc="The part between white space at a position, from 0.",
    examples=[(("you can do it", 2), "do"), (("you", 1), EvaluationError)],
)
subroutine(
    "first_word",
    "text -> text",
    "text",
    "first(words(text))",
    doc="What stands before the first white space.",
    examples=[(("Ada Lovelace",), "Ada"), ((" ",), EvaluationError)],
)
subroutine(
    "last_word",
    "text -> text",
    "text",
    "last(words(text))",
    doc="What stands after the last white space.",
    examples=[(("Sarah Jane Jones",), "Jones"), ((" ",), EvaluationError)],
)
subroutine(
    "word_with",
    "text, text -> text",
    "text, part",
    "value(find(word => text_contains(word, part), words(text)))",
    doc="The first part between white space in which another text stands.",
    cost=2,
    hints=_SEPARATORS,
    examples=[(("mail to a@b.org now", "@"), "a@b.org"), (("no", "@"), EvaluationError)],
)
subroutine(
    "count_words",
    "text -> int",
    "text",
    "length(words(text))",
    doc="The number of parts between white space.",
    examples=[(("a  b c ",), 3)],
)
